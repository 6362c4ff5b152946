"""The queue: jobs asked for, claimed, run, ended, cancelled, and taken up again after a process that died. Kept in the state's database.

Each attempt at a job writes under its number, so that a process that was given up and wakes again changes nothing. A job may be run
again after it did its work and died before it said so: what a job does must come to the same when it is done twice.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal, get_args

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from unspun.app.jobs.processes import Process
from unspun.errors import BadInput, Fault
from unspun.state.job_models import LONGEST_STAGE, Job

Kind = Literal["refresh", "dry_run", "load", "undo", "audit", "recompute", "backup"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
OPEN: Final = (Job.State.WAITING, Job.State.RUNNING)
ONE_AT_A_TIME: Final[frozenset[str]] = frozenset({"refresh", "backup"})
"""Kinds of which one waits or runs, whatever was asked of it."""
MOST_ATTEMPTS: Final = 3
LOST_AFTER: Final = timedelta(seconds=15)
"""Without a sign of life for so long, a job whose process is gone is taken up again."""

Word = Literal["go on", "cancel", "superseded"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt at a job, by its number; what is written under it counts only while the job is running that attempt."""

    job: int
    number: int

    @property
    def row(self) -> QuerySet[Job]:
        return Job.objects.filter(pk=self.job, attempts=self.number, state=Job.State.RUNNING)


# Asking


def ask(kind: Kind, arguments: Mapping[str, Any], person: int | None, at: datetime) -> Job:
    """The open job of that kind and arguments (of that kind alone for a refresh or a backup); a new one that waits where there is none.

    `person` is who asks, None for the schedule.
    """
    if kind not in KINDS:
        raise ValueError(f"there is no kind of job {kind!r}")
    key = key_of(kind, arguments)
    while True:
        there = Job.objects.filter(key=key, state__in=OPEN).first()
        if there is not None:
            return there
        try:
            with transaction.atomic():
                return Job.objects.create(kind=kind, key=key, arguments=dict(arguments), asked_by_id=person, asked_at=at)
        except IntegrityError:
            if not Job.objects.filter(key=key).exists():
                raise  # not because another asked the same: the person does not exist


def key_of(kind: str, arguments: Mapping[str, Any]) -> str:
    """What two jobs must not share while both are open."""
    if kind in ONE_AT_A_TIME:
        return kind
    return f"{kind} {hashlib.sha256(json.dumps(arguments, sort_keys=True).encode()).hexdigest()}"


def retry(job: int, person: int | None, at: datetime) -> Job:
    """Ask for the same again, as a new job. Raises BadInput for a job that does not exist or has not ended."""
    before = find(job)
    if before.state in OPEN:
        raise BadInput(Fault("not_ended", f"job {job} has not ended yet.", "", "Cancel it first."))
    return ask(before.kind, before.arguments, person, at)  # pyright: ignore[reportArgumentType]


def find(job: int) -> Job:
    """The job. Raises BadInput where there is none."""
    found = Job.objects.filter(pk=job).first()
    if found is None:
        raise BadInput(Fault("no_job", f"there is no job {job}."))
    return found


def cancel(job: int, at: datetime) -> bool:
    """End a waiting job at once; ask a running one to stop at its next sign of progress. False where it has ended already."""
    ended = {"state": Job.State.CANCELLED, "ended_at": at, "cancel_asked_at": at}
    if Job.objects.filter(pk=job, state=Job.State.WAITING).update(**ended):
        return True
    running = Job.objects.filter(pk=job, state=Job.State.RUNNING)
    return bool(running.filter(cancel_asked_at=None).update(cancel_asked_at=at)) or running.exists()


def forget(job: int) -> dict[str, Any]:
    """Delete a job that has ended; what was asked of it. Raises BadInput for one that does not exist or has not ended."""
    found = find(job)
    if found.state in OPEN:
        raise BadInput(Fault("not_ended", f"job {job} has not ended yet.", "", "Cancel it first."))
    found.delete()
    return found.arguments


def last_done(kind: Kind) -> Job | None:
    """The job of that kind that was done last."""
    return Job.objects.filter(kind=kind, state=Job.State.DONE).order_by("-ended_at", "-pk").first()


def note_done(kind: Kind, arguments: Mapping[str, Any], result: Mapping[str, Any], begun: datetime, ended: datetime) -> Job:
    """Write down work that was done outside of the queue, so that it is not asked for again."""
    stated = {"arguments": dict(arguments), "result": dict(result), "asked_at": begun, "begun_at": begun, "ended_at": ended}
    return Job.objects.create(kind=kind, key=key_of(kind, arguments), state=Job.State.DONE, **stated)


# Running


