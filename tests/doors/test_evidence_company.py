"""Metrics and scores on trial, from a company's files to verdicts: figures worked out by hand, the ledger, and the units behind them."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

import unspun
from tests.doors.book_files import write
from tests.doors.evidence_company import Company
from tests.doors.metric_book import copied
from tests.unit.connectors.servers import PASSWORD, shared_server
from unspun.app.audits import audit_scores
from unspun.app.badges import badge_of
from unspun.app.evidence.inputs import EvidenceRequest, TrialInputs, trial_inputs
from unspun.app.evidence.run import EvidenceRun, judge_evidence
from unspun.app.proofs import open_figure
from unspun.app.publication import to_document
from unspun.app.reading import AuditRequest
from unspun.app.workspace import Workspace, open_workspace
from unspun.audit.protocol import AuditSettings
from unspun.audit.result import ScoreResult
from unspun.book.tables import ReadingOptions
from unspun.errors import BadInput
from unspun.reports.evidence_json import to_json
from unspun.stats.estimate import Estimate

NOW = datetime(2026, 6, 1, tzinfo=UTC)
HORIZON = 180
BARE = AuditSettings(detail="none", replicates=0)


@pytest.fixture(scope="module")
def company(evidence_company: Company, tmp_path_factory: pytest.TempPathFactory) -> Company:
    book = copied(evidence_company.book, tmp_path_factory.mktemp("judged"))
    return replace(evidence_company, book=book)


@pytest.fixture(scope="module")
def workspace(company: Company) -> Workspace:
    return open_workspace(company.book.folder)


@pytest.fixture(scope="module")
def run(workspace: Workspace) -> EvidenceRun:
    return judge_evidence(workspace, EvidenceRequest(settings=BARE), NOW)


@pytest.fixture(scope="module")
def inputs(workspace: Workspace) -> TrialInputs:
    return trial_inputs(workspace, ("logins_8w", "answers_year", "tier"), EvidenceRequest(settings=BARE), NOW)


@pytest.fixture(scope="module")
def rows(workspace: Workspace, run: EvidenceRun) -> list[dict[str, Any]]:
    """The units behind the AUC of logins."""
    return open_figure(workspace, f"{run.entry}/metric/logins_8w/auc", lambda *_: None).rows.to_pylist()


def scored(run: EvidenceRun, key: str) -> ScoreResult:
    return run.result.of(key)[0]


def point(estimate: object) -> float:
    assert isinstance(estimate, Estimate)
    return estimate.point


class ByHand:
    """The units, the split and the logins of eight weeks, worked out from the company's rows."""

    def __init__(self, company: Company) -> None:
        usage = defaultdict[str, list[tuple[date, int]]](list)
        for id, at, n in company.files["usage"][1:]:
            usage[str(id)].append((date.fromisoformat(str(at)[:10]), int(str(n))))
        last = max(date.fromisoformat(str(decided)) for _, _, _, decided, *_ in company.files["renewals"][1:])
        self.as_of = last
        found = []
        for id, due, outcome, decided, _, _, begun in company.files["renewals"][1:]:
            assert isinstance(due, date) and isinstance(begun, date) and isinstance(decided, date)
            looked = due - timedelta(days=HORIZON)
            if due <= last and begun <= looked < decided:
                logins = sum(n for day, n in usage[str(id)] if looked - timedelta(days=55) <= day <= looked)
                found.append((looked, str(id), due, outcome == "churned", logins))
        self.units = sorted(found)
        churned = sorted(looked for looked, _, _, left, _ in found if left)
        self.cut = churned[len(churned) - int(np.ceil(0.4 * len(churned)))]

    @property
    def test(self) -> list[tuple[date, str, date, bool, int]]:
        return [one for one in self.units if one[0] >= self.cut]


