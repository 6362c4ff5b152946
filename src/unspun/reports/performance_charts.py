"""The funnel plot of groups: churned beside what was expected, with how far chance alone goes. Inline SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from unspun.reports import marks, words
from unspun.reports import performance_claims as pc
from unspun.reports.charts import DIRECT, anchor, foot, grid_line
from unspun.reports.marks import Point, Scale, Shape, chart, dot, joined, path, tag, text
from unspun.risk.performance.result import Comparison, FunnelPoint, GroupPerformance, GroupVerdict

HEIGHT, BOTTOM, TOP = 360, 318, 26
LEFT, RIGHT = 10, 97  # per cent
LEAST = 0.5  # churned expected: a smaller group has no place
HIGHEST = 4.0  # multiples of what was expected; a group above stands at the edge
TICKS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
MOST_TICKS = 7
NEAR, APART = 17.0, 50.0  # pixels and per cent between two names
LONGEST_NAME = 20
SHAPES: dict[GroupVerdict, Shape] = {"renews more": "renew", "renews less": "churn", "cannot tell": "base"}


@dataclass(frozen=True, slots=True)
class _Frame:
    """The scales: x runs with the square root of the churned expected, so that small groups have room."""

    x: Scale
    y: Scale

    def at(self, expected: float, ratio: float) -> Point:
        return self.x(math.sqrt(expected)), self.y(ratio)


def funnel_chart(comparison: Comparison, claim: str) -> Markup:
    """Each group by the churned that were expected of it, and by how many times as many there were; the limits of chance about 1."""
    groups = [one for one in comparison.groups if one.expected_churned >= LEAST]
    frame = _frame(groups, comparison.funnel)
    bands = [_band(comparison.funnel, which, frame) for which in (1, 0)]
    edges = [
        path(side, f"base thin edge{which}", "2 4" if which else "") for which in (1, 0) for side in _sides(comparison.funnel, which, frame)
    ]
    one = path([(LEFT, frame.y(1)), (RIGHT, frame.y(1))], "base", marks.STROKES["base"])
    parts = [*(grid_line(frame.y(t)) for t in _levels(frame)), marks.stretched([*bands, *edges, one], HEIGHT), foot(BOTTOM)]
    parts += [*_level_labels(frame), *_size_labels(frame), *(_mark(group, frame) for group in groups), *_names(groups, comparison, frame)]
    return chart(parts, HEIGHT, claim)


def _frame(groups: Sequence[GroupPerformance], funnel: Sequence[FunnelPoint]) -> _Frame:
    sizes = [one.expected_churned for one in (*groups, *funnel)]
    highest = max([_ratio(one) for one in groups] + [min(one.limits[0].high, 2.5) for one in funnel], default=2.0)
    x = Scale(math.sqrt(min(sizes, default=LEAST)), math.sqrt(max(sizes, default=1.0)) * 1.02, LEFT, RIGHT)
    return _Frame(x, Scale(0.0, min(HIGHEST, highest * 1.08), BOTTOM, TOP))


def _ratio(group: GroupPerformance) -> float:
    return group.churned / group.expected_churned


def _sides(funnel: Sequence[FunnelPoint], which: int, frame: _Frame) -> Iterator[list[Point]]:
    """The upper and the lower limit at one of the levels, as lines."""
    yield [frame.at(one.expected_churned, one.limits[which].high) for one in funnel]
    yield [frame.at(one.expected_churned, one.limits[which].low) for one in funnel]


def _band(funnel: Sequence[FunnelPoint], which: int, frame: _Frame) -> Markup:
    upper, lower = _sides(funnel, which, frame)
    return marks.area(upper, lower, "base")


def _levels(frame: _Frame) -> list[float]:
    return [t for t in frame.y.ticks(4) if t > 0 and t != 1]


def _level_labels(frame: _Frame) -> list[Markup]:
    labels = [text(0, frame.y(t) - 5, f"{t:g}{words.NBSP}times", class_="halo") for t in _levels(frame)]
    return [*labels, text(0, frame.y(1) - 5, "expected", class_="halo")]


def _size_labels(frame: _Frame) -> list[Markup]:
    inside = [t for t in TICKS if frame.x.low**2 <= t <= frame.x.high**2]
    step = max(1, -(-len(inside) // MOST_TICKS))
    shown, last = inside[::step], -100.0
    out = []
    for t in shown:
        x = frame.x(math.sqrt(t))
        if x - last >= 7:
            out.append(text(x, BOTTOM + 18, f"{t:g}", anchor(x), "wide" if x - last < 14 else None))
            last = x
    return [*out, text(RIGHT, BOTTOM + 36, "churned, expected", "end")]


def _mark(group: GroupPerformance, frame: _Frame) -> Markup:
    x, y = frame.at(group.expected_churned, min(_ratio(group), frame.y.high))
    shape = SHAPES[group.verdict]
    name = f"{words.shorten(group.name, 60)}: {pc.amount(group.churned)} churned, {pc.amount(group.expected_churned)} expected"
    return tag("g", joined([tag("title", name), dot(shape, x, y)]), class_=shape)


def _names(groups: Sequence[GroupPerformance], comparison: Comparison, frame: _Frame) -> list[Markup]:
    """Names beside their marks, the largest groups first, as far as they have room."""
    placed: list[Point] = []
    found = []
    for group in pc.named(comparison.groups):
        if group not in groups:
            continue
        x, y = frame.at(group.expected_churned, min(_ratio(group), frame.y.high))
        if any(abs(y - other[1]) < NEAR and abs(x - other[0]) < APART for other in placed):
            continue
        placed.append((x, y))
        side = "start" if x < 30 else "end" if x > 70 else "middle"
        found.append(text(x, y - 9, words.shorten(group.name, LONGEST_NAME), side, f"{DIRECT} {SHAPES[group.verdict]} halo"))
    return found


def points_axis(scale: Scale) -> Markup:
    """Tick labels over a column of differences in percentage points; zero is the company."""
    ticks = [t for t in scale.ticks(4) if abs(scale(t) - scale(0.0)) > 30 and 4 < scale(t) < 96]
    parts = [text(scale(t), 11, words.number(100 * t, 0, signed=True), "middle", "wide") for t in ticks]
    zero = joined([escape("0"), tag("tspan", ", as the company", class_="wide")])
    parts.append(text(scale(0.0), 11, zero, "middle"))
    return tag("svg", joined(parts), width="100%", height=14, aria_hidden="true")


def chance_words(comparison: Comparison) -> str:
    """What the bands are."""
    least = pc.drawn_out(comparison, LEAST)
    small = f"; {words.count(least)} with under half a churn expected {'is' if least == 1 else 'are'} not drawn" if least else ""
    return f"inner band: 95 % of chance; outer band: 99.8 %{small}"


def drawn(comparison: Comparison) -> bool:
    """Whether any group is large enough for a funnel."""
    return any(one.expected_churned >= LEAST for one in comparison.groups) and len(comparison.funnel) > 1
