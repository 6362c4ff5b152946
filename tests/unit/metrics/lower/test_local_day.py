"""The local day of an instant, worked out by comparisons alone, is that of the time zone database."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from sqlglot import exp

from unspun.metrics.lower.local_day import local_day_sql, offset_spans

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ZONES = (
    "UTC", "America/New_York", "Europe/Berlin", "Pacific/Apia", "America/St_Johns", "Asia/Kathmandu", "Africa/Casablanca",
    "America/Sao_Paulo",
)  # fmt: skip
FAR = date(2100, 1, 1)


def days_in(zone: str, instants: list[int], last: date) -> list[int]:
    sql = local_day_sql(exp.column("at"), zone, date(2024, 1, 1), last).sql("duckdb")
    with duckdb.connect() as connection:
        connection.register("instants", pa.table({"at": pa.array(instants, pa.int64())}))
        return [day for (day,) in connection.sql(f"SELECT {sql} FROM instants").fetchall()]


def true_day(zone: str, instant: int) -> int:
    return ((EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone)).date() - EPOCH.date()).days


@pytest.mark.parametrize("zone", ZONES)
def test_the_day_is_right_at_each_change_of_the_clock_and_anywhere_else(zone: str) -> None:
    chance = random.Random(zone)
    changes = [start + near for start, _ in offset_spans(zone, FAR) for near in (-1, 0, 1)]
    instants = [*changes, *(chance.randrange(-3 * 10**15, 4 * 10**15) for _ in range(2_000))]
    assert days_in(zone, instants, FAR) == [true_day(zone, one) for one in instants]


def test_what_lies_after_the_last_date_stays_after_it() -> None:
    last = date(2024, 3, 3)  # before the clocks change
    later = [(datetime(2024, 7, 1, tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)]
    assert days_in("America/New_York", later, last)[0] > (last - EPOCH.date()).days


def test_a_zone_costs_one_node_until_it_is_written() -> None:
    day = local_day_sql(exp.column("at"), "Europe/Berlin", date(2024, 1, 1), FAR)
    assert len(list(day.walk())) < 5
    assert len(day.sql("duckdb")) > 1_000
    assert day.copy().sql("duckdb") == day.sql("duckdb")
