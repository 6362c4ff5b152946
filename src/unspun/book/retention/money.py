"""Exact amounts: whole ten-thousandths of a currency unit, added without rounding and divided half-even."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.book.tables import Floats, Ints
from unspun.errors import BadInput, Fault

UNITS = 10_000  # of one currency unit: DECIMAL(18,4)
WHOLE = 0.0  # months covered: the whole term
TERM_PARTS = 487  # a month beside whole ones is counted as 487/16 days (30.4375), so lengths are whole 487ths of a month
LARGEST = 1 << 62


def as_decimal(units: int) -> Decimal:
    """The amount, with four decimal places."""
    return Decimal(int(units)).scaleb(-4)


def divide_half_even(numerator: NDArray[Any], denominator: NDArray[Any] | int) -> Ints:
    """numerator / denominator as whole numbers, half to even; the denominator is above 0, the arrays int64 or Python ints.

    Raises BadInput where a quotient is beyond int64: an amount that no book can add up exactly.
    """
    below = np.asarray(denominator).astype(numerator.dtype)  # Python ints with Python ints
    quotient = numerator // below
    twice = 2 * (numerator - quotient * below)
    rounded = quotient + ((twice > below) | ((twice == below) & (quotient % 2 == 1)))
    if len(rounded) and max(-int(rounded.min()), int(rounded.max())) >= LARGEST:
        raise too_large()
    return rounded.astype(np.int64)


def too_large() -> BadInput:
    """The fault of amounts that cannot be added up exactly."""
    message = "the amounts are too large to be added up exactly (over 4 x 10^14 in all)."
    return BadInput(Fault("amounts_too_large", message, "subscriptions.amount", "State them in thousands or millions."))


def multiplied(units: Ints, factor: int) -> NDArray[Any]:
    """The product: int64 where it fits, else Python ints."""
    largest = max(-int(units.min()), int(units.max())) if len(units) else 0
    return units * factor if largest * factor < LARGEST else units.astype(object) * factor


def times(units: Ints, factor: Fraction) -> Ints:
    """units x factor, half-even to the ten-thousandth."""
    return divide_half_even(multiplied(units, factor.numerator), factor.denominator)


def yearly(units: Ints, months: Floats, term_months: Floats) -> Ints:
    """ARR in ten-thousandths: units x 12 / months covered; `term_months` is the length of the term, for amounts of a whole term.

    Undefined where months are not a number or the term is open. Lengths come as `terms.lines.term_months` tells them.
    """
    arr = np.zeros(len(units), np.int64)
    for covered in np.unique(months[months > 0]).tolist():
        rows = np.flatnonzero(months == covered)
        arr[rows] = times(units[rows], 12 / exact(covered))
    rows = np.flatnonzero((months == WHOLE) & (term_months > 0))
    parts = np.rint(term_months[rows] * TERM_PARTS).astype(np.int64)
    arr[rows] = divide_half_even(multiplied(units[rows], 12 * TERM_PARTS), parts)
    return arr


def exact(number: float) -> Fraction:
    """The number as it is written in decimals."""
    return Fraction(Decimal(repr(float(number))))
