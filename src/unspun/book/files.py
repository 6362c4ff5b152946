"""From a file, several files, a stream or a table in memory to a raw table: named columns, row numbers, and a SHA-256.

Nothing is typed by role here. What a file is, its content says and not its name.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unspun.book import ole
from unspun.book.archives import GZIP, ZIP, inflate_gzip, only_file, open_zip
from unspun.book.delimited import parse_delimited
from unspun.book.encoding import as_utf8
from unspun.book.header import preamble, set_closing_aside
from unspun.book.json_records import looks_like_json, read_json, refuse_bare_json
from unspun.book.parts import files_named, join
from unspun.book.raw import READ_FORMATS, RawTable
from unspun.book.tables import ReadingOptions, Rejection, Role
from unspun.book.text import reason
from unspun.book.wide import melt_months
from unspun.book.workbook import damaged_workbook, read_workbook
from unspun.errors import BadInput, Fault

OLE_WORKBOOK = frozenset({"Workbook", "Book"})  # what an XLS file holds
OLE_ENTRIES = {  # what other files in the same container hold
    "EncryptedPackage": ("protected_file", "the workbook is protected by a password.", "Save it without one."),
    "WordDocument": ("not_a_table", f"this is a Word document, not {READ_FORMATS}.", "Save the table as CSV."),
    "PowerPoint Document": ("not_a_table", f"this is a PowerPoint presentation, not {READ_FORMATS}.", "Save the table as CSV."),
    "__substg1.0_": ("not_a_table", f"this is an Outlook message, not {READ_FORMATS}.", "Save its attachment and give that."),
}
FOREIGN_FORMATS = (
    (b"%PDF", "a PDF", "Export the table as CSV."),
    (b"{\\rtf", "a rich text document", "Export the table as CSV."),
    (b"BZh", "bzip2", "Decompress it first; gzip and zip are read as they are."),
    (b"\xfd7zXZ", "xz", "Decompress it first; gzip and zip are read as they are."),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "Unpack it first; gzip and zip are read as they are."),
    (b"Rar!", "a RAR archive", "Unpack it first; gzip and zip are read as they are."),
    (b"\x28\xb5\x2f\xfd", "Zstandard", "Decompress it first; gzip and zip are read as they are."),
    (b"ARROW1", "an Arrow IPC file", "Hand it over as a table from Python, or save it as Parquet."),
    (b"Obj\x01", "an Avro file", "Export the table as CSV or Parquet."),
    (b"ORC", "an ORC file", "Export the table as CSV or Parquet."),
    (b"SQLite format 3", "a SQLite database", "Export the table as CSV."),
)
FOREIGN_ARCHIVES = {
    "xl/workbook.bin": ("a binary workbook (XLSB)", "Save it as XLSX."),
    "word/document.xml": ("a Word document", "Save the table as CSV."),
    "ppt/presentation.xml": ("a PowerPoint presentation", "Save the table as CSV."),
    "Index/Document.iwa": ("an Apple Numbers or Pages document", "Export it as XLSX or CSV."),
}
ROW_AT_END = re.compile(r":(\d+)\Z")


@runtime_checkable
class ArrowStream(Protocol):
    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


@runtime_checkable
class Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes | str: ...


def open_table(source: object, role: Role, name: str | None = None, options: ReadingOptions | None = None) -> RawTable:
    """Read a path ("-" is standard input), an open file, bytes, or a pandas, Polars or Arrow table; or several of them as one.

    Several are a folder, a pattern such as `scores/2025-*.csv`, or a list. `options` names columns and sheets that are not
    found by themselves. Raises BadInput: not there, not readable, empty, or in a format that is not a table.
    """
    options = options or ReadingOptions()
    if isinstance(source, list | tuple):
        labels = [None if isinstance(part, str | os.PathLike) else f"{name or role} {i}" for i, part in enumerate(source, 1)]
        return _from_several(source, labels, role, name or role, (), options)
    if isinstance(source, str | os.PathLike):
        return _from_path(os.fsdecode(source), role, name, options)
    if isinstance(source, bytes | bytearray | memoryview):
        return _from_bytes(pa.py_buffer(source), role, name or role, options)
    if isinstance(source, Readable) and not isinstance(source, ArrowStream):
        return _from_stream(source, role, name, options)
    return _finished(_from_memory(source, role, name or role), options)


def _finished(raw: RawTable, options: ReadingOptions) -> RawTable:
    return melt_months(set_closing_aside(raw, options), options)


def _from_several(
    sources: Sequence[object], labels: Sequence[str | None], role: Role, name: str, notes: tuple[str, ...], options: ReadingOptions
) -> RawTable:
    """Each source read by itself, the faults of all told together, and their tables joined."""
    if not sources:
        raise BadInput(Fault("no_files", "an empty list holds no table.", name, "Give at least one file."))
    tables: list[RawTable] = []
    faults: list[Fault] = []
    for source, label in zip(sources, labels, strict=True):
        try:
            tables.append(open_table(source, role, label, options))
        except BadInput as error:
            faults += error.faults
    if faults:
        raise BadInput(faults)
    return join(tables, name, None, notes, options)


def _from_path(path: str, role: Role, name: str | None, options: ReadingOptions) -> RawTable:
    if path == "-":
        return _from_bytes(pa.py_buffer(sys.stdin.buffer.read()), role, name or "stdin", options)
    label = name or path
    try:
        several = files_named(path)
        if several is not None:
            files, notes = several
            return _from_several(files, [None] * len(files), role, label, notes, options)
        if not Path(path).exists():
            raise BadInput(Fault("no_such_file", "there is no such file.", label, "Check the path."))
        buffer = _mapped(path)
    except (OSError, ValueError) as error:
        hint = "Check the path, and that you may read it."
        raise BadInput(Fault("unreadable_file", f"the file cannot be read: {reason(error)}.", label, hint)) from error
    return _from_bytes(buffer, role, label, options)


def _mapped(path: str) -> pa.Buffer:
    """The file's bytes, read from the disk where they are looked at; a pipe, and what cannot be mapped, is read whole."""
    if Path(path).is_file() and os.path.getsize(path):
        return pa.memory_map(path).read_buffer()
    return pa.py_buffer(Path(path).read_bytes())


