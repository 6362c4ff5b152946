"""Whole points: weights that add up, flags by their words, bands by shares."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.health.bands import Bands
from unspun.health.definition import Group, HealthScore, Input, Steps, Values
from unspun.health.formula import as_series, compute
from unspun.health.points import FULL, Weighed, in_points, largest_remainder, with_bands, with_flags


def bands(*log_odds: float) -> Bands:
    cuts = tuple(Decimal(at) for at in range(1, len(log_odds)))
    return Bands(Decimal(0), cuts, 1 if log_odds[-1] > log_odds[0] else -1, log_odds, 1.0)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=12).filter(lambda parts: sum(parts) > 0))
def test_shares_become_whole_numbers_of_the_same_sum_each_off_by_less_than_one(parts: list[float]) -> None:
    shares = np.array(parts) / sum(parts) * FULL
    whole = largest_remainder(shares)
    assert whole.sum() == FULL
    assert np.abs(whole - shares).max() < 1


def test_weights_are_shares_of_what_worst_and_best_bands_are_apart() -> None:
    score = in_points("s", [Weighed("b", bands(0.0, 1.0), 1.0), Weighed("a", bands(-1.0, 0.0, 2.0), 1.0)])
    assert [(one.metric, one.weight) for one in score.inputs] == [("a", 75), ("b", 25)]
    assert score.inputs[0].scale == Steps(((0.0, Decimal(0)), (1.0, Decimal(35)), (2.0, Decimal(100))))


def test_bands_of_the_same_points_are_one_and_an_input_of_no_weight_is_none() -> None:
    score = in_points("s", [Weighed("a", bands(0.0, 0.01, 5.0), 1.0), Weighed("b", bands(0.0, 1.0), 0.001)])
    assert score.metrics == ("a",)
    assert score.inputs[0].scale == Steps(((0.0, Decimal(0)), (2.0, Decimal(100))))


@pytest.mark.parametrize("points", [((0.0, Decimal(0)), (1.0, Decimal(100))), ((0.0, Decimal(100)), (0.5, Decimal(0)))])
def test_a_flag_has_the_points_that_it_was_fitted_with(points: tuple[tuple[float, Decimal], ...]) -> None:
    score = HealthScore("s", (Group("", (Input("flag", Steps(points)), Input("other", Steps(points)))),))
    told = with_flags(score, ["flag"])
    assert isinstance(told.inputs[0].scale, Values)
    assert isinstance(told.inputs[1].scale, Steps)
    columns = {"flag": np.array([0.0, 1.0, np.nan]), "other": np.array([np.nan, np.nan, np.nan])}
    np.testing.assert_array_equal(as_series(compute(told, columns)), as_series(compute(score, columns)))


def test_bands_hold_the_shares_asked_for_and_bands_that_would_be_empty_are_left_out() -> None:
    score = HealthScore("s", (Group("", (Input("a", Steps(((0.0, Decimal(0)), (1.0, Decimal(100))))),)),))
    spread = np.append(np.linspace(0, 100, 1001), np.nan)
    made = with_bands(score, spread, ["red", "yellow", "green"], [0.2, 0.7])
    assert [(band.name, band.least) for band in made.bands] == [("red", 0), ("yellow", 20), ("green", 70)]
    tied = with_bands(score, np.array([0.0, 0.0, 0.0, 90.0]), ["red", "yellow", "green"], [0.2, 0.8])
    assert [(band.name, band.least) for band in tied.bands] == [("red", 0), ("green", 90)]
    assert with_bands(score, np.array([np.nan]), ["red", "green"], [0.5]).bands == ()
