"""The two files of an audit as they are kept until it is done, for at most a day, and how they are to be read."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal, get_args

from unspun.app.imports.kept import ID, Upload, write_upload
from unspun.app.reading import AuditRequest
from unspun.app.workspace import Workspace
from unspun.book.tables import ReadingOptions
from unspun.errors import BadInput, Fault

UPLOADS: Final = ".console/audit-uploads"
RECORD: Final = "audit.json"
KEPT: Final = timedelta(hours=24)
Outcomes = Literal["renewals", "subscriptions", "purchases"]
OUTCOMES: Final[tuple[Outcomes, ...]] = get_args(Outcomes)


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


def keep_files(workspace: Workspace, place: Path, named: Mapping[str, str], scores: Upload, outcomes: Upload) -> None:
    """Write both files below `place`. Raises BadInput where one is empty, or they are too big together."""
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


def sweep(workspace: Workspace, at: datetime) -> None:
    """Remove files of audits that are not done after KEPT."""
    place = workspace.folder / UPLOADS
    for folder in place.iterdir() if place.is_dir() else ():
        if at.timestamp() - folder.stat().st_mtime > KEPT.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)
