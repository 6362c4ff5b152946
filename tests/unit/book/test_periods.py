"""A column of months, quarters or weeks that names their first days is known on their last ones."""

from __future__ import annotations

from datetime import date, timedelta

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.book.events import read_events
from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions

OPTIONS = ReadingOptions()
MONTHS = st.lists(st.dates(date(1990, 1, 1), date(2100, 1, 1)).map(lambda day: day.replace(day=1)), min_size=2, max_size=9, unique=True)


def scores_dated(days: list[date], title: str) -> list[date]:
    table = pa.table({"account": [f"a{i}" for i in range(len(days))], title: days, "score": list(range(len(days)))})
    return read_scores(table, OPTIONS).dated.astype("datetime64[D]").tolist()


@given(days=MONTHS, title=st.sampled_from(["month", "Score Month", "score_month", "ScoreMonth"]))
def test_a_score_of_a_month_is_known_when_the_month_is_over(days: list[date], title: str) -> None:
    for first, known in zip(days, scores_dated(days, title), strict=True):
        assert (known.year, known.month) == (first.year, first.month)
        assert (known + timedelta(days=1)).day == 1


@given(days=MONTHS)
def test_first_days_under_a_name_that_says_nothing_stay_as_they_are_and_are_noted(days: list[date]) -> None:
    assert scores_dated(days, "date") == days
    table = pa.table({"account": ["a"] * len(days), "date": days, "score": list(range(len(days)))})
    assert any("each the first day of a month, taken as it is" in note for note in read_scores(table, OPTIONS).source.notes)


def test_one_day_that_begins_no_month_makes_all_of_a_column_days() -> None:
    days = [date(2026, 1, 1), date(2026, 2, 2)]
    assert scores_dated(days, "month") == days


@pytest.mark.parametrize("weekday", [0, 6])
def test_weeks_begin_on_mondays_or_on_sundays(weekday: int) -> None:
    monday = date(2026, 1, 5)
    days = [monday + timedelta(days=weekday + 7 * i) for i in range(3)]
    assert scores_dated(days, "week") == [day + timedelta(days=6) for day in days]


def test_usage_of_a_month_counts_from_its_last_day_and_a_renewal_is_due_on_its_first() -> None:
    events = read_events(b"account,month,event count\na,2026-01-01,5\na,2026-02-01,7\n", OPTIONS)
    assert events.day.astype("datetime64[D]").tolist() == [date(2026, 1, 31), date(2026, 2, 28)]
    renewals = read_renewals(b"account,renewal month,outcome\na,2026-01-01,renewed\nb,2026-02,churned\n", OPTIONS)
    assert renewals.due.tolist() == [date(2026, 1, 1), date(2026, 2, 1)]
