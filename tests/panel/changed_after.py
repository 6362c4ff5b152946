"""A book in which what happened or became known after a day is another: rows, corrections, ends of tickets, outages, accounts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, cast

from tests.panel.random_books import (
    CLOCKS,
    Maker,
    Row,
    SmallBook,
    corrected,
    each_once,
    has_several_versions,
    instant_on,
    kinds_of,
    local_day,
    made_row,
    made_span,
)
from unspun.book.checks.finding import Span
from unspun.book.entities import TABLES, TableName
from unspun.metrics.question import HeldTable

WRITTEN_LATER: Mapping[TableName, Mapping[str, tuple[str, ...]]] = {
    "tickets": {"first_answered": (), "closed": ("status", "satisfaction", "own_text", "own_effort")},
    "subscriptions": {"notice": (), "cancelled_on": ()},
}
"""Columns that are filled in on their own day, and those that are filled in with them: told here again, not read from the product."""
NEWCOMER = "z, who came later"


def changed_after(random: Random, book: SmallBook, day: date) -> SmallBook:
    """The book with anything that lies after the end of a day changed, taken away or added; what was known by then stays."""
    maker = Maker(random, day + timedelta(days=60), book.time_zone, rows_made=10_000)
    tables: dict[TableName, tuple[Row, ...]] = {name: _changed_rows(maker, book, name, rows, day) for name, rows in book.tables.items()}
    for name in ("purchases", "tickets", "events", "subscriptions"):
        if name not in tables and random.random() < 0.5:
            tables[name] = tuple(_newcomers(maker, name, (), day))
    kept: dict[TableName, tuple[Row, ...]] = {name: rows for name, rows in tables.items() if rows}
    received = {load: when if when <= day else day + timedelta(days=random.randint(1, 90)) for load, when in book.received.items()}
    return replace(
        book,
        tables=kept,
        held={name: _held(book, name, rows) for name, rows in kept.items()},
        received=received,
        outages={name: tuple(_spans(maker, spans, day)) for name, spans in book.outages.items()},
    )


def _held(book: SmallBook, name: TableName, rows: tuple[Row, ...]) -> HeldTable:
    held = book.held.get(name) or HeldTable(kinds_of(name), TABLES[name].key)
    return replace(held, rows=len(rows), several_versions=held.several_versions or has_several_versions(name, rows, held.key))


def _changed_rows(maker: Maker, book: SmallBook, name: TableName, rows: tuple[Row, ...], day: date) -> tuple[Row, ...]:
    key = book.held[name].key
    made = [one for row in rows for one in _fate(maker, book, name, row, day)]
    if not made and name == "accounts":  # whether a book maps the seats of accounts is its definition, and stays
        return rows
    return each_once(name, [*made, *_newcomers(maker, name, key, day)], key)


def _fate(maker: Maker, book: SmallBook, name: TableName, row: Row, day: date) -> list[Row]:
    """What becomes of a row version: stays, is changed, goes, or gets a correction that is known later."""
    random, key = maker.random, book.held[name].key
    if local_day(row["known_at"], book.time_zone) > day:
        return _of_later(maker, name, row, key, day)
    happened = _day_of(name, row, book.time_zone)
    if happened is None or happened > day:
        if TABLES[name].state and random.random() < 0.5:
            return []
        aside = {*key, TABLES[name].happened, "account_id"}
        row = row | {column: maker.cell(kind) for column, kind in kinds_of(name).items() if column not in aside and random.random() < 0.5}
    else:
        row = row | _rewritten(maker, book, name, row, day)
    if key and not TABLES[name].state and random.random() < 0.4:
        return [row, _known_after(maker, corrected(maker, TABLES[name], key, row), day)]
    return [row]


def _of_later(maker: Maker, name: TableName, row: Row, key: tuple[str, ...], day: date) -> list[Row]:
    choice = maker.random.randrange(4)
    if choice == 0:
        return []
    return [row if choice == 1 else _known_after(maker, corrected(maker, TABLES[name], key or ("source_row",), row), day)]


def _day_of(name: TableName, row: Row, zone: str) -> date | None:
    column = TABLES[name].happened
    if kinds_of(name)[column] == "day":
        return cast("date | None", row[column])
    return None if row["happened_at"] is None else local_day(row["happened_at"], zone)


def _rewritten(maker: Maker, book: SmallBook, name: TableName, row: Row, day: date) -> dict[str, Any]:
    """Cells that were filled in after the day: as an export of today holds them, loaded as a history."""
    happened, zone = _day_of(name, row, book.time_zone), book.time_zone
    received = book.received.get(row["load"])
    if happened is None or local_day(row["known_at"], zone) > happened or (received is not None and received <= day):
        return {}
    found: dict[str, Any] = {}
    for column, beside in WRITTEN_LATER.get(name, {}).items():
        settled = row[column]
        settled = local_day(settled, zone) if isinstance(settled, datetime) else settled
        if (settled is None or settled > day) and maker.random.random() < 0.7:
            later = day + timedelta(days=maker.random.randint(1, 50))
            found[column] = later if kinds_of(name)[column] == "day" else instant_on(later, CLOCKS[-2], zone)
            found |= {other: maker.cell(kinds_of(name)[other]) for other in beside}
    if name == "subscriptions" and (row["ended"] is None or row["ended"] > day):
        found["churned"] = maker.cell("flag")
    return found


def _known_after(maker: Maker, row: Row, day: date) -> Row:
    known = instant_on(day + timedelta(days=maker.random.choice((1, 1, 2, 30))), maker.random.choice(CLOCKS[2:]), maker.zone)
    return row | {"known_at": known}


def _newcomers(maker: Maker, name: TableName, key: tuple[str, ...], day: date) -> list[Row]:
    """New rows, known after the day: of late news of days before it, and of accounts that nobody knew."""
    rows = [_known_after(maker, made_row(maker, TABLES[name], key, 500 + place), day) for place in range(maker.random.randint(0, 5))]
    return [row | {"account_id": NEWCOMER} if "account_id" in row and maker.random.random() < 0.4 else row for row in rows]


def _spans(maker: Maker, spans: tuple[Span, ...], day: date) -> list[Span]:
    """Outages of later days are others; one that has begun ends on another later day."""
    kept = [span for span in spans if span.first <= day]
    moved = [replace(span, last=day + timedelta(days=5)) if span.last is None or span.last >= day else span for span in kept]
    return [*moved, replace(made_span(maker), first=day + timedelta(days=1), last=None)]
