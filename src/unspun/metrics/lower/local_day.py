"""The calendar day of an instant in a time zone, as SQL: integer days since 1970-01-01.

Between two changes of a zone's offset the local day is a plain division of the microseconds since 1970. The changes about the dates that
are asked are known beforehand, so that for their instants the offset is a nest of few comparisons, the same on every engine, and far
cheaper than a conversion to the zone. What lies long before, or after, is converted by the engine.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import ClassVar
from zoneinfo import ZoneInfo

from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.generator import Generator

EPOCH = date(1970, 1, 1)
EPOCH_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_MICROSECONDS = 86_400_000_000
FIRST_DAY, LAST_DAY = (date.min - EPOCH).days + 1, (date.max - EPOCH).days - 1
DIALECTS = ("duckdb", "postgres", "spark")
POSITIVE_DAYS = 1_000_000  # added before the division, so that it is of a positive number: engines round negative ones differently
DAYS_BEFORE, DAYS_AFTER = 3_660, 3
"""The changes of so many days before the first and after the last date are known beforehand: most rows lie there."""
WITHOUT_CHANGES = ("UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu")

Span = tuple[int, int]
"""From which microsecond since 1970 on an offset holds, and the offset in microseconds."""


def day_number(day: date) -> int:
    """A day as days since 1970-01-01."""
    return (day - EPOCH).days


class LocalDay(exp.UnixDate):
    """The local day of an instant, as a node of a tree. What it stands for is long and is written only when the tree is: `this` the
    instant, `zone` the name of the zone, `first` and `last` days since 1970."""

    arg_types: ClassVar = {"this": True, "zone": True, "first": True, "last": True}


def local_day_sql(instant: exp.Expr, zone: str, first: date, last: date) -> exp.Expr:
    """The local day of an instant, where most instants lie between ten years before `first` and `last`."""
    return LocalDay(this=instant, zone=zone, first=day_number(first), last=day_number(last))


def _written(generator: Generator, node: LocalDay) -> str:
    """The SQL of a local day: the microseconds and the offset that holds then, by the length of a day."""
    zone: str = node.args["zone"]
    microseconds = generator.sql(exp.UnixMicros(this=node.this.copy()))
    if zone in WITHOUT_CHANGES:
        return generator.sql(_divided(microseconds, number(POSITIVE_DAYS * DAY_MICROSECONDS)))
    low, high, offset = _offset_texts(zone, node.args["first"], node.args["last"])
    near = exp.Var(this=f"{microseconds} >= {low} AND {microseconds} < {high}")
    there = exp.cast(exp.AtTimeZone(this=node.this.copy(), zone=exp.Literal.string(zone)), "date")
    day = exp.Case().when(near, _divided(microseconds, exp.Var(this=microseconds.join(offset))))
    return generator.sql(day.else_(exp.cast(exp.UnixDate(this=there), "int")))


def _divided(microseconds: str, offset: exp.Expr) -> exp.Expr:
    shifted = exp.paren(exp.Add(this=exp.Var(this=microseconds), expression=offset), copy=False)
    days = exp.IntDiv(this=shifted, expression=number(DAY_MICROSECONDS))
    return exp.cast(exp.Sub(this=days, expression=number(POSITIVE_DAYS)), "int")


@lru_cache(maxsize=32)
def _offset_texts(zone: str, first: int, last: int) -> tuple[int, int, tuple[str, ...]]:
    """From which microsecond to which the changes are known, and the offset as nested cases, cut where the instant stands in it."""
    low, high = known_days(first, last)
    return day_number(low) * DAY_MICROSECONDS, day_number(high) * DAY_MICROSECONDS, _nested(offset_spans(zone, low, high))


def known_days(first: int, last: int) -> tuple[date, date]:
    """From which day to which the changes are known for dates from `first` to `last`, days since 1970."""
    return EPOCH + timedelta(days=max(first - DAYS_BEFORE, FIRST_DAY)), EPOCH + timedelta(days=min(last + DAYS_AFTER, LAST_DAY))


@lru_cache(maxsize=32)
def offset_spans(zone: str, first: date, last: date) -> tuple[Span, ...]:
    """The offsets of a zone from one day to another, each from when it holds."""
    there = ZoneInfo(zone)
    day = datetime.combine(first, datetime.min.time(), UTC)
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


def _nested(spans: tuple[Span, ...]) -> tuple[str, ...]:
    if len(spans) == 1:
        return (str(spans[0][1] + POSITIVE_DAYS * DAY_MICROSECONDS),)
    middle = len(spans) // 2
    return _either(spans[middle][0], _nested(spans[:middle]), _nested(spans[middle:]))


def _either(start: int, before: tuple[str, ...], after: tuple[str, ...]) -> tuple[str, ...]:
    """The offset before an instant and from it on; the instant stands between the texts."""
    return _joined(("CASE WHEN ", f" < {start} THEN "), before, (" ELSE ",), after, (" END",))


def _joined(*parts: tuple[str, ...]) -> tuple[str, ...]:
    """Texts, each cut where the instant stands, one after another."""
    found = [""]
    for first, *rest in parts:
        found[-1] += first
        found += rest
    return tuple(found)


def number(value: int) -> exp.Expr:
    """A whole number as a literal."""
    literal = exp.Literal.number(abs(value))
    return exp.Neg(this=literal) if value < 0 else literal


for _dialect in DIALECTS:
    Dialect.get_or_raise(_dialect).generator_class.TRANSFORMS[LocalDay] = _written
