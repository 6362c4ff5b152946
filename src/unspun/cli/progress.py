"""A progress bar for work that takes over a second, on stderr and only when someone is looking at it."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from unspun.cli.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.progress import Progress, TaskID

PATIENCE_SECONDS = 1.0


@contextmanager
def show_progress(wanted: bool = True) -> Iterator[Callable[[str, int, int], None]]:
    """Yield the callable (stage, done, total) that an operation reports to; the bar appears after PATIENCE_SECONDS."""
    if not wanted or not sys.stderr.isatty():
        yield _say_nothing
        return
    bar = _LateBar()
    timer = threading.Timer(PATIENCE_SECONDS, bar.appear)
    timer.daemon = True
    timer.start()
    try:
        yield bar.report
    finally:
        timer.cancel()
        bar.close()


def _say_nothing(stage: str, done: int, total: int) -> None:
    """The progress of work nobody watches."""


class _LateBar:
    """Remembers the latest stage until it is time to appear; the timer's thread and the work's share it by a lock."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stage, self._done, self._total = "starting", 0, 0
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._closed = False

    def report(self, stage: str, done: int, total: int) -> None:
        with self._lock:
            self._stage, self._done, self._total = stage, done, total
            self._draw()

    def appear(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        with self._lock:
            if self._closed:
                return
            columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=30), TimeElapsedColumn())
            self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
            self._task = self._bar.add_task(clean(self._stage), total=None)
            self._bar.start()
            self._draw()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            if self._bar is not None:
                self._bar.stop()

    def _draw(self) -> None:
        if self._bar is not None and self._task is not None:
            total = self._total or None
            self._bar.update(self._task, description=clean(self._stage), completed=self._done, total=total)
