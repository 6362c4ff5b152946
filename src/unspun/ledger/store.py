"""The ledger in SQLite: entries are appended within the caller's transaction; triggers refuse to change or delete one.

The hashed texts themselves are stored, so that what is verified is what lies in the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from datetime import datetime

from unspun.ledger.chain import Entry, StoredEntry, canonical, make_entry, read_entry, written_instant

LAST = 2**63 - 1  # the greatest number that SQLite holds
COLUMNS = ("seq", "at", "kind", "body", "previous", "hash")
SCHEMA = """
CREATE TABLE ledger (
  seq INTEGER PRIMARY KEY, at TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, previous TEXT NOT NULL, hash TEXT NOT NULL
) STRICT;
CREATE INDEX ledger_kind ON ledger (kind);
CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_no_replace BEFORE INSERT ON ledger WHEN EXISTS (SELECT 1 FROM ledger WHERE seq = NEW.seq)
  BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;
"""
RAW = ", ".join(f"typeof({column}), CAST({column} AS BLOB)" for column in COLUMNS)


def create(connection: sqlite3.Connection) -> None:
    """The empty ledger table with its triggers, within the caller's transaction."""
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            connection.execute(statement)


def append(connection: sqlite3.Connection, kind: str, body: Mapping[str, object], at: datetime) -> Entry:
    """Write the next entry and return it. The caller holds a transaction open (ValueError where none is) and commits it."""
    if not connection.in_transaction:
        raise ValueError("a ledger entry is appended within a transaction")
    entry = make_entry(head(connection), kind, body, at)
    row = (entry.seq, written_instant(entry.at), entry.kind, canonical(entry.body), entry.previous, entry.hash)
    connection.execute("INSERT INTO ledger (seq, at, kind, body, previous, hash) VALUES (?, ?, ?, ?, ?, ?)", row)
    return entry


def entries(connection: sqlite3.Connection, first: int = 1, kind: str | None = None) -> Iterator[Entry]:
    """The entries from number `first` on, oldest first. Raises UnspunError at one that is damaged."""
    start = min(first, LAST)
    where, values = ("", (start,)) if kind is None else (" AND kind = ?", (start, kind))
    for row in connection.execute(f"SELECT {RAW} FROM ledger WHERE seq >= ?{where} ORDER BY seq", values):
        yield read_entry(_stored(row))


def entry(connection: sqlite3.Connection, seq: int) -> Entry | None:
    """The entry of that number; None where there is none."""
    row = connection.execute(f"SELECT {RAW} FROM ledger WHERE seq = ?", (seq,)).fetchone()
    return None if row is None else read_entry(_stored(row))


def head(connection: sqlite3.Connection) -> Entry | None:
    """The newest entry; None in an empty ledger."""
    row = connection.execute(f"SELECT {RAW} FROM ledger ORDER BY seq DESC LIMIT 1").fetchone()
    return None if row is None else read_entry(_stored(row))


def stored(connection: sqlite3.Connection) -> list[StoredEntry]:
    """Every row as it lies in the table, for check_chain: nothing in it can make this fail."""
    return [_stored(row) for row in connection.execute(f"SELECT {RAW} FROM ledger ORDER BY rowid")]


def _stored(row: tuple[object, ...]) -> StoredEntry:
    return StoredEntry(*(_value(str(row[at]), row[at + 1]) for at in range(0, len(row), 2)))


def _value(kind: str, raw: object) -> object:
    """SQLite's value: text that is no UTF-8 stays bytes, which no entry holds."""
    if not isinstance(raw, bytes) or kind == "blob":
        return raw
    if kind == "integer":
        return int(raw)
    try:
        return raw.decode() if kind == "text" else raw
    except UnicodeDecodeError:
        return raw


def newest(connection: sqlite3.Connection, most: int, before: int | None = None, kind: str | None = None) -> list[Entry]:
    """The `most` newest entries before number `before` (None: the end), newest first. Raises UnspunError at one that is damaged."""
    first = min(before if before is not None else LAST, LAST)
    where, values = ("", (first,)) if kind is None else (" AND kind = ?", (first, kind))
    found = connection.execute(f"SELECT {RAW} FROM ledger WHERE seq < ?{where} ORDER BY seq DESC LIMIT {most:d}", values)
    return [read_entry(_stored(row)) for row in found]


def counts(connection: sqlite3.Connection) -> dict[str, int]:
    """How many entries of each kind there are, by kind."""
    return dict(connection.execute("SELECT kind, count(*) FROM ledger GROUP BY kind ORDER BY kind").fetchall())
