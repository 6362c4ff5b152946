"""Columns that hold nothing odd take shorter ways: what comes out is what the long ways, or one value after another, give."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest

from unspun.book.dates import FIRST_YEAR, LAST_YEAR, read_dates
from unspun.book.text import FEW_WORDS, FIRST_ROWS, Words
from unspun.book.typed_columns import ColumnPlan, read_column
from unspun.book.typed_times import instants

EDGES = [datetime(FIRST_YEAR, 1, 1), datetime(LAST_YEAR, 12, 31, 23, 59, 59, 999_999)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n_words", [1, FEW_WORDS // 2, 40 * FEW_WORDS])
def test_the_words_that_some_row_has_are_found_wherever_they_first_come(n_words: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    often = rng.integers(-1, max(1, n_words // 2), FIRST_ROWS)
    late = rng.integers(-1, n_words, 200_000) * (rng.random(200_000) < 0.001)
    for codes in (often, np.concatenate([often, late]), often[:0]):
        words = Words(codes.astype(np.int32), pa.array([f"word {i}" for i in range(n_words)]))
        assert words.occurring().tolist() == [i in set(codes.tolist()) for i in range(n_words)]
        assert words.used() == [f"word {i}" for i in sorted(set(codes.tolist()) - {-1})]


@pytest.mark.parametrize("odd", [[], [None], [math.nan], [math.inf], [-math.inf, math.inf], [None, math.nan, math.inf], [1.7e308] * 3])
@pytest.mark.parametrize("kind", [pa.float64(), pa.float32()])
def test_floats_are_kept_blanks_are_empty_and_the_infinite_is_unreadable(odd: list[float | None], kind: pa.DataType) -> None:
    column = pa.array([1.5, -2.0, *odd, 0.0], pa.float64()).cast(kind, safe=False)
    cells = read_column(pa.chunked_array([column]), ColumnPlan("events", "value", "number", 0, "value"))
    given = column.to_pylist()
    assert cells.values.to_pylist() == [None if x is None or not math.isfinite(x) else x for x in given]
    assert cells.filled == sum(x is not None and not math.isnan(x) for x in given)
    unread = [x is not None and math.isinf(x) for x in given]
    assert [bad.mask.tolist() for bad in cells.bad] == ([unread] if any(unread) else [])


def test_a_column_of_empty_floats_is_empty() -> None:
    for column in (pa.nulls(3, pa.float64()), pa.array([], pa.float64())):
        cells = read_column(pa.chunked_array([column]), ColumnPlan("events", "value", "number", 0, "value"))
        assert (cells.values.null_count, cells.filled, cells.values.type) == (len(column), 0, pa.float64())


@pytest.mark.parametrize("times", [[], ["2024-01-05T10:00"], ["2024-01-05T10:00", "NaT"], ["NaT"]])
@pytest.mark.parametrize("unit", ["us", "s"])
def test_times_become_instants_and_none_stays_none(times: list[str], unit: str) -> None:
    found = instants(np.array(times, f"datetime64[{unit}]"))
    assert found.type == pa.timestamp("us", "UTC")
    assert found.to_pylist() == [None if text == "NaT" else datetime.fromisoformat(text).replace(tzinfo=UTC) for text in times]


@pytest.mark.parametrize("outside", [[], [datetime(FIRST_YEAR - 1, 12, 31)], [datetime(LAST_YEAR + 1, 1, 1)], [datetime(1, 1, 1)]])
@pytest.mark.parametrize("empty", [[], [None]])
@pytest.mark.parametrize("edges", [[], EDGES])
def test_typed_times_outside_the_years_that_are_read_are_told(outside: list[datetime], empty: list[None], edges: list[datetime]) -> None:
    given = [*edges, *outside, *empty, datetime(2024, 5, 1, 12)]
    dates = read_dates(pa.chunked_array([pa.array(given, pa.timestamp("us"))]), ZoneInfo("UTC"))
    assert dates.out_of_range.tolist() == [time in outside for time in given]
    assert dates.blank.tolist() == [time is None for time in given]
    assert dates.times.tolist() == [None if time in outside else time for time in given]
