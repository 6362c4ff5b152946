"""What a book holds that standard metrics could be made of, as it was counted: tables, filled cells, values by how often they occur."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from unspun.book.entities import Kind
from unspun.metrics.conditions import Scalar
from unspun.metrics.question import HeldTable

Cell = tuple[str, str]
"""A table and a column of it."""


@dataclass(frozen=True, slots=True)
class CountedValue:
    """A value of a column: in how many rows of how many accounts it stands. `is_summary`: of events, a row sums up a day of an account."""

    value: Scalar
    rows: int
    accounts: int
    is_summary: bool = False


@dataclass(frozen=True, slots=True)
class CountedColumn:
    """Values of a column, those of most accounts first, and how many different ones there are: more than `values` holds, where many.
    `unnamed` are the rows of events without a name."""

    values: tuple[CountedValue, ...] = ()
    distinct: int = 0
    unnamed: CountedValue | None = None


@dataclass(frozen=True, slots=True)
class Contents:
    """What a book holds. `rows` and `accounts` are counted by table, `filled` cells by column, and `values` for columns of which values may
    be chosen. `sources` is how many sources of book.yml feed a table."""

    tables: Mapping[str, HeldTable] = field(default_factory=dict[str, HeldTable])
    rows: Mapping[str, int] = field(default_factory=dict[str, int])
    accounts: Mapping[str, int] = field(default_factory=dict[str, int])
    filled: Mapping[Cell, int] = field(default_factory=dict[Cell, int])
    values: Mapping[Cell, CountedColumn] = field(default_factory=dict[Cell, CountedColumn])
    sources: Mapping[str, int] = field(default_factory=dict[str, int])

    def holds(self, table: str) -> bool:
        return table in self.tables

    def kind(self, table: str, column: str) -> Kind | None:
        """The kind of a column that the book has; None where it has none of that name."""
        return self.tables[table].columns.get(column) if self.holds(table) else None

    def cells(self, table: str, column: str) -> int:
        """How many cells of a column are filled; 0 where there is no such column."""
        return self.filled.get((table, column), 0)

    def counted(self, table: str, column: str) -> CountedColumn:
        return self.values.get((table, column), CountedColumn())

    @property
    def is_empty(self) -> bool:
        return not self.tables


def plural(n: int, one: str, many: str = "") -> str:
    """`1 row`, `1,204 rows`."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def share(part: int, whole: int) -> str:
    """A share in words that does not round to all or to nothing what is neither."""
    if not whole or part >= whole:
        return "all"
    percent = 100 * part / whole
    return f"{percent:.1f} %" if 0.1 <= percent <= 99.9 else "under 0.1 %" if percent < 0.1 else "over 99.9 %"


def plain(value: Any) -> Scalar:
    """A cell as a condition compares with it: a whole number where it is one."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
