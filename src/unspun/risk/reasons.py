"""Contributions as reasons in the customer's terms: which of them are named, and the sentence of each.

A reason is named where its term as a whole can be told from nothing and its own interval excludes 0; the rest is one number, so that
everything adds up. What the lead and the length of the term contribute is no reason: a typical renewal has the same ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.metrics.missing import REASONS
from unspun.risk.candidates import Contributed
from unspun.risk.result import Reason, RiskCoverage
from unspun.risk.rows import Feature, RiskRows

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
LOGARITHM = "log "  # a unit that begins so is told as the amount itself
NO_REASON = "nothing is recorded"
MINUS = "\N{MINUS SIGN}"
SMALLEST_POINTS = 5e-5  # a reason is not named for less than what rounds to 0.0 points


@dataclass(frozen=True, slots=True)
class Typical:
    """What the account is like that reasons are told against: by feature the median value, or the commonest name."""

    values: Mapping[str, float | str | None]


def typical_of(rows: RiskRows) -> Typical:
    """Of the rows a model was fitted on."""
    return Typical({one.id: _middle(one, rows.columns[one.id]) for one in rows.features})


class Reasons:
    """The reasons of some rows, from their contributions. `typical_risk` is P(churn) of the typical account, shape (n,)."""

    def __init__(self, rows: RiskRows, contributed: Contributed, typical: Typical) -> None:
        by_id = {feature.id: feature for feature in rows.features}
        self._rows, self._typical, self._contributed = rows, typical, contributed
        self._features = tuple(by_id.get(term) for term in contributed.terms)
        told = contributed.told & np.array([feature is not None for feature in self._features], dtype=bool)
        log_odds, points = contributed.log_odds, contributed.points
        self._share = contributed.quantile * contributed.standard_error / np.maximum(np.abs(log_odds), np.finfo(float).tiny)
        of_one_sign = np.sign(points) == np.sign(log_odds)
        self._named = told & (self._share < 1) & of_one_sign & (np.abs(points) >= SMALLEST_POINTS)
        own = [at for at, feature in enumerate(self._features) if feature is None]
        self.typical_risk: Floats = contributed.reference + points[:, own].sum(axis=1)

    def of(self, at: int) -> tuple[Reason, ...]:
        """The named reasons of one row, the largest first."""
        points = self._contributed.points[at]
        named = np.flatnonzero(self._named[at])
        return tuple(self._reason(at, int(term)) for term in named[np.argsort(-np.abs(points[named]), kind="stable")])

    def _reason(self, at: int, term: int) -> Reason:
        feature = self._features[term]
        assert feature is not None
        points = float(self._contributed.points[at, term])
        half = abs(points) * float(self._share[at, term])
        value, typical = told_value(feature, self._rows, at), self._typical.values.get(feature.id)
        stale = int(self._rows.stale_days[feature.id][at]) if feature.id in self._rows.stale_days else 0
        return Reason(
            feature=feature.id,
            label=feature.label,
            value=value,
            typical=typical,
            unit=feature.unit.removeprefix(LOGARITHM),
            points=points,
            low=points - half,
            high=points + half,
            log_odds=float(self._contributed.log_odds[at, term]),
            sentence=say(feature, value, typical, missing_reason(feature, self._rows, at), points, stale),
            metric=not feature.given,
            stale_days=stale,
        )


def coverage_of(rows: RiskRows, at: int) -> RiskCoverage:
    """Of the metrics, which have a value in this row, which do not and why, and which are carried over an outage."""
    metrics = [one for one in rows.features if not one.given]
    missing = tuple((one.label, missing_reason(one, rows, at)) for one in metrics if math.isnan(rows.columns[one.id][at]))
    days = ((one.label, int(rows.stale_days[one.id][at])) for one in metrics if one.id in rows.stale_days)
    return RiskCoverage(len(metrics) - len(missing), len(metrics), missing, tuple((label, n) for label, n in days if n > 0))


def told_value(feature: Feature, rows: RiskRows, at: int) -> float | str | None:
    """The value of a row as it is told: a category's name, a logarithm's amount; None where there is none."""
    return _told(feature, float(rows.columns[feature.id][at]))


def missing_reason(feature: Feature, rows: RiskRows, at: int) -> str:
    """Why a row has no value, in words."""
    reasons = rows.reasons.get(feature.id)
    code = -1 if reasons is None else int(reasons.codes[at])
    return NO_REASON if reasons is None or code < 0 else REASONS.get(reasons.names[code], reasons.names[code])


def say(feature: Feature, value: float | str | None, typical: float | str | None, why_none: str, points: float, stale_days: int) -> str:
    """One reason as a sentence without a full stop: "Logins per seat: 0.4, typical 2.1; raises the probability of churn by 6 points".

    Neither value nor typical value has more decimals than the larger of them has with three figures. A typical value told like the value
    itself is left out: the contribution is told against the mean of all accounts, which no single value stands for.
    """
    effect = f"{'raises' if points > 0 else 'lowers'} the probability of churn by {say_points(abs(points))}"
    size = max((abs(one) for one in (value, typical) if isinstance(one, float)), default=0.0)
    shown = f"no value ({why_none})" if value is None else _say_value(value, feature, size)
    age = f" {stale_days} days ago, before a tracking outage" if stale_days else ""
    usual = shown if typical is None else _say_value(typical, feature, size)
    beside = "" if usual == shown else f", typical {usual}"
    return f"{feature.label}: {shown}{age}{beside}; {effect}"


def say_points(points: float) -> str:
    """Probability points, whole from 10 on: "0.4 points", "1 point", "12 points"."""
    shown = f"{100 * points:.0f}" if points >= 0.0995 else f"{100 * points:.1f}".removesuffix(".0")
    return f"{shown} point" if shown == "1" else f"{shown} points"


def _say_value(value: float | str, feature: Feature, size: float) -> str:
    if isinstance(value, str):
        return value
    unit = feature.unit.removeprefix(LOGARITHM)
    shown = say_number(value, size)
    return shown if not unit or unit.casefold() in feature.label.casefold() else f"{shown} {unit}"


def say_number(value: float, size: float) -> str:
    """Three figures, but no more decimals than `size` has with three; thousands apart: "0.412", "13.5", "12,400"."""
    places = min(_places(value), max(_places(size), 0))
    rounded = round(value, places)
    shown = f"{rounded:,.{max(places, 0)}f}" if rounded else "0"
    return (shown.rstrip("0").rstrip(".") if "." in shown else shown).replace("-", MINUS)


def _places(value: float) -> int:
    return 2 - math.floor(math.log10(abs(value))) if value else 2


def _told(feature: Feature, value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if feature.kind == "category":
        return feature.names[int(value)]
    return math.exp(value) if feature.unit.startswith(LOGARITHM) else value


def _middle(feature: Feature, column: Floats) -> float | str | None:
    known = column[np.isfinite(column)]
    if not len(known):
        return None
    middle = np.bincount(known.astype(np.int64)).argmax() if feature.kind == "category" else np.median(known)
    return _told(feature, float(middle))
