"""Where the accounts of two files meet: one id written in two ways is one account."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, ClassVar, Protocol, TypeVar

from unspun.book.tables import Codes, Source

SUFFIX_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
SHORT = re.compile(r"[A-Za-z0-9]{15}")
LONG = re.compile(r"[A-Za-z0-9]{15}[A-Z0-5]{3}")
WHOLE = re.compile(r"(-?\d+)\.0+")


class WithAccounts(Protocol):
    """A table of the book whose rows belong to accounts; some also have a `parent`."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def source(self) -> Source: ...
    @property
    def account(self) -> Codes: ...


Table = TypeVar("Table", bound=WithAccounts)


def match_accounts(table: Table, other: WithAccounts) -> Table:
    """The table with its account and parent ids spelled as in `other`, and a note of how many were.

    Two spellings of one id are told apart from two ids: Salesforce's 15 characters and the 18 that add three to check them, and
    a whole number with and without `.0`. An id whose other spelling stands in its own file too is left as it is, and leading
    zeros count: 007 is not 7.
    """
    parents, own_parents = _parents(other), _parents(table)
    named = {*other.account.names, *(parents.names if parents else ())}
    account, respelled = _respelled(table.account, named)
    parent, _ = (None, 0) if own_parents is None else _respelled(own_parents, named)
    if account is table.account and parent is own_parents:
        return table
    note = f"account ids matched to another spelling of the same id in {other.source.name} (15 or 18 characters, 43 or 43.0): {respelled:,}"
    source = replace(table.source, notes=(*table.source.notes, note))
    return replace(table, account=account, source=source, **({} if parent is None else {"parent": parent}))


def _parents(table: WithAccounts) -> Codes | None:
    return getattr(table, "parent", None)


def _respelled(codes: Codes, named: set[str]) -> tuple[Codes, int]:
    """The codes with other names, and how many of them changed."""
    own = set(codes.names)
    if own <= named:
        return codes, 0
    found = {name: other for name in codes.names if name not in named for other in _spellings(name) if other in named and other not in own}
    if len(set(found.values())) < len(found):  # 43.0 and 43.00
        found = {name: other for name, other in found.items() if list(found.values()).count(other) == 1}
    return (Codes(codes.codes, tuple(found.get(name, name) for name in codes.names)), len(found)) if found else (codes, 0)


def _spellings(name: str) -> tuple[str, ...]:
    """Other ways of writing an id."""
    if LONG.fullmatch(name) and name == long_id(name[:15]):
        return (name[:15],)
    if SHORT.fullmatch(name) and not name.isdigit():
        return (long_id(name),)
    if whole := WHOLE.fullmatch(name):
        return (whole.group(1),)
    return (f"{name}.0",) if re.fullmatch(r"-?\d+", name) else ()


def long_id(short: str) -> str:
    """Salesforce's 18 characters for its 15: each of the last three tells which of five are capital letters."""
    fives = (short[i : i + 5] for i in (0, 5, 10))
    return short + "".join(SUFFIX_LETTERS[sum(1 << i for i, char in enumerate(five) if "A" <= char <= "Z")] for five in fives)
