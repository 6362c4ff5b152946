"""Dates and times of a column: one format for the whole column, never a guess between two."""

from __future__ import annotations

import re
from calendar import isleap, monthrange
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unspun.book.date_layouts import (
    COUNTS,
    ISO,
    LAYOUTS,
    MICROSECONDS_A_DAY,
    NUMERIC,
    PERIOD_DAYS_TAKEN,
    days_of,
    integers,
    last_days,
    reads,
    whole,
    years_of,
)
from unspun.book.date_order import find_order
from unspun.book.months import month_numbers
from unspun.book.plain_times import plain_times
from unspun.book.tables import Codes, Ints, Times
from unspun.book.text import Complaint, Mask, Words, call, groups, matches, words_of
from unspun.book.zones import MICROSECONDS_A_MINUTE, offset_minutes, readings, to_zone
from unspun.errors import Fault

FIRST_YEAR, LAST_YEAR = 1970, 2200
ISO_OFFSET = r"Z|[+-]\d{2}(?::?\d{2})?"  # as Arrow reads it
MOST_LOOKED_AT = 1_000  # words, for what is wrong with them
DIRECTIVES = frozenset("aAbBcdfGHIjmMpSuUVwWxXyYzZ%")  # those of Python's strptime


@dataclass(frozen=True, slots=True)
class Dates:
    """One time a row, NaT where blank, unreadable or outside the years that are read. `formats` says what was read.

    `zones` are the zones and offsets that the times themselves name, as they are written; -1 where a time names none. None where
    no time does, or where they were not asked for.
    """

    times: Times
    blank: Mask
    unread: Mask
    out_of_range: Mask
    formats: tuple[str, ...]
    complaint: Complaint | None = None
    hint: str = ""  # what to do about the first unreadable one, where its form tells
    zones: Codes | None = None


@dataclass(frozen=True, slots=True)
class _Moments:
    """Words read so far: microseconds on the clock they were written by, and minutes east of UTC where they say."""

    local: Ints
    offset: NDArray[np.float64]  # NaN where the word names no offset
    read: Mask
    zone: NDArray[np.object_]  # as written; None where the word names none

    def take(self, where: Ints, local: Ints, offset: NDArray[np.float64], valid: Mask) -> None:
        self.local[where[valid]], self.offset[where[valid]] = local[valid], offset[valid]
        self.read[where[valid]] = True


def is_date_type(kind: pa.DataType) -> bool:
    return pa.types.is_date(kind) or pa.types.is_timestamp(kind)


def read_dates(
    column: pa.ChunkedArray, zone: ZoneInfo, date_format: str | None = None, last_day: bool = False, with_zones: bool = False
) -> Dates:
    """Read a column of dates or times, typed or text. Times that carry an offset are converted to `zone`.

    `date_format` (strptime) is used for what is not ISO. A month, a week or a quarter is its first day, or its last where
    `last_day`. A column that day-first and month-first both read, and differently, comes back with a complaint.
    """
    if is_date_type(column.type):
        return _typed(column, zone)
    if pa.types.is_string(column.type) and (plain := plain_times(column, zone)) is not None:
        return _of_plain(*plain, _zones_written(column) if with_zones and plain[1] else None)
    words = words_of(column)
    words = words.without(words.blank())
    n = len(words.words)
    moments = _Moments(np.zeros(n, np.int64), np.full(n, np.nan), np.zeros(n, bool), np.full(n, None, object))
    formats, complaint = _read_words(words, moments, date_format, last_day)
    times = _in_zone(moments, zone)
    outside = moments.read & _outside(times)
    times[outside | ~moments.read] = np.datetime64("NaT")
    nat = np.datetime64("NaT", "us")
    unread = words.spread(~moments.read, False)
    hint = _hint(words, moments)
    zones = _zones_named(words, moments) if with_zones else None
    return Dates(words.spread(times, nat), words.codes < 0, unread, words.spread(outside, False), formats, complaint, hint, zones)


