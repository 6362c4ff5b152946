"""Subscription terms as SQL: which is the last day they tell of, what runs then, and what it is worth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from unspun.book.checks.shape import BookShape
from unspun.book.sql_words import sql_day

GRACE_DAYS = 7
"""The grace days of renewals by default: a term begun so late continues the one before, and usage goes on meanwhile."""
EARLY_DAYS = 90
"""The early days of renewals by default: a term begun so long before another's end may renew it."""
OPEN = "DATE '9999-12-31'"  # the end of a term that has none
BASE = "NOT coalesce(is_addon, false)"
DAYS_A_YEAR = 365.25


def today(shape: BookShape) -> date:
    """The day of the check in the book's zone; as of a day that is over (the instant is its end), that day."""
    return (shape.at - timedelta(microseconds=1)).astimezone(ZoneInfo(shape.definition.time_zone)).date()


def last_day_sql(shape: BookShape) -> str:
    """The last day up to the check's on which a term starts: what becomes of terms later, the book does not tell. NULL without terms."""
    return f"(SELECT max(started) FROM subscriptions WHERE started <= {sql_day(today(shape))})"


def runs_sql(day: str) -> str:
    """Whether a row of subscriptions runs on a day."""
    return f"started <= {day} AND (ended IS NULL OR ended > {day})"


def arr_sql() -> str:
    """The ARR of a row of subscriptions; NULL where it is not known."""
    return (
        "CASE WHEN amount_months > 0 THEN CAST(amount AS DOUBLE) * 12 / amount_months "
        f"WHEN amount_months = 0 AND ended > started THEN CAST(amount AS DOUBLE) * {DAYS_A_YEAR} / (ended - started) END"
    )


def spans_sql(key: str, slack_days: int, which: str = "true") -> str:
    """The terms of each key, those that overlap or follow within so many days as one span: key, first and last day (OPEN: none)."""
    # terms of the same days in one order in both windows: else one of them begins a span of its own
    in_order = "OVER (PARTITION BY key ORDER BY started, ended, source_file, source_row ROWS BETWEEN UNBOUNDED PRECEDING AND"
    return (
        f"SELECT key, min(started) AS first, max(ended) AS last FROM (SELECT *, count(*) FILTER (before IS NULL OR started - before > "
        f"{slack_days}) {in_order} CURRENT ROW) AS span FROM (SELECT *, max(ended) {in_order} 1 PRECEDING) AS before FROM ("
        f"SELECT {key} AS key, started, coalesce(ended, {OPEN}) AS ended, source_file, source_row FROM subscriptions "
        f"WHERE {key} IS NOT NULL AND (ended IS NULL OR ended >= started) AND {which}))) GROUP BY key, span"
    )


def money_sql(rows: str, shape: BookShape) -> str:
    """ARR by currency of those of some rows of subscriptions that run on the last day told of: day, currency, arr; largest first."""
    day = last_day_sql(shape)
    return (
        f"SELECT {day} AS day, coalesce(currency, '') AS currency, sum({arr_sql()}) AS arr FROM ({rows}) WHERE {runs_sql(day)} "
        "GROUP BY ALL HAVING arr > 0 ORDER BY arr DESC, currency"
    )


def money_words(rows: Iterable[Mapping[str, Any]]) -> str:
    """ "ARR of 8,415,600 USD and 3,000 EUR (on 2024-01-01)"; "" where there is none."""
    amounts = [(row["day"], f"{row['arr']:,.0f} {row['currency']}".rstrip()) for row in rows]
    return f"ARR of {' and '.join(words for _, words in amounts)} (on {amounts[0][0]})" if amounts else ""
