"""A health score computed: exact, in whole numbers, with contributions that add up to the score to the last digit.

Points are whole millionths. What each input weighs is a whole number over a denominator that the inputs with a value share, so that the
score is the exact weighted mean of their points, rounded once, half to even. Each contribution is the exact part of its input, rounded
down; what is then short of the score goes, one unit each, to the inputs of which most was cut (the largest remainders; the earlier
declared of equals).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import ceil, lcm

import numpy as np
from numpy.typing import NDArray

from unspun.book.tables import Codes, Floats, Ints
from unspun.errors import BadInput, Fault
from unspun.health.definition import POINT_DIGITS, HealthScore, Linear, Scale, Steps, Values, number_text, weights

Bools = NDArray[np.bool_]
Column = Floats | Codes
"""The values of a metric: numbers, NaN where there is none (1 and 0 of what is true or false); or texts."""

UNIT = 10**POINT_DIGITS
NO_INPUT, TOO_LITTLE, NOT_LISTED, NO_VALUE = "no_inputs", "too_little_weight", "not_listed", "no_value"
REASONS: dict[str, str] = {
    NO_INPUT: "none of its metrics has a value",
    TOO_LITTLE: "metrics with too little of the weight have a value",
}
"""Why there is no score, where its metrics lack their values for several reasons; where all lack them for one, or because the account is no
customer, it is that."""
INPUT_REASONS: dict[str, str] = {
    NOT_LISTED: "the metric has a value for which no points are declared",
    NO_VALUE: "the metric has no value, and why was not given",
}
"""Why an input is missing, beside the reasons of metrics."""
NO_CUSTOMER = ("after_churn", "before_birth")
"""Reasons of metrics that say something of the account: other metrics may lack their value for another reason first."""
SAFE = 2**62


@dataclass(frozen=True, slots=True)
class Pattern:
    """Which inputs have a value, what each then weighs of the score (0 of the others), and how much of the declared weight is there."""

    present: tuple[bool, ...]
    weights: tuple[Fraction, ...]
    weight_present: Fraction


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of n rows, with what they are made of; k inputs in the order in which they are declared.

    `values` (n) and `contributions` (k, n) are whole numbers of units of 10^-digits; where `has_value`, the contributions add up to the
    value exactly. `points` (k, n) are millionths. A missing input has neither, and 0 stands there. `reason` says why there is no score,
    `missing` of each input why it has none. `band` indexes the score's bands (-1: none); `pattern` (n) indexes `patterns`.
    """

    score: HealthScore
    values: Ints
    has_value: Bools
    reason: Codes
    band: Ints
    contributions: Ints
    points: Ints
    present: Bools
    missing: tuple[Codes, ...]
    pattern: Ints
    patterns: tuple[Pattern, ...]

    @property
    def weight_present(self) -> Floats:
        """The share of the declared weight whose inputs have a value, row by row: `patterns` has it exactly."""
        return np.array([float(one.weight_present) for one in self.patterns])[self.pattern]


def compute(score: HealthScore, columns: Mapping[str, Column], missing: Mapping[str, Codes] | None = None) -> Scored:
    """The score of each row. `columns` has the values of every metric of the score by its id; `missing` why a metric has none.

    Numbers are compared as 64-bit floating-point numbers, those of the definition too.
    """
    points, present, why = _points_of(score, columns, missing or {})
    pattern, patterns = _patterns(score, present)
    k, n = present.shape
    values, contributions, has = np.zeros(n, np.int64), np.zeros((k, n), np.int64), np.zeros(n, np.bool_)
    for at, one in enumerate(patterns):
        rows = np.flatnonzero(pattern == at)
        if any(one.present) and one.weight_present >= Fraction(score.least_weight):
            values[rows], contributions[:, rows] = _shared(one.weights, points[:, rows], score)
            has[rows] = True
    return Scored(
        score=score,
        values=values,
        has_value=has,
        reason=_reasons(has, present, why),
        band=np.where(has, band_of(score, values), -1),
        contributions=contributions,
        points=np.where(present, points, 0),
        present=present,
        missing=why,
        pattern=pattern,
        patterns=patterns,
    )


