"""DuckDB inside the process: an in-memory database over files, with bounded memory, no network and no way to other folders."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb
import pyarrow as pa

from unspun.book.sql_words import sql_name, sql_text
from unspun.errors import BadInput, Fault

__all__ = ["ENGINE", "arrow_table", "clear_spilled", "connect", "engine_version", "record_batches", "sql_name", "sql_text"]

ENGINE = "duckdb"
THREADS_AT_LEAST = 2
STARTING = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "allow_persistent_secrets": "false",
}


def engine_version() -> str:
    """The version of the engine, as provenance states it."""
    return duckdb.__version__


@contextmanager
def connect(memory: str, temporary: Path, folders: Sequence[Path] = ()) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-memory database that may use `memory` (as "1500MB") and spills into a folder of its own under `temporary`.

    Instants are shown in UTC. Its SQL can read and write files in `folders` and in `temporary` only: nothing is downloaded, no other
    file is opened, and no statement can change that. Arrow tables come in by `register`. Raises BadInput on a wrong `memory`.
    """
    spill = temporary / f"{os.getpid()}-{secrets.token_hex(4)}"
    with suppress(OSError):  # where nothing can be written, only a query that has to spill fails, and says so
        temporary.mkdir(parents=True, exist_ok=True)
    connection = _open(memory, spill)
    try:
        _confine(connection, [*folders, temporary])
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


def clear_spilled(temporary: Path) -> None:
    """Delete what processes that are no more, killed while they were connected, left under `temporary`."""
    for path in temporary.glob("*-*"):
        if not _is_running(path.name.partition("-")[0]):
            shutil.rmtree(path, ignore_errors=True)


def _is_running(process: str) -> bool:
    if os.name != "posix":  # elsewhere a process cannot be asked without disturbing it
        return True
    try:
        os.kill(int(process), 0)
    except (ProcessLookupError, ValueError):
        return False
    except PermissionError:
        return True
    return True


def arrow_table(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()) -> pa.Table:
    """The rows of a query, whole; a statement without rows gives an empty table."""
    result = connection.sql(sql, params=list(parameters) or None)
    return pa.table({}) if result is None else result.to_arrow_table()


def record_batches(
    connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = (), batch_rows: int = 1 << 16
) -> Generator[pa.RecordBatch, None, None]:
    """The rows of a query in batches, as they come. To be read to its end, or closed, before the connection's next query."""
    result = connection.sql(sql, params=list(parameters) or None)
    if result is not None:
        yield from result.to_arrow_reader(batch_rows)


def _open(memory: str, spill: Path) -> duckdb.DuckDBPyConnection:
    try:
        return duckdb.connect(":memory:", config={**STARTING, "memory_limit": memory, "temp_directory": str(spill)})
    except duckdb.ParserException as error:
        raise BadInput(Fault("memory", f"`{memory}` is no amount of memory.", "memory", "Write it as 1500MB or 4GB.")) from error


def _confine(connection: duckdb.DuckDBPyConnection, folders: Sequence[Path]) -> None:
    """UTC, a thread for each processor, and from then on no files but those of `folders`, for good."""
    connection.execute("SET GLOBAL TimeZone = 'UTC'")  # of its cursors too
    connection.execute(f"SET threads = {max(THREADS_AT_LEAST, os.cpu_count() or 1)}")
    allowed = ", ".join(sql_text(f"{folder.absolute()}{os.sep}") for folder in folders)
    connection.execute(f"SET allowed_directories = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
