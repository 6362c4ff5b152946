"""Windows: which days before an as-of date a measure looks at. Days are calendar days in the book's time zone."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from unspun.errors import BadInput, Fault

Period = Literal["month", "quarter", "year"]
MOST_DAYS = 36_600
MOST_MONTHS = 1_200


def _refuse(message: str, hint: str = "") -> BadInput:
    return BadInput(Fault("bad_window", message, "", hint))


@dataclass(frozen=True, slots=True)
class Days:
    """The `days` days that end with the as-of date, which is one of them: `28d` as of 28 January is 1 to 28 January."""

    days: int

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MOST_DAYS:
            raise _refuse(f"a window must be 1 to {MOST_DAYS:,} days long; it is {self.days:,}.")

    def first(self, day: date, fiscal_year_starts: int = 1) -> date:
        return _back(day, self.days - 1)

    def last(self, day: date, fiscal_year_starts: int = 1) -> date:
        return day


@dataclass(frozen=True, slots=True)
class Months:
    """From the day after the same day `months` months earlier: `3mo` as of 31 May is 1 March to 31 May, as of 15 May 16 February to 15 May.

    Where the earlier month has no such day, its last day stands for it.
    """

    months: int

    def __post_init__(self) -> None:
        if not 1 <= self.months <= MOST_MONTHS:
            raise _refuse(f"a window must be 1 to {MOST_MONTHS:,} months long; it is {self.months:,}.")

    def first(self, day: date, fiscal_year_starts: int = 1) -> date:
        earlier = _months_back(day, self.months)
        return earlier if earlier == date.min else earlier + timedelta(days=1)

    def last(self, day: date, fiscal_year_starts: int = 1) -> date:
        return day


@dataclass(frozen=True, slots=True)
class ThisPeriod:
    """From the first day of the calendar month, fiscal quarter or fiscal year that holds the as-of date, to that date."""

    period: Period

    def first(self, day: date, fiscal_year_starts: int = 1) -> date:
        return first_of(self.period, day, fiscal_year_starts)

    def last(self, day: date, fiscal_year_starts: int = 1) -> date:
        return day


@dataclass(frozen=True, slots=True)
class LastPeriod:
    """The whole calendar month, fiscal quarter or fiscal year before the one that holds the as-of date."""

    period: Period

    def first(self, day: date, fiscal_year_starts: int = 1) -> date:
        return first_of(self.period, self.last(day, fiscal_year_starts), fiscal_year_starts)

    def last(self, day: date, fiscal_year_starts: int = 1) -> date:
        return _back(first_of(self.period, day, fiscal_year_starts), 1)


@dataclass(frozen=True, slots=True)
class SinceContractStart:
    """From the first day of the account's current term: of the base terms (no add-ons) that run on the day, the one that began last."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """All days up to the as-of date."""


FixedWindow = Days | Months | ThisPeriod | LastPeriod
"""Windows whose days follow from the as-of date alone."""
Window = FixedWindow | SinceContractStart | Lifetime
PERIODS: tuple[Period, ...] = ("month", "quarter", "year")


def first_of(period: Period, day: date, fiscal_year_starts: int = 1) -> date:
    """The first day of the period that holds a day. `fiscal_year_starts`: the month (1 to 12) in which quarters and years begin."""
    if period == "month":
        return day.replace(day=1)
    step = 3 if period == "quarter" else 12
    into = (day.month - fiscal_year_starts) % step
    return _months_back(day.replace(day=1), into)


def window_text(window: Window) -> str:
    """A window as metrics.yml writes it."""
    match window:
        case Days(days):
            return f"{days}d"
        case Months(months):
            return f"{months}mo"
        case ThisPeriod(period):
            return period
        case LastPeriod(period):
            return f"last {period}"
        case SinceContractStart():
            return "contract"
        case Lifetime():
            return "lifetime"


def _back(day: date, days: int) -> date:
    return date.fromordinal(max(1, day.toordinal() - days))


def _months_back(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    if number < 12:
        return date.min
    year, month = divmod(number, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
