"""Subscription terms: which account had what from when to when, for how much."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.book.amounts import read_amounts
from unspun.book.currencies import currency_codes
from unspun.book.dates import FIRST_YEAR, LAST_YEAR
from unspun.book.files import open_table
from unspun.book.numbers import Numbers
from unspun.book.reading import Reading
from unspun.book.tables import Codes, Floats, Ints, ReadingOptions, Subscriptions
from unspun.book.text import Complaint, Mask, Words, codes_of, fold, quoted

Days = NDArray[np.datetime64]
YES = frozenset({"yes", "y", "true", "t", "1", "addon", "add on"})
NO = frozenset({"no", "n", "false", "f", "0", "base", "base product", "core", "plan", "main"})
FAR_YEARS = ("2999", "3000", "4000", "9999")  # written for "no end"
SAID_BY_NAME = {  # months that an amount covers, and the parts of a column's name that say so
    1: r"\b(mrr|monthly|per month|a month)\b|^monthly|mrr$",
    12: r"\b(arr|acv|annual|annually|annualised|annualized|yearly|per year|a year)\b|^annual|^yearly",
    0: r"\b(tcv|total contract value|whole term|term total)\b",
}
MONTHS_OF = {
    1: "month, monthly, mthly, per month, a month, m, mo, 1 month, every month, mrr",
    3: "quarter, quarterly, per quarter, 3 months, q",
    6: "half year, half yearly, semi annual, semiannual, semi annually, biannual, 6 months",
    12: "year, yearly, annual, annually, per year, a year, y, 1 year, 12 months, yr, arr",
    24: "2 years, biennial, 24 months, two years",
    36: "3 years, 36 months, three years",
    0: "term, whole term, contract, total, one term, upfront, prepaid",
}
PERIODS = {word: months for months, words in MONTHS_OF.items() for word in words.split(", ")}


def read_subscriptions(source: object, options: ReadingOptions, name: str | None = None) -> Subscriptions:
    """Read subscription terms from a path ("-" is standard input), an open file, or a pandas, Polars or Arrow table.

    An empty end, or one in a year written for "no end" (9999), is an open term. Rows that are equal in every column that is
    read are duplicates; any other rows are lines of their own. Raises BadInput with all faults of the file; rows that cannot
    be used are set aside in `source.rejections`.
    """
    reading = Reading(open_table(source, "subscriptions", name, options), options)
    reading.account()
    start, end = _days(reading, "start"), _ends(reading)
    notice, cancelled_on = _days(reading, "notice"), _days(reading, "cancelled_on")
    is_addon = _flags(reading)
    numbers = _amounts(reading)
    months = None if numbers is None else _amount_months(reading)
    reading.refuse_faults()
    assert start is not None and end is not None  # their absence is a fault
    reading.set_aside(end < start, "ends_before_start", "term ends before it starts", reading.columns["end"], show=True)
    currency = _currency(reading, numbers)
    amount = None if numbers is None else numbers.values
    _set_copies_aside(reading, [start, end, is_addon, *(a for a in (notice, cancelled_on, amount, months) if a is not None)], currency)
    reading.refuse_nothing_left()
    kept = reading.kept

    def rows(array: NDArray[Any] | None) -> Any:
        return None if array is None else array[kept]

    return Subscriptions(
        source=reading.source({}),
        row=reading.raw.row[kept],
        account=codes_of(reading.words(reading.columns["account"]), kept),
        start=start[kept],
        end=end[kept],
        is_addon=is_addon[kept],
        product=reading.codes("product"),
        amount=rows(amount),
        amount_months=rows(months),
        currency=None if currency is None else Codes(currency.codes[kept], currency.names),
        notice=rows(notice),
        cancelled_on=rows(cancelled_on),
        segment=reading.codes("segment"),
        owner=reading.codes("owner"),
        parent=reading.codes("parent"),
        file=reading.raw.files_of(kept),
    )


def _days(reading: Reading, role: str) -> Days | None:
    times = reading.dates(role)
    return None if times is None else times.astype("datetime64[D]")


def _ends(reading: Reading) -> Days | None:
    """The terms' ends, NaT where a term is open: here an empty cell is a statement, not a gap."""
    if "end" not in reading.columns:
        return None
    column = reading.columns["end"]
    dates = reading.read_dates("end")
    if dates.complaint is not None:
        reading.fault(dates.complaint, column)
        return None
    hint = "Say how the dates are written, such as --date-format '%d/%m/%y'; leave the end of an open term empty."
    if reading.refuse_unreadable(dates.unread, dates.blank, column, "a date that can be read", hint):
        return None
    reading.set_aside(dates.unread, "unreadable_date", "unreadable date", column, show=True)
    impossible = dates.out_of_range & ~_far(reading, dates.out_of_range, column)
    reading.set_aside(impossible, "impossible_date", f"date outside {FIRST_YEAR}-{LAST_YEAR}", column, show=True)
    return dates.times.astype("datetime64[D]")


