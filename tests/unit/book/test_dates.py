"""Dates: every unambiguous way of writing one gives the same day, and nothing is guessed."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.book.dates import Dates, check_date_format, read_dates, to_zone

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


@given(days=st.lists(st.dates(date(2005, 1, 1), date(2035, 12, 31)), min_size=1, max_size=8), separator=st.sampled_from("/-."))
def test_a_year_of_two_digits_is_read_as_written_or_not_at_all(days: list[date], separator: str) -> None:
    day_first = read(*(f"{d.day:02}{separator}{d.month:02}{separator}{d.year % 100:02}" for d in days))
    if day_first.complaint is None:
        assert day_first.times.astype("datetime64[D]").tolist() == days
        assert any("00-68 being 2000-2068" in form for form in day_first.formats)
    elif day_first.complaint.code == "ambiguous_dates":
        (one, other) = day_first.complaint.message.split(", and")[0].split(" could be ")[1].split(" or ")
        assert one != other


def test_a_day_that_is_the_same_with_the_year_first_and_last_leaves_no_doubt() -> None:
    assert times(read("17-01-17", "18-02-18")) == ["2017-01-17T00:00:00", "2018-02-18T00:00:00"]
    complaint = read("17-01-17", "18-02-19").complaint
    assert complaint is not None
    assert "'18-02-19' could be 18 February 2019 or 19 February 2018" in complaint.message


def test_years_of_two_digits_are_read_where_the_order_is_clear() -> None:
    assert times(read("31.12.25", "30.11.24")) == ["2025-12-31T00:00:00", "2024-11-30T00:00:00"]
    assert times(read("12/31/25", "01/02/25")) == ["2025-12-31T00:00:00", "2025-01-02T00:00:00"]
    assert times(read("31/12/98")) == ["1998-12-31T00:00:00"]
    assert times(read("99/12/31")) == ["1999-12-31T00:00:00"]


@pytest.mark.parametrize(
    ("cells", "readings"),
    [
        (("03/04/26",), "3 April or 4 March"),
        (("25/12/31", "25/11/30"), "25 December 2031 or 31 December 2025"),
        (("25.12.31", "25.11.30"), "25 December 2031 or 31 December 2025"),
        (("25-12-31",), "25 December 2031 or 31 December 2025"),
    ],
)
def test_years_of_two_digits_that_could_be_days_are_asked_about(cells: tuple[str, ...], readings: str) -> None:
    complaint = read(*cells).complaint
    assert complaint is not None and f"could be {readings}" in complaint.message
    assert "%y" in complaint.hint
    year_first = complaint.hint.split("'")[3]
    assert read(*cells, date_format=year_first).complaint is None


MONTHS_OF = {
    "German": "Januar Februar M\u00e4rz April Mai Juni Juli August September Oktober November Dezember",
    "French": "janvier f\u00e9vrier mars avril mai juin juillet ao\u00fbt septembre octobre novembre d\u00e9cembre",
    "Spanish": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    "Portuguese": "janeiro fevereiro mar\u00e7o abril maio junho julho agosto setembro outubro novembro dezembro",
    "Italian": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    "Dutch": "januari februari maart april mei juni juli augustus september oktober november december",
}
SHORT_MONTHS_OF = {
    "German": "Jan. Feb. M\u00e4r. Apr. Mai Jun. Jul. Aug. Sep. Okt. Nov. Dez.",
    "French": "janv. f\u00e9vr. mars avr. mai juin juil. ao\u00fbt sept. oct. nov. d\u00e9c.",
    "Spanish": "ene feb mar abr may jun jul ago sep oct nov dic",
    "Portuguese": "jan fev mar abr mai jun jul ago set out nov dez",
    "Italian": "gen feb mar apr mag giu lug ago set ott nov dic",
    "Dutch": "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
}


@pytest.mark.parametrize("language", MONTHS_OF)
@given(day=DAYS)
def test_months_are_read_in_several_languages(language: str, day: date) -> None:
    for names in (MONTHS_OF, SHORT_MONTHS_OF):
        name = names[language].split()[day.month - 1]
        dotted, plain, joined = f"{day.day}. {name} {day.year}", f"{day.day} {name} {day.year}", f"{day.day} de {name} de {day.year}"
        assert read(dotted, plain, joined).times.astype("datetime64[D]").tolist() == [day] * 3


def test_a_month_is_read_whether_its_accent_is_a_sign_of_its_own_or_not() -> None:
    """A file named and written on a Mac has M, a, two dots, r, z; a word that is no month is none either way."""
    for written in ("12 M\u00e4rz 2024", "12 Ma\u0308rz 2024"):
        assert times(read(written)) == ["2024-03-12T00:00:00"]
    assert read("2024-01-01", "12 Ma\u0308rzen 2024", "12 \u2013\u2013\u2013 2024").unread.tolist() == [False, True, True]


@given(days=st.lists(DAYS, min_size=1, max_size=8))
def test_an_iso_week_is_its_monday_and_a_quarter_its_first_day(days: list[date]) -> None:
    weeks = [day.isocalendar() for day in days]
    mondays = [day - timedelta(days=day.weekday()) for day in days]
    kept = [i for i, monday in enumerate(mondays) if monday >= date(1970, 1, 1)]
    read_weeks = read(*(f"{week.year}-W{week.week:02}" for week in weeks)).times.astype("datetime64[D]").tolist()
    assert [read_weeks[i] for i in kept] == [mondays[i] for i in kept]
    firsts = [date(day.year, day.month - (day.month - 1) % 3, 1) for day in days]
    for form in ("{0}-Q{1}", "{0} Q{1}", "Q{1} {0}"):
        quarters = read(*(form.format(day.year, (day.month + 2) // 3) for day in days))
        assert quarters.times.astype("datetime64[D]").tolist() == firsts


@pytest.mark.parametrize("cell", ["2025-W53", "2025-W00", "2025-Q5", "FY25 Q1", "FY2025-Q1"])
def test_weeks_and_quarters_that_are_none_and_fiscal_ones_are_unreadable(cell: str) -> None:
    assert read("2026-01-01", cell).unread.tolist() == [False, True]


MOMENTS = st.datetimes(datetime(1991, 1, 1), datetime(2099, 1, 1)).map(lambda moment: moment.replace(microsecond=0))


@given(moments=st.lists(MOMENTS, min_size=1, max_size=8), milliseconds=st.booleans(), as_text=st.booleans())
def test_a_column_of_seconds_or_milliseconds_since_1970(moments: list[datetime], milliseconds: bool, as_text: bool) -> None:
    counts = [int(moment.replace(tzinfo=UTC).timestamp()) * (1000 if milliseconds else 1) for moment in moments]
    column = pa.array(counts, pa.int64())
    dates = read_dates(pa.chunked_array([column.cast(pa.string()) if as_text else column]), ZoneInfo("Asia/Tokyo"))
    expected = [moment.replace(tzinfo=UTC).astimezone(ZoneInfo("Asia/Tokyo")).replace(tzinfo=None) for moment in moments]
    assert dates.times.tolist() == expected
    assert "since 1970" in dates.formats[0]


@given(moments=st.lists(MOMENTS, min_size=1, max_size=8))
def test_a_column_of_excels_day_numbers(moments: list[datetime]) -> None:
    """Day 45,000 of Excel's 1900 calendar is 15 March 2023."""
    numbers = [(moment - datetime(1899, 12, 30)) / timedelta(days=1) for moment in moments]
    dates = read_dates(pa.chunked_array([pa.array(numbers)]), UTC_ZONE)
    assert dates.times.tolist() == moments
    assert read("45000").times.astype("datetime64[D]").tolist() == [date(2023, 3, 15)]


