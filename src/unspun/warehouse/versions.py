"""A book version: which data files of which tables are the book, fixed for good once published."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from unspun.book.entities import TABLES, Kind

VersionKind = Literal["load", "undo", "compaction", "erasure"]


@dataclass(frozen=True, slots=True)
class DataFile:
    """A Parquet file of a table. `path` is relative to the warehouse folder; `loads` are those whose rows it holds.

    `erased_by` is the ledger entry of the erasure that wrote this file in the place of the one first published; None: it is that one.
    """

    table: str
    path: str
    sha256: str
    size_bytes: int
    rows: int
    loads: tuple[int, ...]
    erased_by: int | None = None


@dataclass(frozen=True, slots=True)
class TableVersion:
    """One table at a book version: its Delta version, key, columns (row columns first, then data columns) and files.

    `several_versions` is whether any row may have more than one version; where none has, reading as of a date is a plain filter.
    `fixed` are columns of a state table whose latest value holds for every date.
    """

    name: str
    delta_version: int
    key: tuple[str, ...]  # empty: rows are identified by source_file and source_row
    columns: tuple[tuple[str, Kind], ...]
    several_versions: bool
    files: tuple[DataFile, ...]
    fixed: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)


def column_of_happened_at(table: str) -> str | None:
    """The column of a table that is `happened_at` under another name, and so is not stored beside it; None where there is none.

    It is the required instant that says when a row happened (`occurred` of events). Where `happened` may be empty (accounts), is
    a day (subscriptions) or one of several (renewals), the two can differ.
    """
    entity = next((entity for entity in TABLES.values() if entity.name == table), None)
    column = entity.column(entity.happened) if entity is not None else None
    return column.name if column is not None and column.required and column.kind == "instant" else None


def stored_columns(table: str, columns: Iterable[tuple[str, Kind]]) -> tuple[tuple[str, Kind], ...]:
    """Of a table's columns, those that its data files hold."""
    left_out = column_of_happened_at(table)
    return tuple((name, kind) for name, kind in columns if name != left_out)


@dataclass(frozen=True, slots=True)
class BookVersion:
    """The book at one version. `digest` is over its tables and files; `entry` and `entry_hash` are those of its ledger entry.

    `erasures` are the ledger entries of the erasures that took rows out of this version's files after it was published.
    """

    version: int
    kind: VersionKind
    published_at: datetime
    load: int | None
    tables: tuple[TableVersion, ...]
    digest: str
    entry: int
    entry_hash: str
    erasures: tuple[int, ...] = ()

    def table(self, name: str) -> TableVersion | None:
        return next((table for table in self.tables if table.name == name), None)
