"""Measures on dates, or over windows, that differ by account: each account has panes of its own.

The days on which an account's panes end are kept as bits of 62-day stretches. The pane of a row is its stretch, and how many bits lie
before its day: one look-up by account and stretch, whatever the dates. A pane thus never reaches over the end of a stretch, so that its
days fit a mask. Rows known after they happened, or superseded, are added up apart by the days from which and until which they are seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from unspun.metrics.asof import BeforeRenewals
from unspun.metrics.lower.by_pane import EVER, FIRST, Parts
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.day_state import DayRows, Rows, made
from unspun.metrics.lower.distinct import Counted, counts_below, counts_beside
from unspun.metrics.lower.frames import BOUNDS, Frame, bounds_table, distinct_frames, frame_of
from unspun.metrics.lower.kept import KeptColumns, kept_of, made_of_kept
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.packed import packs_of
from unspun.metrics.lower.panes import WORD_BITS
from unspun.metrics.lower.plan import Leaf, Step
from unspun.metrics.lower.sources import as_of_days
from unspun.metrics.lower.terms import both, when
from unspun.metrics.lower.units import FOREVER
from unspun.metrics.lower.windows_of import days_before
from unspun.metrics.nodes import Distinct
from unspun.metrics.question import PanelQuestion

Placed = tuple[int, Leaf]
ZERO_DAY = WORD_BITS * 20_000
"""Added to a day, so that stretches are counted from a day before all others."""
ON_TIME = -FOREVER
"""In place of the day from which rows are seen, where that is the day on which they happened."""


def measured_by_account(question: PanelQuestion, table: str, rows: Rows, leaves: Sequence[Placed]) -> Parts:
    """The parts that measure leaves of a table for units of any dates; always with the first day of all."""
    others = [leaf for _, leaf in leaves if not isinstance(leaf.measure, Distinct)]
    parts, kept = Parts(), KeptColumns()
    parts.packs = packs_of((one for leaf in others for one in kept_of(leaf.measure)), question.tables[table].rows)
    wanted = [(frame_of(leaf), parts.packs.packed(one)) for leaf in others for one in kept_of(leaf.measure)]
    parts.columns = {one: f"{table}_a{n}" for n, one in enumerate(dict.fromkeys([*wanted, (EVER, FIRST)]))}
    for _, one in parts.columns:
        kept.name(one)
    frames = distinct_frames([*(frame_of(leaf) for _, leaf in leaves), EVER])
    paned = _Paned(question, table, rows, kept, frames)
    parts.inputs[f"{BOUNDS}_{table}"] = bounds_table(frames, as_of_days(question), question.fiscal_year_starts)
    parts.steps += [
        Step(f"measure_frames_{table}", paned.frames_by_unit(), f"windows over {table} of each unit"),
        Step(f"measure_cuts_{table}", paned.cuts(), f"the panes of each account over {table}"),
        Step(f"measure_stretches_{table}", paned.state(), f"rows of {table} by account and pane"),
        Step(f"measure_single_{table}", paned.windows(parts), f"windows over {table}"),
    ]
    parts.by_unit.append(f"measure_single_{table}")
    _add_late_days(parts, paned)
    _add_distinct(parts, paned, [(i, leaf) for i, leaf in leaves if isinstance(leaf.measure, Distinct)])
    return parts


@dataclass(frozen=True, slots=True)
class _Paned:
    """The rows of a table by the panes of each account."""

    question: PanelQuestion
    table: str
    rows: Rows
    kept: KeptColumns
    frames: tuple[Frame, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """What the state is apart by."""
        return ("account", "pane", "late", *(["until"] if self.rows.superseded else []))

    def frames_by_unit(self) -> exp.Select:
        """By unit: `account`, `at_day`, its place `at` among those of the account, and the first and last day of each frame."""
        place = "ROW_NUMBER() OVER (PARTITION BY u.account ORDER BY u.unit) - 1 AS at"
        found = exp.select("u.unit AS unit", "u.account AS account", "u.day AS at_day", place).from_("units AS u")
        found = found.join(f"{BOUNDS}_{self.table} AS b", on="b.point = u.point")
        if any(frame.by_contract for frame in self.frames):
            found = found.join("life AS l", on="l.unit = u.unit")
        for j, frame in enumerate(self.frames):
            first = "l.contract" if frame.by_contract else f"b.lo{j}"
            found = found.select(f"{first} AS lo{j}", f"b.hi{j} AS hi{j}", copy=False)
        return found

    def cuts(self) -> exp.Select:
        """By account and stretch of days, `mask`: the bits of the days on which a pane ends."""
        days = [f"hi{j}" for j in range(len(self.frames))]
        days += [f"lo{j} - 1" for j, frame in enumerate(self.frames) if not frame.endless]
        parts = [exp.select("account", f"{day} AS day").from_(f"measure_frames_{self.table}") for day in days]
        union: exp.Query = parts[0]
        for part in parts[1:]:
            union = exp.union(union, part, distinct=False, copy=False)
        found = exp.select("account", f"{_stretch('day')} AS stretch", f"BIT_OR({_bit('day')}) AS mask").where("day IS NOT NULL")
        return found.from_(union.subquery("cuts", copy=False)).group_by("1", "2")

    def timed(self, rows: Rows) -> exp.Select:
        """Rows with their account, pane, the bit of their day, and from which and until which day they are seen."""
        pane = f"{_stretch('r.day')} * 64 + BIT_COUNT(COALESCE(c.mask, 0) & ({_bit('r.day')} - 1)) AS pane"
        late = f"CASE WHEN r.seen_from > r.day THEN r.seen_from ELSE {ON_TIME} END AS late"
        found = exp.select("r.*", "a.account AS account", pane, f"{_bit('r.day')} AS bit", late)
        if self.rows.superseded:
            found = found.select(f"COALESCE(r.seen_until, {FOREVER}) AS until")
        found = found.from_(rows.query.subquery("r", copy=False)).join("accounts_of_panel AS a", on="a.account_id = r.account_id")
        on = f"c.account = a.account AND c.stretch = {_stretch('r.day')}"
        return found.join(f"measure_cuts_{self.table} AS c", on=on, join_type="left")

    def state(self) -> exp.Select:
        """What is kept of the rows of each account and pane, apart by when they are seen; `first_day`: a day of the pane."""
        pick = [made(one, self.rows).as_(self.kept.name(one)) for one in self.kept.kept]
        found = exp.select(*self.keys, "MIN(day) AS first_day", *pick, copy=False)
        return found.from_(self.timed(self.rows).subquery("timed", copy=False)).group_by(*self.keys)

    def seen(self, state: str) -> exp.Select:
        """The panes for each unit that sees them, and whether they lie in its frames, `f{j}`."""
        on = "u.account = s.account AND s.first_day <= u.at_day AND s.late <= u.at_day"
        on += " AND u.at_day < s.until" if self.rows.superseded else ""
        found = exp.select("u.unit AS unit", "u.at AS at", "s.*").from_(f"{state} AS s").join(f"measure_frames_{self.table} AS u", on=on)
        flags = [f"(s.first_day >= u.lo{j} AND s.first_day <= u.hi{j}) AS f{j}" for j in range(len(self.frames))]
        return found.select(*flags, copy=False)

    def windows(self, parts: Parts) -> exp.Select:
        """What is kept of each unit's windows."""
        found = exp.select("unit").from_(self.seen(f"measure_stretches_{self.table}").subquery("s", copy=False)).group_by("unit")
        for (frame, one), name in parts.columns.items():
            flag = self.flag(frame)
            inside = both(flag, self.in_time("s")) if one.kind == "days" else flag
            value = made_of_kept(one, self.kept, lambda column, inside=inside: when(inside.copy(), exp.column(column, table="s")))
            found = found.select(value.as_(name), copy=False)
        return found

    def flag(self, frame: Frame) -> exp.Column:
        """Whether a pane lies in a frame."""
        return exp.column(f"f{self.frames.index(frame)}", table="s")

    def in_time(self, alias: str) -> exp.Expr:
        """Whether what is kept is of rows that were seen in time and for good."""
        return exp.condition(f"{alias}.late = {ON_TIME}" + (f" AND {alias}.until = {FOREVER}" if self.rows.superseded else ""))


