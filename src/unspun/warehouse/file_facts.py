"""What is counted of single data files, kept beside the book: a data file never changes, so neither does an aggregate of its rows.

A cache and never the truth: it is in no version and no ledger, may be deleted at any time, and is believed only where its bytes are
those that were written. As it may hold ids of accounts and users, it goes with the data file.
"""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from unspun.warehouse.read_files import sha256_of
from unspun.warehouse.versions import DataFile

FACTS_FOLDER = ".facts"
FORMAT = 1  # of what is kept: another number, and nothing that was kept before is looked at
LEAST_ROWS = 1 << 16  # of a data file: fewer are read as fast as what is kept of them
OUTDATED_SECONDS = 7 * 86_400.0  # after that, what was kept by another definition of the same name is taken away
TABLES = "tables"
CORRECTED = "corrected"
"""The name of what is kept of a data file beside rows of other ones: its column DATA_FILE names (without suffix) whose rows it tells of."""
DATA_FILE = "data_file"


def is_worth_keeping(file: DataFile) -> bool:
    """Whether anything is kept of a data file: one of the book itself (not of a table that stays in its database) with many rows."""
    return file.rows >= LEAST_ROWS and Path(file.path).parts[0] == TABLES


def kept_file(folder: Path, file: DataFile, name: str, definition: str, make: Callable[[], Path]) -> Path | None:
    """The Parquet file of what `definition` says of the rows of a data file: the one kept, else what `make` writes, kept from then on.

    `folder` is the warehouse's. `name` says in a word what it is; `definition` is all that it depends on besides the data file. The file
    that `make` writes is on the same disk and is moved. None where the disk does not take it or the data file is gone meanwhile.
    """
    place = _place(folder, file)
    stem = f"{name}-{hashlib.sha256(f'{FORMAT} {definition}'.encode()).hexdigest()[:32]}"
    found = _found(place, stem)
    if found is not None:
        return found
    made = make()
    try:
        place.mkdir(parents=True, exist_ok=True)
        kept = place / f"{stem}-{sha256_of(made)}.parquet"
        made.replace(kept)
    except OSError:
        return None
    if not (folder / file.path).exists():  # an erasure or a compaction took it away: what deletes its facts may have run before
        shutil.rmtree(place, ignore_errors=True)
        return None
    _delete_outdated(place, name, kept)
    return kept


def delete_facts(folder: Path, used: Iterable[str]) -> None:
    """Delete what is kept of data files that are not among `used` (paths relative to the warehouse folder). Safe to repeat."""
    wanted = {_relative(path) for path in used}
    for place in (folder / FACTS_FOLDER).glob("*/*"):
        named = place.relative_to(folder / FACTS_FOLDER).as_posix().rpartition(".")[0]
        if named not in wanted:
            shutil.rmtree(place, ignore_errors=True)
            continue
        for path in place.glob(f"{CORRECTED}-*.parquet"):
            if not {f"{place.parent.name}/{name}" for name in _told_of(path)} <= wanted:
                path.unlink(missing_ok=True)


def _told_of(path: Path) -> set[str | None]:
    """The data files whose rows something kept tells of; one that there is not, where it cannot be read."""
    try:
        return set(pq.read_table(path, columns=[DATA_FILE]).column(0).unique().to_pylist())
    except (OSError, pa.ArrowException):
        return {None}


def _place(folder: Path, file: DataFile) -> Path:
    """Named by the path of the data file, by which it is deleted, and by its content."""
    return folder / FACTS_FOLDER / f"{_relative(file.path)}.{file.sha256[:32]}"


def _relative(path: str) -> str:
    """`table/stem` of a data file's path."""
    return Path(path).relative_to(TABLES).with_suffix("").as_posix()


def _found(place: Path, stem: str) -> Path | None:
    """A file of that name whose bytes are those that its name tells; others are deleted."""
    for path in sorted(place.glob(f"{stem}-*.parquet")):
        with suppress(OSError):
            if sha256_of(path) == path.stem.rpartition("-")[2]:
                return path
            path.unlink()
    return None


def _delete_outdated(place: Path, name: str, kept: Path) -> None:
    """Delete what was kept under the name by other definitions, but for what another process may be reading."""
    for path in place.glob(f"{name}-*.parquet"):
        with suppress(OSError):
            if path != kept and path.stat().st_mtime < time.time() - OUTDATED_SECONDS:
                path.unlink()


def facts_folder(folder: Path, file: DataFile) -> Path:
    """Where what is kept of a data file stands: what is there is deleted with the data file."""
    return _place(folder, file)


def is_of_the_book(file: DataFile) -> bool:
    """Whether it is a data file of the book itself, and not of a table that stays in its database."""
    return Path(file.path).parts[0] == TABLES


def is_whole(path: Path) -> bool:
    """Whether the bytes of a kept file are those that its name tells. Raises OSError."""
    return sha256_of(path) == path.stem.rpartition("-")[2]
