"""Are events more frequent among exposed rows than among others of the same stratum? Allows for two ways of clustering.

Sources: Mantel and Haenszel 1959 (the score statistic and the pooled rate ratio, the latter as in Greenland and Robins,
Biometrics 41 (1985) 55-68); Cameron, Gelbach and Miller, Journal of Business and Economic Statistics 29 (2011) 238-249 (variance
for two ways of clustering at once).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from unspun.stats.estimate import LEVEL, Estimate, NoEstimate

Ints = NDArray[np.int32 | np.int64]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]
METHOD = "Mantel-Haenszel rate ratio; t on the log scale, clustered two ways"
MIN_STRATA = 5  # for a test on their own excesses beside the clustered one
BLOCK = 1 << 18  # rows looked at together, which bounds memory


@dataclass(frozen=True, slots=True)
class Excess:
    """Events among exposed rows, beside how many there would be at the rate of the other rows of their strata.

    `ratio` is the first over the second, `p` one-sided that it is not above 1.
    """

    events: int
    expected: float
    ratio: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class _Strata:
    """Per stratum, of those that hold both exposed and other rows (else zeros): rows and events of each kind."""

    exposed: Floats
    other: Floats
    exposed_events: Floats
    other_events: Floats

    @property
    def n(self) -> Floats:
        return np.maximum(self.exposed + self.other, 1.0)

    @property
    def ratio_parts(self) -> tuple[float, float]:
        """Numerator and denominator of the pooled rate ratio."""
        return float((self.exposed_events * self.other / self.n).sum()), float((self.other_events * self.exposed / self.n).sum())


def excess_events(
    events: Floats | Bools,
    exposed: Bools,
    stratum: Ints,
    clusters: tuple[Ints, Ints],
    min_exposed_clusters: int = 5,
    kind: Ints | None = None,
) -> Excess | NoEstimate:
    """Compare exposed rows with the others of their stratum. All arrays have shape (n,); codes are small non-negative integers.

    `events` says of each row whether the event happened, or how often (where a row is a day). Where many rows are alike, `kind`
    says which kind each row is of; all arrays but the second of `clusters` then have one entry a kind, not a row.
    Degrees of freedom are the effective number of clusters of the first kind less 1, and at most the number of those that hold
    exposed rows, or other rows, less 1. Strata without both kinds of rows say nothing and are left out.
    """
    rows = np.ones(len(events)) if kind is None else count_rows(kind, len(events)).astype(np.float64)
    strata = _count(events, exposed, stratum, rows)
    informative = (strata.exposed > 0)[stratum] & (rows > 0) if len(stratum) else np.zeros(0, dtype=bool)
    groups = [len(np.unique(clusters[0][informative & side])) for side in (exposed, ~exposed)]
    if min(groups) < min_exposed_clusters:
        return NoEstimate(f"only {min(groups):,} weeks can be compared with others", f"at least {min_exposed_clusters}")
    above, below = strata.ratio_parts
    if above == 0 or below == 0:
        return NoEstimate("it happened on one side only, or on neither")
    ratio = above / below
    pieces = _Pieces(strata, exposed, stratum, ratio)
    weight = pieces.weigh(events)
    by_time = np.bincount(clusters[0], weights=weight * rows) / np.sqrt(1 - pieces.leverage(clusters[0], rows))
    other = clustered_variance(weight, kind, clusters[1])
    error = math.sqrt(_two_way(float(by_time @ by_time), other, float(weight * rows @ weight))) / above
    if error == 0.0:
        return NoEstimate("it happened in all of the rows that can be compared")
    df = max(1.0, min(_effective_clusters(np.abs(pieces.factor) * rows, clusters[0]), min(groups)) - 1.0)
    half = float(stats.t.ppf(0.5 + LEVEL / 2, df)) * error
    estimate = Estimate(ratio, ratio * math.exp(-half), ratio * math.exp(half), METHOD, int(rows[informative].sum()))
    seen = int((events * rows)[exposed & informative].sum())
    p = max(float(stats.t.sf(math.log(ratio) / error, df)), _p_of_strata(strata))
    return Excess(seen, _expected(strata), estimate, p)


def count_rows(kind: Ints, kinds: int) -> NDArray[np.int64]:
    """How many rows are of each kind, shape (kinds,)."""
    counts = np.zeros(kinds, dtype=np.int64)
    for first in range(0, len(kind), BLOCK):
        counts += np.bincount(kind[first : first + BLOCK], minlength=kinds)
    return counts


def _p_of_strata(strata: _Strata) -> float:
    """One-sided p of a t test on the strata's own excesses, which holds whatever is shared within a stratum; 0 with too few strata.

    Valid at small levels however much the strata's variances differ: Ibragimov and Müller, Journal of Business and Economic Statistics
    28 (2010) 453-468.
    """
    both = strata.exposed > 0
    n = int(both.sum())
    if n < MIN_STRATA:
        return 0.0
    excess = (strata.exposed_events - strata.exposed * (strata.exposed_events + strata.other_events) / strata.n)[both]
    spread = float(excess.std(ddof=1))
    return float(stats.t.sf(excess.mean() / spread * math.sqrt(n), n - 1)) if spread > 0 else 0.0


def _effective_clusters(size: Floats, cluster: Ints) -> float:
    """How many clusters of one size would serve as well as these (Carter, Schnepel and Steigerwald 2017)."""
    sums = np.bincount(cluster, weights=size)
    return float(sums.sum() ** 2 / (sums @ sums)) if sums.any() else 0.0


def _count(events: Floats | Bools, exposed: Bools, stratum: Ints, of_kind: Floats) -> _Strata:
    size = 2 * (int(stratum.max(initial=-1)) + 1)
    cell = stratum * 2 + exposed
    rows, happened = (
        np.asarray(np.bincount(cell, weights=weights, minlength=size), dtype=np.float64).reshape(-1, 2)
        for weights in (of_kind, events * of_kind)
    )
    both = (rows > 0).all(axis=1)
    return _Strata(rows[:, 1] * both, rows[:, 0] * both, happened[:, 1] * both, happened[:, 0] * both)


def _expected(strata: _Strata) -> float:
    rate = strata.other_events / np.maximum(strata.other, 1.0)
    return float((rate * strata.exposed).sum())


class _Pieces:
    """The estimating equation of the ratio, by row or kind of row: factor times (events less their mean).

    Rows of strata that say nothing add 0.
    """

    def __init__(self, strata: _Strata, exposed: Bools, stratum: Ints, ratio: float) -> None:
        base = (strata.exposed_events + strata.other_events) / np.maximum(ratio * strata.exposed + strata.other, 1e-300)
        side = exposed.astype(np.int8)
        self.factor: Floats = np.stack([-ratio * strata.exposed / strata.n, strata.other / strata.n], axis=1)[stratum, side]
        self._mean: Floats = np.stack([base, ratio * base], axis=1)[stratum, side]
        share = np.maximum(ratio * strata.exposed + strata.other, 1e-300)
        self._share: Floats = np.stack([1 / share, ratio / share], axis=1)[stratum, side] * (self.factor != 0)

    def weigh(self, events: Floats | Bools) -> Floats:
        """What each row adds, or each row of a kind."""
        return self.factor * (events - self._mean)

    def leverage(self, cluster: Ints, rows: Floats) -> Floats:
        """Which share of its stratum's mean each cluster decides, by which its own deviation is too small.

        By it the clusters' sums are corrected: CR2 of Bell and McCaffrey 2002, with the strata's means as parameters.
        """
        return np.minimum(np.bincount(cluster, weights=self._share * rows), 0.95)


def _two_way(one: float, other: float, unclustered: float) -> float:
    """Of the sum of weights: the larger of either one-way clustered variance and the two-way one."""
    return max(one, other, one + other - unclustered)


def clustered_variance(weight: Floats, kind: Ints | None, cluster: Ints) -> float:
    """Of the sum of weights over rows. `weight` is each row's, or that of each row of a kind where `kind` says which one each is of."""
    size = int(cluster.max(initial=-1)) + 1
    sums, rows = np.zeros(size), np.zeros(size, dtype=np.int64)
    for first in range(0, len(cluster), BLOCK):
        part = slice(first, first + BLOCK)
        sums += np.bincount(cluster[part], weights=weight[part] if kind is None else weight[kind[part]], minlength=size)
        rows += np.bincount(cluster[part], minlength=size)
    groups = int((rows > 0).sum())
    return groups / max(groups - 1, 1) * float(sums @ sums)
