"""The operation "judge evidence": everything that a company measures put on trial by the audit protocol, and recorded in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from time import monotonic
from typing import Any

from unspun._version import __version__
from unspun.app.checks import recorded_check
from unspun.app.evidence.changes import Changes, changes_since
from unspun.app.evidence.figures import KIND, Judged, figures_of, judge_trial, tables_of
from unspun.app.evidence.inputs import EvidenceRequest, OpenTrial, TrialBasis, basis_of_trial, opened_trial
from unspun.app.publication import FigureSet, publish
from unspun.app.trial.subjects import Definitions, workspace_definitions
from unspun.app.workspace import METRICS_FILE, SCORES_FILE, Workspace
from unspun.audit.evidence_result import EvidenceResult
from unspun.audit.evidence_rows import Trace
from unspun.ledger.chain import Entry, written_anchor
from unspun.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class EvidenceRun:
    """What came of a trial, as judged and as published; `changes` None: there was no trial before, or none was asked for.

    `sha256` is of each subject's definition, by key; `set_aside` are the keys of what could not be put on trial, and why. Accounts were
    looked at on `panel_rows` days of theirs, for which `source_rows` rows of the book were read.
    """

    result: EvidenceResult
    trace: Trace
    figures: FigureSet
    entry: int
    anchor: str
    changes: Changes | None
    sha256: Mapping[str, str]
    set_aside: tuple[tuple[str, str], ...]
    seconds: float
    panel_rows: int
    source_rows: int


def judge_evidence(
    workspace: Workspace, request: EvidenceRequest, at: datetime, progress: Progress = silent, compare: bool = True
) -> EvidenceRun:
    """Put the subjects of a request on trial, publish what came of it, and say what changed since the last time (unless not to `compare`).

    Raises BadInput: nothing loaded, faults of the definitions or the request, no renewal that was decided.
    """
    began = monotonic()
    definitions = workspace_definitions(workspace)
    with opened_trial(workspace, request, definitions.metrics, at, progress) as trial:
        basis, choice = basis_of_trial(workspace, request, definitions, trial, at)
        judged = judge_trial(trial, basis, definitions, progress)
        figures = _figure_set(trial, basis, definitions, judged, at.date())
        entry = _published(workspace, figures, definitions, at)
        changes = changes_since(trial, entry, figures, progress) if compare else None
    return EvidenceRun(
        result=judged.result,
        trace=judged.trace,
        figures=figures,
        entry=entry.seq,
        anchor=written_anchor(entry),
        changes=changes,
        sha256=judged.laid.sha256,
        set_aside=(*choice.set_aside, *judged.laid.set_aside),
        seconds=monotonic() - began,
        panel_rows=len(judged.laid.panel),
        source_rows=judged.laid.panel.source_rows,
    )


def _published(workspace: Workspace, figures: FigureSet, definitions: Definitions, at: datetime) -> Entry:
    """The entry of the figures; scores.yml is recorded beside metrics.yml where it declares anything."""
    entry = publish(workspace, figures, at)
    if len(definitions.scores.scores):
        with workspace.catalog() as catalog:
            catalog.record_definition(SCORES_FILE, definitions.scores.text, at)
    return entry


def _figure_set(trial: OpenTrial, basis: TrialBasis, definitions: Definitions, judged: Judged, today: date) -> FigureSet:
    book, tables = trial.whole.version, tables_of(basis, judged)
    return FigureSet(
        kind=KIND,
        question={**basis.to_json(), "scores_yml": definitions.scores.text},
        definition_name=METRICS_FILE,
        definition_text=definitions.metrics.text,
        as_of=basis.panel.known_on,
        book_version=book.version,
        book_digest=book.digest,
        engine=trial.database.kind,
        engine_version=trial.database.version,
        package_version=__version__,
        queries=judged.laid.panel.queries,
        figures=figures_of(judged),
        book_check=_book_check(trial, tables, basis.panel.known_on, today),
        in_place=tuple(record for record in trial.whole.records if record["table"] in tables),
    )


def _book_check(trial: OpenTrial, tables: tuple[str, ...], last: date, today: date) -> Mapping[str, Any] | None:
    checked = recorded_check(trial.reader.catalog, today)
    return None if checked is None else checked.record(tables, date.min, last)
