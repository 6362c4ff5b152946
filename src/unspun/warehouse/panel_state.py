"""What panels add up of single data files, kept beside the book, so that a panel reads rows of new files only.

A cache like all facts of files (see `file_facts.py`): believed where its bytes are those that were written, deleted with the data file.
What is kept of a file is cut into pieces of columns, each named by what it means: a metric that is new adds a piece with what it lacks.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from importlib.resources import files as resources
from pathlib import Path

import pyarrow.parquet as pq

from unspun.book.entities import TABLES
from unspun.engines.embedded import engine_version, sql_name, sql_text
from unspun.errors import UnspunError
from unspun.metrics.lower.local_day import EPOCH, FIRST_DAY, LAST_DAY
from unspun.metrics.lower.plan import Keepable
from unspun.metrics.question import KeptTable, KeptValues
from unspun.progress import Progress
from unspun.warehouse.corrected_days import corrected_sql, files_near
from unspun.warehouse.file_facts import OUTDATED_SECONDS, facts_folder, is_of_the_book, is_whole
from unspun.warehouse.read import BookReader
from unspun.warehouse.read_files import sha256_of
from unspun.warehouse.read_sql import Columns, stored_sql, widened_sql
from unspun.warehouse.versions import DataFile, TableVersion

FORMAT = 1
"""Of what is kept: another number, and nothing that was kept before is looked at."""
LEAST_ROWS = 1 << 12
"""Of a data file: fewer are read as fast as what is kept of them."""
MOST_CORRECTED = 0.1
"""Of the days of accounts of a table: where corrections touch more, all rows are read."""
CORRECTED_OFTEN = "corrections touch more than a tenth of its accounts' days"
NO_ACCOUNT = "some of them name their subscription, and no account"
NOT_ADDED_UP = "what they add up to could not be kept"
MOST_PIECES = 4
"""Of one file: where more would be needed, all that is wanted is kept anew as one."""
NO_DAY = date(2000, 1, 1)
DIALECT = "duckdb"


@dataclass(slots=True)
class StateUse:
    """How much of a panel comes from what was kept: data files of which it was there, files of which it was made now, and rows by whether
    they were read. `rows_corrected` are row versions that were read as rows of their days were corrected; `unkept` are tables of many rows
    of which all are read, each with the reason; `single` why rows of the others are read besides, if they are."""

    files_kept: int = 0
    files_read: int = 0
    rows_kept: int = 0
    rows_read: int = 0
    rows_corrected: int = 0
    tables: tuple[str, ...] = ()
    unkept: dict[str, str] = field(default_factory=dict[str, str])
    single: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A kept file and those of its columns that are read of it."""

    path: Path
    names: tuple[str, ...]


def kept_tables(reader: BookReader, keepable: Sequence[Keepable], progress: Progress) -> tuple[dict[str, KeptTable], StateUse]:
    """What is kept of the tables of an open book, as tables and views of the reader; what is not kept yet is made and kept.

    Tables whose view is not just their rows have nothing kept: as of an instant, events that name only their subscription; nor those that
    cannot be added up (what is at fault is said when the rows are read). Files of few rows are read, and the days of accounts of which a
    row was corrected; where these are many, all rows.
    """
    use = StateUse()
    found: dict[str, KeptTable] = {}
    for table in dict.fromkeys(one.table for one in keepable):
        version = reader.version.table(table)
        if version is None or not any(map(_is_worth_keeping, version.files)):
            continue
        if not _shows_rows(reader, version):
            use.unkept[table] = NO_ACCOUNT
            continue
        state = _State(reader, version, progress)
        try:
            kept = state.kept([one for one in keepable if one.table == table])
        except UnspunError:
            kept = None
        if kept is not None:
            found[table] = kept
            state.count(use)
        else:
            use.unkept[table] = CORRECTED_OFTEN if state.is_much_corrected else NOT_ADDED_UP
    return found, use


def _is_worth_keeping(file: DataFile) -> bool:
    return file.rows >= LEAST_ROWS and is_of_the_book(file)


def _shows_rows(reader: BookReader, table: TableVersion) -> bool:
    return reader.view_sql(f"{table.name}_versions") == _rows_sql(reader.catalog.folder, table)


