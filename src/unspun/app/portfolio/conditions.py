"""Which lines of the portfolio are asked for, as SQL with parameters: the scope of who asks, and the filter that they chose.

`within` is the one place where a scope becomes SQL; every query on lines and accounts takes its condition.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal, get_args

from unspun.app.access import Scope

RiskBand = Literal["above", "holds", "below", "cannot tell", "notice given", "no renewal"]
"""Of the interval of the probability of churn and the base rate: it lies above, holds it, or lies below; else why there is none."""
BANDS: Final[tuple[RiskBand, ...]] = get_args(RiskBand)
MANY_WORDS: Final = 20
"""More words than this are one condition: SQLite bounds how deep an expression may be."""
NOT_KNOWN: Final = ""
"""Stands for a segment, owner or product that the book does not state."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An SQL condition that is true or false, never NULL, and its parameters in order."""

    sql: str
    parameters: tuple[object, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        if "1" in (self.sql, other.sql):  # holds of every line
            return self if other.sql == "1" else other
        return Condition(f"{self.sql} AND {other.sql}", (*self.parameters, *other.parameters))


EVERY: Final = Condition("1")


@dataclass(frozen=True, slots=True)
class PortfolioFilter:
    """Which lines are wanted: those that fit everything given. Of several names or bands any one fits; "" is one that is not known.

    `due_within` takes what is due within so many days of the as-of day, the overdue too. Each word of `text` stands in the name, id,
    segment, owner or product, whatever its case and accents.
    """

    segments: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    products: tuple[str, ...] = ()
    bands: tuple[RiskBand, ...] = ()
    currencies: tuple[str, ...] = ()
    due_within: int | None = None
    text: str = ""


def within(scope: Scope) -> Condition:
    """Lines, or accounts, that the scope holds: the columns account_id, owner and segment decide."""
    if scope.everything:
        return EVERY
    sets = {"account_id": scope.accounts, "owner": scope.owners, "segment": scope.segments}
    parts = [_one_of(column, names) for column, names in sets.items()]
    return Condition(f"({' OR '.join(one.sql for one in parts)})", tuple(value for one in parts for value in one.parameters))


def fitting(asked: PortfolioFilter) -> Condition:
    """Lines that a filter lets through."""
    found = EVERY
    for column, names in (("segment", asked.segments), ("owner", asked.owners), ("currency", asked.currencies)):
        found &= _one_of_or_none(column, names) if names else EVERY
    if asked.products:
        found &= _of_products(asked.products)
    if asked.bands:
        found &= _one_of("band", asked.bands)
    if asked.due_within is not None:
        found &= Condition("coalesce(lead_days <= ?, 0)", (min(max(asked.due_within, -(2**31)), 2**31),))
    return found & _saying(asked.text)


def _one_of(column: str, names: Iterable[str]) -> Condition:
    return Condition(f"coalesce({column} IN (SELECT value FROM json_each(?)), 0)", (_listed(names),))


def _one_of_or_none(column: str, names: Iterable[str]) -> Condition:
    found = _one_of(column, names)
    return Condition(f"({found.sql} OR {column} IS NULL)", found.parameters) if NOT_KNOWN in names else found


def _of_products(names: Iterable[str]) -> Condition:
    bought = "SELECT 1 FROM products WHERE products.account_id = lines.account_id"
    sql = f"EXISTS ({bought} AND product IN (SELECT value FROM json_each(?)))"
    return Condition(f"({sql} OR NOT EXISTS ({bought}))" if NOT_KNOWN in names else sql, (_listed(names),))


def naming(text: str) -> Condition:
    """Accounts that hold each word; of no word all."""
    said = _said(text)
    return said if said == EVERY else Condition(f"account_id IN (SELECT account_id FROM accounts WHERE {said.sql})", said.parameters)


def _saying(text: str) -> Condition:
    said = _said(text)  # lines are found from the index of `search` alone
    return said if said == EVERY else Condition(f"line IN (SELECT line FROM lines WHERE {said.sql})", said.parameters)


def _said(text: str) -> Condition:
    words = tuple(dict.fromkeys(fold(text).split()))
    if not words:
        return EVERY
    said = Condition(" AND ".join("instr(search, ?) > 0" for _ in words), words)
    if len(words) > MANY_WORDS:
        said = Condition("NOT EXISTS (SELECT 1 FROM json_each(?) WHERE instr(search, value) = 0)", (json.dumps(words),))
    return said


def _listed(names: Iterable[str]) -> str:
    """A JSON list for json_each. Text that no cell of a book can hold equals none: SQLite would cut it at a NUL, and it could then equal
    another one."""
    return json.dumps(sorted(one for one in names if one and can_be_held(one)))


def can_be_held(text: str) -> bool:
    """Whether a cell of the book can hold a text: not with a NUL, nor with half of a character."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def fold(text: str) -> str:
    """Text as it is searched: without case, accents, marks and controls, a blank between words."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = "".join(" " if one.isspace() else one for one in plain if one.isspace() or unicodedata.category(one)[0] not in "MC")
    return " ".join(kept.split())
