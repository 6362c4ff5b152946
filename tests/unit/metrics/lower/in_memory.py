"""Small books in memory: rows as dictionaries, read by the panel engine as an open book is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pyarrow as pa

from unspun.book.entities import TABLES, Kind
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.embedded import arrow_table, connect
from unspun.engines.panel import run_panel
from unspun.metrics.asof import AsOf, Dates
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.metric import Metric, MetricSet, SourceRules
from unspun.metrics.nodes import Series
from unspun.metrics.question import HeldTable, PanelQuestion

Row = Mapping[str, Any]
Rows = Mapping[str, Sequence[Row]]
TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(), "number": pa.float64(), "money": pa.decimal128(18, 4), "whole": pa.int64(),
    "day": pa.date32(), "instant": pa.timestamp("us", "UTC"), "flag": pa.bool_(),
}  # fmt: skip


def noon(day: date) -> datetime:
    """Noon of a day, in UTC."""
    return datetime.combine(day, time(12), UTC)


def row(happened: date, known: date | None = None, load: int = 1, source_row: int = 2, **cells: object) -> Row:
    """A row version that happened and was known at noon."""
    at = noon(happened)
    return {
        "happened_at": at, "known_at": at if known is None else noon(known), "happened_zone": "UTC", "load": load, "source_file": 1,
        "source_row": source_row, **cells,
    }  # fmt: skip


def held(
    table: str, key: tuple[str, ...] = (), versions: bool = False, fixed: tuple[str, ...] = (), own: Mapping[str, Kind] | None = None
) -> HeldTable:
    """A table with all its standard columns and some own ones."""
    entity = next(one for one in TABLES.values() if one.name == table)
    columns: dict[str, Kind] = {column.name: column.kind for column in entity.columns}
    return HeldTable({**columns, **(own or {})}, key, versions, 1, fixed)


def question_of(
    metrics: Mapping[str, Series],
    tables: Mapping[str, HeldTable],
    as_of: AsOf | Sequence[date],
    sources: Mapping[str, SourceRules] | None = None,
) -> PanelQuestion:
    """A question that asks all of some metrics."""
    made = MetricSet(tuple(Metric(id, series) for id, series in metrics.items()), sources or {})
    return PanelQuestion(made, tuple(metrics), Dates(tuple(as_of)) if isinstance(as_of, Sequence) else as_of, tables)


class MemoryBook:
    """A database with the tables of a book."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def query(self, sql: str, parameters: Sequence[object] = (), /) -> pa.Table:
        return arrow_table(self.connection, sql, parameters)

    def register(self, name: str, rows: pa.Table, /) -> None:
        self.connection.register(name, rows)

    def table_names(self) -> set[str]:
        """The temporary tables that there are."""
        return {str(name) for name in self.query("SELECT table_name FROM duckdb_tables() WHERE temporary").column(0).to_pylist()}


@contextmanager
def memory_book(question: PanelQuestion, rows: Rows) -> Iterator[MemoryBook]:
    """A book that holds these row versions."""
    with TemporaryDirectory() as folder, connect("500MB", Path(folder)) as connection:
        book = MemoryBook(connection)
        for name, entity in TABLES.items():
            table = question.tables.get(name)
            columns: dict[str, Kind] = dict(entity.row_columns)
            columns |= {column.name: column.kind for column in entity.columns}
            columns |= table.columns if table else {}
            schema = pa.schema([(column, TYPES[kind]) for column, kind in columns.items()])
            whole = [{column: one.get(column) for column in columns} for one in rows.get(name, ())]
            book.register(f"{name}_versions", pa.Table.from_pylist(whole, schema=schema))
        yield book


def panel_of(question: PanelQuestion, rows: Rows) -> list[dict[str, Any]]:
    """The rows of the panel."""
    with memory_book(question, rows) as book:
        return [one for batch in _batches(book, question) for one in batch.to_pylist()]


def _batches(book: MemoryBook, question: PanelQuestion) -> Iterator[pa.RecordBatch]:
    return run_panel(DuckDBPanel(book), lower_panel(question, by_place=True), lambda _what, _done, _total: None)


def answers(question: PanelQuestion, rows: Rows, metric: str) -> dict[tuple[str, date], object]:
    """By account and as-of date what a metric gives: its value, or its reason in brackets."""
    return {
        (str(one["account_id"]), one["as_of"]): one[metric] if one[f"{metric}__missing"] is None else f"({one[f'{metric}__missing']})"
        for one in panel_of(question, rows)
    }
