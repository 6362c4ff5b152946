"""How fast files are loaded into the book, beside DuckDB reading the same files and writing Parquet, and in how much memory.

    python benchmarks/load_speed.py                          # crm_sim: 12.0M events and the small tables
    python benchmarks/load_speed.py --events 100000000       # events made up to that number, in one Parquet file
    python benchmarks/load_speed.py --events 100000 --turns 1 --out load-speed.json

Each side runs in a process of its own, in turns with the others; ratios are taken between runs of one turn. Before it is timed,
a side does the same once on a few rows, so that loading libraries is not timed. DuckDB is given the same memory and does what is
least: it types and checks nothing, keeps no rejected rows and syncs no file. Peak memory is the whole process's, libraries included.
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
from datetime import UTC, date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.warehouse.catalog import create_warehouse
from unspun.warehouse.load import PlannedFile, load_files

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "load-speed-2026-11-22.json"
DATA = Path(os.environ.get("UNSPUN_DATA", HERE.parent.parent / "shared" / "data"))
MEMORY = "1500MB"
SIDES = ("unspun load", "duckdb copy", "duckdb copy zstd")
PACKAGES = ("unspun", "duckdb", "deltalake", "pyarrow", "numpy")
TURNS, WARM_UP_EVENTS, BATCH_ROWS = 5, 2_000, 1_000_000
ACCOUNTS, EVENT_NAMES, START_MS = 5_000, 28, 1_640_995_200_000
EVENTS = SourceMapping(
    ("events*.parquet",),
    "events",
    {"account_id": "account_id", "user_id": "user_id", "event": "event", "occurred": "event_time", "value": "value"},
)
CRM_SIM = (
    EVENTS,
    SourceMapping(
        ("accounts.parquet",),
        "accounts",
        {"account_id": "account_id", "country": "country", "created_on": "first_start_date", "channel": "channel"},
        kinds={"channel": "text"},
    ),
    SourceMapping(
        ("subscriptions.parquet",),
        "subscriptions",
        {
            "subscription_id": "subscription_id", "account_id": "account_id", "product": "product", "started": "start_date",
            "ended": "end_date", "amount": "mrr", "seats": "quantity", "is_addon": "is_addon",
        },
        amount_months=1.0,
    ),
    SourceMapping(
        ("renewals.csv",),
        "renewals",
        {"account_id": "account_id", "due": "due_on", "outcome": "outcome", "amount_before": "arr_before", "amount_after": "arr_after"},
    ),
    SourceMapping(
        ("health_scores.csv",),
        "scores",
        {"account_id": "account_id", "dated": "scored_on", "value": "score", "band": "band"},
        values={"score": "health"},
    ),
)  # fmt: skip
DEFINITION = BookDefinition(CRM_SIM, currency="USD", text="benchmark", sha256="0" * 64)


def make_events(path: Path, rows: int, seed: int = 1) -> None:
    """Events in the order of their time, in the columns and types of crm_sim: account, user, name, time, and a value for one in nine."""
    rng = np.random.default_rng(seed)
    names = pa.array([f"event {n}" for n in range(EVENT_NAMES)])
    clock, step_ms = START_MS, max(1, 2 * 365 * 86_400_000 // rows)
    with pq.ParquetWriter(path, _events_schema(), compression="zstd") as writer:
        for start in range(0, rows, BATCH_ROWS):
            n = min(BATCH_ROWS, rows - start)
            times = clock + np.cumsum(rng.integers(0, 2 * step_ms + 1, n))
            clock = int(times[-1])
            kinds = pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, EVENT_NAMES, n, np.int8)), names)
            values = pa.array(rng.gamma(2.0, 50.0, n).round(2), mask=rng.random(n) > 1 / 9)
            accounts, users = rng.integers(0, ACCOUNTS, n, np.int32), rng.integers(0, 30, n, np.int16)
            columns = [pa.array(accounts), pa.array(users), kinds, pa.array(times).cast(pa.timestamp("ms")), values]
            writer.write_table(pa.table(columns, schema=_events_schema()))


def _events_schema() -> pa.Schema:
    kinds = pa.dictionary(pa.int8(), pa.string())
    return pa.schema(
        [("account_id", pa.int32()), ("user_id", pa.int16()), ("event", kinds), ("event_time", pa.timestamp("ms")), ("value", pa.float64())]
    )


def run_side(side: str, files: list[Path], folder: Path) -> dict[str, Any]:
    """One side in this process: once on a few rows, then on the files; seconds by stage, bytes written and the most memory held."""
    warm = folder / "warm" / "events.parquet"
    warm.parent.mkdir(parents=True)
    make_events(warm, WARM_UP_EVENTS)
    _run(side, [warm], folder / "warm-out")
    seconds, written, rows = _run(side, files, folder / "out")
    in_bytes = 1 if sys.platform == "darwin" else 1024
    peak = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * in_bytes / 1e6)
    return {"seconds": seconds, "rows": rows, "written_mb": round(written / 1e6, 1), "peak_mb": peak}


def _run(side: str, files: list[Path], out: Path) -> tuple[dict[str, float], int, int]:
    out.mkdir(parents=True)
    seconds, rows = _load(files, out) if side == "unspun load" else _copy(files, out, side.endswith("zstd"))
    return seconds, sum(path.stat().st_size for path in out.rglob("*.parquet")), rows


def _load(files: list[Path], out: Path) -> tuple[dict[str, float], int]:
    by_name = {source.files[0].split("*")[0].split(".")[0]: source for source in CRM_SIM}
    planned = [PlannedFile(str(path), by_name[path.stem.split("-")[0]]) for path in files]
    seconds: dict[str, float] = {}
    rows = 0
    with create_warehouse(out / "warehouse", datetime.now(UTC)) as catalog:
        for stage in ("load", "again"):
            start = time.perf_counter()
            with catalog.writing():
                result = load_files(catalog, planned, DEFINITION, datetime.now(UTC), memory=MEMORY)
            seconds[stage] = time.perf_counter() - start
            rows = sum(source.rows_read for source in result.sources)
            if (stage == "load") != all(source.new == source.rows_read for source in result.sources):
                raise ValueError(f"{stage}: {result}")
    return seconds, rows


def _copy(files: list[Path], out: Path, zstd: bool) -> tuple[dict[str, float], int]:
    start, rows = time.perf_counter(), 0
    with duckdb.connect(config={"memory_limit": MEMORY}) as connection:
        for path in files:
            options = "FORMAT parquet, COMPRESSION zstd" if zstd else "FORMAT parquet"
            copied = connection.execute(f"COPY (SELECT * FROM '{path}') TO '{out / path.stem}.parquet' ({options})").fetchall()
            rows += copied[0][0]
    return {"load": time.perf_counter() - start}, rows


def measure(name: str, files: list[Path], turns: int, folder: Path) -> dict[str, Any]:
    """All sides in turns, and what follows: medians, and the medians of the ratios within a turn."""
    found: list[dict[str, Any]] = []
    before = os.getloadavg()[0]
    for number in range(turns):
        turn: dict[str, Any] = {}
        for side in SIDES:
            place = folder / "side"
            turn[side] = json.loads(_python("--side", side, "--folder", str(place), *map(str, files)))
            shutil.rmtree(place)
            print(f"{name} {number + 1}/{turns}  {side:<18}{turn[side]}", flush=True)
        if len({ran["rows"] for ran in turn.values()}) != 1:
            raise ValueError("the sides did not take the same rows")
        found.append(turn)
    return {"files": len(files), "load_before": round(before, 2), **_summary(found), "turns": found}


def _summary(turns: list[dict[str, Any]]) -> dict[str, Any]:
    def median(values: list[float]) -> float:
        return round(statistics.median(values), 4)

    ours = "unspun load"
    return {
        "rows": turns[0][ours]["rows"],
        "median_seconds": {side: median([turn[side]["seconds"]["load"] for turn in turns]) for side in SIDES},
        "median_ratio": {
            side: median([turn[ours]["seconds"]["load"] / turn[side]["seconds"]["load"] for turn in turns]) for side in SIDES[1:]
        },
        "again_over_load": median([turn[ours]["seconds"]["again"] / turn[ours]["seconds"]["load"] for turn in turns]),
        "peak_mb": {side: max(turn[side]["peak_mb"] for turn in turns) for side in SIDES},
    }


def _python(*arguments: str) -> str:
    return subprocess.run([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True, check=True).stdout


def _write(out: Path, name: str, cell: dict[str, Any]) -> None:
    """Add a cell to the results; the others stay."""
    results: dict[str, Any] = json.loads(out.read_text()) if out.exists() else {"cells": {}}
    results |= {
        "date": date.today().isoformat(),
        "versions": {"python": platform.python_version()} | {package: version(package) for package in PACKAGES},
        "machine": {"cpus": os.cpu_count(), "system": platform.system(), "machine": platform.machine()},
        "memory_limit": MEMORY,
    }
    results["cells"][name] = cell
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(results, indent=1) + "\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, help="make that many events instead of taking crm_sim")
    parser.add_argument("--turns", type=int, default=TURNS)
    parser.add_argument("--folder", type=Path, help="where to work (default: a temporary folder); what is made there is removed")
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    parser.add_argument("files", nargs="*", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """The command line; --side is for the processes that it starts."""
    asked = _arguments()
    if asked.side:
        print(json.dumps(run_side(asked.side, asked.files, asked.folder)))
        return
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        if asked.events:
            files = [folder / "events.parquet"]
            make_events(files[0], asked.events)
        else:
            files = [DATA / "crm_sim" / source.files[0].replace("*", "") for source in CRM_SIM]
        cell = "crm_sim" if not asked.events else f"{asked.events:,} events"
        _write(asked.out, cell, measure(cell, files, asked.turns, folder))


if __name__ == "__main__":
    main()
