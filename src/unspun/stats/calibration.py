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


def isotonic_fit(values: Floats, event: Bools) -> tuple[Floats, Floats, Floats]:
    """Isotonic regression of the event on `values` (rising): per block its lower edge, its n, and its events."""
    distinct, inverse = np.unique(values, return_inverse=True)
    n = np.bincount(inverse).astype(np.float64)
    events = np.bincount(inverse, weights=event)
    blocks = optimize.isotonic_regression(events / n, weights=n).blocks[:-1]
    return distinct[blocks], np.add.reduceat(n, blocks), np.add.reduceat(events, blocks)


def brier_parts(probability: Floats, event: Bools) -> BrierParts:
    """The CORP decomposition of the mean squared error of `probability`."""
    edges, n, events = isotonic_fit(probability, event)
    block = np.searchsorted(edges, probability, side="right") - 1
    recalibrated, base = (events / n)[block], float(event.mean())
    brier = float(np.mean((probability - event) ** 2))
    at_best, uncertainty = float(np.mean((recalibrated - event) ** 2)), base * (1 - base)
    return BrierParts(brier, brier - at_best, uncertainty - at_best, uncertainty)


def clustered_mean(values: Floats, event: Bools, cluster: Ints, method: str) -> Estimate:
    """A mean over units with its clustered interval; t with (clusters with an event - 1) degrees of freedom."""
    point = float(values.mean())
    half = t_quantile(count_clusters(event, cluster).with_event) * clustered_standard_error((values - point) / len(values), cluster)
    return Estimate(point, point - half, point + half, method, len(values))


def calibration_slope(probability: Floats, event: Bools, cluster: Ints) -> MaybeEstimate:
    """Slope of the event's log-odds on the stated log-odds; 1 is right, under 1 too extreme."""
    log_odds = special.logit(probability)
    if np.ptp(log_odds) < 1e-9:
        return NoEstimate("every unit was given the same risk", "a score that varies")
    if _separated(log_odds, event):
        return NoEstimate("the stated risk separates the two outcomes, so the regression has no finite answer")
    design = np.column_stack([np.ones(len(log_odds)), log_odds - log_odds.mean()])
    return _coefficient(design, event, cluster, 1, None, "logistic slope on the stated log-odds; clustered sandwich, t")


def calibration_intercept(probability: Floats, event: Bools, cluster: Ints) -> MaybeEstimate:
    """Log-odds by which the stated risks are too low (above 0) or too high (below 0), with the slope fixed at 1."""
    if event.all() or not event.any():
        return NoEstimate("only one outcome was seen, so the regression has no finite answer")
    design = np.ones((len(probability), 1))
    return _coefficient(
        design, event, cluster, 0, special.logit(probability), "logistic intercept, slope fixed at 1; clustered sandwich, t"
    )


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


def _separated(value: Floats, event: Bools) -> bool:
    """Whether some cut leaves all events on one side (units on the cut aside): then no finite slope is the likeliest."""
    if event.all() or not event.any():
        return True
    with_event, without = value[event], value[~event]
    return bool(with_event.min() >= without.max() or without.min() >= with_event.max())


def _coefficient(design: Floats, event: Bools, cluster: Ints, column: int, offset: Floats | None, method: str) -> MaybeEstimate:
    fit = fit_logistic(design, event, np.zeros(design.shape[1]), offset)
    if not fit.converged:
        return NoEstimate("the regression did not settle on an answer")
    linear = design @ fit.coefficients + (0.0 if offset is None else offset)
    covariance = cluster_sandwich(fit, design, event - special.expit(linear), cluster)
    half = t_quantile(count_clusters(event, cluster).with_event) * math.sqrt(covariance[column, column])
    point = float(fit.coefficients[column])
    return Estimate(point, point - half, point + half, method, len(event))
