"""Panes: the days cut at every bound of every window, so that all days of a pane lie in the same windows of the same as-of dates.

Rows are added up by account and pane once; each window is then made of whole panes. A pane is numbered in order; pane 0 holds all days
up to the first bound, which lie in windows without a beginning only.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import pairwise

import pyarrow as pa

from unspun.metrics.lower.frames import Frame, frame_days
from unspun.metrics.lower.local_day import day_number

WORD_BITS = 62
"""Bits of a mask that are used of a 64-bit integer with a sign."""


@dataclass(frozen=True)
class Panes:
    """The panes of some frames over as-of dates (in order, at least one). `short`: none but the first is longer than a mask of days."""

    days: tuple[date, ...]
    frames: tuple[Frame, ...]
    fiscal_year_starts: int = 1
    short: bool = False

    @cached_property
    def points(self) -> list[int]:
        """The as-of dates as days since 1970."""
        return [day_number(day) for day in self.days]

    @cached_property
    def bounds(self) -> list[list[tuple[int, int]]]:
        """First and last day of each frame, by date."""
        return [frame_days(frame, self.days, self.fiscal_year_starts) for frame in self.frames]

    @cached_property
    def ends(self) -> list[int]:
        """The last day of each pane."""
        latest = self.points[-1]
        cuts = {*self.points, *(last for bounds in self.bounds for _, last in bounds)}
        cuts |= {first - 1 for frame, bounds in zip(self.frames, self.bounds, strict=True) if not frame.endless for first, _ in bounds}
        ends = sorted(cut for cut in cuts if cut <= latest)
        return _shortened(ends) if self.short else ends

    @cached_property
    def intervals(self) -> list[list[tuple[int, int]]]:
        """For each frame and pane the as-of dates whose window holds the pane: from a place until before another."""
        return [self._intervals(frame, bounds) for frame, bounds in zip(self.frames, self.bounds, strict=True)]

    def _intervals(self, frame: Frame, bounds: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        lasts = [last for _, last in bounds]
        entered = [bisect_left(lasts, end) for end in self.ends]
        if frame.endless:
            return [(place, len(self.days)) for place in entered]
        firsts = [first for first, _ in bounds]
        left = [0, *(bisect_right(firsts, end + 1) for end in self.ends[:-1])]
        return [(place, max(place, until)) for place, until in zip(entered, left, strict=True)]

    @property
    def looks(self) -> float:
        """At how many as-of dates, on average, windows with a beginning look at a pane."""
        bounded = [spans for frame, spans in zip(self.frames, self.intervals, strict=True) if not frame.endless]
        return sum(len(_span(list(spans))) for spans in zip(*bounded, strict=True)) / len(self.ends)

    def days_table(self) -> pa.Table:
        """By `day`: its `pane`, its `bit` in a mask of days, and `entry`, the first as-of date on or after the end of the pane.

        The first row stands for all days up to the first bound; days after the last date are not in it.
        """
        days = range(self.ends[0], self.ends[-1] + 1)
        panes = [bisect_left(self.ends, day) for day in days]
        entries = [bisect_left(self.points, end) for end in self.ends]
        return pa.table(
            {
                "day": pa.array(days, pa.int32()),
                "pane": pa.array(panes, pa.int32()),
                "entry": pa.array([entries[pane] for pane in panes], pa.int32()),
                "bit": pa.array([1 << (day % WORD_BITS) for day in days], pa.int64()),
            }
        )

    def cover_table(self) -> pa.Table:
        """By `pane` and `point`: whether the pane lies in frame j at that as-of date, `f{j}`; frames with a beginning only."""
        bounded = [(j, self.intervals[j]) for j, frame in enumerate(self.frames) if not frame.endless]
        rows = [(pane, point) for pane in range(len(self.ends)) for point in _span([spans[pane] for _, spans in bounded])]
        columns = {
            f"f{j}": pa.array([spans[pane][0] <= point < spans[pane][1] for pane, point in rows], pa.bool_()) for j, spans in bounded
        }
        keys = {"pane": pa.array([pane for pane, _ in rows], pa.int32()), "point": pa.array([point for _, point in rows], pa.int32())}
        return pa.table({**keys, **columns})

    def entry_table(self) -> pa.Table:
        """By `pane`: the first as-of date whose window j, one without a beginning, holds it, `a{j}`."""
        endless = [(j, self.intervals[j]) for j, frame in enumerate(self.frames) if frame.endless]
        columns = {f"a{j}": pa.array([place for place, _ in spans], pa.int32()) for j, spans in endless}
        return pa.table({"pane": pa.array(range(len(self.ends)), pa.int32()), **columns})

    def words_table(self, groups: Sequence[Sequence[Frame]]) -> pa.Table:
        """By `day`, as in `days_table`: for each group g of frames, the as-of dates whose windows hold the day: a bit for each frame and
        date, in words `w{g}_{i}`."""
        days = range(self.ends[0], self.ends[-1] + 1)
        columns: dict[str, pa.Array] = {}
        for g, frames in enumerate(groups):
            masks = self._masks([self.intervals[self.frames.index(frame)] for frame in frames])
            columns |= _words(f"w{g}_", [masks[bisect_left(self.ends, day)] for day in days], self.words(frames))
        return pa.table({"day": pa.array(days, pa.int32()), **columns})

    def seen_words_table(self) -> pa.Table:
        """By `day`, in the range of the as-of dates: the bits of all dates from then on, of all frames, `v{i}`."""
        days = range(self.points[0], self.points[-1] + 1)
        masks = [self._from_point(bisect_left(self.points, day)) for day in days]
        return pa.table({"day": pa.array(days, pa.int32()), **_words("v", masks, self.words(self.frames))})

    def words(self, frames: Sequence[Frame]) -> int:
        """How many words hold a bit for each of some frames and date."""
        return -(-len(frames) * len(self.days) // WORD_BITS)

    def _masks(self, intervals: Sequence[Sequence[tuple[int, int]]]) -> list[int]:
        """For each pane, a bit for each frame and date whose window holds it."""
        dates = len(self.days)
        by_pane = zip(*intervals, strict=True)
        return [sum(((1 << until) - (1 << place)) << (j * dates) for j, (place, until) in enumerate(spans)) for spans in by_pane]

    def _from_point(self, point: int) -> int:
        seen = (1 << len(self.days)) - (1 << point)
        return sum(seen << (j * len(self.days)) for j in range(len(self.frames)))


def seen_table(points: Sequence[int]) -> pa.Table:
    """By `day`, in the range of the as-of dates: `point`, the first of them on or after it."""
    days = range(points[0], points[-1] + 1)
    return pa.table({"day": pa.array(days, pa.int32()), "point": pa.array([bisect_left(points, day) for day in days], pa.int32())})


def _shortened(ends: list[int]) -> list[int]:
    between = [range(one + WORD_BITS, following, WORD_BITS) for one, following in pairwise(ends)]
    return sorted({*ends, *(cut for cuts in between for cut in cuts)})


def _span(intervals: Sequence[tuple[int, int]]) -> range:
    """From the first to the last of the dates of some intervals."""
    filled = [(place, until) for place, until in intervals if place < until]
    return range(min(place for place, _ in filled), max(until for _, until in filled)) if filled else range(0)


def _words(letter: str, masks: Sequence[int], words: int) -> dict[str, pa.Array]:
    part = (1 << WORD_BITS) - 1
    return {f"{letter}{i}": pa.array([(mask >> (i * WORD_BITS)) & part for mask in masks], pa.int64()) for i in range(words)}
