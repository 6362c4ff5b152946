"""Percentiles: the cells of each unit in their order, of which the nearest two to the place asked for are picked."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.metrics.lower.frames import Frame, distinct_frames, frame_of
from unspun.metrics.lower.looks import Apart, Looks, Placed, rows_of
from unspun.metrics.measure_nodes import PARTS, ten_thousandths
from unspun.metrics.nodes import Quantile
from unspun.metrics.question import PanelQuestion


def add_quantiles(apart: Apart, question: PanelQuestion, table: str, leaves: Sequence[Placed], frames: Sequence[Frame]) -> None:
    """Add the percentiles among the leaves of a table: the cells of a column under a condition once, sorted once for each frame."""
    found = [(i, leaf, leaf.measure) for i, leaf in leaves if isinstance(leaf.measure, Quantile)]
    for n, (column, where) in enumerate(dict.fromkeys((one.column, one.rows.where) for _, _, one in found)):
        asked = [(i, leaf, one) for i, leaf, one in found if (one.column, one.rows.where) == (column, where)]
        rows, cells = rows_of(question, table, where, (column,))
        value = exp.cast(rows.cell(column), "double")
        cells = cells.select(value.as_("value"), copy=False).where(rows.cell(column).is_(exp.null()).not_(), copy=False)
        name = f"quantile_cells_{table}_{n}"
        apart.make(name, cells, f"cells of {table}")
        for frame in distinct_frames(frame_of(leaf) for _, leaf, _ in asked):
            looks = Looks(question, table, frame, frames.index(frame), rows.superseded)
            qs = {i: int(ten_thousandths(one.q)) for i, leaf, one in asked if frame_of(leaf) == frame}
            made = f"quantile_{table}_{n}_{looks.place}"
            apart.make(made, picked_by_unit(looks.pairs(name, ("value",)), qs), f"percentiles of {table}")
            apart.by_unit.append(made)
            apart.values |= {i: {"m": exp.column(f"q{i}", table=made)} for i in qs}


def picked_by_unit(cells: exp.Select, qs: dict[int, int]) -> exp.Select:
    """By unit `q{i}`: the percentile at so many ten thousandths."""
    order = "OVER (PARTITION BY unit ORDER BY value ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"
    placed = exp.select(
        "unit", "value", "ROW_NUMBER() OVER (PARTITION BY unit ORDER BY value) - 1 AS place", f"COUNT(*) {order} - 1 AS most"
    )
    near = exp.select("unit").from_(placed.from_(cells.subquery("cells", copy=False)).subquery("placed", copy=False)).group_by("unit")
    found = exp.select("unit")
    for i, parts in qs.items():
        at = f"((most * {parts}) DIV {PARTS})"
        near = near.select(
            f"MAX(CASE WHEN place = {at} THEN value END) AS lower{i}",
            f"MAX(CASE WHEN place = {at} + 1 THEN value END) AS upper{i}",
            f"MAX((most * {parts}) % {PARTS}) AS rest{i}",
            copy=False,
        )
        between = f"(lower{i} * CAST({PARTS} - rest{i} AS DOUBLE) + upper{i} * CAST(rest{i} AS DOUBLE)) / CAST({PARTS} AS DOUBLE)"
        found = found.select(f"CASE WHEN rest{i} = 0 THEN lower{i} ELSE {between} END AS q{i}", copy=False)
    return found.from_(near.subquery("near", copy=False))
