"""Dates: every unambiguous way of writing one gives the same day, and nothing is guessed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.book.dates import Dates, read_dates, to_zone

UTC_ZONE = ZoneInfo("UTC")
DAYS = st.dates(date(1970, 1, 1), date(2200, 12, 31))
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"]


def read(*cells: str | None, date_format: str | None = None, zone: str = "UTC") -> Dates:
    return read_dates(pa.chunked_array([pa.array(cells, pa.string())]), ZoneInfo(zone), date_format)


def times(dates: Dates) -> list[str | None]:
    assert dates.complaint is None
    return [None if np.isnat(t) else str(t) for t in dates.times.astype("datetime64[s]")]


def written(day: date, form: str) -> str:
    """The day as a person of that habit writes it, without strftime's locale."""
    month = MONTHS[day.month - 1]
    return {
        "iso": day.isoformat(),
        "iso time": f"{day.isoformat()}T00:00:00",
        "iso zulu": f"{day.isoformat()} 00:00Z",
        "iso short": f"{day.year}-{day.month}-{day.day}",
        "slashes": f"{day.year}/{day.month:02}/{day.day:02}",
        "compact": f"{day.year}{day.month:02}{day.day:02}",
        "dots": f"{day.day}.{day.month}.{day.year}",
        "day month": f"{day.day} {month[:3]} {day.year}",
        "day dash month": f"{day.day:02}-{month[:3].upper()}-{day.year}",
        "day full month": f"{day.day} {month} {day.year}",
        "month day": f"{month[:3]} {day.day}, {day.year}",
        "full month day": f"{month} {day.day}, {day.year}",
        "weekday": f"{day.strftime('%a')}, {day.day} {month[:3]} {day.year}",
    }[form]


FORMS = (
    "iso", "iso time", "iso zulu", "iso short", "slashes", "compact", "dots", "day month", "day dash month", "day full month",
    "month day", "full month day", "weekday",
)  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
@given(days=st.lists(DAYS, min_size=1, max_size=8))
def test_a_date_written_in_any_unambiguous_way_is_that_day(form: str, days: list[date]) -> None:
    dates = read(*(written(day, form) for day in days))
    assert dates.complaint is None
    assert dates.times.astype("datetime64[D]").tolist() == days


@given(days=st.lists(DAYS, min_size=1, max_size=8), telling=DAYS.filter(lambda d: d.day > 12), separator=st.sampled_from("/-"))
def test_one_day_above_the_twelfth_tells_the_order_of_the_whole_column(days: list[date], telling: date, separator: str) -> None:
    days = [*days, telling]
    day_first = read(*(f"{d.day:02}{separator}{d.month:02}{separator}{d.year}" for d in days))
    month_first = read(*(f"{d.month}{separator}{d.day}{separator}{d.year}" for d in days))
    assert day_first.times.astype("datetime64[D]").tolist() == days
    assert month_first.times.astype("datetime64[D]").tolist() == days


def test_a_date_that_could_be_two_days_is_not_guessed() -> None:
    complaint = read("05/05/2026", "03/04/2026", "01/02/2026").complaint
    assert complaint is not None
    assert complaint.code == "ambiguous_dates"
    assert complaint.row == 1
    assert "'03/04/2026' could be 3 April or 4 March" in complaint.message
    assert "--date-format '%d/%m/%Y' or '%m/%d/%Y'" in complaint.hint


def test_a_date_that_is_the_same_day_both_ways_is_read() -> None:
    assert times(read("05/05/2026", "07/07/2026")) == ["2026-05-05T00:00:00", "2026-07-07T00:00:00"]


def test_a_column_that_mixes_day_first_and_month_first_is_refused() -> None:
    complaint = read("13/04/2026", "04/13/2026", "01/02/2026").complaint
    assert complaint is not None
    assert complaint.code == "mixed_dates"
    assert "'13/04/2026'" in complaint.message and "'04/13/2026'" in complaint.message


@pytest.mark.parametrize(("date_format", "day"), [("%d/%m/%Y", "2026-04-03"), ("%m/%d/%Y", "2026-03-04")])
def test_a_declared_format_settles_the_order(date_format: str, day: str) -> None:
    assert times(read("03/04/2026", date_format=date_format)) == [f"{day}T00:00:00"]


def test_a_declared_order_also_holds_for_times_in_another_column() -> None:
    assert times(read("03/04/2026 14:30", date_format="%d/%m/%Y")) == ["2026-04-03T14:30:00"]


def test_a_declared_format_reads_what_no_layout_does_and_leaves_iso_alone() -> None:
    assert times(read("03/04/26", "2026-01-02", date_format="%d/%m/%y")) == ["2026-04-03T00:00:00", "2026-01-02T00:00:00"]


def test_a_year_of_two_digits_is_not_guessed() -> None:
    assert read("13/04/26").unread.tolist() == [True]


