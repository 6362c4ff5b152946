"""What an audit is to read: one request for all of its files, every fault of all of them told at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

import numpy as np

from unspun.audit.protocol import AuditSettings
from unspun.book.account_ids import match_accounts
from unspun.book.extras import Extras
from unspun.book.inputs import read_extras
from unspun.book.purchases import read_purchases
from unspun.book.reading import check_options
from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.subscriptions import read_subscriptions
from unspun.book.tables import Purchases, ReadingOptions, Renewals, ScoreHistory, Subscriptions
from unspun.book.terms.derive import derive_renewals, last_known_day
from unspun.book.terms.rules import TermRules
from unspun.errors import BadInput, Fault

OUTCOME_SOURCES = ("renewals", "subscriptions", "purchases")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What to audit, how to read it, and what is declared. Outcomes come from one of `renewals`, `subscriptions`, `purchases`.

    Each input is a path ("-" is standard input; a folder or a pattern stands for its files), a pandas, Polars or Arrow
    table, or a tuple of such, read as one.
    """

    scores: object
    renewals: object | None = None
    subscriptions: object | None = None
    purchases: object | None = None
    accounts: object | None = None
    events: object | None = None
    forecasts: object | None = None
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    terms: TermRules = field(default_factory=TermRules)
    settings: AuditSettings = field(default_factory=AuditSettings)

    @property
    def inputs(self) -> list[object]:
        """Every input given."""
        given = (self.scores, self.renewals, self.subscriptions, self.purchases, self.accounts, self.events, self.forecasts)
        return [one for one in given if one is not None]


@dataclass(frozen=True, slots=True)
class AuditInputs:
    """The tables of an audit, their account ids spelled alike."""

    scores: ScoreHistory
    outcomes: Renewals | Purchases
    extras: Extras


def read_request(request: AuditRequest, today: date) -> AuditInputs:
    """Read every input of a request. Raises BadInput with the faults of all of them, and of the options, once."""
    faults = [*check_options(request.reading), *_source_faults(request)]

    def attempt(read: Callable[[], Result]) -> Result | None:
        try:
            return read()
        except BadInput as refusal:
            faults.extend(refusal.faults)
            return None

    options = request.reading
    scores = attempt(lambda: read_scores(request.scores, options))
    outcomes = None if len(_outcomes_given(request)) != 1 else attempt(lambda: _read_outcomes(request, scores, today))
    extras = attempt(lambda: read_extras(request.accounts, request.events, request.forecasts, options))
    if faults or scores is None or outcomes is None or extras is None:
        raise BadInput(list(dict.fromkeys(faults)))
    return AuditInputs(match_accounts(scores, outcomes), outcomes, _matched(extras, outcomes))


def _outcomes_given(request: AuditRequest) -> list[str]:
    return [name for name in OUTCOME_SOURCES if getattr(request, name) is not None]


def _source_faults(request: AuditRequest) -> list[Fault]:
    given = _outcomes_given(request)
    faults = []
    if not given:
        message = "nothing says what became of the accounts."
        faults.append(Fault("no_outcomes", message, "renewals", "Give renewals, subscriptions, or purchases."))
    if len(given) > 1:
        message = f"outcomes can come from one source, and {' and '.join(given)} are given."
        faults.append(Fault("two_outcomes", message, given[-1], "Give one of them."))
    if sum(isinstance(one, str) and one == "-" for one in request.inputs) > 1:
        faults.append(Fault("stdin_twice", "standard input can be one of the files only.", "-", "Give the others as paths."))
    return faults


def _read_outcomes(request: AuditRequest, scores: ScoreHistory | None, today: date) -> Renewals | Purchases:
    if request.purchases is not None:
        return read_purchases(request.purchases, request.reading)
    if request.renewals is not None:
        return read_renewals(request.renewals, request.reading)
    subscriptions = read_subscriptions(request.subscriptions, request.reading)
    as_of = request.settings.as_of or _last_known(subscriptions, scores, today)
    return derive_renewals(subscriptions, request.terms, as_of)


def _last_known(subscriptions: Subscriptions, scores: ScoreHistory | None, today: date) -> date:
    """The last day up to today on which the terms, or the scores, know anything."""
    known = last_known_day(subscriptions, today)
    if scores is None:
        return known
    days = scores.dated.astype("datetime64[D]")
    past = days[days <= np.datetime64(today, "D")]
    return max(known, past.max().astype(date)) if len(past) else known


def _matched(extras: Extras, outcomes: Renewals | Purchases) -> Extras:
    """The optional files with their accounts spelled as those of the outcomes."""
    tables = {name: getattr(extras, name) for name in ("accounts", "events", "forecasts")}
    return replace(extras, **{name: None if table is None else match_accounts(table, outcomes) for name, table in tables.items()})
