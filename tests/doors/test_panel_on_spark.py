"""Panels on Spark, by the command as a shell runs it: what DuckDB gives of the same files, to the last cell."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.doors.book_files import Book
from tests.doors.cli_files import COMMAND, QUIET_TERMINAL, Ran, run
from tests.doors.metric_book import METRICS, copied

DATES = ("--as-of", "2026-01-31", "--as-of", "2026-03-31")
METRICS_ASKED = ("--metrics", "logins_28d,users_28d,minutes_28d,last_minutes,logins_per_seat,tier,minutes_z")
BY_NINE = ("minutes_z",)
MORE = """\
  minutes_z:
    description: Minutes beside those of others.
    z_score: minutes_28d
"""


@pytest.fixture(scope="module")
def book(loaded_company: Book, tmp_path_factory: pytest.TempPathFactory) -> Book:
    made = copied(loaded_company, tmp_path_factory.mktemp("spark") / "a [new] {folder}")  # signs that a pattern of files would have
    (made.folder / "metrics.yml").write_text(METRICS + MORE, encoding="utf-8")
    return made


def panel(book: Book, engine: str, *options: str) -> Ran:
    return run("panel", *DATES, *METRICS_ASKED, "--engine", engine, "--workspace", book.folder, *options)


def panel_apart(book: Book, engine: str) -> Ran:
    """The same in a process of its own: this one may have a Java running already, of other tests."""
    asked = ["panel", *DATES, *METRICS_ASKED, "--engine", engine, "--workspace", str(book.folder)]
    ran = subprocess.run([*COMMAND, *asked], capture_output=True, text=True, check=False, env={**os.environ, **QUIET_TERMINAL})
    return Ran(ran.returncode, ran.stdout, ran.stderr)


@pytest.mark.usefixtures("java")
def test_spark_gives_the_panel_that_duckdb_gives_says_so_and_leaves_nothing_behind(book: Book) -> None:
    assert panel(book, "duckdb", "--out", str(book.folder / "d.parquet")).code == 0
    asked = [
        "panel",
        *DATES,
        *METRICS_ASKED,
        "--engine",
        "spark:local[1]",
        "--workspace",
        book.folder,
        "--out",
        book.folder / "s.parquet",
        "--json",
    ]
    quick = {**os.environ, "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}  # so few rows are not worth compiling much
    ran = subprocess.run([*COMMAND, *map(str, asked)], capture_output=True, text=True, check=False, env=quick)
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    told = json.loads(ran.stdout)
    assert told["engine"].startswith("spark 4") and "STRUCT(" in " ".join(told["queries"].values())
    assert_equal(pq.read_table(book.folder / "d.parquet"), pq.read_table(book.folder / "s.parquet"))
    assert [path.name for path in (book.folder / "warehouse" / ".spill").iterdir()] == []


def assert_equal(one: pa.Table, other: pa.Table) -> None:
    """Equal to the last cell; z-scores to the last digits."""
    assert one.schema.equals(other.schema) and one.num_rows == 8
    for name in one.column_names:
        mine, its = one[name].to_pylist(), other[name].to_pylist()
        assert mine == (its if name not in BY_NINE else [None if cell is None else pytest.approx(cell, rel=1e-9) for cell in its]), name


@pytest.mark.parametrize(
    "url", ["spark", "spark:", "spark:yarn", "spark:local[x]", "spark://host", "spark://host:7077/path", "spark://u:p@h:1"]
)
def test_a_url_that_names_no_spark_is_a_fault_that_says_how_to_write_one(book: Book, url: str) -> None:
    ran = panel(book, url)
    assert ran.code == 2 and ran.faults == [
        "--engine: this names no Spark. Write spark:local[2] for two threads of this machine, or spark://host:7077 for a standalone "
        "cluster."
    ]


def test_too_little_memory_is_a_fault_before_anything_starts(book: Book) -> None:
    ran = panel(book, "spark:local[1]", "--memory", "300MB")
    assert ran.code == 2 and ran.faults == ["--memory: Spark needs 512MB at least. Allow more."]


def test_a_machine_without_java_is_told_what_to_install(book: Book, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    ran = panel_apart(book, "spark:local[1]")
    assert ran.code == 2 and ran.faults == [
        f"--engine: there is no Java under JAVA_HOME ({tmp_path}). Install Java 17 (Debian and Ubuntu: apt install "
        "openjdk-17-jre-headless), or set JAVA_HOME to it."
    ]


@pytest.mark.skipif(os.name != "posix", reason="a shell script stands in for another Java")
def test_a_java_that_is_too_old_is_told_with_what_it_says(book: Book, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "java").write_text("#!/bin/sh\necho 'Error: UnsupportedClassVersionError: class file version 61.0' >&2\nexit 1\n")
    (tmp_path / "bin" / "java").chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    ran = panel_apart(book, "spark:local[1]")
    assert ran.code == 2 and "UnsupportedClassVersionError" in ran.err and "Install Java 17" in ran.err


@pytest.mark.usefixtures("java")
def test_a_master_that_does_not_answer_is_a_fault_at_once(book: Book) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        port = taken.getsockname()[1]
        ran = panel_apart(book, f"spark://127.0.0.1:{port}")
    assert ran.code != 0 and ran.faults == [
        f"--engine: no Spark master answers at 127.0.0.1:{port} (Connection refused). Start it (sbin/start-master.sh of Spark), or "
        "mend the address."
    ]
