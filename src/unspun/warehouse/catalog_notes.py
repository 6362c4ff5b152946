"""What people wrote of accounts. The ledger entry holds the hash of what was written, the text lies apart and can be erased.

Every function works within the caller's transaction. What is written holds a random salt, so that a hash tells nothing of a text that was
erased, however short it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from unspun.errors import BadInput, Fault
from unspun.ledger import store
from unspun.ledger.chain import Entry
from unspun.warehouse.catalog_publications import document_sha256

NOTE, STATED = "note", "stated_forecast"
KINDS = (NOTE, STATED)
ERASED = ""
"""The document, and the account, of a note that an erasure took out."""


@dataclass(frozen=True, slots=True)
class NoteRecord:
    """What somebody wrote: its ledger entry, the account it is of, and the document (JSON); both "" where it was erased."""

    entry: Entry
    account: str
    document: str


def add(connection: sqlite3.Connection, kind: str, account: str, body: Mapping[str, object], document: str, at: datetime) -> Entry:
    """Append the entry and store the document. ValueError for a kind that is none of KINDS."""
    if kind not in KINDS:
        raise ValueError(f"nobody writes entries of kind {kind!r}")
    entry = store.append(connection, kind, {**body, "document_sha256": document_sha256(document)}, at)
    connection.execute("INSERT INTO notes (entry, kind, account_id, document) VALUES (?, ?, ?, ?)", (entry.seq, kind, account, document))
    return entry


def read(connection: sqlite3.Connection, kind: str, account: str | None) -> tuple[NoteRecord, ...]:
    """What was written of an account (None: of all) and not erased, oldest first."""
    where, values = ("", (kind, ERASED)) if account is None else (" AND account_id = ?", (kind, ERASED, account))
    query = f"SELECT entry, account_id, document FROM notes WHERE kind = ? AND document <> ?{where} ORDER BY entry"
    rows = connection.execute(query, values).fetchall()
    return tuple(NoteRecord(_entry(connection, seq), owner, said) for seq, owner, said in rows)


def one(connection: sqlite3.Connection, seq: int) -> NoteRecord:
    """What was written under that ledger entry. Raises BadInput where there is nothing."""
    row = connection.execute("SELECT account_id, document FROM notes WHERE entry = ?", (seq,)).fetchone()
    if row is None:
        raise BadInput(Fault("no_note", f"ledger entry {seq} is nothing that somebody wrote of an account."))
    return NoteRecord(_entry(connection, seq), *row)


def _entry(connection: sqlite3.Connection, seq: int) -> Entry:
    entry = store.entry(connection, seq)
    if entry is None:
        raise BadInput(Fault("ledger_broken", f"ledger entry {seq} is missing.", hint="Run `unspun ledger verify`."))
    return entry


def documents(connection: sqlite3.Connection) -> dict[int, tuple[str, str]]:
    """Account and document of everything that is still kept, by ledger entry."""
    rows = connection.execute("SELECT entry, account_id, document FROM notes WHERE document <> ?", (ERASED,))
    return {seq: (account, document) for seq, account, document in rows}


def erase(connection: sqlite3.Connection, entries: Collection[int]) -> None:
    """Take out what was written under these entries; the ledger entries stay."""
    query = "UPDATE notes SET document = ?, account_id = ? WHERE entry = ?"
    connection.executemany(query, [(ERASED, ERASED, seq) for seq in entries])


def changed(connection: sqlite3.Connection) -> tuple[int, ...]:
    """The entries whose document is not the one that was recorded, or is gone although no erasure took it out."""
    held = dict(connection.execute("SELECT entry, document FROM notes").fetchall())
    recorded = {entry.seq: entry.body.get("document_sha256") for kind in KINDS for entry in store.entries(connection, kind=kind)}
    stated = (entry.body.get("documents") for entry in store.entries(connection, kind="erasure"))
    erased = {seq for some in stated if isinstance(some, list) for seq in some}
    gone = {seq for seq, document in held.items() if document == ERASED and seq in erased}
    wrong = [seq for seq in {*held, *recorded} - gone if seq not in held or recorded.get(seq) != document_sha256(held[seq])]
    return tuple(sorted(wrong))
