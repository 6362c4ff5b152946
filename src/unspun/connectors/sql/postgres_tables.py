"""A Postgres session that computes: temporary tables of its own, and nothing else is written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pyarrow as pa

from unspun.connectors.sql.address import Address
from unspun.connectors.sql.postgres import Limits, PostgresSession, close_connection, open_connection, told
from unspun.connectors.sql.session import Unreadable
from unspun.errors import Fault, UnspunError

SHARES_OF_MEMORY = 8
"""Of the memory that may be used, one hash table or sort has one share, and the pages of temporary tables have one."""
OLDEST = 140_000


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
