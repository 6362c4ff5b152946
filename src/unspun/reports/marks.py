"""The marks that charts are drawn with: inline SVG, x in per cent and y in pixels, so that text keeps its size at every width."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

from unspun.reports.isolation import unturned
from unspun.stats.estimate import Estimate

Shape = Literal["score", "base", "second", "churn", "renew", "training"]
Point = tuple[float, float]
STROKES = {"score": "", "base": "6 4", "second": "10 4", "churn": "9 3", "renew": "", "random": "2 4"}


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from data in [low, high] to [start, end] of the page."""

    low: float
    high: float
    start: float = 0.0
    end: float = 100.0

    def __call__(self, value: float) -> float:
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 2)

    def ticks(self, about: int = 4) -> list[float]:
        """Round values within the scale, `about` as many as asked."""
        step = nice_step((self.high - self.low) / about)
        first = math.ceil(round(self.low / step, 9))
        return [round(k * step, 9) for k in range(first, math.floor(round(self.high / step, 9)) + 1)]


def nice_step(rough: float) -> float:
    """The least of 1, 2, 5 times a power of ten that is not below `rough`."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * (1 - 1e-9))


def scale_over(values: Iterable[float], around: float | None = None, step: float | None = None, margin: float = 0.06) -> Scale:
    """A scale that holds all values (and `around`), with a margin, its ends on multiples of `step` where given."""
    held = [v for v in values if math.isfinite(v)] + ([around] if around is not None else [])
    low, high = min(held, default=0.0), max(held, default=1.0)
    room = (high - low) * margin or 0.05
    low, high = low - room, high + room
    return Scale(math.floor(low / step) * step, math.ceil(high / step) * step) if step else Scale(low, high)


def tag(name: str, inner: object = "", **attributes: object) -> Markup:
    """One SVG element. Attribute names in Python's spelling (`text_anchor`, `class_`); None leaves one out."""
    named = ((key.strip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    head = "".join(f' {"viewBox" if key == "viewbox" else key}="{escape(_short(value))}"' for key, value in named)
    held = unturned(inner) if isinstance(inner, str) else inner
    return Markup(f"<{name}{head}>{escape(held)}</{name}>")


def _short(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value


def joined(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def at(x: float) -> str:
    return f"{x:g}%"


def line(x1: float, y1: float, x2: float, y2: float, class_: str = "w", dash: str | None = None) -> Markup:
    """x in per cent, y in pixels."""
    return tag("line", class_=class_, x1=at(x1), x2=at(x2), y1=y1, y2=y2, stroke_dasharray=dash)


def text(x: float, y: float, words: object, anchor: str = "start", class_: str | None = None) -> Markup:
    return tag("text", words, x=at(x), y=y, text_anchor=None if anchor == "start" else anchor, class_=class_)


def dot(shape: Shape, x: float, y: float) -> Markup:
    """Score: filled disc. Baseline and training: hollow. Both: diamond. Churned: triangle."""
    if shape in ("second", "churn"):
        outline = "M0-5 5 0 0 5-5 0Z" if shape == "second" else "M0-5 5 4-5 4Z"
        return tag("svg", tag("path", class_="f", d=outline), x=at(x), y=y, class_="o-v")
    return tag("circle", class_="o" if shape in ("base", "training") else "f", cx=at(x), cy=y, r=4)


def area(upper: Sequence[Point], lower: Sequence[Point], class_: str) -> Markup:
    """The band between two lines; for use inside `stretched`."""
    ring = " ".join(f"{x:g},{y:g}" for x, y in [*upper, *reversed(lower)])
    return tag("path", class_=f"b {class_}", d=f"M{ring}Z")


def path(points: Sequence[Point], class_: str, dash: str = "") -> Markup:
    return tag("path", class_=f"s {class_}", d="M" + " ".join(f"{x:g},{y:g}" for x, y in points), stroke_dasharray=dash or None)


def stretched(parts: Iterable[Markup], height: int) -> Markup:
    """Lines and bands, drawn on 0..100 and stretched to the page's width."""
    inner = joined(parts)
    return tag("svg", inner, viewbox=f"0 0 100 {height}", width="100%", height=height, preserveAspectRatio="none", class_="o-v")


def chart(parts: Iterable[Markup], height: int, claim: str) -> Markup:
    """A whole chart. `claim` is what it shows, for a reader who cannot see it."""
    return tag("svg", joined(parts), class_="c", height=height, role="img", aria_label=claim)


def whisker(estimate: Estimate, scale: Scale, shape: Shape = "score", reference: float | None = None, height: int = 26) -> Markup:
    """A dot and its interval on a common scale, with a thin upright line at the value to beat. The number beside it says it all."""
    middle = height / 2
    parts = [line(scale(reference), 0, scale(reference), height, "ax")] if reference is not None else []
    parts.append(line(scale(estimate.low), middle, scale(estimate.high), middle))
    parts.append(dot(shape, scale(estimate.point), middle))
    return tag("svg", joined(parts), class_=shape, width="100%", height=height, aria_hidden="true")


def no_whisker(scale: Scale, reference: float | None = None, height: int = 26) -> Markup:
    """Dotted ochre and a diamond: nothing could be told."""
    middle = height / 2
    parts = [line(scale(reference), 0, scale(reference), height, "ax")] if reference is not None else []
    centre = scale(reference if reference is not None else (scale.low + scale.high) / 2)
    parts += [
        line(0, middle, 100, middle, "w", "1 4"),
        tag("svg", tag("path", class_="o", d="M0-4.5 4.5 0 0 4.5-4.5 0Z"), x=at(centre), y=middle, class_="o-v"),
    ]
    return tag("svg", joined(parts), class_="cau", width="100%", height=height, aria_hidden="true")


def axis(
    scale: Scale, reference: float, word: str, labels: int = 3, apart: float = 22, *, signed: bool = False, percent: bool = False
) -> Markup:
    """Tick labels for a column of whiskers; the reference is named. `apart` is the least distance to its name, in per cent."""
    ticks = [t for t in scale.ticks(labels) if abs(scale(t) - scale(reference)) > apart and 4 < scale(t) < 96]
    said = [f"{t:+g}".replace("-", "\u2212") if signed else _tick(t, percent) for t in ticks]
    parts = [text(scale(t), 11, one, "middle", "wide") for t, one in zip(ticks, said, strict=True)]
    at_reference = "0" if signed else _tick(reference, percent)
    parts.append(text(scale(reference), 11, joined([escape(at_reference), tag("tspan", f", {word}", class_="wide")]), "middle"))
    return tag("svg", joined(parts), width="100%", height=14, aria_hidden="true")


def _tick(value: float, percent: bool) -> str:
    return f"{100 * value:.0f}\u00a0%" if percent else f"{value:.2f}"
