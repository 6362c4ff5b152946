"""A version of the book with the tables that stay in their databases: read in one snapshot, typed as loaded rows are, never kept.

All that opens the book for an answer goes through here. Rows read in place are in a warehouse of their own that lives as long as the
answer takes; beside the loaded tables they appear under load 0.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from unspun.app.databases import extracts_folder, session_of
from unspun.app.workspace import Workspace
from unspun.book.mapping.book_file import mapping_sha256
from unspun.book.mapping.definition import BookDefinition, Database, SourceMapping
from unspun.book.text import call
from unspun.connectors.sql.extract import extract
from unspun.connectors.sql.session import Session
from unspun.errors import BadInput, Fault
from unspun.metrics.question import HeldTable
from unspun.progress import Progress, silent
from unspun.warehouse.catalog import Catalog, create_warehouse
from unspun.warehouse.load import LoadResult, PlannedFile, load_files
from unspun.warehouse.versions import BookVersion, DataFile, TableVersion

BATCH_ROWS = 1 << 17


@dataclass(frozen=True, slots=True)
class InPlaceRows:
    """Rows of one source as they were read in place. `sha256` is over them as they stood in the database.

    `source_file` is what the rows hold under that name: below 0, as they are of no file that was loaded.
    """

    table: str
    name: str
    database: str
    sha256: str
    mapping_sha256: str
    read_at: datetime
    rows: int
    source_file: int = 0
    rejected: tuple[tuple[str, str, int], ...] = ()

    @property
    def rows_rejected(self) -> int:
        return sum(rows for _, _, rows in self.rejected)

    @property
    def in_words(self) -> list[str]:
        """How many rows there are, and why some cannot be used."""
        lines = [f"in place, from {self.name}: {self.rows:,} rows of {self.table} read now, {self.rows_rejected:,} rejected"]
        return lines + [f"in place, from {self.name}: {rows:,} rejected: {reason}" for _, reason, rows in self.rejected]

    @property
    def record(self) -> dict[str, Any]:
        """What a published result says of them."""
        return {
            "table": self.table,
            "source": self.name,
            "sha256": self.sha256,
            "mapping_sha256": self.mapping_sha256,
            "read_at": self.read_at.isoformat(),
            "rows": self.rows,
            "rejected": self.rows_rejected,
        }


def in_place_remarks(records: Sequence[Mapping[str, Any]]) -> list[str]:
    """What a reader of figures must know of rows that stay in a database."""
    return [_remark(record) for record in records]


def _remark(record: Mapping[str, Any]) -> str:
    refused = f", {record['rejected']:,} rejected" if record["rejected"] else ""
    read = f"{record['source']}, read at {record['read_at'][:19]} UTC{refused}"
    what = f"the {record['rows']:,} rows of {record['table']} stay in their database ({read})"
    return f"{what}: once they change, these figures cannot be computed again"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What an engine reads where it lies, in a session of its own on a database of the book. `unread` are tables that need not be read for
    it beside that; `rows` tell of them. `held` and `spans` are what panels ask of all tables that it reads: what they hold, and when the
    first and the last of their rows happened."""

    unread: frozenset[str] = frozenset()
    database: str = ""
    session: Session | None = None
    rows: tuple[InPlaceRows, ...] = ()
    held: Mapping[str, HeldTable] = field(default_factory=dict[str, HeldTable])
    spans: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict[str, "tuple[datetime, datetime]"])


@dataclass(frozen=True, slots=True)
class WholeBook:
    """A version of the book with what was read in place beside its loaded tables."""

    version: BookVersion
    in_place: tuple[InPlaceRows, ...] = ()
    elsewhere: Elsewhere = field(default_factory=Elsewhere)

    @property
    def records(self) -> tuple[Mapping[str, Any], ...]:
        return tuple(one.record for one in self.in_place)