@pytest.mark.parametrize("cells", [("45000", "7"), ("45000", "1706695200"), ("123456",), ("1706695200", "2026-01-01")])
def test_numbers_that_are_not_all_of_one_kind_are_no_dates(cells: tuple[str, ...]) -> None:
    assert read(*cells).unread[0]


@given(
    moment=MOMENTS.filter(lambda moment: moment.year < 2030), zone=st.sampled_from(["America/New_York", "Europe/Berlin", "Asia/Kathmandu"])
)
def test_a_time_in_a_named_zone_is_converted_as_the_standard_library_does(moment: datetime, zone: str) -> None:
    aware = moment.replace(tzinfo=ZoneInfo(zone))
    dates = read(f"{moment:%Y-%m-%d %H:%M:%S} {zone}")
    if aware.utcoffset() != aware.replace(fold=1).utcoffset():
        assert dates.unread[0]  # the clock showed it twice, or skipped it
    else:
        assert dates.times.tolist() == [aware.astimezone(UTC).replace(tzinfo=None)]


@pytest.mark.parametrize(
    ("zone", "hour"), [("CET", 9), ("CEST", 8), ("EST", 15), ("PDT", 17), ("AEST", 0), ("JST", 1), ("UTC", 10), ("+0530", 4)]
)
def test_abbreviations_that_mean_one_zone_are_read(zone: str, hour: int) -> None:
    assert times(read(f"2025-01-31 10:00 {zone}")) == [f"2025-01-31T{hour:02}:{30 if zone == '+0530' else 0:02}:00"]


