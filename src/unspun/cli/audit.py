"""`unspun audit`: two files in, a verdict out."""

from __future__ import annotations

import sys
from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.cli.term_options import (
    AmountCovers,
    CancellationEndsTerm,
    EarlyDays,
    EndsAre,
    FlatWithin,
    GraceDays,
    NoAddOns,
    OpenTermMonths,
    TermWords,
)
from unspun.errors import BadInput

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rich.text import Text

    from unspun.app.audits import AuditRun
    from unspun.cli.plan import AuditWords, Plan

AUDITED, BAD_INPUT, NOT_THE_VERDICT = 0, 2, 3


def audit(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="SCORES... RENEWALS",
            help="Scores over time (several files are read as one), and last the renewals with their outcome: CSV, TSV, Excel, "
            "JSON lines, Parquet, gzip of them, a folder or quoted pattern of such, or - for standard input.",
        ),
    ],
    subscriptions: Annotated[
        str | None, typer.Option(metavar="FILE", help="Subscription terms to derive the renewals from, in place of RENEWALS.")
    ] = None,
    grace_days: GraceDays = None,
    early_days: EarlyDays = None,
    flat_within: FlatWithin = None,
    no_add_ons: NoAddOns = False,
    ends_are: EndsAre = None,
    cancellation_ends_term: CancellationEndsTerm = False,
    open_term_months: OpenTermMonths = None,
    amount_covers: AmountCovers = None,
    purchases: Annotated[
        str | None, typer.Option(metavar="FILE", help="Purchases, in place of RENEWALS: who buys again? For customers without a contract.")
    ] = None,
    accounts: Annotated[str | None, typer.Option(metavar="FILE", help="Attributes of the accounts; see --fixed.")] = None,
    events: Annotated[str | None, typer.Option(metavar="FILE", help="Usage events, for the trend of usage as another baseline.")] = None,
    forecasts: Annotated[str | None, typer.Option(metavar="FILE", help="The CSM's own calls, judged as one more forecaster.")] = None,
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
    calls: Annotated[
        str | None, typer.Option(metavar="CALL,...", help="The calls of --forecasts from worst to best, where their words do not tell.")
    ] = None,
    thresholds: Annotated[str | None, typer.Option(metavar="CUT,...", help="Cuts that make bands of a numeric score.")] = None,
    direction: Annotated[
        list[str] | None, typer.Option(metavar="[NAME=]lower", help="A score that is healthier when lower; repeat.")
    ] = None,
    date_format: Annotated[str | None, typer.Option(metavar="FORMAT", help="How dates are written, where the files leave a doubt.")] = None,
    tz: Annotated[
        str | None, typer.Option("--tz", "--time-zone", metavar="ZONE", help="The time zone in which dates are days. [UTC]")
    ] = None,
    fixed: Annotated[
        list[str] | None, typer.Option(metavar="ATTRIBUTE", help="An undated attribute that never changes, such as segment; repeat.")
    ] = None,
    reviews: Annotated[
        str | None, typer.Option(metavar="DATE,...", help="Days of business reviews; were scores overridden just before them?")
    ] = None,
    active_days: Annotated[
        str | None, typer.Option(metavar="DAYS", help="With --purchases: a customer is active this long after buying. [365]")
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
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write the report as one self-contained page.")] = None,
    pdf: Annotated[str | None, typer.Option(metavar="FILE", help="Write the report as a tagged PDF.")] = None,
    rows: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Write the rows behind every figure as CSV, each with its manifest.")
    ] = None,
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
      unspun audit scores-2025.xlsx scores-2026.xlsx renewals.xlsx --pdf report.pdf
      unspun audit book.xlsx book.xlsx
      unspun audit scores.csv --subscriptions subscriptions.csv
      unspun audit scores.csv renewals.csv --accounts accounts.csv --fixed industry
      unspun audit scores.csv renewals.csv --events usage.parquet --forecasts calls.csv
      unspun audit rfm.csv --purchases orders.csv --primary-horizon 90
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
    terms = TermWords(**{field.name: typed.pop(field.name) for field in fields(TermWords) if field.name in typed})
    return run(AuditWords(terms=terms, **typed))


def run(words: AuditWords) -> int:
    """Audit, write, show; the exit code. Raises BadInput before the audit where anything asked for cannot be done."""
    from unspun.cli.plan import make_plan, make_request, name_option
    from unspun.cli.progress import show_progress

    plan = make_plan(words)
    from unspun.app.audits import audit_scores
    from unspun.cli.written import write_files

    request = make_request(plan)
    try:
        with show_progress(not plan.quiet) as report:
            done = audit_scores(request, report, today=date.today())
            json_text = write_files(plan.outputs, done, report)
    except BadInput as refusal:
        raise BadInput([name_option(fault) for fault in refusal.faults]) from refusal
    show(plan, done, json_text)
    if plan.outputs.html and plan.open_report:
        open_report(plan.outputs.html.path)
    return judge_exit(plan, done)


def show(plan: Plan, done: AuditRun, json_text: str) -> None:
    """To standard output: the JSON and nothing else, or the verdicts, or the summary and where the files are."""
    from unspun.cli.terminal import open_console, print_lines, reader_may_leave
    from unspun.cli.verdict_text import audit_lines, verdict_lines

    with reader_may_leave():
        if plan.outputs.json_to_stdout:
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

    from unspun.cli.terminal import clean

    yield Text()
    outputs = plan.outputs
    written = (("result", outputs.json), ("report", outputs.html), ("report", outputs.pdf), ("rows behind the figures", outputs.rows))
    for name, file in (*written, ("rows set aside", outputs.rejects)):
        if file is not None:
            yield Text(f"Wrote the {name}: {clean(str(file.path))}")
    if plan.outputs.html is None and plan.outputs.json is None:
        yield Text("Add --html report.html for the report, --json result.json for every number.")


def open_report(page: Path) -> None:
    """Open the page that was written, or say that it cannot be."""
    from unspun.cli.browser import open_page
    from unspun.cli.terminal import print_plain

    if not open_page(page):
        print_plain([f"--open: there is no browser here; the report is {page}."])


def judge_exit(plan: Plan, done: AuditRun) -> int:
    """0, or 3 where a verdict is not among those wanted, and a line on stderr for each."""
    from unspun.cli.terminal import clean

    others = [score for score in done.result.scores if plan.wanted and score.verdict not in plan.wanted]
    for score in others:
        print(f"--fail-unless: {clean(score.name)}: the verdict is {score.verdict!r}", file=sys.stderr)
    return NOT_THE_VERDICT if others else AUDITED