@contextmanager
def whole_book(
    workspace: Workspace,
    catalog: Catalog,
    version: BookVersion,
    read_at: datetime | None = None,
    progress: Progress = silent,
    elsewhere: Elsewhere | None = None,
) -> Iterator[WholeBook]:
    """A version of the book and the tables that stay in their databases, read now; `read_at` stands for that instant. Those that are read
    `elsewhere` are told of, and not read.

    Raises BadInput where a table has loaded rows too, or a source does not fit its mapping; UnspunError where a database is away.
    """
    definition = workspace.definition()
    sources = [source for source in definition.sources if source.in_place]
    elsewhere = elsewhere or Elsewhere()
    _refuse_mixed(version, sources)
    sources = [source for source in sources if source.table not in elsewhere.unread]
    if not sources:
        yield WholeBook(version, elsewhere.rows, elsewhere)
        return
    folder = extracts_folder(workspace.warehouse)
    try:
        reading = _Reading(workspace, definition, folder, read_at or datetime.now(UTC), progress, elsewhere)
        tables = reading.tables(catalog.folder, sources)
        yield WholeBook(_with_tables(version, tables), (*reading.found, *elsewhere.rows), elsewhere)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def seen_in_place(workspace: Workspace, catalog: Catalog, names: Sequence[str], at: datetime, progress: Progress) -> list[str]:
    """What a load says of sources whose rows stay in their database: how many there are now, and which cannot be used.

    A book that has no version yet gets one, without tables, so that figures made of such rows have a version to name. Call it as the
    one writer.
    """
    if not names:
        return []
    version = catalog.current()
    if version is None:
        catalog.record_definition("book.yml", workspace.book_text(), at)
        version = catalog.publish("load", (), at)
    with whole_book(workspace, catalog, version, at, progress) as whole:
        return [line for one in whole.in_place if one.name in names for line in one.in_words]


@contextmanager
def book_as_published(
    workspace: Workspace, catalog: Catalog, version: BookVersion, records: Sequence[Mapping[str, Any]]
) -> Iterator[BookVersion]:
    """The version with the rows in place that `records` tell of. Raises BadInput where they are not what they were then."""
    if not records:
        yield version
        return
    read_at = datetime.fromisoformat(records[0]["read_at"])
    with whole_book(workspace, catalog, version, read_at) as whole:
        now = {one.name: one for one in whole.in_place}
        if faults := [fault for record in records if (fault := _changed(record, now.get(record["source"]))) is not None]:
            raise BadInput(faults)
        yield whole.version


def _changed(record: Mapping[str, Any], now: InPlaceRows | None) -> Fault | None:
    """Why rows that stay in a database are not those of a published figure; None where they are."""
    source, database = record["source"], record["source"].partition(":")[0]
    if now is None or now.mapping_sha256 != record["mapping_sha256"]:
        message = f"not recomputable: book.yml maps {source} otherwise now than when its rows were read ({record['read_at']})."
    elif record["sha256"] and now.sha256 != record["sha256"]:  # rows that an engine read where they are have none
        message = f"not recomputable: the rows of {record['table']} stay in database {database} and have changed since {record['read_at']}."
    else:
        return None
    return Fault(
        "rows_changed", message, source, "What was published stays in the ledger. Load the table to keep what figures are made of."
    )


def _refuse_mixed(version: BookVersion, sources: Sequence[SourceMapping]) -> None:
    loaded = {table.name for table in version.tables if table.rows}
    mixed = sorted({source.table for source in sources} & loaded)
    if mixed:
        message = f"book.yml leaves {', '.join(mixed)} in a database, and book version {version.version} holds loaded rows of it."
        hint = "Take the loads of these rows back (unspun undo), or remove `in_place` and load the table."
        raise BadInput(Fault("mixed_sources", message, "book.yml", hint))


def _with_tables(version: BookVersion, tables: Sequence[TableVersion]) -> BookVersion:
    """The version with these tables; rejected rows stand beside those of loads."""
    there = {table.name: table for table in version.tables}
    for table in tables:
        held = there.get(table.name)
        there[table.name] = table if held is None or not held.files else replace(held, files=(*held.files, *table.files))
    return replace(version, tables=tuple(there.values()))


