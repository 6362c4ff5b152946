"""The operation "derive renewals": subscription terms in, renewals due and what became of them out."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date

from unspun.app.sources import given_twice, misplaced_faults
from unspun.book.subscriptions import read_subscriptions
from unspun.book.tables import OUTCOMES, UNDECIDED, ReadingOptions, Renewals, Subscriptions
from unspun.book.terms.derive import derive_renewals, last_known_day
from unspun.book.terms.rules import TermRules
from unspun.errors import BadInput
from unspun.progress import Progress, silent


@dataclass(frozen=True, slots=True)
class DeriveRequest:
    """Subscription terms (one input or a tuple of them), how to read them, the rules, and the as-of date where one is declared."""

    subscriptions: object
    reading: ReadingOptions = field(default_factory=ReadingOptions)
    rules: TermRules = field(default_factory=TermRules)
    as_of: date | None = None


@dataclass(frozen=True, slots=True)
class DerivedRenewals:
    """The renewals as known on the as-of date. Their source holds the rows set aside, the rules in force and their counts."""

    renewals: Renewals
    as_of: date

    @property
    def counts(self) -> tuple[tuple[str, int], ...]:
        """Renewals by outcome, the undecided last."""
        outcome = self.renewals.outcome
        named = [(name, int((outcome == code).sum())) for code, name in enumerate(OUTCOMES)]
        return (*named, ("undecided", int((outcome == UNDECIDED).sum())))


def read_terms(request: DeriveRequest) -> Subscriptions:
    """The terms of all files. Raises BadInput with every fault found, a file given twice among them."""
    twice = list(given_twice("subscriptions", request.subscriptions))
    try:
        subscriptions = read_subscriptions(request.subscriptions, request.reading)
    except BadInput as refusal:
        misplaced = misplaced_faults({"subscriptions": request.subscriptions}, (), request.reading)
        raise BadInput([*twice, *misplaced, *refusal.faults]) from None
    if twice:
        raise BadInput(twice)
    return subscriptions


def derive(request: DeriveRequest, today: date, progress: Progress = silent) -> DerivedRenewals:
    """Read the terms and derive the renewals. Raises BadInput with every fault found."""
    progress("reading subscriptions", 0, 2)
    subscriptions = read_terms(request)
    progress("deriving renewals", 1, 2)
    as_of = request.as_of or last_known_day(subscriptions, today)
    return DerivedRenewals(derive_renewals(subscriptions, request.rules, as_of), as_of)
