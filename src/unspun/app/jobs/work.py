"""What each kind of job does: an operation of the application, run with the words that were asked for, giving what is kept of it as JSON.

A job may be run twice (see `queue`); each of these comes to the same then: a load knows the files it has loaded, and what is computed
again is recorded once where it came out the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unspun.app.access import Actor
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.ledger import store
from unspun.progress import Progress

if TYPE_CHECKING:
    from unspun.app.refresh import RefreshRun

CONSOLE_FOLDER = ".console"
BACKUPS = "backups"
Done = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Task:
    """One job as its process sees it: where, what was asked, by whom (None: the schedule), when it began, whom to tell how far it is."""

    workspace: Workspace
    job: int
    arguments: Mapping[str, Any]
    actor: Actor | None
    at: datetime
    progress: Progress

    def folder(self, name: str) -> Path:
        """A folder for what the job leaves, beside the warehouse; made where there is none."""
        folder = self.workspace.folder / CONSOLE_FOLDER / name / str(self.job)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def text(self, name: str) -> str:
        """An argument that must be a text. Raises BadInput where it is none."""
        value = self.arguments.get(name)
        if not isinstance(value, str) or not value:
            raise BadInput(Fault("bad_argument", f"the job says no {name}.", name))
        return value


def refresh(task: Task) -> Done:
    """Check the book, compute risk, forecasts and performance, record them, and make what the pages read; `evidence` and `fit` as asked."""
    from unspun.app.refresh import RefreshRequest
    from unspun.app.refresh import refresh as refresh_pages

    words = task.arguments
    request = RefreshRequest(evidence=bool(words.get("evidence")), fit=bool(words.get("fit")))
    return told_of_refresh(refresh_pages(task.workspace, task.at, task.progress, task.actor, request))


def told_of_refresh(done: RefreshRun) -> Done:
    """What is kept of a refresh that was done."""
    return {
        "as_of": done.as_of.isoformat(), "steps": dict(done.entries), "why": dict(done.why), "findings": dict(done.findings),
        "renewals": done.renewals, "untold": done.untold, "written": done.written, "seconds": dict(done.seconds),
    }  # fmt: skip


def dry_run(task: Task) -> Done:
    """Say what loading the files of an import would do, and leave it beside them."""
    from unspun.app.imports.running import try_out

    return try_out(task.workspace, task.text("import"), task.at, task.progress)


def load(task: Task) -> Done:
    """Load the files of an `import`, or `paths` (of `table`, `received` or as dated); `accept` writes the mappings proposed to book.yml."""
    from unspun.app.imports.running import load_import, told_files
    from unspun.app.loads import LoadRequest, accept_proposals, plan_load
    from unspun.app.loads import load as load_files

    words = task.arguments
    if "import" in words:
        return load_import(task.workspace, task.text("import"), task.at, task.progress)
    request = LoadRequest(tuple(words["paths"]), words.get("table"), received=bool(words.get("received")), accept=bool(words.get("accept")))
    plan = plan_load(task.workspace, request, task.progress)
    if request.accept and plan.proposed:
        plan = accept_proposals(task.workspace, plan)
    done = load_files(task.workspace, plan, request, task.at, task.progress)
    return {"load": done.load, "files": told_files(done.sources), "notes": list(done.notes)}


def undo(task: Task) -> Done:
    """Take back the `load`, which must be the last one in force; one that was taken back already stays so."""
    from unspun.app.imports.undoing import take_back

    return take_back(task.workspace, task.arguments.get("load"), task.at)


def audit(task: Task) -> Done:
    """Audit the files of an `upload`, or `scores` (paths) against `renewals` (a path); the result as JSON and as a page, in a folder of
    the job."""
    from unspun.app.audits import audit_scores
    from unspun.app.imports.audit_files import by_name, empty_upload, request_of
    from unspun.app.reading import AuditRequest
    from unspun.reports.audit_html import policy_of, render
    from unspun.reports.result_json import to_json

    words = task.arguments
    if "upload" in words:
        with by_name(task.workspace, task.text("upload")):
            done = audit_scores(request_of(task.workspace, task.text("upload")), task.progress, task.at.date())
    else:
        done = audit_scores(AuditRequest(tuple(words["scores"]), task.text("renewals")), task.progress, task.at.date())
    folder, page = task.folder("audits"), render(done.result, done.trace)
    (folder / "result.json").write_text(to_json(done.result), encoding="utf-8")
    (folder / "report.html").write_text(page, encoding="utf-8")
    (folder / "policy.txt").write_text(policy_of(), encoding="utf-8")
    if "upload" in words:
        empty_upload(task.workspace, task.text("upload"))
    return {
        "folder": folder.relative_to(task.workspace.folder).as_posix(),
        "verdicts": [{"score": one.name, "verdict": one.verdict} for one in done.result.scores],
    }


def recompute(task: Task) -> Done:
    """Compute the published figures at `address` again, and say whether they came out the same."""
    from unspun.app.proofs import recompute as compute_again

    done = compute_again(task.workspace, task.text("address"), task.progress)
    return {"verdict": done.verdict, "compared": done.compared, "differing": sorted(done.now), "notes": list(done.notes)}


def backup(task: Task) -> Done:
    """A backup into the workspace's folder `backups`."""
    from unspun.app.backup.make import BackupRequest
    from unspun.app.backup.make import backup as back_up

    folder = task.workspace.folder / BACKUPS
    folder.mkdir(exist_ok=True)
    made = back_up(task.workspace, BackupRequest(folder), task.at, progress=task.progress)
    return {"archive": made.path.relative_to(task.workspace.folder).as_posix(), "bytes": made.size_bytes, "files": made.files}


