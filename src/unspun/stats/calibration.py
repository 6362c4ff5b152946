"""How well stated probabilities agree with what happened.

Sources: Van Calster and others, BMC Medicine 17:230 (2019) (slope, intercept); Dimitriadis, Gneiting and Jordan, PNAS
118 (2021) e2016191118 (CORP: Brier = miscalibration - discrimination + uncertainty by isotonic recalibration).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from unspun.stats.concordance import clustered_standard_error, count_clusters, t_quantile
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.stats.logistic import cluster_sandwich, fit_logistic

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class BrierParts:
    """brier = miscalibration - discrimination + uncertainty, exactly."""

    brier: float
    miscalibration: float
    discrimination: float
    uncertainty: float


@dataclass(frozen=True, slots=True)
class Levels:
    """The distinct values of some units, rising, and which of them each unit has: sorted once for all that asks."""

    values: Floats
    at: Ints

    def count(self, event: Bools) -> tuple[Floats, Floats]:
        """Units, and units with the event, at each value."""
        return np.bincount(self.at).astype(np.float64), np.bincount(self.at, weights=event).astype(np.float64)


def levels_of(values: Floats) -> Levels:
    """The levels of some values, none of which is NaN."""
    return Levels(*np.unique(values, return_inverse=True))


def isotonic_fit(values: Floats, event: Bools, levels: Levels | None = None) -> tuple[Floats, Floats, Floats]:
    """Isotonic regression of the event on `values` (rising): per block its lower edge, its n, and its events.

    Here and below, `levels` are those of the values, where they are known already.
    """
    levels = levels or levels_of(values)
    distinct, (n, events) = levels.values, levels.count(event)
    blocks = optimize.isotonic_regression(events / n, weights=n).blocks[:-1]
    return distinct[blocks], np.add.reduceat(n, blocks), np.add.reduceat(events, blocks)


def brier_parts(probability: Floats, event: Bools, levels: Levels | None = None) -> BrierParts:
    """The CORP decomposition of the mean squared error of `probability`."""
    levels = levels or levels_of(probability)
    edges, n, events = isotonic_fit(probability, event, levels)
    block = (np.searchsorted(edges, levels.values, side="right") - 1)[levels.at]
    recalibrated, base = (events / n)[block], float(event.mean())
    brier = float(np.mean((probability - event) ** 2))
    at_best, uncertainty = float(np.mean((recalibrated - event) ** 2)), base * (1 - base)
    return BrierParts(brier, brier - at_best, uncertainty - at_best, uncertainty)


def clustered_mean(values: Floats, event: Bools, cluster: Ints, method: str) -> Estimate:
    """A mean over units with its clustered interval; t with (clusters with an event - 1) degrees of freedom."""
    point = float(values.mean())
    half = t_quantile(count_clusters(event, cluster).with_event) * clustered_standard_error((values - point) / len(values), cluster)
    return Estimate(point, point - half, point + half, method, len(values))


def calibration_slope(probability: Floats, event: Bools, cluster: Ints, levels: Levels | None = None) -> MaybeEstimate:
    """Slope of the event's log-odds on the stated log-odds; 1 is right, under 1 too extreme."""
    levels = levels or levels_of(probability)
    stated = special.logit(levels.values)
    if np.ptp(stated) < 1e-9:
        return NoEstimate("every unit was given the same risk", "a score that varies")
    if _separated(levels, event):
        return NoEstimate("the stated risk separates the two outcomes, so the regression has no finite answer")
    log_odds = stated[levels.at]
    design = np.column_stack([np.ones(len(log_odds)), log_odds - log_odds.mean()])
    return _coefficient(design, event, cluster, 1, None, "logistic slope on the stated log-odds; clustered sandwich, t")


def calibration_intercept(probability: Floats, event: Bools, cluster: Ints, levels: Levels | None = None) -> MaybeEstimate:
    """Log-odds by which the stated risks are too low (above 0) or too high (below 0), with the slope fixed at 1."""
    if event.all() or not event.any():
        return NoEstimate("only one outcome was seen, so the regression has no finite answer")
    levels = levels or levels_of(probability)
    log_odds = special.logit(levels.values)[levels.at]
    design = np.ones((len(log_odds), 1))
    return _coefficient(design, event, cluster, 0, log_odds, "logistic intercept, slope fixed at 1; clustered sandwich, t")


def expected_over_observed(probability: Floats, event: Bools, cluster: Ints) -> MaybeEstimate:
    """Events foretold for each event seen, on the log scale with clustered linearisation."""
    observed, expected = float(event.sum()), float(probability.sum())
    if observed == 0:
        return NoEstimate("no unit has the event")
    ratio = expected / observed
    error = clustered_standard_error((probability - ratio * event) / observed, cluster) / ratio
    half = t_quantile(count_clusters(event, cluster).with_event) * error
    return Estimate(
        ratio, ratio * math.exp(-half), ratio * math.exp(half), "ratio of sums; clustered linearisation, log scale, t", len(event)
    )


def _separated(levels: Levels, event: Bools) -> bool:
    """Whether some cut leaves all events on one side (units on the cut aside): then no finite slope is the likeliest."""
    if event.all() or not event.any():
        return True
    n, events = levels.count(event)
    with_event, without = np.flatnonzero(events), np.flatnonzero(n > events)
    return bool(with_event[0] >= without[-1] or without[0] >= with_event[-1])


def _coefficient(design: Floats, event: Bools, cluster: Ints, column: int, offset: Floats | None, method: str) -> MaybeEstimate:
    fit = fit_logistic(design, event, np.zeros(design.shape[1]), offset)
    if not fit.converged:
        return NoEstimate("the regression did not settle on an answer")
    linear = design @ fit.coefficients + (0.0 if offset is None else offset)
    covariance = cluster_sandwich(fit, design, event - special.expit(linear), cluster)
    half = t_quantile(count_clusters(event, cluster).with_event) * math.sqrt(covariance[column, column])
    point = float(fit.coefficients[column])
    return Estimate(point, point - half, point + half, method, len(event))
