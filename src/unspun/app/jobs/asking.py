"""Jobs as people ask for them and see them: who may start what, the list, and one job with how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from unspun.app.access import Actor, Permission
from unspun.app.jobs.queue import LOST_AFTER, MOST_ATTEMPTS, OPEN, ask, cancel, find, retry
from unspun.app.jobs.work import WORK
from unspun.errors import BadInput, Fault
from unspun.state.job_models import Job

NEEDS: Final[Mapping[str, Permission]] = {
    "refresh": "refresh.run",
    "dry_run": "data.load",
    "load": "data.load",
    "undo": "data.load",
    "audit": "audit.run",
    "recompute": "figure.open",
    "backup": "settings.manage",
}
"""What someone must be allowed to do to start, repeat or cancel a job of each kind."""
LISTED: Final = 50
MOST_OF_KIND: Final = 200


@dataclass(frozen=True, slots=True)
class ShownJob:
    """A job as pages show it. `seconds` it has run (None: not begun), `silent` whether its process gave no sign of life for too long."""

    id: int
    kind: str
    name: str
    state: str
    asked_by: str
    asked_at: datetime
    begun_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    stage: str
    done: int
    total: int
    attempts: int
    silent: bool
    cancelling: bool
    may: bool
    error: Mapping[str, Any] | None
    result: Mapping[str, Any]

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    @property
    def most_attempts(self) -> int:
        return MOST_ATTEMPTS


def start(actor: Actor, kind: str, arguments: Mapping[str, Any], at: datetime) -> int:
    """The number of the job that does it: a new one, or the one that is open already. Raises Forbidden, or BadInput for no such kind."""
    if kind not in NEEDS:
        raise BadInput(Fault("no_kind", f"there is no job of kind '{kind}'.", "kind", f"The kinds are {', '.join(NEEDS)}."))
    actor.require(NEEDS[kind])
    return ask(kind, arguments, actor.id or None, at).pk  # pyright: ignore[reportArgumentType]


def repeat(actor: Actor, job: int, at: datetime) -> int:
    """Ask for the same once more; the new job's number. Raises Forbidden, BadInput where there is no such job or it has not ended."""
    actor.require(NEEDS[find(job).kind])
    return retry(job, actor.id or None, at).pk


def end(actor: Actor, job: int, at: datetime) -> bool:
    """Cancel it; False where it has ended already. Raises Forbidden, BadInput where there is no such job."""
    actor.require(NEEDS[find(job).kind])
    return cancel(job, at)


def show_job(actor: Actor, job: int, at: datetime) -> ShownJob:
    """One job. Raises Forbidden, BadInput where there is none."""
    actor.require("refresh.run")
    return _shown(find(job), actor, at)


def list_jobs(actor: Actor, at: datetime) -> tuple[ShownJob, ...]:
    """The LISTED newest jobs, the newest first. Raises Forbidden."""
    actor.require("refresh.run")
    newest = Job.objects.select_related("asked_by").order_by("-asked_at", "-pk")[:LISTED]
    return tuple(_shown(job, actor, at) for job in newest)


def shown_jobs(actor: Actor, kind: str, at: datetime) -> tuple[tuple[ShownJob, Mapping[str, Any]], ...]:
    """The MOST_OF_KIND newest jobs of one kind with what was asked of each, the newest first. Raises Forbidden."""
    actor.require(NEEDS[kind])
    newest = Job.objects.select_related("asked_by").filter(kind=kind).order_by("-asked_at", "-pk")[:MOST_OF_KIND]
    return tuple((_shown(job, actor, at), job.arguments) for job in newest)


def _shown(job: Job, actor: Actor, at: datetime) -> ShownJob:
    running = job.state == Job.State.RUNNING
    ended = job.ended_at or at
    return ShownJob(
        id=job.pk,
        kind=job.kind,
        name=WORK[job.kind].name if job.kind in WORK else job.kind,
        state=job.state,
        asked_by="" if job.asked_by is None else job.asked_by.name or job.asked_by.email,
        asked_at=job.asked_at,
        begun_at=job.begun_at,
        ended_at=job.ended_at,
        seconds=None if job.begun_at is None else max(0.0, (ended - job.begun_at).total_seconds()),
        stage=job.stage,
        done=job.done,
        total=job.total,
        attempts=job.attempts,
        silent=running and job.heartbeat_at is not None and at - job.heartbeat_at > LOST_AFTER,
        cancelling=running and job.cancel_asked_at is not None,
        may=actor.may(NEEDS.get(job.kind, "settings.manage")),
        error=job.error,
        result=job.result or {},
    )
