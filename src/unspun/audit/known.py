"""The value as it was known: per account, the last one dated, and recorded, by a day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Days = NDArray[np.int64]  # days since 1970-01-01
Times = NDArray[np.datetime64]

NOWHERE = np.int64(-1)
DAY_MICROS = 86_400_000_000


def to_days(times: NDArray[np.datetime64]) -> Days:
    """Days since 1970-01-01; NaT becomes the smallest integer."""
    return times.astype("datetime64[D]").astype(np.int64)


class KnownHistory:
    """An index over dated rows that answers, for (account, day), which row was the last one known.

    A row is known from the later of its date and its recording; of the rows known by a day the one with the latest date
    counts, and of several recordings of one date the latest. Built in one sort; each question is a binary search.
    """

    def __init__(self, account: Ints, dated: Times, recorded: Times | None, *, as_dated: bool = False) -> None:
        """`account` holds non-negative codes, shape (n,); `recorded` is NaT where a row was recorded when dated.

        `as_dated` pretends that every row was known on its date, whenever it was recorded.
        """
        days = to_days(dated)
        order = _order(account, dated, recorded)
        if recorded is not None and not as_dated:
            days = np.maximum(days, to_days(recorded))  # NaT is the smallest integer, so it never wins
        self._first = int(days.min()) if len(days) else 0
        self._span = (int(days.max()) if len(days) else 0) - self._first + 2
        available = account * self._span + (days - self._first)
        if recorded is None or as_dated:
            self._keys, self._rows = available[order], order
        else:
            self._keys, self._rows = _latest_so_far(available, order)

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


def _order(account: Ints, dated: Times, recorded: Times | None) -> Ints:
    """Rows by account, date, recording and position. Whole days sort by one integer key, which is much faster."""
    micros = dated.astype("datetime64[us]").astype(np.int64)
    if recorded is not None:
        return np.lexsort((recorded.astype("datetime64[us]").astype(np.int64), micros, account))
    if len(micros) and not (micros % DAY_MICROS).any():
        days = micros // DAY_MICROS
        return _order_keys(account * (int(days.max() - days.min()) + 1) + (days - days.min()))
    return np.lexsort((micros, account))


def _order_keys(keys: Ints) -> Ints:
    """A stable argsort of keys that are not negative. Each carries its position in its lowest bits, as sorting numbers is the faster."""
    bits = len(keys).bit_length()
    if int(keys.max()) >= 1 << (63 - bits):
        return np.argsort(keys, kind="stable")
    return np.sort((keys << bits) | np.arange(len(keys))) & ((1 << bits) - 1)


def _latest_so_far(available: Ints, order: Ints) -> tuple[Ints, Ints]:
    """Walk the rows as they become available; at each, the row that ranks latest so far within the account.

    `order` ranks rows by account first, so a running maximum over all rows never crosses into the next account.
    """
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    arrival = np.lexsort((rank, available))
    latest = np.maximum.accumulate(rank[arrival])
    return available[arrival], order[latest]
