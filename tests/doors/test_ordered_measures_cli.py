"""Percentiles, streaks, funnels, times between cells, days of users and to the renewal: each value is what its own rows say."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from statistics import median

import pytest

from tests.doors.book_files import Book
from tests.doors.metric_book import DAILY, EVEN, copied

AS_OF = date(2026, 3, 31)
METRICS = """\
sources: {events: {silent_days: null}}
metrics:
  minutes: {description: x, median: events.value, window: 28d}
  streak: {description: x, streak: {of: events, run: current, grace: true}}
  between: {description: x, time_between: {of: events, as: median}, window: 28d}
  to_login: {description: x, days_to_first: events, window: contract, where: {user_id: U2}}
  funnel: {description: x, funnel: {of: events, steps: [{user_id: U0}, {user_id: U2}, {value: {at_least: 9}}], as: days}}
  to_close: {description: x, average: {of: tickets, from: opened, to: closed, unit: days}}
  user_days: {description: x, user_days: events.user_id, window: 28d}
  renewal: {description: x, days_to_end: subscriptions}
  logins: {description: x, count: events, window: 28d, by: {column: user_id, values: [U0, U1], other: true}}
"""
Rows = list[dict[str, str]]


def days(rows: Rows) -> list[date]:
    return sorted({date.fromisoformat(row["day"]) for row in rows})


def current_run(rows: Rows) -> int:
    held, length = set(days(rows)), 0
    end = AS_OF if AS_OF in held else AS_OF - timedelta(days=1)
    while end - timedelta(days=length) in held:
        length += 1
    return length


def steps_in_days(rows: Rows) -> int:
    first = next(row for row in rows if row["user_id"] == "U0")
    second = next(row for row in rows[rows.index(first) + 1 :] if row["user_id"] == "U2")
    last = next(row for row in rows[rows.index(second) + 1 :] if float(row["value"]) >= 9)
    return (date.fromisoformat(last["day"]) - date.fromisoformat(first["day"])).days


def to_close(rows: Rows) -> float:
    opened, closed = ([datetime.fromisoformat(row[name]) for row in rows] for name in ("opened", "closed"))
    return sum(((end - start) / timedelta(days=1) for start, end in zip(opened, closed, strict=True)), 0.0) / len(rows)


BEHIND: dict[str, Callable[[Rows], float]] = {
    "minutes": lambda rows: median(float(row["value"]) for row in rows),
    "streak": current_run,
    "between": lambda rows: float(median((later - earlier).days for earlier, later in pairwise(days(rows)))),
    "to_login": lambda rows: (days(rows)[0] - date(2025, 12, 1)).days,
    "funnel": steps_in_days,
    "to_close": to_close,
    "user_days": lambda rows: len({(row["day"], row["user_id"]) for row in rows}),
    "renewal": lambda rows: (date.fromisoformat(rows[0]["ended"]) - AS_OF).days + 1,  # the terms of this company last until their end
    "logins_u0": lambda rows: sum(row["user_id"] == "U0" for row in rows),
}


@pytest.fixture(scope="module")
def book(loaded_company: Book, tmp_path_factory: pytest.TempPathFactory) -> Book:
    made = copied(loaded_company, tmp_path_factory.mktemp("ordered"))
    (made.folder / "metrics.yml").write_text(METRICS, encoding="utf-8")
    return made


@pytest.mark.parametrize("metric", BEHIND)
def test_a_value_is_what_its_rows_say(book: Book, tmp_path: Path, metric: str) -> None:
    path = tmp_path / "rows.csv"
    ran = book.run("metrics", "show", metric, "--account", DAILY, "--as-of", AS_OF.isoformat(), "--rows", path, "--json")
    assert ran.code == 0, ran.err
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    value = json.loads(ran.out)
    assert rows
    assert value["value"] == BEHIND[metric](rows)


def test_the_values_of_a_column_add_up_to_all(book: Book) -> None:
    found = {
        id: json.loads(book.run("metrics", "show", id, "--account", DAILY, "--as-of", AS_OF.isoformat(), "--json").out)["value"]
        for id in ("logins", "logins_u0", "logins_u1", "logins_other")
    }
    assert found["logins"] == 28
    assert found["logins_u0"] + found["logins_u1"] + found["logins_other"] == 28


def test_what_has_not_happened_has_no_value_and_says_so(book: Book) -> None:
    out = book.run("metrics", "show", "to_login", "--account", EVEN, "--as-of", AS_OF.isoformat()).out
    assert "no row fits yet: it has not happened" in " ".join(out.split())
    assert "not_yet" in book.run("metrics", "explain", "to_login").out


def test_each_is_listed_and_explained(book: Book) -> None:
    listed = {one["id"]: one["kind"] for one in json.loads(book.run("metrics", "list", "--json").out)}
    kinds = {
        "minutes": "median", "streak": "streak", "between": "time_between", "to_login": "days_to_first", "funnel": "funnel",
        "to_close": "average", "user_days": "user_days", "renewal": "days_to_end", "logins_other": "count",
    }  # fmt: skip
    assert {id: listed[id] for id in kinds} == kinds
    assert "no_contract" in book.run("metrics", "explain", "renewal").out
    assert "too_few_rows" in book.run("metrics", "explain", "between").out
    assert "user_id is neither 'U0' nor 'U1'" in " ".join(book.run("metrics", "explain", "logins_other").out.split())
