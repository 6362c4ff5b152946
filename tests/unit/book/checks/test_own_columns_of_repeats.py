"""Own columns of any name in tables whose rows are compared with each other; ids of several columns of which one is empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.unit.book.checks.loaded_checks import Export, Rows, checked
from tests.unit.book.checks.views import findings
from unspun.book.checks.duplicates import CHECKS
from unspun.book.checks.moved_accounts import MOVED_ACCOUNTS
from unspun.book.checks.repeated_ids import REPEATED_IDS
from unspun.book.checks.units import CHECKS as UNITS

NAMES = (
    "code", "coarse", "copy", "copy_in_file", "day", "differing", "file", "files", "first_file", "first_row", "found", "groups",
    "held", "looked_at", "n", "own_file", "own_row", "remainder", "remainders", "repeats_file", "repeats_row", "rows",
)  # fmt: skip
FIRST = datetime(2026, 1, 1, 10, 0, 1, tzinfo=UTC)
Found = dict[str, tuple[int, list[tuple[int, int]]]]


def _rows(table: str, own: Mapping[str, object]) -> list[dict[str, Any]]:
    """Rows with ids, of which 3 are written twice (in one file), 4 share an id with another row, and 2 stand in the next file too."""
    happened, identifier = ("answered", "response_id") if table == "responses" else ("occurred", f"{table.removesuffix('s')}_id")
    rows = [{"account_id": "A", happened: FIRST + timedelta(seconds=7 * n), identifier: f"I-{n}", **own} for n in range(100)]
    if table == "events":
        rows = [{**row, "event": "open"} for row in rows]
    return [*rows, *rows[:3], *({**row, "account_id": "B"} for row in (rows[10], rows[20]))]


def _found(folder: Path, table: str, own: Mapping[str, object]) -> Found:
    rows: Rows = _rows(table, own)
    kinds = dict.fromkeys(own, "text")
    exports = (Export("one.csv", table, rows, kinds), Export("two.csv", table, [rows[50], rows[51]], kinds))
    shown = checked(folder, CHECKS, *exports)
    return {name: (one.finding.count, [(row["source_file"], row["source_row"]) for row in one.rows]) for name, one in shown.items()}


@pytest.mark.parametrize("table", ["events", "responses", "touchpoints"])
def test_rows_that_repeat_are_found_and_shown_whatever_own_columns_are_called(tmp_path: Path, table: str) -> None:
    plain = _found(tmp_path / "plain", table, {})
    assert {name.removeprefix("equal_rows/").removeprefix("repeated_ids/"): count for name, (count, _) in plain.items()} == {
        f"{table}/within_file": 3, f"{table}/across_files": 2, f"{table}/{'event_id' if table == 'events' else table[:-1] + '_id'}": 4,
    }  # fmt: skip
    assert all(len(rows) == count for count, rows in plain.values())
    assert _found(tmp_path / "own", table, dict.fromkeys(NAMES, "x")) == plain


def test_the_row_that_is_repeated_is_named_beside_own_columns_that_would_have_the_name(tmp_path: Path) -> None:
    rows = [{"account_id": "A", "occurred": FIRST, "event": "open", "repeats_row": "theirs"}] * 2
    found = checked(tmp_path, CHECKS, Export("events.csv", "events", rows, {"repeats_row": "text"}))
    (row,) = found["equal_rows/events/within_file"].rows
    assert (row["repeats_row"], row["repeats_file"], row["_repeats_row"], row["source_row"]) == ("theirs", 1, 2, 3)


def test_an_answer_without_a_question_that_repeats_its_id_is_shown_as_it_is_counted() -> None:
    rows = [
        {"account_id": "A", "response_id": f"R-{n}", "question": None if n % 2 else "NPS", "answered": FIRST + timedelta(days=n)}
        for n in range(60)
    ]
    book = {"responses": [*rows, *({**row, "answer": 9.0} for row in rows[:5])]}
    found = findings(book, (REPEATED_IDS,))["repeated_ids/responses/response_id"]
    assert (found.finding.count, len(found.rows)) == (10, 10)
    assert sum(row["question"] is None for row in found.rows) == 4


def test_people_who_move_are_found_whatever_own_columns_of_contacts_are_called(tmp_path: Path) -> None:
    def moves(folder: Path, own: Mapping[str, object]) -> dict[str, tuple[int, int]]:
        rows = [
            {"contact_id": f"K-{n}", "account_id": account, "dated": day, "email": f"p{n}@x.example", **own}
            for account, day in (("A", "2025-01-01"), ("B", "2025-06-01"))
            for n in range(5)
        ]
        found = checked(folder, (MOVED_ACCOUNTS,), Export("contacts.csv", "contacts", rows, dict.fromkeys(own, "text")))
        return {name: (one.finding.count, len(one.rows)) for name, one in found.items()}

    plain = moves(tmp_path / "plain", {})
    assert plain == {"moved_accounts/contacts/renumbered": (1, 5)}
    assert moves(tmp_path / "own", dict.fromkeys(("person", "day", "until", "first", "last", "began", "kind"), "x")) == plain


@pytest.mark.parametrize("size", ["1", "99999999999"])
def test_amounts_as_large_as_can_be_kept_are_followed_as_others_are(tmp_path: Path, size: str) -> None:
    rows = [
        {"account_id": f"A-{n}", "subscription_id": f"S-{n}-{year}", "started": date(year, 1, 1), "ended": date(year + 1, 1, 1)}
        | {"amount": f"{size}000" if year == 2025 else size, "amount_months": 0}
        for n in range(20)
        for year in (2024, 2025)
    ]
    (one,) = checked(tmp_path, UNITS, Export("terms.csv", "subscriptions", rows)).values()
    assert (one.finding.id, one.finding.count) == ("units/subscriptions/amount/times 1000", 20)
