"""Some rows of a file with all its columns: the whole of a small one; of a large one head, middle and tail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

WHOLE_ROWS = 20_000
PART_ROWS = 5_000


@dataclass(frozen=True, slots=True)
class FileSample:
    """Columns of equal length under their headers, in the file's order. `whole`: the rows are all that the file holds."""

    names: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    whole: bool


def sample_rows(names: Sequence[str], columns: Sequence[pa.ChunkedArray], whole: bool = True) -> FileSample:
    """All rows of columns that hold few, else parts of them."""
    rows = len(columns[0]) if columns else 0
    if rows <= WHOLE_ROWS:
        return FileSample(tuple(names), tuple(columns), whole)
    starts = (0, (rows - PART_ROWS) // 2, rows - PART_ROWS)
    parts = [pa.chunked_array([chunk for start in starts for chunk in column.slice(start, PART_ROWS).chunks]) for column in columns]
    return FileSample(tuple(names), tuple(parts), False)
