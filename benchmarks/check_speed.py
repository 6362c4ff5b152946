"""What checking a book costs, beside one pass over its events: crm_sim whole (12.0M events) and parts of it.

    python benchmarks/check_speed.py                       # 1.5, 3, 6 and 12 million events, five turns each
    python benchmarks/check_speed.py --turns 1 --out check-speed.json

Two floors: one scan of the events as the book stores them (every value of every column read and hashed), and one pass that groups them
by account, name and day. Beside them the first check, which keeps what it counts of each data file, a check that finds it kept, and the
same on one thread (`alone`). Each side runs in a process of its own, in turns with the others; ratios are taken between runs of one turn,
of seconds on the clock and of seconds of the processors (which another process on the machine lengthens less). `stages` are the seconds of
each check on one thread. `load` is the load of all files of the book, in the benchmark's own process, once: a load keeps nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from load_speed import CRM_SIM, DATA, DEFINITION, MEMORY

from unspun.app.checks import ask_checks, examples_of, shape_of
from unspun.book.checks.catalogue import CHECKS
from unspun.book.checks.run import run_checks
from unspun.book.sql_words import local_day
from unspun.engines.embedded import sql_name
from unspun.warehouse.catalog import create_warehouse, open_catalog
from unspun.warehouse.file_facts import FACTS_FOLDER
from unspun.warehouse.load import PlannedFile, load_files
from unspun.warehouse.read import BookReader, open_book
from unspun.warehouse.versions import BookVersion

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "check-speed-2026-11-23.json"
PACKAGES = ("unspun", "duckdb", "pyarrow", "numpy")
SIDES = ("scan", "grouped", "first", "check", "alone")
FLOORS, CHECKED = SIDES[:2], SIDES[2:]
AT = datetime(2024, 2, 1, tzinfo=UTC)
PARTS = (8, 4, 2, 1)  # of the events: one of so many


def make_book(folder: Path, part: int) -> tuple[int, float, float]:
    """A book of crm_sim with the first of so many parts of its events; their number, and the seconds of the load and of its processors."""
    folder.mkdir(parents=True)
    rows = pq.ParquetFile(DATA / "crm_sim" / "events.parquet")
    wanted = rows.metadata.num_rows // part
    events = folder / "events.parquet"
    with pq.ParquetWriter(events, rows.schema_arrow, compression="zstd") as writer:
        left = wanted
        for batch in rows.iter_batches():
            writer.write_batch(batch.slice(0, left))
            left -= min(left, batch.num_rows)
            if not left:
                break
    others = [DATA / "crm_sim" / source.files[0] for source in CRM_SIM[1:]]
    planned = [PlannedFile(str(path), source) for path, source in zip([events, *others], CRM_SIM, strict=True)]
    with create_warehouse(folder / "warehouse", datetime.now(UTC)) as catalog, catalog.writing():
        start, processor = time.perf_counter(), time.process_time()
        load_files(catalog, planned, DEFINITION, datetime.now(UTC), memory=MEMORY)
        seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor
    events.unlink()
    return wanted, seconds, processor_seconds


def run_side(side: str, folder: Path) -> dict[str, Any]:
    """One side in this process: seconds, seconds by stage, findings and the most memory held."""
    if side == "first":
        shutil.rmtree(folder / "warehouse" / FACTS_FOLDER, ignore_errors=True)
    with open_catalog(folder / "warehouse") as catalog:
        book = catalog.current()
        assert book is not None
        with open_book(catalog, book, None, MEMORY) as reader:
            reader.query("SELECT count(*) FROM accounts")
            pa.array([0])  # libraries are loaded before the clock runs: pyarrow loads pandas here, where it is installed
            start, processor = time.perf_counter(), time.process_time()
            stages, findings = {"scan": _scan, "grouped": _group, "first": _check, "check": _check, "alone": _check_alone}[side](
                reader, book
            )
            seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor
    in_bytes = 1 if sys.platform == "darwin" else 1024
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * in_bytes / 1e6)
    return {"seconds": seconds, "processor_seconds": processor_seconds, "stages": stages, "findings": findings, "peak_mb": peak}


Found = tuple[dict[str, float], list[str]]
"""Seconds by stage, and what was found."""


def _scan(reader: BookReader, book: BookVersion) -> Found:
    """Every value of every column read and hashed; least and greatest would be answered from the files' statistics."""
    table = book.table("events")
    assert table is not None
    reader.query("SELECT " + ", ".join(f"bit_xor(hash({sql_name(name)}))" for name, _ in table.columns) + " FROM events")
    return {}, []