def test_the_auc_of_a_metric_is_that_worked_out_from_the_files(company: Company, run: EvidenceRun) -> None:
    by_hand, result = ByHand(company), scored(run, "metric/logins_8w")
    primary = result.primary
    assert run.result.audit.design.as_of == by_hand.as_of
    assert (primary.horizon_days, primary.n, primary.n_churned) == (HORIZON, len(by_hand.units), sum(one[3] for one in by_hand.units))
    assert (primary.test.n, primary.test.n_churned) == (len(by_hand.test), sum(one[3] for one in by_hand.test))
    left, logins = [one[3] for one in by_hand.test], [-one[4] for one in by_hand.test]
    assert point(primary.test.auc) == pytest.approx(roc_auc_score(left, logins), abs=1e-12)
    assert result.verdict == "foretells"


def test_recorded_scores_are_judged_as_an_audit_of_the_same_files_judges_them(
    evidence_company: Company, run: EvidenceRun, tmp_path: Path
) -> None:
    as_of = run.result.audit.design.as_of
    rows = [row for n, row in enumerate(evidence_company.files["scores"]) if not n or str(row[2])[:10] <= str(as_of)]
    scores = write(tmp_path / "scores.csv", [",".join(map(str, row)) for row in rows])
    roles = {"account": "id", "scores.date": "day", "scores.recorded_at": "recorded", "scores.score_name": "name", "scores.score": "value"}
    roles |= {"renewals.outcome_known_at": "decided", "renewals.amount_before": "before", "renewals.term_start": "from"}
    reading = ReadingOptions(columns=roles, time_zone="America/New_York")
    settings = AuditSettings(as_of=as_of, detail="none", replicates=0)
    audited = audit_scores(
        AuditRequest(str(scores), str(evidence_company.book.exports / "renewals.csv"), reading=reading, settings=settings)
    ).result
    for one in audited.scores:
        mine = scored(run, f"score/{one.name}")
        assert mine.primary.n_scored == one.primary.n_scored
        assert point(mine.primary.test.auc) == pytest.approx(point(one.primary.test.auc), abs=1e-12)
        assert (mine.leak.churned_edited, mine.leak.churned, mine.leak.leaks) == (one.leak.churned_edited, one.leak.churned, one.leak.leaks)
    assert (scored(run, "score/Pulse").verdict, scored(run, "score/Feeling").leak.leaks) == ("leaks", False)


def test_a_metric_cannot_leak_as_it_reads_only_what_was_known(run: EvidenceRun) -> None:
    leak = scored(run, "metric/logins_8w").leak
    assert not leak.possible
    assert "known by the date" in leak.why_not


def test_a_forecast_counts_for_the_renewal_that_it_is_about_once_it_was_made(company: Company, run: EvidenceRun) -> None:
    calls = defaultdict[tuple[str, date], list[tuple[str, float]]](list)
    for id, due, made, _, p in company.files["calls"][1:]:
        calls[str(id), date.fromisoformat(str(due))].append((str(made), float(str(p))))
    by_hand = ByHand(company)
    known = {
        (id, due): max(earlier)[1]
        for looked, id, due, *_ in by_hand.units
        if (earlier := [one for one in calls[id, due] if one[0][:10] <= str(looked)])
    }
    result, evidence = run.result.of("forecast/Kim")
    assert evidence.coverage.with_value == len(known)
    assert evidence.coverage.reasons == (("no_call", len(by_hand.units) - len(known)),)
    judged = [(left, -known[id, due]) for _, id, due, left, _ in by_hand.test if (id, due) in known]
    assert point(result.primary.test.auc) == pytest.approx(roc_auc_score(*zip(*judged, strict=True)), abs=1e-12)


