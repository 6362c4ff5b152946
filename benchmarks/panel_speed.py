"""What a panel of thirty metrics costs, beside one scan of the events, SQL by hand on DuckDB and Postgres, and Polars.

    python benchmarks/panel_speed.py                         # every cell (10 million and 100 million events: about half an hour)
    python benchmarks/panel_speed.py --cell "1M monthly" --out panel-speed.json
    python benchmarks/panel_speed.py --table                 # the tables of docs/speed.md

Events are made up and loaded into a book as the product loads them. Every side reads what the book stores: Unspun through the book,
DuckDB and Polars its Parquet files. The databases of SQL by hand (panel_sql.py) are filled from these before the clock runs. Each side runs
in a process of its own, in turns with the others; ratios are taken within a turn. Every side writes its answers, and they have to be the
same (panel_check.py), or the benchmark stops. What is measured is saved after each run: a benchmark that was stopped goes on where it was,
and what is in the results already is not run again.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from panel_check import differing, differing_panel
from panel_clock import LOADING, Clock
from panel_tables import DUCKDB, FLOOR, POLARS, POSTGRES, SCAN, SIDES, UNSPUN, write_tables

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "panel-speed-2026-11-23.json"
PAGE = HERE.parent / "docs" / "speed.md"
MEMORY = "1100MB"
PACKAGES = ("unspun", "duckdb", "polars", "pyarrow", "numpy", "sqlglot")
ANSWERING = (UNSPUN, POLARS, DUCKDB, POSTGRES)
SLOW, QUICK_EVENTS = (DUCKDB, POSTGRES), 1_000_000


@dataclass(frozen=True, slots=True)
class Cell:
    """How many events and which as-of dates; the sides, and how often each runs (the slow ones once)."""

    events: int
    dates: str
    turns: dict[str, int]

    @property
    def name(self) -> str:
        return f"{self.events // 1_000_000}M {self.dates}"


CELLS = (
    Cell(1_000_000, "monthly", {SCAN: 3, FLOOR: 3, UNSPUN: 3, POLARS: 3, DUCKDB: 3, POSTGRES: 1}),
    Cell(10_000_000, "monthly", {SCAN: 3, FLOOR: 3, UNSPUN: 3, POLARS: 3, DUCKDB: 1, POSTGRES: 1}),
    Cell(100_000_000, "monthly", {SCAN: 2, FLOOR: 2, UNSPUN: 2, POLARS: 1, DUCKDB: 1}),
    Cell(10_000_000, "weekly", {SCAN: 2, FLOOR: 2, UNSPUN: 2, POLARS: 1, DUCKDB: 1}),
    Cell(10_000_000, "renewals", {SCAN: 3, FLOOR: 3, UNSPUN: 3, POLARS: 3, DUCKDB: 1}),
)


def run_side(side: str, book: Path, dates: str, out: Path) -> dict[str, Any]:
    """One side in this process: seconds by stage, and the most memory that the process (of Postgres: the server) held."""
    clock, warehouse, held = Clock(), book / "warehouse", 0
    if side == UNSPUN:
        import panel_unspun

        panel_unspun.make_panel(warehouse, dates, out, MEMORY, clock)
    elif side == POLARS:
        import panel_polars

        panel_polars.make_panel(warehouse, dates, out, clock)
    elif side == POSTGRES:
        import panel_postgres

        held = panel_postgres.range_joins(warehouse, dates, out, clock)
    else:
        import panel_duckdb

        if side == DUCKDB:
            panel_duckdb.range_joins(warehouse, book / "usage.duckdb", dates, out, clock)
        else:
            {SCAN: panel_duckdb.scan, FLOOR: panel_duckdb.floor}[side](warehouse, clock)
    peak = held or peak_mb()
    processor = round(sum(seconds for stage, seconds in clock.processor_seconds.items() if stage != LOADING), 4)
    return {"seconds": round(clock.total, 4), "processor_seconds": processor, "peak_mb": peak, "stages": clock.seconds}


def peak_mb() -> int:
    """The most that this process held. What getrusage says includes the process that started it, where Linux can say it without."""
    status = Path("/proc/self/status")
    if status.exists():
        held = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return round(int(held.split()[1]) * 1024 / 1e6)
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6)


def measure(cells: Sequence[Cell], sides: Sequence[str], folder: Path, results: Results) -> None:
    """Every run of these cells and sides that is not in the results yet; what takes minutes after all else."""
    for slow in (False, True):
        for cell in cells:
            for turn in range(max(cell.turns.values())):
                for side in sides:
                    due = cell.turns.get(side, 0) > turn and len(results.runs(cell, side)) <= turn
                    if due and slow == (side in SLOW and cell.events > QUICK_EVENTS):
                        _run(cell, side, folder, results)


def _run(cell: Cell, side: str, folder: Path, results: Results) -> None:
    """One run in a process of its own, its answers held beside those of the other sides."""
    book = prepared_book(folder, cell.events, with_database=side == DUCKDB)
    out = book / f"{cell.dates} {side}.parquet"
    load = round(os.getloadavg()[0], 2)
    command = [sys.executable, __file__, "--side", side, "--folder", str(book), "--dates", cell.dates, "--out", str(out)]
    run = json.loads(subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout) | {"load_before": load}
    if side in ANSWERING:
        run["compared_with"] = _compare(cell, side, book)
    results.add(cell, side, run)
    shown = {name: value for name, value in run.items() if name != "stages"}
    print(f"{cell.name:<16}{side:<24}{json.dumps(shown)}", flush=True)


def _compare(cell: Cell, side: str, book: Path) -> list[str]:
    """The sides with which the answers agree. Raises ValueError where they differ."""
    there = {other: book / f"{cell.dates} {other}.parquet" for other in ANSWERING}
    mine, others = there.pop(side), {other: path for other, path in there.items() if path.exists()}
    for other, path in others.items():
        if UNSPUN in (side, other):
            by_hand, panel = (path, mine) if side == UNSPUN else (mine, path)
            differences = differing_panel(by_hand, panel, book / "warehouse")
        else:
            differences = differing(path, mine)
        if differences:
            raise ValueError(f"{cell.name}: {side} and {other} differ: {differences}")
    return list(others)


def prepared_book(folder: Path, events: int, with_database: bool) -> Path:
    """The folder of the book of so many events, made if it is not there, in a process of its own; and a database of the same events."""
    book = folder / str(events)
    for part, there in (("book", book / "warehouse"), ("database", book / "usage.duckdb")):
        if not there.exists() and (part == "book" or with_database):
            print(f"{events:,} events: making the {part}", flush=True)
            subprocess.run([sys.executable, __file__, "--make", part, "--events", str(events), "--folder", str(book)], check=True)
    return book


def _make(part: str, events: int, book: Path) -> None:
    if part == "book":
        from panel_data import make_book

        make_book(book, events)
    else:
        from panel_duckdb import make_database

        make_database(book / "warehouse", book / "usage.duckdb")


@dataclass(slots=True)
class Results:
    """The file of results: read where it is there, written after every run."""

    path: Path

    def read(self) -> dict[str, Any]:
        return json.loads(self.path.read_text()) if self.path.exists() else {"cells": {}}

    def runs(self, cell: Cell, side: str) -> list[dict[str, Any]]:
        return self.read()["cells"].get(cell.name, {}).get("runs", {}).get(side, [])

    def add(self, cell: Cell, side: str, run: dict[str, Any]) -> None:
        results = self.read() | {
            "date": datetime.now(UTC).date().isoformat(),
            "versions": {"python": platform.python_version()} | {name: version(name) for name in PACKAGES},
            "machine": {"processors": os.cpu_count(), "system": platform.system(), "machine": platform.machine()},
            "memory_limit": MEMORY,
        }
        lines = results["cells"].setdefault(cell.name, {"events": cell.events, "dates": cell.dates, "runs": {}})
        lines["runs"].setdefault(side, []).append(run)
        lines["median"] = {name: _median(runs) for name, runs in lines["runs"].items()}
        lines["ratio_to_floor"] = _ratios(lines["runs"], FLOOR)
        lines["ratio_to_unspun"] = _ratios(lines["runs"], UNSPUN)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text(json.dumps(results, indent=1) + "\n")


def _median(runs: list[dict[str, Any]]) -> dict[str, Any]:
    middle = {kind: round(statistics.median(run[kind] for run in runs), 3) for kind in ("seconds", "processor_seconds")}
    return middle | {"peak_mb": max(run["peak_mb"] for run in runs)}


def _ratios(runs: dict[str, list[dict[str, Any]]], beside: str) -> dict[str, Any]:
    """Of each side, its seconds by those of another in the same turn: the median, all of them, and the median of processor seconds."""
    made: dict[str, Any] = {}
    for side, own in runs.items():
        turns = list(zip(own, runs.get(beside, []), strict=False))  # a side that runs once has one turn
        clock, processor = ([one[kind] / other[kind] for one, other in turns] for kind in ("seconds", "processor_seconds"))
        if turns and side != beside:
            within = {"median": round(statistics.median(clock), 3), "within_turns": [round(ratio, 3) for ratio in clock]}
            made[side] = within | {"processor_median": round(statistics.median(processor), 3)}
    return made


def main() -> None:
    """The command line; --side and --make are for the processes that it starts."""
    given = _arguments()
    if given.side:
        print(json.dumps(run_side(given.side, given.folder, given.dates, given.out)))
    elif given.make:
        _make(given.make, given.events, given.folder)
    elif given.table:
        write_tables(RESULTS, PAGE)
    else:
        cells = [cell for cell in CELLS if not given.cell or cell.name in given.cell]
        with tempfile.TemporaryDirectory(prefix="unspun-panel-") as name:
            folder = given.folder or Path(name)
            folder.chmod(0o755)  # Postgres runs as another user, below it
            measure(cells, given.only or SIDES, folder, Results(given.out or RESULTS))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cell", action="append", choices=[cell.name for cell in CELLS], help="only this cell; repeat")
    parser.add_argument("--only", action="append", choices=SIDES, help="only this side; repeat")
    parser.add_argument("--folder", type=Path, help="where the books are made and stay (default: a temporary folder)")
    parser.add_argument("--out", type=Path, help=f"where the results go (default: {RESULTS.name}); runs that are there are not run again")
    parser.add_argument("--table", action="store_true", help="write the tables of docs/speed.md from the results")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--dates", help=argparse.SUPPRESS)
    parser.add_argument("--make", choices=("book", "database"), help=argparse.SUPPRESS)
    parser.add_argument("--events", type=int, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
