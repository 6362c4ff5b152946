"""A trial judged, and its figures as they are published."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from unspun._version import __version__
from unspun.app.evidence.inputs import LaidOut, OpenTrial, TrialBasis, lay_out
from unspun.app.panel.request import LIFE_TABLES, tables_read
from unspun.app.publication import canonical_json, value_record
from unspun.app.trial.subjects import Definitions
from unspun.audit.evidence_result import EvidenceResult, Redundancy, Shape, SubjectEvidence
from unspun.audit.evidence_rows import Trace
from unspun.audit.on_trial import try_subjects
from unspun.audit.result import ScoreResult
from unspun.progress import Progress, silent
from unspun.stats.estimate import NoEstimate

KIND = "evidence"
UNITS, GROUPS = "units", "groups"
"""Figures of a trial as a whole: names that no subject can have."""
VERDICT, AUC, GAIN, COVERAGE, SHAPE = "verdict", "auc", "gain", "coverage", "shape"
RECORDED_TABLES: Mapping[str, str] = {"score": "scores", "survey": "responses", "forecast": "forecasts"}


@dataclass(frozen=True, slots=True)
class Judged:
    """A trial that was laid out and judged."""

    laid: LaidOut
    result: EvidenceResult
    trace: Trace


def judge_trial(trial: OpenTrial, basis: TrialBasis, definitions: Definitions, progress: Progress = silent) -> Judged:
    """Lay a trial out and judge it. The same basis, definitions and version of the book give the same."""
    laid = lay_out(trial, basis, definitions, progress)
    asked = (laid.history, laid.renewals, laid.subjects, laid.settings, __version__, basis.panel.known_on, progress, laid.extras)
    result, trace = try_subjects(*asked)
    design = replace(result.audit.design, as_of_why=basis.as_of_why)
    return Judged(laid, replace(result, audit=replace(result.audit, design=design)), trace)


def figures_of(judged: Judged) -> tuple[Mapping[str, Any], ...]:
    """The figures of a trial as they are published."""
    found = [figure for score, evidence in _pairs(judged.result) for figure in _of_subject(score, evidence, judged.laid.sha256)]
    return tuple(json_values([*found, *_of_all(judged.result)]))


def json_values(figures: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Figures as they are read back from JSON, so that what is compared is what is written."""
    return json.loads(canonical_json(figures))


def _pairs(result: EvidenceResult) -> Iterator[tuple[ScoreResult, SubjectEvidence]]:
    yield from zip(result.audit.scores, result.subjects, strict=True)


def _of_subject(score: ScoreResult, evidence: SubjectEvidence, sha256: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    key, label, coverage = evidence.subject.key, evidence.subject.label, evidence.coverage
    days, test = score.primary_horizon_days, score.primary.test
    verdict = {"verdict": score.verdict, "why": score.verdict_why, "definition_sha256": sha256[key]}
    covered = {"count": coverage.with_value, "of": coverage.n, "reasons": dict(coverage.reasons)}
    yield {"name": f"{key}/{VERDICT}", "label": f"{label}: verdict", "unit": "verdict", "value": verdict}
    yield {"name": f"{key}/{AUC}", "label": f"{label}: AUC, {days} days ahead", "unit": "AUC", "value": value_record(test.auc)}
    yield {"name": f"{key}/{GAIN}", "label": f"{label}: gain in AUC over the baseline", "unit": "AUC", "value": value_record(test.gain)}
    yield {"name": f"{key}/{COVERAGE}", "label": f"{label}: units with a value", "unit": f"of {coverage.n:,} units", "value": covered}
    yield {"name": f"{key}/{SHAPE}", "label": f"{label}: how churn runs along it", "unit": "shape", "value": _shape_record(evidence.shape)}


def _shape_record(shape: Shape | NoEstimate) -> Mapping[str, Any]:
    if isinstance(shape, NoEstimate):
        return value_record(shape)
    return {"shape": shape.kind, "sentence": shape.sentence, "support": shape.support, "n": shape.n}


def _of_all(result: EvidenceResult) -> Iterator[dict[str, Any]]:
    """How many units were looked at, and which subjects say the same thing."""
    primary = next((score.primary for score in result.audit.scores), None)
    if primary is not None:
        what = "account-months" if result.audit.design.name == "landmark" else "renewals"
        units = {"count": primary.n, "churned": primary.n_churned, "test": primary.test.n, "test_churned": primary.test.n_churned}
        yield {"name": UNITS, "label": f"{what} looked at, {primary.horizon_days} days ahead", "unit": what, "value": units}
    if isinstance(result.redundancy, Redundancy):
        groups = [{"keys": list(one.keys), "keep": one.representative, "lowest_rho": one.lowest_rho} for one in result.redundancy.groups]
        value = {"count": len(groups), "groups": groups}
        yield {"name": GROUPS, "label": "groups that say the same thing", "unit": "groups", "value": value}


def tables_of(basis: TrialBasis, judged: Judged) -> tuple[str, ...]:
    """The tables of the book that a trial rests on."""
    measured = judged.laid.measured
    ids = measured.metrics_of(basis.subjects)
    recorded = [table for prefix, table in RECORDED_TABLES.items() if any(key.startswith(f"{prefix}/") for key in basis.subjects)]
    return tuple(dict.fromkeys([*tables_read(measured.definition.metrics, ids), *LIFE_TABLES, "renewals", *recorded]))