def _far(reading: Reading, where: Mask, column: int) -> Mask:
    """Which of those cells name a year that stands for no end."""
    far = np.zeros(len(where), bool)
    rows = np.flatnonzero(where)
    if len(rows):
        far[rows] = [any(year in cell for year in FAR_YEARS) for cell in reading.cells(column, rows)]
    return far


def _flags(reading: Reading) -> Mask:
    """Whether a row is an add-on; without such a column, or in an empty cell, it is a base product."""
    if "is_addon" not in reading.columns:
        reading.notes.append("no column flags add-ons: every row is a base product")
        return np.zeros(len(reading.raw.row), bool)
    column = reading.columns["is_addon"]
    words = reading.words(column)
    words = words.without(words.blank())
    folded = [fold(word) for word in words.words.to_pylist()]
    if (unknown := [i for i, word in enumerate(folded) if word not in YES | NO and bool((words.codes == i).any())]) != []:
        reading.fault(_unknown_words(words, unknown, "whether it is an add-on", "Write yes or no."), column)
    empty = int((words.codes < 0).sum())
    if empty:
        reading.notes.append(f"column '{reading.title(column)}': empty in {empty:,} rows, taken as base products")
    return words.spread(np.array([word in YES for word in folded], bool), False)


def _unknown_words(words: Words, unknown: list[int], what: str, hint: str) -> Complaint:
    shown = quoted([words.words[i].as_py() for i in unknown])
    return Complaint("unknown_words", f"{shown} do{'es' if len(unknown) == 1 else ''} not say {what}.", hint, words.first_row(unknown[0]))


def _amounts(reading: Reading) -> Numbers | None:
    """The amount of each row; credit notes (negative amounts) and unreadable amounts are set aside."""
    if "amount" not in reading.columns:
        reading.notes.append("no amounts are given: expansion and contraction cannot be told")
    return read_amounts(reading, "amount", "negative amount: a credit note is no term")


def _amount_months(reading: Reading) -> Floats:
    """How many months each amount covers: by the column's name, else by a column that says so; 0 is the whole term."""
    column = reading.columns["amount"]
    named = amount_months_by_name(reading.title(column))
    if named is not None:
        return np.full(len(reading.raw.row), float(named))
    if "amount_period" not in reading.columns:
        return np.full(len(reading.raw.row), np.nan)
    column = reading.columns["amount_period"]
    words = reading.words(column)
    words = words.without(words.blank())
    months = [_months(word) for word in words.words.to_pylist()]
    if (unknown := [i for i, m in enumerate(months) if np.isnan(m) and bool((words.codes == i).any())]) != []:
        reading.fault(_unknown_words(words, unknown, "how long the amount is for", "Write month, quarter, year or term."), column)
    return words.spread(np.array(months, float), np.nan)


def amount_months_by_name(title: str) -> int | None:
    """Months that amounts of a column of this name cover; None where the name does not say, or says two things."""
    name = fold(title)
    said = [months for months, pattern in SAID_BY_NAME.items() if re.search(pattern, name)]
    return said[0] if len(said) == 1 else None


def _months(word: str) -> float:
    folded = fold(word)
    return float(folded) if folded.isdigit() and 0 < int(folded) <= 120 else float(PERIODS.get(folded, np.nan))


def _currency(reading: Reading, numbers: Numbers | None) -> Codes | None:
    """The currency column, else what the cells of the amounts name; over all rows of the file."""
    if "currency" in reading.columns:
        return currency_codes(reading.words(reading.columns["currency"]), None)
    return None if numbers is None else numbers.currency


def _set_copies_aside(reading: Reading, arrays: list[NDArray[Any]], currency: Codes | None) -> None:
    """Rows equal to an earlier one in all that is read. The number of a subscription tells two equal lines apart."""
    keys: list[NDArray[Any]] = [reading.words(reading.columns[role]).codes for role in _NAMED if role in reading.columns]
    keys += [_sortable(array) for array in arrays]
    if currency is not None:
        keys.append(currency.codes)
    reading.set_duplicates_aside(keys, [], "line", None)


_NAMED = ("account", "product", "subscription_id", "quantity")


def _sortable(array: NDArray[Any]) -> Ints | Days:
    """Whole numbers or dates that are equal where the values are; NaN equals NaN."""
    if array.dtype.kind == "M":
        return array
    return (array.astype(np.float64) + 0.0).view(np.int64)  # + 0.0: minus zero is zero
