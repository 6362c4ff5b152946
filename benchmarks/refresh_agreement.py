"""Does a panel made of what is kept of data files equal the panel made of all rows? Random histories of books, each step compared.

python -m benchmarks.refresh_agreement --first 0 --histories 200 --out benchmarks/results/refresh-agreement-YYYY-MM-DD.json

A history is loads of new and late rows, corrections, rows that came before, undone loads, erasures, compactions and damage to what is
kept. After each step the panel is made three times: of the rows, of what is kept (made as needed), and of what is kept once more; the
first is compared with the reference, too. A history is made again by its number; a difference is printed, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa

from tests.panel.histories import LOADED, History, history
from tests.panel.random_books import SmallBook, kinds_of
from tests.panel.random_metrics import random_metrics
from tests.panel.sides import differences
from unspun.engines.embedded import engine_version
from unspun.engines.reference import reference_panel
from unspun.metrics.metric import MetricSet
from unspun.metrics.question import HeldTable, PanelQuestion
from unspun.warehouse import panel_state
from unspun.warehouse.read import open_book

STEPS = 8
METRICS = 6
COMPARED_ROWS = 400
"""Of a book with more row versions the reference is not asked: it takes their square."""


@dataclass(slots=True)
class Tally:
    """What was compared, what happened to the books, and where two panels differed."""

    histories: int = 0
    panels: int = 0
    cells: int = 0
    by_reference: int = 0
    files_kept: int = 0
    rows_corrected: int = 0
    steps: Counter[str] = field(default_factory=Counter[str])
    differing: list[str] = field(default_factory=list[str])

    def add(self, other: Tally) -> None:
        self.histories, self.panels, self.cells = self.histories + other.histories, self.panels + other.panels, self.cells + other.cells
        self.by_reference, self.files_kept = self.by_reference + other.by_reference, self.files_kept + other.files_kept
        self.rows_corrected += other.rows_corrected
        self.steps.update(other.steps)
        self.differing += other.differing


WRITTEN = SmallBook({}, {name: HeldTable(kinds_of(name)) for name in LOADED}, (), ())
"""The tables of such a book, of which metrics are written."""


def lived(seed: int) -> Tally:
    """One history, compared after each step."""
    panel_state.LEAST_ROWS, panel_state.MOST_CORRECTED = 1, 1.0  # files of a few rows count as large ones
    tally = Tally(1)
    with TemporaryDirectory() as folder, history(Path(folder), seed) as told:
        told.load("accounts", told.new_rows("accounts", 6))
        told.load("events", told.new_rows("events", 40))
        for step, what in enumerate(told.steps(STEPS)):
            told.step(what)
            metrics = random_metrics(told.random, WRITTEN, METRICS)
            tally.differing += [f"history {seed}, step {step}, {what}: {one}" for one in compared(told, metrics, tally)]
            tally.steps[what] += 1
    return tally


def compared(told: History, metrics: MetricSet, tally: Tally) -> Iterator[str]:
    """Where panels of one question differ."""
    question = told.question(metrics, told.renewals() if told.random.random() < 0.2 else None)
    rows = told.of_rows(question)
    (kept, _), (again, use) = told.of_kept(question), told.of_kept(question)
    tally.panels, tally.cells = tally.panels + 3, tally.cells + rows.num_rows * METRICS
    tally.files_kept, tally.rows_corrected = tally.files_kept + use.files_kept, tally.rows_corrected + use.rows_corrected
    yield from (f"kept: {one}" for one in differences(question, rows, kept))
    yield from (f"kept before: {one}" for one in differences(question, rows, again))
    reference = by_reference(told, question)
    if reference is not None:
        tally.by_reference += 1
        yield from (f"reference: {one}" for one in differences(question, reference, rows.cast(reference.schema)))


def by_reference(told: History, question: PanelQuestion) -> pa.Table | None:
    """The panel in plain Python, of the row versions that the book shows."""
    version = told.catalog.current()
    assert version is not None
    if sum(held.rows for held in question.tables.values()) > COMPARED_ROWS:
        return None
    with open_book(told.catalog, version) as reader:
        rows: dict[str, list[dict[str, Any]]] = {
            name: reader.query(f"SELECT * FROM {name}_versions").to_pylist() for name in question.tables
        }
    return reference_panel(question, rows)


def run(first: int, histories: int, workers: int) -> Tally:
    total = Tally()
    with ProcessPoolExecutor(workers) as pool:
        for tally in pool.map(lived, range(first, first + histories)):
            total.add(tally)
            for example in tally.differing[:5]:
                print(example, flush=True)
            if total.histories % 50 == 0:
                print(f"{total.histories} histories, {total.panels} panels, {len(total.differing)} differences", flush=True)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--histories", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    total = run(asked.first, asked.histories, asked.workers)
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "duckdb": engine_version(),
        "first": asked.first,
        "histories": total.histories,
        "panels": total.panels,
        "cells": total.cells,
        "panels_by_reference": total.by_reference,
        "files_kept": total.files_kept,
        "rows_corrected": total.rows_corrected,
        "steps": dict(total.steps.most_common()),
        "differing": total.differing[:100],
    }
    print(json.dumps(result, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if total.differing else 0


if __name__ == "__main__":
    sys.exit(main())
