"""Which files are in which version: how the catalogue stores it, reads it back and sums it up in a digest."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from unspun.errors import BadInput, Fault, UnspunError
from unspun.ledger.chain import canonical
from unspun.warehouse.catalog_lines import VersionLine
from unspun.warehouse.versions import BookVersion, DataFile, TableVersion

LATEST = 2**62
Given = TypeVar("Given", DataFile, "DataFile | None")
FILES = """
SELECT f.id, f.table_name, f.path, f.sha256, f.size_bytes, f.rows, f.loads, r.entry, r.path, r.sha256, r.size_bytes, r.rows, r.loads
FROM files f LEFT JOIN rewrites r ON r.file = f.id AND r.entry = (SELECT max(entry) FROM rewrites WHERE file = f.id AND entry <= :until)
"""
FILES_OF_VERSION = f"""{FILES} JOIN spans s ON s.file = f.id
WHERE s.added <= :version AND (s.removed IS NULL OR s.removed > :version) ORDER BY f.id
"""
ERASURES_OF_VERSION = """
SELECT DISTINCT r.entry FROM rewrites r JOIN spans s USING (file)
WHERE s.added <= :version AND (s.removed IS NULL OR s.removed > :version) AND r.entry > :since AND r.entry <= :until ORDER BY r.entry
"""
CURRENT_FILES = f"{FILES} JOIN spans s ON s.file = f.id WHERE s.removed IS NULL"
FILES_AT_PATH = f"{FILES} WHERE f.path = :path OR f.id IN (SELECT file FROM rewrites WHERE path = :path) ORDER BY f.id"
UNUSED = """
NOT EXISTS (SELECT 1 FROM versions WHERE kept AND version >= added AND (removed IS NULL OR version < removed))
"""


def table_digest(table: TableVersion) -> str:
    """SHA-256 over all that a table version states: its layout, its Delta version and its files (path, hash, size, rows, loads)."""
    files = sorted([file.path, file.sha256, file.size_bytes, file.rows, list(file.loads)] for file in table.files)
    return _sha256({"name": table.name, "delta_version": table.delta_version, "layout": _layout(table), "files": files})


def book_digest(tables: Sequence[TableVersion]) -> str:
    """SHA-256 over the tables of a book version: what its ledger entry records. The order of tables and files does not count."""
    return _sha256({table.name: table_digest(table) for table in tables})


def manifest(tables: Sequence[TableVersion]) -> dict[str, object]:
    """What the ledger entry of a version says of its tables; neither names nor values of anybody's data are in it."""
    stated = {
        table.name: {"rows": table.rows, "files": len(table.files), "delta_version": table.delta_version, "digest": table_digest(table)}
        for table in tables
    }
    return {"digest": book_digest(tables), "tables": stated}


def _sha256(body: Mapping[str, object]) -> str:
    return hashlib.sha256(canonical(body).encode()).hexdigest()


def _layout(table: TableVersion) -> dict[str, object]:
    return {
        "key": list(table.key),
        "columns": [list(column) for column in table.columns],
        "several_versions": table.several_versions,
        "fixed": list(table.fixed),
    }


def read_version(connection: sqlite3.Connection, number: int, until: int = LATEST) -> BookVersion:
    """The version with its files as the erasures up to ledger entry `until` left them (0: as it was published).

    Raises BadInput where there is no such version or its files are no longer kept. The caller holds a read transaction.
    """
    row = connection.execute("SELECT * FROM versions WHERE version = ?", (min(number, LATEST),)).fetchone()
    if row is None:
        newest = connection.execute("SELECT max(version) FROM versions").fetchone()[0]
        hint = f"The versions are 1 to {newest}." if newest else "Nothing has been loaded yet."
        raise BadInput(Fault("no_version", f"there is no book version {number}.", hint=hint))
    _, kind, published_at, load, digest, entry, entry_hash, kept = row
    if not kept:
        hint = "`unspun compact` keeps the newest version, those younger than the days set, and those that a published figure cites."
        raise BadInput(Fault("version_not_kept", f"the files of book version {number} are no longer kept.", hint=hint))
    found = connection.execute(FILES_OF_VERSION, {"version": number, "until": max(until, entry)}).fetchall()
    tables = _tables(connection, number, found)
    parameters = {"version": number, "since": entry, "until": until}
    erasures = tuple(row[0] for row in connection.execute(ERASURES_OF_VERSION, parameters))
    return BookVersion(number, kind, datetime.fromisoformat(published_at), load, tables, digest, entry, entry_hash, erasures)


