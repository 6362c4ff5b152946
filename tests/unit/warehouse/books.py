"""Real books for tests: rows as dicts, written as Parquet and published load by load, without reading any source file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa

from unspun.book.entities import ROW_COLUMNS, STATED, TABLES, Kind
from unspun.warehouse.catalog import Catalog, create_warehouse
from unspun.warehouse.catalog_lines import LoadFile
from unspun.warehouse.delta import align, stored_schema, write_data_file
from unspun.warehouse.load_rejected import REJECTED_STORED
from unspun.warehouse.versions import BookVersion, TableVersion

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]
START = datetime(2026, 1, 1, 9, tzinfo=UTC)
DATA: dict[str, tuple[tuple[str, Kind], ...]] = {
    "accounts": (
        ("account_id", "text"), ("dated", "instant"), ("parent_id", "text"), ("segment", "text"), ("plan", "text"), ("seats", "whole"),
    ),
    "contacts": (("contact_id", "text"), ("account_id", "text"), ("email", "text")),
    "subscriptions": (("account_id", "text"), ("subscription_id", "text"), ("started", "day"), ("amount", "money"), ("is_addon", "flag")),
    "events": (("account_id", "text"), ("occurred", "instant"), ("event", "text"), ("user_id", "text"), ("value", "number")),
    "tickets": (("account_id", "text"), ("ticket_id", "text"), ("opened", "instant"), ("subject", "text"), ("contact_id", "text")),
}  # fmt: skip
KEYS = {"accounts": ("account_id",), "contacts": ("contact_id",), "subscriptions": ("subscription_id",), "tickets": ("ticket_id",)}


def columns_of(table: str) -> tuple[tuple[str, Kind], ...]:
    return REJECTED_STORED if table == "rejected" else (*row_columns(table), *DATA[table])


def row_columns(table: str) -> tuple[tuple[str, Kind], ...]:
    return next((entity.row_columns for entity in TABLES.values() if entity.name == table), ROW_COLUMNS)


def new_book(folder: Path) -> Catalog:
    return create_warehouse(folder / "warehouse", START)


def add_load(
    catalog: Catalog,
    rows: Rows,
    at: datetime | None = None,
    several: bool = True,
    fixed: Sequence[str] = (),
    only: Mapping[str, Sequence[str]] | None = None,
) -> BookVersion:
    """Publish a load with these rows by table. `only` leaves data columns out of the file (as a source that lacks them).

    A row of a state table that does not say which columns it states is one of a source that has them all.
    """
    with catalog.writing():
        current = catalog.current()
        number = len(catalog.load_lines()) + 1
        at = at or START + timedelta(days=number)
        load = catalog.begin_load(at, f"load {number}", {})
        source = catalog.source_file(f"{number:064x}", f"file {number}.csv", 1, "csv")
        tables = {table.name: table for table in current.tables} if current else {}
        for name, given in rows.items():
            tables[name] = _added(catalog, tables.get(name), name, given, load, source, several, fixed, (only or {}).get(name))
        aligned = [
            replace(table, delta_version=align(catalog.folder, table.name, table.columns, table.files, {})) for table in tables.values()
        ]
        taken = [LoadFile(f"{number:064x}", "m" * 64, name, {"rows_read": len(given)}) for name, given in rows.items()]
        return catalog.publish("load", aligned, at, load=load, load_files=taken)


def _added(
    catalog: Catalog,
    table: TableVersion | None,
    name: str,
    rows: Sequence[Row],
    load: int,
    source: int,
    several: bool,
    fixed: Sequence[str],
    only: Sequence[str] | None,
) -> TableVersion:
    columns = columns_of(name)
    if only is not None:
        columns = tuple(column for column in columns if column in row_columns(name) or column[0] in only)
    stated = ",".join(sorted(column for column, _ in DATA.get(name, ())[1:] if column != "dated" and column in dict(columns)))
    for number, row in enumerate(rows):
        if STATED in columns:
            row.setdefault("stated", stated)
        row |= {"load": load, "source_file": source, "source_row": row.get("source_row", number + 2)}
    given = pa.Table.from_pylist([{column: row.get(column) for column, _ in columns} for row in rows], schema=stored_schema(columns))
    file = write_data_file(catalog.folder, name, [given], columns, f"load-{load}")
    before = table.files if table else ()
    mentioned = tuple(column for column in fixed if column in dict(columns_of(name)))
    return TableVersion(name, 0, KEYS.get(name, ()), columns_of(name), several, (*before, file), mentioned)


def instant(days: float) -> datetime:
    """So many days after the first of January 2026, in UTC."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=days)


def random_rows(random: Random, load: int) -> dict[str, list[Row]]:
    """Rows of a load: many versions of few rows, some late, at instants that often coincide."""
    return {
        "accounts": [_account(random, load, number) for number in range(random.randint(1, 8))],
        "subscriptions": [_subscription(random, load, number) for number in range(random.randint(1, 8))],
        "events": [_event(random) for _ in range(random.randint(1, 12))],
    }


def _account(random: Random, load: int, number: int) -> Row:
    happened = instant(random.randint(0, 10))
    known = instant(random.randint(0, 20) + (load * 10 + number) / 1000)  # a version of a row is known at an instant of its own
    stated = random.choice(["plan,seats,segment", "plan,segment", "segment", "seats", ""])
    segment, plan = random.choice([None, "Small", "Large"]), random.choice([None, "free", "paid"])
    said = {"segment": segment, "plan": plan, "seats": random.randint(1, 99)}
    return {
        "happened_at": happened, "dated": happened, "known_at": known, "happened_zone": "UTC",
        "account_id": random.choice("ABCD"), "stated": stated, **{name: said[name] for name in stated.split(",") if name},
    }  # fmt: skip


def _subscription(random: Random, load: int, number: int) -> Row:
    happened = instant(random.randint(0, 10))
    return {
        "happened_at": happened, "known_at": instant(random.randint(0, 20) + (load * 10 + number) / 1000), "happened_zone": "UTC",
        "account_id": random.choice("ABCD"), "subscription_id": random.choice("stuvw"), "started": date(2026, 1, random.randint(1, 28)),
    }  # fmt: skip


def _event(random: Random) -> Row:
    happened = instant(random.randint(0, 20) / 2)
    return {
        "happened_at": happened, "occurred": happened, "known_at": happened + timedelta(days=random.randint(0, 5)),
        "happened_zone": "UTC", "account_id": random.choice("ABCD"), "event": random.choice(["open", "save"]), "value": random.random(),
    }  # fmt: skip


def same_rows(one: Sequence[Mapping[str, object]], other: Sequence[Mapping[str, object]]) -> bool:
    """Whether two lists of rows are equal, order aside; a column that is missing is None."""
    return sorted(map(_written, one)) == sorted(map(_written, other))


def _written(row: Mapping[str, object]) -> str:
    values = ((name, value.astimezone(UTC) if isinstance(value, datetime) else value) for name, value in row.items() if value is not None)
    return repr(sorted(values))
