"""The engine that computes a panel: the book's own DuckDB, or a database that a URL names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from unspun.app.databases import address_of
from unspun.app.workspace import Workspace
from unspun.book.mapping.definition import BookDefinition, Database
from unspun.book.sql_words import sql_name
from unspun.connectors.sql.address import SCHEMES, read_address
from unspun.connectors.sql.postgres import Limits
from unspun.connectors.sql.postgres_tables import TablesSession, open_tables
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PanelDatabase
from unspun.engines.postgres_panel import PostgresPanel
from unspun.errors import BadInput, Fault
from unspun.warehouse.read import BookReader

EMBEDDED = "duckdb"
"""The engine of a request that names none."""
WHERE = "--engine"
FORMS = "Write duckdb, postgresql://host/database, or the name of a Postgres database of book.yml."


class PanelEngine(Protocol):
    """An engine that answers, before a book is open for it."""

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
    database = _postgres(workspace, workspace.definition(), name)
    address = address_of(workspace, database)
    with open_tables(address, database.name, Limits(statement_seconds=database.statement_seconds)) as session:
        session.use_memory(megabytes(memory))
        yield PostgresEngine(session)


def _postgres(workspace: Workspace, definition: BookDefinition, name: str) -> Database:
    """The database that a name or a URL means. Raises BadInput: none, or a password in it."""
    known = next((one for one in definition.databases if name in (one.name, one.url)), None)
    if known is None and SCHEMES.get(name.partition(":")[0].casefold()) != "postgresql":
        raise BadInput(Fault("unknown_engine", "there is no such engine of panels.", WHERE, FORMS))
    database = known or Database(WHERE, url=name)
    if database.url:
        address = read_address(database.url, WHERE, workspace.folder, may_hold_password=False)
        if address.system != "postgresql":
            raise BadInput(Fault("unknown_engine", f"{name} is no Postgres database.", WHERE, FORMS))
    return database


def megabytes(memory: str) -> int:
    """An amount of memory, as "2GB" or "1500MB", in megabytes."""
    return int(memory[:-2]) * (1000 if memory.endswith("GB") else 1)


@dataclass(frozen=True, slots=True)
class EmbeddedEngine:
    """DuckDB, in which the book is open anyway."""

    def database(self, reader: BookReader) -> PanelDatabase:
        return DuckDBPanel(reader)


@dataclass(frozen=True, slots=True)
class PostgresEngine:
    """A session on a Postgres."""

    session: TablesSession

    def database(self, reader: BookReader) -> PanelDatabase:
        return PostgresPanel(self.session, WarehouseRows(reader))


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
