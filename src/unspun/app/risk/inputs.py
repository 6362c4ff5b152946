"""The inputs of renewal risk from the book: account-months with what was known of each, and what is open on the as-of day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import numpy as np

from unspun.app.evidence.inputs import EPOCH, OpenTrial
from unspun.app.panel.request import LIFE_TABLES, MetricsDefinition, tables_read
from unspun.app.risk.accounts import RiskAccounts, read_accounts
from unspun.app.risk.basis import LeftOut, RiskBasis, RiskRequest, opened_risk
from unspun.app.risk.carried import LookedAt, carried_values, eves_of_outages
from unspun.app.risk.rows import (
    MONTHS_BACK,
    AccountMonths,
    Decisions,
    churn_settle_days,
    decide,
    earlier_months,
    lay_rows,
    looked_at,
    term_classes,
)
from unspun.app.trial.book import holds, rates_into, read_renewals, read_statements
from unspun.app.trial.history import HistoryMaker
from unspun.app.trial.panel import NO_PANEL, ActivePairs, TrialPanel, compute_trial_panel, prepare_trial_panel
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.workspace import Workspace
from unspun.audit.known import to_days
from unspun.audit.terms import UNKNOWN, PastOutcomes, Terms, find_clusters, in_order, order_terms
from unspun.book.tables import OUTCOMES, Codes, Renewals
from unspun.metrics.asof import Dates
from unspun.metrics.metric import Direction
from unspun.metrics.missing import REASON_CODES
from unspun.progress import Progress, silent
from unspun.risk.rows import Bools, Feature, Floats, Ints, RiskRows

WAY: Mapping[Direction, int] = {"higher": 1, "lower": -1, "neutral": 0}
LOG_ARR, TENURE, SEGMENT, LAST_OUTCOME = "given/log_arr", "given/tenure", "given/segment", "given/last_outcome"
"""Features that the book itself gives: ids that no metric can have."""
NO_EARLIER = "no earlier renewal"
DAYS_A_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class RiskInputs:
    """Account-months of all renewals with what was known of each, then the rows of the as-of day.

    `today` masks the rows of renewals not decided on the as-of day: of those with `rows.decided_on` known, notice was given on that day;
    of the others those with a lead of 0 or less are overdue, and the rest are open. `rows.account` indexes `accounts`, `rows.renewal` the
    rows of `terms`. `left_out` are metrics that are no features, and why; `unrecorded` renewals have no row, as nobody wrote down what
    became of them. For the rows accounts were looked at on `panel_rows` days, and `source_rows` rows of the book were read.
    """

    rows: RiskRows
    today: Bools
    terms: Terms
    decisions: Decisions
    accounts: tuple[str, ...]
    known: RiskAccounts
    left_out: LeftOut
    unrecorded: int
    basis: RiskBasis
    definition: MetricsDefinition
    book_version: int
    book_digest: str
    engine: str
    engine_version: str
    queries: Mapping[str, str]
    panel_rows: int
    source_rows: int
    in_place: tuple[Mapping[str, Any], ...] = ()

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables of the book that the rows rest on."""
        return tables_of_risk(self.basis, self.definition)

    @property
    def as_of(self) -> date:
        return self.basis.as_of

    @property
    def history(self) -> RiskRows:
        """What models are fitted on: all rows but those of the as-of day. Some of the latter have notice given, and are not at risk."""
        return self.rows.take(~self.today)

    @property
    def of_today(self) -> RiskRows:
        """The rows of what is not decided on the as-of day."""
        return self.rows.take(self.today)

    @property
    def cutoff(self) -> int:
        """The day before which everything is known: the one after the as-of day."""
        return self.terms.as_of + 1

    def currency_of(self, renewal: int) -> str | None:
        """The currency of a renewal's amounts; None where the book states none."""
        code = int(self.terms.money.currency[renewal])
        return (self.terms.money.currencies[code] or None) if code >= 0 else None


def risk_inputs(workspace: Workspace, request: RiskRequest, at: datetime, progress: Progress = silent) -> RiskInputs:
    """The rows that a request asks for. Raises BadInput: nothing loaded, no renewals, a pattern that fits no metric, faulty definitions."""
    definition = workspace_definitions(workspace).metrics
    with opened_risk(workspace, request, definition, at, progress) as (trial, basis, left_out):
        return replace(lay_out_risk(trial, basis, definition, progress), left_out=left_out)


