"""Versions of the risk model: which one is in force, a new one fitted and published, and one of the ledger made ready again.

A model is a publication of kind "risk model": what it was fitted on, its record, and an additive one's coefficients. A boosted one is
fitted again from its recorded basis, which gives the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from unspun.app.evidence.figures import json_values
from unspun.app.evidence.inputs import OpenTrial
from unspun.app.opening import WholeBook, book_as_published
from unspun.app.publication import FigureSet, canonical_json, from_document, publish, value_record
from unspun.app.risk.basis import RiskBasis, risk_basis_from_json
from unspun.app.risk.inputs import RiskInputs, lay_out_risk
from unspun.app.risk.published import figures_on
from unspun.app.trial.subjects import METRIC, definition_sha256, definitions_of, measured_by
from unspun.app.workspace import Workspace
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.errors import BadInput
from unspun.ledger.chain import Entry
from unspun.progress import Progress, silent
from unspun.risk.fitted import FittedRisk
from unspun.risk.judge import RiskSettings, fit_risk
from unspun.risk.result import ModelRecord
from unspun.stats.estimate import MaybeEstimate, NoEstimate
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.read import open_book

MODEL = "risk model"
USUAL = RiskSettings()
CHECK = ("slope", "intercept", "expected_over_observed", "auc", "brier", "log_loss", "churn_log_loss", "base_log_loss")
"""Figures of how the model did on later account-months."""
CHECK_WORDS = {
    "slope": "calibration slope on later account-months",
    "intercept": "calibration in the large on later account-months",
    "expected_over_observed": "churn foretold over churn that came",
    "auc": "AUC of churn on later account-months",
    "brier": "Brier score of churn on later account-months",
    "log_loss": "log loss of the four outcomes on later account-months",
    "churn_log_loss": "log loss of churn on later account-months",
    "base_log_loss": "log loss of the base rate on the same account-months",
}


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """The model that judges, and its ledger entry (None: none could be fitted). `made` says whether this run fitted it, `why` in a
    sentence how it came to be the one; `figures` is what was published of it."""

    fitted: FittedRisk | NoEstimate
    entry: int | None
    made: bool
    why: str
    figures: FigureSet | None = None

    @property
    def as_of(self) -> date | None:
        return None if self.figures is None else self.figures.as_of


def metrics_sha256(inputs: RiskInputs) -> dict[str, str]:
    """The SHA-256 of what decides each metric's values."""
    measured = measured_by(definitions_of(inputs.definition.text, ""), ())
    return {id: definition_sha256(f"{METRIC}/{id}", measured) for id in inputs.basis.metrics}


def model_for(
    workspace: Workspace,
    trial: OpenTrial,
    inputs: RiskInputs,
    fit: bool,
    at: datetime,
    progress: Progress = silent,
    settings: RiskSettings = USUAL,
) -> ModelVersion:
    """The model in force for these inputs; a new version where one is asked for (`fit`) or none is in force."""
    found = None if fit else _in_force(trial.reader.catalog, inputs, settings)
    if found is None:
        return _fitted_now(workspace, inputs, settings, "a new version was asked for" if fit else _NONE, at, progress)
    entry, figures = found
    fitted = ready(workspace, entry, figures, inputs, progress)
    if isinstance(fitted, NoEstimate):
        why = f"the model of entry {entry.seq} cannot be made again ({fitted.reason})"
        return _fitted_now(workspace, inputs, settings, why, at, progress)
    days = (inputs.as_of - figures.as_of).days
    age = "as of the same day" if days == 0 else f"as of {figures.as_of}, {days:,} day{'' if days == 1 else 's'} before"
    book = "" if figures.book_version == inputs.book_version else f", on version {figures.book_version} of the book"
    return ModelVersion(fitted, entry.seq, False, f"the model of entry {entry.seq} is in force: fitted {age}{book}", figures)


_NONE = "no model of these metrics was in force"


def _in_force(catalog: Catalog, inputs: RiskInputs, settings: RiskSettings) -> tuple[Entry, FigureSet] | None:
    """The model that knew the most of those whose training ended by the as-of day, of the same metrics and rules; of several the newest.
    A run as of an earlier day fits one that knew less, which then judges no later day.

    One that can tell no probabilities is in force for what it was fitted on only: with other rows a new one may be able to, and no number
    changes by it.
    """
    wanted = (settings_to_json(settings), *_what_decides(inputs.basis, metrics_sha256(inputs)))
    models = [one for one in catalog.entries(kind="publication") if one.body.get("what") == MODEL]
    for entry in sorted(models, key=lambda one: (str(one.body["as_of"]), one.seq), reverse=True):
        if date.fromisoformat(str(entry.body["as_of"])) > inputs.as_of:
            continue
        document = catalog.publication(entry.seq).document
        figures = None if document is None else from_document(document)
        if figures is None or _asked_of(figures) != wanted:
            continue
        if _same_rows(inputs, figures) or _can_tell(figures):
            return entry, figures
    return None


def _asked_of(figures: FigureSet) -> tuple[object, ...]:
    question = figures.question
    return question["settings"], *_what_decides(risk_basis_from_json(question["basis"]), question["metrics_sha256"])


