"""The queue of jobs, on SQLite and on a real Postgres: one of a kind, given to one process, and taken up again after one that died."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import IntegrityError, connections

from tests.unit.state.databases import KINDS, state_in
from unspun.app.jobs.processes import Process, process_at, this_process
from unspun.app.jobs.queue import (
    LOST_AFTER,
    MOST_ATTEMPTS,
    Attempt,
    ask,
    attempt_of,
    beat,
    cancel,
    claim,
    fail,
    find,
    finish,
    give_back,
    lose,
    lost_jobs,
    retry,
    take_over,
)
from unspun.app.workspace import Workspace
from unspun.errors import BadInput
from unspun.state.models import Job, Person

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ELSEWHERE = Process("another-host", 7, "boot 1")


@pytest.fixture(params=KINDS)
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    with state_in(tmp_path / "acme", request.param) as made:
        yield made


def running(kind: str = "refresh", process: Process = ELSEWHERE) -> tuple[Job, Attempt]:
    job = ask(kind, {}, None, AT)  # pyright: ignore[reportArgumentType]
    claimed = claim(process, AT)
    assert claimed is not None and claimed.pk == job.pk
    return claimed, attempt_of(claimed)


def at_once(work: Callable[[int], object], workers: int) -> list[object]:
    """What each of the threads gave; they begin together, each with a connection of its own."""
    start, given = threading.Barrier(workers), list[object]()

    def run(number: int) -> None:
        start.wait()
        try:
            given.append(work(number))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return given


@pytest.mark.usefixtures("workspace")
class TestAsking:
    """What is open already is not asked for twice."""

    def test_a_refresh_that_waits_or_runs_is_the_answer_to_whoever_asks_for_one(self) -> None:
        first = ask("refresh", {"fit": True}, None, AT)
        assert ask("refresh", {}, None, AT).pk == first.pk
        claim(ELSEWHERE, AT)
        assert ask("refresh", {}, None, AT).pk == first.pk
        assert finish(attempt_of(find(first.pk)), {}, AT)
        assert ask("refresh", {}, None, AT).pk != first.pk

    def test_two_imports_of_other_files_are_two_jobs_and_of_the_same_files_one(self) -> None:
        asked = [ask("load", {"paths": [name]}, None, AT).pk for name in ("a.csv", "b.csv", "a.csv")]
        assert asked[0] == asked[2] != asked[1]

    def test_of_many_who_ask_at_the_same_moment_all_get_the_same_job(self) -> None:
        given = at_once(lambda _: ask("refresh", {}, None, AT).pk, 8)
        assert len(given) == 8 and len(set(given)) == 1 and Job.objects.count() == 1

    def test_who_asked_must_exist(self) -> None:
        with pytest.raises(IntegrityError):
            ask("backup", {}, 999, AT)
            connections["default"].check_constraints()  # SQLite looks at the end of a transaction

    def test_what_failed_can_be_asked_for_again_and_what_is_open_cannot(self) -> None:
        person = Person.objects.create(email="ann@acme.test", name="Ann", role="owner")
        job, attempt = running("load")
        with pytest.raises(BadInput, match="has not ended"):
            retry(job.pk, person.pk, AT)
        assert fail(attempt, {"what": "no such file", "where": "a.csv", "kept": "", "todo": ""}, AT)
        again = retry(job.pk, person.pk, AT)
        assert (again.pk != job.pk, again.state, again.asked_by, again.kind) == (True, "waiting", person, "load")
        with pytest.raises(BadInput, match="no job 999"):
            retry(999, None, AT)


@pytest.mark.usefixtures("workspace")
class TestRunning:
    """A job belongs to one attempt at a time."""

    def test_each_of_many_jobs_is_given_to_exactly_one_of_the_workers_that_ask_at_once(self) -> None:
        asked = {ask("load", {"paths": [str(n)]}, None, AT).pk for n in range(24)}

        def take(number: int) -> list[int]:
            taken: list[int] = []
            while (job := claim(replace(ELSEWHERE, pid=number), AT)) is not None:
                taken.append(job.pk)
            return taken

        by_worker = [taken for taken in at_once(take, 4) if isinstance(taken, list)]
        every = [pk for taken in by_worker for pk in taken]
        # A worker that finds the row of another locked may see none for a moment and stop: what is left is claimed now.
        while (job := claim(ELSEWHERE, AT)) is not None:
            every.append(job.pk)
        assert sorted(every) == sorted(asked)

    def test_the_oldest_is_first(self) -> None:
        ask("load", {"paths": ["late"]}, None, AT + timedelta(seconds=1))
        early = ask("load", {"paths": ["early"]}, None, AT)
        job = claim(ELSEWHERE, AT)
        assert job is not None and job.pk == early.pk and job.attempts == 1 and job.heartbeat_at == AT

    def test_progress_is_kept_and_a_stage_that_is_too_long_is_cut(self) -> None:
        job, attempt = running()
        assert beat(attempt, AT + timedelta(seconds=1), "x" * 1000, 3, 2**40) == "go on"
        found = find(job.pk)
        assert (len(found.stage), found.done, found.total, found.heartbeat_at) == (300, 3, 2**40, AT + timedelta(seconds=1))

    def test_an_attempt_that_was_given_up_and_wakes_again_changes_nothing(self) -> None:
        job, first = running()
        assert lose(first, "gone.", "", AT) == "waiting"
        second = claim(ELSEWHERE, AT)
        assert second is not None and second.attempts == 2
        assert beat(first, AT, "late", 1, 1) == "superseded"
        assert not take_over(first, ELSEWHERE, {}, AT)
        assert not any((finish(first, {"entries": [1]}, AT), fail(first, {}, AT), give_back(first)))
        assert lose(first, "gone.", "", AT) is None
        assert (find(job.pk).state, find(job.pk).attempts, find(job.pk).result) == ("running", 2, None)
        assert finish(attempt_of(second), {"entries": [1]}, AT)

    def test_a_worker_that_stops_gives_its_job_back_and_no_attempt_is_counted(self) -> None:
        job, attempt = running()
        assert give_back(attempt)
        assert (find(job.pk).state, find(job.pk).attempts) == ("waiting", 0)


@pytest.mark.usefixtures("workspace")
class TestCancelling:
    """A waiting job ends at once, a running one hears of it."""

    def test_a_waiting_job_is_never_begun(self) -> None:
        job = ask("refresh", {}, None, AT)
        assert cancel(job.pk, AT)
        assert find(job.pk).state == "cancelled" and claim(ELSEWHERE, AT) is None
        assert not cancel(job.pk, AT)

    def test_a_running_job_is_told_at_its_next_sign_of_life(self) -> None:
        job, attempt = running()
        assert cancel(job.pk, AT) and cancel(job.pk, AT)
        assert beat(attempt, AT) == "cancel"

    def test_one_that_dies_after_it_was_cancelled_is_cancelled_and_not_taken_up_again(self) -> None:
        job, attempt = running()
        cancel(job.pk, AT)
        assert lose(attempt, "killed.", "The book is as it was.", AT) == "cancelled"
        found = find(job.pk)
        assert found.error is not None and found.error["kept"] == "The book is as it was." and claim(ELSEWHERE, AT) is None


@pytest.mark.usefixtures("workspace")
class TestRecovering:
    """A process that died is noticed, one that only is slow is left alone."""

    def test_a_job_is_taken_up_again_until_it_failed_for_good_with_the_reason(self) -> None:
        job = ask("refresh", {}, None, AT)
        for number in range(1, MOST_ATTEMPTS + 1):
            claimed = claim(ELSEWHERE, AT)
            assert claimed is not None and claimed.attempts == number
            lose(attempt_of(claimed), "Its process was ended by SIGKILL.", "The book is at version 3.", AT)
        found = find(job.pk)
        assert found.state == "failed" and claim(ELSEWHERE, AT) is None
        assert found.error is not None
        assert found.error["what"] == f"Its process was ended by SIGKILL. That was attempt {MOST_ATTEMPTS} of {MOST_ATTEMPTS}."
        assert found.error["kept"] == "The book is at version 3." and found.error["todo"]

    def test_another_host_is_judged_by_its_silence_alone(self) -> None:
        job, attempt = running()
        assert lost_jobs(AT + LOST_AFTER) == []
        assert [one.pk for one in lost_jobs(AT + LOST_AFTER + timedelta(seconds=1))] == [job.pk]
        beat(attempt, AT + LOST_AFTER)
        assert lost_jobs(AT + LOST_AFTER + timedelta(seconds=1)) == []

    def test_a_process_of_this_host_that_still_runs_is_not_lost_however_silent(self) -> None:
        _, attempt = running(process=this_process())
        assert lost_jobs(AT + timedelta(days=1)) == []
        process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        assert take_over(attempt, process_at(process.pid), {}, AT)
        assert lost_jobs(AT + timedelta(days=1)) == []
        process.kill()
        while process_at(process.pid).is_running:  # dead, and not yet waited for
            pass
        assert len(lost_jobs(AT + timedelta(days=1))) == 1
        process.communicate()
        assert len(lost_jobs(AT + timedelta(days=1))) == 1


def test_a_number_that_another_process_has_now_is_not_the_process_that_had_it() -> None:
    mine = this_process()
    assert mine.is_running and mine.is_here and mine.pid == os.getpid()
    assert not replace(mine, mark=f"{mine.mark}0").is_running
    assert not replace(mine, host="elsewhere").is_running
    replace(mine, mark="boot 1").kill()  # as it is another one, nothing happens to this
