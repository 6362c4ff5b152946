"""Dates and times of a column: one format for the whole column, never a guess between two."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unspun.book.tables import Ints, Times
from unspun.book.text import Complaint, Mask, Words, call, groups, matches, words_of

FIRST_YEAR, LAST_YEAR = 1970, 2200
MICROSECONDS_A_MINUTE = 60_000_000
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
MONTH_WORDS = {word: n for n, month in enumerate(MONTHS, 1) for word in (month, month[:3])} | {"sept": 9}

WEEKDAY = r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
TIME = (
    r"(?:(?:\s*T|,?\s+(?:at\s+)?)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?\s*(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?"
)
ISO = r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
NUMERIC = r"(?P<first>\d{1,2})[/-](?P<second_part>\d{1,2})[/-](?P<year>\d{4})"
MONTH_ONLY = r"(?P<year>\d{4})[-/](?P<month>\d{1,2})"
LAYOUTS = {  # how it is said to the reader, and the pattern
    "YYYY-MM-DD": ISO,
    "YYYY/MM/DD": r"(?P<year>\d{4})(?P<sep>[/.])(?P<month>\d{1,2})[/.](?P<day>\d{1,2})",
    "YYYYMMDD": r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    "YYYY-MM, taken as the first day of the month": MONTH_ONLY,
    "day.month.year": r"(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})",
    "day month-name year": r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[ /-]?(?P<month_name>[A-Z]{3,9})\.?,?[ /-]?(?P<year>\d{4})",
    "month-name day, year": r"(?P<month_name>[A-Z]{3,9})\.?[ -](?P<day>\d{1,2})(?:st|nd|rd|th)?(?:,\s?|[ -])(?P<year>\d{4})",
    "month-name year, taken as the first day of the month": r"(?P<month_name>[A-Z]{3,9})\.?[ -](?P<year>\d{4})",
}


@dataclass(frozen=True, slots=True)
class Dates:
    """One time a row, NaT where blank, unreadable or outside the years that are read. `formats` says what was read."""

    times: Times
    blank: Mask
    unread: Mask
    out_of_range: Mask
    formats: tuple[str, ...]
    complaint: Complaint | None = None


@dataclass(frozen=True, slots=True)
class _Moments:
    """Words read so far: microseconds on the clock they were written by, and minutes east of UTC where they say."""

    local: Ints
    offset: NDArray[np.float64]  # NaN where the word names no offset
    read: Mask

    def take(self, where: Ints, local: Ints, offset: NDArray[np.float64], valid: Mask) -> None:
        self.local[where[valid]], self.offset[where[valid]] = local[valid], offset[valid]
        self.read[where[valid]] = True


def is_date_type(kind: pa.DataType) -> bool:
    return pa.types.is_date(kind) or pa.types.is_timestamp(kind)


def read_dates(column: pa.ChunkedArray, zone: ZoneInfo, date_format: str | None = None) -> Dates:
    """Read a column of dates or times, typed or text. Times that carry an offset are converted to `zone`.

    `date_format` (strptime) is used for what is not ISO. A column that day-first and month-first both read, and
    differently, comes back with a complaint.
    """
    if is_date_type(column.type):
        return _typed(column, zone)
    words = words_of(column)
    words = words.without(words.blank())
    n = len(words.words)
    moments = _Moments(np.zeros(n, np.int64), np.full(n, np.nan), np.zeros(n, bool))
    formats, complaint = _read_words(words, moments, date_format)
    times = _in_zone(moments, zone)
    outside = moments.read & _outside(times)
    times[outside | ~moments.read] = np.datetime64("NaT")
    nat = np.datetime64("NaT", "us")
    unread = words.spread(~moments.read, False)
    return Dates(words.spread(times, nat), words.codes < 0, unread, words.spread(outside, False), formats, complaint)


def _typed(column: pa.ChunkedArray, zone: ZoneInfo) -> Dates:
    stamps = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)), safe=False)
    blank = call("is_null", stamps).to_numpy()
    times = np.asarray(stamps.cast(pa.timestamp("us")).to_numpy(), dtype="datetime64[us]").copy()
    zoned = getattr(column.type, "tz", None) is not None
    if zoned:
        times = to_zone(times, zone)
    outside = ~blank & _outside(times)
    times[outside] = np.datetime64("NaT")
    form = f"times with a zone, converted to {zone.key}" if zoned else str(column.type)
    return Dates(times, blank, np.zeros(len(times), bool), outside, (form,))


def _outside(times: Times) -> Mask:
    low, high = np.datetime64(f"{FIRST_YEAR}-01-01", "us"), np.datetime64(f"{LAST_YEAR + 1}-01-01", "us")
    return (times < low) | (times >= high)


def _read_words(words: Words, moments: _Moments, date_format: str | None) -> tuple[tuple[str, ...], Complaint | None]:
    formats: list[str] = []
    if date_format is not None and _by_strptime(words, moments, date_format):
        formats.append(date_format)
    for form, layout in LAYOUTS.items():
        if _by_layout(words.words, moments, layout):
            formats.append(form)
    day_first, complaint = _order(words, moments, date_format)
    if complaint is None and day_first is not None:
        _numeric(words.words, moments, day_first)
        formats.append("day/month/year" if day_first else "month/day/year")
    if np.any(~np.isnan(moments.offset[moments.read])):
        formats.append("some with an offset")
    return tuple(formats), complaint


def _pattern(layout: str) -> str:
    return WEEKDAY + layout + TIME


def _left(words: pa.Array, moments: _Moments, layout: str) -> Ints:
    """Words not read yet that a layout reads."""
    unread = np.flatnonzero(~moments.read)
    if len(unread) == 0:
        return unread.astype(np.int64)
    some = words if len(unread) == len(words) else words.take(pa.array(unread))
    return unread[matches(some, _pattern(layout))].astype(np.int64)


def _by_layout(words: pa.Array, moments: _Moments, layout: str) -> bool:
    where = _left(words, moments, layout)
    if len(where) == 0:
        return False
    parts = groups(words.take(pa.array(where)), _pattern(layout))
    month = _month_numbers(parts["month_name"]) if "month_name" in parts else _integers(parts["month"], 0)
    day = _integers(parts["day"], 0) if "day" in parts else np.ones(len(where), np.int64)
    return _place(moments, where, _integers(parts["year"], 0), month, day, parts)


def _numeric(words: pa.Array, moments: _Moments, day_first: bool) -> None:
    where = _left(words, moments, NUMERIC)
    parts = groups(words.take(pa.array(where)), _pattern(NUMERIC))
    first, second = _integers(parts["first"], 0), _integers(parts["second_part"], 0)
    day, month = (first, second) if day_first else (second, first)
    _place(moments, where, _integers(parts["year"], 0), month, day, parts)


def _place(moments: _Moments, where: Ints, year: Ints, month: Ints, day: Ints, parts: dict[str, pa.Array]) -> bool:
    days, day_valid = _days(year, month, day)
    clock, offset, time_valid = _clock(parts)
    valid = day_valid & time_valid
    moments.take(where, days * (24 * 60 * MICROSECONDS_A_MINUTE) + clock, offset, valid)
    return bool(valid.any())


def _integers(digits: pa.Array, empty: int) -> Ints:
    filled = call("if_else", call("equal", digits, pa.scalar("")), pa.scalar(str(empty)), digits)
    return filled.cast(pa.int64()).to_numpy(zero_copy_only=False)


def _month_numbers(names: pa.Array) -> Ints:
    lowered = call("utf8_lower", names)
    known = pc.SetLookupOptions(pa.array(list(MONTH_WORDS)))
    position = call("index_in", lowered, options=known).fill_null(-1).to_numpy(zero_copy_only=False)
    return np.array([*MONTH_WORDS.values(), 0], np.int64)[position]


def _days(year: Ints, month: Ints, day: Ints) -> tuple[Ints, Mask]:
    """Days since 1970-01-01, and whether there is such a day."""
    fits = (month >= 1) & (month <= 12)
    start = ((year - 1970) * 12 + np.where(fits, month, 1) - 1).astype("datetime64[M]")
    date = start.astype("datetime64[D]") + (day - 1)
    return date.astype(np.int64), fits & (day >= 1) & (date.astype("datetime64[M]") == start)


def _clock(parts: dict[str, pa.Array]) -> tuple[Ints, NDArray[np.float64], Mask]:
    """Microseconds since midnight, minutes east of UTC (NaN where none is named), and whether there is such a time."""
    hour, minute, second = (_integers(parts[name], 0) for name in ("hour", "minute", "second"))
    half = call("utf8_slice_codeunits", call("utf8_lower", parts["half"]), options=pc.SliceOptions(0, 1))
    morning, evening = (call("equal", half, pa.scalar(letter)).to_numpy(zero_copy_only=False) for letter in "ap")
    valid = (hour <= 23) & (minute <= 59) & (second <= 59) & (~(morning | evening) | ((hour >= 1) & (hour <= 12)))
    hour = np.where(morning | evening, hour % 12 + 12 * evening, hour)
    padded = call("utf8_rpad", parts["fraction"], options=pc.PadOptions(9, padding="0"))
    clock = (hour * 60 + minute) * MICROSECONDS_A_MINUTE + second * 1_000_000 + _integers(padded, 0) // 1000
    return clock, _offsets(parts["zone"]), valid


def _offsets(zones: pa.Array) -> NDArray[np.float64]:
    distinct = zones.dictionary_encode()
    minutes = np.array([_offset_minutes(zone) for zone in distinct.dictionary.to_pylist()], np.float64)
    return minutes[distinct.indices.to_numpy(zero_copy_only=False)] if len(minutes) else np.zeros(0)


def _offset_minutes(zone: str) -> float:
    if zone == "":
        return np.nan
    if zone[0] not in "+-":
        return 0.0
    minutes = int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)
    return float(-minutes if zone[0] == "-" else minutes)


def _order(words: Words, moments: _Moments, date_format: str | None) -> tuple[bool | None, Complaint | None]:
    """Whether 03/04/2026 is day first; None where no word is written so. The words themselves must tell, or the caller."""
    where = _left(words.words, moments, NUMERIC)
    if len(where) == 0:
        return None, None
    declared = _declared_order(date_format)
    if declared is not None:
        return declared, None
    parts = groups(words.words.take(pa.array(where)), _pattern(NUMERIC))
    first, second, year = (_integers(parts[name], 0) for name in ("first", "second_part", "year"))
    as_day_first, as_month_first = _days(year, second, first)[1], _days(year, first, second)[1]
    only_day, only_month = as_day_first & ~as_month_first, as_month_first & ~as_day_first
    listed = words.words
    if only_day.any() and only_month.any():
        one, other = (listed[int(where[np.argmax(only)])].as_py() for only in (only_day, only_month))
        message = f"'{one}' can only be day first and '{other}' only month first: the column mixes two formats."
        row = words.first_row(int(where[np.argmax(only_month)]))
        return None, Complaint("mixed_dates", message, "Write all dates one way, best as YYYY-MM-DD.", row)
    if only_day.any() or only_month.any():
        return bool(only_day.any()), None
    differ = np.flatnonzero(as_day_first & as_month_first & (first != second))
    if len(differ) == 0:
        return True, None  # 05/05/2026 is the same day both ways
    return None, _ambiguous(words, int(where[differ[0]]), int(first[differ[0]]), int(second[differ[0]]))


def _declared_order(date_format: str | None) -> bool | None:
    """Whether the caller's format is day first; None where it does not say."""
    if date_format is None or "%d" not in date_format or "%m" not in date_format:
        return None
    return date_format.index("%d") < date_format.index("%m")


