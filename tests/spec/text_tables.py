"""Tables of the book as text: a line with the table's name, one with its columns, and a line for each row, cells between bars."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from unspun.book.entities import TABLES, Kind, Table

OWN_COLUMN = re.compile(r"(.+) \((\w+)\)")
BEFORE_ALL = date(2000, 1, 1)
"""From when a row of accounts or contacts holds, and has been known, that says neither."""
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class TextTable:
    """A table as it stands in a spec: its name, columns (an own one with its kind in brackets), and the cells of each row as text."""

    name: str
    columns: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]

    def kinds(self) -> dict[str, Kind]:
        """The data columns by kind."""
        return dict(column for text in self.columns if (column := _kind(self.name, text))[0] not in ("known_at", "load"))


def text_tables(text: str) -> tuple[TextTable, ...]:
    """The tables of a text, with an empty line between two. Each is as if from a source file of its own."""
    blocks = [block.strip().splitlines() for block in re.split(r"\n[ \t]*\n", text) if block.strip()]
    return tuple(TextTable(name.strip(), cells_of(head), tuple(map(cells_of, rows))) for name, head, *rows in blocks)


def cells_of(line: str) -> tuple[str, ...]:
    return tuple(cell.strip() for cell in line.split("|"))


def row_versions(table: TextTable, source_file: int, zone: str) -> Iterator[Row]:
    """The rows of a table as the book holds them, with the columns that every row has."""
    entity = entity_of(table.name)
    named = [_kind(table.name, column) for column in table.columns]
    for number, cells in enumerate(table.cells, start=2):
        assert len(cells) == len(named), f"{table.name}: {cells} are not {len(named)} cells"
        row = {name: read_cell(text, kind, zone) for (name, kind), text in zip(named, cells, strict=True)}
        happened = row.get(entity.happened) or (at_midnight(BEFORE_ALL, zone) if entity.state else None)
        at = datetime.combine(happened, time(), UTC) if type(happened) is date else happened
        placed = {"happened_at": at, "known_at": row.get("known_at") or at, "happened_zone": None}
        placed |= {"load": row.get("load", 1), "source_file": source_file, "source_row": number}
        yield {**dict.fromkeys(column.name for column in entity.columns), **row, **placed, **_stated(entity, table)}


def entity_of(name: str) -> Table:
    return next(table for table in TABLES.values() if table.name == name)


def read_cell(text: str, kind: Kind, zone: str) -> object:
    """A cell; a day in a column of instants is its first moment in the zone, and a time that ends with Z is UTC."""
    if not text:
        return None
    match kind:
        case "text":
            return text
        case "whole":
            return int(text)
        case "number":
            return float(text)
        case "money":
            return Decimal(text)
        case "flag":
            return {"yes": True, "no": False}[text]
        case "day":
            return date.fromisoformat(text)
        case "instant":
            return datetime.fromisoformat(text) if text.endswith("Z") else at_midnight(date.fromisoformat(text), zone)


def at_midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def _kind(table: str, column: str) -> tuple[str, Kind]:
    """A column's name and kind. An own column has its kind in brackets."""
    if column in ("known_at", "load"):
        return column, "instant" if column == "known_at" else "whole"
    if own := OWN_COLUMN.fullmatch(column):
        return own[1], own[2]  # pyright: ignore[reportReturnType]
    standard = entity_of(table).column(column)
    assert standard is not None, f"{table} have no column {column}"
    return column, standard.kind


def _stated(entity: Table, table: TextTable) -> dict[str, str]:
    """The columns that a row of a state table states: those of its source, but for its key and its date."""
    if not entity.state:
        return {}
    return {"stated": ",".join(sorted(set(table.kinds()) - {*entity.key, entity.happened}))}
