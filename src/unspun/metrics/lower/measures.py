"""Measures of rows: the steps that compute all of them for all units of a panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.asof import Dates
from unspun.metrics.conditions import columns_of
from unspun.metrics.lower.apart import APART, measured_apart
from unspun.metrics.lower.by_account import measured_by_account
from unspun.metrics.lower.by_pane import EVER, FIRST, Parts, measured_by_pane
from unspun.metrics.lower.covered import COVERED, days_covered
from unspun.metrics.lower.day_state import Rows, kept_by_day, rows_or_days
from unspun.metrics.lower.frames import frame_of
from unspun.metrics.lower.kept import kept_of
from unspun.metrics.lower.looks import Apart
from unspun.metrics.lower.plan import Leaf, Seen, Step
from unspun.metrics.lower.prefix import Join
from unspun.metrics.lower.sheet import Beside, MaskCounts, PaneWindows, beside_unit
from unspun.metrics.lower.terms import as_double, earlier, numeric, plain, since, when
from unspun.metrics.lower.units import NAMES_ACCOUNTS
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
from unspun.metrics.question import PanelQuestion

MEASURED = "measured"
Placed = tuple[int, Leaf]


@dataclass(frozen=True, slots=True)
class Measured:
    """Measures of rows: the steps that make them, and the small tables that these read.

    `measured`, a table or columns of a sheet, has for each unit `m{i}` the value of leaves[i] (NULL: no row fits), of recency and last
    values `r{i}` (the day of that row), and `f{k}`: the first day of the account's rows by seen[k]. Whole numbers are BIGINT; sums,
    averages, amounts DOUBLE; days INT, as days since 1970. `covered` has a row for each as-of date: `point`, and of seen[k] `first{k}` and
    `last{k}`, over all accounts. By place: `columns` are the measures as columns of a sheet, which has `beside`, `windows` and `counts`.
    """

    steps: tuple[Step, ...] = ()
    inputs: Mapping[str, pa.Table] = field(default_factory=dict[str, pa.Table])
    columns: Mapping[str, exp.Expr] = field(default_factory=dict[str, exp.Expr])
    beside: tuple[Beside, ...] = ()
    windows: tuple[PaneWindows, ...] = ()
    counts: tuple[MaskCounts, ...] = ()


def measure_steps(question: PanelQuestion, leaves: Sequence[Leaf], seen: Sequence[Seen], by_place: bool = False) -> Measured:
    """How leaves are measured, and what is to be known of tables: by place, or by steps that any engine can do."""
    making = _Making(question, leaves, seen, by_place)
    for table in dict.fromkeys([*(leaf.measure.rows.table for leaf in leaves), *(one.table for one in seen)]):
        making.add(table)
    return making.placed() if by_place else making.joined()


@dataclass(slots=True)
class _Making:
    """The measures of a question, table by table: steps so far, the tables by unit to be joined, and the columns of `measured`."""

    question: PanelQuestion
    leaves: Sequence[Leaf]
    seen: Sequence[Seen]
    by_place: bool
    steps: list[Step] = field(default_factory=list[Step])
    inputs: dict[str, pa.Table] = field(default_factory=dict[str, pa.Table])
    by_unit: list[str] = field(default_factory=list[str])
    joins: list[Join] = field(default_factory=list[Join])
    columns: dict[str, exp.Expr] = field(default_factory=dict[str, exp.Expr])
    windows: list[PaneWindows] = field(default_factory=list[PaneWindows])
    counts: list[MaskCounts] = field(default_factory=list[MaskCounts])
    wide: set[str] = field(default_factory=set[str])

    def add(self, table: str) -> None:
        """Add the measures of a table."""
        placed = [(i, leaf) for i, leaf in enumerate(self.leaves) if leaf.measure.rows.table == table]
        apart = [one for one in placed if isinstance(one[1].measure, APART)]
        if apart:
            self._add_apart(measured_apart(self.question, table, apart))
        placed = [one for one in placed if one not in apart]
        seen = [(k, one) for k, one in enumerate(self.seen) if one.table == table]
        on_dates = isinstance(self.question.as_of, Dates) and bool(self.question.as_of.dates)
        paned = [(i, leaf) for i, leaf in placed if on_dates and not frame_of(leaf).by_contract]
        single = [one for one in placed if one not in paned]
        if paned or (on_dates and seen):
            rows = _rows(self.question, table, paned)
            parts = measured_by_pane(self.question, table, rows, paned, [one for _, one in seen], self.by_place)
            self._add_parts(table, parts, rows, paned, seen)
        if single or (seen and not on_dates):
            rows = _rows(self.question, table, single)
            self._add_parts(table, measured_by_account(self.question, table, rows, single), rows, single, [] if on_dates else seen)

    def _add_apart(self, apart: Apart) -> None:
        self.steps += apart.steps
        self.inputs |= apart.inputs
        self.by_unit += apart.by_unit
        for i, values in apart.values.items():
            self.columns |= {f"{letter}{i}": value for letter, value in values.items()}

    def joined(self) -> Measured:
        """With the step that joins the measures into the table `measured`."""
        measured = exp.select("u.unit AS unit").from_("units AS u")
        for table in self.by_unit:
            measured = measured.join(table, on=f"{table}.unit = u.unit", join_type="left", copy=False)
        for table, on, kind in self.joins:
            measured = measured.join(table, on=on, join_type=kind, copy=False)
        for name, value in self.columns.items():
            measured = measured.select(value.as_(name, copy=False), copy=False)
        return Measured((*self.steps, Step(MEASURED, measured, "the measures of all units"), self._covered()), self.inputs)

    def placed(self) -> Measured:
        """With the measures as columns of a sheet. A column of a table by unit stands there under the names of both."""
        made = {
            step.name: [name for name in step.query.named_selects if name != "unit"] for step in self.steps if step.name in self.by_unit
        }
        owners = {column: table for table, columns in made.items() for column in columns}

        def stands(node: exp.Expr) -> exp.Expr:
            if not isinstance(node, exp.Column) or node.table == "u":
                return node
            table = node.table or owners.get(node.name, "")
            column = exp.column(f"{table}__{node.name}" if table else node.name, table="u")
            return exp.cast(column, "int128") if node.name in self.wide else column  # in memory wide integers are decimals

        columns = {name: value.transform(stands) for name, value in self.columns.items()}
        beside = tuple(beside_unit(table, names) for table, names in made.items())
        return Measured((*self.steps, self._covered()), self.inputs, columns, beside, tuple(self.windows), tuple(self.counts))

    def _covered(self) -> Step:
        covered = exp.select("p.point AS point").from_("points AS p")
        for table in dict.fromkeys(one.table for one in self.seen):
            covered = covered.join(f"measure_covered_{table} AS {table}", on=f"{table}.point = p.point", join_type="left", copy=False)
        for k, one in enumerate(self.seen):
            n = [other for other in self.seen if other.table == one.table].index(one)
            covered = covered.select(f"{one.table}.first{n} AS first{k}", f"{one.table}.last{n} AS last{k}", copy=False)
        return Step(COVERED, covered, "the days that the tables cover")

    def _add_parts(self, table: str, parts: Parts, rows: Rows, placed: Sequence[Placed], seen: Sequence[tuple[int, Seen]]) -> None:
        self.steps += parts.steps
        self.inputs |= parts.inputs
        self.by_unit += parts.by_unit
        self.joins += parts.joins
        self.windows += parts.windows
        self.wide |= {name for (_, one), name in parts.columns.items() if one.kind == "packed"}
        self.counts += parts.counts
        for i, leaf in placed:
            self.columns |= {f"{letter}{i}": value for letter, value in _values(leaf, i, parts, rows).items()}
        for k, one in seen:
            # of the rows that are seen on a date the first is that of all earlier days, too, unless it is later than these
            first = exp.column(parts.columns[EVER, FIRST])
            by_then = exp.LTE(this=first, expression=earlier(exp.column("day", table="u"), one.shift_days))
            self.columns[f"f{k}"] = when(by_then, first.copy()) if one.shift_days else first
        if seen and table in NAMES_ACCOUNTS and parts.covered is not None:
            self.steps.append(Step(f"measure_covered_{table}", parts.covered, f"days covered by {table}"))
        elif seen:
            self.steps += days_covered(self.question, table, [one for _, one in seen])


def _rows(question: PanelQuestion, table: str, placed: Sequence[Placed]) -> Rows:
    """The rows of a table with the columns that its measures read, or what is kept of them by day."""
    measures = [leaf.measure for _, leaf in placed]
    named = [name for one in measures for name in (*columns_of(one.rows.where), getattr(one, "column", ""))]
    columns = tuple(dict.fromkeys(name for name in named if name))
    return rows_or_days(question, table, columns, any(isinstance(one, LastValue) for one in measures), kept_by_day(measures))


def _values(leaf: Leaf, i: int, parts: Parts, rows: Rows) -> dict[str, exp.Expr]:
    """The columns of a leaf in `measured`, of those of the tables by unit: its value `m`, and the day `r` that recency goes by."""
    if i in parts.distinct:
        return {"m": _whole(exp.column(parts.distinct[i]))}
    measure, kept = leaf.measure, kept_of(leaf.measure)
    cells = [parts.value(frame_of(leaf), one) for one in kept]
    match measure:
        case LastValue(column=column):
            return {"m": plain(cells[0], rows.kinds[column]), "r": cells[1]}
        case DaysToFirst():
            return {"m": cells[0], "r": cells[0].copy()}
        case DaysSinceLast() | DaysSinceFirst():
            return {"m": since(exp.column("day", table="u"), leaf.shift_days, cells[0]), "r": cells[0].copy()}
        case _:
            late = exp.column(f"{parts.columns[frame_of(leaf), parts.packs.packed(kept[0])]}_late")
            placed = (frame_of(leaf), kept[0]) in parts.placed
            return {"m": _value(measure, cells, late, rows, placed)}


def _value(measure: Measure, cells: Sequence[exp.Expr], late: exp.Column, rows: Rows, placed: bool) -> exp.Expr:
    """A measure of what is kept; a sum that is made by place is a double already."""
    match measure:
        case Sum():
            return cells[0] if placed else as_double(cells[0])
        case Average():
            filled = exp.func("NULLIF", cells[1], exp.Literal.number(0))
            return exp.Div(this=cells[0] if placed else as_double(cells[0]), expression=filled, safe=True)
        case Minimum(column=column) | Maximum(column=column):
            return numeric(cells[0], rows.kinds[column])
        case ActiveDays():
            return _whole(exp.Add(this=_or_zero(cells[0]), expression=_or_zero(late)))
        case Count() | _:
            return _whole(cells[0])


def _or_zero(value: exp.Expr) -> exp.Expr:
    return exp.func("COALESCE", value, exp.Literal.number(0))


def _whole(value: exp.Expr) -> exp.Expr:
    return exp.cast(value, "bigint")
