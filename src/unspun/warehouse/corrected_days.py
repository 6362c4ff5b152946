"""On which days which accounts have rows that were corrected: rows of which the book has several versions, in one data file or in some.

A later version of a row came with a load that changed rows, as is recorded of each load. So the keys of the rows of such loads are looked
up in the data files that were there by then, once for each file that holds some; what is found is kept with that file, as a fact.
"""

from __future__ import annotations

import secrets
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import pyarrow.parquet as pq

from unspun.book.entities import TABLES
from unspun.engines.embedded import sql_name, sql_text
from unspun.warehouse.file_facts import CORRECTED, DATA_FILE, facts_folder, is_of_the_book, kept_file
from unspun.warehouse.read import BookReader
from unspun.warehouse.read_sql import empty_sql, files_sql
from unspun.warehouse.versions import DataFile, TableVersion, column_of_happened_at, stored_columns


def corrected_sql(reader: BookReader, table: TableVersion) -> str | None:
    """The SQL of the account and time of every row version of the rows of a table that have several: `account_id`, `happened_at` and, where
    it is a day, the column that says when rows happened. None where that cannot be kept. Raises UnspunError."""
    if not all(map(is_of_the_book, table.files)):
        return None
    in_force = {line.load: line for line in reader.catalog.load_lines()}
    changing = {load for load, line in in_force.items() if any(one.table == table.name and one.counts.get("changed") for one in line.files)}
    turn = {load: line.version or 0 for load, line in in_force.items()}
    paths: list[Path] = []
    for file in table.files:
        loads = sorted({load for load in file.loads if load in changing or load not in turn})
        if loads:
            latest = max(turn.get(load, len(turn)) for load in loads)
            earlier = [one for one in table.files if min(turn.get(load, 0) for load in one.loads) <= latest]
            path = _kept(reader, table, file, loads, earlier)
            if path is None:
                return None
            paths.append(path)
    if not paths:
        return empty_sql([(name, kind) for name, kind in table.columns if name in _told(table)])
    listed = ", ".join(sql_text(str(path.absolute())) for path in paths)
    return f"SELECT DISTINCT {_names(_told(table))} FROM read_parquet([{listed}])"


def files_near(folder: Path, table: TableVersion, days: Sequence[date]) -> tuple[DataFile, ...]:
    """The files of a table that may hold rows of some days, which are in order, by what the files say of themselves."""
    if len(_told(table)) > 2:  # rows happen on a day of their own, of which that tells nothing
        return table.files
    return tuple(file for file in table.files if _may_hold(folder / file.path, days))


def _told(table: TableVersion) -> tuple[str, ...]:
    """The columns that say of a row whose it is, and when it happened."""
    entity = next(one for one in TABLES.values() if one.name == table.name)
    by_day = any(name == entity.happened and kind == "day" for name, kind in table.columns)
    return ("account_id", "happened_at", *([entity.happened] if by_day else []))


def _kept(reader: BookReader, table: TableVersion, file: DataFile, loads: Sequence[int], earlier: Sequence[DataFile]) -> Path | None:
    """What is kept of a file: whose rows of these loads are versions of rows of the earlier files, or of each other."""
    folder = reader.catalog.folder
    sql = _versions_sql(folder, table, file, loads, earlier)

    def make() -> Path:
        spill = Path(str(reader.query("SELECT current_setting('temp_directory') AS folder").column(0)[0].as_py()))
        spill.mkdir(parents=True, exist_ok=True)
        path = spill / f"{secrets.token_hex(8)}.parquet"
        reader.query(f"COPY ({sql}) TO {sql_text(str(path.absolute()))} (FORMAT parquet)")
        return path

    contents = sorted(facts_folder(folder, one).name for one in earlier)
    try:
        path = kept_file(folder, file, CORRECTED, f"{table.key} {_told(table)} {loads} {contents}", make)
    except OSError:
        return None
    if path is not None and not all((folder / one.path).exists() for one in earlier):  # one was erased while its rows were read
        path.unlink(missing_ok=True)
        return None
    return path


def _versions_sql(folder: Path, table: TableVersion, file: DataFile, loads: Sequence[int], earlier: Sequence[DataFile]) -> str:
    key = table.key or ("source_file", "source_row")
    names = _names(dict.fromkeys((*key, *_told(table))))
    match = " AND ".join(f"r.{sql_name(name)} IS NOT DISTINCT FROM m.{sql_name(name)}" for name in key)
    mine = f"SELECT {_names(key)} FROM ({_stored_sql(folder, table, [file])}) WHERE load IN ({', '.join(map(str, loads))})"
    found = f"SELECT r.* FROM ({_stored_sql(folder, table, earlier)}) r SEMI JOIN ({mine}) m ON {match}"
    several = f"SELECT {names}, {DATA_FILE} FROM ({found}) QUALIFY count(*) OVER (PARTITION BY {_names(key)}) > 1"
    return f"SELECT DISTINCT {_names(_told(table))}, {DATA_FILE} FROM ({several})"


def _stored_sql(folder: Path, table: TableVersion, files: Sequence[DataFile]) -> str:
    """The rows of some files with the name of the file that holds each; a column that none of them has is NULL."""
    same = column_of_happened_at(table.name)
    names = ", ".join(f"happened_at AS {sql_name(name)}" if name == same else sql_name(name) for name, _ in table.columns)
    listed = files_sql(folder, [file.path for file in files], named=True)
    rows = f"SELECT * FROM ({empty_sql(stored_columns(table.name, table.columns))} UNION ALL BY NAME {listed})"
    return f"SELECT {names}, parse_filename(filename, true) AS {DATA_FILE} FROM ({rows})"


def _names(columns: Iterable[str]) -> str:
    return ", ".join(map(sql_name, columns))


def _may_hold(path: Path, days: Sequence[date]) -> bool:
    groups = pq.read_metadata(path)
    at = groups.schema.to_arrow_schema().get_field_index("happened_at")
    for number in range(groups.num_row_groups):
        said = groups.row_group(number).column(at).statistics if at >= 0 else None
        if said is None or not said.has_min_max or _any_between(days, said.min.date(), said.max.date()):
            return True
    return False


def _any_between(days: Sequence[date], first: date, last: date) -> bool:
    """Whether any of some local days may lie between two days in UTC: they are at most a day apart."""
    place = bisect_left(days, date.fromordinal(max(first.toordinal() - 1, 1)))
    return place < len(days) and days[place].toordinal() <= last.toordinal() + 1
