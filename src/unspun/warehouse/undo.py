"""Taking back the last load: a new version of the book without it. Nothing that was published before is destroyed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from unspun.engines.embedded import connect, sql_name
from unspun.errors import BadInput, Fault
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_lines import LoadLine
from unspun.warehouse.delta import recover
from unspun.warehouse.read import spill_folder
from unspun.warehouse.rewrite import align_tables, rewrite_file, silent
from unspun.warehouse.versions import BookVersion, TableVersion

WAIT_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class UndoResult:
    """A load taken back: its number, the version now in force, and by table how many row versions the load had brought."""

    load: int
    version: BookVersion
    rows: tuple[tuple[str, int], ...]
    files_rewritten: int


def undo(
    catalog: Catalog,
    at: datetime,
    memory: str = "1500MB",
    wait_seconds: float = WAIT_SECONDS,
    waiting: Callable[[str], None] = silent,
) -> UndoResult:
    """Take back the last load that is still in force; called again, the one before.

    The book becomes what it was before that load, columns and keys included, and its files count as not loaded any more. Raises
    BadInput where no load is in force, UnspunError where a data file cannot be read or the disk not be written.
    """
    with catalog.writing(wait_seconds, waiting, [recover]):
        current, load = catalog.current(), _last_in_force(catalog)
        if current is None or load is None:
            hint = "`unspun status` lists the loads."
            raise BadInput(Fault("nothing_to_undo", "No load is in force: there is nothing to take back.", hint=hint))
        tables, rewritten = _before(catalog, current, load, memory)
        aligned = align_tables(catalog, tables, {"unspun": "undo", "load": str(load.load)})
        rows = tuple(_rows_less(current, aligned))
        version = catalog.publish("undo", aligned, at, [("undo", {"rows_taken_back": dict(rows)})], undone=load.load)
        return UndoResult(load.load, version, rows, rewritten)


def _last_in_force(catalog: Catalog) -> LoadLine | None:
    return max((line for line in catalog.load_lines() if line.state == "in force"), key=lambda line: line.version or 0, default=None)


def _before(catalog: Catalog, current: BookVersion, load: LoadLine, memory: str) -> tuple[Sequence[TableVersion], int]:
    """The tables without the load, and how many files had to be rewritten for it.

    All that came after the load is undone already, so the version before it, where it is kept, is the book without it.
    """
    earlier = [line for line in catalog.versions() if line.version < (load.version or 0)]
    if not earlier:
        return (), 0
    if earlier[-1].kept:
        return catalog.version(earlier[-1].version).tables, 0
    return _filtered(catalog, current, load.load, memory)


def _filtered(catalog: Catalog, current: BookVersion, load: int, memory: str) -> tuple[Sequence[TableVersion], int]:
    """The current tables with the load's files left out and those that hold other loads too rewritten without its rows."""
    mixed = {file.path: file for table in current.tables for file in table.files if load in file.loads and len(file.loads) > 1}
    kept = f"{sql_name('load')} <> {load}"
    with connect(memory, spill_folder(catalog), [catalog.folder]) as connection:
        fresh = {
            file.path: rewrite_file(connection, catalog.folder, table, file, kept)
            for table in current.tables
            for file in table.files
            if file.path in mixed
        }
    tables = []
    for table in current.tables:
        found = (fresh.get(file.path, file) for file in table.files if file.loads != (load,))
        files = tuple(file for file in found if file is not None)
        if files:
            tables.append(replace(table, files=files))
    return tables, len(mixed)


def _rows_less(current: BookVersion, tables: Sequence[TableVersion]) -> list[tuple[str, int]]:
    left = {table.name: table.rows for table in tables}
    return [(table.name, less) for table in current.tables if (less := table.rows - left.get(table.name, 0))]
