"""Nothing of one person's machine or one company's registry may travel in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import LONGEST

# Built from pieces, so that this file does not contain what it looks for.
REGISTRIES = tuple(".".join(pieces) for pieces in (
    ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"),
    ("debian", "org"), ("anaconda", "org"), ("crates", "io"), ("golang", "org"), ("jsdelivr", "net"), ("unpkg", "com"),
))  # fmt: skip
MACHINE_FOLDERS = ("work", "root", "farm", "home", "Users", "opt/pypi", "opt/wheels", "tmp/x")
TRACES = re.compile(rf"(?i:\b(?:{'|'.join(map(re.escape, REGISTRIES))})\b)|(?<![\w.)}}~*-])/(?:{'|'.join(MACHINE_FOLDERS)})/")


def traces_in(path: Path) -> list[str]:
    text = path.read_bytes().decode("latin-1")
    return [f"{path.name}:{text.count(chr(10), 0, found.start()) + 1}: {found.group()}" for found in TRACES.finditer(text)]


def test_no_file_holds_a_registry_address_or_a_path_of_one_machine(project_files: tuple[Path, ...]) -> None:
    assert [trace for path in project_files for trace in traces_in(path)] == []


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://" + REGISTRIES[0] + "/simple",
        "https://files." + REGISTRIES[1] + "/packages/x.whl",
        "open('/" + MACHINE_FOLDERS[0] + "/main/scores.csv')",
        "data = /" + MACHINE_FOLDERS[1] + "/scores.csv",
    ],
)
def test_such_a_trace_is_seen(tmp_path: Path, line: str) -> None:
    (tmp_path / "file.txt").write_text(f"first line\n{line}\n")
    (trace,) = traces_in(tmp_path / "file.txt")
    assert trace.startswith("file.txt:2: ")


def test_a_word_with_a_slash_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("at home/work/anywhere, see docs/root/page and example.org/home/page\n")
    assert traces_in(tmp_path / "file.txt") == []


def test_the_files_of_tests_that_are_named_to_run_first_are_there(root: Path) -> None:
    """A name that no file has would put nothing in front, and nobody would notice but by the clock."""
    assert [name for name in LONGEST if not (root / name).is_file()] == []
