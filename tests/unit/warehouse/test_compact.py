"""Compaction changes the files and never the book."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import pyarrow.parquet as pq
import pytest

from tests.unit.warehouse.books import START, add_load, instant, new_book, random_rows, same_rows
from unspun.errors import BadInput, UnspunError
from unspun.warehouse import compact as compaction
from unspun.warehouse.catalog import Catalog, open_catalog
from unspun.warehouse.compact import compact
from unspun.warehouse.read import open_book
from unspun.warehouse.verify import verify_files

LATER = START + timedelta(days=50)
VIEWS = ("accounts", "accounts_history", "subscriptions", "events", "events_versions")
LOADS = 5


@pytest.fixture
def book(tmp_path: Path) -> Catalog:
    catalog, random = new_book(tmp_path), Random(5)
    for load in range(1, LOADS + 1):
        add_load(catalog, random_rows(random, load))
    return catalog


def data_files(catalog: Catalog) -> set[str]:
    return {path.relative_to(catalog.folder).as_posix() for path in catalog.folder.glob("tables/*/*.parquet*")}


@pytest.mark.parametrize("target_bytes", [1 << 20, 12_000])
def test_the_book_reads_the_same_as_of_every_date_after_compaction(book: Catalog, target_bytes: int) -> None:
    before = book.version(LOADS)
    result = compact(book, LATER, keep_days=1000, target_bytes=target_bytes)
    after = result.version
    assert after is not None and after.kind == "compaction"
    for moment in (None, *(instant(day) for day in range(0, 24, 4))):
        with open_book(book, before, moment) as old, open_book(book, after, moment) as new:
            for view in VIEWS:
                assert same_rows(old.query(f"FROM {view}").to_pylist(), new.query(f"FROM {view}").to_pylist()), (view, moment)
    assert {name: count for name, count, _ in result.tables} == {"accounts": LOADS, "subscriptions": LOADS, "events": LOADS}
    assert all(table.rows == old.rows for table, old in zip(after.tables, before.tables, strict=True))
    assert verify_files(book, "all") == ()


def test_merged_files_are_sorted_by_account_then_time(book: Catalog) -> None:
    version = compact(book, LATER).version
    assert version is not None
    events = version.table("events")
    assert events is not None and len(events.files) == 1 and events.files[0].loads == tuple(range(1, LOADS + 1))
    rows = pq.read_table(book.folder / events.files[0].path).to_pylist()
    keys = [(row["account_id"], row["happened_at"], row["known_at"]) for row in rows]
    assert keys == sorted(keys) and len({key[0] for key in keys}) > 2


def test_files_are_split_at_the_target_and_large_ones_are_left_alone(book: Catalog) -> None:
    size = book.version(LOADS).tables[0].files[0].size_bytes
    first = compact(book, LATER, target_bytes=int(size * 2.5))
    assert first.version is not None
    assert all(1 < len(table.files) < LOADS for table in first.version.tables)
    assert [table.rows for table in first.version.tables] == [table.rows for table in book.version(LOADS).tables]
    add_load(book, random_rows(Random(6), 6), LATER)
    large = {file.path for table in first.version.tables for file in table.files if file.size_bytes >= size}
    second = compact(book, LATER, target_bytes=2 * size - 2)
    assert large <= {file.path for table in (second.version or first.version).tables for file in table.files}


def test_a_second_compaction_publishes_nothing(book: Catalog) -> None:
    compact(book, LATER)
    again = compact(book, LATER)
    assert again.version is None and again.tables == () and len(book.versions()) == LOADS + 1


@pytest.mark.parametrize(("keep_days", "kept"), [(7, [1, 2, 3, 4, 5, 6]), (2, [3, 4, 5, 6]), (0, [2, 6])])
def test_versions_in_force_within_the_days_to_keep_and_cited_ones_stay(book: Catalog, keep_days: int, kept: list[int]) -> None:
    if keep_days == 0:
        book.add_publication({"book_version": 2}, "{}", LATER)
    at = START + timedelta(days=LOADS)  # load n was published n days after the start
    result = compact(book, at, keep_days=keep_days)
    there = [line.version for line in book.versions() if line.kept]
    assert there == kept and set(result.dropped_versions) == set(range(1, LOADS + 2)) - set(kept)
    for number in range(1, LOADS + 2):
        if number in kept:
            with open_book(book, book.version(number)) as reader:
                assert reader.query("FROM events").num_rows == book.version(number).tables[-1].rows
        else:
            with pytest.raises(BadInput, match="no longer kept"):
                book.version(number)
    assert data_files(book) == book.files_in_use()
    assert (result.files_deleted > 0) == (keep_days == 0)


def test_a_reader_of_a_version_that_is_dropped_under_it_is_told_so(book: Catalog) -> None:
    old = book.version(LOADS)
    compact(book, LATER, keep_days=0)
    with pytest.raises(UnspunError, match="no longer kept"), open_book(book, old):
        pass


def test_a_reader_of_the_version_just_replaced_reads_on_by_default(book: Catalog) -> None:
    with open_book(book, book.version(LOADS)) as reader:
        rows = reader.query("FROM events").num_rows
        compact(book, START + timedelta(days=LOADS + 1))
        assert reader.query("FROM events").num_rows == rows


class Killed(BaseException):
    """Stands for the process being ended at that moment."""


@pytest.mark.parametrize("step", ["align_tables", "delete_unused", "_droppable", "write_data_file", "fresh_stem"])
def test_a_compaction_killed_at_any_step_loses_nothing_and_the_next_one_finishes(
    book: Catalog, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_book(book, book.version(LOADS)) as reader:
        rows = {view: reader.query(f"FROM {view}").to_pylist() for view in VIEWS}
    original, calls = getattr(compaction, step), []

    def ends(*arguments: object, **named: object) -> object:
        calls.append(step)
        if len(calls) > 1 or step in ("delete_unused", "_droppable"):
            raise Killed
        result = original(*arguments, **named)
        if step == "align_tables":
            raise Killed
        return result

    with monkeypatch.context() as patched:
        patched.setattr(compaction, step, ends)
        with pytest.raises(Killed):
            compact(book, LATER, keep_days=0)
    with open_catalog(book.folder) as fresh:
        compact(fresh, LATER, keep_days=0)
        assert verify_files(fresh, "all") == ()
        assert data_files(fresh) == fresh.files_in_use() and len(fresh.files_in_use()) == 3
        current = fresh.current()
        assert current is not None and current.kind == "compaction"
        with open_book(fresh, current) as reader:
            assert all(same_rows(reader.query(f"FROM {view}").to_pylist(), rows[view]) for view in VIEWS)


def test_a_negative_number_of_days_is_a_fault(book: Catalog) -> None:
    with pytest.raises(BadInput, match="keep_days"):
        compact(book, LATER, keep_days=-1)
