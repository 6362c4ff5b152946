"""Audits asked for in the console: two uploaded files, how to read them, the job that judges them, and the reports that were made.

The files are kept until the audit is done, for at most a day; the report until somebody deletes it.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal, get_args

from unspun.app.access import Actor
from unspun.app.imports.kept import ID, Upload, safe_name, write_upload
from unspun.app.jobs.asking import ShownJob, shown_jobs, start
from unspun.app.jobs.queue import forget
from unspun.app.reading import AuditRequest
from unspun.app.workspace import Workspace, replace_text
from unspun.book.tables import ReadingOptions
from unspun.errors import BadInput, Fault

UPLOADS: Final = ".console/audit-uploads"
REPORTS: Final = ".console/audits"
RECORD: Final = "audit.json"
KEPT: Final = timedelta(hours=24)
NO_AUDIT: Final = "no_audit"
Outcomes = Literal["renewals", "subscriptions", "purchases"]
OUTCOMES: Final[tuple[Outcomes, ...]] = get_args(Outcomes)
REPORT_FILES: Final[Mapping[str, str]] = {"report.html": "text/html; charset=utf-8", "result.json": "application/json"}


@dataclass(frozen=True, slots=True)
class AuditOrder:
    """What somebody asked for: how the files are called, what the second one holds, and how they are to be read.

    `columns` is ROLE=COLUMN, `words` WORD=CLASS, `scores` and `bands` one name each, a line each.
    """

    outcomes: str = "renewals"
    columns: Sequence[str] = ()
    words: Sequence[str] = ()
    scores: Sequence[str] = ()
    bands: Sequence[str] = ()
    date_format: str = ""
    time_zone: str = "UTC"
    score_file: str = ""
    outcome_file: str = ""


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
    _sweep(workspace, at)
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
        _keep_files(workspace, place, named, scores, outcomes)
        said = {**asdict(order), "score_file": named["scores"], "outcome_file": named["outcomes"]}
        replace_text(place / RECORD, json.dumps(said, ensure_ascii=False), "Nothing was kept.")
        words = {"upload": upload, "score_file": named["scores"], "outcome_file": named["outcomes"]}
        return start(actor, "audit", words, at)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise


def _keep_files(workspace: Workspace, place: Path, named: Mapping[str, str], scores: Upload, outcomes: Upload) -> None:
    most = workspace.settings.serve.upload_bytes
    for which, upload in (("scores", scores), ("outcomes", outcomes)):
        (place / which).mkdir(parents=True)
        place.chmod(0o700)
        size = write_upload(place / which / named[which], upload.parts, most)
        if not size:
            raise BadInput(Fault("empty_file", "the file is empty.", which, "Check the export."))
        most -= size


def read_options(order: AuditOrder) -> tuple[ReadingOptions, list[Fault]]:
    """How the files are to be read, and what is wrong with how that was said."""
    columns, faults = _pairs(order.columns, "columns", "scores.account = Customer ID")
    words, more = _pairs(order.words, "words", "Closed lost = churned")
    options = ReadingOptions(
        columns, tuple(order.scores), words, tuple(order.bands), order.date_format or None, order.time_zone or "UTC"
    )  # fmt: skip
    return options, faults + more


def request_of(workspace: Workspace, upload: str) -> AuditRequest:
    """The audit of an upload, as the command asks for it. Raises BadInput where its files are gone."""
    place, order = _order(workspace, upload)
    options, faults = read_options(order)
    paths = {"scores": place / "scores" / order.score_file, order.outcomes: place / "outcomes" / order.outcome_file}
    if gone := [path.name for path in paths.values() if not path.is_file()]:
        faults += [Fault("file_gone", "the file is kept no longer.", name, "Upload both files again.") for name in gone]
    if faults:
        raise BadInput(faults)
    scores, found = (str(path) for path in paths.values())
    by_kind = {kind: found if kind == order.outcomes else None for kind in OUTCOMES}
    return AuditRequest(scores, by_kind["renewals"], by_kind["subscriptions"], by_kind["purchases"], reading=options)


@contextmanager
def by_name(workspace: Workspace, upload: str) -> Iterator[None]:
    """Within it, refusals name files as people know them, and options as the page calls them."""
    prefixes = [f"{workspace.folder / UPLOADS / upload / which}/" for which in ("scores", "outcomes")]
    try:
        yield
    except BadInput as refusal:
        raise BadInput([_bare(fault, prefixes) for fault in refusal.faults]) from refusal


def empty_upload(workspace: Workspace, upload: str) -> None:
    """Remove the files of an audit that is done."""
    if ID.fullmatch(upload):
        shutil.rmtree(workspace.folder / UPLOADS / upload, ignore_errors=True)


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


def _order(workspace: Workspace, upload: str) -> tuple[Path, AuditOrder]:
    place = workspace.folder / UPLOADS / upload
    if not ID.fullmatch(upload) or not (place / RECORD).is_file():
        raise BadInput(Fault("file_gone", "the files of the audit are kept no longer.", "", "Upload both files again."))
    return place, AuditOrder(**json.loads((place / RECORD).read_text("utf-8")))


def _pairs(lines: Sequence[str], where: str, example: str) -> tuple[dict[str, str], list[Fault]]:
    """Lines of NAME = VALUE."""
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for line in lines:
        name, _, value = (part.strip() for part in line.partition("="))
        if not name or not value:
            faults.append(Fault("bad_pair", f"'{line}' is not NAME = VALUE.", where, f"Write it as {example}."))
        else:
            found[name] = value
    return found, faults


def _bare(fault: Fault, prefixes: Sequence[str]) -> Fault:
    where, message, hint = fault.where, fault.message, fault.hint
    for prefix in prefixes:
        where, message, hint = (text.replace(prefix, "") for text in (where, message, hint))
    return Fault(fault.code, message, where, hint)


def _sweep(workspace: Workspace, at: datetime) -> None:
    """Remove files of audits that are not done after KEPT."""
    place = workspace.folder / UPLOADS
    for folder in place.iterdir() if place.is_dir() else ():
        if at.timestamp() - folder.stat().st_mtime > KEPT.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)
