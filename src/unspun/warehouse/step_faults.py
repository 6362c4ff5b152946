"""What the disk, DuckDB and Delta report while a load is taken back, files are compacted or a subject is erased, as faults."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from deltalake.exceptions import DeltaError

from unspun.errors import Fault, UnspunError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
FORBIDDEN = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
FULL_WORDS = ("No space left", "File too large", "Disk quota")


@contextmanager
def translating_step(folder: Path, step: str) -> Iterator[None]:
    """Within it, errors of the disk and of the engines are raised as UnspunError. `step` says what was not done: "compact"."""
    try:
        yield
    except OSError as error:
        raise UnspunError(_fault(folder, step, str(error), error.errno or 0)) from error
    except (DeltaError, duckdb.Error) as error:
        raise UnspunError(_fault(folder, step, str(error), 0)) from error


def _fault(folder: Path, step: str, said: str, number: int) -> Fault:
    first = (said.strip().splitlines() or ["no reason given"])[0]
    again = f"Nothing that was committed is lost; run `unspun {step}` again."
    if number in FULL or any(words in said for words in FULL_WORDS):
        return Fault("disk_full", f"the disk is full ({first}).", str(folder), f"Free some space. {again}")
    if number in FORBIDDEN:
        return Fault("read_only", f"the warehouse cannot be written ({first}).", str(folder), f"Give yourself the right to write. {again}")
    return Fault("input_output", f"a file could not be read or written ({first}).", str(folder), again)
