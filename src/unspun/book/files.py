"""From a file, a stream or a table in memory to a raw table: named columns, row numbers, and a SHA-256. Nothing is typed here."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unspun.book.delimited import parse_delimited
from unspun.book.tables import Ints, Rejection, Role
from unspun.errors import BadInput, Fault

FOREIGN_FORMATS = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "Save the sheet as CSV."),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook", "Save the sheet as CSV."),
    (b"%PDF", "a PDF", "Export the table as CSV."),
    (b"BZh", "bzip2", "Decompress it first; gzip is read as it is."),
    (b"\xfd7zXZ", "xz", "Decompress it first; gzip is read as it is."),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "Decompress it first; gzip is read as it is."),
    (b"ARROW1", "an Arrow IPC file", "Hand it over as a table from Python, or save it as Parquet."),
    (b"SQLite format 3", "a SQLite database", "Export the table as CSV."),
)


@runtime_checkable
class ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@runtime_checkable
class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes | str: ...


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as it stands in the file: columns of text or of their own type, and the row number of each row.

    rows_read = len(row) + the rows of `rejections`. Row numbers count from 1 and include the header, in every format.
    """

    role: Role
    name: str
    sha256: str
    format: str
    names: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    row: Ints
    rows_read: int
    notes: tuple[str, ...] = ()
    rejections: tuple[Rejection, ...] = ()


def open_table(source: object, role: Role, name: str | None = None) -> RawTable:
    """Read a path ("-" is standard input), an open file, bytes, or a pandas, Polars or Arrow table.

    Raises BadInput: not there, not readable, empty, or in a format that is not a table.
    """
    if isinstance(source, str | os.PathLike):
        return _from_path(os.fspath(source), role, name)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(pa.py_buffer(source), role, name or role)
    if isinstance(source, Readable) and not isinstance(source, ArrowStream):
        return _from_stream(source, role, name)
    return _from_memory(source, role, name or role)


def _from_path(path: str | bytes, role: Role, name: str | None) -> RawTable:
    path = os.fsdecode(path)
    if path == "-":
        return _from_bytes(pa.py_buffer(sys.stdin.buffer.read()), role, name or "stdin")
    label = name or path
    try:
        if not Path(path).exists():
            raise BadInput(Fault("no_such_file", "there is no such file.", label, "Check the path."))
        if Path(path).is_dir():
            raise BadInput(Fault("is_a_directory", "this is a directory, not a file.", label, "Give the file in it."))
        with open(path, "rb") as file:
            is_parquet = file.read(4) == b"PAR1"
        # Parquet is read by column, from the disk; the rest is needed whole
        buffer = pa.memory_map(path).read_buffer() if is_parquet else pa.py_buffer(Path(path).read_bytes())
    except (OSError, ValueError) as error:
        raise BadInput(Fault("unreadable_file", f"the file cannot be read: {error}.", label)) from error
    return _from_bytes(buffer, role, label)


def _from_stream(source: Readable, role: Role, name: str | None) -> RawTable:
    given = getattr(source, "name", None)
    content = source.read()
    raw = content.encode() if isinstance(content, str) else content
    return _from_bytes(pa.py_buffer(raw), role, name or (given if isinstance(given, str) else role))


def _from_bytes(buffer: pa.Buffer, role: Role, name: str) -> RawTable:
    sha256 = hashlib.sha256(buffer).hexdigest()
    compressed = buffer[:2].to_pybytes() == b"\x1f\x8b"
    if compressed:
        try:
            buffer = pa.py_buffer(gzip.decompress(buffer))
        except (OSError, EOFError, zlib.error) as error:
            raise BadInput(Fault("damaged_gzip", f"the gzip file is damaged: {error}.", name, "Export it again.")) from error
    if buffer[:4].to_pybytes() == b"PAR1":
        table = _parquet(buffer, name)
        return _from_table(table, role, name, sha256, "Parquet, gzip" if compressed else "Parquet")
    _refuse_foreign(buffer[:16].to_pybytes(), name)
    parsed = parse_delimited(buffer, name)
    if parsed.rows_read == 0:
        raise BadInput(_no_rows(name))
    return RawTable(
        role, name, sha256, f"{parsed.format}, gzip" if compressed else parsed.format, parsed.names, parsed.columns,
        parsed.row, parsed.rows_read, parsed.notes, parsed.rejections,
    )  # fmt: skip


