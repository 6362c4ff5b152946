"""When a refresh is due: after the book or a definition changed and is quiet, once a day, and not again for what has failed already."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.unit.state.databases import state_in
from unspun.app.jobs.processes import this_process
from unspun.app.jobs.queue import attempt_of, claim, fail
from unspun.app.jobs.schedule import QUIET, ask_where_due
from unspun.app.loads import LoadRequest, accept_proposals, load, plan_load
from unspun.app.workspace import Workspace
from unspun.state.models import Job

NIGHT = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NIGHT + QUIET + timedelta(seconds=1)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    with state_in(tmp_path / "acme", "sqlite") as made:
        put(made, tmp_path / "accounts.csv", "Ann", NIGHT)
        yield made


def put(workspace: Workspace, file: Path, owner: str, at: datetime) -> None:
    file.write_text(f"account_id,dated,owner\nA-1,2026-01-01,{owner}\n")
    request = LoadRequest((str(file),))
    plan = plan_load(workspace, request)
    load(workspace, accept_proposals(workspace, plan) if plan.proposed else plan, request, at)
    touch(workspace, at)


def touch(workspace: Workspace, at: datetime) -> None:
    for path in (workspace.book_file, workspace.retention_file, workspace.metrics_file, workspace.scores_file):
        os.utime(path, (at.timestamp(), at.timestamp()))


def failed() -> None:
    job = claim(this_process(), LATER)
    assert job is not None and job.asked_by is None
    fail(attempt_of(job), {"what": "", "where": "", "kept": "", "todo": ""}, LATER)


def test_an_empty_book_has_nothing_to_refresh(tmp_path: Path) -> None:
    with state_in(tmp_path / "acme", "sqlite") as made:
        touch(made, NIGHT)
        assert ask_where_due(made, LATER) is None


def test_a_refresh_is_asked_for_once_the_book_is_quiet_and_not_again_for_the_same(workspace: Workspace, tmp_path: Path) -> None:
    assert ask_where_due(workspace, NIGHT + timedelta(seconds=1)) is None
    assert ask_where_due(workspace, LATER) is not None
    assert ask_where_due(workspace, LATER) is None
    failed()
    assert ask_where_due(workspace, LATER) is None, "what has failed would fail again"
    put(workspace, tmp_path / "accounts.csv", "Bo", LATER)
    assert ask_where_due(workspace, LATER + timedelta(minutes=1)) is not None
    assert Job.objects.count() == 2


def test_a_changed_definition_is_a_reason_and_so_is_a_new_day_in_the_book_s_zone(workspace: Workspace) -> None:
    ask_where_due(workspace, LATER)
    failed()
    workspace.scores_file.write_text(workspace.scores_file.read_text() + "# one more thought\n")
    touch(workspace, LATER)
    assert ask_where_due(workspace, LATER + timedelta(minutes=1)) is not None
    failed()
    night = datetime(2026, 3, 3, 3, 59, tzinfo=UTC)
    assert ask_where_due(workspace, night) is None
    assert ask_where_due(workspace, night + timedelta(minutes=2)) is not None


def test_a_refresh_that_runs_is_not_doubled_by_a_change_meanwhile(workspace: Workspace, tmp_path: Path) -> None:
    ask_where_due(workspace, LATER)
    job = claim(this_process(), LATER)
    put(workspace, tmp_path / "accounts.csv", "Bo", LATER)
    assert job is not None and ask_where_due(workspace, LATER + timedelta(minutes=1)) is None
    fail(attempt_of(job), {"what": "", "where": "", "kept": "", "todo": ""}, LATER)
    assert ask_where_due(workspace, LATER + timedelta(minutes=1)) is not None
