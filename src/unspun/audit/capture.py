"""Churned ARR a team reaches when it can treat k accounts a month, by how it chooses them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.audit.protocol import MIN_GROUP_CHURNED_CLUSTERS
from unspun.audit.result import CapturedArr
from unspun.audit.vocabulary import CHURN, Vocabulary
from unspun.stats.bootstrap import cluster_draws, percentile_interval
from unspun.stats.concordance import t_quantile
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
CHUNK = 100  # replicates worked on at once, which bounds memory
CURVE_POINTS = 12
NOT_CERTAIN = (1e-3, 1 - 1e-3)  # shares are held within these on the logit scale
FEW_REACHED = "cluster bootstrap, logit scale, t on the few clusters reached"


@dataclass(frozen=True, slots=True)
class Blocks:
    """Scored candidates in order of month and falling rank; a block is a run of ties within a month."""

    order: Ints
    start: Ints  # where each block begins in `order`
    month_first: Ints  # for each block, the first block of its month


@dataclass(frozen=True, slots=True)
class Losses:
    """Blocks in which something churned, in each replicate: size, churned ARR, and units ahead in the month. All (replicates, blocks)."""

    size: Floats
    lost: Floats
    ahead: Floats


@dataclass(frozen=True, slots=True)
class Candidates:
    """Units a team could have treated, sorted by month. `loss` is the ARR that churned with a unit, else 0."""

    month: Ints  # 0, 1, ... without gaps
    amount: Floats  # 0 where not given
    loss: Floats
    cluster: Ints  # 0, 1, ... without gaps
    currency: str
    draws: NDArray[np.uint8]  # (replicates, clusters)
    lost: Floats  # churned ARR in each replicate
    capacity: int
    capacities: Ints  # for the curve
    words: Vocabulary = CHURN


@dataclass(frozen=True, slots=True)
class Reach:
    """One way of choosing: the share of churned ARR at the team's capacity, and at each capacity of the curve."""

    share: MaybeEstimate
    curve: Floats


@dataclass(frozen=True, slots=True)
class Choices:
    """The candidates of a horizon, and the two ways of choosing that need no score: they serve every score."""

    candidates: Candidates
    arr_alone: Reach
    random: Reach


def gather(
    month: Ints,
    amount: Floats,
    churned: Bools,
    cluster: Ints,
    currency: str,
    capacity: int,
    replicates: int,
    seed: int,
    words: Vocabulary = CHURN,
) -> Choices | NoEstimate:
    """Candidates with their bootstrap draws, made once for all scores at a horizon. Units come sorted by month."""
    month = np.unique(month, return_inverse=True)[1].astype(np.int64)
    cluster = np.unique(cluster, return_inverse=True)[1].astype(np.int64)
    amount = np.where(np.isfinite(amount), amount, 0.0)
    loss = np.where(churned, amount, 0.0)
    if loss.sum() <= 0:
        reason = f"no candidate of the test months {words.lost} with a known {words.money}"
        return NoEstimate(reason, f"{words.losses} with an amount in the test months")
    draws = cluster_draws(int(cluster.max()) + 1, replicates, np.random.default_rng(seed))
    lost = np.bincount(cluster, weights=loss).astype(np.float64)
    largest = int(np.bincount(month).max())
    steps = np.geomspace(1, max(largest, 2), CURVE_POINTS).round().astype(np.int64)
    capacities = np.unique(np.append(steps, min(capacity, largest)))
    losing = np.flatnonzero(lost)
    in_replicate = draws[:, losing].astype(np.float64) @ lost[losing]
    candidates = Candidates(month, amount, loss, cluster, currency, draws, in_replicate, capacity, capacities, words)
    return Choices(candidates, reach(candidates, amount), _by_chance(candidates))


def captured_arr(choices: Choices, risk: Floats, probability: Floats | None) -> CapturedArr:
    """The four ways of choosing. `risk` and `probability` are NaN where there is no score: such a unit is never chosen."""
    candidates = choices.candidates
    score = reach(candidates, risk)
    unmapped = Reach(NoEstimate("the score could not be mapped to a risk in training"), np.full(len(candidates.capacities), np.nan))
    product = unmapped if probability is None else reach(candidates, probability * candidates.amount)
    curves = (score.curve, product.curve, choices.arr_alone.curve, choices.random.curve)
    return CapturedArr(
        capacity=candidates.capacity,
        months=int(candidates.month.max()) + 1,
        n_candidates=len(candidates.month),
        churned_arr=float(candidates.loss.sum()),
        currency=candidates.currency or None,
        score=score.share,
        score_times_arr=product.share,
        arr_alone=choices.arr_alone.share,
        random=choices.random.share,
        curve=tuple(
            (int(k), a, None if np.isnan(b) else b, c, d)
            for k, a, b, c, d in zip(candidates.capacities, *(curve.tolist() for curve in curves), strict=True)
        ),
    )


