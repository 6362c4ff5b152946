"""Days of each value of a column: of each account and day how many different values there are, added up over the days of a window.

Every pair of a value and a day counts once, from when the first row that tells of it is seen until no row does; so what a day has to add
is a number of pairs for each time over which they are seen, and windows add numbers up. On the same dates for all accounts the days that
lie in the same windows, and are seen on the same dates, are added up before.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.lower.frames import Frame, distinct_frames, frame_days, frame_of
from unspun.metrics.lower.local_day import day_number, number
from unspun.metrics.lower.looks import Apart, Looks, Placed, rows_of
from unspun.metrics.lower.sources import as_of_days
from unspun.metrics.lower.units import FOREVER
from unspun.metrics.nodes import UserDays
from unspun.metrics.question import PanelQuestion


def add_user_days(apart: Apart, question: PanelQuestion, table: str, leaves: Sequence[Placed], frames: Sequence[Frame]) -> None:
    """Add the days of values among the leaves of a table: one pass over its rows for each column and condition."""
    found = [(i, leaf, leaf.measure) for i, leaf in leaves if isinstance(leaf.measure, UserDays)]
    for n, (column, where) in enumerate(dict.fromkeys((one.column, one.rows.where) for _, _, one in found)):
        asked = [(i, frame_of(leaf)) for i, leaf, one in found if (one.column, one.rows.where) == (column, where)]
        rows, pairs = rows_of(question, table, where, (column,))
        pairs = pairs.select(rows.value(column).as_("value"), copy=False).where(rows.value(column).is_(exp.null()).not_(), copy=False)
        pairs = pairs.where(_in_windows(question, [frame for _, frame in asked]), copy=False)
        name = f"user_days_{table}_{n}"
        apart.make(name, _by_day(pairs, rows.superseded), f"values of {table} by day")
        for frame in distinct_frames(frame for _, frame in asked):
            looks = Looks(question, table, frame, frames.index(frame), rows.superseded)
            days = _by_pane(apart, looks, name) if looks.on_dates else name
            made = f"{name}_{looks.place}"
            total = exp.select("unit", "CAST(SUM(n) AS BIGINT) AS n").from_(looks.pairs(days, ("n",)).subquery("r", copy=False))
            apart.make(made, total.group_by("unit"), f"days of values of {table}")
            apart.by_unit.append(made)
            apart.values |= {i: {"m": exp.column("n", table=made)} for i, one in asked if one == frame}


def _in_windows(question: PanelQuestion, frames: Sequence[Frame]) -> exp.Expr:
    """Whether a row `r` is not of before all windows."""
    if any(frame.endless or frame.by_contract for frame in frames):
        return exp.true()
    firsts = [low for frame in frames for low, _ in frame_days(frame, as_of_days(question), question.fiscal_year_starts)]
    return exp.GTE(this=exp.column("day", table="r"), expression=number(min(firsts, default=0)))


def _by_day(pairs: exp.Select, superseded: bool) -> exp.Select:
    """By account, day and the time over which they are seen: how many values, `n`."""
    if not superseded:
        once = exp.select("account", "day", "MIN(seen_from) AS seen_from").from_(pairs.subquery("r", copy=False))
        once = once.group_by("account", "day", "value").subquery("pairs", copy=False)
        return exp.select("account", "day", "seen_from", "COUNT(*) AS n").from_(once).group_by("account", "day", "seen_from")
    apart = _seen_once(pairs).subquery("pairs", copy=False)
    found = exp.select("account", "day", "seen_from", f"NULLIF(until, {FOREVER}) AS seen_until", "COUNT(*) AS n").from_(apart)
    return found.group_by("account", "day", "seen_from", "until")


def _seen_once(pairs: exp.Select) -> exp.Select:
    """The times over which a pair is seen, none of them twice: what of each is later than all that begin before it."""
    keys = ("account", "day", "value", "seen_from")
    times = exp.select(*keys, f"MAX(COALESCE(seen_until, {FOREVER})) AS until").from_(pairs.subquery("r", copy=False)).group_by(*keys)
    order = "PARTITION BY account, day, value ORDER BY seen_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    found = exp.select(*keys, "until", f"COALESCE(MAX(until) OVER ({order}), seen_from) AS earlier")
    found = found.from_(times.subquery("times", copy=False))
    rest = exp.select("account", "day", "GREATEST(seen_from, earlier) AS seen_from", "until").from_(found.subquery("found", copy=False))
    return rest.where("until > GREATEST(seen_from, earlier)")


# The same dates for all accounts


def _by_pane(apart: Apart, looks: Looks, name: str) -> exp.Select:
    """What is added up by the first day of those that lie in the same windows, and by the as-of dates on which they are seen."""
    made = f"{looks.name}_panes"
    apart.inputs[made] = _panes(looks)
    apart.inputs[f"{looks.name}_dates"] = _dates(looks.question)
    first, earliest = _first_day(looks), day_number(as_of_days(looks.question)[0])
    found = exp.select("r.account AS account", "p.pane AS day", "s.at_day AS seen_from", "SUM(r.n) AS n").from_(f"{name} AS r")
    day = f"GREATEST(r.day, {first})" if looks.frame.endless else "r.day"
    found = found.join(f"{made} AS p", on=f"p.day = {day}")
    found = found.join(f"{looks.name}_dates AS s", on=f"s.day = GREATEST(r.seen_from, {earliest})")
    if not looks.superseded:
        return found.group_by("r.account", "p.pane", "s.at_day")
    gone = f"CASE WHEN r.seen_until IS NOT NULL THEN GREATEST(r.seen_until, {earliest}) END"
    found = found.select("e.at_day AS seen_until").join(f"{looks.name}_dates AS e", on=f"e.day = {gone}", join_type="left")
    return found.group_by("r.account", "p.pane", "s.at_day", "e.at_day")


def _first_day(looks: Looks) -> int:
    return frame_days(looks.frame, as_of_days(looks.question), looks.question.fiscal_year_starts)[0][1]


def _panes(looks: Looks) -> pa.Table:
    """By `day` of the windows: `pane`, the first of the days that lie in the same windows."""
    bounds = frame_days(looks.frame, as_of_days(looks.question), looks.question.fiscal_year_starts)
    low = _first_day(looks) if looks.frame.endless else min(first for first, _ in bounds)
    begins = {low, *(last + 1 for _, last in bounds)} | {first for first, _ in bounds if first > low}
    days = range(low, max(last for _, last in bounds) + 1)
    panes: list[int] = []
    for day in days:
        panes.append(day if day in begins else panes[-1])
    return pa.table({"day": pa.array(days, pa.int32()), "pane": pa.array(panes, pa.int32())})


def _dates(question: PanelQuestion) -> pa.Table:
    """By `day`, over all as-of dates: `at_day`, the first of them on or after it."""
    dates = [day_number(day) for day in as_of_days(question)]
    days = range(dates[0], dates[-1] + 1)
    return pa.table({"day": pa.array(days, pa.int32()), "at_day": pa.array([dates[bisect_left(dates, day)] for day in days], pa.int32())})
