"""Rejected rows: which are still to be mended, as a file to correct, and the mapping of such a file when it is loaded again."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from unspun.app.opening import whole_book
from unspun.app.workspace import Workspace
from unspun.book.columns import did_you_mean
from unspun.book.entities import TableName
from unspun.book.mapping.book_file import mapping_for, mapping_sha256
from unspun.book.mapping.contents_sample import open_sample
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.load_rejected import MENDED_TABLE
from unspun.warehouse.read import BookReader, open_book
from unspun.warehouse.read_sql import stored_sql
from unspun.warehouse.versions import BookVersion

FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
NUMBER = re.compile(r"[+-]?[\d.,]+")
LOAD, FILE, ROW, REASON = MENDED_COLUMNS = ("unspun_load", "unspun_file", "unspun_row", "unspun_reason")
PLACE = ((LOAD, "load"), (FILE, "source_file"), (ROW, "source_row"))  # of a rejected row, in a file of them and in the book
HEAD_BYTES = 1 << 16
WORKBOOK = b"PK\x03\x04"
PARQUET = b"PAR1"


def mended_mapping(path: str, catalog: Catalog, definition: BookDefinition) -> SourceMapping | None:
    """The mapping of the source whose rejected rows a file holds; None where the file is no such one.

    Raises BadInput where it holds rows of several sources, or of one that book.yml no longer maps.
    """
    origins = _origins(path)
    if not origins:
        return None
    found = {origin: _mapping_of(origin, catalog, definition) for origin in origins}
    if None in found.values():
        hint = "Map the file's source in book.yml again, or load it under another name without the unspun_ columns."
        raise BadInput(Fault("unknown_source", "the source of these rejected rows is not in book.yml.", path, hint))
    if len({id(mapping) for mapping in found.values()}) > 1:
        hint = "Write and load them apart: unspun rejected --table TABLE --csv FILE, or with --source NAME."
        raise BadInput(Fault("several_sources", "the file holds rejected rows of several sources.", path, hint))
    return next(iter(found.values()))


def _origins(path: str) -> set[tuple[int, int]]:
    """Load and source file of each row, where the file has the columns that say so."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    if head.startswith(PARQUET) or not (head.startswith(WORKBOOK) or FILE.encode() in head.replace(b"\0", b"")):
        return set()
    try:
        raw = open_sample(path).raw
    except BadInput:
        return set()  # reading it under its mapping says what is wrong with it
    if LOAD not in raw.names or FILE not in raw.names:
        return set()
    columns = [raw.columns[raw.names.index(name)].to_pylist() for name in (LOAD, FILE)]
    pairs = {(_whole(load), _whole(file)) for load, file in zip(*columns, strict=True)}
    return {(load, file) for load, file in pairs if load is not None and file is not None}


def _whole(cell: object) -> int | None:
    try:
        return int(float(str(cell)))
    except (ValueError, OverflowError):
        return None


