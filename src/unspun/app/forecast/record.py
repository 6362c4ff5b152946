"""The operation "score forecasters": everybody who forecast renewals, the model too, held against what then happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic
from typing import Any

import numpy as np
import pyarrow as pa

from unspun._version import __version__
from unspun.app.evidence.figures import json_values
from unspun.app.evidence.inputs import OpenTrial
from unspun.app.forecast.figures import FORECAST, forecast_figures, past_forecast
from unspun.app.forecast.inputs import owners_on
from unspun.app.forecast.making import replay_days, replays, settings_of
from unspun.app.forecast.people import people
from unspun.app.forecast.run import checked
from unspun.app.forecast.stated import StatedForecast, stated_forecasts
from unspun.app.publication import FigureSet, from_document, publish, value_record
from unspun.app.risk.basis import RiskRequest, opened_risk
from unspun.app.risk.inputs import RiskInputs, lay_out_risk
from unspun.app.risk.models import metrics_sha256
from unspun.app.risk.published import figures_on
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.workspace import Workspace
from unspun.audit.calls import CallIndex
from unspun.audit.result import Caution
from unspun.audit.units import renewal_units
from unspun.book.extras import Forecasts
from unspun.book.tables import UNDECIDED, Codes, Source
from unspun.ledger.chain import written_anchor
from unspun.progress import Progress, silent
from unspun.risk.forecast.record import FEWEST_CHURNED, Forecaster, Scoring, by_calls, last_years_rate, record_leads, where_silent
from unspun.risk.forecast.record_periods import Realised, interval_coverage, score_snapshot
from unspun.risk.forecast.result import ForecastMiss, ForecastRecord, LeadRecord, SnapshotRecord
from unspun.risk.rows import CHURN, OUTCOMES4
from unspun.warehouse.catalog import Catalog

RECORD = "forecast record"
REPLAY_MONTHS = 12
MODEL, REPLAYED = "model", "model, replayed"
SAID_OF_MODEL = "its last forecast in the ledger by then, counted from the day it was entered"
SAID_OF_REPLAYS = "made later with what was known on the day it speaks of, where the ledger held none of the time"
MEASURES = ("brier", "log_loss", "bias", "expected_over_observed", "slope", "auc", "brier_skill")


@dataclass(frozen=True, slots=True)
class RecordRequest:
    """What is asked: the outcomes known by which day (None: the last one), of which version of the book. `replay` makes forecasts as of the
    last so many first days of months first, by these `metrics`, with what was known then."""

    as_of: date | None = None
    replay: int = 0
    version: int | None = None
    memory: str | None = None
    engine: str | None = None
    metrics: tuple[str, ...] = ()

    @property
    def risk(self) -> RiskRequest:
        """The same as a request of renewal risk."""
        return RiskRequest(self.as_of, self.version, self.memory, self.engine, self.metrics)


@dataclass(frozen=True, slots=True)
class RecordRun:
    """The record as judged and as published; `made` are the ledger entries of the replays that were made for it."""

    result: ForecastRecord
    figures: FigureSet
    entry: int
    anchor: str
    made: tuple[int, ...]
    seconds: float


def forecast_record(workspace: Workspace, request: RecordRequest, at: datetime, progress: Progress = silent) -> RecordRun:
    """Score every forecaster on the renewals decided by the as-of day, and publish that.

    Forecasts of the model are those of the ledger. Raises BadInput: nothing loaded, no renewals, faults of the definitions or the request.
    """
    began = monotonic()
    definition = workspace_definitions(workspace).metrics
    with opened_risk(workspace, request.risk, definition, at, progress) as (trial, basis, left_out):
        inputs = replace(lay_out_risk(trial, basis, definition, progress), left_out=left_out)
        book_check = checked(trial, inputs, at.date())
        made = tuple(
            publish(workspace, forecast_figures(inputs, one, book_check), at).seq
            for one in replays(inputs, replay_days(inputs, request.replay), settings_of(REPLAY_MONTHS), progress)
        )
        progress("scoring forecasters", 0, 0)
        snapshots = published_forecasts(trial.reader.catalog, inputs.as_of)
        stated = stated_forecasts(trial.reader.catalog, inputs.basis.day)
        result = judge_forecasters(trial, inputs, snapshots, stated)
        figures = record_figures(inputs, result, book_check, stated)
        entry = publish(workspace, figures, at)
    return RecordRun(result, figures, entry.seq, written_anchor(entry), made, monotonic() - began)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A forecast of the ledger: its entry, the day it was entered, and its figures."""

    entry: int
    made_on: date
    figures: FigureSet


def published_forecasts(catalog: Catalog, as_of: date, entries: Sequence[int] | None = None) -> tuple[Snapshot, ...]:
    """The forecasts of the ledger as of a day before this one, oldest first; of `entries` alone where these are given."""
    found: list[Snapshot] = []
    for entry in catalog.entries(kind="publication"):
        if entry.body.get("what") != FORECAST or date.fromisoformat(str(entry.body["as_of"])) >= as_of:
            continue
        document = catalog.publication(entry.seq).document
        if document is not None and (entries is None or entry.seq in entries):
            found.append(Snapshot(entry.seq, entry.at.date(), from_document(document)))
    return tuple(found)


