"""What Postgres says otherwise than other engines: a dialect of SQLGlot's, rewritings of the tree, and functions of the session.

Sessions are in UTC, and texts are compared by their bytes: COLLATE "C" stands with the columns of the book.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres
from sqlglot.generator import Generator

from unspun.metrics.lower.local_day import DAY_MICROSECONDS, WITHOUT_CHANGES, LocalDay, Span, day_number, known_days, offset_spans

BILLIONTHS = "pg_temp.billionths"
_SCALED = "(cell * '1e9'::float8)"
_ROUNDED = f"(trunc({_SCALED}) + CASE WHEN abs({_SCALED} - trunc({_SCALED})) >= 0.5 THEN sign({_SCALED}) ELSE 0 END)"
_HIGH = f"trunc({_SCALED} / 1099511627776)"
_WHOLE = f"({_HIGH}::bigint::numeric * 1099511627776 + ({_SCALED} - {_HIGH} * 1099511627776)::bigint::numeric)"
_OF_A_DOUBLE = (
    f"CASE WHEN abs(cell) < 9000000 THEN {_ROUNDED}::bigint::numeric * 0.000000001 "
    f"WHEN abs(cell) < '1e20'::float8 THEN {_WHOLE} * 0.000000001 ELSE cell::numeric(29, 9)::bigint::numeric END"
)
FUNCTIONS = tuple(
    f"CREATE FUNCTION {BILLIONTHS}(cell {kind}) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN {body}"
    for kind, body in (("numeric", "cell::numeric(29, 9)"), ("bigint", "cell::numeric"), ("double precision", _OF_A_DOUBLE))
)
"""A number as an exact decimal of nine places, in functions of the session: which of them is meant says the type of a cell.

