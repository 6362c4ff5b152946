"""What describes a score and does not decide: bands, lead time, quarters and groups, missed churns and false alarms."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from tests.unit.audit import company
from tests.unit.audit.company import random_company
from unspun.audit.describe import _thirds
from unspun.audit.judge import judge
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import Bands, Description, LeadTime, ScoreResult
from unspun.book.tables import ScoreHistory, ScoreSeries
from unspun.stats.estimate import Estimate, NoEstimate

SETTINGS = AuditSettings(replicates=0, as_of=date(2025, 12, 31), primary_horizon=90)
YEARLY = random_company(1)
MONTHLY = random_company(2, accounts=200, term_days=61, first="2024-01-01")


def described(score: ScoreResult) -> Description:
    assert isinstance(score.description, Description)
    return score.description


def bands(score: ScoreResult) -> Bands:
    found = described(score).bands
    assert isinstance(found, Bands)
    return found


def audit(scores: ScoreHistory = YEARLY[0], settings: AuditSettings = SETTINGS) -> ScoreResult:
    return judge(scores, YEARLY[1], settings, "test").result.scores[0]


@pytest.fixture(scope="module")
def yearly() -> ScoreResult:
    return audit()


@pytest.fixture(scope="module")
def monthly() -> ScoreResult:
    return judge(*MONTHLY, SETTINGS, "test").result.scores[0]


def test_every_scored_unit_is_in_one_band_and_every_churn_in_one_share(yearly: ScoreResult, monthly: ScoreResult) -> None:
    for score in (yearly, monthly):
        rows = bands(score).rows
        assert sum(row.n for row in rows) == score.primary.n_scored
        assert sum(row.n_churned for row in rows) == score.primary.n_scored_churned
        for row in rows:
            assert isinstance(row.left, Estimate)
            assert isinstance(row.share_of_churned, Estimate)
            assert row.left.point == pytest.approx(row.n_churned / row.n)
            assert row.share_of_churned.point == pytest.approx(row.n_churned / score.primary.n_scored_churned)


def test_where_nothing_else_is_given_bands_are_thirds_and_the_worst_third_churns_most(yearly: ScoreResult) -> None:
    left = [row.n_churned / row.n for row in bands(yearly).rows]
    assert [row.band for row in bands(yearly).rows] == ["worst third", "middle third", "best third"]
    assert left == sorted(left, reverse=True)


@pytest.mark.parametrize(("direction", "counts"), [("higher", [1, 2, 2]), ("lower", [2, 2, 1])])
def test_a_value_on_a_threshold_has_reached_the_healthier_band(direction: str, counts: list[int]) -> None:
    values = [39, 40, 59, 60, 61] if direction == "higher" else [61, 60.5, 60, 41, 40]
    history = company.scores(
        {"account": [f"a{i}" for i in range(5)], "dated": ["2024-01-01"] * 5, "value": [str(value) for value in values]}
    )
    table = company.renewals(
        {
            "account": [f"a{i}" for i in range(5)],
            "due": ["2025-01-01"] * 5,
            "outcome": ["churned", "renewed", "churned", "renewed", "renewed"],
        }
    )
    settings = replace(SETTINGS, thresholds=(40, 60), direction={"score": direction})
    found = bands(judge(history, table, settings, "test").result.scores[0])
    assert found.source == "declared thresholds"
    assert [(row.band, row.n) for row in found.rows] == list(zip(["red", "yellow", "green"], counts, strict=True))


def test_the_files_own_bands_come_before_thresholds() -> None:
    rank = np.where(YEARLY[0].series[0].values < 30, 0.0, 1.0)
    score = audit(replace(YEARLY[0], band=rank, band_names=("at risk", "fine")), replace(SETTINGS, thresholds=(50.0,)))
    assert [row.band for row in bands(score).rows] == ["at risk", "fine"]
    assert bands(score).rows[0].n < bands(score).rows[1].n


def test_a_score_that_is_itself_a_band_is_judged_by_its_ranks() -> None:
    rank = np.searchsorted([35, 60], YEARLY[0].series[0].values).astype(np.float64)
    letters = ("C", "B", "A")
    score = audit(replace(YEARLY[0], series=(ScoreSeries("grade", rank, None, letters),)))
    assert score.kind == "band"
    assert [row.band for row in bands(score).rows] == list(letters)
    assert score.verdict == "foretells"


def lead(score: ScoreResult) -> LeadTime:
    found = described(score).lead_time
    assert isinstance(found, LeadTime)
    return found


def test_at_the_primary_horizon_the_lead_is_the_audit_itself(yearly: ScoreResult) -> None:
    point = next(point for point in lead(yearly).points if point.days_before == 90)
    assert point.auc == yearly.primary.auc
    assert (point.n, point.n_churned) == (yearly.primary.n_scored, yearly.primary.n_scored_churned)


def test_how_early_a_score_told_is_how_far_back_its_interval_stays_above_one_half(yearly: ScoreResult) -> None:
    found, back = lead(yearly), None
    for point in found.points:
        if isinstance(point.auc, Estimate):
            if point.auc.low <= 0.5:
                break
            back = point.days_before
    assert found.first_told_days == back
    assert f"{back} days before" in found.text


def test_where_every_outcome_is_known_by_the_due_date_no_claim_is_made_for_the_due_date_itself(yearly: ScoreResult) -> None:
    assert isinstance(lead(yearly).points[0].auc, NoEstimate)
    assert "from 30 days before back to" in lead(yearly).text


def test_a_score_of_noise_told_at_no_lead() -> None:
    noise = np.random.default_rng(12).normal(size=len(YEARLY[0].account.names))[YEARLY[0].account.codes]
    assert lead(audit(replace(YEARLY[0], series=(ScoreSeries("noise", noise),)))).first_told_days is None


def test_quarters_and_segments_hold_every_scored_unit_once(yearly: ScoreResult, monthly: ScoreResult) -> None:
    for score in (yearly, monthly):
        for groups in (described(score).stability.quarters, described(score).stability.segments):
            assert sum(group.n for group in groups) == score.primary.n_scored
            assert sum(group.n_churned for group in groups) == score.primary.n_scored_churned
        assert {group.group for group in described(score).stability.segments} == {"small", "large"}


def test_the_latest_quarters_are_those_of_the_test(yearly: ScoreResult) -> None:
    quarters = described(yearly).stability.quarters
    assert [group.group for group in quarters] == sorted(group.group for group in quarters)
    in_test = [bool(group.in_test) for group in quarters]
    assert in_test == sorted(in_test)
    assert any(in_test)


def test_missed_churns_are_those_in_the_best_band_largest_first(yearly: ScoreResult) -> None:
    missed, best = described(yearly).missed, bands(yearly).rows[-1]
    assert missed.total == best.n_churned
    amounts = [unit.amount or 0 for unit in missed.units]
    assert amounts == sorted(amounts, reverse=True)
    assert {unit.band for unit in missed.units} == {best.band}
    assert len(missed.units) == min(20, missed.total)
    assert missed.total_amount is not None
    assert missed.total_amount >= sum(amounts)


def test_false_alarms_are_those_in_the_worst_band_that_stayed(yearly: ScoreResult) -> None:
    alarms, worst = described(yearly).false_alarms, bands(yearly).rows[0]
    assert alarms.total == worst.n - worst.n_churned
    assert {unit.band for unit in alarms.units} == {worst.band}


def test_a_listed_unit_points_to_its_row_of_the_renewals_and_was_looked_at_before_it_was_due(yearly: ScoreResult) -> None:
    renewals = YEARLY[1]
    for unit in (*described(yearly).missed.units, *described(yearly).false_alarms.units):
        row = int(np.flatnonzero(renewals.row == unit.row)[0])
        assert renewals.account.names[renewals.account.codes[row]] == unit.account
        assert str(renewals.due[row]) == str(unit.due)
        assert (unit.due - unit.looked_at).days == 90


def test_with_account_months_a_missed_churn_is_listed_once_however_many_months_missed_it(monthly: ScoreResult) -> None:
    rows = [unit.row for unit in described(monthly).missed.units]
    assert len(rows) == len(set(rows))
    alarms = [unit.account for unit in described(monthly).false_alarms.units]
    assert len(alarms) == len(set(alarms))


def test_a_group_in_which_all_have_the_same_score_has_no_estimate() -> None:
    scores = YEARLY[0]
    flat = replace(scores.series[0], values=np.full(len(scores.series[0].values), 50.0))
    groups = described(audit(replace(scores, series=(flat,)))).stability.quarters
    told = [group.auc for group in groups if group.n_churned >= 20]
    assert told
    assert {auc.reason for auc in told if isinstance(auc, NoEstimate)} == {"all have the same score"}
    assert not [auc for auc in told if isinstance(auc, Estimate)]


@pytest.mark.parametrize(
    "health",
    [
        np.array([1.0] * 50 + [2.0] * 20 + [5.0] * 30),
        np.array([1.0] * 10 + [2.0] * 10 + [5.0] * 80),
        np.array([1.0] * 10 + [2.0] * 80 + [5.0] * 10),
        np.arange(90.0),
    ],
)
def test_none_of_the_thirds_is_empty_however_many_scores_are_alike(health: np.ndarray) -> None:
    low, high = _thirds(health)
    sizes = np.bincount(np.searchsorted([low, high], health, side="right"), minlength=3)
    assert sizes.min() > 0
    assert {low, high} <= set(health.tolist())
    if len(np.unique(health)) == len(health):
        assert abs(sizes - len(health) / 3).max() <= 1
