"""From hazards by period to the probability of each outcome, and how the probabilities move with the hazards.

In each period a renewal may churn; of the rest contract; of the rest expand; of the rest be decided flat, which in the last period all are.
Source: Tutz and Schmid, Modeling Discrete Time-to-Event Data (2016), chapter 8 (competing outcomes; here as a sequence of choices of two).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT, PERIODS, enter

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CAUSES = (CHURN, CONTRACTION, EXPANSION, FLAT)  # in the order in which they are asked; indexes into OUTCOMES4


@dataclass(frozen=True, slots=True)
class Hazards:
    """By cause in the order of CAUSES: `values` has shape (4, PERIODS, n), 0 in periods before a row's first."""

    values: Floats

    def probabilities(self) -> Floats:
        """Of each outcome, shape (n, 4) in the order of OUTCOMES4; they add up to 1."""
        n = self.values.shape[2]
        found, left = np.zeros((4, n)), np.ones(n)
        for period in range(PERIODS):
            for cause, hazard in zip(CAUSES, self.values[:, period], strict=True):
                happens = left * hazard
                found[cause] += happens
                left = left - happens
        return found.T

    def slopes(self) -> Floats:
        """Of each outcome's probability by the log-odds of each hazard, shape (4 outcomes, 4 causes, PERIODS, n)."""
        values, n = self.values, self.values.shape[2]
        reach = np.ones((4, PERIODS, n))  # the probability of being asked
        left = np.ones(n)
        for period in range(PERIODS):
            for at in range(4):
                reach[at, period] = left
                left = left * (1 - values[at, period])
        found, after = np.empty((4, 4, PERIODS, n)), np.zeros((4, n))  # after: the outcomes of those who were not taken
        for period in reversed(range(PERIODS)):
            for at in reversed(range(4)):
                hazard = values[at, period]
                gain = reach[at, period] * hazard * (1 - hazard)
                found[:, at, period] = -gain * after
                found[CAUSES[at], at, period] += gain
                after *= 1 - hazard
                after[CAUSES[at]] += hazard
        return found

    def churn_slopes(self) -> Floats:
        """Of P(churn) by the log-odds of each hazard, summed over periods: shape (4 causes, n)."""
        values, n = self.values, self.values.shape[2]
        found, after = np.zeros((4, n)), np.zeros(n)
        for period in reversed(range(PERIODS)):
            for at in reversed(range(4)):
                hazard = values[at, period]
                churns = float(CAUSES[at] == CHURN)
                found *= 1 - hazard
                found[at] += hazard * (1 - hazard) * (churns - after)
                after = churns * hazard + (1 - hazard) * after
        return found


def hazards_of(intercepts: Floats, linear: Floats, lead: Ints) -> Hazards:
    """Hazards of rows by their lead. `intercepts` has shape (4, PERIODS), `linear` (4, n): what the terms add, by cause."""
    entry, share_left = enter(lead)
    values = np.zeros((4, PERIODS, len(lead)))
    log_share = np.log(share_left)
    for period in range(PERIODS):
        active = entry <= period
        shift = np.where(entry[active] == period, log_share[active], 0.0)
        values[:, period, active] = special.expit(intercepts[:, period, None] + linear[:, active] + shift)
    values[CAUSES.index(FLAT), PERIODS - 1] = 1.0
    return Hazards(values)
