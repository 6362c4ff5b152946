"""Small books as views in DuckDB, with the columns that a book's views have, and what checks find in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from unspun.book.checks.check import Check
from unspun.book.checks.finding import Finding
from unspun.book.checks.run import CheckOutcome, run_checks
from unspun.book.checks.shape import BookShape, TableShape
from unspun.book.entities import TABLES, Kind, Table
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.engines.embedded import arrow_table

Row = Mapping[str, Any]
ENTITIES: dict[str, Table] = {entity.name: entity for entity in TABLES.values()}
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "money": pa.decimal128(18, 4),
    "day": pa.date32(),
    "instant": pa.timestamp("us", "UTC"),
    "flag": pa.bool_(),
}
KINDS: tuple[tuple[type, Kind], ...] = (
    (bool, "flag"), (int, "whole"), (float, "number"), (Decimal, "money"), (datetime, "instant"), (date, "day"), (str, "text"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A finding and its rows, as its own SQL gives them."""

    finding: Finding
    rows: tuple[dict[str, Any], ...]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the rows, as they were given."""
        return [row["source_row"] for row in self.rows]


def findings(book: Mapping[str, Sequence[Row]], checks: Iterable[Check], zone: str = "UTC", at: datetime = AT) -> dict[str, Found]:
    """What the checks find, by id. The SQL of the rows is run beside the views alone, and must give as many rows as are counted."""
    found: dict[str, Found] = {}
    alone = _connect(book)
    for outcome in outcomes(book, checks, zone, at):
        for finding in outcome.findings:
            rows = tuple(alone.sql(finding.rows_sql).to_arrow_table().to_pylist())
            assert len(rows) == finding.count or finding.unit == "accounts", finding.id
            found[finding.id] = Found(finding, rows)
    return found


def outcomes(book: Mapping[str, Sequence[Row]], checks: Iterable[Check], zone: str = "UTC", at: datetime = AT) -> tuple[CheckOutcome, ...]:
    """What came of the checks, also of those that could not be run. Days and texts that a row does not give are empty."""
    connection = _connect(book)
    tables = {name: TableShape(name, len(rows), _columns(name, rows)) for name, rows in book.items() if rows}
    sources = tuple(SourceMapping((f"{name}.csv",), ENTITIES[name].name, {}) for name in tables)
    shape = BookShape(tables, BookDefinition(sources, time_zone=zone), at)

    def register(name: str, rows: pa.Table) -> None:
        connection.register(name, rows)

    return run_checks(shape, tuple(checks), lambda sql: arrow_table(connection, sql), register, lambda *_: None)


def _connect(book: Mapping[str, Sequence[Row]]) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for entity in ENTITIES.values():
        rows = book.get(entity.name)
        connection.register(entity.name, _table(entity, rows) if rows else _empty(entity.name))
    return connection


@cache
def _empty(name: str) -> pa.Table:
    return _table(ENTITIES[name], ())


def _table(entity: Table, rows: Sequence[Row]) -> pa.Table:
    """All row columns and standard columns, then the company's own; rows are numbered from 2, as in a file with a header."""
    kinds: dict[str, Kind] = {**dict(entity.row_columns), **{column.name: column.kind for column in entity.columns}}
    kinds |= _columns(entity.name, rows)
    numbered = [{"source_file": 1, "source_row": number, **row} for number, row in enumerate(rows, 2)]
    return pa.Table.from_pylist([{name: row.get(name) for name in kinds} for row in numbered], _schema(kinds))


def _schema(kinds: Mapping[str, Kind]) -> pa.Schema:
    return pa.schema([(name, ARROW[kind]) for name, kind in kinds.items()])


def _columns(table: str, rows: Sequence[Row]) -> dict[str, Kind]:
    """The data columns that any row gives, with their kinds."""
    standard: dict[str, Kind] = {column.name: column.kind for column in ENTITIES[table].columns}
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: standard[name] if name in standard else _kind([row.get(name) for row in rows]) for name in names}


def _kind(values: Sequence[object]) -> Kind:
    value = next(value for value in values if value is not None)
    return next(kind for type_, kind in KINDS if isinstance(value, type_))
