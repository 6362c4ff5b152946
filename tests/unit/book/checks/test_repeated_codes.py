"""Codes that stand more than once, found by sorting, are those that counting finds."""

from __future__ import annotations

from collections import Counter

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from unspun.book.checks.repeated_codes import repeated_codes


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
