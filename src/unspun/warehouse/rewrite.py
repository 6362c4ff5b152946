"""Steps that undo, compaction and erasure share: a data file written again without some rows, tables brought in line with Delta."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa

from unspun.engines.embedded import record_batches, sql_name
from unspun.errors import Fault, UnspunError
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.delta import LOG_FOLDER, TABLES_FOLDER, align, write_data_file
from unspun.warehouse.read_files import file_faults
from unspun.warehouse.read_sql import Columns, files_sql
from unspun.warehouse.versions import DataFile, TableVersion


def silent(_message: str) -> None:
    """Tell nobody."""


def fresh_stem(purpose: str) -> str:
    """A name for a new data file that no file ever had."""
    return f"{purpose}-{secrets.token_hex(12)}"


def rewrite_file(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableVersion,
    file: DataFile,
    kept: str,
    blanked: Mapping[str, str] | None = None,
    parameters: Sequence[object] = (),
) -> DataFile | None:
    """Write a data file again with the rows of which the SQL condition `kept` holds, in their order; None where none is left.

    `blanked` are conditions, by column, under which its cells are emptied. The new file has the columns that the old one has.
    Raises UnspunError where the file cannot be read, OSError where the disk does not take the new one.
    """
    source = files_sql(folder, [file.path])
    with reading(folder, [file]):
        there = {name for name, *_ in connection.execute(f"DESCRIBE {source}").fetchall()}
        columns: Columns = [(name, kind) for name, kind in table.columns if name in there]
        cells = ", ".join(_cell(name, (blanked or {}).get(name)) for name, _ in columns)
        rows = record_batches(connection, f"SELECT {cells} FROM ({source}) WHERE {kept}", parameters)
        written = write_data_file(folder, table.name, rows, columns, fresh_stem("part"))
    if written.rows:
        return written
    (folder / written.path).unlink()
    return None


def _cell(name: str, condition: str | None) -> str:
    quoted = sql_name(name)
    return quoted if condition is None else f"CASE WHEN {condition} THEN NULL ELSE {quoted} END AS {quoted}"


@contextmanager
def reading(folder: Path, files: Sequence[DataFile]) -> Iterator[None]:
    """Within it, an error of the engine is raised as UnspunError that names the data files at fault."""
    faults = file_faults(folder, files)
    if faults:
        raise UnspunError(faults)
    try:
        yield
    except (duckdb.Error, pa.ArrowException) as error:
        said = str(error).strip().splitlines()[0]
        hint = "If the disk or the memory is full, free some; then run the command again."
        damaged = file_faults(folder, files, hashed=True)
        raise UnspunError(damaged or Fault("engine", f"The data files could not be read or sorted: {said}", hint=hint)) from error


def align_tables(catalog: Catalog, tables: Sequence[TableVersion], note: Mapping[str, str]) -> tuple[TableVersion, ...]:
    """The tables with the Delta versions at which their logs list exactly their files; a log of no table is emptied."""
    names = {table.name for table in tables}
    for path in sorted((catalog.folder / TABLES_FOLDER).glob(f"*/{LOG_FOLDER}")):
        if path.parent.name not in names:
            align(catalog.folder, path.parent.name, (), (), note)
    return tuple(replace(table, delta_version=align(catalog.folder, table.name, table.columns, table.files, note)) for table in tables)
