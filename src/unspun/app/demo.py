"""The operation "make demo": write the demo company to a folder and audit its scores."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from unspun.app.audits import AuditRun, audit_scores
from unspun.app.reading import AuditRequest
from unspun.audit.protocol import AuditSettings
from unspun.book.demo import DEMO_ACCOUNTS, DEMO_AS_OF, DEMO_SEED, write_demo
from unspun.book.tables import ReadingOptions
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class DemoRequest:
    """Where the demo company goes, and what it is made from: the same request gives the same files."""

    folder: Path
    seed: int = DEMO_SEED
    accounts: int = DEMO_ACCOUNTS
    as_of: date = DEMO_AS_OF


@dataclass(frozen=True, slots=True)
class DemoRun:
    """The audit of the demo's scores, and the two files that went into it."""

    audit: AuditRun
    scores: Path
    renewals: Path


def make_demo(request: DemoRequest, progress: Progress = silent) -> DemoRun:
    """Write the company and audit its three scores. Raises BadInput where the folder holds something else."""
    refuse_other_folder(request.folder)
    progress("making the demo company", 0, 1)
    paths = write_demo(request.folder, request.seed, request.accounts, request.as_of)
    progress("making the demo company", 1, 1)
    return DemoRun(audit_scores(demo_audit(paths, request.as_of), progress), paths["health_scores"], paths["renewals"])


def demo_audit(paths: dict[str, Path], as_of: date) -> AuditRequest:
    """The audit of the company's scores, with all it has to hold beside them: its accounts, whose region never changes, and usage."""
    return AuditRequest(
        scores=str(paths["health_scores"]),
        renewals=str(paths["renewals"]),
        accounts=str(paths["accounts"]),
        events=str(paths["usage"]),
        reading=ReadingOptions(columns={"events.value": "logins"}),
        settings=AuditSettings(as_of=as_of, detail="all", fixed=("region",)),
    )


def refuse_other_folder(folder: Path) -> None:
    """Raise BadInput unless the folder is new, empty or an earlier demo: the demo overwrites `renewals.csv` and the like."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "truth").is_dir():
        message = f"the folder {folder} holds files that are not an earlier demo's."
        raise BadInput(Fault("demo_folder", message, "--folder", "Give a new or empty folder."))
    if folder.exists() and not folder.is_dir():
        raise BadInput(Fault("demo_folder", f"{folder} is a file.", "--folder", "Give a new or empty folder."))
