"""The catalogue: what is published comes back, version by version, whatever is published, dropped or erased after it."""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.warehouse.catalog_books import AT, data_file, publish_load, table, warehouse
from unspun.errors import BadInput, UnspunError
from unspun.warehouse.catalog import create_warehouse, open_catalog
from unspun.warehouse.catalog_check import check_ledger, check_manifests
from unspun.warehouse.catalog_lines import LoadFile


def test_a_new_warehouse_has_no_version_and_a_ledger_that_was_opened(tmp_path: Path) -> None:
    with create_warehouse(tmp_path / "warehouse", AT) as catalog:
        assert catalog.current() is None
        assert [(entry.seq, entry.kind, entry.at) for entry in catalog.entries()] == [(1, "opened", AT)]
        assert (tmp_path / "warehouse" / "ledger.head").read_text() == f"1:{catalog.entries()[0].hash}\n"
        assert check_ledger(catalog).sound


def test_a_warehouse_is_made_once_and_opened_where_there_is_one(tmp_path: Path) -> None:
    create_warehouse(tmp_path, AT).close()
    with pytest.raises(BadInput, match="a warehouse here already"):
        create_warehouse(tmp_path, AT)
    with pytest.raises(BadInput, match=r"no warehouse here.*unspun init"):
        open_catalog(tmp_path / "elsewhere")


def test_a_version_comes_back_as_it_was_published_also_after_later_ones(tmp_path: Path) -> None:
    with warehouse(tmp_path) as catalog:
        first = publish_load(catalog, table(1, 2), table(3, name="accounts"), fingerprint="a")
        second = publish_load(catalog, table(2, 4, delta_version=1), table(3, name="accounts"), fingerprint="b")
        assert [found.name for found in first.tables] == ["events", "accounts"]
        assert first.tables == (table(1, 2), table(3, name="accounts"))
        assert second.tables == (table(2, 4, delta_version=1), table(3, name="accounts"))
        assert catalog.current() == second
    with open_catalog(tmp_path) as again:
        assert (again.version(1), again.version(2)) == (first, second)


@settings(max_examples=25)
@given(st.lists(st.sets(st.integers(1, 6)), min_size=1, max_size=6), st.sets(st.integers(1, 5)))
def test_any_sequence_of_books_is_resolved_and_dropping_some_frees_only_files_that_no_other_needs(
    tmp_path_factory: pytest.TempPathFactory, books: list[set[int]], dropped: set[int]
) -> None:
    dropped = {number for number in dropped if number < len(books)}
    kept = [number for number in range(1, len(books) + 1) if number not in dropped]
    with warehouse(tmp_path_factory.mktemp("w"), *map(sorted, books)) as catalog:
        paths = {number: {data_file(file).path for file in books[number - 1]} for number in range(1, len(books) + 1)}
        for number in paths:
            assert {file.path for file in catalog.version(number).tables[0].files} == paths[number]
            assert catalog.files_in_use([number]) == paths[number]
        with catalog.writing():
            freed = catalog.drop_versions(dropped)
        needed = set().union(*(paths[number] for number in kept))
        assert freed == set().union(*paths.values()) - needed
        assert catalog.files_in_use() == catalog.files_in_use(kept) == needed
        for number in kept:
            assert {file.path for file in catalog.version(number).tables[0].files} == paths[number]
        for number in dropped:
            with pytest.raises(BadInput, match=f"book version {number} are no longer kept"):
                catalog.version(number)
        assert check_ledger(catalog).sound and not check_manifests(catalog)


