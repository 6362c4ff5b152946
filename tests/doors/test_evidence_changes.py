"""What a later trial says changed, and why: rows loaded, definitions edited, the as-of date moved, or all of them at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.doors.book_files import Book
from tests.doors.evidence_company import Company
from tests.doors.metric_book import copied
from unspun.app.evidence.changes import Changes, SubjectChange
from unspun.app.evidence.inputs import EvidenceRequest
from unspun.app.evidence.run import EvidenceRun, judge_evidence
from unspun.app.workspace import open_workspace
from unspun.audit.protocol import AuditSettings
from unspun.stats.estimate import Estimate

EARLIER, LATER = date(2025, 6, 30), date(2025, 12, 20)
KEYS = ("metric/logins_8w", "metric/answers_year")
BARE = AuditSettings(detail="none", replicates=0, horizons=(180,))
AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def judged_once(evidence_company: Company, tmp_path_factory: pytest.TempPathFactory) -> tuple[Book, EvidenceRun]:
    """The company after one trial as of the earlier date."""
    book = copied(evidence_company.book, tmp_path_factory.mktemp("changes"))
    first = judge(book)
    assert first.changes is None, "there was none before"
    return book, first


@pytest.fixture
def book(judged_once: tuple[Book, EvidenceRun], tmp_path: Path) -> Book:
    return copied(judged_once[0], tmp_path)


def judge(book: Book, as_of: date = EARLIER, keys: tuple[str, ...] = KEYS, settings: AuditSettings = BARE) -> EvidenceRun:
    return judge_evidence(open_workspace(book.folder), EvidenceRequest(keys, settings, as_of=as_of), AT)


def changes(run: EvidenceRun) -> Changes:
    assert run.changes is not None
    return run.changes


def of(found: Changes, key: str) -> SubjectChange:
    return next(one for one in found.subjects if one.key == key)


def kinds(change: SubjectChange) -> list[str]:
    return [cause.kind for cause in change.causes]


def moved(change: SubjectChange) -> float:
    assert isinstance(change.auc_then, Estimate)
    assert isinstance(change.auc_now, Estimate)
    return change.auc_now.point - change.auc_then.point


def load_more_usage(book: Book) -> None:
    """Logins that came late of one in three accounts, in the spring of 2024 and of 2025."""
    days = [date(year, 1, 1) + timedelta(days=7 * week) for year in (2024, 2025) for week in range(20)]
    lines = [f"A-{n:03},{day} 15:00,{30 + n % 7}" for n in range(0, 260, 3) for day in days]
    loaded = book.load(book.export("usage-late.csv", ["id,at,logins", *lines]))
    assert loaded.code == 0, loaded.err


def edit(book: Book, old: str, new: str) -> None:
    path = book.folder / "metrics.yml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_the_same_again_changes_nothing(book: Book, judged_once: tuple[Book, EvidenceRun]) -> None:
    edit(book, "Logins of eight weeks.", "How often they came.")
    again = judge(book)
    found = changes(again)
    assert [one.status for one in found.subjects] == ["same", "same"]
    assert again.sha256 == judged_once[1].sha256, "what it is called does not change what it is"
    assert (found.causes, found.changed) == ((), ())


def test_rows_loaded_are_named_as_the_cause_of_all_that_moved(book: Book) -> None:
    load_more_usage(book)
    found = changes(judge(book))
    logins = of(found, "metric/logins_8w")
    assert (logins.status, kinds(logins)) == ("changed", ["data"])
    assert logins.causes[0].auc == pytest.approx(moved(logins))
    assert logins.causes[0].text == f"book version {found.version_now}; then {found.version_then}"
    assert of(found, "metric/answers_year").status == "same", "no answer came"


def test_an_edited_definition_is_the_cause_for_its_own_metric_only(book: Book) -> None:
    edit(book, "sum: events.value\n    window: 56d", "sum: events.value\n    window: 14d")
    found = changes(judge(book))
    logins = of(found, "metric/logins_8w")
    assert (logins.status, kinds(logins)) == ("changed", ["definition"])
    assert logins.causes[0].auc == pytest.approx(moved(logins))
    assert [one.key for one in found.changed] == ["metric/logins_8w"]


def test_a_later_as_of_date_is_named_as_the_cause(book: Book) -> None:
    found = changes(judge(book, LATER))
    assert {tuple(kinds(one)) for one in found.changed} == {("time",)}
    assert len(found.changed) == 2
    assert (found.as_of_then, found.as_of_now) == (EARLIER, LATER)


def test_where_all_changed_each_has_the_part_that_it_would_have_made_in_turn(book: Book, tmp_path: Path) -> None:
    load_more_usage(book)
    aside = copied(book, tmp_path / "aside")
    of_data = changes(judge(aside))
    edit(book, "window: 56d", "window: 14d")
    logins = of(changes(judge(book, LATER)), "metric/logins_8w")
    assert kinds(logins) == ["data", "time", "definition"]
    data, time, definition = (cause.auc for cause in logins.causes)
    assert data == pytest.approx(moved(of(of_data, "metric/logins_8w")))
    assert (data or 0) + (time or 0) + (definition or 0) == pytest.approx(moved(logins))
    assert min(abs(data or 0), abs(time or 0), abs(definition or 0)) > 0.001


def test_other_settings_and_other_subjects_are_told(book: Book) -> None:
    turned = changes(judge(book, settings=replace(BARE, direction={"metric/logins_8w": "lower"}), keys=(*KEYS, "score/Feeling")))
    logins = of(turned, "metric/logins_8w")
    assert (logins.status, kinds(logins), logins.causes[0].text) == ("changed", ["request"], "other settings: direction")
    assert [one.kind for one in turned.causes] == ["request", "others"]
    assert [one.key for one in turned.subjects] == list(KEYS), "the other was not asked for then"


def test_subjects_that_came_or_went_are_told_where_all_were_asked_for(book: Book) -> None:
    assert changes(judge(book, keys=())).causes[-1].kind == "others"
    text = (book.folder / "metrics.yml").read_text(encoding="utf-8").replace("answers_year:", "answers_of_a_year:")
    (book.folder / "metrics.yml").write_text(text, encoding="utf-8")
    (book.folder / "scores.yml").unlink()
    found = {one.key: one.status for one in changes(judge(book, keys=())).subjects}
    assert {key for key, status in found.items() if status == "added"} == {"metric/answers_of_a_year"}
    assert {key for key, status in found.items() if status == "removed"} == {"metric/answers_year", "health/health"}


def test_an_edit_of_the_rules_of_retention_is_a_definition(book: Book) -> None:
    (book.folder / "retention.yml").write_text("grace_days: 60\n", encoding="utf-8")
    found = changes(judge(book))
    assert [one.kind for one in found.causes] == ["definition"]
    assert {tuple(kinds(one)) for one in found.changed} <= {("definition",)}
