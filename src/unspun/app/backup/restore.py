"""The operation "restore": a workspace made of its backup, verified before it is one."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from unspun.app.backup.archive import Manifest, unpack
from unspun.app.backup.make import MEGABYTE, STATE, refuse_small_disk
from unspun.app.ledger import Verification, verify
from unspun.app.proofs import recompute
from unspun.app.workspace import SETTINGS_FILE, Workspace, full_path, open_workspace
from unspun.errors import BadInput, Fault, UnspunError
from unspun.progress import Progress, silent
from unspun.warehouse.catalog_head import sync_folder

ASIDE = ".unspun-restore"


@dataclass(frozen=True, slots=True)
class Proof:
    """One published set computed again: its ledger entry and kind ("" where it could not be read), the verdict, and why."""

    entry: int
    kind: str
    verdict: Literal["same", "erased", "differs", "cannot"]
    compared: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of the backup. `rows` are those of the state (None: it had none), `proofs` of the newest published figures."""

    workspace: Workspace
    manifest: Manifest
    verification: Verification
    rows: int | None
    proofs: tuple[Proof, ...]

    @property
    def same(self) -> bool:
        """Whether every figure that was computed again came out as it was published, or erased rows explain that it did not."""
        return all(one.verdict in ("same", "erased") for one in self.proofs)


@dataclass(frozen=True, slots=True)
class RestoreRequest:
    """`archive` into the folder `into`, which is empty or not there; then compute the `proofs` newest published sets again."""

    archive: Path
    into: Path
    proofs: int = 3


def restore(request: RestoreRequest, set_up: Callable[[Path], None], progress: Progress = silent) -> Restored:
    """Make the workspace. `set_up` sets Django up for a workspace, and is called where the backup has a state.

    Everything is written aside, compared with its recorded hashes, and moved into place last: a restore that dies leaves no workspace.
    Raises BadInput where the folder is not empty or the file is no backup, UnspunError where it was damaged or the disk is too small.
    """
    into, archive = full_path(request.into), full_path(request.archive)
    if not archive.is_file():
        raise BadInput(Fault("no_such_file", "there is no such file.", str(archive), "Check the path."))
    with _made_aside(into) as aside:
        refuse_small_disk(aside, archive.stat().st_size, "the restored workspace")
        manifest = unpack(archive, aside, _Megabytes(progress, archive.stat().st_size).add)
        verification = _verified(open_workspace(aside), manifest, archive, progress)
        rows = _state(aside, set_up, progress) if manifest.has_state else None
        _move(aside, into)
    workspace = open_workspace(into)
    return Restored(workspace, manifest, verification, rows, _proofs(workspace, request.proofs, progress))


@contextmanager
def _made_aside(into: Path) -> Iterator[Path]:
    """A folder in `into`, gone again where something fails."""
    new = not into.exists()
    if not new and (not into.is_dir() or any(into.iterdir())):
        hint = "Give an empty folder, or one that is not there yet."
        raise BadInput(Fault("not_empty", "a backup is restored into an empty folder, and this is none.", str(into), hint))
    aside = into / ASIDE
    try:
        aside.mkdir(parents=True)
        yield aside
    except OSError as refusal:
        _clear(into, aside, new)
        message = f"the workspace cannot be written: {refusal.strerror or refusal}."
        raise UnspunError(Fault("unwritable", message, str(into), "Nothing was restored.")) from refusal
    except BaseException:
        _clear(into, aside, new)
        raise


def _clear(into: Path, aside: Path, new: bool) -> None:
    shutil.rmtree(into if new else aside, ignore_errors=True)


def _verified(workspace: Workspace, manifest: Manifest, archive: Path, progress: Progress) -> Verification:
    found = verify(workspace, (manifest.anchor,), True, lambda name, n, of: progress(f"verifying {name}", n, of))
    if not found.is_clean:
        breaks = [Fault("ledger_broken", one.message, f"ledger entry {one.seq}") for one in found.ledger.breaks]
        hint = "The workspace was so when the backup was taken: `unspun ledger verify` says so there too. Take an earlier backup."
        raise UnspunError([Fault("not_sound", "what the backup holds does not verify.", str(archive), hint), *breaks, *found.faults])
    return found


def _state(aside: Path, set_up: Callable[[Path], None], progress: Progress) -> int:
    set_up(aside)
    from unspun.state.portable import close_state, read_state

    file = aside / STATE
    try:
        with file.open("rb") as lines:
            rows = read_state(lines, progress)
    finally:
        close_state()
    file.unlink()
    return rows


def _move(aside: Path, into: Path) -> None:
    """Into place, unspun.toml last: until then the folder is no workspace."""
    for part in sorted(aside.iterdir(), key=lambda one: one.name == SETTINGS_FILE):
        part.replace(into / part.name)
    aside.rmdir()
    sync_folder(into)


def _proofs(workspace: Workspace, wanted: int, progress: Progress) -> tuple[Proof, ...]:
    """The newest published sets, each computed again."""
    if wanted == 0:
        return ()
    with workspace.catalog() as catalog:
        entries = [one.entry.seq for one in catalog.publications() if one.document is not None]
    return tuple(_proof(workspace, entry, progress) for entry in entries[-wanted:])


def _proof(workspace: Workspace, entry: int, progress: Progress) -> Proof:
    try:
        done = recompute(workspace, str(entry), progress)
    except UnspunError as refusal:
        return Proof(entry, "", "cannot", why=str(refusal))
    differing = f"differing: {', '.join(sorted(done.now)[:3])}" if done.now else ""
    return Proof(entry, done.published.figures.kind, done.verdict, done.compared, "; ".join(filter(None, (differing, *done.notes))))


class _Megabytes:
    """Tells how many megabytes were unpacked."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def add(self, count: int) -> None:
        self._done += count
        self._progress("unpacking, MB", self._done // MEGABYTE, self._total // MEGABYTE)
