"""How a reader's country writes numbers, money, days and times. Reports are written in one way, ENGLISH; pages that are laid out for one
reader may be written in that reader's way: `written_as` holds within a block, for its thread or task.

The words themselves stay in the language of the page: only signs and their order follow the country.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

NBSP: Final = "\u00a0"


@dataclass(frozen=True, slots=True)
class Convention:
    """`group` stands between thousands, `decimal` before the fraction; `symbol_first`: $5, not 5 €. `order` is that of day, month and year;
    `clock` says whether hours are counted to 24 or to 12."""

    group: str = ","
    decimal: str = "."
    symbol_first: bool = True
    order: Literal["dmy", "mdy", "ymd"] = "dmy"
    clock: Literal[24, 12] = 24


ENGLISH: Final = Convention()
_NOW: ContextVar[Convention] = ContextVar("convention", default=ENGLISH)
_SWAP: Final = str.maketrans(",.", "\0\1")


def convention() -> Convention:
    """The one in force."""
    return _NOW.get()


@contextmanager
def written_as(wanted: Convention) -> Iterator[None]:
    """Numbers, money, days and times within the block are written so."""
    token = _NOW.set(wanted)
    try:
        yield
    finally:
        _NOW.reset(token)


def signs(text: str) -> str:
    """A number that was written in English (1,234.50), with the signs of the convention."""
    used = _NOW.get()
    if used.group == "," and used.decimal == ".":
        return text
    return text.translate(_SWAP).replace("\0", used.group).replace("\1", used.decimal)
