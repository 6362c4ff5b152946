"""What a series reads of a book: which tables and columns must hold something for it to have values. It follows from its nodes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from unspun.book.entities import TABLES
from unspun.metrics.conditions import columns_of
from unspun.metrics.measure_nodes import column_of, conditions_of
from unspun.metrics.nodes import (
    Arr,
    Attribute,
    DaysToEnd,
    DaysToFirst,
    Elapsed,
    Measure,
    Open,
    Seats,
    Series,
    Share,
    ZScore,
    walk,
)
from unspun.metrics.standard.contents import Contents, plural
from unspun.metrics.windows import SinceContractStart

ENDS = {"tickets": "closed"}
"""By table: the column without which its rows would be open for ever."""


@dataclass(frozen=True, slots=True)
class Need:
    """Rows of a table, or filled cells of a column; one of `of` will do. Each is `table` or `table.column`."""

    of: tuple[str, ...]

    def lacking(self, contents: Contents) -> str:
        """What the book lacks of it, in words; "" nothing."""
        if any(_is_met(one, contents) for one in self.of):
            return ""
        if not any(contents.holds(one.partition(".")[0]) for one in self.of):
            return " or ".join(f"rows of {table}" for table in dict.fromkeys(one.partition(".")[0] for one in self.of))
        return " or ".join(_told(one, contents) for one in self.of)


def needs_of(series: Series) -> tuple[Need, ...]:
    """What a series needs, references not followed, each once."""
    return tuple(dict.fromkeys(need for node in walk(series) for need in _needs(node)))


def _needs(node: Series) -> Iterator[Need]:
    match node:
        case Open(table, where, column):
            named = (*columns_of(where), column, ENDS.get(table, ""))
            yield from _of_table(table, named)
        case Attribute(column):
            yield from _of_table("accounts", (column,))
        case Arr():
            yield from _of_table("subscriptions", ("amount",))
        case DaysToEnd():
            yield from _of_table("subscriptions", ("ended",))
        case Seats():
            yield Need(("subscriptions.seats", "accounts.seats"))
        case Share(of, where):
            yield from _of_table(of.rows.table, columns_of(where))
        case ZScore(within=within) if within:
            yield from _of_table("accounts", (within,))
        case _:
            if isinstance(node, Measure):
                yield from _of_rows(node)


def _of_rows(measure: Measure) -> Iterator[Need]:
    columns = [name for condition in conditions_of(measure) for name in columns_of(condition)]
    ends = (measure.start, measure.end) if isinstance(measure, Elapsed) else ()
    yield from _of_table(measure.rows.table, (*columns, column_of(measure), *ends))
    if isinstance(measure.rows.window, SinceContractStart):
        yield Need(("subscriptions",))
    if isinstance(measure, DaysToFirst):
        yield Need(("accounts.created_on", "subscriptions", "purchases"))


def _of_table(table: str, columns: tuple[str, ...]) -> Iterator[Need]:
    yield Need((table,))
    yield from (Need((f"{table}.{column}",)) for column in dict.fromkeys(columns) if column)


def _is_met(one: str, contents: Contents) -> bool:
    table, _, column = one.partition(".")
    return contents.holds(table) and (not column or contents.cells(table, column) > 0)


def _told(one: str, contents: Contents) -> str:
    """`rows of tickets`; `tickets.closed (when it was closed)`; that a column is there and empty."""
    table, _, column = one.partition(".")
    if not column:
        return f"rows of {table}"
    if contents.kind(table, column) is not None:
        return f"cells of {one}, which is empty in {plural(contents.rows.get(table, 0), 'row')}"
    standard = next((each for entity in TABLES.values() if entity.name == table for each in entity.columns if each.name == column), None)
    return f"a column {one}" + ("" if standard is None else f" ({standard.meaning})")
