"""Data files and the Delta log of each table: written so that a crash leaves the published version, readable by any Delta reader."""

from __future__ import annotations

import hashlib
import io
import json
import os
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.transaction import AddAction, RemoveAction

from unspun.book.entities import MONEY_PRECISION, MONEY_SCALE, Kind
from unspun.engines.embedded import clear_spilled
from unspun.errors import Fault, UnspunError
from unspun.warehouse.catalog_head import sync_folder
from unspun.warehouse.file_facts import delete_facts
from unspun.warehouse.versions import DataFile, stored_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from unspun.warehouse.catalog import Catalog

TABLES_FOLDER = "tables"
STATISTICS = ("happened_at", "known_at", "load", "source_file")
"""Columns whose least and greatest values stand in the files: what readers prune by. Never a text: that may be personal data."""
ROW_GROUP_ROWS = 1 << 20
GATHERED_ROWS = 1 << 19
PAGE_ROWS = 1 << 16
BUFFER_BYTES = 1 << 22  # written at once: a page is small, and each writing waits for the interpreter
PART_SUFFIX = ".part"
LOG_FOLDER = "_delta_log"
SPILL_FOLDERS = (".spill", ".staging/spill")
COMPRESSION = "zstd"
LOG_SETTINGS = {"delta.logRetentionDuration": "interval 5200 weeks", "delta.enableExpiredLogCleanup": "false"}
PLAIN_TYPES: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "whole": pa.int64(),
    "number": pa.float64(),
    "money": pa.decimal128(MONEY_PRECISION, MONEY_SCALE),
    "day": pa.date32(),
    "instant": pa.timestamp("us", "UTC"),
    "flag": pa.bool_(),
}
"""How a kind is stored: as the book's Arrow types, with plain text (a dictionary is a matter of the file's encoding)."""
Columns = Sequence[tuple[str, Kind]]


def stored_schema(columns: Columns) -> pa.Schema:
    """The schema of a table's data files."""
    return pa.schema([pa.field(name, PLAIN_TYPES[kind]) for name, kind in columns])


class HashedFile(io.RawIOBase):
    """A new file that is hashed as it is written, from its first byte to its last. Raises OSError as files do."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._file = path.open("xb")
        self._digest = hashlib.sha256()
        self._abandoned = False
        self.size_bytes = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size_bytes

    def write(self, data: object) -> int:
        view = memoryview(data)  # pyright: ignore[reportArgumentType]
        if not self._abandoned:
            self._file.write(view)
            self._digest.update(view)
        self.size_bytes += view.nbytes
        return view.nbytes

    def abandon(self) -> None:
        """Close the file, whatever of it is written: what still waits in a buffer goes nowhere."""
        self._abandoned = True
        self.close()

    def close(self) -> None:
        if not self._file.closed:
            self._file.close()
        super().close()

    def finish(self) -> str:
        """Flush the file to the disk, close it and return its SHA-256."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self.close()
        return self._digest.hexdigest()


def _encodings(schema: pa.Schema) -> tuple[list[str], dict[str, str]]:
    """Text, amounts and numbers by dictionary; instants, days and whole numbers by differences (half the size and time of the
    default on event data, as measured)."""
    by_difference = [f.name for f in schema if pa.types.is_temporal(f.type) or pa.types.is_integer(f.type)]
    flags = {f.name for f in schema if pa.types.is_boolean(f.type)}
    dictionary = [name for name in schema.names if name not in by_difference and name not in flags]
    return dictionary, dict.fromkeys(by_difference, "DELTA_BINARY_PACKED")


class ParquetFile:
    """A Parquet file in the making, under a temporary name: no other process sees a part of it. `close` gives it its name.

    Small batches are gathered into row groups. A dictionary-encoded text is written as it is.
    """

    def __init__(self, path: Path, columns: Columns) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self.rows, self.sha256, self.size_bytes = path, 0, "", 0
        self._schema = stored_schema(columns)
        self._temporary = path.with_name(f"{path.name}{PART_SUFFIX}")
        self._temporary.unlink(missing_ok=True)
        self._file = HashedFile(self._temporary)
        self._buffer = pa.BufferedOutputStream(pa.PythonFile(self._file, "w"), BUFFER_BYTES)
        self._writer: pq.ParquetWriter | None = None
        self._gathered: list[pa.Table] = []
        self._gathered_rows = 0

    def write(self, rows: pa.Table) -> None:
        """Append rows; columns by name, others left out. Raises OSError where the disk does not take them."""
        if self._writer is None:
            self._schema = _with_dictionaries(self._schema, rows.schema)
            self._writer = _writer(self._buffer, self._schema)
        self.rows += rows.num_rows
        self._gathered_rows += rows.num_rows
        self._gathered.append(_fitted(rows, self._schema))
        if self._gathered_rows >= GATHERED_ROWS:
            self._flush(self._writer)

    def _flush(self, writer: pq.ParquetWriter) -> None:
        rows = pa.concat_tables(self._gathered).unify_dictionaries()
        self._gathered, self._gathered_rows = [], 0
        if rows.num_rows:
            writer.write_table(rows, row_group_size=ROW_GROUP_ROWS)

    def close(self) -> None:
        """Finish the file: the last rows, footer, fsync, rename, fsync of the folder."""
        writer = self._writer or _writer(self._buffer, self._schema)
        if self._gathered:
            self._flush(writer)
        writer.close()
        self._buffer.flush()
        self.sha256 = self._file.finish()
        self.size_bytes = self._file.size_bytes
        self._temporary.replace(self.path)
        sync_folder(self.path.parent)

    def discard(self) -> None:
        """Close and remove what there is of it."""
        with suppress(OSError):
            self._file.abandon()
        with suppress(OSError, pa.ArrowException, ValueError):
            if self._writer is not None:
                self._writer.close()
        self._temporary.unlink(missing_ok=True)


