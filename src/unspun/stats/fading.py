"""Terms whose effect fades: what was seen of an account long before counts for less than what was seen of it lately.

All fading terms are multiplied by one curve along a moderator (the time still to go). What is stated too boldly is toned down.
Sources: Hastie and Tibshirani, JRSS B 55 (1993) 757-796 (varying coefficients); van Houwelingen, Scandinavian Journal of Statistics 34
(2007) 70-85 (effects that change with the landmark day); van Houwelingen and le Cessie, Statistics in Medicine 9 (1990) 1303-1325
(shrinkage by the calibration slope in cross-validation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unspun.stats.additive import AdditiveFit, fit_additive, refit_coefficients
from unspun.stats.discrete_hazard import CodedTerm, Spells
from unspun.stats.estimate import NoEstimate
from unspun.stats.one_thread import in_one_thread
from unspun.stats.splines import choose_scale

Floats = NDArray[np.float64]
FOLDS = 4
LEAST, MOST = 0.1, 3.0  # of the curve, beside its mean
LOWEST, HIGHEST = 0.5, 1.25  # of a level
MIN_CLUSTERS = 30  # with the event, for a curve and levels at all


@dataclass(frozen=True, slots=True)
class Moderator:
    """Along what effects fade: knots, rising, between which the curve is straight, and beyond which it stays as it is."""

    knots: tuple[float, ...]

    def weights(self, values: Floats) -> Floats:
        """How much each knot counts at each value, shape (n, knots); they add up to 1."""
        return np.column_stack([np.interp(values, self.knots, unit) for unit in np.eye(len(self.knots))])

    def scale(self, heights: Floats, values: Floats) -> Floats:
        """The curve at each value."""
        return np.interp(values, self.knots, heights)


@dataclass(frozen=True, slots=True)
class FadingFit:
    """The fitted terms, and what they are multiplied by: the scaled ones by `heights` at the knots, the others by `level`.

    Both are 1 where nothing fades and nothing is stated too boldly. The intercepts of the fit allow for them.
    """

    fit: AdditiveFit
    heights: Floats
    level: float


@in_one_thread
def fit_fading(spells: Spells, terms: Sequence[CodedTerm], moderator: Moderator, values: Floats) -> FadingFit | NoEstimate:
    """Fit terms of which the scaled ones fade along the moderator. `values` are the rows' own, shape (n,).

    The curve, and by how much the terms say too much or too little on the whole, are learned from clusters that the terms were not fitted
    on: each of four parts is foretold by a fit of the other three.
    """
    plain = np.ones(len(moderator.knots))
    flat = replace(spells, scale=np.ones(len(spells)))
    first = fit_additive(flat, terms)
    if isinstance(first, NoEstimate):
        fit = fit_additive(spells, [])  # the cause is too rare for its terms, or never seen
        return fit if isinstance(fit, NoEstimate) else FadingFit(fit, plain, 1.0)
    if not terms or first.clusters_with_event < MIN_CLUSTERS:
        return FadingFit(first, plain, 1.0)
    curve, boldness, level = _learn(flat, list(terms), values, moderator, first)
    scaled = replace(spells, scale=moderator.scale(curve, values))
    fit = fit_additive(scaled, terms, first)
    if isinstance(fit, NoEstimate):
        return fit
    heights = np.array([float(f"{each:.9g}") for each in curve * boldness])
    fading, fixed = _parts(fit.coefficients, terms)
    settled = fit_additive(replace(spells, offset=moderator.scale(heights, values) * fading + level * fixed), [])
    return settled if isinstance(settled, NoEstimate) else FadingFit(replace(fit, intercepts=settled.intercepts), heights, level)


def _learn(spells: Spells, terms: list[CodedTerm], values: Floats, moderator: Moderator, first: AdditiveFit) -> tuple[Floats, float, float]:
    """The curve (of mean 1), and what the fading terms and the others have to be multiplied by on the whole.

    The terms are fitted again with the curve, so that they take over its mean: what they say too much is learned without it, or it would
    be corrected for twice.
    """
    fading, fixed = _foretell(spells, terms, first)
    foretold = replace(spells, offset=fading + fixed, scale=fading)
    spread = choose_scale(fixed)
    others = [] if spread is None else [CodedTerm("fixed", spread.place(fixed), spread.values()[:, None], (("level", 1),))]
    boldness, level = _levels(foretold, others)
    curve = _curve(foretold, others, values, moderator) if fading.any() else np.ones(len(moderator.knots))
    return curve, boldness, level


def _levels(foretold: Spells, others: list[CodedTerm]) -> tuple[float, float]:
    """What the fading terms and the others have to be multiplied by, 1 where that cannot be learned."""
    fading = foretold.scale is not None and bool(foretold.scale.any())
    whole = CodedTerm("fading", np.zeros(len(foretold), dtype=np.int64), np.ones((1, 1)), (("boldness", 1),), scaled=True)
    shift = _shift(foretold, [*([whole] if fading else []), *others])
    if shift is None:
        return 1.0, 1.0
    found = [float(f"{each:.9g}") for each in np.clip(1 + shift, LOWEST, HIGHEST)]
    return found[0] if fading else 1.0, found[-1] if others else 1.0


def _curve(foretold: Spells, others: list[CodedTerm], values: Floats, moderator: Moderator) -> Floats:
    """How much what was foretold counts along the moderator, beside its mean over the rows."""
    steps, codes = np.unique(values, return_inverse=True)
    size = len(moderator.knots)
    contrasts = np.linalg.svd(np.ones((1, size)))[2][1:].T  # all curves of mean 0
    table = np.column_stack([np.ones(len(steps)), moderator.weights(steps) @ contrasts])
    shift = _shift(foretold, [CodedTerm("curve", codes, table, (("mean", 1), ("curve", size - 1)), scaled=True), *others])
    if shift is None or foretold.scale is None:
        return np.ones(size)
    heights = 1 + shift[0] + contrasts @ shift[1:size]
    mean = float(np.average(moderator.scale(heights, values), weights=foretold.scale**2))
    return np.clip(heights / mean, LEAST, MOST) if mean > 0 else np.ones(size)


def _shift(offset: Spells, terms: list[CodedTerm]) -> Floats | None:
    """The coefficients of what was foretold; None where they cannot be learned."""
    fit = fit_additive(offset, terms) if terms else NoEstimate("nothing to learn")
    return None if isinstance(fit, NoEstimate) else fit.coefficients


def _foretell(spells: Spells, terms: list[CodedTerm], first: AdditiveFit) -> tuple[Floats, Floats]:
    """What the fading terms and the others add up to for each row, by a fit that has not seen its cluster."""
    fold = np.unique(spells.cluster, return_inverse=True)[1] % FOLDS
    fading, fixed = np.zeros(len(spells)), np.zeros(len(spells))
    for one in range(FOLDS):
        seen, own = fold != one, fold == one
        coefficients = refit_coefficients(spells.take(seen), [term.take(seen) for term in terms], first)
        fading[own], fixed[own] = _parts(coefficients, [term.take(own) for term in terms])
    return fading, fixed


def _parts(coefficients: Floats, terms: Sequence[CodedTerm]) -> tuple[Floats, Floats]:
    """What the terms that fade and those that do not add up to, before they are multiplied."""
    n = len(terms[0].codes)
    fading, fixed, begin = np.zeros(n), np.zeros(n), 0
    for term in terms:
        own = coefficients[begin : begin + term.table.shape[1]]
        begin += term.table.shape[1]
        target = fading if term.scaled else fixed
        target += (term.table @ own)[term.codes]
    return fading, fixed
