"""Time zones: offsets, names and abbreviations as times carry them, and wall-clock times of a zone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unspun.book.tables import Ints, Times

MICROSECONDS_A_MINUTE = 60_000_000
PATTERN = r"Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2}|[A-Z]{2,5}|[A-Z][A-Z_]+(?:/[A-Z_+-]+[0-9]*){1,2}"  # as a time carries it, case aside
# Meanings that are in use but that the IANA database does not abbreviate so
ALSO = {"GST": {240: "the Gulf"}, "AST": {180: "Arabia"}, "SST": {480: "Singapore"}, "BST": {360: "Bangladesh"}, "MST": {480: "Malaysia"}}
YEARS = range(2000, 2031)  # in which an abbreviation's meanings are looked up


def offset_minutes(zones: pa.Array, local: Ints) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Minutes east of UTC of each time (NaN where it names no zone), and whether its zone is known and leaves no choice.

    `local` are the times on their own clock in microseconds. An hour that a clock shows twice leaves a choice.
    """
    distinct = zones.dictionary_encode()
    codes = distinct.indices.to_numpy(zero_copy_only=False)
    names = distinct.dictionary.to_pylist()
    minutes = np.array([_fixed_minutes(name) for name in names], np.float64)[codes] if names else np.zeros(0)
    known = np.ones(len(codes), bool)
    for code, name in enumerate(names):
        if "/" in name:
            where = np.flatnonzero(codes == code)
            minutes[where], known[where] = _minutes_in_zone(name, local[where])
        elif name and not _is_plain(name) and len(readings(name)) != 1:
            known[codes == code] = False
    return minutes, known


def _is_plain(zone: str) -> bool:
    return zone[:1] in ("+", "-") or zone.upper() in ("Z", "UTC", "GMT")


def _fixed_minutes(zone: str) -> float:
    if zone == "" or "/" in zone:
        return np.nan
    if zone[0] in "+-":
        minutes = int(zone[1:3]) * 60 + int(zone[3:].lstrip(":") or 0)
        return float(-minutes if zone[0] == "-" else minutes)
    if _is_plain(zone):
        return 0.0
    return float(next(iter(readings(zone)), np.nan))


def readings(abbreviation: str) -> dict[int, str]:
    """What an abbreviation means: minutes east of UTC, and a zone of the IANA database where it means that."""
    word = abbreviation.upper()
    return _abbreviations().get(word, {}) | ALSO.get(word, {})


@cache
def _abbreviations() -> dict[str, dict[int, str]]:
    found: dict[str, dict[int, str]] = {}
    for key in sorted(available_timezones(), key=lambda key: ("/" not in key, key)):
        if re.match(r"(?:[A-Z][a-z]+/)", key) and not key.startswith(("Etc/", "SystemV/")):
            zone = ZoneInfo(key)
            for moment in (datetime(year, month, 1, tzinfo=zone) for year in YEARS for month in (1, 7)):
                name, offset = moment.tzname(), moment.utcoffset()
                if name and name.isalpha() and offset is not None:
                    found.setdefault(name.upper(), {}).setdefault(int(offset.total_seconds()) // 60, key)
    return found


def _minutes_in_zone(name: str, local: Ints) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    zone = _zones_by_name().get(name.casefold())
    if zone is None:
        return np.full(len(local), np.nan), np.zeros(len(local), bool)
    times = [datetime(1970, 1, 1) + timedelta(microseconds=int(moment)) for moment in local]
    offsets = [(time.replace(tzinfo=zone).utcoffset(), time.replace(tzinfo=zone, fold=1).utcoffset()) for time in times]
    minutes = np.array([np.nan if first is None else first.total_seconds() / 60 for first, _ in offsets], np.float64)
    return minutes, np.array([first == second for first, second in offsets], bool)


@cache
def _zones_by_name() -> dict[str, ZoneInfo]:
    return {key.casefold(): ZoneInfo(key) for key in available_timezones() if "/" in key}


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
