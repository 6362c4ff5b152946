"""What a file's columns held when it was loaded: of each its kind, how much of it is empty, and the words of an enumeration."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from unspun.book.columns import column_named
from unspun.book.entities import Kind
from unspun.book.mapping.contents import Contents, read_contents, words_in
from unspun.book.mapping.contents_sample import Sample
from unspun.book.mapping.definition import SourceMapping
from unspun.book.outcomes import NO, YES, read_outcomes
from unspun.book.raw import RawTable
from unspun.book.text import Words, fold
from unspun.book.typed_columns import ADDON

FORM = 1
OUTCOME = "outcome"
ORDERS = {"day": "day", "month": "month", "year": "year", "YYYY": "year"}
"""How the forms of dates begin, by what reading calls them."""
MOST_WORDS = 40  # of an enumeration
FEWEST_REPEATS = 5  # rows a word, on average: fewer, and the column lists things rather than sorts them
FEWEST_CARRIERS = 3  # accounts (rows, where no account is mapped) that share a word which is kept
MOST_LEFT_OUT = 0.1  # of the filled cells, in words that are not kept
LONGEST_WORD = 40
PERSONAL = re.compile(r"@|\d{4}|^\d+$")
"""In no word that is kept: addresses, numbers of telephones, ids."""


def _listed(words: str) -> frozenset[str]:
    return frozenset(words.split())


PERSONS = _listed(
    """email mail phone mobile owner csm rep manager agent assignee author by user username contact person people first last firstname
    lastname salesperson ae am lead sponsor champion buyer member employee address street city zip postcode"""
)
THINGS = _listed("id ids key uuid guid name names account customer company client organisation organization org subject title comment")
SORTS = _listed(
    """type status segment tier plan product event feature stage level kind category class group region country industry currency
    priority flag survey health size sector channel edition period"""
)
"""Headers that speak of people, of single things, and of sorts of things: a plan's name is no customer's."""


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of a file, as it was loaded.

    `kind` is what its cells are (None: none is filled), `order` how its dates as text begin ("day", "month", "year"; "unclear"; ""
    where it holds none), `book_column` what it was mapped to ("" nothing). `words` are those of an enumeration, each with its rows
    and with the accounts that have it (rows, where no account is mapped), sorted; `carriers` are all that have any word. None: no
    enumeration. `unexplained` are words of a flag or an outcome of which neither the book nor book.yml says what they mean.
    """

    name: str
    kind: Kind | None
    rows: int
    filled: int
    distinct: int
    order: str = ""
    book_column: str = ""
    words: tuple[tuple[str, int, int], ...] | None = None
    carriers: int = 0
    unexplained: tuple[str, ...] = ()

    @property
    def empty_share(self) -> float:
        return 1 - self.filled / self.rows if self.rows else 1.0


@dataclass(frozen=True, slots=True)
class FileProfile:
    """A file's columns in their order, over `rows` looked at; `whole`: they were all of its rows."""

    rows: int
    whole: bool
    columns: tuple[ColumnProfile, ...]

    def column(self, name: str) -> ColumnProfile | None:
        return next((column for column in self.columns if column.name == name), None)


def source_of(mapping: SourceMapping) -> str:
    """What makes two loads those of one source: the table and the patterns of its files (or what else book.yml names it by)."""
    return json.dumps([mapping.table, *sorted(mapping.files)], ensure_ascii=False)


def profile_file(sample: Sample, mapping: SourceMapping, zone: ZoneInfo) -> FileProfile:
    """The profile of a file under its mapping. Columns that stand in it twice, or without a name, are left out: no mapping means them."""
    raw = sample.raw
    contents = [one for one in read_contents(raw, zone) if one.name and raw.names.count(one.name) == 1]
    mapped = _book_columns(raw, mapping)
    carrier = next((one for one in contents if mapped.get(one.name) == "account_id"), None)
    columns = tuple(_profile(one, mapped.get(one.name, ""), mapping, carrier) for one in contents)
    return FileProfile(len(raw.row), sample.whole, columns)


def _book_columns(raw: RawTable, mapping: SourceMapping) -> dict[str, str]:
    """Names in the book by the file's columns."""
    found = {name: column_named(raw, title) for name, title in mapping.columns.items()}
    return {raw.names[positions[0]]: name for name, positions in found.items() if len(positions) == 1}


def _profile(contents: Contents, book_column: str, mapping: SourceMapping, carrier: Contents | None) -> ColumnProfile:
    kind, order = _kind(contents)
    plain = ColumnProfile(contents.name, kind, contents.rows, contents.filled, contents.distinct, order, book_column)
    if not contents.filled or contents.distinct > MOST_WORDS or contents.nested:
        return plain
    said = mapping.words.get(book_column, {})
    carrier = None if contents is carrier else carrier
    if book_column and (book_column == OUTCOME or mapping.kind_of(book_column) == "flag"):
        found, carriers = _counted(contents, carrier)
        return replace(plain, words=found, carriers=carriers, unexplained=_unexplained(found, contents.name, book_column, said))
    if kind in ("text", "flag") and _may_be_kept(contents, book_column):
        return _enumeration(plain, contents, carrier, {fold(word) for word in said})
    return plain


def _kind(contents: Contents) -> tuple[Kind | None, str]:
    """The kind that most cells are of, although a few cannot be read, and how dates begin that could be read in two ways."""
    dates, numbers = contents.dates, contents.numbers
    if dates is not None:
        orders = [ORDERS[found[0]] for form in dates.formats if (found := re.match("day|month|year|YYYY", form))]
        order = "unclear" if dates.complaint is not None else orders[0] if orders else ""
        if contents.kind in ("day", "instant"):
            return contents.kind, order
        known = dates.times[~np.isnat(dates.times)]
        return ("day" if (known == known.astype("datetime64[D]").astype(known.dtype)).all() else "instant"), order
    if contents.kind == "text" and numbers is not None and numbers.complaint is None and numbers.unread.any():
        return "number", ""
    return contents.kind, ""


