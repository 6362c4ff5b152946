"""Loads and source files in the catalogue; every function works within the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from unspun.ledger.chain import canonical, written_instant
from unspun.warehouse.catalog_lines import LoadFile, LoadLine, SourceFile


def source_file(connection: sqlite3.Connection, sha256: str, name: str, size_bytes: int, format: str) -> int:
    """The number of the file with these bytes, stored now where it is new."""
    known = source_number(connection, sha256)
    if known is not None:
        return known
    query = "INSERT INTO source_files (sha256, name, size_bytes, format) VALUES (?, ?, ?, ?) RETURNING number"
    return connection.execute(query, (sha256, name, size_bytes, format)).fetchone()[0]


def source_number(connection: sqlite3.Connection, sha256: str) -> int | None:
    """The number of the file with these bytes; None where it was never seen."""
    row = connection.execute("SELECT number FROM source_files WHERE sha256 = ?", (sha256,)).fetchone()
    return None if row is None else row[0]


def source_files(connection: sqlite3.Connection) -> tuple[SourceFile, ...]:
    """Every source file, by number."""
    return tuple(SourceFile(*row) for row in connection.execute("SELECT * FROM source_files ORDER BY number"))


def begin(connection: sqlite3.Connection, at: datetime, fingerprint: str, body: Mapping[str, object]) -> int:
    """The load of that fingerprint that was begun and not finished; a new one where there is none."""
    query = "SELECT max(load) FROM loads WHERE fingerprint = ? AND state = 'begun'"
    begun = connection.execute(query, (fingerprint,)).fetchone()[0]
    if begun is not None:
        return begun
    query = "INSERT INTO loads (fingerprint, begun_at, body, state) VALUES (?, ?, ?, 'begun') RETURNING load"
    return connection.execute(query, (fingerprint, written_instant(at), canonical(body))).fetchone()[0]


def settle(connection: sqlite3.Connection, version: int, load: int | None, files: Sequence[LoadFile], undone: int | None) -> None:
    """A load comes into force with a version, or is undone by it. ValueError where it was not begun, or not in force."""
    if load is not None:
        _change(connection, "UPDATE loads SET state = 'in force', version = ? WHERE load = ? AND state = 'begun'", version, load)
        rows = [
            (load, position, file.sha256, file.mapping_sha256, file.table, canonical(file.counts)) for position, file in enumerate(files)
        ]
        connection.executemany("INSERT INTO load_files VALUES (?, ?, ?, ?, ?, ?)", rows)
    if undone is not None:
        _change(connection, "UPDATE loads SET state = 'undone', undone_in = ? WHERE load = ? AND state = 'in force'", version, undone)


def _change(connection: sqlite3.Connection, query: str, version: int, load: int) -> None:
    if connection.execute(query, (version, load)).rowcount != 1:
        raise ValueError(f"load {load} is not in the state that this needs")


def loaded(connection: sqlite3.Connection, sha256: str, mapping_sha256: str) -> int | None:
    """The load in force that took the file under the mapping; None where none did."""
    query = """SELECT max(load) FROM load_files JOIN loads USING (load)
               WHERE sha256 = ? AND mapping_sha256 = ? AND state = 'in force'"""
    return connection.execute(query, (sha256, mapping_sha256)).fetchone()[0]


def lines(connection: sqlite3.Connection) -> tuple[LoadLine, ...]:
    """All loads, oldest first."""
    files: dict[int, list[LoadFile]] = {}
    query = "SELECT load, sha256, mapping_sha256, table_name, counts FROM load_files ORDER BY load, position"
    for load, sha256, mapping_sha256, table, counts in connection.execute(query):
        files.setdefault(load, []).append(LoadFile(sha256, mapping_sha256, table, json.loads(counts)))
    query = "SELECT load, state, begun_at, fingerprint, body, version, undone_in FROM loads ORDER BY load"
    return tuple(
        LoadLine(load, state, datetime.fromisoformat(at), fingerprint, json.loads(body), version, undone_in, tuple(files.get(load, ())))
        for load, state, at, fingerprint, body, version, undone_in in connection.execute(query)
    )
