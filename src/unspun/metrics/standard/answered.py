"""The answers that metrics.yml holds: what was chosen once is read from the metrics that were written with it, and not asked again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, cast

from unspun.metrics.conditions import AllOf, Compare, Condition, IsIn, Scalar
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import Constant, Funnel, Ratio, Reference, Series
from unspun.metrics.standard.catalogue import CATALOGUE
from unspun.metrics.standard.choices import CHOICES
from unspun.metrics.standard.entry import StandardMetric, filled

TOKENS = {choice.token: id for id, choice in CHOICES.items()}
Found = dict[str, tuple[Scalar, ...]]


def answers_in(existing: MetricSet) -> Mapping[str, tuple[Scalar, ...]]:
    """The answers that standard metrics of a file hold, by the choice's id: of metrics that have the id and the form of an entry."""
    found: Found = {}
    by_id = {metric.id: metric for metric in existing}
    for entry in CATALOGUE.values():
        if not entry.each and (metric := by_id.get(entry.id)) is not None:
            found = _read(entry, metric.series) | found
        elif entry.each:
            found = _of_each(entry, existing) | found
    return {id: values for id, values in found.items() if values}


def _of_each(entry: StandardMetric, existing: MetricSet) -> Found:
    """The answers of an entry that is a metric for each: those of metrics that bear the name that it would give them."""
    read = [_read(entry, metric.series).get(entry.each, ()) for metric in existing if _is_named_by(entry, metric)]
    return {entry.each: tuple(dict.fromkeys(value for values in read for value in values))}


def _is_named_by(entry: StandardMetric, metric: Metric) -> bool:
    return metric.id.endswith(entry.id.partition("_")[2]) and metric.unit == entry.unit and metric.reference == entry.reference


def _read(entry: StandardMetric, series: Series) -> Found:
    """The answers with which an entry is a series; {} where it is none of it."""
    if entry.number_of:
        if not (isinstance(series, Ratio) and isinstance(series.denominator, Constant)):
            return {}
        series = series.numerator
    found: Found = {}
    _match(entry.series, series, found)
    made = filled(entry, {id: found.get(id, ()) for id in TOKENS.values()} | found)
    made = made.numerator if entry.number_of and isinstance(made, Ratio) else made
    return found if made == series or _but_for_references(made) == _but_for_references(series) else {}


def _match(form: object, given: object, found: Found) -> None:
    """Notes what stands in the place of each token; whether all the rest is equal is looked at afterwards."""
    if isinstance(form, str) and form in TOKENS and isinstance(given, str):
        found[TOKENS[form]] = (given,)
    elif isinstance(form, IsIn) and isinstance(given, IsIn):
        _match(form.column, given.column, found)
        if form.values and form.values[0] in TOKENS:
            found[TOKENS[str(form.values[0])]] = given.values
    elif isinstance(form, AllOf):
        _match_all(form.conditions, given, found)
    elif isinstance(form, Funnel) and isinstance(given, Funnel):
        names = tuple(value for step in given.steps if isinstance(step, IsIn) for value in step.values)
        found[TOKENS[str(cast("IsIn", form.steps[0]).values[0])]] = names
    elif is_dataclass(form) and type(form) is type(given):
        for one in fields(cast("Any", form)):
            _match(getattr(form, one.name), getattr(given, one.name), found)
    elif isinstance(form, tuple) and isinstance(given, tuple):
        for one, other in zip(cast("tuple[object, ...]", form), cast("tuple[object, ...]", given), strict=False):
            _match(one, other, found)


def _match_all(forms: tuple[Condition, ...], given: object, found: Found) -> None:
    """Conditions that are joined, of which an optional one may have fallen away: each form takes the first of its kind and column."""
    left = list(given.conditions) if isinstance(given, AllOf) else [given]
    for form in forms:
        for one in left:
            if type(one) is type(form) and _is_of(form, cast("Condition", one)):
                _match(form, one, found)
                left.remove(one)
                break


def _is_of(form: Condition, given: Condition) -> bool:
    if not (isinstance(form, IsIn | Compare) and isinstance(given, IsIn | Compare)):
        return form == given
    return form.column in TOKENS or form.column == given.column


def _but_for_references(node: object) -> object:
    """A node as plain values in which all metrics that are named are one: what they are called is the file's."""
    if isinstance(node, Reference):
        return "metric"
    if isinstance(node, tuple):
        return tuple(_but_for_references(one) for one in cast("tuple[object, ...]", node))
    if is_dataclass(node) and not isinstance(node, type):
        return (type(node).__name__, *(_but_for_references(getattr(node, one.name)) for one in fields(node)))
    return node
