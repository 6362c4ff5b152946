"""metrics.yml: read into a set of metrics with all its faults at once, each at its line.

An example, which docs/reference/metrics-yml.md explains:

    metrics:
      logins_28d:
        name: Logins
        description: How often anybody of the account logged in.
        count: events
        where: {event: login}
        window: 28d
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import cast

from unspun.book.columns import did_you_mean
from unspun.book.mapping.yaml_checks import YamlChecks, listed
from unspun.book.mapping.yaml_nodes import YamlPath, read_yaml
from unspun.errors import BadInput
from unspun.metrics.fields import COVERS, FILE_FIELDS, METRIC_FIELDS, SOURCE_FIELDS
from unspun.metrics.forms import printable
from unspun.metrics.metric import MOST_METRICS, USUAL_SOURCES, Direction, Metric, MetricSet, SourceRules, set_faults
from unspun.metrics.nodes import DATED_TABLES, Constant
from unspun.metrics.read_by import BY, Split, metrics_of, read_split
from unspun.metrics.read_condition import made
from unspun.metrics.read_series import SeriesReader

SAFE = Constant(0)
"""Stands for a series, so that the texts of a metric are checked by themselves."""


@dataclass(frozen=True, slots=True)
class MetricsFile:
    """The metrics of a file, its text, and where each stands in it: `metrics.yml:12` by its id."""

    metrics: MetricSet
    text: str
    places: Mapping[str, str]


def read_metrics(text: str, name: str = "metrics.yml") -> MetricsFile:
    """The metrics that `text` declares; an empty file declares none. Raises BadInput with every fault, at `name:line`.

    A value that an alias repeats has its faults at the line of the alias.
    """
    document = read_yaml(text, name)
    checks = YamlChecks(document)
    given = {} if document.value is None else _fields(checks, document.value)
    sources = _sources(checks, given.get("sources"))
    entries = {} if given.get("metrics") is None else checks.entries(("metrics",), given["metrics"])
    splits = {id: split for id, one in entries.items() if (split := _split(checks, ("metrics", id), one)) is not None}
    if len(entries) + sum(len(split.values) for split in splits.values()) > MOST_METRICS:
        checks.fault("too_many_metrics", f"with 'by' there are more than {MOST_METRICS:,} metrics.", ("metrics",), "Split the file.")
        splits = {}
    origins = {id: id for id in entries} | {f"{id}_{suffix}": id for id, split in splits.items() for suffix, _ in split.conditions()}
    reader = SeriesReader(checks, origins)
    metrics: list[Metric] = []
    for id, one in entries.items():
        metric = _metric(reader, ("metrics", id), id, one)
        if metric is not None:
            metrics += metrics_of(checks, ("metrics", id, BY), metric, splits[id]) if id in splits else [metric]
    for fault in set_faults(metrics, tuple(origins)):
        at = ("metrics", origins.get(fault.where, fault.where)) if fault.where else ("metrics",)
        checks.fault(fault.code, fault.message, at, fault.hint)
    if checks.faults:
        raise BadInput(checks.faults)
    places = {one.id: document.place(("metrics", origins[one.id])) for one in metrics}
    return MetricsFile(MetricSet(tuple(metrics), sources), text, places)


def _fields(checks: YamlChecks, value: object) -> dict[str, object]:
    """The two parts of the file; either may be empty, as in a file whose lines are all comments yet."""
    given = checks.entries((), value)
    for name in given:
        if name not in FILE_FIELDS:
            hint = f"{did_you_mean(name, FILE_FIELDS)}Here stand {listed(FILE_FIELDS)}; a metric stands below 'metrics'."
            checks.fault("unknown_key", f"{printable(name)} means nothing here.", (name,), hint)
    return {name: one for name, one in given.items() if name in FILE_FIELDS}


def _metric(reader: SeriesReader, path: YamlPath, id: str, value: object) -> Metric | None:
    checks = reader.checks
    given = checks.entries(path, value)
    if not isinstance(value, dict):
        return None
    series = reader.mapping(path, given, (*METRIC_FIELDS, BY))
    texts = {name: _text(checks, (*path, name), given[name]) for name in METRIC_FIELDS if name in given}
    if "description" not in given:
        checks.fault("missing_key", f"{printable(id)} has no description.", path, "Add `description:` and what it measures.")
    told = {name: text for name, text in texts.items() if text is not None}
    # an id or a text that cannot be is told besides the faults of the series
    stand_in = made(checks, path, lambda: Metric(id, SAFE, **_typed(told)))
    if series is None or stand_in is None or len(told) < len(texts) or "description" not in given:
        return None
    return made(checks, path, lambda: replace(stand_in, series=series))


def _split(checks: YamlChecks, path: YamlPath, value: object) -> Split | None:
    """What a metric is told apart by; None: nothing, or it is at fault."""
    return read_split(checks, (*path, BY), value[BY]) if isinstance(value, dict) and BY in value else None


def _typed(told: dict[str, str]) -> dict[str, Direction]:
    return cast("dict[str, Direction]", told)


def _text(checks: YamlChecks, path: YamlPath, value: object) -> str | None:
    if isinstance(value, str):
        return value
    hint = f'Put it in quotes: "{value}".' if isinstance(value, int | float) else "Write one text."
    checks.fault("not_text", f"'{path[-1]}' is no text.", path, hint)
    return None


def _sources(checks: YamlChecks, value: object) -> dict[str, SourceRules]:
    found: dict[str, SourceRules] = {}
    for table, one in ({} if value is None else checks.entries(("sources",), value)).items():
        if table not in DATED_TABLES:
            hint = f"{did_you_mean(table, DATED_TABLES)}The tables are {', '.join(DATED_TABLES)}."
            checks.fault("unknown_table", f"{printable(table)} is no table with dated rows of accounts.", ("sources", table), hint)
        elif (rules := _source(checks, ("sources", table), table, one)) is not None:
            found[table] = rules
    return found


def _source(checks: YamlChecks, path: YamlPath, table: str, value: object) -> SourceRules | None:
    given = checks.entries(path, value)
    _check_words(checks, path, given, SOURCE_FIELDS)
    usual = USUAL_SOURCES.get(table, SourceRules())
    covers = checks.choice((*path, "covers"), given["covers"], tuple(COVERS)) if "covers" in given else None
    days = given.get("silent_days", usual.silent_days)
    if days is not None and (not isinstance(days, int) or isinstance(days, bool)):
        checks.fault("bad_days", "'silent_days' must be a whole number of days, or null.", (*path, "silent_days"), "Write 7.")
        return None
    covers_every = usual.covers_every_account if covers is None or covers not in COVERS else COVERS[covers]
    return made(checks, (*path, "silent_days"), lambda: SourceRules(covers_every, days))


def _check_words(checks: YamlChecks, path: YamlPath, given: Collection[str], known: Collection[str]) -> None:
    for name in given:
        if name not in known:
            hint = f"{did_you_mean(name, known)}Here stand {listed(known)}."
            checks.fault("unknown_key", f"{printable(name)} means nothing here.", (*path, name), hint)
