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
    """GRR, NRR and logo retention by the month in which the window closes; bands are their intervals."""
    known = [(rate, rate.estimate) for rate in rates if isinstance(rate.estimate, Estimate)]
    months = sorted({rate.month for rate, _ in known})
    ends = [end for _, value in known for end in (value.low, value.high)]
    x, y = Scale(0, max(1, len(months) - 1), 8, 74), _share_scale(ends)
    areas, lines, labels = [], [], []
    for name, (title, shape, dash) in RATE_SHAPES.items():
        points = [(x(months.index(rate.month)), value) for rate, value in known if rate.name == name]
        if not points:
            continue
        if name != "logo":
            areas.append(marks.area([(at, y(v.high)) for at, v in points], [(at, y(v.low)) for at, v in points], shape))
        lines.append(path([(at, y(v.point)) for at, v in points], shape, dash))
        labels.append((y(points[-1][1].point), f"{title} {words.percent(points[-1][1].point)}", shape))
    parts = [*grid(y), *_share_labels(y), marks.stretched([*areas, *lines], HEIGHT), foot(BOTTOM), *month_axis(months, x)]
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
    """Every so manieth month named, the first and last always; the year where it begins."""
    step = max(1, -(-len(months) // 8))
    last = len(months) - 1
    shown = [at for at in range(0, len(months), step) if last - at >= step or at == last] + ([last] if last % step or last == 0 else [])
    return [
        text(x(at), HEIGHT - 12, short_month(months[at]), anchor(x(at), 92), "wide" if at not in (0, last) and n % 2 else None)
        for n, at in enumerate(dict.fromkeys(shown))
    ]


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
    shown = [t for t in y.ticks(5) if t > 0]
    return [text(0, y(t) - 5, f"{words.percent(t)}{' kept' if t == shown[-1] else ''}", class_="halo") for t in shown]


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
