"""Which term takes over from which: on time, late within the grace days, early, or in the middle of a term."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from unspun.book.tables import Ints
from unspun.book.terms.lines import NEVER, SPAN, Bools, Lines, is_among
from unspun.book.terms.rules import TermRules

NONE = -1


@dataclass(frozen=True, slots=True)
class Succession:
    """For each line, the line that takes over from it (NONE: nobody), and whether that changed the contract mid-term."""

    successor: Ints
    amended: Bools

    def takes_over_on(self, lines: Lines) -> Ints:
        """The day each line's successor begins; NEVER where it has none."""
        return np.where(self.successor >= 0, lines.start[self.successor], NEVER)

    def runs_until(self, lines: Lines) -> Ints:
        """The day each line stops to count: its successor's first (also across a gap within the grace days), else its end."""
        return np.where(self.successor >= 0, lines.start[self.successor], lines.end)


def cut_at_cancellation(lines: Lines, rules: TermRules) -> Lines:
    """Where a cancellation ends the service: the lines with ends cut to it, but for those that another line replaces then."""
    cut = (lines.cancelled < lines.end) & (_replacements(lines, rules) == NONE)
    return replace(lines, end=np.where(cut, np.maximum(lines.cancelled, lines.start), lines.end))


def find_successors(lines: Lines, rules: TermRules) -> Succession:
    """The successor of each line, by the first rule that finds one.

    A cancelled line is replaced by a line of its product, or by a new product, that begins about the day of cancellation and
    before the end. Else a line of the same product renews it; else, for base products, a product that is new to the account.
    On time goes before early, early before late; a line that begins where another of its product ends renews that one alone.
    """
    successor = _replacements(lines, rules)
    replaced = successor >= 0
    everything = np.arange(len(lines.start))
    same = _takes_over(lines, everything[~replaced], _Pool(lines, everything, lines.family), rules.grace_days, None)
    successor[~replaced] = same
    left = np.flatnonzero((successor == NONE) & lines.base)
    successor[left] = _takes_over(lines, left, _new_products(lines, rules), rules.grace_days, rules.early_days)
    begins = np.where(successor >= 0, lines.start[successor], NEVER)
    sooner = (begins < lines.end - rules.early_days) | (replaced & (lines.end[successor] <= lines.end))
    return Succession(successor, (successor >= 0) & (begins < lines.end) & sooner)


class _Pool:
    """Lines that may take over, by group (of one product, or of one account) and start."""

    def __init__(self, lines: Lines, members: Ints, group: Ints) -> None:
        self.group = group  # of every line, members or not
        key = group[members] * SPAN + lines.start[members]
        order = np.argsort(key, kind="stable")
        self.members, self.key = members[order], key[order]
        self.end = lines.end[self.members]
        on_time = is_among((lines.family * SPAN + lines.start)[self.members], lines.family * SPAN + lines.end)
        self.free = ~on_time  # begins where no line of its product ends, so that it may take over in mid-term

    def first_from(self, rows: Ints, day: Ints) -> Ints:
        """Place of the first member of each row's group that begins on the day or later."""
        return np.searchsorted(self.key, self.group[rows] * SPAN + day, side="left")

    def begins_by(self, place: Ints, rows: Ints, day: Ints) -> Bools:
        """Whether the member at each place is of the row's group and begins by the day."""
        inside = np.minimum(place, len(self.key) - 1)
        return (place < len(self.key)) & (self.key[inside] <= self.group[rows] * SPAN + day)

    def first_outlasting(self, place: Ints, rows: Ints, last: Ints, end: Ints) -> Ints:
        """From each place on, the first free member beginning by day `last` that ends after `end`; NONE where there is none."""
        found = np.full(len(rows), NONE)
        place, open_ = place.copy(), np.arange(len(rows))
        while len(open_):
            open_ = open_[self.begins_by(place[open_], rows[open_], last[open_])]
            fits = self.free[place[open_]] & (self.end[place[open_]] > end[open_])
            found[open_[fits]] = self.members[place[open_[fits]]]
            open_ = open_[~fits]
            place[open_] += 1
        return found


def _takes_over(lines: Lines, rows: Ints, pool: _Pool, grace_days: int, early_days: int | None) -> Ints:
    """On time, else early (at most so many days, None: however many, but after the row's own start), else late."""
    if len(pool.key) == 0 or len(rows) == 0:
        return np.full(len(rows), NONE)
    start, end = lines.start[rows], lines.end[rows]
    ending = end < NEVER
    at_end = pool.first_from(rows, end)
    on_time = ending & pool.begins_by(at_end, rows, end)
    late = ending & pool.begins_by(at_end, rows, end + grace_days)
    earliest = start + 1 if early_days is None else np.maximum(start + 1, end - early_days)
    early = np.full(len(rows), NONE)
    seek = np.flatnonzero(ending & ~on_time)
    early[seek] = pool.first_outlasting(pool.first_from(rows[seek], earliest[seek]), rows[seek], end[seek] - 1, end[seek])
    member = pool.members[np.minimum(at_end, len(pool.members) - 1)]
    return np.where(on_time, member, np.where(early >= 0, early, np.where(late, member, NONE)))


def _replacements(lines: Lines, rules: TermRules) -> Ints:
    """For each line cancelled before its end, the line that takes over about then, before that end."""
    found = np.full(len(lines.start), NONE)
    rows = np.flatnonzero(lines.cancelled < lines.end)
    everything = np.arange(len(lines.start))
    for pool, of in ((_Pool(lines, everything, lines.family), rows), (_new_products(lines, rules), rows[lines.base[rows]])):
        of = of[found[of] == NONE]
        if len(of) == 0 or len(pool.key) == 0:
            continue
        first = np.maximum(lines.cancelled[of] - rules.grace_days, lines.start[of] + 1)
        last = np.minimum(lines.cancelled[of] + rules.grace_days, lines.end[of] - 1)
        found[of] = pool.first_outlasting(pool.first_from(of, first), of, last, np.zeros(len(of), np.int64))
    return found


def _new_products(lines: Lines, rules: TermRules) -> _Pool:
    """Base lines that continue no line of their own product: each begins something new for its account."""
    fresh = lines.base & ~_continues(lines, rules.grace_days)
    return _Pool(lines, np.flatnonzero(fresh), lines.account)


def _continues(lines: Lines, grace_days: int) -> Bools:
    """Whether a line begins while one of the same product that began before it runs, or within the grace days of its end."""
    order = np.lexsort((lines.start, lines.family))
    key = lines.family[order] * SPAN + lines.start[order]
    latest = np.maximum.accumulate(lines.family[order] * SPAN + lines.end[order])
    before = np.searchsorted(key, key, side="left") - 1  # the last line of the product that began on an earlier day
    continues = np.zeros(len(order), bool)
    continues[order] = (before >= 0) & (latest[np.maximum(before, 0)] >= key - grace_days)
    return continues
