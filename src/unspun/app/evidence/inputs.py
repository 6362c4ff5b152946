"""A trial laid out from the book: the renewals, what each subject was known to be on the days looked at, and what else is used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from unspun.app.opening import Elsewhere, WholeBook
from unspun.app.panel.basis import PanelBasis, basis_from_json
from unspun.app.panel.engines import answering_engine
from unspun.app.panel.request import MetricsDefinition, PanelRequest, asked_metrics, metrics_needed
from unspun.app.panel.run import basis_for, checked_memory, opened_book
from unspun.app.trial.book import TrialDay, fixed_attributes, holds, last_known_day, rates_into, read_renewals, read_statements
from unspun.app.trial.history import HistoryMaker
from unspun.app.trial.panel import NO_PANEL, ActivePairs, TrialPanel, compute_trial_panel, days_asked, prepare_trial_panel, rows_at
from unspun.app.trial.scores import NO_CALL, calls_on_units, read_forecasts, read_score
from unspun.app.trial.subjects import (
    FORECAST,
    SCORE,
    SURVEY,
    Choice,
    Definitions,
    Measured,
    choose,
    definition_sha256,
    is_lower_healthier,
    measured_by,
    subject_of,
    values_of,
    workspace_definitions,
)
from unspun.app.workspace import Workspace
from unspun.audit.asking import TrialDays, trial_days
from unspun.audit.evidence_result import Subject
from unspun.audit.extras import index_extras
from unspun.audit.frame import Frame, ScoreIndex, make_frame
from unspun.audit.protocol import DETAILED_SCORES, AuditSettings
from unspun.audit.terms import Terms, find_clusters, in_order, order_terms
from unspun.audit.units import ActiveMonths, active_months
from unspun.book.extras import Accounts, Extras
from unspun.book.tables import Codes, Floats, Renewals, ScoreHistory
from unspun.book.text import Complaint
from unspun.engines.panel import PanelDatabase
from unspun.errors import BadInput, Fault
from unspun.metrics.asof import AsOf
from unspun.progress import Progress, silent
from unspun.warehouse.read import BookReader, open_book

READ_HERE = ("accounts", "scores", "responses", "forecasts", "renewals", "subscriptions")
"""Tables that a trial reads itself, wherever its metrics are computed."""
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class EvidenceRequest:
    """What a person asks for: `subjects` are keys, names or patterns (() is all); `version` None is the current one, `memory` and `engine`
    the workspace's. The as-of date is `as_of`, else that of `settings`, else the last day on which the book knows anything of outcomes."""

    subjects: tuple[str, ...] = ()
    settings: AuditSettings = field(default_factory=AuditSettings)
    version: int | None = None
    as_of: date | None = None
    memory: str | None = None
    engine: str | None = None


