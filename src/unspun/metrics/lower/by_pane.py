"""Measures on the same dates for all accounts: rows are added up by account and pane, and panes to windows.

A row that was known only after the first as-of date that follows its pane, or was superseded, is added up apart, under the dates from which
(`late`) and until before which (`until`) it is seen; so every row counts exactly on the dates on which it was known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.lower.distinct import DISTINCT_KINDS, distinct_steps
from unspun.metrics.lower.frames import Frame, distinct_frames, frame_of
from unspun.metrics.lower.kept import Kept, KeptColumns, kept_of, made_of_kept, made_of_rows
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.packed import Packs, packs_of
from unspun.metrics.lower.panes import Panes, seen_table
from unspun.metrics.lower.plan import Leaf, Seen, Step
from unspun.metrics.lower.prefix import DENSE, Join, Prefix, adds_up
from unspun.metrics.lower.sources import Source, as_of_days
from unspun.metrics.lower.terms import both, gone_day, running, when
from unspun.metrics.nodes import ActiveDays
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import Lifetime

SEEN = "measure_seen"
EVER = Frame(Lifetime())
FIRST, LAST = Kept("first", None), Kept("last", None)
Wanted = tuple[Frame, Kept]
Placed = tuple[int, Leaf]


@dataclass(slots=True)
class Parts:
    """What measures the rows of one table: steps, inputs, and the tables by unit in which the values stand as columns.

    `columns` names the column of each frame and kept thing; `distinct` that of each distinct count, by the place of its leaf. `covered` are
    the days of all accounts that have units.
    """

    steps: list[Step] = field(default_factory=list[Step])
    inputs: dict[str, pa.Table] = field(default_factory=dict[str, pa.Table])
    by_unit: list[str] = field(default_factory=list[str])
    columns: dict[Wanted, str] = field(default_factory=dict[Wanted, str])
    distinct: dict[int, str] = field(default_factory=dict[int, str])
    covered: exp.Select | None = None
    joins: list[Join] = field(default_factory=list[Join])
    prefix: Prefix | None = None
    packs: Packs = field(default_factory=Packs)

    def value(self, frame: Frame, one: Kept) -> exp.Expr:
        """What is kept over a frame, of the columns of the joined tables."""
        pack = self.packs.packed(one)
        if self.prefix is not None and (frame, pack) in self.prefix.names:
            return self.packs.unpacked(one, self.prefix.value(frame, pack))
        return self.packs.unpacked(one, exp.column(self.columns[frame, pack]))


def measured_by_pane(question: PanelQuestion, table: str, rows: Source, leaves: Sequence[Placed], seen: Sequence[Seen]) -> Parts:
    """The parts that measure leaves of a table on dates, and the first and last days seen."""
    parts, kept, days = Parts(), KeptColumns(), as_of_days(question)
    counted = [(i, leaf) for i, leaf in leaves if _is_distinct(leaf)]
    others = [leaf for _, leaf in leaves if not _is_distinct(leaf)]
    parts.packs = packs_of((one for leaf in others for one in kept_of(leaf.measure)), question.tables[table].rows)
    wanted = _wanted(others, parts.packs)
    parts.columns = {one: f"{table}_x{n}" for n, one in enumerate(wanted)}
    for one in (*(one for _, one in wanted), FIRST, LAST):
        kept.name(one)
    short = any(one.kind == "days" for one in kept.kept)
    ever = [Frame(Lifetime(), one.shift_days) for one in seen]
    panes = Panes(days, distinct_frames([*(frame for frame, _ in wanted), *ever]), question.fiscal_year_starts, short)
    parts.inputs |= {SEEN: seen_table(panes.points), f"measure_panes_{table}": panes.days_table()}
    parts.steps.append(Step(f"measure_state_{table}", _state(table, rows, kept, panes), f"rows of {table} by account and pane"))
    _add_bounded(parts, table, kept, panes, rows.superseded)
    _add_endless(parts, table, kept, panes, rows.superseded)
    parts.covered = _covered(table, kept, panes, rows.superseded, seen)
    if short:
        _add_late_days(parts, table, kept, panes, rows.superseded)
    if counted:
        steps, inputs, tables, names = distinct_steps(question, table, rows, counted)
        parts.steps += steps
        parts.inputs |= inputs
        parts.by_unit += tables
        parts.distinct |= names
    return parts


def _is_distinct(leaf: Leaf) -> bool:
    """Whether different values are counted; days over a window without a beginning are counted so, too."""
    endless_days = isinstance(leaf.measure, ActiveDays) and isinstance(leaf.measure.rows.window, Lifetime)
    return isinstance(leaf.measure, DISTINCT_KINDS) or endless_days


def _wanted(leaves: Sequence[Leaf], packs: Packs) -> tuple[Wanted, ...]:
    """What is wanted of each frame, each once; always the first day of all."""
    of_leaves = [(frame_of(leaf), packs.packed(one)) for leaf in leaves for one in kept_of(leaf.measure)]
    return tuple(dict.fromkeys([*of_leaves, (EVER, FIRST)]))


# Rows by account and pane


def _state(table: str, rows: Source, kept: KeptColumns, panes: Panes) -> exp.Select:
    """What is kept of the rows of each account and pane, apart by when they are seen."""
    pick = [made_of_rows(one, rows).as_(kept.name(one)) for one in kept.kept]
    keys = ["account", "pane", "late", *(["until"] if rows.superseded else [])]
    return exp.select(*keys, *pick, copy=False).from_(_timed(table, rows, panes).subquery("timed", copy=False)).group_by(*keys)


def _timed(table: str, rows: Source, panes: Panes) -> exp.Select:
    """Rows with their account, pane, and from which as-of date on they are seen where that is not the first after the pane (else 0)."""
    first, earliest = panes.ends[0], panes.points[0]
    found = exp.select("r.*", "a.account AS account", "d.pane AS pane", "d.bit AS bit", "d.entry AS entry")
    found = found.select("CASE WHEN s.point > d.entry THEN s.point ELSE 0 END AS late")
    found = found.from_(rows.query.subquery("r", copy=False))
    found = found.join(f"measure_panes_{table} AS d", on=f"d.day = GREATEST(r.day, {first})")
    found = found.join(f"{SEEN} AS s", on=f"s.day = GREATEST(r.seen_from, {earliest})")
    found = found.join("accounts_of_panel AS a", on="a.account_id = r.account_id")
    if not rows.superseded:
        return found
    found = found.join(f"{SEEN} AS e", on=f"e.day = {gone_day(earliest)}", join_type="left")
    until = f"COALESCE(e.point, {len(panes.days)}) AS until"
    return found.select(until).where("e.point IS NULL OR e.point > GREATEST(s.point, d.entry)")


# Panes to windows


def _in_time(panes: Panes, superseded: bool, alias: str = "s") -> exp.Expr:
    """Whether what is kept is of rows that were seen in time and for good."""
    return exp.condition(f"{alias}.late = 0" + (f" AND {alias}.until = {len(panes.days)}" if superseded else ""))


def _unit(panes: Panes, point: str) -> str:
    return f"CAST(s.account AS BIGINT) * {len(panes.days)} + {point}"


def _add_bounded(parts: Parts, table: str, kept: KeptColumns, panes: Panes, superseded: bool) -> None:
    """The windows with a beginning: each pane joined to the as-of dates that look at it."""
    bounded = {key: name for key, name in parts.columns.items() if not key[0].endless}
    if not bounded:
        return
    parts.inputs[f"measure_cover_{table}"] = panes.cover_table()
    wanted = list(bounded)
    if not superseded and panes.looks >= DENSE and any(adds_up(one) for _, one in bounded):
        parts.prefix = Prefix(table, kept, panes, {key: name for key, name in bounded.items() if adds_up(key[1])})
        parts.joins += parts.prefix.made()
        parts.steps += parts.prefix.steps
        parts.inputs |= parts.prefix.inputs
        wanted = [key for key in bounded if not adds_up(key[1])]
    if not wanted:
        return
    found = exp.select(f"{_unit(panes, 'c.point')} AS unit").from_(f"measure_state_{table} AS s")
    found = found.join(f"measure_cover_{table} AS c", on="c.pane = s.pane AND c.point >= s.late").group_by("1")
    if superseded:
        found = found.where("c.point < s.until")
    for frame, one in wanted:
        flag = exp.column(f"f{panes.frames.index(frame)}", table="c")
        inside = both(flag, _in_time(panes, superseded)) if one.kind == "days" else flag
        value = made_of_kept(one, kept, lambda name, inside=inside: when(inside.copy(), exp.column(name, table="s")))
        found = found.select(value.as_(parts.columns[frame, one]), copy=False)
    parts.steps.append(Step(f"measure_bounded_{table}", found, f"windows over {table}"))
    parts.by_unit.append(f"measure_bounded_{table}")


def _add_endless(parts: Parts, table: str, kept: KeptColumns, panes: Panes, superseded: bool) -> None:
    """The windows without a beginning, by how many days they end before the as-of date."""
    parts.inputs[f"measure_entries_{table}"] = panes.entry_table()
    for frame in distinct_frames(frame for frame, _ in parts.columns if frame.endless):
        wanted = [one for other, one in parts.columns if other == frame]
        names = {one: parts.columns[frame, one] for one in wanted}
        place = f"{table}_{frame.shift_days}"
        j = panes.frames.index(frame)
        if superseded:
            parts.steps.append(Step(f"measure_endless_{place}", _seen_in_turn(table, kept, panes, j, names), f"all of {table}"))
        else:
            parts.steps.append(Step(f"measure_entered_{place}", _entered(table, kept, panes, j, names), f"rows of {table} by first date"))
            parts.steps.append(Step(f"measure_endless_{place}", _running(place, names), f"all of {table} up to each date"))
        parts.by_unit.append(f"measure_endless_{place}")


def _entered(table: str, kept: KeptColumns, panes: Panes, j: int, names: dict[Kept, str]) -> exp.Select:
    """What is kept, by account and the first as-of date that sees it."""
    enters = f"GREATEST(e.a{j}, s.late)"
    found = exp.select(f"{_unit(panes, enters)} AS unit").from_(f"measure_state_{table} AS s")
    found = found.join(f"measure_entries_{table} AS e", on="e.pane = s.pane").where(f"e.a{j} < {len(panes.days)}").group_by("1")
    return found.select(*_of_panes(kept, names), copy=False)


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


def _seen_in_turn(table: str, kept: KeptColumns, panes: Panes, j: int, names: dict[Kept, str]) -> exp.Select:
    """What is kept, for each date on which it is seen: rows that are superseded leave again."""
    on = f"p.point >= GREATEST(e.a{j}, s.late) AND p.point < s.until"
    found = exp.select(f"{_unit(panes, 'p.point')} AS unit").from_(f"measure_state_{table} AS s")
    found = found.join(f"measure_entries_{table} AS e", on="e.pane = s.pane").join("points AS p", on=on).group_by("1")
    return found.select(*_of_panes(kept, names), copy=False)


def _covered(table: str, kept: KeptColumns, panes: Panes, superseded: bool, seen: Sequence[Seen]) -> exp.Select:
    """`point` and the first and last day of all accounts that have units, `first{n}` and `last{n}` of seen[n]."""
    keys = ["pane", "late", *(["until"] if superseded else [])]
    first, last = (exp.column(kept.name(one)) for one in (FIRST, LAST))
    spans = exp.select(*keys, exp.Min(this=first).as_("first"), exp.Max(this=last).as_("last"), copy=False)
    spans = spans.from_(f"measure_state_{table}").group_by(*keys)
    on = "p.point >= s.late" + (" AND p.point < s.until" if superseded else "")
    found = exp.select("p.point AS point").from_(spans.subquery("s", copy=False)).group_by("1")
    found = found.join(f"measure_entries_{table} AS e", on="e.pane = s.pane").join("points AS p", on=on)
    for n, one in enumerate(seen):
        entered = f"p.point >= e.a{panes.frames.index(Frame(Lifetime(), one.shift_days))}"
        found = found.select(
            f"MIN(CASE WHEN {entered} THEN s.first END) AS first{n}", f"MAX(CASE WHEN {entered} THEN s.last END) AS last{n}"
        )
    return found


# Days with rows that were seen late


def _add_late_days(parts: Parts, table: str, kept: KeptColumns, panes: Panes, superseded: bool) -> None:
    """Days that only late rows tell of are counted once more by themselves, as several of them may tell of one day."""
    wanted = [(frame, one) for frame, one in parts.columns if one.kind == "days"]
    masks = tuple(dict.fromkeys(kept.name(one) for _, one in wanted))
    names = [parts.columns[one] for one in wanted]
    parts.steps.append(Step(f"measure_late_{table}", _late(table, masks, panes, superseded), f"late rows of {table}"))
    days = exp.select(f"{_unit(panes, 'c.point')} AS unit").from_(f"measure_late_{table} AS s")
    days = days.join(f"measure_cover_{table} AS c", on="c.pane = s.pane AND c.point >= s.late").group_by("1", "s.pane")
    if superseded:
        days = days.where("c.point < s.until")
    for frame, one in wanted:
        name, flag = parts.columns[frame, one], exp.column(f"f{panes.frames.index(frame)}", table="c")
        mask = exp.BitwiseOrAgg(this=when(flag, exp.column(kept.name(one), table="s")))
        days = days.select(mask.as_(name), copy=False)
    sums = [exp.Sum(this=exp.BitwiseCount(this=exp.column(name))).as_(f"{name}_late") for name in names]
    found = exp.select("unit", *sums).from_(days.subquery("late_days", copy=False), copy=False).group_by("unit")
    parts.steps.append(Step(f"measure_late_days_{table}", found, f"days that late rows of {table} add"))
    parts.by_unit.append(f"measure_late_days_{table}")


def _late(table: str, masks: Sequence[str], panes: Panes, superseded: bool) -> exp.Select:
    """The masks of late or superseded rows, less the days of those of the same account and pane that are neither."""
    found = exp.select("s.account AS account", "s.pane AS pane", "s.late AS late", *(["s.until AS until"] if superseded else []))
    for mask in masks:
        known = exp.BitwiseNot(this=exp.func("COALESCE", exp.column(mask, table="b"), number(0)))
        found = found.select(exp.BitwiseAnd(this=exp.column(mask, table="s"), expression=known).as_(mask), copy=False)
    on = both(exp.condition("b.account = s.account AND b.pane = s.pane"), _in_time(panes, superseded, "b"))
    found = found.from_(f"measure_state_{table} AS s").join(f"measure_state_{table} AS b", on=on, join_type="left")
    return found.where(exp.not_(_in_time(panes, superseded)))
