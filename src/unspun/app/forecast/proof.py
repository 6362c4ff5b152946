"""Published forecasts and records made again, and the renewals behind their figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

import pyarrow as pa

from unspun.app.evidence.inputs import OpenTrial
from unspun.app.forecast.figures import FAN, FORECAST, NOT_STATED, RATIO, SHOCK, TOTAL, forecast_figures
from unspun.app.forecast.inputs import past_renewals
from unspun.app.forecast.making import forecast_now, replays, settings_of
from unspun.app.forecast.record import RECORD, judge_forecasters, published_forecasts, record_figures, stated_table
from unspun.app.forecast.stated import StatedForecast, stated_forecasts
from unspun.app.opening import WholeBook
from unspun.app.publication import FigureSet, from_document
from unspun.app.risk.basis import risk_basis_from_json
from unspun.app.risk.inputs import RiskInputs
from unspun.app.risk.models import ModelVersion, laid_again, ready
from unspun.app.workspace import Workspace
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PANEL as RESULT
from unspun.engines.panel import PanelDatabase
from unspun.errors import BadInput, Fault
from unspun.progress import Progress
from unspun.risk.forecast.make import horizon_of
from unspun.risk.judge import RiskSettings, fit_risk
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import NoEstimate
from unspun.warehouse.read import BookReader

FORECAST_KINDS = (FORECAST, RECORD)
BESIDE = ("status", "lead_days", "segment", "owner", "currency", "arr", *OUTCOMES4, "expected_arr", "expected_later")
Table = tuple[pa.Table, str]


def forecast_again(
    workspace: Workspace, reader: BookReader, figures: FigureSet, progress: Progress, database: PanelDatabase
) -> dict[str, Mapping[str, Any]]:
    """The figures of a published forecast or record, by name, made again from the open book (a record's with the forecasts it scored)."""
    trial = OpenTrial(WholeBook(reader.version), reader, database)
    inputs = laid_again(trial, figures, progress)
    if figures.kind == RECORD:
        snapshots = published_forecasts(reader.catalog, figures.as_of, figures.question["forecasts"])
        stated = _stated(trial, figures)
        return _by_name(record_figures(inputs, judge_forecasters(trial, inputs, snapshots, stated), None, stated).every_figure)
    settings = settings_of(figures.question["months"], figures.question["paths"])
    if figures.question["replayed"]:
        (result,) = replays(inputs, (date.fromisoformat(figures.question["as_of"]),), settings, progress)
    else:
        result = forecast_now(inputs, _model(workspace, reader, figures, inputs, progress), settings, progress)
    return _by_name(forecast_figures(inputs, result).every_figure)


def forecast_rows(workspace: Workspace, reader: BookReader, figures: FigureSet, name: str, progress: Progress) -> Table:
    """The rows behind a figure, and the SQL of its metrics.

    Of a group, or a fan: each renewal with what was said of it. Of a ratio or a shock: the past renewals. Of a record: each renewal with
    what the forecasters had said of it by then.
    """
    trial = OpenTrial(WholeBook(reader.version), reader, DuckDBPanel(reader))
    if figures.kind == FORECAST and name.split("/")[0] not in (RATIO, SHOCK):
        return _renewals(figures, name), figures.queries.get(RESULT, "")
    inputs = laid_again(trial, figures, progress)
    query = inputs.queries.get(RESULT, "")
    if figures.kind == FORECAST:
        return past_renewals(inputs, (figures.as_of - date(1970, 1, 1)).days), query
    snapshots = published_forecasts(reader.catalog, figures.as_of, figures.question["forecasts"])
    return stated_table(trial, inputs, snapshots, _stated(trial, figures)), query


def _stated(trial: OpenTrial, figures: FigureSet) -> tuple[StatedForecast, ...]:
    """The forecasts of the console that a published record scored."""
    return stated_forecasts(trial.reader.catalog, risk_basis_from_json(figures.question["basis"]).day, figures.question.get("stated", ()))


def _by_name(figures: Iterable[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {one["name"]: one for one in figures}


def _model(workspace: Workspace, reader: BookReader, figures: FigureSet, inputs: RiskInputs, progress: Progress) -> ModelVersion:
    """The model that forecast. Where there was none then, it is tried again: that it could not be fitted is part of the figures."""
    entry = figures.question["model_entry"]
    if entry is None:
        return ModelVersion(fit_risk(inputs.history, inputs.cutoff, RiskSettings(), progress), None, False, "")
    publication = reader.catalog.publication(entry)
    if publication.document is None:
        raise BadInput(Fault("erased", f"the model of entry {entry} was erased.", str(entry), "What it said cannot be computed again."))
    fitted = ready(workspace, publication.entry, from_document(publication.document), inputs, progress)
    if isinstance(fitted, NoEstimate):
        raise BadInput(Fault("no_model", f"the model of entry {entry} cannot be made again: {fitted.reason}.", str(entry)))
    return ModelVersion(fitted, entry, False, "")


def _renewals(figures: FigureSet, name: str) -> pa.Table:
    """The renewals of a group as they were published; of a fan all of its currency."""
    columns = figures.columns
    assert columns is not None  # forecasts always have them
    beside = {key: list(columns.beside[key]) for key in BESIDE}
    kept = [at for at in range(len(columns.account)) if _belongs(figures, name, columns.due[at], {key: beside[key][at] for key in BESIDE})]
    table = {"account_id": pa.array([columns.account[at] for at in kept], pa.string())}
    table["due"] = pa.array([columns.due[at] for at in kept], pa.date32())
    words = ("status", "segment", "owner", "currency", "arr")
    for key in BESIDE:
        kind = pa.string() if key in words else pa.int64() if key == "lead_days" else pa.float64()
        table[key] = pa.array([beside[key][at] for at in kept], kind)
    return pa.table(table)


def _belongs(figures: FigureSet, name: str, due: date, beside: Mapping[str, Any]) -> bool:
    kind, _, rest = name.partition("/")
    currency = _currency_of(figures, name)
    if currency is not None and beside["currency"] != currency:
        return False
    if kind in (TOTAL, FAN):
        return True
    group = rest if currency is None else rest.rpartition("/")[0]
    if kind in ("segment", "owner"):
        return (beside[kind] or NOT_STATED) == group
    first, last = (date.fromisoformat(figures.figure(f"{kind}/{group}")["value"][end]) for end in ("first", "last"))
    starts = horizon_of(figures.as_of, figures.question["months"]).as_of == (first - date(1970, 1, 1)).days - 1
    return due <= last and (due >= first or starts)


def _currency_of(figures: FigureSet, name: str) -> str | None:
    """The currency of a figure of money; None of one that counts renewals."""
    figure = figures.figure(name)
    return None if "renewals" in figure["value"] else str(figure["unit"])
