"""The rows behind a finding of the last check, read anew from the book as it is now: nothing of single accounts is kept with a finding."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import pyarrow as pa

from unspun.app.access import Actor
from unspun.app.check_rows import csv_bytes
from unspun.app.checks import CheckRequest, opened, recorded_check
from unspun.app.workspace import Workspace
from unspun.book.checks.finding import Finding
from unspun.errors import BadInput, Fault

MOST_ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class FindingRows:
    """At most MOST_ROWS of the rows at fault (`is_whole`: that is all), at the book's `version`; the check was of `checked_version`, and is
    ledger entry `entry` of the instant `at`. `names` are source files by their numbers."""

    finding: Finding
    entry: int
    at: datetime
    checked_version: int
    version: int
    zone: str
    rows: pa.Table
    is_whole: bool
    names: Mapping[int, str]

    def csv(self) -> bytes:
        return csv_bytes(self.rows, header=True)

    def manifest(self) -> dict[str, Any]:
        """What the CSV is: the finding, its query, the book it was asked of, and the hash of its bytes."""
        found = self.finding
        return {
            "what": "rows at fault", "finding": found.id, "message": found.message, "severity": found.severity, "count": found.count,
            "of": found.of, "unit": found.unit, "query": found.rows_sql, "entry": self.entry, "checked_version": self.checked_version,
            "book_version": self.version, "rows": self.rows.num_rows, "is_whole": self.is_whole,
            "sha256": hashlib.sha256(self.csv()).hexdigest(),
        }  # fmt: skip


def finding_rows(workspace: Workspace, actor: Actor, wanted: str) -> FindingRows:
    """The rows at fault of the finding of that id. Raises Forbidden; BadInput where the last check has no such finding."""
    actor.require("data.see")
    definition = workspace.definition()
    with workspace.catalog() as catalog:
        checked = recorded_check(catalog)
    finding = next((one for one in checked.findings if one.id == wanted), None) if checked is not None else None
    if checked is None or finding is None:
        raise BadInput(Fault("no_finding", "the last check has no such finding.", wanted, "Look at the findings of the page Data."))
    with opened(workspace, CheckRequest(), definition) as (catalog, version, reader):
        names = {one.number: one.name for one in catalog.source_files()}
        rows = reader.query(f"SELECT * FROM ({finding.rows_sql}) LIMIT {MOST_ROWS + 1}")
    return FindingRows(
        finding, checked.entry, checked.at, checked.version, version.version, definition.time_zone,
        rows.slice(0, MOST_ROWS), rows.num_rows <= MOST_ROWS, names,
    )  # fmt: skip
