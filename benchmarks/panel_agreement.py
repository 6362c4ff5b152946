"""Do DuckDB and the reference give the same panel? Thousands of metrics over small books made at random, each cell compared.

python -m benchmarks.panel_agreement --first 0 --books 2000 --out benchmarks/results/panel-agreement-YYYY-MM-DD.json

Every book is made again by its number, so that a disagreement can be looked into: it is printed as small as it can be made, and the
exit code is 1. Every fourth book is asked before renewals instead of on dates.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pyarrow as pa

from tests.panel.random_books import SmallBook, random_book
from tests.panel.random_metrics import question_of, random_metrics, renewals_of
from tests.panel.reduced import reduced, shown
from tests.panel.sides import by_duckdb, by_reference, differences
from unspun.engines.embedded import engine_version
from unspun.metrics.nodes import walk
from unspun.metrics.question import PanelQuestion


@dataclass(slots=True)
class Tally:
    """What was compared, and what differed: examples by the number of their book."""

    books: int = 0
    metrics: int = 0
    rows: int = 0
    cells: Counter[str] = field(default_factory=Counter[str])
    nodes: Counter[str] = field(default_factory=Counter[str])
    differing: dict[int, str] = field(default_factory=dict[int, str])

    def add(self, other: Tally) -> None:
        self.books, self.metrics, self.rows = self.books + other.books, self.metrics + other.metrics, self.rows + other.rows
        self.cells.update(other.cells)
        self.nodes.update(other.nodes)
        self.differing |= other.differing


def compared(seed: int) -> Tally:
    """One book and its metrics, asked of both."""
    random = Random(seed)
    book = random_book(random)
    metrics = random_metrics(random, book)
    question = question_of(book, metrics, renewals_of(book) if seed % 4 == 0 else None)
    reference = by_reference(question, book)
    tally = Tally(1, len(metrics), reference.num_rows, _cells(reference))
    tally.nodes.update(type(part).__name__ for one in metrics for part in walk(one.series))
    if _told(book, question):
        small = reduced(book, question, lambda some, asked: bool(_told(some, asked)))
        tally.differing[seed] = "\n".join([*_told(*small)[:4], shown(*small)])
    return tally


def _told(book: SmallBook, question: PanelQuestion) -> list[str]:
    """Where the two differ; what DuckDB fails of counts as a difference."""
    reference = by_reference(question, book)
    try:
        panel = by_duckdb(question, book, reference.schema)
    except Exception as error:  # the study goes on, and says so
        return [f"{type(error).__name__}: {error}"]
    return differences(question, reference, panel)


def _cells(panel: pa.Table) -> Counter[str]:
    """How many cells of metrics have a value, and how many lack one for each reason."""
    told: Counter[str] = Counter()
    for name in panel.column_names:
        if name.endswith("__missing"):
            told.update(reason or "value" for reason in panel[name].to_pylist())
    return told


def run(first: int, books: int, workers: int, tell: Callable[[str], None]) -> Tally:
    total = Tally()
    with ProcessPoolExecutor(workers) as pool:
        for seed, tally in zip(range(first, first + books), pool.map(compared, range(first, first + books), chunksize=4), strict=True):
            total.add(tally)
            if tally.differing:
                tell(f"book {seed}\n{tally.differing[seed]}\n")
            elif total.books % 100 == 0:
                tell(f"{total.books} books, {sum(total.cells.values()):,} cells, {len(total.differing)} books differ")
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--books", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    total = run(asked.first, asked.books, asked.workers, lambda text: print(text, flush=True))
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "duckdb": engine_version(),
        "first_book": asked.first,
        "books": total.books,
        "metrics": total.metrics,
        "rows": total.rows,
        "cells": dict(total.cells.most_common()),
        "nodes": dict(total.nodes.most_common()),
        "differing": total.differing,
    }
    print(json.dumps(result, indent=1))
    if asked.out:
        asked.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 1 if total.differing else 0


if __name__ == "__main__":
    sys.exit(main())
