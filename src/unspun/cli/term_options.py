"""The options that say how subscription terms become renewals, the same for every command that derives them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from unspun.book.terms.rules import Covers, TermRules
    from unspun.cli.options import OptionReader

GraceDays = Annotated[str | None, typer.Option(metavar="DAYS", help="A term that begins so late after another's end still renews it. [7]")]
EarlyDays = Annotated[
    str | None, typer.Option(metavar="DAYS", help="A term that takes over so long before another's end renews it early. [90]")
]
FlatWithin = Annotated[str | None, typer.Option(metavar="SHARE", help="A change of ARR up to this share is a flat renewal. [0.001]")]
NoAddOns = Annotated[bool, typer.Option("--no-add-ons", help="Leave add-ons out of the amounts.")]
EndsAre = Annotated[
    str | None, typer.Option(metavar="inclusive|exclusive", help="Whether an end date is a term's last day; by default the terms tell.")
]
CancellationEndsTerm = Annotated[
    bool, typer.Option("--cancellation-ends-term", help="Service stops on the day of cancellation, not at the term's end.")
]
OpenTermMonths = Annotated[
    str | None, typer.Option(metavar="MONTHS", help="A term without an end renews every so many months; else it is censored.")
]
AmountCovers = Annotated[str | None, typer.Option(metavar="month|year|term", help="What an amount is for, where the file does not say.")]


@dataclass(frozen=True, slots=True)
class TermWords:
    """The options as they were typed."""

    grace_days: str | None = None
    early_days: str | None = None
    flat_within: str | None = None
    no_add_ons: bool = False
    ends_are: str | None = None
    cancellation_ends_term: bool = False
    open_term_months: str | None = None
    amount_covers: str | None = None


def typed(words: TermWords) -> list[str]:
    """The names of those that were given."""
    return [field.name for field in fields(TermWords) if getattr(words, field.name) not in (None, False)]


def read_rules(words: TermWords, reader: OptionReader) -> TermRules:
    """The rules that were asked for; every fault is noted."""
    from unspun.book.terms.rules import TermRules

    default = TermRules()
    ends = reader.choice("--ends-are", words.ends_are, ("inclusive", "exclusive"), "")
    covers = reader.choice("--amount-covers", words.amount_covers, ("month", "year", "term"), "")
    return TermRules(
        grace_days=reader.integer("--grace-days", words.grace_days, default.grace_days, at_least=0),
        early_days=reader.integer("--early-days", words.early_days, default.early_days, at_least=0),
        flat_within=reader.share("--flat-within", words.flat_within, default.flat_within),
        add_ons_count=not words.no_add_ons,
        ends_inclusive=ends == "inclusive" if ends else None,
        cancellation_ends_term=words.cancellation_ends_term,
        open_term_months=reader.integer("--open-term-months", words.open_term_months, None, at_least=1),
        amount_covers=cast("Covers", covers) if covers else None,
    )
