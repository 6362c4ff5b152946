"""Do the engines and the reference give the same panel? Thousands of metrics over small books made at random, each cell compared.

python -m benchmarks.panel_agreement --first 0 --books 2000 --out benchmarks/results/panel-agreement-YYYY-MM-DD.json
python -m benchmarks.panel_agreement --books 200 --engines postgres,duckdb

Every book is made again by its number, so that a disagreement can be looked into: it is printed as small as it can be made, and the
exit code is 1. Every fourth book is asked before renewals instead of on dates. Each worker has one session of each engine.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic

import duckdb
import pyarrow as pa

from tests.panel.random_books import SmallBook, random_book
from tests.panel.random_metrics import question_of, random_metrics, renewals_of
from tests.panel.reduced import reduced, shown
from tests.panel.sides import SIDES, by_reference, differences
from unspun.engines.embedded import engine_version
from unspun.errors import UnspunError
from unspun.metrics.nodes import walk
from unspun.metrics.question import PanelQuestion

REDUCING_SECONDS = 240.0
"""How long an example that differs is made smaller."""


@dataclass(slots=True)
class Tally:
    """What was compared, and what differed: examples by the number of their book and the engine. `milliseconds` are those
    of each engine."""

    books: int = 0
    metrics: int = 0
    rows: int = 0
    cells: Counter[str] = field(default_factory=Counter[str])
    nodes: Counter[str] = field(default_factory=Counter[str])
    milliseconds: Counter[str] = field(default_factory=Counter[str])
    differing: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, other: Tally) -> None:
        self.books, self.metrics, self.rows = self.books + other.books, self.metrics + other.metrics, self.rows + other.rows
        self.cells.update(other.cells)
        self.nodes.update(other.nodes)
        self.milliseconds.update(other.milliseconds)
        self.differing |= other.differing


def compared(seed: int, engines: Sequence[str]) -> Tally:
    """One book and its metrics, asked of all."""
    random = Random(seed)
    book = random_book(random)
    metrics = random_metrics(random, book)
    question = question_of(book, metrics, renewals_of(book) if seed % 4 == 0 else None)
    reference = by_reference(question, book)
    tally = Tally(1, len(metrics), reference.num_rows, _cells(reference))
    tally.nodes.update(type(part).__name__ for one in metrics for part in walk(one.series))
    for engine in engines:
        began = monotonic()
        told = _told(book, question, engine)
        tally.milliseconds[engine] = int((monotonic() - began) * 1000)
        if told:
            tally.differing[f"{seed} on {engine}"] = _example(book, question, engine)
    return tally


def _example(book: SmallBook, question: PanelQuestion, engine: str) -> str:
    """A difference, as small as it can be made in a while."""
    until = monotonic() + REDUCING_SECONDS
    small = reduced(book, question, lambda some, asked: monotonic() < until and bool(_told(some, asked, engine)))
    return "\n".join([*_told(*small, engine)[:4], shown(*small)])


def _told(book: SmallBook, question: PanelQuestion, engine: str) -> list[str]:
    """Where an engine differs from the reference; what it fails of counts as a difference."""
    reference = by_reference(question, book)
    try:
        panel = SIDES[engine](question, book, reference.schema)
    except (UnspunError, duckdb.Error, pa.ArrowException) as error:  # the study goes on, and says so
        return [f"{type(error).__name__}: {error}"]
    return differences(question, reference, panel)


def _cells(panel: pa.Table) -> Counter[str]:
    """How many cells of metrics have a value, and how many lack one for each reason."""
    told: Counter[str] = Counter()
    for name in panel.column_names:
        if name.endswith("__missing"):
            told.update(reason or "value" for reason in panel[name].to_pylist())
    return told


def run(first: int, books: int, engines: Sequence[str], workers: int, tell: Callable[[str], None]) -> Tally:
    total, seeds = Tally(), range(first, first + books)
    with ProcessPoolExecutor(workers) as pool:
        for tally in pool.map(partial(compared, engines=engines), seeds, chunksize=4):
            total.add(tally)
            for which, example in tally.differing.items():
                tell(f"book {which}\n{example}\n")
            if total.books % 100 == 0:
                tell(f"{total.books} books, {sum(total.cells.values()):,} cells, {len(total.differing)} differ")
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--books", type=int, default=200)
    parser.add_argument("--engines", default=",".join(SIDES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    engines = asked.engines.split(",")
    total = run(asked.first, asked.books, engines, asked.workers, lambda text: print(text, flush=True))
    result = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "duckdb": engine_version(),
        "engines": {engine: f"{total.milliseconds[engine] / 1000:.0f} seconds" for engine in engines},
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
