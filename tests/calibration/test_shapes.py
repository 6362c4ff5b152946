"""How often a shape is claimed that is not there, in simulated units whose clusters churn alike and whose values are alike too.

Bounds are exact binomial ones: a rule that keeps its level of 5 % fails one of them once in a thousand seeds or less.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special, stats

from unspun.stats.concordance import count_clusters, dense_ranks
from unspun.stats.shape import RateShape, bin_rates, find_shape, place_in_bins

Floats = NDArray[np.float64]
Curve = Callable[[Floats], Floats]
SEED = 11
RUNS = 80
SAYS_NOTHING = {"flat", "cannot tell"}
CURVES: dict[str, Curve] = {
    "flat": np.zeros_like,
    "line": lambda u: 2 * u - 1,
    "plateau": lambda u: np.minimum(5 * u, 1.5) - 1,
    "step": lambda u: np.where(u > 0.7, 1.2, -0.3),
    "bowl": lambda u: 8 * (u - 0.5) ** 2 - 0.7,
}


def shapes(curve: str, accounts: int, runs: int = RUNS, rate: float = 0.1) -> Counter[str]:
    """The shapes found in so many runs; accounts have three units, a level of their own, and values that are alike."""
    found: Counter[str] = Counter()
    for run in range(runs):
        rng = np.random.default_rng([SEED, run])
        cluster = np.repeat(np.arange(accounts), 3)
        value = 0.6 * rng.random(accounts)[cluster] + 0.4 * rng.random(len(cluster))
        place = dense_ranks(value) / len(value)
        log_odds = float(special.logit(rate)) + CURVES[curve](place) + 0.8 * rng.standard_normal(accounts)[cluster]
        event = rng.random(len(cluster)) < special.expit(log_odds)
        clusters = count_clusters(event, cluster)
        shape = find_shape(bin_rates(place_in_bins(dense_ranks(value), clusters), event, cluster, clusters), SEED)
        assert isinstance(shape, RateShape)
        found[shape.kind if shape.p_flat <= 0.05 or shape.kind in SAYS_NOTHING else "inconsistent"] += 1
    return found


def most(share: float, n: int = RUNS) -> int:
    return int(stats.binom.ppf(0.999, n, share))


@pytest.mark.parametrize("accounts", [200, 600])
def test_churn_that_does_not_depend_on_the_value_is_seldom_given_a_shape(accounts: int) -> None:
    found = shapes("flat", accounts)
    assert found["inconsistent"] == 0  # a shape is given only where equal rates are rejected
    assert sum(n for kind, n in found.items() if kind not in SAYS_NOTHING) <= most(0.05)
    assert found["flat"] >= (0.2 if accounts == 200 else 0.8) * RUNS  # and with enough data it is said to be flat


@pytest.mark.parametrize("curve", ["line", "plateau", "step"])
def test_churn_that_never_turns_is_seldom_said_to_turn(curve: str) -> None:
    found = shapes(curve, 700)
    assert found["U"] + found["inverted U"] <= most(0.05)


def test_a_straight_rise_is_seldom_said_to_be_a_step() -> None:
    found = shapes("line", 700)
    assert found["threshold"] <= most(0.05)
    assert found["rising"] >= 0.9 * RUNS


def test_a_step_and_a_bowl_are_found() -> None:
    assert shapes("step", 700, 40)["threshold"] >= 0.8 * 40
    assert shapes("bowl", 700, 20)["U"] >= 0.9 * 20
