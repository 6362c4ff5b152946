"""Runs of the quality gate. The ledger entry holds the document's hash and its counts; the document lies apart. Neither holds a row.

Every function works within the caller's transaction. A check does not keep its book version, as a published figure does.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from unspun.ledger import store
from unspun.ledger.chain import Entry
from unspun.warehouse.catalog_publications import document_sha256

KIND = "check"
ERASED = ""
"""The document of a check that an erasure took out."""


@dataclass(frozen=True, slots=True)
class CheckRecord:
    """A recorded check: its ledger entry, the book version it looked at, and what it found, as JSON."""

    entry: Entry
    version: int
    document: str


def add(connection: sqlite3.Connection, version: int, body: Mapping[str, object], document: str, at: datetime) -> Entry:
    """Append the `check` entry and store the document; where the newest check said the same of the same version, give that one's entry."""
    before = _newest(connection, "TRUE")
    if before is not None and (before.version, before.document, before.entry.body.get("whole")) == (version, document, body.get("whole")):
        return before.entry  # of another `whole` it is not: a check of a version by its number is none of the book as it stands
    entry = store.append(connection, KIND, {**body, "book_version": version, "document_sha256": document_sha256(document)}, at)
    connection.execute("INSERT INTO checks (entry, version, document) VALUES (?, ?, ?)", (entry.seq, version, document))
    return entry


def latest(connection: sqlite3.Connection) -> CheckRecord | None:
    """The newest check of a whole book as it then stood; None where there is none."""
    return _newest(connection, "json_extract(body, '$.whole')")


def _newest(connection: sqlite3.Connection, where: str) -> CheckRecord | None:
    query = f"SELECT entry, version, document FROM checks JOIN ledger ON seq = entry WHERE {where} ORDER BY entry DESC LIMIT 1"
    row = connection.execute(query).fetchone()
    if row is None or row[2] == ERASED:
        return None  # what was found is gone; an older check says nothing of how the book stands
    entry = store.entry(connection, row[0])
    return None if entry is None else CheckRecord(entry, row[1], row[2])


def changed(connection: sqlite3.Connection) -> tuple[int, ...]:
    """The entries of checks whose document is not the one that was recorded, or is gone although no erasure took it out."""
    held = dict(connection.execute("SELECT entry, document FROM checks").fetchall())
    recorded = {entry.seq: entry.body.get("document_sha256") for entry in store.entries(connection, kind=KIND)}
    erased = {seq for entry in store.entries(connection, kind="erasure") for seq in _numbers(entry.body.get("documents"))}
    gone = {seq for seq, document in held.items() if document == ERASED and seq in erased}
    wrong = [seq for seq in {*held, *recorded} - gone if seq not in held or recorded.get(seq) != document_sha256(held[seq])]
    return tuple(sorted(wrong))


def _numbers(stated: object) -> list[object]:
    return stated if isinstance(stated, list) else []


def documents(connection: sqlite3.Connection) -> dict[int, str]:
    """Every document that is still kept, by its ledger entry."""
    return dict(connection.execute("SELECT entry, document FROM checks WHERE document <> ?", (ERASED,)).fetchall())


def erase(connection: sqlite3.Connection, entries: Collection[int]) -> None:
    """Take the documents of these checks out; the ledger entries stay."""
    connection.executemany("UPDATE checks SET document = ? WHERE entry = ?", [(ERASED, seq) for seq in entries])
