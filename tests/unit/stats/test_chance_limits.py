"""How far chance carries a weighted count: against enumeration, the binomial distribution and simulation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from unspun.stats.chance_limits import ChanceSum, chance_sum, even_chance

RNG = np.random.default_rng(4)
RISKS = RNG.uniform(0.02, 0.6, 11)


def enumerated(probability: np.ndarray, weight: np.ndarray) -> dict[float, float]:
    """Every possible outcome with its probability."""
    found: dict[float, float] = {}
    for events in product((0, 1), repeat=len(probability)):
        chance = float(np.prod(np.where(events, probability, 1 - probability)))
        total = round(float(weight @ np.array(events)), 9)
        found[total] = found.get(total, 0.0) + chance
    return found


def test_whole_renewals_have_the_poisson_binomial_distribution_exactly() -> None:
    chance, true = chance_sum(RISKS, np.ones(11)), enumerated(RISKS, np.ones(11))
    assert chance.step == 1.0
    assert chance.mass[:12] == pytest.approx([true[float(k)] for k in range(12)], abs=1e-14)


def test_shared_renewals_keep_their_mean_and_nearly_their_tails() -> None:
    weight = RNG.uniform(0.05, 1.0, 11)
    chance, true = chance_sum(RISKS, weight), enumerated(RISKS, weight)
    places = chance.first + chance.step * np.arange(len(chance.mass))
    assert chance.mass.sum() == pytest.approx(1.0, abs=1e-12)
    assert chance.mass @ places == pytest.approx(RISKS @ weight, abs=1e-6)
    for cut in (0.5, 1.5, 3.0, 4.5):
        below = sum(p for total, p in true.items() if total <= cut)
        assert chance.mass[places <= cut].sum() == pytest.approx(below, abs=0.01)


def test_events_of_one_probability_are_binomial() -> None:
    many, even = chance_sum(np.full(40, 0.1), np.ones(40)), even_chance(0.1, 40)
    assert many.limits(0.95) == pytest.approx(even.limits(0.95), abs=1e-9)
    assert even.two_sided_p(9.0) == pytest.approx(2 * stats.binom.sf(8, 40, 0.1))
    assert even.two_sided_p(4.0) == 1.0


def test_limits_leave_out_at_most_what_they_say_and_lie_between_neighbouring_counts() -> None:
    for level in (0.95, 0.998):
        low, high = even_chance(0.2, 50).limits(level)
        assert stats.binom.cdf(np.ceil(low) - 1, 50, 0.2) <= (1 - level) / 2 <= stats.binom.cdf(np.ceil(low), 50, 0.2)
        assert stats.binom.sf(np.floor(high), 50, 0.2) <= (1 - level) / 2 <= stats.binom.sf(np.floor(high) - 1, 50, 0.2)


def test_limits_rise_with_the_count_and_do_not_jump() -> None:
    ends = np.array([even_chance(0.1, n).limits(0.95) for n in range(20, 200)])
    assert (np.diff(ends[:, 1]) > -1e-9).all()
    assert np.diff(ends[:, 1]).max() < 0.6


def test_of_a_large_account_the_amount_lost_is_all_or_nothing() -> None:
    chance = chance_sum(np.array([0.1, 0.1]), np.array([1e6, 1.0]))
    low, high = chance.limits(0.95)
    assert low == pytest.approx(0.0, abs=300) and high == pytest.approx(1e6, rel=0.001)


def test_nothing_that_can_happen_is_nothing() -> None:
    assert chance_sum(np.zeros(3), np.ones(3)).limits(0.95) == (0.0, 0.0)
    assert isinstance(chance_sum(np.zeros(0), np.zeros(0)), ChanceSum)
