"""Renewals due and what became of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.book.amounts import read_amounts
from unspun.book.currencies import currency_codes
from unspun.book.files import open_table
from unspun.book.numbers import Numbers
from unspun.book.outcomes import read_closed, read_outcomes
from unspun.book.reading import Reading
from unspun.book.tables import Codes, Ints, ReadingOptions, Renewals, Times
from unspun.book.text import Words, codes_of

AMOUNTS = ("amount_before", "amount_after")


def read_renewals(source: object, options: ReadingOptions, name: str | None = None) -> Renewals:
    """Read renewals from a path ("-" is standard input), an open file, or a pandas, Polars or Arrow table.

    Raises BadInput with all faults of the file; rows that cannot be used are set aside in `source.rejections`.
    """
    reading = Reading(open_table(source, "renewals", name, options), options)
    reading.account()
    due = _days(reading.dates("due"))
    dates = {role: _days(reading.dates(role)) for role in ("term_start", "notice", "outcome_known_at")}
    outcome = _outcomes(reading)
    amounts = {role: numbers for role in AMOUNTS if (numbers := read_amounts(reading, role)) is not None}
    reading.refuse_faults()
    assert due is not None and outcome is not None  # their absence is a fault
    currency = _currencies(reading, amounts)
    accounts = reading.words(reading.columns["account"])
    optional = [array for array in dates.values() if array is not None] + [numbers.values for numbers in amounts.values()]
    values: list[NDArray[Any]] = [outcome, *optional, *([] if currency is None else [currency.codes])]
    reading.set_duplicates_aside([accounts.codes, due], values, "account and due date", None)
    reading.refuse_nothing_left()
    kept = reading.kept

    def rows(array: NDArray[Any] | None) -> Any:
        return None if array is None else array[kept]

    return Renewals(
        source=reading.source({}),
        row=reading.raw.row[kept],
        account=codes_of(accounts, kept),
        due=due[kept],
        outcome=outcome[kept],
        amount_before=rows(amounts["amount_before"].values if "amount_before" in amounts else None),
        amount_after=rows(amounts["amount_after"].values if "amount_after" in amounts else None),
        currency=None if currency is None else _compact(currency, kept),
        term_start=rows(dates["term_start"]),
        notice=rows(dates["notice"]),
        outcome_known=rows(dates["outcome_known_at"]),
        segment=reading.codes("segment"),
        owner=reading.codes("owner"),
        parent=reading.codes("parent"),
        file=reading.raw.files_of(kept),
    )


def _days(times: Times | None) -> NDArray[np.datetime64] | None:
    return None if times is None else times.astype("datetime64[D]")


def _outcomes(reading: Reading) -> NDArray[np.int8] | None:
    if "outcome" not in reading.columns:
        return None
    column = reading.columns["outcome"]
    words = reading.words(column)
    words = words.without(words.blank())
    if (closed := _closed(reading)) is not None:
        words = Words(np.where(closed, words.codes, -1).astype(np.int32), words.words)  # an open deal has no outcome yet
    title, declared = reading.title(column), reading.options.outcomes
    outcome, complaint = read_outcomes(words, title, declared, all_closed=closed is not None)
    if complaint is not None:
        reading.fault(complaint, column)
        return None
    return outcome


def _closed(reading: Reading) -> NDArray[np.bool_] | None:
    """Which deals are closed, where the file has a flag that says so."""
    if "closed" not in reading.columns:
        return None
    words = reading.words(reading.columns["closed"])
    closed, complaint = read_closed(words.without(words.blank()))
    if complaint is not None:
        reading.fault(complaint, reading.columns["closed"])
    return closed


def _currencies(reading: Reading, amounts: dict[str, Numbers]) -> Codes | None:
    """The currency column, else what the cells of the amounts name (before, where both do)."""
    if "currency" in reading.columns:
        return currency_codes(reading.words(reading.columns["currency"]), None)
    named = [numbers.currency for numbers in amounts.values() if numbers.currency is not None]
    if not named:
        return None
    names = sorted({name for codes in named for name in codes.names})
    merged = np.full(len(reading.raw.row), -1, np.int32)
    for codes in reversed(named):
        index = np.array([names.index(name) for name in codes.names], np.int32)
        merged = np.where(codes.codes >= 0, index[codes.codes], merged)
    return Codes(merged, tuple(names))


def _compact(codes: Codes, rows: Ints) -> Codes:
    """The codes of some rows, with names that none of them has left out."""
    taken = codes.codes[rows]
    present = np.unique(taken[taken >= 0])
    renumbered = np.full(len(codes.names) + 1, -1, np.int32)
    renumbered[present] = np.arange(len(present))
    return Codes(renumbered[taken], tuple(codes.names[i] for i in present))