@dataclass(slots=True)
class _Reading:
    """The reading of all tables in place, for one answer."""

    workspace: Workspace
    definition: BookDefinition
    folder: Path
    read_at: datetime
    progress: Progress
    elsewhere: Elsewhere
    found: list[InPlaceRows] = field(default_factory=list[InPlaceRows])

    def tables(self, warehouse: Path, sources: Sequence[SourceMapping]) -> list[TableVersion]:
        """The tables, their files by paths relative to the book's warehouse."""
        files = list(self._files(sources))
        with create_warehouse(self.folder / "warehouse", self.read_at) as catalog, catalog.writing():
            result = self._loaded(catalog, [file for file in files if file is not None])
            current = catalog.current()
            for source, file in zip(sources, files, strict=True):
                self.found.append(self._told(catalog, source, file, result))
            return [] if current is None else [_moved(catalog, warehouse, table) for table in current.tables if table.files]

    def _files(self, sources: Sequence[SourceMapping]) -> Iterator[PlannedFile | None]:
        """Each source read into a file of ours, those of one database in one snapshot; None for one without rows."""
        databases = {one.name: one for one in self.definition.databases}
        read: dict[str, PlannedFile | None] = {}
        for name, of_it in groupby(sorted(sources, key=lambda source: source.database), key=lambda source: source.database):
            with self._session(databases[name]) as session:
                for source in of_it:
                    path = self.folder / f"{len(read)}.parquet"
                    self.progress(f"reading {source.files[0]}", len(read), len(sources))
                    rows = extract(session, source, None, path, source.files[0], lambda _done, _of: None).rows
                    read[source.files[0]] = PlannedFile(str(path), source, source.files[0]) if rows else None
        return (read[source.files[0]] for source in sources)

    def _session(self, database: Database) -> AbstractContextManager[Session]:
        """The session of the engine where it is one on this database: so all is read in one state of it."""
        if self.elsewhere.session is not None and database.name == self.elsewhere.database:
            return nullcontext(self.elsewhere.session)
        return session_of(self.workspace, database)

    def _loaded(self, catalog: Catalog, files: Sequence[PlannedFile]) -> LoadResult | None:
        if not files:
            return None
        settings = self.workspace.settings
        try:
            return load_files(catalog, files, self.definition, self.read_at, memory=settings.memory)
        except BadInput as refusal:
            faults = [_named(fault, files) for fault in refusal.faults]
        raise BadInput(faults)

    def _told(self, catalog: Catalog, source: SourceMapping, file: PlannedFile | None, result: LoadResult | None) -> InPlaceRows:
        mapping_hash = mapping_sha256(source, self.definition)
        if file is None or result is None:
            empty = hashlib.sha256(b"").hexdigest()
            return InPlaceRows(source.table, source.files[0], source.database, empty, mapping_hash, self.read_at, 0)
        outcome = next(one for one in result.sources if one.name == file.name)
        sha256, number = outcome.sha256, catalog.source_number(outcome.sha256) or 0
        what = (source.table, file.name, source.database, sha256, mapping_hash, self.read_at)
        return InPlaceRows(*what, outcome.rows_read, -number, outcome.rejected)


def _named(fault: Fault, files: Sequence[PlannedFile]) -> Fault:
    for file in files:
        if fault.where.startswith(file.path):
            return replace(fault, where=file.name + fault.where[len(file.path) :])
    return fault


def _moved(catalog: Catalog, warehouse: Path, table: TableVersion) -> TableVersion:
    """A table of the passing warehouse as one of the book's: of load 0."""
    return replace(table, files=tuple(_of_no_load(catalog.folder, warehouse, file) for file in table.files))


def _unnumbered(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Rows under load 0 and the negative numbers of their sources."""
    for name in ("load", "source_file"):
        place = batch.schema.get_field_index(name)
        if place >= 0:
            fresh = call("negate", batch.column(place)) if name == "source_file" else pa.repeat(pa.scalar(0, pa.int64()), batch.num_rows)
            batch = batch.set_column(place, batch.schema.field(place), fresh)
    return batch


def _of_no_load(folder: Path, warehouse: Path, file: DataFile) -> DataFile:
    path = folder / file.path
    fresh = path.with_suffix(".in-place.parquet")
    with closing(pq.ParquetFile(path)) as old, pq.ParquetWriter(fresh, old.schema_arrow) as writer:
        for batch in old.iter_batches(BATCH_ROWS):
            writer.write_batch(_unnumbered(batch))
    with fresh.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    where = fresh.relative_to(warehouse).as_posix()
    return replace(file, path=where, sha256=sha256, size_bytes=fresh.stat().st_size, loads=(0,))
