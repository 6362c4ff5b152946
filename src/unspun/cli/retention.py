"""`unspun retention`: what became of recurring revenue, from the book."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.cli.book_text import AsJson, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from decimal import Decimal

    from rich.text import Text

    from unspun.app.retention import RetentionRequest, RetentionRun
    from unspun.app.workspace import Workspace
    from unspun.book.retention.result import Part, RetentionResult
    from unspun.cli.outputs import OutputFile

SHOWN_MONTHS = 12
MOST_PARTS = 20
WIDEST = 200  # a table is laid out this wide before it is found not to fit
SHORT_MOVEMENTS = {
    "opening": "Opening", "new": "New", "reactivation": "Reactivated", "expansion": "Expanded", "contraction": "Contracted",
    "churn": "Churned", "closing": "Closing",
}  # fmt: skip


def retention(
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Know nothing later than this day. [the last day a term starts]")
    ] = None,
    by: Annotated[list[str] | None, typer.Option(metavar="COLUMN", help="Split by segment, owner, cohort_year ...; repeat.")] = None,
    months: Annotated[str | None, typer.Option(metavar="FIRST:LAST", help="Months to show, such as 2025-01:2025-12.")] = None,
    window: Annotated[str | None, typer.Option(metavar="MONTHS", help="Months that rates look back. [retention.yml says]")] = None,
    into: Annotated[
        str | None, typer.Option("--in", metavar="CURRENCY", help="Turn amounts into one currency by the rates loaded.")
    ] = None,
    version: Annotated[str | None, typer.Option(metavar="N", help="The version of the book. [the current one]")] = None,
    beside: Annotated[
        str | None, typer.Option(metavar="SHA256", help="Show an earlier retention.yml beside: its SHA-256, or 'previous'.")
    ] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write the report, one page that holds everything.")] = None,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="Write every figure as CSV, with a manifest beside it.")] = None,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Measure GRR, NRR, logo retention and the ARR waterfall from the book's terms, by retention.yml.

    The figures are recorded in the ledger: each has an address that `unspun why` opens and `unspun recompute` computes again.

    \b
    Examples:
      unspun retention
      unspun retention --by segment --by cohort_year --as-of 2026-06-30 --html retention.html
      unspun retention --in EUR --csv figures.csv
      unspun retention --beside previous
    """
    from unspun.app.retention import measure_retention
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.progress import show_progress

    request, outputs = _plan(as_of, tuple(by or ()), months, (window, version), into, beside, (html, csv))
    place = workspace_at(workspace)
    with show_progress() as report:
        run = measure_retention(place, request, datetime.now(UTC), report)
    written = _write(place, run, outputs)
    if json:
        print_json(_document(run))
    else:
        print_made(lambda width: _lines(run, written, width))
    return 0


def _plan(
    as_of: str | None,
    by: tuple[str, ...],
    months: str | None,
    numbers: tuple[str | None, str | None],
    into: str | None,
    beside: str | None,
    files: tuple[str | None, str | None],
) -> tuple[RetentionRequest, tuple[OutputFile | None, OutputFile | None]]:
    from unspun.app.retention import RetentionRequest
    from unspun.cli.options import OptionReader
    from unspun.cli.outputs import check_outputs
    from unspun.cli.plan import named_output
    from unspun.errors import BadInput

    reader = OptionReader()
    day = reader.day("--as-of", as_of)
    first, _, last = (months or "").partition(":")
    window = reader.integer("--window", numbers[0], 12, at_least=1) if numbers[0] is not None else None
    version = reader.integer("--version", numbers[1], 1, at_least=1) if numbers[1] is not None else None
    outputs = (named_output("--html", files[0], reader), named_output("--csv", files[1], reader))
    reader.faults.extend(check_outputs([one for one in outputs if one], ()))
    if reader.faults:
        raise BadInput(reader.faults)
    currency = into.upper() if into else None
    return RetentionRequest(
        day, first.strip(), last.strip() or (first.strip() if months else ""), window, by, currency, version, beside
    ), outputs


def _write(place: Workspace, run: RetentionRun, outputs: tuple[OutputFile | None, OutputFile | None]) -> list[str]:
    from unspun.cli.outputs import OutputFile, write_text
    from unspun.reports.figure_files import figures_csv, manifest

    html, csv = outputs
    text = figures_csv(run.entry, run.figures.figures)
    written = []
    if html is not None:
        write_text(html, _page(place, run))
        written.append(str(html.path))
    if csv is not None:
        write_text(csv, text)
        beside = OutputFile(csv.option, csv.path.with_name(f"{csv.path.stem}.manifest.json"))
        write_text(beside, manifest(text, csv.path.name, _facts(run)))
        written += [str(csv.path), str(beside.path)]
    return written


