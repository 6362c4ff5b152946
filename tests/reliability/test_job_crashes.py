"""Killed at any moment, jobs, migrations and writes lose nothing: a seeded few of the rounds of benchmarks/job_crash_study.py, and real
workers whose processes are killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.unit.state.databases import state_in
from unspun.app.jobs.processes import process_at
from unspun.app.jobs.queue import ask, cancel, find, process_of
from unspun.app.workspace import Workspace
from unspun.state.models import Job

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the study forks its processes")
PATIENCE_SECONDS = 120.0  # of a machine that is busy; nothing waits so long that works


@pytest.mark.parametrize("options", [("--rounds", "2", "--seed", "7"), ("--rounds", "1", "--seed", "11", "--postgres")])
def test_after_kills_no_acknowledged_write_is_lost_and_each_job_ended_with_its_rows_or_its_reason(
    root: Path, tmp_path: Path, options: tuple[str, ...]
) -> None:
    out = tmp_path / "result.json"
    command = [sys.executable, "-m", "benchmarks.job_crash_study", *options, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=root)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    result = json.loads(out.read_text())
    assert result["wrong"] == [] and result["killed"] > 0
    assert result["outcomes"]["writes acknowledged"] > 0


# A real worker


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with state_in(tmp_path / "acme", "sqlite") as made:
        yield made


@contextmanager
def working(*options: str) -> Iterator[subprocess.Popen[bytes]]:
    worker = subprocess.Popen([sys.executable, "-m", "unspun.cli", "worker", "--no-schedule", *options])
    try:
        yield worker
    finally:
        worker.terminate()
        worker.wait(PATIENCE_SECONDS)


def until(what: Callable[[], Any]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def stuck(folder: Path) -> Job:
    """A job whose file cannot be read to its end: a pipe to which nobody writes."""
    os.mkfifo(folder / "accounts.csv")
    return ask("load", {"paths": [str(folder / "accounts.csv")], "accept": True}, None, datetime.now(UTC))


def in_its_own_process(job: int, worker: subprocess.Popen[bytes]) -> bool:
    found = find(job)
    return found.state == "running" and found.pid not in (None, worker.pid) and process_of(found).is_running


@pytest.mark.usefixtures("workspace")
def test_a_job_whose_process_is_killed_is_begun_again_and_one_that_does_not_answer_is_killed_when_it_is_cancelled(tmp_path: Path) -> None:
    job = stuck(tmp_path).pk
    with working() as worker:
        until(lambda: in_its_own_process(job, worker))
        killed = process_of(find(job))
        os.kill(killed.pid, signal.SIGKILL)
        until(lambda: find(job).attempts == 2 and in_its_own_process(job, worker))
        error = find(job).error
        assert error is not None and "SIGKILL" in error["what"] and error["kept"] == "The book is as it was, and nothing was recorded."
        second = process_of(find(job))
        assert cancel(job, datetime.now(UTC))
        until(lambda: find(job).state == "cancelled")
        assert not second.is_running


@pytest.mark.usefixtures("workspace")
def test_a_worker_that_is_told_to_end_gives_its_job_back(tmp_path: Path) -> None:
    job = stuck(tmp_path).pk
    with working() as worker:
        until(lambda: in_its_own_process(job, worker))
        process = process_of(find(job))
        worker.terminate()
        worker.wait(PATIENCE_SECONDS)
    assert (find(job).state, find(job).attempts) == ("waiting", 0)
    assert not process.is_running


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the parents of processes are read in /proc")
@pytest.mark.usefixtures("workspace")
def test_a_worker_that_runs_beside_a_server_ends_with_it(tmp_path: Path) -> None:
    program = (
        "import sys, time\nfrom pathlib import Path\nfrom unspun.web.worker import watched_worker\n"
        "with watched_worker(Path(sys.argv[1])):\n    time.sleep(600)\n"
    )
    job = stuck(tmp_path).pk
    server = subprocess.Popen([sys.executable, "-c", program, str(tmp_path / "acme")], stdin=subprocess.DEVNULL)
    until(lambda: find(job).pid and _parent_of(_parent_of(find(job).pid or 0)) == server.pid)
    worker = process_at(_parent_of(find(job).pid or 0))
    server.kill()  # no time to say goodbye
    server.wait()
    until(lambda: find(job).state == "waiting" and not worker.is_running)


def _parent_of(pid: int) -> int:
    """0 where there is no such process, or no /proc."""
    with suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return 0
