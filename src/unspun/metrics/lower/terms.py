"""Small builders of SQL expressions. Names are columns of the queries of this package; values are literals of the tree."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unspun.book.entities import Kind
from unspun.metrics.lower.local_day import number

ADDED_TYPE = "decimal(29, 9)"
"""Of a number that is added up: below `MOST_ADDED`, so that sums of a billion of them are decimals, too. Larger ones engines refuse."""
EXACT_UP_TO = 9_000_000
"""Below, a decimal of nine places is a 53-bit integer of billionths, so that dividing it rounds once."""


def when(condition: exp.Expr, value: exp.Expr | str) -> exp.Case:
    """The value where the condition holds, else NULL."""
    return exp.Case().when(condition, exp.column(value) if isinstance(value, str) else value)


def both(*conditions: exp.Expr) -> exp.Expr:
    """Whether all conditions hold; those that always do are left out."""
    asked = [one for one in conditions if one != exp.true()]
    return exp.and_(*asked) if asked else exp.true()


def aggregate(function: type[exp.AggFunc], value: exp.Expr | str) -> exp.AggFunc:
    """An aggregate of a value or of a column by its name."""
    return function(this=exp.column(value) if isinstance(value, str) else value)


def counted(condition: exp.Expr) -> exp.Expr:
    """How many rows there are for which a condition holds."""
    return aggregate(exp.Count, exp.Star()) if condition == exp.true() else aggregate(exp.Count, when(condition, number(1)))


def as_billionths(value: exp.Expr) -> exp.Expr:
    """A number rounded to nine decimals, as an exact decimal. Sums of it have 38 digits."""
    return exp.cast(value, ADDED_TYPE)


def as_double(total: exp.Expr) -> exp.Expr:
    """An exact decimal as the nearest double. Beyond 53 bits by way of its digits: engines round a plain conversion twice."""
    small = exp.LTE(this=exp.Abs(this=total.copy()), expression=number(EXACT_UP_TO))
    digits = exp.cast(exp.cast(total.copy(), "varchar"), "double")
    return exp.Case().when(small, exp.cast(total.copy(), "double")).else_(digits)


def row(columns: Sequence[str]) -> exp.Expr:
    """Columns as one value that is compared column by column."""
    return exp.func("ROW", *(exp.column(name) for name in columns))


def last_by(value: exp.Expr, order: exp.Expr) -> exp.Expr:
    """The value in the row of the greatest order, of those that have an order."""
    return exp.ArgMax(this=value, expression=order)


def plain(value: exp.Expr, kind: Kind) -> exp.Expr:
    """A cell as the panel gives it: amounts as doubles."""
    return exp.cast(value, "double") if kind == "money" else value


def numeric(value: exp.Expr, kind: Kind) -> exp.Expr:
    """An extreme as the panel gives it: numbers as doubles; days as they are, and texts (the currencies of amounts)."""
    return value if kind in ("day", "instant", "text") else exp.cast(value, "double")


def since(as_of: exp.Expr, shift_days: int, day: exp.Expr) -> exp.Expr:
    """Days from a day to so many days before the as-of date."""
    return exp.cast(exp.Sub(this=earlier(as_of, shift_days), expression=day), "bigint")


def earlier(day: exp.Expr, days: int) -> exp.Expr:
    """So many days before a day."""
    return exp.Sub(this=day, expression=number(days)) if days else day


def gone_day(earliest: int) -> str:
    """The day from which a row `r` is superseded, not before the first as-of date; NULL where it never is."""
    return f"CASE WHEN r.seen_until > {earliest} THEN r.seen_until WHEN r.seen_until IS NOT NULL THEN {earliest} END"


def running(value: exp.Expr) -> exp.Expr:
    """An aggregate over all as-of dates of the account of a unit `u` up to its own."""
    order = exp.Order(expressions=[exp.Ordered(this=exp.column("point", table="u"), nulls_first=False)])
    spec = exp.WindowSpec(kind="ROWS", start="UNBOUNDED", start_side="PRECEDING", end="CURRENT ROW")
    return exp.Window(this=value, partition_by=[exp.column("account", table="u")], order=order, spec=spec)
