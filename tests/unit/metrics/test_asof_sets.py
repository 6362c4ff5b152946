"""As-of sets: which days the calendar gives, and which days lie before renewals."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.errors import BadInput
from unspun.metrics.asof import STEPS, Dates, Step
from unspun.metrics.asof_sets import as_of_days, before_renewals, calendar_dates, listed_dates

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))


def ends_a_period(day: date, step: Step, starts: int) -> bool:
    """Whether a day is the last of a period, said day by day."""
    is_month_end = day.day == monthrange(day.year, day.month)[1]
    following = day.month % 12 + 1
    return {
        "day": True,
        "week": day.isoweekday() == 7,
        "month": is_month_end,
        "quarter": is_month_end and (following - starts) % 3 == 0,
        "year": is_month_end and following == starts,
    }[step]


@given(st.sampled_from(STEPS), DAYS, st.integers(0, 900), st.integers(1, 12))
def test_the_dates_are_the_last_days_of_the_periods_that_end_in_the_span(step: Step, first: date, length: int, starts: int) -> None:
    last = first + timedelta(days=length)
    expected = tuple(day for n in range(length + 1) if ends_a_period(day := first + timedelta(days=n), step, starts))
    if not expected:
        with pytest.raises(BadInput):
            calendar_dates(step, first, last, starts)
    else:
        assert calendar_dates(step, first, last, starts).dates == expected


def test_a_leap_year_and_a_fiscal_year_that_begins_in_march() -> None:
    assert calendar_dates("month", date(2024, 2, 1), date(2024, 2, 29)).dates == (date(2024, 2, 29),)
    quarters = calendar_dates("quarter", date(2024, 1, 1), date(2024, 12, 31), 3).dates
    assert quarters == (date(2024, 2, 29), date(2024, 5, 31), date(2024, 8, 31), date(2024, 11, 30))
    assert calendar_dates("year", date(2023, 1, 1), date(2024, 12, 31), 3).dates == (date(2023, 2, 28), date(2024, 2, 29))


@pytest.mark.parametrize(("first", "last"), [(date(2026, 2, 1), date(2026, 1, 1)), (date(2026, 1, 1), date(2026, 1, 30))])
def test_a_span_in_which_nothing_ends_is_refused(first: date, last: date) -> None:
    with pytest.raises(BadInput):
        calendar_dates("month", first, last)


def test_too_many_dates_are_refused_before_they_are_made_and_the_last_day_there_is_does_no_harm() -> None:
    with pytest.raises(BadInput) as caught:
        calendar_dates("day", date(1, 1, 1), date.max)
    assert caught.value.faults[0].code == "too_many_dates"
    assert calendar_dates("year", date(9999, 1, 1), date.max).dates == (date.max,)


def test_dates_given_one_by_one_are_in_order_and_count_once() -> None:
    assert listed_dates([date(2026, 2, 1), date(2026, 1, 1), date(2026, 2, 1)]).dates == (date(2026, 1, 1), date(2026, 2, 1))
    with pytest.raises(BadInput):
        listed_dates([])


def test_days_before_renewals_count_back_from_each_due_day_across_the_end_of_february() -> None:
    asked = before_renewals([("B", date(2024, 3, 1)), ("A", date(2024, 3, 1)), ("A", date(2024, 3, 1))], (1, 30))
    assert asked.horizons_days == (30, 1)
    assert asked.dues == (("A", date(2024, 3, 1)), ("B", date(2024, 3, 1)))
    assert as_of_days(asked) == (date(2024, 1, 31), date(2024, 2, 29))
    assert as_of_days(Dates((date(2024, 1, 1),))) == (date(2024, 1, 1),)


@pytest.mark.parametrize("horizons", [(), (30, 30), (-1,), (10**6,)])
def test_horizons_that_cannot_be_are_refused(horizons: tuple[int, ...]) -> None:
    with pytest.raises(BadInput):
        before_renewals([("A", date(2024, 3, 1))], horizons)