def as_series(scored: Scored) -> Floats:
    """The published scores as numbers, NaN where there is none."""
    return np.where(scored.has_value, scored.values / 10**scored.score.digits, np.nan)


def decimal_of(units: int, digits: int) -> Decimal:
    """Units of 10^-digits as a number with so many decimals."""
    return Decimal(units).scaleb(-digits)


def band_of(score: HealthScore, values: Ints) -> Ints:
    """The band of each published value (in units of 10^-digits), as an index of the score's bands; -1 where it has no bands."""
    least = [ceil(Fraction(band.least) * 10**score.digits) for band in score.bands]
    return np.searchsorted(np.array(least, np.int64), values, side="right").astype(np.int64) - 1


# Points


def points_of(scale: Scale, column: Column) -> tuple[Ints, Bools]:
    """The points of each value in millionths, and which rows have any: a value, for which there are points.

    `values` of numbers are found by the number as it is written ("3"), or "true" and "false" for 1 and 0. Raises BadInput where points of
    numbers are declared and the values are texts.
    """
    if isinstance(scale, Values):
        return _listed(scale, column if isinstance(column, Codes) else _as_texts(scale, column))
    if isinstance(column, Codes):
        if (column.codes >= 0).any():
            raise BadInput(Fault("wrong_scale", "its values are texts, and points of numbers are declared."))
        return np.zeros(len(column.codes), np.int64), np.zeros(len(column.codes), np.bool_)
    has = ~np.isnan(column)
    values = np.where(has, column, 0.0)
    return _stepped(scale, values) if isinstance(scale, Steps) else _interpolated(scale, values), has


def _as_texts(scale: Values, column: Floats) -> Codes:
    """Numbers as the texts under which their points stand."""
    has = ~np.isnan(column)
    found, codes = np.unique(column[has], return_inverse=True)
    keys = {text for text, _ in scale.points}
    flags = {"1": "true", "0": "false"}
    texts = [number_text(float(one)) for one in found]
    every = np.full(len(column), -1, np.int32)
    every[has] = codes
    return Codes(every, tuple(text if text in keys else flags.get(text, text) for text in texts))


def _points_of(score: HealthScore, columns: Mapping[str, Column], missing: Mapping[str, Codes]) -> tuple[Ints, Bools, tuple[Codes, ...]]:
    """Of each input the points, which rows have them, and why the others have none."""
    found = [points_of(one.scale, columns[one.metric]) for one in score.inputs]
    points, present = np.stack([one for one, _ in found]), np.stack([has for _, has in found])
    reasons = [_why(columns[id], has, missing.get(id)) for id, has in zip(score.metrics, present, strict=True)]
    return points, present, tuple(reasons)


def _why(column: Column, has: Bools, given: Codes | None) -> Codes:
    """Why an input has no points: the metric has no value, for its own reason, or one without points."""
    reasons = Codes(np.zeros(len(has), np.int32), (NO_VALUE,)) if given is None else given
    filled = column.codes >= 0 if isinstance(column, Codes) else ~np.isnan(column)
    codes = np.where(has, -1, np.where(filled, len(reasons.names), reasons.codes))
    return Codes(codes.astype(np.int32), (*reasons.names, NOT_LISTED))


def _listed(scale: Values, column: Codes) -> tuple[Ints, Bools]:
    """The points of texts: each name is looked up once."""
    by_text = dict(scale.points)
    given = [by_text.get(name, scale.otherwise) for name in column.names]
    of_name = np.array([0 if one is None else _units(one) for one in given] + [0], np.int64)
    has_name = np.array([one is not None for one in given] + [False], np.bool_)
    return of_name[column.codes], has_name[column.codes]  # -1, an empty cell, is the last


def _stepped(scale: Steps, values: Floats) -> Ints:
    starts, points = _knots(scale)
    return points[np.maximum(np.searchsorted(starts, values, side="right") - 1, 0)]


