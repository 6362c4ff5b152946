"""Where an account stands that has no line in the portfolio: it left, or no renewal of it is open. Nothing is judged of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from unspun.app.portfolio.pages import UNDECIDED_WORD

StandingKind = Literal["left", "leaving", "ended", "coming", "renewed", "undecided", "nothing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Why there is no renewal to judge, from what the book held at the end of the as-of day.

    `day`: it left then, its newest term was or is due then, its last subscription ended or its first begins then; None where nothing says.
    `outcome` is that of its newest term, `reason` why it left, as the book states it.
    """

    kind: StandingKind
    day: date | None = None
    outcome: str = ""
    reason: str | None = None


def standing_of(body: Mapping[str, Any], as_of: date) -> Standing:
    """Where the account of a page stands. Its newest term decides; without terms its subscriptions, else its record of leaving."""
    terms, left = body["terms"], _record_of_leaving(body)
    if terms:
        return _by_term(terms[0], left, as_of)
    bought = body.get("subscriptions", ())
    if bought:
        return _by_subscriptions(bought, as_of)
    return Standing("nothing") if left is None else Standing("left", _day(left["day"]), reason=left["reason"])


def _by_term(term: Mapping[str, Any], left: Mapping[str, Any] | None, as_of: date) -> Standing:
    due, outcome = None if term["due"] is None else _day(term["due"]), term["outcome"]
    if outcome == UNDECIDED_WORD:
        return Standing("undecided", due)
    if outcome != "churned":
        return Standing("renewed", due, outcome)
    reason = left["reason"] if left is not None and (term["start"] is None or left["day"] >= term["start"]) else None
    return Standing("left" if due is None or due <= as_of else "leaving", due, outcome, reason)


def _by_subscriptions(bought: Sequence[Mapping[str, Any]], as_of: date) -> Standing:
    ends = [min(filter(None, (one["ended"], one["cancelled_on"])), default=None) for one in bought if _day(one["started"]) <= as_of]
    if not ends:
        return Standing("coming", min(_day(one["started"]) for one in bought))
    return Standing("ended", max((_day(one) for one in ends if one is not None), default=None))


def _record_of_leaving(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The newest record of a departure."""
    return next((one for one in body.get("churns", ()) if not one["is_reactivation"]), None)


def _day(text: str) -> date:
    return date.fromisoformat(text)
