"""The nodes of the metric language: a closed set. A node that is no valid definition cannot be made.

A `Series` gives one value, or the reason why there is none, for an account as of a date. Nothing in it names a date: all days are counted
back from the as-of date, so no node can look past it, and a row that was not known by then does not count. The meaning of each node is
its docstring and the language reference; every engine has to agree with a slow one in plain Python.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite

from unspun.book.columns import did_you_mean
from unspun.book.entities import TABLES, TableName
from unspun.errors import BadInput, Fault
from unspun.metrics.conditions import COMPARISONS, Comparison, Condition, Scalar
from unspun.metrics.measure_nodes import (
    DATED_TABLES,
    LIFETIME,
    MEASURES,
    SHAREABLE,
    ActiveDays,
    Average,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToFirst,
    Distinct,
    Elapsed,
    Funnel,
    LastValue,
    Maximum,
    Measure,
    Minimum,
    Quantile,
    Rows,
    Shareable,
    Streak,
    Sum,
    TimeBetween,
    UserDays,
)
from unspun.metrics.windows import MOST_DAYS

__all__ = [
    "DATED_TABLES",
    "LIFETIME",
    "MEASURES",
    "MOST_ADDED",
    "MOST_CASES",
    "MOST_OPERANDS",
    "OPEN_TABLES",
    "SHAREABLE",
    "STATE_TABLES",
    "ActiveDays",
    "Add",
    "Arr",
    "Attribute",
    "Average",
    "Before",
    "Case",
    "Change",
    "Constant",
    "Count",
    "Criterion",
    "DaysSinceFirst",
    "DaysSinceLast",
    "DaysToEnd",
    "DaysToFirst",
    "Derived",
    "Distinct",
    "Elapsed",
    "Funnel",
    "LastValue",
    "Maximum",
    "Measure",
    "Minimum",
    "Multiply",
    "Open",
    "Quantile",
    "Ratio",
    "Reference",
    "Rows",
    "Seats",
    "Series",
    "Share",
    "Shareable",
    "Standing",
    "Streak",
    "Subtract",
    "Sum",
    "TimeBetween",
    "Trend",
    "UserDays",
    "When",
    "ZScore",
    "operands",
    "walk",
]  # fmt: skip

OPEN_TABLES: dict[str, tuple[str, str]] = {"subscriptions": ("started", "ended"), "tickets": ("opened", "closed")}
"""Tables whose rows last from one column to another."""
STATE_TABLES: tuple[TableName, ...] = tuple(name for name, table in TABLES.items() if table.state)
MOST_STEPS, FEWEST_STEPS = 24, 3
MOST_CASES = 100
MOST_OPERANDS = 100
MOST_ADDED = 1e20
"""Numbers that are added up are smaller: with nine decimals they are exact, and so is the sum of a billion of them."""


def _refuse(code: str, message: str, hint: str = "") -> BadInput:
    return BadInput(Fault(code, message, "", hint))


# What stands on a date


@dataclass(frozen=True, slots=True)
class Open:
    """How many tickets are open, terms run or contacts there are on the as-of date: begun by then, and not ended by the end of it.

    With a `column`, its sum over them instead. A ticket is no longer open on the day it was closed. A term runs until its end as the
    rules of retention read it. A contact is with the account that was stated last.
    """

    table: TableName
    where: Condition | None = None
    column: str = ""

    def __post_init__(self) -> None:
        if self.table not in (*OPEN_TABLES, "contacts"):
            hint = f"{did_you_mean(self.table, (*OPEN_TABLES, 'contacts'))}There are subscriptions, tickets and contacts."
            raise _refuse("bad_table", f"rows of `{self.table}` are not open over a time.", hint)


@dataclass(frozen=True, slots=True)
class Attribute:
    """A column of `accounts` as it was stated last by the as-of date; a column declared `fixed` has one value for all dates."""

    column: str


@dataclass(frozen=True, slots=True)
class Arr:
    """Annual recurring revenue on the as-of date, as `unspun retention` counts it by what was known then. `not_stated` where terms have no
    amount or several currencies."""


@dataclass(frozen=True, slots=True)
class DaysToEnd:
    """Days from the as-of date to the next renewal: the end of the base term that runs, of several the earliest end.

    The end is the first day on which a term runs no longer, as the rules of retention read `ended`: on its last day it is 1. Open terms
    have none, and a notice that was given leaves it as it is. `no_contract` where no base term runs, `not_stated` where all are open.
    """


@dataclass(frozen=True, slots=True)
class Constant:
    """A number."""

    value: int | float

    def __post_init__(self) -> None:
        if isinstance(self.value, bool) or not isfinite(self.value) or abs(self.value) > 10**18:
            raise _refuse("bad_number", f"{self.value} is no number to compute with.")


# Derived


@dataclass(frozen=True, slots=True)
class Reference:
    """The value of another metric of the file, by its id."""

    metric: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """One by the other. `zero_denominator` where that is zero."""

    numerator: Series
    denominator: Series


@dataclass(frozen=True, slots=True)
class Add:
    """The sum of several, each of which must have a value."""

    terms: tuple[Series, ...]

    def __post_init__(self) -> None:
        _check_operands(self.terms)


@dataclass(frozen=True, slots=True)
class Subtract:
    """The first less the second."""

    minuend: Series
    subtrahend: Series


@dataclass(frozen=True, slots=True)
class Multiply:
    """The product of several, each of which must have a value."""

    factors: tuple[Series, ...]

    def __post_init__(self) -> None:
        _check_operands(self.factors)


@dataclass(frozen=True, slots=True)
class Before:
    """What it was so many days earlier, by what is known on the as-of date: each window and each state ends that many days before it.

    `before_birth` where the account was no customer on that day. Not of `Arr`, `Before`, `ZScore`, or a window since contract start.
    """

    of: Series
    days: int

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MOST_DAYS:
            raise _refuse("bad_days", f"`{self.days:,}` days before: 1 to {MOST_DAYS:,} can be.")


@dataclass(frozen=True, slots=True)
class Change:
    """Now less what it was `days` days earlier (see `Before`); where `relative`, by what it was then (`zero_denominator`: it was 0)."""

    of: Series
    days: int
    relative: bool = False

    def __post_init__(self) -> None:
        Before(self.of, self.days)


@dataclass(frozen=True, slots=True)
class Trend:
    """The slope, per step, of the least-squares line through `steps` values that lie `step_days` days apart, the last on the as-of date."""

    of: Series
    steps: int
    step_days: int

    def __post_init__(self) -> None:
        if not FEWEST_STEPS <= self.steps <= MOST_STEPS:
            raise _refuse("bad_steps", f"a trend has {FEWEST_STEPS} to {MOST_STEPS} steps, not {self.steps:,}.")
        Before(self.of, self.step_days * (self.steps - 1))


@dataclass(frozen=True, slots=True)
class Share:
    """A measure over the rows that fit a further condition, by the same measure over all its rows. `zero_denominator` where that is 0."""

    of: Shareable
    where: Condition


@dataclass(frozen=True, slots=True)
class Seats:
    """Seats on the as-of date: their sum over the running terms where any of them states some, else `seats` of accounts as it was stated
    last by then (`not_stated`: neither)."""


@dataclass(frozen=True, slots=True)
class ZScore:
    """How many standard deviations (of a sample) it lies above the mean of its peers, the account itself among them.

    Peers are the accounts with a value on the same as-of date, of the same `within` (a column of accounts; "" all; where the account has
    none stated, `not_stated`). Before renewals: the units of the same horizon whose as-of dates lie in the 365 days up to this one's.
    `few_peers` where fewer than five have a value, or all have the same.
    """

    of: Series
    within: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """Whether a series compares so with a value. A series without a value makes the whole `Case` have none, for its reason."""

    of: Series
    comparison: Comparison | str  # above, below, at_least, at_most; "is" (one of the values), for numbers, texts and flags
    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if self.comparison not in (*COMPARISONS, "is"):
            raise _refuse("bad_comparison", f"there is no comparison `{self.comparison}`.", f"There are {', '.join(COMPARISONS)} and is.")
        if not self.values or (self.comparison != "is" and len(self.values) != 1):
            raise _refuse("bad_comparison", f"`{self.comparison}` takes one value.")


@dataclass(frozen=True, slots=True)
class When:
    """A case: where all the criteria hold, the value is `then`."""

    criteria: tuple[Criterion, ...]
    then: Series


@dataclass(frozen=True, slots=True)
class Case:
    """The value of the first case that holds, else `otherwise`; `no_case` where there is none. Criteria are tried in their order."""

    whens: tuple[When, ...]
    otherwise: Series | None = None

    def __post_init__(self) -> None:
        if not 1 <= len(self.whens) <= MOST_CASES:
            raise _refuse("bad_case", f"{len(self.whens):,} cases: 1 to {MOST_CASES} can be.")
        if any(not when.criteria for when in self.whens):
            raise _refuse("bad_case", "a case without a criterion holds always.", "Give its value as `otherwise`.")


Standing = Open | Attribute | Arr | Seats | DaysToEnd
Derived = Reference | Ratio | Add | Subtract | Multiply | Before | Change | Trend | Share | ZScore | Case
Series = Measure | Standing | Constant | Derived


def operands(series: Series) -> tuple[Series, ...]:
    """The series that one is directly made of, in the order in which its definition names them; () for what is read from the book."""
    match series:
        case Ratio(one, other) | Subtract(one, other):
            return (one, other)
        case Add(parts) | Multiply(parts):
            return parts
        case Before(of=of) | Change(of=of) | Trend(of=of) | Share(of=of) | ZScore(of=of):
            return (of,)
        case Case(whens, otherwise):
            made = [part for when in whens for part in (*(one.of for one in when.criteria), when.then)]
            return tuple(made if otherwise is None else [*made, otherwise])
        case _:
            return ()


def walk(series: Series) -> Iterator[Series]:
    """A series and all that it is made of, references not followed."""
    yield series
    for part in operands(series):
        yield from walk(part)


def _check_operands(parts: tuple[Series, ...]) -> None:
    if not 2 <= len(parts) <= MOST_OPERANDS:
        raise _refuse("bad_operands", f"{len(parts):,} operands: 2 to {MOST_OPERANDS} can be.")
