"""Health scores written as scores.yml: what is read back is equal; and the text of what the values of a score follow from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal

from unspun.book.mapping.source_writer import written_scalar
from unspun.health.definition import Group, HealthScore, Input, Linear, Scale, ScoreSet, Values, number_text
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nesting import references
from unspun.metrics.nodes import Measure, Open, walk
from unspun.metrics.write_yaml import file_as_yaml

WIDEST = 100


def file_as_text(scores: ScoreSet) -> str:
    """A whole scores.yml."""
    lines = [f"  {line}" for one in scores for line in as_yaml(one).splitlines()]
    return "\n".join(["scores:" if lines else "scores: {}", *lines]) + "\n"


def as_yaml(score: HealthScore) -> str:
    """One score as an entry of `scores`, from column 0, its first line `id:`. What is left at its usual value is written out too."""
    return "\n".join([f"{written_scalar(score.id)}:", *(f"  {line}" for line in _score_lines(score))]) + "\n"


def definition_text(score: HealthScore, metrics: MetricSet) -> str:
    """What the values of a score follow from, as YAML: its formula, the metrics that it names and those that these are made of.

    Names, descriptions, owners and bands are left out: another one changes no value. Raises BadInput where a metric is not there.
    """
    needed = needed_metrics(score, metrics)
    tables = {table for one in needed for table in _tables(one)}
    bare = tuple(Metric(one.id, one.series) for one in sorted(needed, key=lambda one: one.id))
    read = MetricSet(bare, {table: metrics.source(table) for table in sorted(tables)})
    return file_as_text(ScoreSet((replace(score, name="", description="", owner="", bands=()),))) + file_as_yaml(read)


def definition_sha256(score: HealthScore, metrics: MetricSet) -> str:
    """The SHA-256 of `definition_text`: two definitions with the same give the same values of the same book."""
    return hashlib.sha256(definition_text(score, metrics).encode()).hexdigest()


def needed_metrics(score: HealthScore, metrics: MetricSet) -> tuple[Metric, ...]:
    """The metrics of a score and those that they are made of. Raises BadInput where one is not there."""
    found: dict[str, Metric] = {}
    waiting = list(score.metrics)
    while waiting:
        id = waiting.pop(0)
        if id not in found:
            found[id] = metrics.metric(id)
            waiting += references(found[id].series)
    return tuple(found.values())


def _tables(metric: Metric) -> Iterator[str]:
    for node in walk(metric.series):
        if isinstance(node, Open):
            yield node.table
        elif isinstance(node, Measure):
            yield node.rows.table


def _score_lines(score: HealthScore) -> Iterator[str]:
    for name in ("name", "description", "owner"):
        if text := getattr(score, name):
            yield f"{name}: {written_scalar(text)}"
    yield f"digits: {score.digits}"
    yield f"range: [{decimal_text(score.low)}, {decimal_text(score.high)}]"
    if len(score.groups) == 1 and not score.groups[0].name:
        yield from _metrics(score.groups[0])
    else:
        yield "groups:"
        for group in score.groups:
            yield f"  {written_scalar(group.name)}:"
            yield f"    weight: {decimal_text(group.weight)}"
            yield from (f"    {line}" for line in _metrics(group))
    if score.bands:
        yield f"bands: {_flow({written_scalar(band.name): decimal_text(band.least) for band in score.bands})}"
    yield f"missing: {{least_weight: {decimal_text(score.least_weight * 100)} %}}"


def _metrics(group: Group) -> Iterator[str]:
    yield "metrics:"
    for one in group.inputs:
        yield from (f"  {line}" for line in _input(one))


def _input(one: Input) -> list[str]:
    """One metric: on a line where it is short enough."""
    fields = {"weight": decimal_text(one.weight), **scale_fields(one.scale)}
    line = f"{written_scalar(one.metric)}: {_flow(fields)}"
    if len(line) <= WIDEST:
        return [line]
    return [f"{written_scalar(one.metric)}:", *(f"  {name}: {text}" for name, text in fields.items())]


def scale_fields(scale: Scale) -> dict[str, str]:
    """How values become points, as scores.yml writes it: its word and what stands behind it."""
    if isinstance(scale, Values):
        fields = {"values": _flow({written_scalar(text): decimal_text(points) for text, points in scale.points})}
        return fields | ({} if scale.otherwise is None else {"otherwise": decimal_text(scale.otherwise)})
    word = "points" if isinstance(scale, Linear) else "steps"
    return {word: _flow({number_text(value): decimal_text(points) for value, points in scale.knots})}


def decimal_text(number: Decimal) -> str:
    """A number without an exponent and without noughts that say nothing."""
    text = f"{number + 0:f}"  # + 0: minus nought is nought
    return text.rstrip("0").rstrip(".") if "." in text else text


def _flow(fields: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {text}" for key, text in fields.items()) + "}"
