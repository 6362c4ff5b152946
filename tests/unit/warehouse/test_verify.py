"""Verifying finds every file that is not as it was published, and says which."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from tests.unit.warehouse.books import START, add_load, new_book, random_rows
from unspun.errors import Fault
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.compact import compact
from unspun.warehouse.verify import verify_files

LATER = START + timedelta(days=50)


@pytest.fixture
def book(tmp_path: Path) -> Catalog:
    catalog, random = new_book(tmp_path), Random(2)
    for load in (1, 2):
        add_load(catalog, random_rows(random, load))
    compact(catalog, LATER, keep_days=1000)
    return catalog


def only(faults: tuple[Fault, ...]) -> Fault:
    (fault,) = faults
    return fault


def test_a_book_as_it_was_published_has_no_fault_and_progress_counts_its_files(book: Catalog) -> None:
    told: list[tuple[str, int, int]] = []
    assert verify_files(book, "all", lambda *step: told.append(step)) == ()
    assert [done for _, done, _ in told] == list(range(10)) and {total for *_, total in told} == {9}


def test_each_bit_that_changes_in_a_data_file_is_found(book: Catalog) -> None:
    path = "tables/events/load-1.parquet"
    whole = (book.folder / path).read_bytes()
    for at in Random(1).sample(range(len(whole)), 12):
        (book.folder / path).write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        fault = only(verify_files(book, "all"))
        assert (fault.code, fault.where) == ("file_edited", path)
        assert "`events`" in fault.message and "book versions 1 to 2" in fault.message and "SHA-256" in fault.message
        assert verify_files(book, "current") == ()  # the newest version does not need it


def lose(path: Path) -> None:
    path.unlink()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(("damage", "code"), [(lose, "file_missing"), (cut, "file_edited")])
def test_a_file_missing_or_cut_is_found(book: Catalog, damage: Callable[[Path], None], code: str) -> None:
    current = book.current()
    assert current is not None
    path = current.tables[0].files[0].path
    damage(book.folder / path)
    fault = only(verify_files(book))
    assert (fault.code, fault.where) == (code, path) and "book version 3" in fault.message


def test_a_list_of_files_changed_in_the_catalogue_is_not_the_one_in_the_ledger(book: Catalog) -> None:
    path = "tables/events/load-2.parquet"
    data = (book.folder / path).read_bytes() + b" "
    (book.folder / path).write_bytes(data)
    connection = sqlite3.connect(book.path)
    connection.execute("UPDATE files SET size_bytes = size_bytes + 1 WHERE path = ?", (path,))
    connection.commit()
    connection.close()
    faults = verify_files(book, "all")
    assert any("book version 2" in fault.message and "`events`" in fault.message and "ledger entry" in fault.message for fault in faults)


def test_a_delta_log_that_was_edited_or_lost_is_found(book: Catalog) -> None:
    current = book.current()
    assert current is not None
    table = current.tables[0]
    log = book.folder / f"tables/{table.name}/_delta_log/{table.delta_version:020d}.json"
    text = log.read_text()
    log.write_text("\n".join(line for line in text.splitlines() if '"add"' not in line))
    fault = only(verify_files(book))
    assert fault.code == "delta_log" and f"`{table.name}`" in fault.message and "book version 3" in fault.message
    log.unlink()
    assert only(verify_files(book)).code == "delta_log"
