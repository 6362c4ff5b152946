"""What an audit is to read: one request for all of its files, every fault of all of them told at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

import numpy as np

from unspun.app.sources import SWAPPED, misplaced_faults, misused_faults
from unspun.audit.protocol import AuditSettings
from unspun.book.account_ids import match_accounts
from unspun.book.accounts import read_accounts
from unspun.book.events import read_events
from unspun.book.extras import Extras
from unspun.book.forecasts import read_forecasts
from unspun.book.purchases import read_purchases
from unspun.book.reading import check_options
from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.subscriptions import read_subscriptions
from unspun.book.tables import Purchases, ReadingOptions, Renewals, ScoreHistory, Subscriptions
from unspun.book.terms.derive import derive_renewals, last_known_day
from unspun.book.terms.rules import TermRules
from unspun.errors import BadInput, Fault
from unspun.progress import Progress, silent

OUTCOME_SOURCES = ("renewals", "subscriptions", "purchases")
NO_EFFECT = "no_effect"  # the code of the fault of an option that a run would pass over
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
    def given(self) -> dict[str, object]:
        """Every input given, by its role."""
        named = {name: getattr(self, name) for name in ("scores", *OUTCOME_SOURCES, "accounts", "events", "forecasts")}
        return {name: source for name, source in named.items() if source is not None}

    @property
    def outcome_sources(self) -> tuple[str, ...]:
        """Which of the given inputs say what became of the accounts; an audit takes one."""
        return tuple(name for name in OUTCOME_SOURCES if name in self.given)


@dataclass(frozen=True, slots=True)
class AuditInputs:
    """The tables of an audit, their account ids spelled alike."""

    scores: ScoreHistory
    outcomes: Renewals | Purchases
    extras: Extras


def read_request(request: AuditRequest, today: date, progress: Progress = silent) -> AuditInputs:
    """Read every input of a request. Raises BadInput with the faults of all of them, and of the options, once."""
    faults = [*check_options(request.reading), *_source_faults(request)]
    given = request.given
    refused: dict[str, tuple[Fault, ...]] = {}

    def attempt(name: str, read: Callable[[], Result]) -> Result | None:
        if name not in given:
            return None
        progress(f"reading {name}", list(given).index(name), len(given))
        try:
            return read()
        except BadInput as refusal:
            refused[name] = refusal.faults
            return None

    options = request.reading
    scores = attempt("scores", lambda: read_scores(request.scores, options))
    source = next(iter(request.outcome_sources), "")
    outcomes = attempt(source, lambda: _read_outcomes(request, scores, today)) if len(request.outcome_sources) == 1 else None
    extras = Extras(
        attempt("accounts", lambda: read_accounts(request.accounts, options)),
        attempt("events", lambda: read_events(request.events, options)),
        attempt("forecasts", lambda: read_forecasts(request.forecasts, options)),
    )
    if faults or refused or scores is None or outcomes is None:
        raise BadInput(list(dict.fromkeys([*faults, *_told(refused, request)])))
    progress("reading", len(given), len(given))
    return AuditInputs(match_accounts(scores, outcomes), outcomes, _matched(extras, outcomes))


def _told(refused: dict[str, tuple[Fault, ...]], request: AuditRequest) -> list[Fault]:
    """The faults of the inputs; first, what was given in another's place."""
    misplaced = misplaced_faults({name: request.given[name] for name in refused}, request.outcome_sources, request.reading)
    idle = ("scores", "renewals") if any(fault.code == SWAPPED for fault in misplaced) else ()
    return [*misplaced, *(fault for name, found in refused.items() if name not in idle for fault in found)]


def _source_faults(request: AuditRequest) -> list[Fault]:
    faults = misused_faults(request.given, request.outcome_sources)
    unused = (
        ("term_rules", request.terms != TermRules(), "subscriptions"),
        ("active_days", request.settings.active_days != AuditSettings().active_days, "purchases"),
        ("calls", bool(request.reading.calls), "forecasts"),
    )
    return faults + [no_effect(name, needs) for name, said, needs in unused if said and needs not in request.given]


def no_effect(option: str, needs: str) -> Fault:
    """An option that says something of a file that is not there: a run without a fault would look as if it had counted."""
    return Fault(NO_EFFECT, f"has no effect without {needs}.", option, f"Give {needs}, or leave it out.")


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
