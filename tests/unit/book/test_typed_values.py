"""Money to the last digit, times to the microsecond, and large files in parts: against decimal, zoneinfo and pandas."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.book.typed import open_typed
from unspun.book.typed_columns import Cells, ColumnPlan, read_column
from unspun.book.typed_files import PART_ROWS
from unspun.book.typed_money import money_of_decimals, money_of_floats, money_of_integers, money_of_literals
from unspun.book.typed_times import local_to_utc
from unspun.errors import BadInput

UNIT, MOST = Decimal("0.0001"), Decimal(10) ** 14
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Asia/Gaza",
    "Africa/Casablanca",
    "UTC",
]
DECIMALS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**16), max_value=10**16)
EVENTS = SourceMapping(("*",), "events", {"account_id": "a", "occurred": "t", "event": "e", "value": "v"})


def _rounded(number: Decimal) -> Decimal | None:
    """By Python's decimals: four places, half to even, None where too large."""
    with localcontext(prec=100):
        kept = number.quantize(UNIT, ROUND_HALF_EVEN)
    return kept if abs(kept) < MOST else None


def _column(cells: Sequence[object], kind: str, name: str = "own", zone: str = "UTC", type_: pa.DataType | None = None) -> Cells:
    column = pa.chunked_array([pa.array(cells, type_)])
    return read_column(column, ColumnPlan("purchases", name, kind, 0, name, zone=ZoneInfo(zone)))  # pyright: ignore[reportArgumentType]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.none() | DECIMALS, min_size=1, max_size=20))
def test_money_written_as_text_is_exact(numbers: list[Decimal | None]) -> None:
    expected = [None if number is None else _rounded(number) for number in numbers]
    texts = pa.array([None if number is None else f"{number:f}" for number in numbers], pa.string())
    for literals in (texts, texts.dictionary_encode()):
        found = money_of_literals(literals)
        assert found.values.to_pylist() == expected
        assert found.too_large.tolist() == [n is not None and e is None for n, e in zip(numbers, expected, strict=True)]
        assert found.shortened == sum(e is not None and e != n for n, e in zip(numbers, expected, strict=True))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(-1e15, 1e15, allow_nan=False) | st.floats(-1000, 1000).map(lambda x: round(x, 2)), min_size=1, max_size=20))
def test_money_written_as_a_float_is_the_shortest_decimal_that_names_it(numbers: list[float]) -> None:
    found = money_of_floats(np.array([*numbers, np.nan]))
    assert found.values.to_pylist() == [*(_rounded(Decimal(repr(number))) for number in numbers), None]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=10))
def test_money_in_whole_numbers_and_in_decimals_is_exact(numbers: list[int]) -> None:
    expected = [_rounded(Decimal(number)) for number in numbers]
    assert money_of_integers(pa.array(numbers)).values.to_pylist() == expected
    small = [Decimal(number).scaleb(-7) for number in numbers]
    assert money_of_decimals(pa.array(small, pa.decimal128(38, 7))).values.to_pylist() == [_rounded(number) for number in small]


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("EUR 1,200.50", "1200.5000", "EUR"),
        ("$4.35k", "4350.0000", "$"), ("(12.34)", "-12.3400", None), ("1.2M USD", "1200000.0000", "USD"),
        ("0.00005", "0.0000", None), ("0.00015", "0.0002", None), ("99999999999999.9999", "99999999999999.9999", None),
    ],
)  # fmt: skip
def test_an_amount_is_read_exactly_with_its_currency(text: str, amount: str, currency: str | None) -> None:
    cells = _column([text, None, "n/a"], "money")
    assert cells.values.to_pylist() == [Decimal(amount), None, None] and not cells.bad
    assert (None if cells.currency is None else cells.currency.names[cells.currency.codes[0]]) == currency