def reach(candidates: Candidates, rank_by: Floats) -> Reach:
    """Share of churned ARR among the top k of each month, with a cluster bootstrap that ranks again in each replicate."""
    blocks = rank_blocks(candidates.month, rank_by)
    ones = np.ones((1, len(blocks.order)))
    losses = _losses(blocks, ones, candidates.loss, _block_sizes(blocks, ones))
    total = float(candidates.loss.sum())
    curve = np.array([float(_reached(losses, int(k))[0]) / total for k in candidates.capacities])
    point = float(_reached(losses, candidates.capacity)[0]) / total
    held = _clusters_reached(candidates, blocks, candidates.capacity)
    return Reach(_interval(candidates, point, _bootstrap(candidates, blocks), held), curve)


def reach_band(candidates: Candidates, rank_by: Floats) -> tuple[Floats, Floats]:
    """Ends of the pointwise bootstrap band at each capacity of the curve, from the same draws as the interval of `reach`."""
    blocks = rank_blocks(candidates.month, rank_by)
    held = [_clusters_reached(candidates, blocks, int(k)) for k in candidates.capacities]
    reached = []
    for chunk in _chunks(candidates.draws):
        weight = chunk.take(candidates.cluster[blocks.order], axis=1).astype(np.float64)
        losses = _losses(blocks, weight, candidates.loss, _block_sizes(blocks, weight))
        reached.append(np.stack([_reached(losses, int(k)) for k in candidates.capacities], axis=1))
    return _band(candidates, reach(candidates, rank_by).curve, np.concatenate(reached), held)


def chance_band(candidates: Candidates) -> tuple[Floats, Floats]:
    """The same where candidates are drawn at random."""
    size, lost = _months_drawn(candidates)
    reached = np.stack([_chance(size, lost, int(k)) for k in candidates.capacities], axis=1)
    return _band(candidates, _by_chance(candidates).curve, reached, [_losing_clusters(candidates)] * len(candidates.capacities))


def _band(candidates: Candidates, curve: Floats, reached: Floats, held: list[int]) -> tuple[Floats, Floats]:
    """The intervals at all capacities; from 0 to 1 where there is none."""
    found = [_interval(candidates, *at) for at in zip(curve.tolist(), reached.T, held, strict=True)]
    ends = [(one.low, one.high) if isinstance(one, Estimate) else (0.0, 1.0) for one in found]
    low, high = np.array(ends).T
    return low, high


def rank_blocks(month: Ints, rank_by: Floats) -> Blocks:
    """Order the units that have a rank by month and falling rank. `month` is sorted; NaN is no rank."""
    scored = np.flatnonzero(np.isfinite(rank_by))
    order = scored[np.lexsort((-rank_by[scored], month[scored]))]
    new_month = np.diff(month[order], prepend=-1) > 0
    new_block = new_month | (np.diff(rank_by[order], prepend=np.nan) != 0)
    start = np.flatnonzero(new_block)
    first = np.maximum.accumulate(np.where(new_month[start], np.arange(len(start)), 0))
    return Blocks(order, start, first)


def _interval(candidates: Candidates, point: float, reached: Floats, held: int) -> MaybeEstimate:
    """Of the replicates in which anything churned; `held` is the number of churned clusters that were reached.

    Few clusters drawn again say too little of those that were not: with under MIN_GROUP_CHURNED_CLUSTERS, percentiles cover too
    seldom. The spread of the replicates on the logit scale, with t on the clusters reached, then stands in.
    """
    told = candidates.lost > 0
    if told.sum() < len(told) / 2:
        return NoEstimate(f"in most bootstrap samples nothing {candidates.words.lost}", f"more {candidates.words.losses} in the test")
    share = reached[told] / candidates.lost[told]
    if held >= MIN_GROUP_CHURNED_CLUSTERS:
        return percentile_interval(point, share, len(candidates.month))
    centre, spread = float(special.logit(np.clip(point, *NOT_CERTAIN))), float(special.logit(np.clip(share, *NOT_CERTAIN)).std())
    if spread < 1e-9:  # nothing, or everything, in every replicate
        return Estimate(point, 0.0, 1.0, f"{FEW_REACHED}, {len(share):,} replicates", len(candidates.month))
    half = t_quantile(max(held, 2)) * spread
    low, high = (float(special.expit(centre + side * half)) for side in (-1, 1))
    return Estimate(point, min(low, point), max(high, point), f"{FEW_REACHED}, {len(share):,} replicates", len(candidates.month))


def _clusters_reached(candidates: Candidates, blocks: Blocks, capacity: int) -> int:
    """Churned clusters with a unit that `capacity` places a month reach, at least in part."""
    size = np.diff(np.append(blocks.start, len(blocks.order)))
    first = blocks.start - blocks.start[blocks.month_first] if len(blocks.start) else blocks.start
    units = blocks.order[np.repeat(first < capacity, size)]
    return len(np.unique(candidates.cluster[units[candidates.loss[units] > 0]]))


def _losing_clusters(candidates: Candidates) -> int:
    return len(np.unique(candidates.cluster[candidates.loss > 0]))


def _block_sizes(blocks: Blocks, weight: Floats) -> Floats:
    """Units in each block, per row of `weight` (replicates, units in block order). Shape (replicates, blocks)."""
    if len(blocks.start) == len(blocks.order):  # no ties
        return weight
    return np.add.reduceat(weight, blocks.start, axis=1)


