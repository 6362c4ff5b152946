"""Asking for the jobs of an import: its dry run, and its load once the dry run was looked at; and for taking a load back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from unspun.app.access import Actor
from unspun.app.imports.kept import Import, keep, read
from unspun.app.imports.running import tried_of
from unspun.app.imports.undoing import undoable
from unspun.app.jobs.asking import start
from unspun.app.jobs.queue import OPEN
from unspun.app.jobs.queue import find as find_job
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault


def ask_dry_run(workspace: Workspace, actor: Actor, of: Import, at: datetime) -> Import:
    """Ask for a dry run of the import as it stands. Raises Forbidden, BadInput where it has no file or is being loaded."""
    _may_run(of)
    job = start(actor, "dry_run", {"import": of.id, "revision": of.revision}, at)
    return keep(workspace, replace(read(workspace, of.id), tried=job))  # the job may have begun


def ask_load(workspace: Workspace, actor: Actor, of: Import, at: datetime) -> Import:
    """Ask for the load. Raises Forbidden; BadInput where no dry run was made of the import as it stands."""
    _may_run(of)
    tried = tried_of(workspace, of)
    if tried is None or not tried.is_of_now:
        hint = "Try it out, look at what would be loaded, and then load it."
        raise BadInput(Fault("not_tried", "the import was changed since its last dry run, or never had one.", "", hint))
    job = start(actor, "load", {"import": of.id, "revision": of.revision}, at)
    return keep(workspace, replace(read(workspace, of.id), loading=job))


def is_busy(of: Import) -> bool:
    """Whether a job of the import waits or runs."""
    return any(_is_open(job) for job in (of.tried, of.loading) if job is not None)


def _may_run(of: Import) -> None:
    if not of.files or of.load is not None:
        raise BadInput(Fault("nothing_to_load", "the import has no files.", "", "Add some, or begin a new one."))
    if of.loading is not None and _is_open(of.loading):
        raise BadInput(Fault("being_loaded", "the import is being loaded.", "", "Wait for it, or cancel it first."))


def _is_open(job: int) -> bool:
    try:
        return find_job(job).state in OPEN
    except BadInput:
        return False


def ask_undo(workspace: Workspace, actor: Actor, number: int, at: datetime) -> int:
    """The job that takes it back. Raises Forbidden, BadInput where it is not the last in force."""
    undoable(workspace, actor, number)
    return start(actor, "undo", {"load": number}, at)
