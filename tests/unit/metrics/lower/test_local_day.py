"""The local day of an instant, worked out by comparisons alone, is that of the time zone database."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from sqlglot import exp

from unspun.metrics.lower.local_day import DAY_MICROSECONDS, DAYS_AFTER, DAYS_BEFORE, local_day_sql, offset_spans

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "UTC", "America/New_York", "Europe/Berlin", "Pacific/Apia", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca",
    "America/Sao_Paulo",
)  # fmt: skip
FIRST, LAST = date(2024, 1, 1), date(2026, 6, 30)


def days_in(zone: str, instants: list[int]) -> list[int]:
    sql = local_day_sql(exp.column("at"), zone, FIRST, LAST).sql("duckdb")
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.register("instants", pa.table({"at": pa.array(instants, pa.timestamp("us", "UTC"))}))
        return [day for (day,) in connection.sql(f"SELECT {sql} FROM instants").fetchall()]


def true_day(zone: str, instant: int) -> int:
    return ((EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone)).date() - EPOCH.date()).days


def number_of(day: date) -> int:
    return (day - EPOCH.date()).days * DAY_MICROSECONDS


@pytest.mark.parametrize("zone", ZONES)
def test_the_day_is_right_at_each_change_of_the_clock_and_anywhere_else(zone: str) -> None:
    chance = random.Random(zone)
    changes = [start + near for start, _ in offset_spans(zone, date(1975, 1, 1), LAST) for near in (-1, 0, 1)]
    ends = [
        number_of(day) + near
        for day in (FIRST, LAST, FIRST - timedelta(days=DAYS_BEFORE), LAST + timedelta(days=DAYS_AFTER))
        for near in (-1, 0)
    ]
    anywhere = [chance.randrange(number_of(date(1960, 1, 1)), number_of(date(2026, 12, 31))) for _ in range(2_000)]
    instants = [*changes, *ends, *anywhere]
    assert days_in(zone, instants) == [true_day(zone, one) for one in instants]


def test_a_zone_costs_one_node_until_it_is_written() -> None:
    day = local_day_sql(exp.column("at"), "Europe/Berlin", FIRST, LAST)
    assert len(list(day.walk())) < 5
    assert 500 < len(day.sql("duckdb")) < 3_000
    assert day.copy().sql("duckdb") == day.sql("duckdb")
