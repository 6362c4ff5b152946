"""Audits asked for in the console: two uploaded files, the job that judges them, and the reports that were made, until they are deleted."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from unspun.app.access import Actor
from unspun.app.imports.audit_files import OUTCOMES, RECORD, UPLOADS, AuditOrder, empty_upload, keep_files, read_options, sweep
from unspun.app.imports.kept import Upload, safe_name
from unspun.app.jobs.asking import ShownJob, shown_jobs, start
from unspun.app.jobs.queue import forget
from unspun.app.workspace import Workspace, replace_text
from unspun.errors import BadInput, Fault

REPORTS: Final = ".console/audits"
NO_AUDIT: Final = "no_audit"
REPORT_FILES: Final[Mapping[str, str]] = {"report.html": "text/html; charset=utf-8", "result.json": "application/json"}


@dataclass(frozen=True, slots=True)
class AuditLine:
    """An audit in the list: its job, the files it was of, its verdicts by score, and whether the report is there."""

    job: ShownJob
    score_file: str
    outcome_file: str
    verdicts: tuple[tuple[str, str], ...] = field(default=())
    has_report: bool = False


def ask_audit(workspace: Workspace, actor: Actor, scores: Upload, outcomes: Upload, order: AuditOrder, at: datetime) -> int:
    """Keep the two files and ask for their audit; the number of the job. Raises Forbidden, BadInput with every fault."""
    actor.require("audit.run")
    sweep(workspace, at)
    named = {"scores": safe_name(scores.name), "outcomes": safe_name(outcomes.name)}
    faults = read_options(order)[1]
    faults += [Fault("no_file", "no file was chosen.", which, "Choose one.") for which, name in named.items() if not name]
    if order.outcomes not in OUTCOMES:
        faults.append(Fault("unknown_outcomes", "this is no kind of outcomes.", "outcomes", f"Choose one of {', '.join(OUTCOMES)}."))
    if faults:
        raise BadInput(faults)
    upload = secrets.token_hex(8)
    place = workspace.folder / UPLOADS / upload
    try:
        keep_files(workspace, place, named, scores, outcomes)
        said = {**asdict(order), "score_file": named["scores"], "outcome_file": named["outcomes"]}
        replace_text(place / RECORD, json.dumps(said, ensure_ascii=False), "Nothing was kept.")
        words = {"upload": upload, "score_file": named["scores"], "outcome_file": named["outcomes"]}
        return start(actor, "audit", words, at)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def list_audits(workspace: Workspace, actor: Actor, at: datetime) -> tuple[AuditLine, ...]:
    """The audits that were asked for, the newest first. Raises Forbidden."""
    actor.require("audit.run")
    return tuple(_line(workspace, job, arguments) for job, arguments in shown_jobs(actor, "audit", at))


def find_audit(workspace: Workspace, actor: Actor, number: int, at: datetime) -> AuditLine:
    """One audit. Raises Forbidden, BadInput (`no_audit`)."""
    found = next((one for one in list_audits(workspace, actor, at) if one.job.id == number), None)
    if found is None:
        raise BadInput(Fault(NO_AUDIT, f"there is no audit {number}."))
    return found


def report_of(workspace: Workspace, actor: Actor, number: int, name: str, at: datetime) -> tuple[bytes, str]:
    """A file of an audit's report, and the policy that the page is to be shown under. Raises Forbidden, BadInput (`no_audit`)."""
    found = find_audit(workspace, actor, number, at)
    if name not in REPORT_FILES or not found.has_report:
        raise BadInput(Fault(NO_AUDIT, f"audit {number} has no such file."))
    folder = workspace.folder / REPORTS / str(number)
    return (folder / name).read_bytes(), (folder / "policy.txt").read_text("utf-8")


def delete_audit(workspace: Workspace, actor: Actor, number: int, at: datetime) -> None:
    """Delete the report, the uploaded files and the line in the list. Raises Forbidden; BadInput where there is none, or it runs."""
    found = find_audit(workspace, actor, number, at)
    if found.job.is_open:
        raise BadInput(Fault("not_ended", f"audit {number} has not ended yet.", "", "Cancel it first."))
    upload = forget(number).get("upload", "")
    shutil.rmtree(workspace.folder / REPORTS / str(number), ignore_errors=True)
    empty_upload(workspace, upload)


def _line(workspace: Workspace, job: ShownJob, arguments: Mapping[str, Any]) -> AuditLine:
    verdicts = tuple((one["score"], one["verdict"]) for one in job.result.get("verdicts", ()))
    there = (workspace.folder / REPORTS / str(job.id) / "report.html").is_file()
    return AuditLine(job, arguments.get("score_file", ""), arguments.get("outcome_file", ""), verdicts, there and job.state == "done")
