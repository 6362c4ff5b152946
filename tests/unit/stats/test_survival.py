"""Survival against lifelines and against counting by hand."""

from __future__ import annotations

from typing import Any

import lifelines
import numpy as np
import pytest
from lifelines.utils import concordance_index
from numpy.typing import NDArray

from unspun.stats.estimate import Estimate, NoEstimate
from unspun.stats.survival import brier_scores, harrell_concordance, integrated_brier, kaplan_meier

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def _spells(seed: int, n: int = 300) -> tuple[Floats, Floats, Bools]:
    """Entry, end (whole months, so that many tie) and whether it was the event."""
    rng = np.random.default_rng(seed)
    entry = rng.integers(0, 12, n).astype(np.float64)
    return entry, entry + rng.integers(1, 30, n), rng.random(n) < 0.6


@pytest.mark.parametrize("late", [False, True])
def test_the_share_left_and_its_interval_are_those_of_lifelines_with_and_without_late_entry(late: bool) -> None:
    entry, end, event = _spells(1)
    given = entry if late else None
    curve, theirs = kaplan_meier(end, event, given), lifelines.KaplanMeierFitter().fit(end, event, entry=given)
    times = curve.times
    assert curve.at(times) == pytest.approx(theirs.survival_function_at_times(times).to_numpy(), abs=1e-12)
    bounds: Any = theirs.confidence_interval_survival_function_
    middle = float(times[len(times) // 2])
    found = curve.estimate(middle)
    assert isinstance(found, Estimate)
    assert (found.low, found.high) == pytest.approx(tuple(bounds.loc[middle]), abs=1e-9)
    assert curve.median() == theirs.median_survival_time_


def test_nothing_is_said_before_the_first_event_and_after_everybody_had_it() -> None:
    curve = kaplan_meier(np.array([2.0, 3.0]), np.array([True, True]))
    assert isinstance(curve.estimate(1.0), NoEstimate)
    assert isinstance(curve.estimate(3.0), NoEstimate)
    assert curve.at(np.array([1.0, 2.0, 3.0])).tolist() == [1.0, 0.5, 0.0]
    assert curve.before(np.array([2.0, 3.0])).tolist() == [1.0, 0.5]
    assert kaplan_meier(np.array([2.0, 9.0, 9.0]), np.array([True, False, False])).median() is None


@pytest.mark.parametrize("seed", range(3))
def test_the_concordance_is_that_of_lifelines_with_ties_in_time_and_in_risk(seed: int) -> None:
    _, end, event = _spells(seed)
    risk = np.round(np.random.default_rng(seed).normal(size=len(end)) - end / 20, 1)
    assert harrell_concordance(end, event, risk) == pytest.approx(concordance_index(end, -risk, event), abs=1e-12)


def test_the_concordance_counts_the_pairs_whose_order_is_known() -> None:
    time, event, risk = np.array([1.0, 2.0, 2.0, 3.0]), np.array([True, True, False, False]), np.array([5.0, 1.0, 2.0, 1.0])
    # the first before all others: 3 of 3; the second before the censored one of its time (wrong) and the last (a tie in risk)
    assert harrell_concordance(time, event, risk) == pytest.approx(3.5 / 5)
    assert np.isnan(harrell_concordance(time, np.zeros(4, dtype=bool), risk))


def test_without_censoring_the_brier_score_is_the_mean_squared_error() -> None:
    rng = np.random.default_rng(3)
    time, times = rng.integers(1, 20, 200).astype(np.float64), np.array([3.0, 8.0, 15.0])
    event, stated = np.ones(200, dtype=bool), rng.random((200, 3))
    nobody_censored = kaplan_meier(time, ~event)
    plain = ((stated - (time[:, None] > times)) ** 2).mean(axis=0)
    assert brier_scores(time, event, stated, times, nobody_censored) == pytest.approx(plain, abs=1e-12)
    whole = (plain[:-1] + plain[1:]) / 2 @ np.diff(times) / 12
    assert integrated_brier(time, event, stated, times, nobody_censored) == pytest.approx(whole, abs=1e-12)


def test_weights_make_up_for_those_who_are_censored() -> None:
    rng = np.random.default_rng(4)
    n, times = 200_000, np.array([4.0, 8.0])
    truth = rng.geometric(0.1, n).astype(np.float64)
    leaves = rng.geometric(0.08, n) + 0.5
    seen, event = np.minimum(truth, leaves), truth <= leaves
    stated = np.tile([0.5, 0.3], (n, 1))
    complete = ((stated - (truth[:, None] > times)) ** 2).mean(axis=0)
    assert brier_scores(seen, event, stated, times, kaplan_meier(seen, ~event)) == pytest.approx(complete, abs=0.004)
    unweighted = ((0.3 - (seen > 8.0)) ** 2).mean()
    assert abs(unweighted - complete[1]) > 0.02  # what the weights are for


def test_a_time_at_which_everybody_is_censored_is_refused() -> None:
    time, event = np.array([1.0, 2.0, 5.0]), np.array([True, False, True])
    with pytest.raises(ValueError, match="everybody is censored"):
        brier_scores(time, event, np.full((3, 1), 0.5), np.array([3.0]), kaplan_meier(np.array([2.0]), np.array([True])))
