"""Which changes are broken tracking, and which are customers who use it less or more."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from unspun.book.checks.finding import SpanKind
from unspun.book.tracking.breadth import Breadth, breadth
from unspun.book.tracking.level import Bools, Ints, Levels, levels
from unspun.book.tracking.spans import Change, changes, contrast, others_of
from unspun.book.tracking.usage import DailyUsage, Key

STOPPED = 0.05  # less than this is kept: stopped
STOPPED_FOR_A_DAY = 0.02  # on a public holiday somebody works
BROAD = 0.6  # share of the accounts that a break is in
MOST_CHANCE = 1e-6  # that so many accounts changed by themselves: some hundred thousand days and series are looked at
EXPLAINED = 0.7  # of what the whole lost, that a part must have lost to be the cause
MOVED_ELSEWHERE = 0.5  # of what a part lost, that the whole must have lost as well: else it only went to other parts
ALL_KEPT, ALL_ROSE = 0.7, 1.6  # all events at once: holidays do less, or do it on fewer working days
LEAST_WORKING_DAYS = 5  # for all events; the longest public holidays but the year's end are shorter, most of them
LEAST_PART_WORKING_DAYS = 3
YEAR_DAYS, YEAR_SLACK_DAYS = 365, 10  # what falls about the same days of another year as well is a season
LEAST_PART_DAYS = 2  # a holiday of one region stops it for a day
LONGEST_HOLIDAY_DAYS = 3  # on which nobody at all works
YEAR_END = ((12, 18), (1, 8))  # falls between these days, both included, are holidays


@dataclass(frozen=True, slots=True)
class TrackingChange:
    """A change of tracking or use: what it is in, its kind, its days (day numbers since 1970; both included), and how broad it is.

    `measures` are the columns that changed alike, where it is in most of those of an event at once: `key` is then one of them.
    """

    key: Key
    kind: SpanKind
    change: Change
    first_day: int
    last_day: int | None
    breadth: Breadth
    measures: tuple[str, ...] = ()

    @property
    def is_broken(self) -> bool:
        return self.kind != "usage_fell"


def judge_usage(usage: DailyUsage, found: Levels | None = None) -> list[TrackingChange]:
    """What changed at once, and whether it is tracking that broke: the causes alone, in order of their first days."""
    found = levels(usage.counts, int(usage.days[0])) if found is None else found
    others = others_of(usage)
    none = np.zeros(0, dtype=np.int64)
    lasting = [c for i, beside in others.items() for c in _once(changes(usage, found, i, beside)) if _lasts(usage, c, True)]
    alone = [i for i, key in enumerate(usage.keys) if not key.where and (i == 0 or key.measure)]
    lasting += [c for i in alone for c in _once(changes(usage, found, i, none)) if _lasts(usage, c, False)]
    causes = _causes(usage, [c for c in lasting if _is_net(usage, found, others, c)])
    judged = [_judged(usage, found, others.get(c.series, none), c) for c in causes]
    return sorted(
        _merged(usage, [j for j in judged if j is not None]), key=lambda j: (j.first_day, j.key.event, j.key.measure, j.key.where)
    )


def _once(several: list[Change]) -> list[Change]:
    """Those that do not come back every year: a part of the usual lost on about the same days of another year is a holiday or a season."""
    return [c for c in several if c.kept < STOPPED or not any(_is_year_apart(c, other) for other in several)]


def _is_year_apart(one: Change, other: Change) -> bool:
    apart = abs(abs(one.first - other.first) - YEAR_DAYS)
    return apart <= YEAR_SLACK_DAYS and one.effect * other.effect > 0 and other.kept >= STOPPED


def _merged(usage: DailyUsage, judged: Sequence[TrackingChange]) -> list[TrackingChange]:
    """Changes of most measures of an event on the same days as one."""
    kept: list[TrackingChange] = []
    for one in judged:
        every = [key.measure for key in usage.keys if key.event == one.key.event and key.measure and not key.where]
        alike = [other for other in judged if _is_like(one, other)] if one.key.measure else []
        if len(alike) < 2 or 2 * len(alike) < len(every):
            kept.append(one)
        elif one is alike[0]:
            kept.append(replace(one, measures=tuple(other.key.measure for other in alike)))
    return kept


def _is_like(one: TrackingChange, other: TrackingChange) -> bool:
    same = (one.key.event, one.key.where, one.is_broken) == (other.key.event, other.key.where, other.is_broken)
    return same and bool(other.key.measure) and one.change.overlaps(other.change)


def _lasts(usage: DailyUsage, change: Change, compared: bool) -> bool:
    """Whether it lasts long enough to be told from a holiday."""
    key = usage.keys[change.series]
    days = usage.days[change.first : change.last + 1]
    if change.effect < 0 and change.kept >= STOPPED and _is_year_end(days):
        return False
    if key.where and key.where[0].startswith("accounts."):
        stopped = change.kept < STOPPED
        return change.days >= LEAST_PART_DAYS if stopped else _working_days(days) >= LEAST_PART_WORKING_DAYS
    if compared:
        return True
    if change.kept < STOPPED:
        return not _is_public_holiday(days) and (change.days > 1 or change.kept < STOPPED_FOR_A_DAY)
    return _working_days(days) >= LEAST_WORKING_DAYS and not ALL_KEPT < change.kept < ALL_ROSE


def _is_net(usage: DailyUsage, found: Levels, others: Mapping[int, Ints], change: Change) -> bool:
    """Whether what a part lost is lost to the whole, not counted under another value of the property (a release, a move)."""
    key = usage.keys[change.series]
    if not key.where:
        return True
    lost, doubt = _lost_by_whole(usage, found, others[change.series], change)
    slack = 2 * doubt if key.where[0].startswith("accounts.") else 0.0
    return bool(np.sign(change.lost) * lost + slack > MOVED_ELSEWHERE * abs(change.lost))


def _lost_by_whole(usage: DailyUsage, found: Levels, others: Ints, change: Change) -> tuple[float, float]:
    """What the whole lost on the days of a part's change, against what the other parts did; and its standard deviation."""
    key = usage.keys[change.series]
    whole = usage.keys.index(Key(key.event, key.measure)) if Key(key.event, key.measure) in usage.keys else 0
    span = slice(change.first, change.last + 1)
    common = contrast(found, change.series, others).common[span]
    expected = np.nan_to_num(found.expected[whole, span] * np.exp(common))
    doubt = float(np.sqrt(np.sum((np.nan_to_num(found.sd[whole, span]) * expected) ** 2)))
    return float(np.sum(expected - usage.counts[whole, span])), doubt


