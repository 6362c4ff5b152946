"""A real console: `unspun serve` in a process of its own, asked over HTTP."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from tests.doors.cli_files import run

STARTING_SECONDS = 90.0


@dataclass
class Running:
    """A server that answers at `url`; `told` is what it printed, `errors` where its log goes."""

    url: str
    told: str
    errors: Path
    process: subprocess.Popen[bytes]

    @property
    def code(self) -> str:
        found = re.search(r"set-up code is (\S+)", self.told)
        assert found, self.told
        return found[1]

    def log(self) -> str:
        return self.errors.read_text()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


@contextmanager
def running_console(folder: Path, settings: str = "", port: int | None = None, **environment: str) -> Iterator[Running]:
    """A new workspace in `folder`, its unspun.toml with those lines more, served."""
    workspace, port = folder / "acme", port or free_port()
    assert run("init", workspace).code == 0
    with (workspace / "unspun.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    with served_workspace(workspace, folder, port, **environment) as running:
        yield running


@contextmanager
def served_workspace(workspace: Path, folder: Path, port: int, **environment: str) -> Iterator[Running]:
    """That workspace served; what it says is written to `folder`."""
    kept = {name: value for name, value in os.environ.items() if name not in ("UNSPUN_WORKSPACE", "DJANGO_SETTINGS_MODULE", "UNSPUN_LOG")}
    command = [sys.executable, "-m", "unspun.cli", "serve", "--workspace", str(workspace), "--port", str(port)]
    out, errors = folder / "out", folder / "errors"
    with out.open("wb") as stdout, errors.open("wb") as stderr:
        process = subprocess.Popen(command, stdout=stdout, stderr=stderr, env={**kept, **environment})
    url = f"http://localhost:{port}"
    try:
        _wait(url, process, errors)
        yield Running(url, out.read_text(), errors, process)
    finally:
        process.send_signal(signal.SIGINT)
        ended = process.wait(timeout=40)
    assert ended == 0, errors.read_text()


def _wait(url: str, process: subprocess.Popen[bytes], errors: Path) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            if requests.get(f"{url}/healthz", timeout=30).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise TimeoutError(errors.read_text())
