"""What the columns of each loaded file held, beside the load: for comparing a later load of the same source with it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from unspun.book.drift.profile import FileProfile, from_document, to_document, without_words
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_faults import decoding


@dataclass(frozen=True, slots=True)
class StoredProfile:
    """The profile of one file of a load: `position` is that of the file among the load's, `source` what makes loads comparable."""

    position: int
    source: str
    name: str
    profile: FileProfile


@dataclass(frozen=True, slots=True)
class ProfiledLoad:
    """A load of a source: the profiles of its files, by name, in their order."""

    load: int
    files: tuple[tuple[str, FileProfile], ...]

    @property
    def profiles(self) -> tuple[FileProfile, ...]:
        return tuple(profile for _, profile in self.files)


def write_profiles(connection: sqlite3.Connection, load: int, profiles: Iterable[StoredProfile]) -> None:
    """Keep the profiles of a load, within the caller's transaction."""
    rows = [(load, one.position, one.source, to_document(one.profile)) for one in profiles]
    connection.executemany("INSERT INTO profiles (load, position, source, document) VALUES (?, ?, ?, ?)", rows)


def latest_profiles(catalog: Catalog, loads: int = 1, version: int | None = None) -> dict[str, tuple[ProfiledLoad, ...]]:
    """Of each source its newest loads, so many at most, newest first: those in force now, or at a version of the book.

    Raises UnspunError where a profile is damaged.
    """
    in_force = "state = 'in force'" if version is None else "version <= :version AND (undone_in IS NULL OR undone_in > :version)"
    query = f"""
      SELECT source, load, name, document FROM (
        SELECT p.source, load, p.position, p.document, coalesce(s.name, '') AS name,
          dense_rank() OVER (PARTITION BY p.source ORDER BY load DESC) AS rank
        FROM profiles p JOIN loads USING (load)
          LEFT JOIN load_files f USING (load, position) LEFT JOIN source_files s ON s.sha256 = f.sha256
        WHERE {in_force})
      WHERE rank <= :loads ORDER BY source, load DESC, position"""
    with catalog.reading() as connection, decoding(catalog.path):
        rows = connection.execute(query, {"version": version, "loads": loads}).fetchall()
        return _by_source([(source, load, name, from_document(document)) for source, load, name, document in rows])


def _by_source(rows: Sequence[tuple[str, int, str, FileProfile]]) -> dict[str, tuple[ProfiledLoad, ...]]:
    files: dict[str, dict[int, list[tuple[str, FileProfile]]]] = {}
    for source, load, name, profile in rows:
        files.setdefault(source, {}).setdefault(load, []).append((name, profile))
    return {source: tuple(ProfiledLoad(load, tuple(held)) for load, held in loads.items()) for source, loads in files.items()}


def forget_words(connection: sqlite3.Connection, is_named: Iterable[str]) -> int:
    """Take words out of every profile, within the caller's transaction; how many profiles held one of them."""
    named = frozenset(is_named)
    changed = 0
    for load, position, document in connection.execute("SELECT load, position, document FROM profiles").fetchall():
        left = to_document(without_words(from_document(document), named))
        if left != document:
            connection.execute("UPDATE profiles SET document = ? WHERE load = ? AND position = ?", (left, load, position))
            changed += 1
    return changed


def kept_words(catalog: Catalog) -> frozenset[str]:
    """Every word that a profile keeps."""
    with catalog.reading() as connection, decoding(catalog.path):
        documents = [from_document(document) for (document,) in connection.execute("SELECT document FROM profiles").fetchall()]
    return frozenset(word for one in documents for column in one.columns for word, _, _ in column.words or ())
