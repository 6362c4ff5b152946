"""Cells as Python objects (of a workbook or of JSON) to columns: one type where all are alike, else text as CSV would have it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

import pyarrow as pa

WHOLE = 2**53  # floats below it hold whole numbers exactly


def column_of(cells: Sequence[object]) -> pa.ChunkedArray:
    """A column of cells: None and text without a character are empty. Cells of several kinds become text."""
    filled = {type(cell) for cell in cells if cell is not None and cell != ""}
    blanked = [None if cell == "" else cell for cell in cells]
    kind = _one_kind(filled)
    if kind is None:
        return pa.chunked_array([pa.array([None if cell is None else cell_text(cell) for cell in blanked], pa.string())])
    if kind == pa.timestamp("us"):
        blanked = [datetime.combine(cell, time()) if type(cell) is date else cell for cell in blanked]
    try:
        return pa.chunked_array([pa.array(blanked, kind)])
    except (pa.ArrowException, OverflowError, UnicodeError):  # a longer integer, or half a surrogate pair
        return pa.chunked_array([pa.array([None if cell is None else cell_text(cell) for cell in blanked], pa.string())])


def _one_kind(kinds: set[type]) -> pa.DataType | None:
    """The Arrow type in which cells of these kinds are at home; None where it is text."""
    if not kinds:
        return pa.null()
    if kinds == {str}:
        return pa.string()
    if kinds == {bool}:
        return pa.bool_()
    if kinds == {int}:
        return pa.int64()
    if kinds <= {int, float}:
        return pa.float64()
    if kinds == {date}:
        return pa.date32()
    return pa.timestamp("us") if kinds <= {date, datetime} else None


def cell_text(cell: object) -> str:
    """A cell as text: whole numbers without `.0`, dates as YYYY-MM-DD, midnight left out."""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and cell == int_or_none(cell):
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time() and cell.tzinfo is None else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        return f"{cell.total_seconds() / 86_400:g} days"
    return str(cell).encode("utf-8", "replace").decode()  # half a surrogate pair is no text


def int_or_none(number: float) -> int | None:
    """A float that is a whole number, as one."""
    return int(number) if abs(number) < WHOLE and number == int(number) else None
