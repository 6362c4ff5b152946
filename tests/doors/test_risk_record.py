"""Renewal risk as it is recorded: which model judges, what changed since the last run and why, proofs, and what an erasure takes away."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doors.evidence_company import Company
from tests.doors.metric_book import copied
from unspun.app.keeping import erase
from unspun.app.proofs import find_published, open_figure, recompute
from unspun.app.publication import to_document
from unspun.app.risk.basis import RiskRequest
from unspun.app.risk.changes import RenewalChange, RiskChanges
from unspun.app.risk.run import RiskRun, judge_risk
from unspun.app.workspace import Workspace, open_workspace
from unspun.errors import BadInput
from unspun.progress import silent
from unspun.risk.judge import RiskSettings
from unspun.risk.result import ModelRecord, SimilarAccounts
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import Estimate
from unspun.warehouse.erase import Subject

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SEPTEMBER, OCTOBER = date(2025, 9, 30), date(2025, 10, 31)
QUICK = RiskSettings(("linear",))
WORDS = {"churned": "churn", "renewed": "flat"}


@dataclass(frozen=True, slots=True)
class Story:
    """Runs one after the other, as a company would make them, and the documents of the ledger after all of them."""

    company: Company
    workspace: Workspace
    september: RiskRun
    again: RiskRun
    october: RiskRun
    corrected: RiskRun
    fitted: RiskRun
    backdated: RiskRun
    documents: Mapping[int, str | None]


@pytest.fixture(scope="module")
def story(evidence_company: Company, tmp_path_factory: pytest.TempPathFactory) -> Story:
    book = copied(evidence_company.book, tmp_path_factory.mktemp("risk"))
    workspace = open_workspace(book.folder)
    september = judged(workspace, SEPTEMBER)
    first = documents(workspace)
    again, october = judged(workspace, SEPTEMBER), judged(workspace, OCTOBER)
    account = october.result.renewals[0].account
    late = [f"{account},2025-10-{day:02} 12:00,9" for day in range(1, 29)]
    assert book.load(book.export("usage-late.csv", ["id,at,logins", *late])).code == 0
    corrected, fitted = judged(workspace, OCTOBER), judged(workspace, OCTOBER, fit=True)
    backdated = judged(workspace, date(2025, 8, 31))
    held = documents(workspace)
    assert {seq: held[seq] for seq in first} == first, "what was published once stays as it was"
    return Story(evidence_company, workspace, september, again, october, corrected, fitted, backdated, held)


def judged(workspace: Workspace, as_of: date, fit: bool = False) -> RiskRun:
    return judge_risk(workspace, RiskRequest(as_of=as_of, fit=fit, settings=QUICK), NOW)


def documents(workspace: Workspace) -> dict[int, str | None]:
    with workspace.catalog() as catalog:
        return {one.entry.seq: one.document for one in catalog.publications()}


def changes(run: RiskRun) -> RiskChanges:
    assert run.changes is not None
    return run.changes


def parts(change: RenewalChange) -> np.ndarray:
    assert change.data is not None and change.time is not None and change.model is not None
    return np.array([change.data, change.time, change.model])


def test_the_first_run_fits_a_model_and_says_so_and_the_same_request_gives_the_same_bytes(story: Story) -> None:
    first, again = story.september, story.again
    assert (first.model_made, first.model_entry, first.entry) == (True, first.entry - 1, again.entry)
    assert first.model_why == f"fitted now, as entry {first.model_entry}: no model of these metrics was in force"
    assert again.model_why == f"the model of entry {first.model_entry} is in force: fitted as of the same day"
    assert to_document(first.figures) == to_document(again.figures) == story.documents[first.entry]
    assert first.result == again.result, "what is told is what the ledger's model says, whether it was fitted now or then"
    assert isinstance(first.result.model, ModelRecord)
    assert first.result.model.version == str(first.model_entry)
    assert first.changes is None


def test_a_later_run_is_judged_by_the_model_in_force(story: Story) -> None:
    assert not story.october.model_made
    assert story.october.model_entry == story.september.model_entry
    assert story.october.model_why.endswith("is in force: fitted as of 2025-09-30, 31 days before")


def test_an_earlier_day_is_never_judged_by_a_model_that_knew_more(story: Story) -> None:
    assert story.backdated.model_made
    assert isinstance(story.backdated.result.model, ModelRecord)
    assert story.backdated.result.model.fitted_as_of == date(2025, 8, 31)
    assert story.backdated.changes is None, "no run was as of an earlier day"


def test_what_changed_since_then_is_time_where_only_the_day_moved(story: Story) -> None:
    told = changes(story.october)
    assert (told.entry, told.as_of, told.model_entry) == (story.september.entry, SEPTEMBER, story.september.model_entry)
    assert told.causes == ("as of 2025-10-31; then as of 2025-09-30",)
    moved = [one for one in told.renewals if one.difference]
    assert len(moved) > 20
    for one in moved:
        assert parts(one)[[0, 2]].tolist() == [0, 0]
        assert parts(one).sum() == pytest.approx(one.difference, abs=1e-12)
    then = {(one.account, one.due): one.churn for one in story.september.result.renewals}
    assert {key: round(said.point, 5) for key, said in then.items() if isinstance(said, Estimate)} == {
        key: said.point for key, said in told.churn.items() if isinstance(said, Estimate)
    }


def test_renewals_decided_since_then_are_told_with_what_came(story: Story) -> None:
    rows = story.company.files["renewals"][1:]
    expected = {
        (row[0], row[1]): WORDS[str(row[2])]
        for row in rows
        if isinstance(row[3], date) and isinstance(row[6], date) and SEPTEMBER < row[3] <= OCTOBER and row[6] <= SEPTEMBER
    }
    assert {(one.account, one.due): one.outcome for one in changes(story.october).decided} == expected
    assert len(expected) == 10


def test_rows_that_came_late_change_the_account_they_are_of_and_the_change_is_put_down_to_data(story: Story) -> None:
    told, account = changes(story.corrected), story.october.result.renewals[0].account
    assert told.causes == (f"book version {story.corrected.figures.book_version}; then {story.october.figures.book_version}",)
    moved = {one.account: one for one in told.renewals if one.difference}
    assert set(moved) == {account}
    assert parts(moved[account])[1:].tolist() == [0, 0]
    difference = moved[account].difference
    assert difference is not None and difference < 0, "nine logins a day that nobody had counted"


def test_a_model_fitted_anew_moves_numbers_and_the_change_is_put_down_to_it(story: Story) -> None:
    told = changes(story.fitted)
    assert story.fitted.model_made
    assert story.fitted.model_entry != story.corrected.model_entry
    assert told.causes == (f"the model of entry {story.fitted.model_entry}; then the model of entry {story.corrected.model_entry}",)
    moved = [parts(one) for one in told.renewals if one.difference]
    assert len(moved) > 10
    assert all(one[:2].tolist() == [0, 0] for one in moved)


def test_a_figure_of_a_renewal_opens_to_what_each_thing_adds_and_it_adds_up(story: Story) -> None:
    one = story.october.result.renewals[0]
    opened = open_figure(story.workspace, f"{story.october.entry}/{one.account}@{one.due}/churn", silent)
    assert isinstance(one.churn, Estimate)
    assert opened.published.figure is not None
    assert opened.published.figure["value"]["point"] == round(one.churn.point, 5)
    rows = opened.rows.to_pylist()
    assert sum(row["churn_points"] for row in rows) == pytest.approx(one.churn.point, abs=1e-12)
    by_feature = {row["feature"]: row for row in rows}
    for reason in one.reasons:
        assert by_feature[reason.feature]["churn_points"] == pytest.approx(reason.points, abs=1e-12)
    uses = [int(str(row[2])) for row in story.company.files["usage"][1:] if row[0] == one.account and _within_8_weeks(str(row[1]))]
    assert by_feature["logins_8w"]["value"] == str(sum(uses))


def _within_8_weeks(at: str) -> bool:
    return 0 <= (OCTOBER - date.fromisoformat(at[:10])).days < 56


def test_similar_renewals_and_totals_open_to_their_rows(story: Story) -> None:
    one, entry = story.october.result.renewals[0], story.october.entry
    assert isinstance(one.similar, SimilarAccounts)
    similar = open_figure(story.workspace, f"{entry}/{one.account}@{one.due}/similar", silent).rows.to_pylist()
    assert [(row["account_id"], row["due"], row["outcome"]) for row in similar] == [
        (past.account, past.due, past.outcome) for past in one.similar.renewals
    ]
    held = {(row[0], row[1]): WORDS[str(row[2])] for row in story.company.files["renewals"][1:]}
    assert all(held[row["account_id"], row["due"]] == row["outcome"] for row in similar)
    due = open_figure(story.workspace, f"{entry}/due/30/EUR", silent)
    rows = due.rows.to_pylist()
    assert all((row["due"] - OCTOBER).days <= 30 for row in rows)
    assert due.published.figure is not None
    assert sum(row["expected_lost"] for row in rows) == pytest.approx(due.published.figure["value"]["point"], abs=0.01)


def test_figures_of_the_model_open_to_the_account_months_it_was_judged_on(story: Story) -> None:
    opened = open_figure(story.workspace, f"{story.september.model_entry}/slope", silent)
    record = story.september.result.model
    assert isinstance(record, ModelRecord)
    assert opened.rows.num_rows == record.check.n
    held = {(row[0], row[1]): WORDS[str(row[2])] for row in story.company.files["renewals"][1:]}
    rows = opened.rows.to_pylist()
    assert all(held[row["account_id"], row["due"]] == row["outcome"] for row in rows)
    assert len({(row["account_id"], row["due"]) for row in rows if row["outcome"] == "churn"}) == record.check.n_churned
    stated = np.array([row["churn_stated"] for row in rows])
    churned = np.array([row["outcome"] == "churn" for row in rows])
    assert isinstance(record.check.brier, Estimate)
    assert ((stated - churned) ** 2).mean() == pytest.approx(record.check.brier.point, rel=1e-9)


def test_runs_and_models_are_computed_again_to_the_last_byte(story: Story) -> None:
    done = recompute(story.workspace, str(story.october.entry), silent)
    assert (done.verdict, done.compared) == ("same", story.october.figures.count)
    assert recompute(story.workspace, str(story.september.model_entry), silent).verdict == "same"


def test_every_figure_has_an_address_and_one_that_is_not_there_is_refused(story: Story) -> None:
    figures = story.october.figures
    names = [one["name"] for one in figures.every_figure]
    assert len(set(names)) == len(names) == figures.count
    assert sum(name.endswith(tuple(f"/{name}" for name in OUTCOMES4)) for name in names) == 4 * len(story.october.result.renewals)
    with pytest.raises(BadInput, match="there is no figure 'A-1@2025-01-01/churn' in this set of"):
        find_published(story.workspace, f"{story.october.entry}/A-1@2025-01-01/churn")


def test_the_record_of_a_run_is_small(story: Story) -> None:
    document: dict[str, Any] = json.loads(story.documents[story.october.entry] or "")
    assert len(json.dumps(document["columns"])) / len(story.october.result.renewals) < 250


def test_an_account_that_is_erased_leaves_no_figure_behind_and_the_model_stays(story: Story, tmp_path: Path) -> None:
    shutil.copytree(story.workspace.folder, tmp_path / "book")
    workspace, before = open_workspace(tmp_path / "book"), story.fitted
    account = before.result.renewals[0].account
    erased = erase(workspace, Subject("account", account), NOW)
    runs = (story.september, story.october, story.corrected, story.fitted)
    assert set(erased.publications) >= {run.entry for run in runs}
    held = documents(workspace)
    assert all(held[run.entry] is None for run in runs)
    assert before.model_entry is not None
    assert account not in (held[before.model_entry] or account), "a model names no account"
    after = judged(workspace, OCTOBER)
    assert (after.model_made, after.model_entry) == (False, before.model_entry), "not the one that was fitted as of an earlier day since"
    told = {(one.account, one.due): one.churn for one in before.result.renewals if one.account != account}
    assert {(one.account, one.due): one.churn for one in after.result.renewals} == told
    with pytest.raises(BadInput, match="not recomputable: erased"):
        recompute(workspace, str(before.entry), silent)
