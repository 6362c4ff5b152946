"""State tables (accounts, contacts): what was said of a thing last, column by column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from unspun.book.entities import TABLES, Table
from unspun.engines.reference.rows import Cell, RowVersion, SourceRow, row_versions
from unspun.metrics.question import HeldTable, PanelQuestion


@dataclass(frozen=True, slots=True)
class States:
    """The statements of each thing of a state table, in the order in which they count: the last one most."""

    statements: Mapping[str, Sequence[RowVersion]]
    fixed: tuple[str, ...] = ()

    def is_told_of(self, thing: str, day: date, as_of: date) -> bool:
        """Whether anything had been said of a thing for a day, by what was known at the end of another."""
        return any(_counts(statement, day, as_of) for statement in self.statements.get(thing, ()))

    def value(self, thing: str, column: str, day: date, as_of: date) -> Cell:
        """What a column of a thing held on a day, by what was known at the end of another; None: nothing, or nothing was said."""
        told = [statement for statement in self.statements.get(thing, ()) if column in statement.stated]
        if column in self.fixed:
            return _latest_not_empty(told, column)
        counting = [statement.cells[column] for statement in told if _counts(statement, day, as_of)]
        return counting[-1] if counting else None


def read_states(question: PanelQuestion, table: str, rows: Mapping[str, Sequence[SourceRow]]) -> States:
    """The statements of a state table; none where the book does not hold it."""
    held, entity = question.tables.get(table), TABLES[table]  # pyright: ignore[reportArgumentType]
    if held is None:
        return States({})
    return States(_by_thing(question, entity, held, rows.get(table, ())), held.fixed)


def _by_thing(question: PanelQuestion, entity: Table, held: HeldTable, rows: Sequence[SourceRow]) -> dict[str, list[RowVersion]]:
    thing = (held.key or entity.key)[0]
    found: dict[str, list[RowVersion]] = {}
    for statement in sorted(row_versions(question, entity, held, rows), key=lambda one: one.order):
        found.setdefault(str(statement.cells[thing]), []).append(statement)
    return found


def _counts(statement: RowVersion, day: date, as_of: date) -> bool:
    return statement.happened_by(day) and statement.seen_from <= as_of


def _latest_not_empty(told: Sequence[RowVersion], column: str) -> Cell:
    """Of what was said last at each instant, the latest that is not empty."""
    by_instant = {statement.order[0]: statement.cells[column] for statement in told}
    return next((cell for cell in reversed(by_instant.values()) if cell is not None), None)
