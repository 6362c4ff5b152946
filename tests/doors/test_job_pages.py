"""The pages of jobs: who sees them, what they say of a job in each of its states, and what the buttons do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.doors.console_site import Page, signed_in, sqlite_state, state, visitor

__all__ = ["sqlite_state", "state"]
HOSTILE = '<script>alert("x")</script>'


def running(kind: str = "refresh") -> Any:
    """A job that a process elsewhere runs, and its attempt."""
    from unspun.app.jobs.processes import Process
    from unspun.app.jobs.queue import ask, attempt_of, claim

    ask(kind, {}, None, now())  # pyright: ignore[reportArgumentType]
    job = claim(Process("elsewhere", 7, "boot 1"), now())
    assert job is not None
    return job, attempt_of(job)


def now() -> datetime:
    return datetime.now(UTC)


def page_of(path: str) -> Page:
    return signed_in("owner").get(path)


@pytest.mark.usefixtures("state")
def test_pressing_the_button_twice_starts_one_refresh_which_can_be_cancelled_and_started_again() -> None:
    browser = signed_in("analyst")
    empty = browser.get("/jobs")
    assert empty.heading == "Jobs" and "Nothing has run yet" in empty.said
    first, second = (browser.post("/jobs/refresh", fit="yes") for _ in range(2))
    assert (first.status, first.to) == (302, second.to)
    page = browser.get(first.to)
    assert page.heading.startswith("Refresh") and "waits" in page.said and "Asked by Ann" in page.said
    assert browser.post(f"{first.to}/repeat").to == first.to, "what is open is not started again"
    assert "has not ended yet" in browser.get(first.to).said
    assert browser.post(f"{first.to}/cancel").to == first.to
    assert "cancelled" in browser.get(first.to).said
    again = browser.post(f"{first.to}/repeat")
    assert again.to != first.to and "waits" in browser.get(again.to).said
    assert [first.to in browser.get("/jobs").text, again.to in browser.get("/jobs").text] == [True, True]


@pytest.mark.usefixtures("sqlite_state")
def test_a_running_job_is_asked_for_again_each_second_and_one_that_ended_no_more() -> None:
    from unspun.app.jobs.queue import beat, finish

    job, attempt = running()
    beat(attempt, now(), "reading usage.csv", 1_234, 5_000_000)
    browser = signed_in("owner")
    part = browser.get(f"/jobs/{job.pk}?part=1")
    assert "<html" not in part.text and 'hx-trigger="every 1s"' in part.text
    assert 'value="1234" max="5000000"' in part.text and "reading usage.csv, 1,234 of 5,000,000." in part.said
    assert "hx-trigger" in browser.get("/jobs").text
    finish(attempt, {"entries": [4, 5, 6], "version": 3, "as_of": "2026-03-02"}, now())
    part = browser.get(f"/jobs/{job.pk}?part=1")
    assert "hx-trigger" not in part.text and "hx-trigger" not in browser.get("/jobs").text
    assert "Done in" in part.said and "entries 4 to 6" in part.said and "version 3" in part.said


@pytest.mark.usefixtures("sqlite_state")
def test_a_job_without_a_total_has_a_bar_without_a_value() -> None:
    from unspun.app.jobs.queue import beat

    job, attempt = running()
    beat(attempt, now(), "fitting", 0, 0)
    text = page_of(f"/jobs/{job.pk}").text
    assert "<progress" in text and "max=" not in text.split("<progress")[1].split(">")[0]


@pytest.mark.usefixtures("sqlite_state")
def test_a_process_that_gives_no_sign_of_life_is_said_to() -> None:
    from unspun.app.jobs.queue import beat

    job, attempt = running()
    beat(attempt, now() - timedelta(minutes=2))
    assert "does not answer" in page_of(f"/jobs/{job.pk}").said


@pytest.mark.usefixtures("sqlite_state")
def test_a_failed_job_says_what_where_what_was_kept_and_what_to_do_and_hostile_text_is_inert() -> None:
    from unspun.app.jobs.queue import fail

    job, attempt = running("load")
    faults = [{"code": "x", "message": f"{n} {HOSTILE}", "where": HOSTILE, "hint": ""} for n in range(2)]
    fail(attempt, {"what": HOSTILE, "where": "a.csv:3", "kept": "The book is as it was.", "todo": "Mend it.", "faults": faults}, now())
    page = page_of(f"/jobs/{job.pk}")
    assert HOSTILE not in page.text and "&lt;script&gt;" in page.text
    assert all(words in page.said for words in ("failed", "a.csv:3", "The book is as it was.", "Mend it.", "All 2 faults"))


@pytest.mark.usefixtures("sqlite_state")
@pytest.mark.parametrize("role", ["manager", "csm", "viewer"])
def test_other_roles_neither_see_nor_touch_jobs(role: str) -> None:
    from unspun.app.jobs.queue import find

    job, _ = running()
    browser = signed_in(role)
    assert [browser.get(path).status for path in ("/jobs", "/jobs?part=1", f"/jobs/{job.pk}", "/jobs/999")] == [403] * 4
    assert [browser.post(path).status for path in ("/jobs/refresh", f"/jobs/{job.pk}/cancel", f"/jobs/{job.pk}/repeat")] == [403] * 3
    assert find(job.pk).cancel_asked_at is None
    assert "/jobs" not in browser.get("/self").text
    assert visitor().get("/jobs").status == 302


@pytest.mark.usefixtures("sqlite_state")
def test_an_analyst_sees_a_backup_and_may_not_cancel_or_repeat_it() -> None:
    from unspun.app.jobs.queue import finish

    job, attempt = running("backup")
    browser = signed_in("analyst")
    assert "Cancel" not in browser.get(f"/jobs/{job.pk}").said
    assert browser.post(f"/jobs/{job.pk}/cancel").status == 403
    finish(attempt, {"archive": "backups/acme.tar", "bytes": 1234567}, now())
    assert browser.post(f"/jobs/{job.pk}/repeat").status == 403
    assert "1,234,567 bytes" in browser.get(f"/jobs/{job.pk}").said


@pytest.mark.usefixtures("sqlite_state")
def test_a_job_that_does_not_exist_is_not_found_and_a_button_is_no_link() -> None:
    browser = signed_in("owner")
    assert [browser.get("/jobs/999").status, browser.post("/jobs/999/cancel").status, browser.get("/jobs/refresh").status] == [
        404,
        404,
        405,
    ]
