"""Text columns by their distinct words: what is parsed once a word need not be parsed once a row."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unspun.book.tables import Codes

Mask = NDArray[np.bool_]
STEP_ROWS = 1 << 18
FIRST_ROWS = 1 << 14
FEW_WORDS = 16
UNSEEN = "".join(char for char in map(chr, range(0x3001)) if char.isspace()) + "\u200b\u2060\ufeff"  # blanks, and marks without a width

BLANK_WORDS = frozenset({"", "nan", "n/a", "na", "-", "--", "\u2013", "\u2014", "null", "none", "nil", "#n/a", "<na>", "nat", "missing"})


@dataclass(frozen=True, slots=True)
class Words:
    """A column by its distinct words, trimmed: `codes[i]` indexes `words`, or is -1 where the cell is empty."""

    codes: NDArray[np.int32]
    words: pa.StringArray

    def spread(self, values: NDArray[Any], empty: Any) -> NDArray[Any]:
        """One value a row from one value a word; `empty` where the cell is empty."""
        return spread(self.codes, values, empty)

    def first_row(self, word: int) -> int:
        return int(np.argmax(self.codes == word))

    def counts(self) -> NDArray[np.int64]:
        found = np.zeros(len(self.words) + 1, np.int64)
        for start in range(0, len(self.codes), STEP_ROWS):
            found += np.bincount(self.codes[start : start + STEP_ROWS] + 1, minlength=len(found))
        return found[1:]

    def occurring(self) -> Mask:
        """Which words some row has. The first rows tell it of most words; a few others are looked for one by one."""
        found = np.zeros(len(self.words) + 1, bool)
        found[self.codes[:FIRST_ROWS] + 1] = True
        rest, others = self.codes[FIRST_ROWS:], np.flatnonzero(~found[1:])
        if len(others) <= FEW_WORDS:
            for word in others.tolist():
                found[word + 1] = (rest == word).any()
        else:
            for start in range(0, len(rest), STEP_ROWS):
                found[rest[start : start + STEP_ROWS] + 1] = True
        return found[1:]

    def used(self) -> list[str]:
        """The words that some row has."""
        return self.words.filter(pa.array(self.occurring())).to_pylist()

    def blank(self) -> Mask:
        """Which words stand for an empty cell: n/a, null, a dash ..."""
        return among(self.words, BLANK_WORDS)

    def without(self, left_out: Mask) -> Words:
        """The same words with some of them empty cells."""
        if not left_out.any():
            return self
        renumbered = np.where(left_out, -1, np.arange(len(self.words))).astype(np.int32)
        return Words(self.spread(renumbered, -1), self.words)


@dataclass(frozen=True, slots=True)
class Complaint:
    """Why a column cannot be read as it is, and the row (counted from 0) that shows it."""

    code: str
    message: str
    hint: str
    row: int


def spread(codes: NDArray[np.int32], values: NDArray[Any], empty: Any) -> NDArray[Any]:
    """values[codes], and `empty` at code -1. In steps, as NumPy widens the codes before it uses them."""
    table = np.append(values, np.asarray(empty, dtype=values.dtype))
    found = np.empty(len(codes), table.dtype)
    for start in range(0, len(codes), STEP_ROWS):
        np.take(table, codes[start : start + STEP_ROWS], out=found[start : start + STEP_ROWS], mode="wrap")  # -1 is the last
    return found


def call(function: str, *arguments: Any, options: Any = None) -> Any:
    return pc.call_function(function, list(arguments), options)


def as_floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """A numeric column as float64, NaN where null; without a copy where it is that already."""
    floats = column.cast(pa.float64(), safe=False)
    if floats.num_chunks == 1 and floats.null_count == 0:
        return floats.chunk(0).to_numpy()
    return floats.to_numpy()


def matches(words: pa.Array, pattern: str) -> Mask:
    """Which words the pattern (RE2) reads whole."""
    return contains(words, f"^(?:{pattern})$")


def contains(words: pa.Array, pattern: str) -> Mask:
    """Which words the pattern reads a part of."""
    found = call("match_substring_regex", words, options=pc.MatchSubstringOptions(pattern, ignore_case=True))
    return found.fill_null(False).to_numpy(zero_copy_only=False)


def groups(words: pa.Array, pattern: str) -> dict[str, pa.Array]:
    """The named groups of a pattern that reads every one of `words`; "" where a group took no part."""
    found = call("extract_regex", words, options=pc.ExtractRegexOptions(f"^(?i:{pattern})$"))
    return {found.type.field(i).name: found.field(i) for i in range(found.type.num_fields)}


def replaced(words: pa.Array, pattern: str, by: str) -> pa.Array:
    return call("replace_substring_regex", words, options=pc.ReplaceSubstringOptions(pattern, by))


def among(words: pa.Array, members: frozenset[str]) -> Mask:
    """Which words, case aside, are members."""
    lowered = call("utf8_lower", words)
    return call("is_in", lowered, options=pc.SetLookupOptions(pa.array(sorted(members)))).to_numpy(zero_copy_only=False)


def as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any plain column as text. Whole floats lose their `.0`: an account 22 that a missing neighbour made 22.0 is 22."""
    kind = column.type
    if pa.types.is_string(kind):
        return column
    if pa.types.is_floating(kind):
        column = pa.chunked_array([pa.array(as_floats(column), from_pandas=True)])
        values = column.drop_null().to_numpy()
        if np.all(np.isfinite(values) & (np.abs(values) < 2**53) & (values == np.trunc(values))):
            column = column.cast(pa.int64())
    return column.cast(pa.string())


