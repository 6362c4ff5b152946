"""Compaction: small data files merged into large sorted ones, and files deleted that no kept version of the book needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, pairwise

import duckdb
import pyarrow as pa

from unspun.engines.embedded import connect, record_batches, sql_name
from unspun.errors import BadInput, Fault
from unspun.progress import Progress
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.delta import delete_unused, recover, write_data_file
from unspun.warehouse.read import spill_folder
from unspun.warehouse.read_sql import stored_sql
from unspun.warehouse.rewrite import align_tables, fresh_stem, reading, silent
from unspun.warehouse.versions import BookVersion, DataFile, TableVersion

KEEP_DAYS = 7
TARGET_BYTES = 192 << 20
SORTED_BY = ("account_id", "happened_at", "known_at", "load", "source_file", "source_row")


def _unseen(_name: str, _done: int, _total: int) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class CompactResult:
    """What a compaction did: by table the files before and after, the versions no longer kept, and what was deleted.

    `version` is the one it published; None where there was nothing to merge.
    """

    version: BookVersion | None
    tables: tuple[tuple[str, int, int], ...]
    dropped_versions: tuple[int, ...]
    files_deleted: int
    bytes_freed: int


def compact(
    catalog: Catalog,
    at: datetime,
    keep_days: float = KEEP_DAYS,
    target_bytes: int = TARGET_BYTES,
    memory: str = "1500MB",
    progress: Progress = _unseen,
    wait_seconds: float = 60.0,
    waiting: Callable[[str], None] = silent,
) -> CompactResult:
    """Merge the small files of each table, sorted by account and time, into files of about `target_bytes`; then delete files.

    The book reads as before, as of every date. Kept are the versions that were in force within the last `keep_days` days and those
    that publications cite; the files that only other versions need are deleted. With 0 days, whoever is reading an older version
    may be told that it is gone. Raises BadInput for a negative `keep_days`, UnspunError where files cannot be read or written.
    """
    if keep_days < 0:
        raise BadInput(Fault("keep_days", f"{keep_days:g} is no number of days to keep versions.", "keep_days", "Give 0 or more."))
    with catalog.writing(wait_seconds, waiting, [recover]):
        version, merged = _merge_tables(catalog, at, target_bytes, memory, progress)
        dropped = _droppable(catalog, at, timedelta(days=keep_days))
        if dropped:
            catalog.drop_versions(dropped)
        deleted, freed = delete_unused(catalog)
        return CompactResult(version, merged, dropped, deleted, freed)


def _droppable(catalog: Catalog, at: datetime, keep: timedelta) -> tuple[int, ...]:
    """The kept versions that need not be kept any more: replaced by a newer one longer ago than that, and cited nowhere."""
    lines, cited = catalog.versions(), catalog.cited_versions()
    replaced_at = {line.version: later.at for line, later in pairwise(lines)}
    return tuple(
        line.version
        for line in lines
        if line.kept and line.version not in cited and line.version in replaced_at and replaced_at[line.version] <= at - keep
    )


def _merge_tables(
    catalog: Catalog, at: datetime, target_bytes: int, memory: str, progress: Progress
) -> tuple[BookVersion | None, tuple[tuple[str, int, int], ...]]:
    """Publish the book with its small files merged; None where no table has two of them."""
    current = catalog.current()
    small = {table.name: _small(table, target_bytes) for table in current.tables} if current else {}
    work = [table for table in current.tables if small[table.name]] if current else []
    if current is None or not work:
        return None, ()
    merged: dict[str, TableVersion] = {}
    for done, table in enumerate(work):
        progress(table.name, done, len(work))
        merged[table.name] = _merged(catalog, table, small[table.name], target_bytes, memory)
    progress(work[-1].name, len(work), len(work))
    tables = align_tables(catalog, [merged.get(table.name, table) for table in current.tables], {"unspun": "compaction"})
    counts = tuple((table.name, len(table.files), len(merged[table.name].files)) for table in work)
    body = {"files": {name: [before, after] for name, before, after in counts}}
    return catalog.publish("compaction", tables, at, [("compaction", body)]), counts


def _small(table: TableVersion, target_bytes: int) -> tuple[DataFile, ...]:
    """The files worth merging: those under half the target, where there are at least two."""
    small = tuple(file for file in table.files if file.size_bytes < target_bytes // 2)
    return small if len(small) > 1 else ()


def _merged(catalog: Catalog, table: TableVersion, small: Sequence[DataFile], target_bytes: int, memory: str) -> TableVersion:
    """The table with these files written anew as few, sorted. Sorting spills to the disk beyond `memory`."""
    rows, size = sum(file.rows for file in small), sum(file.size_bytes for file in small)
    rows_each = max(1, -(-rows // max(1, -(-size // target_bytes))))
    order = ", ".join(sql_name(name) for name in SORTED_BY if name in {name for name, _ in table.columns})
    sql = f"{stored_sql(catalog.folder, replace(table, files=tuple(small)))} ORDER BY {order}"
    with reading(catalog.folder, small), connect(memory, spill_folder(catalog), [catalog.folder]) as connection:
        fresh = tuple(_write(catalog, table, connection, sql, rows_each))
    taken = {file.path for file in small}
    return replace(table, files=(*(file for file in table.files if file.path not in taken), *fresh))


def _write(catalog: Catalog, table: TableVersion, connection: duckdb.DuckDBPyConnection, sql: str, rows_each: int) -> Iterator[DataFile]:
    batches, rest = record_batches(connection, sql), list[pa.RecordBatch]()
    while (first := rest.pop() if rest else next(batches, None)) is not None:
        rows = _take(chain([first], batches), rows_each, rest)
        yield write_data_file(catalog.folder, table.name, rows, table.columns, fresh_stem("compact"))


def _take(batches: Iterator[pa.RecordBatch], rows: int, rest: list[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """The first so many rows; what is left over of the last batch goes to `rest`."""
    for batch in batches:
        yield batch.slice(0, rows)
        if batch.num_rows > rows:
            rest.append(batch.slice(rows))
        rows -= batch.num_rows
        if rows <= 0:
            return
