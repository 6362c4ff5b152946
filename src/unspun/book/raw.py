"""A table as it stands in its file, before anything in it is typed by role: what every reader of a format hands over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unspun.book.tables import Ints, Rejection, Role, SourceFile
from unspun.book.text import as_text

READ_FORMATS = "CSV, TSV, JSON, Parquet or a workbook (XLSX, XLSM, XLS, ODS)"


@dataclass(frozen=True, slots=True)
class RawTable:
    """A table as it stands in the file: columns of text or of their own type, and the row number of each row.

    rows_read = len(row) + the rows of `rejections`. Row numbers count from 1 and include the header, in every format.
    `file` indexes `files`, row by row, where the input is several files or sheets. `header` indexes `headers`, row by row,
    where a column a month was turned into rows: the month's own column, for messages.
    """

    role: Role
    name: str
    sha256: str
    format: str
    names: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    row: Ints
    rows_read: int
    notes: tuple[str, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    file: NDArray[np.int32] | None = None
    files: tuple[SourceFile, ...] = ()
    header: NDArray[np.int32] | None = None
    headers: tuple[str, ...] = ()
    melted: tuple[str, ...] = ()  # the columns that `headers` were turned into
    header_row: int = 1

    def place(self, row: int, column: str) -> str:
        """`file:row:column` of a cell, by the file and the column in which it stands."""
        name = self.name if self.file is None else self.files[self.file[row]].name
        if self.header is not None and column in self.melted:
            column = self.headers[self.header[row]]
        return f"{name}:{self.row[row]}:{column}"

    def files_of(self, rows: NDArray[np.int64]) -> NDArray[np.int32] | None:
        """The file of each of some rows; None where the input is one file."""
        return None if self.file is None else self.file[rows]


def rows_as_text(names: Sequence[str], columns: Sequence[pa.ChunkedArray], rows: Ints) -> tuple[dict[str, str | None], ...]:
    """Some rows of a table as they stand in it, header to cell; None where a cell is empty. A header that comes again is numbered."""
    titles: dict[str, None] = {}
    for position, name in enumerate(names, 1):
        title = name or f"column {position}"
        titles[title if title not in titles else f"{title} (column {position})"] = None
    cells = [as_text(column.take(pa.array(rows))).cast(pa.string()).to_pylist() for column in columns]
    return tuple(dict(zip(titles, row, strict=True)) for row in zip(*cells, strict=True))


def joined(chunks: Sequence[pa.ChunkedArray]) -> pa.ChunkedArray:
    """Columns end to end: of one type where they are alike (all numbers, all dates), else as text; null takes any type."""
    kinds = list(dict.fromkeys(chunk.type for chunk in chunks if not pa.types.is_null(chunk.type)))
    if not kinds:
        return pa.chunked_array([pa.nulls(sum(len(chunk) for chunk in chunks))])
    kind = kinds[0] if len(kinds) == 1 else _common(kinds)
    alike = [chunk.cast(kind) if kind != pa.string() or pa.types.is_null(chunk.type) else as_text(chunk) for chunk in chunks]
    return pa.chunked_array([part for chunk in alike for part in chunk.chunks], kind)


def _common(kinds: Sequence[pa.DataType]) -> pa.DataType:
    if all((pa.types.is_integer(kind) or pa.types.is_floating(kind)) and not pa.types.is_uint64(kind) for kind in kinds):
        return pa.float64() if any(pa.types.is_floating(kind) for kind in kinds) else pa.int64()
    if all(pa.types.is_date(kind) or pa.types.is_timestamp(kind) for kind in kinds):
        zones = {getattr(kind, "tz", None) for kind in kinds}
        return pa.timestamp("us", zones.pop()) if len(zones) == 1 else pa.string()
    return pa.string()
