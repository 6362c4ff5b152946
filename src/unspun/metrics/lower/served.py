"""Whether a measure is made of what is kept of loaded files, or reads every row."""

from __future__ import annotations

from collections.abc import Iterable

from unspun.book.entities import TABLES
from unspun.metrics.conditions import columns_of
from unspun.metrics.lower.apart import APART
from unspun.metrics.nodes import Distinct, Measure, Series
from unspun.metrics.settled import settled_by
from unspun.metrics.windows import SinceContractStart


def why_rows_are_read(measure: Measure) -> str | None:
    """Why every row is read for a measure on as-of dates; None: what is kept of its table's files serves it."""
    rows = measure.rows
    if isinstance(measure, APART):
        return f"percentiles, streaks, times, funnels and days of users are made of single rows of {rows.table}"
    if isinstance(measure, Distinct) and isinstance(rows.window, SinceContractStart):
        return f"the values of {measure.column} are not kept by the contracts of accounts"
    if any(entity.name == rows.table and entity.state for entity in TABLES.values()):
        return f"{rows.table} holds statements, of which there may be several"
    settled = [name for name in (*columns_of(rows.where), getattr(measure, "column", "")) if name and settled_by(rows.table, name)]
    return f"{rows.table}.{settled[0]} is settled after the row happened" if settled else None


def rows_read_for(series: Iterable[Series]) -> tuple[str, ...]:
    """Why every row is read for the measures among some series, each reason once."""
    return tuple(dict.fromkeys(why for one in series if isinstance(one, Measure) and (why := why_rows_are_read(one)) is not None))
