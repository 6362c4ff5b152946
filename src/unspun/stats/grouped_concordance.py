"""Concordances within many groups of units at once: one sort for all groups, where stats.concordance would take one each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.stats.concordance import Clusters, auc_of_squares
from unspun.stats.estimate import MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class GroupConcordance:
    """The units of a group that have a score, those of them with the event, the clusters that these are in, and the concordance."""

    n: int
    events: int
    clusters_with_event: int
    auc: MaybeEstimate


class GroupedUnits:
    """Units of known clusters in groups, ready for any ranking of them. `group` holds 0, 1, ... for each unit, shape (n,)."""

    def __init__(self, event: Bools, cluster: Ints, group: Ints) -> None:
        self._event, self._group = event, group.astype(np.uint16 if group.max(initial=0) < 1 << 16 else np.int64)
        self.groups = int(group.max(initial=-1)) + 1
        pairs, self._pair = np.unique(group * (int(cluster.max(initial=-1)) + 1) + cluster, return_inverse=True)
        self._group_of_pair: Ints = pairs // (int(cluster.max(initial=-1)) + 1)

    def judge(self, rank: NDArray[np.int32 | np.int64], order: Ints | None = None) -> tuple[GroupConcordance, ...]:
        """Each group by dense ranks of the risk (-1: no score), as auc_interval gives it on the group alone.

        `order` is that of the ranks, by order_of, where several groupings are judged by one risk.
        """
        if order is None:
            order = order_of(rank)
        order = order[np.searchsorted(rank, 0, sorter=order) :]
        order = order[np.argsort(self._group[order], kind="stable")]  # small codes are sorted by counting
        group, event, pair = self._group[order].astype(np.int64), self._event[order], self._pair[order]
        n, events = np.bincount(group, minlength=self.groups), np.bincount(group[event], minlength=self.groups)
        auc, influence = _placed(group * (int(rank.max(initial=-1)) + 1) + rank[order], event, group, events, n - events)
        sums = np.bincount(pair, weights=influence, minlength=len(self._group_of_pair))
        squares = np.bincount(self._group_of_pair, weights=sums**2, minlength=self.groups)
        figures = zip(n.tolist(), events.tolist(), auc.tolist(), squares.tolist(), self._clusters(pair, event), strict=True)
        return tuple(_concordance(*one) for one in figures)

    def _clusters(self, pair: Ints, event: Bools) -> list[Clusters]:
        pairs = len(self._group_of_pair)
        units, events = np.bincount(pair, minlength=pairs), np.bincount(pair[event], minlength=pairs)
        kinds = (units > 0, events > 0, units > events)
        counts = [np.bincount(self._group_of_pair[kind], minlength=self.groups) for kind in kinds]
        return [Clusters(*held) for held in zip(*(count.tolist() for count in counts), strict=True)]


def order_of(rank: NDArray[np.int32 | np.int64]) -> Ints:
    """The order of small integers from -1 on, by counting their low and then their high 16 bits."""
    shifted = rank + 1
    order = np.argsort(shifted.astype(np.uint16), kind="stable")
    high = shifted >> 16
    return order if not high.any() else order[np.argsort(high[order].astype(np.uint16), kind="stable")]


def _concordance(n: int, events: int, auc: float, squares: float, clusters: Clusters) -> GroupConcordance:
    return GroupConcordance(n, events, clusters.with_event, _refuse(n, events, clusters) or auc_of_squares(auc, squares, clusters, n))


def _placed(key: Ints, event: Bools, group: Ints, events: Ints, others: Ints) -> tuple[Floats, Floats]:
    """Concordance of each group, and what each unit adds to its error; units come in order of group and rank."""
    start = np.flatnonzero(np.diff(key, prepend=-1))
    size = np.diff(np.append(start, len(key)))
    of_block = group[start]
    with_event = np.add.reduceat(event, start, dtype=np.int64) if len(start) else np.zeros(0, dtype=np.int64)
    without = size - with_event
    first = np.searchsorted(of_block, np.arange(len(events)))
    below = _before(without, first, of_block) + without / 2
    above = events[of_block] - _before(with_event, first, of_block) - with_event / 2
    some = np.maximum(events, 1), np.maximum(others, 1)
    auc = np.bincount(of_block, weights=with_event * below, minlength=len(events)) / (some[0] * some[1])
    of_events = (below / some[1][of_block] - auc[of_block]) / some[0][of_block]
    of_others = (above / some[0][of_block] - auc[of_block]) / some[1][of_block]
    return auc, np.where(event, np.repeat(of_events, size), np.repeat(of_others, size))


def _before(counts: Ints, first: Ints, of_block: Ints) -> Ints:
    """Running count before each block within its group."""
    running = np.append(0, np.cumsum(counts))
    return running[:-1] - running[first][of_block]


def _refuse(n: int, events: int, clusters: Clusters) -> NoEstimate | None:
    if not events:
        return NoEstimate("no unit has the event", "at least two clusters with an event") if n else NoEstimate("no unit has a score")
    if events == n:
        return NoEstimate("every unit has the event", "units without the event to compare with")
    return NoEstimate("all events fall in one cluster", "events in at least two clusters") if clusters.with_event < 2 else None
