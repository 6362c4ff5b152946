"""Whether a source can bear witness: which days a measure depends on, and whether the table was filled on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from unspun.book.checks.finding import Span
from unspun.engines.reference.answers import Book, Missing, Moment
from unspun.engines.reference.rows import RowVersion
from unspun.engines.reference.sequences import funnel_days, funnel_depends_on, streak_depends_on, streak_length
from unspun.metrics.conditions import AllOf, Condition, IsIn, columns_of
from unspun.metrics.measure_nodes import columns_measured, conditions_of
from unspun.metrics.nodes import DaysSinceFirst, DaysSinceLast, DaysToFirst, Funnel, LastValue, Measure, Streak

Days = tuple[date, date]


def no_witness(book: Book, measure: Measure, moment: Moment, window: Days, counted: Sequence[RowVersion]) -> Missing | None:
    """Why the rows of a measure's table cannot tell its value: in the order of the reasons, the first that holds; None: they can.

    `window` are its days and `counted` its rows in them, in order.
    """
    table, rules = measure.rows.table, book.question.metrics.source(measure.rows.table)
    held = book.rows.days_held(table, moment.as_of, moment.day)
    if not held:
        return Missing("no_source")
    if rules.silent_days is not None and (moment.day - max(held)).days > rules.silent_days:
        return Missing("source_silent")
    seen = [row.day for row in book.rows.visible(table, moment.account, moment.as_of) if row.happened_by(moment.day) and row.day]
    depends = _depends_on(measure, _within_life(book, moment, window, min(seen, default=None)), counted, moment.as_of)
    if rules.silent_days is not None and book.birth(moment) is not None and depends[0] < min(held):
        return Missing("before_source")
    if not rules.covers_every_account and not seen:
        return Missing("not_seen")
    spans = book.question.outages.get(table, ())
    bad = (span for span in spans if can_bear(span, measure) and _may_be_of(book, span, moment))
    return Missing("outage") if any(_touches(span, depends) for span in bad) else None


def _within_life(book: Book, moment: Moment, window: Days, seen: date | None) -> Days:
    """The days of a window from the account's birth on; where that is not told, from its first row in the table on."""
    began = book.birth(moment) or seen
    return (window[0] if began is None else max(window[0], began), window[1])


def _depends_on(measure: Measure, window: Days, counted: Sequence[RowVersion], as_of: date) -> Days:
    """The days on which rows that are not there could change the value.

    What is known since a last row depends on the days from that row on; what is known of a first row on the days up to it.
    """
    days = [row.day for row in counted if row.day is not None]
    if days and isinstance(measure, LastValue | DaysSinceLast):
        return (days[-1], window[1])
    if days and isinstance(measure, DaysSinceFirst | DaysToFirst):
        return (window[0], days[0])
    if isinstance(measure, Streak) and measure.run == "current":
        return streak_depends_on(measure, window, streak_length(measure, window, days))
    if isinstance(measure, Funnel):
        return funnel_depends_on(measure, window, funnel_days(measure, counted, as_of))
    return window


def can_bear(span: Span, measure: Measure) -> bool:
    """Whether a tracking outage can have changed a measure: of its event, of its part of the book, of a column that it reads."""
    if span.event and _leaves_out(measure, "event", span.event):
        return False
    if span.where and _leaves_out(measure, *span.where):
        return False
    read = {*columns_measured(measure), *(column for condition in conditions_of(measure) for column in columns_of(condition))}
    return not span.measure or span.measure in read


def _leaves_out(measure: Measure, column: str, value: str) -> bool:
    """Whether no row in which a column has a value can count: by the condition of all rows, or by those of every step."""
    steps = measure.steps if isinstance(measure, Funnel) else ()
    by_steps = bool(steps) and all(_excludes(step, column, value) for step in steps)
    return by_steps or _excludes(measure.rows.where, column, value)


def _may_be_of(book: Book, span: Span, moment: Moment) -> bool:
    """Whether an account may be of the part of the accounts that an outage is limited to, by what was stated last of it."""
    if not span.where or not span.where[0].startswith("accounts."):
        return True
    stated = book.accounts.value(moment.account, span.where[0].removeprefix("accounts."), moment.as_of, moment.as_of)
    return not isinstance(stated, str) or stated == span.where[1]


def _excludes(where: Condition | None, column: str, value: str) -> bool:
    """Whether a condition plainly leaves out the rows in which a column has a value: it asks for others. What is less plain does not."""
    asked = [part for part in _parts(where) if isinstance(part, IsIn) and part.column == column]
    return any(value not in part.values for part in asked if all(isinstance(one, str) for one in part.values))


def _parts(where: Condition | None) -> Iterator[Condition]:
    match where:
        case None:
            return
        case AllOf(parts):
            for part in parts:
                yield from _parts(part)
        case _:
            yield where


def _touches(span: Span, days: Days) -> bool:
    return days[0] <= days[1] and span.touches(*days)