def _ambiguous(words: Words, word: int, first: int, second: int) -> Complaint:
    example = words.words[word].as_py()
    day_first, month_first = f"{first} {MONTHS[second - 1].title()}", f"{second} {MONTHS[first - 1].title()}"
    message = f"'{example}' could be {day_first} or {month_first}, and no date of the column tells which."
    separator = "-" if "-" in example.split()[0] else "/"
    forms = [separator.join(order) for order in (("%d", "%m", "%Y"), ("%m", "%d", "%Y"))]
    return Complaint("ambiguous_dates", message, f"Say --date-format '{forms[0]}' or '{forms[1]}'.", words.first_row(word))


def _by_strptime(words: Words, moments: _Moments, date_format: str) -> bool:
    """Python's own strptime, once a distinct word; what a layout reads the same is left to the layout."""
    settled = matches(words.words, _pattern(ISO))
    if _declared_order(date_format) is not None:
        settled |= matches(words.words, _pattern(NUMERIC))
    for i in np.flatnonzero(~settled & (words.counts() > 0)):
        try:
            moment = datetime.strptime(words.words[int(i)].as_py(), date_format)
        except ValueError:
            continue
        offset = moment.utcoffset()
        local = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        moments.local[i] = (local.days * 86_400 + local.seconds) * 1_000_000 + local.microseconds
        moments.offset[i] = np.nan if offset is None else offset.total_seconds() / 60
        moments.read[i] = True
    return bool(moments.read.any())


