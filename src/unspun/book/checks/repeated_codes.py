"""Codes that stand more than once in a table, found by sorting: a grouping of as many rows would keep a hash table of all of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

PART_ROWS = 1 << 24  # 64 MB of codes at a time: more rows are gone over in parts, by what their codes leave over
MIDDLE = 1 << 31

Codes = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Coded:
    """The rows of a table as 32-bit numbers: SQL of one column `code` (UINTEGER, none NULL), and about how many rows it gives."""

    sql: str
    rows: int


def repeated_codes(coded: Coded, query: Callable[[str], pa.Table]) -> pa.Table:
    """A table of one column `code`: those that stand more than once, each once."""
    parts = max(1, -(-coded.rows // PART_ROWS))
    asked = (f"SELECT code FROM ({coded.sql}) WHERE code % {parts} = {part}" if parts > 1 else coded.sql for part in range(parts))
    found = [_repeated(query(sql).column("code")) for sql in asked]
    return pa.table({"code": pa.array(np.concatenate(found), pa.uint32())})


def _repeated(column: pa.ChunkedArray) -> Codes:
    ordered, middle = _halves(column)
    with ThreadPoolExecutor(2) as threads:  # NumPy sorts outside the interpreter's lock
        list(threads.map(np.ndarray.sort, (ordered[:middle], ordered[middle:])))
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _halves(column: pa.ChunkedArray) -> tuple[Codes, int]:
    """The codes, the lower half of what can be before the upper one; and where that begins."""
    codes, low, high = np.empty(len(column), np.uint32), 0, len(column)
    for chunk in column.chunks:
        some: Codes = chunk.to_numpy()
        lower = some < MIDDLE
        first, last = some[lower], some[~lower]
        codes[low : low + len(first)], codes[high - len(last) : high] = first, last
        low, high = low + len(first), high - len(last)
    return codes, low
