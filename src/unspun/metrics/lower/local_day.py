"""The calendar day of an instant in a time zone, as SQL that needs no time zone database: integer days since 1970-01-01.

Between two changes of a zone's offset the local day is a plain division of the microseconds since 1970. The changes are known
beforehand, so the offset is a nest of few comparisons, the same on every engine, and far cheaper than a conversion to the zone.
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
LAST_DAY = (date.max - EPOCH).days
DIALECTS = ("duckdb", "postgres", "spark")
EARLIEST = date(1840, 1, 1)  # before the first change of any zone
POSITIVE_DAYS = 1_000_000  # added before the division, so that it is of a positive number: engines round negative ones differently
USUAL_YEARS_DAYS = 3_660

Span = tuple[int, int]
"""From which microsecond since 1970 on an offset holds, and the offset in microseconds."""


def day_number(day: date) -> int:
    """A day as days since 1970-01-01."""
    return (day - EPOCH).days


class LocalDay(exp.UnixDate):
    """The local day of an instant, as a node of a tree. What it stands for is long (a zone has some hundred changes) and is written only
    when the tree is: `this` the microseconds, `zone` its name, `first` and `last` days since 1970."""

    arg_types: ClassVar = {"this": True, "zone": True, "first": True, "last": True}


def local_day_sql(microseconds: exp.Expr, zone: str, first: date, last: date) -> exp.Expr:
    """The local day of an instant given in microseconds since 1970, exact up to the day after `last`; what is later stays later.

    `first`: most instants lie after it, or not long before; it decides only what is compared first.
    """
    return LocalDay(this=microseconds, zone=zone, first=day_number(first), last=day_number(last))


def _written(generator: Generator, node: LocalDay) -> str:
    """The SQL of a local day: the microseconds and the offset that holds then, by the length of a day."""
    zone, first, last = node.args["zone"], node.args["first"], node.args["last"]
    microseconds = generator.sql(node, "this")
    offset = exp.Var(this=microseconds.join(_offset_texts(zone, first, last)))
    shifted = exp.paren(exp.Add(this=exp.Var(this=microseconds), expression=offset), copy=False)
    days = exp.IntDiv(this=shifted, expression=number(DAY_MICROSECONDS))
    return generator.sql(exp.cast(exp.Sub(this=days, expression=number(POSITIVE_DAYS)), "int"))


@lru_cache(maxsize=32)
def _offset_texts(zone: str, first: int, last: int) -> tuple[str, ...]:
    """The offset in microseconds, as nested cases, cut where the instant stands in it."""
    spans = offset_spans(zone, EPOCH + timedelta(days=min(last + 3, LAST_DAY)))
    usual = (first - USUAL_YEARS_DAYS) * DAY_MICROSECONDS
    recent = max(0, sum(start <= usual for start, _ in spans) - 1)
    if 0 < recent < len(spans):
        return _either(spans[recent][0], _nested(spans[:recent]), _nested(spans[recent:]))
    return _nested(spans)


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
