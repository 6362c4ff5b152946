"""The ways of reading that large files need give what the plain ways give."""

from __future__ import annotations

from collections import Counter
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unspun.book.dates import read_dates
from unspun.book.delimited import parse_delimited
from unspun.book.duplicates import repeated_rows

SECONDS = st.none() | st.sampled_from([0, 1, 86_400, 2_000_000_000, 4_000_000_000])


@given(st.lists(st.tuples(st.integers(-1, 2), SECONDS, st.sampled_from([0, 1, 999_999])), max_size=20))
def test_rows_repeat_where_all_their_keys_do(rows: list[tuple[int, int | None, int]]) -> None:
    known = [(account, None if second is None else second * 10**6 + micros) for account, second, micros in rows]
    times = np.array([np.datetime64("NaT") if t is None else np.datetime64(t, "us") for _, t in known], "datetime64[us]")
    found = repeated_rows([np.array([a for a, _ in known], np.int32), times, times[::1]])
    many = Counter(known)
    assert sorted(found.rows.tolist()) == [i for i, key in enumerate(known) if many[key] > 1]
    assert all(known[row] == known[found.rows[found.starts[group]]] for row, group in zip(found.rows, found.group, strict=True))


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize(
    "cells",
    [["2024-03-31", "2024-03-31 01:30", None], ["2024-03-31T00:30:00Z", "2024-03-31T01:30:00.25+01:00"], ["1969-01-01", "2024-02-29"]],
)
def test_times_written_plainly_are_read_as_they_are_word_by_word(cells: list[str | None], zone: str) -> None:
    text = pa.chunked_array([pa.array(cells, pa.string())])
    plain, by_word = (read_dates(column, ZoneInfo(zone)) for column in (text, text.dictionary_encode()))
    assert plain.formats == by_word.formats
    for name in ("times", "blank", "unread", "out_of_range"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(by_word, name))


def test_a_row_longer_than_a_block_is_read_whole() -> None:
    long = "x" * 3_000_000
    parsed = parse_delimited(pa.py_buffer(f"a,b\n1,{long}\n2,y".encode()), "scores")
    assert [column.to_pylist() for column in parsed.columns] == [["1", "2"], [long, "y"]]
    assert parsed.row.tolist() == [2, 3]
