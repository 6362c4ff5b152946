"""The speed benchmark runs on small inputs, its sides agree, and a side that says something else is caught."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.analyst import resampled_replicate, weighted_replicate
from benchmarks.audit_speed import check_agreement
from benchmarks.made_inputs import Size, make_inputs
from benchmarks.speed_sides import BOOTSTRAP_REPLICATES, SIDES, bootstrap_intervals, unspun_intervals
from benchmarks.speed_tables import tables

SIZE = (6_000, 600, 1)


@pytest.fixture(scope="module")
def benchmarks(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of the scripts, which import each other from it as they do when run."""
    folder = request.config.rootpath / "benchmarks"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def inputs(benchmarks: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("speed") / "inputs"
    make_inputs(Size(*SIZE), folder)
    return folder


def test_the_made_inputs_have_exactly_the_size_asked_for(inputs: Path) -> None:
    rows, renewals, _ = SIZE
    assert len((inputs / "scores.csv").read_text().splitlines()) == rows + 1
    assert len((inputs / "renewals.csv").read_text().splitlines()) == renewals + 1


@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_pandas_and_scikit_learn_give_the_points_that_the_audit_gives(inputs: Path) -> None:
    figures = {side: SIDES[side](inputs).figures for side in ("unspun points", "analyst points", "unspun whole")}
    assert len(figures["unspun points"]) == 4 * 5  # horizons, figures
    assert figures["unspun points"].keys() == figures["analyst points"].keys()
    assert check_agreement(figures)["auc"] < 1e-9


def test_resampling_rows_and_weighting_them_give_the_same_replicates(inputs: Path) -> None:
    rng = np.random.default_rng(1)
    cluster, event = rng.integers(0, 40, 200), rng.random(200) < 0.3
    cluster = np.unique(cluster, return_inverse=True)[1]
    risks = [rng.normal(size=200), rng.normal(size=200).round()]
    one, other = (make(risks, event, cluster) for make in (resampled_replicate, weighted_replicate))
    for seed in range(20):
        assert one(np.random.default_rng(seed)) == pytest.approx(other(np.random.default_rng(seed)), abs=1e-12)


def test_the_bootstrap_is_extrapolated_to_all_its_replicates(inputs: Path) -> None:
    ours, bootstrap = unspun_intervals(inputs), bootstrap_intervals(inputs, "weighted", 10)
    assert bootstrap.parts == {"replicates": BOOTSTRAP_REPLICATES, "replicates timed": 10}
    assert ours.figures.keys() == bootstrap.figures.keys()
    assert bootstrap.seconds["intervals"] > ours.seconds["intervals"] > 0


def test_sides_that_differ_are_caught() -> None:
    same = {"90 score: auc": 0.7, "90 score: gain": 0.01}
    check_agreement({"one": same, "other": same | {"90 score: gain": 0.0104}})
    with pytest.raises(ValueError, match="differ by 1e-08 in auc"):
        check_agreement({"one": same, "other": same | {"90 score: auc": 0.70000001}})
    with pytest.raises(ValueError, match="none of the figures"):
        check_agreement({"one": same, "other": {}})


def test_a_side_runs_in_a_process_of_its_own_and_the_tables_are_written_from_its_results(benchmarks: Path, inputs: Path) -> None:
    side = ["--side", "unspun points", "--folder", str(inputs), "--warm-up", str(inputs)]
    ran = subprocess.run([sys.executable, str(benchmarks / "audit_speed.py"), *side], capture_output=True, text=True, check=True)
    run: dict[str, Any] = json.loads(ran.stdout)
    assert run["peak_mb"] > 20
    half = run | {"seconds": {stage: spent / 2 for stage, spent in run["seconds"].items()}}
    turn = {"unspun points": half, "analyst points": run, "unspun whole": run}
    cell = {"size": SIZE, "furthest_apart": {"auc": 0.0}, "turns": [turn], "load_before": 0.5}
    results = {"date": "2026-11-22", "versions": {}, "machine": {"cpus": 2, "system": "", "machine": ""}, "cells": {"points": cell}}
    assert tables(results).count("**2.0** (2.0 to 2.0)") == 3  # reading, points, both: by hand took twice as long
