"""Whether the catalogue still says what the ledger says, and whether the ledger is the one that was written."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, get_args

from unspun.errors import BadInput, Fault, UnspunError
from unspun.ledger import store
from unspun.ledger.chain import Anchor, Break, Entry, check_chain, read_entry, written_instant
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_checks import changed
from unspun.warehouse.catalog_faults import decoding, translating
from unspun.warehouse.catalog_files import read_rewrites, rewrite_digest, table_digest
from unspun.warehouse.catalog_head import NAME as HEAD
from unspun.warehouse.catalog_head import read_head
from unspun.warehouse.catalog_notes import changed as changed_notes
from unspun.warehouse.catalog_publications import document_sha256
from unspun.warehouse.versions import VersionKind

RESTORE = "Restore the warehouse folder from a backup."
VERSION_KINDS: tuple[str, ...] = get_args(VersionKind)


@dataclass(frozen=True, slots=True)
class LedgerCheck:
    """What `unspun ledger verify` found. `entries` are the rows read; `head` is `SEQ:HASH` of the last (empty if broken).

    `anchors` counts the records of hashes that the entries were compared with. `faults` concern those records, not the entries.
    """

    entries: int
    head: str
    anchors: int
    breaks: tuple[Break, ...]
    faults: tuple[Fault, ...]

    @property
    def sound(self) -> bool:
        return not self.breaks and not self.faults


def check_ledger(catalog: Catalog, given: Sequence[Anchor] = ()) -> LedgerCheck:
    """Check every entry against its hash, its neighbours, `ledger.head`, the hashes that book versions hold, and `given` ones."""
    faults: list[Fault] = []
    anchors = list(given)
    try:
        head = read_head(catalog.folder)
        if head is None:
            message = "the file is missing, so that nothing beside the catalogue says where the ledger ends."
            faults.append(Fault("no_head", message, str(catalog.folder / HEAD), "The next entry writes it anew."))
        else:
            anchors.append(head)
    except UnspunError as error:
        faults += error.faults
    with catalog.reading() as connection:
        rows = store.stored(connection)
        anchors += _version_anchors(connection)
    breaks = check_chain(rows, anchors)
    printed = "" if breaks else f"{rows[-1].seq}:{rows[-1].hash}"
    return LedgerCheck(len(rows), printed, len(anchors), breaks, tuple(faults))


def _version_anchors(connection: sqlite3.Connection) -> list[Anchor]:
    query = "SELECT version, entry, CAST(entry_hash AS BLOB) FROM versions"
    return [
        Anchor(entry, bytes(recorded).decode(errors="replace"), f"book version {version} in the catalogue")
        for version, entry, recorded in connection.execute(query)
        if isinstance(entry, int)
    ]


def check_database(catalog: Catalog) -> tuple[Fault, ...]:
    """What SQLite's own check finds in the catalogue file."""
    with translating(catalog.path):
        found = [str(row[0]) for row in catalog.connection.execute("PRAGMA integrity_check")]
    return tuple(Fault("damaged_catalog", line, str(catalog.path), RESTORE) for line in found if line != "ok")


def check_manifests(catalog: Catalog, versions: Literal["current", "all"] = "all") -> tuple[Fault, ...]:
    """What the catalogue says of versions, loads, erasures and publications, compared with the ledger entries that recorded it."""
    with catalog.reading() as connection, decoding(catalog.path):
        known = {entry.seq: entry for entry in _whole_entries(connection)}
        faults = list(_missing_versions(connection, known.values()))
        query = "SELECT version, kind, published_at, load, digest, entry, kept FROM versions ORDER BY version"
        rows = connection.execute(query).fetchall()
        for row in rows if versions == "all" else rows[-1:]:
            faults += _version_faults(catalog, row, known.get(row[5]))
        faults += _kept_faults(connection)
        faults += _load_faults(connection, known.values())
        faults += _erasure_faults(connection, known)
        faults += _publication_faults(connection, known)
        faults += [_changed(f"the check of ledger entry {seq}", "is not the one that was recorded") for seq in changed(connection)]
        faults += [_changed(f"what was written under ledger entry {seq}", "is not what was recorded") for seq in changed_notes(connection)]
    return tuple(faults)


def _whole_entries(connection: sqlite3.Connection) -> Iterable[Entry]:
    rows = store.stored(connection)
    for row in rows:
        # A damaged one is check_ledger's finding; here, what it recorded is then missing.
        with suppress(BadInput):
            yield read_entry(row)


def _changed(what: str, why: str) -> Fault:
    return Fault("changed_catalog", f"{what} {why}.", hint=RESTORE)


def _missing_versions(connection: sqlite3.Connection, entries: Iterable[Entry]) -> Iterable[Fault]:
    held = {row[0] for row in connection.execute("SELECT entry FROM versions")}
    for entry in entries:
        if entry.kind in VERSION_KINDS and "version" in entry.body and entry.seq not in held:
            yield _changed(f"book version {entry.body['version']}", f"is in ledger entry {entry.seq} but not in the catalogue")


def _version_faults(catalog: Catalog, row: Sequence[Any], entry: Entry | None) -> list[Fault]:
    version, kind, published_at, load, digest, seq, kept = row
    what = f"book version {version}"
    if entry is None:
        return [_changed(what, f"is in the catalogue, but ledger entry {seq} is not there or damaged")]
    stated = (entry.body.get("version"), entry.kind, written_instant(entry.at), entry.body.get("load"), entry.body.get("digest"))
    if stated != (version, kind, published_at, load, digest):
        return [_changed(what, f"is not the one that ledger entry {seq} records: kind, time, load or digest differ")]
    return _table_faults(catalog, version, entry) if kept else []


