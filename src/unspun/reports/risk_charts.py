"""The charts of renewal risk: risks on one scale, steps that add up, what was said against what was seen, curves. Inline SVG."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from unspun.audit.result import Calibration
from unspun.audit.vocabulary import CHURN
from unspun.reports import marks, words
from unspun.reports.charts import anchor, reliability_chart
from unspun.reports.evidence_charts import measure
from unspun.reports.marks import Scale, at, chart, joined, line, path, tag, text
from unspun.reports.risk_claims import Step, side_of
from unspun.risk.result import CurvePoint, ModelCheck, RenewalRisk, TermRecord
from unspun.stats.estimate import Estimate

SHAPES = {"above": ("churn", "f"), "holds": ("score", "o"), "below": ("renew", "f")}
OUTCOME_SHAPES = {"churn": ("churn", "f"), "contraction": ("churn", "o"), "flat": ("renew", "o"), "expansion": ("renew", "f")}
ROW, STEP = 14, 30  # pixels
CURVE_HEIGHT, CURVE_TOP, CURVE_FOOT, CURVE_LEFT = 176, 12, 150, 11
MOST_DOUBLINGS = 3  # of the odds, either way, that a curve is drawn over
DOUBLING_WORDS = {0: "1", 1: "2", 2: "4", 3: "8", -1: "½", -2: "¼", -3: "⅛"}


def risk_scale(some: Iterable[RenewalRisk]) -> Scale:
    """One scale for the risks of a list, from nought."""
    ends = [end for one in some if isinstance(one.churn, Estimate) for end in (one.churn.high, one.typical or 0.0)]
    return Scale(0.0, min(1.0, 1.04 * max([0.2, *ends])), 2, 98)


def risk_mark(one: RenewalRisk, scale: Scale, height: int = ROW) -> Markup:
    """The risk and its interval, with an upright line at what is typical; filled where the whole interval is on one side of it."""
    if not isinstance(one.churn, Estimate):
        return marks.no_whisker(Scale(0, 1), None, height)
    colour, mark = SHAPES[side_of(one)]
    typical = [line(scale(one.typical), 0, scale(one.typical), height, "ax")] if one.typical is not None else []
    return _svg([*typical, *_whisker(one.churn, scale, height / 2, mark)], colour, height)


def outcome_mark(name: str, value: Estimate, scale: Scale, height: int = 22) -> Markup:
    """Lost is vermilion, kept is teal; the whole of it filled, a part hollow."""
    colour, mark = OUTCOME_SHAPES[name]
    return _svg(_whisker(value, scale, height / 2, mark), colour, height)


def lost_mark(lost: Estimate, arr: float, scale: Scale) -> Markup:
    """The share of the ARR that is expected to be lost."""
    part = Estimate(lost.point / arr, lost.low / arr, lost.high / arr, lost.method, lost.n)
    return _svg([line(0, ROW / 2, 100, ROW / 2, "ax"), *_whisker(part, scale, ROW / 2, "f")], "churn", ROW)


def _whisker(value: Estimate, scale: Scale, middle: float, mark: str) -> list[Markup]:
    dot = tag("circle", class_=mark, cx=at(scale(value.point)), cy=middle, r=3.75)
    return [line(scale(value.low), middle, scale(value.high), middle), dot]


def _svg(parts: Iterable[Markup], colour: str, height: int) -> Markup:
    return tag("svg", joined(parts), class_=colour, width="100%", height=height, aria_hidden="true")


def steps_scale(one: RenewalRisk, steps: Sequence[Step]) -> Scale:
    """One scale for the steps and the interval that they end in."""
    ends = [value for step in steps for value in (step.before, step.after)]
    ends += [one.churn.low, one.churn.high] if isinstance(one.churn, Estimate) else []
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = 0.06 * (high - low) or 0.05
    return Scale(max(0.0, low - room) if low >= 0 else low - room, min(1.0, high + room))


def steps_axis(scale: Scale) -> Markup:
    """Percents above the steps."""
    return tag(
        "svg",
        joined(text(scale(t), 11, words.percent(t, _digits(scale)), anchor(scale(t)), _wide(i)) for i, t in enumerate(scale.ticks(4))),
        width="100%",
        height=14,
        aria_hidden="true",
    )


def _wide(place: int) -> str | None:
    return "wide" if place % 2 else None


def _digits(scale: Scale) -> int:
    return 1 if scale.high - scale.low < 0.05 else 0


def _ground(scale: Scale) -> list[Markup]:
    return [line(scale(t), 0, scale(t), STEP, "g") for t in scale.ticks(4)]


def start_mark(typical: float, scale: Scale) -> Markup:
    """Where the steps begin: hollow and grey, a reference."""
    dot = tag("circle", class_="o base", cx=at(scale(typical)), cy=STEP / 2, r=4)
    return _svg([*_ground(scale), dot, line(scale(typical), STEP / 2 + 4, scale(typical), STEP, "ax")], "base", STEP)


def step_mark(step: Step, scale: Scale, *, small: bool) -> Markup:
    """A bar from where the step before ended to where this one does; grey for all that is too small to tell."""
    first, last = sorted((scale(step.before), scale(step.after)))
    parts = [
        *_ground(scale),
        line(scale(step.before), 0, scale(step.before), 9, "ax"),
        tag("rect", x=at(first), width=at(round(max(last - first, 0.3), 2)), y=9, height=12, fill="currentColor"),
        line(scale(step.after), 21, scale(step.after), STEP, "ax"),
    ]
    return _svg(parts, "base" if small else "churn" if step.raises else "renew", STEP)


def end_mark(one: RenewalRisk, scale: Scale) -> Markup:
    """The risk that the steps end at, with its interval."""
    held = _whisker(one.churn, scale, STEP / 2, "f") if isinstance(one.churn, Estimate) else []
    return _svg([*_ground(scale), *held], "score", STEP)


def calibration_chart(check: ModelCheck, claim: str) -> Markup:
    """What was said against what was seen on later renewals; empty where nothing is to be drawn."""
    if not check.bins:
        return Markup("")
    measured = (check.slope, check.intercept, check.expected_over_observed, check.brier, check.brier)
    drawn = Calibration("", check.n, check.n_churned, *measured, 0.0, 0.0, 0.0, check.bins)  # of these the chart draws the bins alone
    return reliability_chart(drawn, claim, CHURN)


def curve_chart(term: TermRecord, doublings: int, claim: str) -> Markup:
    """What the term does to the odds of churn along its values, with its band; `doublings` is the common scale, either way."""
    y = Scale(-doublings * math.log(2), doublings * math.log(2), CURVE_FOOT, CURVE_TOP)
    parts = [part for k in range(-doublings, doublings + 1) for part in _odds_line(k, doublings, y)]
    numbers = [point for point in term.curve if not isinstance(point.at, str)]
    drawn = _line_parts(numbers, y) if numbers else _category_parts(term.curve, y)
    return chart([*parts, *drawn], CURVE_HEIGHT, claim)


def _odds_line(doubling: int, doublings: int, y: Scale) -> list[Markup]:
    at_height = y(doubling * math.log(2))
    shown = doubling % 2 == 0 or doublings < MOST_DOUBLINGS
    label = [text(0, at_height + 4, f"{words.TIMES}{DOUBLING_WORDS[doubling]}", class_="halo")] if shown else []
    return [line(CURVE_LEFT, at_height, 100, at_height, "ax" if doubling == 0 else "g"), *label]


def _line_parts(points: Sequence[CurvePoint], y: Scale) -> list[Markup]:
    """A line with its band, and some round values below."""
    found = [float(point.at) for point in points]
    x = Scale(min(found), max(found) if max(found) > min(found) else min(found) + 1, CURVE_LEFT + 1, 99)
    drawn = [(x(float(point.at)), point) for point in points]
    upper, lower = [(across, y(point.high)) for across, point in drawn], [(across, y(point.low)) for across, point in drawn]
    middle = path([(across, y(point.log_odds)) for across, point in drawn], "score")
    band = marks.stretched([marks.area(upper, lower, "score"), middle], CURVE_FOOT + 1)
    ticks = [text(x(value), CURVE_HEIGHT - 8, measure(value), anchor(x(value), 92)) for value in x.ticks(3)]
    return [tag("g", band, class_="score"), *ticks]


def _category_parts(points: Sequence[CurvePoint], y: Scale) -> list[Markup]:
    """A dot and whisker a category, named below by number; the names stand in the table beside."""
    parts: list[Markup] = []
    for place, point in enumerate(points):
        across = round(CURVE_LEFT + (100 - CURVE_LEFT) * (place + 0.5) / len(points), 2)
        upright = line(across, y(point.low), across, y(point.high))
        dot = tag("circle", class_="f", cx=at(across), cy=y(point.log_odds), r=4)
        parts += [tag("g", joined([upright, dot]), class_="score"), text(across, CURVE_HEIGHT - 8, place + 1, "middle")]
    return parts


def doublings_of(terms: Iterable[TermRecord]) -> int:
    """The common scale of curves: so many doublings of the odds that all of them fit, within MOST_DOUBLINGS."""
    ends = [abs(point.log_odds) for term in terms for point in term.curve]
    return min(MOST_DOUBLINGS, max(1, math.ceil(max(ends, default=1.0) / math.log(2))))