def _page(place: Workspace, run: RetentionRun) -> str:
    from unspun.app.opening import in_place_remarks
    from unspun.reports.figure_files import figures_csv
    from unspun.reports.retention_html import Proof, figures_to_take, render_retention

    figures = run.figures
    proof = Proof(
        entry=run.entry,
        anchor=run.anchor,
        book_version=figures.book_version,
        book_digest=figures.book_digest,
        engine=f"{figures.engine} {figures.engine_version}",
        package_version=figures.package_version,
        definition_name=figures.definition_name,
        definition_text=figures.definition_text,
        definition_sha256=figures.definition_sha256,
        queries=dict(figures.queries),
        company=place.settings.name,
        book_check=figures.book_check,
        remarks=tuple(in_place_remarks(figures.in_place)),
    )
    taken = figures_csv(run.entry, figures_to_take(run.result, figures.figures))
    return render_retention(run.result, proof, taken, None if run.beside is None else run.beside.result)


def _facts(run: RetentionRun) -> dict[str, object]:
    """What a manifest says of the figures."""
    figures = run.figures
    return {
        "what": "figures of retention",
        "entry": run.anchor,
        "question": dict(figures.question),
        "definition": {"name": figures.definition_name, "sha256": figures.definition_sha256},
        "book": {"version": figures.book_version, "digest": figures.book_digest},
        "in_place": [dict(one) for one in figures.in_place],
        "engine": f"{figures.engine} {figures.engine_version}",
        "package_version": figures.package_version,
        "queries": dict(figures.queries),
        "book_check": figures.book_check,
    }


def _document(run: RetentionRun) -> dict[str, Any]:
    """The figures and what backs them, with the same under another definition where it was asked for."""
    left = [{"code": one.code, "reason": one.reason, "what": one.what, "count": one.count} for one in run.result.left_out]
    document = {**_facts(run), "figures": list(run.figures.figures), "left_out": left, "notes": list(run.result.notes)}
    return {**document, "beside": _document(run.beside)} if run.beside is not None else document


