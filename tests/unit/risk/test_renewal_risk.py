"""Renewal risk as a whole: from account-months to every open renewal with its probabilities, or why there are none."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy import special, stats

from tests.unit.risk.made_months import MadeCompany, make_company
from unspun.risk.check import check_at
from unspun.risk.choose import judged
from unspun.risk.fitted import FittedRisk
from unspun.risk.judge import RenewalNames, RiskSettings, fit_risk, judge
from unspun.risk.result import DUE_WITHIN_DAYS, ModelRecord, RenewalRisk, RiskResult
from unspun.risk.rows import CHURN, OUTCOMES4, RiskRows
from unspun.stats.estimate import Estimate, NoEstimate

SETTINGS = RiskSettings(candidates=("base rate", "linear"))


def names_of(company: MadeCompany, today: np.ndarray) -> RenewalNames:
    n = int(today.sum())
    shown = tuple(f"Account {one}" for one in company.accounts)
    as_of: date = np.datetime64(company.as_of, "D").astype(date)
    return RenewalNames(as_of, company.accounts, shown, ["Large"] * n, [None] * n, ["12 months"] * n, ["USD"] * n)


def judged_result(company: MadeCompany, fitted: FittedRisk | NoEstimate, rows: RiskRows | None = None) -> RiskResult:
    return judge(company.rows if rows is None else rows, company.today, fitted, names_of(company, company.today), "test")


COMPANIES = 6  # made with the seeds from 1 on


@pytest.fixture(scope="module")
def company() -> MadeCompany:
    return make_company(seed=1, accounts=450)


@pytest.fixture(scope="module")
def fitted(company: MadeCompany) -> FittedRisk:
    return fitted_to(company, SETTINGS)


@pytest.fixture(scope="module")
def several() -> list[tuple[MadeCompany, FittedRisk]]:
    made = [make_company(seed, accounts=450) for seed in range(1, COMPANIES + 1)]
    return [(one, fitted_to(one, RiskSettings(candidates=("linear",)))) for one in made]


def fitted_to(company: MadeCompany, settings: RiskSettings) -> FittedRisk:
    found = fit_risk(company.rows, company.cutoff, settings)
    assert isinstance(found, FittedRisk)
    return found


@pytest.fixture(scope="module")
def result(company: MadeCompany, fitted: FittedRisk) -> RiskResult:
    return judged_result(company, fitted)


def churn_of(renewal: RenewalRisk) -> Estimate:
    assert isinstance(renewal.churn, Estimate)
    return renewal.churn


def test_models_are_calibrated_on_later_renewals_but_for_one_company_in_twenty(several: list[tuple[MadeCompany, FittedRisk]]) -> None:
    checks = [fitted.record.check for _, fitted in several]
    refused = sum(check.verdict == "not calibrated" for check in checks)
    assert refused <= stats.binom.isf(0.001, COMPANIES, 0.05)
    slopes = [check.slope.point for check in checks if isinstance(check.slope, Estimate)]
    assert len(slopes) == COMPANIES
    assert np.mean(slopes) == pytest.approx(1, abs=0.2)  # three standard errors of the mean of six


def test_the_interval_of_the_slope_allows_for_what_the_model_was_fitted_on(several: list[tuple[MadeCompany, FittedRisk]]) -> None:
    """The judged slopes of models of many companies spread as their intervals say."""
    slopes = [slope for _, fitted in several if isinstance(slope := fitted.record.check.slope, Estimate)]
    variance = np.mean([((slope.high - slope.low) / 2 / 1.98) ** 2 for slope in slopes])  # t of about a hundred churned customers
    spread = np.var([slope.point for slope in slopes], ddof=1)
    df = len(slopes) - 1
    assert stats.chi2.ppf(0.0005, df) / df < spread / variance < stats.chi2.ppf(0.9995, df) / df


def test_probabilities_agree_with_the_truth(several: list[tuple[MadeCompany, FittedRisk]]) -> None:
    off, alike, slopes = [], [], []
    for company, fitted in several:
        early = company.today & (company.rows.lead > 60)  # nobody has had the time to give notice
        stated = fitted.model.probabilities(company.rows.take(early))[:, CHURN]
        log_odds, true_log_odds = special.logit(stated), special.logit(company.true_churn[early])
        off.append(stated.mean() - company.true_churn[early].mean())
        alike.append(np.corrcoef(log_odds, true_log_odds)[0, 1])
        slopes.append(np.polyfit(log_odds, true_log_odds, 1)[0])
    assert np.mean(off) == pytest.approx(0, abs=0.03)
    assert np.mean(alike) > 0.9
    assert np.mean(slopes) == pytest.approx(1, abs=0.2)


def test_every_open_renewal_is_told_and_its_parts_add_up(company: MadeCompany, result: RiskResult) -> None:
    assert len(result.renewals) == company.today.sum()
    for one in result.renewals:
        shares = [one.probabilities[name] for name in OUTCOMES4]
        if one.cannot_tell:
            assert all(isinstance(share, NoEstimate) for share in shares) and one.why and not one.reasons and one.typical is None
        else:
            assert sum(share.point for share in shares if isinstance(share, Estimate)) == pytest.approx(1)
            assert one.typical is not None
            assert one.typical + sum(reason.points for reason in one.reasons) + one.others == pytest.approx(churn_of(one).point, abs=1e-12)


def test_those_with_most_to_lose_come_first(result: RiskResult) -> None:
    lost = [one.expected_lost.point if isinstance(one.expected_lost, Estimate) else -1.0 for one in result.renewals]
    assert lost == sorted(lost, reverse=True)
    one = result.renewals[0]
    assert isinstance(one.expected_lost, Estimate) and one.arr is not None
    assert one.expected_lost.point == pytest.approx(one.arr * churn_of(one).point)


def test_totals_are_the_sums_of_what_is_listed(result: RiskResult) -> None:
    assert [one.within_days for one in result.due] == list(DUE_WITHIN_DAYS)
    for total in result.due:
        inside = [one for one in result.renewals if one.lead_days <= total.within_days]
        assert total.n == len(inside)
        assert total.arr == pytest.approx(sum(one.arr or 0 for one in inside))
        assert isinstance(total.expected_lost, Estimate) and total.expected_lost.low < total.expected_lost.point < total.expected_lost.high
        told = [one.expected_lost.point for one in inside if isinstance(one.expected_lost, Estimate)]
        assert total.expected_lost.point == pytest.approx(sum(told))


def test_kept_as_json_it_says_the_same_again(company: MadeCompany, fitted: FittedRisk, result: RiskResult) -> None:
    text = json.dumps(fitted.to_json(), allow_nan=False)
    again = FittedRisk.from_json(json.loads(text))
    assert again.record == fitted.record and json.dumps(again.to_json()) == text
    assert judged_result(company, again) == result


def test_a_boosted_model_is_fitted_again_from_its_rows(company: MadeCompany, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unspun.risk.boosting.TREES", 8)
    monkeypatch.setattr("unspun.risk.candidates.REPLICATES", 2)
    monkeypatch.setattr("unspun.risk.fitted.REPLICATES", 2)
    rows = company.rows.take(company.rows.account < 260)
    small = replace(company, rows=rows, today=rows.as_of == company.as_of)
    fitted = fit_risk(small.rows, small.cutoff, RiskSettings(candidates=("boosting",)))
    assert isinstance(fitted, FittedRisk)
    document = json.loads(json.dumps(fitted.to_json(), allow_nan=False))
    with pytest.raises(ValueError, match="give the rows"):
        FittedRisk.from_json(document)
    again = FittedRisk.from_json(document, small.rows)
    assert again.model.probabilities(small.rows).tobytes() == fitted.model.probabilities(small.rows).tobytes()


def test_an_uncalibrated_model_gives_no_probability_and_says_so_loudly(company: MadeCompany, fitted: FittedRisk) -> None:
    check = replace(fitted.record.check, verdict="not calibrated", why="calibration slope 0.60 (0.40 to 0.80)")
    found = judged_result(company, replace(fitted, record=replace(fitted.record, check=check)))
    assert {one.cannot_tell for one in found.renewals} == {"model_cannot"}
    assert any(one.loud and one.code == "not_calibrated" for one in found.cautions)
    assert all(isinstance(one.expected_lost, NoEstimate) for one in found.due)


def test_without_a_model_every_renewal_is_listed_with_the_reason(company: MadeCompany) -> None:
    few = make_company(seed=2, accounts=90, terms=3)
    refusal = fit_risk(few.rows, few.cutoff, SETTINGS)
    assert isinstance(refusal, NoEstimate)
    found = judged_result(few, refusal)
    assert len(found.renewals) == few.today.sum() and found.model == refusal
    assert {one.why for one in found.renewals} == {refusal.reason} and found.cautions[0].loud


def test_what_the_model_has_never_seen_it_cannot_tell(company: MadeCompany, fitted: FittedRisk) -> None:
    today = np.flatnonzero(company.today)
    rows, longest = company.rows, max(fitted.longest_lead_days)
    far = replace(rows, due=np.where(np.arange(len(rows)) == today[0], rows.as_of + longest + 60, rows.due))
    other = replace(far, term_class=np.where(np.arange(len(rows)) == today[1], 0, far.term_class))
    blank = replace(other, columns={id: np.where(np.arange(len(rows)) == today[2], np.nan, column) for id, column in other.columns.items()})
    found = {(one.account, one.cannot_tell) for one in judged_result(company, fitted, blank).renewals if one.cannot_tell}
    account = [company.accounts[rows.account[at]] for at in today[:3]]
    assert {(account[0], "beyond_leads"), (account[1], "beyond_leads"), (account[2], "nothing_known")} <= found


def test_at_a_lead_at_which_the_model_is_not_calibrated_no_renewal_has_a_probability(company: MadeCompany, fitted: FittedRisk) -> None:
    check = fitted.record.check
    leads = company.rows.lead[company.today]
    banned = check_at(check, int(np.median(leads)))
    assert banned is not None
    off = replace(banned, verdict="not calibrated", slope=Estimate(0.5, 0.3, 0.7, "made", 100))
    by_lead = tuple(off if one == banned else one for one in check.by_lead)
    known = replace(fitted, record=replace(fitted.record, check=replace(check, by_lead=by_lead)))
    found = judged_result(company, known)
    inside = [one for one in found.renewals if check_at(check, one.lead_days) == banned and one.status != "notice given"]
    assert inside and {one.cannot_tell for one in inside} == {"lead_not_calibrated"}
    assert all("too extreme: calibration slope 0.50 (0.30 to 0.70" in one.why and isinstance(one.churn, NoEstimate) for one in inside)
    assert "lead_not_calibrated" not in {one.cannot_tell for one in found.renewals if one not in inside}
    assert any(isinstance(one.churn, Estimate) for one in found.renewals if one not in inside)
    assert found.cautions[0].code == "lead_not_calibrated" and found.cautions[0].loud


def test_a_notice_is_a_fact_and_an_overdue_renewal_is_still_foretold(company: MadeCompany, fitted: FittedRisk) -> None:
    today = np.flatnonzero(company.today)
    rows, place = company.rows, np.arange(len(company.rows))
    noticed = replace(
        rows,
        decided_on=np.where(place == today[0], rows.as_of, rows.decided_on),
        outcome=np.where(place == today[0], CHURN, rows.outcome).astype(np.int8),
        due=np.where(place == today[1], rows.as_of - 3, rows.due),
    )
    found = judged_result(company, fitted, noticed)
    by_account = {one.account: one for one in found.renewals}
    notice, overdue = (by_account[company.accounts[rows.account[at]]] for at in today[:2])
    assert notice.status == "notice given" and isinstance(notice.churn, NoEstimate) and not notice.cannot_tell
    assert overdue.status == "overdue" and isinstance(overdue.churn, Estimate)
    assert found.due[-1].n_notice == 1 and {"overdue"} <= {one.code for one in found.cautions}


def test_a_probability_with_too_wide_an_interval_is_not_told(
    company: MadeCompany, fitted: FittedRisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("unspun.risk.judge.WIDEST_INTERVAL", 0.1)
    found = judged_result(company, fitted)
    assert any(one.cannot_tell == "too_wide" for one in found.renewals)
    assert all(churn_of(one).high - churn_of(one).low <= 0.1 for one in found.renewals if not one.cannot_tell)


def test_the_model_fits_all_that_was_known_and_the_check_only_what_came_before_it(company: MadeCompany, fitted: FittedRisk) -> None:
    record: ModelRecord = fitted.record
    told = judged(company.rows, company.cutoff)
    assert record.check.first_as_of is not None and record.check.n < told.sum()
    assert record.n > record.check.n and record.n_churned > record.check.n_train_churned
    assert record.fitted_as_of == np.datetime64(company.as_of, "D").astype(date)
