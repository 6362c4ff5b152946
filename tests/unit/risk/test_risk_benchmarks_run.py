"""The benchmarks of renewal risk run on small inputs, and what they say can be wrong."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.risk_companies import make_company
from unspun.risk.rows import CHURN


@pytest.fixture(scope="module")
def benchmarks(root: Path) -> Iterator[Path]:
    """The folder of the scripts, which import each other from it as they do when run."""
    folder = root / "benchmarks"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


def test_a_made_company_ends_as_its_true_probabilities_say() -> None:
    company = make_company(2_000, 4, 5)
    first = np.flatnonzero(np.append(True, company.rows.renewal[1:] != company.rows.renewal[:-1]))
    seen = np.bincount(company.rows.outcome[first], minlength=4)
    expected = company.probabilities[first].sum(axis=0)
    assert seen == pytest.approx(expected, abs=4 * np.sqrt(expected.max()))
    assert np.corrcoef(company.probabilities[first, CHURN], company.rows.outcome[first] == CHURN)[0, 1] > 0.3


def test_a_side_of_the_speed_benchmark_runs_in_a_process_of_its_own_and_the_table_is_written_from_it(benchmarks: Path) -> None:
    command = [sys.executable, str(benchmarks / "risk_speed.py"), "--side", "lifelines", "--rows", "1500"]
    run = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert set(run["stages"]) == {"fit", "score"} and run["peak_mb"] > 50
    twice = run | {"stages": {"fit": {"processor": 8.0}, "score": {"processor": 1.0}}}
    once = run | {"stages": {"fit": {"processor": 2.0}, "score": {"processor": 1.0}}}
    written = runpy.run_path(str(benchmarks / "risk_speed.py"))["table"]({"cells": {"lifelines": {"1000": once, "4000": twice}}})
    assert "| 4,000 | lifelines | 8.0 | 1.0 |" in written
    assert "lifelines: 1.00" in written


def test_the_study_judges_a_company_by_what_is_true_of_another(benchmarks: Path) -> None:
    study = runpy.run_path(str(benchmarks / "risk_study.py"))
    cell = study["Cell"]("small", 120, 4, 0.0)
    found = study["study_company"](cell, 1, cell.make(2))
    assert found is not None
    assert found["coverage"]["churn"] > 0.6 and 0.3 < found["slope"] < 3
    assert found["idle metrics"] == 1 and 0.7 < found["expected over true"] < 1.4
