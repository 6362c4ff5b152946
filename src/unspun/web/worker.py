"""The worker: takes jobs from the queue and runs each in a process of its own, so that pages stay quick and a job that dies takes nothing
with it. `watched_worker` keeps one running beside the server."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from unspun.app.workspace import Workspace, open_workspace
from unspun.errors import UnspunError
from unspun.web.set_up import prepare_state, set_up

if TYPE_CHECKING:
    from unspun.app.jobs.queue import Attempt
    from unspun.state.job_models import Job

POLL_SECONDS, RECOVER_SECONDS, SCHEDULE_SECONDS = 0.5, 5.0, 15.0
KILL_AFTER = timedelta(seconds=10)
"""How long a job that was cancelled may take to notice."""
ENDING_SECONDS, KEPT_LOGS = 10.0, 100
PARENT_VARIABLE = "UNSPUN_WORKER_PARENT"
AGAIN_SECONDS, LONGEST_AGAIN_SECONDS = 1.0, 30.0


LOG = logging.getLogger("unspun.jobs")


def logged(line: str) -> None:
    """What the worker does, in the log of the server that it runs beside."""
    LOG.info(line)


@dataclass(frozen=True, slots=True)
class WorkerRequest:
    """How many jobs to run at once, whether to end when none waits (`once`), and whether to ask for refreshes that are due."""

    workspace: Path
    jobs: int = 1
    once: bool = False
    schedule: bool = True
    told: Callable[[str], None] = logged


def prepare_worker(workspace: Path) -> None:
    """Set Django up and bring the state up to date."""
    set_up(workspace)
    prepare_state()


@dataclass(slots=True)
class Worker:
    """One worker's loop. Call `prepare_worker` before; `stop` ends it, its jobs wait for the next."""

    request: WorkerRequest
    stop: threading.Event = field(default_factory=threading.Event)
    _children: dict[Attempt, subprocess.Popen[bytes]] = field(default_factory=dict)
    _recovered: float = float("-inf")
    _scheduled: float = float("-inf")
    _fault: str = ""

    def run(self) -> None:
        """Until it is stopped, or for `once`, until nothing waits."""
        from django.db import DatabaseError, connection

        try:
            while not (self.stop.is_set() or _is_orphan()):
                try:
                    idle = self._step()
                except (DatabaseError, UnspunError) as fault:  # a state or book out of reach for now
                    self._wait_for(str(fault))
                    connection.close()
                    idle = False
                if idle and self.request.once:
                    return
                self.stop.wait(POLL_SECONDS)
        finally:
            self._end_children()

    def _wait_for(self, fault: str) -> None:
        """Tell of a fault once, however often it comes."""
        if fault != self._fault:
            self.request.told(f"waiting: {fault}")
        self._fault = fault

    def _step(self) -> bool:
        """Look after the jobs once; whether there is nothing to do."""
        self._reap()
        self._kill_cancelled()
        if time.monotonic() - self._recovered > RECOVER_SECONDS:
            self._recovered = time.monotonic()
            self._recover()
        if self.request.schedule and time.monotonic() - self._scheduled > SCHEDULE_SECONDS:
            self._scheduled = time.monotonic()
            self._ask_where_due()
        while len(self._children) < self.request.jobs and self._start():
            pass
        return not self._children

    def _start(self) -> bool:
        """Claim one job and start its process; whether there was one."""
        from unspun.app.jobs.processes import this_process
        from unspun.app.jobs.queue import attempt_of, claim

        job = claim(this_process(), now())
        if job is None:
            return False
        self.request.told(f"job {job.pk}, {job.kind}: begun")
        self._children[attempt_of(job)] = _process(self.request.workspace, job)
        return True

    def _reap(self) -> None:
        from unspun.app.jobs.queue import find

        for attempt, child in list(self._children.items()):
            code = child.poll()
            if code is None:
                continue
            self._lose(find(attempt.job), attempt, _how_ended(code))
            del self._children[attempt]
            self.request.told(f"job {attempt.job}: {find(attempt.job).state}")

    def _recover(self) -> None:
        from unspun.app.jobs.queue import attempt_of, lost_jobs

        for job in lost_jobs(now()):
            if attempt_of(job) not in self._children:
                self._lose(job, attempt_of(job), f"Its process ({job.pid} on {job.host}) is gone and gave no sign of life.")

    def _lose(self, job: Job, attempt: Attempt, why: str) -> None:
        from unspun.app.jobs.queue import lose
        from unspun.app.jobs.work import standing, what_was_kept

        if job.state == job.State.RUNNING:
            lose(attempt, why, what_was_kept(job.before, standing(self._workspace())), now())

    def _kill_cancelled(self) -> None:
        from unspun.app.jobs.queue import process_of
        from unspun.state.job_models import Job

        for job in Job.objects.filter(state=Job.State.RUNNING, cancel_asked_at__lt=now() - KILL_AFTER):
            process_of(job).kill()

    def _ask_where_due(self) -> None:
        from unspun.app.jobs.schedule import ask_where_due

        job = ask_where_due(self._workspace(), now())
        if job is not None:
            self.request.told(f"job {job.pk}, refresh: due")

    def _workspace(self) -> Workspace:
        return open_workspace(self.request.workspace)

    def _end_children(self) -> None:
        """End what runs and give it back: the next worker takes it up, and no attempt is counted."""
        from django.db import DatabaseError

        from unspun.app.jobs.queue import give_back

        for child in self._children.values():
            child.terminate()
        for attempt, child in self._children.items():
            with suppress(subprocess.TimeoutExpired):
                child.wait(ENDING_SECONDS)
            child.kill()
            child.wait()
            with suppress(DatabaseError):  # where it cannot be said, the next worker finds the process gone
                give_back(attempt)
        self._children.clear()


