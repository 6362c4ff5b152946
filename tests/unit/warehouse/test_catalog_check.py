"""Whatever is edited in a catalogue behind the program's back is found, and by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.unit.warehouse.catalog_books import AT, data_file, table, warehouse
from unspun.ledger.chain import entry_hash, parse_anchor
from unspun.ledger.store import stored
from unspun.warehouse.catalog import Catalog, open_catalog
from unspun.warehouse.catalog_check import check_database, check_ledger, check_manifests
from unspun.warehouse.catalog_lines import LoadFile


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three loads, a figure from the second, then an erasure: entries 1 to 6."""
    folder = tmp_path_factory.mktemp("whole")
    with warehouse(folder, [1], [1, 2], [2, 3]) as catalog, catalog.writing():
        catalog.add_publication({"book_version": 2}, "retention 97.1 %", AT)
        catalog.replace_files({data_file(2).path: data_file(9)}, ("erasure", {}), AT)
        catalog.checkpoint()
    return folder


@pytest.fixture
def opened(published: Path, tmp_path: Path):
    shutil.copytree(published, tmp_path / "warehouse")
    with open_catalog(tmp_path / "warehouse") as catalog:
        for (name,) in catalog.connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            catalog.connection.execute(f"DROP TRIGGER {name}")
        catalog.connection.execute("PRAGMA foreign_keys = OFF")
        yield catalog


def test_a_catalogue_that_nobody_touched_is_sound(opened: Catalog) -> None:
    result = check_ledger(opened)
    last = opened.entries()[-1]
    assert (result.entries, result.anchors, result.head, result.sound) == (6, 4, f"6:{last.hash}", True)
    assert check_manifests(opened) == check_manifests(opened, "current") == check_database(opened) == ()


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE files SET sha256 = 'x' WHERE id = 1", "table `events` in book version 1 is not what ledger entry 2 records"),
        ("UPDATE files SET rows = 11 WHERE id = 3", "table `events` in book version 3 is not what ledger entry 4 records"),
        ("DELETE FROM spans WHERE file = 3", "table `events` in book version 3"),
        ("UPDATE spans SET removed = NULL WHERE file = 1", "table `events` in book version 3"),
        ("UPDATE table_versions SET delta_version = 7 WHERE version = 2", "table `events` in book version 2"),
        ("UPDATE table_versions SET layout = replace(layout, 'true', 'false') WHERE version = 2", "table `events` in book version 2"),
        ("INSERT INTO table_versions VALUES (3, 'accounts', 1, 0, 0, (SELECT layout FROM table_versions LIMIT 1))", "table `accounts`"),
        ("UPDATE versions SET digest = 'x' WHERE version = 2", "book version 2 is not the one that ledger entry 3 records"),
        ("UPDATE versions SET kind = 'undo' WHERE version = 2", "book version 2 is not the one that ledger entry 3 records"),
        ("UPDATE versions SET published_at = '2026-01-01' WHERE version = 2", "book version 2 is not the one that ledger entry 3"),
        ("DELETE FROM versions WHERE version = 3", "book version 3 is in ledger entry 4 but not in the catalogue"),
        ("UPDATE versions SET entry = 77 WHERE version = 3", "ledger entry 77 is not there or damaged"),
        ("UPDATE rewrites SET sha256 = 'x'", "part-2.parquet: the file that took its place is not the one that ledger entry 6 records"),
        ("UPDATE publications SET document = 'retention 99.9 %'", "document of ledger entry 5 is not the one that was published"),
        ("UPDATE publications SET version = 3", "document of ledger entry 5 is not the one that was published"),
        ("UPDATE publications SET document = NULL", "document of ledger entry 5 is missing, and no erasure"),
        ("UPDATE publications SET document = NULL, erased_by = 6", "document of ledger entry 5 is missing, and no erasure"),
        ("DELETE FROM publications", "document of ledger entry 5 is not in the catalogue"),
        ("UPDATE table_versions SET rows = 11 WHERE version = 2", "number of rows of table `events` in book version 2"),
        ("UPDATE versions SET kept = 0 WHERE version = 2", "book version 2 is marked as no longer kept"),
        ("UPDATE versions SET kept = 0 WHERE version = 3", "book version 3 is marked as no longer kept"),
        ("UPDATE loads SET state = 'undone' WHERE load = 2", "load 2 is not in the state"),
        ("UPDATE loads SET version = 2 WHERE load = 3", "load 3 is not in the state"),
        ("UPDATE loads SET undone_in = 3 WHERE load = 1", "load 1 is not in the state"),
        ("DELETE FROM loads WHERE load = 1", "load 1 is not in the state"),
        ("INSERT INTO loads VALUES (9, 'f', '', '{}', 'in force', 3, NULL)", "load 9 is not in the state"),
    ],
)
def test_an_edit_of_what_the_ledger_recorded_is_found(opened: Catalog, statement: str, said: str) -> None:
    opened.connection.execute(statement)
    assert any(said in str(fault) for fault in check_manifests(opened))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE load_files SET sha256 = 'x'",
        "UPDATE load_files SET mapping_sha256 = 'x'",
        "UPDATE load_files SET table_name = 'tickets'",
        "UPDATE load_files SET counts = '{\"new\": 8}'",
        "UPDATE load_files SET position = 2 WHERE position = 0",
        "DELETE FROM load_files WHERE position = 1",
        "DELETE FROM source_files WHERE number = 2",
        "UPDATE source_files SET sha256 = 'x' WHERE number = 2",
    ],
)
def test_source_files_that_are_not_those_of_the_loads_entry_are_found(tmp_path: Path, statement: str) -> None:
    files = [LoadFile(letter * 64, "m" * 64, "events", {"new": 7}) for letter in "ab"]
    with warehouse(tmp_path) as catalog, catalog.writing():
        for file in files:
            catalog.source_file(file.sha256, "events.csv", 1, "csv")
        load, stated = (
            catalog.begin_load(AT, "ab", {}),
            [{"sha256": file.sha256, "mapping_sha256": file.mapping_sha256, "table": file.table, **file.counts} for file in files],
        )
        catalog.publish("load", [table(1)], AT, [("load", {"sources": stated})], load=load, load_files=files)
        assert check_manifests(catalog) == ()
        catalog.connection.execute(statement)
        assert [fault.message for fault in check_manifests(catalog)] == [
            "the list of source files of load 1 is not what the ledger records."
        ]


