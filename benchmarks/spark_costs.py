"""What a panel on Spark costs by step: bytes read, bytes exchanged, rows kept, processor seconds. What the projections are made of.

    python benchmarks/spark_costs.py --folder BOOKS --events 1000000 10000000

One process with two threads computes the thirty metrics of panel_speed.py on monthly dates; Spark's own log of its tasks is added up.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Any

import panel_unspun
from panel_clock import number_of_accounts
from panel_speed import prepared_book
from sqlglot import exp

from unspun.engines.panel import run_panel
from unspun.engines.spark_panel import SparkPanel, size_of
from unspun.engines.spark_session import settings_of, spark_session
from unspun.metrics.lower.packed import unpacked
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.lower.plan import PanelPlan
from unspun.warehouse.catalog import open_catalog
from unspun.warehouse.read import open_book

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results" / "spark-costs-2026-11-23.json"
READING = "the panel"
Costs = dict[str, dict[str, float]]


class CountedPanel(SparkPanel):
    """The engine, which names its jobs after the steps, and keeps how large the tables were."""

    tables: dict[str, int]

    def make(self, name: str, query: exp.Query) -> None:
        self.session.sparkContext.setLocalProperty("spark.job.description", name)
        super().make(name, query)
        self.tables[name] = size_of(self.scratch / name)[0]
        self.session.sparkContext.setLocalProperty("spark.job.description", READING)


def costs(log: Path) -> Costs:
    """By step what its tasks read, exchanged and took, of Spark's log."""
    steps, found = dict[int, str](), defaultdict[str, dict[str, float]](lambda: defaultdict(float))
    for event in _events(log):
        if event["Event"] == "SparkListenerJobStart":
            what = event.get("Properties", {}).get("spark.job.description", READING)
            steps |= dict.fromkeys(event["Stage IDs"], what)
        elif event["Event"] == "SparkListenerTaskEnd" and "Task Metrics" in event:
            _add(found[steps.get(event["Stage ID"], READING)], event["Task Metrics"])
    return {name: {what: round(value, 3) for what, value in one.items()} for name, one in found.items()}


def _events(log: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(path for path in log.rglob("*") if path.is_file() and not path.name.startswith(".")):
        yield from (json.loads(line) for line in file.read_text().splitlines() if line.startswith("{"))


def _add(one: dict[str, float], metrics: dict[str, Any]) -> None:
    one["processor_seconds"] += metrics["Executor CPU Time"] / 1e9
    one["read_bytes"] += metrics["Input Metrics"]["Bytes Read"]
    one["read_rows"] += metrics["Input Metrics"]["Records Read"]
    one["exchanged_bytes"] += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
    one["exchanged_rows"] += metrics["Shuffle Write Metrics"]["Shuffle Records Written"]
    one["spilled_bytes"] += metrics["Disk Bytes Spilled"]


def measure(events: int, books: Path, megabytes: int) -> dict[str, Any]:
    """One size: by step, and in all."""
    book = prepared_book(books, events, with_database=False)
    with tempfile.TemporaryDirectory(dir=books) as folder, open_catalog(book / "warehouse") as catalog:
        version = catalog.current()
        assert version is not None
        asked = unpacked(panel_unspun.question(version, "monthly", number_of_accounts(book / "warehouse")))
        with open_book(catalog, version) as reader:
            views = dict(reader.views)
        log, scratch = Path(folder) / "log", Path(folder) / "scratch"
        log.mkdir()
        settings = {**settings_of(events), "spark.eventLog.enabled": "true", "spark.eventLog.dir": str(log)}
        settings |= {"spark.eventLog.compress": "false"}
        with spark_session("spark:local[2]", megabytes, scratch, settings) as session:
            panel = CountedPanel(session, scratch, megabytes, views)
            panel.tables = {}
            found = _run(panel, lower_panel(asked))
        steps = costs(log)
    whole = {what: sum(one.get(what, 0.0) for one in steps.values()) for what in next(iter(steps.values()))}
    files = sum(file.stat().st_size for file in (book / "warehouse" / "tables" / "events").glob("*.parquet"))
    return {**found, "file_bytes": files, "tables": panel.tables, "whole": whole, "steps": steps}


def _run(panel: SparkPanel, plan: PanelPlan) -> dict[str, Any]:
    began = monotonic()
    rows = sum(batch.num_rows for batch in run_panel(panel, plan, lambda _stage, _done, _total: None))
    return {"seconds": round(monotonic() - began, 2), "panel_rows": rows, "plan_steps": len(plan.steps)}


def main() -> None:
    """Measure the sizes asked for, and write down what was found after each."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--events", type=int, nargs="*", default=[1_000_000, 10_000_000])
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--memory-mb", type=int, default=1500)
    asked.add_argument("--out", type=Path, default=RESULTS)
    given = asked.parse_args()
    results: dict[str, Any] = json.loads(given.out.read_text()) if given.out.exists() else {"sizes": {}}
    for events in given.events:
        results["date"] = datetime.now(UTC).date().isoformat()
        results["sizes"][str(events)] = measure(events, given.folder, given.memory_mb)
        given.out.write_text(json.dumps(results, indent=1) + "\n")
        print(events, json.dumps(results["sizes"][str(events)]["whole"]), flush=True)


if __name__ == "__main__":
    main()
