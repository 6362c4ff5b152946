"""What can be put on trial: metrics and health scores that a company declares; scores, surveys and forecasts that it records."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from unspun.app.panel.basis import held_tables
from unspun.app.panel.request import MetricsDefinition, metrics_needed, tables_read
from unspun.app.trial.book import TrialDay
from unspun.app.trial.panel import TrialPanel
from unspun.app.trial.scores import UNNAMED, forecaster_names, score_names, survey_names
from unspun.app.workspace import METRICS_FILE, SCORES_FILE, Workspace
from unspun.audit.evidence_result import Subject, SubjectKind
from unspun.book.columns import did_you_mean
from unspun.book.tables import Codes, Floats
from unspun.errors import BadInput, Fault
from unspun.health.definition import HealthScore
from unspun.health.formula import as_series, compute
from unspun.health.read_file import ScoresFile, read_scores
from unspun.health.write_yaml import as_yaml as score_as_yaml
from unspun.health.write_yaml import definition_sha256 as score_sha256
from unspun.metrics.conditions import Condition, IsEmpty, IsIn
from unspun.metrics.kinds import check_against, kind_of
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import DATED_TABLES, Average, Rows
from unspun.metrics.question import HeldTable
from unspun.metrics.read_file import read_metrics
from unspun.metrics.windows import Days
from unspun.metrics.write_yaml import as_yaml, file_as_yaml
from unspun.warehouse.read import BookReader

METRIC, HEALTH, SCORE, SURVEY, FORECAST = "metric", "health", "score", "survey", "forecast"
KINDS: Mapping[str, SubjectKind] = {METRIC: "metric", HEALTH: "health score", SCORE: "score", SURVEY: "survey", FORECAST: "forecast"}
"""What a key begins with, and what it then is of."""
SURVEY_DAYS = 365


@dataclass(frozen=True, slots=True)
class Definitions:
    """What a company declares: its metrics and health scores, with the texts that declare them, "" where there is no file."""

    metrics: MetricsDefinition
    scores: ScoresFile


def workspace_definitions(workspace: Workspace) -> Definitions:
    """The definitions as they stand. Raises BadInput with all their faults."""
    return definitions_of(workspace.metrics_text() if workspace.metrics_file.exists() else "", workspace.scores_text())


def definitions_of(metrics_text: str, scores_text: str) -> Definitions:
    """The definitions of these texts. Raises BadInput with all their faults."""
    file = read_metrics(metrics_text, METRICS_FILE)
    scores = read_scores(scores_text, SCORES_FILE, [one.id for one in file.metrics])
    return Definitions(MetricsDefinition(file.metrics, metrics_text, places=file.places), scores)


@dataclass(frozen=True, slots=True)
class Choice:
    """What is put on trial, by key and in order; why something that could have been is `set_aside`."""

    keys: tuple[str, ...]
    set_aside: tuple[tuple[str, str], ...] = ()

    def names(self, prefix: str) -> tuple[str, ...]:
        """The names of those whose keys begin so."""
        return tuple(name for kind, _, name in (key.partition("/") for key in self.keys) if kind == prefix)


def choose(definitions: Definitions, reader: BookReader, day: TrialDay, wanted: Sequence[str]) -> Choice:
    """The subjects that `wanted` (keys, names or patterns; () is all) names. Raises BadInput with every one that names nothing, or names
    only what cannot be judged."""
    unfit = _unfit(definitions, held_tables(reader.version))
    known = [
        *(f"{METRIC}/{one.id}" for one in definitions.metrics.metrics),
        *(f"{HEALTH}/{one.id}" for one in definitions.scores.scores),
        *(f"{SCORE}/{name}" for name in score_names(reader, day)),
        *(f"{SURVEY}/{name}" for name in survey_names(reader, day)),
        *(f"{FORECAST}/{name}" for name in forecaster_names(reader, day)),
    ]
    meant, faults = dict.fromkeys(known) if not wanted else dict[str, None](), list[Fault]()
    for pattern in wanted:
        found = _meant(pattern, known)
        faults += [] if found else [_unknown(pattern, known)]
        faults += [unfit[key] for key in found if key in unfit and key.partition("/")[2] in pattern]
        meant |= dict.fromkeys(found)
    keys = tuple(key for key in known if key in meant and key not in unfit)
    if not keys and not faults:
        faults.append(Fault("no_subjects", "there is nothing to put on trial.", "", "Declare metrics, or load scores or surveys."))
    if faults:
        raise BadInput(list(dict.fromkeys(faults)))
    return Choice(keys, tuple((key, unfit[key].message) for key in known if key in meant and key in unfit))


def _meant(pattern: str, known: Sequence[str]) -> list[str]:
    """A key, else the name of subjects, else those that a pattern fits."""
    exact = [key for key in known if key == pattern] or [key for key in known if key.partition("/")[2] == pattern]
    return exact or [key for key in known if fnmatchcase(key, pattern) or fnmatchcase(key.partition("/")[2], pattern)]


def _unknown(pattern: str, known: Sequence[str]) -> Fault:
    names = [*known, *(key.partition("/")[2] for key in known)]
    hint = f"{did_you_mean(pattern, names)}Name a metric, or a score, survey or forecast of the book (score/NAME); patterns have * in them."
    return Fault("unknown_subject", f"'{pattern}' names nothing that could be put on trial.", "SUBJECT", hint)


def _unfit(definitions: Definitions, tables: Mapping[str, HeldTable]) -> dict[str, Fault]:
    """Metrics and health scores that cannot be judged: their values are texts, or they do not fit the book."""
    definition, found = definitions.metrics, dict[str, Fault]()
    for one in definition.metrics:
        place = definition.places.get(one.id, one.id)
        faults = _faults(definition, (one.id,), tables)
        if not faults and kind_of(one.series, definition.metrics, tables) == "text":
            faults = [Fault("text_metric", f"the values of '{one.id}' are texts, which have no order to judge.", place, "Leave it out.")]
        found |= {f"{METRIC}/{one.id}": faults[0]} if faults else {}
    for score in definitions.scores.scores:
        faults = _faults(definition, score.metrics, tables)
        found |= {f"{HEALTH}/{score.id}": faults[0]} if faults else {}
    return found


def _faults(definition: MetricsDefinition, ids: tuple[str, ...], tables: Mapping[str, HeldTable]) -> list[Fault]:
    return check_against(metrics_needed(definition.metrics, ids), tables, definition.places)


# How they are measured and told


@dataclass(frozen=True, slots=True)
class Measured:
    """The metrics of a trial's panel: `definition` has those of metrics.yml and one a survey. `ids` gives the metric of each key of a
    metric or a survey, `scores` the health score of each key of one."""

    definition: MetricsDefinition
    ids: Mapping[str, str] = field(default_factory=dict[str, str])
    scores: Mapping[str, HealthScore] = field(default_factory=dict[str, HealthScore])

    def metrics_of(self, keys: Sequence[str]) -> tuple[str, ...]:
        """The metrics that these subjects are made of, each once."""
        found = ((self.ids[key],) if key in self.ids else self.scores[key].metrics if key in self.scores else () for key in keys)
        return tuple(dict.fromkeys(id for ids in found for id in ids))


def measured_by(definitions: Definitions, surveys: Sequence[str]) -> Measured:
    """The metrics with one for each survey: the mean of the account's answers of the last SURVEY_DAYS days."""
    definition = definitions.metrics
    letters = "survey"
    while any(one.id.startswith(letters) for one in definition.metrics):
        letters += "y"
    made = [Metric(f"{letters}{i}", _answers(name), direction="higher") for i, name in enumerate(surveys)]
    metrics = MetricSet((*definition.metrics, *made), definition.metrics.sources)
    ids = {f"{SURVEY}/{name}": one.id for name, one in zip(surveys, made, strict=True)}
    ids |= {f"{METRIC}/{one.id}": one.id for one in definition.metrics}
    return Measured(replace(definition, metrics=metrics), ids, {f"{HEALTH}/{one.id}": one for one in definitions.scores.scores})


