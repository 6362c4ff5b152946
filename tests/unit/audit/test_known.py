"""Which row was the last one known, against a loop over all rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.audit.known import NOWHERE, KnownHistory, to_days

HOUR = np.timedelta64(1, "h")


@dataclass(frozen=True)
class Row:
    account: int
    dated_hours: int
    recorded_hours: int | None


def loop(rows: list[Row], account: int, day: int, *, as_dated: bool) -> int:
    """Of the account's rows known by the end of the day: the latest dated, then the latest recorded, then the last."""
    best: tuple[int, int, int] | None = None
    for i, row in enumerate(rows):
        recorded = row.dated_hours if row.recorded_hours is None or as_dated else row.recorded_hours
        if row.account == account and max(row.dated_hours // 24, recorded // 24) <= day:
            rank = (row.dated_hours, -1 if row.recorded_hours is None else row.recorded_hours, i)
            best = rank if best is None else max(best, rank)
    return -1 if best is None else best[2]


def history(rows: list[Row], *, recorded: bool = True, as_dated: bool = False) -> KnownHistory:
    when = np.datetime64("1970-01-01T00", "us")
    dated = np.array([when + row.dated_hours * HOUR for row in rows], dtype="datetime64[us]")
    noted = [np.datetime64("NaT") if row.recorded_hours is None else when + row.recorded_hours * HOUR for row in rows]
    given_at = np.array(noted, dtype="datetime64[us]") if recorded else None
    return KnownHistory(np.array([row.account for row in rows], dtype=np.int64), dated, given_at, as_dated=as_dated)


def ask_all(known: KnownHistory) -> dict[tuple[int, int], int]:
    asked = [(account, day) for account in range(5) for day in range(-1, 14)]
    account, day = (np.array(part) for part in zip(*asked, strict=True))
    return dict(zip(asked, known.last_known(account, day).tolist(), strict=True))


hours = st.integers(0, 10 * 24)
whole_days = st.integers(0, 10).map(lambda day: day * 24)
rows_of = {
    "hours": st.lists(st.builds(Row, st.integers(0, 3), hours, st.none() | hours), max_size=25),
    "days": st.lists(st.builds(Row, st.integers(0, 3), whole_days, st.none() | whole_days), max_size=25),
}


@pytest.mark.parametrize("grain", ["hours", "days"])
@given(data=st.data())
def test_as_known_a_row_counts_from_the_later_of_its_date_and_its_recording(grain: str, data: st.DataObject) -> None:
    rows = data.draw(rows_of[grain])
    for (account, day), found in ask_all(history(rows)).items():
        assert found == loop(rows, account, day, as_dated=False)


@pytest.mark.parametrize("grain", ["hours", "days"])
@given(data=st.data())
def test_as_dated_a_row_counts_from_its_date_whenever_it_was_recorded(grain: str, data: st.DataObject) -> None:
    rows = data.draw(rows_of[grain])
    for (account, day), found in ask_all(history(rows, as_dated=True)).items():
        assert found == loop(rows, account, day, as_dated=True)


@pytest.mark.parametrize("grain", ["hours", "days"])
@given(data=st.data())
def test_without_recordings_every_row_is_known_on_its_date(grain: str, data: st.DataObject) -> None:
    rows = [Row(row.account, row.dated_hours, None) for row in data.draw(rows_of[grain])]
    for (account, day), found in ask_all(history(rows, recorded=False)).items():
        assert found == loop(rows, account, day, as_dated=True)


def test_a_correction_of_an_older_date_never_hides_a_newer_value() -> None:
    newer, correction = Row(0, 5 * 24, 5 * 24), Row(0, 2 * 24, 8 * 24)
    known = history([newer, correction])
    assert known.last_known(np.array([0, 0, 0]), np.array([4, 5, 9])).tolist() == [NOWHERE, 0, 0]


def test_a_value_restated_later_replaces_the_first_only_once_it_was_recorded() -> None:
    known = history([Row(0, 2 * 24, 2 * 24), Row(0, 2 * 24, 6 * 24)])
    assert known.last_known(np.array([0, 0]), np.array([5, 6])).tolist() == [0, 1]


def test_a_score_of_this_afternoon_is_known_today() -> None:
    assert history([Row(0, 3 * 24 + 15, None)]).last_known(np.array([0, 0]), np.array([2, 3])).tolist() == [NOWHERE, 0]


def test_an_empty_history_knows_nothing() -> None:
    assert history([]).last_known(np.array([0, 1]), np.array([0, 5])).tolist() == [NOWHERE, NOWHERE]


def test_days_are_counted_from_1970_and_no_date_is_the_smallest_number() -> None:
    assert to_days(np.array(["1970-01-02", "1969-12-31", "NaT"], dtype="datetime64[us]")).tolist() == [1, -1, np.iinfo(np.int64).min]