def _may_be_kept(contents: Contents, book_column: str) -> bool:
    """Whether words of a column may stand in the catalogue: not where its name or its place in the book speaks of people or ids."""
    if contents.nested or book_column.endswith("_id") or book_column in ("name", "owner", "email", "subject", "question", "verbatim"):
        return False
    return is_of_sorts(contents.name, book_column)


def is_of_sorts(*headers: str) -> bool:
    """Whether a column's headers speak neither of people nor of single things, but of sorts of them: its words may then be kept."""
    words = {word for header in headers for word in words_in(header).split()}
    return not words & PERSONS and (not words & THINGS or bool(words & SORTS))


def _enumeration(plain: ColumnProfile, contents: Contents, carrier: Contents | None, explained: Collection[str]) -> ColumnProfile:
    """The column with its words, where it sorts rows into few groups."""
    few = contents.filled >= FEWEST_REPEATS * contents.distinct
    found, carriers = _counted(contents, carrier)
    if not few or any(len(word) > LONGEST_WORD or PERSONAL.search(word) for word, _, _ in found):
        return plain
    kept = tuple(one for one in found if one[2] >= FEWEST_CARRIERS or fold(one[0]) in explained)
    left_out = contents.filled - sum(rows for _, rows, _ in kept)
    return replace(plain, words=kept, carriers=carriers) if kept and left_out <= MOST_LEFT_OUT * contents.filled else plain


def _counted(contents: Contents, carrier: Contents | None) -> tuple[tuple[tuple[str, int, int], ...], int]:
    """Each word with its rows and carriers, sorted, and the carriers of any."""
    rows, (held, carriers) = contents.words.counts(), _carriers(contents, carrier)
    found = zip(contents.words.words.to_pylist(), rows.tolist(), held.tolist(), strict=True)
    return tuple(sorted((word, n, by) for word, n, by in found if n)), carriers


def _unexplained(found: Sequence[tuple[str, int, int]], title: str, book_column: str, said: Mapping[str, str]) -> tuple[str, ...]:
    """Words of a flag or an outcome that the load does not know how to read."""
    explained = {fold(word) for word in said}
    others = [word for word, _, _ in found if fold(word) not in explained]
    if book_column != OUTCOME:
        known = YES | NO | (ADDON if book_column == "is_addon" else frozenset())
        return tuple(word for word in others if fold(word) not in known)
    return tuple(word for word in others if read_outcomes(Words(np.zeros(1, np.int32), pa.array([word])), title, {})[1] is not None)


def _carriers(contents: Contents, carrier: Contents | None) -> tuple[np.ndarray, int]:
    """Of each word, how many accounts have it in some row, and how many accounts have any; rows, where no account is mapped."""
    codes = contents.words.codes.astype(np.int64)
    if carrier is None:
        return contents.words.counts(), contents.filled
    accounts = carrier.words.codes.astype(np.int64)
    both = (codes >= 0) & (accounts >= 0)
    pairs = np.unique(codes[both] * (int(accounts.max(initial=0)) + 1) + accounts[both])
    held = np.bincount(pairs // (int(accounts.max(initial=0)) + 1), minlength=len(contents.words.words))
    return held, len(np.unique(accounts[both]))


def to_document(profile: FileProfile) -> str:
    """The profile as JSON, to be kept; from_document reads it back.

    No personal data is in it. A column whose name or place in the book speaks of people, ids or free text has no words
    (_may_be_kept), nor has one with words that are long or hold an address or a number (_enumeration). A word is kept only where
    several accounts share it, so that it names none of them, or where the book or book.yml says what it means. An erasure takes out
    words that are the id it erases all the same (without_words).
    """
    columns = tuple(
        replace(column, words=(kept := _shared(column)), unexplained=_among(column.unexplained, kept)) for column in profile.columns
    )
    return json.dumps({"form": FORM, **asdict(replace(profile, columns=columns))}, ensure_ascii=False, separators=(",", ":"))


def _shared(column: ColumnProfile) -> tuple[tuple[str, int, int], ...] | None:
    """The words without those that nothing explains and that few have: someone's name in a column of yes and no."""
    if column.words is None:
        return None
    return tuple(word for word in column.words if word[0] not in column.unexplained or word[2] >= FEWEST_CARRIERS)


def _among(unexplained: Sequence[str], kept: Sequence[tuple[str, int, int]] | None) -> tuple[str, ...]:
    held = {word for word, _, _ in kept or ()}
    return tuple(word for word in unexplained if word in held)


def from_document(document: str) -> FileProfile:
    """A profile as to_document wrote it. ValueError, KeyError or TypeError where it is none."""
    held = json.loads(document)
    columns = tuple(_column(column) for column in held["columns"])
    return FileProfile(held["rows"], held["whole"], columns)


def _column(held: Mapping[str, Any]) -> ColumnProfile:
    words = None if held["words"] is None else tuple((word, rows, carriers) for word, rows, carriers in held["words"])
    return ColumnProfile(**{**held, "words": words, "unexplained": tuple(held["unexplained"])})


def without_words(profile: FileProfile, named: Collection[str]) -> FileProfile:
    """The profile without these words, wherever they stand: what an erasure leaves of it."""
    gone = set(named)
    columns = tuple(
        column if column.words is None else replace(column, words=tuple(word for word in column.words if word[0] not in gone))
        for column in profile.columns
    )
    return replace(profile, columns=columns)
