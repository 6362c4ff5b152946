"""How dates are written: the patterns that tell one form from another, and the days that their parts name."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from unspun.book.months import WEEKDAYS
from unspun.book.tables import Ints
from unspun.book.text import Mask, call, contains, matches
from unspun.book.zones import MICROSECONDS_A_MINUTE
from unspun.book.zones import PATTERN as ZONE_PATTERN

FEW_WORDS = 4_096
FIRST_OF_TWO_DIGITS = 69  # POSIX: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068
MICROSECONDS_A_DAY = 24 * 60 * MICROSECONDS_A_MINUTE

WEEKDAY = rf"(?:(?:{WEEKDAYS})\.?,?\s+)?"
TIME = (
    r"(?:(?:\s*T|,?\s+(?:at\s+)?)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    rf"\s*(?P<half>[ap]\.?m\b\.?)?\s*(?P<zone>{ZONE_PATTERN})?)?"
)
ISO = r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
NUMERIC = r"(?P<first>\d{1,2})[/-](?P<second_part>\d{1,2})[/-](?P<year>\d{4}|\d{2})"
MONTH_ONLY = r"(?P<year>\d{4})[-/](?P<month>\d{1,2})"
MONTH_NAME = r"(?P<month_name>[a-z\x80-\x{10FFFF}]{3,10})"  # a letter of any script, or half of one; \pL takes ten times as long to compile
SHORT = r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{2})"
LAYOUTS = {  # how it is said to the reader, and the pattern
    "YYYY-MM-DD": ISO,
    "YYYY/MM/DD": r"(?P<year>\d{4})(?P<sep>[/.])(?P<month>\d{1,2})[/.](?P<day>\d{1,2})",
    "YYYYMMDD": r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    "YYYY-MM": MONTH_ONLY,
    "day.month.year": r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
    "day month-name year": (
        rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|\.|\x{{BA}})?[ /-]?(?:de )?{MONTH_NAME}\.?,?[ /-]?(?:del? )?(?P<year>\d{{4}})"
    ),
    "month-name day, year": rf"{MONTH_NAME}\.?[ -](?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:,\s?|[ -])(?P<year>\d{{4}})",
    "month-name year": rf"{MONTH_NAME}\.?[ -](?:del? )?(?P<year>\d{{4}})",
    "ISO weeks": r"(?P<year>\d{4})[- ]?W(?P<week>\d{2})",
    "days of ISO weeks": r"(?P<year>\d{4})[- ]?W(?P<week>\d{2})-?(?P<week_day>[1-7])",
    "quarters": r"(?P<year>\d{4})[-/ ]?Q(?P<quarter>[1-4])",
    "quarter year": r"Q(?P<quarter>[1-4])[-/ ]?(?P<year>\d{4})",
}
PERIOD_DAYS_TAKEN = (", taken as their first day", ", taken as their last day")  # by whether it is the last
# A whole column of numbers is one of these; each with its range, so that an identifier is none
COUNTS = {
    "seconds since 1970 in UTC": (r"\d{9,10}(?:\.\d+)?", 631_152_000, 4_102_444_800, 1_000_000, 0.0),
    "milliseconds since 1970 in UTC": (r"\d{12,13}", 631_152_000_000, 4_102_444_800_000, 1_000, 0.0),
    "Excel's day numbers (counted from 1899-12-30)": (r"\d{5}(?:\.\d+)?", 20_000, 80_000, MICROSECONDS_A_DAY, 25_569.0),
}


def whole(layout: str) -> str:
    """The pattern of a layout with the weekday before and the time after that any date may have."""
    return WEEKDAY + layout + TIME


def reads(words: pa.Array, layout: str) -> Mask:
    """Which words a layout reads whole.

    Among few words its bare part is looked for first: the whole pattern takes longer to compile than to use.
    """
    if len(words) == 0 or (len(words) <= FEW_WORDS and not contains(words, layout).any()):
        return np.zeros(len(words), bool)
    return matches(words, whole(layout))


def integers(digits: pa.Array, empty: int) -> Ints:
    """Digits as numbers, `empty` where there are none."""
    filled = call("if_else", call("equal", digits, pa.scalar("")), pa.scalar(str(empty)), digits)
    return filled.cast(pa.int64()).to_numpy(zero_copy_only=False)


def years_of(digits: pa.Array) -> Ints:
    """Years, those of two digits with their century (POSIX: 69 to 99 are 1969 to 1999, 00 to 68 are 2000 to 2068)."""
    year = integers(digits, 0)
    two = call("equal", call("utf8_length", digits), pa.scalar(2, pa.int32())).to_numpy(zero_copy_only=False)
    return np.where(two, with_century(year), year)


def with_century(year: Ints) -> Ints:
    return year + np.where(year < FIRST_OF_TWO_DIGITS, 2000, 1900)


def last_days(year: Ints, month: Ints) -> Ints:
    """The last day of each month, since 1970-01-01."""
    return ((year - 1970) * 12 + month).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - 1


def days_of(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Mask]:
    """Days since 1970-01-01, and whether there is such a day."""
    fits = (month >= 1) & (month <= 12)
    start = ((year - 1970) * 12 + np.where(fits, month, 1) - 1).astype("datetime64[M]")
    date = start.astype("datetime64[D]") + (day - 1)
    return date.astype(np.int64), fits & (day >= 1) & (date.astype("datetime64[M]") == start)
