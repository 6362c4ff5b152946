"""What a run of the checks leaves in the ledger and the catalogue: recorded once, never in the way, and without anybody's id."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.doors.book_files import ACCOUNTS, BOOK, TERMS, Book
from tests.doors.cli_files import run
from unspun.app.acceptances import AcceptRequest, accept, acceptance_of, state_of
from unspun.app.checks import CheckRequest, check_book
from unspun.app.workspace import open_workspace
from unspun.book.checks.acceptance import Acceptance
from unspun.book.checks.finding import Finding, Span
from unspun.errors import BadInput

USAGE = ("id,at,what", "A-1,2026-01-07 10:00,login", "A-9,2026-03-09 11:00,login", "A-9,2026-03-10 11:00,login")
ORPHANS = "orphan_accounts/events"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    made = Book(tmp_path)
    assert run("init", made.folder).code == 0
    (made.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    files = [made.export("accounts.csv", ACCOUNTS), made.export("terms.csv", TERMS), made.export("usage.csv", USAGE)]
    assert made.load(*files, "--no-check").code == 0
    return made


def test_a_check_of_a_version_by_its_number_does_not_stand_for_one_of_the_book(book: Book) -> None:
    assert book.run("check", "--version", "1").code == 3
    assert book.run("check").code == 3
    assert book.run("accept", ORPHANS, "--why", "a trial").code == 0  # which needs a whole check


def test_what_was_found_is_told_although_it_cannot_be_recorded(book: Book, tmp_path: Path) -> None:
    head = book.folder / "warehouse" / "ledger.head"
    number, _, rest = head.read_text().partition(":")
    head.write_text(f"{int(number) + 5}:{rest}")  # a ledger that was cut takes no entry
    page = tmp_path / "check.html"
    ran = book.run("check", "--html", page)
    assert ran.code == 3
    assert "could not be recorded" in " ".join(ran.out.split())
    assert "could not be recorded" in page.read_text()
    document = json.loads(book.run("check", "--json").out)
    assert document["entry"] is None
    assert "ledger" in document["entry_reason"]


def test_a_day_to_accept_until_is_one_of_the_books_zone(book: Book) -> None:
    assert book.run("check").code == 3
    (book.folder / "book.yml").write_text(BOOK.replace("Europe/Berlin", "America/Los_Angeles"), encoding="utf-8")
    place, at = open_workspace(book.folder), datetime(2026, 5, 2, 3, tzinfo=UTC)  # the first of May is not over there
    request = AcceptRequest(ORPHANS, "Kim", "a trial", date(2026, 5, 1))
    assert accept(place, request, at) is not None
    report = check_book(place, CheckRequest(), at, lambda *_: None)
    assert {one.finding.id: one.state for one in report.judged}[ORPHANS] == "accepted"
    with pytest.raises(BadInput, match="is over"):
        accept(place, replace(request, until=date(2026, 4, 30)), at)


def test_an_acceptance_holds_on_its_last_day_also_where_that_day_is_asked_for_later(book: Book) -> None:
    place, at = open_workspace(book.folder), datetime(2026, 5, 20, 12, tzinfo=UTC)
    check_book(place, CheckRequest(), at, lambda *_: None)
    accept(place, AcceptRequest(ORPHANS, "Kim", "a trial", date(2026, 6, 10)), at)
    later = at + timedelta(days=60)
    states = {}
    for day in (date(2026, 6, 10), date(2026, 6, 11)):
        report = check_book(place, CheckRequest(as_of=day), later, lambda *_: None)
        states[day.day] = {one.finding.id: one.state for one in report.judged}[ORPHANS]
    assert states == {10: "accepted", 11: "open"}


@pytest.mark.parametrize("name", ["warehouse/catalog.db", "warehouse/ledger.head", "book.yml", "unspun.toml", "warehouse/new.html"])
def test_no_report_is_written_over_the_book_itself(book: Book, name: str) -> None:
    target = book.folder / name
    before = target.read_bytes() if target.exists() else None
    ran = book.run("check", "--html", target)
    assert (ran.code, before) == (2, target.read_bytes() if target.exists() else None)
    assert "is a part of the workspace itself" in ran.err


def test_days_beyond_all_others_can_be_asked_for(book: Book) -> None:
    assert book.run("check", "--as-of", "9999-12-31").code == 3
    assert book.run("check", "--as-of", "0001-01-01").code == 0


def _span(first: date, last: date | None, days: int) -> Finding:
    span = Span("stopped", first, last, "login")
    return Finding(
        "tracking_breaks", "events", "error", days, 100 + days, "days", "m", (), "m", "SELECT 1", f"login/{first}", span,
    )  # fmt: skip


def _accepted(finding: Finding) -> Acceptance:
    span = None if finding.span is None else (finding.span.first, finding.span.last)
    return Acceptance(finding.id, "Kim", "why", datetime(2026, 1, 9, tzinfo=UTC), finding.count, finding.of, None, 7, span)


@pytest.mark.parametrize(
    ("count", "of", "state"),
    [(10, 100, "accepted"), (11, 100, "grown"), (11, 200, "accepted"), (9, 10, "accepted"), (11, 110, "accepted"), (11, 109, "grown")],
)
def test_a_finding_has_grown_only_where_both_number_and_share_have(count: int, of: int, state: str) -> None:
    then = Finding("c", "events", "warning", 10, 100, "rows", "m", (), "m", "SELECT 1")
    assert state_of(replace(then, count=count, of=of), _accepted(then), date(2026, 1, 10)) == state


def test_an_outage_that_goes_on_stays_accepted_and_one_that_had_ended_does_not_if_it_proves_longer() -> None:
    first, day = date(2026, 1, 1), date(2026, 2, 1)
    going_on, ended = _accepted(_span(first, None, 8)), _accepted(_span(first, date(2026, 1, 8), 8))
    assert state_of(_span(first, None, 30), going_on, day) == "accepted"
    assert state_of(_span(first, date(2026, 1, 30), 30), going_on, day) == "accepted"
    assert state_of(_span(first, date(2026, 1, 30), 30), ended, day) == "grown"


def test_days_whose_first_moves_when_more_is_loaded_are_still_the_accepted_ones() -> None:
    accepted = _accepted(_span(date(2026, 1, 2), date(2026, 1, 8), 7))
    known = {accepted.finding: accepted}
    assert acceptance_of(_span(date(2026, 1, 1), date(2026, 1, 8), 8), known) == accepted
    assert acceptance_of(_span(date(2026, 1, 9), date(2026, 1, 12), 4), known) is None
    other = replace(_span(date(2026, 1, 2), date(2026, 1, 8), 7), subject="export/2026-01-02")
    assert acceptance_of(other, known) is None


def test_an_erasure_takes_out_what_checks_say_of_the_id_and_names_acceptances_that_do(book: Book) -> None:
    place, secret = open_workspace(book.folder), "ACCOUNT-OF-KIM"
    rows = [f"A-{n % 2 + 1},2026-0{1 + n // 28}-{1 + n % 28:02d} 09:00,login" for n in range(112)]
    named = [f"A-{n % 2 + 1},2026-0{1 + n // 28}-{1 + n % 28:02d} 10:00,{secret}" for n in range(112) if not 60 <= n < 75]
    assert book.load(book.export("usage-2.csv", (USAGE[0], *rows, *named, f"{secret},2026-01-05 08:00,login"))).code == 0
    held = book.folder / "warehouse" / "catalog.db"
    with place.catalog() as catalog:
        found, version = catalog.latest_check(), catalog.current()
        assert found is not None
        assert version is not None
        document, body = json.loads(found.document), {"book_digest": version.digest, "whole": True}
        document["findings"][0]["subject"] = f"{secret}/2026-03-05"
        entry = catalog.record_check(version.version, body, json.dumps(document), datetime(2026, 9, 1, tzinfo=UTC))
    assert book.run("accept", ORPHANS, "--why", f"{secret} is a trial").code == 0
    ran = book.run("erase", "--account", secret, "--yes")
    said = " ".join(ran.out.split())
    assert f"Records of checks that name it: ledger entries {entry.seq}." in said
    assert "Acceptances whose words name it stay" in said
    with sqlite3.connect(held) as connection:
        assert [text for (text,) in connection.execute("SELECT document FROM checks") if secret in text] == []
    connection.close()
    assert book.run("ledger", "verify").code == 0
    assert book.run("check", "--fail-on", "never").code == 0
