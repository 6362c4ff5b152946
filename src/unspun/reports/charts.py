"""The report's charts. Each takes a part of the result and the claim it illustrates, and returns inline SVG."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from markupsafe import Markup

from unspun.audit.result import Calibration, CapturedArr, CurveBand, ReliabilityBin
from unspun.audit.vocabulary import Vocabulary
from unspun.reports import marks, words
from unspun.reports.marks import Scale, chart, dot, joined, line, path, tag, text
from unspun.stats.estimate import Estimate, MaybeEstimate

LABEL_GAP = 16  # pixels between the baselines of two labels
DIRECT = "l k"  # class of a label that stands at its line


def reliability_chart(calibration: Calibration, claim: str, v: Vocabulary) -> Markup:
    """Observed share that churned against the risk implied, with pointwise intervals and the line of perfect agreement."""
    bins = calibration.bins
    x = Scale(0, top(max(b.predicted for b in bins) * 1.12, 0.05))
    y = Scale(0, top(max(max(b.observed.high for b in bins), x.high * 0.6), 0.05), 294, 30)
    both = min(x.high, y.high)
    parts = [*grid(y), marks.stretched([path([(0, y(0)), (x(both), y(both))], "base", "5 4")], 320)]
    parts += [foot(294), *(text(x(t), 311, words.percent(t), anchor(x(t))) for t in x.ticks(5))]
    parts += [_reliability_mark(b, x, y) for b in bins]
    parts += [_agreement_label(bins, x, y, both), *share_labels(y, v.lost)]
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


def capture_chart(captured: CapturedArr, claim: str, v: Vocabulary) -> Markup:
    """Share of the lost money reached against capacity, with pointwise bands, and whiskers where the team's capacity is."""
    curve = _curve_near(captured)
    x = Scale(0, curve[-1][0], 7, 77)
    ends = [end for band in _bands_near(captured.bands, curve[-1][0]) for _, _, end in band]
    y = Scale(0, min(1.0, top(max([*ends, *(share for row in curve for share in row[1:] if share is not None)]), 0.02)), 294, 34)
    kinds: tuple[tuple[str, str, marks.Shape, int, MaybeEstimate], ...] = (
        ("random", "random", "base", 4, captured.random),
        (f"{v.money} alone", "base", "base", 3, captured.arr_alone),
        ("the score", "score", "score", 1, captured.score),
        (f"score {words.TIMES} {v.money}", "second", "second", 2, captured.score_times_arr),
    )
    lines, labels, whiskers = _band_areas(captured, x, y), [], []
    for place, (name, dash, shape, column, value) in enumerate(kinds):
        points = [(x(row[0]), y(share)) for row in curve if (share := row[column]) is not None]
        if not points:
            continue
        lines.append(path(points, shape, marks.STROKES[dash]))
        labels.append((points[-1][1], name, shape))
        if isinstance(value, Estimate):
            whiskers.append(_upright(value, x(captured.capacity) + 0.7 * (place - 1.5), y, shape))
    parts = [*grid(y), marks.stretched(lines, 320), foot(294), *_capacity_axis(x), *share_labels(y, f"of {v.lost_money}")]
    parts += [line(x(captured.capacity), 24, x(captured.capacity), 294, "ax", "2 3"), *whiskers, *end_labels(labels, 79)]
    parts.append(
        text(x(captured.capacity), 18, f"your capacity, {captured.capacity}", "middle" if x(captured.capacity) > 14 else "start", "halo")
    )
    return chart(parts, 320, claim)


def _bands_near(bands: Sequence[CurveBand], last: int) -> list[list[tuple[int, float, float]]]:
    """(capacity, low, high) of each way of choosing in the order drawn: random, ARR alone, score x ARR, score."""
    near = [band for band in bands if band.capacity <= last]
    ways = [[(b.capacity, b.random) for b in near], [(b.capacity, b.arr_alone) for b in near]]
    ways.append([(b.capacity, b.score_times_arr) for b in near if b.score_times_arr])
    ways.append([(b.capacity, b.score) for b in near])
    return [_from_where_told([(k, *ends) for k, ends in way]) for way in ways] if near else []


def _from_where_told(band: list[tuple[int, float, float]]) -> list[tuple[int, float, float]]:
    """A band from where enough is reached to have one. At less its ends are wide open, and would close as more is reached."""
    closing = [i for i, (before, after) in enumerate(itertools.pairwise(band)) if before[2] > after[2] + 1e-9]
    return band[closing[-1] + 1 :] if closing else [(0, 0.0, 0.0), *band]


def _band_areas(captured: CapturedArr, x: Scale, y: Scale) -> list[Markup]:
    """Filled for the score; outlined for the baselines, so that four bands can be told apart where they cross."""
    near = _bands_near(captured.bands, int(x.high))
    areas = []
    for shape, band in zip(("random", "base", "second", "score"), near, strict=False):
        upper, lower = [(x(k), y(high)) for k, _, high in band], [(x(k), y(low)) for k, low, _ in band]
        if shape in ("second", "score"):
            areas.append(marks.area(upper, lower, shape))
        else:
            areas += [path(ends, "base edge", marks.STROKES[shape]) for ends in (upper, lower)]
    return areas


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
        text(x(t), 311, f"{t:,.0f}{' a month' if t == last else ''}", anchor(x(t)), "wide" if i % 2 and t != last else None)
        for i, t in enumerate(ticks)
    ]


def grid(y: Scale) -> list[Markup]:
    return [grid_line(y(t)) for t in y.ticks(5) if t > 0]


def share_labels(y: Scale, of: str) -> list[Markup]:
    """Labels that stand on the grid's lines; the highest says what is counted."""
    shown = [t for t in y.ticks(5) if t > 0]
    decimals = 0 if all((100 * t).is_integer() or abs(100 * t - round(100 * t)) < 1e-9 for t in shown) else 1
    said = [words.percent(t, decimals) if of != "AUC" else f"{t:.1f}" for t in shown]
    return [text(0, y(t) - 5, f"{label}{f' {of}' if t == shown[-1] else ''}", class_="halo") for t, label in zip(shown, said, strict=True)]


def grid_line(y: float) -> Markup:
    return line(0, y, 100, y, "g")


def foot(y: float) -> Markup:
    return line(0, y, 100, y, "ax")


def anchor(x: float, near_end: float = 97) -> str:
    return "start" if x < 3 else "end" if x > near_end else "middle"


def top(value: float, step: float) -> float:
    """A little above `value`, and at least one step."""
    return max(step, value * 1.04)


def end_labels(labels: list[tuple[float, str, marks.Shape]], x: float) -> list[Markup]:
    """Names at the ends of their lines, moved apart where two would touch."""
    ordered = sorted(labels)
    heights = [y for y, _, _ in ordered]
    for i in range(len(heights) - 2, -1, -1):
        heights[i] = min(heights[i], heights[i + 1] - LABEL_GAP)
    for i in range(len(heights)):
        heights[i] = max(heights[i], heights[i - 1] + LABEL_GAP if i else LABEL_GAP)
    return [text(x, y + 4, name, "start", f"{DIRECT} {shape}") for y, (_, name, shape) in zip(heights, ordered, strict=True)]
