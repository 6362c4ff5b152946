"""A score read as a risk: a monotone mapping fitted in training, and how well it is calibrated on test units."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

from unspun.audit.protocol import ISOTONIC_FROM_CHURNED, MIN_TRAIN_CHURNED_FOR_MAPPING
from unspun.audit.result import Calibration, ReliabilityBin
from unspun.audit.vocabulary import CHURN, Vocabulary
from unspun.stats.calibration import (
    brier_parts,
    calibration_intercept,
    calibration_slope,
    clustered_mean,
    expected_over_observed,
    isotonic_fit,
    levels_of,
)
from unspun.stats.concordance import count_clusters
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.stats.logistic import fit_logistic
from unspun.stats.proportion import clustered_share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
MAX_BINS, MIN_BIN_UNITS = 10, 20


@dataclass(frozen=True, slots=True)
class RiskMapping:
    """A step function of the risk percentile: `probability[i]` holds from `edges[i]` on. Monotone."""

    name: str
    edges: Floats
    probability: Floats

    def __call__(self, percentile: Floats) -> Floats:
        """Churn probability, NaN where there is no score. Shape of the input."""
        step = np.maximum(np.searchsorted(self.edges, percentile, side="right") - 1, 0)
        return np.where(np.isfinite(percentile), self.probability[step], np.nan)


@dataclass(frozen=True, slots=True)
class LogisticMapping:
    """Log-odds linear in the risk percentile."""

    name: str
    intercept: float
    slope: float

    def __call__(self, percentile: Floats) -> Floats:
        """Churn probability, NaN where there is no score. Shape of the input."""
        return special.expit(self.intercept + self.slope * percentile)


Mapping = RiskMapping | LogisticMapping | NoEstimate


def fit_mapping(percentile: Floats, churned: Bools, fit_on: Bools, words: Vocabulary = CHURN) -> Mapping:
    """Logistic under 200 churned training units, else isotonic. A score that runs the wrong way gives the base rate."""
    value, event = percentile[fit_on], churned[fit_on]
    if event.sum() < MIN_TRAIN_CHURNED_FOR_MAPPING or event.all():
        return NoEstimate(
            f"{int(event.sum())} training units with a score {words.lost}, too few to read the score as a risk",
            f"at least {MIN_TRAIN_CHURNED_FOR_MAPPING}",
        )
    return _isotonic(value, event) if event.sum() >= ISOTONIC_FROM_CHURNED else _logistic(value, event)


def calibrate(
    mapping: Mapping, percentile: Floats, churned: Bools, cluster: Ints, base_rate: float, words: Vocabulary = CHURN
) -> Calibration | NoEstimate:
    """Calibration of the mapped risk on scored test units; `base_rate` is the training share, the reference forecast."""
    if isinstance(mapping, NoEstimate):
        return mapping
    if not churned.any() or churned.all() or count_clusters(churned, cluster).with_event < 2:
        return NoEstimate(f"fewer than two {words.lost} clusters with a score in the test", "at least two")
    risk = mapping(percentile)
    levels = levels_of(risk)
    parts = brier_parts(risk, churned, levels)
    return Calibration(
        mapping=mapping.name,
        n=len(churned),
        n_churned=int(churned.sum()),
        slope=calibration_slope(risk, churned, cluster, levels),
        intercept=calibration_intercept(risk, churned, cluster, levels),
        expected_over_observed=expected_over_observed(risk, churned, cluster),
        brier=clustered_mean(_squared_error(risk, churned), churned, cluster, "mean squared error; clustered, t"),
        brier_base_rate=clustered_mean(
            _squared_error(base_rate, churned), churned, cluster, "mean squared error of the training share; clustered, t"
        ),
        miscalibration=parts.miscalibration,
        discrimination=parts.discrimination,
        uncertainty=parts.uncertainty,
        bins=_reliability(risk, churned, cluster),
    )


def _squared_error(risk: Floats | float, churned: Bools) -> Floats:
    return (risk - churned.astype(np.float64)) ** 2


def _logistic(value: Floats, event: Bools) -> LogisticMapping:
    design = np.column_stack([np.ones(len(value)), value])
    intercept, slope = fit_logistic(design, event, np.array([0.0, 1e-6])).coefficients.tolist()
    if slope <= 0:
        intercept, slope = float(special.logit(event.mean())), 0.0
    return LogisticMapping("logistic in the score's training percentile", intercept, slope)


def _isotonic(value: Floats, event: Bools) -> RiskMapping:
    """Block rates (events + .5)/(n + 1), pooled again where smoothing a small block put it out of order."""
    edges, n, events = isotonic_fit(value, event)
    rate = optimize.isotonic_regression((events + 0.5) / (n + 1), weights=n + 1).x
    return RiskMapping("isotonic in the score, block rate (events + .5)/(n + 1)", edges, rate)


def _reliability(risk: Floats, churned: Bools, cluster: Ints) -> tuple[ReliabilityBin, ...]:
    """Up to ten groups of about equal size; units with one stated risk stay in one group."""
    groups = max(1, min(MAX_BINS, len(risk) // MIN_BIN_UNITS))
    inner = np.unique(np.quantile(risk, np.arange(1, groups) / groups, method="inverted_cdf")) if groups > 1 else np.empty(0)
    member = np.searchsorted(inner, risk, side="left")
    bins = []
    for group in np.unique(member):
        inside = member == group
        observed = clustered_share(churned[inside], cluster[inside])
        if isinstance(observed, Estimate):
            bins.append(ReliabilityBin(float(risk[inside].mean()), observed))
    return tuple(bins)
