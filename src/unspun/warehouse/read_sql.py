"""The SQL that reads a table of the book as of an instant: row versions, and the newest of each row."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from unspun.book.entities import STATED, TABLES, Kind, Table
from unspun.engines.embedded import sql_name, sql_text
from unspun.warehouse.versions import TableVersion, column_of_happened_at, stored_columns

SQL_TYPES: dict[Kind, str] = {
    "text": "VARCHAR",
    "whole": "BIGINT",
    "number": "DOUBLE",
    "money": "DECIMAL(18,4)",
    "day": "DATE",
    "instant": "TIMESTAMP WITH TIME ZONE",
    "flag": "BOOLEAN",
}
LATER = ("known_at", "load", "source_file", "source_row")  # the later of two versions of a row has the greater of these, in this order

Columns = Sequence[tuple[str, Kind]]


def empty_sql(columns: Columns) -> str:
    """No rows of these columns."""
    return "SELECT " + ", ".join(f"NULL::{SQL_TYPES[kind]} AS {sql_name(name)}" for name, kind in columns) + " WHERE false"


def files_sql(folder: Path, paths: Sequence[str], named: bool = False) -> str:
    """The rows of Parquet files by path relative to the warehouse folder, columns matched by name; `named`: with their `filename`."""
    listed = ", ".join(sql_text(str(folder.absolute() / path)) for path in paths)
    return f"SELECT * FROM read_parquet([{listed}], union_by_name = true{', filename = true' if named else ''})"


def stored_sql(folder: Path, table: TableVersion) -> str:
    """All row versions of a table with all its columns; one that a file lacks is NULL there."""
    if not table.files:
        return empty_sql(table.columns)
    same = column_of_happened_at(table.name)
    names = ", ".join(f"happened_at AS {sql_name(name)}" if name == same else sql_name(name) for name, _ in table.columns)
    columns, paths = stored_columns(table.name, table.columns), [file.path for file in table.files]
    return f"SELECT {names} FROM ({empty_sql(columns)} UNION ALL BY NAME {files_sql(folder, paths)})"


def versions_sql(folder: Path, table: TableVersion, before: datetime | None) -> str:
    """The row versions that were known before an instant (None: all). Rejected rows are not known of anything: always all of them."""
    if before is None or not _has(table, "known_at"):
        return stored_sql(folder, table)
    return f"SELECT * FROM ({stored_sql(folder, table)}) WHERE known_at < {instant_sql(before)}"


def known_rows_sql(folder: Path, table: TableVersion, before: datetime | None) -> str:
    """The rows known before an instant (None: all), each as in its newest version then.

    In a state table these are the dated statements, as their sources made them. Where no row has several versions it is a plain filter.
    """
    versions = versions_sql(folder, table, before)
    if not table.several_versions:
        return versions
    return _first_of(versions, identity(table), LATER)


def identity(table: TableVersion) -> tuple[str, ...]:
    """The columns that tell one row from another."""
    if not table.key:
        return ("source_file", "source_row")
    return (*table.key, "happened_at", STATED[0]) if _is_state(table) else table.key


def subject(table: TableVersion) -> str:
    """The column that names what a state table's statements are about."""
    entity = _entity(table)
    return (table.key or (entity.key if entity else ()) or ("source_row",))[0]


def instant_sql(instant: datetime) -> str:
    """An instant as an SQL literal, to the microsecond."""
    return f"TIMESTAMPTZ '{instant.astimezone(UTC).strftime('%Y-%m-%d %H:%M:%S.%f')}+00'"


def widened_sql(sql: str, columns: Columns, wanted: Columns) -> str:
    """`sql`, which has `columns`, with the wanted ones first, in their order; those that it lacks are typed NULLs."""
    there = {name for name, _ in columns}
    parts = [sql_name(name) if name in there else f"NULL::{SQL_TYPES[kind]} AS {sql_name(name)}" for name, kind in wanted]
    own = {name for name, _ in wanted}
    return f"SELECT {', '.join([*parts, *(sql_name(name) for name, _ in columns if name not in own)])} FROM ({sql})"


def _entity(table: TableVersion) -> Table | None:
    return next((entity for entity in TABLES.values() if entity.name == table.name), None)


def _is_state(table: TableVersion) -> bool:
    entity = _entity(table)
    return entity is not None and entity.state


def _has(table: TableVersion, column: str) -> bool:
    return any(name == column for name, _ in table.columns)


def _first_of(rows: str, groups: Sequence[str], newest: Sequence[str]) -> str:
    """Of the rows that agree in `groups`, the one that is greatest in `newest`."""
    by = ", ".join(map(sql_name, groups))
    order = ", ".join(f"{sql_name(name)} DESC" for name in newest)
    return f"SELECT * FROM ({rows}) QUALIFY row_number() OVER (PARTITION BY {by} ORDER BY {order}) = 1"
