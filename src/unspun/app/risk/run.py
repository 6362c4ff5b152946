"""The operation "judge renewal risk": every open renewal by the model in force, recorded in the ledger, beside what the last run said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic
from typing import Any

from unspun.app.checks import recorded_check
from unspun.app.evidence.inputs import OpenTrial
from unspun.app.publication import FigureSet, publish
from unspun.app.risk.basis import RiskRequest, opened_risk
from unspun.app.risk.changes import RiskChanges, changes_since
from unspun.app.risk.figures import figure_set, judged_renewals
from unspun.app.risk.inputs import RiskInputs, lay_out_risk
from unspun.app.risk.models import ModelVersion, model_for
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.workspace import Workspace
from unspun.book.columns import did_you_mean
from unspun.errors import BadInput, Fault
from unspun.ledger.chain import written_anchor
from unspun.progress import Progress, silent
from unspun.risk.result import ModelRecord, RiskResult


@dataclass(frozen=True, slots=True)
class RiskRun:
    """What came of a run, as judged and as published.

    `model_entry` is the ledger entry of the model (None: none could be fitted), `model_made` whether this run fitted it, and `model_why`
    says in a sentence how it came to be the one. `changes` None: there was no run before, or none was asked for. `left_out` are metrics
    that are no features, and why; `unrecorded` renewals are not listed, as nobody wrote down what became of them. Accounts were looked
    at on `panel_rows` days of theirs, for which `source_rows` rows of the book were read.
    """

    result: RiskResult
    figures: FigureSet
    entry: int
    anchor: str
    model_entry: int | None
    model_made: bool
    model_why: str
    changes: RiskChanges | None
    left_out: tuple[tuple[str, str], ...]
    unrecorded: int
    seconds: float
    panel_rows: int
    source_rows: int


def judge_risk(workspace: Workspace, request: RiskRequest, at: datetime, progress: Progress = silent, compare: bool = True) -> RiskRun:
    """Judge every renewal that is not decided on the as-of day, publish that, and say what changed since the last run (unless not to
    `compare`).

    The model in force judges; where there is none, or a new one is asked for, one is fitted and published first. Raises BadInput: nothing
    loaded, no renewals, faults of the definitions or the request, no such account.
    """
    began = monotonic()
    definition = workspace_definitions(workspace).metrics
    with opened_risk(workspace, request, definition, at, progress) as (trial, basis, left_out):
        inputs = replace(lay_out_risk(trial, basis, definition, progress), left_out=left_out)
        _refuse_unknown(request.account, inputs)
        model = model_for(workspace, trial, inputs, request.fit, at, progress, request.settings)
        result = judged_renewals(inputs, model.fitted, progress)
        figures = figure_set(inputs, model, request.settings, result, _book_check(trial, inputs, at.date()))
        entry = publish(workspace, figures, at)
        changes = changes_since(workspace, trial, inputs, entry, figures, progress) if compare else None
    return RiskRun(
        result=replace(result, model=versioned(result, model)),
        figures=figures,
        entry=entry.seq,
        anchor=written_anchor(entry),
        model_entry=model.entry,
        model_made=model.made,
        model_why=model.why,
        changes=changes,
        left_out=left_out,
        unrecorded=inputs.unrecorded,
        seconds=monotonic() - began,
        panel_rows=inputs.panel_rows,
        source_rows=inputs.source_rows,
    )


def _refuse_unknown(account: str | None, inputs: RiskInputs) -> None:
    if account is not None and account not in inputs.accounts:
        hint = f"{did_you_mean(account, inputs.accounts)}See them with `unspun show accounts`."
        raise BadInput(Fault("no_account", f"no renewal of an account '{account}' is known.", "--account", hint))


def versioned(result: RiskResult, model: ModelVersion) -> Any:
    """The record of the model with the ledger entry that it is kept under."""
    record = result.model
    return replace(record, version=str(model.entry)) if isinstance(record, ModelRecord) and model.entry is not None else record


def _book_check(trial: OpenTrial, inputs: RiskInputs, today: date) -> Mapping[str, Any] | None:
    checked = recorded_check(trial.reader.catalog, today)
    return None if checked is None else checked.record(inputs.tables, date.min, inputs.as_of)
