"""Duplicates: ids that stand for several rows, equal rows within a file and across files, rows turned away for their key."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.doors.book_files import empty_book
from tests.unit.book.checks.loaded_checks import AT, Export, Rows, checked
from unspun.app.checks import shape_of
from unspun.app.workspace import open_workspace
from unspun.book.checks.duplicates import CHECKS
from unspun.book.checks.finding import Finding
from unspun.book.checks.run import run_checks
from unspun.warehouse.read import open_book

Event = dict[str, object]


def event(account: str, occurred: str, **more: object) -> Event:
    return {"account_id": account, "occurred": occurred, "event": "open", **more}


def events_of(seed: int, rows: int, accounts: int = 30) -> list[Event]:
    """Events whose times are exact to the second and nearly never equal."""
    random = Random(seed)
    times = (f"{random.randint(1, 28):02d} {random.randint(0, 23):02d}:{number // 60 % 60:02d}:{number % 60:02d}" for number in range(rows))
    return [event(f"A-{random.randrange(accounts)}", f"2026-01-{time}") for time in times]


def copies(rows: Rows) -> int:
    """Rows beyond the first of each kind, counted in plain Python."""
    return sum(n - 1 for n in Counter(tuple(sorted(row.items())) for row in rows).values())


@pytest.mark.parametrize("seed", range(6))
def test_copies_within_files_and_across_them_are_those_that_plain_counting_finds(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    pool = [event(f"A-{n % 3}", f"2026-01-0{n % 4 + 1} 10:00:{n:02d}", value=n % 2) for n in range(12)]
    one, other = (random.choices(pool, k=random.randint(1, 25)) for _ in range(2))
    found = checked(tmp_path, CHECKS, Export("one.csv", "events", one), Export("other.csv", "events", other))
    within = copies(one) + copies(other)
    across = copies([*one, *other]) - within
    for subject, expected in (("within_file", within), ("across_files", across)):
        of_subject = found.get(f"equal_rows/events/{subject}")
        assert (of_subject.finding.count if of_subject else 0) == expected
        assert (len(of_subject.rows) if of_subject else 0) == expected
    if within:
        shown = found["equal_rows/events/within_file"].rows
        assert all(row["repeats_file"] == row["source_file"] and row["repeats_row"] < row["source_row"] for row in shown)


def test_rows_that_differ_in_one_column_or_are_empty_in_another_are_not_equal(tmp_path: Path) -> None:
    rows = [
        event("A", "2026-01-01 10:00:01", value=1),
        event("A", "2026-01-01 10:00:01", value=""),
        event("A", "2026-01-01 10:00:01", value=2),
    ]
    assert not checked(tmp_path, CHECKS, Export("events.csv", "events", rows))


def test_an_export_loaded_twice_under_another_name_is_an_error(tmp_path: Path) -> None:
    rows = events_of(1, 200)
    found = checked(tmp_path, CHECKS, Export("january.csv", "events", rows), Export("copy.csv", "events", [*reversed(rows)]))
    finding = found["equal_rows/events/across_files"].finding
    assert (finding.severity, finding.count, finding.of) == ("error", 200, 400)
    assert "the same export loaded twice" in finding.message


def test_exports_that_overlap_by_a_few_days_are_warned_of(tmp_path: Path) -> None:
    rows = events_of(2, 300)
    found = checked(tmp_path, CHECKS, Export("one.csv", "events", rows[:200]), Export("two.csv", "events", rows[180:]))
    finding = found["equal_rows/events/across_files"].finding
    assert (finding.severity, finding.count) == ("warning", 20)


def test_two_logins_of_an_account_on_one_day_are_only_described_where_rows_tell_the_day_alone(tmp_path: Path) -> None:
    random = Random(3)
    rows = [event(f"A-{random.randrange(20)}", f"2026-01-{random.randint(1, 9):02d}") for _ in range(2000)]
    found = checked(tmp_path, CHECKS, Export("logins.csv", "events", rows))
    assert [one.finding.severity for one in found.values()] == ["note"]
    assert "may be several things that happened" in found["equal_rows/events/within_file"].finding.message


def test_days_that_were_written_twice_are_told_from_days_on_which_much_happened(tmp_path: Path) -> None:
    days = [event(f"A-{number}", f"2026-01-{day:02d}") for day in range(1, 11) for number in range(60)]
    twice = [row for row in days if row["occurred"] == "2026-01-05"]
    found = checked(tmp_path, CHECKS, Export("logins.csv", "events", [*days, *twice]))
    finding = found["equal_rows/events/within_file"].finding
    assert (finding.severity, finding.count, finding.facts["doubled_days"]) == ("warning", 60, 1)


def test_equal_rows_to_the_second_are_graver_the_more_there_are(tmp_path: Path) -> None:
    rows = events_of(4, 1000)
    for copied, severity in ((2, "note"), (30, "warning"), (200, "error")):
        found = checked(tmp_path / str(copied), CHECKS, Export("events.csv", "events", [*rows, *rows[:copied]]))
        assert found["equal_rows/events/within_file"].finding.severity == severity


def test_ids_that_stand_for_different_rows_are_found_with_their_rows(tmp_path: Path) -> None:
    rows = [row | {"event_id": f"E-{number}"} for number, row in enumerate(events_of(5, 300))]
    rows[7]["event_id"], rows[8]["event_id"], rows[200]["event_id"] = "E-6", "E-6", "E-100"
    found = checked(tmp_path, CHECKS, Export("events.csv", "events", rows))
    one = found["repeated_ids/events/event_id"]
    assert (one.finding.severity, one.finding.count, one.finding.facts["ids"]) == ("warning", 5, 2)
    assert [row["source_row"] for row in one.rows] == [102, 202, 8, 9, 10]
    assert len(found) == 1


def test_an_id_that_stands_twice_with_the_same_row_is_an_equal_row_not_a_repeated_id(tmp_path: Path) -> None:
    rows = [row | {"event_id": f"E-{number}"} for number, row in enumerate(events_of(6, 100))]
    found = checked(tmp_path, CHECKS, Export("events.csv", "events", [*rows, rows[0]]))
    assert list(found) == ["equal_rows/events/within_file"]


def test_a_column_that_groups_rows_is_no_id_of_them(tmp_path: Path) -> None:
    rows = [row | {"session_id": f"S-{number // 5}"} for number, row in enumerate(events_of(7, 200))]
    assert not checked(tmp_path, CHECKS, Export("events.csv", "events", rows))


def test_a_response_may_answer_several_questions(tmp_path: Path) -> None:
    rows = [
        {"account_id": "A", "response_id": f"R-{number}", "question": question, "answered": "2026-01-05", "answer": number % 10}
        for number in range(40)
        for question in ("NPS", "CSAT")
    ]
    assert not checked(tmp_path, CHECKS, Export("responses.csv", "responses", rows))
    again = [*rows, {**rows[0], "answer": 9}]
    found = checked(tmp_path / "again", CHECKS, Export("responses.csv", "responses", again))
    assert found["repeated_ids/responses/response_id"].finding.count == 2


TICKETS = """\
sources:
  - files: "tickets*.csv"
    table: tickets
    columns: {ticket_id: id, account_id: account, opened: opened, status: status}
