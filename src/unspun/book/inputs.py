"""Both files of an audit read together, so that the faults of both are told at once."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from os import PathLike
from pathlib import Path
from typing import TypeVar

from unspun.book.account_ids import match_accounts
from unspun.book.accounts import read_accounts
from unspun.book.events import read_events
from unspun.book.extras import Extras
from unspun.book.forecasts import read_forecasts
from unspun.book.reading import check_options
from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions, Rejection, Renewals, ScoreHistory, Source
from unspun.book.text import reason
from unspun.errors import BadInput, Fault

Table = TypeVar("Table")
REJECTION_COLUMNS = ("file", "row", "column", "code", "reason", "value")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def read_inputs(scores: object, renewals: object, options: ReadingOptions) -> tuple[ScoreHistory, Renewals]:
    """Read both files; raises one BadInput with the faults of both (and of the options, once)."""
    if isinstance(scores, str) and isinstance(renewals, str) and scores == renewals == "-":
        raise BadInput(Fault("stdin_twice", "standard input can be one of the two files only.", "-", "Give the other one as a path."))
    faults: list[Fault] = check_options(options)
    history = book = None
    try:
        history = read_scores(scores, options)
    except BadInput as error:
        faults += error.faults
    try:
        book = read_renewals(renewals, options)
    except BadInput as error:
        faults += error.faults
    if history is None or book is None:
        raise BadInput(list(dict.fromkeys(faults)))
    return match_accounts(history, book), book


def read_extras(accounts: object, events: object, forecasts: object, options: ReadingOptions) -> Extras:
    """Read the optional files, each None where it was not given; raises one BadInput with the faults of all."""
    faults: list[Fault] = []

    def read(reader: Callable[[object, ReadingOptions], Table], source: object) -> Table | None:
        try:
            return None if source is None else reader(source, options)
        except BadInput as error:
            faults.extend(error.faults)
            return None

    extras = Extras(read(read_accounts, accounts), read(read_events, events), read(read_forecasts, forecasts))
    if faults:
        raise BadInput(list(dict.fromkeys(faults)))
    return extras


def write_rejections(path: str | PathLike[str], sources: Iterable[Source]) -> None:
    """Write every row that was set aside, with its reason, as CSV. Raises BadInput where the file cannot be written."""
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(REJECTION_COLUMNS)
            for source in sources:
                writer.writerows([[_harmless(cell) for cell in row] for row in _rejected_rows(source)])
    except OSError as error:
        raise BadInput(unwritable(error, str(path))) from error


def unwritable(error: OSError, path: str) -> Fault:
    """Why a file cannot be written."""
    message = f"the file cannot be written: {reason(error)}."
    return Fault("unwritable_file", message, path, "Check the folder, and that you may write there.")


def _rejected_rows(source: Source) -> list[tuple[str, str, str, str, str, str]]:
    return [
        (name, str(row), rejection.column, rejection.code, rejection.reason, value)
        for rejection in source.rejections
        for name, row, value in zip(
            _file_names(source, rejection), rejection.rows.tolist(), rejection.values or [""] * len(rejection.rows), strict=True
        )
    ]


def _file_names(source: Source, rejection: Rejection) -> list[str]:
    """The file, or the sheet, in which each row stands."""
    if rejection.file is None:
        return [source.name] * len(rejection.rows)
    return [source.files[file].name for file in rejection.file.tolist()]


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is marked as text."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