def read_newest(connection: sqlite3.Connection) -> BookVersion | None:
    """The newest version; None before the first."""
    number = connection.execute("SELECT max(version) FROM versions").fetchone()[0]
    return None if number is None else read_version(connection, number)


def version_lines(connection: sqlite3.Connection) -> tuple[VersionLine, ...]:
    """Every version, oldest first."""
    rows: dict[int, dict[str, int]] = {}
    for number, name, count in connection.execute("SELECT version, name, rows FROM table_versions ORDER BY version, position"):
        rows.setdefault(number, {})[name] = count
    query = "SELECT version, kind, load, published_at, entry, kept FROM versions ORDER BY version"
    return tuple(
        VersionLine(number, kind, load, datetime.fromisoformat(at), entry, rows.get(number, {}), bool(kept))
        for number, kind, load, at, entry, kept in connection.execute(query)
    )


def _tables(connection: sqlite3.Connection, number: int, found: Sequence[tuple[Any, ...]]) -> tuple[TableVersion, ...]:
    files: dict[str, list[DataFile]] = {}
    for row in found:
        file = _file(row)
        if file is not None:
            files.setdefault(file.table, []).append(file)
    query = "SELECT name, delta_version, layout FROM table_versions WHERE version = ? ORDER BY position"
    return tuple(
        _table(name, delta_version, json.loads(layout), files.get(name, ()))
        for name, delta_version, layout in connection.execute(query, (number,))
    )


def _table(name: str, delta_version: int, layout: Mapping[str, Any], files: Sequence[DataFile]) -> TableVersion:
    columns = tuple((column, kind) for column, kind in layout["columns"])
    return TableVersion(
        name, delta_version, tuple(layout["key"]), columns, layout["several_versions"], tuple(files), tuple(layout["fixed"])
    )


def _file(row: Sequence[Any]) -> DataFile | None:
    """The file as it is: as published, or what the last erasure put in its place (None: nothing)."""
    _, table, *published, entry, path, sha256, size_bytes, rows, loads = row
    if entry is not None and path is None:
        return None
    if entry is None:
        path, sha256, size_bytes, rows, loads = published
    return DataFile(table, path, sha256, size_bytes, rows, tuple(json.loads(loads)), entry)


def write_version(connection: sqlite3.Connection, number: int, tables: Sequence[TableVersion]) -> None:
    """Store the tables of a new version: their layouts, and the spans of the files that it adds and takes away."""
    for position, table in enumerate(tables):
        row = (number, table.name, position, table.delta_version, table.rows, canonical(_layout(table)))
        connection.execute("INSERT INTO table_versions VALUES (?, ?, ?, ?, ?, ?)", row)
    before: set[int] = set()
    numbers: dict[DataFile | None, int] = {}
    for row in connection.execute(CURRENT_FILES, {"until": LATEST}):
        before.add(row[0])
        numbers[_as_given(_file(row))] = row[0]
    wanted = [_as_given(file) for table in tables for file in table.files]
    now = {numbers[file] if file in numbers else _file_number(connection, file) for file in wanted}
    ended = [(number, file) for file in sorted(before - now)]
    connection.executemany("UPDATE spans SET removed = ? WHERE file = ? AND removed IS NULL", ended)
    connection.executemany("INSERT INTO spans (file, added) VALUES (?, ?)", [(file, number) for file in sorted(now - before)])


def _as_given(file: Given) -> Given:
    """The file as its writer describes it, who does not say what the catalogue knows of its past."""
    return file if file is None or file.erased_by is None else replace(file, erased_by=None)


def _file_number(connection: sqlite3.Connection, file: DataFile) -> int:
    """The number of the file in the catalogue, stored now where it is new. ValueError where its path stands for another file."""
    for row in connection.execute(FILES_AT_PATH, {"path": file.path, "until": LATEST}):
        known = _file(row)
        if _as_given(known) != file:
            raise ValueError(f"{file.path} is already the path of another file, or was replaced by an erasure")
        return row[0]
    values = (file.table, file.path, file.sha256, file.size_bytes, file.rows, canonical_loads(file.loads))
    query = "INSERT INTO files (table_name, path, sha256, size_bytes, rows, loads) VALUES (?, ?, ?, ?, ?, ?) RETURNING id"
    return connection.execute(query, values).fetchone()[0]