def _refuse_foreign(head: bytes, name: str) -> None:
    for magic, what, hint in FOREIGN_FORMATS:
        if head.startswith(magic):
            raise BadInput(Fault("not_a_table", f"this is {what}, not CSV, TSV or Parquet.", name, hint))
    if head.lstrip()[:1] in (b"{", b"[", b"<"):
        raise BadInput(
            Fault("not_a_table", "this looks like JSON, HTML or XML, not CSV, TSV or Parquet.", name, "Export the table as CSV.")
        )


def _parquet(buffer: pa.Buffer, name: str) -> pa.Table:
    try:
        return pq.ParquetFile(pa.BufferReader(buffer)).read()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(Fault("damaged_parquet", f"the Parquet file cannot be read: {error}.", name, "Export it again.")) from error


def _no_rows(name: str) -> Fault:
    return Fault("no_rows", "there is a header but no row.", name, "Check the export.")


def _from_memory(source: object, role: Role, name: str) -> RawTable:
    try:
        table = _as_arrow(source)
    except (pa.ArrowException, ValueError, TypeError) as error:
        message = f"a {type(source).__name__} cannot be read as a table: {error}."
        raise BadInput(Fault("not_a_table", message, name, "Give a path, a pandas or Polars frame, or an Arrow table.")) from error
    return _from_table(table, role, name, _arrow_sha256(table), "table in memory")


def _as_arrow(source: Any) -> pa.Table:
    if not type(source).__module__.startswith("pandas"):
        return pa.table(source)
    try:
        table = pa.Table.from_pandas(source)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # object columns of mixed kinds
        table = pa.Table.from_pandas(source.map(lambda cell: None if cell is None or cell != cell else str(cell)))
    return table.drop_columns([n for n in table.column_names if n.startswith("__index_level_")])


class _HashingSink:
    """A file that keeps only the SHA-256 of what is written to it."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.closed = False

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        return len(data)

    def flush(self) -> None: ...

    def close(self) -> None:
        self.closed = True


def _arrow_sha256(table: pa.Table) -> str:
    bare = table.replace_schema_metadata(None)
    sink = _HashingSink()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), bare.schema) as stream:
        stream.write_table(bare)
    return sink.digest.hexdigest()


def _from_table(table: pa.Table, role: Role, name: str, sha256: str, form: str) -> RawTable:
    if table.num_columns == 0 or table.num_rows == 0:
        raise BadInput(_no_rows(name) if table.num_columns else Fault("empty_file", "there is no column.", name, "Check the export."))
    nested = [field.name for field in table.schema if not _is_plain(field.type)]
    columns = tuple(_plain(table.column(i)) for i in range(table.num_columns))
    notes = tuple(f"column '{n}' holds {table.schema.field(n).type} values and is not read" for n in nested)
    rows = np.arange(table.num_rows, dtype=np.int64) + 2
    return RawTable(role, name, sha256, form, tuple(table.column_names), columns, rows, table.num_rows, notes)


def _is_plain(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return _is_plain(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    return not (pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_time(kind) or pa.types.is_interval(kind))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without wrappings: extension types, dictionaries of anything but text, views and raw bytes."""
    if not _is_plain(column.type):
        return pa.chunked_array([pa.nulls(len(column))])
    if isinstance(column.type, pa.BaseExtensionType):
        column = pa.chunked_array([chunk.storage for chunk in column.chunks], column.type.storage_type)
    kind = column.type
    if pa.types.is_dictionary(kind) and not (pa.types.is_string(kind.value_type) and pa.types.is_signed_integer(kind.index_type)):
        kind = pa.string() if _is_textual(kind.value_type) else kind.value_type  # Arrow cannot take from views
        column = pa.chunked_array([chunk.dictionary.cast(kind).take(chunk.indices) for chunk in column.chunks], kind)
    if _is_textual(kind):
        return _as_string(column)
    return column


def _is_textual(kind: pa.DataType) -> bool:
    tests: Sequence[Any] = (pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary, pa.types.is_large_binary)
    return any(test(kind) for test in tests) or pa.types.is_binary_view(kind)


def _as_string(column: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        return column.cast(pa.string())
    except pa.ArrowException:  # bytes that are no text
        return pa.chunked_array([pa.nulls(len(column))])
