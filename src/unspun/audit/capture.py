"""Churned ARR a team reaches when it can treat k accounts a month, by how it chooses them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.audit.result import CapturedArr
from unspun.stats.bootstrap import cluster_draws, percentile_interval
from unspun.stats.estimate import MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
CHUNK = 100  # replicates worked on at once, which bounds memory


@dataclass(frozen=True, slots=True)
class Candidates:
    """Units a team could have treated, sorted by month. `loss` is the ARR that churned with a unit, else 0."""

    month: Ints  # 0, 1, ... without gaps
    amount: Floats  # 0 where not given
    loss: Floats
    cluster: Ints  # 0, 1, ... without gaps
    currency: str
    draws: NDArray[np.uint8]  # (replicates, clusters)
    random: Floats  # share reached by chance in each replicate
    random_point: float
    capacity: int


def gather(
    month: Ints, amount: Floats, churned: Bools, cluster: Ints, currency: str, capacity: int, replicates: int, seed: int
) -> Candidates:
    """Candidates with their bootstrap draws, made once for all scores at a horizon. Units come sorted by month."""
    month = np.unique(month, return_inverse=True)[1].astype(np.int64)
    cluster = np.unique(cluster, return_inverse=True)[1].astype(np.int64)
    amount = np.where(np.isfinite(amount), amount, 0.0)
    loss = np.where(churned, amount, 0.0)
    draws = cluster_draws(int(cluster.max()) + 1, replicates, np.random.default_rng(seed))
    chance = np.concatenate([_by_chance(month, loss, chunk[:, cluster], capacity) for chunk in _chunks(draws)])
    point = float(_by_chance(month, loss, np.ones((1, len(month))), capacity)[0])
    return Candidates(month, amount, loss, cluster, currency, draws, chance, point, capacity)


def captured_arr(candidates: Candidates, risk: Floats, probability: Floats | None) -> CapturedArr | NoEstimate:
    """The four ways of choosing. `risk` and `probability` are NaN where there is no score: such a unit is never chosen."""
    total = float(candidates.loss.sum())
    if total <= 0:
        return NoEstimate("no candidate of the test months churned with a known ARR", "churned renewals with an amount in the test months")
    by_product = None if probability is None else probability * candidates.amount
    unmapped = NoEstimate("the score could not be mapped to a risk in training")
    return CapturedArr(
        capacity=candidates.capacity,
        months=int(candidates.month.max()) + 1,
        n_candidates=len(candidates.month),
        churned_arr=total,
        currency=candidates.currency or None,
        score=share_reached(candidates, risk),
        score_times_arr=unmapped if by_product is None else share_reached(candidates, by_product),
        arr_alone=share_reached(candidates, candidates.amount),
        random=percentile_interval(candidates.random_point, candidates.random[np.isfinite(candidates.random)], len(candidates.month)),
        curve=_curve(candidates, risk, by_product),
    )


def share_reached(candidates: Candidates, rank_by: Floats) -> MaybeEstimate:
    """Share of churned ARR among the top k of each month, with a cluster bootstrap that ranks again in each replicate."""
    point = point_share(candidates, rank_by, candidates.capacity)
    replicates = _bootstrap(candidates, rank_by)
    replicates = replicates[np.isfinite(replicates)]
    if len(replicates) < len(candidates.draws) / 2:
        return NoEstimate("in most bootstrap samples nothing churned", "more churned renewals in the test")
    return percentile_interval(point, replicates, len(candidates.month))


def point_share(candidates: Candidates, rank_by: Floats, capacity: int) -> float:
    """The share without an interval."""
    blocks = _rank_blocks(candidates, rank_by)
    weight = np.ones((1, len(blocks.order)))
    return float(_reached(blocks, weight, candidates.loss, capacity)[0] / candidates.loss.sum())


@dataclass(frozen=True, slots=True)
class Blocks:
    """Scored candidates in order of month and falling rank; a block is a run of ties within a month."""

    order: Ints
    start: Ints  # where each block begins in `order`
    month_first: Ints  # for each block, the first block of its month


def _rank_blocks(candidates: Candidates, rank_by: Floats) -> Blocks:
    scored = np.flatnonzero(np.isfinite(rank_by))
    order = scored[np.lexsort((-rank_by[scored], candidates.month[scored]))]
    month, value = candidates.month[order], rank_by[order]
    new_month = np.append(True, month[1:] != month[:-1])[: len(order)]
    new_block = new_month | np.append(True, value[1:] != value[:-1])[: len(order)]
    start = np.flatnonzero(new_block)
    first = np.maximum.accumulate(np.where(new_month[start], np.arange(len(start)), 0))
    return Blocks(order, start, first)


def _reached(blocks: Blocks, weight: Floats, loss: Floats, capacity: int) -> Floats:
    """Churned ARR reached, per row of `weight` (replicates, units in block order). Ties share what room is left."""
    if not len(blocks.start):
        return np.zeros(len(weight))
    size = np.add.reduceat(weight, blocks.start, axis=1)
    lost = np.add.reduceat(weight * loss[blocks.order], blocks.start, axis=1)
    before = np.cumsum(size, axis=1) - size
    before = before - before[:, blocks.month_first]
    with np.errstate(invalid="ignore", divide="ignore"):
        fraction = np.clip(np.where(size > 0, (capacity - before) / size, 0.0), 0.0, 1.0)
    return (fraction * lost).sum(axis=1)


def _bootstrap(candidates: Candidates, rank_by: Floats) -> Floats:
    """Shares in each replicate. Only blocks near the top of a month can be reached, so the rest is left out; that is exact
    as long as what is kept fills the capacity in every replicate, which is checked."""
    full = _rank_blocks(candidates, rank_by)
    churned = np.flatnonzero(candidates.loss > 0)
    margin = candidates.capacity + 10 * int(np.sqrt(candidates.capacity)) + 20
    while True:
        blocks, cut_months = _top_of_month(full, margin)
        shares, filled = [], True
        for chunk in _chunks(candidates.draws):
            weight = chunk[:, candidates.cluster[blocks.order]].astype(np.float64)
            filled = filled and _fills(blocks, weight, cut_months, candidates.capacity)
            total = chunk[:, candidates.cluster[churned]] @ candidates.loss[churned]
            with np.errstate(invalid="ignore", divide="ignore"):
                shares.append(_reached(blocks, weight, candidates.loss, candidates.capacity) / total)
        if filled:
            return np.concatenate(shares)
        margin *= 2


def _top_of_month(blocks: Blocks, margin: int) -> tuple[Blocks, Ints]:
    """Blocks that begin within the first `margin` units of their month, and the months (by first block) that were cut."""
    offset = blocks.start - blocks.start[blocks.month_first] if len(blocks.start) else blocks.start
    kept = np.flatnonzero(offset < margin)
    cut = np.unique(blocks.month_first[np.flatnonzero(offset >= margin)])
    ends = np.append(blocks.start[1:], len(blocks.order))
    sizes = (ends - blocks.start)[kept]
    start = np.cumsum(sizes) - sizes
    units = np.repeat(blocks.start[kept] - start, sizes) + np.arange(int(sizes.sum()))
    position = np.searchsorted(kept, blocks.month_first[kept])
    return Blocks(blocks.order[units], start, position), np.searchsorted(kept, cut)


def _fills(blocks: Blocks, weight: Floats, cut_months: Ints, capacity: int) -> bool:
    """Whether, in every replicate, each month that was cut still has at least `capacity` units."""
    if not len(cut_months):
        return True
    month_starts = np.unique(blocks.month_first)
    sizes = np.add.reduceat(weight, blocks.start[month_starts], axis=1)
    return bool((sizes[:, np.searchsorted(month_starts, cut_months)] >= capacity).all())


def _by_chance(month: Ints, loss: Floats, weight: NDArray[np.uint8] | Floats, capacity: int) -> Floats:
    """Expected share when k of each month's candidates are drawn at random."""
    first = np.flatnonzero(np.append(True, month[1:] != month[:-1]))
    size = np.add.reduceat(weight.astype(np.float64), first, axis=1)
    lost = np.add.reduceat(weight.astype(np.float64) * loss, first, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (np.minimum(1.0, np.where(size > 0, capacity / size, 1.0)) * lost).sum(axis=1) / lost.sum(axis=1)


def _curve(
    candidates: Candidates, risk: Floats, product: Floats | None
) -> tuple[tuple[int, float | None, float | None, float, float], ...]:
    """Shares at a dozen capacities up to the largest month, without intervals: for the shape of the chart."""
    largest = int(np.bincount(candidates.month).max())
    steps = np.unique(np.append(np.geomspace(1, max(largest, 2), 12).round().astype(int), min(candidates.capacity, largest)))
    ones = np.ones((1, len(candidates.month)))
    return tuple(
        (
            int(k),
            point_share(candidates, risk, int(k)),
            None if product is None else point_share(candidates, product, int(k)),
            point_share(candidates, candidates.amount, int(k)),
            float(_by_chance(candidates.month, candidates.loss, ones, int(k))[0]),
        )
        for k in steps
    )


def _chunks(draws: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [draws[i : i + CHUNK] for i in range(0, len(draws), CHUNK)]
