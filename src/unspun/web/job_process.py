"""The process of one job: `python -m unspun.web.job_process JOB ATTEMPT`. It runs nicer than the pages, tells how far it is, and stops
where someone cancels it or the job was given to another process."""

from __future__ import annotations

import os
import sys
import threading
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from unspun.errors import UnspunError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from unspun.app.jobs.queue import Attempt, Word
    from unspun.app.jobs.work import Task

NICE = 5
BEAT_SECONDS = 0.5
SUPERSEDED = 4  # exit code of a process whose job another one has by now


class Cancelled(BaseException):
    """Someone asked the job to stop. No Exception, so that no operation takes it for a fault of its own and goes on."""


class Reporter:
    """Tells the queue how far the work is, from a thread of its own so that the work waits for no database; hears what to do then."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt
        self._told: tuple[str, int, int] = ("", 0, 0)
        self._cancelled = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Reporter:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def progress(self, stage: str, done: int, total: int) -> None:
        """What the work calls. Raises Cancelled where it is to stop."""
        self._told = (stage, done, total)
        if self._cancelled.is_set():
            raise Cancelled

    def _beat(self) -> None:
        from django.db import DatabaseError, connection

        while not self._ended.wait(BEAT_SECONDS):
            try:
                self._hear(_say(self._attempt, *self._told))
            except DatabaseError as fault:  # the next beat tries again; the work goes on
                print(f"the state cannot be reached: {fault}", file=sys.stderr, flush=True)
                connection.close()
        connection.close()

    def _hear(self, word: Word) -> None:
        if word == "cancel":
            self._cancelled.set()
        elif word == "superseded" and not self._ended.is_set():
            os._exit(SUPERSEDED)


def _say(attempt: Attempt, stage: str, done: int, total: int) -> Word:
    from unspun.app.jobs.queue import beat

    return beat(attempt, now(), stage, done, total)


def now() -> datetime:
    return datetime.now(UTC)


def run(number: int, attempt_number: int) -> int:
    """Run the attempt to its end and write down how it ended."""
    from unspun.app.jobs.processes import this_process
    from unspun.app.jobs.queue import Attempt, find, take_over
    from unspun.app.jobs.work import WORK, Task, standing
    from unspun.app.people.actors import actor_of
    from unspun.app.workspace import open_workspace

    attempt, workspace = Attempt(number, attempt_number), open_workspace()
    before = standing(workspace).as_json
    if not take_over(attempt, this_process(), before, now()):
        return SUPERSEDED
    job = find(number)
    actor = None if job.asked_by is None else actor_of(job.asked_by, "session")
    with Reporter(attempt) as reporter:
        task = Task(workspace, number, job.arguments, actor, now(), reporter.progress)
        write = _ending(task, attempt, WORK[job.kind].run, WORK[job.kind].todo, before)
    return 0 if write() else SUPERSEDED


def _ending(
    task: Task, attempt: Attempt, work: Callable[[Task], Mapping[str, Any]], todo: str, before: Mapping[str, Any]
) -> Callable[[], bool]:
    """Do the work; how its end is written down."""
    from unspun.app.jobs.queue import fail, finish, stop
    from unspun.app.jobs.work import error_of, standing, what_was_done, what_was_kept

    def kept() -> str:
        return what_was_kept(before, standing(task.workspace))

    try:
        done = {**work(task), **what_was_done(before, standing(task.workspace))}
        return lambda: finish(attempt, done, now())
    except Cancelled:
        return lambda: stop(attempt, now(), kept())
    except UnspunError as refusal:
        error = error_of(refusal.faults, kept(), todo)
        return lambda: fail(attempt, error, now())
    except Exception as fault:
        traceback.print_exception(fault)
        frame = traceback.extract_tb(fault.__traceback__)[-1]
        what = f"A fault of Unspun's own: {type(fault).__name__}: {fault}"
        where = f"{os.path.basename(frame.filename)}:{frame.lineno}"
        told = {"what": what, "where": where, "kept": kept(), "todo": "Please report it, with the log of the job."}
        return lambda: fail(attempt, told, now())


def main() -> int:
    with suppress(OSError, AttributeError):  # not every system has it
        os.nice(NICE)
    from unspun.web.set_up import set_up

    set_up(Path(os.environ["UNSPUN_WORKSPACE"]))
    return run(int(sys.argv[1]), int(sys.argv[2]))


if __name__ == "__main__":
    sys.exit(main())
