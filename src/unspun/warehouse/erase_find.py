"""Where the book holds an account, a contact or a user: which rows go, which cells are emptied, which texts mention the id."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import duckdb

from unspun.book.entities import STATED, Kind
from unspun.book.mapping.book_file import read_definition
from unspun.book.retention.result import unescaped
from unspun.engines.embedded import sql_name, sql_text
from unspun.errors import BadInput
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.event_accounts import EVENTS, of_subscriptions_sql
from unspun.warehouse.load_commit import DEFINITION_NAME
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
Headers = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom an erasure is about: an account (its rows in every table), a contact or a user (theirs), by id as in the book."""

    kind: SubjectKind
    id: str
    subscriptions: tuple[str, ...] = ()  # of an account, as found in the book: events that only name one of them are the account's

    @property
    def is_distinctive(self) -> bool:
        """Whether the id is too particular to stand in a cell by chance: then it is looked for in every text."""
        return len(self.id) >= DISTINCTIVE_LENGTH and not self.id.isdigit()

    def is_named_in(self, text: str) -> bool:
        """Whether a label or name is or holds the id: as a whole, as a part between marks, or, where distinctive, anywhere."""
        return self.id in PIECES.split(text) or self.id == text.strip() or (self.is_distinctive and self.id in text)

    def is_named_in_document(self, document: str) -> bool:
        """Whether a text of a JSON document (a label, a name, a value) names it; a text that is no JSON is looked at whole.

        An id that is not distinctive is looked for among the groups that figures are named after (`grr/2026-01/parent_id=12`) only, and
        among the accounts whose renewals a set has figures of.
        """
        try:
            held = json.loads(document)
        except ValueError:
            return self.is_named_in(document)
        if self.is_distinctive or not isinstance(held, Mapping):
            return self._is_in(held)
        if self.id in held.get("columns", {}).get("account", ()):
            return True
        names = [str(figure.get("name")) for figure in held.get("figures", ()) if isinstance(figure, Mapping)]
        return any(unescaped(part.partition("=")[2]) == self.id for name in names for part in name.split("/"))

    def is_named_in_check(self, document: str) -> bool:
        """Whether what a check found names it: in a word of the data (an event, a value of a property, a new word of a column).

        An id that is not distinctive is not looked for in sentences, where its number may be a count.
        """
        findings = json.loads(document)["findings"]
        if self.is_distinctive:
            return self.is_named_in_any(findings)
        of_data = [part for one in findings for part in (one["subject"].split("/"), one["span"], one["facts"])]
        return self.is_named_in_any(of_data)

    def is_named_in_any(self, value: object) -> bool:
        """Whether any name or text of plain JSON names it."""
        return self._is_in(value)

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


def kept_files(catalog: Catalog) -> list[tuple[TableVersion, tuple[DataFile, ...]]]:
    """Every data file that some kept version needs, by table, with all the columns and key columns that those versions give it.

    A table stands several times where a column is of one kind in some versions and of another in others (a load that was undone
    and loaded again): such files cannot be read together.
    """
    found: dict[str, list[_Layout]] = {}
    for line in reversed(catalog.versions()):
        for table in catalog.version(line.version).tables if line.kept else ():
            layouts = found.setdefault(table.name, [])
            fitting = next((layout for layout in layouts if layout.takes(table)), None)
            if fitting is None:
                layouts.append(fitting := _Layout(table))
            fitting.add(table, {path for layout in layouts for path in layout.files})
    return [(layout.merged, tuple(layout.files.values())) for layouts in found.values() for layout in layouts if layout.files]


def id_headers(catalog: Catalog, subject: Subject) -> Headers | None:
    """By table, the columns of files that any recorded book.yml maps to an id that can be the subject's; None where that is not known."""
    return headers_of(catalog, {ID_COLUMNS[subject.kind], *EMPTIED[subject.kind]})


