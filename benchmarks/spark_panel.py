"""The panel of thirty metrics on a standalone Spark cluster of this machine, beside DuckDB: the same cells, memory, and growth.

    python benchmarks/spark_panel.py --folder BOOKS                        # 1 and 10 million events, monthly dates
    python benchmarks/spark_panel.py --folder BOOKS --events 100000000 --out spark-panel.json

A master and two workers of one core each are started from pyspark's own files, and stopped after. Each panel is computed by the command
`unspun panel --engine` in a workspace of its own, which links the files of a book of panel_speed.py (made where it is not there), on both
engines with the same `--memory`. The two files have to be equal cell for cell, or the benchmark stops. The memory of every process of the
cluster and of the command is looked at several times a second; the most that each held is written down.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from panel_speed import prepared_book
from panel_unspun import metric_set

from unspun.metrics.write_yaml import file_as_yaml

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "spark-panel-2026-11-23.json"
DATES = ("--every", "month", "--from", "2024-01-01", "--to", "2025-12-31")
WORKERS = 2
MASTER, WORKER = "org.apache.spark.deploy.master.Master", "org.apache.spark.deploy.worker.Worker"
UNSPUN = Path(sys.executable).parent / "unspun"


@dataclass(slots=True)
class Peaks:
    """The most memory (resident, in MB) that processes held, by what they are."""

    held: dict[str, int] = field(default_factory=dict[str, int])
    done: threading.Event = field(default_factory=threading.Event)

    def watch(self, root: int) -> None:
        """Look at a process, what it started, and the executors, until `done`."""
        while not self.done.wait(0.25):
            for process in [root, *_below(root), *_executors()]:
                self._look(process, root)

    def _look(self, process: int, root: int) -> None:
        try:
            command = Path(f"/proc/{process}/cmdline").read_text().split("\0")
            status = Path(f"/proc/{process}/status").read_text().splitlines()
        except OSError:
            return
        held = next((int(line.split()[1]) * 1024 // 1_000_000 for line in status if line.startswith("VmHWM:")), 0)
        what = "command" if process == root else _kind(command)
        if what:
            self.held[what] = max(held, self.held.get(what, 0))


def _kind(command: Sequence[str]) -> str:
    if any("CoarseGrainedExecutorBackend" in part for part in command):
        return f"executor {command[command.index('--executor-id') + 1]}"
    return "driver" if any("SparkSubmit" in part for part in command) else ""


def _below(root: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(root)], capture_output=True, text=True, check=False).stdout.split()
    return [one for child in found for one in (int(child), *_below(int(child)))]


def _executors() -> list[int]:
    found = subprocess.run(["ps", "-eo", "pid=,args="], capture_output=True, text=True, check=True).stdout.splitlines()
    return [int(line.split(None, 1)[0]) for line in found if "CoarseGrainedExecutorBackend" in line]


@contextmanager
def cluster(memory_mb: int, folder: Path) -> Iterator[str]:
    """A standalone master and its workers on this machine, of one core and so much memory for their executor; gives the URL."""
    port, started = _free_port(), list[subprocess.Popen[bytes]]()
    url = f"spark://127.0.0.1:{port}"
    try:
        started.append(_start(folder, "master", MASTER, "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(_free_port())))
        _await(port, started[0])
        for number in range(WORKERS):
            room = ("--cores", "1", "--memory", f"{memory_mb}m", "--work-dir", str(folder / f"work{number}"))
            started.append(_start(folder, f"worker{number}", WORKER, "--host", "127.0.0.1", "--webui-port", str(_free_port()), *room, url))
        yield url
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(timeout=30)


def _start(folder: Path, name: str, what: str, *options: str) -> subprocess.Popen[bytes]:
    import pyspark

    home = Path(pyspark.__file__).parent
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_DIRS": str(folder / "local"), "SPARK_DAEMON_MEMORY": "256m"}
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen(["bash", str(home / "bin" / "spark-class"), what, *options], stdout=log, stderr=log, env=environment)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with socket.socket() as tried:
            if tried.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            raise RuntimeError("the master ended")
        sleep(0.2)
    raise RuntimeError("the master does not answer")


def make_workspace(book: Path, folder: Path) -> Path:
    """A workspace of the thirty metrics over the files of a book, with a catalogue of its own."""
    workspace = folder / book.name
    subprocess.run([UNSPUN, "init", str(workspace)], check=True, capture_output=True)
    (workspace / "metrics.yml").write_text(file_as_yaml(metric_set()))
    shutil.rmtree(workspace / "warehouse")
    shutil.copytree(book / "warehouse", workspace / "warehouse", ignore=shutil.ignore_patterns("tables", ".spill"))
    shutil.copytree(book / "warehouse" / "tables", workspace / "warehouse" / "tables", copy_function=os.link)
    return workspace


def run_panel(workspace: Path, engine: str, memory: str, out: Path) -> dict[str, Any]:
    """A panel by the command; seconds and the memory of its processes."""
    command = [UNSPUN, "panel", *DATES, "--engine", engine, "--memory", memory, "--out", str(out), "--workspace", str(workspace), "--json"]
    command += [] if engine.startswith("spark") else ["--no-state"]
    load, began, peaks = round(os.getloadavg()[0], 2), monotonic(), Peaks()
    running = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True)
    watching = threading.Thread(target=peaks.watch, args=(running.pid,), daemon=True)
    watching.start()
    try:
        answer, _ = running.communicate()
    finally:
        running.kill()
        peaks.done.set()
    watching.join()
    if running.returncode:
        raise RuntimeError(f"{engine}: {answer}")
    return {"seconds": round(monotonic() - began, 2), "peak_mb": dict(sorted(peaks.held.items())), "load_before": load}


def unequal_columns(one: Path, other: Path) -> list[str]:
    """The columns in which two panels differ in any cell, rows in their order."""
    left, right = pq.ParquetFile(one), pq.ParquetFile(other)
    if left.schema_arrow.names != right.schema_arrow.names or left.metadata.num_rows != right.metadata.num_rows:
        return ["(rows or columns)"]
    found: dict[str, None] = {}
    for mine, theirs in zip(left.iter_batches(1 << 16), right.iter_batches(1 << 16), strict=True):
        found |= {name: None for name in mine.schema.names if not _same(mine[name], theirs[name])}
    return list(found)


def _same(mine: pa.Array, theirs: pa.Array) -> bool:
    return mine.type == theirs.type and mine.equals(theirs)


def measure(events: int, books: Path, memory_mb: int, folder: Path) -> dict[str, Any]:
    """One size on both engines, the files equal. Raises ValueError where they are not."""
    workspace = make_workspace(prepared_book(books, events, with_database=False), folder)
    out = {engine: folder / f"{events}-{engine}.parquet" for engine in ("duckdb", "spark")}
    with cluster(memory_mb, folder) as url:
        spark = run_panel(workspace, url, f"{memory_mb}MB", out["spark"])
    duckdb = run_panel(workspace, "duckdb", f"{memory_mb}MB", out["duckdb"])
    if differing := unequal_columns(out["spark"], out["duckdb"]):
        raise ValueError(f"{events:,} events: Spark and DuckDB differ in {differing}")
    panel = pq.ParquetFile(out["spark"]).metadata
    return {"panel_rows": panel.num_rows, "columns": panel.num_columns, "equal": True, "spark": spark, "duckdb": duckdb}


def main() -> None:
    """Measure the sizes asked for, and write down what was found after each."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--events", type=int, nargs="*", default=[1_000_000, 10_000_000])
    asked.add_argument("--folder", type=Path, help="where the books of panel_speed.py are, or are made")
    asked.add_argument("--memory-mb", type=int, default=1100, help="of the driver and of each executor")
    asked.add_argument("--out", type=Path, default=RESULTS)
    given = asked.parse_args()
    results: dict[str, Any] = json.loads(given.out.read_text()) if given.out.exists() else {"sizes": {}}
    for events in given.events:
        with tempfile.TemporaryDirectory(dir=given.folder) as folder:
            found = measure(events, given.folder or Path(folder), given.memory_mb, Path(folder))
        results |= {
            "date": datetime.now(UTC).date().isoformat(),
            "versions": {"python": platform.python_version()}
            | {name: version(name) for name in ("unspun", "pyspark", "duckdb", "sqlglot")},
            "machine": {"processors": os.cpu_count(), "system": platform.system(), "machine": platform.machine()},
            "cluster": {"workers": WORKERS, "cores_each": 1, "heap_mb_each": given.memory_mb, "driver_heap_mb": given.memory_mb},
        }
        results["sizes"][str(events)] = found
        given.out.write_text(json.dumps(results, indent=1) + "\n")
        print(events, json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
