"""`unspun demo` to its end, as it is run: in a script it makes everything and ends; then the console is served and signed in to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.doors.cli_files import COMMAND, QUIET_TERMINAL, Ran
from tests.doors.console_server import free_port

ASKED = ("demo", "--accounts", "150", "--seed", "5", "--no-open")
PATIENCE = 600.0  # of a machine that is busy; it takes half a minute of a processor


def environment() -> dict[str, str]:
    """Without what would point elsewhere; a state in another database is not the demo's."""
    kept = {
        name: value for name, value in os.environ.items() if name not in (*QUIET_TERMINAL, "UNSPUN_WORKSPACE", "DJANGO_SETTINGS_MODULE")
    }
    return kept | {"PYTHONIOENCODING": "utf-8", "UNSPUN_STATE_URL": "postgresql://nowhere.invalid/state"}


def run(folder: Path, *options: str) -> Ran:
    done = subprocess.run(
        [*COMMAND, *ASKED, *options], cwd=folder, capture_output=True, encoding="utf-8", env=environment(), timeout=PATIENCE
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Ran]:
    folder = tmp_path_factory.mktemp("demo")
    return folder, run(folder)


def test_where_nobody_is_at_a_terminal_it_makes_everything_and_ends(made: tuple[Path, Ran]) -> None:
    folder, ran = made
    assert ran.code == 0, ran.err
    assert "unspun demo --folder demo --serve" in ran.out and "password" not in ran.out
    assert (folder / "demo" / "report.html").exists() and (folder / "demo" / "workspace" / "unspun.toml").exists()


def test_another_company_does_not_take_the_place_of_a_workspace(made: tuple[Path, Ran]) -> None:
    folder, _ = made
    ran = run(folder, "--accounts", "151")
    assert ran.code == 2
    assert "there is a workspace already, and not of the company that was asked for" in ran.err


@pytest.fixture(scope="module")
def served(made: tuple[Path, Ran], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """The address and what was printed, of a second run that serves."""
    folder, said = made[0], tmp_path_factory.mktemp("said") / "out"
    refreshed = sorted((folder / "demo" / "workspace" / "warehouse" / ".pages").iterdir())
    with said.open("wb") as out:
        process = subprocess.Popen(
            [*COMMAND, *ASKED, "--serve", "--port", str(free_port())], cwd=folder, stdout=out, stderr=out, env=environment()
        )
    try:
        until = time.monotonic() + PATIENCE
        while "new at each" not in said.read_text() and process.poll() is None and time.monotonic() < until:
            time.sleep(0.2)
        assert sorted((folder / "demo" / "workspace" / "warehouse" / ".pages").iterdir()) == refreshed, "what was made is not made again"
        found = re.search(r"The console is at (\S+)", said.read_text())
        assert found, said.read_text()
        yield found[1], said.read_text()
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def test_the_console_lets_the_owner_in_with_what_is_printed_and_shows_the_portfolio(served: tuple[str, str]) -> None:
    address, said = served
    assert address.startswith("http://127.0.0.1:")
    signing = re.search(r"Sign in as (\S+) with the password (\S+)", said)
    assert signing, said
    with requests.Session() as browser:
        form = _answer(browser, f"{address}/sign-in").text
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[0]
        given = {"csrfmiddlewaretoken": token, "login": signing[1], "password": signing[2]}
        page = browser.post(f"{address}/sign-in", given, headers={"Referer": address})
        assert page.url.endswith("/portfolio") and page.status_code == 200
        jobs = browser.get(f"{address}/jobs").text
        assert jobs.count("Refresh") and "waits" not in jobs, "the refresh that was made is not asked for again"


def _answer(browser: requests.Session, url: str) -> requests.Response:
    until = time.monotonic() + 60
    while True:
        try:
            return browser.get(url, timeout=30)
        except requests.ConnectionError:
            assert time.monotonic() < until
            time.sleep(0.2)
