"""The baseline B (log ARR, tenure, segment, last outcome) and B + S, fitted in training and frozen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.audit.extras import FixedAttribute
from unspun.audit.protocol import MIN_SEGMENT_UNITS, RIDGE_PENALTY
from unspun.audit.repurchase import PastWindows
from unspun.audit.terms import PastOutcomes, Terms
from unspun.audit.units import Units
from unspun.stats.concordance import dense_ranks
from unspun.stats.logistic import fit_logistic

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Standardised columns over all units (first the intercept's ones), and the names of what went in."""

    design: Floats
    inputs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FrozenRisks:
    """Linear predictors on all units of B and of B + S, both fitted on the training units that have a score.

    `against_direction` is True where the score's coefficient would have had the wrong sign, so that B + S is B.
    """

    baseline: Floats
    both: Floats
    against_direction: bool


def baseline_columns(
    units: Units,
    terms: Terms,
    past: PastOutcomes | PastWindows,
    segment: Ints | None,
    train: Bools,
    fixed: tuple[FixedAttribute, ...] = (),
) -> Baseline:
    """The baseline's columns, standardised by their training mean and spread; a missing value has its own indicator.

    `fixed` are attributes that were declared never to change; nothing else without a date goes in.
    """
    columns: list[Floats] = []
    inputs = ["tenure", "last outcome"]
    if np.isfinite(units.amount).any():
        inputs.insert(0, "log ARR")
        columns += _log_amount(units, terms, train)
    columns += _tenure(units, terms)
    if segment is not None:
        inputs.append("segment")
        columns += _indicators(segment, train)
    columns += _indicators(past.last(units.account, units.as_of), train)
    for attribute in fixed:
        inputs.append(attribute.name)
        columns += _fixed(attribute, units.account, train)
    standard = [_standardise(column, train) for column in columns if train.any() and np.ptp(column[train]) > 0]
    return Baseline(np.column_stack([np.ones(len(units)), *standard]), tuple(inputs))


@dataclass(frozen=True, slots=True)
class BaselineFit:
    """B as fitted, with the columns it was fitted on (one row a column), to which a score's is added."""

    coefficients: Floats
    columns: Floats


def fit_baseline(baseline: Baseline, churned: Bools, fit_on: Bools) -> BaselineFit:
    """Fit B on some of the units."""
    columns = np.ascontiguousarray(baseline.design[fit_on].T)
    return BaselineFit(fit_logistic(columns.T, churned[fit_on], _penalty(len(columns))).coefficients, columns)


def freeze_risks(baseline: Baseline, fit: BaselineFit, percentile: Floats, churned: Bools, fit_on: Bools) -> FrozenRisks:
    """B and B + S as linear predictors. `percentile` is the score's risk percentile among training values, NaN if unscored.

    The percentile enters with a coefficient that may not be negative. As the objective is convex, a negative free optimum
    means that the constrained one is zero: B + S is then B itself.
    """
    alone = baseline.design @ fit.coefficients
    column = _standardise(percentile, fit_on)
    fitted = column[fit_on]
    if not np.isfinite(fitted).all() or np.ptp(fitted) == 0:
        return FrozenRisks(alone, alone, against_direction=False)
    columns = np.vstack([fit.columns, fitted])
    both = fit_logistic(columns.T, churned[fit_on], _penalty(len(columns)), start=np.append(fit.coefficients, 0.0)).coefficients
    if both[-1] <= 0:
        return FrozenRisks(alone, alone, against_direction=True)
    return FrozenRisks(alone, baseline.design @ both[:-1] + column * both[-1], against_direction=False)


def training_percentile(risk: Floats | Ints, training: Bools) -> Floats:
    """Share of the training values below each unit's risk, ties one half; NaN where there is no score.

    It makes every model of the audit the same for all monotone rescalings of a score, as its AUC is. `risk` holds values
    (NaN: no score) or their dense ranks (-1: no score).
    """
    rank = dense_ranks(risk)
    scored = rank >= 0
    own = np.bincount(rank[training & scored], minlength=int(rank.max(initial=-1)) + 1)
    if not own.any():
        return np.full(len(rank), np.nan)
    share = (2 * np.cumsum(own) - own) / (2.0 * own.sum())
    return np.where(scored, share[rank], np.nan)


def percentile_in(reference: Floats, risk: Floats) -> Floats:
    """Share of the sorted `reference` below each value, ties one half; NaN where there is no value or no reference."""
    if not len(reference):
        return np.full(len(risk), np.nan)
    below, up_to = np.searchsorted(reference, risk, side="left"), np.searchsorted(reference, risk, side="right")
    return np.where(np.isfinite(risk), (below + up_to) / (2.0 * len(reference)), np.nan)


def _penalty(columns: int) -> Floats:
    return np.append(0.0, np.full(columns - 1, RIDGE_PENALTY))


def _standardise(column: Floats, train: Bools) -> Floats:
    trained = column[train]
    spread = float(trained.std())
    return (column - float(trained.mean())) / (spread if spread > 0 else 1.0)


def _log_amount(units: Units, terms: Terms, train: Bools) -> list[Floats]:
    """Log ARR less its currency's training mean (so that unlike currencies are never compared), and missing or not."""
    given = np.isfinite(units.amount)
    value = np.log1p(np.where(given, units.amount, 0.0))
    currency = terms.money.currency[units.terms_row]
    for code in np.unique(currency[given]):
        own = given & (currency == code)
        reference = own & train if (own & train).any() else own
        value[own] -= value[reference].mean()
    return [np.where(given, value, 0.0), (~given).astype(np.float64)]


def _tenure(units: Units, terms: Terms) -> list[Floats]:
    """Log months since the account's first known day as a customer; unknown where that day lies after the as-of date."""
    days = units.as_of - terms.first_seen[units.account]
    return [np.log1p(np.maximum(days, 0) / 30.4375), (days < 0).astype(np.float64)]


def _fixed(attribute: FixedAttribute, account: Ints, train: Bools) -> list[Floats]:
    """Words as levels, not given being one of them; a number less its training mean, and missing or not."""
    if attribute.codes is not None:
        return _indicators(attribute.codes[account], train)
    if attribute.numbers is None:
        return []
    value = attribute.numbers[account]
    given = np.isfinite(value)
    reference = given & train if (given & train).any() else given
    centre = float(value[reference].mean()) if reference.any() else 0.0
    return [np.where(given, value - centre, 0.0), (~given).astype(np.float64)]


def _indicators(code: Ints, train: Bools) -> list[Floats]:
    """One column a level; levels with few training units are pooled, and the commonest is the reference."""
    levels, counts = np.unique(code[train], return_counts=True)
    common = levels[counts >= MIN_SEGMENT_UNITS]
    if not len(common):
        return []
    reference = levels[np.argmax(counts)]
    columns = [(code == level).astype(np.float64) for level in common if level != reference]
    return [*columns, (~np.isin(code, common)).astype(np.float64)]
