"""The report's charts. Each takes a part of the result and the claim it illustrates, and returns inline SVG."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from unspun.audit.result import Calibration, CapturedArr, GroupRow, LeadPoint, LeadTime, ReliabilityBin
from unspun.reports import marks, words
from unspun.reports.marks import Scale, at, chart, dot, joined, line, path, tag, text
from unspun.stats.estimate import Estimate, MaybeEstimate

LABEL_GAP = 16  # pixels between the baselines of two labels
DIRECT = "l k"  # class of a label that stands at its line


def reliability_chart(calibration: Calibration, claim: str) -> Markup:
    """Observed share that churned against the risk implied, with pointwise intervals and the line of perfect agreement."""
    bins = calibration.bins
    x = Scale(0, _top(max(b.predicted for b in bins) * 1.12, 0.05))
    y = Scale(0, _top(max(max(b.observed.high for b in bins), x.high * 0.6), 0.05), 294, 30)
    both = min(x.high, y.high)
    parts = [*_grid(y), marks.stretched([path([(0, y(0)), (x(both), y(both))], "base", "5 4")], 320)]
    parts += [_foot(294), *(text(x(t), 311, words.percent(t), _anchor(x(t))) for t in x.ticks(5))]
    parts += [_reliability_mark(b, x, y) for b in bins]
    parts += [_agreement_label(bins, x, y, both), *_share_labels(y, "churned")]
    parts += _riskiest_label(max(bins, key=lambda b: b.predicted), x, y)
    return chart(parts, 320, claim)


def _reliability_mark(b: ReliabilityBin, x: Scale, y: Scale) -> Markup:
    inner = [line(x(b.predicted), y(b.observed.low), x(b.predicted), y(b.observed.high)), dot("score", x(b.predicted), y(b.observed.point))]
    return tag("g", joined(inner), class_="score")


def _agreement_label(bins: Sequence[ReliabilityBin], x: Scale, y: Scale, both: float) -> Markup:
    """Names the line of agreement, as high on it as no whisker is in the way."""
    label_width, phone_width, label_height = 20, 36, 14

    def free(share: float) -> bool:
        right, base = x(both * share) - 1, y(both * share) - 4
        beside = (b for b in bins if right - label_width < x(b.predicted) < right)
        return right > label_width + 6 and not any(
            y(b.observed.high) - 4 < base and y(b.observed.low) > base - label_height for b in beside
        )

    share = next((s / 20 for s in range(19, 5, -1) if free(s / 20)), 0.5)
    on_phones = "" if x(both * share) > phone_width else " wide"
    return text(x(both * share) - 1, max(14, y(both * share) - 4), "perfect: said = seen", "end", f"{DIRECT} base{on_phones}")


def _riskiest_label(b: ReliabilityBin, x: Scale, y: Scale) -> list[Markup]:
    """What the score said and what was seen, beside the riskiest group, on the side away from the line of agreement."""
    lines = (f"said {words.percent(b.predicted)},", f"seen {words.estimated(b.observed, words.SHARE)}")
    below = b.observed.point <= b.predicted and y(b.observed.low) < 255
    start = y(b.observed.low) + 18 if below else max(14, y(b.observed.high) - 26)
    return [text(100, start + 16 * i, words_, "end", f"{DIRECT} score") for i, words_ in enumerate(lines)]


def capture_chart(captured: CapturedArr, claim: str) -> Markup:
    """Share of churned ARR reached against capacity; whiskers where the team's capacity is."""
    curve = _curve_near(captured)
    x = Scale(0, curve[-1][0], 0, 77)
    y = Scale(0, min(1.0, _top(max(share for row in curve for share in row[1:] if share is not None), 0.02)), 294, 34)
    kinds: tuple[tuple[str, str, marks.Shape, int, MaybeEstimate], ...] = (
        ("random", "random", "base", 4, captured.random),
        ("ARR alone", "base", "base", 3, captured.arr_alone),
        ("the score", "score", "score", 1, captured.score),
        ("score \u00d7 ARR", "second", "second", 2, captured.score_times_arr),
    )
    lines, labels, whiskers = [], [], []
    for place, (name, dash, shape, column, value) in enumerate(kinds):
        points = [(x(row[0]), y(v)) for row in curve if (v := row[column]) is not None]
        if not points:
            continue
        lines.append(path(points, shape, marks.STROKES[dash]))
        labels.append((points[-1][1], name, shape))
        if isinstance(value, Estimate):
            whiskers.append(_upright(value, x(captured.capacity) + 0.7 * (place - 1.5), y, shape))
    parts = [*_grid(y), marks.stretched(lines, 320), _foot(294), *_capacity_axis(x), *_share_labels(y, "of churned ARR")]
    parts += [line(x(captured.capacity), 24, x(captured.capacity), 294, "ax", "2 3"), *whiskers, *_end_labels(labels, 79)]
    parts.append(
        text(x(captured.capacity), 18, f"your capacity, {captured.capacity}", "middle" if x(captured.capacity) > 14 else "start", "halo")
    )
    return chart(parts, 320, claim)


