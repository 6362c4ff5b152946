"""A points score fitted on earlier renewals: at most a dozen inputs, each monotone, whole points.

The way of AutoScore (Xie and others, JMIR Medical Informatics 8 (2020) e21798) with forward selection in the place of its ranking:
metrics are cut into monotone bands, which enter a logistic regression by their log odds, with coefficients above zero; coefficients become
whole points as in Sullivan, Massaro and D'Agostino (Statistics in Medicine 23 (2004) 1631-1660). How many inputs there are is settled on
training units later than those that each trial score was fitted on, by the rule of one standard error (Breiman and others, Classification
and Regression Trees, 1984): the fewest that rank nearly as well as the best number. Rounding costs much where points are few (Ustun and
Rudin, JMLR 20 (2019) 150); with a hundred of them it costs next to nothing, which the tests measure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.health.bands import QUANTILES, Bands, monotone_bands
from unspun.health.definition import HealthScore
from unspun.health.formula import as_series, compute
from unspun.health.points import Weighed, in_points
from unspun.stats.concordance import Influence, clustered_standard_error, influence
from unspun.stats.estimate import NoEstimate
from unspun.stats.logistic import fit_logistic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FITTED = "fitted"
MOST_INPUTS = 12
LEAST_CHURNED = 30  # training units, for anything to be fitted
LEAST_COVERAGE = 0.5  # of the training units, for a metric to be an input
MOST_SCREENED = 200  # metrics that tell most by themselves: among them inputs are selected
BLOCK_SHARES = (0.2, 0.4, 0.6)  # of the churned training units lie after each day that trial scores are fitted by
LEAST_IN_BLOCK, LEAST_BEFORE = 8, 15  # churned units
RIDGE = 1.0  # on standardised columns
LEAST_OWN = 1e-6  # of a column's variance, which the columns taken do not hold already
SIGNIFICANT = 0.05  # over all metrics, where no number of inputs can be tried

Reason = Literal[
    "too few values", "does not vary", "churn does not fall with health", "tells little by itself", "adds too little to the others"
]


@dataclass(frozen=True, slots=True)
class FitUnits:
    """What is fitted on: values by metric (NaN where missing), which is the healthier of each (1 higher, -1 lower, 0 the units say), and of
    each unit whether it churned, its cluster, its as-of day, and the day on which its outcome was known."""

    columns: Mapping[str, Floats]
    directions: Mapping[str, int]
    churned: Bools
    cluster: Ints
    as_of: Ints
    known_on: Ints

    def take(self, rows: Bools) -> FitUnits:
        """Some of the units."""
        columns = {metric: values[rows] for metric, values in self.columns.items()}
        return FitUnits(columns, self.directions, self.churned[rows], self.cluster[rows], self.as_of[rows], self.known_on[rows])


@dataclass(frozen=True, slots=True)
class SizeTried:
    """A number of inputs on later training units: its AUC, how far behind that of the best number, and the standard error."""

    inputs: int
    auc: float
    behind: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class FittedScore:
    """A fitted score; the numbers of inputs that were tried on later training units (() where training could not be cut in time); the
    metrics left out, with the reason; on how many units it was fitted, and how many of them churned."""

    score: HealthScore
    tried: tuple[SizeTried, ...]
    left_out: tuple[tuple[str, Reason], ...]
    n: int
    n_churned: int


def fit_points(units: FitUnits, train: Bools, most_inputs: int = MOST_INPUTS) -> FittedScore | NoEstimate:
    """Fit a points score on the training units alone; all others change nothing.

    NoEstimate: too few churned, or no metric tells anything. ValueError: `most_inputs` is not 1 to MOST_INPUTS.
    """
    if not 1 <= most_inputs <= MOST_INPUTS:
        raise ValueError(f"a points score has 1 to {MOST_INPUTS} inputs")
    own = units.take(train)
    n, churned = len(own.churned), int(own.churned.sum())
    if not LEAST_CHURNED <= churned < n:
        reason = f"{churned:,} of {n:,} training units churned; under {LEAST_CHURNED}, nothing is fitted"
        return NoEstimate(reason, f"{max(LEAST_CHURNED - churned, 1):,} more that churned before the test begins")
    steps, left_out = _fit_sizes(own, most_inputs)
    if not steps:
        return NoEstimate(
            "no metric has bands between which churn differs in the direction declared", "metrics that churn depends on, or more renewals"
        )
    tried = _try_sizes(own, most_inputs)
    size = _fewest(tried) if tried else _significant(steps, len(own.columns))
    score = steps[min(size, len(steps)) - 1].score
    left: tuple[tuple[str, Reason], ...] = tuple((metric, left_out[metric]) for metric in sorted(left_out) if metric not in score.metrics)
    return FittedScore(score, tried, left, n, churned)


# A score of every number of inputs


@dataclass(frozen=True, slots=True)
class _Step:
    """A score of one input more than the one before, and how many standard errors the new one told beside the others."""

    score: HealthScore
    z: float


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Metrics that can be inputs: their bands, and per unit (row) and metric (column) the log odds of its band, 0 where missing."""

    metrics: tuple[str, ...]
    bands: tuple[Bands, ...]
    evidence: Floats


