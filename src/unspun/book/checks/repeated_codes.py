"""Rows that may repeat another, told by numbers: of rows in the order of their time by looking at neighbours, of others by sorting.

A grouping of as many rows would keep a hash table of all of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa

SHARED_SHARE = 0.02  # of rows in order, beside one of the same time: more, and looking at all of those would take longer than sorting
PART_ROWS = 1 << 24  # 64 MB of codes at a time: more rows are gone over several times, each time those of some of the codes

Codes = npt.NDArray[np.uint32]
Times = npt.NDArray[np.int64]


def repeated_codes(sql: str, rows: int, query: Callable[[str], pa.Table], part_rows: int = PART_ROWS) -> pa.Table:
    """A table of one column `code`: those that stand more than once, each once.

    `sql` gives about so many rows of one column `code` (UINTEGER, none NULL).
    """
    parts = max(1, -(-rows // part_rows))
    asked = (f"SELECT code FROM ({sql}) WHERE code % {parts} = {part}" if parts > 1 else sql for part in range(parts))
    found = [_repeated(query(part).column("code")) for part in asked]
    return pa.table({"code": pa.array(np.concatenate(found), pa.uint32())})


def repeated_times(sql: str, query: Callable[[str], pa.Table]) -> Times | None:
    """The times at which several rows of one owner stand, each once; None where the rows are not in order, or too many share a time.

    `sql` gives a number for the `owner` (UINTEGER) and the `time` (BIGINT) of each row. Rows are in order where those of each owner stand
    together, by time: rows that are alike then stand beside each other.
    """
    rows = query(sql)
    if any(column.null_count for column in rows.columns):
        return None
    begun: list[Codes] = [np.zeros(0, np.uint32)]
    found: list[Times] = [np.zeros(0, np.int64)]
    last, shared = (begun[0], found[0]), 0
    for batch in rows.to_batches():
        owner, time = np.concatenate([last[0], batch.column(0).to_numpy()]), np.concatenate([last[1], batch.column(1).to_numpy()])
        same, step = owner[1:] == owner[:-1], time[1:] - time[:-1]
        alike = same & (step == 0)
        shared += int(np.count_nonzero(alike))
        if np.any(same & (step < 0)) or shared > SHARED_SHARE * rows.num_rows:
            return None
        begun += [owner[: 1 - len(last[0])], owner[1:][~same]]
        found.append(np.unique(time[1:][alike]))
        last = owner[-1:], time[-1:]
    owners = np.concatenate(begun)
    return np.unique(np.concatenate(found)) if len(np.unique(owners)) == len(owners) else None


def _repeated(column: pa.ChunkedArray) -> Codes:
    ordered: Codes = np.sort(column.to_numpy())
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