def _causes(usage: DailyUsage, lasting: Sequence[Change]) -> list[Change]:
    """Of changes on the same days the one that explains the others: the part that a fall of the whole is due to, else the whole."""
    parts = [c for c in lasting if usage.keys[c.series].where]
    whole = [c for c in lasting if not usage.keys[c.series].where and not any(_explains(usage, part, c) for part in lasting)]
    kept: list[Change] = []
    for change in sorted(whole, key=lambda c: (bool(usage.keys[c.series].measure), bool(usage.keys[c.series].event), c.series)):
        if not any(_covers(usage, other, change) for other in kept):
            kept.append(change)
    for change in sorted(parts, key=lambda c: (_rank(usage.keys[c.series]), -abs(c.lost) * abs(c.effect), c.series)):
        if not any(_covers(usage, other, change) for other in kept):
            kept.append(change)
    return kept


def _rank(key: Key) -> int:
    """Rows before measures, all events before one."""
    return 2 * bool(key.measure) + bool(key.event)


def _explains(usage: DailyUsage, part: Change, whole: Change) -> bool:
    """Whether what the whole lost was lost by one event or one part of the book alone."""
    of_part, of_whole = usage.keys[part.series], usage.keys[whole.series]
    within = of_part != of_whole and of_part.measure == of_whole.measure and of_whole.event in ("", of_part.event)
    more = abs(part.effect) > 1.2 * abs(whole.effect)
    return within and part.overlaps(whole) and more and part.lost / whole.lost >= EXPLAINED


def _covers(usage: DailyUsage, cause: Change, change: Change) -> bool:
    """Whether a change is part of another one: the same event or all of them, its rows or the same measure, the whole or any part."""
    of, key = usage.keys[cause.series], usage.keys[change.series]
    if of.where and not key.where:
        return False
    return of.event in ("", key.event) and of.measure in ("", key.measure) and cause.overlaps(change)


def _judged(usage: DailyUsage, found: Levels, others: Ints, change: Change) -> TrackingChange | None:
    key = usage.keys[change.series]
    counts, inside = usage.watched.of(key)
    course = np.nan_to_num(found.expected[change.series] * np.exp(contrast(found, change.series, others).common))
    broad = breadth(counts, _all_if_unknown(key, inside, counts), course, change)
    first, last = int(usage.days[change.first]), None if change.ongoing else int(usage.days[change.last])
    if np.isnan(broad.share):
        return None
    kind: SpanKind = "stopped" if change.kept < STOPPED else "fell" if change.effect < 0 else "rose"
    if broad.share < BROAD:
        return TrackingChange(key, "usage_fell", change, first, last, broad) if kind != "rose" else None
    if broad.chance > MOST_CHANCE:
        return None
    return TrackingChange(key, kind, change, first, last, broad)


def _all_if_unknown(key: Key, inside: Bools, counts: np.ndarray) -> Bools:
    """Of a property of events the accounts are not known: all of them are looked at."""
    return inside if len(inside) == len(counts) and not (key.where and key.where[0].startswith("events.")) else np.ones(len(counts), bool)


def _working_days(days: Ints) -> int:
    return int(np.sum((days + 3) % 7 < 5))


def _is_year_end(days: Ints) -> bool:
    """Whether most of the days are about the turn of the year."""
    return 2 * sum(_at_year_end(date.fromordinal(719163 + int(day))) for day in days) > len(days)


def _at_year_end(day: date) -> bool:
    return (day.month, day.day) >= YEAR_END[0] or (day.month, day.day) <= YEAR_END[1]


def _is_public_holiday(days: Ints) -> bool:
    named = {(12, 24), (12, 25), (12, 26), (12, 31), (1, 1)}
    said = [date.fromordinal(719163 + int(day)) for day in days]
    return len(said) <= LONGEST_HOLIDAY_DAYS and all((day.month, day.day) in named for day in said)
