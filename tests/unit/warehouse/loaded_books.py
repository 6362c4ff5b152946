"""Small files, loaded into a warehouse in a folder of the test's own."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.warehouse.catalog import Catalog, create_warehouse
from unspun.warehouse.load import LoadResult, PlannedFile, load_files
from unspun.warehouse.read import open_book

TICKETS = SourceMapping(
    ("tickets*.csv",),
    "tickets",
    {"account_id": "account", "ticket_id": "ticket", "opened": "opened", "status": "status", "priority": "priority"},
)
DATED_TICKETS = replace(TICKETS, columns={**TICKETS.columns, "known_at": "updated"})
PURCHASES = SourceMapping(
    ("purchases*.csv",),
    "purchases",
    {"account_id": "account", "purchased": "day", "amount": "amount", "product": "product"},
    currency="EUR",
)
ACCOUNTS = SourceMapping(("accounts*.csv",), "accounts", {"account_id": "account", "plan": "plan", "seats": "seats"})
DATED_ACCOUNTS = replace(ACCOUNTS, columns={**ACCOUNTS.columns, "dated": "from"})
DEFINITION = BookDefinition((TICKETS, PURCHASES, ACCOUNTS), currency="EUR", text="version: 1\n", sha256="0" * 64)
COUNTS = ("rows_read", "new", "changed", "unchanged", "rows_rejected")


def day(text: str) -> datetime:
    """The start of a day, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def write(path: Path, header: str, *rows: str) -> Path:
    """A CSV file of these lines."""
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def write_rows(path: Path, rows: Sequence[Mapping[str, object]]) -> Path:
    """A CSV file of these rows, which have the same columns."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def tickets(path: Path, *rows: str) -> Path:
    """A file of tickets: `account,ticket,opened,status,priority` lines."""
    return write(path, "account,ticket,opened,status,priority", *rows)


@contextmanager
def book(folder: Path) -> Iterator[Catalog]:
    """An empty warehouse, held by this writer."""
    with create_warehouse(folder / "warehouse", day("2024-01-01")) as catalog, catalog.writing():
        yield catalog


def load(catalog: Catalog, at: str, *files: tuple[Path, SourceMapping], **options: Any) -> LoadResult:
    """Load files, received at the start of the day `at`."""
    planned = [PlannedFile(str(path), mapping) for path, mapping in files]
    return load_files(catalog, planned, DEFINITION, day(at), **options)


def counts(result: LoadResult) -> tuple[tuple[int, ...], ...]:
    """(read, new, changed, unchanged, rejected) of each source."""
    return tuple(tuple(getattr(source, name) for name in COUNTS) for source in result.sources)


def read(catalog: Catalog, sql: str, before: datetime | None = None) -> list[tuple[Any, ...]]:
    """Rows of the book in force, as known before an instant."""
    version = catalog.current()
    assert version is not None
    with open_book(catalog, version, before) as reader:
        return [tuple(row.values()) for row in reader.query(sql).to_pylist()]
