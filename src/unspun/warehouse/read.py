"""Reading the book: one version of it, as it was known before an instant, as SQL views over its Parquet files."""

from __future__ import annotations

import secrets
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from unspun.book.entities import TABLES, Table
from unspun.engines.embedded import arrow_table, connect, engine_version, record_batches, sql_name, sql_text
from unspun.errors import BadInput, Fault, UnspunError
from unspun.warehouse.event_accounts import EVENTS, SUBSCRIPTIONS, accounts_sql, names_subscriptions_only, resolved_sql
from unspun.warehouse.file_facts import is_worth_keeping, kept_file
from unspun.warehouse.load_rejected import MENDED_STORED, MENDED_TABLE, REJECTED_STORED, REJECTED_TABLE
from unspun.warehouse.read_files import RESTORE, file_faults
from unspun.warehouse.read_sql import SQL_TYPES, Columns, files_sql, known_rows_sql, stored_sql, versions_sql, widened_sql
from unspun.warehouse.statements import history_sql, state_sql
from unspun.warehouse.versions import BookVersion, DataFile, TableVersion

if TYPE_CHECKING:
    from unspun.book.checks.extracts import FileFacts
    from unspun.warehouse.catalog import Catalog

__all__ = ["BookReader", "end_of_day", "known_rows_sql", "open_book", "spill_folder", "state_sql"]

BATCH_ROWS = 1 << 16
SPILLED = ".spill"
"""The folder in the warehouse where work in progress is written."""
HELD_ROWS = 1 << 18
BESIDE: dict[str, Columns] = {REJECTED_TABLE: REJECTED_STORED, MENDED_TABLE: MENDED_STORED}
WRONG_SQL = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException, duckdb.ConversionException)
Parameters = Sequence[object]


@dataclass(frozen=True, slots=True)
class BookReader:
    """An open book: SQL over its views.

    Every table of the book is a view, with every standard column (typed NULLs where nothing fills it). In a table each row stands
    once, in its newest version known before the instant; `<table>_versions` has all the row versions known then. A state table
    (accounts, contacts) shows the state of each thing, each column as it was stated last, and its `_history` the state of each thing
    from each instant on at which something was stated of it. An event that only names its subscription has that one's account;
    in `events_versions` it counts as known no sooner than that account was.
    `rejected` and `mended` are whole: rejected rows, and which later rows took the place of some.
    """

    version: BookVersion
    before: datetime | None
    views: tuple[tuple[str, str], ...]  # name and defining SQL
    connection: duckdb.DuckDBPyConnection
    catalog: Catalog

    def view_sql(self, name: str) -> str:
        """The SQL that defines a view. KeyError where there is no view of that name."""
        return dict(self.views)[name]

    def define_views(self) -> None:
        """Make the views known. Raises UnspunError where a file was taken away since it was looked up."""
        with self._explaining():
            for name, sql in self.views:
                self.connection.execute(f"CREATE VIEW {sql_name(name)} AS {sql}")

    def query(self, sql: str, parameters: Parameters = ()) -> pa.Table:
        """The rows of a query, whole. Raises UnspunError where the SQL, a file of the book or the memory does not allow it."""
        with self._explaining():
            return arrow_table(self.connection, sql, parameters)

    def stream(self, sql: str, parameters: Parameters = (), batch_rows: int = BATCH_ROWS) -> Generator[pa.RecordBatch, None, None]:
        """The rows of a query in batches, which need not fit in memory; read or close it before the next. Raises as `query` does."""
        with self._explaining():
            yield from record_batches(self.connection, sql, parameters, batch_rows)

    def register(self, name: str, rows: pa.Table) -> None:
        """Make a table in memory known to the queries under a name."""
        self.connection.register(name, rows)

    def holding_sql(self) -> tuple[tuple[str, ...], ...]:
        """For each small table the statements that keep it as it is read now in the engine, where many questions are asked of it: its
        files are read once. The largest first."""
        small = [table for table in self.version.tables if table.name in TABLES and 0 < table.rows <= HELD_ROWS]
        named = ((sql_name(table.name), sql_name(f"{table.name}_held")) for table in sorted(small, key=lambda table: -table.rows))
        return tuple(
            (f"CREATE TABLE {held} AS FROM {name}", f"DROP VIEW {name}", f"ALTER TABLE {held} RENAME TO {name}") for name, held in named
        )

    @contextmanager
    def beside(self) -> Iterator[BookReader]:
        """The same open book for another thread, whose queries run at the same time: it has the views and tables of this reader, but not
        what was registered or made as temporary."""
        connection = self.connection.cursor()
        try:
            yield replace(self, connection=connection)
        finally:
            connection.close()

    def by_file(self, facts: FileFacts) -> tuple[tuple[dict[str, str], ...], str]:
        """Aggregates of the rows of a table file by file: for each data file of which they are kept the SQL that reads them, by name, then
        the SQL of the rows of all others ("" there are none).

        What is not kept yet is made and kept. Files are looked at one by one only where the view of the table is just their rows: not as
        of an instant, nor where rows have several versions.
        """
        version, every = self.version.table(facts.table), f"SELECT * FROM {sql_name(facts.table)}"
        if version is None or self.view_sql(facts.table) != _rows_sql(self.catalog.folder, version):
            return (), every
        found = [(file, self._kept(version, file, facts) if is_worth_keeping(file) else None) for file in version.files]
        rest = tuple(file for file, kept in found if kept is None)
        left = _rows_sql(self.catalog.folder, replace(version, files=rest)) if len(rest) < len(found) else every
        return tuple(kept for _, kept in found if kept is not None), left if rest else ""

    def _kept(self, table: TableVersion, file: DataFile, facts: FileFacts) -> dict[str, str] | None:
        """The SQL that reads what is kept of a data file, by name; None where the disk takes nothing."""
        rows = _rows_sql(self.catalog.folder, replace(table, files=(file,)))
        said = rows.replace(str(self.catalog.folder.absolute()), "")
        asked: dict[str, str] = {}
        kept: dict[str, str] = {}
        for name, definition in facts.definitions.items():

            def make(name: str = name) -> Path:
                if not asked:
                    asked.update(facts.sql(rows))
                return self._copied(asked[name])

            try:
                path = kept_file(self.catalog.folder, file, name, f"{engine_version()} {definition} {said}", make)
            except (OSError, UnspunError):
                return None  # the disk takes nothing; if the rows or the SQL are at fault, that is said when the rows are read
            if path is None:
                return None
            kept[name] = f"SELECT * FROM read_parquet({sql_text(str(path.absolute()))})"
        return kept

    def _copied(self, sql: str) -> Path:
        """The rows of a query as a Parquet file in the folder where queries spill."""
        spill = Path(str(self.query("SELECT current_setting('temp_directory') AS folder").column(0)[0].as_py()))
        spill.mkdir(parents=True, exist_ok=True)
        path = spill / f"{secrets.token_hex(8)}.parquet"
        self.query(f"COPY ({sql}) TO {sql_text(str(path.absolute()))} (FORMAT parquet)")
        return path

    @contextmanager
    def _explaining(self) -> Iterator[None]:
        try:
            yield
        except (duckdb.Error, pa.ArrowException, RuntimeError) as error:
            raise UnspunError(_why(self, error)) from error


