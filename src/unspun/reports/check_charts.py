"""The charts of a report of the checks: how much is at fault, and what was counted against what was expected, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from unspun.book.checks.finding import Finding, Severity, Span
from unspun.book.tracking.series import TrackingSeries
from unspun.reports import marks, words
from unspun.reports.charts import LABEL_GAP, anchor, foot, grid_line
from unspun.reports.marks import Scale, joined, path, tag, text

COLOURS: dict[Severity, str] = {"error": "churn", "warning": "cau", "note": "base"}
BEFORE_DAYS, AFTER_DAYS = 42, 28  # shown around a span
MOST_DAYS = 420  # shown of a span that goes on and on: its last ones
MOST_TABLE_ROWS = 60
STEPS = (1, 7, 28, 91)  # days of one row of the table
HEIGHT, BOTTOM, TOP = 260, 226, 40
PLOT_START, PLOT_END = 8.0, 80.0  # per cent of the width: left of it stand the counts, right of it the names of the lines
LEAST_BAR = 0.6  # per cent of the width: a share that is not nought is seen


@dataclass(frozen=True, slots=True)
class Plot:
    """What was counted on each day around a span, and what was expected: `low` to `high` is as usual."""

    days: tuple[date, ...]
    counted: tuple[float, ...]
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    span: Span
    what: str  # is counted: "rows", "logins"


@dataclass(frozen=True, slots=True)
class PlotRow:
    """Days of the table under a plot, from `first` to `last`."""

    first: date
    last: date
    counted: float
    expected: float
    in_span: bool


def share_bar(finding: Finding) -> Markup:
    """The share at fault as a bar, with the whole as its ground. The words beside it say it all."""
    width = max(LEAST_BAR, 100 * finding.share)
    ground = tag("rect", class_="sunk", x="0", y=0, width="100%", height=10, rx=2)
    held = tag("rect", class_="f", x="0", y=0, width=marks.at(round(width, 2)), height=10, rx=2)
    return tag("svg", joined([ground, held]), class_=f"share {COLOURS[finding.severity]}", width="100%", height=10, aria_hidden="true")


def plot_of(series: Sequence[TrackingSeries], span: Span) -> Plot | None:
    """The days around a span, no more of them than can be read; None where the span has no series."""
    own = next((one for one in series if span in one.spans), None)
    if own is None or not own.days:
        return None
    first, last = span.first - timedelta(days=BEFORE_DAYS), (span.last or own.days[-1]) + timedelta(days=AFTER_DAYS)
    kept = [at for at, day in enumerate(own.days) if first <= day <= last][-MOST_DAYS:]
    if len(kept) < 2:
        return None
    counted, expected, low, high = (tuple(values[at] for at in kept) for values in (own.counted, own.expected, own.low, own.high))
    return Plot(tuple(own.days[at] for at in kept), counted, expected, low, high, span, own.measure or "rows")


def tracking_chart(plot: Plot, claim: str) -> Markup:
    """Counted (solid) against expected (short dash, with the band of what is usual) by day; the days of the span are shaded."""
    y = Scale(0, 1.06 * max([*plot.counted, *plot.expected, *plot.high, 1.0]), BOTTOM, TOP)
    x = Scale(0, len(plot.days) - 1, PLOT_START, PLOT_END)
    counted, expected, low, high = (
        [(x(at), y(value)) for at, value in enumerate(values)] for values in (plot.counted, plot.expected, plot.low, plot.high)
    )
    lines = [marks.area(high, low, "base"), path(expected, "base", marks.STROKES["base"]), path(counted, "thin ink")]
    parts = [
        *_shade(plot, x),
        *(grid_line(y(t)) for t in _counts_shown(y)),
        marks.stretched(lines, HEIGHT),
        *_count_labels(y),
        foot(BOTTOM),
    ]
    return marks.chart([*parts, *_day_axis(plot.days, x), *_end_labels(counted[-1][1], expected[-1][1])], HEIGHT, claim)


def _end_labels(counted: float, expected: float) -> list[Markup]:
    """The names at the ends of the two lines, moved apart where they would touch."""
    if abs(counted - expected) < LABEL_GAP:
        middle, upper = (counted + expected) / 2, -LABEL_GAP / 2 if counted <= expected else LABEL_GAP / 2
        counted, expected = middle + upper, middle - upper
    return [text(PLOT_END + 1, counted + 4, "counted", class_="l ink"), text(PLOT_END + 1, expected + 4, "expected", class_="l k base")]


def _shade(plot: Plot, x: Scale) -> list[Markup]:
    """The days of the span as a band, named above it."""
    inside = [at for at, day in enumerate(plot.days) if _within(plot.span, day)]
    if not inside:
        return []
    low, high = (max(PLOT_START, x(inside[0] - 0.5)), min(PLOT_END, x(inside[-1] + 0.5)))
    colour = "churn" if plot.span.kind == "usage_fell" else "cau"
    band = tag("rect", class_="span", x=marks.at(low), width=marks.at(round(max(high - low, 0.5), 2)), y=TOP - 14, height=BOTTOM - TOP + 14)
    middle = (low + high) / 2
    label = text(min(max(middle, 0.0), 100.0), TOP - 22, _span_label(plot.span), anchor(middle, 66) if middle >= 14 else "start", "l k")
    return [tag("g", joined([band, label]), class_=colour)]


def _span_label(span: Span) -> str:
    if span.last is None:
        return f"since {words.day(span.first)}"
    days = (span.last - span.first).days + 1
    return f"{words.count(days)} {'day' if days == 1 else 'days'} from {words.day(span.first)}"


def _within(span: Span, day: date) -> bool:
    return span.touches(day, day)


def _count_labels(y: Scale) -> list[Markup]:
    return [text(0, y(t) + 4, _short(t), class_="halo") for t in _counts_shown(y)]


def _counts_shown(y: Scale) -> list[float]:
    return [t for t in y.ticks(4) if t > 0]


def _short(value: float) -> str:
    size, suffix = next(((size, suffix) for size, suffix in ((1e9, "B"), (1e6, "M"), (1e3, "k")) if value >= size), (1.0, ""))
    return f"{value / size:.4g}{suffix}"


def _day_axis(days: Sequence[date], x: Scale) -> list[Markup]:
    last = len(days) - 1
    shown = sorted({0, last // 3, 2 * last // 3, last})
    sides = {0: "start", last: "end"}
    return [text(x(at), HEIGHT - 12, words.day(days[at]), sides.get(at, "middle"), None if at in sides else "wide") for at in shown]


def plot_rows(plot: Plot) -> list[PlotRow]:
    """The plot as a table, by as few days a row as leave it readable."""
    step = next((step for step in STEPS if len(plot.days) / step <= MOST_TABLE_ROWS), STEPS[-1])
    return [_row(plot, start, min(start + step, len(plot.days))) for start in range(0, len(plot.days), step)]


def _row(plot: Plot, start: int, end: int) -> PlotRow:
    first, last = plot.days[start], plot.days[end - 1]
    return PlotRow(first, last, sum(plot.counted[start:end]), sum(plot.expected[start:end]), plot.span.touches(first, last))
