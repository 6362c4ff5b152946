"""Draws of whole clusters, and percentile intervals from them."""

from __future__ import annotations

import numpy as np
import pytest

from unspun.stats.bootstrap import cluster_draws, percentile_interval


@pytest.mark.parametrize("clusters", [1, 2, 37, 400])
def test_every_replicate_draws_as_many_clusters_as_there_are(clusters: int) -> None:
    draws = cluster_draws(clusters, 50, np.random.default_rng(0))
    assert draws.shape == (50, clusters)
    assert (draws.sum(axis=1, dtype=np.int64) == clusters).all()


def test_how_often_a_cluster_is_drawn_is_binomial() -> None:
    draws = cluster_draws(50, 4000, np.random.default_rng(1)).astype(np.float64)
    assert draws.mean() == 1.0
    assert draws.var() == pytest.approx(1 - 1 / 50, rel=0.02)
    assert (draws == 0).mean() == pytest.approx((1 - 1 / 50) ** 50, abs=0.005)


def test_the_same_seed_draws_the_same_clusters() -> None:
    first, second, other = (cluster_draws(20, 10, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert (first == second).all()
    assert (first != other).any()


def test_a_percentile_interval_is_the_middle_95_percent_and_says_how_many_replicates_made_it() -> None:
    found = percentile_interval(0.5, np.arange(1001) / 1000, n=7)
    assert (found.low, found.high) == pytest.approx((0.025, 0.975))
    assert found.n == 7
    assert "1,001 replicates" in found.method


def test_a_percentile_interval_is_widened_to_hold_its_point() -> None:
    found = percentile_interval(0.2, np.linspace(0.4, 0.6, 100), n=7)
    assert found.low == 0.2
    assert found.high > 0.59
