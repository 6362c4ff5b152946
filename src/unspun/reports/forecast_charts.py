"""The charts of a forecast: the ARR fan, and what falls due by month with what is expected to be kept of it. Inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from unspun.reports import forecast_words as fw
from unspun.reports import marks
from unspun.reports.charts import anchor, end_labels, foot, grid_line
from unspun.reports.forecast_claims import due_in_all, money_of
from unspun.reports.marks import Point, Scale, Shape, at, chart, joined, line, path, tag, text
from unspun.reports.retention_charts import short_month
from unspun.risk.forecast.result import ArrFan, GroupForecast, MoneyForecast, Predicted

HEIGHT, BOTTOM, TOP = 300, 264, 28
LEFT, RIGHT = 12, 76  # per cent; to the right stand the names of the lines
LOW_95, LOW_80, HIGH_80, HIGH_95 = 0, 1, 5, 6  # places in FAN_QUANTILES
BAR = 0.62  # of the room of a month
WIDEST_BAR = 6.0  # per cent
MOST_DAYS = 5  # labels


def fan_chart(fan: ArrFan, claim: str) -> Markup:
    """The ARR of today's customers over the horizon: expected, and the bands that hold it in 80 and in 95 of 100 paths."""
    first = fan.points[0].day
    x = Scale(0, max(1, (fan.points[-1].day - first).days), LEFT, RIGHT)
    y = _amounts([*(end for one in fan.points for end in one.quantiles), float(fan.opening)])
    places = [x((one.day - first).days) for one in fan.points]

    def ends(which: int) -> list[Point]:
        return [(place, y(one.quantiles[which])) for place, one in zip(places, fan.points, strict=True)]

    opening, expected = y(float(fan.opening)), [(place, y(one.mean)) for place, one in zip(places, fan.points, strict=True)]
    drawn = [marks.area(ends(HIGH_95), ends(LOW_95), "score"), marks.area(ends(HIGH_80), ends(LOW_80), "score")]
    drawn += [path([(LEFT, opening), (RIGHT, opening)], "base thin", marks.STROKES["base"]), path(expected, "score")]
    parts = [*_grid(y), *_labels(y, fan.currency), marks.stretched(drawn, HEIGHT), foot(BOTTOM), *_days(fan, x)]
    return chart([*parts, *end_labels(_names(fan, y), RIGHT + 1.5)], HEIGHT, claim)


def _names(fan: ArrFan, y: Scale) -> list[tuple[float, str, Shape]]:
    """What stands at the lines' ends: today's ARR, the expected end, and the ends of the 95 % band."""
    last = fan.points[-1]
    told: list[tuple[float, str, Shape]] = [
        (y(float(fan.opening)), _named("today ", float(fan.opening), fan), "base"),
        (y(last.mean), _named("expected ", last.mean, fan), "score"),
    ]
    return [*told, *((y(last.quantiles[which]), _named("95\u00a0%: ", last.quantiles[which], fan), "score") for which in (LOW_95, HIGH_95))]


def _named(word: str, value: float, fan: ArrFan) -> Markup:
    """An amount with what it is; on a narrow page the amount alone, whose line tells."""
    return joined([tag("tspan", word, class_="wide"), escape(fw.amount(value, fan.currency))])


def _days(fan: ArrFan, x: Scale) -> list[Markup]:
    """The as-of date and every so manieth month's end; on a narrow page the first and the last."""
    points, first = fan.points, fan.points[0].day
    step = max(1, -(-(len(points) - 1) // MOST_DAYS))
    shown = [i for i in range(0, len(points) - 1, step) if i == 0 or len(points) - 1 - i >= step]
    return [
        text(
            x((points[i].day - first).days),
            BOTTOM + 18,
            short_month(f"{points[i].day:%Y-%m}"),
            anchor(x(0)) if not i else "middle",
            "wide" if i else None,
        )
        for i in shown
    ] + [text(RIGHT, BOTTOM + 18, short_month(f"{points[-1].day:%Y-%m}"), "middle")]


def months_chart(months: Sequence[GroupForecast], currency: str, claim: str) -> Markup:
    """A bar a month, as high as the ARR due: what is expected to be kept of it below, what is expected to be lost above.

    The whisker is the 95 % interval of what is kept. Without a forecast the bar is grey.
    """
    held = [(one, money_of(one, currency)) for one in months]
    y = Scale(0.0, max([due_in_all(money) for _, money in held if money is not None], default=1.0) * 1.06 or 1.0, BOTTOM, TOP)
    room = (96.0 - LEFT) / max(1, len(held))
    width = min(WIDEST_BAR, BAR * room)
    middles = [round(LEFT + room * (i + 0.5), 2) for i in range(len(held))]
    bars = [_bar(money, middle, width, y) for (_, money), middle in zip(held, middles, strict=True) if money is not None]
    parts = [*_grid(y), *_labels(y, currency), *bars, foot(BOTTOM), *_month_names([one.name for one, _ in held], middles)]
    return chart(parts, HEIGHT, claim)


def _bar(money: MoneyForecast, middle: float, width: float, y: Scale) -> Markup:
    due = due_in_all(money)
    if not isinstance(money.grr, Predicted):
        return tag("g", _part(middle, width, y(due), y(0)), class_="base")
    kept = money.grr.mean * due
    low, high = (y(end * due) for end in (money.grr.low_95, money.grr.high_95))
    parts = [
        tag("g", _part(middle, width, y(kept), y(0)), class_="renew"),
        tag("g", _part(middle, width, y(due), y(kept)), class_="churn"),
        tag("g", joined([line(middle, low, middle, high, "bound"), _cap(middle, width, low), _cap(middle, width, high)])),
    ]
    return joined(parts)


def _part(middle: float, width: float, upper: float, lower: float) -> Markup:
    return tag(
        "rect", class_="f", x=at(round(middle - width / 2, 2)), width=at(round(width, 2)), y=upper, height=round(max(0.0, lower - upper), 2)
    )


def _cap(middle: float, width: float, y: float) -> Markup:
    return line(round(middle - width / 6, 2), y, round(middle + width / 6, 2), y, "bound")


def _month_names(months: Sequence[str], middles: Sequence[float]) -> list[Markup]:
    """Every month by its short name where they fit, with the year at the first and at each January; on a narrow page every third."""
    step = max(1, -(-len(months) // 14))
    named = []
    for i in range(0, len(months), step):
        said = short_month(months[i])
        short = said[:3] if i and not months[i].endswith("-01") else said
        named.append(text(middles[i], BOTTOM + 18, short[:3], "middle", None if i % (3 * step) == 0 else "wide"))
        if len(short) > 3:
            touches = i == 0 and any(one.endswith("-01") for one in months[1:3])
            named.append(text(middles[i], BOTTOM + 33, months[i][:4], "middle", "wide" if touches else None))
    return named


def _amounts(values: Sequence[float]) -> Scale:
    low, high = min(values), max(values)
    margin = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return Scale(max(0.0, low - margin), high + margin, BOTTOM, TOP)


def _grid(y: Scale) -> list[Markup]:
    return [grid_line(y(t)) for t in y.ticks(5) if t > y.low]


def _labels(y: Scale, currency: str) -> list[Markup]:
    return [text(0, y(t) - 5, fw.round_amount(t, currency), class_="halo") for t in y.ticks(5) if t > y.low]


def probability_bar(probability: float, class_: str) -> Markup:
    """A probability as a part of one; the number beside it says it all."""
    bar = tag("rect", class_="count", width=at(round(100 * probability, 2)), height=8)
    return tag("svg", bar, class_=class_, width="100%", height=8, aria_hidden="true")
