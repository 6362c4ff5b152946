"""Shares with intervals that allow for clustering.

Sources: Wilson 1927; Fisher 1935; effective sample size as in Korn and Graubard, Survey Methodology 24 (1998) 193-201, with the design
effect from the clustered linearisation of the mean.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.stats.estimate import LEVEL, Estimate, MaybeEstimate, NoEstimate

CLUSTERED_WILSON = "share; Wilson on the effective sample size, clustered"


def clustered_share(hit: NDArray[np.bool_], cluster: NDArray[np.int32 | np.int64]) -> MaybeEstimate:
    """Share of `hit`, with a Wilson interval on n / design effect (never more than n; the cluster count at 0 and 1)."""
    n = len(hit)
    if n == 0:
        return NoEstimate("no units")
    share = float(hit.mean())
    return Estimate(share, *wilson(share, effective_n(hit, cluster)), CLUSTERED_WILSON, n)


def effective_n(hit: NDArray[np.bool_], cluster: NDArray[np.int32 | np.int64]) -> float:
    """How many independent units would give the same variance: at least 1, at most n."""
    n, share = len(hit), float(hit.mean())
    groups = int((np.bincount(cluster) > 0).sum())
    if share in (0.0, 1.0) or groups < 2:
        return float(groups)
    sums = np.bincount(cluster, weights=hit - share)
    variance = groups / (groups - 1) * float(np.square(sums).sum()) / n**2
    return float(min(n, max(1.0, share * (1 - share) / variance))) if variance > 0 else float(groups)


def wilson(share: float, n: float) -> tuple[float, float]:
    """Wilson's score interval at the house level for a share of n units (n may be fractional)."""
    z2 = float(special.ndtri(0.5 + LEVEL / 2)) ** 2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)


def fisher_more(hits: int, n: int, other_hits: int, other_n: int) -> float:
    """One-sided p that `hits` of n is no larger a share than `other_hits` of other_n: Fisher's exact test, margins fixed."""
    total_hits = hits + other_hits
    possible = np.arange(hits, min(n, total_hits) + 1)
    log_share = _log_choose(n, possible) + _log_choose(other_n, total_hits - possible) - _log_choose(n + other_n, np.array(total_hits))
    return min(1.0, float(np.exp(log_share[total_hits - possible <= other_n]).sum()))


def _log_choose(n: int, k: NDArray[np.int64]) -> NDArray[np.float64]:
    return special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(np.maximum(n - k, 0) + 1)
