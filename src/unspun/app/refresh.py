"""The operation "refresh": check the book, judge risk, forecast, score the forecasts, and make what the pages of the console read.

Each step publishes what its own command would publish: after a refresh that command finds its figures in the ledger already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic

from unspun.app.access import Actor
from unspun.app.checks import CheckRequest, check_book
from unspun.app.evidence.inputs import OpenTrial
from unspun.app.forecast.figures import forecast_figures
from unspun.app.forecast.making import forecast_now, settings_of
from unspun.app.forecast.record import judge_forecasters, published_forecasts, record_figures
from unspun.app.forecast.run import ForecastRequest, checked
from unspun.app.forecast.stated import stated_forecasts
from unspun.app.portfolio.make import Refreshed, make_read_model
from unspun.app.publication import FigureSet, publish
from unspun.app.published.laying import LookedAhead, LookedBack, look_back, pages_of
from unspun.app.published.pages import Laid
from unspun.app.retention import RetentionRequest, measure_retention
from unspun.app.risk.basis import RiskRequest, opened_risk
from unspun.app.risk.figures import figure_set, judged_renewals
from unspun.app.risk.inputs import RiskInputs, lay_out_risk
from unspun.app.risk.models import model_for
from unspun.app.risk.run import versioned
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.workspace import Workspace
from unspun.book.retention.result import RetentionResult
from unspun.errors import BadInput
from unspun.progress import Progress, silent

HINDRANCES = frozenset({"no_terms", "no_renewals"})


@dataclass(frozen=True, slots=True)
class RefreshRequest:
    """What a refresh does besides: put metrics and scores on trial and measure performance (`evidence`; else their pages stay as they are),
    fit a new version of the risk model (`fit`). `as_of` None is the last day on which the book knows anything of outcomes."""

    evidence: bool = False
    fit: bool = False
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class RefreshRun:
    """What came of a refresh. `entries` are the ledger entries by step, None where a step could not be made; `why` says why, by step.

    `key` names the read model, `written` is False where it was there already: nothing had changed. `renewals` are not decided yet,
    `untold` of them have no probability; `seconds` by step.
    """

    as_of: date
    book_version: int
    entries: Mapping[str, int | None]
    why: Mapping[str, str]
    findings: Mapping[str, int]
    renewals: int
    untold: int
    model_why: str
    key: str
    written: bool
    seconds: Mapping[str, float]


class _Clock:
    """How long each step took."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = monotonic()

    def lap(self, step: str) -> None:
        now = monotonic()
        self.seconds[step], self._last = round(now - self._last, 3), now


def refresh(
    workspace: Workspace,
    at: datetime,
    progress: Progress = silent,
    actor: Actor | None = None,
    request: RefreshRequest = RefreshRequest(),
) -> RefreshRun:
    """Do all of it and put the new read model in force; until then pages show the one before.

    Each step is published when it is done, so that one that is cut off is soon run again. Raises Forbidden where an `actor` may not;
    BadInput: nothing loaded, no renewals, faults of the definitions; UnspunError where rows were erased meanwhile.
    """
    if actor is not None:
        actor.require("refresh.run")
    clock, why = _Clock(), dict[str, str]()
    report = check_book(workspace, CheckRequest(), at, progress)
    findings: dict[str, int] = {}
    for one in report.judged:
        findings[one.finding.severity] = findings.get(one.finding.severity, 0) + 1
    clock.lap("check")
    back = look_back(workspace, request.evidence, request.as_of, at, progress)
    why |= back.why
    clock.lap("evidence")
    retention, retention_entry = _retention(workspace, at, progress, why)
    clock.lap("retention")
    definition = workspace_definitions(workspace).metrics
    with opened_risk(workspace, RiskRequest(as_of=request.as_of, fit=request.fit), definition, at, progress) as (trial, basis, left_out):
        inputs = replace(lay_out_risk(trial, basis, definition, progress), left_out=left_out)
        clock.lap("metrics")
        earlier = {"check": report.entry, "retention": retention_entry, **back.entries}
        made, model_why = _published(workspace, trial, inputs, request, retention, earlier, back, why, at, progress, clock)
        key, written = make_read_model(workspace, trial, made, progress)
        clock.lap("read model")
    return RefreshRun(
        as_of=inputs.as_of,
        book_version=inputs.book_version,
        entries=made.entries,
        why=why,
        findings=findings,
        renewals=len(made.risk.renewals),
        untold=sum(bool(one.cannot_tell) for one in made.risk.renewals),
        model_why=model_why,
        key=key,
        written=written,
        seconds=clock.seconds,
    )


def _retention(workspace: Workspace, at: datetime, progress: Progress, why: dict[str, str]) -> tuple[RetentionResult | None, int | None]:
    """What retention was; a book that has no terms has none."""
    try:
        run = measure_retention(workspace, RetentionRequest(), at, progress)
    except BadInput as refusal:
        if not {one.code for one in refusal.faults} <= HINDRANCES:
            raise
        why["retention"] = refusal.faults[0].message
        return None, None
    return run.result, run.entry


def _published(
    workspace: Workspace,
    trial: OpenTrial,
    inputs: RiskInputs,
    request: RefreshRequest,
    retention: RetentionResult | None,
    earlier: Mapping[str, int | None],
    back: LookedBack,
    why: Mapping[str, str],
    at: datetime,
    progress: Progress,
    clock: _Clock,
) -> tuple[Refreshed, str]:
    """Risk, forecast and record from the same rows, each published."""
    book_check, asked = checked(trial, inputs, at.date()), RiskRequest()
    model = model_for(workspace, trial, inputs, request.fit, at, progress)
    clock.lap("model")
    risk = judged_renewals(inputs, model.fitted, progress)
    told_risk = _laid(workspace, figure_set(inputs, model, asked.settings, risk, book_check), at)
    clock.lap("risk")
    forecast = forecast_now(inputs, model, settings_of(ForecastRequest().months), progress)
    told_forecast = _laid(workspace, forecast_figures(inputs, forecast, book_check), at)
    clock.lap("forecast")
    progress("scoring forecasters", 0, 0)
    stated = stated_forecasts(trial.reader.catalog, inputs.basis.day)
    record = judge_forecasters(trial, inputs, published_forecasts(trial.reader.catalog, inputs.as_of), stated)
    told_record = _laid(workspace, record_figures(inputs, record, book_check, stated), at)
    clock.lap("record")
    told = {"risk": told_risk, "forecast": told_forecast, "record": told_record}
    entries = {**earlier, "model": model.entry, **{name: one.entry.seq for name, one in told.items()}}
    judged = replace(risk, model=versioned(risk, model)), told_risk
    pages = pages_of(workspace, back, LookedAhead(judged, (forecast, told_forecast), (record, told_record)))
    return Refreshed(inputs, model.fitted, risk, forecast, record, retention, entries, why, pages), model.why


def _laid(workspace: Workspace, figures: FigureSet, at: datetime) -> Laid:
    """The figures, published."""
    return Laid(figures, publish(workspace, figures, at))
