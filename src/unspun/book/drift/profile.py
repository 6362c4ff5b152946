"""What a file's columns held when it was loaded: of each its kind, how much of it is empty, and the words of an enumeration."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from unspun.book.columns import column_named
from unspun.book.entities import Kind
from unspun.book.mapping.contents import Contents, read_contents, words_in
from unspun.book.mapping.contents_sample import Sample
from unspun.book.mapping.definition import SourceMapping
from unspun.book.raw import RawTable

FORM = 1
MOST_WORDS = 40  # of an enumeration
FEWEST_REPEATS = 5  # rows a word, on average: fewer, and the column lists things rather than sorts them
FEWEST_CARRIERS = 3  # accounts (rows, where no account is mapped) that share a word which is kept
MOST_LEFT_OUT = 0.1  # of the filled cells, in words that are not kept
LONGEST_WORD = 40
PERSONAL = re.compile(r"@|\d{4}|^\d+$")
"""In no word that is kept: addresses, numbers of telephones, ids."""
PERSONS = frozenset(
    "email mail phone mobile owner csm rep manager agent assignee author by user username contact person people first last firstname "
    "lastname salesperson ae am lead sponsor champion buyer member employee address street city zip postcode".split()
)
THINGS = frozenset("id ids key uuid guid name names account customer company client organisation organization org subject title comment".split())
SORTS = frozenset(
    "type status segment tier plan product event feature stage level kind category class group region country industry currency "
    "priority flag survey health size sector channel edition period".split()
)
"""Headers that speak of people, of single things, and of sorts of things: a plan's name is no customer's."""
READ_WHOLE = frozenset({"outcome"})


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """One column of a file, as it was loaded.

    `kind` is what its cells are (None: none is filled), `order` how its dates as text begin ("day", "month", "year"; "unclear"; ""
    where it holds none), `book_column` what it was mapped to ("" nothing). `words` are those of an enumeration, each with its rows
    and with the accounts that have it (rows, where no account is mapped), sorted; `carriers` are all that have any word. None: no
    enumeration. `declared`: book.yml or the book itself says what each of its words means.
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
    declared: bool = False

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
    declared = bool(book_column) and (
        book_column in READ_WHOLE or book_column in mapping.words or mapping.kind_of(book_column) == "flag"
    )
    plain = ColumnProfile(contents.name, kind, contents.rows, contents.filled, contents.distinct, order, book_column, declared=declared)
    if not (declared or (kind in ("text", "flag") and _may_be_kept(contents, book_column))):
        return plain
    words, carriers = _words(contents, None if contents is carrier else carrier, declared)
    return plain if words is None else replace(plain, words=words, carriers=carriers)


def _kind(contents: Contents) -> tuple[Kind | None, str]:
    """The kind that most cells are of, although a few cannot be read, and how dates begin that could be read in two ways."""
    dates, numbers = contents.dates, contents.numbers
    if dates is not None:
        forms = [word for form in dates.formats for word in ("day", "month", "year") if form.startswith((f"{word}/", f"{word}.", f"{word}-"))]
        order = "unclear" if dates.complaint is not None else forms[0] if forms else ""
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
    header = set(words_in(contents.name).split()) | set(words_in(book_column).split())
    return not header & PERSONS and (not header & THINGS or bool(header & SORTS))


def _words(contents: Contents, carrier: Contents | None, declared: bool) -> tuple[tuple[tuple[str, int, int], ...] | None, int]:
    """The words of an enumeration, and how many carry any; None where the column is none.

    No personal data is kept: a column whose name or place speaks of people, ids or free text is no enumeration (_may_be_kept), nor is
    one with a word that is long or holds an address or a number; and a word is kept only where several accounts share it, so that it
    can name none of them. Words whose meaning book.yml declares are the company's own and are kept as they are. An erasure takes out
    words that are the id it erases, whatever they are.
    """
    if not contents.filled or contents.distinct > MOST_WORDS:
        return None, 0
    words, rows = contents.words.words.to_pylist(), contents.words.counts()
    held, carriers = _carriers(contents, carrier)
    if declared:
        found = zip(words, rows.tolist(), held.tolist(), strict=True)
        return tuple(sorted((word[:LONGEST_WORD], n, by) for word, n, by in found if n)), carriers
    if contents.filled < FEWEST_REPEATS * contents.distinct or any(len(word) > LONGEST_WORD or PERSONAL.search(word) for word in words):
        return None, 0
    kept = held >= FEWEST_CARRIERS
    if not kept.any() or rows[~kept].sum() > MOST_LEFT_OUT * contents.filled:
        return None, 0
    return tuple(sorted((words[i], int(rows[i]), int(held[i])) for i in np.flatnonzero(kept).tolist())), carriers


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
    """The profile as JSON; from_document reads it back."""
    return json.dumps({"form": FORM, **asdict(profile)}, ensure_ascii=False, separators=(",", ":"))


def from_document(document: str) -> FileProfile:
    """A profile as to_document wrote it. ValueError, KeyError or TypeError where it is none."""
    held = json.loads(document)
    columns = tuple(_column(column) for column in held["columns"])
    return FileProfile(held["rows"], held["whole"], columns)


def _column(held: Mapping[str, Any]) -> ColumnProfile:
    words = None if held["words"] is None else tuple((word, rows, carriers) for word, rows, carriers in held["words"])
    return ColumnProfile(**{**held, "words": words})


def without_words(profile: FileProfile, named: Sequence[str]) -> FileProfile:
    """The profile without these words, wherever they stand: what an erasure leaves of it."""
    gone = set(named)
    columns = tuple(
        column if column.words is None else replace(column, words=tuple(word for word in column.words if word[0] not in gone))
        for column in profile.columns
    )
    return replace(profile, columns=columns)
