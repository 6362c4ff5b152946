"""Counts of rows that exclude each other, side by side in one wide integer: so many logins, exports and searches are one sum.

Each count has a lane of bits that is wide enough for all rows of the table, so that no lane can overflow into the next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlglot import exp

from unspun.metrics.conditions import Condition, IsIn, Scalar
from unspun.metrics.lower.kept import Kept
from unspun.metrics.lower.local_day import number
from unspun.metrics.question import PanelQuestion

WIDE_BITS = 126
SPARE_BITS = 2


@dataclass(slots=True)
class Packs:
    """Which counts of a table are kept in which lane of which wide integer."""

    places: dict[Kept, tuple[Kept, int]] = field(default_factory=dict[Kept, tuple[Kept, int]])

    def packed(self, one: Kept) -> Kept:
        """What is kept in place of it: a wide integer, or itself."""
        return self.places[one][0] if one in self.places else one

    def unpacked(self, one: Kept, wide: exp.Expr) -> exp.Expr:
        """Its count, of the wide integer that holds it."""
        if one not in self.places:
            return wide
        pack, lane = self.places[one]
        shifted = exp.BitwiseRightShift(this=exp.paren(wide), expression=number(lane * pack.bits)) if lane else wide
        return exp.cast(exp.BitwiseAnd(this=exp.paren(shifted), expression=number((1 << pack.bits) - 1)), "bigint")


def unpacked(question: PanelQuestion) -> PanelQuestion:
    """The same question, for an engine that has no wide integers: where it is not known how many rows there are, nothing is packed."""
    return replace(question, tables={name: replace(held, rows=0) for name, held in question.tables.items()})


def packs_of(kept: Iterable[Kept], rows: int) -> Packs:
    """Packs of the counts that ask one column for different values; `rows`: at most so many rows are counted (0: it is not known)."""
    bits = rows.bit_length() + SPARE_BITS
    packs, lanes = Packs(), WIDE_BITS // bits
    if not rows or lanes < 2:
        return packs
    by_column: dict[str, list[Kept]] = {}
    for one in dict.fromkeys(kept):
        if one.kind == "count" and isinstance(one.where, IsIn):
            by_column.setdefault(one.where.column, []).append(one)
    for counts in by_column.values():
        for group in _excluding(counts, lanes):
            _pack(packs, group, bits)
    return packs


def _excluding(counts: Sequence[Kept], lanes: int) -> list[list[Kept]]:
    """Counts in groups of at most so many, in each of which no two have a value in common."""
    groups: list[tuple[list[Kept], set[Scalar]]] = []
    for one in counts:
        values = set(one.where.values) if isinstance(one.where, IsIn) else set[Scalar]()
        place = next((group for group in groups if len(group[0]) < lanes and not group[1] & values), None)
        if place is None:
            groups.append(([one], values))
        else:
            place[0].append(one)
            place[1].update(values)
    return [group for group, _ in groups]


def _pack(packs: Packs, group: Sequence[Kept], bits: int) -> None:
    if len(group) < 2:
        return
    conditions: tuple[Condition, ...] = tuple(one.where for one in group if one.where is not None)
    pack = Kept("packed", None, "", conditions, bits)
    packs.places |= {one: (pack, lane) for lane, one in enumerate(group)}
