"""Groups compared by events beyond what was expected of them: differences shrunk towards none by how much groups differ at all.

Each unit has an expected probability made elsewhere; each group shifts the log odds of its units by an effect of its own. Effects are
drawn from a normal distribution whose standard deviation is not known, and is integrated over. A unit may belong to several groups in
shares. The expectation itself is first put right by an intercept and a slope, estimated together with the effects.

Sources: multiple membership, Browne, Goldstein and Rasbash, Statistical Modelling 1 (2001) 103-124; intervals that allow for the unknown
spread, Morris, JASA 78 (1983) 47-55, and the flat prior of the variance, with which they cover as often as they say, Morris and Tang,
Statistical Science 26 (2011) 271-287; Laplace's approximation at each value of the spread, as in Rue, Martino and Chopin, JRSS B 71 (2009)
319-392; intervals of ranks, Marshall and Spiegelhalter, BMJ 316 (1998) 1701-1704.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

from unspun.stats.estimate import LEVEL, Estimate, NoEstimate
from unspun.stats.one_thread import in_one_thread

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SPREAD_SCALE = 0.7  # log odds: the prior of the variance between groups is flat, but for a normal taper of the spread
SLOPE_PRIOR = 0.5  # standard deviation about 1, which settles the slope where few had the event
WIDEST_SPREAD = 2.5  # log odds; the prior has nothing beyond
COARSE, FINE = 26, 33  # values of the spread at which the effects are worked out
NEGLIGIBLE = 1e-4  # of the highest density: beyond it a spread is not looked at again
MAX_STEPS, ENOUGH = 60, 1e-9
MIDDLE_AND_ENDS = (0.5, (1 - LEVEL) / 2, (1 + LEVEL) / 2)
REACH, BISECTIONS = 9.0, 50  # standard deviations in which quantiles are looked for
RANK_DRAWS = 4_000
MIN_EVENTS, MIN_GROUPS = 10, 2
METHOD = "shift in log odds by group; normal effects, spread integrated over (variance flat a priori, tapered), Laplace at each value"


@dataclass(frozen=True, slots=True)
class Membership:
    """Which units belong to which groups, and to what share: parallel arrays sorted by unit. Shares of one unit add up to 1."""

    unit: Ints
    group: Ints
    share: Floats
    groups: int

    def of_units(self, values: Floats) -> Floats:
        """Sum of the units' values by group, by share. Shape (groups,)."""
        return np.bincount(self.group, weights=self.share * values[self.unit], minlength=self.groups).astype(np.float64)

    def of_groups(self, values: Floats, units: int) -> Floats:
        """Each unit's mean of the values of its groups. Shape (units,)."""
        return np.bincount(self.unit, weights=self.share * values[self.group], minlength=units).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Shrunk:
    """What came of shrinking. Arrays have shape (groups,) but `expected`, which is by unit.

    `expected` is the probability put right on all units, whose sum is the number of events. Effects are log odds beside the average of
    all groups (weighted by what each can tell), positive where events are more frequent; `center` is their posterior median. Ranks count
    from 1, the lowest effect first. `intercept` and `slope` say how the expectation given had to be put right; `cluster_factor` by how
    much events of one cluster go together (1 where they do not).
    """

    expected: Floats
    center: Floats
    low: Floats
    high: Floats
    deviation: Floats
    rank_low: Ints
    rank_high: Ints
    spread: Estimate
    intercept: Estimate
    slope: Estimate
    cluster_factor: float


@dataclass(frozen=True, slots=True)
class _At:
    """The effects at one spread (standard deviation between groups).

    The mode; the covariance of (intercept, slope - 1, effects); and the log density of the spread.
    """

    spread: float
    fixed: Floats
    effects: Floats
    covariance: Floats
    log_density: float


@in_one_thread
def shrink(expected: Floats, event: Bools, members: Membership, cluster: Ints, rng: np.random.Generator) -> Shrunk | NoEstimate:
    """Compare groups of units. `expected` (in (0, 1)), `event` and `cluster` have shape (units,); clusters are small non-negative codes.

    NoEstimate with fewer than two groups, or where fewer than ten units have the event or are without it.
    """
    rarer = int(min(event.sum(), (~event).sum()))
    if members.groups < MIN_GROUPS:
        return NoEstimate("there is only one group", "at least two groups to compare")
    if rarer < MIN_EVENTS:
        return NoEstimate(f"only {rarer} of {len(event):,} units ended otherwise than the rest", f"at least {MIN_EVENTS}")
    model = _Model(expected, event, members, 1.0)
    found = _integrated(model)
    factor = _cluster_factor(model, found, cluster)
    if factor > 1.0:
        model = _Model(expected, event, members, factor)
        found = _integrated(model)
    return _summary(model, found, rng)


