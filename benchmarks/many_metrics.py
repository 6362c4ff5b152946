"""What two hundred metrics cost beside thirty, on the same events and as-of dates.

    python benchmarks/many_metrics.py                                  # 10 million events, 24 monthly dates, three turns
    python benchmarks/many_metrics.py --events 1000000 --turns 1 --out many-metrics.json
    python benchmarks/many_metrics.py --table                          # the table of docs/speed.md

The thirty are those of panel_cells.py. The two hundred ask the same kinds of measure of every name of event and of all events together:
counts over three windows; sums, averages, distinct users and active days over two; the largest value; days since the last and the first
event; shares and changes. Both are computed of all rows (nothing is kept of data files) and written as Parquet with their reasons, each run
in a process of its own, in turns; ratios are taken within a turn.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from panel_cells import EVENT_NAMES, Changed, Divided, Measured, What
from panel_clock import Clock, number_of_accounts
from panel_data import make_book
from panel_speed import peak_mb
from panel_tables import spliced
from panel_unspun import metric_set, question, write_panel_of

from unspun.warehouse.catalog import open_catalog
from unspun.warehouse.read import open_book

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "many-metrics-2026-11-23.json"
PAGE = HERE.parent / "docs" / "speed.md"
MARKS = ("<!-- many metrics: begin, written by many_metrics.py --table -->", "<!-- many metrics: end -->")
MEMORY = "1100MB"
AIM = 2.5
WINDOWS: tuple[tuple[What, str, tuple[int, ...]], ...] = (
    ("count", "events", (7, 28, 90)),
    ("sum", "value", (28, 90)),
    ("average", "average", (28, 90)),
    ("largest", "largest", (90,)),
    ("users", "users", (28, 90)),
    ("days", "days", (28, 90)),
    ("since last", "since_last", (0,)),
    ("since first", "since_first", (0,)),
)
Record = dict[str, Any]


def two_hundred() -> list[Measured | Divided | Changed]:
    """182 measures of the twelve names and of all events, twelve shares and six changes."""
    found: list[Measured | Divided | Changed] = []
    for name in ("", *EVENT_NAMES):
        short = name.replace(" ", "_") or "all"
        found += [Measured(f"{short}_{told}_{days}d", what, days, name) for what, told, windows in WINDOWS for days in windows]
    shorts = [name.replace(" ", "_") for name in EVENT_NAMES]
    found += [Divided(f"{short}_share", f"{short}_events_28d", "all_events_28d") for short in shorts]
    return [*found, *(Changed(f"{short}_change", f"{short}_events_28d") for short in shorts[:6])]


def answer(warehouse: Path, metrics: int, out: Path) -> Record:
    """One panel: seconds, processor seconds and the most memory that this process held."""
    clock = Clock()
    with open_catalog(warehouse) as catalog, clock.timed("panel"):
        book = catalog.current()
        assert book is not None
        asked = question(book, "monthly", number_of_accounts(warehouse))
        if metrics == 200:
            many = metric_set(two_hundred())
            asked = replace(asked, metrics=many, asked=tuple(one.id for one in many))
        with open_book(catalog, book, None, MEMORY) as reader:
            write_panel_of(reader, asked, out)
    measured = {"metrics": len(asked.asked), "peak_mb": peak_mb()}
    return {"seconds": clock.seconds["panel"], "processor_seconds": clock.processor_seconds["panel"], **measured}


def measure(warehouse: Path, turns: int, folder: Path) -> Record:
    """The runs in turns, and the ratios within a turn."""
    runs: dict[str, list[Record]] = {"30": [], "200": []}
    for turn in range(turns):
        for metrics in runs if turn % 2 == 0 else reversed(runs):
            words = [sys.executable, __file__, "--answer", str(warehouse), metrics, str(folder / "panel.parquet")]
            done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True)
            runs[metrics].append(json.loads(done.stdout) | {"load_before": round(os.getloadavg()[0], 2)})
    ratios = {
        kind: [round(many[kind] / few[kind], 3) for few, many in zip(runs["30"], runs["200"], strict=True)]
        for kind in ("seconds", "processor_seconds")
    }
    return {"runs": runs, "ratios": ratios}


def tables(results: Record) -> list[str]:
    """The table of docs/speed.md."""
    lines = ["|  | seconds | processor seconds | most memory, MB |", "| --- | ---: | ---: | ---: |"]
    for metrics, runs in results["runs"].items():
        clock, processor = (statistics.median(run[kind] for run in runs) for kind in ("seconds", "processor_seconds"))
        lines.append(f"| {metrics} metrics | {clock:.2f} | {processor:.2f} | {max(run['peak_mb'] for run in runs):,} |")
    clock, processor = (results["ratios"][kind] for kind in ("seconds", "processor_seconds"))
    middle = [statistics.median(ratios) for ratios in (clock, processor)]
    told = " and ".join(f"{mid:.2f} ({min(all):.2f} to {max(all):.2f})" for mid, all in zip(middle, (clock, processor), strict=True))
    met = "met" if max(middle) <= AIM else "**missed**"
    return [
        f"Run on {results['date']} on {results['events']:,} events and 24 monthly dates with {results['processors']} processors.",
        "",
        *lines,
        "",
        f"200 beside 30: {told} times, on the clock and in processor seconds. The aim of at most {AIM} times is {met}.",
    ]  # fmt: skip


def circumstances(events: int) -> Record:
    """When it is measured, and on what."""
    versions = {name: version(name) for name in ("unspun", "duckdb", "pyarrow", "sqlglot")} | {"python": platform.python_version()}
    return {"date": datetime.now(UTC).date().isoformat(), "events": events, "processors": os.cpu_count(), "versions": versions}


def main() -> None:
    """The command line; --answer is for the processes that it starts."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--events", type=int, default=10_000_000)
    options.add_argument("--books", type=Path, help="a folder with a book for each number of events, {events}/warehouse")
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--out", type=Path, default=RESULTS)
    options.add_argument("--table", action="store_true")
    options.add_argument("--answer", nargs=3, help=argparse.SUPPRESS)
    asked = options.parse_args()
    if asked.answer:
        print(json.dumps(answer(Path(asked.answer[0]), int(asked.answer[1]), Path(asked.answer[2]))))
    elif asked.table:
        PAGE.write_text(spliced(PAGE.read_text(), MARKS, tables(json.loads(asked.out.read_text()))))
    else:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            book = asked.books / str(asked.events) / "warehouse" if asked.books else make_book(folder / str(asked.events), asked.events)
            asked.out.write_text(json.dumps(circumstances(asked.events) | measure(book, asked.turns, folder), indent=1) + "\n")
        print("\n".join(tables(json.loads(asked.out.read_text()))))


if __name__ == "__main__":
    main()
