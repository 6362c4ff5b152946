"""Windows as differences of running totals, where many as-of dates look at each pane.

What adds up (counts, exact sums, counts of days) is totalled up to each as-of date once. A window is then the total at its end less that
before its beginning; where one of these days is no as-of date, the panes between it and the as-of date before it are added by themselves.
Only rows that were seen in time are totalled so; late ones are added up window by window.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.lower.frames import Frame, distinct_frames
from unspun.metrics.lower.kept import ADDED, Kept, KeptColumns, made_of_kept
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.panes import Panes
from unspun.metrics.lower.plan import Step
from unspun.metrics.lower.terms import running, when

DENSE = 8
"""From so many as-of dates for each pane on, running totals are cheaper than adding up each window."""
WIDE = ("sum", "packed")
Wanted = tuple[Frame, Kept]
Join = tuple[str, str, str]
"""A table with its alias, on what it is joined to units `u`, and how."""


def adds_up(one: Kept) -> bool:
    """Whether what is kept of a window is the difference of two running totals."""
    return one.kind in ADDED or one.kind == "days"


@dataclass(frozen=True)
class Prefix:
    """Running totals of a table's state for the wanted windows (`names`: the column of each); of a state that is not superseded."""

    table: str
    kept: KeptColumns
    panes: Panes
    names: dict[Wanted, str]
    steps: list[Step] = field(default_factory=list[Step])
    inputs: dict[str, pa.Table] = field(default_factory=dict[str, pa.Table])

    @cached_property
    def totalled(self) -> tuple[Kept, ...]:
        """What is totalled, each once; the total is the column `b{n}`."""
        return tuple(dict.fromkeys(one for _, one in self.names))

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The frames of the windows, each once."""
        return distinct_frames(frame for frame, _ in self.names)

    @cached_property
    def cuts(self) -> dict[tuple[Frame, str], list[int]]:
        """For each frame the day before its beginning (`lo`) and its last day (`hi`), by as-of date."""
        bounds = {frame: self.panes.bounds[self.panes.frames.index(frame)] for frame in self.frames}
        ends = {(frame, "hi"): [last for _, last in spans] for frame, spans in bounds.items()}
        return ends | {(frame, "lo"): [first - 1 for first, _ in spans] for frame, spans in bounds.items()}

    @cached_property
    def marks(self) -> list[tuple[int, ...]]:
        """The different as-of dates, by as-of date, at which totals are read; -1: before all of them."""
        return list(dict.fromkeys(self._mark(cut) for cut in self.cuts.values()))

    def made(self) -> list[Join]:
        """Make the steps and inputs; gives how they are joined to units `u`."""
        table, marks = self.table, self.marks
        columns = {f"mark{m}": pa.array([None if place < 0 else place for place in mark], pa.int32()) for m, mark in enumerate(marks)}
        self.inputs[f"measure_marks_{table}"] = pa.table({"point": pa.array(range(len(self.panes.days)), pa.int32()), **columns})
        self.steps.append(Step(f"measure_step_{table}", self._stepped(), f"rows of {table} by date"))
        self.steps.append(Step(f"measure_total_{table}", self._total(), f"running totals of {table}"))
        self.steps.append(Step(f"measure_late_windows_{table}", self._late(), f"late rows of {table} by window"))
        joins = [(f"measure_marks_{table} AS marks_{table}", f"marks_{table}.point = u.point", "inner")]
        joins += [self._at_mark(m) for m in range(len(marks))]
        joins.append((f"measure_late_windows_{table}", f"measure_late_windows_{table}.unit = u.unit", "left"))
        between = self._between_table()
        if between.num_rows:
            self.inputs[f"measure_between_{table}"] = between
            self.steps.append(Step(f"measure_rests_{table}", self._rests(), f"rests of windows over {table}"))
            joins.append((f"measure_rests_{table}", f"measure_rests_{table}.unit = u.unit", "left"))
        return joins

    def value(self, frame: Frame, one: Kept) -> exp.Expr:
        """What is kept of a window, of the columns of the joined tables."""
        n, name = self.totalled.index(one), self.names[frame, one]
        high, low = (f"{self.table}_at{self.marks.index(self._mark(self.cuts[frame, end]))}" for end in ("hi", "lo"))
        total: exp.Expr = exp.Sub(this=_or_zero(f"{high}.b{n}"), expression=_or_zero(f"{low}.b{n}"))
        if f"measure_between_{self.table}" in self.inputs:
            total = exp.Add(this=total, expression=_or_zero(f"measure_rests_{self.table}.{name}"))
        if one.kind != "days":  # late days are counted apart, as several late rows may tell of one day
            total = exp.Add(this=total, expression=_or_zero(f"measure_late_windows_{self.table}.{name}"))
        return exp.paren(total, copy=False)

    def _mark(self, cut: Sequence[int]) -> tuple[int, ...]:
        return tuple(bisect_right(self.panes.points, day) - 1 for day in cut)

    def _at_mark(self, m: int) -> Join:
        """The totals at a mark; most windows end on the as-of date itself."""
        alias = f"{self.table}_at{m}"
        same = self.marks[m] == tuple(range(len(self.panes.days)))
        unit = "u.unit" if same else f"u.unit - u.point + marks_{self.table}.mark{m}"
        return f"measure_total_{self.table} AS {alias}", f"{alias}.unit = {unit}", "left"

    def _unit(self, point: str) -> str:
        return f"CAST(s.account AS BIGINT) * {len(self.panes.days)} + {point} AS unit"

    def _stepped(self) -> exp.Select:
        """What rows seen in time add up to, by account and the first as-of date that sees them."""
        found = exp.select(self._unit("d.entry")).from_(f"measure_state_{self.table} AS s")
        entries = exp.select("pane", "MIN(entry) AS entry").from_(f"measure_panes_{self.table}").group_by("pane")
        found = found.join(entries.subquery("d", copy=False), on="d.pane = s.pane").where("s.late = 0").group_by("1")
        values = [(one, made_of_kept(one, self.kept, lambda name: exp.column(name, table="s"))) for one in self.totalled]
        return found.select(*(_slim(one, value).as_(f"b{n}") for n, (one, value) in enumerate(values)), copy=False)

    def _total(self) -> exp.Select:
        found = exp.select("u.unit AS unit").from_("units AS u")
        found = found.join(f"measure_step_{self.table} AS s", on="s.unit = u.unit", join_type="left")
        totals = [running(exp.Sum(this=exp.column(f"b{n}", table="s"))) for n in range(len(self.totalled))]
        return found.select(*(_slim(one, totals[n]).as_(f"b{n}") for n, one in enumerate(self.totalled)), copy=False)

    def _late(self) -> exp.Select:
        """What rows seen late add up to, window by window."""
        found = exp.select(self._unit("c.point")).from_(f"measure_state_{self.table} AS s")
        found = found.join(f"measure_cover_{self.table} AS c", on="c.pane = s.pane AND c.point >= s.late").where("s.late > 0").group_by("1")
        for (frame, one), name in self.names.items():
            if one.kind != "days":
                inside = exp.column(f"f{self.panes.frames.index(frame)}", table="c")
                value = made_of_kept(one, self.kept, lambda column, inside=inside: when(inside.copy(), exp.column(column, table="s")))
                found = found.select(value.as_(name), copy=False)
        return found

    def _between_table(self) -> pa.Table:
        """By pane and point: whether the pane is to be added (1) or taken away (-1) for frame j, `s{j}`."""
        signs: dict[tuple[int, int], dict[int, int]] = {}
        for (frame, end), cut in self.cuts.items():
            j, sign = self.frames.index(frame), 1 if end == "hi" else -1
            for point, day in enumerate(cut):
                for pane in self._between(day):
                    found = signs.setdefault((pane, point), {})
                    found[j] = found.get(j, 0) + sign
        keys = sorted(key for key, found in signs.items() if any(found.values()))
        columns = {f"s{j}": pa.array([signs[key].get(j, 0) for key in keys], pa.int8()) for j in range(len(self.frames))}
        pairs = {"pane": pa.array([pane for pane, _ in keys], pa.int32()), "point": pa.array([point for _, point in keys], pa.int32())}
        return pa.table({**pairs, **columns})

    def _between(self, day: int) -> range:
        """The panes that end after the last as-of date by a day, and by that day."""
        mark, ends = bisect_right(self.panes.points, day) - 1, self.panes.ends
        first = bisect_right(ends, self.panes.points[mark]) if mark >= 0 else 0
        return range(first, bisect_right(ends, day))

    def _rests(self) -> exp.Select:
        """What of rows seen in time the totals of as-of dates do not hold, or hold too much."""
        found = exp.select(self._unit("c.point")).from_(f"measure_state_{self.table} AS s")
        found = found.join(f"measure_between_{self.table} AS c", on="c.pane = s.pane").where("s.late = 0").group_by("1")
        for (frame, one), name in self.names.items():
            sign = exp.column(f"s{self.frames.index(frame)}", table="c")
            cell: exp.Expr = exp.column(self.kept.name(one), table="s")
            cell = exp.cast(exp.BitwiseCount(this=cell), "bigint") if one.kind == "days" else cell
            signed = exp.Case().when(exp.EQ(this=sign, expression=number(1)), cell)
            signed = signed.when(exp.EQ(this=sign.copy(), expression=number(-1)), exp.Neg(this=cell.copy()))
            found = found.select(_slim(one, exp.Sum(this=signed)).as_(name), copy=False)
        return found


def _slim(one: Kept, value: exp.Expr) -> exp.Expr:
    """Counts as 64-bit integers: a sum of these is wider."""
    return value if one.kind in WIDE else exp.cast(value, "bigint")


def _or_zero(column: str) -> exp.Expr:
    return exp.func("COALESCE", exp.to_column(column), number(0))
