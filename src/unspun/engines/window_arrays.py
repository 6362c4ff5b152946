"""Windows made of panes, and counts made of masks, as arrays: an account after another, each with all its as-of dates.

What is kept of an account and pane stands in a row of an array at the pane's place. A window is a run of panes, so what adds up is a
difference of two running totals, and an extreme that of two runs whose lengths are powers of two. Rows that were seen late, or were
superseded, count on fewer dates than their panes; they are entered by the dates themselves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
LIMB_BITS = 32
LIMBS = 4
BILLION = 10**9
EXACT_BELOW = 9_000_000 * BILLION
"""Billionths below which a double holds them exactly, so that dividing them rounds once."""
MOST_IN_A_BYTE = 255
BYTES_OF_ONES = 0x0101010101010101


@dataclass(frozen=True, slots=True)
class PaneDates:
    """For a window the as-of dates that look at each pane: from a place until before another, both in order over the panes."""

    starts: Ints
    stops: Ints
    dates: int

    @property
    def runs(self) -> tuple[Ints, Ints]:
        """For each date the panes of its window: from a place until before another."""
        points = np.arange(self.dates)
        ends = np.searchsorted(self.starts, points, "right")
        return np.minimum(np.searchsorted(self.stops, points, "right"), ends), ends


@dataclass
class PaneRows:
    """What is kept of the panes of some accounts, a row each: `account` (0 the first), `pane`, from which date it is seen (`late`; 0: with
    its pane) and until before which (`until`; None: for good). A row that is `in_time` and seen for good is the only one of its pane."""

    account: Ints
    pane: Ints
    late: Ints
    until: Ints | None
    accounts: int
    panes: int
    dates: int
    _totals: dict[str, Ints] = field(default_factory=dict[str, "Ints"])

    def __post_init__(self) -> None:
        in_time = self.late == 0
        self.in_time = in_time if self.until is None else in_time & (self.until >= self.dates)
        self.all_in_time = bool(self.in_time.all())
        account, pane = (self.account, self.pane) if self.all_in_time else (self.account[self.in_time], self.pane[self.in_time])
        self.place = account * (self.panes + 1) + pane + 1

    def sums(self, name: str, values: Ints, window: PaneDates) -> Ints:
        """The sum of a column over the window of each account and date; no row: 0. `name`: what its totals are kept under."""
        if name not in self._totals:
            totals = np.zeros(self.accounts * (self.panes + 1), np.int64)
            totals[self.place] = self._timely(values)
            self._totals[name] = totals.reshape(self.accounts, self.panes + 1).cumsum(axis=1)
        first, after = window.runs
        found = self._totals[name].take(after, axis=1)
        found -= self._totals[name].take(first, axis=1)
        if not self.all_in_time:
            found += self._late_sums(values, window)
        return found.ravel()

    def _late_sums(self, values: Ints, window: PaneDates) -> Ints:
        rows, start, stop = self._late(window)
        steps = np.zeros((self.accounts, self.dates + 1), np.int64)
        np.add.at(steps, (self.account[rows], start), values[rows])
        np.subtract.at(steps, (self.account[rows], stop), values[rows])
        return steps.cumsum(axis=1)[:, :-1]

    def greatest(self, values: NDArray[np.generic], nothing: float, window: PaneDates) -> NDArray[np.generic]:
        """The greatest of a column over the window of each account and date; `nothing`, less than any, where no row has one."""
        cells = np.full(self.accounts * (self.panes + 1), nothing, values.dtype)
        cells[self.place] = self._timely(values)
        found = _greatest_of_runs(cells.reshape(self.accounts, self.panes + 1)[:, 1:], window, nothing)
        if not self.all_in_time:
            np.maximum(found, self._late_greatest(values, nothing, window), out=found)
        return found.ravel()

    def _late_greatest(self, values: NDArray[np.generic], nothing: float, window: PaneDates) -> NDArray[np.generic]:
        rows, start, stop = self._late(window)
        lasting = stop == self.dates
        found = np.full((self.accounts, self.dates), nothing, values.dtype)
        np.maximum.at(found, (self.account[rows[lasting]], start[lasting]), values[rows[lasting]])
        np.maximum.accumulate(found, axis=1, out=found)
        rows, start, length = rows[~lasting], start[~lasting], (stop - start)[~lasting]
        dates = np.arange(length.sum()) - np.repeat(length.cumsum() - length, length) + np.repeat(start, length)
        np.maximum.at(found, (np.repeat(self.account[rows], length), dates), np.repeat(values[rows], length))
        return found

    def _late(self, window: PaneDates) -> tuple[Ints, Ints, Ints]:
        """The rows that are not in time and are seen at all in a window, and from which date until before which."""
        rows = np.flatnonzero(~self.in_time)
        start = np.maximum(window.starts[self.pane[rows]], self.late[rows])
        stop = window.stops[self.pane[rows]]
        stop = stop if self.until is None else np.minimum(stop, self.until[rows])
        seen = start < stop
        return rows[seen], start[seen], stop[seen]

    def _timely(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        return values if self.all_in_time else values[self.in_time]

    def amounts(self, name: str, words: NDArray[np.uint64], window: PaneDates) -> NDArray[np.float64]:
        """The sum of amounts over each window as the nearest double. `words`: the low and the high word of each amount in billionths."""
        low, high = words[:, 0].view(np.int64), words[:, 1].view(np.int64)
        largest = int(np.abs(low, where=low != np.iinfo(np.int64).min, out=np.full_like(low, np.iinfo(np.int64).max)).max(initial=0))
        if bool((high == low >> 63).all()) and largest * max(1, len(low)) < 1 << 62:
            return _nearest(self.sums(name, low, window))
        return _nearest_of_limbs([self.sums(f"{name} {i}", limb, window) for i, limb in enumerate(_limbs(words))])


def _greatest_of_runs(cells: NDArray[np.generic], window: PaneDates, nothing: float) -> NDArray[np.generic]:
    """The greatest cell of each run of a row; `nothing` of an empty one."""
    first, after = window.runs
    found = np.full((len(cells), window.dates), nothing, cells.dtype)
    if not first.any():
        totals = np.maximum.accumulate(cells, axis=1)
        filled = np.flatnonzero(after)
        found[:, filled] = totals.take(after[filled] - 1, axis=1)
        return found
    lengths = after - first
    run, best = 1, cells
    while run <= lengths.max(initial=0):
        at = np.flatnonzero((lengths >= run) & (lengths < 2 * run))
        if len(at):
            found[:, at] = np.maximum(best.take(first[at], axis=1), best.take(after[at] - run, axis=1))
        best = np.maximum(best[:, :-run], best[:, run:]) if best.shape[1] > run else best[:, :0]
        run *= 2
    return found


def _nearest(billionths: Ints) -> NDArray[np.float64]:
    """Whole billionths as the nearest doubles. Beyond what a double holds exactly one by one: Python's division of integers is exact."""
    found = billionths / np.float64(BILLION)
    for place in np.flatnonzero(np.abs(billionths) > EXACT_BELOW).tolist():
        found[place] = int(billionths[place]) / BILLION
    return found


