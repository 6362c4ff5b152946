"""`unspun panel`: metrics as of dates, for every account, into a file."""

from __future__ import annotations

import json as json_text
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from unspun.cli.book_text import AsJson, EngineName, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.text import Text

    from unspun.app.panel.request import PanelRequest
    from unspun.app.panel.run import PanelRun
    from unspun.app.publication import FigureSet
    from unspun.app.workspace import Workspace
    from unspun.cli.outputs import OutputFile
    from unspun.metrics.asof import Step
    from unspun.metrics.question import PanelQuestion

MOST_METRICS, MOST_REASONS = 40, 3  # on a terminal
MANY_ROWS = 100_000  # from which on it is worth telling how fast they were read
ASKED = ("as_of", "every", "from", "to", "before_renewals")


def panel(
    metrics: Annotated[str | None, typer.Option(metavar="NAMES", help="These metrics, with commas between. [all of metrics.yml]")] = None,
    as_of: Annotated[
        list[str] | None, typer.Option(metavar="DATE", help="As known at the end of this day; repeat. [the last day of the tables read]")
    ] = None,
    every: Annotated[
        str | None, typer.Option(metavar="STEP", help="At the end of every day, week, month, quarter or year between --from and --to.")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="The first day of --every. [the first row's]")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day of --every. [the last row's]")] = None,
    before_renewals: Annotated[
        str | None, typer.Option(metavar="DAYS", help="So many days before each renewal, as 90,60,30; --from and --to bound the due days.")
    ] = None,
    out: Annotated[str | None, typer.Option(metavar="FILE", help="Write it: .parquet, .csv or .csv.gz, with a manifest beside it.")] = None,
    memory: Annotated[str | None, typer.Option(metavar="AMOUNT", help="What it may take, such as 2GB. [unspun.toml says]")] = None,
    version: Annotated[str | None, typer.Option(metavar="N", help="The version of the book. [the current one]")] = None,
    engine: EngineName = None,
    no_state: Annotated[bool, typer.Option("--no-state", help="Read every row, and nothing that was kept of loaded files.")] = False,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Compute the metrics of metrics.yml for every account, as of one date or many, each by what was known then.

    A value that cannot be told is empty, and the column NAME__missing says why. The run is recorded in the ledger: unspun recompute
    computes it again.

    \b
    Examples:
      unspun panel --out panel.parquet
      unspun panel --every month --from 2024-01-01 --to 2025-12-31 --out panel.parquet
      unspun panel --metrics logins_28d,seats --as-of 2026-06-30 --out june.csv
      unspun panel --before-renewals 90,60,30 --out renewals.parquet --memory 2GB
    """
    from unspun.cli.book_text import print_json, print_made, workspace_at

    dates = (as_of, every, first, last, before_renewals)
    request, output = plan_panel(metrics, dates, (memory, version, engine), out, from_state=not no_state)
    place, at = workspace_at(workspace), datetime.now(UTC)
    with named_as_options():
        run, written = _computed(place, request, output, at)
    if json:
        print_json({**_document(run, output), "seconds": round(run.seconds, 3)})
    else:
        print_made(lambda width: _lines(run, written, width))
    return 0


Dates = tuple[list[str] | None, str | None, str | None, str | None, str | None]


def plan_panel(
    metrics: str | None, dates: Dates, settings: tuple[str | None, str | None, str | None], out: str | None, from_state: bool
) -> tuple[PanelRequest, OutputFile | None]:
    """What a panel is asked for, and the file for it. Raises BadInput with every fault of the options."""
    from unspun.app.panel.files import format_of
    from unspun.app.panel.request import PanelRequest
    from unspun.cli.options import OptionReader
    from unspun.cli.outputs import check_outputs
    from unspun.cli.plan import named_output
    from unspun.errors import BadInput
    from unspun.metrics.asof import STEPS

    reader = OptionReader()
    as_of, every, first, last, before = dates
    days = [reader.day("--as-of", text) for text in as_of or ()]
    request = PanelRequest(
        metrics=reader.words("--metrics", metrics),
        as_of=tuple(day for day in days if day is not None),
        every=cast("Step | None", reader.choice("--every", every, STEPS, "") or None),
        first=reader.day("--from", first),
        last=reader.day("--to", last),
        before_renewals=reader.integers("--before-renewals", before, (), at_least=0),
        version=reader.integer("--version", settings[1], None, at_least=1),
        memory=settings[0],
        engine=settings[2],
        from_state=from_state,
    )
    output = named_output("--out", out, reader)
    reader.faults.extend(check_outputs([output] if output else [], ()))
    for check in (lambda: _checked(request), lambda: format_of(output.path) if output else None):
        try:
            check()
        except BadInput as refusal:
            reader.faults.extend(refusal.faults)
    if reader.faults:
        raise BadInput(reader.faults)
    return request, output


def _checked(request: PanelRequest) -> None:
    """What does not go together, by the names of the options."""
    from unspun.app.panel.request import check_request
    from unspun.app.panel.run import checked_memory

    with named_as_options():
        check_request(request)
    if request.memory is not None:
        checked_memory(request.memory)


@contextmanager
def named_as_options() -> Iterator[None]:
    """Faults of what was asked, under the names that the options have on the command line."""
    from dataclasses import replace

    from unspun.errors import BadInput

    try:
        yield
    except BadInput as refusal:
        found = [replace(one, where=f"--{one.where.replace('_', '-')}") if one.where in ASKED else one for one in refusal.faults]
        raise BadInput(found) from None


def _computed(place: Workspace, request: PanelRequest, output: OutputFile | None, at: datetime) -> tuple[PanelRun, list[str]]:
    """Compute it, and write it where it is to be written: the run, and the files in words."""
    from unspun.app.panel.files import format_of
    from unspun.app.panel.run import compute_panel, manifest
    from unspun.cli.outputs import OutputFile, replacing, write_text
    from unspun.cli.progress import show_progress

    with show_progress() as report:
        if output is None:
            return compute_panel(place, request, at, progress=report), []
        with replacing(output) as path, open(path, "wb") as file:
            run = compute_panel(place, request, at, file, format_of(output.path), progress=report)
    beside = OutputFile("--out", Path(f"{output.path}.manifest.json"))
    text = json_text.dumps(manifest(run, output.path.name), indent=2, ensure_ascii=False)
    write_text(beside, f"{text}\n")
    return run, [f"Wrote {output.path}", f"Its manifest (question, definition, book, SQL, hash): {beside.path}"]


def _document(run: PanelRun, output: OutputFile | None) -> dict[str, Any]:
    from unspun.app.panel.run import manifest

    return manifest(run, "" if output is None else output.path.name)


def _lines(run: PanelRun, written: list[str], width: int) -> Iterator[Text]:
    from unspun.app.opening import in_place_remarks
    from unspun.book.checks.remarks import check_headline, check_remarks
    from unspun.cli.layout import QUIET, Column, heading, paragraph, table
    from unspun.cli.number_text import counted
    from unspun.reports.words import count

    figures = run.figures
    cells = run.rows * len(run.values)
    filled = sum(run.values.values())
    yield from heading(f"{counted(run.rows, 'row')} of {counted(len(run.values), 'metric')}: {_told(run)}", width)
    rest = "; the others have a reason" if filled < cells else ""
    yield from paragraph(f"{count(filled)} of {count(cells)} values{rest}.", width)
    shown = {id: f"{run.values[id]:,}" for id in list(run.values)[:MOST_METRICS]}
    room = width - sum(max(map(len, words)) for words in (("Metric", *shown), ("Values", *shown.values()))) - 6
    rows = [[id, values, _missing(run.missing[id], room)] for id, values in shown.items()]
    yield from table([Column("Metric"), Column("Values", right=True), Column("No value", flexible=True)], rows, width)
    if len(run.values) > len(rows):
        yield from paragraph(f"and {len(run.values) - len(rows):,} more metrics: --json has them", width, QUIET)
    unknown = unchecked(figures, run.question)
    for note in unknown or check_remarks(figures.book_check, figures.book_version):
        yield from paragraph(note, width, first="! " if unknown or check_headline(figures.book_check) else "· ")
    for note in in_place_remarks(figures.in_place):
        yield from paragraph(note, width, first="· ")
    for note in _kept(run):
        yield from paragraph(note, width, first="· ")
    rate = f" ({run.source_rows / max(run.seconds, 0.001):,.0f} a second)" if run.source_rows >= MANY_ROWS else ""
    yield from paragraph(
        f"{count(run.source_rows)} rows of the book, in {run.seconds:,.1f} s{rate}. Book version {figures.book_version}, "
        f"entry {run.entry} of the ledger: unspun recompute {run.entry}",
        width,
    )
    for line in written or ["Nothing was written: give --out FILE."]:
        yield from paragraph(line, width)


def _kept(run: PanelRun) -> tuple[str, ...]:
    """How much came from what was kept of data files."""
    from unspun.reports.words import count

    use = run.state
    whole = tuple(f"All rows of {table} were read: {why}." for table, why in use.unkept.items())
    if not use.files_kept:
        return whole
    files = f"{count(use.files_kept)} loaded {'file' if use.files_kept == 1 else 'files'}"
    rest = f", but for {count(use.rows_corrected)} row versions of days with a corrected row" if use.rows_corrected else ""
    kept = f"What {count(use.rows_kept)} rows of {' and '.join(use.tables)}, in {files}, add up to was kept by an earlier run"
    single = (f"Rows were read besides: {'; '.join(use.single)}.",) if use.single else ()
    return (f"{kept} and read in their place{rest} (--no-state reads every row).", *single, *whole)


def _told(run: PanelRun) -> str:
    from unspun.metrics.asof import BeforeRenewals

    as_of = run.question.as_of
    if isinstance(as_of, BeforeRenewals):
        return as_of.told
    return f"{as_of.told} ({len(as_of.dates):,} dates)" if len(as_of.dates) > 1 else f"as of {as_of.told}"


def unchecked(figures: FigureSet, question: PanelQuestion) -> tuple[str, ...]:
    """Where nobody looked for tracking outages, what that means for metrics of events."""
    from unspun.app.panel.request import tables_read

    if figures.book_check is not None or "events" not in tables_read(question.metrics, question.asked):
        return ()
    return (
        "no tracking outage is known, for the book was not checked: a day that was not recorded counts as one without use. unspun check",
    )


def _missing(counts: Mapping[str, int], room: int) -> str:
    """The reasons, the most frequent first: as many as there is room for, and how many more there are."""
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    for most in range(min(MOST_REASONS, len(ordered)), 0, -1):
        shown = [f"{reason} {number:,}" for reason, number in ordered[:most]]
        text = ", ".join([*shown, *([f"{len(ordered) - most} more"] if len(ordered) > most else [])])
        if len(text) <= room:
            return text
    return f"{ordered[0][0]} {ordered[0][1]:,}" if ordered else ""
