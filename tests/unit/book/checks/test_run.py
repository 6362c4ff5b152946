"""Checks run one at a time and two at a time come to the same, and stop where one of them fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import duckdb
import pyarrow as pa
import pytest

from unspun.book.checks.check import Answers, Check, always
from unspun.book.checks.extracts import FileFacts, nothing_kept
from unspun.book.checks.finding import Finding
from unspun.book.checks.run import CheckOutcome, run_checks
from unspun.book.checks.shape import BookShape
from unspun.book.mapping.definition import BookDefinition

SHAPE = BookShape({}, BookDefinition((), "UTC"), datetime(2026, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Engine:
    """A connection that is asked."""

    connection: duckdb.DuckDBPyConnection

    def query(self, sql: str) -> pa.Table:
        result = self.connection.sql(sql)
        return pa.table({}) if result is None else result.to_arrow_table()

    def register(self, name: str, rows: pa.Table) -> None:
        self.connection.register(name, rows)

    def by_file(self, facts: FileFacts) -> tuple[tuple[dict[str, str], ...], str]:
        return (), nothing_kept(facts)[1]


@contextmanager
def engines() -> Iterator[tuple[Engine, Engine]]:
    with duckdb.connect() as connection, connection.cursor() as cursor:
        yield Engine(connection), Engine(cursor)


def check_of(code: str, sql: str, seconds: float = 0.0) -> Check:
    def judge(_shape: BookShape, answers: Answers) -> list[Finding]:
        time.sleep(seconds)
        (number,) = answers["number"].column(0).to_pylist()
        return [Finding(code, "events", "note", number + 1, 100, "rows", threading.current_thread().name, (), "", sql)]

    return Check(code, code, ("events",), always, lambda _shape: {"number": sql}, judge)


def run(checks: list[Check], at_a_time: int, first: list[list[str]], told: list[str]) -> tuple[CheckOutcome, ...]:
    with engines() as (one, other):
        beside = other if at_a_time == 2 else None
        return run_checks(SHAPE, checks, one.query, one.register, lambda what, _done, _all: told.append(what), one.by_file, beside, first)


def counts(outcomes: tuple[CheckOutcome, ...]) -> list[tuple[str, int]]:
    return [(outcome.check.code, finding.count) for outcome in outcomes for finding in outcome.findings]


def test_two_at_a_time_give_the_outcomes_of_one_at_a_time_in_the_order_of_the_checks() -> None:
    first = [[f"CREATE TABLE held{n} AS SELECT {n} AS n", f"ALTER TABLE held{n} RENAME TO t{n}"] for n in range(9)]
    checks = [check_of(f"check{n}", f"SELECT n FROM t{n}", 0.01) for n in range(9)]
    hindered = replace(checks[4], hindrance=lambda _shape: "not on this book")
    checks[4] = hindered
    told: list[str] = []
    alone, together = run(checks, 1, first, []), run(checks, 2, first, told)
    assert counts(alone) == counts(together) == [(f"check{n}", n + 1) for n in range(9) if n != 4]
    assert [outcome.hindrance for outcome in together] == ["not on this book" if n == 4 else "" for n in range(9)]
    threads = {finding.message for outcome in together for finding in outcome.findings}
    assert len(threads) == 2
    assert sorted(told[:-1]) == sorted(f"checking check{n}" for n in range(9))
    assert told[-1] == "checked"


@pytest.mark.parametrize("at_a_time", [1, 2])
@pytest.mark.parametrize("place", [0, 1])
def test_where_a_check_fails_its_fault_is_raised_and_no_other_is_begun(at_a_time: int, place: int) -> None:
    checks = [check_of(f"check{n}", f"SELECT {n}", 0.05) for n in range(20)]
    checks[place] = check_of("broken", "SELECT error('the disk is full')")
    told: list[str] = []
    with pytest.raises(duckdb.Error, match="the disk is full"):
        run(checks, at_a_time, [], told)
    assert len(told) <= 4


def test_where_what_comes_first_fails_no_check_is_begun() -> None:
    told: list[str] = []
    with pytest.raises(duckdb.Error, match="no_such_table"):
        run([check_of("check", "SELECT 1")], 2, [["FROM no_such_table"]], told)
    assert told == []