def _with_dictionaries(stored: pa.Schema, given: pa.Schema) -> pa.Schema:
    """The stored schema, with text as a dictionary where it comes as one."""
    encoded = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([pa.field(f.name, encoded if pa.types.is_dictionary(given.field(f.name).type) else f.type) for f in stored])


def _fitted(rows: pa.Table, schema: pa.Schema) -> pa.Table:
    """The columns of the schema, in its types."""
    columns = [
        column.dictionary_encode()
        if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(column.type)
        else column.cast(field.type)
        for field, column in ((field, rows.column(field.name)) for field in schema)
    ]
    return pa.table(columns, schema=schema)


def _writer(file: pa.NativeFile, schema: pa.Schema) -> pq.ParquetWriter:
    dictionary, encodings = _encodings(schema)
    options: dict[str, Any] = {  # the stubs know two of these as bool only
        "compression": COMPRESSION,
        "use_dictionary": dictionary,
        "column_encoding": encodings,
        "write_statistics": [name for name in STATISTICS if name in schema.names],
        "store_schema": False,
        "store_decimal_as_integer": True,
        "write_batch_size": PAGE_ROWS,
        "max_rows_per_page": PAGE_ROWS,
    }
    return pq.ParquetWriter(file, schema, **options)


@contextmanager
def parquet_file(path: Path, columns: Columns) -> Iterator[ParquetFile]:
    """A file that is whole and under its name when the block ends, and gone where the block raises."""
    file = ParquetFile(path, columns)
    try:
        yield file
        file.close()
    except BaseException:
        file.discard()
        raise


def write_data_file(folder: Path, table: str, batches: Iterable[pa.Table | pa.RecordBatch], columns: Columns, stem: str) -> DataFile:
    """Write rows as `tables/<table>/<stem>.parquet` of the warehouse `folder`: whole and durable when this returns.

    Of the table's `columns`, those that `stored_columns` leaves out are not written. Raises OSError where the disk does not take it;
    then nothing of it is left.
    """
    path, loads = folder / TABLES_FOLDER / table / f"{stem}.parquet", set[int]()
    with parquet_file(path, stored_columns(table, columns)) as file:
        for batch in batches:
            rows = pa.Table.from_batches([batch]) if isinstance(batch, pa.RecordBatch) else batch
            loads.update(rows.column("load").unique().to_pylist())
            file.write(rows)
    return DataFile(table, path.relative_to(folder).as_posix(), file.sha256, file.size_bytes, file.rows, tuple(sorted(loads)))


def align(folder: Path, table: str, columns: Columns, files: Sequence[DataFile], note: Mapping[str, str]) -> int:
    """Make the live files of a table's Delta log exactly `files`, and its columns at least those stored of `columns`; returns the
    Delta version.

    Nothing is committed where that is so already. `note` is kept with the commit. Raises UnspunError where a file is not there.
    """
    path = folder / TABLES_FOLDER / table
    log = _opened(path, stored_columns(table, columns))
    wanted = {Path(file.path).name: file for file in files}
    live = {Path(uri).name for uri in log.file_uris()}
    schema, mode = log.schema(), "append"
    if _has_other_kinds(log, stored_columns(table, columns)):
        _commit(log, _removals(live), mode, schema, note)
        log, live, schema, mode = DeltaTable(path), set[str](), _delta_schema(stored_columns(table, columns)), "overwrite"
    elif wanted.keys() == live:
        return log.version()
    adds = [_addition(folder, wanted[name]) for name in wanted if name not in live]
    _commit(log, [*adds, *_removals(live - wanted.keys())], mode, schema, note)
    _sync_log(path)
    return DeltaTable(path).version()


def _has_other_kinds(log: DeltaTable, columns: Columns) -> bool:
    """Whether a column is of another kind than the log says: that of a load that was taken back since."""
    present = {field.name: field.type for field in log.schema().fields}
    return any(present.get(field.name, field.type) != field.type for field in _delta_schema(columns).fields)


def _delta_schema(columns: Columns) -> Schema:
    return Schema.from_arrow(stored_schema(columns))