def settings_to_json(settings: RiskSettings) -> dict[str, Any]:
    """The settings as plain values."""
    return {"candidates": list(settings.candidates), "seed": settings.seed}


def settings_of(figures: FigureSet) -> RiskSettings:
    """The settings that a model was fitted with."""
    held = figures.question["settings"]
    return RiskSettings(tuple(held["candidates"]), held["seed"])


def _what_decides(basis: RiskBasis, sha256: Mapping[str, str]) -> tuple[object, ...]:
    panel = basis.panel
    return dict(sha256), panel.rules, panel.time_zone, panel.fiscal_year_starts, basis.currency


def _same_rows(inputs: RiskInputs, figures: FigureSet) -> bool:
    """Whether published figures rest on the same rows as these inputs."""
    return inputs.book_digest == figures.book_digest and inputs.basis.to_json() == figures.question["basis"]


def _can_tell(figures: FigureSet) -> bool:
    return figures.figure("check")["value"]["verdict"] == "calibrated"


def _fitted_now(
    workspace: Workspace, inputs: RiskInputs, settings: RiskSettings, because: str, at: datetime, progress: Progress
) -> ModelVersion:
    fitted = fit_risk(inputs.history, inputs.cutoff, settings, progress)
    if isinstance(fitted, NoEstimate):
        return ModelVersion(fitted, None, False, f"no model could be fitted: {fitted.reason}")
    figures = model_figures(inputs, fitted, settings)
    entry = publish(workspace, figures, at)
    held = figures.fitted or {}
    # What is used is what is kept: the same as every later run reads from the ledger.
    kept = fitted if held["model"] == "boosting" else FittedRisk.from_json(held)
    return ModelVersion(kept, entry.seq, True, f"fitted now, as entry {entry.seq}: {because}", figures)


def model_figures(inputs: RiskInputs, fitted: FittedRisk, settings: RiskSettings = USUAL) -> FigureSet:
    """A model as it is published."""
    basis, asked = inputs.basis.to_json(), settings_to_json(settings)
    kept: dict[str, Any] = json_values([fitted.to_json()])[0]
    return figures_on(
        inputs,
        kind=MODEL,
        question={"basis": basis, "metrics_sha256": metrics_sha256(inputs), "cutoff": inputs.cutoff, "settings": asked},
        figures=tuple(json_values(list(_figures(fitted.record, kept)))),
        fitted=kept,
    )


def _figures(record: ModelRecord, kept: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    check, hashed = record.check, hashlib.sha256(canonical_json(kept).encode()).hexdigest()
    yield _one("chosen", "the candidate that is used", "candidate", {"verdict": record.chosen, "why": record.why})
    yield _one("check", "whether it is calibrated on later account-months", "verdict", {"verdict": check.verdict, "why": check.why})
    for name in CHECK:
        found: MaybeEstimate = getattr(check, name)
        yield _one(name, CHECK_WORDS[name], "AUC" if name == "auc" else "number", value_record(found))
    for one in record.candidates:
        yield _one(f"log_loss/{one.name}", f"{one.name}: log loss out of time", "log loss", value_record(one.log_loss))
        yield _one(f"difference/{one.name}", f"{one.name}: log loss less that of the best", "log loss", value_record(one.difference))
    counts = {"rows": ("account-months fitted on", record.n), "renewals": ("renewals fitted on", record.n_renewals)}
    for name, (label, count) in {**counts, "churned": ("renewals that churned", record.n_churned)}.items():
        yield _one(name, label, "account-months" if name == "rows" else "renewals", {"count": count})
    yield _one("model", "the fitted model", "terms", {"count": len(record.terms), "sha256": hashed})


def _one(name: str, label: str, unit: str, value: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "label": label, "unit": unit, "value": value}


# Made ready again


def ready(
    workspace: Workspace, entry: Entry, figures: FigureSet, inputs: RiskInputs | None = None, progress: Progress = silent
) -> FittedRisk | NoEstimate:
    """A published model. A boosted one is fitted again on the rows that it was fitted on: those of `inputs` where they are the same.

    NoEstimate where these are no longer there.
    """
    kept = figures.fitted or {}
    if kept["model"] != "boosting":
        return FittedRisk.from_json(kept)
    try:
        with workspace.catalog() as catalog:
            book = catalog.version(figures.book_version)
            if any(seq > entry.seq for seq in book.erasures):
                return NoEstimate("rows that it was fitted on were erased")
            if inputs is not None and _same_rows(inputs, figures):
                return FittedRisk.from_json(kept, inputs.history)
            with (
                book_as_published(workspace, catalog, book, figures.in_place) as whole,
                open_book(catalog, whole, None, workspace.settings.memory) as reader,
            ):
                trial = OpenTrial(WholeBook(whole), reader, DuckDBPanel(reader))
                return FittedRisk.from_json(kept, laid_again(trial, figures, progress).history)
    except BadInput as refusal:
        return NoEstimate(refusal.faults[0].message)


def laid_again(trial: OpenTrial, figures: FigureSet, progress: Progress = silent, today_only: bool = False) -> RiskInputs:
    """The rows of published figures, laid out from an open book by their recorded basis and definitions."""
    definition = definitions_of(figures.definition_text, "").metrics
    return lay_out_risk(trial, risk_basis_from_json(figures.question["basis"]), definition, progress, today_only)