def _lines(run: RetentionRun, written: list[str], width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.app.opening import in_place_remarks
    from unspun.book.checks.remarks import check_headline, check_remarks
    from unspun.cli.layout import QUIET, heading, paragraph
    from unspun.cli.terminal import clean
    from unspun.reports import words
    from unspun.reports.retention_claims import headline, remarks, totals

    result = run.result
    for part in totals(result):
        yield from heading(f"{headline(result, part)}{f' ({part.currency})' if part.currency else ''}", width)
        yield from _rates(result, part, width)
        yield from _falls(result, part, width)
    for by in result.question.by:
        yield from _groups(result, by, width)
    yield from _beside(run, width)
    yield Text()
    for one in result.left_out:
        yield from paragraph(f"left out: {one.count:,} {one.what}: {one.reason}", width, QUIET, first="· ")
    for note in remarks(result):
        yield from paragraph(note, width, QUIET, first="· ")
    figures = run.figures
    for note in check_remarks(figures.book_check, figures.book_version):
        yield from paragraph(note, width, first="! " if check_headline(figures.book_check) else "· ")
    for note in in_place_remarks(figures.in_place):
        yield from paragraph(note, width, first="\u00b7 ")
    yield from paragraph(f"counted by the rules of {figures.definition_name}: --json and --html list them", width, QUIET, first="· ")
    last = _example(result)
    yield from paragraph(
        f"As of {words.day(figures.as_of)}, book version {figures.book_version}. {len(figures.figures):,} figures, entry {run.entry} "
        f"of the ledger: unspun why {run.entry}/{last}",
        width,
    )
    for path in written:
        yield Text(f"  Wrote {clean(path)}")


def _example(result: RetentionResult) -> str:
    """The name of the figure that a reader would open first: the last GRR of the whole."""
    from unspun.reports.retention_claims import last_month, totals

    part = totals(result)[0]
    month = last_month(result, part)
    return result.name("grr", month, part) if result.waterfalls and month else next(iter(result.figures()), "")


def _rates(result: RetentionResult, part: Part, width: int) -> Iterator[Text]:
    from unspun.cli.layout import Column, table
    from unspun.reports.retention_charts import short_month
    from unspun.reports.retention_claims import rate_at, window
    from unspun.reports.retention_html import rates_of

    months = sorted({rate.month for rate in rates_of(result, part)})[-SHOWN_MONTHS:]
    if not months:
        return
    rows = [[short_month(month), *(_rate(rate_at(result, name, part, month)) for name in ("grr", "nrr", "logo"))] for month in months]
    titles = [Column(f"Over {window(result)} to"), *(Column(title, right=True) for title in ("GRR", "NRR", "Logos"))]
    yield from table(titles, rows, width)


def _falls(result: RetentionResult, part: Part, width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.book.retention.result import MOVEMENTS
    from unspun.cli.layout import Column, table
    from unspun.reports.retention_charts import amount, short_month
    from unspun.reports.retention_claims import MOVEMENT_TITLES
    from unspun.reports.retention_html import falls_of

    falls = falls_of(result, part)[-SHOWN_MONTHS:]
    if not falls:
        return
    yield Text()
    names, first = ("opening", *MOVEMENTS, "closing"), Column(f"ARR{f', {part.currency}' if part.currency else ''}")
    lines: list[Text] = []
    for titles, show in ((MOVEMENT_TITLES, _money), (SHORT_MOVEMENTS, _short_money)):
        rows = [[short_month(fall.month), *(show(_signed(name, amount(fall, name))) for name in names)] for fall in falls]
        lines = table([first, *(Column(titles[name], right=True) for name in names)], rows, max(width, WIDEST))
        if max(line.cell_len for line in lines) <= width:
            break
    yield from lines


def _groups(result: RetentionResult, by: str, width: int) -> Iterator[Text]:
    from unspun.cli.layout import QUIET, Column, heading, paragraph, table
    from unspun.reports.retention_claims import groups_claim, words_of
    from unspun.reports.retention_html import groupings_of

    for grouping in groupings_of(result):
        if grouping.by != by:
            continue
        yield from heading(groups_claim([one for one, _, _ in grouping.rates], by), width)
        rows = [
            [one.part.value or "(not known)", one.part.currency, _money(one.base), *(_rate(rate) for rate in (one, net, logo))]
            for one, net, logo in grouping.rates[:MOST_PARTS]
        ]
        titles = [Column(words_of(by).capitalize(), flexible=True), Column("", spare=True), Column("Opening ARR", right=True)]
        yield from table([*titles, *(Column(title, right=True) for title in ("GRR", "NRR", "Logos"))], rows, width)
        if len(grouping.rates) > MOST_PARTS:
            yield from paragraph(f"and {len(grouping.rates) - MOST_PARTS:,} more: --csv or --html has them", width, QUIET)


def _beside(run: RetentionRun, width: int) -> Iterator[Text]:
    from unspun.cli.layout import QUIET, Column, heading, paragraph, table
    from unspun.reports.retention_charts import short_month
    from unspun.reports.retention_claims import beside_claim, changed_rules
    from unspun.reports.retention_html import beside_of

    if run.beside is None:
        return
    yield from heading(beside_claim(run.result, run.beside.result), width)
    yield from paragraph(f"What differs: {changed_rules(run.result, run.beside.result)}", width, QUIET)
    rows = [
        [short_month(month), part.currency, *(_rate(rate) for pair in pairs for rate in pair)]
        for month, part, pairs in beside_of(run.result, run.beside.result)
    ]
    titles = ("GRR now", "before", "NRR now", "before")
    yield from table(
        [Column("Closes"), Column("", spare=True), *(Column(title, right=True) for title in titles)], rows[-SHOWN_MONTHS:], width
    )


def _rate(rate: Any) -> str:
    """A rate with its interval in per cent, or why there is none."""
    from unspun.reports import words
    from unspun.stats.estimate import Estimate

    if rate is None:
        return "-"
    return words.estimated(rate.estimate, words.SHARE) if isinstance(rate.estimate, Estimate) else "no estimate"


def _signed(name: str, value: Decimal) -> Decimal:
    return -value if name in ("contraction", "churn") else value


def _money(value: Decimal) -> str:
    from unspun.reports import words

    return words.money(float(value), None)


def _short_money(value: Decimal) -> str:
    from unspun.reports import words

    return words.money_short(float(value), None) if value else "0"
