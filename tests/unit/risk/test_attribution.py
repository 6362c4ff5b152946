"""To whom a renewal is counted, checked day by day."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from unspun.risk.performance.attribution import Spells, count_whole, share_by_days

NAMES = ("Kim", "Ada", "Lee")
STILL = 3_000_000


def spells(*rows: tuple[int, int, int, int]) -> Spells:
    """Rows of account, first day, the day before which it ended, holder."""
    account, first, until, holder = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    return Spells(account, first, until, holder, NAMES)


def day_by_day(start: int, due: int, held: list[tuple[int, int, int, int]]) -> dict[str, float]:
    """Shares counted by walking through the days of the term."""
    days = [NAMES[holder] for day in range(start, due) for _, first, until, holder in held if first <= day < until]
    return {name: days.count(name) / len(days) for name in set(days)}


@settings(max_examples=60, deadline=None)
@given(
    changes=some.lists(some.integers(0, 60), min_size=1, max_size=5, unique=True).map(sorted),
    holders=some.lists(some.integers(0, 2), min_size=5, max_size=5),
    start=some.integers(0, 40),
    length=some.integers(1, 40),
)
def test_shares_are_those_of_the_days_held_within_the_term(changes: list[int], holders: list[int], start: int, length: int) -> None:
    ends = [*changes[1:], STILL]
    held = [(0, first, until, holder) for first, until, holder in zip(changes, ends, holders, strict=False)]
    found = share_by_days(np.array([0]), np.array([start]), np.array([start + length]), spells(*held))
    true = day_by_day(start, start + length, held)
    shares = {found.names[code]: share for code, share in zip(found.members.group.tolist(), found.members.share.tolist(), strict=True)}
    assert shares == pytest.approx(true)
    assert len(found.kept) == (1 if true else 0)


def test_how_a_term_ended_does_not_move_its_shares_and_a_holder_who_came_back_counts_once() -> None:
    held = spells((0, 0, 50, 0), (0, 50, 80, 1), (0, 80, STILL, 0), (1, 0, STILL, 2))
    found = share_by_days(np.array([0, 1]), np.array([0, 10]), np.array([100, 110]), held)
    assert found.names == ("Ada", "Kim", "Lee")
    assert found.members.share.tolist() == pytest.approx([0.3, 0.7, 1.0])
    assert found.at_due is not None and [found.names[code] for code in found.at_due.tolist()] == ["Kim", "Lee"]


def test_days_that_nobody_held_count_for_nobody_and_an_account_without_a_holder_is_left_out() -> None:
    held = spells((1, 90, STILL, 1))
    found = share_by_days(np.array([0, 1, 1]), np.array([0, 0, 0]), np.array([100, 100, 80]), held)
    assert found.kept.tolist() == [1]
    assert found.members.share.tolist() == [1.0] and found.names == ("Ada",)


def test_an_account_handed_over_on_the_due_date_is_still_the_old_owner_s() -> None:
    held = spells((0, 0, 100, 0), (0, 100, STILL, 1))
    found = share_by_days(np.array([0]), np.array([0]), np.array([100]), held)
    assert found.names == ("Kim",) and found.at_due is not None and found.at_due.tolist() == [0]


def test_groups_that_do_not_change_count_whole_in_the_order_of_their_names() -> None:
    found = count_whole(np.array([2, -1, 0, 2]), NAMES)
    assert found.names == ("Kim", "Lee") and found.at_due is None
    assert found.kept.tolist() == [0, 2, 3]
    assert found.members.group.tolist() == [1, 0, 1]
    assert found.members.share.tolist() == [1.0, 1.0, 1.0]
