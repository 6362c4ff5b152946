"""Series made of others: arithmetic on doubles from left to right, the first operand without a value giving the reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import fsum, sqrt

from unspun.engines.reference.answers import Answer, Book, Missing, Moment, Value
from unspun.engines.reference.fitting import compares, is_same
from unspun.engines.reference.measures import measure_value
from unspun.engines.reference.standing import standing_value
from unspun.metrics.conditions import AllOf, Condition
from unspun.metrics.missing import FEWEST_PEERS
from unspun.metrics.nodes import (
    Add,
    Arr,
    Attribute,
    Before,
    Case,
    Change,
    Constant,
    Criterion,
    DaysToEnd,
    Multiply,
    Open,
    Ratio,
    Reference,
    Rows,
    Seats,
    Series,
    Share,
    Shareable,
    Subtract,
    Trend,
    ZScore,
)

Arithmetic = Ratio | Share | Add | Multiply | Subtract | Change | Trend
ZScoreOf = Callable[[ZScore], Answer]
"""The z-score of the account: it needs the values of all the others."""


def value_of(book: Book, series: Series, moment: Moment, z_score: ZScoreOf) -> Answer:
    """A series for an account at a moment, or why it has no value."""

    def value(part: Series, shift_days: int = 0) -> Answer:
        return value_of(book, part, Moment(moment.account, moment.as_of, moment.shift_days + shift_days), z_score)

    match series:
        case Constant(number):
            return number
        case Reference(metric):
            return value(book.question.metrics.metric(metric).series)
        case Before(of, days):
            return value(of, days)
        case Case():
            return _case(series, value)
        case ZScore():
            return z_score(series)
        case Open() | Attribute() | Arr() | Seats() | DaysToEnd():
            return standing_value(book, series, moment)
        case Ratio() | Share() | Add() | Multiply() | Subtract() | Change() | Trend():
            return _arithmetic(series, value)
        case measure:
            return measure_value(book, measure, moment)


def _arithmetic(series: Arithmetic, value: Callable[..., Answer]) -> Answer:
    """Of series that are computed from numbers, in the order in which the definition names them."""
    match series:
        case Ratio(one, other):
            return _computed([value(one), value(other)], _ratio)
        case Share(of, where):
            return _computed([value(_restricted(of, where)), value(of)], _ratio)
        case Add(parts):
            return _computed([value(part) for part in parts], _sum)
        case Multiply(parts):
            return _computed([value(part) for part in parts], _product)
        case Subtract(one, other):
            return _computed([value(one), value(other)], _difference)
        case Change(of, days, relative):
            return _computed([value(of), value(of, days)], _growth if relative else _difference)
        case Trend(of, steps, step_days):
            return _computed([value(of, step * step_days) for step in reversed(range(steps))], _slope)


def _computed(answers: Sequence[Answer], compute: Callable[[list[float]], Answer]) -> Answer:
    missing = next((answer for answer in answers if isinstance(answer, Missing)), None)
    return missing or compute([float(answer) for answer in answers])  # pyright: ignore[reportArgumentType]


def _ratio(numbers: list[float]) -> Answer:
    return numbers[0] / numbers[1] if numbers[1] else Missing("zero_denominator")


def _difference(numbers: list[float]) -> float:
    return numbers[0] - numbers[1]


def _growth(numbers: list[float]) -> Answer:
    return _ratio([numbers[0] - numbers[1], numbers[1]])


def _sum(numbers: list[float]) -> float:
    total = numbers[0]
    for number in numbers[1:]:  # from left to right: `sum` compensates for rounding, which engines do not
        total += number
    return total


def _product(numbers: list[float]) -> float:
    total = numbers[0]
    for number in numbers[1:]:
        total *= number
    return total


def _slope(numbers: list[float]) -> float:
    """Of the least-squares line through numbers one step apart."""
    from_middle = [place - (len(numbers) - 1) / 2 for place in range(len(numbers))]
    return _sum([x * y for x, y in zip(from_middle, numbers, strict=True)]) / _sum([x * x for x in from_middle])


def _restricted(measure: Shareable, where: Condition) -> Shareable:
    rows = measure.rows
    both = where if rows.where is None else AllOf((rows.where, where))
    return replace(measure, rows=Rows(rows.table, both, rows.window))


def _case(case: Case, value: Callable[[Series], Answer]) -> Answer:
    for when in case.whens:
        holds = _holds(when.criteria, value)
        if isinstance(holds, Missing):
            return holds
        if holds:
            return value(when.then)
    return Missing("no_case") if case.otherwise is None else value(case.otherwise)


def _holds(criteria: Sequence[Criterion], value: Callable[[Series], Answer]) -> bool | Missing:
    """Whether all hold; the first that does not ends the asking, and the first asked that has no value gives the reason."""
    for criterion in criteria:
        answer = value(criterion.of)
        if isinstance(answer, Missing):
            return answer
        if not _meets(answer, criterion):
            return False
    return True


def _meets(answer: Value, criterion: Criterion) -> bool:
    if criterion.comparison == "is":
        return any(is_same(answer, value) for value in criterion.values)
    return compares(answer, criterion.comparison, criterion.values[0])


def z_score(own: Answer, group: Answer, peers: Sequence[float]) -> Answer:
    """Standard deviations (of a sample) above the mean of the peers, the account itself among them."""
    missing = next((answer for answer in (own, group) if isinstance(answer, Missing)), None)
    if missing is not None:
        return missing
    if len(peers) < FEWEST_PEERS or min(peers) == max(peers):
        return Missing("few_peers")
    mean = fsum(peers) / len(peers)
    deviation = sqrt(fsum((peer - mean) ** 2 for peer in peers) / (len(peers) - 1))
    return (float(own) - mean) / deviation  # pyright: ignore[reportArgumentType]
