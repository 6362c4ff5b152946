"""What a sample of a file's columns holds, their names mostly aside: dates, numbers, flags or words, and what repeats."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from unspun.book.currencies import ISO_CODES
from unspun.book.dates import Dates, is_date_type, read_dates
from unspun.book.entities import Kind
from unspun.book.numbers import Numbers, is_number_type, read_numbers
from unspun.book.raw import RawTable
from unspun.book.subscriptions import NO, YES
from unspun.book.text import Complaint, Words, fold, words_of

MOST_EXAMPLES = 3
EXAMPLE_CHARACTERS = 30
MOST_UNREADABLE = 0.2  # of the filled cells, for a column to be a standard one of its kind
MOST_FLAG_WORDS = 2
LONGEST_WHOLE = 2**63
FLAG_YES, FLAG_NO = YES - {"addon", "add on"}, NO - {"base", "base product", "core", "plan", "main"}
ISO = frozenset(ISO_CODES.split())
MAJOR_CODES = "USD EUR GBP CHF CAD AUD JPY INR SEK NOK DKK NZD CNY BRL MXN PLN CZK HUF SGD HKD ZAR"
MAJOR = frozenset(MAJOR_CODES.split())
"""Codes that are read at the end of a header: others (ALL, TOP, TRY) are words too."""
ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|[0-9a-fA-F]*(?::[0-9a-fA-F]*){3,}")
CODE_WORDS = frozenset({"id", "code", "number", "zip", "postcode", "phone", "key", "sku", "fax"})
MONETARY = re.compile(
    r"\b(amount|price|cost|costs|revenue|mrr|arr|acv|tcv|charge|charges|fee|fees|refund|spend|invoiced|budget|income|turnover|"
    r"contract value|usd|eur|gbp|chf|cad|aud|jpy|inr)\b"
)
NOT_MONEY = re.compile(
    r"\b(count|counts|ratio|share|percent|pct|rate|score|type|status|id|code|months|days|currency|date|at|on|flag|period)\b"
)
FLAG_NAME = re.compile(r"^(?:is|has|was|did) | flag$")


@dataclass(frozen=True, slots=True)
class Contents:
    """A column of the sample. `kind` is what its cells are (None: none is filled); `dates` and `numbers` are None where it holds none.

    `repeats` is how many filled cells are equal to an earlier one. `complaint` is why the dates could be two things, or numbers.
    """

    name: str
    cells: pa.ChunkedArray
    words: Words
    filled: int
    distinct: int
    kind: Kind | None
    dates: Dates | None = None
    numbers: Numbers | None = None
    complaint: Complaint | None = None
    nested: bool = False

    @property
    def rows(self) -> int:
        return len(self.cells)

    @property
    def examples(self) -> tuple[str, ...]:
        """Up to three distinct values, as the file writes them, shortened."""
        return tuple(_short(word) for word in self.words.words.slice(0, MOST_EXAMPLES).to_pylist())

    @property
    def repeats(self) -> int:
        return self.filled - self.distinct

    def used(self) -> list[str]:
        return self.words.used()


def read_contents(raw: RawTable, zone: ZoneInfo) -> tuple[Contents, ...]:
    """The contents of every column of a raw table, in its order."""
    nested = nested_names(raw)
    return tuple(_contents(name, column, zone, name in nested) for name, column in zip(raw.names, raw.columns, strict=True))


def nested_names(raw: RawTable) -> frozenset[str]:
    """The columns whose values are lists or structures, which reading leaves out with a note."""
    patterns = (r"column '(.*)' holds .* values and is not read", r"field '(.*)' holds nested values and is not read")
    return frozenset(found[1] for note in raw.notes for pattern in patterns if (found := re.fullmatch(pattern, note, re.DOTALL)))


def words_in(name: str) -> str:
    """The words of a header, apart and in small letters: RefundAmount and refund_amount are refund amount."""
    return fold(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name))


def can_be(contents: Contents, kind: Kind) -> bool:
    """Whether a column could be a standard one of a kind: most filled cells can be read so. An empty column could be any."""
    if contents.nested:
        return False
    if contents.filled == 0:
        return True
    if kind in ("day", "instant"):
        return contents.dates is not None
    if kind in ("number", "money"):
        return contents.numbers is not None and contents.kind != "flag"
    if kind == "whole":
        return contents.numbers is not None and contents.kind != "flag" and _is_whole(contents.numbers)
    if kind == "flag":
        return is_flag(contents)
    return True


def could_name(contents: Contents) -> bool:
    """Whether a column could hold ids or names: no dates, no fractions, no yes and no, no network addresses."""
    if contents.nested or (contents.filled and contents.kind in ("day", "instant", "flag")):
        return False
    if contents.numbers is not None and not _is_whole(contents.numbers):
        return False
    return not any(ADDRESS.fullmatch(word) for word in contents.words.words.slice(0, 5).to_pylist())


def is_flag(contents: Contents) -> bool:
    """Whether every filled cell says yes or no."""
    words = {fold(word) for word in contents.used()} if len(contents.words.words) <= 2 * MOST_FLAG_WORDS else {"many"}
    return words <= FLAG_YES | FLAG_NO


def holds_currencies(contents: Contents) -> bool:
    return contents.filled == 0 or {word.upper() for word in contents.used()} <= ISO


def own_kind(contents: Contents) -> tuple[Kind, str]:
    """The kind of an own column, and why."""
    name = words_in(contents.name)
    if contents.kind is None:
        return "text", "empty in every row looked at"
    if contents.kind == "whole" and is_flag(contents) and FLAG_NAME.search(name):
        return "flag", "0 and 1, and its name says that it is a flag"
    if contents.kind in ("whole", "number"):
        if MONETARY.search(name) and not NOT_MONEY.search(name):
            return "money", "numbers, and its name speaks of money"
        if contents.kind == "whole" and name.split(" ")[-1] in CODE_WORDS:
            return "text", "numbers that its name calls ids or codes"
    said = {"flag": "yes and no", "whole": "whole numbers", "number": "numbers", "day": "days", "instant": "times", "text": "words"}
    return contents.kind, said[contents.kind]


def different_rows(columns: Sequence[Contents]) -> int:
    """How many different rows the columns make."""
    combined = np.zeros(columns[0].rows, np.int64)
    for column in columns:
        pairs = combined * (column.distinct + 1) + column.words.codes.astype(np.int64)
        combined = np.unique(pairs, return_inverse=True)[1].astype(np.int64)
    return len(np.unique(combined))


def _short(word: str) -> str:
    single = re.sub(r"(:\d\d)\.0+$", r"\1", " ".join(word.split()))
    return single if len(single) <= EXAMPLE_CHARACTERS else f"{single[: EXAMPLE_CHARACTERS - 3]}..."


def _contents(name: str, column: pa.ChunkedArray, zone: ZoneInfo, nested: bool) -> Contents:
    words = words_of(column)
    words = words.without(words.blank())
    used = words.words.filter(pa.array(words.counts() > 0))
    shown = Words(_renumbered(words), used)
    filled = int((shown.codes >= 0).sum())
    if filled == 0 or nested:
        return Contents(name, column, shown, filled, len(used), None, nested=nested)
    dates, complaint = _dates(column, shown, zone)
    numbers = None if dates is not None else _numbers(column, shown)
    if numbers is not None and numbers.complaint is not None:
        complaint = numbers.complaint
    kind = _kind(column, shown, dates, numbers)
    return Contents(name, column, shown, filled, len(used), kind, dates, numbers, complaint)


def _renumbered(words: Words) -> np.ndarray:
    kept = words.counts() > 0
    return words.spread(np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32), -1)


def _dates(column: pa.ChunkedArray, words: Words, zone: ZoneInfo) -> tuple[Dates | None, Complaint | None]:
    """The dates of a column that holds them: typed, or text of more than digits. Bare numbers are numbers, whatever they could count."""
    if is_number_type(column.type) or (not is_date_type(column.type) and _is_bare(words)):
        return None, None
    dates = read_dates(column, zone)
    if dates.complaint is not None:
        return dates, dates.complaint
    read = len(dates.times) - int((dates.unread | dates.out_of_range | dates.blank).sum())
    unread = int((dates.unread | dates.out_of_range).sum())
    return (dates, None) if read and unread <= MOST_UNREADABLE * (read + unread) else (None, None)


def _is_bare(words: Words) -> bool:
    """Whether the first words have no digit, or nothing but digits: no date is written so."""
    first = words.words.slice(0, 20).to_pylist()
    dated = [word for word in first if any(char.isdigit() for char in word) and not re.fullmatch(r"[-+]?\d+(?:[.,]\d*)?", word)]
    return 2 * len(dated) < len(first)


def _numbers(column: pa.ChunkedArray, words: Words) -> Numbers | None:
    if pa.types.is_boolean(column.type):
        return None
    numbers = read_numbers(column, "amount")
    if numbers.complaint is not None:
        return numbers
    filled = len(words.codes) - int(numbers.blank.sum())
    return numbers if filled and int(numbers.unread.sum()) <= MOST_UNREADABLE * filled else None


def _kind(column: pa.ChunkedArray, words: Words, dates: Dates | None, numbers: Numbers | None) -> Kind:
    if pa.types.is_boolean(column.type):
        return "flag"
    if dates is not None:
        clean = dates.complaint is None and not (dates.unread | dates.out_of_range).any()
        return ("day" if _are_days(column, dates) else "instant") if clean else "text"
    if numbers is not None and numbers.complaint is None and not numbers.unread.any():
        return _number_kind(column, words, numbers)
    return "flag" if len(words.words) <= 2 * MOST_FLAG_WORDS and {fold(word) for word in words.used()} <= FLAG_YES | FLAG_NO else "text"


def _are_days(column: pa.ChunkedArray, dates: Dates) -> bool:
    if pa.types.is_date(column.type):
        return True
    if pa.types.is_timestamp(column.type) or "some with an offset" in dates.formats:
        return False
    known = dates.times[~np.isnat(dates.times)]
    return bool((known == known.astype("datetime64[D]").astype(known.dtype)).all())


def _number_kind(column: pa.ChunkedArray, words: Words, numbers: Numbers) -> Kind:
    """Floats stay numbers although all are whole: the next file may have a fraction. Digits that begin with 0 are a code."""
    if is_number_type(column.type):
        return "whole" if pa.types.is_integer(column.type) and _is_whole(numbers) else "number"
    texts = words.used()
    if any(re.fullmatch(r"0\d+", text) for text in texts):
        return "text"
    plain = all(re.fullmatch(r"[-+]?\d+", text) for text in texts)
    return "whole" if plain and all(abs(int(text)) < LONGEST_WHOLE for text in texts) else "text" if plain else "number"


def _is_whole(numbers: Numbers) -> bool:
    known = numbers.values[~np.isnan(numbers.values)]
    return bool((known == np.trunc(known)).all()) and bool((np.abs(known) < LONGEST_WHOLE).all())