def _from_stream(source: Readable, role: Role, name: str | None, options: ReadingOptions) -> RawTable:
    given = getattr(source, "name", None)
    content = source.read()
    raw = content.encode() if isinstance(content, str) else content
    return _from_bytes(pa.py_buffer(raw), role, name or (given if isinstance(given, str) else role), options)


def _from_bytes(buffer: pa.Buffer, role: Role, name: str, options: ReadingOptions) -> RawTable:
    sha256 = hashlib.sha256(buffer).hexdigest()
    if buffer[:2].to_pybytes() == GZIP:
        return _from_content(inflate_gzip(buffer, name), role, name, sha256, ", gzip", options)
    if buffer[:4].to_pybytes() == ZIP:
        return _from_zip(buffer, role, name, sha256, options)
    return _from_content(buffer, role, name, sha256, "", options)


def _from_zip(buffer: pa.Buffer, role: Role, name: str, sha256: str, options: ReadingOptions) -> RawTable:
    with open_zip(buffer, name) as archive:
        names = set(archive.namelist())
        for entry, (what, hint) in FOREIGN_ARCHIVES.items():
            if entry in names:
                raise BadInput(Fault("not_a_table", f"this is {what}, not {READ_FORMATS}.", name, hint))
        form = _workbook_format(names)
        if form is not None:
            return _from_workbook(buffer, archive, form, role, name, sha256, options)
        content, inner = only_file(archive, buffer.size, name)
    raw = _from_content(content, role, name, sha256, ", zip", options)
    return replace(raw, notes=(f"the file '{inner}' of the zip archive", *raw.notes))


def _workbook_format(names: set[str]) -> str | None:
    if "xl/workbook.xml" in names:
        return "XLSX with macros (XLSM)" if "xl/vbaProject.bin" in names else "XLSX"
    return "ODS" if {"mimetype", "content.xml", "META-INF/manifest.xml"} <= names else None


def _from_workbook(
    buffer: pa.Buffer, archive: zipfile.ZipFile | None, form: str, role: Role, name: str, sha256: str, options: ReadingOptions
) -> RawTable:
    sheets = read_workbook(buffer, archive, form, sha256, role, name, options)
    return join([_finished(sheet, options) for sheet in sheets], name, sha256, (), options)


def _from_content(buffer: pa.Buffer, role: Role, name: str, sha256: str, packed: str, options: ReadingOptions) -> RawTable:
    """A file that is not compressed, or is no longer."""
    head = buffer[:16].to_pybytes()
    if head.startswith(b"PAR1"):
        table = _parquet(buffer, name)
        return _finished(_from_table(table, role, name, sha256, f"Parquet{packed}"), options)
    if head.startswith(ole.MAGIC):
        _refuse_other_ole(buffer, name)
        return _from_workbook(buffer, None, f"XLS{packed}", role, name, sha256, options)
    if packed and head.startswith((GZIP, ZIP)):
        raise BadInput(Fault("not_a_table", "this is an archive within an archive.", name, "Unpack it first."))
    _refuse_foreign(head, name)
    text, encoding = as_utf8(buffer, name)
    refuse_bare_json(text, name)
    raw = read_json(text, role, name, sha256) if looks_like_json(text) else _delimited(text, role, name, sha256, options)
    notes = tuple(f"encoding {encoding}" if encoding and note.startswith("encoding ") else note for note in raw.notes)
    return _finished(replace(raw, format=f"{raw.format}{packed}", notes=notes), options)


