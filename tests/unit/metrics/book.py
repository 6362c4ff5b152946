"""Tables of a book with all standard columns and some own ones, for the tests beside this file."""

from __future__ import annotations

from tests.unit.metrics.hostile import HOSTILE_TEXTS
from tests.unit.metrics.strategies import Held
from unspun.book.entities import TABLES, Kind, Table
from unspun.metrics.question import HeldTable

OWN: dict[str, Kind] = {"own_flag": "flag", "own_whole": "whole", "own_day": "day", "all": "text", "not": "number", "column": "text"}


def _columns(table: Table) -> dict[str, Kind]:
    standard: dict[str, Kind] = {column.name: column.kind for column in table.columns}
    return standard | OWN


TABLES_HELD = {name: HeldTable(_columns(table), rows=1) for name, table in TABLES.items()}
HELD = Held(TABLES_HELD, {("events", "event"): HOSTILE_TEXTS, ("accounts", "segment"): ("2026-01-31", "true", "7", "Mid")})
