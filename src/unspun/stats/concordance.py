"""Concordance (AUC) with DeLong placement values summed by cluster.

Sources: DeLong, DeLong and Clarke-Pearson, Biometrics 44 (1988) 837-845 (placement values); Obuchowski, Biometrics 53
(1997) 567-578 (clustered data); Newcombe, Statistics in Medicine 25 (2006) 559-573, method 5 (perfect separation).
Everywhere `risk` runs with the event: larger means the event is more likely. Only its order counts, so that it may be given
as values or as their `dense_ranks`, which spare the sort where one risk is judged on several events or sets of units.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from unspun.stats.estimate import LEVEL, Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

CLUSTERED_DELONG = "concordance; DeLong placement values summed by cluster, G/(G - 1), logit scale, t"
PAIRED_DELONG = "difference of concordances; DeLong placement values summed by cluster, G/(G - 1), t"
PERFECT_SEPARATION = "concordance; Newcombe 2006 method 5 on clusters, as separation is perfect"
ALL_TIED = "concordance; every unit has the same value, so it is one half exactly"


@dataclass(frozen=True, slots=True)
class Influence:
    """A concordance and what each unit adds to its error: `auc - truth` is about `values.sum()` (centred)."""

    auc: float
    values: Floats


@dataclass(frozen=True, slots=True)
class Clusters:
    """How many clusters there are, and how many hold an event: what the degrees of freedom rest on."""

    total: int
    with_event: int
    without_event: int


def dense_ranks(values: Floats | Ints) -> Ints:
    """0 for the smallest value, 1 for the next, and so on; ties share a rank, and NaN has -1. Ranks come back as they are."""
    if values.dtype.kind == "i":
        return np.asarray(values, dtype=np.int64)
    order = np.argsort(values)  # NaN last
    ordered = values[order]
    ranks = np.empty(len(values), dtype=np.int64)
    ranks[order] = np.cumsum(np.concatenate([[0], ordered[1:] != ordered[:-1]]))[: len(values)]
    ranks[np.isnan(values)] = -1
    return ranks


def concordance(risk: Floats | Ints, event: Bools) -> float:
    """Probability that a random event unit has the higher risk, ties counting one half. NaN where a class is empty."""
    if event.all() or not event.any():
        return math.nan
    rank = dense_ranks(risk)
    return float(_share_below(rank, ~event)[rank[event]].mean())


def influence(risk: Floats | Ints, event: Bools) -> Influence:
    """Concordance with its empirical influence per unit, shape (n,). Raises ValueError where a class is empty."""
    if event.all() or not event.any():
        raise ValueError("concordance needs units with and without the event")
    rank = dense_ranks(risk)
    case_placements = _share_below(rank, ~event)[rank[event]]
    control_placements = 1.0 - _share_below(rank, event)[rank[~event]]
    auc = float(case_placements.mean())
    values = np.empty(len(rank))
    values[event] = (case_placements - auc) / len(case_placements)
    values[~event] = (control_placements - auc) / len(control_placements)
    return Influence(auc, values)


def count_clusters(event: Bools, cluster: Ints) -> Clusters:
    """Clusters present among the units, those with at least one event, and those with at least one non-event."""
    units, events = np.bincount(cluster), np.bincount(cluster[event], minlength=int(cluster.max()) + 1)
    return Clusters(int((units > 0).sum()), int((events > 0).sum()), int((units > events).sum()))


def clustered_standard_error(values: Floats, cluster: Ints) -> float:
    """Standard error of the sum of `values` with independent clusters: sqrt(G/(G - 1) * sum of squared cluster sums)."""
    sums = np.bincount(cluster, weights=values)
    return _error_of_squares(float(sums @ sums), int((np.bincount(cluster) > 0).sum()))


def t_quantile(clusters_with_event: int, of: int = 1) -> float:
    """Two-sided t quantile at the house level, shared by `of` intervals, with (clusters with an event - 1) degrees of freedom."""
    return float(special.stdtrit(clusters_with_event - 1, 1 - (1 - LEVEL) / (2 * of)))


def auc_interval(risk: Floats | Ints, event: Bools, cluster: Ints) -> MaybeEstimate:
    """AUC with its clustered interval, or why there is none (fewer than two clusters with an event, or one class only)."""
    refusal = _refuse(event, cluster)
    return refusal or auc_estimate(influence(risk, event), count_clusters(event, cluster), cluster)


def auc_estimate(part: Influence, clusters: Clusters, cluster: Ints) -> Estimate:
    """The interval of a concordance whose influence is known already."""
    sums = np.bincount(cluster, weights=part.values)
    return auc_of_squares(part.auc, float(sums @ sums), clusters, len(cluster))


def auc_of_squares(auc: float, squares: float, clusters: Clusters, n: int) -> Estimate:
    """The interval of a concordance of n units from the sum of the squared cluster sums of its influence."""
    if auc in (0.0, 1.0):
        return Estimate(auc, *_newcombe(auc, clusters), PERFECT_SEPARATION, n)
    error = _error_of_squares(squares, clusters.total)
    if error == 0.0:
        return Estimate(auc, auc, auc, ALL_TIED, n)
    centre = float(special.logit(auc))
    half = t_quantile(clusters.with_event) * error / (auc * (1 - auc))
    return Estimate(auc, float(special.expit(centre - half)), float(special.expit(centre + half)), CLUSTERED_DELONG, n)


def _error_of_squares(squares: float, clusters: int) -> float:
    return math.sqrt(clusters / (clusters - 1) * squares) if clusters > 1 else math.nan


def paired_difference(first: Influence, second: Influence, clusters: Clusters, cluster: Ints, of: int = 1) -> tuple[Estimate, float]:
    """first.auc - second.auc on the same units: its interval, and the one-sided p of a difference above zero.

    Where the two rank the units alike the difference is zero exactly: the interval is a point and p is 1. Of several differences
    (`of`) that are looked at together, the intervals hold all at once at the house level (Bonferroni); p is the single one's.
    """
    point = first.auc - second.auc
    error = clustered_standard_error(first.values - second.values, cluster)
    half = t_quantile(clusters.with_event, of) * error
    p = float(special.stdtr(clusters.with_event - 1, -point / error)) if error > 0 else float(point <= 0)
    method = PAIRED_DELONG if of == 1 else f"{PAIRED_DELONG}; {of} differences held at once (Bonferroni)"
    return Estimate(point, point - half, point + half, method, len(cluster)), p


def _share_below(rank: Ints, among: Bools) -> Floats:
    """For each rank, the share of some units below it, ties one half. Shape (highest rank + 1,)."""
    own = np.bincount(rank[among], minlength=int(rank.max()) + 1)
    return (2 * np.cumsum(own) - own) / (2.0 * own.sum())


def _refuse(event: Bools, cluster: Ints) -> NoEstimate | None:
    if not event.any():
        return NoEstimate("no unit has the event", "at least two clusters with an event")
    if event.all():
        return NoEstimate("every unit has the event", "units without the event to compare with")
    if count_clusters(event, cluster).with_event < 2:
        return NoEstimate("all events fall in one cluster", "events in at least two clusters")
    return None


def _newcombe(auc: float, clusters: Clusters) -> tuple[float, float]:
    """Newcombe's method 5 with cluster counts for unit counts: it has width even at 0 and 1."""
    m, n = clusters.with_event, max(clusters.without_event, 1)
    mean = (m + n) / 2
    z = t_quantile(m)

    def excess(theta: float) -> float:
        spread = 1 + (mean - 1) * ((1 - theta) / (2 - theta) + theta / (1 + theta))
        return abs(theta - auc) - z * math.sqrt(max(theta * (1 - theta) * spread / (m * n), 0.0))

    bound = float(np.asarray(optimize.brentq(excess, 1e-12, 1 - 1e-12))) if excess(1e-12) * excess(1 - 1e-12) < 0 else 1 - auc
    return (bound, 1.0) if auc == 1.0 else (0.0, bound)
