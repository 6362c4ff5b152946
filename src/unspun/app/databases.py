"""Databases as sources: what a load asks of them, read into files of ours, and how far each has been read."""

from __future__ import annotations

import atexit
import os
import re
import secrets
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from unspun.app.workspace import Workspace
from unspun.book.mapping.book_file import mapping_sha256
from unspun.book.mapping.definition import BookDefinition, Database, SourceMapping
from unspun.connectors.sql.address import Address, is_url, read_address
from unspun.connectors.sql.extract import Extract, extract, open_database
from unspun.connectors.sql.session import CursorKind, Session, known_relation, listing
from unspun.engines.embedded import clear_spilled
from unspun.errors import BadInput, Fault
from unspun.progress import Progress
from unspun.warehouse.catalog import Catalog

EXTRACTS_FOLDER = ".extracts"
URL_PLACE = "the URL"


@dataclass(frozen=True, slots=True)
class DatabaseRows:
    """Rows of one source of a database, read into the file `path`. `mapping` is None where one is to be proposed.

    `name` is what the source goes by; `cursor` how far it has been read, None where that says nothing.
    """

    path: str
    name: str
    database: Database
    extract: Extract
    mapping: SourceMapping | None
    cursor: Mapping[str, object] | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DatabaseReading:
    """What was read of databases for a load. `added` are databases that book.yml does not know yet; `folder` holds the files.

    `loads` are those that were in force when reading began: what is new was told by them.
    """

    rows: tuple[DatabaseRows, ...] = ()
    added: tuple[Database, ...] = ()
    in_place: tuple[str, ...] = ()  # sources whose rows stay where they are
    folder: Path | None = None
    notes: tuple[str, ...] = ()
    loads: frozenset[int] = frozenset()

    @property
    def cursors(self) -> dict[str, object]:
        return {one.name: dict(one.cursor) for one in self.rows if one.cursor is not None}

    def close(self) -> None:
        """Delete the files: what is loaded is in the book."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Sources to read of one database: those that book.yml maps, and relations to be mapped."""

    database: Database
    address: Address
    mappings: tuple[SourceMapping, ...]
    relations: tuple[str, ...]


@dataclass(slots=True)
class _Found:
    """What is gathered over all databases of a load."""

    rows: list[DatabaseRows] = field(default_factory=list[DatabaseRows])
    in_place: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    faults: list[Fault] = field(default_factory=list[Fault])


def names_database(argument: str, definition: BookDefinition) -> bool:
    """Whether an argument of a load is a database's URL, or the name of one of the book's."""
    return is_url(argument) or any(one.name == argument for one in definition.databases)


def address_of(workspace: Workspace, database: Database) -> Address:
    """Where a database of the book is. Raises BadInput where its variable is not set or holds no URL; the URL is never repeated."""
    if not database.url_from:
        return read_address(database.url, f"book.yml:{database.line}", workspace.folder, may_hold_password=False)
    url = os.environ.get(database.url_from, "")
    if not url:
        message = f"the environment variable {database.url_from}, which should hold its URL, is not set."
        raise BadInput(Fault("no_database_url", message, database.name, f"Set {database.url_from}, and run the command again."))
    return read_address(url, database.url_from, workspace.folder, may_hold_password=True)


@contextmanager
def session_of(workspace: Workspace, database: Database) -> Iterator[Session]:
    """The database, open: one read-only transaction."""
    with open_database(address_of(workspace, database), database.name, database.statement_seconds) as session:
        yield session


def extracts_folder(warehouse: Path) -> Path:
    """A new folder for the files that this process reads from databases; what dead processes left is deleted."""
    above = warehouse / EXTRACTS_FOLDER
    above.mkdir(parents=True, exist_ok=True)
    clear_spilled(above)
    folder = above / f"{os.getpid()}-{secrets.token_hex(4)}"
    folder.mkdir(mode=0o700)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def read_databases(
    workspace: Workspace,
    catalog: Catalog,
    definition: BookDefinition,
    arguments: Sequence[str],
    relations: Sequence[str],
    full: bool,
    progress: Progress,
) -> DatabaseReading:
    """Read what a load asks of databases: `arguments` are names and URLs, `relations` those that are to be mapped.

    Raises BadInput with all faults: no such relation, a database that cannot be reached, a URL with a password.
    """
    if not arguments:
        if relations:
            hint = "unspun load postgresql://host/database --relation schema.table"
            raise BadInput(Fault("no_database", "no database is named that the relation is of.", "--relation", f"Name it: {hint}"))
        return DatabaseReading()
    wanted, added = _wanted(workspace, definition, arguments, relations)
    loads = _in_force(catalog)
    found, folder = _Found(), extracts_folder(workspace.warehouse)
    reading = _Reading(catalog, definition, folder, full, progress, found)
    try:
        for one in wanted:
            reading.read(one)
        if found.faults:
            raise BadInput(found.faults)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return DatabaseReading(tuple(found.rows), tuple(added), tuple(found.in_place), folder, tuple(found.notes), loads)


