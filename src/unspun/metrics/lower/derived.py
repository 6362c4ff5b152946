"""Derived values of their operands, as SQL: a value that lacks an operand is NULL, for the reason of the first operand that is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from unspun.book.entities import Kind
from unspun.metrics.kinds import SeriesKind
from unspun.metrics.lower.conditions import COMPARED, is_in_sql, scalar_sql
from unspun.metrics.lower.missing import code
from unspun.metrics.nodes import Add, Case, Change, Constant, Criterion, Multiply, Ratio, Series, Share, Subtract, Trend

CELL_KINDS: dict[SeriesKind, Kind] = {"number": "number", "whole": "whole", "text": "text", "day": "day", "flag": "flag"}


@dataclass(frozen=True, slots=True)
class Value:
    """A value, NULL where it is missing, and the number of the reason (None: it is never missing); days are INT."""

    value: exp.Expr
    why: exp.Expr | None
    kind: SeriesKind

    @property
    def double(self) -> exp.Expr:
        """The value as a double."""
        return self.value.copy() if self.kind == "number" else exp.cast(self.value.copy(), "double")


def derived_value(series: Series, operands: Sequence[Value], kind: SeriesKind) -> Value:
    """A derived value of its operands (see `expanded.py` for which and in which order)."""
    match series:
        case Ratio() | Share():
            return _quotient(operands[0].double, operands[1].double, operands)
        case Add():
            return Value(_folded(exp.Add, operands), first_why(operands), kind)
        case Subtract():
            return Value(_folded(exp.Sub, operands), first_why(operands), kind)
        case Multiply():
            return Value(_folded(exp.Mul, operands), first_why(operands), kind)
        case Change(relative=relative):
            change = _folded(exp.Sub, operands)
            return _quotient(exp.paren(change), operands[1].double, operands) if relative else Value(change, first_why(operands), kind)
        case Trend():
            return Value(_slope(operands), first_why(operands), kind)
        case Case():
            return _case(series, operands, kind)
        case _:
            raise TypeError(f"{type(series).__name__} is no derived series")  # a programming error: the nodes are a closed set


def constant_value(series: Constant, kind: SeriesKind) -> Value:
    """A number; never missing."""
    literal = scalar_sql(series.value, CELL_KINDS[kind])
    return Value(literal if kind == "number" else exp.cast(literal, "bigint"), None, kind)


def first_why(operands: Sequence[Value], *more: exp.Expr) -> exp.Expr | None:
    """The reason of the first operand that is missing, then further reasons."""
    whys = [*(one.why.copy() for one in operands if one.why is not None), *more]
    if not whys:
        return None
    return exp.func("COALESCE", *whys) if len(whys) > 1 else whys[0]


def _folded(kind: type[exp.Binary], operands: Sequence[Value]) -> exp.Expr:
    """The operands from left to right."""
    found = operands[0].double
    for one in operands[1:]:
        found = exp.paren(kind(this=found, expression=one.double), copy=False)
    return found


def _quotient(numerator: exp.Expr, denominator: exp.Expr, operands: Sequence[Value]) -> Value:
    zero = exp.EQ(this=denominator.copy(), expression=scalar_sql(0, "number"))
    quotient = exp.Div(this=numerator, expression=denominator, typed=True, safe=False)
    value = exp.Case().when(exp.NEQ(this=denominator.copy(), expression=scalar_sql(0, "number")), quotient)
    return Value(value, first_why(operands, exp.Case().when(zero, code("zero_denominator"))), "number")


def _slope(operands: Sequence[Value]) -> exp.Expr:
    """Least squares over equally spaced values, the oldest first."""
    middle = (len(operands) - 1) / 2
    weights = [i - middle for i in range(len(operands))]
    terms = [exp.Mul(this=scalar_sql(weight, "number"), expression=one.double) for weight, one in zip(weights, operands, strict=True)]
    total: exp.Expr = terms[0]
    for term in terms[1:]:
        total = exp.paren(exp.Add(this=total, expression=term), copy=False)
    squares = sum(weight * weight for weight in weights)
    return exp.Div(this=exp.paren(total), expression=scalar_sql(squares, "number"), typed=True, safe=False)


def _case(series: Case, operands: Sequence[Value], kind: SeriesKind) -> Value:
    """The first case that holds. A criterion that is reached and has no value ends the search, for its reason."""
    value, why, at = exp.Case(), exp.Case(), 0
    for when in series.whens:
        held: list[exp.Expr] = []
        for criterion in when.criteria:
            tested, at = operands[at], at + 1
            if tested.why is not None:
                lacking = exp.and_(*held, tested.why.is_(exp.null()).not_())
                value = value.when(lacking, exp.null(), copy=False)
                why = why.when(lacking.copy(), tested.why.copy(), copy=False)
            held = [*held, _holds(criterion, tested)]
        then, at = operands[at], at + 1
        value = value.when(exp.and_(*held), _as_kind(then, kind), copy=False)
        why = why.when(exp.and_(*held), _why(then), copy=False)
    rest = None if series.otherwise is None else operands[at]
    missing = code("no_case") if rest is None else _why(rest)
    return Value(exp.cast(value, _TYPES[kind]) if rest is None else value.else_(_as_kind(rest, kind)), why.else_(missing), kind)


_TYPES: dict[SeriesKind, str] = {"number": "double", "whole": "bigint", "text": "text", "day": "int", "flag": "boolean"}


def _as_kind(one: Value, kind: SeriesKind) -> exp.Expr:
    return one.double if kind == "number" else one.value.copy()


def _why(one: Value) -> exp.Expr:
    return exp.cast(exp.null(), "tinyint") if one.why is None else one.why.copy()


def _holds(criterion: Criterion, tested: Value) -> exp.Expr:
    kind = CELL_KINDS[tested.kind]
    if criterion.comparison == "is":
        return is_in_sql(tested.value.copy(), kind, criterion.values)
    return COMPARED[criterion.comparison](this=tested.value.copy(), expression=scalar_sql(criterion.values[0], kind))
