"""Killed at any moment, the book loses nothing that was committed: a seeded few of the rounds of benchmarks/crash_study.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.crash_study import Expected, Step, lost

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the study forks its processes")


def test_after_ten_kills_nothing_is_lost_and_readers_saw_whole_versions_only(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    command = [sys.executable, "-m", "benchmarks.crash_study", "--kills", "10", "--seed", "7", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, cwd=root)
    result = json.loads(out.read_text())
    assert result["wrong"] == [], done.stdout
    assert done.returncode == 0, done.stderr
    assert result["killed"] == 10
    assert result["reads"]["reads"] > 0


def seen(**versions: dict[str, int]) -> dict:
    return {"versions": {name[1:]: rows for name, rows in versions.items()}, "cited": [1], "publications": [3], "entries": 9}


BEFORE = seen(v1={"events A-01": 20, "events A-02": 20}, v2={"events A-01": 40})


@pytest.mark.parametrize(
    ("after", "kind", "erased", "told"),
    [
        (BEFORE, "load", "", []),
        (seen(v1=BEFORE["versions"]["1"]), "load", "", ["version 2 is gone (it was the newest)"]),
        (seen(v1=BEFORE["versions"]["1"]), "compact", "", []),
        (seen(v2=BEFORE["versions"]["2"]), "compact", "", ["version 1 is gone"]),
        (seen(v1={"events A-01": 20}, v2={"events A-01": 40}), "erase", "A-02", []),
        (
            seen(v1=BEFORE["versions"]["1"], v2={"events A-01": 39}),
            "load",
            "",
            ["version 2 held {'events A-01': 40} and now {'events A-01': 39}"],
        ),
        (BEFORE | {"publications": []}, "load", "", ["a publication is gone"]),
        (BEFORE | {"entries": 8}, "append", "", ["the ledger is shorter"]),
    ],
)
def test_what_is_lost_would_be_seen(after: dict, kind: str, erased: str, told: list[str]) -> None:
    assert list(lost(BEFORE, after, kind, erased)) == told


def test_the_rows_expected_follow_the_operations() -> None:
    book = Expected().after(Step("load")).after(Step("load")).after(Step("erase", account="A-03"))
    assert "events A-03" not in book.rows
    assert book.rows["events A-04"] == 40
    assert book.after(Step("load")).rows["events A-03"] == 20
    assert book.after(Step("undo")).rows["events A-04"] == 20