def words_of(column: pa.ChunkedArray) -> Words:
    """The distinct words of a column of any plain type."""
    if pa.types.is_null(column.type):
        return Words(np.full(len(column), -1, np.int32), pa.array([], pa.string()))
    text = column if pa.types.is_dictionary(column.type) else as_text(column)
    encoded = text if pa.types.is_dictionary(text.type) else text.dictionary_encode()
    whole = encoded.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # an empty column has no chunk
        return Words(np.zeros(0, np.int32), pa.array([], pa.string()))
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)
    return _trimmed(codes, whole.dictionary.cast(pa.string()), distinct=text is not encoded)


def _trimmed(codes: NDArray[np.int32], words: pa.StringArray, distinct: bool) -> Words:
    """Trimming can make two words one, and a word of blanks empty; a dictionary made elsewhere may hold a word twice."""
    clean = call("utf8_trim", words, options=pc.TrimOptions(UNSEEN))
    if distinct and words.null_count == 0 and clean.equals(words) and not call("any", call("equal", words, pa.scalar(""))).as_py():
        return Words(codes, words)
    again = call("if_else", call("equal", clean, pa.scalar("")), pa.scalar(None, pa.string()), clean).dictionary_encode()
    renumbered = again.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    if not np.array_equal(renumbered, np.arange(len(renumbered))):
        codes = spread(codes, renumbered, -1)
    return _used(Words(codes, again.dictionary))


def _used(words: Words) -> Words:
    """Without the words that no row has, as a dictionary made elsewhere, or of more rows than these, may hold."""
    kept = words.occurring()
    if kept.all():
        return words
    renumbered = np.where(kept, np.cumsum(kept) - 1, -1).astype(np.int32)
    return Words(words.spread(renumbered, -1), words.words.filter(pa.array(kept)))


def codes_of(words: Words, rows: NDArray[Any] | None) -> Codes:
    """The words of some rows (None: of all), blank-like ones (n/a, null ...) empty, and names that no row has left out."""
    codes = words.without(words.blank()).codes
    left = Words(codes if rows is None else codes[rows], words.words)
    compact = _used(left)
    return Codes(compact.codes, tuple(compact.words.to_pylist()))


def squash(name: str) -> str:
    """A column name with case, spaces, punctuation and Salesforce's `__c` taken away."""
    plain = unicodedata.normalize("NFKC", name).strip().casefold().removesuffix("__c")
    return "".join(c for c in plain if c.isalnum())


def fold(word: str) -> str:
    """A word of a cell with case and punctuation taken away and single spaces between its parts."""
    return re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", word).casefold()).strip()


def shortened(cell: str, limit: int = 80) -> str:
    """A cell fit for a message."""
    return cell if len(cell) <= limit else f"{cell[:limit]}... ({len(cell):,} characters)"


def reason(error: Exception) -> str:
    """What the system says of an error, as part of a sentence: without its number, its path and its full stop."""
    said = getattr(error, "strerror", None) or str(error)
    return (said.strip().splitlines() or [type(error).__name__])[0].rstrip(". ")


def quoted(words: list[str], limit: int = 8) -> str:
    """'a', 'b' and 3 more."""
    shown = ", ".join(f"'{shortened(word)}'" for word in words[:limit])
    return shown if len(words) <= limit else f"{shown} and {len(words) - limit:,} more"