def test_the_ledger_entry_of_a_version_holds_counts_and_hashes_that_can_be_recomputed_and_no_path(tmp_path: Path) -> None:
    with warehouse(tmp_path) as catalog:
        version = publish_load(catalog, table(2, 1))
        entry = catalog.entries()[-1]
        files = [[f"tables/events/part-{n}.parquet", f"{n:064x}", 1000 + n, 10, [1]] for n in (1, 2)]
        columns = [["known_at", "instant"], ["account_id", "text"]]
        layout = {"key": ["account_id"], "columns": columns, "several_versions": True, "fixed": ["account_id"]}
        stated = {"name": "events", "delta_version": 0, "layout": layout, "files": files}
        digest = hashlib.sha256(json.dumps(stated, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
        book = hashlib.sha256(json.dumps({"events": digest}, separators=(",", ":")).encode()).hexdigest()
        assert (entry.seq, entry.hash, version.digest) == (version.entry, version.entry_hash, book)
        tables = {"events": {"rows": 20, "files": 2, "delta_version": 0, "digest": digest}}
        assert entry.body == {"version": 1, "load": 1, "undone": None, "digest": book, "tables": tables}


def test_the_entries_of_one_step_are_written_together_and_the_versions_own_comes_last(tmp_path: Path) -> None:
    with warehouse(tmp_path) as catalog, catalog.writing():
        load = catalog.begin_load(AT, "x", {})
        version = catalog.publish("load", [table(1)], AT, [("load", {"rejected": 3}), ("note", {"of": "it"})], load=load)
        assert [entry.kind for entry in catalog.entries()] == ["opened", "note", "load"]
        assert version.entry == 3 and catalog.entries()[-1].body["rejected"] == 3


def test_a_step_that_fails_leaves_nothing_of_itself(tmp_path: Path) -> None:
    with warehouse(tmp_path, [1]) as catalog, catalog.writing():
        before = (catalog.entries(), catalog.versions(), catalog.load_lines(), (tmp_path / "ledger.head").read_text())
        with pytest.raises(ValueError, match="load 7"):
            catalog.publish("undo", [table(1, 2)], AT, [("note", {})], undone=7)
        with pytest.raises(ValueError, match="part-1"):
            catalog.publish("compaction", [replace(table(1), files=(replace(data_file(1), sha256="0" * 64),))], AT)
        with pytest.raises(KeyError), catalog.transaction():
            catalog.publish("compaction", [table(3)], AT)
            catalog.record_definition("book.yml", "text", AT)
            raise KeyError
        assert (catalog.entries(), catalog.versions(), catalog.load_lines(), (tmp_path / "ledger.head").read_text()) == before


def test_a_file_loaded_is_known_by_its_bytes_and_mapping_until_the_load_is_undone(tmp_path: Path) -> None:
    with warehouse(tmp_path) as catalog, catalog.writing():
        load = catalog.begin_load(AT, "x", {"files": 1})
        assert catalog.begin_load(AT + timedelta(days=1), "x", {}) == load
        assert catalog.loaded("aa", "m1") is None
        file = LoadFile("aa", "m1", "events", {"rows_read": 5, "new": 4, "rejected": 1})
        catalog.publish("load", [table(1)], AT, load=load, load_files=[file])
        assert (catalog.loaded("aa", "m1"), catalog.loaded("aa", "m2"), catalog.loaded("bb", "m1")) == (load, None, None)
        catalog.publish("undo", [table()], AT, undone=load)
        assert catalog.loaded("aa", "m1") is None
        again = catalog.begin_load(AT, "x", {})
        other = catalog.begin_load(AT, "y", {})
        catalog.abandon_load(other)
        lines = catalog.load_lines()
        assert [(line.load, line.state, line.version, line.undone_in) for line in lines] == [
            (load, "undone", 1, 2),
            (again, "begun", None, None),
            (other, "abandoned", None, None),
        ]
        assert lines[0].files == (file,) and lines[0].begun_at == AT and lines[0].body == {"files": 1}


def test_equal_bytes_are_one_source_file_whatever_their_name(tmp_path: Path) -> None:
    with warehouse(tmp_path) as catalog:
        one = catalog.source_file("aa", "orders.csv", 10, "csv")
        assert catalog.source_file("aa", "orders (copy).csv", 10, "csv") == one == catalog.source_number("aa")
        assert catalog.source_file("bb", "orders.csv", 11, "csv") != one
        assert catalog.source_number("cc") is None
        assert [source.name for source in catalog.source_files()] == ["orders.csv", "orders.csv"]


def test_versions_are_listed_with_the_rows_of_each_table(tmp_path: Path) -> None:
    with warehouse(tmp_path) as catalog:
        publish_load(catalog, table(1, 2), table(3, name="accounts"))
        with catalog.writing():
            catalog.publish("undo", [table(1)], AT + timedelta(days=1), undone=1)
            catalog.drop_versions([1])
        found = [(line.version, line.kind, line.load, line.at, line.entry, line.rows, line.kept) for line in catalog.versions()]
        assert found == [
            (1, "load", 1, AT, 2, {"events": 20, "accounts": 10}, False),
            (2, "undo", None, AT + timedelta(days=1), 3, {"events": 10}, True),
        ]


def test_a_version_that_is_newest_or_cited_is_not_dropped(tmp_path: Path) -> None:
    with warehouse(tmp_path, [1], [2], [3]) as catalog, catalog.writing():
        catalog.add_publication({"book_version": 2}, "figures", AT)
        assert catalog.cited_versions() == {2}
        for needed in (2, 3):
            with pytest.raises(UnspunError, match=f"version {needed} is the newest one or is cited"):
                catalog.drop_versions([1, needed])
        assert catalog.drop_versions([1]) == {data_file(1).path}
        with pytest.raises(BadInput, match="version 1 is not there or no longer kept"):
            catalog.add_publication({"book_version": 1}, "figures", AT)


def test_there_is_no_version_that_was_never_published(tmp_path: Path) -> None:
    with warehouse(tmp_path, [1]) as catalog:
        for number in (0, 2, -1):
            with pytest.raises(BadInput, match=rf"no book version {number}\. The versions are 1 to 1"):
                catalog.version(number)


def test_an_erasure_replaces_files_in_every_version_and_each_says_which_entry_did_it(tmp_path: Path) -> None:
    with warehouse(tmp_path, [1, 2], [2, 3], [3]) as catalog, catalog.writing():
        before = [catalog.version(number) for number in (1, 2, 3)]
        entry = catalog.replace_files({data_file(2).path: data_file(9, rows=8), data_file(1).path: None}, ("erasure", {"rows": 12}), AT)
        one, two, three = (catalog.version(number) for number in (1, 2, 3))
        assert one.tables[0].files == (replace(data_file(9, rows=8), erased_by=entry.seq),)
        assert [file.erased_by for file in two.tables[0].files] == [entry.seq, None]
        assert (one.erasures, two.erasures, three.erasures) == ((entry.seq,), (entry.seq,), ())
        assert [version.digest for version in (one, two, three)] == [version.digest for version in before]
        assert [catalog.published_version(number).tables for number in (1, 2, 3)] == [version.tables for version in before]
        assert catalog.files_in_use([1]) == {data_file(9).path}
        assert "part" not in json.dumps(entry.body) and entry.body["rows"] == 12
        with pytest.raises(ValueError, match="part-2"):
            catalog.replace_files({data_file(2).path: None}, ("erasure", {}), AT)
        assert check_ledger(catalog).sound and not check_manifests(catalog)


def test_a_file_rewritten_by_an_erasure_can_be_published_again_and_rewritten_again(tmp_path: Path) -> None:
    with warehouse(tmp_path, [1]) as catalog, catalog.writing():
        first = catalog.replace_files({data_file(1).path: data_file(9)}, ("erasure", {}), AT)
        after = catalog.publish("erasure", [table(9)], AT)
        assert after.erasures == () and after.tables[0].files[0].erased_by == first.seq
        second = catalog.replace_files({data_file(9).path: data_file(10, rows=3)}, ("erasure", {}), AT)
        assert catalog.version(1).erasures == (first.seq, second.seq) and catalog.version(1).tables == catalog.version(2).tables
        assert catalog.published_version(2).tables[0].files[0].path == data_file(9).path
        with pytest.raises(ValueError, match="part-1"):
            catalog.publish("compaction", [table(1)], AT)
        assert not check_manifests(catalog)


def test_a_definition_is_recorded_when_its_text_changes_and_can_be_read_back(tmp_path: Path) -> None:
    with warehouse(tmp_path) as catalog:
        written = [catalog.record_definition("book.yml", text, AT) for text in ("a: 1\n", "a: 1\n", "a: 2\n", "a: 1\n")]
        assert [entry is not None for entry in written] == [True, False, True, True]
        catalog.record_definition("retention.yml", "a: 1\n", AT)
        assert [found.text for found in catalog.definitions("book.yml")] == ["a: 1\n", "a: 2\n", "a: 1\n"]
        assert [found.name for found in catalog.definitions()] == ["book.yml"] * 3 + ["retention.yml"]
        assert catalog.definitions()[0].sha256 == hashlib.sha256(b"a: 1\n").hexdigest()


def test_a_publication_keeps_its_document_beside_the_ledger_until_it_is_erased(tmp_path: Path) -> None:
    document = "owner Ada: 97.1 %\n" * 2000  # some of it on pages of its own
    with warehouse(tmp_path, [1]) as catalog, catalog.writing():
        entry = catalog.add_publication({"book_version": 1, "question": "q"}, document, AT)
        assert entry.body == {"book_version": 1, "question": "q", "document_sha256": hashlib.sha256(document.encode()).hexdigest()}
        found = catalog.publication(entry.seq)
        assert (found.entry, found.version, found.document, found.erased_by) == (entry, 1, document, None)
        assert catalog.published(document) == found and catalog.published("other") is None
        erasure = catalog.replace_files({}, ("erasure", {}), AT, documents=[entry.seq])
        gone = catalog.publication(entry.seq)
        assert (gone.document, gone.erased_by) == (None, erasure.seq) and catalog.publications() == (gone,)
        assert catalog.published(document) is None
        assert catalog.checkpoint()
        assert not any(b"Ada" in path.read_bytes() for path in tmp_path.iterdir())
        assert not check_manifests(catalog)
        with pytest.raises(BadInput, match="entry 1 is not a publication"):
            catalog.publication(1)


def test_changing_the_book_without_the_writers_lock_is_refused(tmp_path: Path) -> None:
    with warehouse(tmp_path, [1]) as catalog:
        for change in (
            lambda: catalog.publish("load", [], AT),
            lambda: catalog.drop_versions([]),
            lambda: catalog.replace_files({}, ("erasure", {}), AT),
        ):
            with pytest.raises(RuntimeError, match="writing"):
                change()
        with pytest.raises(RuntimeError, match="reading"), catalog.reading():
            catalog.source_file("aa", "x.csv", 1, "csv")


def test_thousands_of_files_and_versions_are_resolved_quickly(tmp_path: Path) -> None:
    with warehouse(tmp_path) as catalog, catalog.writing(), catalog.transaction():
        for number in range(1, 51):
            catalog.publish("compaction", [table(*range(number, 1000 + number), delta_version=number)], AT)
    with open_catalog(tmp_path) as catalog:
        start = time.perf_counter()
        newest, old = catalog.current(), catalog.version(20)
        seconds = time.perf_counter() - start
    assert newest is not None and [file.path for file in newest.tables[0].files] == [data_file(n).path for n in range(50, 1050)]
    assert {file.path for file in old.tables[0].files} == {data_file(n).path for n in range(20, 1020)}
    assert seconds < 1
