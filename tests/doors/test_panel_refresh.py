"""`unspun panel` made of what is kept of loaded files: the same bytes as without, also after corrections and kills at any moment."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from tests.doors.book_files import Book, empty_book
from unspun.warehouse.file_facts import FACTS_FOLDER, is_whole

SOURCES = """\
time_zone: Europe/Berlin
sources:
  - files: "usage*.csv"
    table: events
    key: event_id
    columns: {event_id: number, account_id: id, occurred: at, event: what, user_id: who}
"""
METRICS = """\
metrics:
  logins_28d:
    description: Logins.
    count: events
    window: 28d
    where: {event: login}
  users_ever:
    description: Users.
    distinct: events.user_id
  active_days_28d:
    description: Active days.
    active_days: events
    window: 28d
"""
DATES = ("--as-of", "2026-01-31", "--as-of", "2026-03-31", "--as-of", "2026-06-30")
FIRST = datetime(2026, 1, 1, 6, tzinfo=UTC)
EVENTS = 6000
KILLS = 4
CHILD = """
import sys
from unspun.cli import main
from unspun.warehouse.panel_state import _State

def told(function):
    def begun(*arguments):
        print("keeping", flush=True)
        return function(*arguments)
    return begun

_State._kept = told(_State._kept)
main(sys.argv[1:])
"""


def usage(numbers: range | list[int], version: int = 0) -> list[str]:
    """Events by number, as an export writes them; of another version with another name and user."""
    lines = ["number,id,at,what,who"]
    for number in numbers:
        at = FIRST + timedelta(minutes=40 * number)
        what = ("login", "export", "report")[(number + version) % 3]
        lines.append(f"e{number},A-{number % 7},{at:%Y-%m-%d %H:%M:%S}+00:00,{what},u{(number * 31 + version) % 40}")
    return lines


@pytest.fixture
def book(tmp_path: Path) -> Book:
    book = empty_book(tmp_path)
    (book.folder / "book.yml").write_text(SOURCES, encoding="utf-8")
    (book.folder / "metrics.yml").write_text(METRICS, encoding="utf-8")
    load(book, "usage1.csv", usage(range(EVENTS)))
    return book


def load(book: Book, name: str, lines: list[str], *options: str) -> None:
    ran = book.load(book.export(name, lines), "--no-check", *options)
    assert ran.code == 0, ran.err


def panel(book: Book, *options: str) -> tuple[bytes, str]:
    """The file that the command writes, and what it prints."""
    path = book.folder.parent / "panel.parquet"
    ran = book.run("panel", *DATES, "--out", path, *options)
    assert ran.code == 0, ran.err
    found = path.read_bytes()
    path.unlink()
    return found, " ".join(ran.out.split())


def test_the_file_is_the_same_to_the_byte_with_what_is_kept_and_without(book: Book) -> None:
    made, without, kept = panel(book), panel(book, "--no-state"), panel(book)
    assert made[0] == without[0] == kept[0]
    assert "What 6,000 rows of events, in 1 loaded file, add up to was kept by an earlier run and read in their place (--no" in kept[1]
    assert "kept" not in made[1]
    assert "kept" not in without[1]


def test_after_a_correction_it_is_the_same_and_only_the_days_corrected_are_read(book: Book) -> None:
    panel(book)
    chosen = list(range(100, EVENTS, 450))
    load(book, "usage2.csv", usage(chosen, version=1), "--known-at", "2026-05-15")
    kept, told = panel(book)
    assert kept == panel(book, "--no-state")[0]
    assert "What 6,000 rows of events, in 1 loaded file, add up to was kept by an earlier run" in told
    versions = re.search(r"but for (\d+) row versions of days with a corrected row", told)
    assert versions is not None
    assert 2 * len(chosen) < int(versions[1]) < EVENTS / 20
    load(book, "usage3.csv", usage(range(0, EVENTS, 20), version=2), "--known-at", "2026-05-16")
    kept, told = panel(book)
    assert kept == panel(book, "--no-state")[0]
    assert "All rows of events were read: corrections touch more than a tenth of its accounts' days" in told


def test_it_is_told_which_metrics_read_every_row(book: Book) -> None:
    with (book.folder / "metrics.yml").open("a", encoding="utf-8") as file:
        file.write("  longest:\n    description: Days in a row.\n    streak: events\n    window: 28d\n")
    panel(book)
    why = "percentiles, streaks, times, funnels and days of users are made of single rows of events"
    assert f"Rows were read besides: {why}." in panel(book)[1]
    explained = {name: json.loads(book.run("metrics", "explain", name, "--json").out) for name in ("longest", "users_ever")}
    assert explained["longest"]["every_row_is_read"] == [why]
    assert explained["users_ever"]["every_row_is_read"] == []
    assert "rows of new files only" in book.run("metrics", "explain", "users_ever").out


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there is no such signal")
def test_killed_while_it_keeps_the_next_panel_is_the_same(book: Book) -> None:
    random, out = Random(20261123), book.folder.parent / "killed.parquet"
    right, _ = panel(book, "--no-state")
    arguments = ["panel", *DATES, "--out", str(out), "--workspace", str(book.folder)]
    facts = book.folder / "warehouse" / FACTS_FOLDER
    for _ in range(KILLS):
        for path in facts.rglob("*.parquet"):
            path.unlink()
        with subprocess.Popen([sys.executable, "-c", CHILD, *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == b"keeping\n"
            time.sleep(random.uniform(0, 0.1))
            os.kill(child.pid, signal.SIGKILL)
        assert all(map(is_whole, facts.rglob("*.parquet")))
        out.unlink(missing_ok=True)
    assert panel(book)[0] == right
    assert panel(book)[0] == right
