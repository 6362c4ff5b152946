"""Accounts and their attributes: one row an account, and every column without a role is an attribute."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from unspun.book.dates import is_date_type, read_dates
from unspun.book.extras import Accounts, Attribute
from unspun.book.files import open_table
from unspun.book.numbers import is_number_type, read_numbers
from unspun.book.reading import Reading
from unspun.book.tables import Floats, Ints, ReadingOptions
from unspun.book.text import codes_of


def read_accounts(source: object, options: ReadingOptions, name: str | None = None) -> Accounts:
    """Read accounts from a path ("-" is standard input), an open file, or a pandas, Polars or Arrow table.

    Of an account with several rows that differ, every row is set aside: which is right is not known. Raises BadInput with all
    faults of the file; rows that cannot be used are set aside in `source.rejections`.
    """
    reading = Reading(open_table(source, "accounts", name, options), options)
    reading.account()
    reading.refuse_faults()
    account = reading.columns["account"]
    others = [column for column in range(len(reading.raw.names)) if column != account]
    reading.set_duplicates_aside([reading.words(account).codes], [reading.words(column).codes for column in others], "account", None)
    reading.refuse_nothing_left()
    kept = reading.kept
    free = [column for column in others if column not in reading.columns.values()]
    attributes = tuple(_attribute(reading, column, kept) for column in free)
    return Accounts(
        source=reading.source({reading.title(column): column for column in free}),
        row=reading.raw.row[kept],
        account=codes_of(reading.words(account), kept),
        attributes=attributes,
        segment=reading.codes("segment"),
        owner=reading.codes("owner"),
        parent=reading.codes("parent"),
        file=reading.raw.files_of(kept),
    )


def _attribute(reading: Reading, column: int, kept: Ints) -> Attribute:
    """Numbers or dates where every filled cell is one, else words."""
    cells = reading.raw.columns[column]
    numbers = None if pa.types.is_boolean(cells.type) else _dates(reading, cells) if is_date_type(cells.type) else _numbers(reading, cells)
    if numbers is not None and np.isfinite(numbers).any():
        return Attribute(reading.title(column), None, numbers[kept])
    return Attribute(reading.title(column), codes_of(reading.words(column), kept), None)


def _numbers(reading: Reading, cells: pa.ChunkedArray) -> Floats | None:
    """None where some filled cell is no number; text may hold dates."""
    numbers = read_numbers(cells)
    if numbers.complaint is None and not numbers.unread.any():
        return numbers.values
    return None if is_number_type(cells.type) else _dates(reading, cells)


def _dates(reading: Reading, cells: pa.ChunkedArray) -> Floats | None:
    """Days since 1970-01-01; None where some filled cell is no date."""
    dates = read_dates(cells, reading.zone, reading.options.date_format)
    if dates.complaint is not None or dates.unread.any():
        return None
    days = dates.times.astype("datetime64[D]")
    return np.where(np.isnat(days), np.nan, days.astype(np.int64).astype(np.float64))