def headers_of(catalog: Catalog, wanted: Collection[str]) -> Headers | None:
    """By table, the columns of files that any recorded book.yml maps to these columns of the book; None where that is not known."""
    found = dict[str, set[str]]()
    definitions = catalog.definitions(DEFINITION_NAME)
    try:
        sources = [source for one in definitions for source in read_definition(one.text, DEFINITION_NAME).sources]
    except BadInput:  # written for another version of Unspun: every cell is then looked at
        return None
    for source in sources:
        found.setdefault(source.table, set()).update(header for name, header in source.columns.items() if name in wanted)
    return {table: frozenset(names) for table, names in found.items()} or None


@dataclass(slots=True)
class _Layout:
    """Versions of a table whose columns agree in kind, and the files that they need."""

    table: TableVersion
    columns: dict[str, Kind] = field(default_factory=dict[str, Kind])
    key: tuple[str, ...] = ()
    files: dict[str, DataFile] = field(default_factory=dict[str, DataFile])

    def takes(self, table: TableVersion) -> bool:
        return all(self.columns.get(name, kind) == kind for name, kind in table.columns)

    def add(self, table: TableVersion, known: Collection[str]) -> None:
        self.columns |= dict(table.columns)
        self.key = tuple(dict.fromkeys((*self.key, *table.key)))
        self.files |= {file.path: file for file in table.files if file.path not in known}

    @property
    def merged(self) -> TableVersion:
        return replace(self.table, columns=tuple(self.columns.items()), key=self.key)


def find_in_table(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableVersion,
    files: Sequence[DataFile],
    subject: Subject,
    headers: Headers | None = None,
    by_subscription: Collection[str] | None = None,
) -> TableFinding | None:
    """What the files of a table hold of the subject; None where they hold nothing. Raises UnspunError where one cannot be read.

    `headers` are those of `id_headers`: where an id that is not distinctive stands in rejected rows; `by_subscription` are the
    columns of files of events that name a subscription (None: not known).
    """
    if not files:
        return None
    with reading(folder, files):
        source = files_sql(folder, [file.path for file in files])
        kinds = {str(name): str(kind) for name, kind, *_ in connection.execute(f"DESCRIBE {source}").fetchall()}
        removed, emptied, mentions = _conditions(table, kinds, subject, headers)
        if table.name == REJECTED_TABLE and subject.subscriptions:
            removed = f"({removed} OR {_rejected_events(subject, by_subscription)})"
        named = files_sql(folder, [file.path for file in files], named=True)
        paths, rows = _holding(connection, named, removed, emptied)
        cells = _count(connection, source, {name: f"({condition}) AND NOT {removed}" for name, condition in emptied.items()})
        said = _count(connection, source, {name: f"({condition}) AND NOT {removed}" for name, condition in mentions.items()})
    held = tuple(file for file in files if Path(file.path).name in paths)
    return TableFinding(table, removed, emptied, held, rows, cells, said) if held or said else None


def _conditions(
    table: TableVersion, kinds: Mapping[str, str], subject: Subject, headers: Headers | None
) -> tuple[str, dict[str, str], dict[str, str]]:
    """SQL conditions, never NULL: of the rows that go; by column, of the cells to empty; by column, of texts that mention the id."""
    wanted = sql_text(subject.id)
    if table.name == REJECTED_TABLE:
        return _rejected(subject, headers), {}, {}
    id_column = ID_COLUMNS[subject.kind]
    removed = f"coalesce(CAST({sql_name(id_column)} AS VARCHAR) = {wanted}, false)" if id_column in kinds else "false"
    if table.name == EVENTS and subject.subscriptions:
        removed = f"({removed} OR {of_subscriptions_sql(tuple(kinds), subject.subscriptions)})"
    texts = [name for name, kind in kinds.items() if kind == "VARCHAR" and name not in (id_column, STATED[0])]  # which names columns
    identifying = {*table.key, *ID_COLUMNS.values()}  # of other rows: without them these would be lost
    sure = [name for name in texts if name in EMPTIED[subject.kind] or (subject.is_distinctive and name not in identifying)]
    emptied = {name: f"coalesce({sql_name(name)} = {wanted}, false)" for name in sure}
    return removed, emptied, {name: _mentions(name, wanted, subject, name in emptied) for name in texts}


