"""Usage as it was known: how much an account used lately, and whether that is more or less than before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.audit.terms import align
from unspun.book.extras import Events

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

WINDOW_DAYS = 28  # whole weeks, so that weekends weigh alike in both windows
SILENT_DAYS = 7  # without an event of anybody: the file does not speak of this time
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Usage:
    """Per unit, NaN where not known. `level` counts the last WINDOW_DAYS; `trend` is their log ratio to the WINDOW_DAYS before."""

    level: Floats
    trend: Floats


class UsageIndex:
    """Usage by account and day, sorted once; every question gives the day by which an event must have happened and been recorded.

    A count is known once the account's first event has happened, and from then on zero is zero; before, it is missing. It is
    missing too where nobody at all has an event in the last SILENT_DAYS, as when the file ends before.
    """

    def __init__(self, events: Events, account_names: tuple[str, ...]) -> None:
        self.counted = events.counted
        known = events.day if events.known is None else np.maximum(events.known, events.day)
        self._seen_from, self._seen_by = _first_recorded(events.day, known)
        account = align(events.account, account_names)
        rows = np.flatnonzero(account >= 0)
        self._base = int(events.day.min(initial=0))
        self._span = int(events.day.max(initial=0)) - self._base + 2
        key = account[rows] * self._span + (events.day[rows] - self._base)
        order = np.lexsort((known[rows], key))
        rows = rows[order]
        self._key, self._amount, self._known = key[order], events.amount[rows], known[rows]
        self._begun_by = _running_minimum(account[rows], self._known)
        self._late = np.flatnonzero(self._known > events.day[rows])

    def usage(self, account: Ints, as_of: Ints) -> Usage:
        """Level and trend of each account (a code) as known by the end of each day."""
        recent = self._amount_within(account, as_of - WINDOW_DAYS, as_of, as_of)
        before = self._amount_within(account, as_of - 2 * WINDOW_DAYS, as_of - WINDOW_DAYS, as_of)
        spoken = self._spoken_of(as_of)
        level = np.where(spoken & self._begun(account, as_of, as_of), recent, np.nan)
        whole = spoken & self._begun(account, as_of - 2 * WINDOW_DAYS + 1, as_of)
        return Usage(level, np.where(whole, np.log((1 + recent) / (1 + before)), np.nan))

    def _position(self, account: Ints, day: Ints) -> Ints:
        """How many entries lie at or before each account's day."""
        offset = np.clip(day - self._base, -1, self._span - 2)
        return np.searchsorted(self._key, account * self._span + offset, side="right")

    def _amount_within(self, account: Ints, after: Ints, until: Ints, known_by: Ints) -> Floats:
        """Amount on the days (after, until] of what was recorded by a day."""
        first, last = self._position(account, after), self._position(account, until)
        bounds = np.column_stack([first, last]).ravel()
        amount = np.add.reduceat(np.append(self._amount, 0.0), bounds)[::2] if len(bounds) else np.zeros(0)
        return np.where(first < last, amount, 0.0) - self._unrecorded(first, last, known_by)

    def _unrecorded(self, first: Ints, last: Ints, known_by: Ints) -> Floats:
        """Of the entries [first, last), the amount that was recorded only after a day."""
        low, high = np.searchsorted(self._late, first), np.searchsorted(self._late, last)
        count = high - low
        unit = np.repeat(np.arange(len(first)), count)
        entry = self._late[np.arange(len(unit)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)]
        later = self._known[entry] > known_by[unit]
        return np.bincount(unit[later], weights=self._amount[entry[later]], minlength=len(first)).astype(np.float64)

    def _begun(self, account: Ints, day: Ints, known_by: Ints) -> Bools:
        """Whether the account had an event at or before a day that was recorded by another."""
        if not len(self._key):
            return np.zeros(len(account), dtype=bool)
        position = self._position(account, day) - 1
        entry = np.maximum(position, 0)
        own = (position >= 0) & (self._key[entry] // self._span == account)
        return own & (self._begun_by[entry] <= known_by)

    def _spoken_of(self, as_of: Ints) -> Bools:
        """Whether anybody's event of the last SILENT_DAYS was recorded by then."""
        found = np.zeros(len(as_of), dtype=bool)
        for back in range(SILENT_DAYS):
            at = as_of - back - self._seen_from
            inside = (at >= 0) & (at < len(self._seen_by))
            found |= inside & (self._seen_by[np.clip(at, 0, len(self._seen_by) - 1)] <= as_of)
        return found


def _first_recorded(day: Ints, known: Ints) -> tuple[int, Ints]:
    """The first day of the file, and for each day from it the day by which the first of its events was recorded."""
    if not len(day):
        return 0, np.full(1, NEVER)
    first = int(day.min())
    by = np.full(int(day.max()) - first + 1, NEVER)
    np.minimum.at(by, day - first, known)
    return first, by


def _running_minimum(account: Ints, known: Ints) -> Ints:
    """Within each account (sorted), the smallest value so far."""
    if not len(known):
        return known
    low, span = int(known.min()), int(np.ptp(known)) + 1
    falling = known - low - account * span  # each account lies below the one before, so the minimum starts anew
    return np.minimum.accumulate(falling) + account * span + low