def check_date_format(date_format: str | None) -> list[Fault]:
    """A format that strptime does not know, or does not use, is a fault, whatever the files hold."""
    found = re.findall("%(.?)", date_format or "")
    unknown = [directive for directive in found if directive not in DIRECTIVES]
    dayless = set("UW") & set(found) and not set("aAuw") & set(found)  # strptime reads every such week as 1 January
    if date_format is None or (found and not unknown and not dayless):
        return []
    what = f"'%{unknown[0]}' is no directive" if unknown else "a week needs its day (%u)" if dayless else "it has no directive such as %d"
    message = f"'{date_format}' is not a date format: {what}."
    hint = "Write the day as %d, the month as %m (%b its short name, %B its name) and the year as %Y (%y two digits)."
    return [Fault("unknown_date_format", message, f'--date-format "{date_format}"', hint)]


def _typed(column: pa.ChunkedArray, zone: ZoneInfo) -> Dates:
    stamps = column.cast(pa.timestamp("us", getattr(column.type, "tz", None)), safe=False)
    blank = call("is_null", stamps).to_numpy() if stamps.null_count else np.zeros(len(stamps), bool)
    times = np.asarray(stamps.cast(pa.timestamp("us")).to_numpy(), dtype="datetime64[us]")
    zoned = getattr(column.type, "tz", None) is not None
    if zoned:
        times = to_zone(times, zone)
    outside = ~blank & _outside(times)
    if outside.any():
        times = np.where(outside, np.datetime64("NaT"), times)
    kind = "typed as dates" if pa.types.is_date(column.type) else "typed as times"
    form = f"times with a zone, converted to {zone.key}" if zoned else kind
    return Dates(times, blank, np.zeros(len(times), bool), outside, (form,))


def _zones_named(words: Words, moments: _Moments) -> Codes | None:
    """The zones of the words that were read, one a row."""
    encoded = pa.array(moments.zone, pa.string()).dictionary_encode()
    if len(encoded.dictionary) == 0:
        return None
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Codes(words.spread(codes, -1), tuple(encoded.dictionary.to_pylist()))


def _zones_written(column: pa.ChunkedArray) -> Codes:
    """The offsets at the ends of ISO times, one a row."""
    found = call("extract_regex", column, options=pc.ExtractRegexOptions(rf":\d\d(?:[.,]\d+)?\s*(?P<zone>{ISO_OFFSET})$"))
    encoded = pa.chunked_array([call("struct_field", chunk, options=pc.StructFieldOptions([0])) for chunk in found.chunks])
    whole_column = encoded.dictionary_encode().unify_dictionaries().combine_chunks()
    codes = whole_column.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return Codes(codes, tuple(whole_column.dictionary.to_pylist()))


def _of_plain(times: Times, named: bool, zones: Codes | None = None) -> Dates:
    blank = np.isnat(times)
    outside = ~blank & _outside(times)
    times[outside] = np.datetime64("NaT")
    formats = ("YYYY-MM-DD", "some with an offset") if named else ("YYYY-MM-DD",)
    return Dates(times, blank, np.zeros(len(times), bool), outside, formats, zones=zones)


def _outside(times: Times) -> Mask:
    low, high = np.datetime64(f"{FIRST_YEAR}-01-01", "us"), np.datetime64(f"{LAST_YEAR + 1}-01-01", "us")
    counts = times.astype("datetime64[us]", copy=False).view(np.int64)  # of NaT the least that there is
    if len(times) and low.view(np.int64) <= counts.min() and counts.max() < high.view(np.int64):
        return np.zeros(len(times), bool)
    return (times < low) | (times >= high)


def _read_words(words: Words, moments: _Moments, date_format: str | None, last_day: bool) -> tuple[tuple[str, ...], Complaint | None]:
    formats: list[str] = []
    taken = PERIOD_DAYS_TAKEN[last_day]
    if date_format is not None and _by_strptime(words, moments, date_format, last_day):
        formats.append(f"{date_format}{taken if _months_of(date_format) else ''}")
    for form, layout in LAYOUTS.items():
        if _by_layout(words.words, moments, layout, last_day):
            formats.append(f"{form}{'' if 'day>' in layout else taken}")
    counted = _by_count(words, moments)
    formats += counted
    layouts, complaint = find_order(words, np.flatnonzero(~moments.read), _written_order(date_format))
    formats += [form for form, layout in layouts.items() if _by_layout(words.words, moments, layout, last_day)]
    complaint = _ambiguous_zone(words, moments) if complaint is None else complaint
    if not counted and np.any(~np.isnan(moments.offset[moments.read])):
        formats.append("some with an offset")
    return tuple(formats), complaint


