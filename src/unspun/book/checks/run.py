"""Running checks: each asked of the book, extracts made once, and every check accounted for, also those that could not be run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from unspun.book.checks.check import Check
from unspun.book.checks.extracts import AskedBook, ByFile, nothing_kept
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


def run_checks(
    shape: BookShape,
    checks: Sequence[Check],
    query: Callable[[str], pa.Table],
    register: Callable[[str, pa.Table], None],
    progress: Progress,
    by_file: ByFile = nothing_kept,
) -> tuple[CheckOutcome, ...]:
    """Run the checks over a book whose views `query` reads; `register` makes a table known to it under a name, and `by_file` gives what
    is kept of single data files."""
    book = AskedBook(shape, query, register, by_file)
    outcomes: list[CheckOutcome] = []
    for done, check in enumerate(checks):
        progress(f"checking {check.title}", done, len(checks))
        if hindrance := check.hindrance(shape):
            outcomes.append(CheckOutcome(check, hindrance))
            continue
        for name in check.extracts:
            book.make(name)
        check.prepare(book)
        answers = {name: query(sql) for name, sql in check.ask(shape).items()}
        findings, series = (check.judge(shape, answers), ()) if check.drawn is None else check.drawn(shape, answers)
        outcomes.append(CheckOutcome(check, "", tuple(sorted(findings, key=_gravest_first)), series))
    progress("checked", len(checks), len(checks))
    return tuple(outcomes)


def _gravest_first(finding: Finding) -> tuple[int, float, str]:
    return SEVERITIES.index(finding.severity), -finding.share, finding.id
