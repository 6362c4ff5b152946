"""The operations that keep the book: take a load back, compact its files, erase what it knows of an account or a person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from unspun.app.workspace import Workspace
from unspun.progress import Progress, silent
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.catalog_lines import LoadLine
from unspun.warehouse.compact import CompactResult
from unspun.warehouse.compact import compact as compact_files
from unspun.warehouse.erase import ErasureResult, Subject
from unspun.warehouse.erase import erase as erase_subject
from unspun.warehouse.step_faults import translating_step
from unspun.warehouse.undo import UndoResult
from unspun.warehouse.undo import undo as undo_load

WAIT_SECONDS = 600.0


def unheard(_line: str) -> None:
    """Nobody is told that another command writes the book."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait while another command writes the book, and who is told that this waits."""

    seconds: float = WAIT_SECONDS
    told: Callable[[str], None] = unheard


PATIENT = Patience()


@dataclass(frozen=True, slots=True)
class LastLoad:
    """The load that an undo would take back: its number, when it was begun, its files by name and their rows by outcome."""

    load: int
    at: datetime
    files: tuple[str, ...]
    counts: dict[str, int]


def last_load(workspace: Workspace) -> LastLoad | None:
    """What `undo` would take back; None where no load is in force."""
    with workspace.catalog() as catalog:
        lines = [line for line in catalog.load_lines() if line.state == "in force"]
        return _described(catalog, max(lines, key=lambda line: line.version or 0)) if lines else None


def _described(catalog: Catalog, line: LoadLine) -> LastLoad:
    names = {source.sha256: source.name for source in catalog.source_files()}
    return LastLoad(line.load, line.begun_at, tuple(names.get(file.sha256, "?") for file in line.files), line_counts(line))


def line_counts(line: LoadLine) -> dict[str, int]:
    """The rows of all files of a load by what became of them: rows_read, new, changed, unchanged, rejected."""
    counts: dict[str, int] = {}
    for file in line.files:
        for what, n in file.counts.items():
            counts[what] = counts.get(what, 0) + n
    return counts


def undo(workspace: Workspace, at: datetime, patience: Patience = PATIENT) -> UndoResult:
    """Take back the last load in force. Raises BadInput where there is none."""
    with workspace.catalog() as catalog, translating_step(catalog.folder, "undo"):
        return undo_load(catalog, at, workspace.settings.memory, patience.seconds, patience.told)


def compact(
    workspace: Workspace, at: datetime, keep_days: int | None = None, patience: Patience = PATIENT, progress: Progress = silent
) -> CompactResult:
    """Merge small files, and delete those that no kept version needs. `keep_days` is the workspace's where it is None.

    Raises BadInput for a negative `keep_days`.
    """
    days = workspace.settings.keep_days if keep_days is None else keep_days
    with workspace.catalog() as catalog, translating_step(catalog.folder, "compact"):
        memory = workspace.settings.memory
        return compact_files(
            catalog, at, days, memory=memory, progress=progress, wait_seconds=patience.seconds, waiting=patience.told
        )  # fmt: skip


def erase(
    workspace: Workspace,
    subject: Subject,
    at: datetime,
    reference: str = "",
    dry_run: bool = False,
    patience: Patience = PATIENT,
    progress: Progress = silent,
) -> ErasureResult:
    """Take an account, a contact or a user out of every kept version of the book, for good; dry, say what would go.

    Raises BadInput for an empty id or a `reference` that holds it.
    """
    with workspace.catalog() as catalog, translating_step(catalog.folder, "erase"):
        memory = workspace.settings.memory
        return erase_subject(catalog, subject, at, reference, dry_run, memory, progress, patience.seconds, patience.told)