def _limbs(words: NDArray[np.uint64]) -> list[Ints]:
    """Integers of two words in four limbs, the lowest first; the highest has the sign."""
    half, low, high = np.uint64(LIMB_BITS), words[:, 0], words[:, 1]
    part = np.uint64((1 << LIMB_BITS) - 1)
    return [(low & part).view(np.int64), (low >> half).view(np.int64), (high & part).view(np.int64), high.view(np.int64) >> LIMB_BITS]


def _nearest_of_limbs(limbs: Sequence[Ints]) -> NDArray[np.float64]:
    found = np.zeros(len(limbs[0]))
    for place in np.flatnonzero(np.any([limb != 0 for limb in limbs], axis=0)).tolist():
        found[place] = sum(int(limb[place]) << (i * LIMB_BITS) for i, limb in enumerate(limbs)) / BILLION
    return found


def bit_counts(account: Ints, accounts: int, words: Mapping[str, Ints]) -> dict[str, NDArray[np.int64]]:
    """For each word of masks, by account of how many masks each of its 64 bits is set: an array of accounts x 64.

    Eight bits of a word, each in a byte of its own, are added up at once, for so many masks that no byte runs over.
    """
    order = np.argsort(account, kind="stable")
    owner = account[order]
    firsts = np.flatnonzero(np.diff(owner, prepend=-1))
    rank = np.arange(len(owner)) - np.repeat(firsts, np.diff(np.append(firsts, len(owner))))
    blocks = np.flatnonzero(rank % MOST_IN_A_BYTE == 0)
    return {name: _bits_of(word[order], blocks, owner[blocks], accounts) for name, word in words.items()}


def _bits_of(word: Ints, blocks: Ints, owner: Ints, accounts: int) -> NDArray[np.int64]:
    found = np.zeros((accounts, 64), np.int64)
    if not len(word):
        return found
    masks, ones = word.view(np.uint64), np.uint64(BYTES_OF_ONES)
    counts = np.empty((len(blocks), 8, 8), np.uint8)  # by block, place in a byte, byte
    for bit in range(8):
        spread = (masks >> np.uint64(bit)) & ones
        counts[:, bit, :] = np.add.reduceat(spread, blocks).view(np.uint8).reshape(-1, 8)
    by_block = counts.transpose(0, 2, 1).reshape(len(blocks), 64)
    firsts = np.flatnonzero(np.diff(owner, prepend=-1))
    found[owner[firsts]] = by_block if len(firsts) == len(owner) else np.add.reduceat(by_block, firsts, axis=0, dtype=np.int64)
    return found