def judge_forecasters(
    trial: OpenTrial, inputs: RiskInputs, snapshots: Sequence[Snapshot], stated: Sequence[StatedForecast] = ()
) -> ForecastRecord:
    """The record of everybody, on the renewals decided by the as-of day of the inputs; `stated` are forecasts entered in the console."""
    terms = inputs.terms
    said = (*_models(inputs, snapshots), *people(trial, inputs, stated))
    spoken = [day for _, day in said]
    scoring = Scoring(terms, (*(one for one, _ in said), last_years_rate(terms)), min(spoken, default=_first_day(inputs)))
    realised = Realised(terms)
    scored = tuple(score_snapshot(past_forecast(one.entry, one.made_on, one.figures), realised) for one in snapshots)
    units = [one.units for one in scoring.leads.values()]
    rows = np.unique(np.concatenate([one.terms_row for one in units])) if units else np.zeros(0, np.int64)
    due = terms.due[rows].astype("datetime64[D]").tolist()
    return ForecastRecord(
        as_of=inputs.as_of,
        first_due=min(due, default=None),
        last_due=max(due, default=None),
        n_renewals=len(rows),
        n_churned=int((terms.outcome[rows] == 1).sum()),
        forecasters=scoring.records(),
        pairs=scoring.pairs(),
        snapshots=scored,
        coverage=interval_coverage(scored),
        misses=tuple(_with_owner(one, inputs) for one in scoring.misses()),
        cautions=tuple(_cautions(said, scored, inputs)),
        package_version=__version__,
    )


def stated_table(trial: OpenTrial, inputs: RiskInputs, snapshots: Sequence[Snapshot], stated: Sequence[StatedForecast] = ()) -> pa.Table:
    """Each renewal scored, by lead, with the probability of churn (of words the rank) that each forecaster had stated by then."""
    terms = inputs.terms
    said = (*_models(inputs, snapshots), *people(trial, inputs, stated))
    scoring = Scoring(terms, (*(one for one, _ in said), last_years_rate(terms)), min((day for _, day in said), default=_first_day(inputs)))
    parts = []
    for lead, scored in scoring.leads.items():
        units = scored.units
        columns = {
            "account_id": pa.array(terms.account_names, pa.string()).take(pa.array(units.account)),
            "due": pa.array(terms.due[units.terms_row].astype("datetime64[D]")),
            "lead_days": pa.array(np.full(len(units), lead)),
            "churned": pa.array(units.churned),
            "arr": pa.array(units.amount, from_pandas=True),
        }
        parts.append(pa.table(columns | {name: pa.array(risk, from_pandas=True) for name, risk in scored.risk.items()}))
    return pa.concat_tables(parts)


def _models(inputs: RiskInputs, snapshots: Sequence[Snapshot]) -> list[tuple[Forecaster, int]]:
    """The model by its forecasts of the time, and by those made later where there is none of the time; with the first day of each."""
    found: list[tuple[Forecaster, int]] = []
    live = _as_calls(inputs, snapshots, at_entry=True)
    if live is None:
        return found
    index = CallIndex(live, inputs.terms)
    every = np.ones(len(live.made), bool)
    of_the_time = by_calls(MODEL, "model", SAID_OF_MODEL, index, every)
    later = _as_calls(inputs, snapshots, at_entry=False)
    assert later is not None  # the same rows, dated otherwise
    replayed = by_calls(REPLAYED, "model, replayed", SAID_OF_REPLAYS, CallIndex(later, inputs.terms), every)
    if _speaks(of_the_time, inputs):
        found.append((of_the_time, int(index.made.min())))
    only = where_silent(replayed, of_the_time)
    if _speaks(only, inputs):
        found.append((only, int(CallIndex(later, inputs.terms).made.min())))
    return found


def _speaks(forecaster: Forecaster, inputs: RiskInputs) -> bool:
    """Whether it had said anything of a renewal that is decided, at one of the leads that are scored."""
    units = (renewal_units(inputs.terms, lead) for lead in record_leads(inputs.terms))
    return any(np.isfinite(forecaster.risk(one)).any() for one in units)


