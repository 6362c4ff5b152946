"""`unspun refresh`: everything that the console shows, made anew."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.cli.book_text import AsJson, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.refresh import RefreshRun

STEPS = {
    "check": "book checked",
    "evidence": "metrics and scores on trial",
    "performance": "owners and segments compared",
    "retention": "retention measured",
    "model": "risk model",
    "risk": "renewals judged",
    "forecast": "renewals forecast",
    "record": "forecasters scored",
}


def refresh(
    evidence: Annotated[bool, typer.Option("--evidence", help="Put every metric and score on trial, and compare owners, too.")] = False,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the risk model anew, as a new version.")] = False,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Check the book, judge risk, forecast, score forecasters, and make what the console shows of it.

    Each step is recorded in the ledger as its own command records it. Until the last one is done the console shows the refresh before; a
    refresh that is cut off changes nothing there.

    \b
    Examples:
      unspun refresh
      unspun refresh --evidence
      unspun refresh --fit --json
    """
    from unspun.app.refresh import RefreshRequest
    from unspun.app.refresh import refresh as make
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.progress import show_progress

    place = workspace_at(workspace)
    with show_progress() as report:
        run = make(place, datetime.now(UTC), report, request=RefreshRequest(evidence=evidence, fit=fit))
    if json:
        print_json({**asdict(run), "as_of": run.as_of.isoformat()})
    else:
        print_made(lambda width: refresh_lines(run, width))
    return 0


def refresh_lines(run: RefreshRun, width: int) -> Iterator[Text]:
    """The summary of a refresh, in lines of at most `width` cells."""
    from unspun.cli.layout import CAUTION, QUIET, Column, heading, paragraph, table
    from unspun.reports.words import count, day

    made = "The console shows it from now on" if run.written else "Nothing had changed: the console shows it already"
    yield from heading(f"{made}: {count(run.renewals)} renewals, as of {day(run.as_of)}.", width)
    if run.untold:
        yield from paragraph(f"Of {count(run.untold)} of them no probability can be told.", width, CAUTION, first="! ")
    rows = [(words, _entry(run, step), _seconds(run, step)) for step, words in STEPS.items() if step in run.entries and _is_told(run, step)]
    rows.append(("read model written" if run.written else "read model kept", run.key, _seconds(run, "read model")))
    yield from table((Column("step"), Column("entry"), Column("seconds", right=True)), rows, width)
    for step, why in run.why.items():
        yield from paragraph(f"No {step}: {why}", width, QUIET, first="· ")
    grave = {name: n for name, n in run.findings.items() if name != "note"}
    if grave:
        told = ", ".join(f"{count(n)} {name}{'' if n == 1 else 's'}" for name, n in sorted(grave.items()))
        yield from paragraph(f"The check of the book found {told}: unspun check shows them.", width, CAUTION, first="! ")
    yield from paragraph(f"Book version {count(run.book_version)}; {run.model_why}.", width, QUIET)


def _is_told(run: RefreshRun, step: str) -> bool:
    """A step that was not asked for is not told of."""
    return step not in ("evidence", "performance") or run.entries[step] is not None


def _entry(run: RefreshRun, step: str) -> str:
    seq = run.entries[step]
    return "none" if seq is None else str(seq)


def _seconds(run: RefreshRun, step: str) -> str:
    return f"{run.seconds[step]:,.1f}" if step in run.seconds else ""