def _process(workspace: Path, job: Job) -> subprocess.Popen[bytes]:
    """The job's own process, in a session of its own: Ctrl-C in the terminal is for the worker to hear."""
    command = [sys.executable, "-m", "unspun.web.job_process", str(job.pk), str(job.attempts)]
    environment = {**os.environ, "UNSPUN_WORKSPACE": str(workspace)}
    with log_of(workspace, job.pk).open("ab") as log:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment, start_new_session=True)


def log_of(workspace: Path, job: int) -> Path:
    """Where a job's process writes what it has to say; the logs of the KEPT_LOGS newest are kept."""
    from unspun.app.jobs.work import CONSOLE_FOLDER

    folder = workspace / CONSOLE_FOLDER / "jobs"
    folder.mkdir(parents=True, exist_ok=True)
    numbers = sorted(int(path.stem) for path in folder.glob("*.log") if path.stem.isdecimal())
    for number in numbers[:-KEPT_LOGS]:
        (folder / f"{number}.log").unlink(missing_ok=True)
    return folder / f"{job}.log"


def _how_ended(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return f"Its process was ended by {signal.Signals(-code).name}, as by the system when memory runs out."
    return f"Its process ended with code {code} and said nothing of the job."


def _is_orphan() -> bool:
    """Whether the server that started this worker is gone."""
    parent = os.environ.get(PARENT_VARIABLE)
    return parent is not None and parent != str(os.getppid())


def now() -> datetime:
    return datetime.now(UTC)


def run_worker(request: WorkerRequest) -> None:
    """Run until interrupted or terminated, in the main thread of a process."""
    worker = Worker(request)
    for ending in (signal.SIGTERM, signal.SIGINT):
        signal.signal(ending, lambda *_: worker.stop.set())
    worker.run()


# Beside the server


@contextmanager
def watched_worker(workspace: Path) -> Iterator[None]:
    """Keep a worker running in a process of its own while the server serves; where it ends it is started again."""
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(workspace, stop), name="worker", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        stop.set()
        watcher.join(2 * ENDING_SECONDS)


def _watch(workspace: Path, stop: threading.Event) -> None:
    pause = AGAIN_SECONDS
    while not stop.is_set():
        begun = time.monotonic()
        command = [sys.executable, "-m", "unspun.cli", "worker", "--log", "--workspace", str(workspace)]
        environment = {**os.environ, PARENT_VARIABLE: str(os.getpid())}
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment, start_new_session=True)
        while process.poll() is None and not stop.wait(POLL_SECONDS):
            pass
        if stop.is_set():
            _end(process)
            return
        pause = AGAIN_SECONDS if time.monotonic() - begun > LONGEST_AGAIN_SECONDS else min(2 * pause, LONGEST_AGAIN_SECONDS)
        stop.wait(pause)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(1.5 * ENDING_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
