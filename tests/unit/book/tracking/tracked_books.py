"""Events as rows in DuckDB, under the names of the book's views, and what the check says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import duckdb
import numpy as np
import pyarrow as pa

from unspun.book.checks.extracts import AskedBook
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape, TableShape
from unspun.book.entities import Kind
from unspun.book.mapping.definition import BookDefinition
from unspun.book.tracking.check import CHECKS
from unspun.book.tracking.question import TRACKING_DAYS
from unspun.book.tracking.series import TrackingSeries

CHECK = CHECKS[0]
AT = datetime(2030, 1, 1, tzinfo=UTC)
KINDS: dict[pa.DataType, Kind] = {pa.string(): "text", pa.int64(): "whole", pa.float64(): "number"}


class TrackedBook:
    """Tables of events and accounts to be checked."""

    def __init__(self, events: pa.Table, accounts: pa.Table | None = None, time_zone: str = "UTC") -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        self.connection.execute("SET TimeZone = 'UTC'")
        tables = {"events": events} | ({"accounts": accounts} if accounts is not None else {})
        for name, table in tables.items():
            self.connection.register(name, table.append_column("source_file", pa.repeat(pa.scalar(1, pa.int64()), table.num_rows)))
        shapes = {
            name: TableShape(name, table.num_rows, {c.name: KINDS.get(c.type, "instant") for c in table.schema})
            for name, table in tables.items()
        }
        self.shape = BookShape(shapes, BookDefinition((), time_zone), AT)

    def query(self, sql: str) -> pa.Table:
        return self.connection.sql(sql).arrow().read_all()

    def days(self) -> pa.Table:
        AskedBook(self.shape, self._ask, self._register).make(TRACKING_DAYS)
        return self.query(f"FROM {TRACKING_DAYS}")

    def _ask(self, sql: str) -> pa.Table:
        result = self.connection.sql(sql)
        return pa.table({}) if result is None else result.arrow().read_all()

    def _register(self, name: str, rows: pa.Table) -> None:
        self.connection.register(name, rows)

    def answers(self) -> Mapping[str, pa.Table]:
        self.days()
        return {name: self.query(sql) for name, sql in CHECK.ask(self.shape).items()}

    def findings(self) -> list[Finding]:
        return list(CHECK.judge(self.shape, self.answers()))

    def series(self) -> tuple[TrackingSeries, ...]:
        assert CHECK.drawn is not None
        return CHECK.drawn(self.shape, self.answers())[1]


def event_rows(
    counts: np.ndarray, names: Sequence[str], first: str = "2025-01-01", of_event: Mapping[str, np.ndarray] | None = None
) -> pa.Table:
    """A row for each event counted: `counts` by account, event and day; `of_event` gives own columns by the same indices."""
    account, event, day = (np.repeat(index, counts.ravel()) for index in (i.ravel() for i in np.indices(counts.shape)))
    occurred = (np.datetime64(first, "us") + day.astype("timedelta64[D]") + np.timedelta64(12, "h")).astype("datetime64[us]")
    columns = {
        "account_id": pa.array([f"A{number:04d}" for number in range(len(counts))]).take(pa.array(account)),
        "occurred": pa.array(occurred).cast(pa.timestamp("us", "UTC")),
        "event": pa.array(list(names)).take(pa.array(event)),
    }
    own = {name: pa.array(np.repeat(values.ravel(), counts.ravel()).tolist()) for name, values in (of_event or {}).items()}
    return pa.table(columns | own)


def steady_counts(seed: int, accounts: int = 60, events: int = 3, days: int = 180, mean: float = 4.0) -> np.ndarray:
    """Poisson counts of accounts of different sizes, with quiet weekends, from Wednesday, the first of January 2025."""
    rng = np.random.default_rng(seed)
    weekday = (np.arange(days) + 2) % 7
    size = np.exp(rng.normal(0, 0.7, accounts))
    rate = mean * size[:, None, None] * np.linspace(1, 0.5, events)[None, :, None] * np.where(weekday < 5, 1.0, 0.3)
    return rng.poisson(rate)
