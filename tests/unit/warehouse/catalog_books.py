"""Small books for the tests of the catalogue: table versions with made-up files, and a warehouse to publish them in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from unspun.warehouse.catalog import Catalog, create_warehouse
from unspun.warehouse.versions import BookVersion, DataFile, TableVersion

AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def data_file(number: int, table: str = "events", rows: int = 10, loads: tuple[int, ...] = (1,)) -> DataFile:
    return DataFile(table, f"tables/{table}/part-{number}.parquet", f"{number:064x}", 1000 + number, rows, loads)


def table(*numbers: int, name: str = "events", delta_version: int = 0) -> TableVersion:
    files = tuple(data_file(number, name) for number in numbers)
    return TableVersion(
        name, delta_version, ("account_id",), (("known_at", "instant"), ("account_id", "text")), True, files, ("account_id",)
    )


def publish_load(catalog: Catalog, *tables: TableVersion, fingerprint: str = "files") -> BookVersion:
    with catalog.writing():
        load = catalog.begin_load(AT, fingerprint, {})
        return catalog.publish("load", tables, AT, load=load)


def warehouse(folder: Path, *books: Sequence[int]) -> Catalog:
    """A warehouse with a version for each book, each a table `events` of the files so numbered."""
    catalog = create_warehouse(folder, AT)
    for number, files in enumerate(books):
        publish_load(catalog, table(*files, delta_version=number), fingerprint=str(number))
    return catalog
