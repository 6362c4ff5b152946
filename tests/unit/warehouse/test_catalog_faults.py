"""What users and machines do to a catalogue becomes one clear fault: damage, a full disk, no rights, two writers, a newer format."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.warehouse.catalog_books import AT, table, warehouse
from unspun.errors import BadInput, UnspunError
from unspun.ledger.chain import make_entry
from unspun.warehouse.catalog import Catalog, create_warehouse, open_catalog
from unspun.warehouse.catalog_check import check_database, check_ledger
from unspun.warehouse.catalog_schema import FORMAT

HOLDER = """
import sys, time
from pathlib import Path
from unspun.warehouse.catalog import open_catalog
with open_catalog(Path(sys.argv[1])) as catalog, catalog.writing():
    print("held", flush=True)
    time.sleep(60)
"""
AS_NOBODY = """
import os, sys
from pathlib import Path
from unspun.errors import UnspunError
from unspun.warehouse.catalog import create_warehouse, open_catalog
from datetime import datetime, UTC
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    if sys.argv[2] == "open":
        open_catalog(Path(sys.argv[1])).current()
    else:
        create_warehouse(Path(sys.argv[1]) / "new", datetime(2026, 1, 1, tzinfo=UTC))
    print("no fault")
except UnspunError as error:
    print(error.faults[0].code, error)
