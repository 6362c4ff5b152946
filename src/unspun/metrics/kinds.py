"""Of what kind a series is, and whether metrics fit the tables that a book holds: columns that are there, of kinds that can be so used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Literal

from unspun.book.columns import did_you_mean
from unspun.book.entities import TABLES, Kind, TableName
from unspun.errors import Fault
from unspun.metrics.conditions import COMPARISONS, Compare, Condition, HasText, IsEmpty, IsIn, Not, Scalar
from unspun.metrics.forms import printable
from unspun.metrics.measure_nodes import columns_measured, conditions_of
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import (
    Add,
    Arr,
    Attribute,
    Average,
    Before,
    Case,
    Change,
    Constant,
    Criterion,
    Distinct,
    Elapsed,
    LastValue,
    Maximum,
    Measure,
    Minimum,
    Multiply,
    Open,
    Quantile,
    Ratio,
    Reference,
    Seats,
    Series,
    Share,
    Subtract,
    Sum,
    TimeBetween,
    Trend,
    UserDays,
    ZScore,
    walk,
)
from unspun.metrics.question import HeldTable

SeriesKind = Literal["number", "text", "day", "flag", "whole"]
"""Of a value: float64, text, calendar day, true or false, 64-bit integer."""
OF_COLUMN: dict[Kind, SeriesKind] = {
    "text": "text", "whole": "whole", "number": "number", "money": "number", "day": "day", "instant": "day", "flag": "flag",
}  # fmt: skip
"""Of what kind the value of a column is: amounts are numbers, and an instant is its day in the book's zone."""
TOLD: dict[SeriesKind, str] = {"number": "a number", "whole": "a number", "text": "text", "day": "a day", "flag": "true or false"}
NOT_STATED = ("account_id", "dated")
"""Columns of `accounts` that say whose a statement is and of when, and state nothing."""
Tables = Mapping[str, HeldTable]


def kind_of(series: Series, metrics: MetricSet, tables: Tables) -> SeriesKind:
    """Of what kind the values of a series are. "number" where nothing tells it: a column of the company's own in a table without rows."""
    return _kind(series, metrics, tables) or "number"


def column_kind(table: str, column: str, tables: Tables) -> Kind | None:
    """The kind of a column; None where the book has none of that name, or holds no rows of the table and it is no standard one."""
    held = tables.get(table)
    if held is not None and column in held.columns:
        return held.columns[column]
    entity = next((one for one in TABLES.values() if one.name == table), None)
    standard = None if entity is None else entity.column(column)
    return None if standard is None else standard.kind


def _kind(series: Series, metrics: MetricSet, tables: Tables) -> SeriesKind | None:
    match series:
        case Minimum(rows, column) | Maximum(rows, column):
            return "day" if _of_column(rows.table, column, tables) == "day" else "number"
        case LastValue(rows, column):
            return _of_column(rows.table, column, tables)
        case Attribute(column):
            return _of_column("accounts", column, tables)
        case Reference(metric):
            return _kind(metrics.metric(metric).series, metrics, tables)
        case Before(of=of):
            return _kind(of, metrics, tables)
        case Constant(value):
            return "whole" if isinstance(value, int) else "number"
        case Case():
            return _kind_of_case(series, metrics, tables)
        case Open(column=column):
            return "number" if column else "whole"
        case Sum() | Average() | Quantile() | Elapsed() | TimeBetween() | Arr() | Seats():
            return "number"
        case Ratio() | Add() | Subtract() | Multiply() | Change() | Trend() | Share() | ZScore():
            return "number"
        case _:
            return "whole"


def _kind_of_case(case: Case, metrics: MetricSet, tables: Tables) -> SeriesKind | None:
    """That of its values; numbers of both kinds are numbers."""
    kinds: list[SeriesKind] = [kind for one in _outcomes(case) if (kind := _kind(one, metrics, tables)) is not None]
    if set(kinds) == {"number", "whole"}:
        return "number"
    return kinds[0] if kinds else None


def _of_column(table: str, column: str, tables: Tables) -> SeriesKind | None:
    kind = column_kind(table, column, tables)
    return None if kind is None else OF_COLUMN[kind]


