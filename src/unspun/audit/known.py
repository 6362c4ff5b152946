"""The value as it was known: per account, the last one dated, and recorded, by a day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Days = NDArray[np.int64]  # days since 1970-01-01
Rows = NDArray[np.int32 | np.int64]  # rows or codes: half the memory while there are fewer than 2**31 of them
Times = NDArray[np.datetime64]

NOWHERE = np.int64(-1)


def to_days(times: NDArray[np.datetime64]) -> Days:
    """Days since 1970-01-01; NaT becomes the smallest integer."""
    return times.astype("datetime64[D]").view(np.int64)


class KnownHistory:
    """An index over dated rows that answers, for (account, day), which row was the last one known.

    A row is known from the later of its date and its recording; of the rows known by a day the one with the latest date
    counts, and of several recordings of one date the latest. Built by sorting integers; each question is a binary search.
    """

    def __init__(self, account: Rows, dated: Times, recorded: Times | None, *, as_dated: bool = False) -> None:
        """`account` holds non-negative codes, shape (n,); `recorded` is NaT where a row was recorded when dated.

        `as_dated` pretends that every row was known on its date, whenever it was recorded.
        """
        days = to_days(dated)
        self._take_span(days)
        keys, order = _sort_keys(account, days, self._first, self._span)
        _order_within_days(keys, order, dated, recorded)
        if recorded is None or as_dated:
            self._keys, self._rows = keys, order
            return
        del keys
        days = np.maximum(days, to_days(recorded))[order]  # NaT is the smallest integer, so it never wins
        self._take_span(days)
        self._keys, latest = _sort_keys(account[order], days, self._first, self._span)
        np.maximum.accumulate(latest, out=latest)  # `order` ranks rows by account first, so none crosses into the next account
        self._rows = order[latest]

    def _take_span(self, days: Days) -> None:
        self._first = int(days.min()) if len(days) else 0
        self._span = (int(days.max()) if len(days) else 0) - self._first + 2

    @property
    def by_date(self) -> Rows:
        """Rows by account and date, several of one date by time and recording: all, where each counts as known on its date."""
        return self._rows

    def last_known(self, account: Ints, day: Days) -> Ints:
        """Row index of the last value known to each account by the end of each day, NOWHERE where there is none."""
        if not len(self._keys):
            return np.full(len(account), NOWHERE)
        offset = np.clip(day - self._first, -1, self._span - 2)
        position = np.searchsorted(self._keys, account * self._span + offset, side="right") - 1
        found = (position >= 0) & (offset >= 0)
        position = np.maximum(position, 0)
        found &= self._keys[position] // self._span == account
        return np.where(found, self._rows[position], NOWHERE)


def _sort_keys(account: Rows, days: Days, first: int, span: int) -> tuple[Ints, Rows]:
    """Keys by account and day in order, and the row of each; rows of one key stay in their order.

    Each key carries its row in its lowest bits, as numbers are sorted faster, and in less memory, than positions are by numbers.
    """
    keys = account.astype(np.int64)
    keys *= span
    keys += days
    keys -= first
    bits = len(keys).bit_length()
    kind = np.int32 if bits < 32 else np.int64
    if int(keys.max(initial=0)) >= 1 << (63 - bits):
        order = np.argsort(keys, kind="stable")
        return keys[order], order.astype(kind)
    keys <<= bits
    keys |= np.arange(len(keys), dtype=kind)
    keys.sort()
    order = np.empty(len(keys), kind)
    np.bitwise_and(keys, (1 << bits) - 1, out=order, casting="same_kind")
    keys >>= bits
    return keys, order


def _order_within_days(keys: Ints, order: Rows, dated: Times, recorded: Times | None) -> None:
    """Put rows of one account and day in order of time, then of recording, then of position. Most days have one row."""
    same = keys[1:] == keys[:-1]
    if not same.any():
        return
    shared = np.flatnonzero(np.append(same, False) | np.append(False, same))
    rows = order[shared]
    by = [dated[rows].astype("datetime64[us]").view(np.int64), keys[shared]]
    if recorded is not None:
        by.insert(0, recorded[rows].astype("datetime64[us]").view(np.int64))
    order[shared] = rows[np.lexsort(by)]
