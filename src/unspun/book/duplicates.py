"""Rows that share their key with another row, found by sorting one combined integer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.book.tables import Ints

LARGEST = 2**62
STEP_ROWS = 1 << 18
SECOND = 1_000_000  # microseconds
DAY = 86_400 * SECOND


class Repeated:
    """Rows in groups of equal keys: rows[starts[g]] is the first of group g; group[i] is row i's."""

    def __init__(self, rows: Ints, starts: Ints) -> None:
        self.rows, self.starts = rows, starts
        self.group = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(rows))))


def repeated_rows(keys: Sequence[NDArray[Any]]) -> Repeated:
    """Find rows with equal keys; NaT equals NaT. Each key has one integer or time a row.

    Keys are combined into one number as long as they fit. Where they do not, only rows that repeat so far are looked at further.
    """
    rows: Ints | None = None
    combined, size = np.zeros(len(keys[0]), np.int64), 1
    for key in keys:
        codes, n = _numbered(key if rows is None else key[rows])
        if size * n > LARGEST:
            some = _repeating(combined)
            rows = some if rows is None else rows[some]
            (combined, size), (codes, n) = _renumbered(combined[some]), _renumbered(codes[some])
        combined *= n
        combined += codes
        size *= n
        del codes
    some = _repeating(combined)
    return _grouped(some if rows is None else rows[some], combined[some])


def _grouped(rows: Ints, keys: Ints) -> Repeated:
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    return Repeated(rows[order], np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]))


def _repeating(keys: Ints) -> Ints:
    """Positions of the keys that stand more than once."""
    ordered = np.sort(keys)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    del ordered
    if not len(twice):
        return np.zeros(0, np.int64)
    repeats = np.empty(len(keys), bool)
    for start in range(0, len(keys), STEP_ROWS):
        part = keys[start : start + STEP_ROWS]
        nearest = twice[np.minimum(np.searchsorted(twice, part), len(twice) - 1)]
        repeats[start : start + STEP_ROWS] = nearest == part
    return np.flatnonzero(repeats)


def _numbered(key: NDArray[Any]) -> tuple[Ints, int]:
    """The key as numbers from 0 on, equal where it is equal, and one more than the highest."""
    whole = _units(key.astype("datetime64[us]", copy=False)) if key.dtype.kind == "M" else key.astype(np.int64)
    if not len(whole):
        return whole, 1
    low, high = int(whole.min()), int(whole.max())
    whole -= low
    return whole, high - low + 1


def _units(times: NDArray[np.datetime64]) -> Ints:
    """Times as whole days or seconds where they all are, else as microseconds; NaT is a day before the first."""
    micros = times.view(np.int64)
    missing = np.isnat(times)
    if missing.any():
        first = int(micros[~missing].min()) if not missing.all() else 0
        micros = np.where(missing, (first // DAY - 1) * DAY, micros)
    for unit in (DAY, SECOND):
        if not any((micros[start : start + STEP_ROWS] % unit).any() for start in range(0, len(micros), STEP_ROWS)):
            return micros // unit
    return micros.copy()


def _renumbered(keys: Ints) -> tuple[Ints, int]:
    distinct, codes = np.unique(keys, return_inverse=True)
    return codes.astype(np.int64), max(1, len(distinct))