def _rows_sql(folder: Path, table: TableVersion) -> str:
    entity = next(entity for entity in TABLES.values() if entity.name == table.name)
    standard: Columns = [*entity.row_columns, *((column.name, column.kind) for column in entity.columns)]
    return widened_sql(stored_sql(folder, table), table.columns, standard)


@dataclass(frozen=True, slots=True)
class _Union:
    """A view over all that is kept of a table, and its columns besides the keys."""

    view: str
    columns: tuple[str, ...]


@dataclass(slots=True)
class _State:
    """What is kept of one table."""

    reader: BookReader
    table: TableVersion
    progress: Progress
    spans: dict[str, tuple[date, date, date]] = field(default_factory=dict[str, "tuple[date, date, date]"])
    read: set[str] = field(default_factory=set[str])
    rows_corrected: int = 0
    is_much_corrected: bool = False

    def kept(self, keepable: Sequence[Keepable]) -> KeptTable | None:
        """All that is kept of the table; None where nothing is by day."""
        found = [(one, self.union(one, f"{self.table.name}_kept_{n}")) for n, one in enumerate(keepable)]
        made = [(one, union) for one, union in found if union is not None]
        days = next((union for one, union in made if not one.column), None)
        corrected = ""
        if days is not None and self.table.several_versions:
            corrected = self._corrected(keepable, days)
            if not corrected:
                return None
            made = [(one, self._without(one, union, corrected)) for one, union in made]
            days = next(union for one, union in made if not one.column)
        values = {one.column: KeptValues(union.view, frozenset(union.columns), corrected) for one, union in made if one.column}
        return None if days is None else KeptTable(days.view, frozenset(days.columns), values)

    def union(self, one: Keepable, view: str) -> _Union | None:
        """The view over what is kept of all files, and what is made of the rows of the others; None where it cannot be kept."""
        pieces: list[_Piece] = []
        rest: list[DataFile] = []
        for place, file in enumerate(self.table.files):
            if not _is_worth_keeping(file):
                rest.append(file)
                continue
            self.progress(f"what {self.table.name} add up to", place, len(self.table.files))
            found = self._pieces_of(one, file)
            if found is None:
                return None
            pieces += found
        parts = [_read_sql(one.keys, names, paths) for names, paths in _by_names(pieces).items()]
        names = dict.fromkeys(name for piece in pieces for name in piece.names)
        if rest:
            made = self._made_of_rest(one, rest, f"{view}_rest")
            if made is None:
                return None
            names |= dict.fromkeys(made)
            parts.append(f"SELECT * FROM {sql_name(f'{view}_rest')}")
        self.reader.query(f"CREATE OR REPLACE TEMP VIEW {sql_name(view)} AS {' UNION ALL BY NAME '.join(parts)}")
        return _Union(view, tuple(names))

    def count(self, use: StateUse) -> None:
        """Add to what is told of the use."""
        for file in self.table.files:
            if file.path in self.read:
                use.files_read, use.rows_read = use.files_read + 1, use.rows_read + file.rows
            else:
                use.files_kept, use.rows_kept = use.files_kept + 1, use.rows_kept + file.rows
        use.tables = (*use.tables, self.table.name)
        use.rows_corrected += self.rows_corrected

    # Days of accounts of which a row was corrected

    def _corrected(self, keepable: Sequence[Keepable], days: _Union) -> str:
        """The table of all row versions of these days; "" where they are too many, or it cannot be told which they are."""
        reader, name, touched = self.reader, f"{self.table.name}_corrected", self._touched
        told = corrected_sql(reader, self.table)
        if told is None:
            return ""
        day = keepable[0].day.sql(dialect=DIALECT)
        reader.query(f"CREATE OR REPLACE TEMP TABLE {sql_name(touched)} AS SELECT DISTINCT account_id, {day} AS day FROM ({told})")
        count = reader.query(f"SELECT count(*) FROM {sql_name(touched)}").column(0)[0].as_py()
        whole = reader.query(f"SELECT count(*) FROM {sql_name(days.view)}").column(0)[0].as_py()
        self.is_much_corrected = count > MOST_CORRECTED * whole
        if self.is_much_corrected:
            return ""
        reader.query(f"CREATE OR REPLACE TEMP TABLE {sql_name(name)} AS {self._rows_of_touched(keepable, day)}")
        self.rows_corrected = reader.query(f"SELECT count(*) FROM {sql_name(name)}").column(0)[0].as_py()
        return name

    @property
    def _touched(self) -> str:
        return f"{self.table.name}_touched"

    def _rows_of_touched(self, keepable: Sequence[Keepable], day: str) -> str:
        """All row versions of the days of accounts that are touched, with the columns that are read of them."""
        found = self.reader.query(f"SELECT DISTINCT day FROM {sql_name(self._touched)} ORDER BY day").column(0).to_pylist()
        known = [EPOCH + timedelta(days=max(FIRST_DAY, min(number, LAST_DAY))) for number in found if number is not None]
        files = self.table.files if None in found else files_near(self.reader.catalog.folder, self.table, known)
        rows = _rows_sql(self.reader.catalog.folder, replace(self.table, files=files))
        entity = next(entity for entity in TABLES.values() if entity.name == self.table.name)
        lead = [*(column for column, _ in entity.row_columns), "account_id", entity.happened, *self.table.key]
        names = dict.fromkeys([*lead, *(column for one in keepable for column in one.columns_read)])
        match = f"r.account_id IS NOT DISTINCT FROM t.account_id AND {day} IS NOT DISTINCT FROM t.day"
        return (
            f"SELECT {', '.join(f'r.{sql_name(name)}' for name in names)} FROM ({rows}) r SEMI JOIN {sql_name(self._touched)} t ON {match}"
        )

    def _without(self, one: Keepable, union: _Union, corrected: str) -> _Union:
        """What is kept without these days, and what is made of their row versions in place of it."""
        view, versions = f"{union.view}_whole", sql_name(f"{self.table.name}_versions")
        parts = [one.without(union.view, self._touched, union.columns).sql(dialect=DIALECT)]
        made = one.of_versions(one.columns, self._span(f"SELECT * FROM {sql_name(corrected)}")[2])
        if made is not None:
            rows = f"WITH {versions} AS (SELECT * FROM {sql_name(corrected)}) {made.sql(dialect=DIALECT)}"
            self.reader.query(f"CREATE OR REPLACE TEMP TABLE {sql_name(f'{view}_rest')} AS {rows}")
            parts.append(f"SELECT * FROM {sql_name(f'{view}_rest')}")
        self.reader.query(f"CREATE OR REPLACE TEMP VIEW {sql_name(view)} AS {' UNION ALL BY NAME '.join(parts)}")
        return _Union(view, union.columns)

    # One data file

    def _pieces_of(self, one: Keepable, file: DataFile) -> list[_Piece] | None:
        place = facts_folder(self.reader.catalog.folder, file)
        stem = f"{one.name}-{self._meaning(one)}"
        found, missing = _covering(_pieces_there(place, stem), one)
        if missing:
            whole = len(found) >= MOST_PIECES
            path = self._kept(one, file, one.columns if whole else missing, place, stem)
            if path is None:
                return None
            found = [*([] if whole else found), _Piece(path, _columns_of(path, one.keys))]
        _clear(place, one.name, {piece.path for piece in found})
        return found

    def _meaning(self, one: Keepable) -> str:
        rows = _rows_sql(self.reader.catalog.folder, replace(self.table, files=()))
        told = [FORMAT, engine_version(), one.meaning(), _zone_rules(one.time_zone), rows]
        return hashlib.sha256(repr(told).encode()).hexdigest()[:32]

    def _kept(self, one: Keepable, file: DataFile, columns: Sequence[str], place: Path, stem: str) -> Path | None:
        """Make and keep some columns of a file: written whole elsewhere, then moved to where it is looked for."""
        folder = self.reader.catalog.folder
        self.read.add(file.path)
        made = self._made(one, (file,), columns)
        if made is None:
            return None
        spill = Path(str(self.reader.query("SELECT current_setting('temp_directory') AS folder").column(0)[0].as_py()))
        try:
            spill.mkdir(parents=True, exist_ok=True)
            path = spill / f"{secrets.token_hex(8)}.parquet"
            self.reader.query(f"COPY ({made}) TO {sql_text(str(path.absolute()))} (FORMAT parquet)")
            place.mkdir(parents=True, exist_ok=True)
            kept = place / f"{stem}-{sha256_of(path)}.parquet"
            path.replace(kept)
        except OSError:
            return None  # the disk takes nothing: the rows are read
        return kept if (folder / file.path).exists() else None

    def _made_of_rest(self, one: Keepable, rest: Sequence[DataFile], name: str) -> tuple[str, ...] | None:
        self.read |= {file.path for file in rest}
        made = self._made(one, rest, one.columns)
        if made is None:
            return None
        self.reader.query(f"CREATE OR REPLACE TEMP TABLE {sql_name(name)} AS {made}")
        rows = self.reader.query(f"SELECT * FROM {sql_name(name)} LIMIT 0")
        return tuple(column for column in rows.column_names if column not in one.keys)

    def _made(self, one: Keepable, files: Sequence[DataFile], columns: Sequence[str]) -> str | None:
        """The SQL of what is kept of the rows of some files; None where that is not worth it."""
        rows = _rows_sql(self.reader.catalog.folder, replace(self.table, files=tuple(files)))
        first, last, known = self._span(rows)
        if not one.is_kept_of(first, last):
            return None
        return f"WITH {sql_name(f'{self.table.name}_versions')} AS ({rows}) {one.query(columns, first, last, known).sql(dialect=DIALECT)}"

    def _span(self, rows: str) -> tuple[date, date, date]:
        """The first and the last day on which rows happened, in UTC, and the last on which one was known."""
        if rows not in self.spans:
            days = ", ".join(f"CAST({name} AS DATE)" for name in ("min(happened_at)", "max(happened_at)", "max(known_at)"))
            first, last, known = (column[0].as_py() or NO_DAY for column in self.reader.query(f"SELECT {days} FROM ({rows})").columns)
            self.spans[rows] = first, last, max(last, known)
        return self.spans[rows]


