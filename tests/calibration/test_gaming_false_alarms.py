"""A seeded part of the gaming study: benchmarks/gaming_study.py with fewer histories.

Bounds are exact binomial ones: a check that keeps its level fails one of them once in a thousand seeds or less.
"""

from __future__ import annotations

import pytest
from scipy import stats

from benchmarks.gaming_study import Cell, run_cell
from unspun.audit.protocol import GAMING_P

SEED, HONEST, PLANTED = 5, 25, 8
LEVEL_ALLOWED = 1.4 * GAMING_P  # the study's own bound on any kind of history, plus its error


def most(n: int) -> int:
    """The largest count that the level allowed leads to but once in a thousand."""
    return int(stats.binom.ppf(0.999, n, LEVEL_ALLOWED))


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        ("bunching", "normal, whole"),
        ("bunching", "skewed, heaped"),
        ("bunching", "two humps, fives"),
        ("period_end", "people, at month ends"),
        ("period_end", "people, in batches"),
        ("before_reviews", "people, before quarter ends"),
        ("goodhart_gap", "truly rising"),
        ("goodhart_gap", "market worsens"),
    ],
)
def test_honest_histories_are_seldom_taken_for_evidence(check: str, kind: str) -> None:
    found = run_cell(Cell(check, kind), HONEST, jobs=1, seed=SEED)
    assert found["evidence"] <= most(HONEST)
    assert found["cannot tell"] < HONEST / 2  # so that none was spared by having too little data


def test_values_recorded_late_where_customers_left_are_seldom_taken_for_evidence() -> None:
    found = run_cell(Cell("back_dated", "strong, later where churned"), 15, jobs=1, seed=SEED)
    assert found["evidence"] <= most(15)
    assert found["cannot tell"] == 0


@pytest.mark.parametrize(
    "cell",
    [
        Cell("bunching", "normal, whole", "nudged over 70, share of accounts", 0.5),
        Cell("period_end", "people, at month ends", "month-end values 8 up, share", 1.0),
        Cell("back_dated", "modest", "churned units edited", 0.5),
        Cell("before_reviews", "people, in batches", "10 up before reviews, share of accounts", 0.4),
        Cell("goodhart_gap", "steady", "score inflated, sd a year", 1.5),
    ],
    ids=lambda cell: cell.check,
)
def test_strong_gaming_is_seen(cell: Cell) -> None:
    found = run_cell(cell, PLANTED, jobs=1, seed=SEED)
    assert found["evidence"] >= 0.75 * PLANTED
