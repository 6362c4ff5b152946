"""What is asked of the events: one aggregate, equal to what counting row by row gives."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from tests.unit.book.tracking.tracked_books import TrackedBook, event_rows, steady_counts
from unspun.book.tracking.question import LARGEST, NO_NAME, WATCHED

NAMES = ("login", "report", "export")


@pytest.fixture(scope="module")
def made() -> tuple[pa.Table, pa.Table]:
    counts = steady_counts(1, accounts=30, days=40)
    version = np.broadcast_to(np.where(np.arange(40) < 20, "1.0", "2.0"), counts.shape)
    session = np.arange(counts.size).reshape(counts.shape).astype(str)
    rows = event_rows(counts, NAMES, of_event={"version": version, "session": session})
    rows = rows.append_column("value", pa.array(np.arange(rows.num_rows) % 5, pa.float64()))
    accounts = pa.table({"account_id": [f"A{i:04d}" for i in range(30)], "region": ["EMEA" if i % 3 else "APAC" for i in range(30)]})
    return rows, accounts


def test_rows_and_sums_by_event_and_day_equal_a_count_of_the_rows(made: tuple[pa.Table, pa.Table]) -> None:
    rows, accounts = made
    region = dict(zip(*(accounts.column(name).to_pylist() for name in ("account_id", "region")), strict=True))
    counted: Counter[tuple[str, str, str, str]] = Counter()
    summed: Counter[tuple[str, str, str, str]] = Counter()
    for row in rows.to_pylist():
        day = row["occurred"].date().isoformat()
        for part, value in (("", ""), ("events.version", row["version"]), ("accounts.region", region[row["account_id"]])):
            counted[part, value, row["event"], day] += 1
            summed[part, value, row["event"], day] += row["value"]
    asked = [row for row in TrackedBook(rows, accounts).days().to_pylist() if row["place"] is None and row["value"] is not None]
    few = [row for row in asked if row["part"] != "events.session"]
    said = {(row["part"], row["value"], row["event"], row["day"].isoformat()): (row["rows"], row["m0"]) for row in few}
    assert said == {key: (counted[key], summed[key]) for key in counted}


def test_a_property_with_many_values_is_no_part_of_the_book(made: tuple[pa.Table, pa.Table]) -> None:
    parts = set(TrackedBook(*made).days().column("part").to_pylist())
    assert parts == {"", "watched", "events.version", "accounts.region"}


def test_every_account_of_a_small_book_is_in_the_panel_by_its_rank_of_size(made: tuple[pa.Table, pa.Table]) -> None:
    rows, accounts = made
    sizes = Counter(rows.column("account_id").to_pylist())
    asked = [row for row in TrackedBook(rows, accounts).days().to_pylist() if row["part"] == "watched"]
    by_place: Counter[int] = Counter()
    for row in asked:
        by_place[row["place"]] += row["rows"]
    assert [by_place[place] for place in sorted(by_place)] == sorted(sizes.values(), reverse=True)


def test_of_a_large_book_the_largest_accounts_and_each_so_many_are_in_the_panel() -> None:
    counts = steady_counts(2, accounts=900, events=1, days=30, mean=1)
    days = TrackedBook(event_rows(counts, ("login",))).days().to_pylist()
    places = {row["place"] for row in days if row["part"] == "watched"}
    assert places >= set(range(LARGEST))
    assert {place for place in places if place >= LARGEST} <= set(range(0, 900, -(-900 // WATCHED)))
    assert 100 < len(places) <= WATCHED + LARGEST


def test_days_are_those_of_the_books_time_zone() -> None:
    rows = pa.table(
        {
            "account_id": ["A"],
            "occurred": pa.array([np.datetime64("2025-03-01T23:30:00", "us")]).cast(pa.timestamp("us", "UTC")),
            "event": pa.array([None], pa.string()),
        }
    )
    day = TrackedBook(rows, time_zone="Europe/Berlin").days().to_pylist()[0]
    assert (day["day"].isoformat(), day["event"]) == ("2025-03-02", NO_NAME)


def test_a_column_of_people_is_no_part_of_the_book_whatever_it_is_called() -> None:
    days = [datetime(2024, 3, 1 + n % 20, tzinfo=UTC) for n in range(40)]
    events = pa.table(
        {
            "account_id": [f"A-{n % 4}" for n in range(40)],
            "event": ["login"] * 40,
            "occurred": pa.array(days, pa.timestamp("us", "UTC")),
            "contact": ["kim@example.com", "lee@example.com"] * 20,  # by its name
            "origin": ["kim@example.com", "web"] * 20,  # by what it holds
            "region": ["EMEA", "APAC"] * 20,
        }
    )
    parts = set(TrackedBook(events).days().column("part").to_pylist())
    assert parts == {"", "watched", "events.region"}
