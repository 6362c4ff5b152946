"""Numbers and amounts of money of a column: one decimal mark for the whole column, never a guess between two."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unspun.book.currencies import PATTERN as CURRENCY
from unspun.book.currencies import UNCLEAR, currency_of, is_currency
from unspun.book.tables import Codes, Floats
from unspun.book.text import Complaint, Mask, Words, as_floats, call, groups, matches, replaced, words_of

Kind = Literal["score", "amount"]
MONEY = (
    rf"(?P<outer>(?:{CURRENCY})?)\s*(?P<open>\(?)\s*(?P<sign>[+-]?)\s*(?P<before>(?:{CURRENCY})?)\s*(?P<sign2>[+-]?)\s*"
    r"(?P<body>[0-9.,' ]*[0-9.](?:e[+-]?[0-9]+)?)"
    rf"\s*(?P<unit>(?:k|mm|mn|mio|m|bn|b)?)\s*(?P<percent>%?)\s*(?P<after>(?:{CURRENCY})?)\s*(?P<sign3>-?)\s*(?P<close>\)?)"
)
CURRENCIES = ("outer", "before", "after")  # where a currency may stand
POWERS = {"": 0, "k": 3, "m": 6, "mm": 6, "mn": 6, "mio": 6, "b": 9, "bn": 9}
OUT_OF = r"(?P<of>[+-]?[0-9.,]*[0-9])\s*(?:/|of|out of)\s*(?P<most>5|7|10|20|50|100|1000)"  # 8/10, 72 out of 100
# Written otherwise but meant as the plain character; digits of other scripts are put right beside
LOOKALIKES = str.maketrans(
    dict.fromkeys("\u00a0\u202f\u2009\u2007\u2008\u2002\u2003", " ")
    | dict.fromkeys("\u2212\u2010\u2011\u2013\uff0d", "-")
    | dict.fromkeys("\u2019\u02bc\u00b4", "'")
    | dict.fromkeys("\u200b\u200e\u200f\u2060\ufeff\u061c")
    | {"\uff0e": ".", "\uff0c": ",", "\uff05": "%", "\u066a": "%", "\uff08": "(", "\uff09": ")", "\uff04": "$", "\uffe5": "\u00a5"}
    | {"\u066b": ".", "\u066c": ",", "\uff0f": "/", "\u2044": "/", "\u2215": "/"}
)
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
    """One number a row, NaN where blank or unreadable; the currency named in the cells, if any.

    `literals` are the numbers of a text column as they are written, brought to a decimal point and no separators, so that they can
    be read exactly: null where there is no number. None where the column is typed.
    """

    values: Floats
    blank: Mask
    unread: Mask
    notes: tuple[str, ...] = ()
    currency: Codes | None = None
    complaint: Complaint | None = None
    literals: pa.ChunkedArray | pa.DictionaryArray | None = None


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
        return replace(plain, literals=column)
    words = words_of(column)
    if (plain := _plain_text(pa.chunked_array([words.words]), kind)) is not None:
        literals = _by_words(words, words.words)
        return Numbers(words.spread(plain.values, np.nan), words.codes < 0, np.zeros(len(words.codes), bool), literals=literals)
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


def _by_words(words: Words, literals: pa.Array) -> pa.DictionaryArray:
    """One literal a row from one a word."""
    return pa.DictionaryArray.from_arrays(pa.array(words.codes, mask=words.codes < 0), literals)


def _read_words(words: Words, blank: Mask, kind: Kind) -> Numbers:
    n = len(words.words)
    literals = np.full(n, None, object)
    values, currency, percent, scaled = np.full(n, np.nan), np.full(n, "", object), np.zeros(n, bool), np.zeros(n, bool)
    complaint = None
    plain, most = _out_of(_plain_characters(words.words)) if kind == "score" else (_plain_characters(words.words), np.zeros(n))
    where = np.flatnonzero(~blank & matches(plain, MONEY))
    if len(where):
        parts = groups(plain.take(pa.array(where)), MONEY)
        fits, percent[where] = _fits(parts, kind), _is(parts["percent"], "%")
        where, parts = where[fits], {name: part.filter(pa.array(fits)) for name, part in parts.items()}
        cleaned, complaint = _magnitudes(parts["body"], call("utf8_lower", parts["unit"]), words, where, kind)
        magnitude = cleaned.cast(pa.float64()).to_numpy(zero_copy_only=False)
        negative = _is(parts["sign"], "-") | _is(parts["sign2"], "-") | _is(parts["sign3"], "-") | _is(parts["open"], "(")
        values[where] = np.where(negative, -magnitude, magnitude)
        signs = call("if_else", pa.array(negative), pa.scalar("-"), pa.scalar(""))
        literals[where] = call("binary_join_element_wise", signs, cleaned, pa.scalar("")).to_numpy(zero_copy_only=False)
        named = call("binary_join_element_wise", parts["outer"], parts["before"], parts["after"], pa.scalar(""))
        currency[where] = _each(named, currency_of)
        scaled[where] = ~_is(parts["unit"], [""])
    read = np.isfinite(values) & ~((most > 0) & ~((values >= 0) & (values <= most)))
    values[~read] = np.nan
    literals[~read] = None
    codes = _currency_codes(words, np.where(read, currency, ""))
    complaint = complaint or _mixed_percent(words, read, percent) or _mixed_most(words, read, most)
    notes = (*_currency_notes(codes), *_word_notes(words, read & scaled, "k, M or bn"), *_most_notes(words, read, most))
    unread = words.spread(~read & ~blank, False)
    exact = _by_words(words, pa.array(literals, pa.string()))
    return Numbers(words.spread(values, np.nan), words.codes < 0, unread, notes, codes, complaint, exact)


def _plain_characters(words: pa.Array) -> pa.Array:
    """Digits of other scripts, odd spaces, dashes and apostrophes as plain ones; marks that do not show are taken out."""
    words = replaced(words, r"^'([+-]?[0-9.,])", r"\1")  # a spreadsheet's mark of a number kept as text
    strange = np.flatnonzero(call("invert", call("string_is_ascii", words)).to_numpy(zero_copy_only=False))
    if len(strange) == 0:
        return words
    plain = words.to_pylist()
    for i in strange.tolist():
        plain[i] = "".join(_plain_digit(char) for char in plain[i].translate(LOOKALIKES))
    return pa.array(plain, pa.string())


def _plain_digit(char: str) -> str:
    digit = unicodedata.decimal(char, None) if not char.isascii() else None  # superscripts are digits, but no decimals
    return char if digit is None else str(digit)


def _out_of(words: pa.Array) -> tuple[pa.Array, Floats]:
    """8/10 as 8 and the 10; what is not written so as it is and 0."""
    fraction = matches(words, OUT_OF)
    if not fraction.any():
        return words, np.zeros(len(words))
    parts = groups(words.filter(pa.array(fraction)), OUT_OF)
    most = np.zeros(len(words))
    most[fraction] = parts["most"].cast(pa.float64()).to_numpy(zero_copy_only=False)
    return call("replace_with_mask", words, pa.array(fraction), parts["of"]), most


def _is(part: pa.Array, letters: str | list[str]) -> Mask:
    return call("is_in", part, options=pc.SetLookupOptions(pa.array(list(letters), pa.string()))).to_numpy(zero_copy_only=False)


def _each(part: pa.Array, of: Callable[[str], object]) -> NDArray[np.object_]:
    """What a function says of each word, asked once a distinct word."""
    distinct = part.dictionary_encode()
    said = np.array([of(word) for word in distinct.dictionary.to_pylist()], object)
    return said[distinct.indices.to_numpy(zero_copy_only=False)] if len(said) else np.zeros(0, object)


def _fits(parts: dict[str, pa.Array], kind: Kind) -> Mask:
    """Brackets close, no two signs or currencies, and no currency or k in a score or percentage in an amount."""
    empty = {name: call("equal", part, pa.scalar("")).to_numpy(zero_copy_only=False) for name, part in parts.items()}
    signs = sum((~empty[name]).astype(np.int64) for name in ("sign", "sign2", "sign3"))
    bracketed = (empty["open"] == empty["close"]) & (empty["open"] | (signs == 0))
    single = (signs <= 1) & (sum((~empty[name]).astype(np.int64) for name in CURRENCIES) <= 1)
    known = np.logical_and.reduce([_each(parts[name], is_currency).astype(bool) for name in CURRENCIES])
    bare = empty["outer"] & empty["before"] & empty["after"] & empty["open"] & empty["unit"]
    suits = bare if kind == "score" else empty["percent"]
    return bracketed & single & known & suits


def _magnitudes(bodies: pa.Array, units: pa.Array, words: Words, where: NDArray[np.int64], kind: Kind) -> tuple[pa.Array, Complaint | None]:
    """The numbers without their signs as literals, nan where unreadable. A unit such as k is a power of ten: 4.35k is 4350 exactly."""
    spaced = matches(bodies, r"\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?|\d{1,2}(?:[ ']\d{2})+[ ']\d{3}(?:[.,]\d+)?")
    bodies = call("if_else", pa.array(spaced), replaced(bodies, r"[ ']", ""), bodies)
    forms = {name: matches(bodies, p) for name, p in (("point", POINT), ("comma", COMMA), ("1,200", EITHER_COMMA), ("1.200", EITHER_DOT))}
    comma, complaint = _decimal_comma(forms, words, where, kind)
    if complaint is not None:
        return pa.array(np.full(len(bodies), "nan"), pa.string()), complaint
    grouped = matches(bodies, (COMMA if comma else POINT) + f"|{EITHER_DOT if comma else EITHER_COMMA}")
    numbers = replaced(replaced(bodies, r"\.", ""), ",", ".") if comma else replaced(bodies, ",", "")
    usable = grouped | matches(bodies, EITHER_COMMA if comma else EITHER_DOT) | matches(bodies, r"\d+|(?:\d+\.?\d*|\.\d+)e[+-]?\d+")
    usable &= _is(units, [""]) | ~matches(bodies, r".*e.*")
    powers = pa.array(_each(units, lambda unit: f"e{POWERS[unit]}" if unit else ""), pa.string())
    written = call("binary_join_element_wise", numbers, powers, pa.scalar(""))
    return call("if_else", pa.array(usable), written, pa.scalar("nan")), None


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


def _mixed_most(words: Words, read: Mask, most: Floats) -> Complaint | None:
    """8/10 beside 72/100, or beside 8."""
    used = read & (words.counts() > 0)
    if not (most[used] > 0).any() or len(np.unique(most[used])) == 1:
        return None
    first = int(np.flatnonzero(used & (most > 0))[0])
    other = int(np.flatnonzero(used & (most != most[first]))[0])
    message = f"'{words.words[first].as_py()}' is out of {most[first]:g} and '{words.words[other].as_py()}' is not."
    return Complaint("mixed_denominators", message, "Write all of the column on one scale.", words.first_row(other))


def _most_notes(words: Words, read: Mask, most: Floats) -> tuple[str, ...]:
    shown = np.unique(most[read & (words.counts() > 0) & (most > 0)])
    return (f"each is written as out of {shown[0]:g}: the number before it is read",) if len(shown) == 1 else ()


def _word_notes(words: Words, written: Mask, what: str) -> tuple[str, ...]:
    rows = int(words.counts()[written].sum())
    return (f"amounts written with {what} (thousands, millions, thousands of millions): {rows:,}",) if rows else ()


def _currency_codes(words: Words, named: NDArray[np.object_]) -> Codes | None:
    names = sorted(set(named[words.counts() > 0]) - {""})
    if not names:
        return None
    index = {name: i for i, name in enumerate(names)}
    return Codes(words.spread(np.array([index.get(name, -1) for name in named], np.int32), -1), tuple(names))


def _currency_notes(codes: Codes | None) -> tuple[str, ...]:
    unclear = [name for name in (codes.names if codes else ()) if name in UNCLEAR]
    return tuple(f"the currency is given only as '{name}', which several countries write ({UNCLEAR[name]})" for name in unclear)
