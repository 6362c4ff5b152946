"""Names in the book for columns that are a company's own: from the file's headers, and never one that has another meaning."""

from __future__ import annotations

import re
import unicodedata

from unspun.book.entities import TABLES, Kind
from unspun.book.mapping.book_fields import KNOWN_AT, NAME, SQL_WORDS, TAKEN
from unspun.book.mapping.contents import Contents, can_be, own_kind
from unspun.book.mapping.definition import BookDefinition
from unspun.book.mapping.propose_columns import Picks

LONGEST = 60
OWN = "own_"  # before a name that stands for something else


def own_names(picks: Picks, definition: BookDefinition) -> dict[int, str]:
    """A name for every column that is free, by position: snake case, each once, none of the table's or of SQL."""
    kept = {column.name for column in TABLES[picks.table].columns} | TAKEN | SQL_WORDS | {KNOWN_AT}
    names: dict[int, str] = {}
    for i in picks.free():
        name = snake_case(picks.contents[i].name) or f"column_{i + 1}"
        name = f"{OWN}{name}" if name in kept else name
        names[i] = _once(name, {*names.values()}, picks, i, definition)
    return names


def snake_case(header: str) -> str:
    """A header as a name: RefundAmount (USD) is refund_amount_usd. Accents are dropped; a script without Latin letters leaves "" ."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", header)
    plain = unicodedata.normalize("NFKD", apart).casefold()
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    name = re.sub(r"[^a-z0-9]+", "_", bare).strip("_")[:LONGEST].strip("_")
    if name and not NAME.fullmatch(name):
        return f"c_{name}"
    return name if any(char.isalpha() for char in name) else ""


def _once(name: str, taken: set[str], picks: Picks, position: int, definition: BookDefinition) -> str:
    candidate, n = name, 1
    while candidate in taken or _other_kind(candidate, picks.contents[position], picks, definition):
        n += 1
        candidate = f"{name}_{n}"
    return candidate


def _other_kind(name: str, contents: Contents, picks: Picks, definition: BookDefinition) -> bool:
    """Whether another source gives that name of the table a kind that the column is not."""
    kinds: set[Kind] = {source.kind_of(name) for source in definition.sources if source.table == picks.table and name in source.columns}
    return any(kind != "text" and kind != own_kind(contents)[0] and not can_be(contents, kind) for kind in kinds)
