"""How a choice stands in a book: answered by the company, by a name that says it, not needed, open with candidates, or without any."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from unspun.metrics.conditions import Scalar
from unspun.metrics.forms import printable
from unspun.metrics.standard.choices import ACTIVE, CHOICES, ONBOARDING, USED
from unspun.metrics.standard.contents import Contents, CountedValue, plural, share
from unspun.metrics.standard.entry import Choice, plain_words
from unspun.metrics.standard.needs import Need

EVENTS, EVENT = "events", "event"
MOST_CANDIDATES, MOST_NAMED = 8, 4
LENGTHY = 60
STANDARD_NUMBERS = {("tickets", "satisfaction")}
"""Numbers with a meaning of their own, which no choice of a column can be."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A value or a column that may be meant, and what speaks for it."""

    value: Scalar
    reason: str


@dataclass(frozen=True, slots=True)
class Asked:
    """How a choice stands.

    `chosen`: the company said it. `known`: a name says it. `all`: it narrows nothing. `open`: `candidates`, the likeliest first, are some
    `of` so many. `lacking`: there is nothing to choose from. `told` is why, in a sentence.
    """

    choice: Choice
    state: Literal["chosen", "known", "all", "open", "lacking"]
    told: str
    answers: tuple[Scalar, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    of: int = 0

    @property
    def is_open(self) -> bool:
        return self.state == "open"


def ask(contents: Contents, chosen: Mapping[str, tuple[Scalar, ...]], held: Collection[str] = ()) -> dict[str, Asked]:
    """How every choice of the catalogue stands in a book, by its id. Of `held` the answers were read from metrics.yml."""
    found = {id: _asked(choice, contents, chosen.get(id, ())) for id, choice in CHOICES.items()}
    found[ACTIVE.id] = _active(contents, chosen.get(ACTIVE.id, ()))
    found[USED.id] = _used(contents, chosen.get(USED.id, ()), found[ACTIVE.id])
    return found | {id: replace(found[id], told=found[id].told.replace(", as chosen.", ", as in metrics.yml.")) for id in held}


def shown(value: Scalar) -> str:
    """A value as a sentence quotes it, cut where it is long."""
    if value == "":
        return "events without a name"
    told = printable(value) if isinstance(value, str) else str(value)
    return told if len(told) <= LENGTHY else f"{told[: LENGTHY - 4]}...'"


def counted_events(contents: Contents, answers: tuple[Scalar, ...]) -> list[CountedValue]:
    """The names of events that are meant: those answered, or all, and then also events without a name."""
    counted = contents.counted(EVENTS, EVENT)
    if answers:
        return [one for one in counted.values if one.value in answers]
    return [*counted.values, *(() if counted.unnamed is None else (counted.unnamed,))]


def _asked(choice: Choice, contents: Contents, chosen: tuple[Scalar, ...]) -> Asked:
    if chosen:
        return Asked(choice, "chosen", f"{choice.id}: {_named(chosen)}, as chosen.", chosen)
    found = _values(choice, contents) if choice.column else _columns(choice, contents)
    known = [one for one in found if choice.is_known(str(one.value))][: 1 if choice.one else None]
    if known:
        told = "; ".join(f"{shown(one.value)} is in {one.reason}" for one in known[:MOST_NAMED])
        return Asked(choice, "known", f"{choice.id} by name: {told}.", tuple(one.value for one in known))
    if all(_has(choice.unlikely, one.value) for one in found):
        return Asked(choice, "lacking", _nothing(choice, contents))
    return Asked(choice, "open", choice.question, (), tuple(found[:MOST_CANDIDATES]), _number(choice, contents, found))


def _active(contents: Contents, chosen: tuple[Scalar, ...]) -> Asked:
    """Which events are use: all of them where they come from one source; else whoever knows the sources has to say."""
    counted = contents.counted(EVENTS, EVENT)
    names, unnamed = counted.distinct, 0 if counted.unnamed is None else counted.unnamed.rows
    if chosen or not contents.holds(EVENTS):
        return _asked(ACTIVE, contents, chosen)
    if not names:
        return Asked(ACTIVE, "all", "Every event counts: none has a name.")
    told = f"{plural(names, 'name')} ({_named([one.value for one in counted.values])})"
    if contents.sources.get(EVENTS, 1) <= 1 or (names == 1 and not unnamed):
        return Asked(ACTIVE, "all", f"Every event counts, of {told}.")
    why = f"Events come from {contents.sources[EVENTS]} sources and need not all be use: {told}"
    why += f", and {plural(unnamed, 'event')} without a name." if unnamed else "."
    return Asked(ACTIVE, "open", f"{ACTIVE.question} {why}", (), tuple(_values(ACTIVE, contents)[:MOST_CANDIDATES]), names)


def _used(contents: Contents, chosen: tuple[Scalar, ...], active: Asked) -> Asked:
    """Which number tells of use: asked only where rows are summaries of days, which may say that nothing happened."""
    summaries = [one for one in counted_events(contents, active.answers) if one.is_summary]
    if chosen or not summaries:
        return _asked(USED, contents, chosen) if chosen else Asked(USED, "all", "")
    found = _columns(USED, contents)
    if not found:
        return Asked(USED, "all", "")
    why = f"{_named([one.value for one in summaries])}: a row sums up a day of an account, and may say that nothing happened."
    return Asked(USED, "open", f"{USED.question} {why}", (), tuple(found[:MOST_CANDIDATES]), len(found))


# Candidates


def _values(choice: Choice, contents: Contents) -> list[Candidate]:
    """The values of the choice's column, the likeliest first. Of events only those that their name speaks for, where a name can."""
    found = [one for one in contents.counted(choice.table, choice.column).values if _may_be(choice, one)]
    accounts = contents.accounts.get(choice.table, 0)
    if all(isinstance(one.value, int | float) for one in found):
        ordered = sorted(found, key=lambda one: one.value, reverse=True)
    else:
        ordered = sorted(found, key=lambda one: (_rank(choice, one.value), -one.accounts, -one.rows, str(one.value)))
    return [Candidate(one.value, _reason(choice, one, accounts)) for one in ordered]


def _may_be(choice: Choice, one: CountedValue) -> bool:
    """Whether a value may be meant: not where its name says that it is something else (a login may be a step of onboarding), nor where its
    rows cannot be counted; of events, where a name can tell, only where it does."""
    name = str(one.value)
    if choice.is_known(name) or choice is ACTIVE:
        return True
    others = [other for other in CHOICES.values() if (other.table, other.column) == (choice.table, choice.column)]
    if one.is_summary or (choice is not ONBOARDING and any(other.is_known(name) for other in others)):
        return False
    return _has(choice.hints, name) or not (choice.hints and choice.table == EVENTS)


def _columns(choice: Choice, contents: Contents) -> list[Candidate]:
    """Columns of the kinds that the choice may be, those that a name speaks for; any, where no name can."""
    table = choice.table
    kinds = contents.tables[table].columns if contents.holds(table) else {}
    names = [
        name
        for name, kind in kinds.items()
        if kind in choice.kinds and contents.cells(table, name) and (table, name) not in STANDARD_NUMBERS
    ]
    if choice.hints:
        names = [name for name in names if _has(choice.hints, name) or choice.is_known(name)]
    rows = contents.rows.get(table, 0)
    ordered = sorted(names, key=lambda name: (_rank(choice, name), -contents.cells(table, name), name))
    return [Candidate(name, f"{share(contents.cells(table, name), rows)} of {plural(rows, 'row')}") for name in ordered]


def _rank(choice: Choice, value: Scalar) -> int:
    return -1 if _has(choice.hints, value) else 1 if _has(choice.unlikely, value) else 0


def _has(words: Iterable[str], value: Scalar) -> bool:
    name = f" {plain_words(str(value))}"
    return any(f" {word}" in name for word in words)


def _reason(choice: Choice, one: CountedValue, accounts: int) -> str:
    told = f"{plural(one.rows, 'row')}, {one.accounts:,} of {plural(accounts, 'account')}"
    if _has(choice.unlikely, one.value):
        told += "; by its name rather not"
    return f"{told}; a day's summary" if one.is_summary else told


def _number(choice: Choice, contents: Contents, found: list[Candidate]) -> int:
    """How many there are to choose from; more than were read, where there are very many."""
    return len(found) if choice.hints or not choice.column else max(len(found), contents.counted(choice.table, choice.column).distinct)


def _nothing(choice: Choice, contents: Contents) -> str:
    """What the book would have to hold for there to be something to choose."""
    table, column = choice.table, choice.column
    if lacking := Need((f"{table}.{column}" if column else table,)).lacking(contents):
        return lacking
    if not column:
        return f"a column of {table} that holds {choice.what} (if there is one: --choose {choice.id}=COLUMN)"
    named = "name" if table == EVENTS else column
    return f"{table} whose {named} tells of {choice.what} (if there are: --choose {choice.id}=NAME)"


def _named(values: Iterable[Scalar]) -> str:
    told = [shown(one) for one in values]
    more = f" and {len(told) - MOST_NAMED:,} more" if len(told) > MOST_NAMED else ""
    return ", ".join(told[:MOST_NAMED]) + more
