"""Back-dated edits, and the score that rises while renewals do not: in histories whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.gaming_histories import History, edits, gather, renewing
from tests.unit.audit.company import terms
from unspun.audit.gaming.back_dated import check_back_dated
from unspun.audit.gaming.checks import Finding
from unspun.audit.gaming.goodhart import check_goodhart
from unspun.audit.terms import Terms
from unspun.audit.vocabulary import CHURN
from unspun.stats.estimate import Estimate, NoEstimate

EVIDENCE = 0.01
NO_TERMS = terms("account due outcome\n nobody 2026-01-01 renewed")


def p_of(finding: Finding) -> float:
    assert finding.p is not None, finding.evidence
    return finding.p


def recorded_late(rng: np.random.Generator, share: float, raised: float = 0.0) -> History:
    """A share of the entries is recorded 30 to 60 days after its date, of which a share is 15 points higher than the truth."""
    history = edits(rng, "people, any day")
    late = rng.random(len(history.day)) < share
    lifted = late & (rng.random(len(late)) < raised)
    delay = np.where(late, rng.integers(30, 60, len(late)), 0)
    return replace(history, value=np.minimum(history.value + 15 * lifted, 100), recorded=history.day + delay)


def back_dated(history: History, of: Terms = NO_TERMS) -> Finding:
    entries = gather(history)
    return check_back_dated(entries, of)


def test_honest_values_recorded_late_are_counted_and_not_taken_for_evidence() -> None:
    history = recorded_late(np.random.default_rng(21), 0.10)
    assert history.recorded is not None
    found = back_dated(history)
    late = (history.recorded - history.day > 7).sum()
    assert found.evidence.startswith(f"{late:,} of {len(history.day):,} rows (")
    assert isinstance(found.statistic, Estimate)
    assert found.statistic.point == pytest.approx(late / len(history.day))
    assert p_of(found) > EVIDENCE


def test_late_values_that_go_up_are_seen() -> None:
    found = back_dated(recorded_late(np.random.default_rng(22), 0.10, raised=0.7))
    assert p_of(found) < EVIDENCE
    up, down = found.listed
    assert (up.what, down.what) == ("recorded late, raised a value", "recorded late, lowered a value")
    assert up.n > 1.5 * down.n


def test_late_values_that_go_with_the_outcome_are_seen_though_as_many_go_up_as_down() -> None:
    rng = np.random.default_rng(23)
    history = recorded_late(rng, 0.0)
    assert history.recorded is not None
    due = "2024-06-30"
    due_day = int(np.datetime64(due, "D").astype(np.int64))
    churned = np.arange(240) % 2 == 0
    rows = "\n".join(f"a{i} {due} {'churned' if gone else 'renewed'} {due}" for i, gone in enumerate(churned))
    of = terms(f"account due outcome known\n{rows}", as_of="2025-06-30")
    of = replace(of, account=np.array([int(name[1:]) for name in np.array(of.account_names)[of.account]]))
    edited = (history.day < due_day) & (history.day > due_day - 150)
    recorded = np.where(edited, due_day + rng.integers(5, 60, len(history.day)), history.day)
    honest = replace(history, recorded=recorded)
    rewritten = replace(honest, value=np.where(edited, np.where(churned[history.account], 30, 85), history.value))
    some = rng.random(len(history.day)) < 0.5
    honest, rewritten = (replace(each, recorded=np.where(edited & some, recorded, history.day)) for each in (honest, rewritten))
    rewritten = replace(rewritten, value=np.where(some, rewritten.value, history.value))
    assert p_of(back_dated(honest, of)) > EVIDENCE
    found = back_dated(rewritten, of)
    assert p_of(found) < EVIDENCE
    assert "went its way (down where the account churned, else up)" in found.evidence


def test_without_days_of_recording_nobody_can_tell_and_without_late_rows_nothing_is_seen() -> None:
    history = edits(np.random.default_rng(24), "people, any day")
    found = back_dated(history)
    assert found.p is None
    assert isinstance(found.statistic, NoEstimate)
    assert "recorded_at" in found.evidence
    assert back_dated(replace(history, recorded=history.day + 7)).p == 1.0


def test_a_score_inflated_while_renewals_stay_is_seen_and_one_that_rises_with_them_is_not() -> None:
    units, inflated = renewing(np.random.default_rng(31), "steady", 600, inflation=1.0)
    found = check_goodhart(units, inflated, CHURN)
    assert p_of(found) < EVIDENCE
    assert isinstance(found.statistic, Estimate)
    assert found.statistic.high < 0
    for kind in ("steady", "truly rising", "truly falling"):
        assert p_of(check_goodhart(*renewing(np.random.default_rng(32), kind, 600), CHURN)) > EVIDENCE


def test_the_curves_hold_each_quarters_mean_score_and_share_renewed() -> None:
    units, score = renewing(np.random.default_rng(33), "steady", 400)
    found = check_goodhart(units, score, CHURN)
    assert [point.period for point in found.series][:5] == ["2023-Q1", "2023-Q2", "2023-Q3", "2023-Q4", "2024-Q1"]
    third = found.series[2]
    here = (units.as_of >= np.datetime64("2023-07-01").astype(int)) & (units.as_of < np.datetime64("2023-10-01").astype(int))
    assert third.n == here.sum()
    assert third.score == pytest.approx(score[here].mean())
    assert isinstance(third.renewed, Estimate)
    assert third.renewed.point == pytest.approx(1 - units.churned[here].mean())
    pairs = [
        (each.implied, each.renewed.point) for each in found.series[:6] if each.implied is not None and isinstance(each.renewed, Estimate)
    ]
    assert len(pairs) == 6
    assert np.mean([implied - seen for implied, seen in pairs]) == pytest.approx(0, abs=0.02)


def test_a_score_that_knows_nothing_of_renewals_implies_nothing() -> None:
    units, score = renewing(np.random.default_rng(34), "noise", 400, inflation=1.0)
    found = check_goodhart(units, score, CHURN)
    assert found.p is None
    assert "implies nothing" in found.evidence
    assert found.series


def test_few_quarters_or_few_churned_do_not_tell() -> None:
    units, score = renewing(np.random.default_rng(35), "steady", 30)
    assert "churned in the early half" in check_goodhart(units, score, CHURN).evidence
    late = np.where(units.as_of > units.as_of.max() - 200, score, np.nan)
    assert "quarters only" in check_goodhart(units, late, CHURN).evidence
    assert check_goodhart(units, np.full(len(score), np.nan), CHURN).p is None