def _in_zone(moments: _Moments, zone: ZoneInfo) -> Times:
    """Wall-clock times in the zone: those that name an offset are converted, the others are taken as they are."""
    times = moments.local.astype("datetime64[us]")
    named = moments.read & ~np.isnan(moments.offset)
    if named.any():
        utc = moments.local[named] - (moments.offset[named] * MICROSECONDS_A_MINUTE).astype(np.int64)
        times[named] = to_zone(utc.astype("datetime64[us]"), zone)
    return times


def to_zone(utc: NDArray[Any], zone: ZoneInfo) -> Times:
    """Wall-clock times of the zone for times in UTC. The offset is looked up once an hour, and each time where it changes within."""
    if zone.key == "UTC" or len(utc) == 0:
        return utc.astype("datetime64[us]")
    hours, inverse = np.unique(utc.astype("datetime64[h]"), return_inverse=True)
    at_start = np.array([_offset_at(hour, zone) for hour in hours.astype(object)], np.int64)
    at_end = np.append(at_start[1:], 0)
    follows = np.append(np.diff(hours) == np.timedelta64(1, "h"), False)
    for i in np.flatnonzero(~follows):
        at_end[i] = _offset_at((hours[i] + 1).astype(object), zone)
    offsets = at_start[inverse]
    for i in np.flatnonzero((at_start != at_end)[inverse]):
        offsets[i] = _offset_at(utc[i].astype("datetime64[us]").astype(object), zone)
    return utc.astype("datetime64[us]") + offsets.astype("timedelta64[us]")


def _offset_at(utc: datetime | None, zone: ZoneInfo) -> int:
    """Microseconds east of UTC at a moment given in UTC."""
    if not isinstance(utc, datetime):  # NaT, or a year that Python's calendar does not have
        return 0
    offset = utc.replace(tzinfo=UTC).astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * 1_000_000