def lay_out_risk(
    trial: OpenTrial, basis: RiskBasis, definition: MetricsDefinition, progress: Progress = silent, today_only: bool = False
) -> RiskInputs:
    """The rows of a basis (`today_only`: those of the as-of day). The same basis, definitions and version of the book give the same."""
    progress("reading renewals", 0, 0)
    terms, decisions, accounts = _read(trial, basis)
    laid = lay_rows(terms, decisions)
    laid = laid.take(laid.today) if today_only else laid
    since = int(earlier_months(np.array([terms.as_of]), MONTHS_BACK)[0]) if today_only else UNKNOWN
    eves = eves_of_outages(basis.panel, definition)
    pairs = looked_at(terms, decisions, since, eves)
    panel = _panel(trial, basis, definition, ActivePairs(terms, pairs), np.unique(pairs.day), progress)
    book, tables = trial.whole.version, tables_of_risk(basis, definition)
    return RiskInputs(
        rows=_rows(terms, decisions, laid, accounts, panel, (definition, eves)),
        today=laid.today,
        terms=terms,
        decisions=decisions,
        accounts=terms.account_names,
        known=accounts,
        left_out=(),
        unrecorded=int(decisions.unrecorded.sum()),
        basis=basis,
        definition=definition,
        book_version=book.version,
        book_digest=book.digest,
        engine=trial.database.kind,
        engine_version=trial.database.version,
        queries=panel.queries,
        panel_rows=len(panel),
        source_rows=panel.source_rows,
        in_place=tuple(record for record in trial.whole.records if record["table"] in tables),
    )


def tables_of_risk(basis: RiskBasis, definition: MetricsDefinition) -> tuple[str, ...]:
    """The tables that metrics read, and those that say who is a customer until when."""
    return tuple(dict.fromkeys([*tables_read(definition.metrics, basis.metrics), *LIFE_TABLES, "renewals"]))


# From the book


def _read(trial: OpenTrial, basis: RiskBasis) -> tuple[Terms, Decisions, RiskAccounts]:
    """Terms with their clusters, how each was decided, and who the accounts are: all as known on the as-of day."""
    as_of = (basis.as_of - EPOCH).days
    with trial.known(basis.day) as known:
        renewals = read_renewals(trial.reader, known, basis.panel, basis.day)
        renewals = replace(renewals, account=in_order(renewals.account))
        rates = _rates(trial, renewals, basis)
        terms = order_terms(renewals, None, as_of, rates, basis.currency if rates else None)
        accounts = read_accounts(trial.reader, known, basis.day, terms.account_names, as_of)
    maker = HistoryMaker(trial.reader)
    if holds(trial.reader, "accounts"):
        maker.add_statements(read_statements(trial.reader, basis.day))
    cluster, by_parent = find_clusters(renewals, maker.history(()))
    notice = np.full(len(terms.due), UNKNOWN) if renewals.notice is None else to_days(renewals.notice)[terms.order]
    terms = replace(terms, cluster=cluster, clustered_by_parent=by_parent)
    settle_days = churn_settle_days(terms, notice) if holds(trial.reader, "renewals") else basis.panel.rules.grace_days
    return terms, decide(terms, notice, settle_days), accounts


def _rates(trial: OpenTrial, renewals: Renewals, basis: RiskBasis) -> dict[str, float]:
    """Rates into the currency of the book, where amounts are in others: the latest up to the as-of day."""
    named = () if renewals.currency is None else renewals.currency.names
    if basis.currency is None or not set(named) - {basis.currency}:
        return {}
    with trial.known(basis.day) as known:
        return rates_into(known, basis.currency, named, basis.day)[0]


def _panel(
    trial: OpenTrial, basis: RiskBasis, definition: MetricsDefinition, active: ActivePairs, days: Ints, progress: Progress
) -> TrialPanel:
    if not basis.metrics or not len(days):
        return NO_PANEL
    progress("computing metrics", 0, 0)
    dates = tuple(days.astype("datetime64[D]").tolist())
    as_of = Dates(dates, f"the first days of months from {dates[0]}, and {basis.as_of}")
    panel = prepare_trial_panel(definition, basis.panel, as_of, trial.reader, trial.database, trial.elsewhere)
    return compute_trial_panel(panel, active, progress)


