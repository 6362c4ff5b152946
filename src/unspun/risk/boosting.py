"""Gradient boosted trees as a candidate: the hazards of each cause times exp(z(x)), with z a sum of small trees.

In each period the log odds of a cause are a[period] + z(x). Trees are grown on the Poisson likelihood of a row's event given the events
expected of it over its periods at risk, so that no row is expanded by periods; afterwards the period's intercepts are fitted anew by the
logistic likelihood, with z fixed. Sources: Friedman, Annals of Statistics 29 (2001) 1189-1232; Laird and Olivier, JASA 76 (1981) 231-240
(hazards as Poisson rates with an exposure); Strumbelj and Kononenko, Knowledge and Information Systems 41 (2014) 647-665 (Shapley values
by permutations). Scikit-learn is imported where it is used, as that takes a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.risk.hazard import Curve
from unspun.risk.intercepts import at_risk, entry_shift, fit_intercepts
from unspun.risk.outcomes import CAUSES, hazards_of
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT, HIDDEN, PERIODS, Feature, KnownRows, RiskRows
from unspun.stats.estimate import LEVEL, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

GROWN = CAUSES[:3]  # the causes that depend on features; when a flat renewal is decided depends on the time alone
TREES, LEARNING_RATE, MOST_LEAVES, SMALLEST_LEAF = 50, 0.06, 6, 40
PRIOR_RENEWALS = 4.0  # a leaf is shrunk as if so many more events had been expected in it, and seen
REPLICATES = 10  # of the cluster bootstrap
PERMUTATIONS = 4  # of Shapley values, each with its reverse
NEARBY = 1e-6  # log odds: a score this near the reference's has its slope for its share
MOST_CATEGORIES = 200  # scikit-learn takes 255
MOST_BINS = 48  # of a number
NOT_USABLE = f"no value, one value only, or more than {MOST_CATEGORIES} names in training"
MOST_CELLS = 4_000_000  # of a matrix that is predicted at once


@dataclass(frozen=True, slots=True)
class Columns:
    """How rows become a matrix: lead and term class first, then the features, each in bins of equal size (the trees split between them).

    `edges` are those between the bins, none for a category; `reference` is the typical account's, the median or the commonest name.
    """

    features: tuple[Feature, ...]
    edges: tuple[Floats, ...]
    reference: Floats
    left_out: tuple[tuple[str, str], ...]

    def matrix(self, rows: RiskRows) -> Floats:
        """Shape (n, columns). NaN is missing; a value that an outage hides is the reference's, so that it moves nothing."""
        found = np.column_stack([_binned(column, edges) for column, edges in zip(_raw(rows, self.features), self.edges, strict=True)])
        for at, feature in enumerate(self.features, start=2):
            hidden = _hidden(rows, feature) & np.isnan(found[:, at])
            found[hidden, at] = self.reference[at]
        return found


@dataclass(frozen=True, slots=True)
class Trees:
    """One fit: a regressor of exp(z) for each of GROWN, and the intercepts (4, PERIODS) in the order of CAUSES.

    The churn hazard's z is multiplied by `scale`.
    """

    regressors: tuple[Any, ...]
    intercepts: Floats
    scale: float

    def scores(self, matrix: Floats) -> Floats:
        """z by cause in the order of CAUSES, shape (4, n); of flat it is 0."""
        with _one_thread():
            churn, *others = (_log_rate(one, matrix) for one in self.regressors)
        return np.stack([self.scale * churn, *others, np.zeros(len(matrix))])


@dataclass(frozen=True, slots=True)
class BoostedContributions:
    """Shapley values of each feature, shape (n, terms): on the churn hazard's log odds, and in points of the probability."""

    terms: tuple[str, ...]
    log_odds: Floats
    points: Floats
    standard_error: Floats  # of the log odds, from the cluster bootstrap
    reference: Floats  # (n,): the probability of churn of the typical account at the same lead and term length
    told: Bools
    quantile: float


