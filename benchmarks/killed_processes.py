"""Work in a process of its own that is killed: at a random time, at its n-th call that touches a file, or by writes that fail."""

from __future__ import annotations

import json
import os
import resource
import signal
import sqlite3
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from unspun.errors import UnspunError

FILE_CALLS = frozenset({"open", "os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate", "sqlite3.connect", "os.scandir"})
Answer = dict[str, Any]


def fork(work: Callable[[], Answer], before: Callable[[], None] = lambda: None) -> tuple[int, int]:
    """Run `work` in a process of its own; its number, and the pipe by which its answer comes."""
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        return child, read
    os.close(read)
    try:
        before()
        answer = _answer(work)
        with suppress(OSError):
            os.write(write, json.dumps(answer).encode())
    finally:
        os._exit(0)


def _answer(work: Callable[[], Answer]) -> Answer:
    try:
        return {"done": work()}
    except UnspunError as refusal:
        return {"refused": [str(fault) for fault in refusal.faults], "codes": [fault.code for fault in refusal.faults]}
    except BaseException:
        return {"failed": traceback.format_exc()}


def await_answer(child: int, read: int) -> Answer:
    """The child's answer, {} where it was killed before it gave one."""
    with os.fdopen(read, "rb") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    return json.loads(text) if text else {}


def in_process(work: Callable[[], Answer]) -> Answer:
    return await_answer(*fork(work))


def kill_at_call(n: int) -> Callable[[], None]:
    """Before the work: have this process kill itself at its n-th call that touches a file."""

    def arm() -> None:
        left = n

        def count() -> None:
            nonlocal left
            left -= 1
            if left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)

        watch_calls(count)

    return arm


def watch_calls(told: Callable[[], None]) -> None:
    """From now on tell of each call of this process that touches a file, and of each SQL statement on the catalogue, before it is done."""

    def hook(event: str, _arguments: tuple[object, ...]) -> None:
        if event in FILE_CALLS:
            told()

    def traced(*arguments: Any, **named: Any) -> sqlite3.Connection:
        connection = connect(*arguments, **named)
        connection.set_trace_callback(lambda _statement: told())
        return connection

    connect, sqlite3.connect = sqlite3.connect, traced
    sys.addaudithook(hook)


def limit_files(size_bytes: int) -> Callable[[], None]:
    """Before the work: writes beyond that size of a file fail, as they do on a full disk."""

    def arm() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))

    return arm
