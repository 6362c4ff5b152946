"""A seeded part of benchmarks/evidence_study.py: null metrics are seldom said to foretell, and one that does is found."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import roc_auc_score

from benchmarks.evidence_study import (
    DOCUMENT,
    NULL_METRICS,
    RESULTS,
    TRUE_AUCS,
    make_company,
    summarise_null,
    summarise_power,
    true_metric,
    try_null,
    try_power,
)
from benchmarks.evidence_tables import STUDY_MARKS, study_tables

SEED = 7
COMPANIES = 12


@pytest.fixture(scope="module")
def null() -> dict[str, Any]:
    return summarise_null([try_null(SEED, number) for number in range(COMPANIES)])


def most(share: float, n: int) -> int:
    """The largest count that a true rate of `share` leads to but once in a thousand."""
    return int(stats.binom.ppf(0.999, n, share))


def test_runs_of_null_metrics_seldom_hold_one_that_is_said_to_foretell(null: dict[str, Any]) -> None:
    assert null["with any foretells"] <= most(0.025, COMPANIES)
    assert sum(null["verdicts"].values()) == COMPANIES * NULL_METRICS


def test_null_metrics_are_seldom_given_a_shape_or_said_to_be_the_same(null: dict[str, Any]) -> None:
    assert null["with a shape"] == COMPANIES * NULL_METRICS
    assert null["called not flat"] <= most(0.05, COMPANIES * NULL_METRICS)
    assert null["companies with metrics said to be the same"] == 0


def test_a_metric_that_tells_much_is_found_among_nineteen_that_tell_nothing() -> None:
    found = summarise_power([try_power(SEED, 500, number) for number in range(4)])
    assert found["0.70"]["verdicts"].get("foretells", 0) >= 3
    assert found["0.70"]["ranks"] >= found["0.55"]["ranks"]


@pytest.mark.parametrize("auc", TRUE_AUCS)
def test_a_made_metric_has_the_auc_it_was_asked_for(auc: float) -> None:
    rng = np.random.default_rng(SEED)
    made = make_company(rng, 3000)
    value = true_metric(rng, made, auc)
    held = np.isfinite(value)
    assert roc_auc_score(made.churned[held], -value[held]) == pytest.approx(auc, abs=0.02)
    assert held.mean() == pytest.approx(0.9, abs=0.01)


def test_the_same_seed_gives_the_same_company() -> None:
    assert try_null(SEED, 1) == try_null(SEED, 1)


def test_the_tables_of_the_document_are_those_of_the_results() -> None:
    written = DOCUMENT.read_text().partition(STUDY_MARKS[0])[2].partition(STUDY_MARKS[1])[0].strip()
    assert written == study_tables(json.loads(RESULTS.read_text()))
