"""Additive models of a discrete-time hazard: every group of coefficients is shrunk as strongly as the data say.

Strengths follow the generalised Fellner-Schall update. Rows overlap (one renewal is seen on many days), so that the likelihood counts one
event several times: each group's update is scaled by its design effect, the clustered variance over the model's.

Sources: Wood and Fasiolo, Biometrics 73 (2017) 1071-1081 (Fellner-Schall); van Houwelingen, Scandinavian Journal of Statistics 34 (2007)
70-85 (one model over many landmark days); Marra and Wood, Scandinavian Journal of Statistics 39 (2012) 53-74 (intervals that allow for the
bias of shrinking); Wood, Biometrika 100 (2013) 221-228 (tests of smooth terms); Satterthwaite 1946.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special

from unspun.stats.concordance import t_quantile
from unspun.stats.discrete_hazard import CodedTerm, HazardLikelihood, Spells
from unspun.stats.estimate import NoEstimate
from unspun.stats.one_thread import in_one_thread

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

PERIOD_RIDGE = 0.04  # of the periods' intercepts around their mean: a standard deviation of 5 in log-odds
STRONGEST = 1e4  # a precision at which a group adds nothing to speak of (a standard deviation of a hundredth in log-odds)
WEAKEST = 1e-3
PRIOR_UNITS = 2.0  # how many coefficients' worth the precision shared by groups of a kind counts in that of one of them
SCOUT_ROWS = 60_000  # of more than twice as many rows, whole clusters with about so many are fitted first
MOST_OUTER, MOST_INNER, MOST_POLISH = 12, 25, 30
CLOSE = 0.02  # the change of log strengths (of groups that count for something) below which they agree with themselves
SETTLED = 0.02  # the root mean square change of the rows' log-odds below which strengths stay as they are
LAST_STEP = 1e-12  # squared length in standard errors


@dataclass(frozen=True, slots=True)
class Group:
    """Coefficients that are shrunk together: their precision (inverse prior variance), design effect and effective number."""

    name: str
    precision: float
    design_effect: float
    effective: float


@dataclass(frozen=True, slots=True)
class AdditiveFit:
    """Intercepts by period (minus infinity where no event fell), the terms' coefficients, and the covariance of both.

    The covariance runs over the live periods, then the coefficients; it allows for clusters and for the bias of shrinking.
    `p_values` holds, by term, that of no effect at all. `quantile` is the two-sided t at the house level.
    """

    intercepts: Floats
    live: Ints
    coefficients: Floats
    covariance: Floats
    groups: tuple[Group, ...]
    p_values: Floats
    quantile: float
    clusters_with_event: int
    events: int


@dataclass(frozen=True, slots=True)
class _Layout:
    """Positions of each group's coefficients among the parameters, and its kind (the part of its name before a colon)."""

    names: tuple[str, ...]
    at: tuple[Ints, ...]
    kind: tuple[str, ...]
    intercepts: int

    def penalty(self, strength: Floats) -> Floats:
        """The matrix of the penalty at these strengths."""
        size = self.intercepts + sum(len(at) for at in self.at)
        diagonal = np.zeros(size)
        for at, one in zip(self.at, strength, strict=True):
            diagonal[at] = one
        found = np.diag(diagonal)
        live = self.intercepts
        found[:live, :live] += PERIOD_RIDGE * (np.eye(live) - 1.0 / max(live, 1))
        return found


@dataclass(frozen=True, slots=True)
class _State:
    parameters: Floats
    precision: Floats
    design_effect: Floats


@in_one_thread
def fit_additive(spells: Spells, terms: Sequence[CodedTerm], start: AdditiveFit | None = None) -> AdditiveFit | NoEstimate:
    """Fit the hazard of one cause. Groups of the same name are one group; those of one kind ("line:a", "line:b") learn from each other.

    Tables of terms must be centred over the rows, so that the intercepts stand for a typical row. `start` is a fit of like rows, from
    which this one sets out.
    """
    problem = HazardLikelihood(spells, terms)
    events = int(problem.spells.event.sum())
    with_event = len(np.unique(problem.spells.cluster[problem.spells.event]))
    if not events:
        return NoEstimate("no event is known", "one event")
    layout = _lay_out(problem)
    state = _begin(problem, layout, spells, terms) if start is None else _continue(problem, layout, start)
    return _fit(problem, layout, state, events, with_event)