@contextmanager
def open_book(catalog: Catalog, version: BookVersion, before: datetime | None = None, memory: str = "1500MB") -> Iterator[BookReader]:
    """Open a version of the book as it was known before an instant (None: all that it holds).

    Takes no lock. Raises UnspunError, all faults together, where data files are missing, of another size or of another schema.
    """
    _refuse(catalog, version, file_faults(catalog.folder, (file for table in version.tables for file in table.files)))
    with connect(memory, spill_folder(catalog), [catalog.folder]) as connection:
        _refuse(catalog, version, [fault for table in version.tables for fault in _schema_faults(connection, catalog, table)])
        views = dict(_views(catalog, version, before))
        events = version.table(EVENTS)
        if events is not None and names_subscriptions_only(connection, catalog.folder, events):
            accounts = accounts_sql(catalog.folder, version.table(SUBSCRIPTIONS), before)
            history = f"{EVENTS}_versions"
            views |= {EVENTS: resolved_sql(views[EVENTS], accounts), history: resolved_sql(views[history], accounts, dated=True)}
        reader = BookReader(version, before, tuple(views.items()), connection, catalog)
        reader.define_views()
        yield reader


def spill_folder(catalog: Catalog) -> Path:
    """Where queries on the book spill what does not fit in memory."""
    return catalog.folder / SPILLED


def end_of_day(day: date, zone: str) -> datetime:
    """The instant at which a day ends in a time zone: the first of the next day, in UTC. Raises BadInput on an unknown zone."""
    try:
        there = ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        hint = "Name it as the IANA time zone database does, such as Europe/Berlin."
        raise BadInput(Fault("time_zone", f"`{zone}` is no time zone.", "time_zone", hint)) from error
    # fold=0: the first midnight where a clock shows two; where it skips midnight, the moment of the skip
    following = min(day, date.max - timedelta(days=1)) + timedelta(days=1)  # the last day that there is has none
    return datetime.combine(following, time(), there).astimezone(UTC)


