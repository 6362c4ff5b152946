"""From panes to windows: what is kept of an account's panes, put together for each window and as-of date.

As steps of SQL for any engine; or described for an engine that makes windows by place (see `sheet.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlglot import exp

from unspun.book.entities import Kind
from unspun.metrics.lower.frames import distinct_frames
from unspun.metrics.lower.kept import ADDED, Kept, KeptColumns, made_of_kept
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.panes import Panes
from unspun.metrics.lower.parts import Parts, Wanted
from unspun.metrics.lower.plan import Step
from unspun.metrics.lower.prefix import DENSE, Prefix, adds_up
from unspun.metrics.lower.sheet import Made, PaneWindows, Window, in_slice
from unspun.metrics.lower.terms import both, running, when

PLACED_KINDS: tuple[Kind, ...] = ("number", "whole")
"""The extremes of columns of these kinds are made by place."""


@dataclass(frozen=True, slots=True)
class PaneState:
    """The table `measure_state_{table}`: what is kept of the rows of each account and pane, apart by when they are seen."""

    table: str
    kept: KeptColumns
    panes: Panes
    superseded: bool

    def in_time(self, alias: str = "s") -> exp.Expr:
        """Whether what is kept is of rows that were seen in time and for good."""
        return exp.condition(f"{alias}.late = 0" + (f" AND {alias}.until = {len(self.panes.days)}" if self.superseded else ""))

    def unit(self, point: str) -> str:
        return f"CAST(s.account AS BIGINT) * {len(self.panes.days)} + {point}"


def add_windows(parts: Parts, state: PaneState, by_unit: Sequence[Wanted]) -> None:
    """Add the steps that make windows of panes, those of `by_unit`."""
    _add_bounded(parts, state, [key for key in by_unit if not key[0].endless])
    _add_endless(parts, state, [key for key in by_unit if key[0].endless])


def _add_bounded(parts: Parts, state: PaneState, bounded: Sequence[Wanted]) -> None:
    """The windows with a beginning: each pane joined to the as-of dates that look at it."""
    table, kept, panes = state.table, state.kept, state.panes
    if not bounded:
        return
    parts.inputs[f"measure_cover_{table}"] = panes.cover_table()
    wanted = list(bounded)
    if not state.superseded and panes.looks >= DENSE and any(adds_up(one) for _, one in bounded):
        parts.prefix = Prefix(table, kept, panes, {key: parts.columns[key] for key in bounded if adds_up(key[1])})
        parts.joins += parts.prefix.made()
        parts.steps += parts.prefix.steps
        parts.inputs |= parts.prefix.inputs
        wanted = [key for key in bounded if not adds_up(key[1])]
    if not wanted:
        return
    found = exp.select(f"{state.unit('c.point')} AS unit").from_(f"measure_state_{table} AS s")
    found = found.join(f"measure_cover_{table} AS c", on="c.pane = s.pane AND c.point >= s.late").group_by("1")
    if state.superseded:
        found = found.where("c.point < s.until")
    for frame, one in wanted:
        flag = exp.column(f"f{panes.frames.index(frame)}", table="c")
        inside = both(flag, state.in_time()) if one.kind == "days" else flag
        value = made_of_kept(one, kept, lambda name, inside=inside: when(inside.copy(), exp.column(name, table="s")))
        found = found.select(value.as_(parts.columns[frame, one]), copy=False)
    parts.steps.append(Step(f"measure_bounded_{table}", found, f"windows over {table}"))
    parts.by_unit.append(f"measure_bounded_{table}")


def _add_endless(parts: Parts, state: PaneState, endless: Sequence[Wanted]) -> None:
    """The windows without a beginning, by how many days they end before the as-of date."""
    table = state.table
    parts.inputs[f"measure_entries_{table}"] = state.panes.entry_table()
    for frame in distinct_frames(frame for frame, _ in endless):
        names = {one: parts.columns[frame, one] for other, one in endless if other == frame}
        place = f"{table}_{frame.shift_days}"
        j = state.panes.frames.index(frame)
        if state.superseded:
            parts.steps.append(Step(f"measure_endless_{place}", _seen_in_turn(state, j, names), f"all of {table}"))
        else:
            parts.steps.append(Step(f"measure_entered_{place}", _entered(state, j, names), f"rows of {table} by first date"))
            parts.steps.append(Step(f"measure_endless_{place}", _running(place, names), f"all of {table} up to each date"))
        parts.by_unit.append(f"measure_endless_{place}")


def _entered(state: PaneState, j: int, names: dict[Kept, str]) -> exp.Select:
    """What is kept, by account and the first as-of date that sees it."""
    enters = f"GREATEST(e.a{j}, s.late)"
    found = exp.select(f"{state.unit(enters)} AS unit").from_(f"measure_state_{state.table} AS s")
    found = found.join(f"measure_entries_{state.table} AS e", on="e.pane = s.pane")
    found = found.where(f"e.a{j} < {len(state.panes.days)}").group_by("1")
    return found.select(*_of_panes(state.kept, names), copy=False)


def _of_panes(kept: KeptColumns, names: dict[Kept, str]) -> list[exp.Expr]:
    return [made_of_kept(one, kept, lambda name: exp.column(name, table="s")).as_(names[one]) for one in names]


def _running(place: str, names: dict[Kept, str]) -> exp.Select:
    """What has entered by each date."""
    found = exp.select("u.unit AS unit").from_("units AS u").join(f"measure_entered_{place} AS s", on="s.unit = u.unit", join_type="left")
    columns = _Entered(names)
    for one, name in names.items():
        value = made_of_kept(one, columns, lambda column: exp.column(column, table="s"))
        found = found.select(running(value).as_(name), copy=False)
    return found


class _Entered(KeptColumns):
    """What is kept under the names that it has when it was added up once."""

    def __init__(self, names: dict[Kept, str]) -> None:
        super().__init__(list(names))
        self.names = names

    def name(self, one: Kept) -> str:
        return self.names[one]


def _seen_in_turn(state: PaneState, j: int, names: dict[Kept, str]) -> exp.Select:
    """What is kept, for each date on which it is seen: rows that are superseded leave again."""
    on = f"p.point >= GREATEST(e.a{j}, s.late) AND p.point < s.until"
    found = exp.select(f"{state.unit('p.point')} AS unit").from_(f"measure_state_{state.table} AS s")
    found = found.join(f"measure_entries_{state.table} AS e", on="e.pane = s.pane").join("points AS p", on=on).group_by("1")
    return found.select(*_of_panes(state.kept, names), copy=False)


# Days with rows that were seen late


def add_late_days(parts: Parts, state: PaneState) -> None:
    """Days that only late rows tell of are counted once more by themselves, as several of them may tell of one day."""
    table, kept, panes = state.table, state.kept, state.panes
    wanted = [(frame, one) for frame, one in parts.columns if one.kind == "days"]
    if not wanted:
        return
    if f"measure_cover_{table}" not in parts.inputs:
        parts.inputs[f"measure_cover_{table}"] = panes.cover_table()
    masks = tuple(dict.fromkeys(kept.name(one) for _, one in wanted))
    names = [parts.columns[one] for one in wanted]
    parts.steps.append(Step(f"measure_late_{table}", _late(state, masks), f"late rows of {table}"))
    days = exp.select(f"{state.unit('c.point')} AS unit").from_(f"measure_late_{table} AS s")
    days = days.join(f"measure_cover_{table} AS c", on="c.pane = s.pane AND c.point >= s.late").group_by("1", "s.pane")
    if state.superseded:
        days = days.where("c.point < s.until")
    for frame, one in wanted:
        name, flag = parts.columns[frame, one], exp.column(f"f{panes.frames.index(frame)}", table="c")
        mask = exp.BitwiseOrAgg(this=when(flag, exp.column(kept.name(one), table="s")))
        days = days.select(mask.as_(name), copy=False)
    sums = [exp.Sum(this=exp.BitwiseCount(this=exp.column(name))).as_(f"{name}_late") for name in names]
    found = exp.select("unit", *sums).from_(days.subquery("late_days", copy=False), copy=False).group_by("unit")
    parts.steps.append(Step(f"measure_late_days_{table}", found, f"days that late rows of {table} add"))
    parts.by_unit.append(f"measure_late_days_{table}")


def _late(state: PaneState, masks: Sequence[str]) -> exp.Select:
    """The masks of late or superseded rows, less the days of those of the same account and pane that are neither."""
    found = exp.select("s.account AS account", "s.pane AS pane", "s.late AS late", *(["s.until AS until"] if state.superseded else []))
    for mask in masks:
        known = exp.BitwiseNot(this=exp.func("COALESCE", exp.column(mask, table="b"), number(0)))
        found = found.select(exp.BitwiseAnd(this=exp.column(mask, table="s"), expression=known).as_(mask), copy=False)
    on = both(exp.condition("b.account = s.account AND b.pane = s.pane"), state.in_time("b"))
    found = found.from_(f"measure_state_{state.table} AS s").join(f"measure_state_{state.table} AS b", on=on, join_type="left")
    return found.where(exp.not_(state.in_time()))


# By place


def place_windows(parts: Parts, state: PaneState, wanted: Iterable[Wanted]) -> None:
    """Describe the windows that are made by place: `wanted`, whose counts are not packed."""
    placed = tuple(dict.fromkeys(wanted))
    columns = {one: f"p{n}" for n, one in enumerate(dict.fromkeys(one for _, one in placed))}
    picked = [_of_state(one, parts, state).as_(name) for one, name in columns.items()]
    keys = ("account", "pane", "late", *(["until"] if state.superseded else []))
    rows = exp.select(*(exp.column(key, table="s").as_(key) for key in keys), *picked, copy=False)
    rows = rows.from_(f"measure_state_{state.table} AS s").where(in_slice(exp.column("account", table="s")))
    parts.placed = {key: parts.columns.get(key, f"{state.table}_l{n}") for n, key in enumerate(placed)}
    windows = [Window(name, columns[one], state.panes.frames.index(frame), _made(one)) for (frame, one), name in parts.placed.items()]
    intervals = tuple(tuple(spans) for spans in state.panes.intervals)
    parts.windows.append(PaneWindows(rows, state.superseded, intervals, tuple(windows)))


def is_placed(one: Kept, kind: Kind | None) -> bool:
    """Whether windows of it are made by place; `kind`: of its column."""
    return one.kind in (*ADDED, "days", "first", "last") or (one.kind in ("least", "greatest") and kind in PLACED_KINDS)


def _of_state(one: Kept, parts: Parts, state: PaneState) -> exp.Expr:
    """What is kept of a pane, of the state: counts as 64-bit integers; days as their number, of rows seen in time."""
    cell = parts.packs.unpacked(one, exp.column(state.kept.name(parts.packs.packed(one)), table="s"))
    if one.kind == "days":
        cell = when(state.in_time(), exp.BitwiseCount(this=cell))
    return exp.cast(cell, "bigint") if one.kind in ("count", "filled", "days") else cell


def _made(one: Kept) -> Made:
    match one.kind:
        case "sum":
            return "amount"
        case "least" | "first":
            return "least"
        case "greatest" | "last":
            return "greatest"
        case _:
            return "sum"
