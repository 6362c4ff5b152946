"""What is kept of rows, so that measures of any window can be made of it: counts, exact sums, extremes, masks of days, last rows.

Each kind is made of rows, and made again of itself: that of several panes is the combination of theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sqlglot import exp

from unspun.metrics.conditions import Condition
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.sources import ORDER, Source
from unspun.metrics.lower.terms import aggregate, as_billionths, both, counted, last_by, row, when
from unspun.metrics.nodes import (
    ActiveDays,
    Average,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToFirst,
    LastValue,
    Maximum,
    Measure,
    Minimum,
    Sum,
)

Kind = Literal["count", "filled", "sum", "least", "greatest", "first", "last", "days", "order", "last_cell", "last_day", "packed"]
ADDED: tuple[Kind, ...] = ("count", "filled", "sum", "packed")


@dataclass(frozen=True, slots=True)
class Kept:
    """Something kept of the rows that fit a condition: of a column, or of the days on which they happened.

    Packed: counts of the rows that fit each of `lanes`, which exclude each other, side by side in lanes of so many `bits`.
    """

    kind: Kind
    where: Condition | None
    column: str = ""
    lanes: tuple[Condition, ...] = ()
    bits: int = 0


@dataclass(slots=True)
class KeptColumns:
    """What is kept of a table, each once, as the column `k{n}`."""

    kept: list[Kept] = field(default_factory=list[Kept])

    def name(self, one: Kept) -> str:
        """The column that keeps it."""
        if one not in self.kept:
            self.kept.append(one)
        return f"k{self.kept.index(one)}"


def kept_of(measure: Measure) -> tuple[Kept, ...]:
    """What has to be kept for a measure (a distinct count is none of it)."""
    where = measure.rows.where
    match measure:
        case Count():
            return (Kept("count", where),)
        case Sum(column=column):
            return (Kept("sum", where, column),)
        case Average(column=column):
            return Kept("sum", where, column), Kept("filled", where, column)
        case Minimum(column=column):
            return (Kept("least", where, column),)
        case Maximum(column=column):
            return (Kept("greatest", where, column),)
        case ActiveDays():
            return (Kept("days", where),)
        case DaysSinceLast():
            return (Kept("last", where),)
        case DaysSinceFirst() | DaysToFirst():
            return (Kept("first", where),)
        case LastValue(column=column):
            return Kept("last_cell", where, column), Kept("last_day", where, column), Kept("order", where, column)
        case _:
            return ()


def made_of_rows(one: Kept, source: Source) -> exp.Expr:
    """What is kept, as an aggregate of rows; the bit of a row's day is `bit`."""
    fits = condition_sql(one.where, source)
    match one.kind:
        case "count":
            return counted(fits)
        case "packed":
            return aggregate(exp.Sum, _in_lanes(one, source))
        case "filled":
            return aggregate(exp.Count, _where(fits, source.cell(one.column)))
        case "sum":
            return aggregate(exp.Sum, _where(fits, as_billionths(source.cell(one.column))))
        case "least" | "greatest":
            return aggregate(exp.Min if one.kind == "least" else exp.Max, _where(fits, source.value(one.column)))
        case "first" | "last":
            return aggregate(exp.Min if one.kind == "first" else exp.Max, _where(fits, exp.column("day")))
        case "days":
            return aggregate(exp.BitwiseOrAgg, _where(fits, exp.column("bit")))
        case "order" | "last_cell" | "last_day":
            filled = when(both(fits, source.cell(one.column).is_(exp.null()).not_()), row(ORDER))
            picked = exp.column("day") if one.kind == "last_day" else source.value(one.column)
            return aggregate(exp.Max, filled) if one.kind == "order" else last_by(picked, filled)


def made_of_kept(one: Kept, columns: KeptColumns, inside: Callable[[str], exp.Expr]) -> exp.Expr:
    """What is kept of several panes together; `inside` gives the column of a pane, or NULL where the pane does not count.

    Days are counted: those of different panes are different days.
    """
    cell = inside(columns.name(one))
    match one.kind:
        case "count" | "filled" | "sum" | "packed":
            return aggregate(exp.Sum, cell)
        case "days":
            return aggregate(exp.Sum, exp.BitwiseCount(this=cell))
        case "least" | "first":
            return aggregate(exp.Min, cell)
        case "greatest" | "last" | "order":
            return aggregate(exp.Max, cell)
        case "last_cell" | "last_day":
            order = inside(columns.name(Kept("order", one.where, one.column)))
            return last_by(exp.column(columns.name(one)), order)


def _where(fits: exp.Expr, value: exp.Expr) -> exp.Expr:
    return value if fits == exp.true() else when(fits, value)


def _in_lanes(one: Kept, source: Source) -> exp.Expr:
    """One, in the lane of the condition that a row fits."""
    lanes = exp.Case()
    for lane, condition in enumerate(one.lanes):
        lanes = lanes.when(condition_sql(condition, source), exp.cast(number(1 << (lane * one.bits)), "int128"))
    return lanes.else_(exp.cast(number(0), "int128"))
