"""The model held against later renewals: the verdict on its calibration, and the figures beside it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from tests.unit.risk.made_months import MadeCompany, make_company
from unspun.risk.check import Stated, check_at, check_model, slope_error, told_off
from unspun.risk.choose import judged
from unspun.risk.result import ModelCheck
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT, RiskRows
from unspun.stats.calibration import calibration_slope
from unspun.stats.estimate import Estimate, NoEstimate

BETA = np.array([-1.0, 0.8, -0.5, 0.0])


@pytest.fixture(scope="module")
def company() -> MadeCompany:
    return make_company(seed=5, accounts=900)


def at_the_start_of_terms(company: MadeCompany) -> tuple[RiskRows, np.ndarray]:
    """Rows of judged renewals before anybody gave notice, with their true probability of churn."""
    used = judged(company.rows, company.cutoff) & (company.rows.lead > 60)
    return company.rows.take(used), company.true_churn[used]


def check(rows: RiskRows, churn: np.ndarray, slope_error: float = 0.0) -> ModelCheck:
    stated = np.empty((len(rows), 4))
    stated[:, CHURN] = churn
    for outcome, share in ((CONTRACTION, 0.1), (FLAT, 0.7), (EXPANSION, 0.2)):
        stated[:, outcome] = (1 - churn) * share
    return check_model(rows, Stated(stated, np.full((len(rows), 4), 0.25), 100, 5, 2, slope_error))


def test_true_probabilities_are_found_calibrated(company: MadeCompany) -> None:
    rows, truth = at_the_start_of_terms(company)
    found = check(rows, truth)
    assert found.verdict == "calibrated"
    assert isinstance(found.slope, Estimate) and found.slope.low < 1 < found.slope.high
    assert isinstance(found.expected_over_observed, Estimate) and found.expected_over_observed.low < 1 < found.expected_over_observed.high


@pytest.mark.parametrize(("factor", "side"), [(2.0, "too extreme"), (0.4, "too timid")])
def test_probabilities_that_are_too_extreme_or_too_timid_are_found_out(company: MadeCompany, factor: float, side: str) -> None:
    rows, truth = at_the_start_of_terms(company)
    found = check(rows, special.expit(factor * special.logit(truth)))
    assert found.verdict == "not calibrated" and side in found.why


def test_a_slope_strays_by_the_chance_of_what_a_model_was_fitted_on_as_its_draws_say() -> None:
    """Logistic regressions of 300 units each by scikit-learn: their true slopes spread as the draws of each of them say, on average."""
    rng, slopes, errors = np.random.default_rng(0), [], []
    judge = design_of(rng, 2_000)
    truth = special.expit(judge @ BETA)
    for _ in range(100):
        design = design_of(rng, 300)
        event = rng.random(300) < special.expit(design @ BETA)
        fit = LogisticRegression(C=np.inf, fit_intercept=False).fit(design, event).coef_[0]
        weight = special.expit(design @ fit) * special.expit(-design @ fit)
        drawn = rng.multivariate_normal(fit, np.linalg.inv((design * weight[:, None]).T @ design), 100)
        errors.append(slope_error(special.expit(judge @ fit), special.expit(drawn @ judge.T)))
        both = np.column_stack([np.ones(len(judge)), judge @ fit])
        again = LogisticRegression(C=np.inf, fit_intercept=False)
        twice, happens = np.vstack([both, both]), np.repeat([True, False], len(judge))
        slopes.append(again.fit(twice, happens, sample_weight=np.concatenate([truth, 1 - truth])).coef_[0][1])
    assert np.std(slopes, ddof=1) == pytest.approx(np.mean(errors), rel=0.25)  # the error of a spread of a hundred is 7 %


def design_of(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.column_stack([np.ones(n), rng.normal(size=(n, 3))])


def test_what_the_chance_of_the_fit_explains_is_no_reason_to_refuse(company: MadeCompany) -> None:
    rows, truth = at_the_start_of_terms(company)
    timid = special.expit(0.7 * special.logit(truth))
    exact, rough = check(rows, timid), check(rows, timid, slope_error=0.3)
    assert exact.verdict == "not calibrated" and rough.verdict == "calibrated"
    assert isinstance(exact.slope, Estimate) and isinstance(rough.slope, Estimate)
    assert rough.slope.point == exact.slope.point and rough.slope.low < exact.slope.low < exact.slope.high < rough.slope.high
    assert check(rows, timid, slope_error=0.05).verdict == "not calibrated"


def test_under_twenty_churned_customers_calibration_cannot_be_told(company: MadeCompany) -> None:
    rows, truth = at_the_start_of_terms(company)
    few = rows.cluster < 40
    found = check(rows.take(few), truth[few])
    assert found.n_churned_clusters < 20 and found.verdict == "cannot tell" and "20 are needed" in found.why


def test_one_probability_for_all_has_no_slope_and_cannot_be_told(company: MadeCompany) -> None:
    rows, truth = at_the_start_of_terms(company)
    found = check(rows, np.full(len(truth), 0.2))
    assert isinstance(found.slope, NoEstimate) and found.verdict == "cannot tell"


def test_the_figures_are_those_of_scikit_learn(company: MadeCompany) -> None:
    rows, truth = at_the_start_of_terms(company)
    found, churned = check(rows, truth), rows.outcome == CHURN
    for shown, expected in (
        (found.auc, roc_auc_score(churned, truth)),
        (found.brier, brier_score_loss(churned, truth)),
        (found.churn_log_loss, log_loss(churned, truth)),
    ):
        assert isinstance(shown, Estimate) and shown.point == pytest.approx(expected, rel=1e-9)


def test_leads_and_bins_hold_every_account_month_once(company: MadeCompany) -> None:
    rows, truth = at_the_start_of_terms(company)
    found = check(rows, truth)
    assert sum(one.n for one in found.by_lead) == found.n == sum(one.observed.n for one in found.bins)
    for one in found.by_lead:
        inside = (rows.lead >= one.low_days) & (rows.lead <= one.high_days)
        assert one.n == inside.sum() and one.expected == pytest.approx(truth[inside].mean())
        assert isinstance(one.observed, Estimate) and one.observed.point == pytest.approx(np.mean(rows.outcome[inside] == CHURN))


def by_lead_factor(company: MadeCompany, lead: int, factor: float) -> tuple[RiskRows, ModelCheck]:
    """The true probabilities, but too extreme beyond a lead."""
    used = judged(company.rows, company.cutoff)
    rows, truth = company.rows.take(used), company.true_churn[used]
    return rows, check(rows, np.where(rows.lead > lead, special.expit(factor * special.logit(truth)), truth))


def test_a_model_that_is_too_extreme_far_ahead_alone_is_found_out_at_that_lead(company: MadeCompany) -> None:
    _, found = by_lead_factor(company, 180, 2.5)
    far, near = [one for one in found.by_lead if one.low_days > 180], [one for one in found.by_lead if 60 < one.high_days <= 180]
    assert {one.verdict for one in near} == {"calibrated"}
    assert "not calibrated" in {one.verdict for one in far}
    off = next(one for one in far if one.verdict == "not calibrated")
    assert isinstance(off.slope, Estimate) and off.slope.high < 1 and "too extreme" in told_off(off)
    assert check_at(found, off.low_days) == check_at(found, off.high_days) == off


def test_slopes_by_lead_are_held_at_once_and_a_calibrated_model_passes_at_all(company: MadeCompany) -> None:
    rows, found = by_lead_factor(company, 0, 1.0)
    told = [one for one in found.by_lead if one.verdict != "cannot tell"]
    assert len(told) > 2 and {one.verdict for one in told} == {"calibrated"}
    one = told[0]
    inside = (rows.lead >= one.low_days) & (rows.lead <= one.high_days)
    truth = company.true_churn[judged(company.rows, company.cutoff)][inside]
    single = calibration_slope(truth, rows.outcome[inside] == CHURN, rows.cluster[inside])
    assert isinstance(single, Estimate) and isinstance(one.slope, Estimate)
    assert single.point == pytest.approx(one.slope.point) and one.slope.low < single.low < single.high < one.slope.high


def test_a_part_without_rows_has_no_figures(company: MadeCompany) -> None:
    rows, truth = at_the_start_of_terms(company)
    none = np.zeros(len(rows), dtype=bool)
    found = check(rows.take(none), truth[none])
    assert found.verdict == "cannot tell" and isinstance(found.auc, NoEstimate) and found.n == 0