def _curve_near(captured: CapturedArr) -> list[tuple[int, float | None, float | None, float, float]]:
    """The curve from nothing worked to about three times the team's capacity."""
    rows = sorted(row for row in captured.curve if row[0] > 0)
    beyond = next((row for row in rows if row[0] >= 3 * captured.capacity), None)
    near = [row for row in rows if row[0] < 3 * captured.capacity]
    if beyond and (len(near) < 3 or beyond[0] <= 4 * captured.capacity):
        near.append(beyond)
    return [(0, 0.0 if near[-1][1] is not None else None, 0.0 if near[-1][2] is not None else None, 0.0, 0.0), *near]


def _upright(value: Estimate, x: float, y: Scale, shape: marks.Shape) -> Markup:
    return tag("g", joined([line(x, y(value.low), x, y(value.high)), dot(shape, x, y(value.point))]), class_=shape)


def _capacity_axis(x: Scale) -> list[Markup]:
    ticks = [t for t in x.ticks(6) if t.is_integer()]
    last = ticks[-1]
    return [
        text(x(t), 311, f"{t:,.0f}{' a month' if t == last else ''}", _anchor(x(t)), "wide" if i % 2 and t != last else None)
        for i, t in enumerate(ticks)
    ]


def lead_chart(lead: LeadTime, looked_at_days: int, claim: str) -> Markup:
    """Share in alarm by days before the due date, churned against renewed; or the AUC where no share could be estimated."""
    points = sorted(lead.points, key=lambda p: -p.days_before)
    series: list[tuple[str, marks.Shape, Callable[[LeadPoint], MaybeEstimate]]] = [
        ("renewed", "renew", lambda p: p.renewed_in_alarm),
        ("churned", "churn", lambda p: p.churned_in_alarm),
    ]
    if not any(isinstance(of(p), Estimate) for _, _, of in series for p in points):
        series = [("AUC", "score", lambda p: p.auc)]
    return _lines_by_lead(points, series, looked_at_days, claim)


def _lines_by_lead(
    points: Sequence[LeadPoint],
    series: Sequence[tuple[str, marks.Shape, Callable[[LeadPoint], MaybeEstimate]]],
    looked_at_days: int,
    claim: str,
) -> Markup:
    longest = max(p.days_before for p in points)
    x = Scale(-longest, 0, 0, 84)
    known = [e for _, _, of in series for p in points if isinstance(e := of(p), Estimate)]
    y = Scale(0, min(1.0, _top(max(e.high for e in known), 0.1)), 264, 30)
    lines, labels = [], []
    for name, shape, of in series:
        told = [(x(-p.days_before), e) for p in points if isinstance(e := of(p), Estimate)]
        lines.append(marks.area([(at_x, y(e.high)) for at_x, e in told], [(at_x, y(e.low)) for at_x, e in told], shape))
        lines.append(path([(at_x, y(e.point)) for at_x, e in told], shape, marks.STROKES[shape]))
        labels.append((y(told[-1][1].point), name, shape))
    marked = x(-looked_at_days)
    labelled = _share_labels(y, "in alarm" if len(series) > 1 else "AUC")
    parts = [*_grid(y), marks.stretched(lines, 290), _foot(264), *_lead_axis(x, longest), *labelled]
    if looked_at_days <= longest:
        parts += [
            line(marked, 24, marked, 264, "ax", "2 3"),
            text(marked, 18, f"looked at, {looked_at_days} days", _anchor(marked, 70), "halo"),
        ]
    return chart([*parts, *_end_labels(labels, 86)], 290, claim)


def _lead_axis(x: Scale, longest: int) -> list[Markup]:
    first = tag("tspan", " days", class_="wide")
    parts = [text(0, 281, joined([escape(longest), first, escape(" before")])), text(x(0), 281, "due", "middle")]
    return parts + [text(x(-days), 281, days, "middle") for days in (30, 90, 180, 270) if 24 < x(-days) < 80 and days < longest * 0.85]


