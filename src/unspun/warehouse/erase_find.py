"""Where the book holds an account, a contact or a user: which rows go, which cells are emptied, which texts mention the id."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from unspun.engines.embedded import sql_name, sql_text
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.load_rejected import REJECTED_TABLE
from unspun.warehouse.read_sql import files_sql
from unspun.warehouse.rewrite import reading
from unspun.warehouse.versions import DataFile, TableVersion

SubjectKind = Literal["account", "contact", "user"]
ID_COLUMNS: Mapping[SubjectKind, str] = {"account": "account_id", "contact": "contact_id", "user": "user_id"}
EMPTIED: Mapping[SubjectKind, tuple[str, ...]] = {"account": ("parent_id",), "contact": (), "user": ()}
DISTINCTIVE_LENGTH = 6
PIECES = re.compile(r"[\s/=,;|:]+")
ROW = ("load", "source_file", "source_row")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an erasure is about: an account (its rows in every table), a contact or a user (theirs), by id as in the book."""

    kind: SubjectKind
    id: str

    @property
    def is_distinctive(self) -> bool:
        """Whether the id is too particular to stand in a cell by chance: then it is looked for in every text."""
        return len(self.id) >= DISTINCTIVE_LENGTH and not self.id.isdigit()

    def is_named_in(self, text: str) -> bool:
        """Whether a label or name is or holds the id: as a whole, as a part between marks, or, where distinctive, anywhere."""
        return self.id in PIECES.split(text) or self.id == text.strip() or (self.is_distinctive and self.id in text)

    def is_named_in_document(self, document: str) -> bool:
        """Whether a text of a JSON document (a label, a name, a value) names it; a text that is no JSON is looked at whole."""
        try:
            return self._is_in(json.loads(document))
        except ValueError:
            return self.is_named_in(document)

    def _is_in(self, value: object) -> bool:
        if isinstance(value, Mapping):
            return any(self.is_named_in(str(name)) or self._is_in(item) for name, item in value.items())
        if isinstance(value, list):
            return any(self._is_in(item) for item in value)
        return isinstance(value, str) and self.is_named_in(value)


@dataclass(frozen=True, slots=True)
class TableFinding:
    """What one table holds of the subject, over all data files of all kept versions.

    `removed` is the SQL condition of the rows that go, `emptied` those of cells by column; `files` hold some of either. Counts are
    of row versions, each once however many files hold it. `mentions` are columns of other rows whose text holds the id.
    """

    table: TableVersion
    removed: str
    emptied: Mapping[str, str]
    files: tuple[DataFile, ...]
    rows: int
    cells: tuple[tuple[str, int], ...]
    mentions: tuple[tuple[str, int], ...]


def kept_files(catalog: Catalog) -> dict[str, tuple[TableVersion, tuple[DataFile, ...]]]:
    """By table, the newest kept version of it and every data file that some kept version needs."""
    newest: dict[str, TableVersion] = {}
    files: dict[str, dict[str, DataFile]] = {}
    for line in catalog.versions():
        for table in catalog.version(line.version).tables if line.kept else ():
            newest[table.name] = table
            files.setdefault(table.name, {}).update({file.path: file for file in table.files})
    return {name: (table, tuple(files[name].values())) for name, table in newest.items()}


def find_in_table(
    connection: duckdb.DuckDBPyConnection, folder: Path, table: TableVersion, files: Sequence[DataFile], subject: Subject
) -> TableFinding | None:
    """What the files of a table hold of the subject; None where they hold nothing. Raises UnspunError where one cannot be read."""
    if not files:
        return None
    with reading(folder, files):
        source = files_sql(folder, [file.path for file in files])
        kinds = {str(name): str(kind) for name, kind, *_ in connection.execute(f"DESCRIBE {source}").fetchall()}
        removed, emptied, mentions = _conditions(table, kinds, subject)
        named = files_sql(folder, [file.path for file in files], named=True)
        paths, rows = _holding(connection, named, removed, emptied)
        cells = _count(connection, source, {name: f"({condition}) AND NOT {removed}" for name, condition in emptied.items()})
        said = _count(connection, source, {name: f"({condition}) AND NOT {removed}" for name, condition in mentions.items()})
    held = tuple(file for file in files if str(folder.absolute() / file.path) in paths)
    return TableFinding(table, removed, emptied, held, rows, cells, said) if held or said else None


