"""The operation "show rows": a table of the book as of a date, at a version, as rows to look at or as CSV with its manifest."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow.compute import MatchSubstringOptions, StrftimeOptions, call_function

from unspun._version import __version__
from unspun.app.checks import recorded_check
from unspun.app.opening import whole_book
from unspun.app.row_filter import filter_sql
from unspun.app.workspace import Workspace
from unspun.book.checks.remarks import check_remarks
from unspun.book.entities import TABLES, Kind, TableName
from unspun.engines.embedded import ENGINE, engine_version, sql_name
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.read import BookReader, end_of_day, open_book
from unspun.warehouse.versions import BookVersion, TableVersion

_EXTENT = "SELECT count(*) AS n, min(happened_at) AS first, max(happened_at) AS last {}"
FORMULA = r"\A[=+\-@\t\r\n]"


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """Which rows of the book: of a table, as known at the end of a day (None: now), at a book version (None: the newest).

    `where` are columns and the value each must have, as text ("" is empty); `all_versions` asks for every version of every row.
    """

    table: TableName
    as_of: date | None = None
    version: int | None = None
    where: tuple[tuple[str, str], ...] = ()
    all_versions: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows asked for; `total` is without the limit. `columns` are the table's with their kinds; `zone` is the book's.

    `remarks` say what the quality gate found in the table, and over which of the days shown.
    """

    request: ShowRequest
    version: BookVersion
    columns: tuple[tuple[str, Kind], ...]
    rows: pa.Table
    total: int
    zone: str
    sql: str
    remarks: tuple[str, ...] = ()

    @property
    def in_words(self) -> str:
        """`accounts where owner = Kim, as known at the end of 2026-06-30, book version 4`."""
        parts = [f"{self.request.table}{' (every version of each row)' if self.request.all_versions else ''}"]
        parts += [f"where {name} {f'= {text}' if text else 'is empty'}" for name, text in self.request.where]
        when = f"as known at the end of {self.request.as_of} ({self.zone})" if self.request.as_of else "as known now"
        return f"{' '.join(parts)}, {when}, book version {self.version.version}"


@dataclass(frozen=True, slots=True)
class Exported:
    """A CSV that was written: the question it answers, its rows, and hash and size of its bytes."""

    shown: Shown
    rows: int
    sha256: str
    size_bytes: int


def show(workspace: Workspace, request: ShowRequest) -> Shown:
    """The rows of a table. Raises BadInput: nothing loaded, no such version, no such column, a value that is none of its kind."""
    with _asked(workspace, request) as (shown, reader):
        rows = reader.query(shown.sql)
    return replace(shown, rows=rows)


def export(workspace: Workspace, request: ShowRequest, file: BinaryIO, progress: Progress = silent) -> Exported:
    """The rows of a table written as CSV, in batches: they need not fit in memory. Raises as `show` does; OSError of the file."""
    hashed, rows, size = hashlib.sha256(), 0, 0
    with _asked(workspace, request) as (shown, reader):
        for batch in chain([None], reader.stream(shown.sql)):
            text = _csv_bytes(shown, batch)
            file.write(text)
            hashed.update(text)
            rows, size = rows + (batch.num_rows if batch else 0), size + len(text)
            progress(f"writing {request.table}", rows, shown.total)
    return Exported(shown, rows, hashed.hexdigest(), size)


def _csv_bytes(shown: Shown, batch: pa.RecordBatch | None) -> bytes:
    """A batch as lines of a CSV; without one, the header."""
    table = pa.Table.from_batches([batch]) if batch else shown.rows
    out = io.BytesIO()
    options = arrow_csv.WriteOptions(include_header=batch is None, quoting_style="needed", quoting_header="needed")
    arrow_csv.write_csv(csv_rows(table, shown.columns), out, options)
    return out.getvalue()


