"""The rows behind a finding: read from the book by the finding's own query, and written as CSV with a manifest."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, BinaryIO

import pyarrow as pa
from pyarrow import csv as arrow_csv

from unspun._version import __version__
from unspun.app.checks import CheckRequest, opened
from unspun.app.showing import csv_rows
from unspun.app.workspace import Workspace
from unspun.book.checks.finding import Finding
from unspun.book.checks.report import CheckReport, JudgedFinding
from unspun.book.checks.run import Progress
from unspun.book.columns import did_you_mean
from unspun.book.entities import Kind
from unspun.engines.embedded import ENGINE, engine_version
from unspun.errors import BadInput, Fault
from unspun.reports.check_rows import file_numbers, rows_facts


@dataclass(frozen=True, slots=True)
class WrittenRows:
    """A CSV of the rows behind a finding, with hash and size of its bytes, and the numbers of the files that its rows name."""

    finding: Finding
    rows: int
    sha256: str
    size_bytes: int
    columns: tuple[str, ...]
    files: frozenset[int]


def find_judged(report: CheckReport, wanted: str) -> tuple[JudgedFinding, ...]:
    """The finding of that id, or all those of that check or of that check and table. Raises BadInput where there is none."""
    found = tuple(one for one in report.judged if one.finding.id == wanted or one.finding.id.startswith(f"{wanted}/"))
    if found:
        return found
    hint = did_you_mean(wanted, [one.finding.id for one in report.judged])
    if any(outcome.hindrance for outcome in report.outcomes):
        hint = "; ".join(f"it could not be run: {outcome.hindrance}" for outcome in report.outcomes if outcome.hindrance)
    raise BadInput(Fault("unknown_finding", f"the book has no finding {wanted}.", "FINDING", hint or "Run `unspun check` for all of them."))


def few_rows(workspace: Workspace, request: CheckRequest, report: CheckReport, most: int) -> dict[str, pa.Table]:
    """All rows of each finding that has at most so many, by the finding's id."""
    found: dict[str, pa.Table] = {}
    with opened(workspace, request, workspace.definition()) as (_, _, reader):
        for one in report.judged:
            if one.rows <= most:
                rows = reader.query(f"SELECT * FROM ({one.finding.rows_sql}) LIMIT {most + 1}")
                found |= {one.finding.id: rows} if rows.num_rows <= most else {}
    return found


def write_rows(
    workspace: Workspace, request: CheckRequest, finding: Finding, file: BinaryIO, at: datetime, progress: Progress
) -> WrittenRows:
    """The rows of a finding written as CSV, in batches: they need not fit in memory. Raises OSError of the file."""
    hashed, rows, size, columns = hashlib.sha256(), 0, 0, ()
    files: frozenset[int] = frozenset()
    with opened(workspace, request, workspace.definition()) as (_, _, reader):
        empty = reader.query(f"SELECT * FROM ({finding.rows_sql}) LIMIT 0")
        columns = tuple(empty.column_names)
        for part in chain([empty], map(_table, reader.stream(finding.rows_sql))):
            text = csv_bytes(part, header=part is empty)
            file.write(text)
            hashed.update(text)
            rows, size, files = rows + part.num_rows, size + len(text), files | file_numbers(part)
            progress("writing rows", rows, 0)
    return WrittenRows(finding, rows, hashed.hexdigest(), size, columns, files)


def _table(batch: pa.RecordBatch) -> pa.Table:
    return pa.Table.from_batches([batch])


def csv_bytes(rows: pa.Table, header: bool) -> bytes:
    """Rows as CSV that a spreadsheet does not run."""
    out = io.BytesIO()
    options = arrow_csv.WriteOptions(include_header=header, quoting_style="needed", quoting_header="needed")
    arrow_csv.write_csv(csv_rows(rows, tuple((field.name, kind_of_type(field.type)) for field in rows.schema)), out, options)
    return out.getvalue()


def kind_of_type(kind: pa.DataType) -> Kind:
    """The kind of the book that a column of an answer is written as."""
    if pa.types.is_timestamp(kind):
        return "instant"
    if pa.types.is_decimal(kind):
        return "money"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_date(kind):
        return "day"
    return "flag" if pa.types.is_boolean(kind) else "number"


def manifest(report: CheckReport, written: WrittenRows, file_name: str) -> dict[str, Any]:
    """What a CSV of rows is: the finding, its query, the book it was asked of, and the file's hash."""
    return {
        **rows_facts(report, written.finding, written.rows, written.files),
        "engine": f"{ENGINE} {engine_version()}",
        "package_version": __version__,
        "columns": list(written.columns),
        "csv": {"name": file_name, "sha256": written.sha256, "bytes": written.size_bytes},
    }
