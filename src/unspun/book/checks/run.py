"""Running checks: each asked of the book, extracts made once, and every check accounted for, also those that could not be run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pyarrow as pa

from unspun.book.checks.check import Check
from unspun.book.checks.extracts import MADE_OF, extract_sql
from unspun.book.checks.finding import SEVERITIES, Finding
from unspun.book.checks.repeated_codes import repeated_codes
from unspun.book.checks.shape import BookShape
from unspun.book.tracking.series import TrackingSeries

Progress = Callable[[str, int, int], None]


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
) -> tuple[CheckOutcome, ...]:
    """Run the checks over a book whose views `query` reads; `register` makes a table known to it under a name."""
    made: set[str] = set()
    outcomes: list[CheckOutcome] = []
    for done, check in enumerate(checks):
        progress(f"checking {check.title}", done, len(checks))
        if hindrance := check.hindrance(shape):
            outcomes.append(CheckOutcome(check, hindrance))
            continue
        for name in check.extracts:
            _make(name, shape, query, made)
        for name, coded in check.coded(shape).items():
            register(name, repeated_codes(coded, query))
        answers = {name: query(sql) for name, sql in check.ask(shape).items()}
        findings, series = (check.judge(shape, answers), ()) if check.drawn is None else check.drawn(shape, answers)
        outcomes.append(CheckOutcome(check, "", tuple(sorted(findings, key=_gravest_first)), series))
    progress("checked", len(checks), len(checks))
    return tuple(outcomes)


def _make(name: str, shape: BookShape, query: Callable[[str], pa.Table], made: set[str]) -> None:
    """An extract and those that it is made of, as tables that the engine may spill."""
    if name not in made:
        for part in MADE_OF.get(name, ()):
            _make(part, shape, query, made)
        query(f"CREATE OR REPLACE TEMP TABLE {name} AS {extract_sql(name, shape)}")
        made.add(name)


def _gravest_first(finding: Finding) -> tuple[int, float, str]:
    return SEVERITIES.index(finding.severity), -finding.share, finding.id