def _mentions(column: str, wanted: str, subject: Subject, is_emptied: bool) -> str:
    """Texts that are the id, or hold it where it is distinctive, and stay."""
    name = sql_name(column)
    said = f"contains({name}, {wanted})" if subject.is_distinctive else f"{name} = {wanted}"
    return f"coalesce({said}{f' AND {name} <> {wanted}' if is_emptied else ''}, false)"


def _rejected(subject: Subject, headers: Headers | None) -> str:
    """Rejected rows that name the subject: a cell of the row as it stood in the file, the cell at fault, or an unreadable line.

    An id that is not distinctive is looked for in the file's columns that were mapped to ids, where it is known which they are, and
    as a word of its own in unreadable lines: elsewhere it stands by chance.
    """
    wanted = sql_text(subject.id)
    if headers is not None and not subject.is_distinctive:
        word = sql_text(rf"(^|[^\pL\pN]){re.escape(subject.id)}([^\pL\pN]|$)")
        asked = [f"regexp_matches(json_extract_string(cells, '/'), {word})"]
        asked += [
            f'("table" = {sql_text(table)} AND trim(json_extract_string(cells, {sql_text(_pointer(header))})) = {wanted})'
            for table, names in sorted(headers.items())
            for header in sorted(names)
        ]
        return "(" + " OR ".join(f"coalesce({condition}, false)" for condition in asked) + ")"
    cells = "list_transform(json_extract_string(cells, '$.*'), lambda cell: trim(cell))"
    named = [
        f"list_contains({cells}, {wanted})",
        f"list_contains(string_split(\"value\", ', '), {wanted})",
        f"contains(json_extract_string(cells, '/'), {wanted})",
    ]
    if subject.is_distinctive:
        named += [f"contains({sql_name(name)}, {wanted})" for name in ("cells", "value", "reason")]
    return "(" + " OR ".join(f"coalesce({condition}, false)" for condition in named) + ")"


def _rejected_events(subject: Subject, headers: Collection[str] | None) -> str:
    """Rejected events that name a subscription of the subject, in a column that was mapped to it; in any where that is not known."""
    listed = ", ".join(map(sql_text, subject.subscriptions))
    asked = [f"trim(json_extract_string(cells, {sql_text(_pointer(header))})) IN ({listed})" for header in sorted(headers or ())]
    if headers is None:
        asked = [f"list_has_any(list_transform(json_extract_string(cells, '$.*'), lambda cell: trim(cell)), [{listed}])"]
    return f'("table" = {sql_text(EVENTS)} AND coalesce({" OR ".join(asked) or "false"}, false))'


def _pointer(header: str) -> str:
    """A JSON pointer to a member of an object, by its name."""
    return "/" + header.replace("~", "~0").replace("/", "~1")


def _holding(connection: duckdb.DuckDBPyConnection, source: str, removed: str, emptied: Mapping[str, str]) -> tuple[frozenset[str], int]:
    """The names of the files that hold rows or cells to erase, and how many different rows go."""
    any_of = " OR ".join([removed, *emptied.values()])
    found = connection.execute(f"SELECT DISTINCT filename FROM ({source}) WHERE {any_of}").fetchall()
    identity = ", ".join(sql_name(name) for name in ROW)
    rows = connection.execute(f"SELECT count(*) FROM (SELECT DISTINCT {identity} FROM ({source}) WHERE {removed})").fetchone()
    return frozenset(Path(str(row[0])).name for row in found), int(rows[0]) if rows else 0


def _count(connection: duckdb.DuckDBPyConnection, source: str, conditions: Mapping[str, str]) -> tuple[tuple[str, int], ...]:
    """By column, how many different rows meet its condition, where any does."""
    if not conditions:
        return ()
    identity = f"ROW({', '.join(sql_name(name) for name in ROW)})"
    asked = ", ".join(f"count(DISTINCT {identity}) FILTER (WHERE {condition})" for condition in conditions.values())
    counts = connection.execute(f"SELECT {asked} FROM ({source})").fetchone() or ()
    return tuple((name, int(count)) for name, count in zip(conditions, counts, strict=True) if count)
