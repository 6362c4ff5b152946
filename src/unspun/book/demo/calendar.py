"""Days as integers since 1970-01-01, months as integers since 1970-01, and looking up what held on a day."""

from __future__ import annotations

import zlib

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NEVER = np.int64(2**31 - 1)  # a day that does not come
NONE = np.int64(-1)


def stream(seed: int, step: str) -> np.random.Generator:
    """A generator for one step of the simulation, so that a change in one step leaves the others as they were."""
    return np.random.default_rng([seed, zlib.crc32(step.encode())])


def day_of_month(month: Ints, day: Ints | int) -> Ints:
    """The given day (1 to 28) of each month, in days."""
    return month.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) + day - 1


def month_of(day: Ints) -> Ints:
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def weekday_of(day: Ints) -> Ints:
    """0 is Monday; 1970-01-01 was a Thursday."""
    return (day + 3) % 7


def to_dates(day: Ints) -> NDArray[np.datetime64]:
    """Days as dates; NEVER becomes NaT."""
    return np.where(day == NEVER, np.datetime64("NaT"), day.astype("datetime64[D]"))


def last_begun(key: Ints, begins: Ints, asked_key: Ints, asked_day: Ints) -> Ints:
    """For each question (key, day): the last row of that key begun by that day, NONE where there is none.

    Rows must be sorted by key, then begin.
    """
    span = np.int64(2**32)
    at = np.searchsorted(key * span + begins, asked_key * span + asked_day, side="right") - 1
    found = (at >= 0) & (key[np.maximum(at, 0)] == asked_key)
    return np.where(found, at, NONE)


def count_by(groups: Ints, size: int) -> Ints:
    return np.bincount(groups, minlength=size).astype(np.int64)


def within_groups(sizes: Ints) -> Ints:
    """0, 1, 2 ... within each of the groups of these sizes, one after another."""
    return np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def position_in_group(group: Ints) -> Ints:
    """0, 1, 2 ... within each run of equal values of a sorted array."""
    return within_groups(np.unique(group, return_counts=True)[1])


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def uniform(rng: np.random.Generator, bounds: tuple[float, float], size: int) -> Floats:
    return rng.uniform(bounds[0], bounds[1], size)


def whole(rng: np.random.Generator, bounds: tuple[int, int], size: int) -> Ints:
    """Whole numbers, both bounds included."""
    return rng.integers(bounds[0], bounds[1] + 1, size)
