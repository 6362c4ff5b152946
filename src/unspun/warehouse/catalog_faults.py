"""What SQLite and the file system report, as faults of the one error family."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from unspun.errors import Fault, UnspunError

FREE_SPACE = "Free some space and run the command again; nothing that was committed is lost."
LET_WRITE = "Give yourself the right to write in the folder: reading too needs it, for the files that SQLite keeps beside the catalogue."
RESTORE = "Restore the warehouse folder from a backup, or load the files again into a new workspace."
FAULTS: dict[int, tuple[str, str, str]] = {
    sqlite3.SQLITE_FULL: ("disk_full", "the disk is full; nothing was written", FREE_SPACE),
    sqlite3.SQLITE_READONLY: ("read_only", "the catalogue cannot be written: it or its folder is read-only", LET_WRITE),
    sqlite3.SQLITE_PERM: ("read_only", "the catalogue may not be opened", LET_WRITE),
    sqlite3.SQLITE_CANTOPEN: ("no_access", "the catalogue, or a file that SQLite keeps beside it, cannot be opened", LET_WRITE),
    sqlite3.SQLITE_BUSY: ("busy", "another process has kept the catalogue locked for too long", "Wait for it, or end it, and try again."),
    sqlite3.SQLITE_CORRUPT: ("damaged_catalog", "the catalogue is damaged", RESTORE),
    sqlite3.SQLITE_NOTADB: ("damaged_catalog", "the catalogue is damaged: it is no SQLite database", RESTORE),
    sqlite3.SQLITE_IOERR: ("input_output", "the catalogue could not be read or written", "Check the disk and the space left on it."),
}
SYSTEM_FAULTS: dict[int, int] = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
    errno.EROFS: sqlite3.SQLITE_READONLY,
    errno.EACCES: sqlite3.SQLITE_READONLY,
    errno.EPERM: sqlite3.SQLITE_READONLY,
}


@contextmanager
def translating(path: Path) -> Iterator[None]:
    """Within it, an error of SQLite is raised as UnspunError with a fault that says what to do.

    A constraint that fails and a call that SQLite does not take are slips in this program and stay what they are.
    """
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
        raise
    except sqlite3.DatabaseError as error:
        raise UnspunError(_fault(getattr(error, "sqlite_errorcode", 0) & 0xFF, str(error), path)) from error


@contextmanager
def translating_system(path: Path) -> Iterator[None]:
    """The same for errors of the file system."""
    try:
        yield
    except OSError as error:
        raise UnspunError(_fault(SYSTEM_FAULTS.get(error.errno or 0, sqlite3.SQLITE_IOERR), str(error), path)) from error


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Within it, stored values that are not as they were written are raised as UnspunError. For code that only reads rows."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UnspunError(_fault(sqlite3.SQLITE_CORRUPT, f"{type(error).__name__}: {error}", path)) from error


def _fault(code: int, said: str, path: Path) -> Fault:
    name, message, hint = FAULTS.get(code, ("damaged_catalog", "the catalogue is not as this Unspun wrote it", RESTORE))
    return Fault(name, f"{message} ({said}).", str(path), hint)
