"""Purchases of customers without a contract: who bought, when, and for how much. A return is not a purchase."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.book.amounts import read_quantities
from unspun.book.currencies import currency_codes
from unspun.book.files import open_table
from unspun.book.numbers import Numbers
from unspun.book.reading import Reading
from unspun.book.tables import Codes, Floats, Purchases, ReadingOptions
from unspun.book.text import codes_of

RETURN = "return", "return (negative amount or quantity): not a purchase"


def read_purchases(source: object, options: ReadingOptions, name: str | None = None) -> Purchases:
    """Read purchases from a path ("-" is standard input), an open file, or a pandas, Polars or Arrow table.

    A row is a line of an order, or a whole one: several rows of an account on a day are one occasion, which the audit
    makes of them, so that no row counts as a duplicate. Rows with a negative amount or quantity are returns and set aside;
    the purchase they undo stays. Where there is no amount but a quantity and a unit price, the amount is their product.
    Raises BadInput with all faults of the file; rows that cannot be used are set aside in `source.rejections`.
    """
    reading = Reading(open_table(source, "purchases", name, options), options)
    reading.account()
    dates = reading.dates("date")
    amount, priced = _amounts(reading)
    reading.refuse_faults()
    assert dates is not None  # its absence is a fault
    reading.refuse_nothing_left()
    kept = reading.kept
    return Purchases(
        source=reading.source({}),
        row=reading.raw.row[kept],
        account=codes_of(reading.words(reading.columns["account"]), kept),
        date=dates.astype("datetime64[D]")[kept],
        amount=None if amount is None else amount[kept],
        currency=_currency(reading, priced, kept),
        segment=reading.codes("segment"),
        owner=reading.codes("owner"),
        parent=reading.codes("parent"),
        file=reading.raw.files_of(kept),
    )


def _amounts(reading: Reading) -> tuple[Floats | None, Numbers | None]:
    """The amount of each row, and the column whose cells may name its currency; returns are set aside."""
    numbers = {role: read for role in ("amount", "quantity", "unit_price") if (read := _numbers(reading, role)) is not None}
    for role in ("amount", "quantity"):
        if role in numbers:
            reading.set_aside(numbers[role].values < 0, *RETURN, reading.columns[role], show=True)
    if "unit_price" in numbers:
        reading.set_aside(
            numbers["unit_price"].values < 0, "negative_price", "negative unit price", reading.columns["unit_price"], show=True
        )
    if "amount" in numbers:
        return numbers["amount"].values, numbers["amount"]
    if "quantity" in numbers and "unit_price" in numbers:
        factors = " x ".join(f"'{reading.title(reading.columns[role])}'" for role in ("quantity", "unit_price"))
        reading.notes.append(f"amount = {factors}")
        return numbers["quantity"].values * numbers["unit_price"].values, numbers["unit_price"]
    if "quantity" not in numbers:
        reading.notes.append("no amounts are given: returns, if the file holds any, count as purchases")
    return None, None


def _numbers(reading: Reading, role: str) -> Numbers | None:
    """The numbers of a role; rows with an unreadable one are set aside."""
    word = role.replace("_", " ")
    return read_quantities(reading, role, f"a number ({word})", word, f"Give numbers such as 1200.50.{reading.or_leave_out(role)}")


def _currency(reading: Reading, priced: Numbers | None, kept: NDArray[Any]) -> Codes | None:
    """The currency column, else what the cells of the amounts name."""
    if "currency" in reading.columns:
        return currency_codes(reading.words(reading.columns["currency"]), kept)
    if priced is None or priced.currency is None:
        return None
    named = priced.currency
    used = np.unique(named.codes[kept])
    used = used[used >= 0]
    place = np.full(len(named.names) + 1, -1, np.int32)
    place[used] = np.arange(len(used))
    return Codes(place[named.codes[kept]], tuple(named.names[i] for i in used))
