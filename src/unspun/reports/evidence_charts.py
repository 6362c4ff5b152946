"""The charts of a subject's page: how churn goes with its values, and how many units have one. Inline SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from markupsafe import Markup, escape

from unspun.audit.vocabulary import Vocabulary
from unspun.reports import marks, words
from unspun.reports.charts import DIRECT, foot, grid, top
from unspun.reports.marks import Scale, at, chart, dot, joined, line, path, tag, text

if TYPE_CHECKING:
    from unspun.audit.evidence_result import Shape, ShapeBin

HEIGHT, BOTTOM, TOP = 320, 262, 34
LEFT, RIGHT = 13, 91  # per cent between which the groups stand
SIGNIFICANT = 3
MOST_ON_A_PHONE = 6  # labels in a row


def shape_chart(shape: Shape, base_rate: float, claim: str, v: Vocabulary) -> Markup:
    """The share that churned by group of values, each with its interval; the groups are drawn equally wide, their values stand below."""
    bins = shape.bins
    y = Scale(0, min(1.0, top(max(base_rate, *(b.rate.high for b in bins)), 0.02)), BOTTOM, TOP)
    middles = _middles(len(bins))
    points = [(m, y(b.rate.point)) for m, b in zip(middles, bins, strict=True)]
    parts = [*grid(y), *_cut(shape, middles), *_base(base_rate, y)]
    parts += [marks.stretched([path(points, "score thin", "2 3")], BOTTOM)] if len(points) > 1 else []
    parts += [foot(BOTTOM), *_labels(y, v.lost)]
    parts += [_mark(b, m, y) for m, b in zip(middles, bins, strict=True)]
    parts += [one for i, b in enumerate(bins) for one in _bin_label(b, middles[i], i, len(bins))]
    return chart(parts, HEIGHT, claim)


def _labels(y: Scale, lost: str) -> list[Markup]:
    """Labels that stand on the grid's lines; the highest says what is counted where there is room."""
    ticks = [t for t in y.ticks(5) if t > 0]
    whole = all(abs(100 * t - round(100 * t)) < 1e-9 for t in ticks)
    said = [words.percent(t, 0 if whole else 1) for t in ticks]
    named = [escape(one) for one in said[:-1]] + [joined([escape(said[-1]), tag("tspan", f" {lost}", class_="wide")])] if said else []
    return [text(0, y(t) - 5, label, class_="halo") for t, label in zip(ticks, named, strict=True)]


def _middles(n: int) -> list[float]:
    width = (RIGHT - LEFT) / n
    return [round(LEFT + width * (i + 0.5), 2) for i in range(n)]


def _mark(b: ShapeBin, middle: float, y: Scale) -> Markup:
    return tag("g", joined([line(middle, y(b.rate.low), middle, y(b.rate.high)), dot("score", middle, y(b.rate.point))]), class_="score")


def _base(base_rate: float, y: Scale) -> list[Markup]:
    """The share of all, as the line to compare with."""
    height = y(base_rate)
    label = text(100, height - 5, f"all: {words.percent(base_rate)}", "end", f"{DIRECT} base")
    return [tag("g", line(LEFT, height, 100, height, dash="6 4"), class_="base"), label]


def _bin_label(b: ShapeBin, middle: float, place: int, total: int) -> list[Markup]:
    """The group's values on two lines, from and to; a single value on one. On a phone the first value, of many groups every other one."""
    low, high = measure(b.low), measure(b.high)
    first = text(middle, BOTTOM + 18, low, "middle", "wide" if total > MOST_ON_A_PHONE and place % 2 else None)
    return [first] if low == high else [first, text(middle, BOTTOM + 33, f"{words.DASH} {high}", "middle", "wide")]


def _cut(shape: Shape, middles: Sequence[float]) -> list[Markup]:
    """Where churn steps, as an upright line with the band of cuts that the data allow."""
    if shape.cut is None:
        return []
    cut, height = shape.cut, BOTTOM - TOP + 12
    low, middle, high = (_place(value, shape.bins, middles) for value in (cut.low, (cut.below + cut.above) / 2, cut.high))
    band = [tag("rect", x=at(low), width=at(round(high - low, 2)), y=TOP - 12, height=height, class_="cut")] if high > low else []
    label = text(middle, TOP - 18, f"step between {measure(cut.below)} and {measure(cut.above)}", _side(middle), "halo")
    return [*band, line(middle, TOP - 12, middle, BOTTOM, "ax", "2 3"), label]


def _side(x: float) -> str:
    return "start" if x < 15 else "end" if x > 85 else "middle"


def _place(value: float, bins: Sequence[ShapeBin], middles: Sequence[float]) -> float:
    """Where a value stands among groups of equal width: within its group in proportion, between two groups at their border."""
    half = (middles[1] - middles[0]) / 2 if len(middles) > 1 else (RIGHT - LEFT) / 2
    for b, middle in zip(bins, middles, strict=True):
        if value <= b.low:
            return round(middle - half, 2)
        if value <= b.high:
            return round(middle - half + 2 * half * (value - b.low) / (b.high - b.low), 2)
    return RIGHT


def measure(value: float) -> str:
    """A value in its own units, short: three significant digits under a thousand, then 1.2k, 3.4M."""
    size, suffix = next(((s, w) for s, w in ((1e9, "B"), (1e6, "M"), (1e4, "k")) if abs(value) >= s), (1.0, ""))
    scaled = value / (1e3 if suffix == "k" else size)
    digits = 0 if abs(scaled) >= 100 else max(0, SIGNIFICANT - 1 - _magnitude(scaled))
    said = words.number(scaled, min(digits, 4))
    return f"{said.rstrip('0').rstrip('.') if '.' in said else said}{suffix}"


def _magnitude(value: float) -> int:
    """The power of ten of the first digit; 0 for nought."""
    return int(f"{abs(value):e}".partition("e")[2]) if value else 0


def count_bar(n: int, of: int, shape: str) -> Markup:
    """A count as a part of all, from nought; the number beside it says it all."""
    share = 100 * n / of if of else 0.0
    bar = tag("rect", class_="count", width=at(round(share, 2)), height=8)
    return tag("svg", bar, class_=shape, width="100%", height=8, aria_hidden="true")


def strength_bar(rho: float) -> Markup:
    """How nearly two say the same, either way round, from nought to one."""
    return count_bar(round(1000 * abs(rho)), 1000, "base")
