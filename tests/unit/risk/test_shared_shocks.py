"""Shared deviations are found where they are, and their intervals hold the truth as often as they say."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from unspun.risk.forecast.shocks import PRIOR_SCALE, estimate_deviation, mean_shift, shared_effects
from unspun.stats.estimate import Estimate, NoEstimate

Floats = NDArray[np.float64]


def outcomes(rng: np.random.Generator, deviation: float, groups: int, size: int) -> tuple[Floats, NDArray[np.bool_], NDArray[np.int64]]:
    """Predictions that are right on average, and outcomes that move together by group."""
    group = np.repeat(np.arange(groups), size)
    p = special.expit(rng.normal(-2, 1, groups * size))
    moved = special.logit(p) + rng.normal(0, deviation, groups)[group] + mean_shift(p, np.array(deviation))
    return p, rng.random(len(p)) < special.expit(moved), group


@pytest.mark.parametrize("deviation", [0.0, 0.4])
def test_the_interval_of_a_deviation_holds_the_truth(deviation: float) -> None:
    rng, held, points = np.random.default_rng(11), 0, []
    for _ in range(25):
        found = estimate_deviation("churn", *outcomes(rng, deviation, 10, 80)).shock.deviation
        assert isinstance(found, Estimate)
        held += found.low <= deviation <= found.high
        points.append(found.point)
    assert held >= 21
    assert np.mean(points) == pytest.approx(deviation, abs=0.12)


def test_the_likelihood_is_that_of_brute_force_integration() -> None:
    rng = np.random.default_rng(2)
    p, event, group = outcomes(rng, 0.5, 6, 60)
    found = estimate_deviation("churn", p, event, group).shock.deviation
    assert isinstance(found, Estimate)

    def log_likelihood(deviation: float) -> float:
        effects = deviation * np.linspace(-6, 6, 301) - 0.5 * (1 - 2 * p.mean()) * deviation**2
        weight = np.exp(-(np.linspace(-6, 6, 301) ** 2) / 2)
        value = 0.0
        for one in range(6):
            z = special.logit(p[group == one])[:, None] + effects
            value += np.log(
                (np.exp(np.where(event[group == one][:, None], -np.logaddexp(0, -z), -np.logaddexp(0, z)).sum(0)) * weight).sum()
            )
        return value

    grid = np.linspace(0.05, 1.5, 59)
    assert found.point == pytest.approx(grid[np.argmax([log_likelihood(one) for one in grid])], abs=0.03)


def test_few_quarters_have_no_estimate_and_draw_from_the_prior() -> None:
    rng = np.random.default_rng(4)
    posterior = estimate_deviation("churn", *outcomes(rng, 0.3, 3, 100))
    assert isinstance(posterior.shock.deviation, NoEstimate) and posterior.shock.groups == 3
    drawn = posterior.draw(rng, 20_000)
    assert drawn.mean() == pytest.approx(PRIOR_SCALE * np.sqrt(2 / np.pi), rel=0.03)


def test_groups_of_one_renewal_tell_nothing() -> None:
    rng = np.random.default_rng(5)
    p, event, _ = outcomes(rng, 0.0, 200, 1)
    assert estimate_deviation("family", p, event, np.arange(200)).shock.groups == 0


def test_how_long_a_level_stays_off_is_drawn_for_each_path() -> None:
    first, second = shared_effects(np.full(200_000, 0.3), 2, np.random.default_rng(6)) / 0.3
    assert first.std() == pytest.approx(1, abs=0.01) and second.std() == pytest.approx(1, abs=0.01)
    assert (first * second).mean() == pytest.approx(0.5, abs=0.015), "the mean correlation"
    # given a correlation r, the mean of the product of squares is 1 + 2 r^2; of r uniform from 0 to 1, 1 + 2 / 3
    assert (first**2 * second**2).mean() == pytest.approx(1 + 2 / 3, abs=0.06)
