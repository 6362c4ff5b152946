"""The scale of a boosted model's log odds of churn, learnt on the rolling origins: were its risks too extreme, or too timid?

Additive models are calibrated as they are fitted (stats/fading.py), and never twice. An estimate from some hundred churned renewals is
rough, so that it is shrunk towards 1; and since models that rest on more renewals need less of it, it is taken in proportion.
Source: Van Houwelingen and Le Cessie, Statistics in Medicine 9 (1990) 1303-1325 (calibration slope as a shrinkage factor).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.stats.logistic import cluster_sandwich, fit_logistic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
PRIOR_SD = 0.15  # of the scale around 1, as models of this kind go
SMALLEST, LARGEST = 0.5, 1.5


@dataclass(frozen=True, slots=True)
class Recalibration:
    """How much the log odds were off on the origins: `excess` is the scale less 1 (with its standard error), from models that rested on
    so many churned customers on average."""

    excess: float
    standard_error: float
    clusters: float

    def scale(self, clusters: int) -> float:
        """The factor for a model that rests on so many churned customers."""
        weight = PRIOR_SD**2 / (PRIOR_SD**2 + self.standard_error**2)
        fewer = min(self.clusters / max(clusters, 1), 1.0)
        return float(f"{np.clip(1 + weight * fewer * self.excess, SMALLEST, LARGEST):.6g}")

    def say(self, clusters: int) -> str:
        """What was seen and what is done about it; "" where nothing was learnt."""
        if self == NOTHING_LEARNT:
            return ""
        seen = f"{1 + self.excess:.2f} (standard error {self.standard_error:.2f})"
        return (
            f"on the origins inside training the log odds of churn would have fitted best when multiplied by {seen}; shrunk towards 1, "
            f"the model's are multiplied by {self.scale(clusters):.2f}"
        )


NOTHING_LEARNT = Recalibration(0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class StatedScores:
    """What one candidate said of judged account-months: P(churn) and the score behind it (n,), and which origin's model said it."""

    churn: Floats
    score: Floats
    origin: Ints


def learn_scale(stated: StatedScores, churned: Bools, cluster: Ints, clusters: Sequence[int]) -> Recalibration:
    """Regress churn on the score, beside what was stated: each origin has its own level. `clusters` are those its model rested on.

    Where the score hardly varies, or the regression does not settle, nothing is learnt.
    """
    score = stated.score - stated.score.mean()
    if float(np.std(score)) < 1e-3 or churned.all() or not churned.any():
        return NOTHING_LEARNT
    origins = np.unique(stated.origin)
    design = np.column_stack([np.ones(len(score)), *(stated.origin == one for one in origins[1:]), score])
    offset = special.logit(np.clip(stated.churn, 1e-9, 1 - 1e-9))
    fit = fit_logistic(design, churned, np.append(np.zeros(design.shape[1] - 1), 1e-9), offset)
    if not fit.converged:
        return NOTHING_LEARNT
    covariance = cluster_sandwich(fit, design, churned - special.expit(design @ fit.coefficients + offset), cluster)
    return Recalibration(float(fit.coefficients[-1]), float(np.sqrt(covariance[-1, -1])), float(np.mean(clusters)))
