"""The one writer's lock: a file lock of the kernel, which a process loses when it ends, however it ends."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from unspun.errors import Fault, UnspunError
from unspun.warehouse.catalog_faults import translating_system

NAME = ".lock"
POLL_SECONDS = 0.1


@contextmanager
def writer_lock(folder: Path, wait_seconds: float, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock. Where another process holds it, `waiting` is told by whom and since when, once, and this waits.

    Raises UnspunError (`busy`) after `wait_seconds`.
    """
    path = folder / NAME
    lock = FileLock(path)
    with translating_system(path):
        if not _acquire(lock, 0):
            waiting(f"waiting for {_holder(path)}")
            if not _acquire(lock, wait_seconds):
                hint = "Wait for it to finish, or end it, and run the command again."
                raise UnspunError(Fault("busy", f"waited {wait_seconds:g} seconds for {_holder(path)}.", str(path), hint))
    try:
        with translating_system(path):
            path.write_text(json.dumps({"process": os.getpid()}), encoding="ascii")
        yield
    finally:
        lock.release()


def _acquire(lock: FileLock, seconds: float) -> bool:
    try:
        lock.acquire(timeout=seconds, poll_interval=POLL_SECONDS)
    except Timeout:
        return False
    return True


def _holder(path: Path) -> str:
    """Who holds the lock: its process wrote its number into the file when it took it, so the file's time is since when."""
    try:
        process = json.loads(path.read_text(encoding="ascii"))["process"]
        since = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (OSError, ValueError, KeyError, TypeError):
        return "another process that is writing to this warehouse"
    return f"process {process}, which has been writing to this warehouse since {since:%Y-%m-%d %H:%M:%S} UTC"
