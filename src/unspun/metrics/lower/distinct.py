"""Distinct counts: for each account and value the as-of dates whose windows hold it, as a mask with a bit for each window and date.

The mask of a value is the union of those of its rows, so no row is counted twice, whichever windows it lies in and whenever it was known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from sqlglot import exp

from unspun.metrics.conditions import Condition, columns_of
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.day_state import DayRows, Rows
from unspun.metrics.lower.frames import Frame, distinct_frames, frame_of
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.panes import WORD_BITS, Panes
from unspun.metrics.lower.parts import Parts, Placed
from unspun.metrics.lower.plan import Leaf, Step
from unspun.metrics.lower.sheet import MaskCounts, in_slice
from unspun.metrics.lower.sources import as_of_days, since, source
from unspun.metrics.lower.terms import gone_day, when
from unspun.metrics.lower.value_state import is_masked, mask_name, masks_query, word
from unspun.metrics.nodes import Distinct
from unspun.metrics.question import KeptValues, PanelQuestion

DISTINCT_KINDS = (Distinct,)
DAY = ""
"""In place of a column: the day on which a row happened."""
MOST_COUNTS = 600
"""So many counts are made side by side."""


@dataclass(frozen=True)
class Counted:
    """Distinct counts of one column of a table: `name` of its steps, the leaves, and how many dates an account has at most."""

    name: str
    rows: Rows
    column: str
    leaves: Sequence[Placed]
    dates: int

    @cached_property
    def groups(self) -> dict[Condition | None, tuple[Frame, ...]]:
        """The conditions, each with the frames over which values are counted under it."""
        frames: dict[Condition | None, dict[Frame, None]] = {}
        for _, leaf in self.leaves:
            frames.setdefault(leaf.measure.rows.where, {})[frame_of(leaf)] = None
        return {condition: tuple(found) for condition, found in frames.items()}

    def bits(self, leaf: Leaf) -> list[tuple[str, int]]:
        """For each date the word that holds a leaf's bit, as a column, and the bit in it."""
        conditions, where = list(self.groups), leaf.measure.rows.where
        start = self.groups[where].index(frame_of(leaf)) * self.dates
        places = [divmod(start + point, WORD_BITS) for point in range(self.dates)]
        return [(f"w{conditions.index(where)}_{word}", 1 << bit) for word, bit in places]

    def words(self, frames: Sequence[Frame]) -> int:
        """How many words hold a bit for each of some frames and date."""
        return -(-len(frames) * self.dates // WORD_BITS)


def add_distinct(parts: Parts, question: PanelQuestion, table: str, rows: Rows, leaves: Sequence[Placed], by_place: bool = False) -> None:
    """Add the counts of leaves: one pass for each column counted, then a step by unit, or counts of masks that are made by place."""
    for n, column in enumerate(dict.fromkeys(_column(leaf) for _, leaf in leaves)):
        asked, name = [(i, leaf) for i, leaf in leaves if _column(leaf) == column], f"{table}_{n}"
        panes = Panes(as_of_days(question), distinct_frames(frame_of(leaf) for _, leaf in asked), question.fiscal_year_starts)
        counted = Counted(name, rows, column, asked, len(panes.days))
        parts.inputs[f"measure_seen_{name}"] = panes.seen_words_table()
        kept = _kept_values(question, table, column, counted)
        if kept is None:
            parts.inputs[f"measure_words_{name}"] = panes.words_table(list(counted.groups.values()))
            parts.steps.append(Step(f"measure_held_{name}", _held(counted, panes), f"values of {table} by account"))
        else:
            parts.steps += _held_of_kept(question, table, counted, panes, kept)
            if kept.corrected:
                parts.inputs[f"measure_words_{name}"] = panes.words_table(list(counted.groups.values()))
        parts.distinct |= {i: f"n{i}" for i, _ in asked}
        if by_place:
            parts.counts.append(_masks(counted))
            continue
        parts.steps.append(Step(f"measure_distinct_{name}", _by_unit(counted), f"distinct values of {table}"))
        parts.by_unit.append(f"measure_distinct_{name}")


def _masks(counted: Counted) -> MaskCounts:
    """The counts as they are made by place: of the words of masks, and which of their bits are counted."""
    words = [f"w{g}_{i}" for g, frames in enumerate(counted.groups.values()) for i in range(counted.words(frames))]
    rows = exp.select("account", *words).from_(f"measure_held_{counted.name}").where(in_slice(exp.column("account")))
    bits = {f"n{i}": tuple((word, bit.bit_length() - 1) for word, bit in counted.bits(leaf)) for i, leaf in counted.leaves}
    return MaskCounts(rows, bits)


def _column(leaf: Leaf) -> str:
    return leaf.measure.column if isinstance(leaf.measure, Distinct) else DAY


def _held(counted: Counted, panes: Panes) -> exp.Select:
    """By account and value, for each condition g the words of its mask, `w{g}_{i}`."""
    of_rows, name = counted.rows, counted.name
    rows = of_rows.rows if isinstance(of_rows, DayRows) and counted.column else of_rows
    value = exp.column("day", table="r") if isinstance(rows, DayRows) or not counted.column else rows.value(counted.column)
    found = exp.select("a.account AS account", value.as_("value")).group_by("1", "2")
    for g, (condition, frames) in enumerate(counted.groups.items()):
        fits = rows.fits(condition) if isinstance(rows, DayRows) else condition_sql(condition, rows)
        for i in range(counted.words(frames)):
            seen = _seen_word(exp.column(f"w{g}_{i}", table="d"), i, rows.superseded)
            found = found.select(exp.BitwiseOrAgg(this=seen if fits == exp.true() else when(fits, seen)).as_(f"w{g}_{i}"), copy=False)
    found = found.from_(_in_windows(rows, panes).subquery("r", copy=False)).join(
        f"measure_words_{name} AS d", on=f"d.day = GREATEST(r.day, {panes.ends[0]})"
    )
    found = found.join(f"measure_seen_{name} AS s", on=f"s.day = GREATEST(r.seen_from, {panes.points[0]})")
    if rows.superseded:
        found = found.join(f"measure_seen_{name} AS e", on=f"e.day = {gone_day(panes.points[0])}", join_type="left")
    found = found.join("accounts_of_panel AS a", on="a.account_id = r.account_id")
    return found.where(value.copy().is_(exp.null()).not_()) if counted.column else found


def _in_windows(rows: Rows, panes: Panes) -> exp.Select:
    """The rows that may lie in a window: where each has one version, none of long before the first window is read."""
    endless = any(frame.endless for frame in panes.frames)
    first = min(low for bounds in panes.bounds for low, _ in bounds)
    return rows.query if endless or rows.superseded or isinstance(rows, DayRows) else since(rows.query, first)


def _seen_word(of_windows: exp.Expr, i: int, superseded: bool) -> exp.Expr:
    """A word of a row's mask: the dates whose windows hold it, of those that see it."""
    word: exp.Expr = exp.BitwiseAnd(this=of_windows, expression=exp.column(f"v{i}", table="s"))
    if not superseded:
        return word
    gone = exp.func("COALESCE", exp.column(f"v{i}", table="e"), number(0))
    return exp.BitwiseAnd(this=word, expression=exp.BitwiseNot(this=gone))


def _kept_values(question: PanelQuestion, table: str, column: str, counted: Counted) -> KeptValues | None:
    """What is kept of the values of a column, where all that is asked of them is."""
    held = question.kept.get(table)
    values = None if held is None else held.values.get(column)
    if values is None or not is_masked(values, (mask_name(question, table, column, condition) for condition in counted.groups)):
        return None
    return values


def _held_of_kept(question: PanelQuestion, table: str, counted: Counted, panes: Panes, kept: KeptValues) -> list[Step]:
    """The table that `_held` makes of rows, made of what is kept of them."""
    name = counted.name
    found = exp.select("m.account AS account", "m.value AS value").group_by("1", "2")
    for g, (condition, frames) in enumerate(counted.groups.items()):
        mask = mask_name(question, table, counted.column, condition)
        windows = [bounds for frame in frames for bounds in panes.bounds[panes.frames.index(frame)]]
        for i in range(counted.words(frames)):
            seen = _seen_word(word(kept, mask, windows, i * WORD_BITS), i, superseded=False)
            found = found.select(exp.BitwiseOrAgg(this=seen).as_(f"w{g}_{i}"), copy=False)
    found = found.from_(f"measure_masks_{name} AS m").join(f"measure_seen_{name} AS s", on="s.day = m.seen")
    together = masks_query(kept, {one.name for one in found.find_all(exp.Column) if one.name in kept.columns}, panes.points[0])
    held = _with_corrected(question, table, counted, panes, found, kept.corrected) if kept.corrected else found
    return [
        Step(f"measure_masks_{name}", together, f"days of the values of {table}"),
        Step(f"measure_held_{name}", held, f"values of {table} by account"),
    ]


def _with_corrected(question: PanelQuestion, table: str, counted: Counted, panes: Panes, found: exp.Select, corrected: str) -> exp.Select:
    """What was found of masks united with what the row versions in the table `corrected` add."""
    read = dict.fromkeys([counted.column, *(name for condition in counted.groups for name in columns_of(condition))])
    rows = source(question, table, tuple(read))
    for one in rows.query.find_all(exp.Table):
        if one.name == f"{table}_versions":
            one.set("this", exp.to_identifier(corrected))
    union = exp.union(found, _held(replace(counted, rows=rows), panes), distinct=False, copy=False)
    words = [f"w{g}_{i}" for g, frames in enumerate(counted.groups.values()) for i in range(counted.words(frames))]
    together = exp.select("account", "value", *(f"BIT_OR({word}) AS {word}" for word in words))
    return together.from_(union.subquery("held", copy=False)).group_by("account", "value")


def _by_unit(counted: Counted) -> exp.Query:
    """By unit, of how many values the mask has the bit of each leaf."""

    def placed(points: range) -> exp.Select:
        first = exp.maybe_parse(f"CAST(account AS BIGINT) * {counted.dates}")
        return counts_below(counted, points, first, "unit")

    return counts_beside(counted, placed)


def counts_beside(counted: Counted, of_dates: Callable[[range], exp.Select]) -> exp.Query:
    """The counts on all dates, so many dates at once that a query stays of moderate width."""
    chunk = max(1, MOST_COUNTS // len(counted.leaves))
    parts = [of_dates(range(start, min(start + chunk, counted.dates))) for start in range(0, counted.dates, chunk)]
    query: exp.Query = parts[0]
    for part in parts[1:]:
        query = exp.union(query, part, distinct=False, copy=False)
    return query


def counts_below(counted: Counted, points: range, first: exp.Expr, name: str) -> exp.Select:
    """By account a count `n{i}` for each leaf and date, turned into a row for each date. `first`: a column that stays, where it has a name,
    and else what the place of a date is added to; `name`: of the place, or of that sum."""
    bits = {i: counted.bits(leaf) for i, leaf in counted.leaves}
    wide = exp.select("account").from_(f"measure_held_{counted.name}").group_by("account")
    for i, places in bits.items():
        for point in points:
            word, bit = places[point]
            held = exp.func("NULLIF", exp.BitwiseAnd(this=exp.column(word), expression=number(bit)), number(0))
            wide = wide.select(exp.Count(this=held).as_(f"n{i}_{point}"), copy=False)
    place = _unnested([number(point) for point in points])
    keys = [first, place.as_(name)] if isinstance(first, exp.Alias) else [exp.Add(this=first, expression=place).as_(name)]
    counts = [_unnested([exp.column(f"n{i}_{point}") for point in points]).as_(f"n{i}") for i in bits]
    return exp.select(*keys, *counts).from_(wide.subquery("wide", copy=False), copy=False)


def _unnested(values: Sequence[exp.Expr]) -> exp.Expr:
    """Values that lie side by side, one below the other."""
    return exp.Anonymous(this="UNNEST", expressions=[exp.Array(expressions=list(values))])