"""


def fault_of(act: Callable[[], object]) -> str:
    with pytest.raises(UnspunError) as caught:
        act()
    return f"{caught.value.faults[0].code}: {caught.value}"


@pytest.mark.parametrize("text", [b"", b"not a database, whatever its name says" * 300])
def test_a_file_that_is_no_catalogue_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "catalog.db").write_bytes(text)
    said = fault_of(lambda: open_catalog(tmp_path))
    assert "catalog.db" in said and ("no_catalog" in said if text == b"" else "damaged_catalog" in said)


def test_a_catalogue_of_a_newer_format_is_refused_with_both_numbers(tmp_path: Path) -> None:
    with warehouse(tmp_path) as catalog:
        catalog.connection.execute(f"PRAGMA user_version = {FORMAT + 1}")
    with pytest.raises(BadInput, match=f"has format {FORMAT + 1}; this Unspun knows formats up to {FORMAT}"):
        open_catalog(tmp_path)


def test_a_damaged_page_is_a_fault_wherever_it_is_met_and_the_check_of_the_database_finds_it(tmp_path: Path) -> None:
    with warehouse(tmp_path / "whole", *[[number] for number in range(1, 60)]) as catalog:
        catalog.checkpoint()
    pages = (tmp_path / "whole" / "catalog.db").stat().st_size // 4096
    for page in range(pages):
        shutil.copytree(tmp_path / "whole", tmp_path / str(page))
        with (tmp_path / str(page) / "catalog.db").open("r+b") as file:
            file.seek(page * 4096 + (100 if page == 0 else 0))
            file.write(b"\xa5" * 2000)
        try:
            with open_catalog(tmp_path / str(page)) as catalog:
                assert check_database(catalog)
                for question in (catalog.current, catalog.versions, catalog.load_lines, catalog.entries, lambda: check_ledger(catalog)):
                    answer_or_fault(question)
        except UnspunError as error:
            assert {fault.code for fault in error.faults} == {"damaged_catalog"}


def answer_or_fault(question: Callable[[], object]) -> None:
    try:
        question()
    except UnspunError as error:
        assert {fault.code for fault in error.faults} <= {"damaged_catalog", "ledger_broken"}


@pytest.mark.parametrize(
    ("spoil", "ask"),
    [
        ("UPDATE files SET loads = '[1'", Catalog.current),
        ("UPDATE table_versions SET layout = '{}'", Catalog.current),
        ("UPDATE versions SET published_at = 'yesterday'", Catalog.versions),
        ("UPDATE loads SET body = 'x'", Catalog.load_lines),
        ("UPDATE source_files SET name = CAST(x'ff' AS TEXT)", Catalog.source_files),
        ("DROP TABLE rewrites", Catalog.files_in_use),
    ],
)
def test_values_in_the_catalogue_that_cannot_be_read_are_a_fault(tmp_path: Path, spoil: str, ask: Callable[[Catalog], object]) -> None:
    with warehouse(tmp_path, [1]) as catalog:
        catalog.source_file("aa", "orders.csv", 1, "csv")
        assert ask(catalog)
        catalog.connection.execute(spoil)
        assert "damaged_catalog" in fault_of(lambda: ask(catalog))


def test_a_full_disk_is_a_fault_that_leaves_the_book_as_it_was(tmp_path: Path) -> None:
    with warehouse(tmp_path, [1]) as catalog:
        before = (catalog.current(), catalog.entries())
        pages = catalog.connection.execute("PRAGMA page_count").fetchone()[0]
        catalog.connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        with catalog.writing():
            said = fault_of(lambda: catalog.publish("compaction", [table(*range(500))], AT))
            assert "disk_full" in said and "nothing was written" in said
        assert (catalog.current(), catalog.entries()) == before
        catalog.connection.execute("PRAGMA max_page_count = 100000")
        with catalog.writing():
            assert catalog.publish("compaction", [table(*range(500))], AT).version == 2


@pytest.mark.skipif(os.name != "posix", reason="rights are set otherwise there")
def test_a_folder_without_the_right_to_write_is_a_fault_that_says_so(tmp_path: Path) -> None:
    folder = Path("/tmp") / f"unspun-rights-{os.getpid()}"  # the folders above tmp_path are closed to other users
    try:
        warehouse(folder, [1]).close()
        for path in folder.iterdir():
            path.chmod(0o444)
        folder.chmod(0o555)
        for act in ("open", "make"):
            done = subprocess.run([sys.executable, "-c", AS_NOBODY, folder, act], capture_output=True, text=True, check=True)
            assert done.stdout.split()[0] in ("read_only", "no_access") and str(folder) in done.stdout
    finally:
        folder.chmod(0o755)
        shutil.rmtree(folder)


@pytest.fixture
def held(tmp_path: Path):
    warehouse(tmp_path, [1]).close()
    process = subprocess.Popen([sys.executable, "-c", HOLDER, tmp_path], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def test_a_second_writer_is_told_who_holds_the_lock_since_when_and_gives_up_in_time(tmp_path: Path, held: subprocess.Popen[str]) -> None:
    told: list[str] = []
    with open_catalog(tmp_path) as catalog:
        with pytest.raises(UnspunError, match=rf"waited 0.3 seconds for process {held.pid}, which has been writing .* since 20"):
            enter(catalog, 0.3, told)
        assert [message.split(",")[0] for message in told] == [f"waiting for process {held.pid}"]
        current = catalog.current()
        assert current is not None and current.version == 1  # who reads does not wait


def test_the_lock_of_a_killed_writer_is_free(tmp_path: Path, held: subprocess.Popen[str]) -> None:
    held.send_signal(signal.SIGKILL)
    held.wait()
    told: list[str] = []
    with open_catalog(tmp_path) as catalog:
        start = time.perf_counter()
        enter(catalog, 5, told)
        assert told == [] and time.perf_counter() - start < 2


def enter(catalog: Catalog, seconds: float, told: list[str]) -> None:
    with catalog.writing(seconds, told.append):
        assert catalog.current() is not None


def test_recovery_runs_once_when_the_lock_is_taken_and_not_within_it(tmp_path: Path) -> None:
    seen: list[int | None] = []

    def recover(catalog: Catalog) -> None:
        current = catalog.current()
        seen.append(None if current is None else current.version)

    with warehouse(tmp_path, [1]) as catalog, catalog.writing(recover=[recover]), catalog.writing(recover=[recover]):
        catalog.publish("compaction", [table(2)], AT)
    assert seen == [1]


def test_a_head_file_ahead_of_the_ledger_stops_the_next_entry_before_it_hides_the_cut(tmp_path: Path) -> None:
    shutil.copytree(warehouse_of(tmp_path / "new", [1], [2]), tmp_path / "cut")
    shutil.copy(warehouse_of(tmp_path / "old", [1]) / "catalog.db", tmp_path / "cut" / "catalog.db")
    with open_catalog(tmp_path / "cut") as catalog:
        assert "entry 3, which this file records, is not in the ledger" in fault_of(lambda: catalog.record_definition("a", "b", AT))
        assert [(each.seq, each.kind) for each in check_ledger(catalog).breaks] == [(3, "truncated")]
        (tmp_path / "cut" / "ledger.head").write_text("3:what\n")
        assert "ledger.head: the file is damaged" in fault_of(lambda: catalog.record_definition("a", "b", AT))
        assert [fault.code for fault in check_ledger(catalog).faults] == ["no_anchor"]
        (tmp_path / "cut" / "ledger.head").unlink()
        assert catalog.record_definition("a", "b", AT) is not None
        assert check_ledger(catalog).sound


def warehouse_of(folder: Path, *books: list[int]) -> Path:
    with warehouse(folder, *books) as catalog:
        catalog.checkpoint()
    return folder


def test_a_head_file_behind_the_ledger_is_what_a_crash_leaves_and_the_next_entry_mends_it(tmp_path: Path) -> None:
    head = tmp_path / "ledger.head"
    with warehouse(tmp_path, [1]) as catalog:
        behind = head.read_text()
        catalog.record_definition("a", "b", AT)
        head.write_text(behind)
        assert check_ledger(catalog).sound
        entry = catalog.record_definition("a", "c", AT)
        assert entry is not None and head.read_text() == f"{entry.seq}:{entry.hash}\n"


def test_a_head_that_cannot_be_written_does_not_undo_what_was_committed(tmp_path: Path) -> None:
    with warehouse(tmp_path, [1]) as catalog:
        (tmp_path / "ledger.head.new").mkdir()
        entry = catalog.record_definition("a", "b", AT)
        assert entry is not None and catalog.entries()[-1] == entry
        assert (tmp_path / "ledger.head").read_text().startswith("2:")
        assert check_ledger(catalog).sound


def test_a_warehouse_that_was_half_made_when_the_process_died_can_be_made_again(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "catalog.db.new", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE ledger (seq)")
    connection.close()
    (tmp_path / "catalog.db.new-wal").write_bytes(b"half")
    with create_warehouse(tmp_path, AT) as catalog:
        assert catalog.entries() == (make_entry(None, "opened", {"format": FORMAT, "hash": "sha256"}, AT),)
