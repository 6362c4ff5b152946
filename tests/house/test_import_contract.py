"""Imports point one way, and the check that says so can fail."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def check_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """What import-linter says of the package in `folder`/src under `folder`'s own pyproject.toml."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "COLUMNS": "200"}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    shutil.copy(root / "pyproject.toml", tmp_path)
    shutil.copytree(root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def test_every_import_keeps_the_contract(root: Path) -> None:
    checked = check_imports(root)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("module", "statement", "contract"),
    [
        ("stats/upward.py", "from unspun.audit import result", "Imports point down only"),
        ("stats/sideways.py", "from unspun import evidence", "Imports point down only"),
        ("audit/lazy.py", "def report():\n    from unspun import reports\n    return reports", "Imports point down only"),
        ("audit/hasty.py", "import time", "touch no file, clock, network or terminal"),
        ("reports/loud.py", "import rich", "Only the command line knows a terminal"),
        ("app/heavy.py", "import pandas", "What the tests compare with"),
    ],
)
def test_an_import_against_the_contract_is_caught(copy: Path, module: str, statement: str, contract: str) -> None:
    (copy / "src" / "unspun" / module).write_text(statement + "\n")
    checked = check_imports(copy)
    (broken,) = [line for line in checked.stdout.splitlines() if line.endswith("BROKEN")]
    assert checked.returncode == 1
    assert contract in broken


def test_a_new_package_must_be_given_its_layer(copy: Path) -> None:
    (copy / "src" / "unspun" / "unplaced").mkdir()
    (copy / "src" / "unspun" / "unplaced" / "__init__.py").touch()
    checked = check_imports(copy)
    assert checked.returncode == 1
    assert "unplaced" in checked.stdout
