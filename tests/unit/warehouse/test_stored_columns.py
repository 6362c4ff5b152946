"""When a row happened is stored once: the table's own column for it is read from `happened_at`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from tests.unit.warehouse.books import add_load, columns_of, instant, new_book
from tests.unit.warehouse.loaded_books import PURCHASES, TICKETS, book, counts, day, load, read, tickets, write
from unspun.book.entities import TABLES
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.compact import compact
from unspun.warehouse.delta import parquet_file, stored_schema
from unspun.warehouse.read import open_book
from unspun.warehouse.versions import DataFile, TableVersion, column_of_happened_at, stored_columns


def in_force(catalog: Catalog, table: str) -> TableVersion:
    version = catalog.current()
    found = version.table(table) if version is not None else None
    assert found is not None
    return found


def held(catalog: Catalog, table: str) -> set[str]:
    """The columns of the table's data files, which are those of its Delta log."""
    names = {name for file in in_force(catalog, table).files for name in pq.read_schema(catalog.folder / file.path).names}
    assert names == {field.name for field in DeltaTable(catalog.folder / "tables" / table).schema().fields}
    return names


def test_only_a_required_instant_is_left_out() -> None:
    left_out = {name: column for name in TABLES if (column := column_of_happened_at(name)) is not None}
    assert left_out == {
        "purchases": "purchased",
        "events": "occurred",
        "tickets": "opened",
        "responses": "answered",
        "touchpoints": "occurred",
        "forecasts": "made",
        "scores": "dated",
    }
    assert column_of_happened_at("rejected") is None
    assert [name for name, _ in stored_columns("subscriptions", columns_of("subscriptions"))] == [
        name for name, _ in columns_of("subscriptions")
    ]


def test_rows_with_and_without_a_key_show_the_column_that_no_file_holds(tmp_path: Path) -> None:
    bought = write(tmp_path / "purchases.csv", "account,day,amount,product", "a,2024-01-05,10,x", "b,2024-02-05 13:30,11,y")
    asked = tickets(tmp_path / "tickets.csv", "a,t1,2024-01-06,open,high", "b,t2,2024-02-06,open,low")
    with book(tmp_path) as catalog:
        load(catalog, "2024-03-01", (bought, PURCHASES), (asked, TICKETS))
        for table, column in (("purchases", "purchased"), ("tickets", "opened")):
            assert column not in held(catalog, table) and "happened_at" in held(catalog, table)
            assert column in dict(in_force(catalog, table).columns)
        assert read(catalog, "SELECT purchased FROM purchases ORDER BY 1") == [
            (day("2024-01-05"),),
            (day("2024-02-05").replace(hour=13, minute=30),),
        ]
        assert read(catalog, "SELECT opened, happened_at FROM tickets_versions ORDER BY 1") == [
            (day(text), day(text)) for text in ("2024-01-06", "2024-02-06")
        ]
        assert read(catalog, "SELECT product FROM purchases WHERE purchased < TIMESTAMPTZ '2024-02-01 00:00+00'") == [("x",)]


def test_a_row_that_happened_at_another_time_is_a_change_and_the_same_row_is_none(tmp_path: Path) -> None:
    first = tickets(tmp_path / "tickets1.csv", "a,t1,2024-01-06,open,high", "b,t2,2024-02-06,open,low")
    second = tickets(tmp_path / "tickets2.csv", "a,t1,2024-01-07,open,high", "b,t2,2024-02-06,open,low")
    with book(tmp_path) as catalog:
        load(catalog, "2024-03-01", (first, TICKETS))
        assert counts(load(catalog, "2024-03-02", (second, TICKETS))) == ((2, 0, 1, 1, 0),)
        assert read(catalog, "SELECT ticket_id, opened FROM tickets ORDER BY 1") == [("t1", day("2024-01-07")), ("t2", day("2024-02-06"))]
        compact(catalog, day("2024-03-03"), keep_days=1000)
        assert len(in_force(catalog, "tickets").files) == 1
        assert "opened" not in held(catalog, "tickets")
        assert read(catalog, "SELECT opened FROM tickets ORDER BY 1", day("2024-03-02")) == [(day("2024-01-06"),), (day("2024-02-06"),)]


def test_a_file_that_holds_the_column_is_read_with_those_that_do_not(tmp_path: Path) -> None:
    row = {"account_id": "a", "event": "login", "user_id": "u", "value": 1.0, "happened_zone": "UTC"}
    rows = [{**row, "happened_at": instant(days), "known_at": instant(days), "occurred": instant(days)} for days in (1, 2)]
    with new_book(tmp_path) as catalog:
        version = add_load(catalog, {"events": rows})
        table = in_force(catalog, "events")
        path = catalog.folder / "tables" / "events" / "older.parquet"
        with parquet_file(path, columns_of("events")) as file:
            older = [{**given, "occurred": instant(3), "happened_at": instant(3), "load": 1, "source_file": 9} for given in rows]
            file.write(pa.Table.from_pylist(older, schema=stored_schema(columns_of("events"))))
        both = (*table.files, DataFile("events", path.relative_to(catalog.folder).as_posix(), file.sha256, file.size_bytes, 2, (1,)))
        mixed = replace(version, tables=(replace(table, files=both),))
        with open_book(catalog, mixed) as reader:
            found = reader.query("SELECT occurred FROM events ORDER BY 1").column("occurred").to_pylist()
    assert found == [instant(1), instant(2), instant(3), instant(3)]