class _Model:
    """The log likelihood of (intercept, slope - 1, effects / spread), divided by the cluster factor; and the penalties."""

    def __init__(self, expected: Floats, event: Bools, members: Membership, factor: float) -> None:
        self.y = event.astype(np.float64)
        self.offset = special.logit(expected)
        centred = self.offset - self.offset.mean()
        self.columns = np.stack([np.ones_like(centred), centred])
        self.penalty = np.array([0.0, SLOPE_PRIOR**-2])
        self.members, self.factor = members, factor
        self._pairs = _pairs_within(members)

    def probability(self, fixed: Floats, effects: Floats) -> Floats:
        return special.expit(self.linear(fixed, effects))

    def linear(self, fixed: Floats, effects: Floats) -> Floats:
        return self.offset + fixed @ self.columns + self.members.of_groups(effects, len(self.y))

    def objective(self, spread: float, fixed: Floats, unscaled: Floats) -> float:
        """Minus the log posterior, but for what does not change."""
        linear = self.linear(fixed, spread * unscaled)
        loss = float(np.logaddexp(0.0, linear).sum() - self.y @ linear) / self.factor
        return loss + 0.5 * float(self.penalty @ fixed**2 + unscaled @ unscaled)

    def derivatives(self, spread: float, fixed: Floats, unscaled: Floats) -> tuple[Floats, Floats]:
        """Gradient and Hessian of the objective in (fixed, unscaled)."""
        p = self.probability(fixed, spread * unscaled)
        residual, weight = (p - self.y) / self.factor, p * (1 - p) / self.factor
        gradient = np.concatenate([self.columns @ residual + self.penalty * fixed, spread * self.members.of_units(residual) + unscaled])
        return gradient, self._hessian(spread, weight)

    def _hessian(self, spread: float, weight: Floats) -> Floats:
        k, groups = len(self.columns), self.members.groups
        hessian = np.empty((k + groups, k + groups))
        hessian[:k, :k] = (self.columns * weight) @ self.columns.T + np.diag(self.penalty)
        across = spread * np.stack([self.members.of_units(weight * column) for column in self.columns])
        hessian[:k, k:], hessian[k:, :k] = across, across.T
        unit, cell, share = self._pairs
        between = np.bincount(cell, weights=share * weight[unit], minlength=groups * groups).reshape(groups, groups)
        hessian[k:, k:] = spread**2 * between + np.eye(groups)
        return hessian


def _pairs_within(members: Membership) -> tuple[Ints, Ints, Floats]:
    """Every pair of groups that share a unit, in both orders and with itself: unit, cell of a square of groups, product of shares."""
    size = np.bincount(members.unit)
    first = np.cumsum(size) - size
    one = np.repeat(np.arange(len(members.unit)), size[members.unit])
    start = np.cumsum(size[members.unit]) - size[members.unit]
    other = first[members.unit[one]] + np.arange(len(one)) - start[one]
    cell = members.group[one] * members.groups + members.group[other]
    return members.unit[one], cell, members.share[one] * members.share[other]


def _integrated(model: _Model) -> list[tuple[float, _At]]:
    """Spreads with their weight in the posterior: a coarse look, then a fine one where the weight lies. Weights add up to 1."""
    grid = WIDEST_SPREAD * (np.arange(COARSE) / (COARSE - 1)) ** 2
    coarse = _along(model, grid)
    density = np.array([one.log_density for one in coarse])
    there = np.flatnonzero(density - density.max() > math.log(NEGLIGIBLE))
    low, high = grid[max(there[0] - 1, 0)], grid[min(there[-1] + 1, COARSE - 1)]
    fine = np.linspace(low, high, FINE)
    found = _along(model, fine)
    density = np.array([one.log_density for one in found])
    weight = np.exp(density - density.max()) * np.where((fine == low) | (fine == high), 0.5, 1.0)
    return list(zip((weight / weight.sum()).tolist(), found, strict=True))


def _along(model: _Model, spreads: Floats) -> list[_At]:
    """The fits at rising spreads, each begun from the one before."""
    found: list[_At] = []
    fixed, unscaled = np.zeros(len(model.columns)), np.zeros(model.members.groups)
    for spread in spreads.tolist():
        fixed, unscaled, hessian = _mode(model, spread, fixed, unscaled)
        found.append(_at(model, spread, fixed, unscaled, hessian))
    return found


def _mode(model: _Model, spread: float, fixed: Floats, unscaled: Floats) -> tuple[Floats, Floats, Floats]:
    """Newton's method with halved steps; the objective is convex."""
    k, value = len(fixed), model.objective(spread, fixed, unscaled)
    for _ in range(MAX_STEPS):
        gradient, hessian = model.derivatives(spread, fixed, unscaled)
        step = linalg.solve(hessian, gradient, assume_a="pos")
        if gradient @ step < ENOUGH:
            break
        scale = 1.0
        while (lower := model.objective(spread, fixed - scale * step[:k], unscaled - scale * step[k:])) > value and scale > 1e-6:
            scale /= 2
        fixed, unscaled, value = fixed - scale * step[:k], unscaled - scale * step[k:], lower
    return fixed, unscaled, model.derivatives(spread, fixed, unscaled)[1]