def refit_coefficients(spells: Spells, terms: Sequence[CodedTerm], start: AdditiveFit) -> Floats:
    """The coefficients alone, for other rows than those of `start`, with its design effects and new strengths."""
    problem = HazardLikelihood(spells, terms)
    if not len(problem.live):
        return np.zeros(problem.columns)
    layout = _lay_out(problem)
    state = _iterate(problem, layout, _continue(problem, layout, start), learn_effects=False)[0]
    return state.parameters[len(problem.live) :]


def _continue(problem: HazardLikelihood, layout: _Layout, start: AdditiveFit) -> _State:
    """The state of a fit of like rows."""
    held = {group.name: group for group in start.groups}
    intercepts = np.where(np.isfinite(start.intercepts[problem.live]), start.intercepts[problem.live], problem.start()[: len(problem.live)])
    precision = np.array([held[name].precision for name in layout.names])
    effects = np.array([held[name].design_effect for name in layout.names])
    return _State(np.concatenate([intercepts, start.coefficients]), precision, effects)


def _begin(problem: HazardLikelihood, layout: _Layout, spells: Spells, terms: Sequence[CodedTerm]) -> _State:
    """Where the fit of all rows starts: at the fit of some of their clusters where there are many rows."""
    neutral = _State(problem.start(), np.full(len(layout.at), 1.0), np.ones(len(layout.at)))
    every = len(spells) // SCOUT_ROWS
    if every < 2:
        return neutral
    rank = np.unique(spells.cluster, return_inverse=True)[1]
    chosen = rank % every == 0
    scout = HazardLikelihood(spells.take(chosen), [term.take(chosen) for term in terms])
    if len(scout.live) == 0 or not layout.at:
        return neutral
    found = _iterate(scout, _lay_out(scout), _State(scout.start(), neutral.precision, neutral.design_effect), learn_effects=True)[0]
    parameters = problem.start()
    parameters[len(problem.live) :] = found.parameters[len(scout.live) :]
    return _State(parameters, found.precision, found.design_effect)


def _fit(problem: HazardLikelihood, layout: _Layout, state: _State, events: int, with_event: int) -> AdditiveFit:
    state, hessian, inverse = _iterate(problem, layout, state, learn_effects=len(problem.spells) < 2 * SCOUT_ROWS)
    sums = problem.sums(state.parameters)
    free, covariance, wide = _spread(problem, layout, state, hessian, inverse, problem.meat(sums))
    live = len(problem.live)
    intercepts = np.full(problem.spells.periods, -math.inf)
    intercepts[problem.live] = state.parameters[:live]
    return AdditiveFit(
        intercepts=intercepts,
        live=problem.live,
        coefficients=state.parameters[live:],
        covariance=covariance,
        groups=_describe(layout, state, inverse),
        p_values=_test_terms(problem, wide @ (hessian @ state.parameters - problem.gradient(sums)), covariance, free, with_event),
        quantile=t_quantile(max(with_event, 2)),
        clusters_with_event=with_event,
        events=events,
    )


def _spread(
    problem: HazardLikelihood, layout: _Layout, state: _State, hessian: Floats, inverse: Floats, meat: Floats
) -> tuple[Floats, Floats, Floats]:
    """The covariance of estimates shrunk no more than their kind is on the whole: as it is over samples, and with what shrinking hides.

    That a group seems to do nothing is uncertain too, so that its own strength is not held for known. Also the inverse it rests on.
    """
    effective, squares = _evidence(layout, state, inverse, state.parameters)
    kinds, precision = np.array(layout.kind), state.precision.copy()
    for kind in dict.fromkeys(layout.kind):
        own = kinds == kind
        precision[own] = np.minimum(precision[own], effective[own].sum() / (squares[own].sum() + 1e-12))
    strength = precision * state.design_effect
    wide = _invert(hessian + layout.penalty(strength))
    free = wide @ meat @ wide
    bias = np.zeros(len(wide))
    for at, one, effect in zip(layout.at, strength, state.design_effect, strict=True):
        bias[at] = one * effect
    return free, free + (wide * bias) @ wide, wide