def test_a_survey_is_the_mean_of_the_answers_of_a_year_and_none_where_nobody_answered(company: Company, run: EvidenceRun) -> None:
    answers = defaultdict[str, list[tuple[date, int]]](list)
    for id, at, n in company.files["answers"][1:]:
        answers[str(id)].append((date.fromisoformat(str(at)[:10]), int(str(n))))
    found = []
    for looked, id, *_ in ByHand(company).units:
        own = [n for day, n in answers[id] if looked - timedelta(days=364) <= day <= looked]
        found.append(sum(own) / len(own) if own else None)
    _, evidence = run.result.of("survey/NPS")
    assert evidence.coverage.with_value == sum(one is not None for one in found)
    assert dict(evidence.coverage.reasons) == {"no_rows": found.count(None)}


def test_the_same_book_gives_the_same_bytes_and_can_be_computed_again(company: Company, workspace: Workspace, run: EvidenceRun) -> None:
    again = judge_evidence(workspace, EvidenceRequest(settings=BARE), NOW + timedelta(days=40), compare=False)
    assert (again.entry, to_document(again.figures)) == (run.entry, to_document(run.figures))
    ran = company.book.run("recompute", str(run.entry), "--json")
    told = json.loads(ran.out)
    assert (ran.code, told["verdict"], told["compared"]) == (0, "same", len(run.figures.figures))


def test_a_figure_opens_to_its_units_from_which_it_can_be_worked_out(
    workspace: Workspace, run: EvidenceRun, rows: list[dict[str, Any]]
) -> None:
    assert len(rows) == scored(run, "metric/logins_8w").primary.n
    test = [row for row in rows if row["part"] == "test" and row["score"] is not None]
    auc = roc_auc_score([row["event"] for row in test], [-row["score"] for row in test])
    assert auc == pytest.approx(point(scored(run, "metric/logins_8w").primary.test.auc), abs=1e-12)
    unanswered = open_figure(workspace, f"{run.entry}/survey/NPS/coverage", lambda *_: None).rows.to_pylist()
    assert {row["missing"] for row in unanswered if row["score"] is None} == {"no_rows"}
    assert {row["missing"] for row in unanswered if row["score"] is not None} == {None}


def test_a_health_score_is_judged_by_its_published_formula(workspace: Workspace, run: EvidenceRun, inputs: TrialInputs) -> None:
    logins, answers = inputs.columns["logins_8w"], inputs.columns["answers_year"]
    by_hand = np.round((2 * np.minimum(logins / 80, 1) * 100 + np.where(answers >= 1, 60, 40)) / 3, 1)
    rows = open_figure(workspace, f"{run.entry}/health/health/auc", lambda *_: None).rows["score"].to_numpy()
    assert np.abs(rows - by_hand).max() < 1e-9


def test_after_an_erasure_the_figures_stay_and_cannot_be_proved(company: Company, run: EvidenceRun, tmp_path: Path) -> None:
    book = copied(company.book, tmp_path)
    left = next(id for _, id, _, churned, _ in ByHand(company).test if churned)
    assert book.run("erase", "--account", left, "--yes").code == 0
    ran = book.run("recompute", f"{run.entry}/metric/logins_8w/auc", "--json")
    assert (ran.code, json.loads(ran.out)["verdict"]) == (3, "erased")
    assert left not in json.dumps(json.loads(book.run("why", str(run.entry), "--json").out))


def test_why_tells_a_verdict_in_a_word(company: Company, run: EvidenceRun) -> None:
    assert "foretells" in company.book.run("why", f"{run.entry}/metric/logins_8w/verdict").out
    assert company.book.run("why", str(run.entry)).code == 0


def test_a_health_score_wears_the_verdict_on_its_own_version_and_tells_of_an_earlier_one(
    company: Company, run: EvidenceRun, tmp_path: Path
) -> None:
    book = copied(company.book, tmp_path)
    place = open_workspace(book.folder)
    sha256 = run.sha256["health/health"]
    badge = badge_of(place, "health", sha256)
    assert (badge.verdict, badge.date, badge.entry) == ("foretells", run.result.audit.design.as_of, run.entry)
    other = badge_of(place, "health", "0" * 64)
    assert (other.verdict, other.entry) == ("unvalidated", None)
    assert "foretells" in other.note
    assert badge_of(place, "another", sha256).note.startswith("it was never on trial")


