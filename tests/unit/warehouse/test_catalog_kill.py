"""Processes that are killed, and processes at once: what was acknowledged is there, and no reader sees half a version."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.warehouse.catalog_books import AT, table, warehouse
from unspun.warehouse.catalog import open_catalog
from unspun.warehouse.catalog_check import check_database, check_ledger, check_manifests

# Publishes versions and definitions without end, and says each once it has returned.
WRITER = """
import sys
from pathlib import Path
from tests.unit.warehouse.catalog_books import AT, table
from unspun.warehouse.catalog import open_catalog
name, folder, most = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
with open_catalog(folder) as catalog:
    print("ready", flush=True)
    for step in range(most):
        entry = catalog.record_definition(name, f"{name} {step}", AT)
        print("entry", entry.seq, entry.hash, flush=True)
        with catalog.writing(60):
            current = catalog.current()
            number = 1 if current is None else current.version + 1
            load = catalog.begin_load(AT, f"{name} {step}", {})
            tables = [table(number, number + 1, name="events"), table(number, name="accounts")]
            version = catalog.publish("load", tables, AT, [("remark", {"step": step})], load=load)
        print("version", version.version, version.entry_hash, flush=True)
"""


def writer(name: str, folder: Path, most: int = 100_000) -> subprocess.Popen[str]:
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-c", WRITER, name, str(folder), str(most)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=root)


def acknowledged(lines: list[str]) -> tuple[dict[int, str], dict[int, str]]:
    """The entries and versions that a writer said were written, with their hashes; a last line that was cut off is none."""
    told = [line.split() for line in lines if line.endswith("\n") and " " in line]
    entries = {int(number): hashed for what, number, hashed in told if what == "entry"}
    return entries, {int(number): hashed for what, number, hashed in told if what == "version"}


@pytest.mark.parametrize("seed", range(6))
def test_after_kill_9_at_any_moment_all_that_was_acknowledged_is_there_and_the_chain_holds(tmp_path: Path, seed: int) -> None:
    moment = random.Random(seed)
    warehouse(tmp_path).close()
    entries: dict[int, str] = {}
    versions: dict[int, str] = {}
    for round_ in range(2):
        process = writer(f"writer {round_}", tmp_path)
        assert process.stdout is not None and process.stdout.readline() == "ready\n"
        time.sleep(moment.uniform(0, 0.25))
        process.kill()
        for told, found in zip((entries, versions), acknowledged(process.stdout.readlines()), strict=True):
            told.update(found)
        process.wait()
        with open_catalog(tmp_path) as catalog:
            hashes = {entry.seq: entry.hash for entry in catalog.entries()}
            assert entries.items() <= hashes.items()
            assert versions.items() <= {line.version: catalog.version(line.version).entry_hash for line in catalog.versions()}.items()
            assert check_ledger(catalog).breaks == () and check_manifests(catalog) == () and check_database(catalog) == ()
            loads = {(line.load, line.version) for line in catalog.load_lines() if line.state == "in force"}
            assert loads == {(line.load, line.version) for line in catalog.versions() if line.kind == "load"}
            with catalog.writing(5):
                current = catalog.current()
                assert catalog.publish("compaction", [table(7)], AT).version == (1 if current is None else current.version + 1)


def test_two_processes_that_write_at_once_take_turns_and_lose_nothing(tmp_path: Path) -> None:
    warehouse(tmp_path).close()
    processes = [writer(name, tmp_path, 12) for name in ("one", "other")]
    told = [acknowledged(process.communicate(timeout=60)[0].splitlines(keepends=True)) for process in processes]
    entries, versions = told[0][0] | told[1][0], told[0][1] | told[1][1]
    assert (len(entries), len(versions)) == (24, 24)
    with open_catalog(tmp_path) as catalog:
        assert [line.version for line in catalog.versions()] == list(range(1, 25))
        assert len(catalog.entries()) == 1 + 24 * 3
        assert entries.items() <= {entry.seq: entry.hash for entry in catalog.entries()}.items()
        assert check_ledger(catalog).sound and check_manifests(catalog) == ()


def test_a_reader_sees_one_whole_version_at_every_moment_of_publishing_and_never_an_older_one_after_a_newer(tmp_path: Path) -> None:
    warehouse(tmp_path).close()
    process = writer("one", tmp_path, 40)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    seen: list[int] = []
    with open_catalog(tmp_path) as catalog:
        while process.poll() is None or not seen:
            version = catalog.current()
            if version is not None:
                seen.append(version.version)
                rows = {found.name: [file.path for file in found.files] for found in version.tables}
                number = version.version
                expected = {"events": [number, number + 1], "accounts": [number]}
                assert rows == {name: [f"tables/{name}/part-{n}.parquet" for n in numbers] for name, numbers in expected.items()}
                assert catalog.entry(version.entry) is not None
    assert seen == sorted(seen) and len(set(seen)) > 3
    process.communicate()


def test_a_long_read_keeps_its_version_while_another_process_publishes(tmp_path: Path) -> None:
    warehouse(tmp_path, [1]).close()
    with open_catalog(tmp_path) as catalog, catalog.reading():
        before = catalog.current()
        process = writer("one", tmp_path, 3)
        assert process.wait(timeout=30) == 0
        assert catalog.current() == before and len(catalog.versions()) == 1
    with open_catalog(tmp_path) as catalog:
        assert len(catalog.versions()) == 4
