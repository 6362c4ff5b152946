"""What it costs to bring a panel up to date when a day of events was loaded, beside computing it from all rows.

    python benchmarks/refresh_speed.py                       # 1 million, 10 million and 100 million events
    python benchmarks/refresh_speed.py --events 1000000 --out refresh-speed.json
    python benchmarks/refresh_speed.py --table               # the tables of docs/speed.md

A book of the events of panel_data.py gets one further day by a load of its own. The thirty metrics of panel_cells.py are then asked on the
ends of 24 months and on the new day: of all rows, and of what is kept of the data files once it is there of all but the new one. What is
folded in is the day's rows; the pane pass is the steps that read all rows. On 730 daily dates the same twelve measures are asked both ways.
Each run is a process of its own; the panels have to be the same, or the benchmark stops.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from panel_cells import monthly
from panel_clock import Clock, number_of_accounts
from panel_data import DAYS, DEFINITION, MEMORY, SOURCES, account_ids, make_accounts, make_book, one_day
from panel_unspun import question
from sqlglot import exp

from unspun.app.panel.run import lowered
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import run_panel
from unspun.metrics.asof import Dates
from unspun.metrics.question import PanelQuestion
from unspun.warehouse.catalog import open_catalog
from unspun.warehouse.file_facts import FACTS_FOLDER
from unspun.warehouse.load import PlannedFile, load_files
from unspun.warehouse.panel_state import kept_tables
from unspun.warehouse.read import BookReader, open_book

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "refresh-speed-2026-11-23.json"
EVENTS = (1_000_000, 10_000_000, 100_000_000)
NEW_DAY = date(2026, 1, 1)
TURNS = 3
DAILY_IDS = (
    "logins_28d", "reports_28d", "exports_90d", "events_28d", "events_90d", "value_90d", "average_value_28d", "users_28d",
    "active_days_28d", "days_since_event", "days_since_login", "events_per_seat_28d",
)  # fmt: skip
PASS = ("measure_state_", "measure_held_", "life_events", "accounts_of_panel")
"""The steps that read rows."""
Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TimedPanel(DuckDBPanel):
    """The embedded engine with a clock for the steps that read rows or what is kept of them."""

    clock: Clock = field(default_factory=Clock)

    def make(self, name: str, query: exp.Query) -> None:
        if not name.startswith(PASS):
            return DuckDBPanel.make(self, name, query)
        with self.clock.timed("pass"):
            return DuckDBPanel.make(self, name, query)


def answer(warehouse: Path, dates: str, state: bool) -> Record:
    """One panel, of rows or of what is kept: seconds by stage, peak memory, rows read and the hash of the panel."""
    clock, hashed = Clock(), hashlib.sha256()
    with open_catalog(warehouse) as catalog, clock.timed("whole"):
        book = catalog.current()
        assert book is not None
        with open_book(catalog, book, None, MEMORY) as reader:
            asked = question(book, "monthly", number_of_accounts(warehouse))
            days = (*monthly(), NEW_DAY) if dates == "monthly" else tuple(NEW_DAY - timedelta(days=day) for day in reversed(range(730)))
            asked = replace(asked, as_of=Dates(tuple(days)), asked=asked.asked if dates == "monthly" else DAILY_IDS)
            read = book_rows = sum(file.rows for table in book.tables if table.name == "events" for file in table.files)
            if state:
                with clock.timed("fold"):
                    kept, use = kept_tables(reader, lowered(asked, DuckDBPanel(reader)).keepable, lambda *_: None)
                asked, read = replace(asked, kept=kept), use.rows_read
            for batch in _batches(reader, asked, clock):
                some = batch.take(pa.array(range(0, batch.num_rows, 97), pa.int64()))
                hashed.update(repr(some.to_pylist()).encode())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "seconds": clock.seconds, "processor_seconds": clock.processor_seconds, "peak_bytes": peak, "rows_read": read,
        "rows": book_rows, "sha256": hashed.hexdigest(),
    }  # fmt: skip


def _batches(reader: BookReader, asked: PanelQuestion, clock: Clock) -> Iterator[pa.RecordBatch]:
    database = TimedPanel(reader, clock=clock)
    yield from run_panel(database, lowered(asked, database), lambda *_: None)


def add_day(warehouse: Path, events: int) -> int:
    """Load the events of one further day, as many as the last ones had; how many."""
    rows = round(events / DAYS * 1.5)
    made = make_accounts(1)
    part = one_day(made, DAYS, rows, np.random.default_rng((1, DAYS)))
    users = pa.array([f"user-{number:07d}" for number in range(int(made.users.sum()))])
    from panel_cells import EVENT_NAMES

    columns = {
        "account_id": account_ids(len(made.born)).take(pa.array(part.accounts)),
        "user_id": users.take(pa.array(part.users)),
        "event": pa.array(EVENT_NAMES).take(pa.array(part.names)),
        "event_time": pa.array(part.times_ms, pa.timestamp("ms")),
        "value": pa.array(part.values, mask=np.isnan(part.values)),
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "events.parquet"
        pq.write_table(pa.table(columns), path)
        with open_catalog(warehouse) as catalog, catalog.writing():
            load_files(catalog, [PlannedFile(str(path), SOURCES[0])], DEFINITION, datetime(2026, 1, 2, 1, tzinfo=UTC), memory=MEMORY)
    return rows


def measure(book: Path, events: int, turns: int) -> Record:
    """All of a book of so many events; it is copied, and the copy deleted."""
    with tempfile.TemporaryDirectory(dir=book.parent) as folder:
        warehouse = Path(folder) / "warehouse"
        shutil.copytree(book, warehouse, ignore=shutil.ignore_patterns(FACTS_FOLDER, ".spill"))
        first = _run(warehouse, "monthly", state=True)
        size = _size(warehouse)
        day_rows = add_day(warehouse, events)
        kept = Path(folder) / "kept"
        shutil.copytree(warehouse / FACTS_FOLDER, kept)
        of_rows, of_state = list[Record](), list[Record]()
        for _ in range(turns):
            of_rows.append(_run(warehouse, "monthly", state=False))
            shutil.rmtree(warehouse / FACTS_FOLDER)
            shutil.copytree(kept, warehouse / FACTS_FOLDER)
            of_state.append(_run(warehouse, "monthly", state=True))
        _same([*of_rows, *of_state])
        daily = [_run(warehouse, "daily", state) for state in (False, True, True)]
        _same(daily)
        found = {"events": events, "day_rows": day_rows, "data_bytes": size[0], "state_bytes": size[1], "first": first}
        return {**found, "rows": of_rows, "state": of_state, "daily_rows": daily[:1], "daily_state": daily[2:]}


def _size(warehouse: Path) -> tuple[int, int]:
    data = sum(path.stat().st_size for path in (warehouse / "tables" / "events").glob("*.parquet"))
    return data, sum(path.stat().st_size for path in (warehouse / FACTS_FOLDER).rglob("*.parquet"))


def _same(records: Sequence[Record]) -> None:
    if len({one["sha256"] for one in records}) > 1:
        raise ValueError("the panels differ")


def _run(warehouse: Path, dates: str, state: bool) -> Record:
    words = [sys.executable, __file__, "--answer", str(warehouse), dates, "state" if state else "rows"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


# Tables


def _median(records: Sequence[Record], stage: str, kind: str = "processor_seconds") -> float:
    return statistics.median(one[kind].get(stage, 0.0) for one in records)


def tables(results: Sequence[Record]) -> str:
    """The tables of docs/speed.md: seconds of processors, and on the clock."""
    lines = [
        "| events | rows of the day | pane pass over all rows | folding in the day | of it | panel of all rows | panel refreshed |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in results:
        whole, fold = _median(one["rows"], "pass"), _median(one["state"], "fold")
        folded = f"{whole:.1f} s | {fold:.2f} s | {fold / whole:.1%}"
        lines.append(f"| {one['events']:,} | {one['day_rows']:,} | {folded} | {_both(one['rows'])} | {_both(one['state'])} |")
    lines += [
        "", "| events | data | kept | first panel, which keeps it | 730 daily dates of all rows | of what is kept | peak memory |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for one in results:
        peak = max(record["peak_bytes"] for side in ("rows", "state", "daily_state") for record in one[side])
        sizes = f"{one['data_bytes'] / 1e6:,.0f} MB | {one['state_bytes'] / 1e6:,.0f} MB"
        daily = " | ".join(f"{_median(one[side], 'whole'):.1f} s" for side in ("daily_rows", "daily_state"))
        lines.append(f"| {one['events']:,} | {sizes} | {_median([one['first']], 'whole'):.1f} s | {daily} | {peak / 1e9:.2f} GB |")
    return "\n".join(lines)


def _both(records: Sequence[Record]) -> str:
    """Seconds of processors, and on the clock."""
    return f"{_median(records, 'whole'):.1f} s ({_median(records, 'whole', 'seconds'):.1f} s on the clock)"


def machine() -> Record:
    """On what it was measured."""
    packages = {name: version(name) for name in ("unspun", "duckdb", "pyarrow", "sqlglot")}
    return {"processors": os.cpu_count(), "platform": platform.platform(), "python": platform.python_version(), "packages": packages}


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--events", type=int, nargs="*", default=list(EVENTS))
    options.add_argument("--books", type=Path, help="a folder with a book for each number of events, {events}/warehouse")
    options.add_argument("--turns", type=int, default=TURNS)
    options.add_argument("--out", type=Path, default=RESULTS)
    options.add_argument("--table", action="store_true")
    options.add_argument("--answer", nargs=3, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.answer:
        print(json.dumps(answer(Path(asked.answer[0]), asked.answer[1], asked.answer[2] == "state")))
        return
    if asked.table:
        print(tables(json.loads(asked.out.read_text())["results"]))
        return
    with tempfile.TemporaryDirectory() as folder:
        results: list[Record] = []
        for events in asked.events:
            book = asked.books / str(events) / "warehouse" if asked.books else make_book(Path(folder) / str(events), events)
            results.append(measure(book, events, asked.turns))
            told = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "results": results}
            asked.out.write_text(json.dumps(told, indent=1) + "\n")
    print(tables(results))


if __name__ == "__main__":
    main()
