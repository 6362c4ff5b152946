"""A metric cut into bands: at round numbers near quantiles, merged until churn falls as the metric gets healthier.

Sources: cuts at quantiles as in AutoScore (Xie and others, JMIR Medical Informatics 8 (2020) e21798); monotone rates by pooling
adjacent violators (Ayer and others, Annals of Mathematical Statistics 26 (1955) 641-647); neighbours that do not differ are merged
as in ChiMerge (Kerber, AAAI 1992, 123-128); bands enter by their log odds (weight of evidence).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

QUANTILES: Mapping[int, tuple[float, ...]] = {
    2: (0.5,),
    3: (0.25, 0.75),
    4: (0.15, 0.5, 0.85),
    5: (0.1, 0.35, 0.65, 0.9),
    6: (0.1, 0.25, 0.5, 0.75, 0.9),
}
"""Where so many bands are cut: tails apart, as near as round shares come to the best cuts of a bell-shaped metric (Max, 1960)."""
CHURNED_PER_BAND = 15  # fewer churned units, fewer bands
LEAST_SHARE = 0.05  # of the units, in any band
ROOM = 0.025  # of the units: a cut may lie so far from its quantile for a rounder number
MERGE_BELOW = 1.0  # twice the log likelihood gained by telling two neighbours apart: what equal ones gain on average


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands of a metric in order of its values: the first below `cuts[0]`, the last from `cuts[-1]` on.

    `lowest` is a round number at or below every value. `log_odds` says of each band how much less likely churn is than on average
    (natural logarithm; more is healthier); it rises with the values where `healthier` is 1 and falls where it is -1. `gain` is twice the
    log likelihood over no bands at all.
    """

    lowest: Decimal
    cuts: tuple[Decimal, ...]
    healthier: int
    log_odds: tuple[float, ...]
    gain: float

    def code(self, values: Floats) -> Ints:
        """Which band each value is in, -1 where there is none."""
        return band_of(self.cuts, values)

    def evidence(self, values: Floats) -> Floats:
        """The log odds of each value's band less their mean over the units that have a value; 0 where there is none."""
        code = self.code(values)
        told = np.append(self.log_odds, 0.0)[code]
        given = code >= 0
        return np.where(given, told - told[given].mean(), 0.0) if given.any() else told


def band_of(cuts: Sequence[Decimal], values: Floats) -> Ints:
    """The number of cuts at or below each value, -1 where it is NaN."""
    code = np.searchsorted(np.array([float(cut) for cut in cuts]), values, side="right").astype(np.int64)
    return np.where(np.isnan(values), -1, code)


def cut_points(values: Floats, bands: int) -> tuple[Decimal, ...]:
    """Cuts that make up to so many bands of the values (finite, at least one), each with at least LEAST_SHARE of them. () too alike."""
    ordered = np.sort(values)
    found = sorted({cut for share in QUANTILES[bands] if (cut := _cut(ordered, share)) is not None})
    kept: list[Decimal] = []
    before, least = 0, max(LEAST_SHARE * len(ordered), 1.0)
    for cut in found:
        below = int(np.searchsorted(ordered, float(cut), side="left"))
        if below - before >= least and len(ordered) - below >= least:
            kept.append(cut)
            before = below
    return tuple(kept)


def _cut(ordered: Floats, share: float) -> Decimal | None:
    """A round number near a quantile; where many values are the same there, below or above all of them, whichever is nearer."""
    n = len(ordered)
    low, high = (ordered[min(max(int(at * n), 0), n - 1)] for at in (share - ROOM, share + ROOM))
    if low < high:
        return round_between(low, float(ordered[int(share * n)]), high)
    left, right = (int(np.searchsorted(ordered, low, side=side)) for side in ("left", "right"))
    room = int(ROOM * n)
    if right < n and (left == 0 or abs(right / n - share) <= abs(left / n - share)):
        return round_between(low, float(ordered[right]), float(ordered[min(right + room, n - 1)]))
    return round_between(float(ordered[max(left - 1 - room, 0)]), low, low) if left else None


def round_between(low: float, target: float, high: float) -> Decimal:
    """The roundest number above `low` and up to `high` (low < high); of equally round ones the nearest to `target`."""
    exponent = math.ceil(math.log10(high - low)) + 1
    while True:
        for digit in (5, 2, 1):
            step = Decimal(digit).scaleb(exponent)
            middle = int((Decimal(target) / step).to_integral_value())
            near = [step * count for count in (middle - 1, middle, middle + 1) if low < float(step * count) <= high]
            if near:
                return plain(min(near, key=lambda one: (abs(one - Decimal(target)), one)))
        exponent -= 1