"""


def test_rows_turned_away_for_their_key_are_counted_until_they_are_mended(tmp_path: Path) -> None:
    book = empty_book(tmp_path)
    (book.folder / "book.yml").write_text(TICKETS, encoding="utf-8")
    rows = [f"T-{number},A,2026-01-05,open" for number in range(50)]
    book.load(book.export("tickets.csv", ["id,account,opened,status", *rows, "T-3,A,2026-01-05,closed"]), "--yes")
    (finding,) = findings_of(book.folder)
    assert (finding.id, finding.count, finding.of) == ("unsettled_keys/tickets", 2, 51)
    mended = tmp_path / "mended.csv"
    book.run("rejected", "--csv", mended)
    lines = mended.read_text(encoding="utf-8").splitlines()
    mended.write_text("\n".join(line for line in lines if "closed" not in line) + "\n", encoding="utf-8")
    book.load(mended, "--yes")
    (finding,) = findings_of(book.folder)
    assert finding.count == 1  # the other was not loaded again, so it is still open


def findings_of(folder: Path) -> list[Finding]:
    """What these checks find in a workspace."""
    workspace = open_workspace(folder)
    with workspace.catalog() as catalog:
        version = catalog.current()
        assert version is not None
        with open_book(catalog, version) as reader:
            outcomes = run_checks(shape_of(version, workspace.definition(), AT), CHECKS, reader.query, reader.register, lambda *_: None)
    return [finding for outcome in outcomes for finding in outcome.findings]
