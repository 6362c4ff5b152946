"""The check of the book after a load: what is new with it, what is said of it on a terminal, and in the load's JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

    from unspun.app.workspace import Workspace
    from unspun.book.checks.finding import Finding
    from unspun.book.checks.report import CheckReport
    from unspun.errors import Fault


@dataclass(frozen=True, slots=True)
class LoadCheck:
    """The check of the book after a load, and by their ids the findings of the check before it; None where there was none."""

    report: CheckReport
    before: Mapping[str, Finding] | None


Checked = LoadCheck | tuple["Fault", ...]


def check_loaded(place: Workspace) -> Checked:
    """The check of the book as it now is; why it could not be made where it could not, for the load itself is done."""
    from unspun.app.checks import CheckRequest, check_book, recorded_check
    from unspun.cli.progress import show_progress
    from unspun.errors import UnspunError

    try:
        with place.catalog() as catalog:
            last = recorded_check(catalog)
        with show_progress() as progress:
            report = check_book(place, CheckRequest(), datetime.now(UTC), progress)
    except UnspunError as refusal:
        return tuple(refusal.faults)
    return LoadCheck(report, None if last is None else {one.id: one for one in last.findings})


def checked_lines(checked: Checked, width: int) -> Iterator[Text]:
    """What the check found: what is new with the load first."""
    from dataclasses import replace

    from rich.text import Text

    from unspun.cli.check_text import finding_lines
    from unspun.cli.layout import CAUTION, paragraph

    yield Text()
    if isinstance(checked, tuple):
        for fault in checked:
            yield from paragraph(f"The rows are loaded, but the book could not be checked: {fault.message}", width, CAUTION, first="! ")
        return
    told = tuple(one for one in checked.report.judged if one.finding.check != "schema_drift")  # the load's report has said it
    yield from finding_lines(replace(checked.report, judged=told), width, checked.before)


def checked_document(checked: Checked | None) -> dict[str, Any] | None:
    """The same as JSON: the ledger's entry; id, severity, state and count of each finding, and whether the check before had it; and
    the ids of those that are gone since that one."""
    if checked is None:
        return None
    if isinstance(checked, tuple):
        return {"could_not_run": [fault.message for fault in checked]}
    report, before = checked.report, checked.before or {}
    findings = [
        {
            "id": one.finding.id,
            "severity": one.finding.severity,
            "state": one.state,
            "count": one.finding.count,
            "of": one.finding.of,
            "new": one.finding.id not in before,
        }
        for one in report.judged
    ]
    gone = [finding for finding in before if finding not in {one.finding.id for one in report.judged}]
    return {"entry": report.entry, "book_version": report.book_version, "findings": findings, "gone": gone}
