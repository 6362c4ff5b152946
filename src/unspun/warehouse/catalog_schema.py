"""The tables of the warehouse's catalogue, one SQLite file, and how a connection to it is opened.

A file of a table is in the versions from `added` up to, not including, `removed` of its spans: what a version adds or takes away
is all that it stores. An erasure leaves the row of the file as it was published and says in `rewrites` what took its place.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from unspun.errors import BadInput, Fault
from unspun.ledger import store
from unspun.warehouse.catalog_faults import translating

FORMAT = 3
APPLICATION_ID = 0x556E7370  # "Unsp"
BUSY_SECONDS = 30.0
SCHEMA = """
CREATE TABLE source_files (
  number INTEGER PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, name TEXT NOT NULL, size_bytes INTEGER NOT NULL, format TEXT NOT NULL
) STRICT;
CREATE TABLE versions (
  version INTEGER PRIMARY KEY, kind TEXT NOT NULL, published_at TEXT NOT NULL, load INTEGER, digest TEXT NOT NULL,
  entry INTEGER NOT NULL UNIQUE REFERENCES ledger (seq), entry_hash TEXT NOT NULL, kept INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE INDEX versions_kept ON versions (version) WHERE kept;
CREATE TABLE table_versions (
  version INTEGER NOT NULL REFERENCES versions (version), name TEXT NOT NULL, position INTEGER NOT NULL,
  delta_version INTEGER NOT NULL, rows INTEGER NOT NULL, layout TEXT NOT NULL, PRIMARY KEY (version, name)
) STRICT;
CREATE TABLE files (
  id INTEGER PRIMARY KEY, table_name TEXT NOT NULL, path TEXT NOT NULL UNIQUE, sha256 TEXT NOT NULL, size_bytes INTEGER NOT NULL,
  rows INTEGER NOT NULL, loads TEXT NOT NULL
) STRICT;
CREATE TABLE spans (
  file INTEGER NOT NULL REFERENCES files (id), added INTEGER NOT NULL REFERENCES versions (version),
  removed INTEGER REFERENCES versions (version), PRIMARY KEY (file, added)
) STRICT;
CREATE INDEX spans_removed ON spans (removed);
CREATE TABLE rewrites (
  file INTEGER NOT NULL REFERENCES files (id), entry INTEGER NOT NULL REFERENCES ledger (seq), path TEXT, sha256 TEXT,
  size_bytes INTEGER, rows INTEGER, loads TEXT, PRIMARY KEY (file, entry)
) STRICT;
CREATE INDEX rewrites_path ON rewrites (path);
CREATE TABLE loads (
  load INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL, begun_at TEXT NOT NULL, body TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('begun', 'in force', 'undone', 'abandoned')),
  version INTEGER REFERENCES versions (version), undone_in INTEGER REFERENCES versions (version)
) STRICT;
CREATE TABLE load_files (
  load INTEGER NOT NULL REFERENCES loads (load), position INTEGER NOT NULL, sha256 TEXT NOT NULL, mapping_sha256 TEXT NOT NULL,
  table_name TEXT NOT NULL, counts TEXT NOT NULL, PRIMARY KEY (load, position)
) STRICT;
CREATE INDEX load_files_source ON load_files (sha256, mapping_sha256);
CREATE TABLE publications (
  entry INTEGER PRIMARY KEY REFERENCES ledger (seq), version INTEGER NOT NULL REFERENCES versions (version),
  sha256 TEXT NOT NULL, document TEXT, erased_by INTEGER REFERENCES ledger (seq)
) STRICT;
CREATE INDEX publications_sha256 ON publications (sha256);
"""
SINCE_FORMAT_2 = """
CREATE TABLE IF NOT EXISTS checks (
  entry INTEGER PRIMARY KEY REFERENCES ledger (seq), version INTEGER, document TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS profiles (
  load INTEGER NOT NULL REFERENCES loads (load), position INTEGER NOT NULL, source TEXT NOT NULL, document TEXT NOT NULL,
  PRIMARY KEY (load, position)
) STRICT;
CREATE INDEX IF NOT EXISTS profiles_source ON profiles (source, load);
"""
"""What a catalogue of format 1 lacks: runs of checks, and what the columns of each loaded file held."""
SINCE_FORMAT_3 = """
CREATE TABLE IF NOT EXISTS notes (
  entry INTEGER PRIMARY KEY REFERENCES ledger (seq), kind TEXT NOT NULL, account_id TEXT NOT NULL, document TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS notes_account ON notes (account_id, kind, entry);
"""
"""What one of format 2 lacks: what people wrote of accounts. An Unspun that knows format 2 alone would not erase it."""


def connect(path: Path, *, create: bool = False) -> sqlite3.Connection:
    """A connection in autocommit to the catalogue file, set so that what is committed outlasts a power cut and deleted text is gone.

    Raises UnspunError where the file cannot be opened, written beside, or is no SQLite database.
    """
    with translating(path):
        uri = f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        try:
            _configure(connection)
        except BaseException:
            connection.close()
            raise
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    for setting in ("busy_timeout = 30000", "journal_mode = WAL", "synchronous = FULL", "secure_delete = ON", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}").fetchall()
    connection.execute("PRAGMA trusted_schema = OFF")


def create_tables(connection: sqlite3.Connection) -> None:
    """All tables and the format's number, within the caller's transaction."""
    store.create(connection)
    _execute(connection, SCHEMA + SINCE_FORMAT_2 + SINCE_FORMAT_3)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def _execute(connection: sqlite3.Connection, statements: str) -> None:
    """One by one: executescript would end the caller's transaction."""
    for statement in statements.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring a catalogue of an earlier format to this one, in one transaction; one that has it is left alone.

    Nothing that is there changes, so that processes that read or write it meanwhile go on undisturbed; of two that migrate, the
    second waits and finds it done. Raises UnspunError where the file cannot be written.
    """
    with translating(path):
        if _format(connection) >= FORMAT:
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            _execute(connection, SINCE_FORMAT_2 + SINCE_FORMAT_3)
            connection.execute(f"PRAGMA user_version = {max(FORMAT, _format(connection))}")
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _format(connection: sqlite3.Connection) -> int:
    return connection.execute("PRAGMA user_version").fetchone()[0]


def check_format(connection: sqlite3.Connection, path: Path) -> None:
    """Raises BadInput where the file is no catalogue or of a format that this Unspun does not know."""
    with translating(path):
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        number = _format(connection)
    if application != APPLICATION_ID:
        raise BadInput(Fault("no_catalog", "this is not the catalogue of an Unspun warehouse.", str(path), "Restore it from a backup."))
    if number > FORMAT:
        message = f"the warehouse has format {number}; this Unspun knows formats up to {FORMAT}."
        raise BadInput(Fault("newer_format", message, str(path), "Use the Unspun that wrote it, or a newer one."))
