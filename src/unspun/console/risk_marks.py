"""Probabilities as they are drawn in lists: a dot and its interval on one common scale, with the base rate as a thin upright line.

Filled vermilion: the whole interval lies above the base rate. Hollow blue: it holds the base rate or lies below it. Dotted ochre: cannot
tell. The number stands beside the mark, so the mark is hidden from readers.
"""

from __future__ import annotations

from markupsafe import Markup

from unspun.reports.marks import Scale, joined, line, tag

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


def bare_mark() -> Markup:
    """Below a figure without an interval: an exact sum or a count."""
    return _drawn([line(0, HEIGHT / 2, 100, HEIGHT / 2, "ax")], "base")


def _drawn(parts: list[Markup], class_: str) -> Markup:
    return tag("svg", joined(parts), class_=class_, width="100%", height=HEIGHT, aria_hidden="true")