@dataclass(frozen=True, slots=True)
class TrialBasis:
    """All that decides a trial besides the definitions and the book: plain values, kept in the ledger.

    `panel` has the as-of date as its one date, `as_of_why` says where that came from; `subjects` are keys, in the order in which they are
    judged; `wanted` is what was asked for.
    """

    panel: PanelBasis
    subjects: tuple[str, ...]
    settings: AuditSettings
    wanted: tuple[str, ...] = ()
    as_of_why: str = "declared"

    @property
    def day(self) -> TrialDay:
        return TrialDay(self.panel.known_on, self.panel.time_zone)

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `trial_basis_from_json` makes an equal basis."""
        return {
            "panel": self.panel.to_json(),
            "subjects": list(self.subjects),
            "settings": settings_to_json(self.settings),
            "wanted": list(self.wanted),
            "as_of_why": self.as_of_why,
        }


def trial_basis_from_json(document: Mapping[str, Any]) -> TrialBasis:
    """The basis that `to_json` wrote."""
    settings = settings_from_json(document["settings"])
    panel, why = basis_from_json(document["panel"]), document["as_of_why"]
    return TrialBasis(panel, tuple(document["subjects"]), settings, tuple(document["wanted"]), why)


def settings_to_json(settings: AuditSettings) -> dict[str, Any]:
    """The settings as plain values: days as text, what is given several times as lists."""
    return {name: _plain(value) for name, value in asdict(settings).items()}


def settings_from_json(document: Mapping[str, Any]) -> AuditSettings:
    """The settings that `settings_to_json` wrote; what an earlier Unspun did not know of is as usual."""
    found: dict[str, Any] = {one.name: document[one.name] for one in fields(AuditSettings) if one.name in document}
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
    found["reviews"] = tuple(map(date.fromisoformat, found.get("reviews", ())))
    for name in ("as_of", "rates_dated"):
        found[name] = None if found.get(name) is None else date.fromisoformat(found[name])
    return AuditSettings(**found)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class OpenTrial:
    """An open book that trials are laid out from: what computes their panels, and what was asked of it."""

    whole: WholeBook
    reader: BookReader
    database: PanelDatabase
    memory: str = "1500MB"

    @property
    def elsewhere(self) -> Elsewhere:
        return self.whole.elsewhere

    @contextmanager
    def known(self, day: TrialDay) -> Iterator[BookReader]:
        """The same version as it was known by the end of a day."""
        with open_book(self.reader.catalog, self.whole.version, day.before, self.memory) as reader:
            yield reader


@contextmanager
def opened_trial(
    workspace: Workspace, request: EvidenceRequest, definition: MetricsDefinition, at: datetime, progress: Progress
) -> Iterator[OpenTrial]:
    """The version of the book that a request asks for. Raises BadInput where it holds nothing, or where the engine reads tables in their
    database that a trial reads itself."""
    memory = checked_memory(request.memory) if request.memory else workspace.settings.memory
    asked = PanelRequest(version=request.version, memory=request.memory, engine=request.engine)
    ids = tuple(one.id for one in definition.metrics)
    with answering_engine(workspace, request.engine, memory) as engine:
        place = engine.place(definition.metrics, ids, at)
        if away := sorted(place.unread.intersection(READ_HERE)):
            message = f"{', '.join(away)} stay in their database, and a trial reads them itself."
            raise BadInput(Fault("not_in_place", message, "--engine", "Load them, or leave --engine out: they are then read from there."))
        with opened_book(workspace, asked, at, progress, place) as (whole, reader):
            yield OpenTrial(whole, reader, engine.database(reader), memory)


def basis_of_trial(
    workspace: Workspace, request: EvidenceRequest, definitions: Definitions, trial: OpenTrial, at: datetime
) -> tuple[TrialBasis, Choice]:
    """What a request decides, and what of it was set aside. Raises BadInput: settings that cannot be, subjects that are not there."""
    book = workspace.definition()
    zone, declared = book.time_zone, request.as_of or request.settings.as_of
    as_of, why = (declared, "declared") if declared else last_known_day(trial.reader, zone, at)
    asked = PanelRequest(as_of=(as_of,), version=request.version)
    panel = basis_for(workspace, asked, (), definitions.metrics, trial.whole, trial.reader, at)
    faults = request.settings.faults(None)
    try:
        choice = choose(definitions, trial.reader, TrialDay(as_of, zone), request.subjects)
    except BadInput as refusal:
        raise BadInput([*faults, *refusal.faults]) from None
    faults += _unknown_directions(request.settings, choice)
    if faults:
        raise BadInput(faults)
    settings = _dated(request.settings, as_of, book.currency)
    return TrialBasis(replace(panel, known_on=as_of, last=as_of), choice.keys, settings, request.subjects, why), choice


def _dated(settings: AuditSettings, as_of: date, currency: str | None) -> AuditSettings:
    """The settings as of a day; amounts are told in the currency of the book where no other is asked for."""
    return replace(settings, as_of=as_of, reporting_currency=settings.reporting_currency or currency)


def _unknown_directions(settings: AuditSettings, choice: Choice) -> list[Fault]:
    known = {"*", *choice.keys, *(key for key, _ in choice.set_aside)}
    hint = "Name it by its key, such as score/NAME."
    return [
        Fault("bad_option", f"names {name!r}, which is not on trial.", "direction", hint)
        for name in settings.direction
        if name not in known
    ]


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A trial ready to be judged: what the audit takes. `settings` have the directions that metrics declare.

    `sha256` is of the definition of each subject by key, "" where it was recorded.
    """

    basis: TrialBasis
    history: ScoreHistory
    renewals: Renewals
    subjects: tuple[Subject, ...]
    settings: AuditSettings
    extras: Extras
    days: TrialDays
    panel: TrialPanel
    measured: Measured
    sha256: Mapping[str, str]
    set_aside: tuple[tuple[str, str], ...] = ()


