"""Numbers and amounts of money of a column: one decimal mark for the whole column, never a guess between two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unspun.book.tables import Codes, Floats
from unspun.book.text import Complaint, Mask, Words, as_floats, call, groups, matches, replaced, words_of

Kind = Literal["score", "amount"]
PLAIN = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
SIGN = "[+\\-\u2212]"
CURRENCY = r"(?:[A-Z]{1,2}\$|[$\x{20AC}\x{00A3}\x{00A5}]|[A-Z]{3})"
MONEY = (
    rf"(?P<open>\(?)\s*(?P<sign>{SIGN}?)\s*(?P<before>(?:{CURRENCY})?)\s*(?P<sign2>{SIGN}?)\s*"
    r"(?P<body>[0-9.,'\x{2019}\x{00A0}\x{202F} ]*[0-9.](?:e[+-]?[0-9]+)?)"
    rf"\s*(?P<percent>%?)\s*(?P<after>(?:{CURRENCY})?)\s*(?P<close>\)?)"
)
CURRENCY_CODES = {"\u20ac": "EUR", "\u00a3": "GBP", "US$": "USD", "A$": "AUD", "AU$": "AUD", "CA$": "CAD", "C$": "CAD", "NZ$": "NZD"}
GROUPED = r"\d{1,3}(?:,\d{3})+"
# Forms that only a decimal point, or only a decimal comma, can explain
POINT = (
    rf"{GROUPED}\.\d*|\d{{1,3}}(?:,\d{{3}}){{2,}}|\d{{1,2}}(?:,\d{{2}})+,\d{{3}}(?:\.\d*)?"
    r"|0*\.\d+|0\d*\.\d+|\d+\.(?:\d{0,2}|\d{4,})|\d{4,}\.\d+"
)
COMMA = r"\d{1,3}(?:\.\d{3})+,\d*|\d{1,3}(?:\.\d{3}){2,}|0*,\d+|0\d*,\d+|\d+,(?:\d{1,2}|\d{4,})|\d{4,},\d+"
EITHER_COMMA = r"[1-9]\d{0,2},\d{3}"  # 1,200: twelve hundred, or one and a fifth
EITHER_DOT = r"[1-9]\d{0,2}\.\d{3}"


@dataclass(frozen=True, slots=True)
class Numbers:
    """One number a row, NaN where blank or unreadable; the currency named in the cells, if any."""

    values: Floats
    blank: Mask
    unread: Mask
    notes: tuple[str, ...] = ()
    currency: Codes | None = None
    complaint: Complaint | None = None


def is_number_type(kind: pa.DataType) -> bool:
    tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_boolean)
    return any(test(kind) for test in tests)


def read_numbers(column: pa.ChunkedArray, kind: Kind = "score") -> Numbers:
    """Read a column of numbers, typed or text. Infinity is unreadable; booleans are 0 and 1.

    Of a text column whose commas and points two locales would read differently, the complaint says so. An amount such
    as 1,200 is twelve hundred: money has no three decimals.
    """
    if is_number_type(column.type) or pa.types.is_null(column.type):
        return _typed(column)
    if pa.types.is_string(column.type) and (plain := _plain_text(column, kind)) is not None:
        return plain
    words = words_of(column)
    blank = words.blank()
    words = words.without(blank)
    return _read_words(words, blank, kind)


def _typed(column: pa.ChunkedArray) -> Numbers:
    if pa.types.is_null(column.type):
        return _finished(np.full(len(column), np.nan), np.ones(len(column), bool))
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.uint8())
    values = as_floats(column)
    return _finished(values, np.isnan(values))


def _finished(values: Floats, blank: Mask) -> Numbers:
    infinite = np.isinf(values)
    return Numbers(np.where(infinite, np.nan, values) if infinite.any() else values, blank, infinite)


def _plain_text(column: pa.ChunkedArray, kind: Kind) -> Numbers | None:
    """The common case at full speed: every cell is empty or a plain number with a decimal point."""
    try:
        values = as_floats(column)
    except pa.ArrowInvalid:
        return None
    blank = call("is_null", column).to_numpy() if column.null_count else np.zeros(len(column), bool)
    if not np.isfinite(values[~blank]).all():
        return None
    if kind == "amount" and _any(column, EITHER_DOT) and not _any(column, POINT):
        return None
    return _finished(values, blank)


def _any(column: pa.ChunkedArray, pattern: str) -> bool:
    return any(bool(matches(chunk, pattern).any()) for chunk in column.chunks)


def _read_words(words: Words, blank: Mask, kind: Kind) -> Numbers:
    n = len(words.words)
    values, read, currency, percent = np.full(n, np.nan), np.zeros(n, bool), np.full(n, "", object), np.zeros(n, bool)
    complaint = None
    where = np.flatnonzero(~blank & matches(words.words, MONEY))
    if len(where):
        parts = groups(words.words.take(pa.array(where)), MONEY)
        fits, percent[where] = _fits(parts, kind), _is(parts["percent"], "%")
        where, parts = where[fits], {name: part.filter(pa.array(fits)) for name, part in parts.items()}
        magnitude, complaint = _magnitudes(parts["body"], words, where, kind)
        negative = _is(parts["sign"], "-\u2212") | _is(parts["sign2"], "-\u2212") | _is(parts["open"], "(")
        values[where] = np.where(negative, -magnitude, magnitude)
        read[where] = np.isfinite(magnitude)
        named = call("binary_join_element_wise", parts["before"], parts["after"], pa.scalar(""))
        currency[where] = [CURRENCY_CODES.get(symbol.upper(), symbol.upper()) for symbol in named.to_pylist()]
    values[~read] = np.nan
    unread = words.spread(~read & ~blank, False)
    codes = _currency_codes(words, np.where(read, currency, ""))
    notes = _currency_notes(codes)
    if complaint is None:
        complaint = _mixed_percent(words, read, percent)
    return Numbers(words.spread(values, np.nan), words.codes < 0, unread, notes, codes, complaint)


def _is(part: pa.Array, letters: str) -> Mask:
    return np.isin(part.to_numpy(zero_copy_only=False).astype(str), list(letters))


def _fits(parts: dict[str, pa.Array], kind: Kind) -> Mask:
    """Brackets close, no two signs or currencies, and no currency in a score or percentage in an amount."""
    empty = {name: part.to_numpy(zero_copy_only=False).astype(str) == "" for name, part in parts.items()}
    bracketed = (empty["open"] == empty["close"]) & (empty["open"] | (empty["sign"] & empty["sign2"]))
    single = (empty["sign"] | empty["sign2"]) & (empty["before"] | empty["after"])
    suits = (empty["before"] & empty["after"] & empty["open"]) if kind == "score" else empty["percent"]
    return bracketed & single & suits


def _magnitudes(bodies: pa.Array, words: Words, where: NDArray[np.int64], kind: Kind) -> tuple[Floats, Complaint | None]:
    spaced = matches(bodies, r"\d{1,3}(?:[ '\x{2019}\x{00A0}\x{202F}]\d{3})+(?:[.,]\d+)?")
    plain = replaced(bodies, r"[ '\x{2019}\x{00A0}\x{202F}]", "")
    bodies = call("if_else", pa.array(spaced), plain, bodies)
    forms = {name: matches(bodies, p) for name, p in (("point", POINT), ("comma", COMMA), ("1,200", EITHER_COMMA), ("1.200", EITHER_DOT))}
    comma, complaint = _decimal_comma(forms, words, where, kind)
    if complaint is not None:
        return np.full(len(bodies), np.nan), complaint
    grouped = matches(bodies, (COMMA if comma else POINT) + f"|{EITHER_DOT if comma else EITHER_COMMA}")
    numbers = replaced(replaced(bodies, r"\.", ""), ",", ".") if comma else replaced(bodies, ",", "")
    usable = grouped | matches(bodies, EITHER_COMMA if comma else EITHER_DOT) | matches(bodies, r"\d+|(?:\d+\.?\d*|\.\d+)e[+-]?\d+")
    cleaned = call("if_else", pa.array(usable), numbers, pa.scalar("nan"))
    return cleaned.cast(pa.float64()).to_numpy(zero_copy_only=False), None


def _decimal_comma(forms: dict[str, Mask], words: Words, where: NDArray[np.int64], kind: Kind) -> tuple[bool, Complaint | None]:
    def shown(form: str) -> tuple[str, int]:
        word = int(where[np.argmax(forms[form])])
        return words.words[word].as_py(), words.first_row(word)

    point, comma, either_comma, either_dot = (bool(forms[name].any()) for name in ("point", "comma", "1,200", "1.200"))
    hint = "Write the column with a decimal point and no thousands separator."
    if point and comma:
        (one, _), (other, row) = shown("point"), shown("comma")
        return False, Complaint("mixed_numbers", f"'{one}' has a decimal point and '{other}' a decimal comma.", hint, row)
    if point or comma:
        return comma, None
    doubtful = "1,200" if either_comma and (kind == "score" or either_dot) else "1.200" if either_dot and kind == "amount" else ""
    if not doubtful:
        return False, None
    word, row = shown(doubtful)
    digits = "".join(c for c in word if c.isdigit())
    message = f"'{word}' could be {digits} or {digits[:-3]}.{digits[-3:]}, and no number of the column tells which."
    return False, Complaint("ambiguous_numbers", message, hint, row)


def _mixed_percent(words: Words, read: Mask, percent: Mask) -> Complaint | None:
    used = words.counts() > 0
    bare, marked = np.flatnonzero(read & ~percent & used), np.flatnonzero(read & percent & used)
    if len(bare) == 0 or len(marked) == 0:
        return None
    message = f"'{words.words[int(marked[0])].as_py()}' has a percent sign and '{words.words[int(bare[0])].as_py()}' has none."
    return Complaint("mixed_percent", message, "Write all of the column one way.", words.first_row(int(bare[0])))


def _currency_codes(words: Words, named: NDArray[np.object_]) -> Codes | None:
    names = sorted(set(named[words.counts() > 0]) - {""})
    if not names:
        return None
    index = {name: i for i, name in enumerate(names)}
    return Codes(words.spread(np.array([index.get(name, -1) for name in named], np.int32), -1), tuple(names))


def _currency_notes(codes: Codes | None) -> tuple[str, ...]:
    unclear = [name for name in (codes.names if codes else ()) if name in ("$", "\u00a5")]
    return tuple(f"the currency is given only as '{name}', which several countries write" for name in unclear)
