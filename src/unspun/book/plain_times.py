"""The common case of a column of times at full speed: every cell is empty or ISO, with zeros in front."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from unspun.book.tables import Times
from unspun.book.text import matches
from unspun.book.zones import to_zone

PLAIN_ISO = r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d.*)?"


def plain_times(column: pa.ChunkedArray, zone: ZoneInfo) -> tuple[Times, bool] | None:
    """Times in `zone`, NaT where the cell is empty, and whether any named its offset; None where a cell is written otherwise.

    Ten million times are hardly ever the same, so that a list of the distinct words would be longer than the column.
    """
    if column.null_count == len(column):
        return None
    times, named, start = np.empty(len(column), "datetime64[us]"), False, 0
    for chunk in column.chunks:
        if int(matches(chunk, PLAIN_ISO).sum()) < len(chunk) - chunk.null_count:
            return None
        stamps = _stamps(chunk)
        if stamps is None:
            return None
        part = stamps.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
        if stamps.type.tz is not None:
            part, named = to_zone(part, zone), True
        times[start : start + len(chunk)] = part
        start += len(chunk)
    return times, named


def _stamps(words: pa.Array) -> pa.TimestampArray | None:
    """By Arrow's own reader of ISO times, which wants all with an offset or all without; None where it reads not all."""
    for kind in (pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            return words.cast(kind)
        except pa.ArrowInvalid:
            continue
    return None