@contextmanager
def _asked(workspace: Workspace, request: ShowRequest) -> Iterator[tuple[Shown, BookReader]]:
    """The question put, without its rows yet, and the book open to answer it."""
    zone = workspace.definition().time_zone
    with workspace.catalog() as catalog, ExitStack() as held:
        version, table = _table(held.enter_context(whole_book(workspace, catalog, _version(catalog, request))).version, request)
        condition = filter_sql(request.where, dict(table.columns), zone)
        asked = f"FROM {request.table}{'_versions' if request.all_versions else ''} WHERE {condition}"
        names = ", ".join(sql_name(name) for name, _ in table.columns)
        limit = "" if request.limit is None else f" LIMIT {request.limit:d}"
        sql = f"SELECT {names} {asked} ORDER BY happened_at, known_at, load, source_file, source_row{limit}"
        before = None if request.as_of is None else end_of_day(request.as_of, zone)
        with open_book(catalog, version, before, workspace.settings.memory) as reader:
            total, first, last = next(iter(zip(*reader.query(_EXTENT.format(asked)).to_pydict().values(), strict=True)))
            none = reader.query(f"SELECT {names} {asked} LIMIT 0")
            remarks = _remarks(catalog, version, request, (first, last), zone)
            yield Shown(request, version, table.columns, none, total, zone, sql, remarks), reader


def _remarks(
    catalog: Catalog, version: BookVersion, request: ShowRequest, extent: tuple[datetime | None, datetime | None], zone: str
) -> tuple[str, ...]:
    """What the last check found in the table, over the days from the first to the last row shown."""
    first, last = (None if instant is None else instant.astimezone(ZoneInfo(zone)).date() for instant in extent)
    checked = recorded_check(catalog, request.as_of)
    return check_remarks(None if checked is None else checked.record((request.table,), first, last), version.version)


def _version(catalog: Catalog, request: ShowRequest) -> BookVersion:
    version = catalog.current() if request.version is None else catalog.version(request.version)
    if version is None:
        raise BadInput(Fault("empty_book", "nothing is loaded yet.", "", "Load files: unspun load FILE..."))
    return version


def _table(version: BookVersion, request: ShowRequest) -> tuple[BookVersion, TableVersion]:
    table = version.table(request.table)
    if table is None:
        there = ", ".join(one.name for one in version.tables if one.name in TABLES) or "no table"
        message = f"book version {version.version} has no {request.table}; it has {there}."
        raise BadInput(Fault("no_table", message, request.table, "Load files of it: unspun load FILE..."))
    return version, table


def csv_rows(rows: pa.Table, columns: tuple[tuple[str, Kind], ...]) -> pa.Table:
    """The rows as they stand in a CSV: instants in UTC by ISO 8601, and no text that a spreadsheet would run as a formula."""
    return pa.table({name: _csv_column(rows[name], kind) for name, kind in columns})


def _csv_column(column: pa.ChunkedArray, kind: Kind) -> pa.ChunkedArray:
    if kind == "instant":
        return call_function("strftime", [column.cast(pa.timestamp("us"))], StrftimeOptions("%Y-%m-%dT%H:%M:%SZ"))
    if kind == "money":
        return column.cast(pa.string())
    if kind != "text":
        return column
    text = column.cast(pa.string())
    runs = call_function("match_substring_regex", [text], MatchSubstringOptions(FORMULA))
    marked = call_function("binary_join_element_wise", [pa.scalar("'"), text, pa.scalar("")])
    return call_function("if_else", [runs, marked, text])


def manifest(exported: Exported, file_name: str) -> dict[str, Any]:
    """What a CSV of rows is: the question in words and as SQL, the book it was asked of, and the file's hash."""
    shown, request, version = exported.shown, exported.shown.request, exported.shown.version
    return {
        "what": "rows of the book",
        "table": request.table,
        "filters": {"in_words": shown.in_words, "sql": shown.sql},
        "as_of": request.as_of.isoformat() if request.as_of else None,
        "time_zone": shown.zone,
        "book_version": version.version,
        "book_digest": version.digest,
        "ledger_entry": f"{version.entry}:{version.entry_hash}",
        "engine": ENGINE,
        "engine_version": engine_version(),
        "package_version": __version__,
        "remarks": list(shown.remarks),
        "rows": exported.rows,
        "columns": dict(shown.columns),
        "csv": {"name": file_name, "sha256": exported.sha256, "bytes": exported.size_bytes},
    }
