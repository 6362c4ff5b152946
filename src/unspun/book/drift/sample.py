"""Some rows of a file with all its columns: the whole of a small one; of a large one head, middle and tail."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from unspun.book.mapping.contents_sample import Sample
from unspun.book.raw import RawTable

WHOLE_ROWS = 20_000
PART_ROWS = 5_000  # of each of three parts


def sample_rows(raw: RawTable, whole: bool = True) -> Sample:
    """All rows of a table that holds few, else parts of it; `whole`: the table is all of its file."""
    rows = len(raw.row)
    if rows <= WHOLE_ROWS:
        return Sample(raw, whole)
    starts = (0, (rows - PART_ROWS) // 2, rows - PART_ROWS)
    columns = tuple(_parts(column, starts) for column in raw.columns)
    row = np.concatenate([raw.row[start : start + PART_ROWS] for start in starts])
    return Sample(replace(raw, columns=columns, row=row, file=None, header=None), False)


def _parts(column: pa.ChunkedArray, starts: tuple[int, ...]) -> pa.ChunkedArray:
    chunks = [chunk for start in starts for chunk in column.slice(start, PART_ROWS).chunks]
    return pa.chunked_array(chunks, column.type)
