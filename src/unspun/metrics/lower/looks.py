"""Which units look at which rows, for measures that are made of rows themselves: percentiles, runs of days, funnels.

On the same dates for all accounts a row is joined to the dates that look at its day: one equality join, and each row comes out once for
each window that holds it. Where windows differ by account, rows are joined to the units of their account.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.asof import Dates
from unspun.metrics.conditions import Condition, columns_of
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.frames import Frame, bounds_table, frame_days
from unspun.metrics.lower.local_day import day_number
from unspun.metrics.lower.plan import Leaf, Step
from unspun.metrics.lower.sources import Source, as_of_days, source
from unspun.metrics.lower.terms import both
from unspun.metrics.question import PanelQuestion

Placed = tuple[int, Leaf]


@dataclass(slots=True)
class Apart:
    """Measures that are made apart from panes: steps, inputs, tables by unit, and by the place of a leaf its columns `m` and `r`."""

    steps: list[Step] = field(default_factory=list[Step])
    inputs: dict[str, pa.Table] = field(default_factory=dict[str, pa.Table])
    by_unit: list[str] = field(default_factory=list[str])
    values: dict[int, dict[str, exp.Expr]] = field(default_factory=dict[int, dict[str, exp.Expr]])

    def make(self, name: str, query: exp.Query, note: str) -> None:
        """Add a step."""
        self.steps.append(Step(name, query, note))


@dataclass(frozen=True, slots=True)
class Looks:
    """The rows of a table as the units of a question look at them over a frame; `place` tells the frames of a table apart."""

    question: PanelQuestion
    table: str
    frame: Frame
    place: int
    superseded: bool

    @property
    def name(self) -> str:
        return f"looks_{self.table}_{self.place}"

    @property
    def on_dates(self) -> bool:
        """Whether the windows are the same for all accounts."""
        return isinstance(self.question.as_of, Dates) and not self.frame.by_contract

    def add_to(self, apart: Apart) -> None:
        """Add what the joins below read: the units with their windows, and on dates the days of each window."""
        days, starts = as_of_days(self.question), self.question.fiscal_year_starts
        apart.inputs[f"{self.name}_bounds"] = bounds_table([self.frame], days, starts)
        apart.make(self.name, self._units(), f"windows over {self.table} of each unit")
        if self.on_dates:
            apart.inputs[f"{self.name}_days"] = self._days()

    def seen(self, rows: str, at: str) -> str:
        """Whether a row is seen on an as-of date."""
        until = f" AND ({rows}.seen_until IS NULL OR {rows}.seen_until > {at})" if self.superseded else ""
        return f"{rows}.seen_from <= {at}{until}"

    def pairs(self, rows: exp.Query | str, columns: Sequence[str]) -> exp.Select:
        """Each row (`account`, `day`, `seen_from`, `seen_until` where superseded) with each `unit` that sees it in its window."""
        table = exp.to_table(rows) if isinstance(rows, str) else rows.subquery(copy=False)
        picked = [f"r.{name} AS {name}" for name in columns]
        if not self.on_dates:
            on = f"u.account = r.account AND r.day >= u.lo AND r.day <= u.hi AND {self.seen('r', 'u.at_day')}"
            found = exp.select("u.unit AS unit", *picked).from_(exp.alias_(table, "r", table=True))
            return found.join(f"{self.name} AS u", on=on)
        unit = f"CAST(r.account AS BIGINT) * {len(as_of_days(self.question))} + d.point AS unit"
        found = exp.select(unit, *picked).from_(exp.alias_(table, "r", table=True))
        day = f"GREATEST(r.day, {self._first_day})" if self.frame.endless else "r.day"
        return found.join(f"{self.name}_days AS d", on=f"d.day = {day} AND {self.seen('r', 'd.at_day')}")

    @property
    def _first_day(self) -> int:
        """The last day of the first window: all days before lie in the same windows, where these have no beginning."""
        return frame_days(self.frame, as_of_days(self.question), self.question.fiscal_year_starts)[0][1]

    def _units(self) -> exp.Select:
        """By unit: `account`, `at_day`, and the first and last day of the window, `lo` and `hi`."""
        found = exp.select("u.unit AS unit", "u.account AS account", "u.day AS at_day").from_("units AS u")
        found = found.join(f"{self.name}_bounds AS b", on="b.point = u.point")
        if self.frame.by_contract:
            return found.join("life AS l", on="l.unit = u.unit").select("l.contract AS lo", "b.hi0 AS hi").where("NOT l.contract IS NULL")
        return found.select("b.lo0 AS lo", "b.hi0 AS hi")

    def _days(self) -> pa.Table:
        """By `day` and `point`: the days of the windows, and the as-of date `at_day` of each."""
        dates = as_of_days(self.question)
        bounds = frame_days(self.frame, dates, self.question.fiscal_year_starts)
        first = self._first_day
        spans = [range(first if self.frame.endless else low, high + 1) for low, high in bounds]
        days = [day for span in spans for day in span]
        points = [point for point, span in enumerate(spans) for _ in span]
        at = [day_number(dates[point]) for point in points]
        return pa.table({"day": pa.array(days, pa.int32()), "point": pa.array(points, pa.int32()), "at_day": pa.array(at, pa.int32())})


def rows_of(
    question: PanelQuestion, table: str, where: Condition | None, columns: Sequence[str] = (), order: bool = False
) -> tuple[Source, exp.Select]:
    """The rows of a table that fit a condition: the source, and its query with `account`, `day`, `seen_from` and where superseded
    `seen_until`; further columns may be picked of `r`."""
    named = tuple(dict.fromkeys([*columns_of(where), *columns]))
    rows = source(question, table, named, order)
    picked = [
        "a.account AS account",
        "r.day AS day",
        "r.seen_from AS seen_from",
        *(["r.seen_until AS seen_until"] if rows.superseded else []),
    ]
    found = exp.select(*picked).from_(rows.query.subquery("r", copy=False)).join("accounts_of_panel AS a", on="a.account_id = r.account_id")
    return rows, found.where(both(condition_sql(where, rows)), copy=False)


def points_of_days(question: PanelQuestion) -> pa.Table:
    """By `day`, over all as-of dates: `point`, the first of them on or after it."""
    points = [day_number(day) for day in as_of_days(question)]
    days = range(points[0], points[-1] + 1) if points else range(0)
    return pa.table({"day": pa.array(days, pa.int32()), "point": pa.array([bisect_left(points, day) for day in days], pa.int32())})