def lay_out(trial: OpenTrial, basis: TrialBasis, definitions: Definitions, progress: Progress = silent) -> LaidOut:
    """Lay a trial out. The same basis, definitions and version of the book give the same."""
    progress("reading renewals", 0, 0)
    renewals, accounts, settings = _read(trial, basis)
    choice = Choice(basis.subjects)
    measured = measured_by(definitions, choice.names(SURVEY))
    settings = _directed(settings, basis, measured)
    days = trial_days(renewals, settings, basis.panel.known_on, len(basis.subjects))
    terms, months = _terms(renewals, settings, days)
    ids = measured.metrics_of(basis.subjects)
    panel = _panel(trial, basis, measured.definition, ids, days_asked(days), months and ActivePairs(terms, months), progress)
    computed = {key: found for key in basis.subjects if len(panel) and (found := values_of(key, measured, panel)) is not None}
    maker = HistoryMaker(trial.reader)
    maker.add_panel(panel, {key: values for key, (values, _) in computed.items()})
    missing = {key: why for key, (_, why) in computed.items()}
    set_aside = [*_add_scores(maker, trial.reader, choice, basis.day)]
    set_aside += _add_calls(maker, missing, trial.reader, choice, basis.day, terms, months, days)
    if holds(trial.reader, "accounts"):
        maker.add_statements(read_statements(trial.reader, basis.day))
    keys = tuple(key for key in basis.subjects if key in maker.series)
    history = maker.history(keys)
    if accounts is not None and accounts.segment is not None:
        history = replace(history, segment=None)
    return LaidOut(
        basis=basis,
        history=history,
        renewals=renewals,
        subjects=tuple(replace(subject_of(key, measured), missing=missing.get(key)) for key in keys),
        settings=settings,
        extras=Extras(accounts=accounts),
        days=days,
        panel=panel,
        measured=measured,
        sha256={key: definition_sha256(key, measured) for key in keys},
        set_aside=tuple(set_aside),
    )


def _read(trial: OpenTrial, basis: TrialBasis) -> tuple[Renewals, Accounts | None, AuditSettings]:
    """The renewals, the attributes that hold for all dates, and the settings with what the book says beside: a segment that is fixed, and
    rates where amounts are in several currencies."""
    settings = basis.settings
    with trial.known(basis.day) as known:
        renewals = read_renewals(trial.reader, known, basis.panel, basis.day)
        accounts = fixed_attributes(known, settings.fixed)
        into, named = settings.reporting_currency, () if renewals.currency is None else renewals.currency.names
        if into is not None and set(named) - {into} and not settings.currency_rates:
            rates, dated = rates_into(known, into, named, basis.day)
            settings = replace(settings, currency_rates=rates, rates_dated=dated)
    if accounts is not None and accounts.segment is not None and not settings.segment_fixed:
        settings = replace(settings, fixed=(*settings.fixed, "segment"))
    return renewals, accounts, settings


def _directed(settings: AuditSettings, basis: TrialBasis, measured: Measured) -> AuditSettings:
    """The settings with the directions that metrics declare."""
    declared = {key: "lower" for key in basis.subjects if is_lower_healthier(key, measured)}
    return replace(settings, direction={**declared, **settings.direction})


def _terms(renewals: Renewals, settings: AuditSettings, days: TrialDays) -> tuple[Terms, ActiveMonths | None]:
    ordered = replace(renewals, account=in_order(renewals.account))
    as_of = (days.as_of - EPOCH).days
    terms = order_terms(ordered, None, as_of, settings.currency_rates, settings.reporting_currency)
    return terms, active_months(terms) if days.design == "landmark" else None


def _panel(
    trial: OpenTrial,
    basis: TrialBasis,
    definition: MetricsDefinition,
    ids: tuple[str, ...],
    as_of: AsOf,
    active: ActivePairs | None,
    progress: Progress,
) -> TrialPanel:
    if not ids:
        return NO_PANEL
    asked = replace(basis.panel, asked=ids)
    progress("computing metrics", 0, 0)
    panel = prepare_trial_panel(definition, asked, as_of, trial.reader, trial.database, trial.elsewhere)
    return compute_trial_panel(panel, active, progress)


def _add_scores(maker: HistoryMaker, reader: BookReader, choice: Choice, day: TrialDay) -> Iterator[tuple[str, str]]:
    """Add the recorded scores; those that cannot be read, and why."""
    for name in choice.names(SCORE):
        score = read_score(reader, name, day)
        if isinstance(score, Complaint):
            yield f"{SCORE}/{name}", score.message
        else:
            maker.add_score(f"{SCORE}/{name}", score)