def _stretch(day: str) -> str:
    return f"(({day} + {ZERO_DAY}) DIV {WORD_BITS})"


def _bit(day: str) -> str:
    return f"(CAST(1 AS BIGINT) << (({day} + {ZERO_DAY}) % {WORD_BITS}))"


# Days with rows that were seen late


def _add_late_days(parts: Parts, paned: _Paned) -> None:
    """Days that only late rows tell of are counted by themselves, as several of them may tell of one day."""
    wanted = {key: name for key, name in parts.columns.items() if key[1].kind == "days"}
    if not wanted:
        return
    table = paned.table
    masks = tuple(dict.fromkeys(paned.kept.name(one) for _, one in wanted))
    days = exp.select("unit").from_(paned.seen(f"measure_late_single_{table}").subquery("s", copy=False)).group_by("unit", "pane")
    for (frame, one), name in wanted.items():
        mask = exp.BitwiseOrAgg(this=when(paned.flag(frame), exp.column(paned.kept.name(one), table="s")))
        days = days.select(mask.as_(name), copy=False)
    sums = [exp.Sum(this=exp.BitwiseCount(this=exp.column(name))).as_(f"{name}_late") for name in wanted.values()]
    found = exp.select("unit", *sums).from_(days.subquery("late_days", copy=False), copy=False).group_by("unit")
    parts.steps.append(Step(f"measure_late_single_{table}", _late(paned, masks), f"late rows of {table}"))
    parts.steps.append(Step(f"measure_late_days_single_{table}", found, f"days that late rows of {table} add"))
    parts.by_unit.append(f"measure_late_days_single_{table}")


