"""The time from one cell of a row to another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from unspun.engines.reference.rows import RowVersion
from unspun.engines.reference.sequences import quantile_of
from unspun.metrics.measure_nodes import MICROSECONDS, ten_thousandths
from unspun.metrics.nodes import Elapsed

MICROSECOND = timedelta(microseconds=1)


def elapsed_times(measure: Elapsed, rows: Sequence[RowVersion], as_of: date) -> list[int]:
    """The microseconds between the two cells, of the rows in which both can be read."""
    return [time for row in rows if (time := _between(row, measure.start, measure.end, as_of)) is not None]


def elapsed_of(measure: Elapsed, times: Sequence[int]) -> float | None:
    """What is asked of times, in the unit that is asked; None where there are none to ask."""
    size = MICROSECONDS[measure.unit]
    if measure.statistic == "sum":
        return float(sum(times)) / size
    if not times:
        return None
    match measure.statistic:
        case "average":
            return float(sum(times)) / float(len(times) * size)
        case "minimum":
            return float(min(times)) / size
        case "maximum":
            return float(max(times)) / size
        case _:
            return quantile_of([float(time) / size for time in times], int(ten_thousandths(measure.q)))


def _between(row: RowVersion, start: str, end: str, as_of: date) -> int | None:
    """Of instants to the microsecond; of days, or of a day and an instant, by the days."""
    first, last = row.cell(start, as_of), row.cell(end, as_of)
    if not isinstance(first, date) or not isinstance(last, date):
        return None
    if start in row.instants and end in row.instants:
        return (row.instants[end] - row.instants[start]) // MICROSECOND
    return (last - first) // MICROSECOND
