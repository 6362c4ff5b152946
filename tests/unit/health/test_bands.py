"""Bands: round cuts where they are wanted, against brute force."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.health.bands import LEAST_SHARE, band_of, cut_points, monotone_bands, round_between

FINITE = st.floats(-1e9, 1e9, allow_nan=False)


def roundness(number: Decimal) -> tuple[int, int]:
    """What is left of the last digit that is no nought: its place, then 0 for 5, 1 for even, 2 for odd."""
    if number == 0:
        return (-99, 0)
    digits, exponent = number.normalize().as_tuple()[1:]
    last = digits[-1]
    return (-int(exponent), 0 if last == 5 else 1 if last % 2 == 0 else 2)


@given(FINITE, st.floats(1e-6, 1e9), st.floats(0, 1))
def test_a_cut_lies_above_the_low_end_and_up_to_the_high_one(low: float, width: float, at: float) -> None:
    high = low + width
    if not high > low:
        return
    found = float(round_between(low, low + at * width, high))
    assert low < found <= high


@pytest.mark.parametrize(
    ("low", "target", "high", "expected"),
    [
        (98, 101, 103, "100"),
        (4.93, 5.04, 5.07, "5"),
        (0.0, 0.3, 1.0, "1"),
        (0.0, 0.3, 0.9, "0.5"),
        (-3, -1, 2, "0"),
        (12, 13, 14, "14"),
        (0.123, 0.12345, 0.1239, "0.1235"),
        (990, 1004, 1010, "1000"),
        (1e-9, 2e-9, 3e-9, "0.000000002"),
    ],
)
def test_the_roundest_number_is_taken(low: float, target: float, high: float, expected: str) -> None:
    assert f"{round_between(low, target, high):f}" == expected


@given(st.integers(-400, 400), st.integers(1, 60), st.integers(0, 60))
def test_no_whole_number_of_the_range_ends_in_more_noughts(low: int, width: int, at: int) -> None:
    found = round_between(low, low + min(at, width), low + width)
    assert roundness(found)[0] <= min(roundness(Decimal(one))[0] for one in range(low + 1, low + width + 1))


@given(st.lists(st.one_of(st.just(0.0), st.integers(0, 5).map(float), FINITE), min_size=20, max_size=200), st.integers(2, 6))
def test_every_band_holds_its_least_share_of_the_values(values: list[float], bands: int) -> None:
    column = np.array(values)
    cuts = cut_points(column, bands)
    assert len(cuts) < bands
    counts = np.bincount(band_of(cuts, column), minlength=len(cuts) + 1)
    assert not cuts or counts.min() >= LEAST_SHARE * len(column)


def test_many_zeros_have_a_band_of_their_own() -> None:
    column = np.concatenate([np.zeros(700), np.random.default_rng(0).exponential(10, 300)])
    cuts = cut_points(column, 6)
    assert (band_of(cuts, column)[:700] == 0).all()
    assert (band_of(cuts, column)[700:] > 0).mean() > 0.9


def test_a_missing_value_is_in_no_band_and_says_nothing() -> None:
    rng = np.random.default_rng(1)
    column = rng.normal(size=2_000)
    found = monotone_bands(np.where(rng.random(2_000) < 0.3, np.nan, column), rng.random(2_000) < 1 / (1 + np.exp(2 + column)), 1)
    assert found is not None
    assert found.code(np.array([np.nan]))[0] == -1
    evidence = found.evidence(np.array([np.nan, *column]))
    assert evidence[0] == 0.0
    assert abs(evidence[1:].mean()) < 1e-12


def test_log_odds_are_those_of_the_bands_but_for_a_little_drawing_to_the_mean() -> None:
    rng = np.random.default_rng(2)
    column = rng.normal(size=50_000)
    churned = rng.random(50_000) < 1 / (1 + np.exp(2 + column))
    found = monotone_bands(column, churned, 1)
    assert found is not None
    mean = churned.mean()
    for band, told in enumerate(found.log_odds):
        rate = churned[found.code(column) == band].mean()
        assert told == pytest.approx(np.log(mean / (1 - mean)) - np.log(rate / (1 - rate)), abs=0.02)


def test_churn_that_rises_with_health_makes_no_bands() -> None:
    rng = np.random.default_rng(3)
    column = rng.normal(size=5_000)
    assert monotone_bands(column, rng.random(5_000) < 1 / (1 + np.exp(2 - column)), 1) is None
