"""An import looked at, tried out and loaded: the operations of `unspun load` on files that somebody brought to the console."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from unspun.app.imports.kept import FILES, Import, empty, keep, read
from unspun.app.loads import LookedAt, accept_proposals, load, look_at_files, plan_load
from unspun.app.mended import marked
from unspun.app.workspace import Workspace, replace_text
from unspun.errors import BadInput, Fault
from unspun.progress import Progress
from unspun.warehouse.load import LoadResult, SourceOutcome

TRIED: Final = "dry-run.json"
AS_OPTION: Final = re.compile(r"[Nn]ame (?:its|the|another) table with --as")
"""What a command would do, and a page does by its list of tables."""
REJECT_COLUMNS: Final = ("file", "row", "column", "value", "reason")


@dataclass(frozen=True, slots=True)
class Tried:
    """What a dry run said: per file the counts and the reasons, the rejected rows (the first of each file), and the notes.

    `is_of_now` is whether nothing was changed since.
    """

    is_of_now: bool
    files: tuple[Mapping[str, Any], ...]
    rejects: tuple[Mapping[str, Any], ...]
    notes: tuple[str, ...]
    drift: tuple[Mapping[str, str], ...]

    def total(self, what: str) -> int:
        return sum(one[what] for one in self.files)


def look_at(workspace: Workspace, of: Import) -> tuple[LookedAt, ...]:
    """How each file would be read, by its name."""
    with _by_name(workspace, of):
        found = look_at_files(workspace, of.request(workspace))
    return tuple(_named(one, _prefix(workspace, of)) for one in found)


def tried_of(workspace: Workspace, of: Import) -> Tried | None:
    """The last dry run of an import; None where there is none."""
    try:
        kept: dict[str, Any] = json.loads((of.folder(workspace) / TRIED).read_text("utf-8"))
    except FileNotFoundError:
        return None
    return Tried(
        kept["revision"] == of.revision, tuple(kept["files"]), tuple(kept["rejects"]), tuple(kept["notes"]), tuple(kept["drift"])
    )  # fmt: skip


def reject_lines(tried: Tried) -> Iterator[list[str]]:
    """The rejected rows as lines of a CSV that a spreadsheet does not run."""
    yield [*REJECT_COLUMNS]
    for one in tried.rejects:
        yield [marked(str(one[name])) for name in REJECT_COLUMNS]


# What the jobs do


def try_out(workspace: Workspace, wanted: str, at: datetime, progress: Progress) -> dict[str, Any]:
    """Run the load dry and keep what it says. Raises BadInput as `load` does, with files by their names."""
    of = read(workspace, wanted)
    request = of.request(workspace, dry_run=True)
    with _by_name(workspace, of):
        done = load(workspace, plan_load(workspace, request, progress), request, at, progress)
    said = {"revision": of.revision, **_told(done), "rejects": [*_rejects(done)]}
    replace_text(of.folder(workspace) / TRIED, json.dumps(said, ensure_ascii=False), "The dry run was not kept.")
    return {"import": of.id, "files": said["files"]}


def load_import(workspace: Workspace, wanted: str, at: datetime, progress: Progress) -> dict[str, Any]:
    """Accept what is proposed, load the files, and remove them. An import that is loaded already says what that load did."""
    of = read(workspace, wanted)
    if of.load is not None:
        return dict(of.load)
    request = of.request(workspace)
    with _by_name(workspace, of):
        plan = plan_load(workspace, request, progress)
        plan = accept_proposals(workspace, plan) if plan.proposed else plan
        done = load(workspace, plan, request, at, progress)
    told = {"import": of.id, "load": done.load, **_told(done)}
    keep(workspace, replace(read(workspace, wanted), load=told))
    empty(workspace, of)
    return told


def told_files(sources: Iterable[SourceOutcome]) -> list[dict[str, Any]]:
    """What became of each file, as jobs and pages tell it."""
    return [
        {
            "name": one.name, "table": one.table, "rows": one.rows_read, "new": one.new, "changed": one.changed, "unchanged": one.unchanged,
            "rejected": one.rows_rejected, "reasons": [{"reason": why, "rows": n} for _, why, n in one.rejected], "notes": list(one.notes),
            "unlisted": list(one.unlisted_columns),
        }
        for one in sources
    ]  # fmt: skip


def _told(done: LoadResult) -> dict[str, Any]:
    drift = [{"severity": one.severity, "table": one.table, "message": one.message, "mend": one.mend} for one in done.drift]
    return {"files": told_files(done.sources), "notes": list(done.notes), "drift": drift}


def _rejects(done: LoadResult) -> Iterator[dict[str, Any]]:
    for place, rows in done.refused:
        yield from _of_file(done.sources[place].name, rows)


def _of_file(name: str, rows: pa.Table) -> Iterator[dict[str, Any]]:
    for row in rows.select(["source_row", "column", "value", "reason"]).to_pylist():
        yield {
            "file": name, "row": row["source_row"], "column": row["column"] or "", "value": row["value"] or "", "reason": row["reason"]
        }  # fmt: skip


def _prefix(workspace: Workspace, of: Import) -> str:
    return f"{of.folder(workspace) / FILES}/"


@contextmanager
def _by_name(workspace: Workspace, of: Import) -> Iterator[None]:
    """Within it, refusals name files as people know them, not where they are kept."""
    try:
        yield
    except BadInput as refusal:
        raise BadInput([_bare(fault, _prefix(workspace, of)) for fault in refusal.faults]) from refusal


def _named(one: LookedAt, prefix: str) -> LookedAt:
    faults = tuple(_bare(fault, prefix) for fault in one.faults)
    return replace(one, path=one.path.removeprefix(prefix), like=one.like.removeprefix(prefix), faults=faults)


def _bare(fault: Fault, prefix: str) -> Fault:
    where, message, hint = (text.replace(prefix, "") for text in (fault.where, fault.message, fault.hint))
    hint = AS_OPTION.sub("choose its table", hint)
    return Fault(fault.code, message, where, f"{hint[:1].upper()}{hint[1:]}")
