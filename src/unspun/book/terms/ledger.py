"""What an account paid on given days: the terms that count then, their ARR together, and its currency."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.tables import Floats, Ints
from unspun.book.terms.lines import NEVER, SPAN, Bools, Lines

MIXED = -1


@dataclass(frozen=True, slots=True)
class Balance:
    """An account on a day: the base terms that count, the ARR of all terms that count (NaN where one of them has none, or
    they are not in one currency), and that currency (0 is none stated; MIXED)."""

    base_terms: Ints
    arr: Floats
    currency: Ints


def balance(lines: Lines, until: Ints, account: Ints, day: Ints) -> Balance:
    """The balance of each (account, day); line i counts on the days in [start[i], until[i]).

    Every term covers a stretch of its account's days asked for; the terms of a day are added up in the order of the lines.
    """
    line, at = _covered(lines, lines.start, until, account, day)
    n = len(day)
    base_terms = np.bincount(at, weights=lines.base[line], minlength=n).astype(np.int64)
    currency = _one_currency(at, lines.currency[line], n)
    arr = np.bincount(at, weights=lines.arr[line], minlength=n)  # a NaN among them makes it NaN
    return Balance(base_terms, np.where(currency == MIXED, np.nan, arr), currency)


def told_by(lines: Lines, succession_begins: Ints, grace_days: int, account: Ints, day: Ints) -> Ints:
    """For each (account, day), the day on which it is known which terms count then: later than the day itself where one has
    ended whose grace days are not over, and that may still go on or turn out to have lapsed.

    `succession_begins` is the day on which each line's successor begins, NEVER where it has none.
    """
    known = np.minimum(succession_begins, np.where(lines.end < NEVER, lines.end + grace_days, lines.end))
    line, at = _covered(lines, lines.end, known, account, day)
    latest = day.copy()
    np.maximum.at(latest, at, known[line])
    return latest


def _covered(lines: Lines, start: Ints, until: Ints, account: Ints, day: Ints) -> tuple[Ints, Ints]:
    """Pairs of a line and a question, (account, day), whose day lies in the line's [start, until), by line and day."""
    order = np.lexsort((day, account))
    key = account[order] * SPAN + day[order]
    first = np.searchsorted(key, lines.account * SPAN + start, side="left")
    last = np.searchsorted(key, lines.account * SPAN + until, side="left")
    count = np.maximum(last - first, 0)
    line = np.repeat(np.arange(len(count)), count)
    return line, order[np.arange(len(line)) - np.repeat(np.cumsum(count) - count, count) + first[line]]


def _one_currency(at: Ints, currency: Ints, n: int) -> Ints:
    low, high = np.full(n, np.iinfo(np.int64).max), np.full(n, MIXED)
    np.minimum.at(low, at, currency)
    np.maximum.at(high, at, currency)
    return np.where(low == high, low, np.where(high == MIXED, 0, MIXED))


def comparable(one: Balance, other: Balance) -> Bools:
    """Whether two balances are amounts in the same currency."""
    return ~np.isnan(one.arr) & ~np.isnan(other.arr) & (one.currency == other.currency)
