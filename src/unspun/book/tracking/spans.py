"""Spans of days on which a series changed at once: found day by day, against what else was counted on the same days."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from unspun.book.tracking.level import (
    SETTLED_DAYS,
    UNUSUAL,
    UNUSUAL_LOG,
    Bools,
    Floats,
    Ints,
    Levels,
    spread,
)
from unspun.book.tracking.usage import DailyUsage, Key

GAP_DAYS = 4  # days within a span that may look usual
BEFORE_DAYS = 5
SUDDEN_SHARE = 0.34  # of the change, that may have come about on the days before
LEAST_FALL, LEAST_RISE = 0.85, 1.2  # what is kept where anything is said at all
ONE_DAY_SD, TWO_DAYS_SD, MORE_DAYS_SD = 6.0, 4.5, 3.5  # how far off a span of so many days must be on the mean day
ONE_DAY_LOG = 0.65  # a single day must be about halved or doubled
MOST_EFFECT = -3.0  # nothing at all is as little as this on the log scale, when half of the way back is looked for
BACK_DAYS = 3  # days on end at the usual level that end a long span


@dataclass(frozen=True, slots=True)
class Change:
    """A span in which a series was not as expected: first and last day as columns (both included; `ongoing`: it had not ended).

    `effect` is the median log of counted over expected. `counted` and `expected` are sums over its days; what is expected (`course`,
    by day) allows for what the other series did on the same days.
    """

    series: int
    first: int
    last: int
    ongoing: bool
    effect: float
    counted: float
    expected: float
    course: Floats = field(compare=False, repr=False)

    @property
    def kept(self) -> float:
        return self.counted / self.expected

    @property
    def lost(self) -> float:
        """What is missing; below zero where there is too much."""
        return self.expected - self.counted

    @property
    def days(self) -> int:
        return self.last - self.first + 1

    def overlaps(self, other: Change) -> bool:
        """Whether they change the same way and share at least half the days of the shorter one."""
        shared = min(self.last, other.last) - max(self.first, other.first) + 1
        return self.effect * other.effect > 0 and 2 * shared >= min(self.days, other.days)


@dataclass(frozen=True, slots=True)
class Contrast:
    """A series against others: `common` is the log of what these did over what was expected of them, `change` what is left."""

    common: Floats
    change: Floats
    sd: Floats


def others_of(usage: DailyUsage) -> dict[int, Ints]:
    """For each series those that it is compared with: other events; rows and other measures; other values of the property."""
    found: dict[int, Ints] = {}
    for i, key in enumerate(usage.keys):
        alike = [j for j, other in enumerate(usage.keys) if j != i and _is_alike(key, other)]
        if alike or key.where:
            found[i] = np.array(alike, dtype=np.int64)
    return found


def _is_alike(key: Key, other: Key) -> bool:
    if key.where:
        return bool(other.where) and other.where[0] == key.where[0] and (other.event, other.measure) == (key.event, key.measure)
    if other.where:
        return False
    return other.event == key.event if key.measure else bool(key.event and other.event) and not other.measure


def contrast(found: Levels, series: int, others: Ints) -> Contrast:
    """A series against the median of others on each day; against nothing where there are none."""
    common = _median_of(found.change[others]) if len(others) else np.zeros(found.change.shape[1])
    change = found.change[series] - common
    if not len(others):
        return Contrast(common, change, found.sd[series])
    expected = found.expected[series] * np.exp(common)
    known = ~np.isnan(change)
    if not known.any():
        return Contrast(common, change, found.sd[series])
    scaled = np.abs(change * np.sqrt(expected + 1))[known]
    return Contrast(common, change, spread(float(np.median(np.abs(change[known]))), float(np.median(scaled)), expected))


def changes(usage: DailyUsage, found: Levels, series: int, others: Ints) -> list[Change]:
    """The spans in which a series changed at once, and neither as the others did nor slowly, in order of their days."""
    against = contrast(found, series, others)
    off = _off(found.change[series], against)
    runs = _runs(off, against)
    kept: list[Change] = []
    silent_until = -1
    for first, last in runs:
        if first <= silent_until or first >= len(off) - 1:
            continue
        if last - first < SETTLED_DAYS - GAP_DAYS and not _is_clear(against, first, last):  # what most runs of a noisy series are
            silent_until = last
            continue
        sudden = _is_sudden(against, first, last)
        last, ongoing, expected = _end(usage, found, against, series, others, first, last)
        if sudden and (change := _change(usage, against, series, first, last, ongoing, expected)):
            kept.append(change)
        silent_until = last + SETTLED_DAYS if last - first >= SETTLED_DAYS else last
    return kept


def _off(change: Floats, against: Contrast) -> Ints:
    """-1, 0 or 1 for each day: clearly less or more than usual, by itself as against the others."""
    far = np.abs(against.change) > np.maximum(UNUSUAL * against.sd, UNUSUAL_LOG)
    same = change * np.sign(against.change) > 0.5 * np.abs(against.change)
    return np.where(far & same, np.sign(np.nan_to_num(against.change)), 0).astype(np.int64)


def _runs(off: Ints, against: Contrast) -> list[tuple[int, int]]:
    """Days off on end, joined over days between that say nothing or point the same way, and widened to such at either end."""
    runs: list[list[int]] = []
    for t in np.flatnonzero(off).tolist():
        if runs and off[t] == off[runs[-1][0]] and _joins(against, off, runs[-1], t):
            runs[-1][1] = t
        else:
            runs.append([t, t])
    return [_widened(off, against, first, last) for first, last in runs]


def _joins(against: Contrast, off: Ints, run: list[int], t: int) -> bool:
    gap = slice(run[1] + 1, t)
    if t - run[1] > GAP_DAYS + 1 or np.any(np.isnan(against.change[gap])):
        return False
    if t == run[1] + 1:
        return True
    here = np.r_[run[0] : run[1] + 1, t]
    effect = _middle(np.abs(against.change[here][off[here] != 0]))
    toward = against.change[gap] * off[t]
    return bool(np.mean(toward) > 0.5 * effect or np.all((2 * against.sd[gap] > effect) | (toward > 0.5 * effect)))


def _widened(off: Ints, against: Contrast, first: int, last: int) -> tuple[int, int]:
    effect = _middle(np.abs(against.change[first : last + 1]))

    def is_near(t: int) -> bool:
        toward = float(against.change[t] * off[first])
        return off[t] == 0 and toward > 0.6 * effect and toward > 1.5 * against.sd[t]

    before = first - 1 if first > 0 and is_near(first - 1) else first
    return before, last + 1 if last + 1 < len(off) and is_near(last + 1) else last


def _is_clear(against: Contrast, first: int, last: int) -> bool:
    """Whether the mean day of a span is far enough off for its length."""
    z = np.abs(against.change[first : last + 1]) / against.sd[first : last + 1]
    return bool(z.mean() >= (ONE_DAY_SD, TWO_DAYS_SD, MORE_DAYS_SD)[min(len(z), 3) - 1])


def _is_sudden(against: Contrast, first: int, last: int) -> bool:
    """Whether the days before were as usual and the first ones are already as far off as the rest."""
    effect = _middle(against.change[first : last + 1])
    before = against.change[max(0, first - BEFORE_DAYS) : first]
    before = before[~np.isnan(before)]
    early = against.change[first : min(first + 2, last + 1)]
    gone = _middle(before) / effect if len(before) else 0.0
    return gone < SUDDEN_SHARE and float(np.mean(early)) / effect > 0.5


def _end(usage: DailyUsage, found: Levels, against: Contrast, series: int, others: Ints, first: int, last: int) -> tuple[int, bool, Floats]:
    """The last day of a run, whether it went on to the end of the data, and what was expected on its days.

    After SETTLED_DAYS the level follows what is counted: from there on it is what it was before, moved as the others moved.
    """
    length = found.change.shape[1]
    expected = found.expected[series] * np.exp(against.common)
    if last - first < SETTLED_DAYS - GAP_DAYS:
        return last, last >= length - 1, expected[first : last + 1]
    moved = np.ones(length)
    if len(others):
        with np.errstate(invalid="ignore", divide="ignore"):
            moved = np.exp(_median_of(np.log(found.level[others] / found.level[others, first][:, None])))
    before = found.level[series, first] * found.shape[series] * np.where(np.isfinite(moved), moved, 1.0) * np.exp(against.common)
    effect = _middle(against.change[first : last + 1])
    halfway = before * np.exp(max(effect, MOST_EFFECT) / 2)
    back = usage.counts[series] > halfway if effect < 0 else usage.counts[series] < halfway
    end = _first_on_end(back, first + 1)
    return end - 1, end == length, np.r_[expected[first : min(last + 1, end)], before[last + 1 : end]]


def _first_on_end(marked: Bools, start: int) -> int:
    """The first of BACK_DAYS marked days on end from a day on; the number of days where there are none."""
    on_end = np.convolve(marked[start:].astype(np.int64), np.ones(BACK_DAYS, dtype=np.int64), "valid") == BACK_DAYS
    return start + int(np.argmax(on_end)) if on_end.any() else len(marked)


def _change(usage: DailyUsage, against: Contrast, series: int, first: int, last: int, ongoing: bool, expected: Floats) -> Change | None:
    """The change, if it is large and clear enough."""
    settled = min(last, first + SETTLED_DAYS - 1)
    counted, total = float(usage.counts[series, first : last + 1].sum()), float(expected.sum())
    effect = _middle(against.change[first : settled + 1])
    too_small = total <= 0 or LEAST_FALL < counted / total < LEAST_RISE or (last == first and abs(effect) < ONE_DAY_LOG)
    if too_small or not _is_clear(against, first, settled) or (counted > total) != (effect > 0):
        return None
    return Change(series, first, last, ongoing, effect, counted, total, expected)


def _middle(values: Floats) -> float:
    """The median of a few values, much sooner than NumPy's; NaN where one is."""
    ordered = sorted(values.tolist())
    if any(value != value for value in ordered):
        return float("nan")
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def _median_of(rows: Floats) -> Floats:
    """The median of each column, empty ones aside; NaN where a column holds nothing."""
    ordered = np.sort(rows, axis=0)
    held = (~np.isnan(rows)).sum(axis=0)
    columns = np.arange(rows.shape[1])
    return (ordered[np.maximum(held - 1, 0) // 2, columns] + ordered[np.minimum(held // 2, len(rows) - 1), columns]) / 2
