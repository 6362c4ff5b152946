"""The baseline and the baseline with the score: what goes in, and what can't."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize

from tests.unit.audit import company
from unspun.audit.baseline import Baseline, baseline_columns, fit_baseline, freeze_risks, percentile_in, training_percentile
from unspun.audit.terms import PastOutcomes, Terms
from unspun.audit.units import Units, renewal_units

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def laid_out(text: str | dict[str, list[str]], horizon_days: int = 30) -> tuple[Units, Terms]:
    terms = company.terms(text)
    return renewal_units(terms, horizon_days), terms


def columns(units: Units, terms: Terms, segment: NDArray[np.int64] | None = None, train: Bools | None = None) -> Baseline:
    everyone = np.ones(len(units), dtype=bool)
    return baseline_columns(units, terms, PastOutcomes(terms), segment, everyone if train is None else train)


def many(n: int, seed: int = 0, currency: str = "") -> dict[str, list[str]]:
    """One renewal an account, with start and amount."""
    rng = np.random.default_rng(seed)
    due = np.datetime64("2024-01-01") + rng.integers(0, 600, n)
    return {
        "account": [f"{currency}{i}" for i in range(n)],
        "start": [str(day) for day in due - rng.integers(200, 1500, n)],
        "due": [str(day) for day in due],
        "outcome": ["churned" if u < 0.3 else "renewed" for u in rng.random(n)],
        "before": [str(amount) for amount in rng.lognormal(12, 1, n).round()],
        "currency": [currency or "EUR"] * n,
    }


def test_the_first_column_is_ones_and_the_rest_are_standardised_in_training() -> None:
    units, terms = laid_out(many(80))
    train = np.arange(80) < 50
    design = columns(units, terms, train=train).design
    assert (design[:, 0] == 1).all()
    assert design[train, 1:].mean(axis=0) == pytest.approx(np.zeros(design.shape[1] - 1), abs=1e-9)
    assert design[train, 1:].std(axis=0) == pytest.approx(np.ones(design.shape[1] - 1))


def test_a_later_unit_changes_nothing_of_what_training_sees() -> None:
    units, terms = laid_out(many(80))
    train = np.arange(80) < 50
    other = replace(units, amount=np.where(train, units.amount, units.amount * 1000), as_of=np.where(train, units.as_of, units.as_of + 9))
    assert columns(units, terms, train=train).design[train] == pytest.approx(columns(other, terms, train=train).design[train])


def test_without_amounts_or_segments_the_baseline_says_so_by_its_inputs() -> None:
    table = many(40)
    del table["before"]
    assert columns(*laid_out(table)).inputs == ("tenure", "last outcome")
    units, terms = laid_out(many(40))
    assert columns(units, terms, np.zeros(40, dtype=np.int64)).inputs == ("log ARR", "tenure", "last outcome", "segment")


def test_tenure_is_months_since_the_first_known_day_and_unknown_where_that_day_is_still_to_come() -> None:
    # The second account is first seen on its first due date, which is after the day its renewal is looked at.
    units, terms = laid_out("""
        account  start       due         outcome
        known    2023-01-01  2025-01-01  renewed
        unseen   -           2025-01-02  renewed
        fresh    2024-06-01  2025-01-03  renewed
    """)
    design = columns(units, terms).design
    months = np.log1p((units.as_of - terms.first_seen[units.account])[[0, 2]] / 30.4375)
    tenure, unknown = design[:, 1], design[:, 2]
    assert (tenure[0] - tenure[2]) / (tenure[2] - tenure[1]) == pytest.approx((months[0] - months[1]) / months[1])
    assert unknown[1] > unknown[0] == unknown[2]


def test_amounts_of_unlike_currencies_are_compared_within_their_own_only() -> None:
    euros, yen = many(40, 1, "EUR"), many(40, 2, "JPY")
    dearer = {**yen, "before": [str(float(amount) * 150) for amount in yen["before"]]}
    designs = [columns(*laid_out({name: euros[name] + other[name] for name in euros})).design for other in (yen, dearer)]
    assert designs[0] == pytest.approx(designs[1], abs=1e-3)


def test_an_amount_not_given_has_its_own_column_and_is_no_zero() -> None:
    table = many(40)
    table["before"][3] = "-"
    units, terms = laid_out(table)
    unit = int(np.flatnonzero(np.isnan(units.amount))[0])
    design = columns(units, terms).design
    others = np.delete(np.arange(40), unit)
    assert design[unit, 1] == pytest.approx(design[others, 1].mean(), abs=0.05)  # the mean, not the smallest
    assert design[unit, 2] > design[others, 2].max()


def test_segments_with_under_twenty_training_units_are_pooled() -> None:
    units, terms = laid_out(many(100))
    rare = np.array([0] * 50 + [1] * 30 + [2] * 12 + [3] * 8)
    pooled = np.array([0] * 50 + [1] * 30 + [2] * 20)
    first, second = columns(units, terms, rare).design, columns(units, terms, pooled).design
    assert first == pytest.approx(second)


def test_a_segment_never_seen_in_training_counts_as_rare() -> None:
    units, terms = laid_out(many(100))
    train = np.arange(100) < 80
    common = np.arange(100) % 2
    new, rare = common.copy(), common.copy()
    new[90], rare[90] = 9, 7
    assert columns(units, terms, new, train).design == pytest.approx(columns(units, terms, rare, train).design)


def fitted(strength: float, seed: int = 0) -> tuple[Baseline, Bools, Floats, Bools]:
    """A baseline of 400 units with 2 columns, the event, a percentile that helps by `strength`, and the training half."""
    rng = np.random.default_rng(seed)
    design = np.column_stack([np.ones(400), rng.normal(size=(400, 2))])
    percentile = rng.random(400)
    event = rng.random(400) < 1 / (1 + np.exp(1 - design[:, 1] - strength * (percentile - 0.5)))
    return Baseline(design, ("a", "b")), event, percentile, np.arange(400) < 200


def test_a_score_that_runs_against_its_direction_is_held_at_zero_and_the_model_is_the_baseline() -> None:
    baseline, event, percentile, train = fitted(-3)
    risks = freeze_risks(baseline, fit_baseline(baseline, event, train), percentile, event, train)
    assert risks.against_direction
    assert risks.both is risks.baseline


@pytest.mark.parametrize("strength", [-3.0, -0.3, 0.3, 3.0])
def test_the_model_with_the_score_is_the_constrained_optimum_that_scipy_finds(strength: float) -> None:
    baseline, event, percentile, train = fitted(strength)
    risks = freeze_risks(baseline, fit_baseline(baseline, event, train), percentile, event, train)
    column = (percentile - percentile[train].mean()) / percentile[train].std()
    design = np.column_stack([baseline.design, column])

    def objective(b: Floats) -> float:
        linear = design[train] @ b
        return float(np.logaddexp(0, linear).sum() - event[train] @ linear + 0.5 * (b[1:] ** 2).sum())

    best = optimize.minimize(objective, np.zeros(4), method="L-BFGS-B", bounds=[(None, None)] * 3 + [(0, None)], tol=1e-14)
    assert risks.both == pytest.approx(design @ best.x, abs=2e-3)


def test_a_score_that_is_the_same_for_all_adds_nothing() -> None:
    baseline, event, _, train = fitted(1)
    risks = freeze_risks(baseline, fit_baseline(baseline, event, train), np.full(400, 0.5), event, train)
    assert risks.both is risks.baseline
    assert not risks.against_direction


@given(st.lists(st.integers(0, 5), min_size=1, max_size=20), st.lists(st.integers(-1, 6) | st.none(), min_size=1, max_size=20))
def test_a_percentile_is_the_share_of_the_training_values_below_ties_one_half(reference: list[int], asked: list[int | None]) -> None:
    values = [float("nan") if value is None else float(value) for value in asked]
    found = percentile_in(np.sort(np.array(reference, dtype=np.float64)), np.array(values))
    for value, share in zip(asked, found.tolist(), strict=True):
        if value is None:
            assert np.isnan(share)
        else:
            assert share == pytest.approx(sum((r < value) + 0.5 * (r == value) for r in reference) / len(reference))


def test_any_rising_rescaling_of_a_score_has_the_same_percentiles() -> None:
    risk, train = np.random.default_rng(1).normal(size=50).round(1), np.arange(50) < 30
    assert training_percentile(risk, train).tolist() == training_percentile(np.exp(risk) * 9, train).tolist()
    assert np.isnan(training_percentile(risk, np.zeros(50, dtype=bool))).all()