@dataclass(frozen=True, slots=True)
class BoostedModel:
    """A boosted model and its cluster-bootstrap replicates (none where only predictions are asked for)."""

    columns: Columns
    trees: Trees
    replicates: tuple[Trees, ...] = field(default=())

    def probabilities(self, rows: RiskRows) -> Floats:
        """P of each outcome, shape (n, 4)."""
        return _probabilities(self.trees, self.columns.matrix(rows), rows.lead)

    def log_odds(self, rows: RiskRows) -> Floats:
        """z of churn, shape (n,)."""
        return self.trees.scores(self.columns.matrix(rows))[0]

    def intervals(self, rows: RiskRows) -> tuple[Floats, Floats]:
        """Low and high of each probability, shape (n, 4): the bootstrap's spread on the logit scale, t with REPLICATES - 1."""
        matrix, lead = self.columns.matrix(rows), rows.lead
        centre = special.logit(_inside(_probabilities(self.trees, matrix, lead)))
        drawn = np.stack([special.logit(_inside(_probabilities(one, matrix, lead))) for one in self.replicates])
        half = _quantile(len(drawn)) * drawn.std(axis=0, ddof=1)
        return special.expit(centre - half), special.expit(centre + half)

    def draws(self, rows: RiskRows, count: int, rng: np.random.Generator, shift: Floats | None = None) -> Floats:
        """Probabilities under `count` draws of the model, shape (count, n, 4): normal, with the covariance of the bootstrap.

        What is drawn depends on `rng` and `count` alone, so that parts of the rows can be asked for one after another. `shift` (count, n)
        or (count, 1) is added to the churn hazard's log odds.
        """
        weights = rng.standard_normal((count, len(self.replicates))) / math.sqrt(len(self.replicates) - 1)
        matrix = self.columns.matrix(rows)
        centre, spread = self._spread(matrix)
        intercepts = np.stack([one.intercepts for one in self.replicates])
        intercept_spread = intercepts - intercepts.mean(axis=0)
        found = np.empty((count, len(rows), 4))
        for at, weight in enumerate(weights):
            scores = centre + np.tensordot(weight, spread, axes=1)
            if shift is not None:
                scores[0] += shift[at]
            shifted = self.trees.intercepts + np.tensordot(weight, intercept_spread, axes=1)
            found[at] = hazards_of(shifted, scores, rows.lead).probabilities()
        return found

    def contributions(self, rows: RiskRows) -> BoostedContributions:
        """What each feature adds to a renewal like the reference at the same lead and term length.

        A term is told where its mean absolute value over the rows is larger than the bootstrap's error of a contribution by a z test at
        .05; lead and term class are never terms.
        """
        matrix = self.columns.matrix(rows)
        log_odds = self._shapley(self.trees, matrix)
        drawn = np.stack([self._shapley(one, matrix) for one in self.replicates])
        error = drawn.std(axis=0, ddof=1)
        points, reference = _as_points(self, matrix, rows.lead, log_odds)
        quantile = _quantile(len(drawn))
        told = np.abs(log_odds).mean(axis=0) > quantile * error.mean(axis=0)
        return BoostedContributions(tuple(one.id for one in self.columns.features), log_odds, points, error, reference, told, quantile)

    @property
    def left_out(self) -> tuple[tuple[str, str], ...]:
        """Features that are not in the model, and why."""
        return self.columns.left_out

    def curves(self) -> tuple[Curve, ...]:
        """What each feature's values add, all others being the typical account's; `effective` and the p-value are not defined."""
        return tuple(self._curve(at, feature) for at, feature in enumerate(self.columns.features, start=2))

    def _curve(self, at: int, feature: Feature) -> Curve:
        number = feature.kind == "number"
        places = np.arange(len(self.columns.edges[at]) + 1 if number else len(feature.names), dtype=np.float64)
        matrix = np.tile(self.columns.reference, (len(places) + 1, 1))
        matrix[:-1, at] = places
        effect, *drawn = (one.scores(matrix)[0] for one in (self.trees, *self.replicates))
        moved = np.stack(drawn) - np.stack(drawn)[:, -1:]
        half = _quantile(len(drawn)) * moved.std(axis=0, ddof=1)[:-1]
        effect = effect[:-1] - effect[-1]
        values = np.append(self.columns.edges[at], np.inf)[: len(places)] if number else np.zeros(0)
        shown = slice(0, len(places) - 1 if number else len(places))
        told = bool((np.abs(effect) > half)[shown].any())
        names = () if number else feature.names
        counts = np.zeros(len(effect[shown]), dtype=np.int64)
        parts = (effect[shown], (effect - half)[shown], (effect + half)[shown])
        return Curve(feature, values[shown] if number else values, names, *parts, counts, math.nan, math.nan, told)

    def _spread(self, matrix: Floats) -> tuple[Floats, Floats]:
        drawn = np.stack([one.scores(matrix) for one in self.replicates])
        return self.trees.scores(matrix), drawn - drawn.mean(axis=0)

    def _shapley(self, trees: Trees, matrix: Floats) -> Floats:
        """Shapley values of the churn score, shape (n, features), by fixed permutations and their reverses; they add up exactly."""
        rng = np.random.default_rng(len(self.columns.features))
        count = len(self.columns.features)
        found = np.zeros((len(matrix), count))
        orders = [order for _ in range(PERMUTATIONS) for order in _both_ways(rng.permutation(count))]
        for part in _parts(len(matrix), matrix.shape[1]):
            for order in orders:
                _walk(trees, matrix[part], self.columns.reference, order, found[part])
        return found / len(orders)