A plain cast keeps 15 digits of a double only. As in other engines it is multiplied by 10^9 as a double and rounded, halves away from zero;
from 2^53 on that is a whole number, which is taken in two parts of 64 bits. One of 10^20 and more is refused.
"""


def postgres_sql(query: exp.Query) -> str:
    """A query of a plan in the words of Postgres."""
    return _with_last_values(query.copy()).sql(dialect=PanelPostgres)


def _local_day(generator: Generator, node: LocalDay) -> str:
    """The offset that holds at the instant added to it; where the changes of offset are not listed, a conversion by the server."""
    instant, zone = generator.sql(node.this), str(node.args["zone"])
    if zone in WITHOUT_CHANGES:
        return f"(CAST({instant} AS DATE) - DATE '1970-01-01')"
    low, high = known_days(node.args["first"], node.args["last"])
    near = f"{instant} >= {_instant(day_number(low) * DAY_MICROSECONDS)} AND {instant} < {_instant(day_number(high) * DAY_MICROSECONDS)}"
    shifted = f"CAST({instant} + {_offset(instant, offset_spans(zone, low, high))} AS DATE)"
    there = f"CAST({instant} AT TIME ZONE {generator.sql(exp.Literal.string(zone))} AS DATE)"
    return f"(CASE WHEN {near} THEN {shifted} ELSE {there} END - DATE '1970-01-01')"


def _offset(instant: str, spans: tuple[Span, ...]) -> str:
    if len(spans) == 1:
        return f"INTERVAL '{spans[0][1] // 1_000_000} seconds'"
    middle = len(spans) // 2
    before, after = _offset(instant, spans[:middle]), _offset(instant, spans[middle:])
    return f"CASE WHEN {instant} < {_instant(spans[middle][0])} THEN {before} ELSE {after} END"


def _instant(microseconds: int) -> str:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
    return f"TIMESTAMPTZ '{at.isoformat(sep=' ')}'"


def _cast(generator: Generator, node: exp.Cast) -> str:
    kind = node.to
    if kind.is_type(exp.DType.DECIMAL) and kind.expressions and not isinstance(node.this, exp.Null):
        return f"{BILLIONTHS}({generator.sql(node.this)})"
    return generator.cast_sql(node)


def _called(generator: Generator, node: exp.Anonymous) -> str:
    """ROW of the columns that order rows is an array of whole numbers: unlike a row, it can be stored."""
    name, parts = str(node.this).upper(), [generator.sql(one) for one in node.expressions]
    if name == "ROW":
        numbers = [_micros(part) if one.name == "happened_at" else part for one, part in zip(node.expressions, parts, strict=True)]
        return f"ARRAY[{', '.join(numbers)}]"
    if name == "BIT_COUNT":
        return f"BIT_COUNT(CAST({parts[0]} AS BIT(64)))"
    return f"{name}({', '.join(parts)})"


def _micros(instant: str) -> str:
    return f"CAST(EXTRACT(EPOCH FROM {instant}) * 1000000 AS BIGINT)"


def _last(generator: Generator, node: exp.ArgMax) -> str:
    value, order = generator.sql(node.this), generator.sql(node.expression)
    return f"(ARRAY_AGG({value} ORDER BY {order} DESC) FILTER (WHERE {order} IS NOT NULL))[1]"


def _of_two(form: str) -> Callable[[Generator, Any], str]:
    return lambda generator, node: form.format(generator.sql(node.this), generator.sql(node.expression))


def _of_one(form: str) -> Callable[[Generator, Any], str]:
    return lambda generator, node: form.format(generator.sql(node.this))


class PanelPostgres(Postgres):
    """Postgres as plans are written for it."""

    class Generator(Postgres.Generator):
        TRANSFORMS: ClassVar = {
            **Postgres.Generator.TRANSFORMS,
            LocalDay: _local_day,
            exp.Anonymous: _called,
            exp.ArgMax: _last,
            exp.BitwiseLeftShift: _of_two("{} << CAST({} AS INT)"),
            exp.BitwiseCount: _of_one("BIT_COUNT(CAST({} AS BIT(64)))"),
            exp.Cast: _cast,
            exp.Contains: _of_two("(STRPOS({}, {}) > 0)"),
            exp.DateAdd: _of_two("({} + CAST({} AS INT))"),
            exp.EndsWith: _of_two("(RIGHT({0}, LENGTH({1})) = {1})"),
            exp.IntDiv: _of_two("({} / {})"),
            exp.UnixDate: _of_one("({} - DATE '1970-01-01')"),
            exp.UnixMicros: lambda generator, node: _micros(generator.sql(node.this)),
        }


# The last value so far


def _with_last_values(query: exp.Expr) -> exp.Expr:
    """Postgres knows no ordered aggregate in a window: the greatest order so far, and above it the value of the row that has it."""
    for select in list(query.find_all(exp.Select)):
        found = {
            one.alias: one.this for one in select.expressions
            if isinstance(one, exp.Alias) and isinstance(one.this, exp.Window) and isinstance(one.this.this, exp.ArgMax)
        }  # fmt: skip
        if found:
            outer = _above(select, found)
            if select is query:
                query = outer
            else:
                select.replace(outer)
    return query


def _above(select: exp.Select, found: dict[str, exp.Window]) -> exp.Select:
    names = [one.alias_or_name for one in select.expressions]
    inner = exp.select(*(one.copy() for one in select.expressions if one.alias_or_name not in found))
    for name, window in found.items():
        greatest = window.copy()
        greatest.set("this", exp.Max(this=window.this.expression.copy()))
        value, order = window.this.this, window.this.expression
        own = exp.Case().when(order.copy().is_(exp.null()).not_(), value)
        inner = inner.select(own.as_(f"{name}_own"), order.as_(f"{name}_order"), greatest.as_(f"{name}_last"))
        inner = inner.select(*(part.as_(f"{name}_of{i}") for i, part in enumerate(window.args["partition_by"])))
        inner = inner.select(*(one.this.as_(f"{name}_at{i}") for i, one in enumerate(window.args["order"].expressions)))
    for name, part in select.args.items():
        if name != "expressions" and part:
            inner.set(name, part)
    shown = [_own_of_last(name, found[name]) if name in found else exp.column(name) for name in names]
    return exp.select(*shown).from_(inner.subquery("so_far"))


def _own_of_last(name: str, window: exp.Window) -> exp.Expr:
    by = [exp.column(f"{name}_last"), *(exp.column(f"{name}_of{i}") for i in range(len(window.args["partition_by"])))]
    own = exp.EQ(this=exp.column(f"{name}_order"), expression=exp.column(f"{name}_last"))
    rank = exp.Case().when(own, exp.Literal.number(0)).else_(exp.Literal.number(1))
    turns = [rank, *(exp.column(f"{name}_at{i}") for i in range(len(window.args["order"].expressions)))]
    order = exp.Order(expressions=[exp.Ordered(this=one, nulls_first=False) for one in turns])
    return exp.Window(this=exp.FirstValue(this=exp.column(f"{name}_own")), partition_by=by, order=order).as_(name)
