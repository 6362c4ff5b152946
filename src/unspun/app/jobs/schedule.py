"""When a refresh is due: the book has a new version, a definition was changed, or a new day has begun."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from unspun.app.jobs.queue import OPEN, ask
from unspun.app.workspace import Workspace
from unspun.errors import BadInput
from unspun.state.job_models import Job

DAY_BEGINS_AT = timedelta(hours=4)
"""In the zone of the book: the night's loads are in by then, and nobody works yet."""
QUIET = timedelta(seconds=30)
"""A book or definition that changed less than this ago may change again at once, as in a series of loads."""


def ask_where_due(workspace: Workspace, at: datetime) -> Job | None:
    """Ask for a refresh where what it would rest on is not what the last one, however it ended, was asked for; the job, or None.

    One that failed is not asked for again until something changed: it would fail again.
    """
    cause = cause_of(workspace, at)
    if cause is None or _changed_after(workspace, at - QUIET):
        return None
    last = Job.objects.filter(kind="refresh").order_by("-asked_at", "-pk").first()
    if last is not None and (last.state in OPEN or last.arguments.get("cause") == cause):
        return None
    return ask("refresh", {"cause": cause}, None, at)


def cause_of(workspace: Workspace, at: datetime) -> dict[str, Any] | None:
    """What a refresh would rest on: version of the book, definitions, and day. None where nothing is loaded yet."""
    with workspace.catalog() as catalog:
        versions = catalog.versions()
    if not versions:
        return None
    return {"version": versions[-1].version, "definitions": _definitions(workspace), "day": _day(workspace, at)}


def _definitions(workspace: Workspace) -> str:
    """One hash of all definition files; of one that is not there, of nothing."""
    files = (workspace.book_file, workspace.retention_file, workspace.metrics_file, workspace.scores_file)
    hashes = (hashlib.sha256(path.read_bytes() if path.exists() else b"").hexdigest() for path in files)
    return hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def _day(workspace: Workspace, at: datetime) -> str:
    try:
        zone = ZoneInfo(workspace.definition().time_zone)
    except BadInput:  # the refresh will say what is wrong with book.yml; a day begins somewhere until then
        zone = UTC
    return (at.astimezone(zone) - DAY_BEGINS_AT).date().isoformat()


def _changed_after(workspace: Workspace, instant: datetime) -> bool:
    files = (workspace.book_file, workspace.retention_file, workspace.metrics_file, workspace.scores_file)
    edited = [datetime.fromtimestamp(path.stat().st_mtime, UTC) for path in files if path.exists()]
    with workspace.catalog() as catalog:
        published = [line.at for line in catalog.versions()[-1:]]
    return any(one > instant for one in (*edited, *published))
