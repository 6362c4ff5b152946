"""The warehouse's catalogue: which files are the book at which version, what was loaded, what was published, and the ledger.

One SQLite file is the truth. A book version, its files and its ledger entry are written in one transaction; readers see all or
none of it and never wait for a writer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TypeVar

from unspun.errors import BadInput, Fault
from unspun.ledger import store
from unspun.ledger.chain import FIRST_KIND, Entry, written_instant
from unspun.warehouse import (
    catalog_checks,
    catalog_files,
    catalog_head,
    catalog_loads,
    catalog_notes,
    catalog_publications,
    catalog_schema,
)
from unspun.warehouse.catalog_checks import CheckRecord
from unspun.warehouse.catalog_faults import decoding, translating, translating_system
from unspun.warehouse.catalog_lines import Definition, LoadFile, LoadLine, Publication, SourceFile, VersionLine
from unspun.warehouse.catalog_lock import writer_lock
from unspun.warehouse.catalog_notes import NoteRecord
from unspun.warehouse.versions import BookVersion, DataFile, TableVersion, VersionKind

NAME = "catalog.db"
Answer = TypeVar("Answer")


def _silent(_message: str) -> None:
    """Tell nobody that this waits."""


def create_warehouse(folder: Path, at: datetime) -> Catalog:
    """Make the folder (where there is none) and an empty catalogue in it, whose ledger opens at `at`.

    Raises BadInput where there is a catalogue already, UnspunError where the folder cannot be written.
    """
    path = folder / NAME
    with translating_system(folder):
        folder.mkdir(parents=True, exist_ok=True)
    with writer_lock(folder, catalog_schema.BUSY_SECONDS, _silent):
        if path.exists():
            raise BadInput(
                Fault("warehouse_exists", "there is a warehouse here already.", str(folder), "Use it, or choose another folder.")
            )
        fresh = _fresh_database(folder, at)
        with translating_system(path):
            fresh.replace(path)
            catalog_head.sync_folder(folder)
    catalog = open_catalog(folder)
    catalog.record_head()
    return catalog


def _fresh_database(folder: Path, at: datetime) -> Path:
    """A complete catalogue under another name, so that there is never half a one under its own."""
    fresh = folder / f"{NAME}.new"
    with translating_system(fresh):
        for suffix in ("", "-wal", "-shm"):
            fresh.with_name(fresh.name + suffix).unlink(missing_ok=True)
    connection = catalog_schema.connect(fresh, create=True)
    try:
        with translating(fresh):
            connection.execute("BEGIN IMMEDIATE")
            catalog_schema.create_tables(connection)
            store.append(connection, FIRST_KIND, {"format": catalog_schema.FORMAT, "hash": "sha256"}, at)
            connection.execute("COMMIT")
    finally:
        connection.close()
    return fresh


def open_catalog(folder: Path) -> Catalog:
    """The catalogue of the warehouse folder.

    Raises BadInput where there is none or where a newer Unspun wrote it, UnspunError where it is damaged or out of reach.
    """
    path = folder / NAME
    with translating_system(path):
        there = path.exists()
    if not there:
        raise BadInput(Fault("no_warehouse", "there is no warehouse here.", str(folder), "Make one with `unspun init`."))
    connection = catalog_schema.connect(path)
    try:
        catalog_schema.check_format(connection, path)
        catalog_schema.migrate(connection, path)
    except BaseException:
        connection.close()
        raise
    return Catalog(folder, connection)


class Catalog:
    """An open catalogue. `folder` is the warehouse folder, to which the paths of data files are relative.

    Every method raises UnspunError for what a user or machine can cause (a full disk, a damaged file, a lock held too long).
    Methods that publish, replace or drop need the writer's lock (`writing`); all that write join an open `transaction`.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.connection = connection
        self._holds_lock = False
        self._only_reads = False

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self.connection.close()

    @property
    def path(self) -> Path:
        return self.folder / NAME

    # Locks and transactions

    @contextmanager
    def writing(
        self,
        wait_seconds: float = 60.0,
        waiting: Callable[[str], None] = _silent,
        recover: Sequence[Callable[[Catalog], object]] = (),
    ) -> Iterator[None]:
        """Be the one writer. `waiting` is told where another process is; then `recover` is called with this catalogue.

        Raises UnspunError (`busy`) after `wait_seconds`. Within itself it is entered at once, without `recover`.
        """
        if self._holds_lock:
            yield
            return
        with writer_lock(self.folder, wait_seconds, waiting):
            self._holds_lock = True
            try:
                for hook in recover:
                    hook(self)
                yield
            finally:
                self._holds_lock = False

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is written within is committed together, or not at all; one within another is part of it.

        After the commit `ledger.head` follows. Raises UnspunError where that file says that the ledger was cut or rewritten.
        """
        if self._only_reads:
            raise RuntimeError("nothing is written within `with catalog.reading()`")
        if self.connection.in_transaction:
            yield
            return
        with translating(self.path):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                catalog_head.refuse_behind(self.folder, self.connection)
                before = store.head(self.connection)
                yield
                after = store.head(self.connection)
                self.connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
        if after != before:
            self.record_head()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Queries within see one state of the catalogue, whatever is published meanwhile."""
        if self.connection.in_transaction:
            yield self.connection
            return
        with translating(self.path):
            self.connection.execute("BEGIN")
            self._only_reads = True
            try:
                yield self.connection
            finally:
                self._only_reads = False
                self._roll_back()

    def _read(self, ask: Callable[[sqlite3.Connection], Answer]) -> Answer:
        with self.reading() as connection, decoding(self.path):
            return ask(connection)

    def _roll_back(self) -> None:
        # A full disk and the like have ended the transaction already; a second error would hide the first.
        if self.connection.in_transaction:
            with suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")

    def record_head(self) -> None:
        """Write `ledger.head`, one process at a time so that it never goes back.

        What was committed stays committed where this fails: the file is then behind, as after a crash, and the next entry mends it.
        """
        with suppress(OSError, sqlite3.OperationalError):
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                head = store.head(self.connection)
                if head is not None:
                    catalog_head.write_head(self.folder, head)
            finally:
                self._roll_back()

    def _need_lock(self) -> None:
        if not self._holds_lock:
            raise RuntimeError("the catalogue is changed within `with catalog.writing(...)`")

    def checkpoint(self) -> bool:
        """Bring what was committed into the one file and empty the log beside it, so that erased text is in neither.

        False where readers still hold the log; it is emptied when the last of them closes.
        """
        with translating(self.path):
            return self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0

    # Versions

    def current(self) -> BookVersion | None:
        """The newest book version; None before the first load."""
        return self._read(catalog_files.read_newest)

    def version(self, number: int) -> BookVersion:
        """The book as it was published under that number, with what erasures took out since.

        Raises BadInput where there is no such version or its files are no longer kept.
        """
        return self._read(lambda connection: catalog_files.read_version(connection, number))

    def published_version(self, number: int) -> BookVersion:
        """The version as it was published, before any erasure: what its digest is over (its files may be gone)."""
        return self._read(lambda connection: catalog_files.read_version(connection, number, until=0))

    def versions(self) -> tuple[VersionLine, ...]:
        """Every book version ever published, oldest first."""
        return self._read(catalog_files.version_lines)

    def publish(
        self,
        kind: VersionKind,
        tables: Sequence[TableVersion],
        at: datetime,
        entries: Sequence[tuple[str, Mapping[str, object]]] = (),
        load: int | None = None,
        load_files: Sequence[LoadFile] = (),
        undone: int | None = None,
    ) -> BookVersion:
        """Publish the next book version: its files, its load's state and its ledger entry, together or not at all.

        `entries` are ledger entries (kind, body) of the same step. The version's own entry, of its `kind`, comes last: the body of
        that kind among `entries`, if any, with version, load, digests and row counts by table added. `load` becomes in force, with
        `load_files`; `undone` is the load that this version takes back.
        """
        self._need_lock()
        with self.transaction():
            number = (self.connection.execute("SELECT max(version) FROM versions").fetchone()[0] or 0) + 1
            own: dict[str, object] = {"version": number, "load": load, "undone": undone, **catalog_files.manifest(tables)}
            for other, body in entries:
                if other == kind:
                    own = {**body, **own}
                else:
                    store.append(self.connection, other, body, at)
            entry = store.append(self.connection, kind, own, at)
            row = (number, kind, written_instant(at), load, own["digest"], entry.seq, entry.hash)
            self.connection.execute("INSERT INTO versions VALUES (?, ?, ?, ?, ?, ?, ?, 1)", row)
            catalog_files.write_version(self.connection, number, tables)
            catalog_loads.settle(self.connection, number, load, load_files, undone)
            return self.version(number)

    def files_in_use(self, versions: Collection[int] | None = None) -> frozenset[str]:
        """Paths of the data files of these versions; without versions, of every file that some kept version needs."""
        return self._read(lambda connection: catalog_files.paths_in_use(connection, versions))

    def drop_versions(self, versions: Collection[int]) -> frozenset[str]:
        """No longer keep these versions; return the paths that no kept version needs, which may now be deleted.

        Raises UnspunError for the newest version and those that publications cite.
        """
        self._need_lock()
        with self.transaction():
            return catalog_files.drop_files(self.connection, versions)

    def replace_files(
        self,
        replaced: Mapping[str, DataFile | None],
        entry: tuple[str, Mapping[str, object]],
        at: datetime,
        documents: Collection[int] = (),
    ) -> Entry:
        """Record an erasure: for each file (by its present path) the one that takes its place in every version, or None.

        `entry` is kind and body of its ledger entry, to which a digest of each replacement is added. `documents` are the ledger
        entries of publications, checks and notes whose documents are erased with it. ValueError for a path that is no file's.
        """
        self._need_lock()
        kind, body = entry
        with self.transaction():
            stated = {"replaced": sorted(catalog_files.rewrite_digest(*pair) for pair in replaced.items()), "documents": sorted(documents)}
            written = store.append(self.connection, kind, {**body, **stated}, at)
            catalog_files.write_rewrites(self.connection, replaced, written.seq)
            catalog_publications.erase(self.connection, documents, written.seq)
            catalog_checks.erase(self.connection, documents)
            catalog_notes.erase(self.connection, documents)
            return written

    # Loads and their source files

    def source_file(self, sha256: str, name: str, size_bytes: int, format: str) -> int:
        """The number of the source file with these bytes; a new one where they were never seen."""
        with self.transaction():
            return catalog_loads.source_file(self.connection, sha256, name, size_bytes, format)

    def source_files(self) -> tuple[SourceFile, ...]:
        """Every source file ever seen, by number."""
        return self._read(catalog_loads.source_files)

    def source_number(self, sha256: str) -> int | None:
        """The number of the source file with these bytes; None where it was never seen."""
        return self._read(lambda connection: catalog_loads.source_number(connection, sha256))

    def begin_load(self, at: datetime, fingerprint: str, body: Mapping[str, object]) -> int:
        """The number of the load of this fingerprint that was begun and not finished (to be resumed), else a new load's."""
        with self.transaction():
            return catalog_loads.begin(self.connection, at, fingerprint, body)

    def abandon_load(self, load: int) -> None:
        """Say that a load that was begun will not be resumed."""
        with self.transaction():
            self.connection.execute("UPDATE loads SET state = 'abandoned' WHERE load = ? AND state = 'begun'", (load,))

    def loaded(self, sha256: str, mapping_sha256: str) -> int | None:
        """The load in force that took the file with these bytes under this mapping; None where none did."""
        return self._read(lambda connection: catalog_loads.loaded(connection, sha256, mapping_sha256))

    def load_lines(self) -> tuple[LoadLine, ...]:
        """Every load ever begun, oldest first."""
        return self._read(catalog_loads.lines)

    # The ledger: entries, definitions and publications

    def entries(self, first: int = 1, kind: str | None = None) -> tuple[Entry, ...]:
        """The ledger's entries from number `first` on (of that kind), oldest first."""
        return self._read(lambda connection: tuple(store.entries(connection, first, kind)))

    def entry(self, seq: int) -> Entry | None:
        """The ledger entry of that number; None where there is none."""
        return self._read(lambda connection: store.entry(connection, seq))

    def record_definition(self, name: str, text: str, at: datetime) -> Entry | None:
        """Write a `definition` entry with the text where it differs from the last one recorded under that name; else None."""
        with self.transaction():
            return catalog_publications.define(self.connection, name, text, at)

    def definitions(self, name: str | None = None) -> tuple[Definition, ...]:
        """The definitions recorded (under that name), oldest first."""
        return self._read(lambda connection: catalog_publications.definitions(connection, name))

    def add_publication(self, body: Mapping[str, object], document: str, at: datetime) -> Entry:
        """Record a published result: a `publication` entry with `body` and the document's sha256; the document lies beside it.

        `body["book_version"]` is the version it cites, which is kept from now on (ValueError where it names none, BadInput where
        there is none any more).
        """
        with self.transaction():
            return catalog_publications.add(self.connection, body, document, at)

    def publication(self, seq: int) -> Publication:
        """The publication with that ledger entry. Raises BadInput where the entry is none."""
        return self._read(lambda connection: catalog_publications.read(connection, seq))

    def published(self, document: str) -> Publication | None:
        """The newest publication of exactly this document; None where it was never published."""
        return self._read(lambda connection: catalog_publications.find(connection, document))

    def publications(self) -> tuple[Publication, ...]:
        """Every publication, oldest first."""
        return self._read(catalog_publications.read_all)

    def cited_versions(self) -> frozenset[int]:
        """The book versions that publications cite; they are kept."""
        return self._read(catalog_publications.cited)

    # Checks of the book, and what people said of their findings

    def record_check(self, version: int, body: Mapping[str, object], document: str, at: datetime) -> Entry:
        """Record a run of the quality gate: a `check` entry; that of the newest run where it said exactly the same of the same version."""
        with self.transaction():
            return catalog_checks.add(self.connection, version, body, document, at)

    def latest_check(self) -> CheckRecord | None:
        """The newest check of the whole book as it stood; None where there is none."""
        return self._read(catalog_checks.latest)

    def check_documents(self) -> dict[int, str]:
        """What every recorded check found, by its ledger entry; those that an erasure took out are left out."""
        return self._read(catalog_checks.documents)

    # What people wrote of accounts

    def add_note(self, kind: str, account: str, body: Mapping[str, object], document: str, at: datetime) -> Entry:
        """Record what somebody wrote of an account: an entry with `body` and the document's sha256; the document lies beside it."""
        with self.transaction():
            return catalog_notes.add(self.connection, kind, account, body, document, at)

    def notes(self, kind: str, account: str | None = None) -> tuple[NoteRecord, ...]:
        """What was written of an account (None: of all) and not erased, oldest first."""
        return self._read(lambda connection: catalog_notes.read(connection, kind, account))

    def note(self, seq: int) -> NoteRecord:
        """What was written under that ledger entry, "" where it was erased. Raises BadInput where there is nothing."""
        return self._read(lambda connection: catalog_notes.one(connection, seq))

    def note_documents(self) -> dict[int, tuple[str, str]]:
        """Account and document of all that was written and not erased, by ledger entry."""
        return self._read(catalog_notes.documents)

    def append_entry(self, kind: str, body: Mapping[str, object], at: datetime) -> Entry:
        """Record something that concerns no version: an entry of its own kind."""
        with self.transaction():
            return store.append(self.connection, kind, body, at)
