"""What the catalogue answers with, beside book versions: loads, source files, publications."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from unspun.ledger.chain import Entry
from unspun.warehouse.versions import VersionKind

LoadState = Literal["begun", "in force", "undone", "abandoned"]


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A book version in a list. `rows` are those of each table as published; `kept` is whether its files are still there."""

    version: int
    kind: VersionKind
    load: int | None
    at: datetime
    entry: int
    rows: Mapping[str, int]
    kept: bool


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was loaded: `number` is what rows hold as `source_file`; equal bytes are the same file, under its first name."""

    number: int
    sha256: str
    name: str
    size_bytes: int
    format: str


@dataclass(frozen=True, slots=True)
class LoadFile:
    """A source file in a load, under the mapping with that hash. `counts` are its rows (rows_read, new, changed, ...)."""

    sha256: str
    mapping_sha256: str
    table: str
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoadLine:
    """A load: begun, in force (published in `version`), undone (in `undone_in`), or abandoned without ever being published."""

    load: int
    state: LoadState
    begun_at: datetime
    fingerprint: str
    body: dict[str, object]
    version: int | None
    undone_in: int | None
    files: tuple[LoadFile, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """A published result. `document` is None once erased, by the erasure with the ledger entry `erased_by`."""

    entry: Entry
    version: int
    document: str | None
    erased_by: int | None


@dataclass(frozen=True, slots=True)
class Definition:
    """A definition as the ledger recorded it; `entry` is its number there."""

    entry: int
    at: datetime
    name: str
    sha256: str
    text: str
