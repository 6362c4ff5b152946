"""Postgres, read through its ADBC driver: binary COPY into Arrow, in one read-only transaction with a snapshot of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

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
from unspun.errors import BadInput, Fault, UnspunError

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

INSTANT, TIME, DAY = pa.timestamp("us", "UTC"), pa.timestamp("us"), pa.date32()
PLAIN = {"bool": pa.bool_(), "int2": pa.int16(), "int4": pa.int32(), "int8": pa.int64(), "float4": pa.float32(), "float8": pa.float64()}
TIMES = {"timestamptz": INSTANT, "timestamp": TIME, "date": DAY}
CURSORS: dict[str, CursorKind] = {
    "timestamptz": "instant", "timestamp": "time", "date": "day", "int2": "whole", "int4": "whole", "int8": "whole",
}  # fmt: skip
SQL_OF_CURSOR = {"instant": "timestamptz", "time": "timestamp", "day": "timestamp", "whole": "numeric"}
# Where the cursor may stand at most. A time or a day without a zone may be UTC's or the server's own, so the earlier one holds: what is
# read twice changes nothing, and what is passed over is lost.
LATEST = {
    "instant": "now()",
    "time": "least(now() AT TIME ZONE 'UTC', now() AT TIME ZONE {zone})",
    "day": "least(now() AT TIME ZONE 'UTC', now() AT TIME ZONE {zone})::date - 1",
}
AS_STANDARD = (  # what a role or a database may have set otherwise, and values as text depend on
    "SET DateStyle = 'ISO, MDY'", "SET IntervalStyle = 'postgres'", "SET bytea_output = 'hex'", "SET extra_float_digits = 1",
    "SET standard_conforming_strings = on",
)  # fmt: skip
MOST_PLACES, MOST_DIGITS = 18, 38
RELATIONS = """
SELECT n.nspname || '.' || c.relname AS name,
       CASE WHEN c.reltuples >= 0 AND c.relkind IN ('r', 'p', 'm') THEN c.reltuples::bigint END AS rows
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
ORDER BY 1"""
KEY = """
SELECT a.attname::text AS name FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k(attnum, place) ON true
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indisprimary AND n.nspname || '.' || c.relname = {name} ORDER BY k.place"""
PARTS = """
SELECT n.nspname::text AS schema, c.relname::text AS relation, row_security_active(c.oid) AS filtered
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname || '.' || c.relname = {name}"""

KNOWN_FAILURES = (
    (
        "password authentication failed", "login_refused", "it refuses the user or the password.",
        "Check the variable that holds its URL, PGPASSWORD or ~/.pgpass.",
    ),
    (
        "no password supplied", "login_refused", "it wants a password and got none.",
        "Put the URL with it into the variable that `url_from` names, or set PGPASSWORD.",
    ),
    (
        "no pg_hba.conf entry", "login_refused", "it does not let this user in from here, or not without TLS.",
        "Ask who runs it; its URL may lack `sslmode=require`.",
    ),
    ("could not translate host name", "unknown_host", "there is no host of that name.", "Check the host in its URL, and the network."),
    ("onnection refused", "no_server", "nothing answers at that host and port.", "Check both in its URL, and that the server is up."),
    (
        "timeout expired", "no_answer", "it did not answer in time.",
        "Check host, port and firewall, or give it longer: `connect_timeout` in its URL.",
    ),
    ("to SSL negotiation", "no_server", "what answers at that host and port is no Postgres server.", "Check both in its URL."),
    ("SSL", "tls", "no secured connection came about.", "Check sslmode and the certificates that its URL names."),
    ("certificate", "tls", "its certificate is not accepted.", "Check sslmode and sslrootcert in its URL."),
    ("does not exist", "no_such_database", "the server has no such database, or no such user.", "Check its URL."),
    (
        "invalid URI query parameter", "bad_database_url", "its URL has a setting that Postgres does not know.",
        "Check what follows the ? in its URL.",
    ),
    (
        "URI query parameter", "bad_database_url", "its URL has a setting that cannot be read.",
        "Write characters such as = and & of a value in percent form: %3D for =.",
    ),
    ("invalid percent-encoded", "bad_database_url", "its URL has a % that begins no percent form.", "Write % as %25."),
    (
        "too many c", "no_connection_left", "it takes no more connections.", "Try again later, or ask who runs it.",
    ),
    ("starting up", "no_answer", "it is starting up.", "Try again in a moment."),
    ("shutting down", "no_answer", "it is shutting down.", "Try again when it is up again."),
)  # fmt: skip


KEPT_ALIVE = {"keepalives_idle": 60, "keepalives_interval": 10, "keepalives_count": 6}  # seconds: a network that went away is noticed


@dataclass(frozen=True, slots=True)
class Limits:
    """How long to wait for a connection, and for a statement, in seconds (0: as long as it takes)."""

    connect_seconds: int = 15
    statement_seconds: int = 0


@contextmanager
def open_postgres(address: Address, name: str, limits: Limits) -> Iterator[PostgresSession]:
    """A read-only transaction on a Postgres database that goes by `name` in messages. Raises Unreadable where it cannot be reached."""
    connection = open_connection(address, name, limits)
    try:
        session = PostgresSession(connection, address, name, limits)
        session.begin()
        yield session
    finally:
        close_connection(connection)


def open_connection(address: Address, name: str, limits: Limits) -> Connection:
    """A connection to a Postgres that goes by `name` in messages. Raises Unreadable where it cannot be reached."""
    from adbc_driver_manager.dbapi import Error
    from adbc_driver_postgresql.dbapi import connect

    wanted = {"connect_timeout": limits.connect_seconds, "application_name": "unspun", **KEPT_ALIVE}
    given = [f"{setting}={value}" for setting, value in wanted.items() if not re.search(rf"[?&]{setting}=", address.url)]
    start, _, settings = address.url.partition("?")
    url = f"{start}?{'&'.join([*filter(None, [settings.strip('&')]), *given])}"
    try:
        return connect(url, autocommit=False)
    except Error as error:
        fault = _not_connected(address.hide(str(error).replace(url, "")), name)
    raise Unreadable(fault)  # outside the handler: what the driver said may hold the address


def close_connection(connection: Connection) -> None:
    """Close a connection, whatever became of its server."""
    from adbc_driver_manager.dbapi import Error

    try:
        connection.close()
    except (Error, OSError):  # a server that has gone away has nothing left to close
        return


def _not_connected(said: str, name: str) -> Fault:
    """What a failed connection means, in words that hold neither user nor address."""
    for words, code, message, hint in KNOWN_FAILURES:
        if words in said:
            return Fault(code, f"the database cannot be read: {message}", name, hint)
    return Fault("no_database", "the database cannot be reached.", name, "Check its URL and the network, and that the server is up.")


class PostgresSession:
    """One transaction. Every statement goes through `_asked`, which says what failed without repeating what is secret."""

    def __init__(self, connection: Connection, address: Address, name: str, limits: Limits) -> None:
        self._connection, self._address, self._name = connection, address, name
        self._limits, self._failing = limits, False
        self._zone = "UTC"  # the server's own, in which it writes times without a zone

    def begin(self) -> None:
        self._run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._run("SET default_transaction_read_only = on")
        self._prepare()

    def _prepare(self) -> None:
        """What a session is to be like, whatever a role or a database has set."""
        self._zone = self._rows("SELECT current_setting('TimeZone') AS zone")[0]["zone"]
        for setting in ("SET TIME ZONE 'UTC'", *AS_STANDARD):
            self._run(setting)
        if self._limits.statement_seconds:
            self._run(f"SET statement_timeout = {self._limits.statement_seconds * 1000:d}")

    def relations(self) -> list[Relation]:
        return [Relation(row["name"], row["rows"]) for row in self._rows(RELATIONS)]

    def key(self, relation: str) -> tuple[str, ...]:
        return tuple(row["name"] for row in self._rows(KEY.format(name=sql_text(relation))))

    def cursor_kind(self, selection: Selection, column: str) -> CursorKind:
        types = {field.name: type_of(field) for field in self._schema(selection)}
        kind = types[column_of(list(types), column, self._name)]
        if kind not in CURSORS:
            message = f"the cursor '{column}' is of type {kind}, which does not tell what is new."
            raise BadInput(Fault("bad_cursor", message, self._name, "Name a column of times, days or whole numbers that only grows."))
        return CURSORS[kind]

    def survey(self, selection: Selection, cursor: str | None, as_text: frozenset[str]) -> Surveyed:
        schema = self._schema(selection)
        refuse_repeated(schema.names, self._name)
        if not schema.names:
            raise BadInput(Fault("no_columns", "the relation has no columns.", self._name, "Name another one."))
        cursor_kind = None if cursor is None else self.cursor_kind(selection, cursor)
        asked = ["count(*) AS n"]
        for i, field in enumerate(schema):
            name = sql_name(field.name)
            if type_of(field) in TIMES:
                asked.append(f"count(*) FILTER (WHERE NOT ({_ordinary(name)})) AS odd_{i}")
            if type_of(field) == "numeric" and _places(field) is None:
                asked.append(f"max(scale(trim_scale({name}))) AS places_{i}")
        if cursor is not None:
            name = sql_name(cursor)
            latest = LATEST[cursor_kind].format(zone=sql_text(self._zone)) if cursor_kind in LATEST else ""
            until = f" FILTER (WHERE {_ordinary(name)} AND {name} <= {latest})" if latest else ""
            asked += [f"max({name}){until}::text AS last", f"count(*) FILTER (WHERE {name} IS NULL) AS without"]
        found = self._rows(f"SELECT {', '.join(asked)} FROM {self._from(selection)}")[0]
        columns = tuple(
            (field.name, pa.string() if field.name in as_text else _arrow_type(field, found.get(f"places_{i}")))
            for i, field in enumerate(schema)
        )
        notes = self._filtered(selection) + [
            f"{n:,} values of '{field.name}' are infinite or outside the years 1 to 9999, and are read as empty"
            for i, field in enumerate(schema)
            if (n := found.get(f"odd_{i}"))
        ]
        return Surveyed(columns, found["n"], found.get("last"), found.get("without") or 0, tuple(notes))

    def batches(self, selection: Selection, surveyed: Surveyed, order: Sequence[str]) -> Iterator[pa.RecordBatch]:
        names = [name for name, _ in surveyed.columns]
        wanted = ", ".join(f"{read_as(field)} AS {sql_name(field.name)}" for field in self._schema(selection))
        place = {name: i for i, name in enumerate(names, 1)}
        by = ", ".join(str(place[name]) for name in order) or "1"
        with self._asked(f"SELECT {wanted} FROM {self._from(selection)} ORDER BY {by}") as cursor:
            for batch in cursor.fetch_record_batch():
                yield _fitted(batch, surveyed.columns)

    def _schema(self, selection: Selection) -> pa.Schema:
        from adbc_driver_manager.dbapi import Error

        rows = self._from(selection)
        with self._connection.cursor() as cursor:
            try:
                return cursor.adbc_execute_schema(f"SELECT * FROM {rows}")
            except (Error, OSError, pa.ArrowException) as error:
                fault = self._failed(error)
        self._forget()
        raise fault from None

    def _from(self, selection: Selection) -> str:
        """The rows of a selection, in brackets, as what stands after FROM."""
        if selection.query:
            inner = f"({selection.query.strip().rstrip(';')}\n) AS asked"
        else:
            parts = self._rows(PARTS.format(name=sql_text(selection.relation)))
            schema, _, table = selection.relation.rpartition(".")
            names = [parts[0]["schema"], parts[0]["relation"]] if parts else [schema, table]
            inner = f"{'.'.join(sql_name(name) for name in names if name)} AS asked"
        return inner if selection.since is None else f"(SELECT * FROM {inner} WHERE {_since(selection.since)}) AS asked"

    def _filtered(self, selection: Selection) -> list[str]:
        """A note where the server shows this user some rows of a relation only."""
        parts = self._rows(PARTS.format(name=sql_text(selection.relation))) if selection.relation else []
        said = "row-level security decides which of its rows this user sees: there may be others"
        return [said] if any(part["filtered"] for part in parts) else []

    def _rows(self, sql: str) -> list[dict[str, Any]]:
        with self._asked(sql) as cursor:
            return cursor.fetch_arrow_table().to_pylist()

    def _run(self, sql: str) -> None:
        with self._asked(sql):
            return

    @contextmanager
    def _asked(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[Any]:
        from adbc_driver_manager.dbapi import Error

        failed: UnspunError | None = None
        with self._connection.cursor() as cursor:
            try:
                cursor.execute(sql, parameters or None)
                yield cursor
            except (Error, OSError, pa.ArrowException) as error:
                failed = self._failed(error)
        if failed is not None:
            self._forget()
            raise failed from None

    def _forget(self) -> None:
        """After a statement that failed begin anew: nothing will be loaded, and what else is wrong can be told too."""
        from adbc_driver_manager.dbapi import Error

        if self._failing:
            return
        self._failing = True
        with suppress(Error, OSError, UnspunError):  # a connection that is broken off says so when it is used next
            self._connection.rollback()
            self.begin()
        self._failing = False

    def _failed(self, error: Exception) -> UnspunError:
        state, said = getattr(error, "sqlstate", None) or "", self._address.hide(told(error))
        if state == "42501":
            fault = Fault("permission_denied", f"{said}.", self._name, "Ask for the right to SELECT it, or read a view that you may read.")
        elif state == "57014":
            fault = Fault(
                "statement_timeout", "the reading took longer than is allowed.", self._name, "Raise `statement_seconds` in book.yml."
            )
        elif state == "25006":
            fault = Fault("read_only", f"{said}.", self._name, "Databases are only read: a query is one SELECT.")
        elif state.startswith(("42", "22", "0A", "2201")):
            fault = Fault("query_refused", f"{said}.", self._name, "Correct the relation or the query in book.yml.")
        else:
            hint = "Nothing was loaded; load again when it answers."
            return Unreadable(Fault("broken_off", "the database broke the reading off.", self._name, hint))
        return BadInput(fault)


def told(error: Exception) -> str:
    """What the server said: the line of its error, without the statement."""
    found = re.search(r"ERROR:\s*([^\n]*)", str(error))
    return found[1].strip().rstrip(".") if found else "the server gave an error"


def _since(since: Since) -> str:
    name, last = sql_name(since.column), f"{sql_text(since.last)}::{SQL_OF_CURSOR[since.kind]}"
    before = f"{since.overlap:.6f}" if since.kind == "whole" else f"interval '{since.overlap:.6f} seconds'"
    return f"{name} >= {last} - {before} OR {name} IS NULL"


def _ordinary(name: str) -> str:
    """An SQL condition: whether a time is one that a calendar of four-digit years has."""
    return f"{name} IS NULL OR ({name} >= '0001-01-01' AND {name} < '10000-01-01')"


def type_of(field: pa.Field) -> str:
    return ((field.metadata or {}).get(b"POSTGRESQL:type") or b"").decode()


def _places(field: pa.Field) -> int | None:
    """Places after the point of a numeric that declares them; None where it does not."""
    typmod = int((field.metadata or {}).get(b"POSTGRESQL:typmod") or b"-1")
    return None if typmod < 4 else (typmod - 4) & 0x7FF


def _arrow_type(field: pa.Field, places: int | None) -> pa.DataType:
    kind = type_of(field)
    if kind == "numeric":
        declared = _places(field)
        scale = (places or 0) if declared is None else declared
        return pa.decimal128(MOST_DIGITS, scale) if scale <= MOST_PLACES else pa.string()
    return pa.decimal128(MOST_DIGITS, 2) if kind == "money" else TIMES.get(kind) or PLAIN.get(kind) or pa.string()


def read_as(field: pa.Field) -> str:
    """A column as it is asked for: what Arrow has no plain type for comes as text."""
    name, kind = sql_name(field.name), type_of(field)
    if kind in TIMES:
        return f"CASE WHEN {_ordinary(name)} THEN {name} END"
    if kind == "money":
        return f"{name}::numeric::text"
    return name if kind in PLAIN else f"{name}::text"


def _fitted(batch: pa.RecordBatch, columns: Sequence[tuple[str, pa.DataType]]) -> pa.RecordBatch:
    cells = [_cells(column, name, kind) for column, (name, kind) in zip(batch.columns, columns, strict=True)]
    return pa.RecordBatch.from_arrays(cells, schema=pa.schema(columns))


def _cells(column: pa.Array, name: str, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    try:
        return pc.cast(column, kind)
    except pa.ArrowInvalid:
        pass
    raise Misfit(name)
