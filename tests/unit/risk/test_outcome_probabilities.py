"""Probabilities of outcomes from hazards, against walking through the periods one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import special

from unspun.risk.outcomes import CAUSES, Hazards, hazards_of
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT, PERIODS, enter

LEADS = np.array([400, 150, 33, 5, -4])


@pytest.fixture(scope="module")
def intercepts() -> np.ndarray:
    found = np.random.default_rng(0).normal(-2, 1, (4, PERIODS))
    found[1, 3] = -np.inf
    return found


@pytest.fixture(scope="module")
def linear() -> np.ndarray:
    return np.random.default_rng(1).normal(size=(4, len(LEADS)))


def test_each_cause_is_asked_of_those_whom_no_earlier_one_took(intercepts: np.ndarray, linear: np.ndarray) -> None:
    found = hazards_of(intercepts, linear, LEADS).probabilities()
    for i, lead in enumerate(LEADS):
        first, share = enter(np.array([lead]))
        wanted, left = dict.fromkeys(range(4), 0.0), 1.0
        for period in range(int(first[0]), PERIODS):
            for at, cause in enumerate((CHURN, CONTRACTION, EXPANSION, FLAT)):
                hazard = special.expit(intercepts[at, period] + linear[at, i] + (np.log(share[0]) if period == first[0] else 0.0))
                if cause == FLAT and period == PERIODS - 1:
                    hazard = 1.0
                wanted[cause] += left * hazard
                left *= 1 - hazard
        assert found[i] == pytest.approx([wanted[j] for j in range(4)], abs=1e-12)
        assert found[i].sum() == pytest.approx(1.0, abs=1e-12)


def test_slopes_are_those_of_small_steps(intercepts: np.ndarray, linear: np.ndarray) -> None:
    hazards = hazards_of(intercepts, linear, LEADS)
    slopes, step = hazards.slopes(), 1e-5
    for at in range(len(CAUSES)):
        for period in range(PERIODS):
            moved = [intercepts.copy() for _ in range(2)]
            moved[0][at, period] -= step
            moved[1][at, period] += step
            low, high = (hazards_of(each, linear, LEADS).probabilities() for each in moved)
            wanted = (high - low).T / (2 * step)
            assert slopes[:, at, period] == pytest.approx(wanted, abs=1e-8)
    assert hazards.churn_slopes() == pytest.approx(slopes[CHURN].sum(axis=1), abs=1e-12)


def test_where_a_cause_is_sure_no_other_happens() -> None:
    values = np.zeros((4, PERIODS, 1))
    values[2, 4] = 1.0
    assert Hazards(values).probabilities()[0].tolist() == [0.0, 0.0, 0.0, 1.0]
