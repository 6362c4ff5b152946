"""`unspun check`: the quality gate."""

from __future__ import annotations

import json as json_text
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.cli.book_text import AsJson, WorkspaceFolder

if TYPE_CHECKING:
    from unspun.app.checks import CheckRequest
    from unspun.app.workspace import Workspace
    from unspun.book.checks.report import CheckReport
    from unspun.cli.outputs import OutputFile

FAULTS_STAND = 3
FAIL_ON = ("error", "warning", "note", "never")


def check(
    finding: Annotated[
        str | None,
        typer.Argument(metavar="[FINDING]", help="Show this finding alone: its id, or the check's name for all of its findings."),
    ] = None,
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="Know nothing later than this day. [now]")] = None,
    version: Annotated[str | None, typer.Option(metavar="N", help="The version of the book. [the current one]")] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="CHECK", help="Run this check alone; repeat for several.")] = None,
    fail_on: Annotated[
        str, typer.Option(metavar="SEVERITY", help="End with 3 where a finding this grave stands: error, warning, note or never.")
    ] = "error",
    rows: Annotated[
        str | None, typer.Option("--rows", metavar="FILE", help="Write the rows behind FINDING as CSV, with a manifest.")
    ] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write the report, one page that holds everything.")] = None,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Check the book for faults before they become numbers: what book.yml declares, and what needs no declaration.

    Every finding has an id, a count, example rows, what it affects, and how to mend it. One that is right as it is can be accepted,
    with a name and a reason: unspun accept. Ends with 3 where an error stands that nobody accepted.

    \b
    Examples:
      unspun check
      unspun check --html check.html --fail-on warning
      unspun check usage_outside_subscription/events --rows rows.csv
    """
    from unspun.app.checks import check_book
    from unspun.cli.book_text import print_json, workspace_at
    from unspun.cli.progress import show_progress

    request, outputs = _plan(finding, as_of, version, only, fail_on, (rows, html))
    place, at = workspace_at(workspace), datetime.now(UTC)
    with show_progress() as progress:
        report = check_book(place, request, at, progress)
        shown = _narrowed(report, finding)
        written = _write(place, request, shown, outputs, progress)
    if json:
        from unspun.reports.check_json import to_document

        print_json(to_document(shown))
    else:
        from unspun.cli.check_text import print_check

        print_check(shown, written)
    return FAULTS_STAND if _stands(shown, fail_on) else 0


def _plan(
    finding: str | None, as_of: str | None, version: str | None, only: list[str] | None, fail_on: str, files: tuple[str | None, str | None]
) -> tuple[CheckRequest, tuple[OutputFile | None, OutputFile | None]]:
    from unspun.app.checks import CheckRequest
    from unspun.cli.options import OptionReader
    from unspun.cli.outputs import check_outputs
    from unspun.cli.plan import named_output
    from unspun.errors import BadInput, Fault

    reader = OptionReader()
    day = reader.day("--as-of", as_of)
    number = reader.integer("--version", version, 1, at_least=1) if version is not None else None
    outputs = (named_output("--rows", files[0], reader), named_output("--html", files[1], reader))
    reader.faults.extend(check_outputs([one for one in outputs if one], ()))
    if fail_on not in FAIL_ON:
        reader.faults.append(Fault("bad_option", f"'{fail_on}' is no severity.", "--fail-on", f"Give one of {', '.join(FAIL_ON)}."))
    if finding is not None and only:
        reader.faults.append(Fault("two_choices", "a finding and --only are given.", "--only", "Give one of the two."))
    if outputs[0] is not None and finding is None:
        hint = "unspun check FINDING --rows FILE; `unspun check` gives the ids."
        reader.faults.append(Fault("no_finding", "the rows of which finding?", "--rows", hint))
    if reader.faults:
        raise BadInput(reader.faults)
    codes = (finding.partition("/")[0],) if finding is not None else tuple(only or ())
    return CheckRequest(day, number, codes), outputs


def _narrowed(report: CheckReport, finding: str | None) -> CheckReport:
    if finding is None:
        return report
    from dataclasses import replace

    from unspun.app.check_rows import find_judged

    return replace(report, judged=find_judged(report, finding), asked=finding)


def _write(
    place: Workspace, request: CheckRequest, report: CheckReport, outputs: tuple[OutputFile | None, OutputFile | None], progress: object
) -> list[str]:
    """Write the files asked for; what was written, in words."""
    written: list[str] = []
    rows, html = outputs
    if html is not None:
        from unspun.app.check_rows import few_rows
        from unspun.cli.outputs import write_text
        from unspun.reports.check_html import render
        from unspun.reports.check_rows import MOST_ROWS

        write_text(html, render(report, few_rows(place, request, report, MOST_ROWS)))
        written.append(f"Report: {html.path}")
    if rows is not None:
        written += _write_rows(place, request, report, rows)
    return written


def _write_rows(place: Workspace, request: CheckRequest, report: CheckReport, output: OutputFile) -> list[str]:
    from unspun.app.check_rows import manifest, write_rows
    from unspun.cli.outputs import OutputFile, replacing, write_text
    from unspun.errors import BadInput, Fault
    from unspun.progress import silent

    first, *others = report.judged
    if others:
        listed = ", ".join(one.finding.id for one in report.judged)
        raise BadInput(Fault("several_findings", f"the rows of which one: {listed}?", "--rows", "Give the id of one."))
    with replacing(output) as path, open(path, "wb") as file:
        done = write_rows(place, request, first.finding, file, report.at, silent)
    beside = OutputFile("--rows", Path(f"{output.path}.manifest.json"))
    write_text(beside, json_text.dumps(manifest(report, done, output.path.name), indent=2, ensure_ascii=False) + "\n")
    return [f"Rows: {output.path} ({done.rows:,}), with {beside.path.name} beside it"]


def _stands(report: CheckReport, fail_on: str) -> bool:
    """Whether a finding that nobody accepted is at least as grave as that."""
    if fail_on == "never":
        return False
    from unspun.book.checks.finding import SEVERITIES

    grave = SEVERITIES[: FAIL_ON.index(fail_on) + 1]
    return any(one.stands and one.finding.severity in grave for one in report.judged)
