"""Windows hold the days that a calendar says, leap days, ends of months and fiscal years among them."""

from __future__ import annotations

from calendar import monthrange
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.errors import BadInput
from unspun.metrics.windows import Days, FixedWindow, LastPeriod, Months, Period, ThisPeriod, first_of

DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))
STARTS = st.integers(1, 12)
PERIODS = st.sampled_from(("month", "quarter", "year"))
LENGTH: dict[Period, int] = {"month": 1, "quarter": 3, "year": 12}


def fiscal_number(day: date, period: Period, starts: int) -> int:
    """Counts months, fiscal quarters or fiscal years: the months since March of year 0, or whichever month starts the year, by length."""
    months = day.year * 12 + day.month - (1 if period == "month" else starts)
    return months // LENGTH[period]


def bounds(window: FixedWindow, day: date, starts: int = 1) -> tuple[date, date]:
    return window.first(day, starts), window.last(day, starts)


@given(DAYS, st.integers(1, 2_000))
def test_a_window_of_days_holds_so_many_days_and_ends_with_the_date(day: date, days: int) -> None:
    first, last = bounds(Days(days), day)
    assert last == day
    assert len(pd.date_range(first, last)) == days


@given(DAYS, st.integers(1, 60))
def test_a_window_of_months_begins_the_day_after_the_same_day_months_earlier(day: date, months: int) -> None:
    (earlier,) = (pd.DatetimeIndex([day]) - pd.DateOffset(months=months)).date
    assert bounds(Months(months), day) == (earlier + timedelta(days=1), day)


@given(DAYS, STARTS, PERIODS)
def test_a_period_to_date_holds_the_days_of_the_same_fiscal_period(day: date, starts: int, period: Period) -> None:
    first, last = bounds(ThisPeriod(period), day, starts)
    assert last == day
    number = fiscal_number(day, period, starts)
    held = [day - timedelta(days=back) for back in range(367) if fiscal_number(day - timedelta(days=back), period, starts) == number]
    assert (first, (last - first).days + 1) == (held[-1], len(held))


@given(DAYS, STARTS, PERIODS)
def test_the_last_period_is_the_whole_one_before(day: date, starts: int, period: Period) -> None:
    first, last = bounds(LastPeriod(period), day, starts)
    number = fiscal_number(day, period, starts)
    every = [day - timedelta(days=back) for back in range(740)]
    held = [one for one in every if fiscal_number(one, period, starts) == number - 1]
    assert (first, last) == (held[-1], held[0])
    assert last + timedelta(days=1) == first_of(period, day, starts)


@pytest.mark.parametrize(
    ("window", "day", "starts", "first", "last"),
    [
        (Months(1), "2024-02-29", 1, "2024-01-30", "2024-02-29"),
        (Months(1), "2024-03-31", 1, "2024-03-01", "2024-03-31"),
        (Months(1), "2023-03-29", 1, "2023-03-01", "2023-03-29"),
        (Months(1), "2024-03-29", 1, "2024-03-01", "2024-03-29"),
        (Months(12), "2024-02-29", 1, "2023-03-01", "2024-02-29"),
        (Months(12), "2025-02-28", 1, "2024-02-29", "2025-02-28"),
        (Months(3), "2026-05-31", 1, "2026-03-01", "2026-05-31"),
        (Months(3), "2026-05-15", 1, "2026-02-16", "2026-05-15"),
        (Days(28), "2026-01-28", 1, "2026-01-01", "2026-01-28"),
        (Days(1), "2024-02-29", 1, "2024-02-29", "2024-02-29"),
        (Days(366), "2024-12-31", 1, "2024-01-01", "2024-12-31"),
        (ThisPeriod("year"), "2024-01-31", 2, "2023-02-01", "2024-01-31"),
        (ThisPeriod("year"), "2024-02-01", 2, "2024-02-01", "2024-02-01"),
        (ThisPeriod("quarter"), "2024-01-31", 2, "2023-11-01", "2024-01-31"),
        (ThisPeriod("quarter"), "2024-02-01", 2, "2024-02-01", "2024-02-01"),
        (LastPeriod("month"), "2024-03-31", 1, "2024-02-01", "2024-02-29"),
        (LastPeriod("month"), "2023-03-01", 7, "2023-02-01", "2023-02-28"),
        (LastPeriod("quarter"), "2024-01-01", 1, "2023-10-01", "2023-12-31"),
        (LastPeriod("year"), "2024-06-30", 7, "2022-07-01", "2023-06-30"),
        (LastPeriod("year"), "2024-07-01", 7, "2023-07-01", "2024-06-30"),
    ],
)
def test_windows_on_days_worth_a_look(window: FixedWindow, day: str, starts: int, first: str, last: str) -> None:
    assert bounds(window, date.fromisoformat(day), starts) == (date.fromisoformat(first), date.fromisoformat(last))


@given(DAYS, PERIODS)
def test_the_whole_periods_before_and_the_one_to_date_leave_no_day_between(day: date, period: Period) -> None:
    assert LastPeriod(period).last(day) + timedelta(days=1) == ThisPeriod(period).first(day)
    whole = LastPeriod("month")
    assert (whole.last(day) - whole.first(day)).days + 1 == monthrange(whole.first(day).year, whole.first(day).month)[1]


@pytest.mark.parametrize("window", [Days(36_600), Months(1_200)])
@pytest.mark.parametrize("day", [date(1, 1, 1), date(1, 3, 1), date(100, 2, 28)])
def test_a_window_that_reaches_before_the_calendar_begins_with_it(window: FixedWindow, day: date) -> None:
    assert window.first(day) == date.min
    assert LastPeriod("year").first(date(1, 3, 1)) == date.min


@pytest.mark.parametrize("length", [0, -1, 36_601, 10**30])
def test_a_length_that_no_window_has_is_refused(length: int) -> None:
    with pytest.raises(BadInput, match="must be 1 to 36,600 days"):
        Days(length)
    with pytest.raises(BadInput, match="must be 1 to 1,200 months"):
        Months(length)
