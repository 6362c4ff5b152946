"""What is installed is what was pinned: every dependency once, with hashes, the same version for running and for testing."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^\s;]+)(?: ; [^\\]+)? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.MULTILINE)


def pins(path: Path) -> dict[str, str]:
    """Name to version. Every line of the file belongs to a pin with its hashes, and no name occurs twice."""
    text = path.read_text()
    assert PIN.sub("", text).strip() == "", f"{path.name} has lines that pin nothing"
    found = [(match[1], match[2]) for match in PIN.finditer(text)]
    assert len({name for name, _ in found}) == len(found), f"{path.name} pins a name twice"
    return dict(found)


def name_of(requirement: str) -> str:
    return re.split(r"[<>=!~\[; ]", requirement, maxsplit=1)[0].lower()


@pytest.mark.parametrize(
    ("file", "group"), [("run.txt", None), ("dev.txt", None), ("dev.txt", "dev"), ("build.txt", "build"), ("installer.txt", "installer")]
)
def test_every_dependency_is_pinned_with_hashes(root: Path, file: str, group: str | None) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())
    asked = project["dependency-groups"][group] if group else project["project"]["dependencies"]
    assert {name_of(requirement) for requirement in asked} - pins(root / "requirements" / file).keys() == set()


def test_the_product_is_tested_with_the_versions_it_runs_with(root: Path) -> None:
    run, dev = pins(root / "requirements" / "run.txt"), pins(root / "requirements" / "dev.txt")
    assert run.items() <= dev.items()
