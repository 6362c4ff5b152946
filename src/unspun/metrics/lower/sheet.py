"""Sheets: all that is known of each unit in one row, for an engine that puts tables side by side by place.

Units are numbered without gaps, an account after another, each with all its as-of dates. So an engine that has arrays needs no joins: the
rows of a table by unit go to their places, windows are differences of running totals over an account's panes, and distinct values are
added up bit by bit. All is fetched for a slice of the units at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

SHEET = "sheet"
"""The name by which queries read a sheet."""
BOUNDS = (exp.Parameter(this=exp.Literal.number(1)), exp.Parameter(this=exp.Literal.number(2)))
"""The parameters of a slice: its first place, and the first after it."""
Made = Literal["sum", "amount", "least", "greatest"]
"""How a window is made of its panes; an amount is a sum of decimals, given as the nearest double."""


@dataclass(frozen=True, slots=True)
class Beside:
    """A table with at most one row for each unit, or as-of date (`point`): this key and columns by the names that the sheet gives them.

    By unit: those from the first parameter to before the second. A unit without a row has NULL in its columns.
    """

    key: Literal["unit", "point"]
    rows: exp.Select


@dataclass(frozen=True, slots=True)
class Window:
    """A column of a sheet: what column `of` of panes comes to over window `frame`. A sum of nothing is 0, an extreme NULL."""

    name: str
    of: str
    frame: int
    made: Made


@dataclass(frozen=True, slots=True)
class PaneWindows:
    """Windows made of panes. `rows`, of the accounts from the first parameter to before the second: `account`, `pane`, from which as-of
    date they are seen (`late`; 0: with their pane), where `superseded` until before which (`until`), and columns.

    `frames`: for each window and pane the as-of dates whose window holds the pane, from a place until before another.
    """

    rows: exp.Select
    superseded: bool
    frames: tuple[tuple[tuple[int, int], ...], ...]
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class MaskCounts:
    """Counts of masks. `rows`, of the accounts from the first parameter to before the second: `account` and words of masks.

    `counts`: for each column of the sheet, by as-of date, the word and the place of the bit that is counted over the account's rows.
    """

    rows: exp.Select
    counts: Mapping[str, tuple[tuple[str, int], ...]]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a sheet is made of. `units` gives its rows from the first parameter to before the second, by `place`: among others `place`,
    `unit` and `point`. An account has `dates` units (0: each account its own)."""

    units: exp.Select
    dates: int
    beside: tuple[Beside, ...]
    windows: tuple[PaneWindows, ...] = ()
    counts: tuple[MaskCounts, ...] = ()

    @property
    def queries(self) -> tuple[exp.Select, ...]:
        """All queries that fetch a part of it."""
        return (self.units, *(one.rows for part in (self.beside, self.windows, self.counts) for one in part))

    @property
    def tables(self) -> frozenset[str]:
        """The tables that it is made of."""
        return frozenset(table.name for query in self.queries for table in query.find_all(exp.Table))

    def described(self, sql: Callable[[exp.Query], str]) -> Iterator[str]:
        """How it is made, line by line; `sql` writes a query."""
        yield sql(self.units)
        for one in self.beside:
            yield f"beside, by {one.key}: {sql(one.rows)}"
        for table in self.windows:
            yield f"windows of panes: {sql(table.rows)}"
            yield from (f"{one.name}: {one.made} of {one.of} over window {one.frame}" for one in table.windows)
        for masks in self.counts:
            yield f"counts of masks: {sql(masks.rows)}"
            yield from (f"{name}: bits {', '.join(f'{word}.{bit}' for word, bit in bits)}" for name, bits in masks.counts.items())

    @property
    def width(self) -> int:
        """How many columns it has, about."""
        return sum(len(query.expressions) for query in self.queries) + sum(len(one.windows) for one in self.windows)


def in_slice(place: exp.Expr) -> exp.Expr:
    """Whether a place lies in the slice."""
    low, high = (exp.cast(bound.copy(), "bigint") for bound in BOUNDS)
    return exp.and_(exp.GTE(this=place.copy(), expression=low), exp.LT(this=place.copy(), expression=high))


def beside_unit(table: str, columns: Sequence[str]) -> Beside:
    """Columns of a table by unit; in the sheet they have the names of both, with two signs `_` between."""
    picked = [exp.column(column).as_(f"{table}__{column}") for column in columns]
    return Beside("unit", exp.select("unit", *picked).from_(table).where(in_slice(exp.column("unit"))))


def beside_point(table: str, columns: Mapping[str, str]) -> Beside:
    """Columns of a table by as-of date."""
    return Beside("point", exp.select("point", *(exp.column(column).as_(name) for name, column in columns.items())).from_(table))
