"""The operation "forecast renewals": what becomes of the renewals to come, entered in the ledger so that it can be scored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic
from typing import Any

from unspun.app.checks import recorded_check
from unspun.app.evidence.inputs import OpenTrial
from unspun.app.forecast.figures import forecast_figures
from unspun.app.forecast.making import forecast_now, settings_of
from unspun.app.publication import FigureSet, publish
from unspun.app.risk.basis import RiskRequest, opened_risk
from unspun.app.risk.inputs import RiskInputs, lay_out_risk
from unspun.app.risk.models import model_for
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.workspace import Workspace
from unspun.errors import BadInput, Fault
from unspun.ledger.chain import written_anchor
from unspun.progress import Progress, silent
from unspun.risk.forecast.result import Forecast

MOST_MONTHS = 36


@dataclass(frozen=True, slots=True)
class ForecastRequest:
    """What is asked: as of which day (None: the last one on which anything is known), how far ahead, of which version of the book (None:
    the current one), by which metrics (ids or patterns; () is all that can be used). `fit` fits a new version of the risk model."""

    as_of: date | None = None
    months: int = 12
    version: int | None = None
    memory: str | None = None
    engine: str | None = None
    metrics: tuple[str, ...] = ()
    fit: bool = False

    @property
    def risk(self) -> RiskRequest:
        """The same as a request of renewal risk."""
        return RiskRequest(self.as_of, self.version, self.memory, self.engine, self.metrics, fit=self.fit)


@dataclass(frozen=True, slots=True)
class ForecastRun:
    """What came of a run, as forecast and as published. `model_made` tells whether it fitted the model, `model_why` how that came about."""

    result: Forecast
    figures: FigureSet
    entry: int
    anchor: str
    model_made: bool
    model_why: str
    seconds: float


def forecast(workspace: Workspace, request: ForecastRequest, at: datetime, progress: Progress = silent) -> ForecastRun:
    """Forecast the renewals due within the horizon by the risk model in force, and publish it.

    The same request on the same version of the book gives the same bytes. Raises BadInput: nothing loaded, no renewals, faults of the
    definitions or the request.
    """
    began = monotonic()
    if not 1 <= request.months <= MOST_MONTHS:
        raise BadInput(Fault("months", f"a forecast of {request.months} months cannot be made.", "months", f"Give 1 to {MOST_MONTHS}."))
    definition = workspace_definitions(workspace).metrics
    with opened_risk(workspace, request.risk, definition, at, progress) as (trial, basis, left_out):
        inputs = replace(lay_out_risk(trial, basis, definition, progress), left_out=left_out)
        model = model_for(workspace, trial, inputs, request.fit, at, progress)
        result = forecast_now(inputs, model, settings_of(request.months), progress)
        figures = forecast_figures(inputs, result, checked(trial, inputs, at.date()))
        entry = publish(workspace, figures, at)
    return ForecastRun(result, figures, entry.seq, written_anchor(entry), model.made, model.why, monotonic() - began)


def checked(trial: OpenTrial, inputs: RiskInputs, today: date) -> Mapping[str, Any] | None:
    """What the quality gate had found in the tables that the rows rest on."""
    found = recorded_check(trial.reader.catalog, today)
    return None if found is None else found.record(inputs.tables, date.min, inputs.as_of)
