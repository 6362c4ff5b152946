"""Metrics written as metrics.yml: what is read back from it is equal, so that metrics made in Python can be kept as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from unspun.book.mapping.source_writer import written_scalar
from unspun.metrics.conditions import AllOf, AnyOf, Compare, Condition, HasText, IsEmpty, IsIn, Not, Scalar
from unspun.metrics.fields import COVERS, LOGIC_FIELDS, METRIC_FIELDS, OF_ELAPSED, TERMS
from unspun.metrics.measure_nodes import MEDIAN, column_of
from unspun.metrics.metric import Metric, MetricSet, SourceRules
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
from unspun.metrics.windows import Lifetime, window_text

WIDEST = 100
WORDS: dict[type[Measure], str] = {
    Count: "count", Sum: "sum", Average: "average", Minimum: "min", Maximum: "max", Distinct: "distinct", ActiveDays: "active_days",
    LastValue: "last", DaysSinceLast: "days_since_last", DaysSinceFirst: "days_since_first", Quantile: "percentile",
    DaysToFirst: "days_to_first", Streak: "streak", TimeBetween: "time_between", Funnel: "funnel",
    Elapsed: "percentile", UserDays: "user_days",
}  # fmt: skip
"""What metrics.yml calls each measure."""


def file_as_yaml(metric_set: MetricSet) -> str:
    """A whole metrics.yml of the metrics and of what is declared of their sources."""
    lines: list[str] = []
    if metric_set.sources:
        lines += ["sources:", *(f"  {table}: {_flow(_source(rules))}" for table, rules in metric_set.sources.items())]
    lines.append("metrics:" if metric_set.metrics else "metrics: {}")
    for metric in metric_set:
        lines += [f"  {line}" for line in as_yaml(metric).splitlines()]
    return "\n".join(lines) + "\n"


def as_yaml(metric: Metric) -> str:
    """One metric as an entry of `metrics`, from column 0, its first line `id:`."""
    fields: dict[str, object] = {}
    for name in METRIC_FIELDS:
        text = getattr(metric, name)
        if name == "description" or text != ("neutral" if name == "direction" else ""):
            fields[name] = text
    series = metric.series
    fields |= {"metric": series.metric} if isinstance(series, Reference) else _mapping(series)
    return "\n".join([f"{written_scalar(metric.id)}:", *(f"  {line}" for line in _block(fields))]) + "\n"


def _source(rules: SourceRules) -> dict[str, object]:
    covers = next(word for word, every in COVERS.items() if every == rules.covers_every_account)
    return {"covers": covers, "silent_days": rules.silent_days}


def series_value(series: Series) -> object:
    """A series as the value it has within another: an id, a number or a mapping."""
    if isinstance(series, Reference):
        return series.metric
    return series.value if isinstance(series, Constant) else _mapping(series)


def _mapping(series: Series) -> dict[str, object]:
    match series:
        case Open(table, where, column):
            return {"open": f"{table}.{column}" if column else table} | _where(where)
        case Attribute(column):
            return {"attribute": column}
        case Arr():
            return {"arr": True}
        case Seats():
            return {"seats": True}
        case DaysToEnd():
            return {"days_to_end": TERMS}
        case Constant(value):
            return {"value": value}
        case Reference(metric):
            return {"metric": metric}
        case _:
            return _measure(series) if isinstance(series, MEASURES) else _derived(series)


def _measure(measure: Measure) -> dict[str, object]:
    column = column_of(measure)
    place = f"{measure.rows.table}.{column}" if column else measure.rows.table
    options = _options(measure)
    given: dict[str, object] = {word_of(measure): {"of": place} | options if options else place}
    window = {} if measure.rows.window == Lifetime() else {"window": window_text(measure.rows.window)}
    return given | _where(measure.rows.where) | window


def word_of(measure: Measure) -> str:
    """What metrics.yml calls a measure."""
    if isinstance(measure, Elapsed) and measure.statistic != "quantile":
        return next(word for word, statistic in OF_ELAPSED.items() if statistic == measure.statistic)
    return "median" if isinstance(measure, Quantile | Elapsed) and measure.q == MEDIAN else WORDS[type(measure)]


def _options(measure: Measure) -> dict[str, object]:
    """What is said of a measure beside its rows, where it is not the usual."""
    match measure:
        case Quantile(q=q):
            return {} if q == MEDIAN else {"q": q}
        case Streak(run=run, every=every, grace=grace):
            given = {"run": run, "every": every, "grace": grace}
            usual = Streak(measure.rows)
            return {name: one for name, one in given.items() if one != getattr(usual, name)}
        case Elapsed(start=start, end=end, unit=unit, q=q):
            cells: dict[str, object] = {"from": start, "to": end, **({} if unit == "hours" else {"unit": unit})}
            return cells | ({} if q == MEDIAN else {"q": q})
        case TimeBetween(typical=typical):
            return {} if typical == "average" else {"as": typical}
        case Funnel(steps=steps, within_days=within, gives=gives):
            told: dict[str, object] = {"steps": [condition_value(step) for step in steps]}
            return told | ({} if within is None else {"within": within}) | ({} if gives == "steps" else {"as": gives})
        case _:
            return {}


def _where(condition: Condition | None) -> dict[str, object]:
    return {} if condition is None else {"where": condition_value(condition)}


def _derived(series: Series) -> dict[str, object]:
    match series:
        case Ratio(of, Seats()):
            return {"per_seat": series_value(of)}
        case Ratio(of, Arr()):
            return {"per_arr": series_value(of)}
        case Ratio(one, other):
            return {"ratio": [series_value(one), series_value(other)]}
        case Subtract(one, other):
            return {"subtract": [series_value(one), series_value(other)]}
        case Add(parts):
            return {"add": [series_value(part) for part in parts]}
        case Multiply(parts):
            return {"multiply": [series_value(part) for part in parts]}
        case Before(of, days):
            return {"before": {"of": series_value(of), "days": days}}
        case Change(of, days, relative):
            return {"change": {"of": series_value(of), "days": days} | ({"as": "ratio"} if relative else {})}
        case Trend(of, steps, step_days):
            return {"trend": {"of": series_value(of), "steps": steps, "every": step_days}}
        case Share(of, where):
            return {"share": {"of": _measure(of), "where": condition_value(where)}}
        case ZScore(of, within):
            return {"z_score": {"of": series_value(of), "within": within} if within else series_value(of)}
        case Case(whens, otherwise):
            items: list[object] = [{"when": _criteria(when.criteria), "then": series_value(when.then)} for when in whens]
            return {"case": items if otherwise is None else [*items, {"otherwise": series_value(otherwise)}]}
        case _:
            raise TypeError(f"{type(series).__name__} is no node of the language")


def _criteria(criteria: Sequence[Criterion]) -> object:
    """`{metric: value}` where each compares another metric, else a list."""
    names = [one.of.metric for one in criteria if isinstance(one.of, Reference)]
    if len(set(names)) == len(criteria):
        return {name: _compared(one) for name, one in zip(names, criteria, strict=True)}
    return [{"of": series_value(one.of), one.comparison: _values(one.values)} for one in criteria]


def _compared(criterion: Criterion) -> object:
    values = _values(criterion.values)
    return values if criterion.comparison == "is" else {criterion.comparison: values}


# Conditions


def condition_value(condition: Condition) -> dict[str, object]:
    """A condition as the mapping that `where` has."""
    match condition:
        case AllOf(parts):
            return _all_of(parts)
        case AnyOf(parts):
            return {"any": [condition_value(part) for part in parts]}
        case _:
            simple = _simple(condition)
            if simple is None:
                return {"not": condition_value(condition.condition)} if isinstance(condition, Not) else {}
            column, test = simple
            return {column: test} if column not in LOGIC_FIELDS else {"column": column} | _tests(test)


def _all_of(parts: Sequence[Condition]) -> dict[str, object]:
    """A line for each column where that says the same, else `all`."""
    simple = [_simple(part) for part in parts]
    columns = {one[0] for one in simple if one is not None}
    if len(parts) > 1 and len(columns) == len(parts) and not columns & {*LOGIC_FIELDS}:
        return {one[0]: one[1] for one in simple if one is not None}
    return {"all": [condition_value(part) for part in parts]}


def _simple(condition: Condition) -> tuple[str, object] | None:
    """The column and what it is tested for, where a condition is of one column."""
    match condition:
        case IsIn(column, values):
            return column, _values(values)
        case Compare(column, comparison, value):
            return column, {comparison: value.isoformat() if isinstance(value, date) else value}
        case HasText(column, test, text):
            return column, {test: text}
        case IsEmpty(column):
            return column, {"empty": True}
        case Not(IsIn(column, values)):
            return column, {"not": _values(values)}
        case Not(IsEmpty(column)):
            return column, {"empty": False}
        case _:
            return None


def _tests(test: object) -> dict[str, object]:
    return {str(name): one for name, one in test.items()} if isinstance(test, dict) and set(test) != {"day"} else {"is": test}


def _values(values: Sequence[Scalar]) -> object:
    found = [{"day": one.isoformat()} if isinstance(one, date) else one for one in values]
    return found[0] if len(found) == 1 else found


# Text


def _block(fields: dict[str, object]) -> list[str]:
    """The lines of a mapping: what is short in brackets, what is long on lines of its own."""
    lines: list[str] = []
    for key, one in fields.items():
        line = f"{written_scalar(key)}: {_flow(one)}"
        if len(line) <= WIDEST or not isinstance(one, dict | list) or not one:
            lines.append(line)
        elif isinstance(one, dict):
            lines += [f"{written_scalar(key)}:", *(f"  {inner}" for inner in _block({str(name): each for name, each in one.items()}))]
        else:
            lines += [f"{written_scalar(key)}:", *(f"  - {_flow(item)}" for item in one)]
    return lines


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written_scalar(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    if value is None:
        return "null"
    return repr(value) if isinstance(value, float) else written_scalar(value)
