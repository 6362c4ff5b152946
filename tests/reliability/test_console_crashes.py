"""Killed while people and programs write to it over HTTP, the console loses nothing it acknowledged: some rounds of
benchmarks/console_crashes.py."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")


def test_after_kills_of_the_server_every_acknowledged_write_is_there_once(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    command = [sys.executable, "-m", "benchmarks.console_crashes", "--kills", "5", "--seed", "3", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=500, cwd=root)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    result = json.loads(out.read_text())
    assert result["wrong"] == [] and result["killed"] == 5
    outcomes = result["outcomes"]
    for kind in ("note", "forecast", "page note", "view", "rows"):
        assert outcomes[f"{kind}: acknowledged"] > 0, outcomes
    assert {name for name in outcomes if name.startswith("kills")} == {"kills: server", "kills: workers"}
