"""How a score's concordance holds from quarter to quarter and from group to group, for many scores on the same units."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unspun.audit.describe import quarter_name, quarter_of, quarterly_trend, too_few, uncorrected
from unspun.audit.frame import Frame
from unspun.audit.result import GroupRow, Stability
from unspun.audit.split import Parts
from unspun.audit.trial import Trial
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.stats.grouped_concordance import GroupConcordance, GroupedUnits, order_of

Ints = NDArray[np.int64]


class Grouping:
    """The units of a frame by one thing: names of the groups, by the code that each unit has."""

    def __init__(self, frame: Frame, codes: Ints, names: dict[int, str]) -> None:
        present, group = np.unique(codes, return_inverse=True)
        self._names = [names[code] for code in present.tolist()]
        self._units = GroupedUnits(frame.units.churned, frame.units.cluster, group.astype(np.int64))
        self._lost = frame.units.words.lost
        parts, sizes = frame.parts, np.bincount(group)
        inside = np.bincount(group, weights=parts.test) / sizes if isinstance(parts, Parts) else None
        self._in_test = [None] * len(sizes) if inside is None else (inside >= 0.5).tolist()

    def rows(self, trial: Trial, order: Ints) -> list[GroupRow]:
        """A row for each group, in order of the codes."""
        found = zip(self._names, self._units.judge(trial.rank, order), self._in_test, strict=True)
        return [GroupRow(name, one.n, one.events, self._enough(one), in_test) for name, one, in_test in found]

    def _enough(self, one: GroupConcordance) -> MaybeEstimate:
        if isinstance(one.auc, NoEstimate):
            return one.auc
        if one.auc.low == one.auc.high == 0.5:
            return NoEstimate("all have the same score", "scores that differ")
        return too_few(one.clusters_with_event, self._lost) or one.auc


class Groupings:
    """Quarters, segments and owners of a frame's units, made once for all scores."""

    def __init__(self, frame: Frame) -> None:
        quarter = quarter_of(frame.units)
        self._quarters = Grouping(frame, quarter, {one: quarter_name(one) for one in np.unique(quarter).tolist()})
        self._segments = _by_code(frame, frame.segment, frame.segment_names)
        self._owners = _by_code(frame, frame.owner, frame.owner_names)

    def stability(self, trial: Trial) -> Stability:
        """As the description of a single score has it."""
        order = order_of(trial.rank)
        quarters = tuple(self._quarters.rows(trial, order))
        segments, owners = (_largest_first(grouping, trial, order) for grouping in (self._segments, self._owners))
        told = sum(isinstance(group.auc, Estimate) for group in (*segments, *owners))
        return Stability(quarters, segments, owners, quarterly_trend(quarters), uncorrected(told))


def _by_code(frame: Frame, codes: Ints | None, names: tuple[str, ...]) -> Grouping | None:
    if codes is None:
        return None
    return Grouping(frame, codes, {-1: "(not given)", **dict(enumerate(names))})


def _largest_first(grouping: Grouping | None, trial: Trial, order: Ints) -> tuple[GroupRow, ...]:
    rows = [] if grouping is None else grouping.rows(trial, order)
    undated = [GroupRow(row.group, row.n, row.n_churned, row.auc) for row in rows]
    return tuple(sorted(undated, key=lambda row: (-row.n, row.group)))
