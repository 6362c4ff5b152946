"""What `contracts` of book.yml declare of the tables of the book, once they are read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal, get_args

from unspun.book.entities import Kind, TableName

Severity = Literal["error", "warning", "note"]
RuleName = Literal["type", "required", "matches", "min", "max", "one_of", "min_length", "max_length", "references"]
Form = Literal["email", "url", "uuid", "currency"]
Period = Literal["day", "week", "month", "load"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

SEVERITIES: tuple[Severity, ...] = get_args(Severity)
RULES: tuple[RuleName, ...] = get_args(RuleName)
PERIODS: tuple[Period, ...] = get_args(Period)
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
NUMBERS: tuple[Kind, ...] = ("whole", "number", "money")
TIMES: tuple[Kind, ...] = ("day", "instant")
USUAL_PERIODS = 8
"""Periods that a median is taken over where nothing is said: two months of weeks, enough to pass over one odd one."""
LEAST_HISTORY = 4
"""Periods that must lie before one for a median to say what is usual."""


@dataclass(frozen=True, slots=True)
class DayBound:
    """A day that is given (`day`), or so many months and days from the day of the check."""

    day: date | None = None
    months: int = 0
    days: int = 0

    def on(self, today: date) -> date:
        """The day that is meant on a day; where the month has no such day, its last."""
        if self.day is not None:
            return self.day
        month = today.year * 12 + today.month - 1 + self.months
        first = date(month // 12, month % 12 + 1, 1)
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        return first.replace(day=min(today.day, last.day)) + timedelta(days=self.days)


Wanted = bool | int | float | str | DayBound | tuple[str | int | float, ...]


@dataclass(frozen=True, slots=True)
class ColumnRule:
    """What must hold of every cell of a column that is not empty (`required`: of every row); `allowed` is the share that may fail.

    `wanted` is the kind or form of `type`, the pattern that the whole of a text `matches`, the bound of `min`, `max`, `min_length` and
    `max_length`, the values of `one_of`, or the `table.column` of `references`.
    """

    column: str
    rule: RuleName
    wanted: Wanted
    allowed: float = 0.0
    severity: Severity = "error"
    why: str = ""
    line: int = 0

    @property
    def subject(self) -> str:
        return f"{self.column}.{self.rule}"

    @property
    def target(self) -> tuple[str, str]:
        """Table and column that a rule `references`."""
        table, _, column = str(self.wanted).partition(".")
        return table, column

    def misfit(self, kind: Kind) -> str:
        """Why the rule cannot be asked of a column of that kind; empty where it can."""
        fits = _fitting_kinds(self.rule, self.wanted)
        if not fits or kind in fits:
            return ""
        return f"the column is {kind}, and `{self.rule}: {said(self.wanted)}` is for {' or '.join(fits)}"


@dataclass(frozen=True, slots=True)
class UniqueRule:
    """Columns of which no two rows have the same values; rows in which one of them is empty are not compared."""

    columns: tuple[str, ...]
    allowed: float = 0.0
    severity: Severity = "error"
    why: str = ""
    line: int = 0

    @property
    def subject(self) -> str:
        return f"unique.{'+'.join(self.columns)}"


@dataclass(frozen=True, slots=True)
class FreshnessRule:
    """The newest row (by when it `happened` or was `known`) is no older than so many hours; `by`: of each value of a column."""

    within_hours: float
    dated: Literal["happened", "known"] = "happened"
    by: str | None = None
    severity: Severity = "error"
    why: str = ""
    line: int = 0

    @property
    def subject(self) -> str:
        return ".".join(part for part in ("freshness", self.dated, self.by) if part)


@dataclass(frozen=True, slots=True)
class VolumeRule:
    """Rows of each period: at least, at most, and within a factor of the median of the `periods` before it.

    Days are compared with the same weekday. `weekdays` are the days that count (all where empty); `last`: only so many of the latest
    complete periods are judged. Of `least`, `most` and `factor` exactly one is given: a rule each.
    """

    per: Period
    least: int | None = None
    most: int | None = None
    factor: float | None = None
    periods: int = USUAL_PERIODS
    weekdays: tuple[Weekday, ...] = ()
    last: int | None = None
    severity: Severity = "error"
    why: str = ""
    line: int = 0

    @property
    def subject(self) -> str:
        bound = "min" if self.least is not None else "max" if self.most is not None else "factor"
        return f"volume.{self.per}.{bound}"


Rule = ColumnRule | UniqueRule | FreshnessRule | VolumeRule


@dataclass(frozen=True, slots=True)
class TableContract:
    """All that is declared of one table."""

    table: TableName
    columns: tuple[ColumnRule, ...] = ()
    unique: tuple[UniqueRule, ...] = ()
    freshness: tuple[FreshnessRule, ...] = ()
    volume: tuple[VolumeRule, ...] = ()
    line: int = 0

    @property
    def rules(self) -> tuple[Rule, ...]:
        return (*self.columns, *self.unique, *self.freshness, *self.volume)

    def named_columns(self) -> Iterator[tuple[str, Rule]]:
        """The columns of the table that rules name, each with the rule."""
        yield from ((rule.column, rule) for rule in self.columns)
        yield from ((name, rule) for rule in self.unique for name in rule.columns)
        yield from ((rule.by, rule) for rule in self.freshness if rule.by is not None)


def _fitting_kinds(rule: RuleName, wanted: Wanted) -> tuple[Kind, ...]:
    """Kinds of columns that a rule can be asked of; empty: of any."""
    if rule == "type":
        own = tuple(kind for kind in get_args(Kind) if kind == wanted)
        return ("text", *(NUMBERS if wanted in NUMBERS else own if own != ("text",) else ()))
    if rule in ("min", "max"):
        return TIMES if isinstance(wanted, DayBound) else NUMBERS
    if rule == "one_of":
        return ("text",) if isinstance(wanted, tuple) and all(isinstance(value, str) for value in wanted) else NUMBERS
    return () if rule in ("required", "references") else ("text",)


def said(wanted: Wanted) -> str:
    """A wanted value as one writes it."""
    if isinstance(wanted, tuple):
        return "[" + ", ".join(map(str, wanted)) + "]"
    if not isinstance(wanted, DayBound):
        return str(wanted).lower() if isinstance(wanted, bool) else str(wanted)
    if wanted.day is not None:
        return wanted.day.isoformat()
    number, unit = (wanted.months, "month") if wanted.months else (wanted.days, "day")
    return f"today {'+' if number > 0 else '-'} {abs(number)} {unit}{'s' if abs(number) != 1 else ''}" if number else "today"