def _interpolated(scale: Linear, values: Floats) -> Ints:
    """Rounded half to even to whole millionths: in floating point where that cannot err, else in fractions."""
    starts, points = _knots(scale)
    at = np.clip(np.searchsorted(starts, values, side="right") - 1, 0, len(starts) - 2)
    inside = np.clip(values, starts[0], starts[-1])
    rise = points[at + 1] - points[at]
    exact = (inside - starts[at]) / (starts[at + 1] - starts[at]) * rise  # three roundings: off by less than a thousandth of a unit
    found = points[at] + np.rint(exact).astype(np.int64)
    close = np.abs(np.abs(exact - np.floor(exact)) - 0.5) < 0.01
    for row in np.flatnonzero(close).tolist():
        i = int(at[row])
        low, high = Fraction(float(starts[i])), Fraction(float(starts[i + 1]))
        share = (Fraction(float(inside[row])) - low) / (high - low)
        found[row] = round(int(points[i]) + share * int(rise[row]))
    return found


def _knots(scale: Linear | Steps) -> tuple[Floats, Ints]:
    return np.array([value for value, _ in scale.knots]), np.array([_units(points) for _, points in scale.knots], np.int64)


def _units(points: Decimal) -> int:
    return int(points.scaleb(POINT_DIGITS))


# Weights


def _patterns(score: HealthScore, present: Bools) -> tuple[Ints, tuple[Pattern, ...]]:
    """Which inputs have a value: the distinct patterns, and which of them each row has."""
    packed = np.ascontiguousarray(np.packbits(present, axis=0).T)
    _, first, pattern = np.unique(packed.view(f"V{packed.shape[1]}").ravel(), return_index=True, return_inverse=True)
    return pattern.astype(np.int64), tuple(_pattern(score, present[:, row].tolist()) for row in first)


def _pattern(score: HealthScore, present: Sequence[bool]) -> Pattern:
    shares = zip(score.shares, present, strict=True)
    return Pattern(tuple(present), tuple(weights(score, present)), sum((share for share, has in shares if has), Fraction()))


def _shared(weighing: Sequence[Fraction], points: Ints, score: HealthScore) -> tuple[Ints, Ints]:
    """The score and the contribution of each input, of rows in which the same inputs have a value, in units of 10^-digits."""
    common = lcm(*(one.denominator for one in weighing))
    counts = [one.numerator * (common // one.denominator) for one in weighing]  # they add up to `common`
    unit, scale = common * UNIT, 10**score.digits
    largest = max(abs(_units(score.low)), abs(_units(score.high)))
    kind = np.int64 if max(common * largest * scale, 2 * len(counts) * unit) < SAFE else np.object_  # else Python's own whole numbers
    parts = np.array(counts, kind)[:, None] * scale * points.astype(kind)
    floors, cut = parts // unit, parts % unit
    whole, rest = cut.sum(axis=0) // unit, cut.sum(axis=0) % unit
    below = floors.sum(axis=0) + whole
    up = (2 * rest > unit) | ((2 * rest == unit) & (below % 2 == 1))  # half to even
    order = np.argsort(-cut, axis=0, kind="stable")
    raised = np.empty_like(order)
    np.put_along_axis(raised, order, np.arange(len(counts))[:, None], axis=0)
    values, contributions = below + up, floors + (raised < whole + up)
    return values.astype(np.int64), contributions.astype(np.int64)


# Reasons


def _reasons(has: Bools, present: Bools, missing: Sequence[Codes]) -> Codes:
    """Why there is no score. Where no input is there: that the account is no customer, where one says so; what all lack their value for,
    where that is one reason."""
    names = tuple(dict.fromkeys([NO_INPUT, TOO_LITTLE, *(name for one in missing for name in one.names)]))
    own = np.stack([np.array([*(names.index(name) for name in one.names), -1])[one.codes] for one in missing])
    codes = np.where(present.any(axis=0), names.index(TOO_LITTLE), names.index(NO_INPUT))
    told = ~present.any(axis=0)
    shared = told & (own == own[0]).all(axis=0) & (own[0] >= 0)
    codes = np.where(shared & (np.array([*names, ""])[own[0]] != NO_VALUE), own[0], codes)
    for name in NO_CUSTOMER:
        if name in names:
            codes = np.where(told & (own == names.index(name)).any(axis=0), names.index(name), codes)
    return Codes(np.where(has, -1, codes).astype(np.int32), names)
