"""`unspun audit`: two files in, a verdict out."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.audits import AuditRun
    from unspun.cli.plan import AuditWords, Plan

AUDITED, BAD_INPUT, NOT_THE_VERDICT = 0, 2, 3


def audit(
    scores: Annotated[
        str, typer.Argument(metavar="SCORES", help="Scores over time: CSV, TSV, Parquet, gzip of them, or - for standard input.")
    ],
    renewals: Annotated[str, typer.Argument(metavar="RENEWALS", help="Renewals with their outcome, in any of these forms.")],
    design: Annotated[str | None, typer.Option(metavar="DESIGN", help="renewal or landmark; by default the terms decide.")] = None,
    horizons: Annotated[str | None, typer.Option(metavar="DAYS,...", help="Days before the due date to look at. [30,60,90,180]")] = None,
    primary_horizon: Annotated[str | None, typer.Option(metavar="DAYS", help="The horizon that decides the verdict.")] = None,
    capacity: Annotated[str | None, typer.Option(metavar="N", help="Accounts the team can treat a month. [20]")] = None,
    map: Annotated[list[str] | None, typer.Option(metavar="ROLE=COLUMN", help="Which column holds what; repeat.")] = None,
    score: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="A score to audit; repeat. By default all that are found.")
    ] = None,
    outcome: Annotated[
        list[str] | None, typer.Option(metavar="WORD=CLASS", help="What a word of the outcome column means; repeat.")
    ] = None,
    bands: Annotated[str | None, typer.Option(metavar="BAND,...", help="The bands from worst to best.")] = None,
    thresholds: Annotated[str | None, typer.Option(metavar="CUT,...", help="Cuts that make bands of a numeric score.")] = None,
    direction: Annotated[
        list[str] | None, typer.Option(metavar="[NAME=]lower", help="A score that is healthier when lower; repeat.")
    ] = None,
    date_format: Annotated[str | None, typer.Option(metavar="FORMAT", help="How dates are written, where the files leave a doubt.")] = None,
    tz: Annotated[
        str | None, typer.Option("--tz", "--time-zone", metavar="ZONE", help="The time zone in which dates are days. [UTC]")
    ] = None,
    fixed: Annotated[
        list[str] | None, typer.Option(metavar="ATTRIBUTE", help="An undated attribute that never changes: segment; repeat.")
    ] = None,
    as_of: Annotated[str | None, typer.Option(metavar="DATE", help="Know nothing later than this day.")] = None,
    rate: Annotated[list[str] | None, typer.Option(metavar="EUR=1.08", help="A rate into the reporting currency; repeat.")] = None,
    currency: Annotated[str | None, typer.Option(metavar="USD", help="The reporting currency of the rates.")] = None,
    rates_dated: Annotated[str | None, typer.Option(metavar="DATE", help="The day of the rates.")] = None,
    seed: Annotated[str | None, typer.Option(metavar="N", help="Seed of the resampling: same inputs and seed, same bytes.")] = None,
    detail: Annotated[
        str | None, typer.Option(metavar="auto|all|none", help="Work out and show bands, lead time and misses. [auto]")
    ] = None,
    json: Annotated[
        str | None, typer.Option(metavar="FILE|-", help="Write the result as JSON; - for standard output and nothing else.")
    ] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write the report.")] = None,
    rejects: Annotated[str | None, typer.Option(metavar="FILE", help="Write the rows set aside, with their reasons, as CSV.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Print the verdicts only.")] = False,
    open: Annotated[bool, typer.Option("--open", help="Open the report when it is written.")] = False,
    fail_unless: Annotated[
        str | None, typer.Option(metavar="VERDICT,...", help="Exit with 3 unless every verdict is among these; 'foretells*' is a pattern.")
    ] = None,
) -> int:
    """Does a health score foretell renewals? Judge it against what customers then did.

    \b
    Examples:
      unspun audit health_scores.csv renewals.csv
      unspun audit scores.parquet renewals.csv.gz --html report.html --open
      unspun audit scores.csv renewals.csv --map account="Company ID" --outcome Lost=churned
      unspun audit risk.csv renewals.csv --direction lower --thresholds 40,70 --capacity 30
      zcat scores.csv.gz | unspun audit - renewals.csv --json - | jq '.scores[].verdict'
      unspun audit scores.csv renewals.csv --quiet --fail-unless 'foretells*'

    \b
    Exit codes: 0 audited; 2 the files or options cannot be used; 3 not the verdict of
    --fail-unless; 70 a fault of Unspun's own.
    """
    from unspun.cli.plan import AuditWords

    typed: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in locals().items() if value is not None
    }
    typed.pop("AuditWords")
    return run(AuditWords(**typed))


def run(words: AuditWords) -> int:
    """Audit, write, show; the exit code. Raises BadInput before the audit where anything asked for cannot be done."""
    from unspun.cli.plan import make_plan, name_option
    from unspun.cli.progress import show_progress

    plan = make_plan(words)
    from unspun.app.audits import AuditRequest, audit_scores

    request = AuditRequest(plan.scores, plan.renewals, plan.reading, plan.settings)
    try:
        with show_progress(not plan.quiet) as report:
            done = audit_scores(request, report, today=date.today())
    except BadInput as refusal:
        raise BadInput([name_option(fault) for fault in refusal.faults]) from refusal
    json_text = write_files(plan, done)
    show(plan, done, json_text)
    return judge_exit(plan, done)


def write_files(plan: Plan, done: AuditRun) -> str:
    """Write what was asked for; the JSON text where it is to be printed."""
    from unspun.cli.outputs import replacing, write_text

    text = ""
    if plan.json or plan.json_to_stdout:
        from unspun.reports.result_json import to_json

        text = to_json(done.result)
    if plan.json:
        write_text(plan.json, text)
    if plan.html:
        from unspun.reports.audit_html import render

        write_text(plan.html, render(done.result))
    if plan.rejects:
        from unspun.book.inputs import write_rejections

        with replacing(plan.rejects) as path:
            write_rejections(path, done.sources)
    return text


def show(plan: Plan, done: AuditRun, json_text: str) -> None:
    """To standard output: the JSON and nothing else, or the verdicts, or the summary and where the files are."""
    from unspun.cli.terminal import open_console, print_lines, reader_may_leave
    from unspun.cli.verdict_text import audit_lines, verdict_lines

    with reader_may_leave():
        if plan.json_to_stdout:
            sys.stdout.buffer.write(json_text.encode())
            return
        console = open_console()
        if plan.quiet:
            print_lines(console, verdict_lines(done.result))
        else:
            print_lines(console, audit_lines(done.result, console.width, plan.every_score))
            print_lines(console, _files_written(plan))


def _files_written(plan: Plan) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.browser import open_page
    from unspun.cli.terminal import clean

    yield Text()
    for name, file in (("result", plan.json), ("report", plan.html), ("rows set aside", plan.rejects)):
        if file is not None:
            yield Text(f"Wrote the {name}: {clean(str(file.path))}")
    if plan.html is None and plan.json is None:
        yield Text("Add --html report.html for the report, --json result.json for every number.")
    if plan.html and plan.open_report and not open_page(plan.html.path):
        yield Text("There is no browser here to open the report in.")


def judge_exit(plan: Plan, done: AuditRun) -> int:
    """0, or 3 where a verdict is not among those wanted, and a line on stderr for each."""
    from unspun.cli.terminal import clean

    others = [score for score in done.result.scores if plan.wanted and score.verdict not in plan.wanted]
    for score in others:
        print(f"--fail-unless: {clean(score.name)}: the verdict is {score.verdict!r}", file=sys.stderr)
    return NOT_THE_VERDICT if others else AUDITED