def _in_force(catalog: Catalog) -> frozenset[int]:
    return frozenset(line.load for line in catalog.load_lines() if line.state == "in force")


def refuse_overtaken(catalog: Catalog, reading: DatabaseReading, tables: Collection[str]) -> None:
    """Raises BadInput where a load of these tables was published or taken back since the rows were read.

    They may then be older than what the book holds, or begin at a cursor that is no more. Call it as the one writer.
    """
    if not reading.rows:
        return
    others = reading.loads ^ _in_force(catalog)
    told = [line.load for line in catalog.load_lines() if line.load in others and any(file.table in tables for file in line.files)]
    if told:
        message = f"load {told[-1]} was published or taken back while these rows were read: nothing was loaded."
        raise BadInput([Fault("overtaken", message, one.name, "Run the command again.") for one in reading.rows])


def _wanted(
    workspace: Workspace, definition: BookDefinition, arguments: Sequence[str], relations: Sequence[str]
) -> tuple[list[_Wanted], list[Database]]:
    wanted: list[_Wanted] = []
    added: list[Database] = []
    for argument in dict.fromkeys(arguments):
        database, address = _database(workspace, definition, argument, added)
        of_it = tuple(source for source in definition.sources if source.database == database.name)
        named = tuple(source for source in of_it if any(_same_relation(source.relation, name) for name in relations))
        new = tuple(name for name in relations if not any(_same_relation(source.relation, name) for source in named))
        wanted.append(_Wanted(database, address, named if relations else of_it, new))
    if relations and len(wanted) > 1:
        raise BadInput(Fault("several_databases", "relations are given for several databases.", "--relation", "Load them one at a time."))
    return wanted, added


def _same_relation(one: str, other: str) -> bool:
    """Whether two names mean one relation; one of them may leave the schema out."""
    schemas = {name.rpartition(".")[0] for name in (one, other)} - {""}
    return one.rpartition(".")[2] == other.rpartition(".")[2] and len(schemas) < 2


def _database(workspace: Workspace, definition: BookDefinition, argument: str, added: list[Database]) -> tuple[Database, Address]:
    """The database that an argument names; one that book.yml does not know is put into `added`."""
    known = next((one for one in definition.databases if one.name == argument), None)
    if known is not None:
        return known, address_of(workspace, known)
    address = read_address(argument, URL_PLACE, workspace.folder, may_hold_password=False)
    for one in definition.databases:
        if one.url == argument or os.environ.get(one.url_from or " ") == argument:
            return one, address
    database = Database(_free_name(address.database, definition), url=argument)
    added.append(database)
    return database, address


def _free_name(wanted: str, definition: BookDefinition) -> str:
    taken = {one.name for one in definition.databases}
    stem = re.sub(r"[^a-z0-9]+", "_", wanted.partition(".")[0].casefold()).strip("_")[:50] or "database"
    stem = stem if stem[0].isalpha() else f"db_{stem}"
    return next(name for name in (stem, *(f"{stem}_{n}" for n in range(2, 1000))) if name not in taken)


