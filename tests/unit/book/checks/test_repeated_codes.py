"""Codes and times that stand more than once, found by sorting and by looking at neighbours, are those that counting finds."""

from __future__ import annotations

from collections import Counter

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from unspun.book.checks.repeated_codes import SHARED_SHARE, repeated_codes, repeated_times


@pytest.mark.parametrize("part_rows", [1, 7, 1000, 1 << 24])
def test_whether_in_one_part_or_many_the_codes_are_those_that_counting_finds(part_rows: int) -> None:
    codes = np.random.default_rng(4).integers(0, 3000, 2000).astype(np.uint32) + np.uint32(2**32 - 3000)
    expected = {int(code) for code, times in Counter(codes.tolist()).items() if times > 1}
    with duckdb.connect() as connection:
        connection.register("rows", pa.table({"number": codes}))
        rows = 20 if part_rows == 1 else len(codes)
        found = repeated_codes("SELECT number AS code FROM rows", rows, lambda sql: connection.sql(sql).to_arrow_table(), part_rows)
    assert sorted(found.column("code").to_pylist()) == sorted(expected)
    assert found.schema == pa.schema([("code", pa.uint32())])


def test_of_no_rows_no_code_stands_twice() -> None:
    with duckdb.connect() as connection:
        nothing = "SELECT 1::UINTEGER AS code WHERE false"
        assert repeated_codes(nothing, 0, lambda sql: connection.sql(sql).to_arrow_table()).num_rows == 0


def times_of(owner: np.ndarray, time: np.ndarray, part_rows: int = 37) -> list[int] | None:
    rows = pa.table({"owner": owner.astype(np.uint32), "time": time.astype(np.int64)})
    batched = pa.Table.from_batches(rows.to_batches(part_rows), rows.schema)
    found = repeated_times("of these rows", lambda _sql: batched)
    return None if found is None else found.tolist()


def counted(owner: np.ndarray, time: np.ndarray) -> list[int]:
    """The times at which an owner has several rows."""
    return sorted({at for (_, at), rows in Counter(zip(owner.tolist(), time.tolist(), strict=True)).items() if rows > 1})


@pytest.mark.parametrize("seed", range(20))
def test_of_rows_in_order_the_repeated_times_are_those_that_counting_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    owner, time = random.integers(0, 9, 1000), random.integers(0, 300_000, 1000)
    twice = random.integers(0, 1000, 12)
    owner, time = np.r_[owner, owner[twice]], np.r_[time, time[twice]]
    order = np.lexsort((time, random.permutation(9)[owner]))  # the owners in any order
    found = times_of(owner[order], time[order], int(random.integers(1, 400)))
    assert found == counted(owner, time) != []


@pytest.mark.parametrize("seed", range(60))
def test_where_anything_is_said_of_rows_that_are_nearly_in_order_it_is_what_counting_finds(seed: int) -> None:
    random = np.random.default_rng(seed)
    owner, time = random.integers(0, 4, 200), random.integers(0, 4000, 200)
    order = np.lexsort((time, owner))
    moved = random.integers(0, 200, 2)
    order[moved] = order[moved[::-1]]
    found = times_of(owner[order], time[order])
    assert found in (None, counted(owner, time))


def test_of_rows_out_of_order_of_an_owner_in_two_places_or_mostly_of_one_time_nothing_is_said() -> None:
    one = np.zeros(100, int)
    assert times_of(one, np.arange(100)) == []
    assert times_of(one, np.arange(100)[::-1]) is None
    assert times_of(np.repeat([0, 1, 0], [40, 40, 20]), np.arange(100)) is None
    few = np.arange(1000) - (np.arange(1000) < int(1000 * SHARED_SHARE))
    assert times_of(np.zeros(1000, int), np.sort(few)) is not None
    assert times_of(one, np.arange(100) // 10) is None


def test_rows_without_a_time_are_not_in_order() -> None:
    rows = pa.table({"owner": pa.array([1, 1, 1], pa.uint32()), "time": pa.array([1, None, 3], pa.int64())})
    assert repeated_times("of these rows", lambda _sql: rows) is None
