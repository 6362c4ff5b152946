"""The rows at fault: as the page shows the first of them, and as files to take along."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from unspun.book.checks.finding import Finding
from unspun.book.checks.report import CheckReport, JudgedFinding
from unspun.reports import words
from unspun.reports.check_claims import MOST_EXAMPLES
from unspun.reports.figure_files import manifest, rows_csv
from unspun.reports.row_files import pack, slug

MOST_ROWS = 1000  # of a finding in the page; those of a larger one are written by a command
MOST_BYTES = 2_000_000  # of all zips of a page
LONGEST_CELL = 60  # characters of one cell in the page's table
MOST_COLUMNS = 8  # of the page's table before those without a value are left out
FILE_COLUMNS = ("source_file", "beside_file")  # they hold the numbers of files


@dataclass(frozen=True, slots=True)
class FaultyRows:
    """All rows of one finding as a zip of a CSV and its manifest."""

    stem: str
    rows: int
    sha256: str  # of the CSV
    zipped: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ExampleCell:
    """One cell as the page shows it; `right`: it is a number."""

    text: str
    right: bool = False


def only_file(examples: pa.Table, source_names: Mapping[int, str]) -> str:
    """The name of the file that all examples stand in; "" where they stand in several, or in none that is known."""
    numbers = set(examples.column(FILE_COLUMNS[0]).to_pylist()) if FILE_COLUMNS[0] in examples.column_names else set()
    return source_names.get(numbers.pop(), "") if len(numbers) == 1 else ""


def shown_columns(examples: pa.Table, source_names: Mapping[int, str]) -> pa.Table:
    """The examples as they can be read beside each other: of a file that all of them stand in the name is said once; of many columns
    those that are empty in all of them are left out.
    """
    shown = examples.drop_columns([FILE_COLUMNS[0]]) if only_file(examples, source_names) else examples
    if shown.num_columns <= MOST_COLUMNS:
        return shown
    return shown.select([name for name in shown.column_names if shown.column(name).null_count < shown.num_rows])


def example_cells(examples: pa.Table, zone: str, source_names: Mapping[int, str]) -> list[list[ExampleCell]]:
    """The examples row by row, instants in the zone of the book, source files by their names."""
    columns = [column.to_pylist() for column in examples.columns]
    for at, name in enumerate(examples.column_names):
        if name in FILE_COLUMNS:
            columns[at] = [source_names.get(number, number) for number in columns[at]]
    return [[_cell(value, zone) for value in row] for row in zip(*columns, strict=True)]


def _cell(value: object, zone: str) -> ExampleCell:
    match value:
        case None:
            return ExampleCell("")
        case bool():
            return ExampleCell("yes" if value else "no")
        case int():
            return ExampleCell(str(value).replace("-", words.MINUS), right=True)
        case float():
            return ExampleCell(f"{value:.10g}".replace("-", words.MINUS), right=True)
        case Decimal():
            return ExampleCell(f"{value.normalize():f}".replace("-", words.MINUS), right=True)
        case datetime():
            local = value.astimezone(ZoneInfo(zone)) if value.tzinfo else value
            return ExampleCell(f"{local:%Y-%m-%d %H:%M:%S}".removesuffix(":00"))
        case _:
            return ExampleCell(words.shorten(str(value), LONGEST_CELL))


def faulty_rows(report: CheckReport, number: int, judged: JudgedFinding, rows: Mapping[str, pa.Table]) -> FaultyRows | None:
    """All rows of a finding, where they are few: those given by its id, or its examples where these are all there are."""
    found = rows.get(judged.finding.id)
    if found is None:
        found = judged.examples if judged.examples.num_rows < MOST_EXAMPLES else None
    if found is None or not 0 < found.num_rows <= MOST_ROWS:
        return None
    stem, text = f"finding-{number:02d}-{slug(judged.finding.id)}", rows_csv(found)
    facts = manifest(text, f"{stem}.csv", rows_facts(report, judged.finding, found.num_rows, file_numbers(found)))
    return FaultyRows(stem, found.num_rows, hashlib.sha256(text.encode()).hexdigest(), pack(stem, text.encode(), facts.encode()))


def file_numbers(rows: pa.Table) -> frozenset[int]:
    """The numbers of the files that rows name."""
    named = (rows.column(name).unique().to_pylist() for name in FILE_COLUMNS if name in rows.column_names)
    return frozenset(number for numbers in named for number in numbers if number is not None)


def rows_facts(report: CheckReport, finding: Finding, rows: int, files: frozenset[int]) -> dict[str, Any]:
    """What a manifest says of the rows of a finding, with the names of the files that they name by number."""
    return {
        "what": "rows at fault",
        "finding": finding.id,
        "message": finding.message,
        "severity": finding.severity,
        "count": finding.count,
        "of": finding.of,
        "unit": finding.unit,
        "query": finding.rows_sql,
        "entry": report.anchor or None,
        "book": {"version": report.book_version, "digest": report.digest},
        "as_of": report.as_of.isoformat(),
        "time_zone": report.time_zone,
        "rows": rows,
        "source_files": {str(number): report.source_names[number] for number in sorted(files & report.source_names.keys())},
    }
