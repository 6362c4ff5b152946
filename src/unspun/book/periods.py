"""Dates that stand for a whole month, quarter or week although they name a day: its first, as reporting tools truncate them."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from unspun.book.date_layouts import PERIOD_DAYS_TAKEN
from unspun.book.dates import Dates
from unspun.book.tables import Times

PERIODS = ("quarter", "month", "week")
MONTHS_OF = {"month": 1, "quarter": 3}
LOOKED_AT_ROWS = 1 << 16  # at once
DAY = np.timedelta64(1, "D")


def whole_periods(dates: Dates, title: str) -> Dates:
    """The same dates, each the last day of its period where the column is named for one and every date is the first day of one.

    A column `month` that holds 2026-01-01 and 2026-02-01 is of January and February: what it dates was not known on their first.
    Under a name that says nothing they stay as they are, and `formats` says what they could be.
    """
    named = next((name for name in PERIODS if names_period(title, name) and _are_firsts(dates.times, name)), None)
    if named is not None:
        return replace(
            dates, times=_last(dates.times, named), formats=(*dates.formats, f"each the first day of a {named}{PERIOD_DAYS_TAKEN[True]}")
        )
    if _are_firsts(dates.times, "month") and len(np.unique(dates.times[:LOOKED_AT_ROWS].astype("datetime64[M]"))) > 1:
        hint = "each the first day of a month, taken as it is (one that stands for its month is written 2026-01, and counts from its end)"
        return replace(dates, formats=(*dates.formats, hint))
    return dates


def names_period(title: str, period: str = "|".join(PERIODS)) -> bool:
    """Whether the name of a column says that it holds months, quarters or weeks."""
    return re.search(rf"\b(?:{period})\b", _words(title)) is not None


def _words(title: str) -> str:
    """The words of a title, apart: score_month and ScoreMonth are score month."""
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", title)).casefold()


def _are_firsts(times: Times, period: str) -> bool:
    """Whether there is a time, and every one is the beginning of a period. In steps, as a column may have millions."""
    known = False
    for start in range(0, len(times), LOOKED_AT_ROWS):
        step = times[start : start + LOOKED_AT_ROWS]
        step = step[~np.isnat(step)]
        known |= len(step) > 0
        if len(step) and not _is_first(step, period):
            return False
    return known


def _is_first(times: Times, period: str) -> bool:
    """Whether every time is midnight at the beginning of a week (Monday or Sunday, all alike), a month or a quarter."""
    days = times.astype("datetime64[D]")
    if not np.array_equal(days.astype(times.dtype), times):
        return False
    if period == "week":
        weekdays = np.unique((days.astype(np.int64) + 3) % 7)  # 0 is Monday
        return len(weekdays) == 1 and weekdays[0] in (0, 6)
    months = days.astype("datetime64[M]")
    firsts = months.astype("datetime64[D]") == days
    return bool((firsts & (months.astype(np.int64) % MONTHS_OF[period] == 0)).all())


def _last(times: Times, period: str) -> Times:
    """The last day of the period that begins at each time; NaT stays."""
    if period == "week":
        return times + 6 * DAY
    after = times.astype("datetime64[M]") + MONTHS_OF[period]
    return (after.astype("datetime64[D]") - DAY).astype(times.dtype)
