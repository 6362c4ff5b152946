"""Logistic regression and its clustered covariance, against scikit-learn and statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray
from scipy import special
from sklearn.linear_model import LogisticRegression

from tests.unit.stats.samples import clustered_sample
from unspun.stats.logistic import cluster_sandwich, fit_logistic

Floats = NDArray[np.float64]


def example(seed: int, columns: int = 3) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    sample = clustered_sample(seed, clusters=80)
    rng = np.random.default_rng(seed)
    extra = rng.normal(size=(len(sample.risk), columns - 1))
    return np.column_stack([np.ones(len(sample.risk)), sample.risk, extra]), sample.event, sample.cluster


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("strength", [0.1, 1.0, 25.0])
def test_the_ridge_with_a_free_intercept_is_scikit_learns_with_c_the_inverse_penalty(seed: int, strength: float) -> None:
    design, event, _ = example(seed)
    ours = fit_logistic(design, event, np.array([0.0, strength, strength, strength]))
    theirs = LogisticRegression(C=1 / strength, tol=1e-12, max_iter=10_000).fit(design[:, 1:], event)
    assert ours.converged
    assert ours.coefficients == pytest.approx([*theirs.intercept_, *theirs.coef_[0]], abs=1e-5)


@pytest.mark.parametrize("seed", range(3))
def test_without_a_penalty_coefficients_and_errors_are_those_of_statsmodels(seed: int) -> None:
    design, event, _ = example(seed)
    ours = fit_logistic(design, event, np.zeros(4))
    theirs = sm.Logit(event.astype(float), design).fit(disp=0, tol=1e-12)
    assert ours.coefficients == pytest.approx(theirs.params, abs=1e-6)
    assert np.sqrt(np.diag(ours.inverse_hessian)) == pytest.approx(theirs.bse, rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_the_clustered_covariance_is_that_of_statsmodels_but_for_its_correction(seed: int) -> None:
    design, event, cluster = example(seed)
    fit = fit_logistic(design, event, np.zeros(4))
    ours = cluster_sandwich(fit, design, event - special.expit(design @ fit.coefficients), cluster)
    theirs = sm.Logit(event.astype(float), design).fit(
        disp=0, tol=1e-12, cov_type="cluster", cov_kwds={"groups": cluster, "use_correction": False}
    )
    groups = len(np.unique(cluster))
    assert ours == pytest.approx(theirs.cov_params() * groups / (groups - 1), rel=1e-3)


def test_gaps_in_the_cluster_codes_change_nothing() -> None:
    design, event, cluster = example(1)
    fit = fit_logistic(design, event, np.zeros(4))
    residual = event - special.expit(design @ fit.coefficients)
    assert cluster_sandwich(fit, design, residual, cluster * 7 + 3) == pytest.approx(cluster_sandwich(fit, design, residual, cluster))


def test_an_offset_enters_with_a_coefficient_of_one() -> None:
    design, event, _ = example(2)
    offset = 0.3 * design[:, 1] - 1
    ours = fit_logistic(design, event, np.zeros(4), offset)
    theirs = sm.GLM(event.astype(float), design, family=sm.families.Binomial(), offset=offset).fit(tol=1e-12)
    assert ours.coefficients == pytest.approx(theirs.params, abs=1e-6)
    plain = fit_logistic(design, event, np.zeros(4)).coefficients
    assert ours.coefficients + np.array([-1, 0.3, 0, 0]) == pytest.approx(plain, abs=1e-5)


def test_where_the_search_starts_does_not_change_where_it_ends() -> None:
    design, event, _ = example(0)
    penalty = np.array([0.0, 1, 1, 1])
    far = fit_logistic(design, event, penalty, start=np.array([5.0, -4, 3, -2]))
    assert far.converged
    assert far.coefficients == pytest.approx(fit_logistic(design, event, penalty).coefficients, abs=1e-5)


def test_a_penalty_keeps_the_coefficients_of_separated_classes_finite() -> None:
    design = np.column_stack([np.ones(40), np.linspace(-1, 1, 40)])
    event = design[:, 1] > 0
    ours = fit_logistic(design, event, np.array([0.0, 1.0]))
    theirs = LogisticRegression(C=1.0, tol=1e-12, max_iter=10_000).fit(design[:, 1:], event)
    assert ours.coefficients[1] == pytest.approx(theirs.coef_[0, 0], abs=1e-5)


def test_at_the_optimum_the_slope_of_the_penalised_likelihood_is_nought() -> None:
    design, event, _ = example(4)
    penalty = np.array([0.0, 2.0, 0.5, 1.0])
    fit = fit_logistic(design, event, penalty)
    slope = design.T @ (special.expit(design @ fit.coefficients) - event) + penalty * fit.coefficients
    assert slope == pytest.approx(np.zeros(4), abs=1e-3)
