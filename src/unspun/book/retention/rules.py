"""The rules of retention: those by which terms follow each other, and the window that rates look over; `retention.yml`."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from unspun.book.columns import did_you_mean
from unspun.book.mapping.yaml_nodes import YamlDocument
from unspun.book.terms.rules import TermRules, check_rules
from unspun.errors import BadInput, Fault

WINDOW_MONTHS = 12


@dataclass(frozen=True, slots=True)
class RetentionRules:
    """`terms` are the rules by which renewals are derived, of which ARR on a day follows too; `window_months` is how far apart
    the opening and the close of a rate (GRR, NRR, logo retention) lie where a question does not say."""

    terms: TermRules = field(default_factory=TermRules)
    window_months: int = WINDOW_MONTHS


@dataclass(frozen=True, slots=True)
class _Key:
    """A key of retention.yml: its default as it is written, what it may be, and what it means."""

    name: str
    default: str
    takes: tuple[type, ...]
    what: str
    meaning: str
    words: tuple[str, ...] = ()
    span: tuple[float, float] = (0, 0)


_KEYS = (
    _Key("window_months", "12", (int,), "a whole number from 1 to 120",
         "GRR, NRR and logo retention compare the end of a month with the end of the month so many months before.", span=(1, 120)),
    _Key("grace_days", "7", (int,), "a whole number from 0 to 366",
         "A term that begins at most so many days after another's end renews it: the gap counts as paid. After a longer gap the\n"
         "account churned, and coming back is a reactivation.", span=(0, 366)),
    _Key("early_days", "90", (int,), "a whole number from 0 to 366",
         "A term that takes over at most so many days before another's end renews it early; one that takes over sooner changes the\n"
         "contract, and nothing is due at the old end.", span=(0, 366)),
    _Key("flat_within", "0.001", (int, float), "a number from 0 to less than 1",
         "The relative change of ARR up to which a renewal is neither expanded nor contracted. The waterfall counts every cent.",
         span=(0, 1)),
    _Key("add_ons_count", "true", (bool,), "true or false",
         "Whether add-ons count into ARR. They make no renewal and keep no account: without a base product they never count."),
    _Key("ends_inclusive", "null", (bool, type(None)), "true, false or null",
         "Whether `ended` is the last day of a term (true) or the day after it (false); null: the terms themselves tell."),
    _Key("cancellation_ends_term", "false", (bool,), "true or false",
         "Whether the service stops on `cancelled_on` (true); else that is a notice, and the term runs to its end."),
    _Key("open_term_months", "null", (int, type(None)), "a whole number from 1 to 120, or null",
         "A term without an end renews every so many months; null: it has no renewals, and counts until it is cancelled.", span=(1, 120)),
    _Key("amount_covers", "null", (str, type(None)), "month, year, term or null",
         "What every amount is for: a month, a year, or the whole term. null: as `amount_months` of each row says.",
         words=("month", "year", "term")),
)  # fmt: skip


def check_retention_rules(rules: RetentionRules) -> None:
    """Raises BadInput with every rule that cannot be."""
    faults: list[Fault] = []
    if not 1 <= rules.window_months <= 120:
        faults.append(Fault("bad_rule", f"window_months must be from 1 to 120; it is {rules.window_months}.", "window_months"))
    try:
        check_rules(rules.terms)
    except BadInput as error:
        faults.extend(error.faults)
    if faults:
        raise BadInput(faults)


def default_text() -> str:
    """A `retention.yml` with the defaults, each with what it means."""
    intro = "# How retention is counted. Every rule has its default here; docs/explanation/retention.md gives the reasons.\n"
    return intro + "".join(f"\n{_commented(key.meaning)}{key.name}: {key.default}\n" for key in _KEYS)


def _commented(text: str) -> str:
    return "".join(f"# {line}\n" for line in text.split("\n"))


def read_rules(document: YamlDocument) -> RetentionRules:
    """The rules in a `retention.yml`; what it leaves out keeps its default. Raises BadInput with all faults, each with its line."""
    given = {} if document.value is None else document.value
    if not isinstance(given, dict):
        raise BadInput(Fault("not_rules", "this is no list of rules such as `grace_days: 7`.", document.place()))
    known = {key.name: key for key in _KEYS}
    faults = [_unknown(document, name, known) for name in given if name not in known]
    faults += [_unfit(document, known[name], value) for name, value in given.items() if name in known and not _fits(known[name], value)]
    if faults:
        raise BadInput(sorted(faults, key=lambda fault: (len(fault.where), fault.where)))
    terms = {field.name: given[field.name] for field in fields(TermRules) if field.name in given}
    return RetentionRules(TermRules(**terms), given.get("window_months", WINDOW_MONTHS))


def _unknown(document: YamlDocument, name: Any, known: dict[str, _Key]) -> Fault:
    hint = f"{did_you_mean(str(name), known)}The rules are {', '.join(known)}."
    return Fault("unknown_rule", f"there is no rule '{name}'.", document.place((name,)), hint)


def _unfit(document: YamlDocument, key: _Key, value: object) -> Fault:
    shown = {"None": "empty", "True": "true", "False": "false"}.get(repr(value), repr(value))
    return Fault(
        "bad_rule", f"{key.name} must be {key.what}; it is {shown}.", document.place((key.name,)), f"The default is {key.default}."
    )


def _fits(key: _Key, value: Any) -> bool:
    if type(value) not in key.takes:  # true is an int to Python, and no number here
        return False
    if isinstance(value, str):
        return value in key.words
    if isinstance(value, bool) or value is None or key.span == (0, 0):
        return True
    low, high = key.span
    return low <= value < high if key.name == "flat_within" else low <= value <= high