def test_a_decimal_comma_is_told_by_the_column() -> None:
    assert _column(["1.200,50", "3,1"], "money").values.to_pylist() == [Decimal("1200.5000"), Decimal("3.1000")]
    mixed = _column(["1.200,50", "1,200.50"], "money").complaint
    assert mixed is not None and mixed.code == "mixed_numbers"


def test_a_whole_number_is_whole_and_of_any_size_that_fits() -> None:
    cells = _column(["9007199254740993", "1e3", "2.50", "12", None, "9223372036854775808"], "whole")
    assert cells.values.to_pylist() == [9007199254740993, 1000, None, 12, None, None]
    assert [(bad.code, bad.mask.tolist()) for bad in cells.bad] == [("not_whole", [False, False, True, False, False, True])]
    assert _column([2.0, None, 2.5], "whole").values.to_pylist() == [2, None, None]
    assert _column([2**64 - 1, 5], "whole", type_=pa.uint64()).values.to_pylist() == [None, 5]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(ZONES), st.lists(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)), min_size=1, max_size=20))
def test_local_times_become_the_instants_that_zoneinfo_gives(zone: str, moments: list[datetime]) -> None:
    _agrees_with_zoneinfo(ZoneInfo(zone), moments)


@pytest.mark.parametrize("zone", ZONES)
def test_around_every_change_of_the_clock_local_times_are_told_as_zoneinfo_tells_them(zone: str) -> None:
    for year in (1978, 2018, 2025, 2026):
        quarters = [datetime(year, 1, 1) + timedelta(minutes=15 * i) for i in range(4 * 24 * 365)]
        _agrees_with_zoneinfo(ZoneInfo(zone), quarters)


def _agrees_with_zoneinfo(zone: ZoneInfo, moments: list[datetime]) -> None:
    utc, skipped, repeated = local_to_utc(np.array(moments, "datetime64[us]"), zone)
    none = np.zeros(len(moments), bool)
    skipped, repeated = none if skipped is None else skipped, none if repeated is None else repeated
    for i, moment in enumerate(moments):
        first, second = (moment.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
        assert first is not None and second is not None
        gap, twice = second > first, second < first
        if gap and moment.time() == datetime.min.time():  # the first instant of a day that begins later
            back = utc[i].item().replace(tzinfo=UTC).astimezone(zone)
            assert back.date() == moment.date() and (back - timedelta(seconds=1)).astimezone(zone).date() <= moment.date()
            assert (utc[i].item() - timedelta(seconds=1)).replace(tzinfo=UTC).astimezone(zone).date() < moment.date()
            continue
        assert (bool(skipped[i]), bool(repeated[i])) == (gap, twice), moment
        assert gap or utc[i].item() == moment - first


def test_a_time_that_no_clock_showed_is_rejected_and_one_shown_twice_is_the_first() -> None:
    texts = ["2025-03-30 02:30", "2025-10-26 02:30", "2025-10-26T02:30:00+01:00", "2025-07-01"]
    cells = _column(texts, "instant", zone="Europe/Berlin")
    found = [None if moment is None else moment.replace(tzinfo=None) for moment in cells.values.to_pylist()]
    assert found == [None, datetime(2025, 10, 26, 0, 30), datetime(2025, 10, 26, 1, 30), datetime(2025, 6, 30, 22)]
    assert [bad.code for bad in cells.bad] == ["no_such_time"]
    assert list(cells.counts.values()) == [1]


@pytest.mark.parametrize(
    ("text", "utc", "zone"),
    [
        ("2025-03-01T10:00:00+05:30", "2025-03-01 04:30", "+05:30"), ("2025-03-01T10:00:00Z", "2025-03-01 10:00", "Z"),
        ("2025-03-01 10:00 America/Chicago", "2025-03-01 16:00", "America/Chicago"), ("01.03.2025 10:00", "2025-03-01 09:00", None),
        ("1740823200", "2025-03-01 10:00", "UTC"), ("2025-03-01", "2025-02-28 23:00", None),
    ],
)  # fmt: skip
def test_the_zone_of_a_time_is_kept_as_it_is_written(text: str, utc: str, zone: str | None) -> None:
    cells = _column([text, None], "instant", zone="Europe/Berlin")
    assert str(cells.values[0].as_py())[:16] == utc
    named = None if cells.zones is None or cells.zones.codes[0] < 0 else cells.zones.names[cells.zones.codes[0]]
    assert named == zone


def test_times_with_and_without_an_offset_keep_each_its_own_zone(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,t,e,v\nA,2025-10-26T02:30:00+01:00,x,1\nA,2025-07-01 10:00,x,\nA,2025-07-01 10:00:00 Z,x,3\n")
    (part,) = open_typed(str(path), EVENTS, BookDefinition((), time_zone="Europe/Berlin")).parts()
    assert part.rows["happened_zone"].to_pylist() == ["+01:00", "Europe/Berlin", "Z"]
    assert [moment.strftime("%d %H:%M") for moment in part.rows["happened_at"].to_pylist()] == ["26 01:30", "01 08:00", "01 10:00"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2199, 1, 1)), min_size=1, max_size=10), st.sampled_from(["s", "ms", "us", "ns"])
)
def test_typed_times_keep_their_microseconds(moments: list[datetime], unit: str) -> None:
    step = {"s": 1_000_000, "ms": 1000}.get(unit, 1)
    whole = [moment - timedelta(microseconds=moment.microsecond % step) for moment in moments]
    for type_, zone in ((pa.timestamp(unit, "UTC"), "Asia/Tokyo"), (pa.timestamp(unit), "UTC")):
        cells = _column([m.replace(tzinfo=UTC) if type_.tz else m for m in whole], "instant", zone=zone, type_=type_)
        assert [moment.replace(tzinfo=None) for moment in cells.values.to_pylist()] == whole


