"""What the sides of the benchmark of the panel share: a clock by stage, and where the files of the book are."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq

LOADING = "load"  # a stage that is shown and not counted


@dataclass(slots=True)
class Clock:
    """Seconds by stage, on the clock and of the processors that this process used."""

    seconds: dict[str, float] = field(default_factory=dict[str, float])
    processor_seconds: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def total(self) -> float:
        """Seconds of all stages but the loading of a database."""
        return sum(seconds for stage, seconds in self.seconds.items() if stage != LOADING)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started, used = time.perf_counter(), time.process_time()
        yield
        self.seconds[stage] = round(self.seconds.get(stage, 0.0) + time.perf_counter() - started, 4)
        self.processor_seconds[stage] = round(self.processor_seconds.get(stage, 0.0) + time.process_time() - used, 4)


def event_files(warehouse: Path) -> list[str]:
    """The data files of the events of a book."""
    return [str(path) for path in sorted((warehouse / "tables" / "events").glob("*.parquet"))]


def number_of_accounts(warehouse: Path) -> int:
    """How many accounts a book has: those of its one file, a row each."""
    return sum(pq.ParquetFile(path).metadata.num_rows for path in accounts_files(warehouse))


def accounts_files(warehouse: Path) -> list[str]:
    """The data files of the accounts of a book."""
    return [str(path) for path in sorted((warehouse / "tables" / "accounts").glob("*.parquet"))]