def _outcomes(case: Case) -> list[Series]:
    return [*(when.then for when in case.whens), *(() if case.otherwise is None else (case.otherwise,))]


def check_against(metric_set: MetricSet, tables: Tables, places: Mapping[str, str] | None = None) -> list[Fault]:
    """What in metrics does not fit a book: columns that it has not, and kinds that cannot be summed, compared or computed with.

    `tables` are those that hold rows. Of a table that is not among them the standard columns are known; others pass, and the metric has no
    value there (`no_source`). The place of a fault is that of `places` for the metric's id (see `MetricsFile`), else the id.
    """
    faults: list[Fault] = []
    for metric in metric_set:
        where = (places or {}).get(metric.id, metric.id)
        found = dict.fromkeys(_Check(metric, metric_set, tables).faults())  # each once
        faults += [Fault(fault.code, fault.message, where, fault.hint) for fault in found]
    return list(dict.fromkeys(faults))  # metrics of one definition have the same


class _Check:
    """Checks one metric against the tables of a book."""

    def __init__(self, metric: Metric, metrics: MetricSet, tables: Tables) -> None:
        self.metric, self.metrics, self.tables = metric, metrics, tables

    def faults(self) -> Iterator[Fault]:
        for series in walk(self.metric.series):
            yield from self._series(series)

    def _series(self, series: Series) -> Iterator[Fault]:
        match series:
            case Sum(rows, column) | Average(rows, column) | Quantile(rows, column):
                what = "has a median" if isinstance(series, Quantile) else "can be summed"
                yield from self._column(rows.table, column, ("number", "whole"), what)
                yield from self._conditions(rows.table, rows.where)
            case Minimum(rows, column) | Maximum(rows, column):
                yield from self._column(rows.table, column, ("number", "whole", "day"), "has a least and a greatest")
                yield from self._conditions(rows.table, rows.where)
            case Distinct(rows, column) | UserDays(rows, column) | LastValue(rows, column):
                yield from self._column(rows.table, column, tuple(TOLD), "")
                yield from self._conditions(rows.table, rows.where)
            case Open(table, where, column):
                if column:
                    yield from self._column(table, column, ("number", "whole"), "can be summed")
                yield from self._conditions(table, where)
            case Attribute(column):
                yield from self._attribute(column)
            case Share(of, where):
                yield from self._conditions(of.rows.table, where)
            case ZScore(of, within):
                yield from self._number(of, "z_score")
                if within:
                    yield from self._attribute(within)
            case Case():
                yield from self._case(series)
            case _:
                yield from self._other(series)

    def _other(self, series: Series) -> Iterator[Fault]:
        if isinstance(series, Measure):
            for column in columns_measured(series):
                yield from self._column(series.rows.table, column, ("day",), "begins or ends")
            for condition in conditions_of(series):
                yield from self._conditions(series.rows.table, condition)
        elif isinstance(series, Change | Trend):
            yield from self._number(series.of, type(series).__name__.lower())
        else:
            parts, word = _arithmetic(series)
            for part in parts:
                yield from self._number(part, word)

    def _attribute(self, column: str) -> Iterator[Fault]:
        if column in NOT_STATED:
            message = f"'{column}' of accounts says whose a row is and of when; it is no attribute."
            yield Fault("bad_attribute", message, "", "Name a column that is stated of accounts.")
        else:
            yield from self._column("accounts", column, tuple(TOLD), "")

    def _column(self, table: TableName, column: str, kinds: tuple[SeriesKind, ...], what: str) -> Iterator[Fault]:
        kind = column_kind(table, column, self.tables)
        if kind is not None and OF_COLUMN[kind] not in kinds:
            message = f"'{column}' of {table} is {TOLD[OF_COLUMN[kind]]}, and only {_listed(kinds)} {what}."
            countable = "" if kinds == ("day",) else "Count its values with `distinct`, or name"
            yield Fault("kind_of_column", message, "", f"{countable or 'Name'} another column.")
        elif kind is None and table in self.tables:
            names = list(dict.fromkeys([*self.tables[table].columns, *(one.name for one in TABLES[table].columns)]))
            hint = f"{did_you_mean(column, names)}The columns are {', '.join(names)}."
            yield Fault("unknown_column", f"{table} have no column {printable(column)}.", "", hint)

    def _conditions(self, table: TableName, condition: Condition | None) -> Iterator[Fault]:
        for one in _leaves(condition):
            yield from self._column(table, one.column, tuple(TOLD), "")
            kind = _of_column(table, one.column, self.tables)
            if kind is not None:
                yield from _misfit(one, kind, f"'{one.column}' of {table}")

    def _number(self, series: Series, word: str) -> Iterator[Fault]:
        kind = _kind(series, self.metrics, self.tables)
        if kind not in ("number", "whole", None):
            what = f"'{series.metric}'" if isinstance(series, Reference) else "a part"
            yield Fault("not_a_number", f"'{word}' needs numbers; {what} is {TOLD[kind]}.", "", "Take a metric that is a number.")

    def _case(self, case: Case) -> Iterator[Fault]:
        for criterion in (one for when in case.whens for one in when.criteria):
            kind = _kind(criterion.of, self.metrics, self.tables)
            what = f"'{criterion.of.metric}'" if isinstance(criterion.of, Reference) else "a series of 'when'"
            if kind is not None:
                yield from _misfit(criterion, kind, what)
        told_kinds: set[str] = set()
        for one in _outcomes(case):
            if (of := _kind(one, self.metrics, self.tables)) is not None:
                told_kinds.add(TOLD[of])
        if len(told_kinds) > 1:
            told = " and ".join(sorted(told_kinds))
            yield Fault("case_of_two_kinds", f"the values of a 'case' are {told}.", "", "Give all of them one kind.")


