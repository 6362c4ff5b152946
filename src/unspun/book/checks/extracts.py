"""Aggregates that several checks read, made once, and all of one pass over the events."""

from __future__ import annotations

from unspun.book.checks.shape import BookShape
from unspun.book.tracking.question import EVENT_CELLS, TRACKING_DAYS, event_cells_sql, tracking_days_sql

EVENT_DAYS = "event_days"
MADE_OF = {EVENT_DAYS: (EVENT_CELLS,), TRACKING_DAYS: (EVENT_CELLS,)}
"""The extracts that an extract is made of."""


def extract_sql(name: str, shape: BookShape) -> str:
    """The SQL of an extract, over the views of the book and the extracts that it is `MADE_OF`. KeyError where there is none of that name.

    `event_cells`: see `event_cells_sql`. `event_days`: account_id, subscription_id (where a source maps it), day in the book's zone,
    rows; a row for each that has events. `tracking_days`: see `tracking_days_sql`.
    """
    return {EVENT_CELLS: event_cells_sql, EVENT_DAYS: _event_days, TRACKING_DAYS: tracking_days_sql}[name](shape)


def _event_days(shape: BookShape) -> str:
    by = "account_id, subscription_id" if shape.has("events", "subscription_id") else "account_id"
    return f"SELECT {by}, day, sum(rows)::BIGINT AS rows FROM {EVENT_CELLS} GROUP BY ALL"
