"""What has changed in the columns of a source's files since the load before. What chance makes of few rows is no change."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from unspun.book.drift.profile import FEWEST_CARRIERS, ColumnProfile, FileProfile
from unspun.book.drift.renamed import Renaming, find_renamings
from unspun.book.entities import Kind

ChangeKind = Literal["dropped", "added", "renamed", "retyped", "reordered", "widened", "narrowed", "replaced", "emptied"]
CHANCE = 1e-6  # that so many rows show nothing of what holds for them as for the others: less is a change
CHANCE_OF_NEW = 1e-3  # the same of a word that is new: it is only described, and seven accounts of many are enough to do so
FEWEST_FILLED = 5  # cells, to say of what kind a column is
JUMP = 0.3  # of the share of empty cells
FEWEST_ROWS = 100  # to compare such shares
NARROWER: dict[Kind, frozenset[Kind]] = {
    "whole": frozenset({"number", "money"}), "money": frozenset({"number"}), "number": frozenset({"money"}), "day": frozenset({"instant"}),
}  # fmt: skip
"""What a column may seem to be although it is still of the wider kind: amounts that are all whole, times that are all midnight."""


@dataclass(frozen=True, slots=True)
class Change:
    """One difference between two files of a source. `before` is None of an added column, `now` of a dropped one.

    `words` are those that are new (or, of `narrowed`, gone), each with its rows; `renaming` says why a column seems to have become
    another; of `replaced`, words are new and others gone.
    """

    kind: ChangeKind
    before: ColumnProfile | None
    now: ColumnProfile | None
    words: tuple[tuple[str, int], ...] = ()
    gone: tuple[str, ...] = ()
    renaming: Renaming | None = None

    @property
    def column(self) -> str:
        """The column, by its name in the file of now, or in the one before where it is gone."""
        column = self.before if self.kind in ("dropped", "renamed") or self.now is None else self.now
        return column.name if column is not None else ""

    @property
    def book_column(self) -> str:
        """What the column is mapped to, or was; "" nothing."""
        return next((one.book_column for one in (self.now, self.before) if one is not None and one.book_column), "")

    @property
    def rows(self) -> int:
        return sum(rows for _, rows in self.words)


def compare(before: FileProfile, now: FileProfile) -> tuple[Change, ...]:
    """What differs in the file of now: columns that are gone, new or renamed first, then what the others hold."""
    kept = [(old, new) for old in before.columns if (new := now.column(old.name)) is not None]
    dropped = [column for column in before.columns if now.column(column.name) is None]
    added = [column for column in now.columns if before.column(column.name) is None]
    renamings = find_renamings(before, now, dropped, added)
    old_names, new_names = {one.before.name for one in renamings}, {one.now.name for one in renamings}
    changes = [Change("renamed", one.before, one.now, renaming=one) for one in renamings]
    changes += [Change("dropped", column, None) for column in dropped if column.name not in old_names]
    changes += [Change("added", None, column) for column in added if column.name not in new_names]
    for old, new in [*kept, *((one.before, one.now) for one in renamings)]:
        changes += held_otherwise(old, new)
    return tuple(changes)


def compare_with_load(before: Sequence[FileProfile], now: FileProfile) -> tuple[Change, ...]:
    """The file beside that file of the load before which it is most like: files of one load may differ among themselves."""
    found = [compare(one, now) for one in reversed(before)]
    return min(found, key=len) if found else ()


def held_otherwise(before: ColumnProfile, now: ColumnProfile) -> Iterator[Change]:
    """What differs in what a column holds."""
    if _is_emptied(before, now):
        yield Change("emptied", before, now)
    elif before.words is not None and now.unexplained:  # what makes a flag a text, say, are these words
        yield from _words(before, now)
    elif _is_retyped(before, now):
        yield Change("retyped", before, now)
    elif before.order != now.order and "" not in (before.order, now.order) and "unclear" not in (before.order, now.order):
        yield Change("reordered", before, now)
    else:
        yield from _words(before, now)


def _is_emptied(before: ColumnProfile, now: ColumnProfile) -> bool:
    """Whether far more cells are empty, or all although some would be filled if nothing had changed."""
    was, empty = before.empty_share, now.empty_share
    if now.filled == 0:
        return was < 1 and was**now.rows < CHANCE
    return empty - was >= JUMP and min(before.rows, now.rows) >= FEWEST_ROWS


def _is_retyped(before: ColumnProfile, now: ColumnProfile) -> bool:
    if before.kind is None or now.kind is None or before.kind == now.kind or min(before.filled, now.filled) < FEWEST_FILLED:
        return False
    if "unclear" in (before.order, now.order):  # dates that could be two days: of a kind, but not which
        return not {before.kind, now.kind} <= {"day", "instant"}
    return before.kind not in NARROWER.get(now.kind, frozenset())


def _words(before: ColumnProfile, now: ColumnProfile) -> Iterator[Change]:
    """New words of an enumeration, and words that no row has any more, where chance does not explain it."""
    if before.words is None or now.words is None:
        return
    old, new = {word for word, _, _ in before.words}, {word for word, _, _ in now.words}
    widened = tuple(
        (word, rows)
        for word, rows, by in now.words
        if word not in old and (word in now.unexplained or _unseen(by, now, before, CHANCE_OF_NEW))
    )
    gone = tuple(word for word, _, by in before.words if word not in new and _unseen(by, before, now, CHANCE))
    if widened and gone:
        yield Change("replaced", before, now, widened, gone)
    elif widened:
        yield Change("widened", before, now, widened)
    elif gone:
        yield Change("narrowed", before, now, tuple((word, rows) for word, rows, _ in before.words if word in gone), gone)


def _unseen(carriers: int, where: ColumnProfile, other: ColumnProfile, chance: float) -> bool:
    """Whether a word that so many of a column's accounts have would hardly be missed among the other's, if they were alike.

    Where the other column has words that too few share to be kept, it may be one of them: missed are then as many as that.
    """
    share = carriers / where.carriers if where.carriers else 0.0
    missed = FEWEST_CARRIERS - 1 if other.distinct > len(other.words or ()) else 0
    return at_most(missed, other.carriers, share) < chance


def at_most(count: int, of: int, share: float) -> float:
    """How likely at most `count` of so many are met where each is met with that probability (binomial)."""
    return sum(math.comb(of, n) * share**n * (1 - share) ** (of - n) for n in range(min(count, of) + 1))
