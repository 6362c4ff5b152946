"""The operation "status": what the book holds, what was loaded, what is still to be mended, and where its ledger stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from unspun.app.checks import recorded_check
from unspun.app.keeping import line_counts
from unspun.app.mended import open_rejected_sql
from unspun.app.opening import InPlaceRows, whole_book
from unspun.app.workspace import Workspace
from unspun.engines.embedded import sql_name
from unspun.ledger.store import head
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_lines import LoadState
from unspun.warehouse.load_rejected import MENDED_TABLE, REJECTED_TABLE
from unspun.warehouse.read import BookReader, open_book
from unspun.warehouse.versions import BookVersion

BOOKKEEPING = (REJECTED_TABLE, MENDED_TABLE)  # tables of a version that are none of the book's


@dataclass(frozen=True, slots=True)
class TableStatus:
    """A table of the book: its rows (things, in a state table), their versions, and the first and last instants of both times."""

    name: str
    rows: int
    versions: int
    first_happened: datetime | None
    last_happened: datetime | None
    first_known: datetime | None
    last_known: datetime | None


@dataclass(frozen=True, slots=True)
class LoadStatus:
    """A load: what became of it, its files (by the name they were first loaded under) and their rows by outcome."""

    load: int
    state: LoadState
    at: datetime
    version: int | None
    files: tuple[str, ...]
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class CheckStatus:
    """The newest check of the whole book: its ledger entry, the version it looked at, and how many of its findings stand."""

    entry: int
    version: int
    errors: int
    warnings: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Status:
    """A book as it stands. `version` is None where nothing was loaded; `head` is SEQ:HASH of the newest ledger entry."""

    folder: str
    name: str
    zone: str
    version: BookVersion | None
    tables: tuple[TableStatus, ...]
    loads: tuple[LoadStatus, ...]
    rejected: int  # still to be mended
    head: str
    size_bytes: int
    versions_kept: int
    checked: CheckStatus | None
    in_place: tuple[InPlaceRows, ...] = ()  # what stays in databases, as it was read for this


def status(workspace: Workspace) -> Status:
    """What the book of a workspace holds. Raises UnspunError where its files are missing or damaged."""
    with workspace.catalog() as catalog:
        version = catalog.current()
        tables, rejected, in_place = _contents(workspace, catalog, version) if version is not None else ((), 0, ())
        newest = head(catalog.connection)
        return Status(
            str(workspace.folder),
            workspace.settings.name,
            workspace.definition().time_zone,
            version,
            tables,
            loads_of(catalog),
            rejected,
            "" if newest is None else f"{newest.seq}:{newest.hash}",
            size_on_disk(workspace.warehouse),
            sum(line.kept for line in catalog.versions()),
            _checked(catalog),
            in_place,
        )


def _checked(catalog: Catalog) -> CheckStatus | None:
    found = recorded_check(catalog)
    if found is None:
        return None
    standing = [one.severity for one in found.findings if one.id not in found.accepted]
    return CheckStatus(found.entry, found.version, standing.count("error"), standing.count("warning"), len(found.accepted))


def _contents(workspace: Workspace, catalog: Catalog, version: BookVersion) -> tuple[tuple[TableStatus, ...], int, tuple[InPlaceRows, ...]]:
    with (
        whole_book(workspace, catalog, version) as whole,
        open_book(catalog, (version := whole.version), None, workspace.settings.memory) as reader,
    ):
        tables = tuple(_table(reader, table.name) for table in version.tables if table.name not in BOOKKEEPING)
        counted = reader.query(f"SELECT count(*) AS n FROM ({open_rejected_sql(reader)})") if version.table(REJECTED_TABLE) else None
    return tables, 0 if counted is None else counted["n"][0].as_py(), whole.in_place


def _table(reader: BookReader, name: str) -> TableStatus:
    spans = ", ".join(f"{side}({column})" for column in ("happened_at", "known_at") for side in ("min", "max"))
    versions = reader.query(f"SELECT count(*), {spans} FROM {sql_name(f'{name}_versions')}").to_pydict()
    rows = reader.query(f"SELECT count(*) AS n FROM {sql_name(name)}")["n"][0].as_py()
    count, *instants = (column[0] for column in versions.values())
    return TableStatus(name, rows, count, *instants)


def loads_of(catalog: Catalog) -> tuple[LoadStatus, ...]:
    """Every load, the oldest first, with its files and what became of their rows."""
    names = {source.sha256: source.name for source in catalog.source_files()}
    found = []
    for line in catalog.load_lines():
        files = tuple(names.get(file.sha256, "?") for file in line.files)
        found.append(LoadStatus(line.load, line.state, line.begun_at, line.version, files, line_counts(line)))
    return tuple(found)


def size_on_disk(folder: Path) -> int:
    """Bytes of all files below a folder; one that is deleted meanwhile counts nothing."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total