def test_a_load_that_was_undone_is_undone_in_the_ledger_too(opened: Catalog) -> None:
    with opened.writing():
        opened.publish("undo", [table(1)], AT, undone=3)
    assert check_manifests(opened) == ()
    opened.connection.execute("UPDATE loads SET state = 'in force', undone_in = NULL WHERE load = 3")
    assert any("load 3 is not in the state" in str(fault) for fault in check_manifests(opened))


def test_an_entry_removed_from_the_end_is_found_although_its_version_went_with_it(opened: Catalog) -> None:
    for statement in ("DELETE FROM ledger WHERE seq > 3", "DELETE FROM versions WHERE version > 2", "DELETE FROM publications"):
        opened.connection.execute(statement)
    breaks = check_ledger(opened).breaks
    assert [(each.seq, each.kind) for each in breaks] == [(4, "truncated")]
    assert "entries 4 to 6 are missing from the end" in breaks[0].message and "ledger.head" in breaks[0].message


def test_a_rewrite_of_ledger_versions_and_head_together_is_found_by_a_printed_number_and_hash_only(opened: Catalog) -> None:
    printed = parse_anchor(check_ledger(opened).head, "the report of March")
    previous = opened.entries()[1].hash
    for row in stored(opened.connection)[2:]:
        assert isinstance(row.seq, int)
        body = str(row.body).replace('"rows":20', '"rows":21')
        hashed = entry_hash(previous, row.seq, str(row.at), str(row.kind), body)
        opened.connection.execute("UPDATE ledger SET body = ?, previous = ?, hash = ? WHERE seq = ?", (body, previous, hashed, row.seq))
        opened.connection.execute("UPDATE versions SET entry_hash = ? WHERE entry = ?", (hashed, row.seq))
        previous = hashed
    assert [(each.seq, each.kind) for each in check_ledger(opened).breaks] == [(6, "edited")]
    (opened.folder / "ledger.head").write_text(f"6:{previous}\n")
    assert check_ledger(opened).sound
    breaks = check_ledger(opened, [printed]).breaks
    assert [(each.seq, each.kind) for each in breaks] == [(6, "edited")] and "the report of March" in breaks[0].message


def test_a_missing_head_file_is_said(opened: Catalog) -> None:
    (opened.folder / "ledger.head").unlink()
    result = check_ledger(opened)
    assert not result.breaks and [fault.code for fault in result.faults] == ["no_head"] and not result.sound


def test_erasures_stay_verifiable_when_compaction_forgets_some_of_their_files(opened: Catalog) -> None:
    with opened.writing():
        opened.replace_files({data_file(9).path: data_file(10), data_file(1).path: None}, ("erasure", {}), AT)
        opened.publish("compaction", [table(20)], AT)
        opened.drop_versions([1, 3])
    assert check_manifests(opened) == () and check_ledger(opened).sound