def _left(words: pa.Array, moments: _Moments, layout: str) -> Ints:
    """Words not read yet that a layout reads."""
    unread = np.flatnonzero(~moments.read)
    if len(unread) == 0:
        return unread.astype(np.int64)
    some = words if len(unread) == len(words) else words.take(pa.array(unread))
    return unread[reads(some, layout)].astype(np.int64)


def _by_layout(words: pa.Array, moments: _Moments, layout: str, last_day: bool) -> bool:
    where = _left(words, moments, layout)
    if len(where) == 0:
        return False
    parts = groups(words.take(pa.array(where)), whole(layout))
    day = integers(parts["day"], 0) if "day" in parts else np.ones(len(where), np.int64)
    year = years_of(parts["year"])
    if "week" in parts:
        week_day = integers(parts["week_day"], 0) if "week_day" in parts else np.full(len(where), 7 if last_day else 1)
        return _place(moments, where, *_week_days(year, integers(parts["week"], 0), week_day), parts)
    if "quarter" in parts:
        month = integers(parts["quarter"], 0) * 3 - (0 if last_day else 2)
    else:
        month = month_numbers(parts["month_name"]) if "month_name" in parts else integers(parts["month"], 0)
    days, valid = days_of(year, month, day)
    return _place(moments, where, last_days(year, month) if last_day and "day" not in parts else days, valid, parts)


def _week_days(year: Ints, week: Ints, day: Ints) -> tuple[Ints, Mask]:
    """Days since 1970-01-01 of a day of an ISO week, and whether the year has that week. Week 1 has the year's 4 January."""
    fourth, next_fourth = (days_of(y, np.ones_like(y), np.full_like(y, 4))[0] for y in (year, year + 1))
    monday, next_monday = (days - (days + 3) % 7 for days in (fourth, next_fourth))  # 1970-01-01 was a Thursday
    found = monday + 7 * (week - 1)
    return found + day - 1, (week >= 1) & (found < next_monday)


def _by_count(words: Words, moments: _Moments) -> list[str]:
    """Days, seconds or milliseconds counted from an epoch: only where every word of the column is of that one kind."""
    used = np.flatnonzero(words.counts() > 0)
    if len(used) == 0 or moments.read[used].any():
        return []
    some = words.words.take(pa.array(used))
    for form, (pattern, low, high, unit, shift) in COUNTS.items():
        if matches(some, pattern).all():
            counts = some.cast(pa.float64()).to_numpy(zero_copy_only=False)
            within = (counts >= low) & (counts <= high)
            if within.all():
                local = np.round((counts - shift) * (unit / 1000)).astype(np.int64) * 1000
                offset = np.full(len(used), np.nan if shift else 0.0)
                moments.take(used.astype(np.int64), local, offset, within)
                moments.zone[used] = None if shift else "UTC"
                return [form]
    return []


def _place(moments: _Moments, where: Ints, days: Ints, day_valid: Mask, parts: dict[str, pa.Array]) -> bool:
    clock, time_valid = _clock(parts)
    local = days * MICROSECONDS_A_DAY + clock
    offset, zone_known = offset_minutes(parts["zone"], local)
    valid = day_valid & time_valid & zone_known
    moments.take(where, local, offset, valid)
    named = valid & ~np.isnan(offset)
    if named.any():
        moments.zone[where[named]] = parts["zone"].filter(pa.array(named)).to_numpy(zero_copy_only=False)
    return bool(valid.any())