@dataclass(frozen=True, slots=True)
class _Growth:
    """What every fit on some rows shares: who was at risk when, the entry periods' shift, account-months a renewal, and the scale."""

    at_risk: list[Bools]
    shift: Floats
    per_renewal: float
    scale: float


def fit_boosting(known: KnownRows, *, seed: int, replicates: int = 0, scale: float = 1.0) -> BoostedModel | NoEstimate:
    """Fit the trees, and `replicates` more on cluster-bootstrap samples. Refuses where churned, or renewed, was never seen.

    `scale` multiplies the churn hazard's log odds.
    """
    seen = np.bincount(known.outcome[known.outcome >= 0], minlength=4)
    if not seen[CHURN] or not seen[FLAT] + seen[EXPANSION] + seen[CONTRACTION]:
        return NoEstimate("not both churned and renewed account-months were seen", "renewals of both kinds")
    columns = _columns(known.rows)
    matrix = columns.matrix(known.rows)
    growth = _Growth(at_risk(known), entry_shift(known), len(known) / max(len(np.unique(known.rows.renewal)), 1), scale)
    whole = _grow(known, matrix, columns, np.ones(len(known)), growth, seed)
    drawn = (
        _grow(known, matrix, columns, weight, growth, seed + 1 + at)
        for at, weight in enumerate(_bootstrap_weights(known.rows.cluster, replicates, seed))
    )
    return BoostedModel(columns, whole, tuple(drawn))


def _grow(known: KnownRows, matrix: Floats, columns: Columns, weight: Floats, growth: _Growth, seed: int) -> Trees:
    intercepts = np.zeros((len(CAUSES), PERIODS))
    regressors: list[Any] = []
    for place, cause in enumerate(CAUSES):
        event, risk = known.outcome == cause, growth.at_risk[place]
        intercepts[place] = fit_intercepts(risk, event, known.exit, growth.shift, weight)
        if cause not in GROWN:
            continue
        exposure = (special.expit(intercepts[place] + growth.shift) * risk).sum(axis=1)
        used = (exposure * weight > 0).nonzero()[0]
        if not (event[used] & (weight[used] > 0)).any():
            regressors.append(None)  # never seen: its rate by period alone
            continue
        regressor = _regressor(columns, cause, growth.per_renewal, seed)
        with _one_thread():
            regressor.fit(matrix[used], event[used] / exposure[used], sample_weight=exposure[used] * weight[used])
            score = _log_rate(regressor, matrix) * (growth.scale if cause == CHURN else 1.0)
        intercepts[place] = fit_intercepts(risk, event, known.exit, growth.shift + score[:, None], weight)
        regressors.append(regressor)
    return Trees(tuple(regressors), intercepts, growth.scale)


def _regressor(columns: Columns, cause: int, per_renewal: float, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingRegressor

    toward = {CHURN: -1, CONTRACTION: -1, EXPANSION: 0}[cause]
    options: dict[str, Any] = {
        "loss": "poisson",
        "learning_rate": LEARNING_RATE,
        "max_iter": TREES,
        "max_leaf_nodes": MOST_LEAVES,
        "min_samples_leaf": max(int(SMALLEST_LEAF * per_renewal), 1),
        "l2_regularization": PRIOR_RENEWALS * per_renewal,
        "monotonic_cst": [0, 0, *(toward * one.direction if one.kind == "number" else 0 for one in columns.features)],
        "categorical_features": [1, *(at for at, one in enumerate(columns.features, start=2) if one.kind == "category")],
        "early_stopping": False,
        "random_state": seed,
    }
    return HistGradientBoostingRegressor(**options)


def _one_thread() -> Any:
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1)


def _log_rate(regressor: Any, matrix: Floats) -> Floats:
    """z of one cause; 0 where it was never seen."""
    if regressor is None or not len(matrix):
        return np.zeros(len(matrix))
    return np.log(np.asarray(regressor.predict(matrix), dtype=np.float64))


def _probabilities(trees: Trees, matrix: Floats, lead: Ints) -> Floats:
    return hazards_of(trees.intercepts, trees.scores(matrix), lead).probabilities()


