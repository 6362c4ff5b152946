"""Coefficients brought to whole points: a health score of metrics in bands, as anybody could have declared it."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from unspun.health.bands import Bands
from unspun.health.definition import Band, Group, HealthScore, Input, Steps, Values

Floats = NDArray[np.float64]

FULL, STEP = 100, 5
"""The weights are whole and add up to FULL; points are multiples of STEP, 0 for the worst band and FULL for the best."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """A metric, its bands, and a positive coefficient of their log odds."""

    metric: str
    bands: Bands
    coefficient: float

    @property
    def reach(self) -> float:
        """What the worst and the best band are apart, in log odds of churn."""
        return self.coefficient * (max(self.bands.log_odds) - min(self.bands.log_odds))


def in_points(id: str, weighed: Sequence[Weighed]) -> HealthScore:
    """The health score of some metrics, the heaviest first: each weighs its share of the reach of all, by largest remainder.

    Those that come to no weight are left out; neighbouring bands of the same points are one.
    """
    reach = np.array([one.reach for one in weighed])
    weights = largest_remainder(reach / reach.sum() * FULL).tolist()
    kept = [(one, weight) for one, weight in zip(weighed, weights, strict=True) if weight > 0]
    kept.sort(key=lambda pair: (-pair[1], pair[0].metric))
    return HealthScore(id, (Group("", tuple(Input(one.metric, _steps(one.bands), Decimal(weight)) for one, weight in kept)),))


def largest_remainder(shares: Floats) -> NDArray[np.int64]:
    """Whole numbers with the same (whole) sum as `shares`: what is left over goes to the largest remainders, the first of equal ones."""
    whole = np.floor(shares).astype(np.int64)
    left = round(float(shares.sum())) - int(whole.sum())
    whole[np.argsort(-(shares - whole), kind="stable")[:left]] += 1
    return whole


def with_flags(score: HealthScore, flags: Collection[str]) -> HealthScore:
    """The score with points of `true` and `false` for the metrics that are one or the other; they were fitted as 1 and 0."""
    groups = (
        replace(group, inputs=tuple(_told_by_word(one) if one.metric in flags else one for one in group.inputs)) for group in score.groups
    )
    return replace(score, groups=tuple(groups))


def _told_by_word(one: Input) -> Input:
    knots = one.scale.knots if isinstance(one.scale, Steps) else ()
    told = {word: next(points for start, points in reversed(knots) if start <= value) for word, value in (("true", 1.0), ("false", 0.0))}
    return replace(one, scale=Values(tuple(told.items())))


def with_bands(score: HealthScore, values: Floats, names: Sequence[str], shares_below: Sequence[float]) -> HealthScore:
    """The score with bands, from the worst to the best, so that about such shares of some published values lie below each but the first.

    Bands begin at whole scores; a band that would begin where another does is left out.
    """
    given = np.sort(values[np.isfinite(values)])
    bands = [Band(names[0], score.low)]
    for name, share in zip(names[1:], shares_below, strict=True):
        least = Decimal(math.ceil(given[min(int(share * len(given)), len(given) - 1)])) if len(given) else score.low
        if bands[-1].least < least <= score.high:
            bands.append(Band(name, least))
    return replace(score, bands=tuple(bands) if len(bands) > 1 else ())


def _steps(bands: Bands) -> Steps:
    odds = np.array(bands.log_odds)
    points = (STEP * np.rint(FULL / STEP * (odds - odds.min()) / (odds.max() - odds.min()))).astype(int).tolist()
    starts = (bands.lowest, *bands.cuts)
    differ = [0, *(at for at in range(1, len(points)) if points[at] != points[at - 1])]
    return Steps(tuple((float(starts[at]), Decimal(points[at])) for at in differ))