def _mapping_of(origin: tuple[int, int], catalog: Catalog, definition: BookDefinition) -> SourceMapping | None:
    """The mapping that the load used, where book.yml still has it, else that of the file's name."""
    load, number = origin
    source = next((one for one in catalog.source_files() if one.number == number), None)
    if source is None:
        return None
    used = [file for line in catalog.load_lines() if line.load == load for file in line.files if file.sha256 == source.sha256]
    for mapping in definition.sources:
        if any(mapping_sha256(mapping, definition) == file.mapping_sha256 for file in used):
            return mapping
    return mapping_for(definition, source.name)


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that is not in the book, and why. `cells` is the row as it stood in its file."""

    table: str
    load: int
    source_file: int
    source: str  # the file's name
    source_row: int
    code: str
    reason: str
    column: str | None
    value: str | None
    cells: dict[str, str | None]


@dataclass(frozen=True, slots=True)
class RejectedRows:
    """The rejected rows of a book version that no later load took the place of."""

    version: BookVersion
    rows: tuple[RejectedRow, ...]

    def counts(self) -> tuple[tuple[tuple[str, str, int, str, str], int], ...]:
        """(table, source, load, code, reason) with the number of its rows, in the order of load and file."""
        return tuple(Counter((row.table, row.source, row.load, row.code, row.reason) for row in self.rows).items())


def rejected_rows(
    workspace: Workspace, load: int | None = None, table: TableName | None = None, source: str | None = None
) -> RejectedRows | None:
    """The rejected rows still to be mended: of a load, a table, a source file (by its name or path) or all. None where nothing is loaded.

    Raises BadInput for a source file that was never loaded.
    """
    with workspace.catalog() as catalog:
        version = catalog.current()
        if version is None:
            return None
        names = {one.number: one.name for one in catalog.source_files()}
        with (
            whole_book(workspace, catalog, version) as whole,
            open_book(catalog, whole.version, None, workspace.settings.memory) as reader,
        ):
            names |= {one.source_file: one.name for one in whole.in_place}
            found = reader.query(f"SELECT * FROM ({open_rejected_sql(reader)}) ORDER BY load, source_file, source_row").to_pylist()
    source = None if source is None else _known_source(source, names.values())
    rows = tuple(_row(row, names) for row in found)
    wanted = ((load, "load"), (table, "table"), (source, "source"))
    return RejectedRows(version, tuple(row for row in rows if all(value in (None, getattr(row, name)) for value, name in wanted)))


def _known_source(given: str, names: Collection[str]) -> str:
    """The name of a loaded source file that was given by its name or its path."""
    name = given if given in names else os.path.basename(given)
    if name not in names:
        hint = f"{did_you_mean(name, names)}`unspun status` lists the files of each load."
        raise BadInput(Fault("unknown_source", f"no file of the name '{given}' was loaded.", "--source", hint))
    return name


def open_rejected_sql(reader: BookReader) -> str:
    """SQL of the rejected rows whose place no row has taken: neither one that was accepted, nor one that was rejected again."""
    mended = reader.version.table(MENDED_TABLE)
    again = ", ".join(f"try_cast(json_extract_string(cells, '$.{cell}') AS BIGINT) AS {name}" for cell, name in PLACE)
    taken = [f"SELECT {again} FROM rejected WHERE cells LIKE '%\"{ROW}\"%'"]
    if mended is not None:
        stored = stored_sql(reader.catalog.folder, mended)
        taken.append(f"SELECT mended_load AS load, mended_file AS source_file, mended_row AS source_row FROM ({stored})")
    return f"SELECT * FROM rejected ANTI JOIN ({' UNION ALL '.join(taken)}) USING (load, source_file, source_row)"


def _row(row: dict[str, Any], names: dict[int, str]) -> RejectedRow:
    cells = json.loads(row["cells"]) if row["cells"] else {}
    place = (row["load"], row["source_file"], names.get(row["source_file"], ""), row["source_row"])
    return RejectedRow(row["table"], *place, row["code"], row["reason"], row["column"], row["value"], cells)


def write_rejected(file: TextIO, rows: Sequence[RejectedRow]) -> None:
    """The rows as CSV to be mended and loaded again: where each comes from and why it was rejected, then its cells as they stood.

    Raises BadInput where the rows are not all of one source and table, as one file is loaded under one mapping.
    """
    sources = dict.fromkeys((row.table, row.source) for row in rows)
    if len(sources) > 1:
        named = "; ".join(f"--table {table} --source {shlex.quote(source)}" for table, source in sources)
        raise BadInput(Fault("several_sources", "the rejected rows are of several sources.", "--csv", f"Write one at a time: {named}."))
    headers = list(dict.fromkeys(name for row in rows for name in row.cells if name not in MENDED_COLUMNS))
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*MENDED_COLUMNS, *headers])
    writer.writerows(_lines(rows, headers))


def _lines(rows: Iterable[RejectedRow], headers: Sequence[str]) -> Iterator[list[object]]:
    for row in rows:
        yield [row.load, row.source_file, row.source_row, row.reason, *(marked(row.cells.get(name) or "") for name in headers)]


def marked(cell: str) -> str:
    """A cell that a spreadsheet would run is marked as text by an apostrophe, which loading the file takes off again."""
    return f"'{cell}" if FORMULA.match(cell) and not NUMBER.fullmatch(cell) else cell
