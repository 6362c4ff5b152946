"""Frames: the windows over which the measures of a panel look, each with how many days before the as-of date it ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from unspun.metrics.lower.plan import Leaf
from unspun.metrics.lower.windows_of import window_bounds
from unspun.metrics.windows import Lifetime, SinceContractStart, Window

BOUNDS = "measure_bounds"
ENDLESS = -10_000_000
"""The first day of a window without a beginning."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A window that ends `shift_days` before the as-of date."""

    window: Window
    shift_days: int = 0

    @property
    def by_contract(self) -> bool:
        """Whether it begins on a day that differs by account."""
        return isinstance(self.window, SinceContractStart)

    @property
    def endless(self) -> bool:
        """Whether it has no beginning."""
        return isinstance(self.window, Lifetime)


def frame_of(leaf: Leaf) -> Frame:
    """The frame over which a leaf is measured."""
    return Frame(leaf.measure.rows.window, leaf.shift_days)


def distinct_frames(frames: Iterable[Frame]) -> tuple[Frame, ...]:
    """Frames, each once, in their order."""
    return tuple(dict.fromkeys(frames))


def frame_days(frame: Frame, days: Sequence[date], fiscal_year_starts: int) -> list[tuple[int, int]]:
    """First and last day of a frame for each as-of date."""
    bounds = [window_bounds(frame.window, day, frame.shift_days, fiscal_year_starts) for day in days]
    return [(ENDLESS if first is None else first, last) for first, last in bounds]


def bounds_table(frames: Sequence[Frame], days: Sequence[date], fiscal_year_starts: int) -> pa.Table:
    """By as-of date (`point`): first and last day of each frame, `lo{j}` and `hi{j}`."""
    columns = {"point": pa.array(range(len(days)), pa.int32())}
    for j, frame in enumerate(frames):
        bounds = frame_days(frame, days, fiscal_year_starts)
        columns[f"lo{j}"] = pa.array([first for first, _ in bounds], pa.int32())
        columns[f"hi{j}"] = pa.array([last for _, last in bounds], pa.int32())
    return pa.table(columns)