@dataclass(slots=True)
class _Reading:
    """The databases of one load, read one after another."""

    catalog: Catalog
    definition: BookDefinition
    folder: Path
    full: bool
    progress: Progress
    found: _Found

    def read(self, wanted: _Wanted) -> None:
        loaded = [mapping for mapping in wanted.mappings if not mapping.in_place]
        self.found.in_place += [mapping.files[0] for mapping in wanted.mappings if mapping.in_place]
        if wanted.mappings and not loaded and not wanted.relations:
            return
        name, seconds = wanted.database.name, wanted.database.statement_seconds
        with open_database(wanted.address, name, seconds) as session:
            if not loaded and not wanted.relations:
                message = "book.yml maps no relation of this database."
                hint = f"{listing(session.relations())} Name those to load, each with --relation."
                raise BadInput(Fault("no_relation", message, name, hint))
            for mapping in loaded:
                self._one(session, wanted.database, mapping, None)
            for relation in wanted.relations:
                self._new(session, wanted.database, relation)

    def _new(self, session: Session, database: Database, relation: str) -> None:
        """Read a relation that a mapping is to be proposed for."""
        try:
            full_name = known_relation(session.relations(), relation, database.name)
        except BadInput as refusal:
            self.found.faults += refusal.faults
            return
        self._one(session, database, _of_relation(database, full_name), full_name)

    def _one(self, session: Session, database: Database, mapping: SourceMapping, proposed: str | None) -> None:
        """Read one source; what is wrong with it is kept, so that the others are looked at too."""
        name, last, notes = mapping.files[0], None, list[str]()
        if proposed is None:
            last, notes = self._last(mapping)
        path = self.folder / _file_name(mapping, len(self.found.rows))
        path.parent.mkdir(exist_ok=True)
        self.progress(f"reading {name}", 0, 1)
        try:
            read = extract(session, mapping, last, path, name, lambda done, of: self.progress(f"reading {name}: {done:,} rows", done, of))
        except BadInput as refusal:
            self.found.faults += [replace(fault, where=name) if fault.where == database.name else fault for fault in refusal.faults]
            return
        if mapping.cursor is not None and read.since is not None:
            notes.append(f"read from {mapping.cursor.column} {read.since.last} on, less the overlap (all rows: --full)")
        if not read.rows:
            notes.append("no rows" if read.since is None else "no row is new")
        self.found.notes += [f"from {name}: {note}" for note in (*notes, *read.notes)]
        known = mapping if proposed is None else None
        cursor = None if known is None else self._reached(known, read)
        self.found.rows.append(DatabaseRows(str(path), name, database, read, known, cursor, ()))

    def _last(self, mapping: SourceMapping) -> tuple[tuple[CursorKind, str] | None, list[str]]:
        """Where the newest load in force left the source's cursor; None, and why, where all rows are to be read."""
        if mapping.cursor is None:
            return None, []
        states = [
            (line.load, cast("dict[str, dict[str, str]]", line.body["cursors"])[mapping.files[0]])
            for line in sorted(self.catalog.load_lines(), key=lambda line: line.version or 0)
            if line.state == "in force" and mapping.files[0] in cast("dict[str, object]", line.body.get("cursors", {}))
        ]
        if not states:
            return None, []
        load, state = states[-1]
        if self.full:
            return None, ["all rows are read, as --full says"]
        if state["column"] != mapping.cursor.column:
            return None, [f"all rows are read: the cursor was {state['column']} in load {load}"]
        if state["mapping"] != mapping_sha256(mapping, self.definition):
            return None, [f"all rows are read: the mapping is not that of load {load}"]
        return (cast("CursorKind", state["kind"]), state["last"]), []

    def _reached(self, mapping: SourceMapping, read: Extract) -> dict[str, object] | None:
        last = read.last if read.last is not None else None if read.since is None else read.since.last
        if mapping.cursor is None or last is None:
            return None
        decides = mapping_sha256(mapping, self.definition)
        return {"column": mapping.cursor.column, "kind": read.cursor_kind, "last": last, "mapping": decides}


def _of_relation(database: Database, relation: str) -> SourceMapping:
    """What is known of a relation before a mapping is proposed for it: where it is."""
    return SourceMapping((f"{database.name}:{relation}",), "accounts", {}, database=database.name, relation=relation)


def _file_name(mapping: SourceMapping, place: int) -> str:
    """The file's name within the folder; its stem is the relation's, which helps to tell its table."""
    stem = re.sub(r"[^A-Za-z0-9_]+", "_", mapping.relation.rpartition(".")[2])[:80] or "rows"
    return f"{place}/{stem}.parquet"


def as_source(mapping: SourceMapping, rows: DatabaseRows) -> SourceMapping:
    """A mapping that was proposed for the rows, as a source of their database. Raises BadInput where they have no key."""
    names = {column: name for name, column in mapping.columns.items()}
    key = mapping.key or (() if mapping.row_key else tuple(names.get(column, "") for column in rows.extract.key))
    source = replace(
        mapping, files=(rows.name,), key=key, database=rows.database.name, relation=rows.extract.relation, ignored=mapping.ignored
    )
    if not source.row_key or not all(source.row_key):
        hint = "Write the source into book.yml with `key:`, or with `in_place: true`: see docs/reference/book-yml.md."
        message = "nothing tells its rows apart, so that they would be repeated with the next load."
        raise BadInput(Fault("no_key", message, rows.name, hint))
    return source


def named_faults(refusal: BadInput, reading: DatabaseReading) -> BadInput:
    """The faults of files of ours under the names of the sources that were read into them."""
    return BadInput([_named(fault, reading) for fault in refusal.faults])


def _named(fault: Fault, reading: DatabaseReading) -> Fault:
    for one in reading.rows:
        if fault.where.startswith(one.path):
            place = fault.where[len(one.path) :].removeprefix(":1")  # a relation has no row of headings
            return replace(fault, where=one.name + place, message=fault.message.replace("the file has no column", "there is no column"))
        if os.path.basename(one.path) == fault.where.partition(":")[0]:
            return replace(fault, where=one.name)
    return fault
