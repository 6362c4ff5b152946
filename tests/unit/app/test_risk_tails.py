"""A daily source that ended some days ago hides those days; one that is silent as it always was hides nothing."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from unspun.app.risk.tails import tail_of
from unspun.book.checks.finding import Span

AS_OF = date(2026, 3, 31)  # a Tuesday
EVERY_DAY = [AS_OF - timedelta(days=back) for back in range(400, -1, -1)]
WEEKDAYS = [day for day in EVERY_DAY if day.weekday() < 5]


def until(days: list[date], last: date) -> list[date]:
    return [day for day in days if day <= last]


@pytest.mark.parametrize(("missing", "first"), [(0, None), (1, None), (2, date(2026, 3, 30)), (5, date(2026, 3, 27)), (40, None)])
def test_days_without_a_row_of_anybody_up_to_the_as_of_day_are_hidden(missing: int, first: date | None) -> None:
    assert tail_of(until(EVERY_DAY, AS_OF - timedelta(days=missing)), AS_OF) == first


def test_a_weekend_of_a_product_that_nobody_uses_on_weekends_hides_nothing() -> None:
    sunday = date(2026, 3, 29)
    assert tail_of(until(WEEKDAYS, sunday), sunday) is None
    assert tail_of(until(WEEKDAYS, date(2026, 3, 26)), sunday) == date(2026, 3, 27), "the Friday is gone too"


def test_an_outage_of_the_year_before_is_no_reason_to_think_silence_usual_where_it_is_recorded() -> None:
    out = Span("stopped", date(2025, 11, 3), date(2025, 11, 12))
    days = [day for day in until(EVERY_DAY, date(2026, 3, 26)) if not out.touches(day, day)]
    assert tail_of(days, AS_OF) is None
    assert tail_of(days, AS_OF, (out,)) == date(2026, 3, 27)


def test_what_does_not_happen_daily_has_no_end_that_could_be_seen() -> None:
    waves = [AS_OF - timedelta(days=back) for back in (400, 300, 200, 100, 10)]
    assert tail_of(waves, AS_OF) is None
    assert tail_of(EVERY_DAY[-45:-5], AS_OF) is None, "too short a time to know what is usual"
