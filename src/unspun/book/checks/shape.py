"""What a book holds, as far as the checks need to know it to ask: tables, their columns and keys, and its definition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from unspun.book.checks.finding import Finding
from unspun.book.entities import TABLES, Kind
from unspun.book.mapping.definition import BookDefinition


@dataclass(frozen=True, slots=True)
class TableShape:
    """One table that holds rows: row versions, the columns that any source filled (with their kinds), its key, and fixed columns."""

    name: str
    rows: int
    columns: Mapping[str, Kind]
    key: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()

    def has(self, *columns: str) -> bool:
        return all(column in self.columns for column in columns)


@dataclass(frozen=True, slots=True)
class BookShape:
    """A book to be checked: the tables with rows, the definition (whose time zone days are in), and the instant of the check."""

    tables: Mapping[str, TableShape]
    definition: BookDefinition
    at: datetime
    drift: tuple[Finding, ...] = ()

    def has(self, table: str, *columns: str) -> bool:
        """Whether the table holds rows and all of these columns are filled by some source."""
        found = self.tables.get(table)
        return found is not None and found.has(*columns)

    def lacks(self, *wanted: str) -> str:
        """Of `table` and `table.column` names, those that are not there, in words: "nothing is mapped to events.event"; "" if all are."""
        missing = [name for name in wanted if not self.has(*name.split(".", 1))]
        tables = [name for name in missing if "." not in name]
        columns = [name for name in missing if "." in name and name.split(".")[0] not in tables]
        said = [f"the book holds no {' and no '.join(tables)}"] if tables else []
        return "; ".join(said + ([f"nothing is mapped to {', '.join(columns)}"] if columns else []))

    def kinds(self, table: str, kind: Kind) -> tuple[str, ...]:
        """The filled columns of that kind, standard ones first."""
        held = self.tables[table].columns if table in self.tables else {}
        standard = [column.name for entity in TABLES.values() if entity.name == table for column in entity.columns]
        ordered = [*(name for name in standard if name in held), *(name for name in held if name not in standard)]
        return tuple(name for name in ordered if held[name] == kind)