def _fit_sizes(units: FitUnits, most: int) -> tuple[list[_Step], dict[str, Reason]]:
    """The scores of one input, two, and so on, by forward selection; and of each metric why it is not taken where it is not."""
    candidates, left_out = _candidates(units)
    left_out |= dict.fromkeys(candidates.metrics, "adds too little to the others")
    taken: list[int] = []
    refused: list[int] = []
    steps: list[_Step] = []
    while len(steps) < most:
        z = _told_beside(candidates, taken, units.churned)
        z[[*taken, *refused]] = -np.inf
        best = int(np.argmax(z)) if len(z) else -1
        if best < 0 or not z[best] > 0:
            break
        coefficients = _fit(candidates, [*taken, best], units.churned)[1:]
        if (coefficients <= 0).any():  # beside it another would run against its direction
            refused.append(best)
            continue
        taken.append(best)
        weighed = [Weighed(candidates.metrics[at], candidates.bands[at], float(b)) for at, b in zip(taken, coefficients, strict=True)]
        steps.append(_Step(in_points(FITTED, weighed), float(z[best])))
    return steps, left_out


def _candidates(units: FitUnits) -> tuple[_Candidates, dict[str, Reason]]:
    """The metrics whose bands tell something; of very many, those that tell most."""
    left_out: dict[str, Reason] = {}
    found: list[tuple[str, Bands]] = []
    clustering = independent_share(units)
    for metric, values in units.columns.items():
        reason = _why_not(values)
        bands = None if reason else monotone_bands(values, units.churned, units.directions.get(metric, 0), clustering)
        if bands is None:
            left_out[metric] = reason or "churn does not fall with health"
        else:
            found.append((metric, bands))
    found.sort(key=lambda one: (-one[1].gain, one[0]))
    left_out |= {metric: "tells little by itself" for metric, _ in found[MOST_SCREENED:]}
    kept = found[:MOST_SCREENED]
    evidence = np.empty((len(units.churned), len(kept)), order="F")
    for at, (metric, bands) in enumerate(kept):
        evidence[:, at] = bands.evidence(units.columns[metric])
    return _Candidates(tuple(metric for metric, _ in kept), tuple(bands for _, bands in kept), evidence), left_out


def independent_share(units: FitUnits) -> float:
    """Churned clusters among churned units: in account-months one churn is counted in several months."""
    churned = units.cluster[units.churned]
    return len(np.unique(churned)) / max(len(churned), 1)


def _why_not(values: Floats) -> Reason | None:
    given = values[np.isfinite(values)]
    if not len(given) or len(given) < LEAST_COVERAGE * len(values):
        return "too few values"
    return "does not vary" if given.min() == given.max() else None


def _fit(candidates: _Candidates, taken: list[int], churned: Bools) -> Floats:
    """Intercept and coefficients, for staying, of the log odds of the metrics taken; drawn a little to zero."""
    columns = candidates.evidence[:, taken]
    design = np.column_stack([np.ones(len(churned)), columns])
    return fit_logistic(design, ~churned, np.append(0.0, RIDGE * columns.var(axis=0))).coefficients


def _told_beside(candidates: _Candidates, taken: list[int], churned: Bools) -> Floats:
    """Of each candidate the score statistic of a coefficient above zero beside those taken, in standard errors. Shape (candidates,)."""
    design = np.column_stack([np.ones(len(churned)), candidates.evidence[:, taken]])
    stays = special.expit(design @ _fit(candidates, taken, churned))
    weight = stays * (1 - stays)
    weighted = design * weight[:, None]
    across = weighted.T @ candidates.evidence
    alone = np.array([weight @ column**2 for column in candidates.evidence.T])
    own = alone - (across * np.linalg.solve(design.T @ weighted, across)).sum(axis=0)
    told = (~churned - stays) @ candidates.evidence
    return np.where(own > LEAST_OWN * alone, told / np.sqrt(np.maximum(own, 1e-300)), -np.inf)


