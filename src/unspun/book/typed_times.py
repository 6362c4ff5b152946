"""Instants: times of a column as UTC, with the zone that each was written in."""

from __future__ import annotations

from calendar import timegm
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unspun.book.date_layouts import COUNTS, MICROSECONDS_A_DAY
from unspun.book.dates import FIRST_YEAR, LAST_YEAR, Dates, is_date_type, read_dates
from unspun.book.periods import whole_periods
from unspun.book.tables import Codes, Times
from unspun.book.text import Mask, call
from unspun.book.typed_schema import ARROW_TYPES

STEP = timedelta(hours=12)  # no zone has changed its clock twice within it
SECOND = 1_000_000
NOT_A_TIME = np.iinfo(np.int64).min  # as NumPy stores it
COUNTED = ((COUNTS["seconds since 1970 in UTC"], "s"), (COUNTS["milliseconds since 1970 in UTC"], "ms"))


@dataclass(frozen=True, slots=True)
class Instants:
    """Times in UTC, NaT where there is none, and how they were read (see Dates).

    `skipped` are local times that no clock showed, as it was put forward over them; `repeated` counts those that it showed twice,
    taken as the first. `zones` has the zone of each time as it was written, -1 where that is the zone of the whole source.
    """

    utc: Times
    read: Dates
    skipped: Mask | None
    repeated: int
    zones: Codes | None


@dataclass(frozen=True, slots=True)
class _Changes:
    """A zone's changes of the clock, in microseconds: when (UTC), and how far east of UTC it is before and after each."""

    at: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]


def read_instants(column: pa.ChunkedArray, zone: ZoneInfo, date_format: str | None, last_day: bool, title: str) -> Instants:
    """Read a column of dates or times, typed or text, those without an offset as the zone's own. A day is its first instant there."""
    kind = column.type
    if pa.types.is_integer(kind) and (counted := _counted(column)) is not None:
        column, kind = counted, counted.type
        read = replace(read_dates(column, ZoneInfo("UTC")), formats=(f"{_unit_of(kind)} since 1970 in UTC",))
    else:
        read = read_dates(column, ZoneInfo("UTC"), date_format, last_day, with_zones=True)
    named = getattr(kind, "tz", None) if is_date_type(kind) else None
    if last_day and named is None:
        read = whole_periods(read, title)
    if named is not None:
        return Instants(read.times, read, None, 0, Codes(np.zeros(len(column), np.int32), (named,)))
    own = None if read.zones is None else read.zones.codes < 0
    if own is not None and not own.any():
        return Instants(read.times, read, None, 0, read.zones)
    utc, skipped, repeated = local_to_utc(read.times, zone)
    if own is None:
        return Instants(utc, read, skipped, 0 if repeated is None else int(repeated.sum()), None)
    skipped, twice = (None if mask is None else mask & own for mask in (skipped, repeated))
    return Instants(np.where(own, utc, read.times), read, skipped, 0 if twice is None else int(twice.sum()), read.zones)


def _counted(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Integers that can only be seconds, or only milliseconds, since 1970 as times; None where they are not."""
    ends = call("min_max", column).as_py()
    for (_, low, high, _, _), unit in COUNTED:
        if ends["min"] is not None and low <= ends["min"] and ends["max"] <= high:
            return column.cast(pa.int64()).cast(pa.timestamp(unit, "UTC"))
    return None


def _unit_of(kind: Any) -> str:
    return "seconds" if kind.unit == "s" else "milliseconds"


def local_to_utc(local: Times, zone: ZoneInfo) -> tuple[Times, Mask | None, Mask | None]:
    """Wall-clock times of a zone as UTC; which were skipped, and which came twice, None where none was.

    Of two instants with one wall-clock time the first is taken. A midnight that was skipped is the first instant of its day.
    """
    if zone.key == "UTC" or len(local) == 0:
        return local, None, None
    changes = _changes(zone)
    if len(changes.at) == 0:
        return local - np.timedelta64(_offset(zone, datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)), "us"), None, None
    times = local.astype("datetime64[us]").view(np.int64)
    begins = changes.at + np.maximum(changes.before, changes.after)  # the first wall-clock time that can only be after the change
    past = np.searchsorted(begins, times, side="right")
    offsets = np.append(changes.before, changes.after[-1])
    utc = times - offsets[past]
    nxt = np.minimum(past, len(begins) - 1)
    odd = (past < len(begins)) & (times >= changes.at[nxt] + np.minimum(changes.before[nxt], changes.after[nxt]))
    missing = np.isnat(local)
    odd &= ~missing
    if not odd.any():
        return _with_gaps(utc, missing), None, None
    forward = changes.after[nxt] > changes.before[nxt]
    midnight = odd & forward & (times % MICROSECONDS_A_DAY == 0)
    utc[midnight] = changes.at[nxt[midnight]]
    return _with_gaps(utc, missing), odd & forward & ~midnight, odd & ~forward


def instants(utc: Times) -> pa.Array:
    """Times in UTC as values of the book, NaT as null; not copied where there is none."""
    times = utc.astype("datetime64[us]", copy=False)
    counts = times.view(np.int64)
    gaps = len(times) > 0 and counts.min() == NOT_A_TIME
    values = pa.array(times) if gaps else pa.array(counts).cast(pa.timestamp("us"))
    return values.cast(ARROW_TYPES["instant"])


def _with_gaps(utc: NDArray[np.int64], missing: Mask) -> Times:
    found = utc.view("datetime64[us]")
    found[missing] = np.datetime64("NaT")
    return found


@cache
def _changes(zone: ZoneInfo) -> _Changes:
    """Looked up twice a day, and each change found to the second by halving."""
    found: list[tuple[int, int, int]] = []
    moment, end = datetime(FIRST_YEAR - 1, 12, 30, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 3, tzinfo=UTC)
    before = _offset(zone, moment)
    while moment < end:
        after = _offset(zone, moment + STEP)
        if after != before:
            found.append((_change_within(zone, moment, before), before, after))
            before = after
        moment += STEP
    columns = np.array(found, np.int64).reshape(-1, 3)
    return _Changes(columns[:, 0], columns[:, 1], columns[:, 2])


def _change_within(zone: ZoneInfo, start: datetime, before: int) -> int:
    low, high = timegm(start.timetuple()), timegm((start + STEP).timetuple())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, datetime.fromtimestamp(middle, UTC)) == before else (low, middle)
    return high * SECOND


def _offset(zone: ZoneInfo, moment: datetime) -> int:
    """Microseconds east of UTC."""
    offset = moment.astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds()) * SECOND
