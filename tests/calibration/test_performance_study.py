"""What the comparison of owners claims, on simulated companies whose owners' true effects are known.

A part of benchmarks/performance_study.py, with the bounds that a method that does what it says leaves once in a thousand seeds or less.
"""

from __future__ import annotations

import pytest
from scipy import stats

from benchmarks.performance_study import Setting, study

COMPANIES = 6
DIFFER = Setting("differ, and their books too", owners=20, hard=1.0, slope=1.5, off=0.4, noise=0.3)
ALIKE = Setting("alike, but for their books", spread=0.0, owners=20, hard=1.0, slope=1.5, noise=0.4)


@pytest.fixture(scope="module")
def differ() -> dict[str, float | int | None]:
    return study(DIFFER, COMPANIES, seed=5)


@pytest.fixture(scope="module")
def alike() -> dict[str, float | int | None]:
    return study(ALIKE, COMPANIES, seed=5)


def of(summary: dict[str, float | int | None], name: str) -> float:
    value = summary[name]
    assert value is not None
    return float(value)


def test_intervals_hold_the_true_effect_though_expectations_were_off(differ: dict[str, float | int | None]) -> None:
    owners = COMPANIES * DIFFER.owners
    assert of(differ, "covered") * owners >= stats.binom.ppf(0.001, owners, 0.93)


def test_shrunken_differences_err_less_than_raw_ones(differ: dict[str, float | int | None], alike: dict[str, float | int | None]) -> None:
    assert of(differ, "error_shrunken") < 0.85 * of(differ, "error_raw")
    assert of(alike, "error_shrunken") < 0.5 * of(alike, "error_raw")


def test_a_hard_book_is_not_a_bad_owner(differ: dict[str, float | int | None], alike: dict[str, float | int | None]) -> None:
    assert abs(of(alike, "bias_a_unit_of_hardness")) < 0.1
    assert abs(of(differ, "bias_a_unit_of_hardness")) < 0.2


def test_owners_who_are_alike_are_hardly_ever_called_different(alike: dict[str, float | int | None]) -> None:
    assert of(alike, "owners_without_effect_called") <= 0.01
    assert of(alike, "groups_differ_at_5_percent") * COMPANIES <= stats.binom.ppf(0.999, COMPANIES, 0.05)
