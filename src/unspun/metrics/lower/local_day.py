"""The calendar day of an instant in a time zone, as SQL that needs no time zone database: integer days since 1970-01-01.

Between two changes of a zone's offset the local day is a plain division of the microseconds since 1970. The changes are known
beforehand, so the day is a nest of few comparisons, the same on every engine, and far cheaper than a conversion to the zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from sqlglot import exp

EPOCH = date(1970, 1, 1)
EPOCH_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_MICROSECONDS = 86_400_000_000
EARLIEST = date(1840, 1, 1)  # before the first change of any zone
POSITIVE_DAYS = 1_000_000  # added before the division, so that it is of a positive number: engines round negative ones differently
USUAL_YEARS_DAYS = 3_660

Span = tuple[int, int]
"""From which microsecond since 1970 on an offset holds, and the offset in microseconds."""


def day_number(day: date) -> int:
    """A day as days since 1970-01-01."""
    return (day - EPOCH).days


def local_day_sql(microseconds: exp.Expr, zone: str, first: date, last: date) -> exp.Expr:
    """The local day of an instant given in microseconds since 1970, exact up to the day after `last`; what is later stays later.

    `first`: most instants lie after it, or not long before; it decides only what is compared first.
    """
    spans = offset_spans(zone, last + timedelta(days=3) if last < date.max - timedelta(days=3) else last)
    usual = (day_number(first) - USUAL_YEARS_DAYS) * DAY_MICROSECONDS
    recent = max(0, sum(start <= usual for start, _ in spans) - 1)
    if 0 < recent < len(spans):
        return _either(microseconds, spans[recent][0], _nested(microseconds, spans[:recent]), _nested(microseconds, spans[recent:]))
    return _nested(microseconds, spans)


@lru_cache(maxsize=32)
def offset_spans(zone: str, last: date) -> tuple[Span, ...]:
    """The offsets of a zone up to a day, each from when it holds; the first holds for all time before the second."""
    there = ZoneInfo(zone)
    day = datetime.combine(EARLIEST, datetime.min.time(), UTC)
    end = datetime.combine(last, datetime.min.time(), UTC)
    spans = [(_microseconds(day), _offset(day, there))]
    while day < end:
        following = day + timedelta(days=1)
        offset = _offset(following, there)
        if offset != spans[-1][1]:
            spans.append((_change(day, following, there), offset))
        day = following
    return tuple(spans)


def _change(before: datetime, after: datetime, there: ZoneInfo) -> int:
    """The first microsecond of the offset that holds `after`; the change lies on a whole second."""
    low, high, offset = 0, int((after - before).total_seconds()), _offset(after, there)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(before + timedelta(seconds=middle), there) == offset else (middle, high)
    return _microseconds(before) + high * 1_000_000


def _offset(instant: datetime, there: ZoneInfo) -> int:
    return (instant.astimezone(there).utcoffset() or timedelta()) // MICROSECOND


def _microseconds(instant: datetime) -> int:
    return (instant - EPOCH_INSTANT) // MICROSECOND


def _nested(microseconds: exp.Expr, spans: tuple[Span, ...]) -> exp.Expr:
    if len(spans) == 1:
        return _divided(microseconds, spans[0][1])
    middle = len(spans) // 2
    return _either(microseconds, spans[middle][0], _nested(microseconds, spans[:middle]), _nested(microseconds, spans[middle:]))


def _either(microseconds: exp.Expr, start: int, before: exp.Expr, after: exp.Expr) -> exp.Expr:
    return exp.Case().when(exp.LT(this=microseconds.copy(), expression=number(start)), before).else_(after)


def _divided(microseconds: exp.Expr, offset: int) -> exp.Expr:
    shifted = exp.paren(exp.Add(this=microseconds.copy(), expression=number(offset + POSITIVE_DAYS * DAY_MICROSECONDS)), copy=False)
    days = exp.IntDiv(this=shifted, expression=number(DAY_MICROSECONDS))
    return exp.cast(exp.Sub(this=days, expression=number(POSITIVE_DAYS)), "int")


def number(value: int) -> exp.Expr:
    """A whole number as a literal."""
    literal = exp.Literal.number(abs(value))
    return exp.Neg(this=literal) if value < 0 else literal
