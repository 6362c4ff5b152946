"""How far outcomes move together beyond what was known of each: shared effects on log odds, estimated on past predictions.

Outcomes y of group g have log odds logit(p) + d_g, where p was predicted out of time and d_g is normal with deviation tau and a mean
of -tau^2 (1 - 2p) / 2, which leaves the mean of p as it was to second order. tau is estimated by maximum likelihood with d
integrated out on a grid, and has a profile-likelihood interval (Cox and Hinkley, Theoretical Statistics, 1974, section 9.3).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import interpolate, special, stats

from unspun.risk.forecast.result import SharedShock, ShockName
from unspun.stats.estimate import LEVEL, Estimate, NoEstimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

FEWEST_GROUPS = 4
LARGEST = 1.5  # deviations looked at run from 0 to this, on log odds
PRIOR_SCALE = 0.25  # of the half-normal that few groups fall back on: a quarter's odds of churn half as high again are two of these
_DEVIATIONS = np.linspace(0.0, LARGEST, 121)
_OFFSETS = np.linspace(-8.0, 8.0, 161)
_NODES = np.linspace(-4.5, 4.5, 61)
_WEIGHTS = stats.norm.pdf(_NODES) / stats.norm.pdf(_NODES).sum()
METHOD = "maximum likelihood of a normal effect of each group on the log odds; profile-likelihood interval"


@dataclass(frozen=True, slots=True)
class DeviationPosterior:
    """What is known of a shared deviation: the estimate to show, and a distribution over `deviations` to draw from."""

    shock: SharedShock
    deviations: Floats
    cumulative: Floats  # ends at 1

    def draw(self, rng: np.random.Generator, count: int) -> Floats:
        """`count` deviations, by inverting the distribution."""
        at = np.searchsorted(self.cumulative, rng.random(count), side="right")
        return self.deviations[np.minimum(at, len(self.deviations) - 1)]


def estimate_deviation(name: ShockName, probability: Floats, event: Bools, group: Ints) -> DeviationPosterior:
    """The deviation shared by the units of each group. Groups of one unit tell nothing and are left out.

    Under FEWEST_GROUPS groups there is no estimate, and the distribution is the prior's.
    """
    kept = _in_shared(group)
    code = np.unique(group[kept], return_inverse=True)[1]
    groups = int(code.max()) + 1 if len(code) else 0
    prior = stats.halfnorm.logpdf(_DEVIATIONS, scale=PRIOR_SCALE)
    if groups < FEWEST_GROUPS or not event[kept].any():
        few = NoEstimate(f"{groups} groups of two or more renewals with a prediction", f"{FEWEST_GROUPS} of them, with events")
        return DeviationPosterior(SharedShock(name, few, groups), _DEVIATIONS, _cumulate(prior))
    likelihood = _log_likelihood(probability[kept], event[kept], code, groups)
    estimate = _estimate(likelihood, int(kept.sum()))
    return DeviationPosterior(SharedShock(name, estimate, groups), _DEVIATIONS, _cumulate(likelihood + prior))


def shared_effects(deviation: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Effects of `count` quarters in each path, shape (count, paths), without the shift of their mean (see `mean_shift`).

    A level that is off stays off, and a handful of quarters cannot tell how long: the correlation of any two quarters is drawn for each
    path, uniformly from 0 to 1.
    """
    persistence = rng.random(len(deviation))
    whole, own = rng.standard_normal((1, len(deviation))), rng.standard_normal((count, len(deviation)))
    return deviation * (np.sqrt(persistence) * whole + np.sqrt(1 - persistence) * own)


def mean_shift(probability: Floats, deviation: Floats) -> Floats:
    """The mean of an effect that leaves the mean probability as it was, to second order (3 % of it off at a deviation of 1)."""
    return -0.5 * (1 - 2 * probability) * deviation**2


def _in_shared(group: Ints) -> Bools:
    code, counts = np.unique(group, return_inverse=True, return_counts=True)[1:]
    return counts[code] > 1


def _log_likelihood(probability: Floats, event: Bools, code: Ints, groups: int) -> Floats:
    """By deviation: each group's likelihood as a smooth function of its effect, then integrated over the effect."""
    log_odds = special.logit(np.clip(probability, 1e-6, 1 - 1e-6))
    by_offset = np.empty((len(_OFFSETS), groups))
    for i, offset in enumerate(_OFFSETS):
        moved = log_odds + offset
        by_offset[i] = np.bincount(code, event * moved - np.logaddexp(0, moved), minlength=groups)
    smooth = interpolate.CubicSpline(_OFFSETS, by_offset)
    mean = float(probability.mean())
    effects = _DEVIATIONS[:, None] * _NODES - 0.5 * (1 - 2 * mean) * _DEVIATIONS[:, None] ** 2
    at_nodes = smooth(effects) + np.log(_WEIGHTS)[None, :, None]
    return special.logsumexp(at_nodes, axis=1).sum(axis=1)


def _estimate(likelihood: Floats, n: int) -> Estimate:
    best = int(np.argmax(likelihood))
    within = np.flatnonzero(likelihood >= likelihood[best] - stats.chi2.ppf(LEVEL, 1) / 2)
    ends = float(_DEVIATIONS[within[0]]), float(_DEVIATIONS[within[-1]])
    caveats = (f"the interval ends where looking ended, at {LARGEST:g}",) if ends[1] == LARGEST else ()
    return Estimate(float(_DEVIATIONS[best]), *ends, METHOD, n, caveats=caveats)


def _cumulate(log_weight: Floats) -> Floats:
    weight = np.exp(log_weight - log_weight.max())
    return np.cumsum(weight) / weight.sum()
