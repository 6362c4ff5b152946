"""What a run of the checks found, each finding with what people said of it: the thing that the page, the JSON and the terminal show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from unspun.book.checks.acceptance import Acceptance
from unspun.book.checks.finding import SEVERITIES, Finding, Severity
from unspun.book.checks.run import CheckOutcome

if TYPE_CHECKING:
    from unspun.book.tracking.series import TrackingSeries

State = Literal["open", "accepted", "grown"]
"""open: nobody accepted it; accepted: as it is or larger; grown: accepted when there was less of it, so it stands again."""


@dataclass(frozen=True, slots=True)
class JudgedFinding:
    """A finding and its state. `examples` are at most 5 of its `rows` rows, read live and never stored: they may hold account ids."""

    finding: Finding
    state: State
    acceptance: Acceptance | None
    examples: pa.Table
    rows: int

    @property
    def stands(self) -> bool:
        """Whether it counts in the verdict: open, or grown since it was accepted."""
        return self.state != "accepted"


@dataclass(frozen=True, slots=True)
class CheckReport:
    """One run of the checks over a book as of a day.

    `digest` is the book's, `anchor` the number and hash of the ledger's entry (`entry`); None and "" where the run could not be
    recorded, and `unrecorded` says why. `judged` holds every finding of every outcome.
    `series` are those that tracking findings are drawn with, `rows_by_table` the row versions of each table that holds any. `asked` names
    the finding or the checks where it is not about all of them. `source_names` are the files that rows name by number (`source_file`).
    """

    workspace_name: str
    book_version: int
    digest: str
    as_of: date
    at: datetime
    time_zone: str
    entry: int | None
    anchor: str
    outcomes: tuple[CheckOutcome, ...]
    judged: tuple[JudgedFinding, ...]
    series: tuple[TrackingSeries, ...]
    rows_by_table: dict[str, int]
    asked: str = ""
    unrecorded: str = ""
    source_names: Mapping[int, str] = field(default_factory=dict[int, str])

    def standing(self, severity: Severity | None = None) -> tuple[JudgedFinding, ...]:
        """Those that count (of one severity, or of all), gravest and largest share first."""
        counted = [one for one in self.judged if one.stands and severity in (None, one.finding.severity)]
        return tuple(sorted(counted, key=_gravest_first))

    def accepted(self) -> tuple[JudgedFinding, ...]:
        """Those that people accepted, gravest and largest share first."""
        return tuple(sorted((one for one in self.judged if not one.stands), key=_gravest_first))

    def clean(self) -> tuple[CheckOutcome, ...]:
        """The checks that were run and found nothing."""
        return tuple(one for one in self.outcomes if not one.hindrance and not one.findings)

    def hindered(self) -> tuple[CheckOutcome, ...]:
        """The checks that could not be run."""
        return tuple(one for one in self.outcomes if one.hindrance)


def _gravest_first(one: JudgedFinding) -> tuple[int, float, str]:
    return SEVERITIES.index(one.finding.severity), -one.finding.share, one.finding.id
