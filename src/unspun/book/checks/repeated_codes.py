"""Codes that stand more than once in a table, found by sorting: a grouping of as many rows would keep a hash table of all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

PART_ROWS = 1 << 24  # 64 MB of codes at a time: more rows are gone over several times, each time those of some of the codes

Codes = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Coded:
    """The rows of a table as 32-bit numbers: SQL of one column `code` (UINTEGER, none NULL), and about how many rows it gives."""

    sql: str
    rows: int


def repeated_codes(coded: Coded, query: Callable[[str], pa.Table], part_rows: int = PART_ROWS) -> pa.Table:
    """A table of one column `code`: those that stand more than once, each once."""
    parts = max(1, -(-coded.rows // part_rows))
    asked = (f"SELECT code FROM ({coded.sql}) WHERE code % {parts} = {part}" if parts > 1 else coded.sql for part in range(parts))
    found = [_repeated(query(sql).column("code")) for sql in asked]
    return pa.table({"code": pa.array(np.concatenate(found), pa.uint32())})


def _repeated(column: pa.ChunkedArray) -> Codes:
    ordered: Codes = np.sort(column.to_numpy())
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
