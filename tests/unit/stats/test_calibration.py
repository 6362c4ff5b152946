"""Calibration: slope, intercept, expected over observed, Brier and its CORP parts, against other libraries."""

from __future__ import annotations

import math

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given
from numpy.typing import NDArray
from scipy import special, stats
from sklearn.isotonic import IsotonicRegression
from sklearn.metrics import brier_score_loss

from tests.unit.stats.samples import Sample, clustered_sample, tied_samples
from unspun.stats.bootstrap import cluster_draws
from unspun.stats.calibration import (
    brier_parts,
    calibration_intercept,
    calibration_slope,
    clustered_mean,
    expected_over_observed,
    isotonic_fit,
)
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]


def told(found: MaybeEstimate) -> Estimate:
    assert isinstance(found, Estimate)
    return found


def stated(sample: Sample) -> Floats:
    """Risks that are too extreme and too low."""
    return special.expit(-2 + 1.6 * sample.risk)


def t_half(sample: Sample, error: float) -> float:
    return float(stats.t.ppf(0.975, len(np.unique(sample.cluster[sample.event])) - 1)) * error


@pytest.mark.parametrize("seed", range(3))
def test_the_slope_is_that_of_a_regression_on_the_stated_log_odds(seed: int) -> None:
    sample = clustered_sample(seed)
    design = sm.add_constant(special.logit(stated(sample)))
    groups = len(np.unique(sample.cluster))
    theirs = sm.GLM(sample.event.astype(float), design, family=sm.families.Binomial()).fit(
        tol=1e-12, cov_type="cluster", cov_kwds={"groups": sample.cluster, "use_correction": False}
    )
    ours = told(calibration_slope(stated(sample), sample.event, sample.cluster))
    half = t_half(sample, float(theirs.bse[1]) * math.sqrt(groups / (groups - 1)))
    expected = theirs.params[1] + half * np.array([-1, 0, 1])
    assert [ours.low, ours.point, ours.high] == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_intercept_is_that_of_a_regression_with_the_stated_log_odds_as_offset(seed: int) -> None:
    sample = clustered_sample(seed)
    groups = len(np.unique(sample.cluster))
    model = sm.GLM(
        sample.event.astype(float), np.ones(len(sample.event)), family=sm.families.Binomial(), offset=special.logit(stated(sample))
    )
    theirs = model.fit(tol=1e-12, cov_type="cluster", cov_kwds={"groups": sample.cluster, "use_correction": False})
    ours = told(calibration_intercept(stated(sample), sample.event, sample.cluster))
    half = t_half(sample, float(theirs.bse[0]) * math.sqrt(groups / (groups - 1)))
    expected = theirs.params[0] + half * np.array([-1, 0, 1])
    assert [ours.low, ours.point, ours.high] == pytest.approx(expected, abs=1e-4)


def test_risks_that_are_true_have_slope_1_intercept_0_and_as_many_events_as_expected() -> None:
    rng = np.random.default_rng(0)
    risk = special.expit(rng.normal(-1, 1.2, 20_000))
    event, cluster = rng.random(20_000) < risk, np.arange(20_000)
    slope, intercept, ratio = (told(f(risk, event, cluster)) for f in (calibration_slope, calibration_intercept, expected_over_observed))
    assert slope.low < 1 < slope.high
    assert slope.high - slope.low < 0.15
    assert intercept.low < 0 < intercept.high
    assert ratio.low < 1 < ratio.high


def test_risks_twice_too_extreme_have_slope_one_half_and_risks_too_low_an_intercept_above_nought() -> None:
    rng = np.random.default_rng(1)
    log_odds = rng.normal(-1, 1.0, 20_000)
    event = rng.random(20_000) < special.expit(log_odds)
    assert told(calibration_slope(special.expit(2 * log_odds), event, np.arange(20_000))).point == pytest.approx(0.5, abs=0.03)
    assert told(calibration_intercept(special.expit(log_odds - 0.7), event, np.arange(20_000))).point == pytest.approx(0.7, abs=0.06)


EVENT = np.arange(40) < 15


@pytest.mark.parametrize(
    ("risk", "event"),
    [
        (np.where(EVENT, 0.8, 0.2), EVENT),
        (np.where(EVENT, 0.2, 0.8), EVENT),
        (np.linspace(0.9, 0.1, 40), EVENT),
        (np.append(np.full(10, 0.3), np.where(EVENT, 0.8, 0.2)), np.append(np.arange(10) < 4, EVENT)),
    ],
    ids=["two values", "two values, the wrong way", "a cut between", "both outcomes at the cut alone"],
)
def test_risks_that_separate_the_outcomes_have_no_slope_rather_than_a_huge_one(risk: Floats, event: NDArray[np.bool_]) -> None:
    found = calibration_slope(risk, event, np.arange(len(event)))
    assert isinstance(found, NoEstimate)
    assert "separates" in found.reason


def test_a_single_unit_on_the_wrong_side_is_enough_for_a_slope() -> None:
    risk, event = np.linspace(0.9, 0.1, 40), EVENT.copy()
    event[[14, 16]] = [False, True]
    theirs = sm.Logit(event.astype(float), sm.add_constant(special.logit(risk))).fit(disp=0, maxiter=200)
    assert told(calibration_slope(risk, event, np.arange(40))).point == pytest.approx(theirs.params[1], rel=1e-3)