def _pieces_there(place: Path, stem: str) -> Iterator[Path]:
    """Kept files of that name that are as they were written; others are deleted."""
    for path in sorted(place.glob(f"{stem}-*.parquet")):
        with suppress(OSError):
            if is_whole(path):
                yield path
            else:
                path.unlink()


def _covering(paths: Iterable[Path], one: Keepable) -> tuple[list[_Piece], tuple[str, ...]]:
    """Of the kept files those that are needed, each with the columns that are read of it, and the columns that none has."""
    there = [(path, _columns_of(path, one.keys)) for path in paths]
    wanted, found = set(one.columns), list[_Piece]()
    while wanted:
        fits = [(sum(_stem(name) in wanted for name in names), path, names) for path, names in there]
        most, path, names = max(fits, default=(0, Path(), ()))
        if not most:
            break
        found.append(_Piece(path, tuple(name for name in names if _stem(name) in wanted)))
        wanted -= {_stem(name) for name in names}
    return found, tuple(name for name in one.columns if name in wanted)


def _stem(name: str) -> str:
    return name.partition("_")[0]


def _columns_of(path: Path, keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in pq.read_schema(path).names if name not in keys)


def _by_names(pieces: Sequence[_Piece]) -> dict[tuple[str, ...], list[Path]]:
    found: dict[tuple[str, ...], list[Path]] = {}
    for piece in pieces:
        found.setdefault(piece.names, []).append(piece.path)
    return found


def _read_sql(keys: Sequence[str], names: Sequence[str], paths: Sequence[Path]) -> str:
    listed = ", ".join(sql_text(str(path.absolute())) for path in paths)
    return f"SELECT {', '.join(map(sql_name, [*keys, *names]))} FROM read_parquet([{listed}])"


def _clear(place: Path, name: str, used: set[Path]) -> None:
    """Delete what has not been used for long; what is used now is marked so."""
    for path in place.glob(f"{name}-*.parquet"):
        with suppress(OSError):
            if path in used:
                os.utime(path)
            elif path.stat().st_mtime < time.time() - OUTDATED_SECONDS:
                path.unlink()


def _zone_rules(zone: str) -> str:
    """What the time zone's rules are, by the bytes of its file: with other rules days are other days."""
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / zone
        if path.is_file():
            return sha256_of(path)
    with suppress(ModuleNotFoundError, OSError):
        return hashlib.sha256(resources("tzdata.zoneinfo").joinpath(*zone.split("/")).read_bytes()).hexdigest()
    return zone
