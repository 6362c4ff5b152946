"""Undo takes back the last load in force, and nothing published before is destroyed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from deltalake import DeltaTable

from tests.unit.warehouse.books import START, Row, add_load, instant, new_book, random_rows, same_rows
from unspun.errors import BadInput
from unspun.ledger.store import entries
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.compact import compact
from unspun.warehouse.read import open_book
from unspun.warehouse.undo import undo
from unspun.warehouse.verify import verify_files
from unspun.warehouse.versions import BookVersion

TABLES = ("accounts", "subscriptions", "events")
LATER = START + timedelta(days=50)


def contents(catalog: Catalog, version: BookVersion) -> dict[str, list[Row]]:
    with open_book(catalog, version) as reader:
        return {name: reader.query(f"SELECT * FROM {name}_versions").to_pylist() for name in TABLES}


def same(one: dict[str, list[Row]], other: dict[str, list[Row]]) -> bool:
    return all(same_rows(one[name], other[name]) for name in TABLES)


@pytest.fixture
def book(tmp_path: Path) -> Catalog:
    catalog, random = new_book(tmp_path), Random(1)
    for load in (1, 2, 3):
        add_load(catalog, random_rows(random, load))
    return catalog


@pytest.mark.parametrize("compacted", ["never", "kept", "dropped"])
def test_undo_again_and_again_gives_the_books_before_each_load(book: Catalog, compacted: str) -> None:
    before = {number: contents(book, book.version(number)) for number in (1, 2, 3)}
    if compacted != "never":
        compact(book, LATER, keep_days=0 if compacted == "dropped" else 1000)
    for load in (3, 2):
        result = undo(book, LATER)
        assert result.load == load and result.version.kind == "undo"
        assert same(contents(book, result.version), before[load - 1])
        brought = {name: len(before[load][name]) - len(before[load - 1][name]) for name in TABLES}
        assert dict(result.rows) == {name: count for name, count in brought.items() if count}
    assert undo(book, LATER).version.tables == ()
    assert verify_files(book, "all") == ()


def test_versions_published_earlier_stay_readable_and_the_load_counts_as_not_loaded(book: Catalog) -> None:
    before = contents(book, book.version(3))
    assert book.loaded(f"{3:064x}", "m" * 64) == 3
    undo(book, LATER)
    assert book.loaded(f"{3:064x}", "m" * 64) is None
    assert book.loaded(f"{2:064x}", "m" * 64) == 2
    assert same(contents(book, book.version(3)), before)


def test_a_load_after_an_undo_is_the_next_to_be_taken_back(book: Catalog) -> None:
    undo(book, LATER)
    kept = contents(book, book.version(2))
    add_load(book, random_rows(Random(8), 4), LATER)
    result = undo(book, LATER)
    assert result.load == 4 and same(contents(book, result.version), kept)
    assert undo(book, LATER).load == 2


def test_a_table_that_only_the_load_brought_is_gone_with_its_columns_and_key(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    add_load(catalog, {"events": [{"account_id": "A", "happened_at": instant(1), "known_at": instant(1)}]})
    add_load(catalog, {"tickets": [{"account_id": "A", "ticket_id": "t", "happened_at": instant(1), "known_at": instant(1)}]})
    version = undo(catalog, LATER).version
    assert [table.name for table in version.tables] == ["events"]
    assert DeltaTable(catalog.folder / "tables/tickets").file_uris() == []


def test_what_the_load_said_of_a_table_is_taken_back_with_its_rows(tmp_path: Path) -> None:
    catalog = new_book(tmp_path)
    rows: list[Row] = [{"account_id": "A", "happened_at": instant(1), "known_at": instant(1)}]
    before = add_load(catalog, {"accounts": rows}, several=False)
    add_load(catalog, {"accounts": [dict(rows[0])]}, several=True, fixed=["segment"])
    table, earlier = undo(catalog, LATER).version.table("accounts"), before.table("accounts")
    assert table is not None and earlier is not None
    assert (table.fixed, table.several_versions, table.files) == ((), False, earlier.files)


def test_undo_leaves_a_ledger_entry_with_the_rows_taken_back(book: Catalog) -> None:
    result = undo(book, LATER)
    with book.reading() as connection:
        entry = [line for line in entries(connection) if line.kind == "undo"][-1]
    assert entry.body["undone"] == 3 and entry.body["rows_taken_back"] == dict(result.rows)


def test_undo_of_nothing_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nothing to take back"):
        undo(new_book(tmp_path), LATER)