def _evidence(layout: _Layout, state: _State, inverse: Floats, parameters: Floats) -> tuple[Floats, Floats]:
    """By group, the effective number of coefficients and the sum of their squares."""
    strength, diagonal = state.precision * state.design_effect, inverse.diagonal()
    effective = [len(at) - one * diagonal[at].sum() for at, one in zip(layout.at, strength, strict=True)]
    return np.maximum(np.array(effective), 1e-12), np.array([float(parameters[at] @ parameters[at]) for at in layout.at])


def _describe(layout: _Layout, state: _State, inverse: Floats) -> tuple[Group, ...]:
    effective = _evidence(layout, state, inverse, state.parameters)[0]
    return tuple(
        Group(name, float(precision), float(effect), float(each))
        for name, precision, effect, each in zip(layout.names, state.precision, state.design_effect, effective, strict=True)
    )


def _lay_out(problem: HazardLikelihood) -> _Layout:
    """Which parameters belong to which group, by the groups that the terms name."""
    found: dict[str, list[Ints]] = {}
    position = len(problem.live)
    for term in problem.terms:
        for name, length in term.groups:
            found.setdefault(name, []).append(np.arange(position, position + length))
            position += length
    names = tuple(found)
    return _Layout(names, tuple(np.concatenate(found[name]) for name in names), tuple(_kind(name) for name in names), len(problem.live))


def _kind(name: str) -> str:
    return name.partition(":")[0]


def _iterate(problem: HazardLikelihood, layout: _Layout, state: _State, learn_effects: bool) -> tuple[_State, Floats, Floats]:
    """Newton steps with new strengths at each, until the rows' log-odds settle; then to the optimum at these strengths."""
    hessian = inverse = np.zeros((0, 0))
    for _ in range(MOST_OUTER):
        sums = problem.sums(state.parameters)
        gradient, hessian = problem.gradient(sums), problem.hessian(sums)
        target = hessian @ state.parameters - gradient
        if learn_effects:
            state = _with_effects(layout, state, hessian, problem.meat(sums))
        state, moved, inverse = _strengthen(layout, state, hessian, target)
        parameters = _descend(problem, layout, state, moved)
        change = problem.linear(parameters - state.parameters)
        state = _State(parameters, state.precision, state.design_effect)
        if not len(change) or math.sqrt(float(np.mean(change**2))) < SETTLED:
            break
    return _polish(problem, layout, state, inverse), hessian, inverse


def _with_effects(layout: _Layout, state: _State, hessian: Floats, meat: Floats) -> _State:
    """Each group's design effect: the clustered variance of its coefficients over the model's, at least 1."""
    inverse = _invert(hessian + layout.penalty(state.precision * state.design_effect))
    clustered = np.einsum("ij,ij->i", inverse @ meat, inverse)
    plain = np.einsum("ij,ij->i", inverse @ hessian, inverse)
    effects = np.array([max(1.0, float(clustered[at].sum() / plain[at].sum())) for at in layout.at])
    return _State(state.parameters, state.precision, effects)


def _strengthen(layout: _Layout, state: _State, hessian: Floats, target: Floats) -> tuple[_State, Floats, Floats]:
    """The precisions, parameters and inverse at which the quadratic around the present parameters agrees with itself."""
    inverse = _invert(hessian + layout.penalty(state.precision * state.design_effect))
    for _ in range(MOST_INNER):
        effective, squares = _evidence(layout, state, inverse, inverse @ target)
        renewed = _update(layout, state.precision, effective, squares)
        change = np.abs(np.log(renewed / state.precision)) * np.minimum(effective, 1.0)
        state = _State(state.parameters, renewed, state.design_effect)
        inverse = _invert(hessian + layout.penalty(state.precision * state.design_effect))
        if not len(change) or change.max() < CLOSE:
            break
    return state, inverse @ target, inverse


