"""A seeded part of the proof of the protocol: benchmarks/protocol_study.py with fewer companies.

Bounds are exact binomial ones: a protocol that keeps its claim fails one of them once in a thousand seeds or less.
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats
from sklearn.metrics import roc_auc_score

from benchmarks.proof_tables import BEGIN, END, tables
from benchmarks.protocol_study import DOCUMENT, RESULTS, Cell, Row, run_cell
from benchmarks.simulate import simulate_company
from benchmarks.true_values import build_population, expected_concordance
from unspun.audit.result import VERDICTS

SEED = 7
COMPANIES = 45
Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def audited() -> dict[str, list[Row]]:
    """Companies with about 200 churned units: each score's verdict, and its intervals beside the true values."""
    return run_cell(Cell("coverage", 200, population=60_000), COMPANIES, jobs=1, seed=SEED)[0]


@pytest.fixture(scope="module")
def in_large_families() -> dict[str, list[Row]]:
    """The same in companies whose parents hold up to sixteen accounts that churn alike, where clusters matter more."""
    return run_cell(Cell("heavy", 200, population=60_000), 40, jobs=1, seed=SEED)[0]


@pytest.fixture(scope="module")
def recorded() -> dict[str, list[Row]]:
    """Companies of the same size whose scores say when they were recorded: late, or after the outcome was known."""
    return run_cell(Cell("recording", 200), 60, jobs=1, seed=SEED)[0]


def count(rows: list[Row], verdict: str) -> int:
    return sum(VERDICTS[int(row["verdict"])] == verdict for row in rows)


def most(share: float, n: int) -> int:
    """The largest count that a true rate of `share` leads to but once in a thousand."""
    return int(stats.binom.ppf(0.999, n, share))


def column(rows: list[Row], name: str) -> Floats:
    return np.array([row[name] for row in rows], dtype=np.float64)


@pytest.mark.parametrize("score", ["noise", "parent noise"])
def test_noise_is_seldom_said_to_foretell(audited: dict[str, list[Row]], score: str) -> None:
    assert count(audited[score], "foretells") <= most(0.033, COMPANIES)
    assert column(audited[score], "test churned clusters").min() >= 20  # so that none was spared by having too little data


@pytest.mark.parametrize("score", ["noise", "parent noise"])
def test_noise_is_seldom_said_to_be_reversed(audited: dict[str, list[Row]], score: str) -> None:
    assert count(audited[score], "reversed") <= most(0.025, COMPANIES)


def test_a_copy_of_the_baseline_is_not_said_to_add_to_it(audited: dict[str, list[Row]]) -> None:
    assert count(audited["redundant"], "foretells") <= most(0.033, COMPANIES)
    assert count(audited["redundant"], "foretells, adds nothing") >= 0.8 * COMPANIES


def test_a_strong_score_is_found_and_a_reversed_one_named(audited: dict[str, list[Row]]) -> None:
    assert count(audited["strong"], "foretells") >= 0.9 * COMPANIES
    assert count(audited["reversed"], "reversed") >= 0.8 * COMPANIES


@pytest.mark.parametrize("score", ["noise", "parent noise", "redundant", "modest", "strong"])
def test_auc_intervals_hold_the_true_auc_of_the_score(audited: dict[str, list[Row]], score: str) -> None:
    low, high, true = (column(audited[score], f"auc {part}") for part in ("low", "high", "true"))
    assert least_held(COMPANIES) <= int(((low <= true) & (true <= high)).sum())
    assert_spread_is_right(special.logit(low), special.logit(high), special.logit(true))


@pytest.mark.parametrize("score", ["parent noise", "modest"])
def test_auc_intervals_allow_for_large_families_that_churn_and_score_alike(in_large_families: dict[str, list[Row]], score: str) -> None:
    low, high, true = (column(in_large_families[score], f"auc {part}") for part in ("low", "high", "true"))
    assert least_held(len(low)) <= int(((low <= true) & (true <= high)).sum())
    assert_spread_is_right(special.logit(low), special.logit(high), special.logit(true))


