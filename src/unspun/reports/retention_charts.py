"""The charts of a retention report: rates over the months with their bands, and what came and went each month."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import cast

from markupsafe import Markup

from unspun.book.retention.result import Rate, RateName, Waterfall
from unspun.reports import marks, words
from unspun.reports.charts import anchor, end_labels, foot, grid, grid_line
from unspun.reports.marks import Scale, Shape, line, path, tag, text
from unspun.stats.estimate import Estimate

RATE_SHAPES: dict[RateName, tuple[str, Shape, str]] = {
    "grr": ("GRR", "score", ""),
    "nrr": ("NRR", "second", marks.STROKES["second"]),
    "logo": ("logos", "base", marks.STROKES["base"]),
}
GAINS, LOSSES = ("new", "expansion", "reactivation"), ("churn", "contraction")  # from the line outwards
SHADES = {"new": "1", "expansion": ".6", "reactivation": ".3", "churn": "1", "contraction": ".5"}
HEIGHT, BOTTOM, TOP = 300, 268, 24


def rates_chart(rates: Sequence[Rate], claim: str) -> Markup:
    """GRR, NRR and logo retention by the month in which the window closes; bands are their intervals.

    The chart begins with the first GRR: before it, a handful of accounts would say 100 % for months on end.
    """
    gross = [rate.month for rate in rates if rate.name == "grr" and isinstance(rate.estimate, Estimate)]
    known = _known([rate for rate in rates if not gross or rate.month >= gross[0]])
    months = sorted({rate.month for rate, _ in known})
    x, y = _month_scale(months), _share_scale([end for _, value in known for end in (value.low, value.high)])
    areas, lines, labels = [], [], []
    for name, (title, shape, dash) in RATE_SHAPES.items():
        points = [(x(months.index(rate.month)), value) for rate, value in known if rate.name == name]
        if not points:
            continue
        if name != "logo":
            areas.append(marks.area([(at, y(v.high)) for at, v in points], [(at, y(v.low)) for at, v in points], shape))
        lines.append(path([(at, y(v.point)) for at, v in points], shape, dash))
        labels.append((y(points[-1][1].point), f"{title} {words.percent(points[-1][1].point)}", shape))
    return _share_chart(months, y, [*areas, *lines], labels, claim)


def beside_chart(rates: Sequence[Rate], before: Sequence[Rate], claim: str) -> Markup:
    """GRR and NRR under two definitions: a solid line as it is now, a dashed one as it was before. Without bands, which would hide them."""
    known, earlier = _known(rates), _known(before)
    months = sorted({rate.month for rate, _ in (*known, *earlier) if rate.name != "logo"})
    shown = [value for rate, value in (*known, *earlier) if rate.name != "logo"]
    x, y = _month_scale(months), _share_scale([value.point for value in shown])
    lines, labels = [], []
    for name in ("grr", "nrr"):
        title, shape, _ = RATE_SHAPES[name]
        for dash, label, found in (("", title, known), ("6 4", f"{title} before", earlier)):
            points = [(x(months.index(rate.month)), y(value.point)) for rate, value in found if rate.name == name]
            if points:
                lines.append(path(points, shape, dash))
                labels.append((points[-1][1], label, shape))
    return _share_chart(months, y, lines, labels, claim)


def _known(rates: Sequence[Rate]) -> list[tuple[Rate, Estimate]]:
    return [(rate, rate.estimate) for rate in rates if isinstance(rate.estimate, Estimate)]


def _month_scale(months: Sequence[str]) -> Scale:
    return Scale(0, max(1, len(months) - 1), 10, 74)


def _share_chart(months: Sequence[str], y: Scale, lines: list[Markup], labels: list[tuple[float, str, Shape]], claim: str) -> Markup:
    parts = [*grid(y), *_share_labels(y), marks.stretched(lines, HEIGHT), foot(BOTTOM), *month_axis(months, _month_scale(months))]
    return marks.chart([*parts, *end_labels(labels, 75.5)], HEIGHT, claim)


def movements_chart(falls: Sequence[Waterfall], claim: str) -> Markup:
    """A bar up and a bar down for each month: what came (new, expansion, reactivation) and what went (churn, contraction).

    A month that opens with nothing is left out where others follow: all that is there then looks new.
    """
    falls = [fall for fall in falls if fall.opening] or list(falls)
    months = [fall.month for fall in falls]
    up, down = (max((_sum_of(fall, names) for fall in falls), default=0.0) for names in (GAINS, LOSSES))
    room = 0.06 * (up + down or 1.0)
    y = Scale(-down - room, up + room, BOTTOM, TOP)
    x = Scale(0, max(1, len(months) - 1), 11, 96)
    width = min(4.0, 0.7 * 85 / max(1, len(months)))
    bars = [bar for at, fall in enumerate(falls) for bar in _bars(fall, x(at), width, y)]
    parts = [
        *(grid_line(y(t)) for t in y.ticks(4)),
        *_money_labels(y, falls[0].part.currency if falls else ""),
        *bars,
        line(0, y(0), 100, y(0), "ax"),
    ]
    return marks.chart([*parts, *month_axis(months, x)], HEIGHT, claim)


def _sum_of(fall: Waterfall, names: Sequence[str]) -> float:
    return float(sum((amount(fall, name) for name in names), Decimal(0)))


def amount(fall: Waterfall, movement: str) -> Decimal:
    """The amount of one movement."""
    return cast("Decimal", getattr(fall, movement))


def month_axis(months: Sequence[str], x: Scale) -> list[Markup]:
    """Every so manieth month named, the first and last always, none so near the last that they touch; every second one on a narrow page."""
    step, last = max(1, -(-len(months) // 6)), len(months) - 1
    shown = [at for at in range(0, len(months), step) if at in (0, last) or last - at >= 1.5 * step]
    shown += [last] if last not in shown else []
    return [
        text(
            x(at), HEIGHT - 12, short_month(months[at]), anchor(x(at), 92), None if at in (0, last) or _fits(n, last - at, step) else "wide"
        )
        for n, at in enumerate(shown)
    ]


def _fits(place: int, from_last: int, step: int) -> bool:
    """Whether a label has room on a narrow page."""
    return place % 2 == 0 and from_last >= 2.5 * step


def short_month(month: str) -> str:
    """2023-12 as Dec 2023."""
    return f"{date.fromisoformat(f'{month}-01'):%b}{words.NBSP}{month[:4]}"


def _bars(fall: Waterfall, centre: float, width: float, y: Scale) -> list[Markup]:
    drawn = []
    for names, sign, class_ in ((GAINS, 1, "renew"), (LOSSES, -1, "churn")):
        base = 0.0
        for name in names:
            end = base + sign * float(amount(fall, name))
            upper, lower = sorted((y(base), y(end)))
            if lower > upper:
                fill = tag(
                    "rect",
                    class_="f",
                    x=marks.at(centre - width / 2),
                    width=marks.at(width),
                    y=upper,
                    height=round(lower - upper, 2),
                    fill_opacity=SHADES[name],
                )
                drawn.append(tag("g", fill, class_=class_))
            base = end
    return drawn


def _share_scale(ends: Sequence[float]) -> Scale:
    low, high = min([*ends, 0.9]), max([*ends, 1.0])
    room = 0.06 * (high - low)
    return Scale(max(0.0, low - room), high + room, BOTTOM, TOP)


def _share_labels(y: Scale) -> list[Markup]:
    return [text(0, y(t) - 5, words.percent(t), class_="halo") for t in y.ticks(5) if t > 0]


def _money_labels(y: Scale, currency: str) -> list[Markup]:
    return [
        text(
            0,
            y(t) - 5,
            ("+" if t > 0 else "") + words.money_short(t, currency or None).replace(".0k", "k").replace(".0M", "M"),
            class_="halo",
        )
        for t in y.ticks(4)
        if t
    ]
