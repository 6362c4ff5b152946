"""The operations on scores.yml: list the health scores, check them against the metrics and the book, explain one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unspun.app.badges import Badge, badge_of
from unspun.app.health.definition import ScoresDefinition, ScoreVersion, kind_faults, score_versions, workspace_scores
from unspun.app.health.run import HealthRun, figure_sha256
from unspun.app.panel.basis import held_tables
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.health.definition import HealthScore
from unspun.health.write_yaml import as_yaml, definition_sha256


@dataclass(frozen=True, slots=True)
class ListedScore:
    """A score as it is listed: itself, the SHA-256 of what its values follow from, and what is known of it."""

    score: HealthScore
    sha256: str
    badge: Badge


@dataclass(frozen=True, slots=True)
class CheckedScores:
    """What checking scores.yml found: how many scores, the version of the book they were checked against (None: nothing is loaded yet),
    and the faults."""

    scores: int
    book_version: int | None
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True)
class ExplainedScore:
    """What one score is: its definition, the names of its metrics, its YAML, what is known of it, and its versions, oldest first."""

    listed: ListedScore
    labels: Mapping[str, str]
    yaml: str
    versions: tuple[ScoreVersion, ...]
    definition: ScoresDefinition


def list_scores(workspace: Workspace) -> tuple[ListedScore, ...]:
    """The scores of scores.yml, in its order. Raises BadInput with all its faults."""
    declared = workspace_scores(workspace)
    return tuple(listed(workspace, declared, one) for one in declared.scores)


def listed(workspace: Workspace, declared: ScoresDefinition, score: HealthScore) -> ListedScore:
    """A score with its hash and its badge."""
    sha256 = definition_sha256(score, declared.metrics.metrics)
    return ListedScore(score, sha256, badge_of(workspace, score.id, sha256))


def check_scores(workspace: Workspace) -> CheckedScores:
    """Check scores.yml by itself, against metrics.yml, and against the current version of the book."""
    try:
        declared = workspace_scores(workspace)
    except BadInput as refusal:
        return CheckedScores(0, None, refusal.faults)
    with workspace.catalog() as catalog:
        version = catalog.current()
    if version is None:
        return CheckedScores(len(declared.scores), None, ())
    faults = kind_faults(declared, tuple(declared.scores), held_tables(version))
    return CheckedScores(len(declared.scores), version.version, tuple(faults))


def explain_score(workspace: Workspace, id: str) -> ExplainedScore:
    """What a score of scores.yml is. Raises BadInput where there is none of that id."""
    declared = workspace_scores(workspace)
    score = declared.scores.score(id)
    return ExplainedScore(
        listed=listed(workspace, declared, score),
        labels={metric: declared.metrics.metrics.metric(metric).label for metric in score.metrics},
        yaml=as_yaml(score),
        versions=score_versions(workspace, declared, id),
        definition=declared,
    )


def badge_record(badge: Badge) -> dict[str, Any]:
    """A badge as plain values."""
    return {
        "verdict": badge.verdict,
        "as_of": None if badge.date is None else badge.date.isoformat(),
        "entry": badge.entry,
        "note": badge.note,
    }


def badges_of(workspace: Workspace, run: HealthRun) -> dict[str, Badge]:
    """What is known of each score of a run, by its id."""
    return {one.id: badge_of(workspace, one.id, figure_sha256(run.figures, one.id)) for one in run.scores}