def _late(paned: _Paned, masks: Sequence[str]) -> exp.Select:
    """The masks of late or superseded rows, less the days of those of the same account and pane that are neither."""
    found = exp.select(*(f"s.{key} AS {key}" for key in (*paned.keys, "first_day")))
    for mask in masks:
        known = exp.BitwiseNot(this=exp.func("COALESCE", exp.column(mask, table="b"), number(0)))
        found = found.select(exp.BitwiseAnd(this=exp.column(mask, table="s"), expression=known).as_(mask), copy=False)
    state = f"measure_stretches_{paned.table}"
    on = both(exp.condition("b.account = s.account AND b.pane = s.pane"), paned.in_time("b"))
    return found.from_(f"{state} AS s").join(f"{state} AS b", on=on, join_type="left").where(exp.not_(paned.in_time("s")))


# Distinct counts


def _add_distinct(parts: Parts, paned: _Paned, leaves: Sequence[Placed]) -> None:
    """Distinct counts: a mask for each account and value, with a bit for each window and unit of the account."""
    most = most_units(paned.question)
    for n, column in enumerate(dict.fromkeys(leaf.measure.column for _, leaf in leaves if isinstance(leaf.measure, Distinct))):
        asked = [(i, leaf) for i, leaf in leaves if isinstance(leaf.measure, Distinct) and leaf.measure.column == column]
        name = f"{paned.table}_{n}_single"
        counted = Counted(name, paned.rows, column, asked, most)
        parts.steps.append(Step(f"measure_words_{name}", _words(paned, counted), f"units that look at each pane of {paned.table}"))
        parts.steps.append(Step(f"measure_held_{name}", _held(paned, counted), f"values of {paned.table} by account"))
        parts.steps.append(Step(f"measure_distinct_{name}", _by_unit(paned.table, counted), f"distinct values of {paned.table}"))
        parts.by_unit.append(f"measure_distinct_{name}")
        parts.distinct |= {i: f"n{i}" for i, _ in asked}


def most_units(question: PanelQuestion) -> int:
    """How many units an account has at most."""
    if not isinstance(question.as_of, BeforeRenewals):
        return len(as_of_days(question))
    dues, horizons = question.as_of.dues, question.as_of.horizons_days
    before = {due: [days_before(due, horizon) for horizon in horizons] for due in {due for _, due in dues}}
    days = {(account, day) for account, due in dues for day in before[due]}
    return max(Counter(account for account, _ in days).values(), default=0)


def _words(paned: _Paned, counted: Counted) -> exp.Select:
    """By pane and when it is seen, for each condition g the bits of the frames and units that look at it, `w{g}_{i}`."""
    state = f"measure_stretches_{paned.table}"
    keys = [f"s.{key} AS {key}" for key in paned.keys]
    found = exp.select(*keys).from_(paned.seen(state).subquery("s", copy=False)).group_by(*(f"s.{key}" for key in paned.keys))
    for g, frames in enumerate(counted.groups.values()):
        for i in range(counted.words(frames)):
            word: exp.Expr | None = None
            for place, frame in enumerate(frames):
                first = place * counted.dates - i * WORD_BITS
                if -counted.dates < first < WORD_BITS:
                    there = exp.condition(f"s.at + ({first}) >= 0 AND s.at + ({first}) < {WORD_BITS}")
                    bit = exp.maybe_parse(f"CAST(1 AS BIGINT) << (s.at + ({first}))")
                    part = exp.func("COALESCE", exp.BitwiseOrAgg(this=when(both(paned.flag(frame), there), bit)), number(0))
                    word = part if word is None else exp.BitwiseOr(this=word, expression=part)
            found = found.select((word or number(0)).as_(f"w{g}_{i}"), copy=False)
    return found


def _held(paned: _Paned, counted: Counted) -> exp.Select:
    """By account and value, for each condition g the words of its mask, `w{g}_{i}`."""
    rows = paned.rows.rows if isinstance(paned.rows, DayRows) else paned.rows  # which days an account had a value is not kept by its panes
    value = rows.value(counted.column)
    found = exp.select("r.account AS account", value.as_("value")).group_by("1", "2").where(value.copy().is_(exp.null()).not_())
    for g, (condition, frames) in enumerate(counted.groups.items()):
        fits = condition_sql(condition, rows)
        for i in range(counted.words(frames)):
            word = exp.column(f"w{g}_{i}", table="w")
            found = found.select(exp.BitwiseOrAgg(this=word if fits == exp.true() else when(fits, word)).as_(f"w{g}_{i}"), copy=False)
    on = " AND ".join(f"w.{key} = r.{key}" for key in paned.keys)
    return found.from_(paned.timed(rows).subquery("r", copy=False)).join(f"measure_words_{counted.name} AS w", on=on)


def _by_unit(table: str, counted: Counted) -> exp.Query:
    """By unit, of how many values the mask has the bit of each leaf."""

    def placed(points: range) -> exp.Select:
        below = counts_below(counted, points, exp.column("account").as_("account"), "at")
        found = exp.select("u.unit AS unit", *(f"c.n{i} AS n{i}" for i, _ in counted.leaves)).from_(
            below.subquery("c", copy=False), copy=False
        )
        return found.join(f"measure_frames_{table} AS u", on="u.account = c.account AND u.at = c.at")

    return counts_beside(counted, placed)
