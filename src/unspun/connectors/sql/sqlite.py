"""SQLite, read through Python's own driver: one read transaction; what a column holds is told by its values, not by its declaration."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pyarrow as pa

from unspun.book.sql_words import sql_name, sql_text
from unspun.connectors.sql.address import Address
from unspun.connectors.sql.session import (
    CursorKind,
    Misfit,
    Relation,
    Selection,
    Since,
    Surveyed,
    Unreadable,
    column_of,
    refuse_repeated,
)
from unspun.errors import BadInput, Fault

BATCH_ROWS = 20_000
COLUMNS_AT_ONCE = 200  # SQLite gives at most 2,000 values in one row, and a column takes five
STEPS = 10_000  # of SQLite's machine between two looks at the clock
HELD = ("integer", "real", "text", "blob")
RELATIONS = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
DATES, TIMES = ("DATE",), ("DATETIME", "TIMESTAMP")

Kind = Literal["whole", "number", "flag", "day", "time", "text"]
ARROW: dict[Kind, pa.DataType] = {
    "whole": pa.int64(), "number": pa.float64(), "flag": pa.bool_(), "day": pa.date32(), "time": pa.timestamp("us"), "text": pa.string(),
}  # fmt: skip


@contextmanager
def open_sqlite(address: Address, name: str, wait_seconds: int, statement_seconds: int) -> Iterator[SqliteSession]:
    """A read transaction on a SQLite file that goes by `name` in messages. Raises Unreadable where it is not there or no database."""
    if not Path(address.url).is_file():
        raise Unreadable(Fault("no_database", "there is no such file.", name, "Check the path in its URL."))
    try:
        connection = sqlite3.connect(
            f"file:{quote(address.url)}?mode=ro", uri=True, timeout=wait_seconds, isolation_level=None, check_same_thread=False
        )
    except sqlite3.Error as error:
        raise Unreadable(_away(name, error)) from None
    try:
        session = SqliteSession(connection, name)
        session.begin(statement_seconds)
        yield session
    finally:
        connection.close()


def _away(name: str, error: sqlite3.Error) -> Fault:
    return Fault("no_database", f"the database cannot be read: {_said(error)}.", name, "Check the file, and that nobody holds it locked.")


def _said(error: sqlite3.Error) -> str:
    return str(error).rstrip(".")


class SqliteSession:
    """One read transaction."""

    def __init__(self, connection: sqlite3.Connection, name: str) -> None:
        self._connection, self._name = connection, name
        self._connection.text_factory = lambda text: text.decode("utf-8", "replace")

    def begin(self, statement_seconds: int) -> None:
        with self._failing():
            self._connection.execute("PRAGMA query_only = ON")
            self._connection.execute("BEGIN")
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # a read transaction begins with the first reading
        if statement_seconds:
            until = time.monotonic() + statement_seconds
            self._connection.set_progress_handler(lambda: int(time.monotonic() > until), STEPS)

    def relations(self) -> list[Relation]:
        return [Relation(name, None) for (name,) in self._rows(RELATIONS)]

    def key(self, relation: str) -> tuple[str, ...]:
        rows = self._rows(f"SELECT name FROM pragma_table_info({sql_text(relation)}) WHERE pk > 0 ORDER BY pk")
        return tuple(name for (name,) in rows)

    def cursor_kind(self, selection: Selection, column: str) -> CursorKind:
        name = sql_name(column_of([name for name, _ in self._declared(selection)], column, self._name))
        held = {kind for (kind,) in self._rows(f"SELECT DISTINCT typeof({name}) FROM {_from(selection)}")} - {"null"}
        if held <= {"text"}:
            return "text"
        if held == {"integer"}:
            return "whole"
        message = f"the cursor '{column}' holds values of the types {', '.join(sorted(held))}, which cannot be ordered together."
        raise BadInput(Fault("bad_cursor", message, self._name, "Name a column of times (as ISO text) or whole numbers that only grows."))

    def survey(self, selection: Selection, cursor: str | None, as_text: frozenset[str]) -> Surveyed:
        declared = self._declared(selection)
        refuse_repeated([name for name, _ in declared], self._name)
        asked = ["count(*)", *_of_cursor(cursor, None if cursor is None else self.cursor_kind(selection, cursor))]
        n, *of_cursor = self._rows(f"SELECT {', '.join(asked)} FROM {_from(selection)}")[0]
        found = self._held(selection, [name for name, _ in declared])
        columns = []
        for i, (name, type_name) in enumerate(declared):
            *held, other = found[i * 5 : i * 5 + 5]
            kind = (
                "text"
                if name in as_text
                else _kind([one for one, is_held in zip(HELD, held, strict=True) if is_held], type_name, bool(other))
            )
            columns.append((name, ARROW[kind]))
        last, without = of_cursor or (None, 0)
        return Surveyed(tuple(columns), n, None if last is None else str(last), without or 0, ())

    def _held(self, selection: Selection, names: Sequence[str]) -> list[int]:
        """Of each column: whether it holds values of each kind of `HELD`, and any number beside 0 and 1."""
        found: list[int] = []
        for start in range(0, len(names), COLUMNS_AT_ONCE):
            asked: list[str] = []
            for column in map(sql_name, names[start : start + COLUMNS_AT_ONCE]):
                asked += [f"coalesce(max(typeof({column}) = '{held}'), 0)" for held in HELD]
                asked.append(f"coalesce(max({column} NOT IN (0, 1)), 0)")
            found += self._rows(f"SELECT {', '.join(asked)} FROM {_from(selection)}")[0]
        return found

    def batches(self, selection: Selection, surveyed: Surveyed, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
        names = [name for name, _ in surveyed.columns]
        place = {name: i for i, name in enumerate(names, 1)}
        by = ", ".join(str(place[name]) for name in order) or "1"
        schema = pa.schema(surveyed.columns)
        with self._failing():
            rows = self._connection.execute(f"SELECT {', '.join(map(sql_name, names))} FROM {_from(selection)} ORDER BY {by}")
            while some := rows.fetchmany(BATCH_ROWS):
                cells = [_cells(column, field) for column, field in zip(zip(*some, strict=True), schema, strict=True)]
                yield pa.RecordBatch.from_arrays(cells, schema=schema)

    def _declared(self, selection: Selection) -> list[tuple[str, str]]:
        """The columns and their declared types; those of a query have none."""
        with self._failing():
            described = self._connection.execute(f"SELECT * FROM {_from(selection)} LIMIT 0").description
        types = dict(self._rows(f"SELECT name, upper(type) FROM pragma_table_info({sql_text(selection.relation)})"))
        return [(name, types.get(name, "")) for name, *_ in described]

    def _rows(self, sql: str) -> list[tuple[Any, ...]]:
        with self._failing():
            return self._connection.execute(sql).fetchall()

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.OperationalError, sqlite3.ProgrammingError, sqlite3.DatabaseError) as error:
            if "interrupted" in str(error):
                hint = "Raise `statement_seconds` in book.yml."
                raise BadInput(Fault("statement_timeout", "the reading took longer than is allowed.", self._name, hint)) from None
            if "readonly" in str(error):
                raise BadInput(
                    Fault("read_only", f"{_said(error)}.", self._name, "Databases are only read: a query is one SELECT.")
                ) from None
            if any(words in str(error) for words in ("no such", "syntax error", "one statement", "incomplete input", "ambiguous")):
                hint = "Correct the relation or the query in book.yml."
                raise BadInput(Fault("query_refused", f"{_said(error)}.", self._name, hint)) from None
            raise Unreadable(_away(self._name, error)) from None


def _of_cursor(cursor: str | None, kind: CursorKind | None) -> list[str]:
    if cursor is None:
        return []
    name = sql_name(cursor)
    if kind == "whole":
        return [f"max({name})", f"sum({name} IS NULL)"]
    past = f"datetime({name}) <= datetime('now')"  # local times east of Greenwich are then read twice, and none is passed over
    return [f"max(CASE WHEN {past} THEN datetime({name}) END)", f"sum(datetime({name}) IS NULL)"]


def _kind(held: Sequence[str], declared: str, beyond_flags: bool) -> Kind:
    """What a column is read as: what all its values are; text where they are of several kinds."""
    if not held or "blob" in held:
        return "text"
    if held == ["integer"]:
        return "flag" if declared.startswith("BOOL") and not beyond_flags else "whole"
    if "text" not in held:
        return "number"
    if held != ["text"]:
        return "text"
    return "day" if declared in DATES else "time" if declared in TIMES else "text"


def _from(selection: Selection) -> str:
    """The rows of a selection as what stands after FROM."""
    inner = f"({selection.query.strip().rstrip(';')}\n)" if selection.query else sql_name(selection.relation)
    return inner if selection.since is None else f"(SELECT * FROM {inner} WHERE {_since(selection.since)})"


def _since(since: Since) -> str:
    name = sql_name(since.column)
    if since.kind == "whole":
        return f"{name} >= {int(since.last)} - {int(since.overlap)} OR {name} IS NULL"
    from_time = f"datetime({sql_text(since.last)}, '-{since.overlap:.0f} seconds')"
    return f"datetime({name}) >= {from_time} OR datetime({name}) IS NULL"


def _cells(cells: Sequence[object], field: pa.Field) -> pa.Array:
    if pa.types.is_string(field.type):
        return pa.array([_text(cell) for cell in cells], pa.string())
    with suppress(pa.ArrowException):
        if pa.types.is_temporal(field.type):
            return pa.array(cells, pa.string()).cast(field.type)
        return pa.array([None if cell is None else bool(cell) for cell in cells] if pa.types.is_boolean(field.type) else cells, field.type)
    raise Misfit(field.name)


def _text(cell: object) -> str | None:
    if cell is None or isinstance(cell, str):
        return cell
    return cell.decode("utf-8", "replace") if isinstance(cell, bytes) else repr(cell)