def plain(number: Decimal) -> Decimal:
    """The same number without needless zeros or an exponent: 1E+2 is 100."""
    normal = number.normalize()
    return normal.quantize(Decimal(1)) if normal == normal.to_integral_value() else normal


def monotone_bands(values: Floats, churned: Bools, direction: int, clustering: float = 1.0) -> Bands | None:
    """Bands of the units that have a value. None where churn does not fall as the metric gets healthier.

    `direction` is 1 where higher is declared the healthier, -1 where lower is, 0 where the units shall say. `clustering` (up to 1) is the
    share of churned units that count as independent.
    """
    given = np.isfinite(values)
    events = int(churned[given].sum())
    if not 0 < events < int(given.sum()):
        return None
    most = min(max(int(events * clustering) // CHURNED_PER_BAND, min(QUANTILES)), max(QUANTILES))
    cuts = cut_points(values[given], most)
    code = band_of(cuts, values[given])
    units = np.bincount(code, minlength=len(cuts) + 1).astype(np.float64)
    lost = np.bincount(code, weights=churned[given], minlength=len(cuts) + 1).astype(np.float64)
    found = [_merged(cuts, units, lost, way, clustering) for way in ((1, -1) if direction == 0 else (direction,))]
    best = max(found, key=lambda one: one.gain)
    return replace(best, lowest=_at_or_below(float(values[given].min()), best.cuts[0])) if best.cuts else None


def _at_or_below(least: float, cut: Decimal) -> Decimal:
    """A round number at or below the least value, which lies below the first cut; 0 where that will do."""
    return Decimal(0) if least >= 0 and cut > 0 else round_between(least - (float(cut) - least), least, least)


def _merged(cuts: tuple[Decimal, ...], units: Floats, lost: Floats, healthier: int, clustering: float) -> Bands:
    """Neighbours pooled where churn rises as it should fall, then those that hardly differ, then log odds drawn a little to the mean."""
    blocks = [[at] for at in range(len(units))]
    if healthier < 0:
        blocks.reverse()
    blocks = _pool(blocks, lambda block: lost[block].sum() / units[block].sum())
    while len(blocks) > 1:
        gains = [clustering * _gain(units, lost, one, other) for one, other in pairwise(blocks)]
        least = int(np.argmin(gains))
        if gains[least] >= MERGE_BELOW:
            break
        blocks[least : least + 2] = [blocks[least] + blocks[least + 1]]
    mean = float(lost.sum() / units.sum())
    blocks = _pool(blocks, lambda block: _drawn(units, lost, block, mean))
    if healthier < 0:
        blocks.reverse()
    rates = [_drawn(units, lost, block, mean) for block in blocks]
    gain = (
        2
        * clustering
        * (sum(_likelihood(lost[block].sum(), units[block].sum()) for block in blocks) - _likelihood(lost.sum(), units.sum()))
    )
    odds = math.log(mean / (1 - mean))
    log_odds = tuple(odds - math.log(rate / (1 - rate)) for rate in rates)
    return Bands(Decimal(0), tuple(cuts[min(block) - 1] for block in blocks[1:]), healthier, log_odds, gain)


def _pool(blocks: Sequence[list[int]], rate: Callable[[list[int]], float]) -> list[list[int]]:
    """Neighbours joined until the rate falls from each block to the next."""
    pooled: list[list[int]] = []
    for block in blocks:
        pooled.append(block)
        while len(pooled) > 1 and rate(pooled[-2]) <= rate(pooled[-1]):
            pooled[-2:] = [pooled[-2] + pooled[-1]]
    return pooled


def _drawn(units: Floats, lost: Floats, block: list[int], mean: float) -> float:
    """The churn rate of a block with one more churned unit among as many as usually hold one."""
    return float((lost[block].sum() + 1.0) / (units[block].sum() + 1.0 / mean))


def _gain(units: Floats, lost: Floats, one: list[int], other: list[int]) -> float:
    """Twice the log likelihood that telling two blocks apart gains."""
    both = one + other
    return 2 * (
        sum(_likelihood(lost[block].sum(), units[block].sum()) for block in (one, other)) - _likelihood(lost[both].sum(), units[both].sum())
    )


def _likelihood(lost: float, units: float) -> float:
    """Of the units of a block at its own rate."""
    return float(special.xlogy(lost, lost / units) + special.xlogy(units - lost, 1 - lost / units))