@pytest.mark.parametrize("score", ["modest", "strong"])
def test_gain_intervals_hold_the_true_gain_of_the_frozen_models(audited: dict[str, list[Row]], score: str) -> None:
    low, high, true = (column(audited[score], f"gain {part}") for part in ("low", "high", "true"))
    assert least_held(COMPANIES) <= int(((low <= true) & (true <= high)).sum())
    assert_spread_is_right(low, high, true)


def least_held(n: int) -> int:
    return int(stats.binom.ppf(0.001, n, 0.93))


def assert_spread_is_right(low: Floats, high: Floats, true: Floats) -> None:
    """Errors in units of the interval's own half width vary by about 1 / 1.96: wider intervals than needed are wrong too."""
    errors = ((low + high) / 2 - true) / ((high - low) / 2) * 1.96
    assert 1 - 3 / np.sqrt(2 * len(errors)) <= errors.std() <= 1 + 3 / np.sqrt(2 * len(errors))


@pytest.mark.parametrize("score", ["noise", "modest"])
def test_a_score_recorded_late_for_everyone_does_not_leak(recorded: dict[str, list[Row]], score: str) -> None:
    rows = recorded[f"{score}, recorded late"]
    assert np.median(column(rows, "edited")) >= 5  # enough churned units were recorded after the outcome for the rule to look at
    assert count(rows, "leaks") <= most(0.01, len(rows))


def test_a_score_edited_after_the_outcome_is_found_to_leak(recorded: dict[str, list[Row]]) -> None:
    assert count(recorded["modest, 25% edited"], "leaks") >= 0.95 * len(recorded["modest, 25% edited"])


def test_twenty_noise_scores_in_one_run_seldom_hold_one_that_foretells() -> None:
    rows = run_cell(Cell("many", 200), 40, jobs=1, seed=SEED)[0]["noise"]
    assert sum(row["foretells"] > 0 for row in rows) <= most(0.025, len(rows))
    assert sum(row["uncontrolled"] for row in rows) > 0  # without the control some would


def test_the_true_auc_is_that_of_outcomes_drawn_from_the_population() -> None:
    population = build_population(SEED, ("strong",), 60_000)
    churned = np.random.default_rng(SEED).random(len(population)) < population.probability
    drawn = roc_auc_score(churned, population.risk["strong"])
    assert expected_concordance(population.risk["strong"], population.probability) == pytest.approx(drawn, abs=0.015)


def test_the_true_auc_of_known_chances_is_worked_out_exactly() -> None:
    # pairs (one churns, one stays): 0.8 * 0.9 ordered right, 0.1 * 0.2 wrong, and each unit against itself tied
    right, wrong, tied = 0.8 * 0.9, 0.1 * 0.2, 0.8 * 0.2 + 0.1 * 0.9
    true = (right + tied / 2) / (right + wrong + tied)
    assert expected_concordance(np.array([2.0, 1.0]), np.array([0.8, 0.1])) == pytest.approx(true)


def test_a_simulated_company_has_the_churn_it_was_asked_for_in_clusters() -> None:
    company = simulate_company(np.random.default_rng(SEED), 1000, ("noise",))
    churned = company.renewals.outcome == 1
    assert churned.sum() == pytest.approx(1090, rel=0.1)  # a thirteenth of them was decided before the look
    assert churned.mean() == pytest.approx(company.probability.mean(), abs=0.01)
    assert company.renewals.parent is not None
    assert len(np.unique(company.renewals.parent.codes)) < 0.5 * len(np.unique(company.renewals.account.codes))


def test_the_same_seed_gives_the_same_study_whatever_the_number_of_jobs() -> None:
    cell = Cell("recording", 50)
    assert run_cell(cell, 6, jobs=1, seed=SEED) == run_cell(cell, 6, jobs=2, seed=SEED)


def test_the_tables_of_the_document_are_those_of_the_results() -> None:
    written = DOCUMENT.read_text().partition(BEGIN)[2].partition(END)[0].strip()
    assert written == tables(json.loads(RESULTS.read_text()))
