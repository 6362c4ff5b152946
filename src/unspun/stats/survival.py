"""Survival: the share still there, how well risks rank times, and how well stated survival agrees with what was seen.

Sources: Kaplan and Meier, JASA 53 (1958) 457-481; Greenwood 1926, on the log(-log) scale as in Kalbfleisch and Prentice (2002);
Harrell, Lee and Mark, Statistics in Medicine 15 (1996) 361-387 (concordance); Graf, Schmoor, Sauerbrei and Schumacher, Statistics in
Medicine 18 (1999) 2529-2545 (Brier score, weighted by the inverse probability of censoring).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.stats.estimate import LEVEL, Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

KAPLAN_MEIER = "Kaplan-Meier; Greenwood, log(-log) scale"


@dataclass(frozen=True, slots=True)
class SurvivalCurve:
    """At each time with an event, rising: who was at risk, how many had it, the share left after it, and Greenwood's sum."""

    times: Floats
    at_risk: Ints
    events: Ints
    share: Floats
    greenwood: Floats  # variance of log(share)
    n: int

    def at(self, times: Floats) -> Floats:
        """The share left at each time (after the events on it)."""
        return np.append(1.0, self.share)[np.searchsorted(self.times, times, side="right")]

    def before(self, times: Floats) -> Floats:
        """The share left just before each time."""
        return np.append(1.0, self.share)[np.searchsorted(self.times, times, side="left")]

    def estimate(self, time: float) -> MaybeEstimate:
        """The share left at a time, with its interval."""
        step = int(np.searchsorted(self.times, time, side="right")) - 1
        if step < 0:
            return NoEstimate("nobody has had the event by then")
        share = float(self.share[step])
        if share <= 0.0:
            return NoEstimate("everybody who was still there has had the event by then, so the share's error is not known")
        half = float(special.ndtri(0.5 + LEVEL / 2)) * math.sqrt(self.greenwood[step]) / abs(math.log(share))
        low, high = share ** math.exp(half), share ** math.exp(-half)
        return Estimate(share, low, high, KAPLAN_MEIER, self.n)

    def median(self) -> float | None:
        """The first time by which no more than half are left; None where it lies beyond what was seen."""
        reached = np.flatnonzero(self.share <= 0.5 + 1e-12)
        return float(self.times[reached[0]]) if len(reached) else None


def kaplan_meier(time: Floats, event: Bools, entry: Floats | None = None) -> SurvivalCurve:
    """The share left, from times of the event or of censoring. One who entered late counts as at risk after `entry` only."""
    times, events = np.unique(time[event], return_counts=True)
    ended = np.searchsorted(np.sort(time), times, side="left")  # before the time
    entered = len(time) if entry is None else np.searchsorted(np.sort(entry), times, side="left")
    at_risk = np.asarray(entered - ended, dtype=np.int64)
    left = at_risk - events
    with np.errstate(divide="ignore"):
        greenwood = np.cumsum(np.where(left > 0, events / (at_risk * np.maximum(left, 1)), math.inf))
    share = np.asarray(np.cumprod(1 - events / at_risk), dtype=np.float64)
    return SurvivalCurve(times, at_risk, events, share, greenwood, len(time))


def harrell_concordance(time: Floats, event: Bools, risk: Floats) -> float:
    """Of the pairs whose order in time is known, the share in which the higher risk ends first; a tie in risk counts one half.

    A pair is comparable where the earlier time is an event. Two that end at one time are comparable where just one of them is an event,
    which then counts as the earlier. NaN where there is no such pair.
    """
    order = np.lexsort((~event, time))  # by time, the events of a time before those censored at it
    rank = np.unique(risk, return_inverse=True)[1][order]
    time, event = time[order], event[order]
    later = _Counts(int(rank.max()) + 1)
    agreed, pairs, end = 0.0, 0.0, len(time)
    while end:  # from the last time on
        start = int(np.searchsorted(time, time[end - 1], side="left"))
        cut = start + int(np.count_nonzero(event[start:end]))
        for i in range(cut, end):
            later.add(int(rank[i]))
        for i in range(start, cut):
            below, same = later.below(int(rank[i])), later.same(int(rank[i]))
            agreed, pairs = agreed + below + same / 2, pairs + later.total
        for i in range(start, cut):
            later.add(int(rank[i]))
        end = start
    return agreed / pairs if pairs else math.nan


class _Counts:
    """How many were added at each rank, with sums over the lower ones in a logarithm of steps (Fenwick 1994)."""

    def __init__(self, ranks: int) -> None:
        self._tree, self._own, self.total = [0] * (ranks + 1), [0] * ranks, 0

    def add(self, rank: int) -> None:
        self._own[rank] += 1
        self.total += 1
        at = rank + 1
        while at < len(self._tree):
            self._tree[at] += 1
            at += at & -at

    def below(self, rank: int) -> int:
        found = 0
        while rank > 0:
            found += self._tree[rank]
            rank -= rank & -rank
        return found

    def same(self, rank: int) -> int:
        return self._own[rank]


def brier_scores(time: Floats, event: Bools, survival: Floats, times: Floats, censoring: SurvivalCurve) -> Floats:
    """At each of some times, the mean squared error of the stated survival, shape (times,). `survival` has shape (n, times).

    Those censored before the time count through the others, who weigh more by the inverse of the share not yet censored:
    `censoring` is the curve of censoring (its events are the censored), best from the rows of training.
    """
    found = np.empty(len(times))
    weight_at_end = censoring.before(time)
    for j, at in enumerate(times.tolist()):
        gone, there = event & (time <= at), time > at
        left = float(censoring.at(np.array([at]))[0])
        if (there.any() and left <= 0.0) or (weight_at_end[gone] <= 0.0).any():
            raise ValueError("everybody is censored by a time at which survival is judged")
        error = (survival[gone, j] ** 2 / weight_at_end[gone]).sum() + ((1 - survival[there, j]) ** 2 / (left or 1.0)).sum()
        found[j] = error / len(time)
    return found


def integrated_brier(time: Floats, event: Bools, survival: Floats, times: Floats, censoring: SurvivalCurve) -> float:
    """The Brier score averaged over time from the first of `times` to the last (trapezoids)."""
    scores = brier_scores(time, event, survival, times, censoring)
    return float(np.trapezoid(scores, times) / (times[-1] - times[0]))
