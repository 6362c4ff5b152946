"""`unspun check` and `unspun accept`, as an analyst uses them: found, opened, accepted, grown, withdrawn, and proved."""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from tests.doors.book_files import ACCOUNTS, BOOK, TERMS, Book
from tests.doors.cli_files import run

USAGE = (
    "id,at,what", "A-1,2026-01-07 10:00,login", "A-2,2026-03-08 11:00,export", "A-9,2026-03-09 11:00,login", "A-9,2026-03-10 11:00,login",
)  # fmt: skip
ORPHANS = "orphan_accounts/events"


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A book in which two of four events are of an account that it does not hold."""
    made = Book(tmp_path)
    assert run("init", made.folder).code == 0
    (made.folder / "book.yml").write_text(BOOK, encoding="utf-8")
    files = [made.export("accounts.csv", ACCOUNTS), made.export("terms.csv", TERMS), made.export("usage.csv", USAGE)]
    assert made.load(*files).code == 0
    return made


def found(book: Book, *options: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code of a check, and its findings by id."""
    ran = book.run("check", "--json", *options)
    assert ran.code in (0, 3), ran.err
    return ran.code, {one["id"]: one for one in json.loads(ran.out)["findings"]}


def test_a_finding_says_how_many_rows_of_how_many_and_shows_some(book: Book) -> None:
    code, findings = found(book)
    orphans = findings[ORPHANS]
    assert code == 3
    assert (orphans["count"], orphans["of"], orphans["severity"], orphans["state"]) == (2, 4, "error", "open")
    assert {row["cells"]["account_id"] for row in orphans["examples"]} == {"A-9"}


def test_the_rows_behind_a_finding_are_written_with_a_manifest_that_fits_them(book: Book, tmp_path: Path) -> None:
    target = tmp_path / "rows.csv"
    assert book.run("check", ORPHANS, "--rows", target).code == 3
    with target.open(newline="") as file:
        rows = list(csv.DictReader(file))
    manifest = json.loads(Path(f"{target}.manifest.json").read_text())
    assert [row["account_id"] for row in rows] == ["A-9", "A-9"]
    assert manifest["csv"]["sha256"] == hashlib.sha256(target.read_bytes()).hexdigest()
    assert manifest["rows"] == 2
    assert manifest["source_files"] == {rows[0]["source_file"]: "usage.csv"}


def test_a_later_load_says_first_what_is_new_with_it(book: Book) -> None:
    more = book.load(book.export("terms-2.csv", ("line,id,from,to,mrr", "L-3,A-1,2026-05-01,2026-01-01,5"))).out
    told = " ".join(more[more.index("New or worse with this load: 1 error.") :].split())
    assert "end before they start" in told and "of events" not in told  # which the load before it had told
    assert "In all, 2 errors stand" in told
    again = json.loads(book.load(book.export("terms-3.csv", ("line,id,from,to,mrr", "L-4,A-2,2027-01-31,,80")), "--json").out)
    assert {one["id"]: one["new"] for one in again["check"]["findings"] if one["severity"] == "error"} == {
        ORPHANS: False,
        "terms_without_days/subscriptions/ended_before_started": False,
    }


def test_what_is_accepted_stands_no_longer_and_says_who_and_why(book: Book) -> None:
    found(book)
    assert book.run("accept", ORPHANS, "--why", "a trial, not a customer", "--by", "Kim").code == 0
    code, findings = found(book)
    assert code == 0
    taken = findings[ORPHANS]["acceptance"]
    assert (findings[ORPHANS]["state"], taken["who"], taken["why"], taken["count"]) == ("accepted", "Kim", "a trial, not a customer", 2)
    entry = json.loads(book.run("ledger", "show", "--kind", "acceptance", "--json").out)[-1]
    assert entry["body"]["why"] == "a trial, not a customer"


def test_an_accepted_finding_that_grows_stands_again(book: Book) -> None:
    found(book)
    book.run("accept", ORPHANS, "--why", "a trial", "--by", "Kim")
    more = (USAGE[0], *(f"A-8,2026-03-{day:02d} 09:00,login" for day in range(1, 20)))
    assert book.load(book.export("usage-2.csv", more)).code == 0
    code, findings = found(book)
    assert (code, findings[ORPHANS]["state"], findings[ORPHANS]["count"]) == (3, "grown", 21)


def test_an_acceptance_can_be_withdrawn_and_runs_out(book: Book) -> None:
    found(book)
    book.run("accept", ORPHANS, "--why", "a trial", "--by", "Kim")
    assert book.run("accept", ORPHANS, "--withdraw", "--why", "it is none").code == 0
    assert found(book)[1][ORPHANS]["state"] == "open"
    late = book.run("accept", ORPHANS, "--why", "a trial", "--until", "2020-01-01")
    assert late.code == 2
    assert "2020-01-01 is over" in late.err


def test_nothing_is_accepted_without_a_reason_or_that_no_check_has_found(book: Book) -> None:
    found(book)
    assert "needs a reason" in book.run("accept", ORPHANS).err
    slip = book.run("accept", "orphan_acounts/events", "--why", "x")
    assert slip.code == 2
    assert ORPHANS in slip.err


def test_severity_decides_whether_a_pipeline_stops(book: Book) -> None:
    assert book.run("check", "--fail-on", "never").code == 0
    assert book.run("check", "--fail-on", "note").code == 3
    assert book.run("check", "--fail-on", "grave").code == 2


def test_an_earlier_day_is_checked_as_it_was_known(book: Book) -> None:
    assert ORPHANS not in found(book, "--as-of", "2026-03-08")[1]


def test_figures_say_what_was_found_in_the_tables_that_they_are_computed_from(book: Book) -> None:
    assert "not checked" not in book.run("retention").out  # a load checks the book
    renewed = ("line,id,from,to,mrr", "L-3,A-1,2026-06-01,2027-05-31,100.50")
    assert book.load(book.export("terms-2.csv", renewed), "--no-check").code == 0
    assert "the last check was of book version" in " ".join(book.run("retention").out.split())


def test_the_same_check_of_the_same_version_is_one_entry_of_the_ledger(book: Book) -> None:
    first, second = (json.loads(book.run("check", "--json").out)["entry"] for _ in range(2))
    assert first == second


def test_a_record_of_a_check_that_was_changed_is_found(book: Book) -> None:
    found(book)
    assert book.run("ledger", "verify").code == 0
    with sqlite3.connect(book.folder / "warehouse" / "catalog.db") as connection:
        connection.execute("UPDATE checks SET document = replace(document, 'error', 'note')")
    connection.close()
    ran = book.run("ledger", "verify")
    assert ran.code == 3
    assert "the check of ledger entry" in ran.out + ran.err


def test_an_empty_book_has_nothing_to_check(tmp_path: Path) -> None:
    assert run("init", tmp_path / "book").code == 0
    ran = run("check", "--workspace", tmp_path / "book")
    assert ran.code == 2
    assert "nothing is loaded yet" in ran.err