def quarters_chart(quarters: Sequence[GroupRow], claim: str) -> Markup:
    """AUC by quarter with its interval; hollow in training, filled in the test; a grey block where none could be estimated."""
    known = [q.auc for q in quarters if isinstance(q.auc, Estimate)]
    spread = marks.scale_over((end for e in known for end in (e.low, e.high)), around=0.5, step=0.1, margin=0.02)
    y = Scale(max(0.0, spread.low), min(1.0, spread.high), 184, 46)
    width = 100 / len(quarters)
    first_test = next((i for i, q in enumerate(quarters) if q.in_test), None)
    parts = [] if first_test is None else _periods(first_test, width)
    ticks = [t for t in y.ticks(4) if abs(y(t) - y(0.5)) > 20]
    parts += [*(_grid_line(y(t)) for t in ticks), line(0, y(0.5), 100, y(0.5), "ax", "2 3"), _foot(184)]
    for i, quarter in enumerate(quarters):
        middle = width * (i + 0.5)
        parts += [_quarter_mark(quarter, middle, width, y), *_quarter_label(quarter.group, i, len(quarters), middle)]
    parts += [text(0, y(t) - 5, f"{t:.1f}", class_="halo") for t in ticks] + [text(0, y(0.5) - 5, "0.5, a coin", class_="halo")]
    return chart(parts, 210, claim)


def _periods(first_test: int, width: float) -> list[Markup]:
    start = first_test * width
    shade = tag("rect", x=at(start), width=at(100 - start), y=0, height=184, class_="sunk")
    labels = [text(start + 1, 16, "test period")] + ([text(0.7, 16, "training")] if first_test else [])
    return [shade, *labels]


def _quarter_mark(quarter: GroupRow, middle: float, width: float, y: Scale) -> Markup:
    if not isinstance(quarter.auc, Estimate):
        return tag("rect", x=at(middle - width / 3), width=at(width / 1.5), y=46, height=138, class_="hatch")
    mark = line(middle, y(quarter.auc.low), middle, y(quarter.auc.high)) + dot(
        "score" if quarter.in_test else "training", middle, y(quarter.auc.point)
    )
    return tag("g", mark, class_="score")


def _quarter_label(group: str, index: int, total: int, middle: float) -> list[Markup]:
    """Q1 25, then Q2, Q3 ...; where there are many, only the first of each year."""
    found = re.fullmatch(r"(\d{4})\D*([1-4])", group)
    if not found:
        return [text(middle, 201, words.shorten(group, 10), "middle")] if total <= 6 or index % (total // 6 + 1) == 0 else []
    year, quarter = found.groups()
    if total > 9:
        return [text(middle, 201, year, "middle")] if quarter == "1" or (index == 0 and quarter in "23") else []
    return [text(middle, 201, f"Q{quarter} {year[2:]}" if index == 0 or quarter == "1" else f"Q{quarter}", "middle")]


def _grid(y: Scale) -> list[Markup]:
    return [_grid_line(y(t)) for t in y.ticks(5) if t > 0]


def _share_labels(y: Scale, of: str) -> list[Markup]:
    """Labels that stand on the grid's lines; the highest says what is counted."""
    shown = [t for t in y.ticks(5) if t > 0]
    decimals = 0 if all((100 * t).is_integer() or abs(100 * t - round(100 * t)) < 1e-9 for t in shown) else 1
    said = [words.percent(t, decimals) if of != "AUC" else f"{t:.1f}" for t in shown]
    return [text(0, y(t) - 5, f"{label}{f' {of}' if t == shown[-1] else ''}", class_="halo") for t, label in zip(shown, said, strict=True)]


def _grid_line(y: float) -> Markup:
    return line(0, y, 100, y, "g")


def _foot(y: float) -> Markup:
    return line(0, y, 100, y, "ax")


def _anchor(x: float, near_end: float = 97) -> str:
    return "start" if x < 3 else "end" if x > near_end else "middle"


def _top(value: float, step: float) -> float:
    """A little above `value`, and at least one step."""
    return max(step, value * 1.04)


def _end_labels(labels: list[tuple[float, str, marks.Shape]], x: float) -> list[Markup]:
    """Names at the ends of their lines, moved apart where two would touch."""
    ordered = sorted(labels)
    heights = [y for y, _, _ in ordered]
    for i in range(len(heights) - 2, -1, -1):
        heights[i] = min(heights[i], heights[i + 1] - LABEL_GAP)
    for i in range(len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + LABEL_GAP if i else LABEL_GAP)
    return [text(x, y + 4, name, "start", f"{DIRECT} {shape}") for y, (_, name, shape) in zip(heights, ordered, strict=True)]
