"""The health scores that a workspace declares: scores.yml with the metrics that it is made of, now and as the ledger has them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from unspun.app.panel.request import MetricsDefinition, definition_of, tables_read, workspace_metrics
from unspun.app.workspace import METRICS_FILE, SCORES_FILE, Workspace
from unspun.errors import BadInput, Fault
from unspun.health.definition import HealthScore, Input, ScoreSet, Values
from unspun.health.read_file import ScoresFile, read_scores
from unspun.health.write_yaml import definition_sha256
from unspun.metrics.kinds import Tables, kind_of
from unspun.metrics.metric import MetricSet


@dataclass(frozen=True, slots=True)
class ScoresDefinition:
    """The scores of scores.yml as it stands, the metrics that they are made of, and where each stands (by `id`, and `id/metric`)."""

    scores: ScoreSet
    text: str
    metrics: MetricsDefinition
    places: Mapping[str, str]
    name: str = SCORES_FILE

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ScoreVersion:
    """A definition of a score: from which entry of the ledger on it was in force and since when (None: it is in none yet)."""

    entry: int | None
    at: datetime | None
    score: HealthScore
    metrics: MetricsDefinition
    sha256: str


def workspace_scores(workspace: Workspace) -> ScoresDefinition:
    """scores.yml as it stands, with the metrics of metrics.yml. Raises BadInput with all faults of both, or where no score is declared."""
    faults: list[Fault] = []
    metrics: MetricsDefinition | None = None
    text = workspace.scores_text()
    try:
        metrics = workspace_metrics(workspace)
    except BadInput as refusal:
        faults += refusal.faults
    file = _read(text, metrics, faults)
    if metrics is None or file is None or faults:
        raise BadInput(faults)
    if not len(file.scores):
        hint = "Declare one: docs/reference/scores-yml.md shows how; `unspun scores fit` proposes one."
        raise BadInput(Fault("no_scores", "it declares no health score.", SCORES_FILE, hint))
    return ScoresDefinition(file.scores, text, metrics, file.places)


def _read(text: str, metrics: MetricsDefinition | None, faults: list[Fault]) -> ScoresFile | None:
    ids = None if metrics is None else tuple(one.id for one in metrics.metrics)
    try:
        return read_scores(text, SCORES_FILE, ids)
    except BadInput as refusal:
        faults += refusal.faults
        return None


def kind_faults(declared: ScoresDefinition, scores: Sequence[HealthScore], tables: Tables) -> list[Fault]:
    """Metrics whose values, by the columns that the book holds, are not what points are declared for."""
    return [
        fault
        for score in scores
        for one in score.inputs
        if (fault := _kind_fault(one, declared.metrics.metrics, tables, declared.places[f"{score.id}/{one.metric}"])) is not None
    ]


def _kind_fault(one: Input, metrics: MetricSet, tables: Tables, place: str) -> Fault | None:
    if any(table not in tables for table in tables_read(metrics, (one.metric,))):
        return None  # nothing is there yet, and of what kind own columns will be is not known
    kind = kind_of(metrics.metric(one.metric).series, metrics, tables)
    texts = isinstance(one.scale, Values)
    if kind == "day":
        hint = "Declare a metric of the days since then or until then, and give that one points."
        return Fault("wrong_scale", f"'{one.metric}' is a day, which has no points.", place, hint)
    if kind == "text" and not texts:
        return Fault("wrong_scale", f"'{one.metric}' is text.", place, "Give its points with 'values'.")
    if kind == "flag" and not (isinstance(one.scale, Values) and {text for text, _ in one.scale.points} <= {"true", "false"}):
        return Fault("wrong_scale", f"'{one.metric}' is true or false.", place, "Write `values: {true: 100, false: 0}`.")
    if kind in ("number", "whole") and isinstance(one.scale, Values) and not any(_is_number(text) for text, _ in one.scale.points):
        return Fault("wrong_scale", f"'{one.metric}' is a number.", place, "Give its points with 'points' or 'steps'.")
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def score_versions(workspace: Workspace, declared: ScoresDefinition, id: str) -> tuple[ScoreVersion, ...]:
    """The definitions of a score in the ledger, where each gives other values than the one before; last, today's where it is in none.

    A definition is a scores.yml with the metrics.yml that was in force beside it: another definition of a metric is another score.
    """
    with workspace.catalog() as catalog:
        recorded = [*catalog.definitions(SCORES_FILE), *catalog.definitions(METRICS_FILE)]
    found: list[ScoreVersion] = []
    texts: dict[str, str] = {}
    for one in sorted(recorded, key=lambda one: one.entry):
        texts[one.name] = one.text
        if len(texts) == 2:
            found += [version for version in _version(id, texts, one.entry, one.at) if not found or version.sha256 != found[-1].sha256]
    today = ScoreVersion(
        None, None, declared.scores.score(id), declared.metrics, definition_sha256(declared.scores.score(id), declared.metrics.metrics)
    )
    return tuple(found) if found and found[-1].sha256 == today.sha256 else (*found, today)


def _version(id: str, texts: Mapping[str, str], entry: int, at: datetime) -> Iterator[ScoreVersion]:
    """The score of that id in earlier files; none where they have none, do not fit together, or this Unspun cannot read them."""
    try:
        metrics = definition_of(texts[METRICS_FILE])
        score = read_scores(texts[SCORES_FILE], SCORES_FILE, tuple(one.id for one in metrics.metrics)).scores.score(id)
    except BadInput:
        return
    definition = MetricsDefinition(metrics.metrics, texts[METRICS_FILE], places=metrics.places)
    yield ScoreVersion(entry, at, score, definition, definition_sha256(score, metrics.metrics))
