"""The charts of a report of the checks: how much is at fault, and what was counted against what was expected, day by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from markupsafe import Markup

from unspun.book.checks.finding import Finding, Severity, Span
from unspun.reports import marks, words
from unspun.reports.charts import anchor, end_labels, foot, grid
from unspun.reports.check_claims import share_of
from unspun.reports.marks import Scale, joined, path, tag, text

COLOURS: dict[Severity, str] = {"error": "churn", "warning": "cau", "note": "base"}
BEFORE_DAYS, AFTER_DAYS = 70, 35  # shown around a span
MOST_DAYS = 420  # shown of a span that goes on and on: its last ones
MOST_TABLE_ROWS = 60
STEPS = (1, 7, 28, 91)  # days of one row of the table
HEIGHT, BOTTOM, TOP = 260, 226, 40
LEAST_BAR = 0.6  # per cent of the width: a share that is not nought is seen


@dataclass(frozen=True, slots=True)
class Plot:
    """What was counted on each day against what was expected (None: no expectation), around a span of days."""

    days: tuple[date, ...]
    counted: tuple[float, ...]
    expected: tuple[float | None, ...]
    span: Span
    what: str  # is counted: "rows", "logins"


@dataclass(frozen=True, slots=True)
class PlotRow:
    """Days of the table under a plot, from `first` to `last`."""

    first: date
    last: date
    counted: float
    expected: float | None
    in_span: bool


def share_bar(finding: Finding) -> Markup:
    """The share at fault as a bar, with the whole as its ground. The words beside it say it all."""
    width = max(LEAST_BAR, 100 * finding.share)
    ground = tag("rect", class_="sunk", x="0", y=0, width="100%", height=10, rx=2)
    held = tag("rect", class_="f", x="0", y=0, width=marks.at(round(width, 2)), height=10, rx=2)
    return tag("svg", joined([ground, held]), class_=f"share {COLOURS[finding.severity]}", width="100%", height=10, aria_hidden="true")


def near_span(plot: Plot) -> Plot:
    """The days around the span, no more of them than can be read."""
    first = plot.span.first - timedelta(days=BEFORE_DAYS)
    last = (plot.span.last or plot.days[-1]) + timedelta(days=AFTER_DAYS)
    kept = [at for at, day in enumerate(plot.days) if first <= day <= last][-MOST_DAYS:]
    return Plot(
        tuple(plot.days[at] for at in kept),
        tuple(plot.counted[at] for at in kept),
        tuple(plot.expected[at] for at in kept),
        plot.span,
        plot.what,
    )


def tracking_chart(plot: Plot, claim: str) -> Markup:
    """Counted (solid) against expected (short dash) by day; the days of the span are shaded."""
    known = [value for value in (*plot.counted, *plot.expected) if value is not None]
    y = Scale(0, 1.06 * max([*known, 1.0]), BOTTOM, TOP)
    x = Scale(0, max(1, len(plot.days) - 1), 0, 80)
    counted = [(x(at), y(value)) for at, value in enumerate(plot.counted)]
    expected = [(x(at), y(value)) for at, value in enumerate(plot.expected) if value is not None]
    lines = [path(expected, "base", marks.STROKES["base"])] if len(expected) > 1 else []
    lines += [path(counted, "thin")]
    labels: list[tuple[float, str, marks.Shape]] = [(expected[-1][1], "expected", "base")] if expected else []
    ends = end_labels(labels, 81) + _counted_label(counted[-1][1], expected[-1][1] if expected else None)
    parts = [*_shade(plot, x), *grid(y), *_count_labels(y, plot.what), marks.stretched(lines, HEIGHT), foot(BOTTOM)]
    return marks.chart([*parts, *_day_axis(plot.days, x), *ends], HEIGHT, claim)


def _counted_label(y: float, expected: float | None) -> list[Markup]:
    """Stands at the line's end, out of the way of the other label."""
    near = expected is not None and abs(y - expected) < 16
    at = y if not near or expected is None else expected + (16 if y >= expected else -16)
    return [text(81, at + 4, "counted", class_="l ink")]


def _shade(plot: Plot, x: Scale) -> list[Markup]:
    """The days of the span as a band, named above it."""
    inside = [at for at, day in enumerate(plot.days) if _within(plot.span, day)]
    if not inside:
        return []
    low, high = (max(0.0, x(inside[0] - 0.5)), min(80.0, x(inside[-1] + 0.5)))
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


def _count_labels(y: Scale, what: str) -> list[Markup]:
    shown = [t for t in y.ticks(4) if t > 0]
    return [text(0, y(t) - 5, f"{_short(t)}{f' {what} a day' if t == shown[-1] else ''}", class_="halo") for t in shown]


def _short(value: float) -> str:
    return words.money_short(value, None).replace(".0k", "k").replace(".0M", "M") if value >= 1000 else f"{value:,.4g}"


def _day_axis(days: Sequence[date], x: Scale) -> list[Markup]:
    last = len(days) - 1
    shown = sorted({0, last // 3, 2 * last // 3, last})
    return [
        text(x(at), HEIGHT - 12, words.day(days[at]), "start" if at == 0 else "end" if at == last else "middle", None if at in (0, last) else "wide")
        for at in shown
    ]


def plot_rows(plot: Plot) -> list[PlotRow]:
    """The plot as a table, by as few days a row as leave it readable."""
    step = next((step for step in STEPS if len(plot.days) / step <= MOST_TABLE_ROWS), STEPS[-1])
    return [_row(plot, start, min(start + step, len(plot.days))) for start in range(0, len(plot.days), step)]


def _row(plot: Plot, start: int, end: int) -> PlotRow:
    first, last, expected = plot.days[start], plot.days[end - 1], plot.expected[start:end]
    whole = [value for value in expected if value is not None]
    total = sum(whole) if len(whole) == len(expected) else None
    return PlotRow(first, last, sum(plot.counted[start:end]), total, plot.span.touches(first, last))


def bar_words(finding: Finding) -> str:
    """What a share's bar says to those who do not see it."""
    return f"{share_of(finding)} of the {finding.unit}"
