"""Cluster bootstrap: whole clusters are drawn with replacement, and a unit counts as often as its cluster was drawn."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unspun.stats.estimate import LEVEL, Estimate

PERCENTILE = "cluster bootstrap, percentile"


def cluster_draws(clusters: int, replicates: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """How often each cluster was drawn in each replicate, shape (replicates, clusters); rows sum to `clusters`."""
    draws = np.empty((replicates, clusters), dtype=np.uint8)
    for row in draws:
        row[:] = np.bincount(rng.integers(0, clusters, clusters), minlength=clusters)
    return draws


def percentile_interval(point: float, replicates: NDArray[np.float64], n: int, method: str = PERCENTILE) -> Estimate:
    """Percentile interval at the house level, widened to hold the point where the bootstrap's centre is off it."""
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Estimate(point, min(float(low), point), max(float(high), point), f"{method}, {len(replicates):,} replicates", n)