# How many inputs


def _try_sizes(units: FitUnits, most: int) -> tuple[SizeTried, ...]:
    """Each number of inputs on later blocks of the training units; the scores were fitted on what was known before each block."""
    parts = [part for before, later in later_blocks(units) if (part := _ranked(units.take(before), units.take(later), most)) is not None]
    if not parts:
        return ()
    weight = np.array([part.churned for part in parts]) / sum(part.churned for part in parts)
    sizes = range(max(len(part.ranked) for part in parts))
    auc = [sum(float(w) * part.of(size).auc for w, part in zip(weight, parts, strict=True)) for size in sizes]
    best = int(np.argmax(auc))
    cluster = np.concatenate([part.cluster for part in parts])

    def error(size: int) -> float:
        apart = [w * (part.of(best).values - part.of(size).values) for w, part in zip(weight, parts, strict=True)]
        return clustered_standard_error(np.concatenate(apart), cluster)

    return tuple(SizeTried(size + 1, auc[size], auc[best] - auc[size], error(size)) for size in sizes)


@dataclass(frozen=True, slots=True)
class _Part:
    """A block of later units: how the score of each number of inputs ranks them, their clusters, and how many churned."""

    ranked: tuple[Influence, ...]
    cluster: Ints
    churned: int

    def of(self, size: int) -> Influence:
        """Of the score with one input more than `size`; where no further input was found, one more changes nothing."""
        return self.ranked[min(size, len(self.ranked) - 1)]


def later_blocks(units: FitUnits) -> list[tuple[Bools, Bools]]:
    """Pairs of masks, the latest first: what was known before a day, and the units looked at from it on until the block after.

    The days are those from which on BLOCK_SHARES of the churned lie. A block of too few churned is joined to the one before it; where too
    few were known before its day, there is none.
    """
    days, counts = np.unique(units.as_of[units.churned], return_counts=True)
    later = np.cumsum(counts[::-1])[::-1]
    blocks: list[tuple[Bools, Bools]] = []
    end = int(units.as_of.max()) + 1
    for share in BLOCK_SHARES:
        day = int(days[np.flatnonzero(later >= share * later[0] - 1e-9)[-1]])
        before, block = (units.as_of < day) & (units.known_on < day), (units.as_of >= day) & (units.as_of < end)
        if _holds(units.churned[block], LEAST_IN_BLOCK) and _holds(units.churned[before], LEAST_BEFORE):
            blocks.append((before, block))
            end = day
    return blocks


def _holds(churned: Bools, least: int) -> bool:
    """Whether so many churned, and as many did not."""
    lost = int(churned.sum())
    return lost >= least and len(churned) - lost >= least


def _ranked(before: FitUnits, later: FitUnits, most: int) -> _Part | None:
    """Scores of each number of inputs, fitted on earlier units, on later ones. One without a score stands in the middle."""
    steps, _ = _fit_sizes(before, most)
    if not steps:
        return None
    ranked = (influence(-_in_the_middle(as_series(compute(step.score, later.columns))), later.churned) for step in steps)
    return _Part(tuple(ranked), later.cluster, int(later.churned.sum()))


def _in_the_middle(values: Floats) -> Floats:
    scored = values[np.isfinite(values)]
    return np.where(np.isnan(values), np.median(scored) if len(scored) else 0.0, values)


def _fewest(tried: tuple[SizeTried, ...]) -> int:
    """The fewest inputs that are at most one standard error behind the best number."""
    return next(one.inputs for one in tried if one.behind <= one.standard_error)


def _significant(steps: list[_Step], metrics: int) -> int:
    """How many inputs, from the first on, told something beside those before them, at a level shared by all metrics; at least one.

    Their bands were found in the same units: each counts as if all its cuts had been free.
    """
    least = float(special.chdtri(max(QUANTILES) - 1, SIGNIFICANT / metrics))
    return max(next((at for at, step in enumerate(steps) if step.z**2 <= least), len(steps)), 1)
