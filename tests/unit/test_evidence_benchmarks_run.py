"""The benchmark of evidence runs on small inputs, its sides agree, and a side that says something else is caught."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.evidence_speed import DOCUMENT, RESULTS, check_agreement, run_analyst, run_unspun
from benchmarks.evidence_tables import SPEED_MARKS, speed_tables

SIZE = (3_000, 5)


@pytest.fixture(scope="module", autouse=True)
def benchmarks(request: pytest.FixtureRequest) -> Iterator[Path]:
    """The folder of the scripts, which import each other from it as they do when run."""
    folder = request.config.rootpath / "benchmarks"
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))


@pytest.mark.filterwarnings("ignore:Found unknown categories")
def test_pandas_and_scikit_learn_give_the_figures_that_a_trial_gives() -> None:
    own, theirs = run_unspun(*SIZE), run_analyst(*SIZE)
    assert len(own.figures) == SIZE[1] * 5 + SIZE[1] ** 2
    furthest = check_agreement(own.figures, theirs.figures)
    assert max(furthest["auc"], furthest["auc in test"], furthest["rho"]) < 1e-9
    assert set(own.seconds) == {"whole"} and set(theirs.seconds) == {"points", "redundancy", "rates"}


def test_sides_that_disagree_or_leave_a_figure_out_fail_the_benchmark() -> None:
    own = {"metric/a: auc": 0.61, "metric/a: gain": 0.0100}
    assert check_agreement(own, {**own, "metric/a: gain": 0.0105})["gain"] == pytest.approx(0.0005)
    with pytest.raises(ValueError, match="differ by 1e-06 in auc"):
        check_agreement(own, {**own, "metric/a: auc": 0.610001})
    with pytest.raises(ValueError, match="one side alone"):
        check_agreement(own, {"metric/a: auc": 0.61})


def test_the_tables_of_the_document_are_those_of_the_results() -> None:
    written = DOCUMENT.read_text().partition(SPEED_MARKS[0])[2].partition(SPEED_MARKS[1])[0].strip()
    assert written == speed_tables(json.loads(RESULTS.read_text()))