def test_a_day_of_a_time_with_an_offset_is_the_day_in_the_zone_of_the_book() -> None:
    cells = _column(["2025-01-05T23:30:00-05:00", "2025-01-05"], "day", zone="Europe/Berlin")
    assert cells.values.to_pylist() == [date(2025, 1, 6), date(2025, 1, 5)]


def test_probabilities_above_one_are_percentages() -> None:
    cells = read_column(pa.chunked_array([["80%", "15%"]]), ColumnPlan("forecasts", "probability", "number", 0, "p"))
    assert cells.values.to_pylist() == [0.8, 0.15]


def _large(rows: int) -> Any:
    """Events with two rows that cannot be used, one in each part."""
    at = np.datetime64("2025-01-01", "ms") + np.arange(rows) * np.timedelta64(1, "s")
    accounts = pd.array(np.arange(rows) % 97, "Int64")
    accounts[[5, rows - 1]] = pd.NA
    return pd.DataFrame({"a": accounts, "t": at, "e": np.array(["open", "save"])[np.arange(rows) % 2], "v": np.arange(rows) / 4, "left": 1})


def test_a_large_parquet_file_comes_in_parts_that_are_the_file(tmp_path: Path) -> None:
    rows = PART_ROWS + 1000
    frame = _large(rows)
    frame.to_parquet(tmp_path / "large.parquet", row_group_size=100_000)
    source = open_typed(str(tmp_path / "large.parquet"), EVENTS, BookDefinition((), time_zone="America/New_York"))
    parts = list(source.parts())
    assert len(parts) == 2 and source.rows_read == rows and source.unlisted == ("left",)
    rejected = pa.concat_tables([part.rejected for part in parts]).to_pylist()
    assert [(row["source_row"], row["code"]) for row in rejected] == [(7, "no_account"), (rows + 1, "no_account")]
    assert rejected[0]["cells"] == '{"a": null, "t": "2025-01-01 00:00:05.000", "e": "save", "v": "1.25", "left": "1"}'
    found: Any = pa.concat_tables([part.rows for part in parts]).to_pandas()
    kept = frame[frame["a"].notna()]
    assert (found["source_row"] == kept.index + 2).all()
    assert (found["account_id"].astype(str) == kept["a"].astype(str).to_numpy()).all() and (found["event"] == kept["e"].to_numpy()).all()
    assert (found["occurred"] == kept["t"].dt.tz_localize("America/New_York").dt.tz_convert("UTC").to_numpy()).all()
    assert (found["value"].to_numpy() == kept["v"].to_numpy()).all()


