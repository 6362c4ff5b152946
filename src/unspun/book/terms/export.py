"""Renewals as CSV, in the columns and words that the audit reads."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unspun.book.inputs import FORMULA_STARTS, unwritable
from unspun.book.tables import OUTCOMES, Codes, Floats, Renewals
from unspun.errors import BadInput

Cells = list[str]


def renewals_csv(renewals: Renewals) -> Iterator[tuple[str, ...]]:
    """The header, then a row a renewal: dates as YYYY-MM-DD, amounts in full, an undecided outcome as "undecided", nothing as "".

    `read_renewals` reads the same table back. Only a name that a spreadsheet would run as a formula comes back with the
    apostrophe that marks it as text.
    """
    words = np.array([*OUTCOMES, "undecided"])  # UNDECIDED is -1, the last
    columns: dict[str, Cells | None] = {
        "account": _words(renewals.account),
        "due": _dates(renewals.due),
        "outcome": words[renewals.outcome].tolist(),
        "arr_before": _amounts(renewals.amount_before),
        "arr_after": _amounts(renewals.amount_after),
        "currency": _words(renewals.currency),
        "term_start": _dates(renewals.term_start),
        "notice": _dates(renewals.notice),
        "outcome_known_at": _dates(renewals.outcome_known),
        "segment": _words(renewals.segment),
        "owner": _words(renewals.owner),
        "parent": _words(renewals.parent),
    }
    given = {name: cells for name, cells in columns.items() if cells is not None}
    yield tuple(given)
    yield from zip(*given.values(), strict=True)


def write_renewals(path: str | PathLike[str], renewals: Renewals) -> None:
    """Write `renewals_csv` to a file. Raises BadInput where it cannot be written."""
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(renewals_csv(renewals))
    except OSError as error:
        raise BadInput(unwritable(error, str(path))) from error


def _words(codes: Codes | None) -> Cells | None:
    if codes is None:
        return None
    safe = [f"'{name}" if name.startswith(FORMULA_STARTS) else name for name in codes.names]
    return [safe[code] if code >= 0 else "" for code in codes.codes.tolist()]


def _dates(dates: NDArray[np.datetime64] | None) -> Cells | None:
    return None if dates is None else np.where(np.isnat(dates), "", dates.astype("datetime64[D]").astype(str)).tolist()


def _amounts(amounts: Floats | None) -> Cells | None:
    return None if amounts is None else ["" if amount != amount else repr(amount) for amount in amounts.tolist()]
