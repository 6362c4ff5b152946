"""A Postgres session that computes: temporary tables of its own, and nothing else is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pyarrow as pa

from unspun.book.mapping.definition import SourceMapping
from unspun.book.sql_words import sql_text
from unspun.connectors.sql.address import Address
from unspun.connectors.sql.extract import row_order
from unspun.connectors.sql.postgres import Limits, PostgresSession, close_connection, open_connection, read_as, told, type_of
from unspun.connectors.sql.session import Selection, Unreadable, known_relation
from unspun.errors import Fault, UnspunError

SHARES_OF_MEMORY = 8
"""Of the memory that may be used, one hash table or sort has one share, and the pages of temporary tables have one."""
OLDEST = 140_000
UNIQUE = """
SELECT array_agg(a.attname::text) AS names FROM pg_index i
JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN LATERAL unnest(i.indkey) AS k(attnum) ON true
JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
WHERE i.indisunique AND i.indpred IS NULL AND i.indexprs IS NULL AND n.nspname || '.' || c.relname = {name} GROUP BY i.indexrelid"""


class TablesSession(PostgresSession):
    """One transaction that sees one state of the database from beginning to end and may make temporary tables in it."""

    failed = False
    server_version = ""

    def begin(self) -> None:
        """Raises UnspunError on a server that is too old."""
        self._run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ WRITE")
        self._prepare()
        self._run("SET jit = off")  # it compiles hundreds of columns for longer than they take
        version = self._rows("SELECT current_setting('server_version_num')::int AS n, current_setting('server_version') AS told")[0]
        self.server_version = str(version["told"]).partition(" ")[0]
        if version["n"] < OLDEST:
            hint = "It takes Postgres 14 or newer."
            raise UnspunError(Fault("old_server", f"Postgres {self.server_version} is too old.", self._name, hint))

    def use_memory(self, megabytes: int) -> None:
        """Let queries use so much, about; what is more spills on the server."""
        share = max(megabytes // SHARES_OF_MEMORY, 4)
        self._run(f"SET work_mem = '{share}MB'")
        self._run(f"SET temp_buffers = '{share}MB'")

    def run(self, sql: str) -> None:
        """Run a statement."""
        self._run(sql)

    def table(self, sql: str, parameters: tuple[int, ...] = ()) -> pa.Table:
        """The rows of a query, whole."""
        with self._asked(sql, parameters) as cursor:
            return cursor.fetch_arrow_table()

    def fill(self, name: str, rows: pa.RecordBatchReader) -> None:
        """Copy rows into a temporary table, as they come."""
        from adbc_driver_manager.dbapi import Error

        failed: UnspunError | None = None
        with self._connection.cursor() as cursor:
            try:
                cursor.adbc_ingest(name, rows, mode="append", temporary=True)
            except (Error, OSError, pa.ArrowException) as error:
                failed = self._failed(error)
        if failed is not None:
            self.failed = True
            raise failed from None

    # Relations that are read where they lie

    def column_types(self, mapping: SourceMapping) -> dict[str, str]:
        """The columns of a source, each with its Postgres type. Raises BadInput where there is no such relation."""
        return {field.name: type_of(field) for field in self._schema(self._selected(mapping))}

    def rows_of(self, mapping: SourceMapping) -> str:
        """The rows of a source, as what stands after FROM."""
        return self._from(self._selected(mapping))

    def order_of(self, mapping: SourceMapping) -> str:
        """What a reading of the source orders its rows by."""
        selection = self._selected(mapping)
        fields = {field.name: field for field in self._schema(selection)}
        key = self.key(selection.relation) if selection.relation else ()
        return ", ".join(read_as(fields[name]) for name in row_order(mapping, key)(list(fields)))

    def is_unique(self, mapping: SourceMapping, columns: Sequence[str]) -> bool:
        """Whether an index sees to it that no two rows of the source agree in some columns."""
        selection = self._selected(mapping)
        if not selection.relation:
            return False
        return any(set(row["names"]) <= set(columns) for row in self._rows(UNIQUE.format(name=sql_text(selection.relation))))

    def asked(self, sql: str) -> list[dict[str, Any]]:
        """The rows of a query."""
        return self._rows(sql)

    def _selected(self, mapping: SourceMapping) -> Selection:
        relation = known_relation(self.relations(), mapping.relation, mapping.files[0]) if mapping.relation else ""
        return Selection(relation, mapping.query)

    def undo(self) -> None:
        """Take back all that the transaction made."""
        from adbc_driver_manager.dbapi import Error

        with suppress(Error, OSError):  # a connection that is broken off left nothing
            self._connection.rollback()

    def _forget(self) -> None:
        """After a statement that failed nothing more can be computed."""
        self.failed = True

    def _failed(self, error: Exception) -> UnspunError:
        state, said = getattr(error, "sqlstate", None) or "", self._address.hide(told(error))
        where = self._name
        if state == "42501":
            hint = "Ask for the right named (TEMPORARY on the database, SELECT on the tables); no other is needed."
            return UnspunError(Fault("permission_denied", f"{said}.", where, hint))
        if state == "57014":
            hint = "Raise `statement_seconds` in book.yml, or ask for fewer metrics or dates."
            return UnspunError(Fault("statement_timeout", "a step took longer than is allowed.", where, hint))
        if state == "22021":
            what = "a text holds a sign that Postgres does not take (a NUL)."
            return UnspunError(Fault("sign_refused", what, where, "Compute it on DuckDB, or correct the text and load it again."))
        if state == "25006":
            hint = "Name the primary server: a panel needs temporary tables."
            return UnspunError(Fault("read_only", "this server is a standby, which takes no temporary tables.", where, hint))
        if state.startswith(("53", "54")):
            return UnspunError(Fault("out_of_resources", f"the server has no room left: {said}.", where, "Ask for fewer metrics or dates."))
        if state.startswith(("42", "22", "0A")):
            return UnspunError(Fault("query_refused", f"the database cannot compute this: {said}.", where, "Compute it on DuckDB."))
        hint = "Nothing was recorded; run it again when it answers."
        return Unreadable(Fault("broken_off", "the database broke the computation off.", where, hint))


@contextmanager
def open_tables(address: Address, name: str, limits: Limits) -> Iterator[TablesSession]:
    """A session on a Postgres that goes by `name` in messages; at its end nothing of it is left. Raises UnspunError."""
    connection = open_connection(address, name, limits)
    session = TablesSession(connection, address, name, limits)
    try:
        session.begin()
        yield session
    finally:
        session.undo()
        close_connection(connection)
