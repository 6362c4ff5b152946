"""The days of a window, as integers."""

from __future__ import annotations

from datetime import date, timedelta

from unspun.metrics.lower.local_day import day_number
from unspun.metrics.windows import Lifetime, SinceContractStart, Window


def window_bounds(window: Window, day: date, shift_days: int, fiscal_year_starts: int) -> tuple[int | None, int]:
    """First and last day of a window that ends `shift_days` before an as-of date, as days since 1970.

    The first is None where it does not follow from the date: the window has no beginning, or begins with the account's contract.
    """
    end = date.fromordinal(max(1, day.toordinal() - shift_days))
    match window:
        case Lifetime() | SinceContractStart():
            return None, day_number(end)
        case _:
            return day_number(window.first(end, fiscal_year_starts)), day_number(window.last(end, fiscal_year_starts))


def days_before(day: date, days: int) -> date:
    """A day so many days earlier, not before the first day that there is."""
    return max(date.min, day - timedelta(days=min(days, (day - date.min).days)))