def claim(process: Process, at: datetime) -> Job | None:
    """The oldest waiting job, running from now on by that process; None where none waits. No job is given to two that ask at once."""
    if not Job.objects.filter(state=Job.State.WAITING).exists():
        return None
    with transaction.atomic():  # on SQLite it takes the lock of the one writer at its start
        waiting = Job.objects.filter(state=Job.State.WAITING).order_by("asked_at", "pk")
        if connection.features.has_select_for_update_skip_locked:
            waiting = waiting.select_for_update(skip_locked=True)
        job = waiting.first()
        if job is None:
            return None
        job.state, job.attempts = Job.State.RUNNING, job.attempts + 1
        job.begun_at = job.heartbeat_at = at
        job.stage, job.done, job.total, job.cancel_asked_at = "", 0, 0, None
        job.host, job.pid, job.mark = process.host, process.pid, process.mark
        job.save()
        return job


def attempt_of(job: Job) -> Attempt:
    """The attempt that a claimed job is in."""
    return Attempt(job.pk, job.attempts)


def take_over(attempt: Attempt, process: Process, before: Mapping[str, Any], at: datetime) -> bool:
    """Say which process runs the attempt, and what the book was when it began. False where the attempt is no longer the job's."""
    stated = {"host": process.host, "pid": process.pid, "mark": process.mark, "before": dict(before), "heartbeat_at": at}
    return bool(attempt.row.update(**stated))


def beat(attempt: Attempt, at: datetime, stage: str = "", done: int = 0, total: int = 0) -> Word:
    """A sign of life, with how far the work is; what the process is to do now."""
    row = attempt.row
    if not row.update(heartbeat_at=at, stage=stage[:LONGEST_STAGE], done=done, total=total):
        return "superseded"
    return "cancel" if row.exclude(cancel_asked_at=None).exists() else "go on"


def finish(attempt: Attempt, result: Mapping[str, Any], at: datetime) -> bool:
    """The work is done. False where the attempt is no longer the job's."""
    return bool(attempt.row.update(state=Job.State.DONE, result=dict(result), error=None, ended_at=at))


def fail(attempt: Attempt, error: Mapping[str, Any], at: datetime) -> bool:
    """The work failed, for a reason that another attempt would meet too. `error`: what, where, kept, todo (texts), and faults."""
    return bool(attempt.row.update(state=Job.State.FAILED, error=dict(error), ended_at=at))


def stop(attempt: Attempt, at: datetime, kept: str = "") -> bool:
    """The work stopped because someone asked for it."""
    told = {"what": "It was cancelled.", "where": "", "kept": kept, "todo": ""}
    return bool(attempt.row.update(state=Job.State.CANCELLED, error=told, ended_at=at))


def give_back(attempt: Attempt) -> bool:
    """The worker stops: the job waits again, and this was no attempt."""
    free = {"heartbeat_at": None, "host": "", "pid": None, "mark": "", "stage": "", "done": 0, "total": 0}
    return bool(attempt.row.update(state=Job.State.WAITING, attempts=attempt.number - 1, **free))


# After a process that died


def lose(attempt: Attempt, why: str, kept: str, at: datetime) -> Job.State | None:
    """The process of the attempt ended without a word: the job waits again, or has failed after MOST_ATTEMPTS. Its state; None where it
    was not running this attempt any more."""
    row = attempt.row
    if row.exclude(cancel_asked_at=None).update(state=Job.State.CANCELLED, ended_at=at, error=_lost("It was cancelled.", kept, "")):
        return Job.State.CANCELLED
    if attempt.number < MOST_ATTEMPTS:
        again = {"state": Job.State.WAITING, "heartbeat_at": None, "error": _lost(why, kept, "It is taken up again.")}
        return Job.State.WAITING if row.update(**again) else None
    what = f"{why} That was attempt {attempt.number} of {MOST_ATTEMPTS}."
    todo = "See that the machine has memory and disk to spare, and start it again."
    return Job.State.FAILED if row.update(state=Job.State.FAILED, ended_at=at, error=_lost(what, kept, todo)) else None


def _lost(what: str, kept: str, todo: str) -> dict[str, Any]:
    return {"what": what, "where": "", "kept": kept, "todo": todo}


def process_of(job: Job) -> Process:
    """The process that runs a job, or ran it last."""
    return Process(job.host, job.pid or 0, job.mark)


def lost_jobs(at: datetime) -> list[Job]:
    """Running jobs that gave no sign of life for LOST_AFTER, and whose process is gone as far as can be told from this host."""
    silent = Job.objects.filter(state=Job.State.RUNNING, heartbeat_at__lt=at - LOST_AFTER)
    return [job for job in silent if not process_of(job).is_running]