def _group(reader: BookReader, _book: BookVersion) -> Found:
    """The rows of each account, name and day, counted; the counts are summed, so that they are not written down."""
    day = local_day("occurred", DEFINITION.time_zone)
    grouped = f"SELECT account_id, event, {day} AS day, count(*) AS rows FROM events GROUP BY ALL"
    reader.query(f"SELECT count(*), sum(rows) FROM ({grouped})")
    return {}, []


def _check(reader: BookReader, book: BookVersion) -> Found:
    """As the product does it: every check, and the example rows of every finding."""
    outcomes, _ = ask_checks(reader, shape_of(book, DEFINITION, AT), CHECKS, lambda *_: None)
    return {}, [finding.id for outcome in outcomes for finding in outcome.findings]


def _check_alone(reader: BookReader, book: BookVersion) -> Found:
    """The same, one question after the other."""
    marks: list[tuple[str, float]] = [("holding the small tables", time.perf_counter())]
    outcomes = run_checks(
        shape_of(book, DEFINITION, AT),
        CHECKS,
        reader.query,
        reader.register,
        lambda what, _done, _total: marks.append((what, time.perf_counter())),
        reader.by_file,
        first=reader.holding_sql(),
    )
    found = [finding for outcome in outcomes for finding in outcome.findings]
    for finding in found:
        marks.append((f"examples of {finding.id}", time.perf_counter()))
        examples_of(reader, finding)
    marks.append(("", time.perf_counter()))
    stages = {name: after - before for (name, before), (_, after) in pairwise(marks)}
    return stages, [finding.id for finding in found]


def measure(turns: int, parts: tuple[int, ...]) -> list[dict[str, Any]]:
    """A line for each size: medians of seconds, the ratios to the floors, and where the time of the checks went."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="unspun-check-") as name:
        for part in parts:
            folder = Path(name) / f"part-{part}"
            loaded = make_book(folder, part)
            runs = [{side: _apart(side, folder) for side in SIDES} for _ in range(turns)]
            lines.append(_line(loaded, runs))
            print(json.dumps({key: value for key, value in lines[-1].items() if key != "stages"}), file=sys.stderr)
    return lines


def _line(loaded: tuple[int, float, float], runs: list[dict[str, dict[str, Any]]]) -> dict[str, Any]:
    events, load, processor_load = loaded
    return {
        "events": events,
        "seconds": {"load": round(load, 3)} | {side: _median(run[side]["seconds"] for run in runs) for side in SIDES},
        "processor_seconds": {"load": round(processor_load, 3)}
        | {side: _median(run[side]["processor_seconds"] for run in runs) for side in SIDES},
        "ratios": {f"{side} / {floor}": _ratios(runs, side, floor, "seconds") for side in CHECKED for floor in FLOORS},
        "processor_ratios": {f"{side} / {floor}": _ratios(runs, side, floor, "processor_seconds") for side in CHECKED for floor in FLOORS},
        "peak_mb": {side: max(run[side]["peak_mb"] for run in runs) for side in SIDES},
        "findings": runs[0]["check"]["findings"],
        "stages": _stages([run["alone"]["stages"] for run in runs]),
    }


def _ratios(runs: list[dict[str, dict[str, Any]]], side: str, floor: str, kind: str) -> dict[str, float]:
    found = [run[side][kind] / run[floor][kind] for run in runs]
    return {"median": round(statistics.median(found), 2), "least": round(min(found), 2), "most": round(max(found), 2)}


def _median(values: Iterable[float]) -> float:
    return round(statistics.median(values), 3)


def _stages(runs: list[dict[str, float]]) -> dict[str, float]:
    medians = {name: _median(run.get(name, 0.0) for run in runs) for name in runs[0]}
    return dict(sorted(medians.items(), key=lambda item: -item[1]))


def _apart(side: str, folder: Path) -> dict[str, Any]:
    command = [sys.executable, __file__, "--side", side, "--folder", str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--part", type=int, action="append", help="one of so many of the events; repeat")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        print(json.dumps(run_side(given.side, given.folder)))
        return
    lines = measure(given.turns, tuple(given.part or PARTS))
    machine = {"python": platform.python_version(), "processors": os.cpu_count(), **{name: version(name) for name in PACKAGES}}
    given.out.write_text(json.dumps({"date": datetime.now(UTC).date().isoformat(), "machine": machine, "lines": lines}, indent=1) + "\n")


if __name__ == "__main__":
    main()
