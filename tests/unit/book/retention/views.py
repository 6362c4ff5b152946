"""A book in memory for the tests: the views that retention asks, over rows given as dicts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import duckdb
import pyarrow as pa

from unspun.book.entities import ROW_COLUMNS, TABLES, TableName
from unspun.book.retention.ask import queries
from unspun.book.retention.judge import judge
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.result import RetentionResult, Waterfall

SQL_TYPES = {
    "text": "VARCHAR", "whole": "BIGINT", "number": "DOUBLE", "money": "DECIMAL(18,4)", "day": "DATE", "instant": "TIMESTAMPTZ",
    "flag": "BOOLEAN",
}  # fmt: skip
Rows = Iterable[dict[str, Any]]


class Book:
    """Tables of the book with their standard columns; accounts may have own columns, all of text."""

    def __init__(self, subscriptions: Rows, accounts: Rows = (), rates: Rows = (), own: tuple[str, ...] = ()) -> None:
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")
        self._make("subscriptions", "subscriptions", subscriptions)
        self._make("accounts_history", "accounts", accounts, own)
        self._make("rates", "rates", rates)
        newest = "QUALIFY row_number() OVER (PARTITION BY account_id ORDER BY happened_at DESC) = 1"
        self.connection.execute(f"CREATE VIEW accounts AS SELECT * FROM accounts_history {newest}")

    def rows(self, question: RetentionQuestion) -> dict[str, pa.Table]:
        return {name: self.connection.sql(sql).to_arrow_table() for name, sql in queries(question).items()}

    def judge(self, question: RetentionQuestion) -> RetentionResult:
        return judge(question, self.rows(question))

    def _make(self, view: str, table: TableName, rows: Rows, own: tuple[str, ...] = ()) -> None:
        standard = [(column.name, column.kind) for column in TABLES[table].columns]
        columns = [*ROW_COLUMNS, *standard, *((name, "text") for name in own)]
        typed = ", ".join(f'"{name}" {SQL_TYPES[kind]}' for name, kind in columns)
        self.connection.execute(f"CREATE TABLE {view} ({typed})")
        known = datetime.fromisoformat("2000-01-01T00:00:00+00:00")
        for number, row in enumerate(rows):
            full = {"happened_at": known, "known_at": known, "source_file": 1, "source_row": number + 2} | row
            names = ", ".join(f'"{name}"' for name in full)
            self.connection.execute(f"INSERT INTO {view} ({names}) VALUES ({', '.join('?' * len(full))})", list(full.values()))


def term(account: str, started: str, ended: str | None, arr: str | None, **other: Any) -> dict[str, Any]:
    """A term whose amount is ARR."""
    return {
        "account_id": account, "started": date.fromisoformat(started), "ended": None if ended is None else date.fromisoformat(ended),
        "amount": arr, "amount_months": 12.0, **other,
    }  # fmt: skip


def whole(result: RetentionResult, month: str) -> Waterfall:
    """The waterfall of the whole book in a month."""
    return next(one for one in result.waterfalls if one.month == month and not one.part.by)
