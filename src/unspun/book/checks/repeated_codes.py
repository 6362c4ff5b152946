"""Codes that stand more than once in a table, found by sorting: a grouping of as many rows would keep a hash table of all of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

PART_ROWS = 1 << 24  # 64 MB of codes at a time: more rows are gone over several times, each time those of some of the codes

Codes = npt.NDArray[np.uint32]


def repeated_codes(sql: str, rows: int, query: Callable[[str], pa.Table], part_rows: int = PART_ROWS) -> pa.Table:
    """A table of one column `code`: those that stand more than once, each once.

    `sql` gives about so many rows of one column `code` (UINTEGER, none NULL).
    """
    parts = max(1, -(-rows // part_rows))
    asked = (f"SELECT code FROM ({sql}) WHERE code % {parts} = {part}" if parts > 1 else sql for part in range(parts))
    found = [_repeated(query(part).column("code")) for part in asked]
    return pa.table({"code": pa.array(np.concatenate(found), pa.uint32())})


def _repeated(column: pa.ChunkedArray) -> Codes:
    ordered: Codes = np.sort(column.to_numpy())
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