def canonical_loads(loads: Sequence[int]) -> str:
    return json.dumps(list(loads), separators=(",", ":"))


def rewrite_digest(path: str, file: DataFile | None) -> str:
    """SHA-256 over what an erasure did to one file: its path before, and the file that is there now (None: no row was left)."""
    now = None if file is None else [file.path, file.sha256, file.size_bytes, file.rows, list(file.loads)]
    return _sha256({"before": path, "now": now})


def write_rewrites(connection: sqlite3.Connection, replaced: Mapping[str, DataFile | None], entry: int) -> None:
    """Say of each file (by its path before) what took its place. ValueError for a path that is no file's at present."""
    for path, file in replaced.items():
        found = connection.execute(FILES_AT_PATH, {"path": path, "until": LATEST}).fetchone()
        known = None if found is None else _file(found)
        if found is None or known is None or known.path != path or (file is not None and file.table != known.table):
            raise ValueError(f"{path} is not the path of a file of the catalogue, or the new file is another table's")
        values = (None,) * 5 if file is None else (file.path, file.sha256, file.size_bytes, file.rows, canonical_loads(file.loads))
        connection.execute("INSERT INTO rewrites VALUES (?, ?, ?, ?, ?, ?, ?)", (found[0], entry, *values))


def read_rewrites(connection: sqlite3.Connection, entry: int) -> list[tuple[str, DataFile | None]]:
    """What the erasure of that ledger entry replaced: the path of each file before it, and the file after."""
    query = f"{FILES} WHERE f.id IN (SELECT file FROM rewrites WHERE entry = :entry) ORDER BY f.id"
    before = connection.execute(query, {"until": entry - 1, "entry": entry}).fetchall()
    after = connection.execute(query, {"until": entry, "entry": entry}).fetchall()
    paths = [file.path if (file := _file(row)) is not None else row[2] for row in before]
    return [(path, _file(row)) for path, row in zip(paths, after, strict=True)]


def paths_in_use(connection: sqlite3.Connection, versions: Collection[int] | None) -> frozenset[str]:
    """Paths of the files of these versions (None: of every file the catalogue knows), as erasures left them."""
    wanted = None if versions is None else sorted(versions)
    spans: dict[int, list[tuple[int, int]]] = {}
    for file, added, removed in connection.execute("SELECT file, added, removed FROM spans"):
        spans.setdefault(file, []).append((added, LATEST if removed is None else removed))
    rows = connection.execute(FILES, {"until": LATEST})
    return frozenset(path for row in rows if (path := _path(row)) is not None and _within(spans.get(row[0], ()), wanted))


def _path(row: Sequence[Any]) -> str | None:
    """Where the file is now; None where an erasure left nothing of it."""
    return row[2] if row[7] is None else row[8]


def _within(spans: Sequence[tuple[int, int]], wanted: Sequence[int] | None) -> bool:
    """Whether one of the sorted versions wanted lies in one of the spans, each from its first number up to, not including, its second."""
    return wanted is None or any(bisect_left(wanted, added) < bisect_left(wanted, removed) for added, removed in spans)


def drop_files(connection: sqlite3.Connection, versions: Collection[int]) -> frozenset[str]:
    """Mark versions as no longer kept, forget files that no kept version needs, and return the paths of those.

    Raises UnspunError for the newest version and for cited ones.
    """
    needed = {row[0] for row in connection.execute("SELECT max(version) FROM versions UNION SELECT version FROM publications")}
    if needed & set(versions):
        numbers = ", ".join(map(str, sorted(needed & set(versions))))
        raise UnspunError(Fault("version_needed", f"version {numbers} is the newest one or is cited by a published figure."))
    before = paths_in_use(connection, None)
    connection.executemany("UPDATE versions SET kept = 0 WHERE version = ?", [(number,) for number in versions])
    connection.execute(f"DELETE FROM spans WHERE {UNUSED}")
    forgotten = "file NOT IN (SELECT file FROM spans)"
    connection.execute(f"DELETE FROM rewrites WHERE {forgotten}")
    connection.execute("DELETE FROM files WHERE id NOT IN (SELECT file FROM spans)")
    return before - paths_in_use(connection, None)
