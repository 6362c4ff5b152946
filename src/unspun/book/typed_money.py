"""Exact numbers: DECIMAL(18,4) and 64-bit integers from decimal literals, integers, decimals and floats, never by way of a float."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unspun.book.entities import MONEY_PRECISION, MONEY_SCALE
from unspun.book.text import Mask, call

MONEY = pa.decimal128(MONEY_PRECISION, MONEY_SCALE)
EXACT = pa.decimal128(38, 14)  # more than this before or after the point is left to Python's decimals
MOST = Decimal(10) ** (MONEY_PRECISION - MONEY_SCALE)
UNIT = Decimal(1).scaleb(-MONEY_SCALE)
EXACT_IN_FLOAT = 1e15  # a number of up to fifteen digits is the shortest that names its float


@dataclass(frozen=True, slots=True)
class Exact:
    """Exact values, null where there is none, which are too large to be kept, and how many lost digits (half to even)."""

    values: pa.Array
    too_large: Mask
    shortened: int


def money_of_literals(literals: pa.Array) -> Exact:
    """From decimal literals such as -12.5 or 1.2e3, null where there is no number."""
    if pa.types.is_dictionary(literals.type):
        return _by_word(literals)
    try:
        return money_of_decimals(literals.cast(EXACT))
    except pa.ArrowInvalid:
        return _one_by_one(literals)


def _by_word(literals: pa.DictionaryArray) -> Exact:
    words = money_of_literals(literals.dictionary)
    codes = literals.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    filled = codes >= 0
    too_large = np.append(words.too_large, False)[codes] & filled
    rounded = call("is_valid", words.values).to_numpy(zero_copy_only=False) & _has_more_digits(literals.dictionary)
    shortened = int((np.append(rounded, False)[codes] & filled).sum()) if words.shortened else 0
    return Exact(words.values.take(literals.indices), too_large, shortened)


def _has_more_digits(literals: pa.Array) -> Mask:
    """Which literals have more decimals than money keeps."""
    return np.array([word is not None and Decimal(word) % UNIT != 0 for word in literals.to_pylist()], bool)


def _one_by_one(literals: pa.Array) -> Exact:
    values: list[Decimal | None] = []
    too_large, shortened = np.zeros(len(literals), bool), 0
    with localcontext(prec=400):
        for i, word in enumerate(literals.to_pylist()):
            number = None if word is None else Decimal(word)
            kept = None if number is None or abs(number) >= MOST else number.quantize(UNIT, ROUND_HALF_EVEN)
            too_large[i] = number is not None and (kept is None or abs(kept) >= MOST)
            shortened += kept is not None and kept != number
            values.append(None if too_large[i] else kept)
    return Exact(pa.array(values, MONEY), too_large, shortened)


def money_of_decimals(column: pa.Array) -> Exact:
    """From decimals of any precision and scale."""
    if column.type.scale <= MONEY_SCALE:
        rounded, shortened = column, 0
    else:
        rounded = call("round", column, options=pc.RoundOptions(MONEY_SCALE, "half_to_even"))
        shortened = int(call("sum", call("not_equal", rounded, column)).as_py() or 0)
    try:
        return Exact(rounded.cast(MONEY), np.zeros(len(column), bool), shortened)
    except pa.ArrowInvalid:
        whole = call("abs", rounded).cast(pa.float64())
        large = call("greater_equal", whole, pa.scalar(float(MOST))).fill_null(False)  # 10^14 is a float exactly
        kept = call("if_else", large, pa.scalar(None, rounded.type), rounded)
        return Exact(kept.cast(MONEY), large.to_numpy(zero_copy_only=False), shortened)


def money_of_integers(column: pa.Array) -> Exact:
    """From integers of any width."""
    return money_of_decimals(column.cast(pa.decimal128(20, 0)))


def money_of_floats(values: NDArray[np.float64]) -> Exact:
    """From floats by the shortest decimal that names each (0.1 is 0.1000), null where NaN.

    A float that some number of at most fifteen digits names is that number; only the others are written out and read back.
    """
    blank = np.isnan(values)
    units = np.rint(np.where(blank, 0.0, values) * 10**MONEY_SCALE)
    plain = (np.abs(units) < EXACT_IN_FLOAT) & (units / 10**MONEY_SCALE == values)
    if (plain | blank).all():
        return Exact(_decimals(units.astype(np.int64), blank), np.zeros(len(values), bool), 0)
    odd = np.flatnonzero(~plain & ~blank)
    exact = money_of_literals(pa.array(values[odd]).cast(pa.string()))
    found = _decimals(np.where(plain, units, 0.0).astype(np.int64), blank | ~plain)
    too_large = np.zeros(len(values), bool)
    too_large[odd] = exact.too_large
    mask = np.zeros(len(values), bool)
    mask[odd] = True
    return Exact(call("replace_with_mask", found, pa.array(mask), exact.values), too_large, exact.shortened)


def _decimals(units: NDArray[np.int64], blank: Mask) -> pa.Array:
    """Counts of the smallest unit as decimals."""
    words = np.empty((len(units), 2), "<i8")
    words[:, 0], words[:, 1] = units, units >> 63  # 128 bits, the sign carried on
    valid = pa.py_buffer(np.packbits(~blank, bitorder="little").tobytes()) if blank.any() else None
    return pa.Array.from_buffers(MONEY, len(units), [valid, pa.py_buffer(words)])


def wholes_of_literals(literals: pa.Array) -> tuple[pa.Array, Mask]:
    """64-bit integers from decimal literals, null where there is none; which of them are no whole number, or too large for one."""
    words = literals.dictionary if pa.types.is_dictionary(literals.type) else literals
    bad = np.zeros(len(words), bool)
    try:
        values = words.cast(pa.int64())
    except pa.ArrowInvalid:
        found = [_whole(word) for word in words.to_pylist()]
        filled = call("is_valid", words).to_numpy(zero_copy_only=False)
        bad = np.array([number is None for number in found], bool) & filled
        values = pa.array(found, pa.int64())
    if words is literals:
        return values, bad
    codes = literals.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    return values.take(literals.indices), np.append(bad, False)[codes]


def _whole(word: str | None) -> int | None:
    number = Decimal("NaN") if word is None else Decimal(word)
    whole = number.is_finite() and abs(number) < 2**63 and number == number.to_integral_value()
    return int(number) if whole else None
