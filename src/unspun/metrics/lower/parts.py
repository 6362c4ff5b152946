"""What measures the rows of one table: steps, and the tables by unit in which the values stand."""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
from sqlglot import exp

from unspun.metrics.lower.frames import Frame
from unspun.metrics.lower.kept import Kept
from unspun.metrics.lower.packed import Packs
from unspun.metrics.lower.plan import Leaf, Step
from unspun.metrics.lower.prefix import Join, Prefix
from unspun.metrics.lower.sheet import MaskCounts, PaneWindows
from unspun.metrics.windows import Lifetime

EVER = Frame(Lifetime())
FIRST, LAST = Kept("first", None), Kept("last", None)
Wanted = tuple[Frame, Kept]
Placed = tuple[int, Leaf]


@dataclass(slots=True)
class Parts:
    """What measures the rows of one table: steps, inputs, and the tables by unit in which the values stand as columns.

    `columns` names the column of each frame and kept thing; `distinct` that of each distinct count, by the place of its leaf. `covered` are
    the days of all accounts that have units. What is made by place in place of steps: `windows` and `counts`; `placed` names the columns
    of windows.
    """

    steps: list[Step] = field(default_factory=list[Step])
    inputs: dict[str, pa.Table] = field(default_factory=dict[str, pa.Table])
    by_unit: list[str] = field(default_factory=list[str])
    columns: dict[Wanted, str] = field(default_factory=dict[Wanted, str])
    distinct: dict[int, str] = field(default_factory=dict[int, str])
    covered: exp.Select | None = None
    joins: list[Join] = field(default_factory=list[Join])
    prefix: Prefix | None = None
    packs: Packs = field(default_factory=Packs)
    windows: list[PaneWindows] = field(default_factory=list[PaneWindows])
    counts: list[MaskCounts] = field(default_factory=list[MaskCounts])
    placed: dict[Wanted, str] = field(default_factory=dict[Wanted, str])

    def value(self, frame: Frame, one: Kept) -> exp.Expr:
        """What is kept over a frame, of the columns of the joined tables."""
        if (frame, one) in self.placed:
            return exp.column(self.placed[frame, one])
        pack = self.packs.packed(one)
        if self.prefix is not None and (frame, pack) in self.prefix.names:
            return self.packs.unpacked(one, self.prefix.value(frame, pack))
        return self.packs.unpacked(one, exp.column(self.columns[frame, pack]))
