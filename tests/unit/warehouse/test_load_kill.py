"""A loader killed at any of its steps leaves the version in force, and the next load takes up its work."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.unit.warehouse.loaded_books import PURCHASES, TICKETS, book, day, load, read, tickets, write
from unspun.warehouse.catalog import Catalog, open_catalog

STEPS = 26  # a load of two files syncs or renames at least so often
SEED = 20241122
CHILD = """
import os, signal, sys
from pathlib import Path
from tests.unit.warehouse.loaded_books import load, PURCHASES, TICKETS
from unspun.warehouse.catalog import open_catalog

left = int(sys.argv[2])

def counted(function):
    def stepped(*arguments):
        global left
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*arguments)
    return stepped

folder = Path(sys.argv[1])
with open_catalog(folder / "warehouse") as catalog, catalog.writing():
    print("writing", flush=True)
    os.fsync, Path.replace = counted(os.fsync), counted(Path.replace)
    load(catalog, "2024-03-01", (folder / "t2.csv", TICKETS), (folder / "p.csv", PURCHASES))
"""
COUNTS = "SELECT (SELECT count(*) FROM tickets_versions), (SELECT count(*) FROM purchases)"


def files_of(folder: Path) -> None:
    tickets(folder / "t2.csv", "1,t1,2024-01-01,closed,low", "1,t2,2024-01-02,open,low")
    write(folder / "p.csv", "account,day,amount,product", "1,2024-01-01,5,a", "1,2024-01-03,6,a")


def start(folder: Path, steps: int) -> subprocess.Popen[str]:
    root = Path(__file__).parents[3]
    return subprocess.Popen([sys.executable, "-c", CHILD, str(folder), str(steps)], cwd=root, stdout=subprocess.PIPE, text=True)


def check_consistent(catalog: Catalog) -> None:
    """What lies in the folder is what is published, and Delta says the same."""
    version = catalog.current()
    assert version is not None
    stored = {path.relative_to(catalog.folder).as_posix() for path in catalog.folder.glob("tables/*/*.parquet")}
    assert stored == catalog.files_in_use()
    for table in version.tables:
        log = DeltaTable(catalog.folder / "tables" / table.name)
        names = {Path(file.path).name for file in table.files}
        assert {Path(uri).name for uri in log.file_uris()} == names
        log.load_as_version(table.delta_version)
        assert {Path(uri).name for uri in log.file_uris()} == names


@pytest.mark.parametrize("step", sorted(random.Random(SEED).sample(range(1, STEPS + 1), 5)))
def test_a_killed_load_is_there_as_a_whole_or_not_at_all_and_can_be_loaded_again(tmp_path: Path, step: int) -> None:
    files_of(tmp_path)
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (tickets(tmp_path / "t1.csv", "1,t1,2024-01-01,open,low"), TICKETS))
    child = start(tmp_path, step)
    child.communicate()
    assert child.returncode == -signal.SIGKILL
    with open_catalog(tmp_path / "warehouse") as catalog:
        assert read(catalog, COUNTS) in ([(1, 0)], [(3, 2)])
        with catalog.writing():
            load(catalog, "2024-03-02", (tmp_path / "t2.csv", TICKETS), (tmp_path / "p.csv", PURCHASES))
        assert read(catalog, COUNTS) == [(3, 2)]
        check_consistent(catalog)


def test_a_second_loader_waits_for_the_first_and_both_are_in_the_book(tmp_path: Path) -> None:
    files_of(tmp_path)
    told: list[str] = []
    with book(tmp_path) as catalog:
        load(catalog, "2024-02-01", (tickets(tmp_path / "t1.csv", "1,t1,2024-01-01,open,low"), TICKETS))
        child = start(tmp_path, 0)
        threading.Event().wait(0.5)
        load(catalog, "2024-02-15", (tickets(tmp_path / "t3.csv", "1,t3,2024-01-01,open,low"), TICKETS))
    child.communicate()
    assert child.returncode == 0
    with open_catalog(tmp_path / "warehouse") as catalog, catalog.writing(10, told.append):
        assert read(catalog, "SELECT ticket_id, status FROM tickets ORDER BY 1") == [("t1", "closed"), ("t2", "open"), ("t3", "open")]
        assert [line.state for line in catalog.load_lines()] == ["in force"] * 3
        assert catalog.load_lines()[-1].begun_at == day("2024-03-01")