@pytest.mark.parametrize(
    "cell", ["31/02/2026", "2026-02-30", "2026-13-01", "2026-00-10", "20261301", "2026-04-03 25:00", "soon", "3 Foo 2026", "45000"]
)
def test_what_is_no_date_is_unreadable(cell: str) -> None:
    dates = read("2026-01-01", cell, None)
    assert dates.unread.tolist() == [False, True, False]
    assert dates.blank.tolist() == [False, False, True]


def test_years_outside_1970_to_2200_are_told_apart_from_unreadable_cells() -> None:
    dates = read("1969-12-31", "1970-01-01", "2200-12-31", "2201-01-01", "9999-12-31")
    assert dates.out_of_range.tolist() == [True, False, False, True, True]
    assert np.isnat(dates.times).tolist() == [True, False, False, True, True]
    assert not dates.unread.any()


def test_a_month_is_its_first_day_and_that_is_said() -> None:
    dates = read("2026-04", "2026-05")
    assert times(dates) == ["2026-04-01T00:00:00", "2026-05-01T00:00:00"]
    assert "first day of the month" in dates.formats[0]


@pytest.mark.parametrize(
    ("cell", "hour"), [("12:05 AM", 0), ("1:05 am", 1), ("11:05 AM", 11), ("12:05 PM", 12), ("1:05 p.m.", 13), ("23:05", 23)]
)
def test_the_two_halves_of_a_day(cell: str, hour: int) -> None:
    assert times(read(f"Apr 3, 2026 {cell}")) == [f"2026-04-03T{hour:02}:05:00"]


def test_fractions_of_a_second_are_kept_to_the_microsecond() -> None:
    dates = read("2026-04-03T10:00:00.1234567Z", "2026-04-03 10:00:00,5")
    assert dates.times.tolist() == [datetime(2026, 4, 3, 10, 0, 0, 123456), datetime(2026, 4, 3, 10, 0, 0, 500000)]


@given(
    moments=st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2100, 1, 1)), min_size=1, max_size=10),
    minutes=st.integers(-14 * 60, 14 * 60),
    zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
)
def test_times_with_an_offset_are_converted_as_the_standard_library_does(moments: list[datetime], minutes: int, zone: str) -> None:
    offset = timezone(timedelta(minutes=minutes))
    aware = [moment.replace(tzinfo=offset) for moment in moments]
    expected = [moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for moment in aware]
    assert read(*(moment.isoformat() for moment in aware), zone=zone).times.tolist() == expected
    typed = pa.chunked_array([pa.array(aware, pa.timestamp("us", "UTC"))])
    assert read_dates(typed, ZoneInfo(zone)).times.tolist() == expected


def test_times_around_a_change_of_the_clock_are_converted_each() -> None:
    """New York 2026-03-08: at 07:00 UTC the clock jumps from 2 to 3; St John's changed at one minute past midnight until 2011."""
    start = datetime(2026, 3, 8, 6, 0)
    utc = [start + timedelta(minutes=7 * i) for i in range(30)] + [datetime(2010, 3, 14, 3, m) for m in range(60)]
    for zone in ("America/New_York", "America/St_Johns"):
        expected = [t.replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for t in utc]
        assert to_zone(np.array(utc, "datetime64[us]"), ZoneInfo(zone)).tolist() == expected


def test_a_change_of_the_clock_within_an_hour_is_seen_though_it_has_changed_back_by_the_next_time() -> None:
    utc = [datetime(2010, 3, 14, 3, 20), datetime(2010, 3, 14, 3, 45), datetime(2010, 12, 1)]
    local = to_zone(np.array(utc, "datetime64[us]"), ZoneInfo("America/St_Johns")).tolist()
    assert local == [datetime(2010, 3, 13, 23, 50), datetime(2010, 3, 14, 1, 15), datetime(2010, 11, 30, 20, 30)]


def test_times_without_an_offset_are_taken_as_the_zones_own() -> None:
    assert times(read("2026-04-03 10:00", zone="Asia/Tokyo")) == ["2026-04-03T10:00:00"]


def test_typed_columns_are_taken_as_they_are() -> None:
    day, moment = date(2026, 4, 3), datetime(2026, 4, 3, 10, 30)
    for kind, value in ((pa.date32(), day), (pa.date64(), day), (pa.timestamp("ns"), moment), (pa.timestamp("s"), moment)):
        dates = read_dates(pa.chunked_array([pa.array([value, None], kind)]), UTC_ZONE)
        assert dates.times[0] == np.datetime64(value, "us")
        assert dates.blank.tolist() == [False, True]
    whole = read_dates(pa.chunked_array([pa.array([20260403, None], pa.int64())]), UTC_ZONE)
    assert whole.times[0] == np.datetime64("2026-04-03", "us")