def _views(catalog: Catalog, version: BookVersion, before: datetime | None) -> Iterator[tuple[str, str]]:
    """Name and SQL of every view: the tables of the book, the rejected rows, and any other table that the version holds."""
    for name, entity in TABLES.items():
        standard = _standard(entity)
        yield from _views_of(catalog, version.table(name) or _nothing(name, standard), entity, standard, before)
    for name, columns in BESIDE.items():
        table = version.table(name) or _nothing(name, columns)
        yield name, widened_sql(stored_sql(catalog.folder, table), table.columns, columns)


def _views_of(
    catalog: Catalog, table: TableVersion, entity: Table, standard: Columns, before: datetime | None
) -> Iterator[tuple[str, str]]:
    def widened(sql: str) -> str:
        return widened_sql(sql, table.columns, standard)

    yield f"{table.name}_versions", widened(versions_sql(catalog.folder, table, before))
    if entity.state:
        yield f"{table.name}_history", widened(history_sql(catalog.folder, table, before))
    yield table.name, widened((state_sql if entity.state else known_rows_sql)(catalog.folder, table, before))


def _standard(entity: Table) -> Columns:
    return [*entity.row_columns, *((column.name, column.kind) for column in entity.columns)]


def _rows_sql(folder: Path, table: TableVersion) -> str:
    """The rows of a table's files as its view shows them where it shows nothing else."""
    entity = next(entity for entity in TABLES.values() if entity.name == table.name)
    return widened_sql(stored_sql(folder, table), table.columns, _standard(entity))


def _nothing(name: str, columns: Columns) -> TableVersion:
    return TableVersion(name, 0, (), tuple(columns), False, ())


def _schema_faults(connection: duckdb.DuckDBPyConnection, catalog: Catalog, table: TableVersion) -> list[Fault]:
    """A fault for each data file that is no Parquet file or whose columns are not the table's; looked at one by one only if needed."""
    paths = [file.path for file in table.files]
    if not paths or _columns_fit(connection, catalog, table, paths) is None:
        return []
    found = ((file, _columns_fit(connection, catalog, table, [file.path])) for file in table.files)
    return [Fault("file_damaged", f"A data file of `{table.name}` {what}.", file.path, RESTORE) for file, what in found if what]


def _columns_fit(connection: duckdb.DuckDBPyConnection, catalog: Catalog, table: TableVersion, paths: Sequence[str]) -> str | None:
    """What is wrong with the columns of these files; None where each is one of the table's, of its type."""
    expected = {name: SQL_TYPES[kind] for name, kind in table.columns}
    try:
        described = connection.execute(f"DESCRIBE {files_sql(catalog.folder, paths)}").fetchall()
    except duckdb.Error as error:
        return f"cannot be read as Parquet ({_first_line(error)})"
    for name, kind, *_ in described:
        if name in expected and kind != expected[name]:
            return f"has another schema: `{name}` is {kind}, and should be {expected[name]}"
    return None


def _refuse(catalog: Catalog, version: BookVersion, faults: Sequence[Fault]) -> None:
    if faults:
        raise UnspunError(_moved_on(catalog, version) or faults)


def _moved_on(catalog: Catalog, version: BookVersion) -> Fault | None:
    """The fault of a version whose files a compaction or an erasure has taken away since it was looked up; None where neither has."""
    try:
        same = catalog.version(version.version).tables == version.tables
    except BadInput as error:
        return error.faults[0]
    hint = "Run the command again: it reads the version as it is now."
    return None if same else Fault("version_changed", "The files of this book version were replaced while it was read.", "", hint)


def _why(reader: BookReader, error: Exception) -> Fault | Sequence[Fault]:
    """What a query failed of: a version that is gone, a damaged file, memory, the disk, or else the SQL itself."""
    files = [file for table in reader.version.tables for file in table.files]
    if isinstance(error, duckdb.OutOfMemoryException):
        return Fault("memory", f"The memory allowed is not enough ({_first_line(error)}).", "memory", "Allow more in unspun.toml.")
    wrong_sql = isinstance(error, WRONG_SQL)
    damaged = file_faults(reader.catalog.folder, files, hashed=not wrong_sql)
    if damaged:
        return _moved_on(reader.catalog, reader.version) or damaged
    return Fault("query", f"{'This SQL does not fit the book' if wrong_sql else 'The query failed'}: {_first_line(error)}")


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