def _conditions(table: TableVersion, kinds: Mapping[str, str], subject: Subject) -> tuple[str, dict[str, str], dict[str, str]]:
    """SQL conditions, never NULL: of the rows that go; by column, of the cells to empty; by column, of texts that mention the id."""
    wanted = sql_text(subject.id)
    if table.name == REJECTED_TABLE:
        return _rejected(subject), {}, {}
    id_column = ID_COLUMNS[subject.kind]
    removed = f"coalesce(CAST({sql_name(id_column)} AS VARCHAR) = {wanted}, false)" if id_column in kinds else "false"
    texts = [name for name, kind in kinds.items() if kind == "VARCHAR" and name != id_column]
    identifying = {*table.key, *ID_COLUMNS.values()}  # of other rows: without them these would be lost
    sure = [name for name in texts if name in EMPTIED[subject.kind] or (subject.is_distinctive and name not in identifying)]
    emptied = {name: f"coalesce({sql_name(name)} = {wanted}, false)" for name in sure}
    return removed, emptied, {name: _mentions(name, wanted, subject, name in emptied) for name in texts}


def _mentions(column: str, wanted: str, subject: Subject, is_emptied: bool) -> str:
    """Texts that are the id, or hold it where it is distinctive, and stay."""
    name = sql_name(column)
    said = f"contains({name}, {wanted})" if subject.is_distinctive else f"{name} = {wanted}"
    return f"coalesce({said}{f' AND {name} <> {wanted}' if is_emptied else ''}, false)"


def _rejected(subject: Subject) -> str:
    """Rejected rows that name the subject: a cell of the row as it stood in the file, the cell at fault, or an unreadable line."""
    wanted = sql_text(subject.id)
    cells = "list_transform(json_extract_string(cells, '$.*'), lambda cell: trim(cell))"
    named = [
        f"list_contains({cells}, {wanted})",
        f"list_contains(string_split(\"value\", ', '), {wanted})",
        f"contains(json_extract_string(cells, '/'), {wanted})",
    ]
    if subject.is_distinctive:
        named += [f"contains({sql_name(name)}, {wanted})" for name in ("cells", "value", "reason")]
    return "(" + " OR ".join(f"coalesce({condition}, false)" for condition in named) + ")"


def _holding(connection: duckdb.DuckDBPyConnection, source: str, removed: str, emptied: Mapping[str, str]) -> tuple[frozenset[str], int]:
    """The files that hold rows or cells to erase, and how many different rows go."""
    any_of = " OR ".join([removed, *emptied.values()])
    found = connection.execute(f"SELECT DISTINCT filename FROM ({source}) WHERE {any_of}").fetchall()
    identity = ", ".join(sql_name(name) for name in ROW)
    rows = connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {identity} FROM ({source}) WHERE {removed})").fetchone()
    return frozenset(str(row[0]) for row in found), int(rows[0]) if rows else 0


def _count(connection: duckdb.DuckDBPyConnection, source: str, conditions: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """By column, how many different rows meet its condition, where any does."""
    if not conditions:
        return ()
    identity = f"ROW({', '.join(sql_name(name) for name in ROW)})"
    asked = ", ".join(f"count(DISTINCT {identity}) FILTER (WHERE {condition})" for condition in conditions.values())
    counts = connection.execute(f"SELECT {asked} FROM ({source})").fetchone() or ()
    return tuple((name, int(count)) for name, count in zip(conditions, counts, strict=True) if count)
