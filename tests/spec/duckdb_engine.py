"""DuckDB as an engine of specs: the rows of a spec as the views of a book that is open, and the panel computed on them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import duckdb
import pyarrow as pa

from unspun.book.entities import TABLES, Kind, Table
from unspun.book.sql_words import sql_name
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.embedded import arrow_table, record_batches
from unspun.engines.panel import run_panel
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.question import HeldTable, PanelQuestion
from unspun.warehouse.read_sql import LATER, SQL_TYPES

Row = Mapping[str, object]
ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(), "whole": pa.int64(), "number": pa.float64(), "money": pa.decimal128(18, 4), "day": pa.date32(),
    "instant": pa.timestamp("us", "UTC"), "flag": pa.bool_(),
}  # fmt: skip
ARR = pa.schema({"account_id": pa.string(), "as_of": pa.date32(), "arr": pa.float64(), "reason": pa.string()})


class SpecBook:
    """An in-memory database with the tables of a book, which the panel engine reads as it reads an open book."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
        return arrow_table(self.connection, sql, parameters)

    def register(self, name: str, rows: pa.Table) -> None:
        self.connection.register(name, rows)

    def stream(self, sql: str) -> Iterator[pa.RecordBatch]:
        return record_batches(self.connection, sql)


def joined_panel(question: PanelQuestion, rows: Mapping[str, Sequence[Row]]) -> pa.Table:
    """The same by joins, in the steps that any engine can do."""
    return duckdb_panel(question, rows, by_place=False)


def duckdb_panel(question: PanelQuestion, rows: Mapping[str, Sequence[Row]], by_place: bool = True) -> pa.Table:
    """The panel of a question over these row versions, computed by DuckDB: by place, as an open book's is."""
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name, held in question.tables.items():
            entity = next(one for one in TABLES.values() if one.name == name)
            _make_views(connection, entity, held, rows[name])
        connection.register("arr_as_of", pa.Table.from_pylist(list(rows.get("arr_as_of", ())), schema=ARR))
        batches = list(run_panel(DuckDBPanel(SpecBook(connection)), lower_panel(question, by_place), lambda _stage, _done, _total: None))
    return pa.Table.from_batches(batches)


def _make_views(connection: duckdb.DuckDBPyConnection, entity: Table, held: HeldTable, rows: Sequence[Row]) -> None:
    """`<table>_versions` with all row versions, and `<table>` with the newest of each row, as they are known now."""
    columns: dict[str, Kind] = dict(entity.row_columns)
    columns |= {column.name: column.kind for column in entity.columns}
    columns |= held.columns
    typed = ", ".join(f"{sql_name(name)} {SQL_TYPES[kind]}" for name, kind in columns.items())
    connection.execute(f"CREATE TABLE {entity.name}_versions ({typed})")
    schema = pa.schema([(name, ARROW[kind]) for name, kind in columns.items()])
    connection.register("loaded", pa.Table.from_pylist([dict(row) for row in rows], schema=schema))
    connection.execute(f"INSERT INTO {entity.name}_versions SELECT * FROM loaded")
    key = (() if entity.state else held.key) or ("source_file", "source_row")
    newest = f"PARTITION BY {', '.join(map(sql_name, key))} ORDER BY {', '.join(f'{name} DESC' for name in LATER)}"
    connection.execute(f"CREATE VIEW {entity.name} AS FROM {entity.name}_versions QUALIFY row_number() OVER ({newest}) = 1")