def _table_faults(catalog: Catalog, version: int, entry: Entry) -> list[Fault]:
    try:
        tables = {table.name: table_digest(table) for table in catalog.published_version(version).tables}
        query = "SELECT name, rows FROM table_versions WHERE version = ?"
        rows = dict(catalog.connection.execute(query, (version,)).fetchall())
    except UnspunError as error:
        return list(error.faults)
    recorded = entry.body.get("tables")
    stated = recorded if isinstance(recorded, Mapping) else {}
    digests = {name: table["digest"] for name, table in stated.items()}
    counted = [
        _changed(f"the number of rows of table `{name}` in book version {version}", f"is not what ledger entry {entry.seq} records")
        for name, table in sorted(stated.items())
        if name in rows and rows[name] != table["rows"]
    ]
    return counted + [
        _changed(
            f"the list of files (or the columns) of table `{name}` in book version {version}",
            f"is not what ledger entry {entry.seq} records",
        )
        for name in sorted({*tables, *digests})
        if tables.get(name) != digests.get(name)
    ]


def _kept_faults(connection: sqlite3.Connection) -> list[Fault]:
    query = """SELECT version FROM versions WHERE NOT kept
               AND version IN (SELECT max(version) FROM versions UNION SELECT version FROM publications)"""
    why = "is marked as no longer kept, though it is the newest or a published figure cites it"
    return [_changed(f"book version {version}", why) for (version,) in connection.execute(query)]


def _load_faults(connection: sqlite3.Connection, entries: Iterable[Entry]) -> list[Fault]:
    """Loads that were published: their state, versions and source files, as the entries of loads and undos record them."""
    recorded: dict[int, tuple[object, ...]] = {}
    files: dict[int, object] = {}
    for entry in entries:
        load, undone, version = (entry.body.get(name) for name in ("load", "undone", "version"))
        if entry.kind == "load" and isinstance(load, int):
            recorded[load], files[load] = ("in force", version, None), entry.body.get("sources")
        elif entry.kind == "undo" and isinstance(undone, int) and undone in recorded:
            recorded[undone] = ("undone", recorded[undone][1], version)
    query = "SELECT load, state, version, undone_in FROM loads WHERE version IS NOT NULL OR state IN ('in force', 'undone')"
    held = {load: tuple(stated) for load, *stated in connection.execute(query)}
    why = "is not in the state that the ledger records"
    faults = [_changed(f"load {load}", why) for load in sorted({*held, *recorded}) if held.get(load) != recorded.get(load)]
    return faults + [
        _changed(f"the list of source files of load {load}", "is not what the ledger records")
        for load, sources in sorted(files.items())
        if sources is not None and sources != _sources(connection, load)
    ]


def _sources(connection: sqlite3.Connection, load: int) -> list[dict[str, object]]:
    """The source files of a load as its ledger entry states them; one that is not among the source files any more stands without hash."""
    query = """SELECT s.sha256, mapping_sha256, table_name, counts FROM load_files f LEFT JOIN source_files s USING (sha256)
               WHERE load = ? ORDER BY position"""
    return [
        {"sha256": sha256, "mapping_sha256": mapping, "table": table, **json.loads(counts)}
        for sha256, mapping, table, counts in connection.execute(query, (load,))
    ]


def _erasure_faults(connection: sqlite3.Connection, known: Mapping[int, Entry]) -> list[Fault]:
    faults: list[Fault] = []
    for (seq,) in connection.execute("SELECT DISTINCT entry FROM rewrites ORDER BY entry").fetchall():
        recorded = known[seq].body.get("replaced") if seq in known else None
        digests = set(recorded) if isinstance(recorded, list) else set()
        faults += [
            _changed(f"{path}: the file that took its place", f"is not the one that ledger entry {seq} records")
            for path, file in read_rewrites(connection, seq)
            if rewrite_digest(path, file) not in digests
        ]
    return faults


def _publication_faults(connection: sqlite3.Connection, known: Mapping[int, Entry]) -> list[Fault]:
    faults: list[Fault] = []
    held: set[int] = set()
    query = "SELECT entry, version, sha256, document, erased_by FROM publications ORDER BY entry"
    for seq, version, sha256, document, erased_by in connection.execute(query):
        held.add(seq)
        what, entry = f"the published document of ledger entry {seq}", known.get(seq)
        stated = None if entry is None else (entry.kind, entry.body.get("book_version"), entry.body.get("document_sha256"))
        if stated != ("publication", version, sha256) or (document is not None and document_sha256(document) != sha256):
            faults.append(_changed(what, "is not the one that was published"))
        elif document is None and not _erased(known.get(erased_by), seq):
            faults.append(_changed(what, "is missing, and no erasure in the ledger took it out"))
    gone = [seq for seq, entry in known.items() if entry.kind == "publication" and seq not in held]
    return faults + [_changed(f"the published document of ledger entry {seq}", "is not in the catalogue") for seq in gone]


def _erased(erasure: Entry | None, seq: int) -> bool:
    documents = None if erasure is None else erasure.body.get("documents")
    return isinstance(documents, list) and seq in documents