def _losses(blocks: Blocks, weight: Floats, loss: Floats, size: Floats) -> Losses:
    """The blocks in which something churned: nothing is reached in any other."""
    amount = loss[blocks.order]
    units = np.flatnonzero(amount)
    block, first = np.unique(np.searchsorted(blocks.start, units, side="right") - 1, return_index=True)
    if not len(block):
        nothing = np.zeros((len(weight), 0))
        return Losses(nothing, nothing, nothing)
    ahead = np.cumsum(size, axis=1) - size
    lost = np.add.reduceat(weight[:, units] * amount[units], first, axis=1)
    return Losses(size[:, block], lost, ahead[:, block] - ahead[:, blocks.month_first[block]])


def _reached(losses: Losses, capacity: int) -> Floats:
    """Churned ARR reached with `capacity` places a month. Ties share what room is left."""
    room = np.divide(capacity - losses.ahead, losses.size, out=np.zeros_like(losses.size), where=losses.size > 0)
    return (np.clip(room, 0.0, 1.0) * losses.lost).sum(axis=1)


def _bootstrap(candidates: Candidates, ranked: Blocks) -> Floats:
    """Churned ARR reached in each replicate. Only blocks near the top of a month can be reached, so the rest is left out;
    that is exact as long as what is kept fills the capacity in every replicate, which is checked."""
    margin = candidates.capacity + 10 * int(np.sqrt(candidates.capacity)) + 20
    while True:
        blocks, cut_months = _top_of_month(ranked, margin)
        reached, filled = [], True
        for chunk in _chunks(candidates.draws):
            weight = chunk.take(candidates.cluster[blocks.order], axis=1).astype(np.float64)
            size = _block_sizes(blocks, weight)
            filled = filled and _fills(size, blocks, cut_months, candidates.capacity)
            reached.append(_reached(_losses(blocks, weight, candidates.loss, size), candidates.capacity))
        if filled:
            return np.concatenate(reached)
        margin *= 2


def _top_of_month(blocks: Blocks, margin: int) -> tuple[Blocks, Ints]:
    """Blocks that begin within the first `margin` units of their month, and the months (by first kept block) that were cut."""
    offset = blocks.start - blocks.start[blocks.month_first] if len(blocks.start) else blocks.start
    kept = np.flatnonzero(offset < margin)
    cut = np.unique(blocks.month_first[np.flatnonzero(offset >= margin)])
    ends = np.append(blocks.start[1:], len(blocks.order))
    sizes = (ends - blocks.start)[kept]
    start = np.cumsum(sizes) - sizes
    units = np.repeat(blocks.start[kept] - start, sizes) + np.arange(int(sizes.sum()))
    return Blocks(blocks.order[units], start, np.searchsorted(kept, blocks.month_first[kept])), np.searchsorted(kept, cut)


def _fills(size: Floats, blocks: Blocks, cut_months: Ints, capacity: int) -> bool:
    """Whether, in every replicate, each month that was cut still has at least `capacity` units."""
    if not len(cut_months):
        return True
    month_starts = np.unique(blocks.month_first)
    by_month = np.add.reduceat(size, month_starts, axis=1)
    return bool((by_month[:, np.searchsorted(month_starts, cut_months)] >= capacity).all())


def _by_chance(candidates: Candidates) -> Reach:
    """Expected share when k of each month's candidates are drawn at random."""
    size = np.bincount(candidates.month).astype(np.float64)[None, :]
    lost = np.bincount(candidates.month, weights=candidates.loss).astype(np.float64)[None, :]
    total = float(lost.sum())
    curve = np.array([float(_chance(size, lost, int(k))[0]) / total for k in candidates.capacities])
    point = float(_chance(size, lost, candidates.capacity)[0]) / total
    reached = _chance(*_months_drawn(candidates), candidates.capacity)
    return Reach(_interval(candidates, point, reached, _losing_clusters(candidates)), curve)


def _months_drawn(candidates: Candidates) -> tuple[Floats, Floats]:
    """Candidates and churned ARR of each month in each replicate. Both (replicates, months)."""
    first = np.flatnonzero(np.diff(candidates.month, prepend=-1) > 0)
    losing = np.flatnonzero(candidates.loss)
    in_month = np.equal.outer(candidates.month[losing], np.arange(len(first))).astype(np.float64)
    sizes, losses = [], []
    for chunk in _chunks(candidates.draws):
        by_month = np.split(chunk.take(candidates.cluster, axis=1), first[1:], axis=1)
        sizes.append(np.stack([units.sum(axis=1, dtype=np.int64) for units in by_month], axis=1))
        losses.append((chunk.take(candidates.cluster[losing], axis=1) * candidates.loss[losing]) @ in_month)
    return np.concatenate(sizes).astype(np.float64), np.concatenate(losses)


def _chance(size: Floats, lost: Floats, capacity: int) -> Floats:
    return (np.minimum(1.0, np.divide(capacity, size, out=np.ones_like(size), where=size > 0)) * lost).sum(axis=1)


def _chunks(draws: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
    return [draws[i : i + CHUNK] for i in range(0, len(draws), CHUNK)]
