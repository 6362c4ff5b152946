"""Spearman's rank correlation of many columns in pairs, each on the rows where both have a value; and which of them rank alike.

Columns that have values on the same rows are ranked once and correlated by one product of matrices; for each pair of patterns of missing
values the columns are ranked again on the rows that both patterns have, so that every pair is what it would be alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from unspun.stats.concordance import dense_ranks

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tree:
    """Columns joined by average linkage: their order as leaves, joins as (first leaf, last leaf, height), and the groups under a cut."""

    order: tuple[int, ...]
    joins: tuple[tuple[int, int, float], ...]
    groups: tuple[tuple[int, ...], ...]  # of two or more columns, each in the order of the leaves


def spearman(columns: list[Floats], fewest: int = 3) -> tuple[Floats, Ints]:
    """Spearman's rho of each pair and the rows that both have, shapes (columns, columns).

    NaN is no value. rho is NaN where fewer than `fewest` rows are shared or one of the two does not vary on them.
    """
    patterns = _patterns(columns)
    ranks = [dense_ranks(column) for column in columns]
    rho, shared = np.full((len(columns), len(columns)), np.nan), np.zeros((len(columns), len(columns)), dtype=np.int64)
    for i, (mask, members) in enumerate(patterns):
        for other, theirs in patterns[i:]:
            both = mask & other
            n = int(both.sum())
            one, two = np.ix_(members, theirs), np.ix_(theirs, members)
            shared[one] = shared[two] = n
            if n < fewest:
                continue
            first = _unit_ranks([ranks[at][both] for at in members])
            second = first if other is mask else _unit_ranks([ranks[at][both] for at in theirs])
            rho[one] = np.clip(first @ second.T, -1.0, 1.0)
            rho[two] = rho[one].T
    return rho, shared


def join_alike(rho: Floats, cut: float) -> Tree:
    """Average linkage on 1 - |rho|; pairs without a rho count as unlike. Groups are what hangs together below `cut`."""
    n = len(rho)
    if n < 2:
        return Tree(tuple(range(n)), (), ())
    distance = 1 - np.abs(np.nan_to_num(rho, nan=0.0))
    distance = np.clip((distance + distance.T) / 2, 0.0, 1.0)
    np.fill_diagonal(distance, 0.0)
    linkage = hierarchy.linkage(squareform(distance, checks=False), "average", optimal_ordering=True)
    order = hierarchy.leaves_list(linkage).tolist()
    return Tree(tuple(order), _joins(linkage, order), _groups(linkage, order, cut))


def _patterns(columns: list[Floats]) -> list[tuple[Bools, list[int]]]:
    """The patterns of rows with a value, and the columns that have each."""
    found: dict[bytes, tuple[Bools, list[int]]] = {}
    for at, column in enumerate(columns):
        mask = np.isfinite(column)
        found.setdefault(np.packbits(mask).tobytes(), (mask, []))[1].append(at)
    return list(found.values())


def _unit_ranks(ranked: list[Ints]) -> Floats:
    """Ranks among these rows, ties at their mean, centred and scaled to length one; NaN where a column does not vary. A row each."""
    ranks = np.stack([_mean_ranks(one) for one in ranked])
    ranks -= ranks.mean(axis=1, keepdims=True)
    length = np.sqrt(np.square(ranks).sum(axis=1, keepdims=True))
    return np.divide(ranks, length, out=np.full_like(ranks, np.nan), where=length > 0)


def _mean_ranks(rank: Ints) -> Floats:
    """Ranks from 1 where ties share the mean of theirs, by counting: `rank` is dense in some larger set of rows."""
    own = np.bincount(rank)
    return (np.cumsum(own) - (own - 1) / 2)[rank]


def _joins(linkage: Floats, order: list[int]) -> tuple[tuple[int, int, float], ...]:
    place = {leaf: at for at, leaf in enumerate(order)}
    spans = {leaf: (place[leaf], place[leaf]) for leaf in order}
    found = []
    for step, (left, right, height, _) in enumerate(linkage.tolist()):
        one, two = spans[int(left)], spans[int(right)]
        spans[len(order) + step] = (min(one[0], two[0]), max(one[1], two[1]))
        found.append((*spans[len(order) + step], height))
    return tuple(found)


def _groups(linkage: Floats, order: list[int], cut: float) -> tuple[tuple[int, ...], ...]:
    label = hierarchy.fcluster(linkage, cut, "distance")
    held: dict[int, list[int]] = {}
    for leaf in order:
        held.setdefault(int(label[leaf]), []).append(leaf)
    return tuple(tuple(members) for members in held.values() if len(members) > 1)