def _arithmetic(series: Series) -> tuple[tuple[Series, ...], str]:
    """The operands that must be numbers, and what the file calls it."""
    match series:
        case Ratio(one, other):
            return (one, other), "ratio"
        case Subtract(one, other):
            return (one, other), "subtract"
        case Add(parts):
            return parts, "add"
        case Multiply(parts):
            return parts, "multiply"
        case _:
            return (), ""


def _leaves(condition: Condition | None) -> Iterator[IsIn | Compare | HasText | IsEmpty]:
    if condition is None:
        return
    if isinstance(condition, IsIn | Compare | HasText | IsEmpty):
        yield condition
    elif isinstance(condition, Not):
        yield from _leaves(condition.condition)
    else:
        for part in condition.conditions:
            yield from _leaves(part)


def _misfit(one: IsIn | Compare | HasText | IsEmpty | Criterion, kind: SeriesKind, what: str) -> Iterator[Fault]:
    """A comparison that cannot be made with what is of that kind."""
    numeric = kind in ("number", "whole")
    match one:
        case IsEmpty():
            return
        case HasText(test=test):
            if kind != "text":
                yield Fault("compared_kind", f"{what} is {TOLD[kind]}, and '{test}' is asked of text.", "", "Use `is`, `above` or `below`.")
            return
        case Compare(comparison=comparison, value=value):
            values: tuple[Scalar, ...] = (value,)
        case IsIn(values=values):
            comparison = "is"
        case Criterion(comparison=comparison, values=values):
            pass
    if comparison in COMPARISONS and not (numeric or kind == "day"):
        hint = "Only numbers and days are more or less; use `is`."
        yield Fault("compared_kind", f"{what} is {TOLD[kind]}, which is not above or below anything.", "", hint)
    elif (given := _scalar_kind(values[0])) != ("number" if numeric else kind):
        yield Fault("compared_kind", f"{what} is {TOLD[kind]}, and is compared with {TOLD[given]}.", "", HOW_TO_WRITE[kind])


HOW_TO_WRITE: dict[SeriesKind, str] = {
    "text": 'Put the value in quotes: "12".', "number": "Write a number, without quotes.", "whole": "Write a number, without quotes.",
    "day": "Write a day as {day: 2026-01-31}.", "flag": "Write true or false, without quotes.",
}  # fmt: skip


def _scalar_kind(value: Scalar) -> SeriesKind:
    if isinstance(value, bool):
        return "flag"
    return "number" if isinstance(value, int | float) else "day" if isinstance(value, date) else "text"


def _listed(kinds: tuple[SeriesKind, ...]) -> str:
    return " or ".join(dict.fromkeys(TOLD[kind] for kind in kinds))
