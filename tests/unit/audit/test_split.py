"""The out-of-time split, on units drawn by hand and at random."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.audit.split import Parts, split_units
from unspun.audit.units import Units
from unspun.stats.estimate import NoEstimate


def units(as_of: list[int], churned: list[bool], known_on: list[int] | None = None) -> Units:
    n = len(as_of)
    order = np.argsort(as_of, kind="stable")
    day, none = np.array(as_of, dtype=np.int64)[order], np.zeros(n, dtype=bool)
    known = day + 90 if known_on is None else np.array(known_on, dtype=np.int64)[order]
    return Units(
        design="renewal",
        horizon_days=90,
        account=np.arange(n),
        as_of=day,
        terms_row=np.arange(n),
        amount=np.full(n, np.nan),
        churned=np.array(churned)[order],
        contracted=none,
        expanded=none,
        known_on=known,
        cluster=np.arange(n),
        not_applicable=0,
        flow=(),
    )


def split(found: Units) -> Parts:
    parts = split_units(found)
    assert isinstance(parts, Parts)
    return parts


def test_the_test_holds_the_latest_units_with_40_percent_of_the_churned() -> None:
    # churned on days 1, 2, 4, 5, 7: two fifths of five are the last two, so the test begins on day 5
    found = split(units([1, 2, 3, 4, 5, 6, 7], [True, True, False, True, True, False, True]))
    assert found.cut == 5
    assert found.test.tolist() == [False] * 4 + [True] * 3


def test_units_of_one_day_are_never_split() -> None:
    found = split(units([1, 5, 5, 5, 5], [True] * 5))
    assert found.cut == 5
    assert found.test.tolist() == [False, True, True, True, True]


def test_a_unit_trains_only_if_its_outcome_was_known_before_the_test_began() -> None:
    found = split(units([10, 20, 30, 40, 50], [True] * 5, known_on=[39, 40, 35, 100, 100]))
    assert found.cut == 40
    assert found.train.tolist() == [True, False, True, False, False]
    assert (~found.train & ~found.test).tolist() == [False, True, False, False, False]


def test_where_nothing_churned_there_is_no_split_and_the_reason_is_given() -> None:
    found = split_units(units([1, 2], [False, False]))
    assert isinstance(found, NoEstimate)
    assert found.reason == "no eligible unit churned"


@given(st.lists(st.tuples(st.integers(0, 30), st.booleans(), st.integers(0, 40)), min_size=1, max_size=60))
def test_the_cut_is_the_latest_day_that_leaves_at_least_40_percent_and_no_unit_is_in_two_parts(rows: list[tuple[int, bool, int]]) -> None:
    day, churned, delay = (list(part) for part in zip(*rows, strict=True))
    if not any(churned):
        return
    laid = units(day, churned, [a + b for a, b in zip(day, delay, strict=True)])
    found = split(laid)
    gone, total = laid.as_of[laid.churned], int(laid.churned.sum())
    assert (gone >= found.cut).sum() >= 0.4 * total
    later = gone[gone > found.cut]
    assert not len(later) or (gone >= later.min()).sum() < 0.4 * total
    assert (found.test == (laid.as_of >= found.cut)).all()
    assert not (found.train & found.test).any()
    assert (laid.known_on[found.train] < found.cut).all()


@pytest.mark.parametrize("n", [5, 10, 25, 100])
def test_with_one_churn_a_day_exactly_two_fifths_are_tested(n: int) -> None:
    assert split(units(list(range(n)), [True] * n)).test.sum() == 2 * n / 5
