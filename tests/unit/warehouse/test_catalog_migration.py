"""A catalogue of format 1 (its tables as that version made them, with a book in it) opens, reads and is loaded into."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.unit.warehouse.books import add_load, instant, new_book
from unspun.errors import BadInput, UnspunError
from unspun.ledger import store
from unspun.warehouse import catalog_schema
from unspun.warehouse.catalog import Catalog, open_catalog
from unspun.warehouse.catalog_check import check_ledger, check_manifests
from unspun.warehouse.catalog_profiles import latest_profiles
from unspun.warehouse.read import open_book

FORMAT_1 = Path(__file__).parent / "catalog_format_1.sql"
EVENTS = [{"account_id": "A", "occurred": instant(day), "event": "login"} for day in range(3)]
LATER = datetime(2026, 5, 1, tzinfo=UTC)


def _made_old(folder: Path) -> Path:
    """A warehouse with one load whose catalogue is of format 1: its rows in the tables of that format, under the warehouse's name."""
    catalog = new_book(folder)
    add_load(catalog, {"events": EVENTS})
    catalog.close()
    path, old = catalog.folder / "catalog.db", folder / "old.db"
    connection = sqlite3.connect(old)
    connection.executescript(FORMAT_1.read_text())
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    connection.execute("ATTACH ? AS new", (str(path),))
    for name in tables:
        connection.execute(f"INSERT INTO main.{name} SELECT * FROM new.{name}")
    connection.commit()
    connection.close()
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    old.replace(path)
    return catalog.folder


def _events(catalog: Catalog) -> int:
    version = catalog.current()
    assert version is not None
    with open_book(catalog, version, None, "500MB") as reader:
        return reader.query("SELECT count(*) AS n FROM events").column("n")[0].as_py()


def test_a_warehouse_of_format_1_opens_reads_and_is_loaded_into(tmp_path: Path) -> None:
    folder = _made_old(tmp_path)
    with open_catalog(folder) as catalog:
        assert catalog.connection.execute("PRAGMA user_version").fetchone()[0] == catalog_schema.FORMAT == 3
        assert _events(catalog) == 3 and latest_profiles(catalog) == {}
        add_load(catalog, {"events": EVENTS})
        assert _events(catalog) == 6
        assert check_ledger(catalog).sound and check_manifests(catalog) == ()


def test_a_migrated_catalogue_has_the_tables_of_a_new_one(tmp_path: Path) -> None:
    query = "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
    with open_catalog(_made_old(tmp_path / "old")) as old, new_book(tmp_path / "new") as new:
        assert old.connection.execute(query).fetchall() == new.connection.execute(query).fetchall()


def test_a_check_refers_to_an_entry_of_the_ledger(tmp_path: Path) -> None:
    with open_catalog(_made_old(tmp_path)) as catalog:
        entry = catalog.record_check(1, {"findings": 0}, "{}", LATER)
        assert catalog.connection.execute("SELECT entry, version, document FROM checks").fetchall() == [(entry.seq, 1, "{}")]
        with pytest.raises(sqlite3.IntegrityError):
            catalog.connection.execute("INSERT INTO checks VALUES (999, 1, '{}')")


def test_a_reader_that_was_in_the_old_warehouse_is_not_disturbed(tmp_path: Path) -> None:
    folder = _made_old(tmp_path)
    reader = catalog_schema.connect(folder / "catalog.db")
    reader.execute("BEGIN")
    assert reader.execute("SELECT count(*) FROM loads").fetchone() == (1,)
    with open_catalog(folder) as catalog:
        add_load(catalog, {"events": EVENTS})
    assert reader.execute("SELECT count(*) FROM loads").fetchone() == (1,)
    reader.execute("ROLLBACK")
    assert reader.execute("SELECT count(*) FROM loads").fetchone() == (2,)
    reader.close()


def test_two_processes_that_migrate_at_once_both_find_it_done(tmp_path: Path) -> None:
    folder = _made_old(tmp_path)
    connections = [sqlite3.connect(folder / "catalog.db", isolation_level=None, check_same_thread=False, timeout=10) for _ in range(2)]
    errors: list[Exception] = []
    start = threading.Barrier(2)

    def migrate(connection: sqlite3.Connection) -> None:
        start.wait()
        try:
            catalog_schema.migrate(connection, folder / "catalog.db")
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=migrate, args=(connection,)) for connection in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert [connection.execute("PRAGMA user_version").fetchone()[0] for connection in connections] == [3, 3]
    for connection in connections:
        connection.close()


def test_a_migration_that_fails_leaves_the_catalogue_as_it_was(tmp_path: Path) -> None:
    folder = _made_old(tmp_path)
    before = sqlite3.connect(folder / "catalog.db")
    before.execute("CREATE VIEW profiles AS SELECT 1 AS one")  # the index on it cannot be made
    before.commit()
    with pytest.raises(UnspunError):
        open_catalog(folder)
    names = {name for (name,) in before.execute("SELECT name FROM sqlite_master")}
    assert "checks" not in names and before.execute("PRAGMA user_version").fetchone() == (1,)
    assert store.head(before) is not None
    before.close()


def test_a_catalogue_of_a_later_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    folder = _made_old(tmp_path)
    with sqlite3.connect(folder / "catalog.db") as connection:
        connection.execute("PRAGMA user_version = 4")
    with pytest.raises(BadInput, match="format 4"):
        open_catalog(folder)
    assert sqlite3.connect(folder / "catalog.db").execute("PRAGMA user_version").fetchone() == (4,)


def test_a_warehouse_of_format_2_gets_a_place_for_notes(tmp_path: Path) -> None:
    with new_book(tmp_path) as catalog:
        catalog.connection.execute("DROP TABLE notes")
        catalog.connection.execute("PRAGMA user_version = 2")
        folder = catalog.folder
    with open_catalog(folder) as catalog:
        assert catalog.notes("note") == ()
        assert catalog.connection.execute("PRAGMA user_version").fetchone() == (3,)