# As arrays


def _rows(
    terms: Terms,
    decisions: Decisions,
    laid: AccountMonths,
    accounts: RiskAccounts,
    panel: TrialPanel,
    told: tuple[MetricsDefinition, tuple[int, ...]],
) -> RiskRows:
    """`told` are the metrics, and the eves of outages on which the panel has their values too."""
    account = terms.account[laid.renewal]
    since = customer_since(terms, accounts)[account]
    given = _given(terms, laid, accounts, since)
    metrics = _metrics(panel, told, terms.account_names, LookedAt(account, laid.day, since))
    features = (*(one.feature for one in given), *(one.feature for one in metrics))
    return RiskRows(
        features=features,
        columns={one.feature.id: one.values for one in (*given, *metrics)},
        reasons={one.feature.id: one.reason for one in (*given, *metrics)},
        stale_days={one.feature.id: one.stale_days for one in (*given, *metrics)},
        renewal=laid.renewal,
        account=account,
        cluster=terms.cluster[account],
        as_of=laid.day,
        due=terms.due[laid.renewal],
        decided_on=decisions.decided_on[laid.renewal],
        outcome=decisions.outcome[laid.renewal].astype(np.int8),
        term_class=term_classes(terms)[laid.renewal],
        arr=terms.money.before[laid.renewal],
    )


@dataclass(frozen=True, slots=True)
class _Column:
    """One feature with its values (NaN: none), why there are none, and how old those are that stand for lost ones."""

    feature: Feature
    values: Floats
    reason: Codes
    stale_days: Ints


def customer_since(terms: Terms, accounts: RiskAccounts) -> Ints:
    """By account code, the day from which it was a customer: as stated, or of its first term."""
    return np.minimum(terms.first_seen, np.where(accounts.since == UNKNOWN, terms.first_seen, accounts.since))


def _given(terms: Terms, laid: AccountMonths, accounts: RiskAccounts, since: Ints) -> tuple[_Column, ...]:
    """What the book says of an account beside its metrics: size, tenure, segment and the last outcome, each as known on the day."""
    account = terms.account[laid.renewal]
    arr = terms.money.before[laid.renewal]
    segments = accounts.segment_history
    segment = segments.on(account, laid.day)
    last = PastOutcomes(terms).last(account, laid.day) + 1
    currency = terms.money.stated_in or (terms.money.currencies[0] if len(terms.money.currencies) == 1 else "")
    found = [
        _of_book(Feature(LOG_ARR, "ARR", f"log {currency}".strip(), "number", given=True), np.log(np.where(arr > 0, arr, np.nan))),
        _of_book(Feature(TENURE, "Years a customer", "years", "number", given=True), (laid.day - since) / DAYS_A_YEAR),
        _of_book(Feature(SEGMENT, "Segment", "", "category", given=True, names=segments.names), np.where(segment < 0, np.nan, segment)),
        _of_book(Feature(LAST_OUTCOME, "Last outcome", "", "category", given=True, names=(NO_EARLIER, *OUTCOMES)), last.astype(np.float64)),
    ]
    return tuple(one for one in found if np.isfinite(one.values).any())


def _of_book(feature: Feature, values: Floats) -> _Column:
    reason = np.where(np.isnan(values), REASON_CODES.index("not_stated"), -1).astype(np.int32)
    return _Column(feature, values, Codes(reason, REASON_CODES), np.zeros(len(values), np.int64))


def _metrics(
    panel: TrialPanel, told: tuple[MetricsDefinition, tuple[int, ...]], names: tuple[str, ...], rows: LookedAt
) -> tuple[_Column, ...]:
    """Metrics on the rows; what an outage hides is taken from before it."""
    found, (definition, eves) = [], told
    for id, one in carried_values(panel, definition, names, rows, eves).items():
        metric = definition.metrics.metric(id)
        feature = Feature(id, metric.label, metric.unit, "number", WAY[metric.direction])
        found.append(_Column(feature, one.values, one.reason, one.stale_days))
    return tuple(found)