def _as_calls(inputs: RiskInputs, snapshots: Sequence[Snapshot], *, at_entry: bool) -> Forecasts | None:
    """The probabilities of published forecasts as calls, dated on the day they were entered or on that which they speak of."""
    rows: list[tuple[str, np.datetime64, date, float]] = []
    for one in snapshots:
        columns = one.figures.columns
        assert columns is not None  # forecasts always have them
        made = np.datetime64(max(one.made_on, one.figures.as_of) if at_entry else one.figures.as_of, "us")
        churn, status = columns.beside[OUTCOMES4[CHURN]], columns.beside["status"]
        told = zip(columns.account, columns.due, churn, status, strict=True)
        rows += [(account, made, due, 1 - p) for account, due, p, fact in told if p is not None and fact in ("open", "overdue")]
    if not rows:
        return None
    names = tuple(sorted({account for account, *_ in rows}))
    place = {name: code for code, name in enumerate(names)}
    return Forecasts(
        source=Source("forecasts", "published forecasts", inputs.book_digest, "book", len(rows), {}, (), ()),
        row=np.arange(len(rows), dtype=np.int64),
        account=Codes(np.array([place[account] for account, *_ in rows], np.int32), names),
        made=np.array([made for _, made, _, _ in rows]),
        value=np.array([value for *_, value in rows]),
        probability=True,
        due=np.array([due for _, _, due, _ in rows], "datetime64[D]"),
    )


def _first_day(inputs: RiskInputs) -> int:
    return int(inputs.terms.due.min(initial=0)) - 365


def _with_owner(miss: ForecastMiss, inputs: RiskInputs) -> ForecastMiss:
    account = np.array([inputs.accounts.index(miss.account)])
    code, names = owners_on(inputs, account, (miss.due - date(1970, 1, 1)).days)
    return replace(miss, owner=names[int(code[0])])


def _cautions(said: Sequence[tuple[Forecaster, int]], scored: Sequence[SnapshotRecord], inputs: RiskInputs) -> Iterator[Caution]:
    kinds = {forecaster.kind for forecaster, _ in said}
    if not kinds & {"model", "model, replayed"}:
        hint = "each `unspun forecast` adds one, and --replay makes those of past months, labelled"
        yield Caution("no_model", f"No forecast of the model in the ledger speaks of a renewal that is decided since: {hint}.")
    if "model, replayed" in kinds:
        text = "Replayed forecasts were made after the event with what was known before it: nobody could have acted on them, nor seen them."
        yield Caution("replayed", text)
    if not kinds & {"CSM", "person"}:
        yield Caution("no_people", "The book holds no forecast of a person on these renewals: map a file to the table forecasts.")
    terms = inputs.terms
    churned = len(np.unique(terms.cluster[terms.account[terms.decided & (terms.outcome == 1)]]))
    if churned < FEWEST_CHURNED:
        yield Caution(
            "few_churned", f"{churned} families with a churn: under {FEWEST_CHURNED} nothing is told of who was closer.", loud=True
        )
    late = int(((terms.due <= terms.as_of) & (terms.outcome == UNDECIDED)).sum())
    if late:
        yield Caution("undecided", f"{late:,} renewals are due and have no outcome yet: they are scored once they have one.")
    if scored and not any(one.outcomes for one in scored):
        yield Caution("no_quarter_over", "No quarter that a forecast spoke of is over yet: whether its intervals hold cannot be told.")


# As it is published


def record_figures(
    inputs: RiskInputs, result: ForecastRecord, book_check: Mapping[str, Any] | None = None, stated: Sequence[StatedForecast] = ()
) -> FigureSet:
    """The figures of a record, with all that is needed to score again."""
    question = {
        "basis": inputs.basis.to_json(),
        "metrics_sha256": metrics_sha256(inputs),
        "forecasts": [one.entry for one in result.snapshots],
        **({"stated": [one.entry for one in stated]} if stated else {}),
    }
    return figures_on(
        inputs,
        kind=RECORD,
        question=question,
        figures=tuple(json_values(list(_figures(result)))),
        book_check=book_check,
    )


def _figures(result: ForecastRecord) -> Iterator[dict[str, Any]]:
    for forecaster in result.forecasters:
        for lead in forecaster.leads:
            name = f"{forecaster.name}/{lead.lead_days}"
            label = f"{forecaster.name}, {lead.lead_days} days before the due date"
            yield {"name": name, "label": label, "unit": "record", "value": _lead(lead)}
    for pair in result.pairs:
        name = f"difference/{pair.first}/{pair.second}/{pair.lead_days}"
        label = f"{pair.first} less {pair.second}, {pair.lead_days} days before"
        value = {"n": pair.n, "churned": pair.n_churned, "words": pair.words}
        yield {"name": name, "label": label, "unit": "Brier", "value": value | {"brier": value_record(pair.brier)}}
    for one in result.coverage:
        kind = "replayed" if one.replayed else "of the time"
        value = {"n": one.n, "periods": one.periods, "in_80": value_record(one.in_80), "in_95": value_record(one.in_95)}
        yield {
            "name": f"intervals/{kind}/{one.quantity}",
            "label": f"intervals that held, {one.quantity}, {kind}",
            "unit": "share",
            "value": value,
        }


def _lead(lead: LeadRecord) -> dict[str, Any]:
    counts = {"eligible": lead.eligible, "n": lead.n, "churned": lead.n_churned}
    money = {currency or "no currency": value_record(one) for currency, one in lead.arr_bias}
    return counts | {name: value_record(getattr(lead, name)) for name in MEASURES} | {"arr_bias": money}
