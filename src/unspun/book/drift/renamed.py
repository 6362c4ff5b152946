"""Which added column a dropped one may have become: told by kind, words, place and name. A suggestion, which nobody applies."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from unspun.book.drift.profile import ColumnProfile, FileProfile
from unspun.book.entities import Kind
from unspun.book.mapping.contents import words_in
from unspun.book.text import squash

ALIKE_NAMES = 0.6  # of difflib's ratio, which did_you_mean uses too
SHARED_WORDS = 0.5
ENOUGH_POINTS = 2.0
FAMILIES: dict[Kind, str] = {"day": "dates", "instant": "dates", "whole": "numbers", "number": "numbers", "money": "numbers"}
REPEATED = 0.4  # between the shares of distinct cells: more, and one tells rows apart that the other puts together


@dataclass(frozen=True, slots=True)
class Renaming:
    """A dropped column and the added one that it may have become; `reasons` in words, `points` how much they weigh."""

    before: ColumnProfile
    now: ColumnProfile
    points: float
    reasons: tuple[str, ...]


def find_renamings(
    before: FileProfile, now: FileProfile, dropped: Sequence[ColumnProfile], added: Sequence[ColumnProfile]
) -> tuple[Renaming, ...]:
    """The best pairs, each column in one at most, in the order of the columns before."""
    pairs = [_weigh(old, new, before, now) for old in dropped for new in added if _alike(old, new)]
    left = sorted((pair for pair in pairs if pair.points >= ENOUGH_POINTS), key=lambda pair: -pair.points)
    chosen: list[Renaming] = []
    for pair in left:
        if all(pair.before is not other.before and pair.now is not other.now for other in chosen):
            chosen.append(pair)
    places = [column.name for column in before.columns]
    return tuple(sorted(chosen, key=lambda pair: places.index(pair.before.name)))


def _alike(old: ColumnProfile, new: ColumnProfile) -> bool:
    """Whether they hold the same kind of thing; a column in which nothing stands could hold any."""
    return None in (old.kind, new.kind) or _family(old) == _family(new)


def _family(column: ColumnProfile) -> str:
    return "" if column.kind is None else FAMILIES.get(column.kind, column.kind)


def _weigh(old: ColumnProfile, new: ColumnProfile, before: FileProfile, now: FileProfile) -> Renaming:
    found = [
        (3.0, "nothing else reads what book.yml read in it") if old.book_column and old.book_column == new.book_column else None,
        _by_words(old, new),
        _by_name(old, new),
        _by_place(old, new, before, now),
        _by_repeats(old, new),
    ]
    reasons = [reason for reason in found if reason is not None]
    return Renaming(old, new, sum(points for points, _ in reasons), (*(why for _, why in reasons), *_same_kind(old, new)))


def _same_kind(old: ColumnProfile, new: ColumnProfile) -> tuple[str, ...]:
    said = {"text": "words", "flag": "yes and no"}
    return () if None in (old.kind, new.kind) else (f"both hold {said.get(_family(old), _family(old))}",)


def _by_words(old: ColumnProfile, new: ColumnProfile) -> tuple[float, str] | None:
    if not old.words or not new.words:
        return None
    one, other = {word for word, _, _ in old.words}, {word for word, _, _ in new.words}
    shared = len(one & other)
    if shared < SHARED_WORDS * len(one | other):
        return None
    return 3.0, f"{shared} of {len(one | other)} words are in both" if shared < len(one | other) else "both have the same words"


def _by_name(old: ColumnProfile, new: ColumnProfile) -> tuple[float, str] | None:
    common = [word for word in words_in(old.name).split() if word in words_in(new.name).split()]
    ratio = difflib.SequenceMatcher(None, squash(old.name), squash(new.name)).ratio()
    if not common and ratio < ALIKE_NAMES:
        return None
    return (2.0 if ratio >= ALIKE_NAMES else 1.5), f"both names have '{common[0]}'" if common else "the names are alike"


def _by_place(old: ColumnProfile, new: ColumnProfile, before: FileProfile, now: FileProfile) -> tuple[float, str] | None:
    """Whether they stand between the same columns."""
    left, right = _beside(old, before), _beside(new, now)
    same = [one == other for one, other in zip(left, right, strict=True)]
    if all(same):
        return 2.5, f"both stand in the same place ({_place(old, before)})"
    return (1.0, "both stand beside the same column") if any(same) else None


def _beside(column: ColumnProfile, profile: FileProfile) -> tuple[str, str]:
    names = ["", *(one.name for one in profile.columns), ""]
    at = names.index(column.name, 1)
    return names[at - 1], names[at + 1]


def _place(column: ColumnProfile, profile: FileProfile) -> str:
    at = next(i for i, one in enumerate(profile.columns, 1) if one.name == column.name)
    return f"column {at}"


def _by_repeats(old: ColumnProfile, new: ColumnProfile) -> tuple[float, str] | None:
    if not old.filled or not new.filled:
        return None
    apart = abs(old.distinct / old.filled - new.distinct / new.filled)
    return (0.5, "values repeat as they did") if apart <= REPEATED else (-1.5, "values repeat as they did not before")
