"""Why a leaf of a metric has no value, as SQL: the number of a reason in `missing.REASON_CODES`, NULL where there is a value.

What depends on the as-of date alone (the days of windows, until when outages last) is worked out beforehand, a row a date.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from unspun.book.checks.finding import Span
from unspun.metrics.conditions import AllOf, Condition, IsIn, columns_of
from unspun.metrics.lower.local_day import day_number, number
from unspun.metrics.lower.units import FOREVER
from unspun.metrics.measure_nodes import columns_measured, conditions_of
from unspun.metrics.missing import REASON_CODES
from unspun.metrics.nodes import Funnel, Measure

ACCOUNTS = "accounts."
CODES = {reason: i for i, reason in enumerate(REASON_CODES)}


def code(reason: str) -> exp.Expr:
    """The number of a reason, as a literal of the smallest kind."""
    return exp.cast(number(CODES[reason]), "tinyint")


def reason_text(coded: exp.Expr) -> exp.Expr:
    """The reason's name of its number."""
    case = exp.Case(this=coded)
    for reason, i in CODES.items():
        case = case.when(number(i), exp.Literal.string(reason), copy=False)
    return case


def first_of(cases: Iterable[tuple[exp.Expr, str]]) -> exp.Expr:
    """The first reason whose condition holds; NULL where none does."""
    case = exp.Case()
    for condition, reason in cases:
        case = case.when(condition, code(reason), copy=False)
    return case if case.args.get("ifs") else exp.cast(exp.null(), "tinyint")


def bearing(spans: Sequence[Span], measure: Measure) -> tuple[Span, ...]:
    """The outages of a table that bear on a measure of it: those whose event, column or part of the book it does not exclude."""
    return tuple(span for span in spans if _bears(span, measure))


def accounts_part(span: Span) -> tuple[str, str] | None:
    """The column of accounts and the value to which an outage is limited; None: it is limited by no column of accounts."""
    if not span.where or not span.where[0].startswith(ACCOUNTS):
        return None
    return span.where[0].removeprefix(ACCOUNTS), span.where[1]


def _bears(span: Span, measure: Measure) -> bool:
    if span.event and _leaves_out(measure, "event", span.event):
        return False
    if span.measure and span.measure not in _read(measure):
        return False
    return not (span.where and _leaves_out(measure, *span.where))


def _leaves_out(measure: Measure, column: str, value: str) -> bool:
    """Whether the condition of the rows, or those of all steps, limit a column to other values than one."""
    steps = measure.steps if isinstance(measure, Funnel) else ()
    return _excludes(measure.rows.where, column, value) or (bool(steps) and all(_excludes(step, column, value) for step in steps))


def _read(measure: Measure) -> tuple[str, ...]:
    """The columns that a measure reads."""
    return (*columns_measured(measure), *(name for condition in conditions_of(measure) for name in columns_of(condition)))


def _excludes(condition: Condition | None, column: str, value: str) -> bool:
    """Whether a condition limits a column to other values than one; where that is not plain to see, it does not."""
    match condition:
        case IsIn(name, values):
            return name == column and value not in values and all(isinstance(one, str) for one in values)
        case AllOf(parts):
            return any(_excludes(part, column, value) for part in parts)
        case _:
            return False


def lasts_until(spans: Sequence[Span], day: int) -> int:
    """The last day of the outages that began by a day; where none did, a day before all days."""
    lasts = [FOREVER if span.last is None else day_number(span.last) for span in spans if day_number(span.first) <= day]
    return max(lasts, default=-FOREVER)


def touches_until(spans: Sequence[Span], first: exp.Expr, last: exp.Expr) -> exp.Expr:
    """Whether any outage has a day in common with the days `first` to `last`, of which `last` depends on the account."""
    found = [
        exp.and_(
            exp.LTE(this=number(day_number(span.first)), expression=last.copy()),
            exp.GTE(this=number(FOREVER if span.last is None else day_number(span.last)), expression=first.copy()),
        )
        for span in spans
    ]
    return exp.or_(*found)
