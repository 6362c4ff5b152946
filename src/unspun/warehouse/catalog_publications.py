"""Definitions and published results. Of a result the ledger entry holds the document's hash, the document lies apart and can be erased.

Every function works within the caller's transaction.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Collection, Mapping
from datetime import datetime

from unspun.errors import BadInput, Fault, UnspunError
from unspun.ledger import store
from unspun.ledger.chain import Entry
from unspun.warehouse.catalog_lines import Definition, Publication

COLUMNS = "entry, version, document, erased_by"


def document_sha256(document: str) -> str:
    """What the ledger records of a text: the SHA-256 of its UTF-8."""
    return hashlib.sha256(document.encode()).hexdigest()


def add(connection: sqlite3.Connection, body: Mapping[str, object], document: str, at: datetime) -> Entry:
    """Append the `publication` entry and store the document. `body["book_version"]` is the version it cites."""
    version = body.get("book_version")
    if not isinstance(version, int):
        raise ValueError("a publication cites a book version: body['book_version']")
    kept = connection.execute("SELECT kept FROM versions WHERE version = ?", (version,)).fetchone()
    if kept is None or not kept[0]:
        message = f"book version {version} is not there or no longer kept."
        raise BadInput(Fault("no_version", message, hint="Publish from a version that is kept."))
    sha256 = document_sha256(document)
    entry = store.append(connection, "publication", {**body, "document_sha256": sha256}, at)
    connection.execute("INSERT INTO publications VALUES (?, ?, ?, ?, NULL)", (entry.seq, version, sha256, document))
    return entry


def read(connection: sqlite3.Connection, seq: int) -> Publication:
    """The publication with that ledger entry. BadInput where there is none, UnspunError where it was changed since."""
    row = connection.execute(f"SELECT {COLUMNS} FROM publications WHERE entry = ?", (seq,)).fetchone()
    if row is None:
        hint = "`unspun ledger show` lists the entries; publications are of kind `publication`."
        raise BadInput(Fault("no_publication", f"ledger entry {seq} is not a publication.", hint=hint))
    publication = _publication(connection, row)
    if publication.document is not None and document_sha256(publication.document) != publication.entry.body.get("document_sha256"):
        message = f"the published document of ledger entry {seq} is not the one that was published."
        raise UnspunError(Fault("changed_catalog", message, hint="Run `unspun ledger verify`."))
    return publication


def find(connection: sqlite3.Connection, document: str) -> Publication | None:
    """The newest publication of exactly this document, not erased; None where there is none."""
    query = f"SELECT {COLUMNS} FROM publications WHERE sha256 = ? AND document IS NOT NULL ORDER BY entry DESC LIMIT 1"
    row = connection.execute(query, (document_sha256(document),)).fetchone()
    return None if row is None else _publication(connection, row)


def read_all(connection: sqlite3.Connection) -> tuple[Publication, ...]:
    """Every publication, oldest first."""
    rows = connection.execute(f"SELECT {COLUMNS} FROM publications ORDER BY entry").fetchall()
    return tuple(_publication(connection, row) for row in rows)


def _publication(connection: sqlite3.Connection, row: tuple[int, int, str | None, int | None]) -> Publication:
    seq, version, document, erased_by = row
    entry = store.entry(connection, seq)
    if entry is None:
        raise BadInput(Fault("ledger_broken", f"ledger entry {seq} is missing.", hint="Run `unspun ledger verify`."))
    return Publication(entry, version, document, erased_by)


def cited(connection: sqlite3.Connection) -> frozenset[int]:
    """The versions that publications cite."""
    return frozenset(row[0] for row in connection.execute("SELECT DISTINCT version FROM publications"))


def define(connection: sqlite3.Connection, name: str, text: str, at: datetime) -> Entry | None:
    """Append a `definition` entry where the text is not the one last recorded under the name."""
    sha256 = document_sha256(text)
    known = definitions(connection, name)
    if known and known[-1].sha256 == sha256:
        return None
    return store.append(connection, "definition", {"name": name, "sha256": sha256, "text": text}, at)


def definitions(connection: sqlite3.Connection, name: str | None) -> tuple[Definition, ...]:
    """The definitions recorded (under that name), oldest first."""
    found = (
        Definition(entry.seq, entry.at, str(entry.body["name"]), str(entry.body["sha256"]), str(entry.body["text"]))
        for entry in store.entries(connection, kind="definition")
    )
    return tuple(definition for definition in found if name is None or definition.name == name)


def erase(connection: sqlite3.Connection, entries: Collection[int], erased_by: int) -> None:
    """Take the documents of these publications out; the ledger entries stay."""
    query = "UPDATE publications SET document = NULL, erased_by = ? WHERE entry = ? AND document IS NOT NULL"
    connection.executemany(query, [(erased_by, seq) for seq in entries])
