"""The operation "backup": the whole workspace in one file, taken while it is used."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from unspun._version import __version__
from unspun.app.backup.archive import ArchiveWriter, Manifest, new_archive
from unspun.app.keeping import PATIENT, Patience
from unspun.app.workspace import (
    BOOK_FILE,
    METRICS_FILE,
    RETENTION_FILE,
    SCORES_FILE,
    SETTINGS_FILE,
    WAREHOUSE_FOLDER,
    Workspace,
)
from unspun.errors import BadInput, Fault, UnspunError
from unspun.progress import Progress, silent
from unspun.reports.words import size
from unspun.warehouse.catalog import NAME as CATALOG
from unspun.warehouse.catalog_head import sync_folder
from unspun.warehouse.copying import BookCopy, book_copied

STATE, SECRET = "state.jsonl", ".secret"
DEFINITIONS = (SETTINGS_FILE, BOOK_FILE, RETENTION_FILE, METRICS_FILE, SCORES_FILE, ".gitignore")
KEPT_FOLDERS = (".console/audits",)
"""Beside the warehouse, what people made and nothing can make again."""
SPARE_BYTES = 16_000_000
MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True)
class BackupRequest:
    """Where to: a file that is not there yet, or a folder, in which the file is named after the workspace and the instant.

    `state` takes what people decided and did too (Django must be set up); `secrets` the key that signs cookies, and who is signed in.
    """

    to: Path
    state: bool = True
    secrets: bool = False


@dataclass(frozen=True, slots=True)
class Backup:
    """What was written."""

    path: Path
    manifest: Manifest
    size_bytes: int

    @property
    def files(self) -> int:
        return len(self.manifest.members)


def backup(workspace: Workspace, request: BackupRequest, at: datetime, patience: Patience = PATIENT, progress: Progress = silent) -> Backup:
    """Write the backup. Readers go on, people go on writing; loads, compactions and erasures wait until it is done.

    The state is read first and the book after it: whatever entry of the ledger the state names is in the book. Raises BadInput where the
    file is there already, UnspunError where the disk has too little space or cannot be written.
    """
    path = _target(workspace, request.to, at)
    try:
        with tempfile.TemporaryDirectory(prefix=".unspun-backup-", dir=path.parent) as folder:
            return _backup(workspace, request, path, Path(folder), at, patience, progress)
    except OSError as refusal:
        message = f"the backup cannot be written: {refusal.strerror or refusal}."
        raise UnspunError(Fault("unwritable", message, str(path), "Nothing was written.")) from refusal


def _target(workspace: Workspace, to: Path, at: datetime) -> Path:
    if to.is_dir():
        to = to / f"{workspace.folder.name}-{at.astimezone(UTC):%Y%m%dT%H%M%SZ}.tar"
    if to.exists():
        raise BadInput(Fault("file_exists", "there is a file of that name already.", str(to), "Name another file, or a folder."))
    if not to.parent.is_dir():
        raise BadInput(Fault("no_folder", "there is no such folder.", str(to.parent), "Make it first."))
    return to.absolute()


def _backup(
    workspace: Workspace, request: BackupRequest, path: Path, aside: Path, at: datetime, patience: Patience, progress: Progress
) -> Backup:
    beside = _written_state(aside, request, progress)
    with workspace.catalog() as catalog, catalog.writing(patience.seconds, patience.told):
        book_aside = aside / WAREHOUSE_FOLDER
        book_aside.mkdir()
        _refuse_small_disk(path.parent, (catalog.folder / CATALOG).stat().st_size)
        with book_copied(catalog, book_aside, progress) as book:
            files = {**_beside(workspace, request), **beside, **{f"{WAREHOUSE_FOLDER}/{name}": one for name, one in book.files.items()}}
            total = sum(one.stat().st_size for one in files.values())
            _refuse_small_disk(path.parent, total)
            told = _Bytes(progress, total)
            with new_archive(path, told.add) as archive:
                manifest = _write(archive, files, workspace, request, book, at)
    sync_folder(path.parent)
    return Backup(path, manifest, path.stat().st_size)


def _write(
    archive: ArchiveWriter, files: dict[str, Path], workspace: Workspace, request: BackupRequest, book: BookCopy, at: datetime
) -> Manifest:
    for name, file in files.items():
        archive.add(name, file)
    manifest = Manifest(
        made_at=at.astimezone(UTC).isoformat(),
        unspun=__version__,
        workspace=workspace.settings.name,
        anchor=book.anchor,
        book_version=book.version,
        has_state=request.state,
        has_secrets=request.secrets,
        members=archive.members,
    )
    archive.end(manifest)
    return manifest


def _written_state(aside: Path, request: BackupRequest, progress: Progress) -> dict[str, Path]:
    if not request.state:
        return {}
    from unspun.state.portable import write_state

    file = aside / STATE
    with file.open("wb") as lines:
        write_state(lines, request.secrets, progress)
    return {STATE: file}


def _beside(workspace: Workspace, request: BackupRequest) -> dict[str, Path]:
    """Definitions and kept folders, and the key where it is asked for."""
    names = [*DEFINITIONS, *((SECRET,) if request.secrets else ())]
    found = [path for name in names if (path := workspace.folder / name).is_file()]
    for folder in KEPT_FOLDERS:
        found += sorted(path for path in (workspace.folder / folder).rglob("*") if path.is_file())
    return {path.relative_to(workspace.folder).as_posix(): path for path in found}


def _refuse_small_disk(folder: Path, needed: int) -> None:
    refuse_small_disk(folder, needed, "the backup")


def refuse_small_disk(folder: Path, needed: int, what: str) -> None:
    """Raises UnspunError where the folder's disk has not so much space, and a little to spare."""
    free = shutil.disk_usage(folder).free
    if free < needed + SPARE_BYTES:
        message = f"{what} takes {size(needed + SPARE_BYTES)}, and the disk has {size(free)} left."
        raise UnspunError(Fault("disk_full", message, str(folder), "Free some space, or use another disk."))


class _Bytes:
    """Tells how many megabytes were written."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, count: int) -> None:
        self._done += count
        self._progress("writing the backup, MB", self._done // MEGABYTE, self._total // MEGABYTE)