def test_one_risk_for_all_has_no_slope_and_one_outcome_for_all_has_no_intercept() -> None:
    assert isinstance(calibration_slope(np.full(40, 0.2), EVENT, np.arange(40)), NoEstimate)
    assert isinstance(calibration_intercept(np.full(40, 0.2), np.ones(40, dtype=bool), np.arange(40)), NoEstimate)
    assert isinstance(expected_over_observed(np.full(40, 0.2), np.zeros(40, dtype=bool), np.arange(40)), NoEstimate)


def test_expected_over_observed_has_the_error_of_drawing_clusters_again() -> None:
    sample = clustered_sample(5, clusters=200)
    risk = stated(sample)
    found = told(expected_over_observed(risk, sample.event, sample.cluster))
    assert found.point == pytest.approx(risk.sum() / sample.event.sum())
    drawn = cluster_draws(200, 2000, np.random.default_rng(4)).astype(float)
    logs = np.log(drawn @ np.bincount(sample.cluster, weights=risk)) - np.log(drawn @ np.bincount(sample.cluster, weights=sample.event))
    half = t_half(sample, float(logs.std()))
    assert math.log(found.high / found.low) / 2 == pytest.approx(half, rel=0.08)


@given(tied_samples())
def test_the_brier_score_is_scikit_learns(sample: Sample) -> None:
    risk = special.expit(sample.risk - 3)
    assert brier_parts(risk, sample.event).brier == pytest.approx(brier_score_loss(sample.event, risk), abs=1e-12)


@given(tied_samples())
def test_the_corp_parts_add_up_and_are_those_of_an_isotonic_recalibration_by_scikit_learn(sample: Sample) -> None:
    risk = special.expit(sample.risk - 3)
    parts = brier_parts(risk, sample.event)
    recalibrated = IsotonicRegression().fit_transform(risk, sample.event.astype(float))
    base = np.full(len(risk), sample.event.mean())
    scores = [brier_score_loss(sample.event, np.clip(p, 0, 1)) for p in (risk, recalibrated, base)]
    assert parts.brier == pytest.approx(parts.miscalibration - parts.discrimination + parts.uncertainty, abs=1e-12)
    assert parts.miscalibration == pytest.approx(scores[0] - scores[1], abs=1e-9)
    assert parts.discrimination == pytest.approx(scores[2] - scores[1], abs=1e-9)
    assert parts.uncertainty == pytest.approx(scores[2], abs=1e-9)
    assert min(parts.miscalibration, parts.discrimination) > -1e-12


@given(tied_samples())
def test_isotonic_blocks_give_scikit_learns_fit_and_hold_every_unit_and_event(sample: Sample) -> None:
    edges, n, events = isotonic_fit(sample.risk, sample.event)
    fitted = (events / n)[np.searchsorted(edges, sample.risk, side="right") - 1]
    assert fitted == pytest.approx(IsotonicRegression().fit_transform(sample.risk, sample.event.astype(float)), abs=1e-9)
    assert (n.sum(), events.sum()) == (len(sample.risk), sample.event.sum())
    assert (np.diff(events / n) > 0).all()


def test_a_recalibrated_forecast_is_not_miscalibrated_and_a_constant_one_does_not_discriminate() -> None:
    sample = clustered_sample(9)
    edges, n, events = isotonic_fit(sample.risk, sample.event)
    at_best = brier_parts((events / n)[np.searchsorted(edges, sample.risk, side="right") - 1], sample.event)
    assert at_best.miscalibration == pytest.approx(0, abs=1e-12)
    assert at_best.discrimination > 0
    constant = brier_parts(np.full(len(sample.risk), 0.5), sample.event)
    assert constant.discrimination == pytest.approx(0, abs=1e-12)
    assert constant.miscalibration == pytest.approx((0.5 - sample.event.mean()) ** 2)


def test_a_clustered_mean_has_the_error_of_the_mean_of_cluster_sums() -> None:
    sample = clustered_sample(6)
    values = (stated(sample) - sample.event) ** 2
    theirs = sm.OLS(values, np.ones(len(values))).fit(cov_type="cluster", cov_kwds={"groups": sample.cluster, "use_correction": False})
    groups = len(np.unique(sample.cluster))
    ours = clustered_mean(values, sample.event, sample.cluster, "mean")
    half = t_half(sample, float(theirs.bse[0]) * math.sqrt(groups / (groups - 1)))
    assert (ours.low, ours.point, ours.high) == pytest.approx((values.mean() - half, values.mean(), values.mean() + half))


def test_one_stated_risk_for_all_has_an_intercept_and_no_slope() -> None:
    event = np.arange(269) < 42
    found = told(calibration_intercept(np.full(269, 0.13), event, np.arange(269)))
    assert found.point == pytest.approx(special.logit(42 / 269) - special.logit(0.13), abs=1e-9)
    assert isinstance(calibration_slope(np.full(269, 0.13), event, np.arange(269)), NoEstimate)
