"""The charts of a record: reliability of one forecaster, and an interval said before beside what came. Inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from unspun.audit.result import ReliabilityBin
from unspun.reports import marks, words
from unspun.reports.charts import anchor, foot, grid_line, top
from unspun.reports.marks import Scale, Shape, chart, dot, joined, line, path, tag, text
from unspun.risk.forecast.result import PeriodOutcome

HEIGHT, BOTTOM, TOP = 210, 176, 22
ROW = 26  # pixels


def reliability_chart(bins: Sequence[ReliabilityBin], shape: Shape, claim: str) -> Markup:
    """The share that churned against the probability said, by groups, with intervals and the line of perfect agreement."""
    x = Scale(0.0, min(1.0, top(max(one.predicted for one in bins) * 1.1, 0.05)), 11, 98)
    y = Scale(0.0, min(1.0, top(max(x.high * 0.6, *(one.observed.high for one in bins)), 0.05)), BOTTOM, TOP)
    both = min(x.high, y.high)
    agreement = path([(x(0.0), y(0.0)), (x(both), y(both))], "base thin", "5 4")
    ticks = [t for t in y.ticks(4) if t > 0]
    parts = [*(grid_line(y(t)) for t in ticks), marks.stretched([agreement], HEIGHT), foot(BOTTOM)]
    parts += [text(0, y(t) - 5, words.percent(t), class_="halo") for t in ticks]
    parts += [text(x(t), BOTTOM + 17, words.percent(t), anchor(x(t), 94)) for t in x.ticks(4)]
    parts += [_group(one, x, y, shape) for one in bins]
    return chart(parts, HEIGHT, claim)


def _group(one: ReliabilityBin, x: Scale, y: Scale, shape: Shape) -> Markup:
    at = x(one.predicted)
    return tag("g", joined([line(at, y(one.observed.low), at, y(one.observed.high)), dot(shape, at, y(one.observed.point))]), class_=shape)


def said_and_came(one: PeriodOutcome, scale: Scale) -> Markup:
    """The interval said before (thin: 95 %, thick: 80 %, with its mean) and what came, as an upright stroke."""
    said, middle = one.predicted, ROW / 2
    inner = [
        line(scale(said.low_95), middle, scale(said.high_95), middle),
        line(scale(said.low_80), middle, scale(said.high_80), middle, "w thick"),
        dot("score", scale(said.mean), middle),
    ]
    came = line(scale(one.actual), 4, scale(one.actual), ROW - 4, "came")
    parts = [tag("g", joined(inner), class_="score"), tag("g", came, class_="base" if one.in_95 else "churn")]
    return tag("svg", joined(parts), width="100%", height=ROW, aria_hidden="true")


def outcome_scale(outcomes: Sequence[PeriodOutcome]) -> Scale:
    """One scale for what was said of a quantity and what came."""
    ends = [end for one in outcomes for end in (one.predicted.low_95, one.predicted.high_95, one.actual)]
    around = marks.scale_over(ends, margin=0.04)
    return Scale(max(0.0, around.low), around.high, 3, 97)
