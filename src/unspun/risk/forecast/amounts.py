"""What ARR becomes at a renewal that is not a churn: drawn from past ratios of ARR after to ARR before, by segment, partly pooled."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.risk.forecast.result import AmountRatios, RatioOutcome
from unspun.risk.rows import CONTRACTION, EXPANSION, FLAT

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

POOLED = 20  # a segment's own ratios count as many as they are, those of all together as this many
STEPS = 256  # quantiles by which a distribution of ratios is held
RESAMPLES = 40  # bootstrap samples of the past ratios: how little is known of them is part of the forecast
RATIO_OUTCOMES: tuple[tuple[int, RatioOutcome], ...] = ((CONTRACTION, "contraction"), (FLAT, "flat"), (EXPANSION, "expansion"))
UNKNOWN_RATIO = {CONTRACTION: 0.5, FLAT: 1.0, EXPANSION: 1.0}
"""Where no past renewal of that outcome states both amounts. Told as n = 0."""


@dataclass(frozen=True, slots=True)
class RatioTables:
    """Quantiles of ratios, shape (outcomes, RESAMPLES, segments + 1, STEPS); the last segment is of those that state none.

    `means` are of the ratios as they were, without resampling, shape (outcomes, segments + 1). Churn has zeros.
    """

    tables: Floats
    means: Floats
    seen: tuple[AmountRatios, ...]

    def draw(self, outcome: Ints, segment: Ints, path: Ints, rng: np.random.Generator) -> Floats:
        """A ratio for each; paths take turns with the resamples."""
        step = rng.integers(0, STEPS, len(outcome))
        return self.tables[outcome, path % RESAMPLES, segment, step]


def learn_ratios(outcome: Ints, ratio: Floats, segment: Ints, segments: int, rng: np.random.Generator) -> RatioTables:
    """From past renewals with both amounts: outcome (index into OUTCOMES4), ratio, and segment (-1 where not known)."""
    tables, means = np.zeros((4, RESAMPLES, segments + 1, STEPS)), np.zeros((4, segments + 1))
    seen = []
    for code, name in RATIO_OUTCOMES:
        these = (outcome == code) & np.isfinite(ratio)
        values, of = ratio[these], segment[these]
        if not len(values):
            tables[code] = means[code] = UNKNOWN_RATIO[code]
            seen.append(AmountRatios(name, 0, UNKNOWN_RATIO[code], (UNKNOWN_RATIO[code], UNKNOWN_RATIO[code], UNKNOWN_RATIO[code])))
            continue
        for resample in range(RESAMPLES):
            picked = rng.integers(0, len(values), len(values))
            tables[code, resample] = _by_segment(values[picked], of[picked], segments)
        means[code] = _by_segment(values, of, segments).mean(axis=1)
        low, middle, high = np.quantile(values, (0.25, 0.5, 0.75)).tolist()
        seen.append(AmountRatios(name, len(values), float(values.mean()), (low, middle, high)))
    return RatioTables(tables, means, tuple(seen))


def _by_segment(values: Floats, segment: Ints, segments: int) -> Floats:
    """Quantiles of each segment's own ratios mixed with those of all, shape (segments + 1, STEPS)."""
    order = np.argsort(values, kind="stable")
    values, segment = values[order], segment[order]
    weight = np.full((segments + 1, len(values)), POOLED / len(values))
    for code in range(segments):
        weight[code, segment == code] += 1.0
    cumulative = np.cumsum(weight, axis=1) / weight.sum(axis=1, keepdims=True)
    wanted = (np.arange(STEPS) + 0.5) / STEPS
    return np.stack([values[np.minimum(np.searchsorted(one, wanted), len(values) - 1)] for one in cumulative])
