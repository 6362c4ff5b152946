"""Charts over time: the score's path to the due date, quarters, a unit's own path, and the Goodhart gap. Inline SVG."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable, Sequence

from markupsafe import Markup, escape

from unspun.audit.result import GamingPoint, GroupRow, LeadPoint, LeadTime, ListedUnit
from unspun.audit.vocabulary import Vocabulary
from unspun.reports import marks, words
from unspun.reports.charts import anchor, end_labels, foot, grid, grid_line, share_labels
from unspun.reports.marks import Scale, at, chart, dot, joined, line, path, tag, text
from unspun.stats.estimate import Estimate, MaybeEstimate

Read = Callable[[LeadPoint], MaybeEstimate]
PATH_DAYS = 360
LEFT = 7  # per cent left free for the labels of the scale
QUARTERS_LEFT = 10  # and where one of them says what a coin is
GAP_DAYS = 62  # a longer silence is drawn as a grey block, never a line across it


def score_paths_chart(lead: LeadTime, looked_at_days: int, claim: str, v: Vocabulary) -> Markup:
    """Mean score by days before the due date, of those lost and those kept, with pointwise bands."""
    points = sorted(lead.points, key=lambda p: -p.days_before)
    held = [e for p in points for e in (p.churned_score, p.renewed_score) if isinstance(e, Estimate)]
    spread = marks.scale_over((end for e in held for end in (e.low, e.high)), margin=0.12)
    y = Scale(spread.low, spread.high, 264, 34)
    shown = y.ticks(4)
    step = shown[1] - shown[0] if len(shown) > 1 else 1.0
    decimals = 0 if step >= 1 else 1 if step >= 0.1 else 2
    said = [words.number(t, decimals) for t in shown]
    labels = [text(0, y(t) - 5, f"score {one}" if t == shown[-1] else one, class_="halo") for t, one in zip(shown, said, strict=True)]
    drawn = [grid_line(y(t)) for t in shown], labels
    series: list[tuple[str, marks.Shape, Read]] = [
        (v.kept, "renew", lambda p: p.renewed_score),
        (v.lost, "churn", lambda p: p.churned_score),
    ]
    return _by_lead(points, series, looked_at_days, y, drawn, claim)


def alarm_chart(lead: LeadTime, looked_at_days: int, claim: str, v: Vocabulary) -> Markup:
    """Share in alarm by days before the due date, of those lost and those kept; or the AUC where no share could be estimated."""
    points = sorted(lead.points, key=lambda p: -p.days_before)
    series: list[tuple[str, marks.Shape, Read]] = [
        (v.kept, "renew", lambda p: p.renewed_in_alarm),
        (v.lost, "churn", lambda p: p.churned_in_alarm),
    ]
    if not any(isinstance(of(p), Estimate) for _, _, of in series for p in points):
        series = [("AUC", "score", lambda p: p.auc)]
    known = [e for _, _, of in series for p in points if isinstance(e := of(p), Estimate)]
    y = _share_scale([0.0, *(e.high for e in known)], 264, 34)
    drawn = grid(y), share_labels(y, "in alarm" if len(series) > 1 else "AUC")
    return _by_lead(points, series, looked_at_days, y, drawn, claim)


def _by_lead(
    points: Sequence[LeadPoint],
    series: Sequence[tuple[str, marks.Shape, Read]],
    looked_at_days: int,
    y: Scale,
    drawn: tuple[list[Markup], list[Markup]],  # the grid, and its labels
    claim: str,
) -> Markup:
    longest = max(p.days_before for p in points)
    x = Scale(-longest, 0, LEFT, 84)
    lines, labels = [], []
    for name, shape, of in series:
        told = [(x(-p.days_before), e) for p in points if isinstance(e := of(p), Estimate)]
        if not told:
            continue
        lines.append(marks.area([(at_x, y(e.high)) for at_x, e in told], [(at_x, y(e.low)) for at_x, e in told], shape))
        lines.append(path([(at_x, y(e.point)) for at_x, e in told], shape, marks.STROKES[shape]))
        labels.append((y(told[-1][1].point), words.shorten(name, 14), shape))
    parts = [*drawn[0], marks.stretched(lines, 290), foot(264), *drawn[1], *_lead_axis(x, longest)]
    if looked_at_days <= longest:
        marked = x(-looked_at_days)
        parts.append(line(marked, 24, marked, 264, "ax", "2 3"))
        parts.append(text(marked, 18, f"looked at, {looked_at_days} days", anchor(marked, 70), "halo"))
    return chart([*parts, *end_labels(labels, 86)], 290, claim)


def _lead_axis(x: Scale, longest: int) -> list[Markup]:
    first = tag("tspan", " days", class_="wide")
    parts = [text(x(-longest), 281, joined([escape(longest), first, escape(" before")])), text(x(0), 281, "due", "middle")]
    ticks = [days for days in (30, 90, 180, 270) if 24 < x(-days) < 80 and days < longest * 0.85]
    return parts + [text(x(-days), 281, days, "middle", "wide" if x(-days) < 36 or days == 30 else None) for days in ticks]


def quarters_chart(quarters: Sequence[GroupRow], claim: str) -> Markup:
    """AUC by quarter with its interval; hollow in training, filled in the test; a grey block where none could be estimated."""
    known = [q.auc for q in quarters if isinstance(q.auc, Estimate)]
    spread = marks.scale_over((end for e in known for end in (e.low, e.high)), around=0.5, step=0.1, margin=0.02)
    y = Scale(max(0.0, spread.low), min(1.0, spread.high), 244, 46)
    width = (100 - QUARTERS_LEFT) / len(quarters)
    first_test = next((i for i, q in enumerate(quarters) if q.in_test), None)
    parts = [] if first_test is None else _periods(first_test, width)
    ticks = [t for t in y.ticks(4) if abs(y(t) - y(0.5)) > 20]
    parts += [*(grid_line(y(t)) for t in ticks), line(0, y(0.5), 100, y(0.5), "ax", "2 3"), foot(244)]
    for i, quarter in enumerate(quarters):
        middle = QUARTERS_LEFT + width * (i + 0.5)
        parts += [_quarter_mark(quarter, middle, width, y), *_quarter_label(quarter.group, i, len(quarters), middle, 261)]
    coin = joined([escape("0.5"), tag("tspan", ", a coin", class_="wide")])
    parts += [text(0, y(t) - 5, f"{t:.1f}", class_="halo") for t in ticks] + [text(0, y(0.5) - 5, coin, class_="halo")]
    return chart(parts, 270, claim)


def _periods(first_test: int, width: float) -> list[Markup]:
    start = QUARTERS_LEFT + first_test * width
    shade = tag("rect", x=at(start), width=at(100 - start), y=0, height=244, class_="sunk")
    labels = [text(start + 1, 16, "test period")] + ([text(QUARTERS_LEFT + 0.7, 16, "training")] if first_test else [])
    return [shade, *labels]


def _quarter_mark(quarter: GroupRow, middle: float, width: float, y: Scale) -> Markup:
    if not isinstance(quarter.auc, Estimate):
        return tag("rect", x=at(middle - width / 3), width=at(width / 1.5), y=46, height=198, class_="hatch")
    mark = line(middle, y(quarter.auc.low), middle, y(quarter.auc.high)) + dot(
        "score" if quarter.in_test else "training", middle, y(quarter.auc.point)
    )
    return tag("g", mark, class_="score")


def _quarter_label(group: str, index: int, total: int, middle: float, at_y: int) -> list[Markup]:
    """Q1 25, then Q2, Q3 ...; where there are many, only the first of each year."""
    found = re.fullmatch(r"(\d{4})\D*([1-4])", group)
    if not found:
        return [text(middle, at_y, words.shorten(group, 10), "middle")] if total <= 6 or index % (total // 6 + 1) == 0 else []
    year, quarter = found.groups()
    if total > 9:
        return [text(middle, at_y, year, "middle")] if quarter == "1" or (index == 0 and quarter in "23") else []
    return [text(middle, at_y, f"Q{quarter} {year[2:]}" if index == 0 or quarter == "1" else f"Q{quarter}", "middle")]


def sparkline(unit: ListedUnit, low: float, high: float) -> Markup:
    """A listed unit's score over the year before the due date on the list's own scale, with a mark where it was looked at.

    A silence of more than two months is a grey block. The number beside it says what the mark says.
    """
    x, y = Scale(-PATH_DAYS, 0, 0, 96), Scale(low, high, 24, 4)
    if high <= low or len(unit.history) < 2:
        return tag("svg", "", class_="mini", width="100%", height=28, aria_hidden="true")
    told = [(x(-days), y(value), days) for days, value in unit.history]
    runs, gaps = [[told[0]]], []
    for before, after in itertools.pairwise(told):
        if before[2] - after[2] > GAP_DAYS:
            gaps.append(tag("rect", x=at(before[0]), width=at(after[0] - before[0]), y=2, height=24, class_="hatch"))
            runs.append([])
        runs[-1].append(after)
    lines = [path([(px, py) for px, py, _ in run], "score thin") for run in runs if len(run) > 1]
    looked = (unit.due - unit.looked_at).days
    mark = [tag("circle", class_="f", cx=at(x(-looked)), cy=y(unit.score), r=2.75)] if 0 <= looked <= PATH_DAYS else []
    inner = [*gaps, marks.stretched(lines, 28), *mark]
    return tag("svg", joined(inner), class_="mini score", width="100%", height=28, aria_hidden="true")


def goodhart_chart(points: Sequence[GamingPoint], claim: str, v: Vocabulary) -> Markup:
    """The share that was kept, with its intervals, against the share that the score implied, by quarter."""
    shares = [end for p in points for end in _ends(p)]
    y = _share_scale(shares, 224, 34)
    width = (84 - LEFT) / len(points)
    middles = [LEFT + width * (i + 0.5) for i in range(len(points))]
    implied = [(m, y(p.implied)) for m, p in zip(middles, points, strict=True) if p.implied is not None]
    kept = [(m, p.renewed) for m, p in zip(middles, points, strict=True) if isinstance(p.renewed, Estimate)]
    lines = [path(implied, "score", "")] if implied else []
    lines += [path([(m, y(e.point)) for m, e in kept], "renew", "")] if kept else []
    parts = [*grid(y), marks.stretched(lines, 250), foot(224), *share_labels(y, v.kept)]
    parts += [tag("g", joined([line(m, y(e.low), m, y(e.high)), dot("renew", m, y(e.point))]), class_="renew") for m, e in kept]
    labels: list[tuple[float, str, marks.Shape]] = []
    if implied:
        labels.append((implied[-1][1], "implied", "score"))
    if kept:
        labels.append((y(kept[-1][1].point), v.kept, "renew"))
    for i, (middle, point) in enumerate(zip(middles, points, strict=True)):
        parts += _quarter_label(point.period, i, len(points), middle, 241)
    return chart([*parts, *end_labels(labels, 86)], 250, claim)


def _share_scale(shares: Sequence[float], foot_y: float, top_y: float) -> Scale:
    """A scale of shares whose highest gridline lies above all that is drawn, so that its label is in nothing's way."""
    low, high = min(shares), max(shares)
    step = marks.nice_step(max(high - low, 0.01) / 5)
    return Scale(max(0.0, math.floor(low / step) * step), min(1.0, math.ceil(round(high / step, 9)) * step), foot_y, top_y)


def _ends(point: GamingPoint) -> list[float]:
    held = [] if point.implied is None else [point.implied]
    return held + ([point.renewed.low, point.renewed.high] if isinstance(point.renewed, Estimate) else [])
