"""The tutorial from two files to a forecast is true: its commands are run in their order, and each showed what the page says it shows."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.doors.console_server import free_port, served_workspace

PAGE = "two-files-to-a-forecast.md"
SERVE = "unspun serve"


def blocks(page: str) -> list[tuple[str, str]]:
    """Each block of commands and what the page shows below it (empty: nothing)."""
    found = re.findall(r"^```(sh|text)\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    shown = [text if kind == "text" else "" for kind, text in found[1:]] + [""]
    return [(text, below) for (kind, text), below in zip(found, shown, strict=True) if kind == "sh"]


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    folder = tmp_path_factory.mktemp("tutorial")
    shutil.copy(root / "docs" / "tutorials" / "two_files.py", folder)
    return folder


@pytest.fixture(scope="module")
def missing(folder: Path, root: Path) -> list[str]:
    """Lines that the page shows and a command did not, after all commands but the last were run."""
    page, place, lost = (root / "docs" / "tutorials" / PAGE).read_text(encoding="utf-8"), folder, list[str]()
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONIOENCODING": "utf-8"}
    environment.pop("UNSPUN_WORKSPACE", None)
    asked = blocks(page)
    assert asked[-1][0].strip() == SERVE
    for commands, shown in asked[:-1]:
        run = subprocess.run(["bash", "-euc", commands], cwd=place, env=environment, capture_output=True, encoding="utf-8")
        assert run.returncode == 0, run.stderr
        place = folder / "acme" if "cd acme" in commands else place
        said = words(run.stdout)
        lost += [line for line in shown.splitlines() if words(line) not in said]
    return lost


def test_each_command_of_the_page_runs_and_shows_what_the_page_shows(missing: list[str]) -> None:
    assert missing == []


@pytest.mark.usefixtures("missing")
def test_the_console_at_its_end_has_the_forecast_in_its_portfolio(folder: Path) -> None:
    with served_workspace(folder / "acme", folder, free_port()) as running, requests.Session() as browser:
        form = browser.get(f"{running.url}/set-up").text
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)[0]
        given = {"name": "Ann", "email": "ann@example.com", "password1": "a rather long one", "password2": "a rather long one"}
        posted = {"csrfmiddlewaretoken": token, "code": running.code, **given}
        page = browser.post(f"{running.url}/set-up", posted, headers={"Referer": running.url})
        assert page.url.endswith("/portfolio") and page.status_code == 200
        said = words(re.sub(r"<[^>]+>", " ", page.text))
        assert "As of 27 Jun 2026" in said and "38 renewals" in said and "€807" in said
        every = browser.get(f"{running.url}/portfolio?due=all").text
        assert "Birch Energy" in every