def _update(layout: _Layout, precision: Floats, effective: Floats, squares: Floats) -> Floats:
    """The Fellner-Schall update under a prior precision that groups of one kind share: their mean.

    Groups that do nothing make the mean large, so that what they seem to do is held for noise; one that does much hardly heeds it.
    """
    renewed, kinds = np.empty(len(effective)), np.array(layout.kind)
    for kind in dict.fromkeys(layout.kind):
        own = kinds == kind
        units = PRIOR_UNITS if own.sum() > 1 else 0.0
        renewed[own] = (effective[own] + units) / (squares[own] + units / precision[own].mean() + 1e-12)
    return np.clip(renewed, WEAKEST, STRONGEST)


def _descend(problem: HazardLikelihood, layout: _Layout, state: _State, moved: Floats) -> Floats:
    """The step from the present parameters to `moved`, halved while the penalised loss rises."""
    penalty = layout.penalty(state.precision * state.design_effect)
    here = problem.loss(state.parameters) + 0.5 * float(state.parameters @ penalty @ state.parameters)
    step, scale = moved - state.parameters, 1.0
    for _ in range(20):
        there = state.parameters + scale * step
        if problem.loss(there) + 0.5 * float(there @ penalty @ there) <= here + 1e-9 * abs(here):
            return there
        scale /= 2
    return state.parameters


def _polish(problem: HazardLikelihood, layout: _Layout, state: _State, inverse: Floats) -> _State:
    """Steps with the last curvature until nothing is left to gain."""
    penalty = layout.penalty(state.precision * state.design_effect)
    parameters = state.parameters
    for _ in range(MOST_POLISH):
        gradient = problem.gradient(problem.sums(parameters)) + penalty @ parameters
        step = inverse @ gradient
        parameters = parameters - step
        if float(gradient @ step) <= LAST_STEP:
            break
    return _State(parameters, state.precision, state.design_effect)


def _invert(matrix: Floats) -> Floats:
    """The inverse of a symmetric positive definite matrix."""
    return np.asarray(linalg.inv(matrix, assume_a="pos"), dtype=np.float64)


def _test_terms(problem: HazardLikelihood, parameters: Floats, covariance: Floats, free: Floats, with_event: int) -> Floats:
    """By term, the p-value of no effect on any row."""
    found, live = [], len(problem.live)
    for term, begin in zip(problem.terms, problem.starts, strict=False):
        own = slice(live + begin, live + begin + term.table.shape[1])
        share = np.bincount(term.codes, minlength=len(term.table)) / len(term.codes)
        # so that a row's effect counts, however it is written
        root = np.asarray(np.linalg.qr(np.sqrt(share)[:, None] * term.table, mode="r"), dtype=np.float64)
        parts = root @ parameters[own], root @ covariance[own, own] @ root.T, root @ free[own, own] @ root.T
        found.append(_wald(*parts, max(with_event - 1, 1)))
    return np.array(found)


def _wald(effect: Floats, covariance: Floats, free: Floats, df: int) -> float:
    """Wood's test: the statistic over as many of the widest directions as the term has effective coefficients, by F."""
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(-values, kind="stable")
    values, vectors = values[order], vectors[:, order]
    held = values > 1e-9 * values[0]
    if not held.any():
        return 1.0
    directions = vectors[:, held] / np.sqrt(values[held])
    effective = float(np.einsum("ij,ik,kj->", directions, free, directions))
    rank = int(np.clip(round(effective), 1, held.sum()))
    statistic = float(np.sum((effect @ directions[:, :rank]) ** 2))
    return float(special.fdtrc(rank, df, statistic / rank))
