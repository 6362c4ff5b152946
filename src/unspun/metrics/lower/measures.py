"""Measures of rows: the steps that compute all of them for all units of a panel."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.conditions import columns_of
from unspun.metrics.lower.by_unit import Placed, by_unit
from unspun.metrics.lower.covered import covered_steps
from unspun.metrics.lower.frames import BOUNDS, Frame, bounds_table, distinct_frames, frame_of
from unspun.metrics.lower.plan import Leaf, Seen, Step
from unspun.metrics.lower.sources import as_of_days, source
from unspun.metrics.nodes import LastValue, Measure
from unspun.metrics.question import PanelQuestion

MEASURED = "measured"


def measure_steps(question: PanelQuestion, leaves: Sequence[Leaf], seen: Sequence[Seen]) -> tuple[tuple[Step, ...], dict[str, pa.Table]]:
    """The steps that make the tables `measured` and `covered`, and the small tables that they read.

    `measured` has a row for each unit: `unit`, `m{i}` the value of leaves[i] (NULL: no row fits), of recency and last values `r{i}` (the day
    of that row), and `f{k}`: the first day of the account's rows by seen[k]. Whole numbers are BIGINT; sums, averages, amounts DOUBLE; days
    INT, as days since 1970. `covered` has a row for each as-of date: `point`, and of seen[k] `first{k}` and `last{k}`, over all accounts.
    """
    frames = distinct_frames(frame_of(leaf) for leaf in leaves)
    steps: list[Step] = []
    for table in _tables(leaves, seen):
        steps += _table_steps(question, table, frames, leaves, seen)
    steps += [Step(MEASURED, _measured(leaves, seen), "the measures of all units"), *covered_steps(question, seen)]
    return tuple(steps), {BOUNDS: bounds_table(frames, as_of_days(question), question.fiscal_year_starts)}


def _tables(leaves: Sequence[Leaf], seen: Sequence[Seen]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*(leaf.measure.rows.table for leaf in leaves), *(one.table for one in seen)]))


def _table_steps(
    question: PanelQuestion, table: str, frames: Sequence[Frame], leaves: Sequence[Leaf], seen: Sequence[Seen]
) -> list[Step]:
    placed = [(i, leaf) for i, leaf in enumerate(leaves) if leaf.measure.rows.table == table]
    rows = source(question, table, _columns([leaf.measure for _, leaf in placed]), _ordered(placed))
    query = by_unit(rows, frames, placed, [(k, one) for k, one in enumerate(seen) if one.table == table])
    return [Step(f"measure_{table}", query, f"measures of {table}")]


def _columns(measures: Sequence[Measure]) -> tuple[str, ...]:
    named = [name for one in measures for name in (*columns_of(one.rows.where), getattr(one, "column", ""))]
    return tuple(dict.fromkeys(name for name in named if name))


def _ordered(placed: Sequence[Placed]) -> bool:
    return any(isinstance(leaf.measure, LastValue) for _, leaf in placed)


def _measured(leaves: Sequence[Leaf], seen: Sequence[Seen]) -> exp.Select:
    """The measures of all tables, side by side."""
    found = exp.select("u.unit AS unit").from_("units AS u")
    for table in _tables(leaves, seen):
        found = found.join(f"measure_{table}", on=f"measure_{table}.unit = u.unit", join_type="left", copy=False)
    for i, leaf in enumerate(leaves):
        table = f"measure_{leaf.measure.rows.table}"
        found = found.select(f"{table}.m{i} AS m{i}", copy=False)
        if type(leaf.measure).__name__ in ("LastValue", "DaysSinceLast", "DaysSinceFirst"):
            found = found.select(f"{table}.r{i} AS r{i}", copy=False)
    for k, one in enumerate(seen):
        found = found.select(f"measure_{one.table}.f{k}_seen AS f{k}", copy=False)
    return found
