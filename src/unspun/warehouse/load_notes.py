"""What a load tells beside its counts: rows of the past that count as history, and rows that another file has too."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from unspun.book.entities import ROW_COLUMNS
from unspun.engines.embedded import sql_name
from unspun.warehouse.delta import column_ranges
from unspun.warehouse.read_sql import instant_sql, stored_sql
from unspun.warehouse.versions import DataFile, TableVersion

if TYPE_CHECKING:
    import duckdb

MOST_COMPARED_ROWS = 20_000_000


def late_notes(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableVersion,
    added: Sequence[DataFile],
    histories: Collection[int],
    time_zone: str,
) -> list[str]:
    """A note where new rows of these source files happened before the newest row that the book had, and count as known then."""
    newest = max((span[1] for file in table.files if (span := _span(folder, file)) is not None), default=None)
    if newest is None or not added or not histories:
        return []
    rows = stored_sql(folder, replace(table, files=tuple(added)))
    numbers = ", ".join(map(str, histories))
    condition = f"known_at = happened_at AND happened_at < {instant_sql(newest)} AND source_file IN ({numbers})"
    count = connection.execute(f"SELECT count(*) FROM ({rows}) WHERE {condition}").fetchall()[0][0]
    if not count:
        return []
    rows, count_as, they = ("row", "counts", "it") if count == 1 else ("rows", "count", "they")
    day = newest.astimezone(ZoneInfo(time_zone)).date()
    what = f"{table.name}: {count:,} new {rows} happened before {day}, the newest row the book had"
    return [f"{what}, and {count_as} as known when {they} happened; load with `--received` if {they} arrived late"]


def duplicate_notes(
    connection: duckdb.DuckDBPyConnection, folder: Path, table: TableVersion, added: Sequence[DataFile], names: Mapping[int, str]
) -> list[str]:
    """Notes on rows without a key that are equal in every column to rows of another file: counted by pair of files, kept all."""
    notes: list[str] = []
    before = list(table.files)
    for file in added:
        overlap = _overlap(folder, file, before)
        if overlap is not None:
            notes += _pair_notes(connection, folder, table, file, overlap, names)
        before.append(file)
    return notes


def _span(folder: Path, file: DataFile) -> tuple[datetime, datetime] | None:
    """The least and greatest `happened_at` of a data file, by its footer."""
    least, greatest, _ = column_ranges(folder / file.path).get("happened_at", (None, None, 0))
    return (least, greatest) if isinstance(least, datetime) and isinstance(greatest, datetime) else None


def _overlap(folder: Path, file: DataFile, others: Sequence[DataFile]) -> tuple[datetime, datetime, tuple[DataFile, ...]] | None:
    """The time that a file shares with others, and those that share it."""
    span = _span(folder, file)
    if span is None:
        return None
    spans = [(other, found) for other in others if (found := _span(folder, other)) is not None]
    shared = [(other, max(span[0], low), min(span[1], high)) for other, (low, high) in spans if low <= span[1] and high >= span[0]]
    if not shared:
        return None
    return min(low for _, low, _ in shared), max(high for _, _, high in shared), tuple(other for other, _, _ in shared)


def _pair_notes(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    table: TableVersion,
    file: DataFile,
    overlap: tuple[datetime, datetime, tuple[DataFile, ...]],
    names: Mapping[int, str],
) -> list[str]:
    low, high, others = overlap
    lead = {name for name, _ in ROW_COLUMNS}
    columns = ["happened_at", *(name for name, _ in table.columns if name not in lead)]
    listed = ", ".join(map(sql_name, columns))
    shared = f"happened_at BETWEEN {instant_sql(low)} AND {instant_sql(high)}"
    new = f"SELECT * FROM ({stored_sql(folder, replace(table, files=(file,)))}) WHERE {shared}"
    old = f"SELECT * FROM ({stored_sql(folder, replace(table, files=others))}) WHERE {shared}"
    sizes = connection.execute(f"SELECT (SELECT count(*) FROM ({new})), (SELECT count(*) FROM ({old}))").fetchall()[0]
    if sum(sizes) > MOST_COMPARED_ROWS:
        return [f"{table.name}: {sizes[0]:,} new rows fall in a time that other files cover too; so many were not compared row by row"]
    match = " AND ".join(f"n.{sql_name(name)} IS NOT DISTINCT FROM o.{sql_name(name)}" for name in columns)
    found = connection.execute(
        f"WITH n AS (SELECT source_file, {listed}, count(*) AS _copies FROM ({new}) GROUP BY ALL), "
        f"o AS (SELECT DISTINCT source_file, {listed} FROM ({old})) SELECT n.source_file, o.source_file, sum(_copies) "
        f"FROM n JOIN o ON {match} AND n.source_file <> o.source_file GROUP BY 1, 2 ORDER BY 1, 2"
    ).fetchall()
    return [
        f"{table.name}: {int(count):,} rows of {names.get(mine, 'this load')} are equal in every column to rows of "
        f"{names.get(theirs, 'an earlier file')}; both are kept"
        for mine, theirs, count in found
    ]
