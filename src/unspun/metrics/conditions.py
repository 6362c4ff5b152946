"""Conditions on the rows of a table. A closed set of frozen nodes; values are data and never become part of a query's text.

Logic has two values: a comparison with an empty cell is false, and so its negation is true. Texts are compared sign by sign: case
counts, and nothing is trimmed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from math import isfinite
from typing import Literal

from unspun.errors import BadInput, Fault

Scalar = str | int | float | bool | date
Comparison = Literal["above", "below", "at_least", "at_most"]
COMPARISONS: tuple[Comparison, ...] = ("above", "below", "at_least", "at_most")
TextTest = Literal["starts_with", "ends_with", "contains"]
TEXT_TESTS: tuple[TextTest, ...] = ("starts_with", "ends_with", "contains")
MOST_VALUES = 10_000
LONGEST_TEXT = 10_000
LARGEST_NUMBER = 10**18


def _refuse(message: str, hint: str = "") -> BadInput:
    return BadInput(Fault("bad_condition", message, "", hint))


def _check_scalar(value: Scalar) -> None:
    if isinstance(value, float) and not isfinite(value):
        raise _refuse(f"{value} is no number to compare with.")
    if isinstance(value, int | float) and abs(value) > LARGEST_NUMBER:
        raise _refuse(f"{value} is too large to compare with.")
    if isinstance(value, str) and (len(value) > LONGEST_TEXT or "\0" in value):
        raise _refuse(f"a text to compare with has at most {LONGEST_TEXT:,} characters, and none of code 0.")


@dataclass(frozen=True, slots=True)
class IsIn:
    """The cell is one of the values (all of one kind; one value is the usual case)."""

    column: str
    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if not self.values or len(self.values) > MOST_VALUES:
            raise _refuse(f"`{self.column}` is compared with {len(self.values):,} values; 1 to {MOST_VALUES:,} can be.")
        for value in self.values:
            _check_scalar(value)
        if len({_kind(value) for value in self.values}) > 1:
            raise _refuse(f"the values that `{self.column}` is compared with are not of one kind.", "Put texts in quotes.")


@dataclass(frozen=True, slots=True)
class Compare:
    """The cell (a number, an amount or a day) is above, below, at least or at most a value."""

    column: str
    comparison: Comparison
    value: int | float | date

    def __post_init__(self) -> None:
        if isinstance(self.value, bool):
            raise _refuse(f"`{self.column}` is compared with a flag, which is neither more nor less.")
        _check_scalar(self.value)


@dataclass(frozen=True, slots=True)
class HasText:
    """The cell, a text, starts with, ends with or contains a text."""

    column: str
    test: TextTest
    text: str

    def __post_init__(self) -> None:
        _check_scalar(self.text)
        if not self.text:
            raise _refuse(f"`{self.column}`: every text {self.test.replace('_', ' ')} the empty text.")


@dataclass(frozen=True, slots=True)
class IsEmpty:
    """The cell is empty."""

    column: str


@dataclass(frozen=True, slots=True)
class Not:
    condition: Condition


@dataclass(frozen=True, slots=True)
class AllOf:
    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.conditions:
            raise _refuse("`all` of no conditions says nothing.")


@dataclass(frozen=True, slots=True)
class AnyOf:
    conditions: tuple[Condition, ...]

    def __post_init__(self) -> None:
        if not self.conditions:
            raise _refuse("`any` of no conditions says nothing.")


Condition = IsIn | Compare | HasText | IsEmpty | Not | AllOf | AnyOf


def columns_of(condition: Condition | None) -> tuple[str, ...]:
    """The columns that a condition reads, each once, in the order in which it names them."""
    return tuple(dict.fromkeys(_columns(condition)))


def _columns(condition: Condition | None) -> list[str]:
    match condition:
        case None:
            return []
        case Not(inner):
            return _columns(inner)
        case AllOf(parts) | AnyOf(parts):
            return [name for part in parts for name in _columns(part)]
        case IsIn() | Compare() | HasText() | IsEmpty():
            return [condition.column]


def _kind(value: Scalar) -> str:
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, int | float) else type(value).__name__
