"""Metrics on trial: every subject of a run judged by the audit protocol, with its coverage and shape, and which say the same thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from unspun.audit.asking import TrialDays, trial_days
from unspun.audit.evidence_result import Coverage, EvidenceResult, Redundancy, Subject, SubjectEvidence, SubjectKind
from unspun.audit.evidence_rows import Trace, TracedScore
from unspun.audit.frame import place_in
from unspun.audit.judge import judge, say_settings
from unspun.audit.protocol import AuditSettings
from unspun.audit.redundancy import compare_subjects
from unspun.audit.result import NOT_ON_THESE_DAYS, AuditResult, Caution, ScoreResult, Stability
from unspun.audit.steadiness import Groupings
from unspun.audit.subject_shape import shape_of
from unspun.audit.trial import Trial
from unspun.book.extras import NOTHING_ELSE, Extras
from unspun.book.tables import Renewals, ScoreHistory, ScoreSeries
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent
from unspun.stats.estimate import NoEstimate

NO_VALUE, NOT_KNOWN = "no value", "no value by then"
NO_SUBJECTS = Fault(
    "no_subjects", "there is nothing to judge: no metric, score, survey or forecast", "evidence", "Declare metrics or load scores."
)
TURN: dict[SubjectKind, str] = {
    "metric": "declare `direction` in metrics.yml",
    "health score": "turn its points round in scores.yml",
    "score": "say so where it is audited alone (`unspun audit --direction`)",
    "survey": "say so where it is audited alone (`unspun audit --direction`)",
    "forecast": "say so where it is audited alone (`unspun audit --direction`)",
}


def try_subjects(
    history: ScoreHistory,
    renewals: Renewals,
    subjects: Sequence[Subject],
    settings: AuditSettings,
    package_version: str,
    today: date | None = None,
    progress: Progress = silent,
    extras: Extras = NOTHING_ELSE,
) -> tuple[EvidenceResult, Trace]:
    """Judge each subject's series of a merged history; all of them share one false discovery rate.

    Settings may leave open what trial_days settles. Raises BadInput where there is nothing to judge, ValueError where a subject has
    no series of its key, or two subjects have one.
    """
    if not subjects:
        raise BadInput(NO_SUBJECTS)
    days = trial_days(renewals, settings, today, len(subjects))
    history = replace(history, series=_series_of(history, subjects))
    judged = judge(history, renewals, days.settings, package_version, today, progress, extras)
    audit = _as_evidence(judged.result, subjects, days, settings, renewals)
    traced = judged.trace.scores
    redundancy = compare_subjects(tuple(one.key for one in subjects), tuple(one.described.trial for one in traced))
    groups = _groups(redundancy)
    steady = _stability(audit, traced)
    found = []
    for at, (subject, one) in enumerate(zip(subjects, traced, strict=True)):
        progress("finding shapes", at, len(subjects))
        trial, coverage = one.described.trial, _coverage(subject, one)
        shape = shape_of(trial, one.series, settings.seed)
        found.append(SubjectEvidence(replace(subject, missing=None), coverage, shape, steady[at], groups.get(subject.key)))
    progress("finding shapes", len(subjects), len(subjects))
    return EvidenceResult(audit, tuple(found), redundancy), judged.trace


def _series_of(history: ScoreHistory, subjects: Sequence[Subject]) -> tuple[ScoreSeries, ...]:
    by_name = {series.name: series for series in history.series}
    keys = [subject.key for subject in subjects]
    if absent := [key for key in keys if key not in by_name]:
        raise ValueError(f"no series for {', '.join(absent)}")
    if len(set(keys)) < len(keys):
        raise ValueError("two subjects have the same key")
    return tuple(by_name[key] for key in keys)


def _as_evidence(
    result: AuditResult, subjects: Sequence[Subject], days: TrialDays, settings: AuditSettings, renewals: Renewals
) -> AuditResult:
    """The audit with the reasons by which its days were settled, and with cautions worded for what was judged."""
    design = replace(result.design, why=days.why, as_of_why=days.as_of_why, primary_why=days.primary_why)
    scores = tuple(_cautioned(score, subject) for score, subject in zip(result.scores, subjects, strict=True))
    return replace(result, design=design, scores=scores, settings=say_settings(replace(settings, horizons=days.horizons), renewals))


def _cautioned(score: ScoreResult, subject: Subject) -> ScoreResult:
    found = [_caution(caution, subject, score) for caution in score.cautions]
    cautions = [caution for caution in found if subject.direction_declared or caution.code != "check_direction"]
    if not subject.direction_declared:
        text = (
            f"No direction is declared for this {subject.kind}, so that it was read as higher is healthier: `reversed` then only means "
            "that lower is the healthier."
        )
        cautions.append(Caution("direction_not_declared", text))
    return replace(score, cautions=tuple(cautions))


def _caution(caution: Caution, subject: Subject, score: ScoreResult) -> Caution:
    if caution.code == "check_direction":
        read, other = ("higher", "lower") if score.higher_is_healthier else ("lower", "higher")
        text = f"The {subject.kind} was read as {read} is healthier. If {other} is healthier, {TURN[subject.kind]}."
        return replace(caution, text=text)
    if caution.code == "low_coverage" and subject.kind == "metric":
        return replace(caution, text=caution.text.replace("had no score by then", "had no value"))
    return caution


def _coverage(subject: Subject, one: TracedScore) -> Coverage:
    trial = one.described.trial
    scored, churned = trial.scored, trial.frame.units.churned
    return Coverage(
        n=len(scored),
        with_value=int(scored.sum()),
        churned_with_value=int((scored & churned).sum()),
        churned_without_value=int((~scored & churned).sum()),
        reasons=_reasons(subject, one.series, trial),
    )


def _reasons(subject: Subject, series: ScoreSeries, trial: Trial) -> tuple[tuple[str, int], ...]:
    """Why units have no value, the commonest first: what the subject's own codes say of the row that was looked up."""
    row = trial.row[~trial.scored]
    place = place_in(series, row)
    codes = np.full(len(row), -1) if subject.missing is None else np.where(place >= 0, subject.missing.codes[place], -1)
    named = (*(() if subject.missing is None else subject.missing.names), NO_VALUE)
    absent = NOT_ON_THESE_DAYS.reason if series.exact else NOT_KNOWN
    counts = Counter({named[code]: n for code, n in zip(*_counted(codes[place >= 0]), strict=True)})
    counts[absent] += int((place < 0).sum())
    return tuple(sorted(((reason, n) for reason, n in counts.items() if n), key=lambda held: (-held[1], held[0])))


def _counted(codes: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    found, counts = np.unique(codes, return_counts=True)
    return found.tolist(), counts.tolist()


def _groups(redundancy: Redundancy | NoEstimate) -> dict[str, int]:
    if isinstance(redundancy, NoEstimate):
        return {}
    return {key: at for at, group in enumerate(redundancy.groups) for key in group.keys}


def _stability(audit: AuditResult, traced: tuple[TracedScore, ...]) -> list[Stability]:
    """As described where scores are few, else by groups laid out once for all of them."""
    described = [score.description for score in audit.scores]
    if not any(isinstance(one, NoEstimate) for one in described):
        return [one.stability for one in described if not isinstance(one, NoEstimate)]
    groupings = Groupings(traced[0].described.trial.frame)
    return [groupings.stability(one.described.trial) for one in traced]