def _clock(parts: dict[str, pa.Array]) -> tuple[Ints, Mask]:
    """Microseconds since midnight, and whether there is such a time."""
    hour, minute, second = (integers(parts[name], 0) for name in ("hour", "minute", "second"))
    half = call("utf8_slice_codeunits", call("utf8_lower", parts["half"]), options=pc.SliceOptions(0, 1))
    morning, evening = (call("equal", half, pa.scalar(letter)).to_numpy(zero_copy_only=False) for letter in "ap")
    valid = (hour <= 23) & (minute <= 59) & (second <= 59) & (~(morning | evening) | ((hour >= 1) & (hour <= 12)))
    hour = np.where(morning | evening, hour % 12 + 12 * evening, hour)
    padded = call("utf8_rpad", parts["fraction"], options=pc.PadOptions(9, padding="0"))
    return (hour * 60 + minute) * MICROSECONDS_A_MINUTE + second * 1_000_000 + integers(padded, 0) // 1000, valid


def _ambiguous_zone(words: Words, moments: _Moments) -> Complaint | None:
    """A time whose zone is an abbreviation that is used for several."""
    for i in np.flatnonzero(~moments.read & (words.counts() > 0))[:MOST_LOOKED_AT].tolist():
        word = words.words[i].as_py()
        found = re.search(r"\d:\d\d[^A-Za-z]*(?:[ap]\.?m\.?\s*)?([A-Za-z]{2,5})$", word, re.IGNORECASE)
        means = readings(found.group(1)) if found else {}
        if found and len(means) > 1:
            listed = " or ".join(f"UTC{_signed(minutes)} ({place})" for minutes, place in means.items())
            message = f"'{word}': the time zone {found.group(1)} could be {listed}."
            hint = "Write times with an offset such as -06:00, or a zone such as America/Chicago."
            return Complaint("ambiguous_zone", message, hint, words.first_row(i))
    return None


def _signed(minutes: int) -> str:
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _hint(words: Words, moments: _Moments) -> str:
    """What the form of the first word that cannot be read tells about the remedy."""
    unread = np.flatnonzero(~moments.read & (words.counts() > 0))
    if len(unread) == 0:
        return ""
    first = words.words.take(pa.array(unread[:1]))
    if any(reads(first, layout).any() for layout in (*LAYOUTS.values(), NUMERIC)):
        return "There is no such day, time or time zone: correct it, or leave the cell empty."
    if re.fullmatch(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])", first[0].as_py()):
        return "Six digits could be a month or a day: say --date-format '%Y%m' or '%y%m%d'."
    if re.search(r"\bFY|\bfiscal\b", first[0].as_py(), re.IGNORECASE):
        return "Fiscal periods start when the company says: give the day."
    return ""


def _written_order(date_format: str | None) -> bool | None:
    """Whether the caller's format is day first; None where it does not say, or has the year before."""
    at = {letter: (date_format or "").find(f"%{letter}") for letter in "dmyY"}
    if at["d"] < 0 or at["m"] < 0 or 0 <= max(at["y"], at["Y"]) < max(at["d"], at["m"]):
        return None
    return at["d"] < at["m"]


def _months_of(date_format: str) -> int:
    """How many months a format without a day names: 1, or 12 where it has no month either; 0 where it names a day."""
    named = set(re.findall("%(.)", date_format))
    if named & set("dejcxuwaADUVWf") or not named & set("yYG"):
        return 0
    return 1 if named & set("mbB") else 12


def _by_strptime(words: Words, moments: _Moments, date_format: str, last_day: bool) -> bool:
    """Python's own strptime, once a distinct word; what a layout reads the same is left to the layout."""
    months = _months_of(date_format) if last_day else 0
    settled = reads(words.words, ISO)
    if _written_order(date_format) is not None:
        settled |= reads(words.words, NUMERIC)
    for i in np.flatnonzero(~settled & (words.counts() > 0)):
        try:
            moment = datetime.strptime(words.words[int(i)].as_py(), date_format)
        except ValueError:
            continue
        offset = moment.utcoffset()
        local = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
        if months:
            local += timedelta(days=monthrange(moment.year, moment.month)[1] - 1 if months == 1 else 364 + isleap(moment.year))
        moments.local[i] = (local.days * 86_400 + local.seconds) * 1_000_000 + local.microseconds
        moments.offset[i] = np.nan if offset is None else offset.total_seconds() / 60
        moments.zone[i] = None if offset is None else _signed(int(offset.total_seconds()) // 60)
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
