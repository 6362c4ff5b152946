"""Files loaded into a book of their own, and what checks find in it, with the rows that each finding shows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unspun.app.checks import shape_of
from unspun.book.checks.check import Check
from unspun.book.checks.finding import Finding
from unspun.book.checks.run import run_checks
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.warehouse.catalog import create_warehouse
from unspun.warehouse.load import PlannedFile, load_files
from unspun.warehouse.read import open_book

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Export:
    """A file of rows (a dict each, by column of the book) for a table; `kinds` are those of own columns."""

    name: str
    table: Any
    rows: Rows
    kinds: Mapping[str, Any] | None = None
    key: tuple[str, ...] = ()

    @property
    def mapping(self) -> SourceMapping:
        columns = {name: name for name in self.rows[0]}
        months = 1.0 if "amount" in columns and "amount_months" not in columns and self.table == "subscriptions" else None
        return SourceMapping((self.name,), self.table, columns, dict(self.kinds or {}), key=self.key, currency="EUR", amount_months=months)


@dataclass(frozen=True, slots=True)
class Found:
    """A finding, and the rows that it shows."""

    finding: Finding
    rows: tuple[dict[str, Any], ...]


def checked(folder: Path, checks: Iterable[Check], *exports: Export, zone: str = "UTC") -> dict[str, Found]:
    """What the checks find in a book that the exports were loaded into one after another: by the finding's id."""
    definition = BookDefinition(tuple(one.mapping for one in exports), zone, "EUR", text="version: 1\n", sha256="0" * 64)
    folder.mkdir(parents=True, exist_ok=True)
    with create_warehouse(folder / "warehouse", AT) as catalog:
        with catalog.writing():
            for export in exports:
                load_files(catalog, [PlannedFile(str(_written(folder, export)), export.mapping)], definition, AT)
        version = catalog.current()
        assert version is not None
        with open_book(catalog, version) as reader:
            outcomes = run_checks(shape_of(version, definition, AT), tuple(checks), reader.query, reader.register, lambda *_: None)
            found = [finding for outcome in outcomes for finding in outcome.findings]
        with open_book(catalog, version) as reader:  # the rows are shown without what the checks made for themselves
            return {one.id: Found(one, tuple(reader.query(one.rows_sql).to_pylist())) for one in found}


def _written(folder: Path, export: Export) -> Path:
    path = folder / export.name
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(export.rows[0]))
        writer.writeheader()
        writer.writerows(export.rows)
    return path
