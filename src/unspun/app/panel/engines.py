"""The engine that computes a panel: the book's own DuckDB, or a database that a URL names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from unspun.app.databases import address_of
from unspun.app.opening import Elsewhere, InPlaceRows
from unspun.app.panel.request import LIFE_TABLES, tables_read
from unspun.app.workspace import Workspace
from unspun.book.mapping.book_file import mapping_sha256
from unspun.book.mapping.definition import BookDefinition, Database, SourceMapping
from unspun.book.sql_words import sql_name
from unspun.connectors.sql.address import SCHEMES, is_url, read_address
from unspun.connectors.sql.placed_rows import PlacedTable, place_table
from unspun.connectors.sql.postgres import Limits
from unspun.connectors.sql.postgres_tables import TablesSession, open_tables
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PanelDatabase
from unspun.engines.postgres_panel import KIND, PostgresPanel
from unspun.engines.spark_panel import KIND as SPARK
from unspun.engines.spark_panel import SparkPanel, refuse_zone
from unspun.engines.spark_session import is_spark, scratch_folder, settings_of, spark_session
from unspun.errors import BadInput, Fault
from unspun.metrics.lower.units import NAMES_ACCOUNTS
from unspun.metrics.metric import MetricSet
from unspun.metrics.question import HeldTable
from unspun.warehouse.read import SPILLED, BookReader

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

EMBEDDED = "duckdb"
"""The engine of a request that names none."""
WHERE = "--engine"
BASIS_TABLES = {"subscriptions", "renewals"}
"""Terms and renewals are read besides: ARR and the days on which renewals are due are made of them."""
FORMS = "Write duckdb, postgresql://host/database, the name of a Postgres database of book.yml, spark:local[2], or spark://host:port."


class PanelEngine(Protocol):
    """An engine that answers, before a book is open for it."""

    def place(self, metrics: MetricSet, asked: tuple[str, ...], at: datetime) -> Elsewhere:
        """What it reads of the book where it lies, for some metrics, as of an instant. Raises BadInput with what it cannot."""
        ...

    def database(self, reader: BookReader) -> PanelDatabase:
        """What computes panels of an open book."""
        ...


@contextmanager
def answering_engine(workspace: Workspace, wanted: str | None, memory: str) -> Iterator[PanelEngine]:
    """The engine that a request wants (None: the workspace's, else EMBEDDED); it may use `memory`, as "2GB".

    Raises BadInput where no engine is of that name, UnspunError where it cannot be reached.
    """
    name = wanted or workspace.settings.engine or EMBEDDED
    if name == EMBEDDED:
        yield EmbeddedEngine()
        return
    if is_spark(name):
        scratch = scratch_folder(workspace.warehouse / SPILLED)
        with spark_session(name, megabytes(memory), scratch) as session:
            yield SparkEngine(session, scratch, megabytes(memory), workspace.definition().time_zone)
        return
    definition = workspace.definition()
    database = _postgres(workspace, definition, name)
    address = address_of(workspace, database)
    with open_tables(address, database.name, Limits(statement_seconds=database.statement_seconds)) as session:
        session.use_memory(megabytes(memory))
        yield PostgresEngine(session, database.name, definition)


def _postgres(workspace: Workspace, definition: BookDefinition, name: str) -> Database:
    """The database that a name or a URL means. Raises BadInput: none, or a password in it."""
    known = next((one for one in definition.databases if name in (one.name, one.url)), None)
    if known is None and (not is_url(name) or SCHEMES[name.partition(":")[0].casefold()] != "postgresql"):
        raise BadInput(Fault("unknown_engine", "there is no such engine of panels.", WHERE, FORMS))
    database = known or Database(WHERE, url=name)
    if database.url:
        address = read_address(database.url, WHERE, workspace.folder, may_hold_password=False)
        if address.system != "postgresql":
            raise BadInput(Fault("unknown_engine", f"{name} is no Postgres database.", WHERE, FORMS))
    return database


def engine_kind(name: str) -> str:
    """Of which kind an engine is, as provenance states it, by its name or URL."""
    return SPARK if is_spark(name) else EMBEDDED if name == EMBEDDED else KIND


def megabytes(memory: str) -> int:
    """An amount of memory, as "2GB" or "1500MB", in megabytes."""
    return int(memory[:-2]) * (1000 if memory.endswith("GB") else 1)


@dataclass(frozen=True, slots=True)
class EmbeddedEngine:
    """DuckDB, in which the book is open anyway."""

    def place(self, metrics: MetricSet, asked: tuple[str, ...], at: datetime) -> Elsewhere:
        return Elsewhere()

    def database(self, reader: BookReader) -> PanelDatabase:
        return DuckDBPanel(reader)


@dataclass(frozen=True, slots=True)
class SparkEngine:
    """A session on Spark, which reads the files of the book by their paths, with a folder for its own."""

    session: SparkSession
    scratch: Path
    megabytes: int
    time_zone: str

    def place(self, metrics: MetricSet, asked: tuple[str, ...], at: datetime) -> Elsewhere:
        refuse_zone(self.session, self.time_zone)
        return Elsewhere()

    def database(self, reader: BookReader) -> PanelDatabase:
        for name, value in settings_of(max((table.rows for table in reader.version.tables), default=0)).items():
            self.session.conf.set(name, value)
        return SparkPanel(self.session, self.scratch, self.megabytes, dict(reader.views))


@dataclass(slots=True)
class PostgresEngine:
    """A session on a Postgres, which goes by `name` in book.yml or is no database of the book."""

    session: TablesSession
    name: str
    definition: BookDefinition
    placed: dict[str, PlacedTable] = field(default_factory=dict[str, PlacedTable])

    def place(self, metrics: MetricSet, asked: tuple[str, ...], at: datetime) -> Elsewhere:
        """The tables mapped in place of this database that the metrics read, surveyed there."""
        sources = [one for one in self.definition.sources if one.in_place and one.database == self.name]
        needed = {*tables_read(metrics, asked), *LIFE_TABLES, *(NAMES_ACCOUNTS if asked else ())}
        faults: list[Fault] = []
        for source in (one for one in sources if one.table in needed):
            try:
                self._place(source, at)
            except BadInput as refusal:
                faults += [_of_metrics(fault, metrics, asked, source.table) for fault in refusal.faults]
        if faults:
            raise BadInput(faults)
        unread = {one.table for one in sources} - BASIS_TABLES
        held = {name: _held(one) for name, one in self.placed.items() if one.rows}
        spans = {name: (one.first, one.last) for name, one in self.placed.items() if one.first is not None and one.last is not None}
        rows = tuple(self._told(one, at) for name, one in self.placed.items() if name in unread)
        return Elsewhere(frozenset(unread), self.name, self.session, rows, held, spans)

    def _place(self, source: SourceMapping, at: datetime) -> None:
        others = [one for one in self.definition.sources if one.table == source.table and one is not source]
        if others:
            message = f"{source.table} cannot be read where it is: it has several sources."
            raise BadInput(Fault("not_in_place", message, source.files[0], "Give them as one source, by a `query`, or load the table."))
        self.placed[source.table] = place_table(self.session, source, self.definition, at)

    def _told(self, one: PlacedTable, at: datetime) -> InPlaceRows:
        mapping = one.mapping
        refused = one.rows_read - one.rows
        why = (("not_usable", "rows that cannot be used", refused),) if refused else ()
        return InPlaceRows(
            mapping.table, mapping.files[0], self.name, "", mapping_sha256(mapping, self.definition), at, one.rows_read, -1, why
        )

    def database(self, reader: BookReader) -> PanelDatabase:
        views = {f"{name}_versions": one.versions for name, one in self.placed.items()}
        return PostgresPanel(self.session, WarehouseRows(reader), views)


def _held(one: PlacedTable) -> HeldTable:
    return HeldTable(one.columns, one.mapping.row_key, False, one.rows, one.mapping.fixed)


def _of_metrics(fault: Fault, metrics: MetricSet, asked: tuple[str, ...], table: str) -> Fault:
    """A fault of a table with the metrics that need it."""
    readers = [id for id in asked if table in tables_read(metrics, (id,))]
    who = "every metric" if table in LIFE_TABLES or not readers else ", ".join(readers)
    return replace(fault, message=f"{fault.message[:-1]} (needed by {who}).")


@dataclass(frozen=True, slots=True)
class WarehouseRows:
    """The row versions of an open book, read from its files as they are asked for."""

    reader: BookReader

    def batches(self, table: str, columns: tuple[str, ...], /) -> pa.RecordBatchReader:
        """The rows of a table with those of the columns that it has."""
        schema = self.reader.query(f"SELECT * FROM {sql_name(table)} LIMIT 0").schema
        names = [name for name in schema.names if name in columns] or [schema.names[0]]
        sql = f"SELECT {', '.join(map(sql_name, names))} FROM {sql_name(table)}"
        return pa.RecordBatchReader.from_batches(pa.schema([schema.field(name) for name in names]), self.reader.stream(sql))
