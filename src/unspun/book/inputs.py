"""Both files of an audit read together, so that the faults of both are told at once."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from unspun.book.reading import check_options
from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions, Renewals, ScoreHistory, Source
from unspun.errors import BadInput, Fault

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
    return history, book


def write_rejections(path: str | PathLike[str], sources: Iterable[Source]) -> None:
    """Write every row that was set aside, with its reason, as CSV. Raises BadInput where the file cannot be written."""
    try:
        with Path(path).open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(REJECTION_COLUMNS)
            for source in sources:
                writer.writerows([[_harmless(cell) for cell in row] for row in _rejected_rows(source)])
    except OSError as error:
        raise BadInput(Fault("unwritable_file", f"the file cannot be written: {error}.", str(path))) from error


def _rejected_rows(source: Source) -> list[tuple[str, str, str, str, str, str]]:
    return [
        (source.name, str(row), rejection.column, rejection.code, rejection.reason, value)
        for rejection in source.rejections
        for row, value in zip(rejection.rows.tolist(), rejection.values or [""] * len(rejection.rows), strict=True)
    ]


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is marked as text."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell
