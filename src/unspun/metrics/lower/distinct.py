"""Distinct counts: for each account and value the as-of dates whose windows hold it, as a mask with a bit for each window and date.

The mask of a value is the union of those of its rows, so no row is counted twice, whichever windows it lies in and whenever it was known.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.conditions import Condition
from unspun.metrics.lower.conditions import condition_sql
from unspun.metrics.lower.frames import distinct_frames, frame_of
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


def distinct_steps(
    question: PanelQuestion, table: str, rows: Source, leaves: Sequence[Placed]
) -> tuple[list[Step], dict[str, pa.Table], list[str], dict[int, str]]:
    """Steps, inputs, the tables by unit that they make, and the column of each leaf in these: one pass for each column counted."""
    steps: list[Step] = []
    inputs: dict[str, pa.Table] = {}
    tables: list[str] = []
    for n, column in enumerate(dict.fromkeys(_column(leaf) for _, leaf in leaves)):
        asked = [(i, leaf) for i, leaf in leaves if _column(leaf) == column]
        name = f"{table}_{n}"
        panes = Panes(as_of_days(question), distinct_frames(frame_of(leaf) for _, leaf in asked), question.fiscal_year_starts)
        conditions = list(dict.fromkeys(leaf.measure.rows.where for _, leaf in asked))
        inputs |= {f"measure_words_{name}": panes.words_table(), f"measure_seen_{name}": panes.seen_words_table()}
        steps.append(Step(f"measure_held_{name}", _held(name, rows, column, conditions, panes), f"values of {table} by account"))
        steps.append(Step(f"measure_distinct_{name}", _counted(name, asked, conditions, panes), f"distinct values of {table}"))
        tables.append(f"measure_distinct_{name}")
    return steps, inputs, tables, {i: f"{table}_n{i}" for i, _ in leaves}


def _column(leaf: Leaf) -> str:
    return leaf.measure.column if isinstance(leaf.measure, Distinct) else DAY


def _held(name: str, rows: Source, column: str, conditions: Sequence[Condition | None], panes: Panes) -> exp.Select:
    """By account and value, for each condition the words of its mask, `w{c}_{i}`."""
    first, earliest = panes.ends[0], panes.points[0]
    value = rows.value(column) if column else exp.column("day", table="r")
    found = exp.select("a.account AS account", value.as_("value")).group_by("1", "2")
    for c, condition in enumerate(conditions):
        fits = condition_sql(condition, rows)
        for i in range(panes.words):
            word = _seen_word(i, rows.superseded)
            found = found.select(exp.BitwiseOrAgg(this=word if fits == exp.true() else when(fits, word)).as_(f"w{c}_{i}"), copy=False)
    found = found.from_(rows.query.subquery("r", copy=False)).join(f"measure_words_{name} AS d", on=f"d.day = GREATEST(r.day, {first})")
    found = found.join(f"measure_seen_{name} AS s", on=f"s.day = GREATEST(r.seen_from, {earliest})")
    if rows.superseded:
        found = found.join(f"measure_seen_{name} AS e", on=f"e.day = {gone_day(earliest)}", join_type="left")
    found = found.join("accounts_of_panel AS a", on="a.account_id = r.account_id")
    return found.where(value.copy().is_(exp.null()).not_()) if column else found


def _seen_word(i: int, superseded: bool) -> exp.Expr:
    """A word of a row's mask: the dates whose windows hold it, of those that see it."""
    word: exp.Expr = exp.BitwiseAnd(this=exp.column(f"w{i}", table="d"), expression=exp.column(f"v{i}", table="s"))
    if not superseded:
        return word
    gone = exp.func("COALESCE", exp.column(f"v{i}", table="e"), exp.Literal.number(0))
    return exp.BitwiseAnd(this=word, expression=exp.BitwiseNot(this=gone))


def _counted(name: str, leaves: Sequence[Placed], conditions: Sequence[Condition | None], panes: Panes) -> exp.Select:
    """By unit, of how many values the mask has the bit of a leaf's window and the unit's date."""
    dates = len(panes.days)
    found = exp.select(f"CAST(h.account AS BIGINT) * {dates} + p.point AS unit").from_(f"measure_held_{name} AS h")
    found = found.join("points AS p", join_type="cross").group_by("1")
    table = name.rpartition("_")[0]
    for i, leaf in leaves:
        start = panes.frames.index(frame_of(leaf)) * dates
        bit = _bit(conditions.index(leaf.measure.rows.where), start, dates)
        found = found.select(exp.Sum(this=bit).as_(f"{table}_n{i}"), copy=False)
    return found


def _bit(condition: int, start: int, dates: int) -> exp.Expr:
    """The bit of a date, of those that begin at `start`."""
    place = f"(p.point + {start})"
    first, last = start // WORD_BITS, (start + dates - 1) // WORD_BITS
    word = exp.maybe_parse(f"h.w{condition}_{first}")
    for i in range(first + 1, last + 1):
        word = exp.maybe_parse(f"CASE WHEN {place} >= {i * WORD_BITS} THEN h.w{condition}_{i} ELSE {word.sql()} END")
    return exp.maybe_parse(f"({word.sql()} >> ({place} % {WORD_BITS})) & 1")