def _answers(name: str) -> Average:
    where: Condition = IsEmpty("survey") if name == UNNAMED else IsIn("survey", (name,))
    return Average(Rows("responses", where, Days(SURVEY_DAYS)), "answer")


def values_of(key: str, measured: Measured, panel: TrialPanel) -> tuple[Floats, Codes] | None:
    """What a metric, a health score or a survey was on each row of a panel, and why it had no value; None of what was recorded."""
    if key in measured.ids:
        id = measured.ids[key]
        return panel.columns[id], panel.missing[id]
    if key not in measured.scores:
        return None
    score = measured.scores[key]
    columns = {id: panel.texts[id] if id in panel.texts else panel.columns[id] for id in score.metrics}
    scored = compute(score, columns, {id: panel.missing[id] for id in score.metrics})
    return as_series(scored), scored.reason


def subject_of(key: str, measured: Measured) -> Subject:
    """A subject as it is told, without why rows lack a value."""
    prefix, _, name = key.partition("/")
    if key in measured.scores:
        score = measured.scores[key]
        return Subject(key, KINDS[prefix], score.label, "points", score_as_yaml(score))
    if prefix != METRIC:
        return Subject(key, KINDS[prefix], name)
    metric = measured.definition.metrics.metric(name)
    return Subject(key, KINDS[prefix], metric.label, metric.unit, as_yaml(metric), metric.direction != "neutral")


def is_lower_healthier(key: str, measured: Measured) -> bool:
    """Whether a metric declares that less of it is the healthier."""
    prefix, _, name = key.partition("/")
    return prefix == METRIC and measured.definition.metrics.metric(name).direction == "lower"


def definition_sha256(key: str, measured: Measured) -> str:
    """The SHA-256 of what decides a subject's values and their direction: of a metric it and all metrics that it refers to, and what is
    declared of the tables that they read. Names and descriptions are no part of it. "" of what was recorded."""
    metrics = measured.definition.metrics
    if key in measured.scores:
        return score_sha256(measured.scores[key], metrics)
    if key not in measured.ids:
        return ""
    id = measured.ids[key]
    name = SURVEY if key.startswith(f"{SURVEY}/") else id
    needed = metrics_needed(metrics, (id,))
    others = sorted((one for one in needed if one.id != id), key=lambda one: one.id)
    sources = {table: metrics.source(table) for table in tables_read(metrics, (id,)) if table in DATED_TABLES}
    bare = MetricSet((_bare(metrics.metric(id), name), *(_bare(one, one.id) for one in others)), sources)
    return hashlib.sha256(file_as_yaml(bare).encode()).hexdigest()


def _bare(metric: Metric, id: str) -> Metric:
    return Metric(id, metric.series, direction=metric.direction)
