"""Measures of rows in their order: streaks, time between, funnels; and percentiles, which put the cells in theirs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from itertools import pairwise

from unspun.engines.reference.fitting import fits
from unspun.engines.reference.rows import RowVersion, days_before
from unspun.metrics.nodes import Funnel, Streak

Days = tuple[date, date]


def quantile_of(numbers: Sequence[float], ten_thousandths: int) -> float:
    """Type 7 of Hyndman and Fan: of n numbers in order the one at place (n - 1) q, between two of them by the rest."""
    ordered = sorted(numbers)
    place, rest = divmod((len(ordered) - 1) * ten_thousandths, 10_000)
    if not rest:
        return ordered[place]
    return (ordered[place] * (10_000 - rest) + ordered[place + 1] * rest) / 10_000


def gaps_between(days: Collection[date]) -> list[int]:
    """How many days lie between each day with a row and the next."""
    return [(later - earlier).days for earlier, later in pairwise(sorted(set(days)))]


def streak_length(measure: Streak, window: Days, days: Collection[date]) -> int:
    """How many days, or weeks that begin in the window, follow each other in the run that is asked for."""
    size = 7 if measure.every == "week" else 1
    first = -(-(window[0].toordinal() - 1) // size)
    last = (window[1].toordinal() - 1) // size
    active = {place for day in days if (place := (day.toordinal() - 1) // size) >= first}
    if measure.run == "longest":
        return max((_run_to(place, active) for place in active), default=0)
    return _run_to(last, active) or (_run_to(last - 1, active) if measure.grace else 0)


def streak_depends_on(measure: Streak, window: Days, length: int) -> Days:
    """The days of a current run, and those just before it, a day of which would have made it longer."""
    before = length + (1 if measure.grace else 0)
    if measure.every == "week":
        monday = days_before(window[1], window[1].weekday())
        return max(window[0], days_before(monday, 7 * before)), window[1]
    return max(window[0], days_before(window[1], before)), window[1]


def funnel_days(measure: Funnel, rows: Sequence[RowVersion], as_of: date) -> list[date]:
    """The days of the steps that were reached; `rows` of the window are in their order."""
    reached: list[date] = []
    for row in rows:
        if row.day is None or len(reached) == len(measure.steps):
            break
        if reached and measure.within_days is not None and (row.day - reached[0]).days > measure.within_days:
            break
        if fits(measure.steps[len(reached)], lambda column, row=row: row.cell(column, as_of)):
            reached.append(row.day)
    return reached


def funnel_depends_on(measure: Funnel, window: Days, reached: Sequence[date]) -> Days:
    """The days on which a further row could change how far an account came: up to its last step, or until no step counts any more."""
    if len(reached) == len(measure.steps):
        return window[0], reached[-1]
    if not reached or measure.within_days is None:
        return window
    return window[0], min(window[1], date.fromordinal(min(date.max.toordinal(), reached[0].toordinal() + measure.within_days)))


def _run_to(place: int, active: Collection[int]) -> int:
    """How many places in a row are active, up to one."""
    length = 0
    while place - length in active:
        length += 1
    return length
