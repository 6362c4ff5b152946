"""Row versions as the metric language sees them: on which day a row happened, from when until when a version was what was known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from unspun.book.entities import TABLES, Table
from unspun.metrics.question import HeldTable, PanelQuestion
from unspun.metrics.settled import settled_by

Cell = str | int | float | Decimal | bool | date | None
"""A cell; instants are the days on which they lie in the book's time zone."""
SourceRow = Mapping[str, Any]
"""A row of `<table>_versions`: instants are datetimes with a zone, amounts Decimals."""
DAY_TABLES = frozenset(one.name for one in TABLES.values() if (column := one.column(one.happened)) is not None and column.kind == "day")
"""Tables whose rows happen on a day, and so on the same day in every time zone."""


@dataclass(frozen=True, slots=True)
class RowVersion:
    """A version of a row. Days are calendar days in the book's time zone.

    It is visible from `seen_from` until the day before `seen_until` (None: it is the last). `received` is the day on which its load was
    received, None where that is not said. `instants` are the cells that are instants, as they are. `order` sorts the rows of an account by
    when they happened; `stated` are the columns that a row of a state table states.
    """

    account: str | None
    day: date | None
    seen_from: date
    seen_until: date | None
    order: tuple[Any, ...]
    received: date | None
    cells: Mapping[str, Cell]
    instants: Mapping[str, datetime]
    settled_by: Mapping[str, str]
    stated: frozenset[str]

    def is_visible(self, as_of: date) -> bool:
        """Whether this version is what was known of the row at the end of a day."""
        return self.seen_from <= as_of and (self.seen_until is None or as_of < self.seen_until)

    def happened_by(self, day: date) -> bool:
        return self.day is not None and self.day <= day

    def cell(self, column: str, as_of: date) -> Cell:
        """What a column held by the end of a day; a cell that was filled in later is empty."""
        return self.cells.get(column) if self._is_readable(column, as_of) else None

    def _is_readable(self, column: str, as_of: date) -> bool:
        if column not in self.settled_by:
            return True
        if self.day is not None and self.seen_from > self.day:
            return True
        settled = self.cells.get(self.settled_by[column])
        if isinstance(settled, date) and settled <= as_of:
            return True
        return self.received is not None and self.received <= as_of


@dataclass(frozen=True, slots=True)
class BookRows:
    """The row versions of every table, and those of each account; rows without an account and rows that never happened are left out."""

    tables: Mapping[str, Sequence[RowVersion]]
    by_account: Mapping[tuple[str, str], Sequence[RowVersion]]

    def visible(self, table: str, account: str, as_of: date) -> list[RowVersion]:
        """An account's rows as they were known at the end of a day, whenever they happen."""
        return [row for row in self.by_account.get((table, account), ()) if row.is_visible(as_of)]

    def has_appeared(self, account: str, as_of: date) -> bool:
        """Whether any term, purchase or event of an account, in whatever version, had happened and was known by the end of a day."""
        rows = [row for table in ("subscriptions", "purchases", "events") for row in self.by_account.get((table, account), ())]
        return any(row.happened_by(as_of) and row.seen_from <= as_of for row in rows)

    def days_held(self, table: str, as_of: date, until: date) -> list[date]:
        """The days, up to one, on which any account had a row, by what was known at the end of another."""
        rows = self.tables.get(table, ())
        return [row.day for row in rows if row.is_visible(as_of) and row.day is not None and row.day <= until]


def read_rows(question: PanelQuestion, rows: Mapping[str, Sequence[SourceRow]]) -> BookRows:
    """The dated tables of the book (state tables: see `states.py`)."""
    tables: dict[str, list[RowVersion]] = {}
    by_account: dict[tuple[str, str], list[RowVersion]] = {}
    for name, held in question.tables.items():
        entity = next((one for one in TABLES.values() if one.name == name and not one.state), None)
        if entity is None:
            continue
        for row in row_versions(question, entity, held, rows.get(name, ())):
            if row.account is not None and row.day is not None:
                tables.setdefault(name, []).append(row)
                by_account.setdefault((name, row.account), []).append(row)
    return BookRows(tables, by_account)


def row_versions(question: PanelQuestion, entity: Table, held: HeldTable, rows: Iterable[SourceRow]) -> Iterator[RowVersion]:
    """The versions of a table's rows, each with the day from which the next version of its row takes its place."""
    by_row: dict[tuple[Any, ...], list[SourceRow]] = {}
    superseding = held.several_versions and not entity.state  # a statement adds to the earlier ones
    for place, row in enumerate(rows):
        identity = tuple(row[column] for column in held.key or ("source_file", "source_row")) if superseding else (place,)
        by_row.setdefault(identity, []).append(row)
    for versions in by_row.values():
        versions.sort(key=_later)
        for place, version in enumerate(versions):
            following = versions[place + 1] if place + 1 < len(versions) else None
            yield _row_version(question, entity, held, version, following)


def local_day(instant: datetime, zone: str) -> date:
    """The calendar day on which an instant lies in a time zone."""
    return instant.astimezone(ZoneInfo(zone)).date()


def days_before(day: date, days: int) -> date:
    """The day so many days earlier; the first day that there is where that would lie before it."""
    return date.fromordinal(max(1, day.toordinal() - days))


def day_after(day: date) -> date:
    return day + timedelta(days=1)


def _later(row: SourceRow) -> tuple[Any, ...]:
    return (row["known_at"], row["load"], row["source_file"], row["source_row"])


def _row_version(question: PanelQuestion, entity: Table, held: HeldTable, row: SourceRow, following: SourceRow | None) -> RowVersion:
    zone = question.time_zone
    cells = {column: _cell(value, zone) for column, value in row.items()}
    happened = cells[entity.happened if entity.name in DAY_TABLES else "happened_at"]
    settling = {column: settled_by(entity.name, column) for column in held.columns}
    return RowVersion(
        account=row.get("account_id"),
        day=happened if isinstance(happened, date) else None,
        seen_from=local_day(row["known_at"], zone),
        seen_until=None if following is None else local_day(following["known_at"], zone),
        order=(row["happened_at"], *(_later(row) if entity.state else _later(row)[1:])),
        received=question.received.get(row["load"]),
        cells=cells,
        instants={column: value for column, value in row.items() if isinstance(value, datetime)},
        settled_by={column: by for column, by in settling.items() if by is not None},
        stated=frozenset((row.get("stated") or "").split(",")),
    )


def _cell(value: Any, zone: str) -> Cell:
    return local_day(value, zone) if isinstance(value, datetime) else value
