"""Whether the data files of the book are there and as they were written."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from unspun.errors import Fault
from unspun.warehouse.versions import DataFile

RESTORE = "Put it back from a copy of the warehouse folder; `unspun ledger verify` lists every file that is not as it was published."


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file's bytes. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def file_fault(folder: Path, file: DataFile, hashed: bool = False) -> Fault | None:
    """What is wrong with a data file: not there, not readable, of another size and, where `hashed`, of another content."""
    path = folder / file.path
    try:
        size = path.stat().st_size
        if size != file.size_bytes:
            return _fault("file_edited", file, f"has {size:,} bytes and was published with {file.size_bytes:,}")
        if hashed and sha256_of(path) != file.sha256:
            return _fault("file_edited", file, "has another content (SHA-256) than it was published with")
    except FileNotFoundError:
        return _fault("file_missing", file, "is not there")
    except OSError as error:
        return _fault("file_unreadable", file, f"cannot be read ({error.strerror})")
    return None


def file_faults(folder: Path, files: Iterable[DataFile], hashed: bool = False) -> tuple[Fault, ...]:
    """What is wrong with data files, in their order."""
    return tuple(fault for file in files if (fault := file_fault(folder, file, hashed)) is not None)


def _fault(code: str, file: DataFile, what: str) -> Fault:
    return Fault(code, f"A data file of `{file.table}` {what}.", file.path, RESTORE)