def _removals(names: Collection[str]) -> list[RemoveAction]:
    return [RemoveAction(name, True, time.time_ns() // 1_000_000) for name in sorted(names)]


def _commit(
    log: DeltaTable,
    actions: Sequence[AddAction | RemoveAction],
    mode: Literal["append", "overwrite"],
    schema: Schema,
    note: Mapping[str, str],
) -> None:
    """Add an entry to the log. `overwrite` gives the table another schema; it takes no removals, for it removes every live file."""
    log.create_write_transaction([*actions], mode, schema, [], commit_properties=CommitProperties(custom_metadata=dict(note)))


def _opened(path: Path, columns: Columns) -> DeltaTable:
    """The table's log, made where there is none, with every one of the columns."""
    if not (path / LOG_FOLDER).is_dir():
        path.mkdir(parents=True, exist_ok=True)
        DeltaTable.create(path, Schema.from_arrow(stored_schema(columns)), mode="ignore", configuration=LOG_SETTINGS)
        _sync_log(path)
    log = DeltaTable(path)
    present = {field.name for field in log.schema().fields}
    missing: list[tuple[str, Kind]] = [(name, kind) for name, kind in columns if name not in present]
    if missing:
        log.alter.add_columns(_delta_schema(missing).fields)
        log = DeltaTable(path)
    return log


def _addition(folder: Path, file: DataFile) -> AddAction:
    path = folder / file.path
    if not path.is_file():
        hint = "Restore it from a backup of the warehouse folder."
        raise UnspunError(Fault("missing_data_file", f"a data file of table {file.table} is not there", str(path), hint))
    stats = json.dumps({"numRecords": file.rows, **_ranges(path)})
    return AddAction(path.name, file.size_bytes, {}, int(path.stat().st_mtime * 1000), True, stats)


def _ranges(path: Path) -> dict[str, dict[str, object]]:
    """Least and greatest value of each column that has statistics, as Delta writes them."""
    least, greatest, empty = dict[str, object](), dict[str, object](), dict[str, object]()
    for name, values in column_ranges(path).items():
        low, high, nulls = values
        least[name], greatest[name], empty[name] = _delta_value(low), _delta_value(high), nulls
    return {"minValues": least, "maxValues": greatest, "nullCount": empty}


def column_ranges(path: Path) -> dict[str, tuple[object, object, int]]:
    """(least, greatest, empty cells) of every column of STATISTICS in a data file that has values, from its footer."""
    metadata = pq.read_metadata(path)
    names = [metadata.schema.column(i).name for i in range(metadata.num_columns)]
    found: dict[str, tuple[object, object, int]] = {}
    for place, name in enumerate(names):
        groups = [metadata.row_group(i).column(place).statistics for i in range(metadata.num_row_groups)]
        told = [group for group in groups if group is not None and group.has_min_max]
        if name in STATISTICS and told and all(group is not None for group in groups):
            found[name] = (min(g.min for g in told), max(g.max for g in told), sum(g.null_count for g in groups))
    return found


def _delta_value(value: object) -> object:
    """As Delta writes statistics: instants in ISO 8601 to the millisecond would lose digits, so all six are written."""
    return value.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if isinstance(value, datetime) else value


def _sync_log(path: Path) -> None:
    """Make the log's newest entries durable before a book version is published that names them."""
    log = path / LOG_FOLDER
    newest = sorted(log.glob("*.json"))[-2:]
    for entry in newest:
        with entry.open("rb") as file:
            os.fsync(file.fileno())
    sync_folder(log)


def recover(catalog: Catalog) -> None:
    """Bring the Delta logs and the tables' folders back to what is published; call it as the one writer, before writing.

    A load that died may have left commits of some tables and data files of its own: the logs are aligned to the version in force,
    files that no kept version needs are removed, as is what killed processes spilled, and what is whole in staging stays for the load
    to be resumed.
    """
    current = catalog.current()
    published = {table.name: table for table in current.tables} if current is not None else {}
    tables = catalog.folder / TABLES_FOLDER
    for name in sorted({*published, *(path.name for path in tables.glob("*") if (path / LOG_FOLDER).is_dir())}):
        table = published.get(name)
        columns, files = (table.columns, table.files) if table is not None else ((), ())
        align(catalog.folder, name, columns, files, {"unspun": "recovery"})
    delete_unused(catalog)
    for spilled in SPILL_FOLDERS:
        clear_spilled(catalog.folder / spilled)


def delete_unused(catalog: Catalog) -> tuple[int, int]:
    """Delete the data files, whole or half-written, that no kept version needs, then what is kept of them; returns how many data files
    and their bytes.

    Safe to repeat: what a crash leaves is deleted the next time. The caller is the one writer.
    """
    used = catalog.files_in_use()
    tables, deleted, freed = catalog.folder / TABLES_FOLDER, 0, 0
    for path in (*tables.glob("*/*.parquet"), *tables.glob(f"*/*{PART_SUFFIX}")):
        if path.relative_to(catalog.folder).as_posix() not in used:
            deleted, freed = deleted + 1, freed + path.stat().st_size
            path.unlink(missing_ok=True)
    delete_facts(catalog.folder, used)
    return deleted, freed
