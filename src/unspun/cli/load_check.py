"""The check of the book after a load: what is said of it in a paragraph, and in the load's JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.text import Text

    from unspun.app.workspace import Workspace
    from unspun.book.checks.report import CheckReport
    from unspun.errors import Fault

    Checked = CheckReport | tuple[Fault, ...]


def check_loaded(place: Workspace) -> Checked:
    """The check of the book as it now is; why it could not be made where it could not, for the load itself is done."""
    from unspun.app.checks import CheckRequest, check_book
    from unspun.cli.progress import show_progress
    from unspun.errors import UnspunError

    try:
        with show_progress() as report:
            return check_book(place, CheckRequest(), datetime.now(UTC), report)
    except UnspunError as refusal:
        return tuple(refusal.faults)


def checked_lines(checked: Checked, width: int) -> Iterator[Text]:
    """What the check found, in a paragraph."""
    from dataclasses import replace

    from rich.text import Text

    from unspun.cli.check_text import finding_lines
    from unspun.cli.layout import CAUTION, paragraph

    yield Text()
    if isinstance(checked, tuple):
        for fault in checked:
            yield from paragraph(f"The rows are loaded, but the book could not be checked: {fault.message}", width, CAUTION, first="! ")
        return
    told = tuple(one for one in checked.judged if one.finding.check != "schema_drift")  # the load's report has said it
    yield from finding_lines(replace(checked, judged=told), width)


def checked_document(checked: Checked | None) -> dict[str, Any] | None:
    """The same as JSON: the ledger's entry, and id, severity, state and count of each finding."""
    if checked is None:
        return None
    if isinstance(checked, tuple):
        return {"could_not_run": [fault.message for fault in checked]}
    findings = [
        {"id": one.finding.id, "severity": one.finding.severity, "state": one.state, "count": one.finding.count, "of": one.finding.of}
        for one in checked.judged
    ]
    return {"entry": checked.entry, "book_version": checked.book_version, "findings": findings}
