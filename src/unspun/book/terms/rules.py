"""The rules by which terms become renewals, each with its default, and how they are told to the reader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unspun.errors import BadInput, Fault

Covers = Literal["month", "year", "term"]
MONTHS_COVERED: dict[Covers, float] = {"month": 1.0, "year": 12.0, "term": 0.0}


@dataclass(frozen=True, slots=True)
class TermRules:
    """How terms that follow each other are read. docs/explanation/renewals-from-terms.md gives the reasons.

    `grace_days`: a term that begins at most so many days after another's end renews it; after a longer gap the customer has
    churned, and coming back is a new customer. `early_days`: a term that takes over at most so many days before another's end
    renews it early; one that takes over sooner changes the contract mid-term, and nothing is due at the old end.
    `flat_within`: the relative change of ARR up to which a renewal is flat. `add_ons_count`: whether add-ons count into the
    amounts. `ends_inclusive`: whether an end is the last day of a term (else the day after it); None asks the terms themselves.
    `cancellation_ends_term`: whether the service stops at `cancelled_on`; else that is a notice, and the term runs to its end.
    `open_term_months`: an open term renews every so many months; None leaves open terms without renewals. `amount_covers`:
    what an amount is for, where the file does not say (or is wrong about it).
    """

    grace_days: int = 7
    early_days: int = 90
    flat_within: float = 0.001
    add_ons_count: bool = True
    ends_inclusive: bool | None = None
    cancellation_ends_term: bool = False
    open_term_months: int | None = None
    amount_covers: Covers | None = None


def check_rules(rules: TermRules) -> None:
    """Raises BadInput with every rule that cannot be."""
    faults = [
        Fault("bad_rule", f"{name} must be {what}; it is {value}.", f"--{name.replace('_', '-')}")
        for name, what, value, fits in (
            ("grace_days", "from 0 to 366 days", rules.grace_days, 0 <= rules.grace_days <= 366),
            ("early_days", "from 0 to 366 days", rules.early_days, 0 <= rules.early_days <= 366),
            ("flat_within", "at least 0 and less than 1", rules.flat_within, 0 <= rules.flat_within < 1),
            ("open_term_months", "from 1 to 120 months", rules.open_term_months, 1 <= (rules.open_term_months or 1) <= 120),
        )
        if not fits
    ]
    if rules.open_term_months == 0:
        faults.append(Fault("bad_rule", "open_term_months must be from 1 to 120 months; it is 0.", "--open-term-months"))
    if rules.amount_covers not in (None, *MONTHS_COVERED):
        faults.append(Fault("bad_rule", f"'{rules.amount_covers}' is not month, year or term.", "--amount-covers"))
    if faults:
        raise BadInput(faults)


def describe_rules(rules: TermRules) -> tuple[str, ...]:
    """The rules in force, a sentence each."""
    return (
        f"rule: a term that begins up to {_days(rules.grace_days)} after another's end renews it; after a longer gap the account churned, "
        "and a return is a reactivation, not a renewal",
        f"rule: a term that takes over up to {_days(rules.early_days)} before another's end renews it early; one that takes over sooner "
        "changes the contract, and nothing is due at the old end",
        f"rule: a change of ARR by at most {rules.flat_within * 100:g} per cent is flat",
        "rule: an add-on makes no renewal; "
        + ("its amount counts where it runs" if rules.add_ons_count else "add-ons are left out of the amounts"),
        "rule: a cancellation "
        + ("ends the term on its day" if rules.cancellation_ends_term else "is a notice; the renewal stays due at the term's end"),
        "rule: an open term "
        + ("has no renewal date" if rules.open_term_months is None else f"renews every {rules.open_term_months} months from its start"),
    )


def _days(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'}"
