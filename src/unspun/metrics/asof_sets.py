"""As-of sets made: dates by the calendar (also a fiscal one), dates given one by one, and days before renewals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import islice

from unspun.errors import BadInput, Fault
from unspun.metrics.asof import MOST_DATES, STEPS, BeforeRenewals, Dates, Step
from unspun.metrics.windows import MOST_DAYS, first_of

SUNDAY = 6
MOST_HORIZONS = 50


def calendar_dates(step: Step, first: date, last: date, fiscal_year_starts: int = 1) -> Dates:
    """The last day of every day, week, month, fiscal quarter or fiscal year, where it lies in `first` to `last`, both included.

    A week ends on Sunday (ISO 8601), a month on its last day. Quarters and years are those of a fiscal year that begins with the month
    `fiscal_year_starts`. A period that ends after `last` has no date: it is not over. Raises BadInput: no date lies there, or too many do.
    """
    if step not in STEPS:
        raise BadInput(Fault("bad_step", f"there is no step '{step}'.", "every", f"There are {', '.join(STEPS)}."))
    told = f"every {step} from {first} to {last}"
    dates = tuple(islice(_ends(step, first, last, fiscal_year_starts), MOST_DATES + 1))
    if not dates:
        what = "the dates are in the wrong order" if first > last else f"no {step} ends in them"
        raise BadInput(Fault("no_dates", f"{told}: {what}.", "every", "Give days further apart, or a smaller step."))
    if len(dates) > MOST_DATES:
        raise _too_many()
    return Dates(dates, told)


def listed_dates(dates: Iterable[date]) -> Dates:
    """Dates given one by one, in any order; each counts once. Raises BadInput: none, or too many."""
    found = tuple(sorted(set(dates)))
    if not found:
        raise BadInput(Fault("no_dates", "no as-of date is given.", "as_of", "Give one, such as 2026-06-30."))
    if len(found) > MOST_DATES:
        raise _too_many()
    return Dates(found, ", ".join(str(one) for one in found[:3]) + (f" and {len(found) - 3:,} more" if len(found) > 3 else ""))


def before_renewals(dues: Iterable[tuple[str, date]], horizons_days: Sequence[int], told: str = "") -> BeforeRenewals:
    """So many days before each due day of each account. Raises BadInput: no horizon, one that cannot be, one given twice, no due day."""
    horizons = tuple(sorted(set(horizons_days), reverse=True))
    faults = []
    if not horizons or len(horizons) < len(horizons_days) or len(horizons) > MOST_HORIZONS:
        faults.append(Fault("bad_horizons", f"horizons are 1 to {MOST_HORIZONS} different numbers of days.", "before_renewals"))
    faults += [_bad_horizon(days) for days in horizons if not 0 <= days <= MOST_DAYS]
    if faults:
        raise BadInput(faults)
    found = tuple(sorted(set(dues)))
    if not found:
        hint = "Load renewals, or subscription terms that have an end; or ask for other dates."
        raise BadInput(Fault("no_renewals_due", "no renewal is due in that time.", "before_renewals", hint))
    listed = ", ".join(str(days) for days in horizons)
    return BeforeRenewals(found, horizons, told or f"{listed} days before each of {len(found):,} renewals")


def as_of_days(as_of: Dates | BeforeRenewals) -> tuple[date, ...]:
    """All as-of dates of a set, in order, each once."""
    if isinstance(as_of, Dates):
        return as_of.dates
    days = {due for _, due in as_of.dues}
    return tuple(sorted({due - timedelta(days=horizon) for due in days for horizon in as_of.horizons_days}))


def _bad_horizon(days: int) -> Fault:
    return Fault("bad_horizons", f"`{days:,}` days before a renewal: 0 to {MOST_DAYS:,} can be.", "before_renewals")


def _too_many() -> BadInput:
    hint = "Give a larger step, or days closer together."
    return BadInput(Fault("too_many_dates", f"a panel has at most {MOST_DATES:,} as-of dates.", "every", hint))


def _ends(step: Step, first: date, last: date, fiscal_year_starts: int) -> Iterator[date]:
    """The ends of periods from `first` to `last`."""
    day = _end(step, first, fiscal_year_starts)
    while day <= last:
        yield day
        if day == date.max:
            return
        day = _end(step, day + timedelta(days=1), fiscal_year_starts)


def _end(step: Step, day: date, fiscal_year_starts: int) -> date:
    """The last day of the period that holds a day."""
    if step == "day":
        return day
    if step == "week":
        return date.fromordinal(min(day.toordinal() + SUNDAY - day.weekday(), date.max.toordinal()))
    months = {"month": 1, "quarter": 3, "year": 12}[step]
    begin = first_of(step, day, fiscal_year_starts)
    number = begin.year * 12 + begin.month - 1 + months
    year, month = divmod(number, 12)
    return date.max if year > date.max.year else date(year, month + 1, 1) - timedelta(days=1)
