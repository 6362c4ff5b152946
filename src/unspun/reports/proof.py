"""What backs a page: the entry of the ledger, the book, the engine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Proof:
    """The ledger's entry and its anchor (number and hash), the book, the engine, remarks on the book.

    `set_aside` are the keys of what could not be judged, and why.
    """

    entry: int
    anchor: str
    book_version: int
    book_digest: str
    engine: str
    company: str = ""
    remarks: tuple[str, ...] = ()
    set_aside: tuple[tuple[str, str], ...] = ()
