"""The demo company on trial: what makes its customers leave is known, and so is which of its scores restates, tells or leaks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from unspun.app.checks import CheckRequest, check_book, recorded_check
from unspun.app.evidence.inputs import EvidenceRequest
from unspun.app.evidence.run import EvidenceRun, judge_evidence
from unspun.app.panel.basis import outages_of
from unspun.app.proofs import open_figure
from unspun.app.workspace import Workspace
from unspun.app.workspace_demo import create_demo_workspace
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import Verdict

NOW = datetime(2026, 11, 20, tzinfo=UTC)
PLANTED = ("logins_28d", "users_a_day", "logins_per_seat", "api_calls_90d")
"""Usage: its decline is what churn follows."""
DISTRACTORS = ("days_since_ticket", "tickets_open")
SETTINGS = AuditSettings(detail="none", replicates=0)
SUBJECTS = (*PLANTED, *DISTRACTORS, "arr", "score/*")


def verdict(run: EvidenceRun, key: str) -> Verdict:
    return run.result.of(key)[0].verdict


@pytest.fixture(scope="module")
def unchecked(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return create_demo_workspace(tmp_path_factory.mktemp("demo") / "company", NOW, accounts=600).workspace


@pytest.fixture(scope="module")
def before(unchecked: Workspace) -> EvidenceRun:
    """A trial before anybody looked for outages."""
    return judge_evidence(unchecked, EvidenceRequest(("api_calls_90d", "arr"), SETTINGS), NOW)


@pytest.fixture(scope="module")
def demo(unchecked: Workspace, before: EvidenceRun) -> Workspace:
    """The company, checked: the outages of its tracking are recorded."""
    check_book(unchecked, CheckRequest(), NOW, lambda *_: None)
    return unchecked


@pytest.fixture(scope="module")
def run(demo: Workspace) -> EvidenceRun:
    return judge_evidence(demo, EvidenceRequest(SUBJECTS, SETTINGS), NOW)


def test_what_churn_follows_is_found_and_distractors_are_not(run: EvidenceRun) -> None:
    for id in PLANTED:
        assert verdict(run, f"metric/{id}").startswith("foretells"), id
    for id in DISTRACTORS:
        assert verdict(run, f"metric/{id}") in ("no evidence", "cannot tell"), id


def test_a_score_that_restates_what_is_known_adds_nothing_and_one_that_was_tidied_up_leaks(run: EvidenceRun) -> None:
    assert verdict(run, "score/Weighted health") == "foretells, adds nothing"
    assert verdict(run, "metric/arr") == "foretells, adds nothing"
    assert verdict(run, "score/CSM pulse") == "leaks"
    assert verdict(run, "score/Usage trend").startswith("foretells")


def test_an_outage_of_the_tracking_makes_no_verdict_as_its_days_are_missing(demo: Workspace, run: EvidenceRun) -> None:
    with demo.catalog() as catalog:
        (spans,) = outages_of(recorded_check(catalog)).values()
    _, evidence = run.result.of("metric/api_calls_90d")
    reasons = dict(evidence.coverage.reasons)
    assert reasons["outage"] > 50
    assert evidence.coverage.with_value + sum(reasons.values()) == evidence.coverage.n
    rows = open_figure(demo, f"{run.entry}/metric/logins_28d/coverage", lambda *_: None).rows.to_pylist()
    whole = [span for span in spans if span.measure in ("", "events") and not span.where and span.kept_share == 0]
    within = [row for row in rows if any(0 <= (row["looked_at"] - (span.last or span.first)).days < 14 for span in whole)]
    assert len(within) > 3
    assert {row["missing"] for row in within} <= {"outage", "before_birth", "not_seen"}
    assert all((row["score"] is None) == (row["missing"] is not None) for row in rows)


def test_outages_that_are_recorded_since_are_told_as_a_change_of_the_data(before: EvidenceRun, run: EvidenceRun) -> None:
    assert run.changes is not None
    assert run.changes.entry == before.entry
    told = {one.key: one for one in run.changes.subjects}
    assert set(told) == {"metric/api_calls_90d", "metric/arr"}, "the others were not asked for then"
    (cause,) = told["metric/api_calls_90d"].causes
    assert (cause.kind, cause.text) == ("data", "other tracking outages are recorded: their days count as missing")
    assert told["metric/arr"].status == "same"


def test_metrics_that_say_the_same_thing_stand_in_one_group(run: EvidenceRun) -> None:
    logins, users = (run.result.of(f"metric/{id}")[1].group for id in ("logins_28d", "users_a_day"))
    assert logins is not None
    assert logins == users
    assert run.result.of("score/CSM pulse")[1].group != logins


def test_too_few_churned_cannot_tell_and_says_how_many_it_would_take(demo: Workspace) -> None:
    early = judge_evidence(demo, EvidenceRequest(("logins_28d",), SETTINGS, as_of=datetime(2024, 12, 31).date()), NOW, compare=False)
    score = early.result.audit.scores[0]
    assert score.verdict == "cannot tell"
    assert score.needed is not None
    assert score.needed.more_churned > 0
