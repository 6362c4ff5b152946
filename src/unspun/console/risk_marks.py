"""Probabilities as they are drawn in lists: a dot and its interval on one common scale, with the base rate as a thin upright line.

Filled vermilion: the whole interval lies above the base rate. Hollow blue: it holds the base rate or lies below it. Dotted ochre: cannot
tell. The number stands beside the mark, so the mark is hidden from readers.
"""

from __future__ import annotations

from markupsafe import Markup

from unspun.app.portfolio.head import RateAhead
from unspun.reports.marks import Scale, joined, line, scale_over, tag
from unspun.risk.forecast.result import Predicted
from unspun.stats.estimate import Estimate

RISK = Scale(0.0, 0.8)
HEIGHT = 14


def risk_mark(point: float | None, low: float | None, high: float | None, base: float | None, scale: Scale = RISK) -> Markup:
    """The mark of one probability of churn; of one that is not told, where `point` is None."""
    middle = HEIGHT / 2
    parts = [] if base is None else [line(scale(base), 0, scale(base), HEIGHT, "ax")]
    if point is None or low is None or high is None:
        return _drawn([*parts, line(0, middle, 100, middle, "w", "1 4")], "cau")
    above = base is not None and low > base
    parts.append(line(scale(low), middle, scale(high), middle))
    parts.append(tag("circle", class_="f" if above else "o", cx=f"{scale(point):g}%", cy=middle, r=3.75))
    return _drawn(parts, "churn" if above else "score")


def estimate_mark(point: float, low: float, high: float, scale: Scale, shape: str = "score", reference: float | None = None) -> Markup:
    """The mark below a head figure, with a reference such as last year's value."""
    middle = HEIGHT / 2
    parts = [] if reference is None else [line(scale(reference), 0, scale(reference), HEIGHT, "ax")]
    parts.append(line(scale(low), middle, scale(high), middle))
    parts.append(tag("circle", class_="f", cx=f"{scale(point):g}%", cy=middle, r=4))
    return _drawn(parts, shape)


def lost_mark(lost: Estimate, at_base_rate: float | None) -> Markup:
    """Below a sum that is expected to be lost, beside what it would be at the base rate. From nought."""
    scale = Scale(0.0, 1.25 * max(lost.high, at_base_rate or 0.0, 1.0))
    return risk_mark(lost.point, lost.low, lost.high, at_base_rate, scale)


def rate_mark(rate: RateAhead) -> Markup:
    """Below a rate to come, beside what the last twelve months came to."""
    actual = rate.actual.point if isinstance(rate.actual, Estimate) else None
    if not isinstance(rate.value, Predicted):
        return bare_mark()
    scale = scale_over((rate.value.low_95, rate.value.high_95), around=actual)
    return estimate_mark(rate.value.mean, rate.value.low_95, rate.value.high_95, scale, reference=actual)


def record_mark(value: Estimate) -> Markup:
    """Below a difference of Brier scores: left of the line the forecaster was closer."""
    scale = scale_over((value.low, value.high), around=0.0)
    return estimate_mark(value.point, value.low, value.high, scale, "renew" if value.high < 0 else "score", reference=0.0)


def bare_mark() -> Markup:
    """Below a figure without an interval: an exact sum or a count."""
    return _drawn([line(0, HEIGHT / 2, 100, HEIGHT / 2, "ax")], "base")


def _drawn(parts: list[Markup], class_: str) -> Markup:
    return tag("svg", joined(parts), class_=class_, width="100%", height=HEIGHT, aria_hidden="true")
