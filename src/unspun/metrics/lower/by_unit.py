"""Measures straight from the rows: each row is joined to the units that see it, and the units add up. Right for any window and any dates;
its cost grows with how many units see a row, so it is for windows that begin on a day of the account's own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.frames import BOUNDS, Frame, frame_of
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.plan import Leaf, Seen
from unspun.metrics.lower.sources import ORDER, Source
from unspun.metrics.lower.terms import aggregate, as_billionths, as_double, both, counted, last_by, numeric, plain, row, since, when
from unspun.metrics.nodes import (
    ActiveDays,
    Average,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    LastValue,
    Maximum,
    Minimum,
    Sum,
)

Placed = tuple[int, Leaf]
"""A leaf and its place among those asked for."""


def by_unit(table: str, source: Source, frames: Sequence[Frame], leaves: Sequence[Placed], seen: Sequence[tuple[int, Seen]]) -> exp.Select:
    """`unit` with the values of leaves of one table, and the first days seen. Units that see no row at all are left out."""
    rows = _rows_by_unit(table, source, frames)
    found = exp.select("unit").from_(rows.subquery("hits", copy=False)).group_by("unit")
    for i, leaf in leaves:
        inside = exp.column(f"in{frames.index(frame_of(leaf))}")
        found = found.select(*_values(i, leaf, inside, source), copy=False)
    for k, one in seen:
        held = exp.LTE(this=exp.column("day"), expression=_as_of(one.shift_days))
        found = found.select(aggregate(exp.Min, when(held, "day")).as_(f"f{k}"), copy=False)
    return found


def _as_of(shift_days: int) -> exp.Expr:
    return exp.Sub(this=exp.column("at_day"), expression=number(shift_days))


def _rows_by_unit(table: str, source: Source, frames: Sequence[Frame]) -> exp.Select:
    """Each row for each unit that sees it: `unit`, `at_day`, `in{j}` (whether it lies in a frame) and the row's columns."""
    found = exp.select("u.unit AS unit", "u.day AS at_day", "r.*").from_(source.query.subquery("r", copy=False))
    on = "u.account_id = r.account_id AND u.day >= r.day AND u.day >= r.seen_from"
    if source.superseded:
        on += " AND (r.seen_until IS NULL OR u.day < r.seen_until)"
    found = found.join("units AS u", on=on).join(f"{BOUNDS}_{table} AS b", on="b.point = u.point")
    if any(frame.by_contract for frame in frames):
        found = found.join("life AS l", on="l.unit = u.unit")
    for j, frame in enumerate(frames):
        first = "l.contract" if frame.by_contract else f"b.lo{j}"
        found = found.select(f"(r.day >= {first} AND r.day <= b.hi{j}) AS in{j}", copy=False)
    return found


def _values(i: int, leaf: Leaf, inside: exp.Expr, source: Source) -> list[exp.Expr]:
    measure = leaf.measure
    fits = both(inside, condition_sql(measure.rows.where, source))
    match measure:
        case Count():
            return [counted(fits).as_(f"m{i}")]
        case Sum(column=column):
            return [as_double(_total(fits, column, source)).as_(f"m{i}")]
        case Average(column=column):
            filled = aggregate(exp.Count, when(fits, source.cell(column)))
            return [exp.Div(this=as_double(_total(fits, column, source)), expression=filled, safe=True).as_(f"m{i}")]
        case Minimum(column=column) | Maximum(column=column):
            function = exp.Min if isinstance(measure, Minimum) else exp.Max
            return [numeric(aggregate(function, when(fits, source.value(column))), source.kinds[column]).as_(f"m{i}")]
        case Distinct(column=column):
            return [exp.Count(this=exp.Distinct(expressions=[when(fits, source.value(column))])).as_(f"m{i}")]
        case ActiveDays():
            return [exp.Count(this=exp.Distinct(expressions=[when(fits, "day")])).as_(f"m{i}")]
        case LastValue(column=column):
            filled = both(fits, source.cell(column).is_(exp.null()).not_())
            last = when(filled, row(ORDER))
            value = plain(last_by(source.value(column), last), source.kinds[column])
            return [value.as_(f"m{i}"), last_by(exp.column("day"), last.copy()).as_(f"r{i}")]
        case DaysSinceLast() | DaysSinceFirst():
            day = aggregate(exp.Max if isinstance(measure, DaysSinceLast) else exp.Min, when(fits, "day"))
            return [since(aggregate(exp.Max, "at_day"), leaf.shift_days, day).as_(f"m{i}"), day.copy().as_(f"r{i}")]


def _total(fits: exp.Expr, column: str, source: Source) -> exp.Expr:
    return aggregate(exp.Sum, when(fits, as_billionths(source.cell(column))))
