"""The page on files is true: its examples run in the order in which they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from unspun.book.demo.company import write_demo
from unspun.book.files import open_table
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every example that makes a file was run, on a small demo company."""
    page = Path(__file__).parents[2] / "docs" / "how-to" / "files.md"
    folder = tmp_path_factory.mktemp("files")
    write_demo(folder / "demo", accounts=60)
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE):
        commands = "\n".join(line for line in block.splitlines() if not line.startswith("unspun "))
        subprocess.run(["bash", "-euc", commands], cwd=folder, env=environment, check=True, capture_output=True)
    return folder


def test_titles_above_the_header_change_nothing(folder: Path) -> None:
    plain, titled = (open_table(folder / name, "scores") for name in ("demo/health_scores.csv", "titled.csv"))
    assert titled.columns == plain.columns and (titled.row - plain.row == 3).all()


def test_json_lines_are_the_rows_of_the_csv(folder: Path) -> None:
    plain, lines = (open_table(folder / name, "renewals") for name in ("demo/renewals.csv", "renewals.jsonl"))
    assert lines.names == plain.names and lines.rows_read == plain.rows_read


def test_a_column_a_month_is_one_row_a_cell(folder: Path) -> None:
    history = read_scores(folder / "wide.csv", ReadingOptions())
    assert [str(day)[:10] for day in history.dated] == ["2026-01-31", "2026-01-31", "2026-02-28", "2026-02-28", "2026-03-31"]
    assert history.series[0].name == "Health"


def test_the_years_of_a_folder_are_the_whole_file(folder: Path) -> None:
    whole, years, two = (open_table(str(folder / name), "scores") for name in ("demo/health_scores.csv", "scores", "scores/202[56].csv"))
    assert years.rows_read == whole.rows_read > two.rows_read > 0
    assert [file.rows_read for file in years.files if file.name[-8:-4] in ("2025", "2026")] == [file.rows_read for file in two.files]