def _at(model: _Model, spread: float, fixed: Floats, unscaled: Floats, hessian: Floats) -> _At:
    factor = linalg.cholesky(hessian, lower=True)
    inverse = linalg.cho_solve((factor, True), np.eye(len(hessian)))
    scale = np.concatenate([np.ones(len(fixed)), np.full(len(unscaled), spread)])
    laplace = -model.objective(spread, fixed, unscaled) - float(np.log(np.diag(factor)).sum())
    prior = math.log(max(spread, 1e-9)) - 0.5 * (spread / SPREAD_SCALE) ** 2
    return _At(spread, fixed, spread * unscaled, inverse * np.outer(scale, scale), laplace + prior)


def _cluster_factor(model: _Model, found: list[tuple[float, _At]], cluster: Ints) -> float:
    """1 and the mean product of residuals within clusters, in units of the variance of one; never under 1, which it is of single units.

    Of the residuals beside the groups' own effects, so that what a group shares is not taken for what a cluster shares.
    """
    p = np.stack([weight * model.probability(at.fixed, at.effects) for weight, at in found]).sum(axis=0)
    residual = model.y - p
    sums = np.bincount(cluster, weights=residual)
    return 1.0 + max(0.0, float(sums @ sums - residual @ residual)) / float((p * (1 - p)).sum())


def _summary(model: _Model, found: list[tuple[float, _At]], rng: np.random.Generator) -> Shrunk:
    weights = np.array([weight for weight, _ in found])
    fixed, _, _ = _mode(model, 0.0, np.zeros(len(model.columns)), np.zeros(model.members.groups))
    expected = model.probability(fixed, np.zeros(model.members.groups))
    told = model.members.of_units(expected * (1 - expected))
    told /= told.sum()
    center = np.stack([at.effects - told @ at.effects for _, at in found])
    deviation = np.stack([_beside(at.covariance[2:, 2:], told) for _, at in found])
    ends = [_quantile(weights, center, deviation, q) for q in MIDDLE_AND_ENDS]
    mean = weights @ center
    ranks = _ranks(found, rng)
    return Shrunk(
        expected=expected,
        center=ends[0],
        low=ends[1],
        high=ends[2],
        deviation=np.sqrt(weights @ (deviation**2 + (center - mean) ** 2)),
        rank_low=ranks[0],
        rank_high=ranks[1],
        spread=_spread(found, model.members.groups),
        intercept=_of_fixed(found, weights, 0, 0.0, len(model.y)),
        slope=_of_fixed(found, weights, 1, 1.0, len(model.y)),
        cluster_factor=model.factor,
    )


def _beside(covariance: Floats, told: Floats) -> Floats:
    """Standard deviations of the effects less their weighted mean."""
    with_mean = covariance @ told
    return np.sqrt(np.maximum(np.diag(covariance) - 2 * with_mean + told @ with_mean, 0.0))


def _quantile(weights: Floats, center: Floats, deviation: Floats, q: float) -> Floats:
    """The quantile of mixtures of normals, by bisection: `center` and `deviation` have shape (spreads, groups), what is given (groups,)."""
    wide = np.maximum(deviation, 1e-12)
    low, high = (center - REACH * wide).min(axis=0), (center + REACH * wide).max(axis=0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        under = weights @ special.ndtr((middle - center) / wide) < q
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return (low + high) / 2


def _ranks(found: list[tuple[float, _At]], rng: np.random.Generator) -> tuple[Ints, Ints]:
    """The interval of each group's rank, from draws of all effects together."""
    counts = rng.multinomial(RANK_DRAWS, [weight for weight, _ in found])
    drawn = [_draws(at, int(count), rng) for count, (_, at) in zip(counts, found, strict=True) if count]
    order = np.argsort(np.concatenate(drawn), axis=1, kind="stable")
    rank = np.empty_like(order)
    np.put_along_axis(rank, order, np.broadcast_to(np.arange(1, order.shape[1] + 1), order.shape), axis=1)
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(rank, [tail, 1 - tail], axis=0, method="closest_observation")
    return low.astype(np.int64), high.astype(np.int64)


def _draws(at: _At, count: int, rng: np.random.Generator) -> Floats:
    covariance = at.covariance[2:, 2:]
    root = linalg.cholesky(covariance + 1e-12 * np.eye(len(covariance)), lower=True)
    return at.effects + rng.standard_normal((count, len(covariance))) @ root.T


def _spread(found: list[tuple[float, _At]], groups: int) -> Estimate:
    """The median of the spread's posterior and its 95 % interval, its distribution taken as linear between the values looked at."""
    weights, spreads = (np.array(values) for values in zip(*((weight, at.spread) for weight, at in found), strict=True))
    reached = np.cumsum(weights) - 0.5 * weights
    tail = (1 - LEVEL) / 2
    point, low, high = np.interp([0.5, tail, 1 - tail], reached, spreads).tolist()
    return Estimate(point, low, high, METHOD, groups)


def _of_fixed(found: list[tuple[float, _At]], weights: Floats, place: int, base: float, n: int) -> Estimate:
    center = np.array([[at.fixed[place]] for _, at in found])
    deviation = np.sqrt(np.array([[at.covariance[place, place]] for _, at in found]))
    point, low, high = (base + float(_quantile(weights, center, deviation, q)[0]) for q in MIDDLE_AND_ENDS)
    return Estimate(point, low, high, METHOD, n)