@dataclass(frozen=True, slots=True)
class Work:
    """A kind of job: its name on pages, what it does, and what the person who reads of a failure can do."""

    name: str
    run: Callable[[Task], Done]
    todo: str


WORK: Mapping[str, Work] = {
    "refresh": Work("Refresh", refresh, "Mend what it says and start the refresh again; until then the pages show the one before."),
    "dry_run": Work("Dry run", dry_run, "Mend the file or its mapping, and try again."),
    "load": Work("Import", load, "Mend the file or its mapping, and import it again."),
    "undo": Work("Undo", undo, "Reload the page of the data, and take back the newest load first."),
    "audit": Work("Audit", audit, "Mend the files, and upload them again."),
    "recompute": Work("Proof", recompute, "Start it again, or run `unspun recompute` to see more."),
    "backup": Work("Backup", backup, "Mend what it says, and start it again."),
}
"""By kind of job (`unspun.app.jobs.queue.Kind`)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the book is: its version (0: nothing is loaded) and its newest ledger entry."""

    version: int
    entry: int

    @property
    def as_json(self) -> dict[str, int]:
        return {"version": self.version, "entry": self.entry}


def standing(workspace: Workspace) -> Standing:
    """What the book is now."""
    with workspace.catalog() as catalog, catalog.reading() as connection:
        versions, head = catalog.versions(), store.head(connection)
    return Standing(versions[-1].version if versions else 0, 0 if head is None else head.seq)


def what_was_done(before: Mapping[str, Any], now: Standing) -> dict[str, Any]:
    """The ledger entries and the book version that came since a job began; others may have written some of them."""
    return {"entries": list(range(before["entry"] + 1, now.entry + 1)), "version": now.version}


def what_was_kept(before: Mapping[str, Any] | None, now: Standing) -> str:
    """What stands after a job that did not end well, in a sentence."""
    if before is None:
        return "The book is as it was."
    book = "The book is as it was" if now.version == before["version"] else f"The book is at version {now.version}"
    added = now.entry - before["entry"]
    if not added:
        return f"{book}, and nothing was recorded."
    if added == 1:
        return f"{book}; ledger entry {now.entry} came since the job began, and stays."
    return f"{book}; ledger entries {before['entry'] + 1} to {now.entry} came since the job began, and stay."


def error_of(faults: Iterable[Fault], kept: str, todo: str) -> dict[str, Any]:
    """A refusal as a job keeps it: what, where, what was kept, what to do, and each fault."""
    listed = list(faults)
    first = listed[0]
    more = f" And {len(listed) - 1} more." if len(listed) > 1 else ""
    stated = [{"code": one.code, "message": one.message, "where": one.where, "hint": one.hint} for one in listed[:100]]
    return {"what": f"{first.message}{more}", "where": first.where, "kept": kept, "todo": first.hint or todo, "faults": stated}