def _as_points(model: BoostedModel, matrix: Floats, lead: Ints, log_odds: Floats) -> tuple[Floats, Floats]:
    """Contributions in points (n, terms), shared along the line from the reference's score, and the reference's P(churn) (n,)."""
    scores, total = model.trees.scores(matrix), log_odds.sum(axis=1)

    def churn(score: Floats) -> Floats:
        return hazards_of(model.trees.intercepts, np.vstack([score, scores[1:]]), lead).probabilities()[:, CHURN]

    typical = churn(scores[0] - total)
    near = np.abs(total) < NEARBY
    limit = (churn(scores[0] - total + NEARBY) - typical) / NEARBY
    slope = np.where(near, limit, (churn(scores[0]) - typical) / np.where(near, 1.0, total))
    return log_odds * slope[:, None], typical


def _walk(trees: Trees, matrix: Floats, reference: Floats, order: Ints, found: Floats) -> None:
    """Move from the reference to the row, one feature after another, and add each one's step to `found`."""
    current = matrix.copy()
    current[:, 2:] = reference[2:]
    with _one_thread():
        before = trees.scale * _log_rate(trees.regressors[0], current)
        for feature in order:
            current[:, feature + 2] = matrix[:, feature + 2]
            after = trees.scale * _log_rate(trees.regressors[0], current)
            found[:, feature] += after - before
            before = after


def _both_ways(order: Ints) -> tuple[Ints, Ints]:
    return order, order[::-1]


def _parts(n: int, columns: int) -> Iterator[slice]:
    size = max(MOST_CELLS // columns, 1)
    return (slice(first, first + size) for first in range(0, n, size))


def _usable(rows: RiskRows) -> tuple[Feature, ...]:
    """The features that vary, categories of few enough names."""
    return tuple(one for one in rows.features if _varies(rows.columns[one.id]) and len(one.names) <= MOST_CATEGORIES)


def _varies(column: Floats) -> bool:
    known = column[np.isfinite(column)]
    return bool(len(known)) and (bool(np.ptp(known) > 0) or len(known) < len(column))


def _columns(rows: RiskRows) -> Columns:
    features = _usable(rows)
    raw, kinds = _raw(rows, features), ("number", "category", *(one.kind for one in features))
    edges = tuple(np.zeros(0) if kind == "category" else _edges(column) for column, kind in zip(raw, kinds, strict=True))
    binned = [_binned(column, cuts) for column, cuts in zip(raw, edges, strict=True)]
    reference = np.array([_middle(column, kind == "category") for column, kind in zip(binned, kinds, strict=True)])
    used = {one.id for one in features}
    left_out = tuple((one.id, NOT_USABLE) for one in rows.features if one.id not in used)
    return Columns(features, edges, reference, left_out)


def _raw(rows: RiskRows, features: tuple[Feature, ...]) -> list[Floats]:
    term = np.where(rows.term_class < 0, np.nan, rows.term_class)
    return [rows.lead.astype(np.float64), term, *(rows.columns[one.id] for one in features)]


def _edges(column: Floats) -> Floats:
    known = column[np.isfinite(column)]
    return np.unique(np.quantile(known, np.arange(1, MOST_BINS) / MOST_BINS, method="inverted_cdf")) if len(known) else np.zeros(0)


def _binned(column: Floats, edges: Floats) -> Floats:
    """The bin of each value; NaN stays, and so does a category's code."""
    if not len(edges):
        return column
    return np.where(np.isnan(column), np.nan, np.searchsorted(edges, column, side="left"))


def _hidden(rows: RiskRows, feature: Feature) -> Bools:
    reasons = rows.reasons.get(feature.id)
    if reasons is None:
        return np.zeros(len(rows), dtype=bool)
    return np.isin(reasons.codes, [code for code, name in enumerate(reasons.names) if name in HIDDEN])


def _middle(column: Floats, category: bool) -> float:
    known = column[np.isfinite(column)]
    if not len(known):
        return math.nan
    return float(np.bincount(known.astype(np.int64)).argmax()) if category else float(np.median(known))


def _bootstrap_weights(cluster: Ints, replicates: int, seed: int) -> Iterator[Floats]:
    present, at = np.unique(cluster, return_inverse=True)
    rng = np.random.default_rng([seed, len(present)])
    for _ in range(replicates):
        yield np.bincount(rng.integers(0, len(present), len(present)), minlength=len(present))[at].astype(np.float64)


def _inside(probability: Floats) -> Floats:
    return np.clip(probability, 1e-12, 1 - 1e-12)


def _quantile(replicates: int) -> float:
    return float(special.stdtrit(max(replicates - 1, 1), 0.5 + LEVEL / 2))
