"""Streaks and the time between: of each account the runs of days, or weeks, that follow each other, clipped to each window.

Runs are found once for each account where every day was known in time and for good; no as-of date sees them otherwise then. Of an account
with a day that was known late, or taken back, they are found for each as-of date anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from unspun.metrics.conditions import Condition
from unspun.metrics.lower.frames import Frame, distinct_frames, frame_of
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.looks import Apart, Looks, Placed, points_of_days, rows_of
from unspun.metrics.nodes import Measure, Streak, TimeBetween
from unspun.metrics.question import PanelQuestion

ZERO_DAY = 719_162
"""Added to a day since 1970 it counts days since Monday, 1 January 1."""


def add_sequences(apart: Apart, question: PanelQuestion, table: str, leaves: Sequence[Placed], frames: Sequence[Frame]) -> None:
    """Add the streaks and the times between among the leaves of a table: one pass over its rows for each condition."""
    found = [(i, leaf, leaf.measure) for i, leaf in leaves if isinstance(leaf.measure, Streak | TimeBetween)]
    for n, where in enumerate(dict.fromkeys(one.rows.where for _, _, one in found)):
        days = _Days(apart, question, table, f"{table}_{n}", where)
        days.add()
        for size in dict.fromkeys(_size(one) for _, _, one in found if one.rows.where == where):
            days.add_runs(size)
            asked = [(i, leaf, one) for i, leaf, one in found if one.rows.where == where and _size(one) == size]
            for frame in distinct_frames(frame_of(leaf) for _, leaf, _ in asked):
                looks = Looks(question, table, frame, frames.index(frame), days.superseded)
                days.add_windows(looks, size, [(i, one) for i, leaf, one in asked if frame_of(leaf) == frame])


def _size(measure: Streak | TimeBetween) -> int:
    """How many days a place of the sequence has."""
    return 7 if isinstance(measure, Streak) and measure.every == "week" else 1


@dataclass(slots=True)
class _Days:
    """The days with rows of the accounts of a question, under a condition."""

    apart: Apart
    question: PanelQuestion
    table: str
    name: str
    where: Condition | None
    superseded: bool = False

    def add(self) -> None:
        """`sequence_days`: each day of an account once, or once for each time that it is seen; `sequence_odd`: the accounts with days that
        were not seen in time or not for good."""
        rows, found = rows_of(self.question, self.table, self.where)
        self.superseded = rows.superseded
        keys = ["account", "day", *(["seen_from", "seen_until"] if self.superseded else [])]
        seen = [] if self.superseded else ["MIN(seen_from) AS seen_from"]
        days = exp.select(*keys, *seen).from_(found.subquery("r", copy=False)).group_by(*keys)
        self.apart.make(f"sequence_days_{self.name}", days, f"days with {self.table}")
        self.apart.inputs[f"sequence_points_{self.name}"] = points_of_days(self.question)
        self.apart.make(f"sequence_odd_{self.name}", self._odd(), f"accounts with late {self.table}")

    def _odd(self) -> exp.Select:
        points = self.apart.inputs[f"sequence_points_{self.name}"]
        first = points["day"][0].as_py() if points.num_rows else 0
        on_time = "s.point <= p.point" + (" AND r.seen_until IS NULL" if self.superseded else "")
        found = exp.select("r.account AS account", "r.day AS day", f"MAX(CASE WHEN {on_time} THEN 1 ELSE 0 END) AS on_time")
        found = found.from_(f"sequence_days_{self.name} AS r")
        found = found.join(f"sequence_points_{self.name} AS p", on=f"p.day = GREATEST(r.day, {first})")
        found = found.join(f"sequence_points_{self.name} AS s", on=f"s.day = GREATEST(r.seen_from, {first})", join_type="left")
        days = found.group_by("r.account", "r.day").subquery("days", copy=False)
        return exp.select("account").from_(days).where("on_time = 0").group_by("account")

    def add_runs(self, size: int) -> None:
        """`sequence_places`: by `key` the days, or weeks, with rows, `place`, and the first such day of each; `sequence_runs`: the runs of
        places that follow each other, `first` and `last`, and the last of the run before, `earlier`.

        The key is the unit of an account with odd days; of any other account it is -1 - account, for all its units.
        """
        name = f"{self.name}_{size}"
        place = "day" if size == 1 else f"(day + {ZERO_DAY}) DIV {size}"
        self.apart.make(f"sequence_places_{name}", self._places(place), f"days with {self.table} in turn")
        run = "place - CAST(ROW_NUMBER() OVER (PARTITION BY key ORDER BY place) AS INT) AS run"
        places = exp.select("key", "place", run).from_(f"sequence_places_{name}")
        runs = (
            exp.select("key", "MIN(place) AS first", "MAX(place) AS last")
            .from_(places.subquery("places", copy=False))
            .group_by("key", "run")
        )
        earlier = "LAG(last) OVER (PARTITION BY key ORDER BY first) AS earlier"
        found = exp.select("key", "first", "last", earlier).from_(runs.subquery("runs", copy=False))
        self.apart.make(f"sequence_runs_{name}", found, f"runs of days with {self.table}")

    def _places(self, place: str) -> exp.Query:
        days, odd = f"sequence_days_{self.name}", f"sequence_odd_{self.name}"
        common = exp.select("-1 - CAST(d.account AS BIGINT) AS key", "d.day AS day").from_(f"{days} AS d")
        common = common.join(f"{odd} AS o", on="o.account = d.account", join_type="left").where("o.account IS NULL")
        until = " AND (d.seen_until IS NULL OR d.seen_until > u.day)" if self.superseded else ""
        apart = exp.select("u.unit AS key", "d.day AS day").from_(f"{days} AS d").join(f"{odd} AS o", on="o.account = d.account")
        apart = apart.join("units AS u", on=f"u.account = d.account AND d.day <= u.day AND d.seen_from <= u.day{until}")
        both = exp.union(common, apart, distinct=False, copy=False)
        return exp.select("key", f"{place} AS place", "MIN(day) AS day").from_(both.subquery("days", copy=False)).group_by("1", "2")

    def add_windows(self, looks: Looks, size: int, leaves: Sequence[tuple[int, Streak | TimeBetween]]) -> None:
        """The runs clipped to a window, by unit."""
        place = f"{self.name}_{size}_{looks.place}"
        self.apart.make(f"sequence_spots_{place}", self._spots(looks, size), f"windows over {self.table}")
        found = exp.select("s.unit AS unit").from_(f"sequence_spots_{place} AS s").group_by("s.unit")
        found = found.join(f"sequence_runs_{self.name}_{size} AS r", on="r.key = s.key AND r.first <= s.top AND r.last >= s.low")
        first, last = "GREATEST(r.first, s.low)", "LEAST(r.last, s.top)"
        length = f"({last} - {first} + 1)"
        made, medians = f"sequence_{place}", False
        for i, one in leaves:
            match one:
                case Streak(run="longest"):
                    found = found.select(f"CAST(MAX({length}) AS BIGINT) AS m{i}", copy=False)
                case Streak(grace=grace):
                    ends = f"{last} >= s.now - {int(grace)}"
                    found = found.select(f"CAST(MAX(CASE WHEN {ends} THEN {length} END) AS BIGINT) AS m{i}", copy=False)
                case TimeBetween(typical="average"):
                    span = f"CAST(MAX({last}) - MIN({first}) AS DOUBLE)"
                    found = found.select(f"{span} / CAST(NULLIF(SUM({length}) - 1, 0) AS DOUBLE) AS m{i}", copy=False)
                case TimeBetween():
                    medians = True
                    self.apart.values[i] = {"m": exp.column("median", table=f"sequence_median_{place}")}
                    continue
            self.apart.values[i] = {"m": exp.column(f"m{i}", table=made)}
        self.apart.make(made, found, f"runs of days with {self.table} in each window")
        self.apart.by_unit.append(made)
        if medians:
            self.apart.make(f"sequence_gaps_{place}", self._gaps(place, size), f"days between {self.table}")
            self.apart.make(f"sequence_median_{place}", _median(f"sequence_gaps_{place}"), f"median days between {self.table}")
            self.apart.by_unit.append(f"sequence_median_{place}")

    def _spots(self, looks: Looks, size: int) -> exp.Query:
        """By unit and key: the first and last place of the window, `low` and `top`, and that of its last day, `now`, which is not the last
        place where it is a week that has no row yet."""
        common = exp.select("u.unit AS unit", "-1 - CAST(u.account AS BIGINT) AS key", "u.lo AS lo", "u.hi AS hi").from_(
            f"{looks.name} AS u"
        )
        apart = exp.select("u.unit AS unit", "u.unit AS key", "u.lo AS lo", "u.hi AS hi").from_(f"{looks.name} AS u")
        apart = apart.join(f"sequence_odd_{self.name} AS o", on="o.account = u.account")
        both = exp.union(common, apart, distinct=False, copy=False).subquery("u", copy=False)
        if size == 1:
            return exp.select("unit", "key", "lo AS low", "hi AS top", "hi AS now").from_(both)
        now = f"(u.hi + {ZERO_DAY}) DIV {size}"
        top = f"{now} - CASE WHEN w.day <= u.hi THEN 0 ELSE 1 END AS top"
        found = exp.select("u.unit AS unit", "u.key AS key", f"(u.lo + {ZERO_DAY + size - 1}) DIV {size} AS low", top, f"{now} AS now")
        places = f"sequence_places_{self.name}_{size} AS w"
        spots = found.from_(both).join(places, on=f"w.key = u.key AND w.place = {now}", join_type="left")
        return exp.select("unit", "key", "low", "top", "now").from_(spots.subquery("spots", copy=False)).where("low <= top")

    def _gaps(self, place: str, size: int) -> exp.Select:
        """By unit and how many days lie between two days with rows: how often, `n`."""
        on = "r.key = s.key AND r.first <= s.top AND r.last >= s.low"
        runs = f"sequence_runs_{self.name}_{size} AS r"
        length = "(LEAST(r.last, s.top) - GREATEST(r.first, s.low))"
        within = exp.select("s.unit AS unit", "1 AS gap", f"{length} AS n").from_(f"sequence_spots_{place} AS s").join(runs, on=on)
        before = exp.select("s.unit AS unit", "r.first - r.earlier AS gap", "1 AS n").from_(f"sequence_spots_{place} AS s")
        before = before.join(runs, on=f"{on} AND r.earlier >= s.low")
        both = exp.union(within.where(f"{length} > 0"), before, distinct=False, copy=False)
        return exp.select("unit", "gap", "CAST(SUM(n) AS BIGINT) AS n").from_(both.subquery("gaps", copy=False)).group_by("unit", "gap")


def _median(gaps: str) -> exp.Select:
    """By unit: the middle gap, or the mean of the middle two, `median`."""
    order = "PARTITION BY unit ORDER BY gap ROWS BETWEEN UNBOUNDED PRECEDING AND"
    upto = exp.select("unit", "gap", f"SUM(n) OVER ({order} CURRENT ROW) AS upto", f"SUM(n) OVER ({order} UNBOUNDED FOLLOWING) AS total")
    lower = "MIN(CASE WHEN 2 * upto >= total THEN gap END)"
    upper = "MIN(CASE WHEN 2 * upto > total THEN gap END)"
    found = exp.select("unit", f"CAST({lower} + {upper} AS DOUBLE) / CAST(2 AS DOUBLE) AS median")
    return found.from_(upto.from_(gaps).subquery("upto", copy=False)).group_by("unit")


def run_begins(measure: Measure, i: int, begins: exp.Expr, ends: exp.Expr) -> exp.Expr:
    """From which day on rows matter, for windows from `begins` to `ends`: of a current streak, the value of which is `m{i}`, from the day,
    or week, before it began; NULL where `begins` is."""
    if not isinstance(measure, Streak) or measure.run != "current":
        return begins
    length = exp.func("COALESCE", exp.column(f"m{i}"), number(0))
    places = exp.paren(exp.Add(this=length, expression=number(1))) if measure.grace else length
    since = exp.Sub(this=ends.copy(), expression=places)
    if measure.every == "week":
        weekday = exp.Mod(this=exp.paren(exp.Add(this=ends.copy(), expression=number(ZERO_DAY))), expression=number(7))
        days = exp.Add(this=exp.paren(weekday), expression=exp.Mul(this=exp.paren(places), expression=number(7)))
        since = exp.Sub(this=ends.copy(), expression=exp.paren(days))
    known = begins.is_(exp.null()).not_()
    day = exp.Greatest(this=begins.copy(), expressions=[exp.cast(since, "int")], ignore_nulls=True)
    return exp.Case().when(known, day)


def days_from(start: exp.Expr, day: exp.Expr) -> exp.Expr:
    """The days from a start to a day; 0 where the day came before."""
    return exp.cast(exp.Greatest(this=exp.Sub(this=day, expression=start), expressions=[number(0)], ignore_nulls=True), "bigint")
