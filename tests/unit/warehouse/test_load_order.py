"""The book as of every date does not depend on how rows that say when they were known came in: against a plain reference in Python."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.warehouse.loaded_books import ACCOUNTS, DATED_TICKETS, book, counts, day, load, read, write_rows
from unspun.book.mapping.definition import SourceMapping

FIRST, DAYS = day("2024-01-01"), 4
STATEMENTS = SourceMapping(
    ("accounts*.csv",),
    "accounts",
    {"account_id": "account", "dated": "from", "plan": "plan", "known_at": "known"},
)
Row = tuple[str, int, int, str | None]  # id, day it happened or holds from, day it was known, value
SETTINGS = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def histories(draw: st.DrawFn, one_date: bool) -> list[Row]:
    """Versions of rows with no two values for one identity and known_at. `one_date`: a row happens on one day for good."""
    values = st.sampled_from(["a", "b", None])
    ids = st.sampled_from(["x", "y", "z"])
    days = st.integers(0, DAYS - 1)
    happened = {name: draw(days) for name in ("x", "y", "z")}
    found = draw(st.dictionaries(st.tuples(ids, days, days), values, min_size=1, max_size=12))
    rows = {(name, happened[name] if one_date else at, known): value for (name, at, known), value in found.items()}
    return [(name, at, known, value) for (name, at, known), value in rows.items()]


@st.composite
def splits(draw: st.DrawFn, one_date: bool) -> tuple[list[Row], list[list[Row]]]:
    """A history, and the same rows (some of them twice) in any order in up to three files."""
    rows = draw(histories(one_date))
    shuffled = draw(st.permutations([*rows, *draw(st.lists(st.sampled_from(rows), max_size=3))]))
    cuts = sorted(draw(st.lists(st.integers(0, len(shuffled)), max_size=2)))
    pieces = [shuffled[start:end] for start, end in zip([0, *cuts], [*cuts, len(shuffled)], strict=True)]
    return rows, [piece for piece in pieces if piece]


def written(day_number: int) -> str:
    return (FIRST + timedelta(days=day_number)).date().isoformat()


def newest_known(rows: Sequence[Row], before: int) -> dict[tuple[str, int], Row]:
    """Of each identity the version known last before the start of a day."""
    found: dict[tuple[str, int], Row] = {}
    for row in rows:
        held = found.get(row[:2])
        if row[2] < before and (held is None or held[2] < row[2]):
            found[row[:2]] = row
    return found


@SETTINGS
@given(splits(one_date=True))
def test_any_split_and_order_of_dated_knowledge_gives_the_same_rows_as_of_every_date(case: tuple[list[Row], list[list[Row]]]) -> None:
    rows, pieces = case
    with tempfile.TemporaryDirectory() as name, book(Path(name)) as catalog:
        for number, piece in enumerate(pieces):
            lines = [
                {
                    "account": "1",
                    "ticket": row[0],
                    "opened": written(row[1]),
                    "status": row[3] or "",
                    "priority": "p",
                    "updated": written(row[2]),
                }
                for row in piece
            ]
            result = load(catalog, "2024-03-01", (write_rows(Path(name) / f"{number}.csv", lines), DATED_TICKETS))
            assert not any(source.rows_rejected for source in result.sources)
        for before in range(DAYS + 1):
            expected = sorted((row[0], row[3] or "") for row in newest_known(rows, before).values())
            found = read(catalog, "SELECT ticket_id, coalesce(status, '') FROM tickets", FIRST + timedelta(days=before))
            assert sorted(found) == expected


@SETTINGS
@given(splits(one_date=False))
def test_any_split_and_order_of_statements_gives_the_same_state_as_of_every_date(case: tuple[list[Row], list[list[Row]]]) -> None:
    rows, pieces = case
    with tempfile.TemporaryDirectory() as name, book(Path(name)) as catalog:
        for number, piece in enumerate(pieces):
            lines = [{"account": row[0], "from": written(row[1]), "plan": row[3] or "", "known": written(row[2])} for row in piece]
            load(catalog, "2024-03-01", (write_rows(Path(name) / f"{number}.csv", lines), STATEMENTS))
        for before in range(DAYS + 1):
            state: dict[str, Row] = {}
            for row in newest_known(rows, before).values():
                if row[1] < before and (row[0] not in state or state[row[0]][1] < row[1]):
                    state[row[0]] = row
            found = read(catalog, "SELECT account_id, coalesce(plan, '') FROM accounts", FIRST + timedelta(days=before))
            assert sorted(found) == sorted((row[0], row[3] or "") for row in state.values())


@SETTINGS
@given(st.lists(st.dictionaries(st.sampled_from("xyz"), st.sampled_from("ab"), min_size=1), min_size=1, max_size=4))
def test_snapshots_give_the_state_that_the_latest_of_them_says(snapshots: list[dict[str, str]]) -> None:
    said: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as name, book(Path(name)) as catalog:
        for number, snapshot in enumerate(snapshots):
            lines = [{"account": thing, "plan": plan, "seats": 1} for thing, plan in snapshot.items()]
            at = FIRST + timedelta(days=number)
            file = write_rows(Path(name) / f"{number}.csv", lines)
            result = load(catalog, "2024-03-01", (file, ACCOUNTS), known_at=at)
            new = sum(thing not in said for thing in snapshot)
            same = sum(said.get(thing) == plan for thing, plan in snapshot.items())
            assert counts(result) == ((len(snapshot), new, len(snapshot) - new - same, same, 0),)
            said |= snapshot
            assert dict(read(catalog, "SELECT account_id, plan FROM accounts", at + timedelta(days=1))) == said
