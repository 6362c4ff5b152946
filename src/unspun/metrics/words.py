"""A metric told in plain English, and written back as metrics.yml."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from unspun.metrics.conditions import AllOf, AnyOf, Compare, Condition, HasText, IsEmpty, IsIn, Not, Scalar
from unspun.metrics.forms import printable
from unspun.metrics.measure_nodes import MEDIAN, ten_thousandths
from unspun.metrics.metric import Metric
from unspun.metrics.nodes import (
    MEASURES,
    ActiveDays,
    Add,
    Arr,
    Attribute,
    Average,
    Before,
    Case,
    Change,
    Constant,
    Count,
    Criterion,
    DaysSinceFirst,
    DaysSinceLast,
    DaysToEnd,
    DaysToFirst,
    Distinct,
    Elapsed,
    Funnel,
    LastValue,
    Maximum,
    Measure,
    Minimum,
    Multiply,
    Open,
    Quantile,
    Ratio,
    Reference,
    Rows,
    Seats,
    Series,
    Share,
    Streak,
    Subtract,
    Sum,
    TimeBetween,
    Trend,
    UserDays,
    ZScore,
)
from unspun.metrics.windows import Days, LastPeriod, Lifetime, Months, SinceContractStart, ThisPeriod, Window
from unspun.metrics.write_yaml import as_yaml, file_as_yaml

__all__ = ["as_yaml", "condition_words", "file_as_yaml", "in_words", "sentence", "window_words"]

COMPARED = {"above": "above", "below": "below", "at_least": "at least", "at_most": "at most"}
TESTED = {"starts_with": "starts with", "ends_with": "ends with", "contains": "contains"}
ELAPSED = {"average": "average", "sum": "total", "minimum": "least", "maximum": "greatest"}
MOST_LISTED = 12


def sentence(metric: Metric) -> str:
    """What a metric is, in one sentence: "The number of events where event is 'login', over the 28 days to the as-of date." """
    told = in_words(metric.series)
    return f"{told[:1].upper()}{told[1:]}."


def in_words(series: Series) -> str:
    """A series as a phrase that can stand within a sentence. Other metrics are named by their ids, in quotes."""
    if isinstance(series, MEASURES):
        return _measure(series)
    match series:
        case Open(table, where, column):
            return _open(table, where, column)
        case Attribute(column):
            return f"the account's {column}, as stated last by the as-of date"
        case Arr():
            return "the annual recurring revenue on the as-of date"
        case Seats():
            return "the seats on the as-of date"
        case DaysToEnd():
            return "the days from the as-of date to the next end of a base term that runs"
        case Constant(value):
            return f"{value:,}"
        case Reference(metric):
            return f"'{metric}'"
        case _:
            return _derived(series)


def _derived(series: Series) -> str:
    match series:
        case Ratio(one, other):
            return f"{_part(one)} divided by {_part(other)}"
        case Subtract(one, other):
            return f"{_part(one)} less {_part(other)}"
        case Add(parts):
            return f"the sum of {_joined([_part(part) for part in parts], 'and')}"
        case Multiply(parts):
            return " times ".join(_part(part) for part in parts)
        case Before(of, days):
            return f"{_part(of)}, as it was {_days(days)} earlier"
        case Change(of, days, relative):
            how = "relative change" if relative else "change"
            return f"the {how} in {_part(of)} over {_days(days)}"
        case Trend(of, steps, step_days):
            return f"the slope, per {_days(step_days)}, of the line through the last {steps} values of {_part(of)}"
        case Share(of, where):
            return f"of {_measure(of)}, the share where {condition_words(where)}"
        case ZScore(of, within):
            peers = f"accounts of the same {within}" if within else "all accounts"
            return f"how many standard deviations {_part(of)} lies above the mean of {peers}"
        case Case():
            return _case(series)
        case _:
            raise TypeError(f"{type(series).__name__} is no node of the language")


def _part(series: Series) -> str:
    """A phrase within another: in brackets where it would run into what stands around it."""
    plain = isinstance(series, Reference | Constant | Arr | Seats) or _is_short(series)
    return in_words(series) if plain else f"({in_words(series)})"


def _is_short(series: Series) -> bool:
    if not isinstance(series, MEASURES) or isinstance(series, Funnel | Streak):
        return False
    return series.rows.where is None and series.rows.window == Lifetime()


def _measure(measure: Measure) -> str:
    rows = measure.rows
    match measure:
        case Count():
            return f"the number of {rows.table}{_of_rows(rows)}"
        case Sum(column=column):
            return f"the sum of '{column}' of {rows.table}{_of_rows(rows)}"
        case Average(column=column):
            return f"the mean of '{column}' of {rows.table}{_of_rows(rows)}"
        case Minimum(column=column):
            return f"the least '{column}' of {rows.table}{_of_rows(rows)}"
        case Maximum(column=column):
            return f"the greatest '{column}' of {rows.table}{_of_rows(rows)}"
        case Distinct(column=column):
            return f"the number of different '{column}' in {rows.table}{_of_rows(rows)}"
        case UserDays(column=column):
            return f"the number of different pairs of a '{column}' and a day in {rows.table}{_of_rows(rows)}"
        case ActiveDays():
            return f"the number of days with {rows.table}{_of_rows(rows)}"
        case LastValue(column=column):
            return f"the last '{column}' of {rows.table}{_of_rows(rows)}"
        case DaysSinceLast():
            return f"the days since the last of the {rows.table}{_of_rows(rows)}"
        case DaysSinceFirst():
            return f"the days since the first of the {rows.table}{_of_rows(rows)}"
        case Quantile(column=column):
            return f"the {_percentile(measure)} of '{column}' of {rows.table}{_of_rows(rows)}"
        case DaysToFirst():
            since = "the account became a customer" if rows.window == Lifetime() else "its current contract term began"
            where = "" if rows.where is None else f" where {condition_words(rows.where)}"
            return f"the days from when {since} to the first of the {rows.table}{where}"
        case Streak():
            return _streak(measure)
        case Elapsed():
            what = _percentile(measure) if measure.statistic == "quantile" else ELAPSED[measure.statistic]
            return f"the {what} number of {measure.unit} from '{measure.start}' to '{measure.end}' of {rows.table}{_of_rows(rows)}"
        case TimeBetween(typical=typical):
            return f"the {typical} number of days between days with {rows.table}{_of_rows(rows)}"
        case Funnel():
            return _funnel(measure)


def _percentile(measure: Quantile | Elapsed) -> str:
    """The median, the 90th percentile, the 99.9th percentile."""
    hundredths = f"{ten_thousandths(measure.q) / 100:f}"
    hundredths = hundredths.rstrip("0").rstrip(".") if "." in hundredths else hundredths
    if measure.q == MEDIAN:
        return "median"
    ends = {"1": "st", "2": "nd", "3": "rd"}
    plain = "." in hundredths or hundredths[-2:] in ("11", "12", "13")
    return f"{hundredths}{'th' if plain else ends.get(hundredths[-1], 'th')} percentile"


def _streak(measure: Streak) -> str:
    rows = measure.rows
    grace = f", or the one that ended the {measure.every} before" if measure.grace else ""
    return f"the {measure.run} run of {measure.every}s with {rows.table}{_of_rows(rows)}{grace}"


def _funnel(measure: Funnel) -> str:
    steps, rows = _joined([f"({i}) {condition_words(step)}" for i, step in enumerate(measure.steps, 1)], "and"), measure.rows
    within = "" if measure.within_days is None else f", within {_days(measure.within_days)} of the first"
    what = (
        "how many of these steps were reached in order"
        if measure.gives == "steps"
        else "the days from the first to the last of these steps"
    )
    return f"{what}, in {rows.table}{_of_rows(rows)}: {steps}{within}"


def _of_rows(rows: Rows) -> str:
    where = "" if rows.where is None else f" where {condition_words(rows.where)}"
    return f"{where}{',' if where and rows.window != Lifetime() else ''}{window_words(rows.window)}"


def _open(table: str, where: Condition | None, column: str) -> str:
    state = {"subscriptions": "running", "tickets": "open"}.get(table, "")
    rows = f"{state} {table}".strip()
    what = f"the sum of '{column}' of {rows}" if column else f"the number of {rows}"
    return f"{what}{'' if where is None else f' where {condition_words(where)},'} on the as-of date"


def window_words(window: Window) -> str:
    """A window as it follows what is counted; "" for a whole lifetime, which needs no words."""
    match window:
        case Days(days):
            return " on the as-of date" if days == 1 else f" over the {days:,} days to the as-of date"
        case Months(months):
            return f" over the {'month' if months == 1 else f'{months:,} months'} to the as-of date"
        case ThisPeriod(period):
            return f" since the start of the {_period(period)}"
        case LastPeriod(period):
            return f" in the last whole {_period(period)}"
        case SinceContractStart():
            return " since the current contract term began"
        case Lifetime():
            return ""


def _period(period: str) -> str:
    return "calendar month" if period == "month" else f"fiscal {period}"


def _case(case: Case) -> str:
    told = [f"{in_words(when.then)} if {_joined([_criterion(one) for one in when.criteria], 'and')}" for when in case.whens]
    last = "no value otherwise" if case.otherwise is None else f"otherwise {in_words(case.otherwise)}"
    return "; ".join([*told, last])


def _criterion(criterion: Criterion) -> str:
    if criterion.comparison == "is":
        return f"{_part(criterion.of)} is {_values(criterion.values)}"
    return f"{_part(criterion.of)} is {COMPARED[criterion.comparison]} {_value(criterion.values[0])}"


def condition_words(condition: Condition) -> str:
    """A condition as it follows "where"."""
    match condition:
        case IsIn(column, values):
            return f"{column} is {_values(values)}"
        case Compare(column, comparison, value):
            return f"{column} is {COMPARED[comparison]} {_value(value)}"
        case HasText(column, test, text):
            return f"{column} {TESTED[test]} {_value(text)}"
        case IsEmpty(column):
            return f"{column} is empty"
        case Not(IsEmpty(column)):
            return f"{column} is not empty"
        case Not(IsIn(column, values)):
            return f"{column} is {'neither ' if len(values) > 1 else 'not '}{_values(values, 'nor' if len(values) > 1 else 'or')}"
        case Not(inner):
            return f"not ({condition_words(inner)})"
        case AllOf(parts):
            return _joined([_nested(part) for part in parts], "and")
        case AnyOf(parts):
            return _joined([_nested(part) for part in parts], "or")


def _nested(condition: Condition) -> str:
    told = condition_words(condition)
    return f"({told})" if isinstance(condition, AllOf | AnyOf) else told


def _values(values: Sequence[Scalar], word: str = "or") -> str:
    told = [_value(value) for value in values[:MOST_LISTED]]
    if len(values) > MOST_LISTED:
        told.append(f"one of {len(values) - MOST_LISTED:,} more")
    return _joined(told, word)


def _value(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    return printable(value) if isinstance(value, str) else f"{value:,}"


def _joined(parts: Sequence[str], word: str) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def _days(days: int) -> str:
    return "a day" if days == 1 else f"{days:,} days"