def _add_calls(
    maker: HistoryMaker,
    missing: dict[str, Codes],
    reader: BookReader,
    choice: Choice,
    day: TrialDay,
    terms: Terms,
    months: ActiveMonths | None,
    days: TrialDays,
) -> Iterator[tuple[str, str]]:
    """Add the calls on renewals; those that cannot be read, and why."""
    for name in choice.names(FORECAST):
        key, forecasts = f"{FORECAST}/{name}", read_forecasts(reader, name, day)
        if isinstance(forecasts, Complaint):
            yield key, forecasts.message
            continue
        called = calls_on_units(forecasts, terms, months, days.horizons, days.primary_horizon)
        maker.add_calls(key, called, terms.account_names)
        missing[key] = Codes(np.where(np.isnan(called.values), 0, -1).astype(np.int32), (NO_CALL,))


# For what is fitted


@dataclass(frozen=True, slots=True)
class TrialInputs:
    """The units of a trial at its primary horizon, and metrics as they were known of each.

    `columns` has numbers by metric, one a unit of `frame.units` (NaN: missing; a flag is 0 or 1, a day how many days it lies ahead),
    `texts` the words of metrics that are texts (-1: missing), `missing` why there is no value (-1: there is one). `accounts` names the
    codes of `frame.units.account`.
    """

    renewals: Renewals
    terms: Terms
    frame: Frame
    horizon_days: int
    accounts: tuple[str, ...]
    columns: Mapping[str, Floats]
    texts: Mapping[str, Codes]
    missing: Mapping[str, Codes]
    settings: AuditSettings
    basis: PanelBasis
    definition: MetricsDefinition
    book_version: int
    book_digest: str
    engine: str
    engine_version: str


def trial_inputs(
    workspace: Workspace, metrics: Sequence[str], request: EvidenceRequest, at: datetime, progress: Progress = silent
) -> TrialInputs:
    """Metrics of metrics.yml on the units of a trial, with outcomes, split and baseline.

    Of `request` version, as-of date, memory, engine and settings count; everything is laid out at the primary horizon alone. Raises
    BadInput: no such metric, nothing to judge.
    """
    definitions = workspace_definitions(workspace)
    definition = definitions.metrics
    ids = asked_metrics(definition.metrics, tuple(metrics))
    needed = replace(definition, metrics=metrics_needed(definition.metrics, ids))
    with opened_trial(workspace, request, needed, at, progress) as trial:
        book = workspace.definition()
        as_of = request.as_of or request.settings.as_of or last_known_day(trial.reader, book.time_zone, at)[0]
        panel_basis = basis_for(workspace, PanelRequest(as_of=(as_of,)), ids, definition, trial.whole, trial.reader, at)
        basis = TrialBasis(replace(panel_basis, known_on=as_of, last=as_of), (), _dated(request.settings, as_of, book.currency))
        return _inputs(trial, basis, definition, ids, progress)


def _inputs(trial: OpenTrial, basis: TrialBasis, definition: MetricsDefinition, ids: tuple[str, ...], progress: Progress) -> TrialInputs:
    renewals, accounts, settings = _read(trial, basis)
    renewals, settings = replace(renewals, account=in_order(renewals.account)), replace(settings, replicates=0)
    days = trial_days(renewals, settings, basis.panel.known_on, DETAILED_SCORES + 1)
    terms, months = _terms(renewals, settings, days)
    maker = HistoryMaker(trial.reader)
    if holds(trial.reader, "accounts"):
        maker.add_statements(read_statements(trial.reader, basis.day))
    history = maker.history(())
    cluster, by_parent = find_clusters(renewals, history)
    terms = replace(terms, cluster=cluster, clustered_by_parent=by_parent)
    extras = index_extras(Extras(accounts=accounts), terms, settings)
    index = ScoreIndex(history, terms.account_names, terms.as_of, terms.seen)
    frame = make_frame(days.primary_horizon, terms, months, renewals, index, settings, extras)
    once = replace(days, horizons=(days.primary_horizon,))
    panel = _panel(trial, basis, definition, ids, days_asked(once), months and ActivePairs(terms, months), progress)
    rows = rows_at(panel, terms.account_names, frame.units.account, frame.units.as_of)
    book = trial.whole.version
    return TrialInputs(
        renewals=renewals,
        terms=terms,
        frame=frame,
        horizon_days=days.primary_horizon,
        accounts=terms.account_names,
        columns={id: np.append(values, np.nan)[rows] for id, values in panel.columns.items()},
        texts={id: Codes(np.append(codes.codes, -1)[rows], codes.names) for id, codes in panel.texts.items()},
        missing={id: Codes(np.append(codes.codes, -1)[rows], codes.names) for id, codes in panel.missing.items()},
        settings=settings,
        basis=basis.panel,
        definition=definition,
        book_version=book.version,
        book_digest=book.digest,
        engine=trial.database.kind,
        engine_version=trial.database.version,
    )