def test_the_python_call_gives_what_the_command_writes_and_records_nothing_anew(company: Company, tmp_path: Path) -> None:
    day, path = "2025-11-30", tmp_path / "evidence.json"
    ran = company.book.run("evidence", "Feeling", "answers_*", "--horizon", "180", "--as-of", day, "--json", path, "--no-changes")
    assert ran.code == 0, ran.err
    entries = company.book.run("ledger", "show", "--json").out
    result = unspun.judge_evidence(company.book.folder, ["Feeling", "answers_*"], horizons=[180], as_of=day)
    assert path.read_text(encoding="utf-8") == to_json(result)
    assert company.book.run("ledger", "show", "--json").out == entries


def test_what_is_not_there_is_named_with_what_may_be_meant(workspace: Workspace) -> None:
    settings = AuditSettings(direction={"score/Puls": "lower"}, horizons=(0,))
    with pytest.raises(BadInput) as refusal:
        judge_evidence(workspace, EvidenceRequest(("logins_8", "tier"), settings), NOW)
    codes = [fault.code for fault in refusal.value.faults]
    assert codes == ["bad_option", "unknown_subject", "text_metric"]
    assert "logins_8w" in refusal.value.faults[1].hint


def test_patterns_choose_subjects_and_texts_are_set_aside(workspace: Workspace) -> None:
    found = judge_evidence(workspace, EvidenceRequest(("score/*", "t*r", "logins_fall"), BARE), NOW, compare=False)
    assert [one.subject.key for one in found.result.subjects] == ["metric/logins_fall", "score/Feeling", "score/Pulse"]
    assert [key for key, _ in found.set_aside] == ["metric/tier"]


def test_segments_join_the_baseline_as_they_were_known_then(company: Company, inputs: TrialInputs) -> None:
    found = inputs
    stated = defaultdict[str, list[tuple[date, str]]](list)
    for id, at, tier, *_ in company.files["accounts"][1:]:
        stated[str(id)].append((date.fromisoformat(str(at)), str(tier)))
    units, frame = found.frame.units, found.frame
    assert frame.segment is not None
    assert frame.baseline is not None
    assert "segment" in frame.baseline.inputs
    moved = 0
    for i, (code, day) in enumerate(zip(units.account.tolist(), units.as_of.tolist(), strict=True)):
        at, own = date(1970, 1, 1) + timedelta(days=day), stated[found.accounts[code]]
        then = max(one for one in own if one[0] <= at)[1]
        moved += then != max(own)[1]
        assert frame.segment_names[frame.segment[i]] == then == found.texts["tier"].names[found.texts["tier"].codes[i]]
    assert moved > 20


def test_what_is_fitted_sees_the_values_that_are_judged(inputs: TrialInputs, rows: list[dict[str, Any]]) -> None:
    units = inputs.frame.units
    looked_at = zip(units.account.tolist(), units.as_of.tolist(), inputs.columns["logins_8w"].tolist(), strict=True)
    judged = {(row["account"], (row["looked_at"] - date(1970, 1, 1)).days): row["score"] for row in rows}
    assert {(inputs.accounts[code], day): value for code, day, value in looked_at} == judged


def test_a_panel_on_another_engine_gives_the_same_figures(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    url = shared_server().fresh("crm_evidence")
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    request = EvidenceRequest(("logins_fall",), BARE)
    here = judge_evidence(workspace, request, NOW, compare=False)
    there = judge_evidence(workspace, replace(request, engine=url.replace(f":{PASSWORD}@", "@")), NOW, compare=False)
    assert (here.figures.engine, there.figures.engine) == ("duckdb", "postgresql")
    assert there.figures.figures == here.figures.figures