@pytest.mark.parametrize("zone", ["CST", "IST", "PST", "BST", "GST", "AST"])
def test_abbreviations_that_mean_several_zones_are_asked_about(zone: str) -> None:
    complaint = read("2025-01-31", f"2025-01-31 10:00 {zone}").complaint
    assert complaint is not None and complaint.code == "ambiguous_zone" and complaint.row == 1
    assert f"the time zone {zone} could be UTC" in complaint.message and complaint.message.count(" or ") >= 1


def test_times_as_salesforce_and_spreadsheets_write_them() -> None:
    assert times(read("2025-01-31T10:00:00.000+0000")) == ["2025-01-31T10:00:00"]
    assert times(read("Jan 31, 2025 10:00 PM")) == ["2025-01-31T22:00:00"]


def test_a_day_that_does_not_exist_gets_its_own_remedy() -> None:
    assert "There is no such day" in read("2026-02-31").hint
    assert "Fiscal periods start when the company says" in read("FY25 Q1").hint
    assert read("soon").hint == ""


@pytest.mark.parametrize(
    ("date_format", "what"), [("%Q", "'%Q' is no directive"), ("%d.%m.%", "'%' is no directive"), ("DD/MM/YYYY", "no directive")]
)
def test_a_format_that_is_none_is_a_fault_whatever_the_files_hold(date_format: str, what: str) -> None:
    (fault,) = check_date_format(date_format)
    assert fault.code == "unknown_date_format" and what in fault.message
    assert check_date_format("%d/%m/%Y") == check_date_format(None) == []


@pytest.mark.parametrize(
    "cell",
    [
        "31/02/2026",
        "2026-02-30",
        "2026-13-01",
        "2026-00-10",
        "20261301",
        "2026-04-03 25:00",
        "soon",
        "3 Foo 2026",
        "45000",
        "2026-04-03 10:00 XYZ",
    ],
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
    assert "taken as their first day" in dates.formats[0]


@given(days=st.lists(DAYS, min_size=1, max_size=8))
def test_what_is_known_of_a_period_is_known_on_its_last_day(days: list[date]) -> None:
    """The calendar's own last days; the next day is in another month, quarter or week."""
    ends = {
        "{0:%Y-%m}": [day.replace(day=monthrange(day.year, day.month)[1]) for day in days],
        "{0:%b %Y}": [day.replace(day=monthrange(day.year, day.month)[1]) for day in days],
        "{0:%G}-W{0:%V}": [day + timedelta(days=6 - day.weekday()) for day in days],
    }
    for form, expected in ends.items():
        column = pa.chunked_array([pa.array([form.format(day) for day in days])])
        dates = read_dates(column, UTC_ZONE, last_day=True)
        assert [day for day in dates.times.astype("datetime64[D]").tolist() if day is not None] == [
            day for day, outside in zip(expected, dates.out_of_range, strict=True) if not outside
        ]
        assert "taken as their last day" in dates.formats[0]
    quarters = read_dates(pa.chunked_array([pa.array([f"{day.year}-Q{(day.month + 2) // 3}" for day in days])]), UTC_ZONE, last_day=True)
    for day, end in zip(days, quarters.times.astype("datetime64[D]").tolist(), strict=True):
        after = end + timedelta(days=1)
        assert day <= end and after.day == 1 and after.month in (1, 4, 7, 10) and (after - day).days <= 92


@pytest.mark.parametrize(
    ("written", "last"), [("%Y%m", "2024-02-29"), ("%Y", "2024-12-31"), ("%m.%Y", "2024-02-29"), ("%d.%m.%Y", "2024-02-01")]
)
def test_a_format_without_a_day_names_the_last_day_where_that_is_wanted(written: str, last: str) -> None:
    cell = date(2024, 2, 1).strftime(written)
    dates = read_dates(pa.chunked_array([pa.array([cell])]), UTC_ZONE, written, last_day=True)
    assert str(dates.times[0])[:10] == last


def test_a_format_of_weeks_without_their_day_is_refused_since_every_week_would_be_new_years_day() -> None:
    assert [fault.code for fault in check_date_format("%Y-%W")] == ["unknown_date_format"]
    assert check_date_format("%Y-%W-%u") == []


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
