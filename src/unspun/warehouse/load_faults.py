"""What the disk, DuckDB and Delta report during a load, as faults of the one error family."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
from deltalake.exceptions import DeltaError

from unspun.errors import Fault, UnspunError

AGAIN = "Nothing was loaded. Load the files again: what was read whole is not read again."
NO_SPACE = Fault("disk_full", "the disk is full.", "", f"Free some space. {AGAIN}")
FAULTS: dict[int, Fault] = {
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
    errno.EROFS: Fault("read_only", "the warehouse cannot be written: it lies on a read-only disk.", "", "Nothing was loaded."),
    errno.EACCES: Fault("read_only", "the warehouse cannot be written.", "", "Give yourself the right to write there. Nothing was loaded."),
    errno.EPERM: Fault("read_only", "the warehouse cannot be written.", "", "Give yourself the right to write there. Nothing was loaded."),
}


@contextmanager
def translating(folder: Path) -> Iterator[None]:
    """Within it, errors of the disk, of DuckDB and of Delta are raised as UnspunError, which says what to do."""
    try:
        yield
    except duckdb.OutOfMemoryException as error:
        full = "space" in str(error).lower() and "temp" in str(error).lower()
        hint = f"Raise `memory` in unspun.toml, or load fewer files at once. {AGAIN}"
        fault = NO_SPACE if full else Fault("out_of_memory", "comparing with the book needs more memory than it may use.", "", hint)
        raise UnspunError(_at(fault, folder, str(error))) from error
    except duckdb.Error as error:
        fault = NO_SPACE if "No space left" in str(error) else Fault("engine_error", "DuckDB could not compare with the book.", "", AGAIN)
        raise UnspunError(_at(fault, folder, str(error))) from error
    except DeltaError as error:
        fault = (
            NO_SPACE
            if "No space left" in str(error)
            else Fault("delta_log", "a table's Delta log could not be read or written.", "", AGAIN)
        )
        raise UnspunError(_at(fault, folder, str(error))) from error
    except OSError as error:
        known = FAULTS.get(error.errno or 0, Fault("input_output", "a file could not be read or written.", "", AGAIN))
        raise UnspunError(_at(known, Path(error.filename) if error.filename else folder, str(error))) from error


def _at(fault: Fault, path: Path, said: str) -> Fault:
    first = said.splitlines()[0] if said else ""
    return Fault(fault.code, f"{fault.message} ({first})" if first else fault.message, str(path), fault.hint)
