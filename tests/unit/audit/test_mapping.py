"""A score read as a risk, and its calibration on units it had never seen."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression

from unspun.audit.mapping import LogisticMapping, RiskMapping, calibrate, fit_mapping
from unspun.audit.result import Calibration
from unspun.stats.estimate import Estimate, NoEstimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def units(n: int, seed: int = 0, slope: float = 3.0) -> tuple[Floats, Bools]:
    rng = np.random.default_rng(seed)
    percentile = rng.random(n)
    return percentile, rng.random(n) < special.expit(-2.5 + slope * percentile)


def everyone(n: int) -> Bools:
    return np.ones(n, dtype=bool)


def test_with_under_200_churned_in_training_the_mapping_is_logistic() -> None:
    percentile, churned = units(600)
    found = fit_mapping(percentile, churned, everyone(600))
    assert isinstance(found, LogisticMapping)
    theirs = LogisticRegression(C=np.inf, tol=1e-12, max_iter=10_000).fit(percentile[:, None], churned)
    assert (found.intercept, found.slope) == pytest.approx((theirs.intercept_[0], theirs.coef_[0, 0]), abs=1e-3)


def test_from_200_churned_on_it_is_isotonic_with_half_an_event_and_one_unit_added_to_each_block() -> None:
    percentile, churned = units(2000)
    found = fit_mapping(percentile.round(2), churned, everyone(2000))
    assert isinstance(found, RiskMapping)
    blocks = IsotonicRegression().fit_transform(percentile.round(2), churned.astype(float))
    n = np.array([(blocks == level).sum() for level in np.unique(blocks)])
    smoothed = [(churned[blocks == level].sum() + 0.5) / ((blocks == level).sum() + 1) for level in np.unique(blocks)]
    assert (np.diff(found.probability) >= 0).all()
    assert found.probability == pytest.approx(IsotonicRegression().fit_transform(range(len(n)), smoothed, sample_weight=n + 1), abs=1e-9)
    assert 0 < found.probability.min() < found.probability.max() < 1


@pytest.mark.parametrize("n", [600, 3000])
def test_a_mapping_never_falls_and_knows_nothing_of_a_unit_without_a_score(n: int) -> None:
    percentile, churned = units(n)
    found = fit_mapping(percentile, churned, everyone(n))
    assert not isinstance(found, NoEstimate)
    risk = found(np.append(np.linspace(0, 1, 50), np.nan))
    assert (np.diff(risk[:-1]) >= 0).all()
    assert np.isnan(risk[-1])


@pytest.mark.parametrize("n", [600, 3000])
def test_a_score_that_runs_the_wrong_way_is_read_as_the_base_rate(n: int) -> None:
    percentile, churned = units(n, slope=3)
    found = fit_mapping(1 - percentile, churned, everyone(n))
    assert not isinstance(found, NoEstimate)
    risk = found(np.linspace(0.1, 0.9, 9))
    assert np.ptp(risk) < 0.05
    assert risk.mean() == pytest.approx(churned.mean(), abs=0.03)


def test_only_training_units_make_the_mapping() -> None:
    percentile, churned = units(800)
    train = np.arange(800) < 400
    assert fit_mapping(percentile, churned, train) == fit_mapping(percentile, np.where(train, churned, ~churned), train)


def test_with_under_ten_churned_a_score_cannot_be_read_as_a_risk() -> None:
    churned = np.arange(100) < 9
    found = fit_mapping(np.linspace(0, 1, 100), churned, everyone(100))
    assert isinstance(found, NoEstimate)
    assert isinstance(calibrate(found, np.linspace(0, 1, 100), churned, np.arange(100), 0.1), NoEstimate)


def calibrated(slope: float = 3.0) -> tuple[Calibration, Bools]:
    percentile, churned = units(12_000, seed=1, slope=slope)
    train = np.arange(12_000) < 10_500
    mapping = fit_mapping(percentile, churned, train)
    found = calibrate(mapping, percentile[~train], churned[~train], np.arange(1500), float(churned[train].mean()))
    assert isinstance(found, Calibration)
    return found, churned[~train]


def test_a_mapping_fitted_on_like_units_is_calibrated_on_new_ones() -> None:
    found, churned = calibrated()
    for measure, right in ((found.slope, 1), (found.intercept, 0), (found.expected_over_observed, 1)):
        assert isinstance(measure, Estimate)
        assert measure.low < right < measure.high
    assert (found.n, found.n_churned) == (1500, churned.sum())


def test_the_brier_score_and_its_parts_add_up_and_beat_the_base_rate() -> None:
    found, churned = calibrated()
    assert isinstance(found.brier, Estimate)
    assert isinstance(found.brier_base_rate, Estimate)
    assert found.brier.point == pytest.approx(found.miscalibration - found.discrimination + found.uncertainty)
    assert found.uncertainty == pytest.approx(churned.mean() * (1 - churned.mean()))
    assert found.brier.point < found.brier_base_rate.point


def test_every_unit_is_in_one_bin_of_the_reliability_curve() -> None:
    found, churned = calibrated()
    assert sum(bin_.observed.n for bin_ in found.bins) == 1500
    assert sum(bin_.observed.n * bin_.observed.point for bin_ in found.bins) == pytest.approx(churned.sum())
    assert len(found.bins) <= 10
    assert [bin_.predicted for bin_ in found.bins] == sorted(bin_.predicted for bin_ in found.bins)
