"""Distinct counts: for each account and value the as-of dates whose windows hold it, as a mask with a bit for each window and date.

The mask of a value is the union of those of its rows, so no row is counted twice, whichever windows it lies in and whenever it was known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.conditions import Condition
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.frames import Frame, distinct_frames, frame_of
from unspun.metrics.lower.local_day import number
from unspun.metrics.lower.panes import WORD_BITS, Panes
from unspun.metrics.lower.plan import Leaf, Step
from unspun.metrics.lower.sources import Source, as_of_days
from unspun.metrics.lower.terms import gone_day, when
from unspun.metrics.nodes import Distinct
from unspun.metrics.question import PanelQuestion

DISTINCT_KINDS = (Distinct,)
Placed = tuple[int, Leaf]
DAY = ""
"""In place of a column: the day on which a row happened."""
MOST_COUNTS = 600
"""So many counts are made side by side."""


@dataclass(frozen=True)
class Counted:
    """Distinct counts of one column of a table: `name` of its steps, the leaves, and how many dates an account has at most."""

    name: str
    rows: Source
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


def distinct_steps(
    question: PanelQuestion, table: str, rows: Source, leaves: Sequence[Placed]
) -> tuple[list[Step], dict[str, pa.Table], list[str], dict[int, str]]:
    """Steps, inputs, the tables by unit that they make, and the column of each leaf in these: one pass for each column counted."""
    steps: list[Step] = []
    inputs: dict[str, pa.Table] = {}
    tables: list[str] = []
    for n, column in enumerate(dict.fromkeys(_column(leaf) for _, leaf in leaves)):
        asked, name = [(i, leaf) for i, leaf in leaves if _column(leaf) == column], f"{table}_{n}"
        panes = Panes(as_of_days(question), distinct_frames(frame_of(leaf) for _, leaf in asked), question.fiscal_year_starts)
        counted = Counted(name, rows, column, asked, len(panes.days))
        words = panes.words_table(list(counted.groups.values()))
        inputs |= {f"measure_words_{name}": words, f"measure_seen_{name}": panes.seen_words_table()}
        steps.append(Step(f"measure_held_{name}", _held(counted, panes), f"values of {table} by account"))
        steps.append(Step(f"measure_distinct_{name}", _by_unit(counted), f"distinct values of {table}"))
        tables.append(f"measure_distinct_{name}")
    return steps, inputs, tables, {i: f"n{i}" for i, _ in leaves}


def _column(leaf: Leaf) -> str:
    return leaf.measure.column if isinstance(leaf.measure, Distinct) else DAY


def _held(counted: Counted, panes: Panes) -> exp.Select:
    """By account and value, for each condition g the words of its mask, `w{g}_{i}`."""
    rows, name = counted.rows, counted.name
    value = rows.value(counted.column) if counted.column else exp.column("day", table="r")
    found = exp.select("a.account AS account", value.as_("value")).group_by("1", "2")
    for g, (condition, frames) in enumerate(counted.groups.items()):
        fits = condition_sql(condition, rows)
        for i in range(counted.words(frames)):
            word = _seen_word(g, i, rows.superseded)
            found = found.select(exp.BitwiseOrAgg(this=word if fits == exp.true() else when(fits, word)).as_(f"w{g}_{i}"), copy=False)
    found = found.from_(rows.query.subquery("r", copy=False)).join(
        f"measure_words_{name} AS d", on=f"d.day = GREATEST(r.day, {panes.ends[0]})"
    )
    found = found.join(f"measure_seen_{name} AS s", on=f"s.day = GREATEST(r.seen_from, {panes.points[0]})")
    if rows.superseded:
        found = found.join(f"measure_seen_{name} AS e", on=f"e.day = {gone_day(panes.points[0])}", join_type="left")
    found = found.join("accounts_of_panel AS a", on="a.account_id = r.account_id")
    return found.where(value.copy().is_(exp.null()).not_()) if counted.column else found


def _seen_word(group: int, i: int, superseded: bool) -> exp.Expr:
    """A word of a row's mask: the dates whose windows hold it, of those that see it."""
    word: exp.Expr = exp.BitwiseAnd(this=exp.column(f"w{group}_{i}", table="d"), expression=exp.column(f"v{i}", table="s"))
    if not superseded:
        return word
    gone = exp.func("COALESCE", exp.column(f"v{i}", table="e"), number(0))
    return exp.BitwiseAnd(this=word, expression=exp.BitwiseNot(this=gone))


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
