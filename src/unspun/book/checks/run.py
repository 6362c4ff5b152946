"""Running checks: each asked of the book, extracts made once, and every check accounted for, also those that could not be run."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import pyarrow as pa

from unspun.book.checks.check import Check
from unspun.book.checks.extracts import OF_EVENTS, AskedBook, ByFile, FileFacts, nothing_kept
from unspun.book.checks.finding import SEVERITIES, Finding
from unspun.book.checks.shape import BookShape
from unspun.book.tracking.series import TrackingSeries
from unspun.progress import Progress


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What came of one check. `hindrance` says why it was not run, "" where it was; `findings` gravest first, `series` to draw them."""

    check: Check
    hindrance: str
    findings: tuple[Finding, ...] = ()
    series: tuple[TrackingSeries, ...] = ()


T = TypeVar("T")


class Asking(Protocol):
    """A further way to ask the same book, for a thread of its own. It has the tables that the first makes, and need not have those that
    the first registers."""

    def query(self, sql: str) -> pa.Table: ...
    def register(self, name: str, rows: pa.Table) -> None: ...
    def by_file(self, facts: FileFacts) -> tuple[Sequence[Mapping[str, str]], str]: ...


def run_checks(
    shape: BookShape,
    checks: Sequence[Check],
    query: Callable[[str], pa.Table],
    register: Callable[[str, pa.Table], None],
    progress: Progress,
    by_file: ByFile = nothing_kept,
    beside: Asking | None = None,
    first: Sequence[Sequence[str]] = (),
) -> tuple[CheckOutcome, ...]:
    """Run the checks over a book whose views `query` reads; `register` makes a table known to it under a name, and `by_file` gives what
    is kept of single data files.

    With a second way to ask (`beside`) two checks are run at a time. `first` are statements to be run before any check asks, such as
    those that hold small tables: each in its order, one beside the other.
    """
    run = _Run(shape, checks, progress, deque(first))
    book = AskedBook(shape, query, register, by_file)
    if beside is None:
        run.begin(book)
        run.work(book)
    else:
        run.work_in_two(book, replace(book, query=beside.query, register=beside.register, by_file=beside.by_file))
    progress("checked", len(checks), len(checks))
    return tuple(run.outcomes[place] for place in range(len(checks)))


class _Run:
    """The checks still to be run, taken by whoever is free, and what came of the others, by their place among the checks."""

    def __init__(self, shape: BookShape, checks: Sequence[Check], progress: Progress, first: deque[Sequence[str]]) -> None:
        self.shape, self.checks, self.progress, self.first = shape, checks, progress, first
        self.waiting = deque(range(len(checks)))
        self.outcomes: dict[int, CheckOutcome] = {}

    def work_in_two(self, book: AskedBook, other: AskedBook) -> None:
        """What is drawn takes longest, much of it outside the engine, and is begun first."""
        self.waiting = deque(sorted(self.waiting, key=lambda place: self.checks[place].drawn is None))
        with ThreadPoolExecutor(1) as beside:
            for mine, others in ((self.begin, self.begin), (self._keep, self._make_shared), (self.work, self.work)):
                working = beside.submit(others, other)
                mine(book)
                working.result()

    def begin(self, book: AskedBook) -> None:
        """What is done before any check asks."""
        while (statements := _taken(self.first)) is not None:
            for statement in statements:
                book.query(statement)

    def _make_shared(self, book: AskedBook) -> None:
        """What most checks read of the events, so that neither thread waits for the other later."""
        for check in self.checks:
            if not check.hindrance(self.shape):
                for name in check.extracts:
                    if name in OF_EVENTS:
                        book.make(name)

    def _keep(self, book: AskedBook) -> None:
        """What single checks keep of the files, made while the other thread counts the events."""
        for check in self.checks:
            if not check.hindrance(self.shape):
                for facts in check.facts(book):
                    book.by_file(facts)

    def work(self, book: AskedBook) -> None:
        """Run checks as long as there are any; whatever goes wrong, none is begun after it."""
        try:
            while (place := _taken(self.waiting)) is not None:
                self.progress(f"checking {self.checks[place].title}", len(self.outcomes), len(self.checks))
                self.outcomes[place] = _outcome(book, self.checks[place])
        except BaseException:
            self.waiting.clear()
            raise


def _taken(waiting: deque[T]) -> T | None:
    """The next one; None where there is none left, or another thread was sooner."""
    try:
        return waiting.popleft()
    except IndexError:
        return None


def _outcome(book: AskedBook, check: Check) -> CheckOutcome:
    shape = book.shape
    if hindrance := check.hindrance(shape):
        return CheckOutcome(check, hindrance)
    for name in check.extracts:
        book.make(name)
    check.prepare(book)
    answers = {name: book.query(sql) for name, sql in check.ask(shape).items()}
    findings, series = (check.judge(shape, answers), ()) if check.drawn is None else check.drawn(shape, answers)
    return CheckOutcome(check, "", tuple(sorted(findings, key=_gravest_first)), series)


def _gravest_first(finding: Finding) -> tuple[int, float, str]:
    return SEVERITIES.index(finding.severity), -finding.share, finding.id