def _refuse_other_ole(buffer: pa.Buffer, name: str) -> None:
    names = ole.entry_names(buffer)
    if names is None:
        raise BadInput(damaged_workbook("workbook", name))
    for entry, (code, message, hint) in OLE_ENTRIES.items():
        if any(held.startswith(entry) for held in names) and not names & OLE_WORKBOOK:
            raise BadInput(Fault(code, message, name, hint))


def _refuse_foreign(head: bytes, name: str) -> None:
    for magic, what, hint in FOREIGN_FORMATS:
        if head.startswith(magic):
            raise BadInput(Fault("not_a_table", f"this is {what}, not {READ_FORMATS}.", name, hint))
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<"):
        hint = "Open it in a spreadsheet program and save it as XLSX or CSV, or export the table as CSV."
        raise BadInput(Fault("not_a_table", f"this looks like HTML or XML, not {READ_FORMATS}.", name, hint))


def _delimited(buffer: pa.Buffer, role: Role, name: str, sha256: str, options: ReadingOptions) -> RawTable:
    """Separated text from its header on; row numbers count the lines above it too."""
    start, above = preamble(buffer, role, options)
    try:
        parsed = parse_delimited(buffer.slice(start) if start else buffer, name)
    except BadInput as error:
        raise BadInput([moved(fault, above) for fault in error.faults]) from error
    if parsed.rows_read == 0:
        raise BadInput(_no_rows(name))
    notes = (*parsed.notes, f"lines above the header in row {above + 1} not read: {above:,}") if above else parsed.notes
    return RawTable(
        role, name, sha256, parsed.format, parsed.names, parsed.columns, parsed.row + above if above else parsed.row, parsed.rows_read,
        notes, tuple(_shifted(rejection, above) for rejection in parsed.rejections), header_row=above + 1,
    )  # fmt: skip


def _shifted(rejection: Rejection, above: int) -> Rejection:
    return replace(rejection, rows=rejection.rows + above) if above else rejection


def moved(fault: Fault, above: int) -> Fault:
    """The fault with the row of its place counted from the first line of the file."""
    return replace(fault, where=ROW_AT_END.sub(lambda found: f":{int(found[1]) + above}", fault.where)) if above else fault


def _parquet(buffer: pa.Buffer, name: str) -> pa.Table:
    try:
        return pq.ParquetFile(pa.BufferReader(buffer)).read()
    except (pa.ArrowException, OSError) as error:
        raise BadInput(damaged_parquet(name)) from error


def damaged_parquet(name: str) -> Fault:
    """That a file which begins as Parquet cannot be read as it."""
    return Fault("damaged_parquet", "the Parquet file is damaged or cut off.", name, "Export it again, or as CSV.")


def _no_rows(name: str) -> Fault:
    return Fault("no_rows", "there is a header but no row.", name, "Check the export.")


def _from_memory(source: object, role: Role, name: str) -> RawTable:
    try:
        table = _as_arrow(source)
    except (pa.ArrowException, ValueError, TypeError) as error:
        message = f"a {type(source).__name__} cannot be read as a table: {reason(error)}."
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
    nested = [field.name for field in table.schema if not is_plain(field.type)]
    columns = tuple(plain(table.column(i)) for i in range(table.num_columns))
    notes = tuple(f"column '{n}' holds {table.schema.field(n).type} values and is not read" for n in nested)
    rows = np.arange(table.num_rows, dtype=np.int64) + 2
    return RawTable(role, name, sha256, form, tuple(table.column_names), columns, rows, table.num_rows, notes)


def is_plain(kind: pa.DataType) -> bool:
    if isinstance(kind, pa.BaseExtensionType):
        return is_plain(kind.storage_type)
    if pa.types.is_dictionary(kind):
        return is_plain(kind.value_type)
    return not (pa.types.is_nested(kind) or pa.types.is_duration(kind) or pa.types.is_time(kind) or pa.types.is_interval(kind))


def plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The column without wrappings: extension types, dictionaries of anything but text, views and raw bytes."""
    if not is_plain(column.type):
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
