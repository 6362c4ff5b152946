"""Usage before a day, counted again event by event."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.audit.usage import SILENT_DAYS, WINDOW_DAYS, UsageIndex
from unspun.book.extras import Events
from unspun.book.tables import Codes, Source

NAMES = ("a", "b", "c", "stranger")
AUDITED = ("a", "b", "c", "silent")
Row = tuple[int, int, int, int]  # account, day, days until recorded, amount
ROWS = st.lists(st.tuples(st.integers(0, 3), st.integers(1000, 1100), st.sampled_from([0, 0, 0, 1, 9, 40]), st.integers(1, 5)), max_size=60)


def events(rows: list[Row], *, recorded: bool = True) -> Events:
    account, day, delay, amount = (np.array(column, dtype=np.int64) for column in (zip(*rows, strict=True) if rows else [()] * 4))
    source = Source("events", "events.csv", "0" * 64, "CSV", len(rows), {}, (), ())
    entry = np.arange(len(rows), dtype=np.int32)
    codes = Codes(account.astype(np.int32), NAMES)
    return Events(
        source, codes, day, amount.astype(np.float64), day + delay if recorded else None, "events", np.arange(len(rows)) + 2, entry
    )


def by_loop(rows: list[Row], account: int, as_of: int) -> tuple[float, float]:
    """Level and trend of one account on one day, NaN where not known."""
    known = [row for row in rows if row[1] + row[2] <= as_of]
    own = [row for row in known if row[0] == account]
    if not own or not any(as_of - SILENT_DAYS < row[1] <= as_of for row in known):
        return math.nan, math.nan
    recent = sum(row[3] for row in own if as_of - WINDOW_DAYS < row[1] <= as_of)
    before = sum(row[3] for row in own if as_of - 2 * WINDOW_DAYS < row[1] <= as_of - WINDOW_DAYS)
    whole = min(row[1] for row in own) <= as_of - 2 * WINDOW_DAYS + 1
    return recent, math.log((1 + recent) / (1 + before)) if whole else math.nan


def asked(rows: list[Row], days: list[int]) -> tuple[np.ndarray, np.ndarray]:
    account, as_of = np.repeat(np.arange(4), len(days)), np.tile(np.array(days, dtype=np.int64), 4)
    usage = UsageIndex(events(rows), AUDITED).usage(account, as_of)
    return usage.level, usage.trend


@given(ROWS, st.lists(st.integers(990, 1160), min_size=1, max_size=8))
def test_level_and_trend_are_those_of_a_loop_over_the_events_known_by_then(rows: list[Row], days: list[int]) -> None:
    level, trend = asked(rows, days)
    expected = [by_loop(rows, account if account < 3 else -1, day) for account in range(4) for day in days]
    assert np.column_stack([level, trend]) == pytest.approx(np.array(expected), nan_ok=True)


@given(ROWS, ROWS, st.integers(1000, 1100))
def test_events_that_happen_or_are_recorded_later_change_nothing(rows: list[Row], more: list[Row], day: int) -> None:
    later = [row for row in more if row[1] + row[2] > day]
    for before, after in zip(asked(rows, [day]), asked(rows + later, [day]), strict=True):
        assert before.tolist() == pytest.approx(after.tolist(), nan_ok=True)


@given(ROWS, st.randoms())
def test_the_order_of_events_changes_nothing(rows: list[Row], random: object) -> None:
    shuffled = sorted(rows, key=lambda row: hash((row, repr(random))))
    for one, other in zip(asked(rows, [1050, 1090]), asked(shuffled, [1050, 1090]), strict=True):
        assert np.array_equal(one, other, equal_nan=True)


def test_without_times_of_recording_an_event_is_known_on_its_day() -> None:
    rows = [(0, 1000, 0, 2), (0, 1056, 30, 3)]
    found = UsageIndex(events(rows, recorded=False), AUDITED).usage(np.array([0]), np.array([1056]))
    assert found.level.tolist() == [3]


def test_each_window_holds_four_weeks_to_the_day() -> None:
    as_of, rng = 1080, np.random.default_rng(0)
    amount = {day: int(rng.integers(1, 100)) for day in range(1000, 1100)}
    level, trend = asked([(0, day, 0, n) for day, n in amount.items()], [as_of])
    recent = sum(amount[day] for day in range(1053, 1081))
    assert level[0] == recent
    assert trend[0] == pytest.approx(math.log((1 + recent) / (1 + sum(amount[day] for day in range(1025, 1053)))))
    first = [asked([(0, begun, 0, 1), (0, as_of, 0, 1)], [as_of])[1][0] for begun in (1025, 1026)]
    assert np.isfinite(first).tolist() == [True, False]


def test_zero_is_a_count_once_an_account_has_begun_and_missing_before() -> None:
    company = [(1, day, 0, 1) for day in range(1000, 1200)]
    level, trend = asked([*company, (0, 1050, 0, 4)], [1049, 1050, 1100, 1110])
    assert level[:4].tolist() == pytest.approx([math.nan, 4, 0, 0], nan_ok=True)
    assert trend[:4].tolist() == pytest.approx([math.nan, math.nan, math.nan, math.log(1)], nan_ok=True)
    assert np.isnan(level[12:]).all()  # an account without any event


def test_after_the_file_has_ended_usage_is_missing_and_not_zero() -> None:
    level, _ = asked([(0, day, 0, 1) for day in range(1000, 1060)], [1059, 1059 + SILENT_DAYS - 1, 1059 + SILENT_DAYS])
    assert np.isfinite(level[:3]).tolist() == [True, True, False]


def test_equal_ratios_tie_exactly() -> None:
    # 2/1 and 8/4: differences of logarithms would differ in the last digit
    rows = [(0, 1000, 0, 1), (1, 1000, 0, 1), (0, 1060, 0, 1), (1, 1060, 0, 7), (1, 1020, 0, 3)]
    _, trend = asked(rows, [1060])
    assert trend[0] == trend[1]


def test_an_empty_list_of_events_says_nothing() -> None:
    level, trend = asked([], [1000])
    assert np.isnan(level).all()
    assert np.isnan(trend).all()


def test_summed_values_take_the_place_of_counts() -> None:
    rows = [(0, 1000, 0, 1), (0, 1056, 0, 1)]
    summed = replace(events(rows), amount=np.array([0.25, 2.5]))
    assert UsageIndex(summed, AUDITED).usage(np.array([0]), np.array([1056])).level.tolist() == [2.5]
