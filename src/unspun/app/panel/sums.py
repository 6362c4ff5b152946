"""Numbers that are too large to be added up exactly: which rows hold them, where a panel fails of one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from unspun.app.panel.request import nodes_of
from unspun.book.sql_words import sql_name
from unspun.errors import BadInput, Fault, UnspunError
from unspun.metrics.kinds import column_kind
from unspun.metrics.nodes import MOST_ADDED, Average, Open, Seats, Sum
from unspun.metrics.question import PanelQuestion
from unspun.warehouse.read import BookReader

SHOWN_CELLS = 5
Column = tuple[str, str]


@contextmanager
def naming_large_numbers(question: PanelQuestion, reader: BookReader) -> Iterator[None]:
    """Where what is done fails, and a column that the metrics add up holds numbers of MOST_ADDED or more, raises BadInput with their
    rows; any other error passes."""
    try:
        yield
    except UnspunError as error:
        if isinstance(error, BadInput) or any(fault.code == "memory" for fault in error.faults):
            raise
        faults = [fault for table, column in _added(question) for fault in _too_large(reader, table, column)]
        if not faults:
            raise
        raise BadInput(faults) from error


def _added(question: PanelQuestion) -> Iterator[Column]:
    """The columns that the metrics add up and that may hold such numbers: whole numbers and amounts are smaller."""
    found: dict[Column, None] = {}
    for node in nodes_of(question.metrics, question.asked):
        match node:
            case Sum(rows, column) | Average(rows, column):
                found[rows.table, column] = None
            case Open(table, _, column) if column:
                found[table, column] = None
            case Seats():
                found["subscriptions", "seats"] = None
            case _:
                pass
    for table, column in found:
        if table in question.tables and column_kind(table, column, question.tables) == "number":
            yield table, column


def _too_large(reader: BookReader, table: str, column: str) -> list[Fault]:
    """A fault for each of the first rows with such a number."""
    cell, rows = sql_name(column), sql_name(f"{table}_versions")
    found = reader.query(
        f"SELECT source_file, source_row, {cell} AS cell FROM {rows} WHERE abs({cell}) >= {MOST_ADDED} "
        f"ORDER BY source_file, source_row LIMIT {SHOWN_CELLS}"
    )
    names = {file.number: file.name for file in reader.catalog.source_files()}
    hint = f"Correct the cell and load the row again, or leave it out of the metric: where: {{{column}: {{below: 1000000}}}}."
    return [
        Fault(
            "too_large_to_add",
            f"{row['cell']:g} of {table} cannot be added up exactly: numbers have to be smaller than {MOST_ADDED:g}.",
            f"{names.get(row['source_file'], table)}:{row['source_row']}:{column}",
            hint,
        )
        for row in found.to_pylist()
    ]
