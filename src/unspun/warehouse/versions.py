"""A book version: which data files of which tables are the book, fixed for good once published."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from unspun.book.entities import Kind

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
