"""Aggregates that several checks read, made once: the only queries that go over all events."""

from __future__ import annotations

from unspun.book.checks.shape import BookShape
from unspun.book.sql_words import local_day
from unspun.book.tracking.question import TRACKING_DAYS, tracking_days_sql

EVENT_DAYS = "event_days"


def extract_sql(name: str, shape: BookShape) -> str:
    """The SQL of an extract, over the views of the book. KeyError where there is none of that name.

    `event_days`: account_id, subscription_id (where a source maps it), day in the book's zone, rows; a row for each that has events.
    `tracking_days`: see `tracking_days_sql`.
    """
    return {EVENT_DAYS: _event_days, TRACKING_DAYS: tracking_days_sql}[name](shape)


def _event_days(shape: BookShape) -> str:
    by = ["account_id", *(["subscription_id"] if shape.has("events", "subscription_id") else [])]
    day = local_day("occurred", shape.definition.time_zone)
    return f"SELECT {', '.join(by)}, {day} AS day, count(*) AS rows FROM events GROUP BY ALL"
