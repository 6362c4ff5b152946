"""Conditions on rows, as SQL. Values are literals of the tree, quoted by the dialect; no text becomes part of a query."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Protocol

from sqlglot import exp

from unspun.book.entities import Kind
from unspun.metrics.conditions import AllOf, AnyOf, Compare, Condition, HasText, IsEmpty, IsIn, Not, Scalar
from unspun.metrics.lower.local_day import day_number, number

COMPARED: dict[str, type[exp.Binary]] = {"above": exp.GT, "below": exp.LT, "at_least": exp.GTE, "at_most": exp.LTE}
TEXT_TESTED: dict[str, type[exp.Expr]] = {"starts_with": exp.StartsWith, "ends_with": exp.EndsWith, "contains": exp.Contains}
PLAIN_DIGITS = 36  # what a decimal literal holds on every engine; longer numbers are compared as doubles


class Cells(Protocol):
    """What conditions are about: cells by column."""

    @property
    def kinds(self) -> Mapping[str, Kind]: ...

    def value(self, column: str) -> exp.Expr: ...


def condition_sql(condition: Condition | None, cells: Cells) -> exp.Expr:
    """A condition on a row; None: TRUE. It may be NULL where it does not hold: for WHERE and CASE WHEN only."""
    match condition:
        case None:
            return exp.true()
        case Not(inner):
            return exp.not_(exp.func("COALESCE", condition_sql(inner, cells), exp.false()))
        case AllOf(parts):
            return exp.and_(*(condition_sql(part, cells) for part in parts), copy=False)
        case AnyOf(parts):
            return exp.or_(*(condition_sql(part, cells) for part in parts), copy=False)
        case IsEmpty(column):
            return exp.Is(this=cells.value(column), expression=exp.null())
        case IsIn(column, values):
            return is_in_sql(cells.value(column), cells.kinds[column], values)
        case Compare(column, comparison, value):
            return COMPARED[comparison](this=cells.value(column), expression=scalar_sql(value, cells.kinds[column]))
        case HasText(column, test, text):
            return TEXT_TESTED[test](this=cells.value(column), expression=exp.Literal.string(text))


def is_in_sql(value: exp.Expr, kind: Kind, values: tuple[Scalar, ...]) -> exp.Expr:
    """Whether a value of a kind is one of some."""
    found = [scalar_sql(one, kind) for one in values]
    return exp.EQ(this=value, expression=found[0]) if len(found) == 1 else exp.In(this=value, expressions=found)


def scalar_sql(value: Scalar, kind: Kind) -> exp.Expr:
    """A value to compare a cell of a kind with: days as integers, numbers exactly as they are written, with `number` cells as doubles."""
    if isinstance(value, bool):
        return exp.true() if value else exp.false()
    if isinstance(value, date):
        return number(day_number(value))
    if isinstance(value, str):
        return exp.Literal.string(value)
    written = Decimal(repr(value))
    plain = format(written, "f")
    text = plain if len(plain) <= PLAIN_DIGITS else repr(value)
    literal = exp.Literal.number(text.lstrip("-"))
    signed = exp.Neg(this=literal) if text.startswith("-") else literal
    return exp.cast(signed, "double") if kind == "number" else signed
