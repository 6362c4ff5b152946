"""How far chance alone carries a weighted count of independent events: its exact distribution, the limits of a funnel plot, and tails.

Sources: Spiegelhalter, Statistics in Medicine 24 (2005) 1185-1202 (funnel plots with exact limits at 95 % and 99.8 %); Hong, Computational
Statistics and Data Analysis 59 (2013) 41-51 (the Poisson-binomial distribution, here by convolution).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FUNNEL_LEVELS = (0.95, 0.998)
CELLS = 4096  # of the lattice on which unequal weights are laid
REACH = 12.0  # standard deviations to either side of the mean beyond which nothing is kept


@dataclass(frozen=True, slots=True)
class ChanceSum:
    """The distribution of a sum of weight * event: `mass` on the lattice first, first + step, ... Exact where all weights are one."""

    first: float
    step: float
    mass: Floats

    def limits(self, level: float) -> tuple[float, float]:
        """The two-sided limits: no more than (1 - level) / 2 of chance lies below the one, and no more above the other.

        Between two values of the lattice they are interpolated as Spiegelhalter does (his appendix), so that they do not jump; the upper
        one mirrors the lower.
        """
        tail = (1 - level) / 2
        last = self.first + self.step * (len(self.mass) - 1)
        return self.first + self.step * _place_of(self.mass, tail), last - self.step * _place_of(self.mass[::-1], tail)

    def two_sided_p(self, seen: float) -> float:
        """Twice the smaller tail that holds `seen`, at most 1."""
        place = (seen - self.first) / self.step
        below = self.mass[: max(math.floor(place + 0.5), 0) + 1].sum()
        above = self.mass[min(max(math.ceil(place - 0.5), 0), len(self.mass)) :].sum()
        return min(1.0, 2.0 * float(min(below, above)))


def _place_of(mass: Floats, tail: float) -> float:
    """How far along the lattice `tail` of the mass is reached, as a fraction of its steps."""
    reached = np.cumsum(mass)
    place = min(int(np.searchsorted(reached, tail)), len(reached) - 1)
    before = float(reached[place - 1]) if place else 0.0
    back = (float(reached[place]) - tail) / (float(reached[place]) - before)
    return max(place - min(max(back, 0.0), 1.0), 0.0)


def chance_sum(probability: Floats, weight: Floats) -> ChanceSum:
    """The distribution of sum(weight * event) where event i happens with its own probability, independently. Both have shape (n,).

    Weights are not negative. Where they are not all the same they are laid on a lattice of `CELLS` steps over the reach of the sum, each
    split between its two neighbours so that the mean is kept.
    """
    used = (weight > 0) & (probability > 0)
    p, w = probability[used], weight[used]
    if not len(p):
        return ChanceSum(0.0, 1.0, np.ones(1))
    mean, deviation = float(p @ w), math.sqrt(float((p * (1 - p)) @ w**2))
    highest = min(float(w.sum()), mean + REACH * deviation + 2 * float(w.max()))
    same = bool(np.all(w == w[0]))
    step = float(w[0]) if same else highest / CELLS
    return ChanceSum(0.0, step, _convolved(p, w / step, math.ceil(highest / step) + 2))


def even_chance(probability: float, n: int) -> ChanceSum:
    """The same of n events of one probability: the binomial distribution."""
    return ChanceSum(0.0, 1.0, np.asarray(stats.binom.pmf(np.arange(n + 1), n, probability), dtype=np.float64))


def _convolved(p: Floats, steps: Floats, cells: int) -> Floats:
    """The distribution on 0, 1, ... cells - 1; what would lie beyond is collected in the last cell."""
    whole = np.floor(steps + 1e-9).astype(np.int64)
    part = np.maximum(steps - whole, 0.0)
    part[part < 1e-9] = 0.0
    mass, top = np.zeros(cells), 0
    mass[0] = 1.0
    for chance, shift, rest in zip(p.tolist(), whole.tolist(), part.tolist(), strict=True):
        top = _add(mass, top, chance, shift, rest)
    return mass[: top + 1]


def _add(mass: Floats, top: int, chance: float, shift: int, rest: float) -> int:
    """One more event, in place: with `chance` the sum moves on by `shift`, and for the share `rest` of it by one more."""
    moved = chance * mass[: top + 1]
    mass[: top + 1] -= moved
    for by, share in ((shift, 1 - rest), (shift + 1, rest)):
        if share > 0:
            room = max(min(top + 1, len(mass) - by), 0)
            mass[by : by + room] += share * moved[:room]
            mass[-1] += share * float(moved[room:].sum())
    return min(top + shift + (1 if rest else 0), len(mass) - 1)