def test_a_large_file_is_refused_at_its_end_where_too_much_of_a_column_cannot_be_read(tmp_path: Path) -> None:
    frame = _large(PART_ROWS + 1000)
    frame["v"] = np.where(np.arange(len(frame)) % 3 == 0, np.inf, 1.0)
    frame.to_parquet(tmp_path / "large.parquet")
    with pytest.raises(BadInput) as caught:
        list(open_typed(str(tmp_path / "large.parquet"), EVENTS, BookDefinition(())).parts())
    assert [fault.code for fault in caught.value.faults] == ["unreadable_column"]


def _long_text(rows: int) -> str:
    """Lines of which only the first tells day from month, with quoted line ends, a blank and a malformed line, and unusable rows."""
    lines = [f'A{i},{13 if i == 0 else i % 12 + 1:02}/02/2025,"x\n{i}","1.234,5"' for i in range(rows)]
    lines[rows // 2], lines[rows // 3], lines[rows // 4] = "", "A,too,many,cells,here", ",01/02/2025,x,1"
    return "Export\na,t,e,v\n" + "\n".join(lines) + "\n"


def test_a_long_text_read_block_by_block_gives_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "long.csv"
    path.write_text(_long_text(2000))
    found = []
    for most in (1 << 28, 1 << 10):
        monkeypatch.setattr("unspun.book.typed_files.MOST_AT_ONCE", most)
        monkeypatch.setattr("unspun.book.typed_files.BLOCK_BYTES", 1 << 12)
        source = open_typed(str(path), EVENTS, BookDefinition(()))
        parts = list(source.parts())
        rejected = pa.concat_tables([part.rejected for part in parts]).to_pylist()
        found.append((pa.concat_tables([part.rows for part in parts]).to_pylist(), sorted(map(str, rejected)), source.rows_read))
        assert len(parts) == 1 or most == 1 << 10
    assert found[0] == found[1]
    assert found[0][0][1]["occurred"] == datetime(2025, 2, 2, tzinfo=UTC) and found[0][0][1]["value"] == 1234.5
    assert (len(found[0][0]), len(found[0][1])) == (1997, 3)


@pytest.mark.parametrize(
    ("early", "late", "code"), [("1.5", "1,5", "mixed_numbers"), ("1.5", "1,500", None), ("1,5", "1,500,000", "mixed_numbers")]
)
def test_blocks_that_contradict_each_other_about_numbers_are_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, early: str, late: str, code: str | None
) -> None:
    monkeypatch.setattr("unspun.book.typed_files.MOST_AT_ONCE", 1)
    monkeypatch.setattr("unspun.book.typed_files.BLOCK_BYTES", 1 << 11)
    mapping = SourceMapping(("*",), "purchases", {"account_id": "a", "purchased": "t", "amount": "v"})
    path = tmp_path / "long.csv"
    path.write_text("a;t;v\n" + f"A;2025-01-01;{early}\n" * 300 + f"A;2025-01-01;{late}\n" * 300)
    source = open_typed(str(path), mapping, BookDefinition(()))
    if code is None:
        assert sum(len(part.rows) for part in source.parts()) == 600
        return
    with pytest.raises(BadInput) as caught:
        list(source.parts())
    assert [fault.code for fault in caught.value.faults] == [code]


def test_a_damaged_parquet_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"a": ["A"], "t": [datetime(2025, 1, 1)]}), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BadInput) as caught:
        open_typed(str(path), EVENTS, BookDefinition(()))
    assert [fault.code for fault in caught.value.faults] == ["damaged_parquet"]
