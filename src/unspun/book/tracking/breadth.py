"""How many accounts a change is in: told from what single accounts do by themselves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.tracking.level import Bools, Floats
from unspun.book.tracking.spans import Change

BEFORE_DAYS = 28
PLACEBOS = 4  # spans of the same length before it, a week apart, from which the accounts' own variation is learned
LONGEST_DAYS = 28  # of a longer change only the first so many days are looked at
LEAST_ACCOUNTS = 8
LEAST_COUNT = 2.0  # what must be expected of an account over the span
LEAST_DIFFERENCE = 0.15  # between accounts that are in it and that are not
OWN_SPANS, SHARED_SPANS = 28, 2  # spans before from which one account's habit is learned, and how many of all accounts' it is worth
RARELY = 0.02  # how often an account moves by itself, at least


@dataclass(frozen=True, slots=True)
class Breadth:
    """`changed` of `accounts` looked at moved by at least half the change. `share` is the share of the accounts that it is in, once
    what accounts do by themselves is taken off; NaN where the accounts are too few or vary too much to say. `chance` is how likely so
    many would move if each did as it is used to: accounts that use an event on one day in five often all leave it out together."""

    accounts: int
    changed: int
    share: float
    chance: float = 1.0


def breadth(counts: Floats, inside: Bools, shape: Floats, change: Change) -> Breadth:
    """The share of accounts that a change is in.

    `counts` has the shape (accounts, days); `inside` says which accounts are in the part of the book; `shape` is the expected course of the
    days. The share is (b - b0) / (b1 - b0) with b the share of accounts that moved by half the change, b0 the same in spans before, and
    b1 the same in spans before had every account changed so.
    """
    kept = float(np.exp(change.effect))
    days = min(change.last - change.first + 1, LONGEST_DAYS)
    mine = counts[inside]
    expected, counted = _pair(mine, shape, change.first, days)
    known = expected >= LEAST_COUNT
    if known.sum() < LEAST_ACCOUNTS:
        return Breadth(int(known.sum()), int(_moved(counted[known], expected[known], kept).sum()), np.nan)
    moved = _moved(counted[known], expected[known], kept)
    usual, all_in = _placebos(mine, shape, change.first, days, kept)
    told = all_in - usual
    share = float(np.clip((moved.mean() - usual) / told, 0, 1)) if told > LEAST_DIFFERENCE else np.nan
    habits = _habits(mine, shape, change.first, days, kept)[known]
    return Breadth(int(known.sum()), int(moved.sum()), share, _at_least(int(moved.sum()), habits))


def _habits(counts: Floats, shape: Floats, first: int, days: int, kept: float) -> Floats:
    """How often each account moved that much in spans before, drawn towards what all accounts did."""
    seen, moved = np.zeros(len(counts)), np.zeros(len(counts))
    for back in range(1, OWN_SPANS + 1):
        start = first - 2 - back * days
        if start < BEFORE_DAYS:
            break
        expected, counted = _pair(counts, shape, start, days)
        known = expected >= LEAST_COUNT
        seen += known
        moved += known & _moved(counted, expected, kept)
    usual = moved.sum() / seen.sum() if seen.any() else 0.5
    return np.maximum((moved + SHARED_SPANS * usual) / (seen + SHARED_SPANS), RARELY)


def _at_least(count: int, chances: Floats) -> float:
    """The chance of at least so many of independent events (Poisson's binomial distribution, by convolution)."""
    found = np.ones(1)
    for chance in chances.tolist():
        found = np.convolve(found, [1 - chance, chance])
    return float(found[count:].sum())


def _pair(counts: Floats, shape: Floats, first: int, days: int) -> tuple[Floats, Floats]:
    """What is expected of each account in a span by the days before, and what was counted."""
    before, span = slice(max(0, first - BEFORE_DAYS), first), slice(first, first + days)
    course = float(shape[span].sum() / max(shape[before].sum(), 1e-9))
    return counts[:, before].sum(axis=1) * course, counts[:, span].sum(axis=1)


def _moved(counted: Floats, expected: Floats, kept: float) -> Bools:
    edge = expected * np.exp(np.log(max(kept, 0.05)) / 2)
    return counted < edge if kept < 1 else counted > edge


def _placebos(counts: Floats, shape: Floats, first: int, days: int, kept: float) -> tuple[float, float]:
    """Share of accounts that moved that much in spans before, as they were and had all changed; NaN where there is nothing before."""
    usual: list[Bools] = []
    all_in: list[Bools] = []
    for back in range(PLACEBOS):
        start = first - max(days, 7) - 7 * back
        if start < BEFORE_DAYS:
            break
        expected, counted = _pair(counts, shape, start, days)
        known = expected >= LEAST_COUNT
        usual.append(_moved(counted[known], expected[known], kept))
        all_in.append(_moved(counted[known] * kept, expected[known], kept))
    if sum(map(len, usual)) < LEAST_ACCOUNTS:
        return np.nan, np.nan
    return float(np.concatenate(usual).mean()), float(np.concatenate(all_in).mean())
