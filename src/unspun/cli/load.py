"""`unspun load`: files into the book, under mappings that are known or proposed."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from unspun.cli.book_text import AsJson, WaitSeconds, WorkspaceFolder, Yes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.keeping import Patience
    from unspun.app.loads import LoadPlan, LoadRequest, ProposedSource
    from unspun.app.workspace import Workspace
    from unspun.book.checks.finding import Finding
    from unspun.warehouse.load import LoadResult, SourceOutcome

NOT_ACCEPTED = 2
TYPED = (": dates: typed as dates", ": dates: typed as times")
CONFLICT = (
    "Rows of one load cannot follow each other. If these files are exports of different days, undo this load and load them one at a "
    "time, the oldest first (files without dates with --known-at and their day)."
)
MOST_LEFT_OUT = 10  # files named, of those of a folder that fit no table


def load(
    files: Annotated[list[str], typer.Argument(metavar="FILE...", help="Files, folders, quoted patterns, or a database: its name or URL.")],
    as_table: Annotated[str | None, typer.Option("--as", metavar="TABLE", help="The table that the files belong to.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what the load would do, and write nothing.")] = False,
    yes: Yes = False,
    received: Annotated[bool, typer.Option("--received", help="The rows were known when they are loaded, not when they happened.")] = False,
    known_at: Annotated[str | None, typer.Option(metavar="DATE", help="The day on which the files were known, in place of now.")] = None,
    no_check: Annotated[bool, typer.Option("--no-check", help="Do not check the book afterwards.")] = False,
    relation: Annotated[list[str] | None, typer.Option("--relation", metavar="NAME", help="A table or view of the database named.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Read all rows of a database, not only those that are new.")] = False,
    wait: WaitSeconds = None,
    workspace: WorkspaceFolder = None,
    json: AsJson = False,
) -> int:
    """Load files, or tables of a database, into the book: all of them or none, and the same file once.

    book.yml says how a file's columns become the book's. For a file that it does not know a mapping is proposed, shown, and added
    to book.yml once you accept it.

    \b
    Examples:
      unspun load accounts.csv subscriptions.csv events.parquet
      unspun load exports/ --dry-run
      unspun load "usage-2026-*.csv" --as events --yes
      unspun load accounts-of-june.csv --known-at 2026-06-30
      unspun load rejected.csv
      unspun load billing
      unspun load postgresql://host/database --relation public.subscriptions
    """
    from unspun.app.loads import plan_load
    from unspun.cli.book_text import patience, print_json, print_made, workspace_at
    from unspun.cli.load_check import check_loaded, checked_document, checked_lines
    from unspun.cli.progress import show_progress

    request, waits = _read_request(tuple(files), as_table, (dry_run, received, yes), known_at), patience(wait)
    request = replace(request, relations=tuple(relation or ()), full=full)
    place = workspace_at(workspace)
    with show_progress() as report:
        plan = plan_load(place, request, report)
    accepted = plan.proposed
    if accepted:
        if not json:
            print_made(lambda width: _proposals(plan, width))
        plan = _settle(place, plan, request)
        if plan.proposed and not request.dry_run:
            plan.reading.close()
            return NOT_ACCEPTED
    result = _run(place, plan, request, waits)
    if not json:
        print_made(lambda width: _result(result, plan, bool(accepted), width))
    checked = None if no_check or result.version is None else check_loaded(place)
    if json:
        print_json(_document(result, plan, accepted) | {"check": checked_document(checked)})
    elif checked is not None:
        print_made(lambda width: checked_lines(checked, width))
    return 0


def _read_request(files: tuple[str, ...], table: str | None, flags: tuple[bool, bool, bool], known_at: str | None) -> LoadRequest:
    from unspun.app.loads import LoadRequest
    from unspun.book.entities import TABLES, TableName
    from unspun.cli.options import OptionReader
    from unspun.errors import BadInput

    reader = OptionReader()
    name = cast("TableName | None", reader.choice("--as", table, tuple(TABLES), "") or None)
    day = reader.day("--known-at", known_at)
    if reader.faults:
        raise BadInput(reader.faults)
    dry_run, received, accept = flags
    return LoadRequest(files, name, dry_run, received, day, accept)


def _settle(place: Workspace, plan: LoadPlan, request: LoadRequest) -> LoadPlan:
    """The plan with its proposals accepted, or as it was where they are not (or need not be: a dry run writes nothing)."""
    from unspun.app.loads import accept_proposals
    from unspun.cli.book_text import may_go_on
    from unspun.cli.terminal import print_plain

    if request.dry_run:
        return plan
    what = "this mapping" if len(plan.proposed) == 1 else f"these {len(plan.proposed)} mappings"
    if not may_go_on(f"Add {what} to book.yml and load?", request.accept, "--yes"):
        print_plain(["Nothing was loaded, and book.yml is as it was. Name the table with --as, or write the mapping into book.yml."])
        return plan
    return accept_proposals(place, plan)


def _run(place: Workspace, plan: LoadPlan, request: LoadRequest, waits: Patience) -> LoadResult:
    from unspun.app.loads import load as load_plan
    from unspun.cli.progress import show_progress
    from unspun.cli.terminal import print_plain

    try:
        with show_progress() as report:
            return load_plan(place, plan, request, datetime.now(UTC), report, waits)
    except KeyboardInterrupt:
        print_plain(["Interrupted: nothing was loaded. The same command takes up what was read already."])
        raise


def _proposals(plan: LoadPlan, width: int) -> Iterator[Text]:
    for source in plan.proposed:
        others = sum(file.mapping == source.mapping for file in plan.files) - 1
        yield from _proposal(source, others, width)
    yield from _left_out(plan, width)


def _proposal(source: ProposedSource, others: int, width: int) -> Iterator[Text]:
    from unspun.book.mapping.propose_result import describe_proposal
    from unspun.cli.book_text import capital
    from unspun.cli.layout import CAUTION, QUIET, Column, heading, paragraph, table
    from unspun.reports import words

    laid_out = describe_proposal(source.proposal)
    also = f" (and {words.count(others)} more like it)" if others else ""
    yield from heading(f"{source.path}{also}: proposed as {source.mapping.table}", width)
    yield from paragraph(capital(source.proposal.table_why), width, QUIET)
    titles = ("in the book", "in the file", "kind", "examples", "why")
    columns = [Column(""), *(Column(title, flexible=title in ("examples", "why")) for title in titles)]
    rows = [(row.mark, row.book_column, row.file_column, row.kind, row.examples, row.why) for row in laid_out.rows]
    yield from table(columns, rows, width)
    settings = "; ".join(f"{name}: {value}" for name, value in laid_out.settings)
    yield from paragraph(settings, width, QUIET)
    yield from (line for doubt in laid_out.doubts for line in paragraph(capital(doubt), width, CAUTION, first="? "))


def _result(result: LoadResult, plan: LoadPlan, shown: bool, width: int) -> Iterator[Text]:
    """What the load did; `shown`: proposals were, and with them why files of a folder are left out."""
    from rich.text import Text

    from unspun.cli.book_text import capital
    from unspun.cli.layout import QUIET, Column, paragraph, table

    yield Text(_headline(result), style="bold")
    titles = ("rows read", "new", "changed", "unchanged", "rejected")
    columns = (Column("file", flexible=True), Column("table"), *(Column(title, right=True) for title in titles))
    yield from table(columns, _rows(result.sources), width)
    for source in result.sources:
        yield from _remarks(source, width)
    yield from _left_out_again(plan, width) if shown else _left_out(plan, width)
    yield from _drift(result, width)
    for note in _notes(result, plan):
        yield from paragraph(capital(note), width, QUIET, first="\u00b7 ")
    if steps := [*_next_steps(result, plan)]:
        yield Text()
    yield from (line for text in steps for line in paragraph(text, width, indent=0))


def _headline(result: LoadResult) -> str:
    if result.dry_run:
        return "Dry run: nothing was written. The load would do this"
    if result.version is None:
        return "Nothing new: the book is as it was"
    return f"Loaded as load {result.load}: book version {result.version.version}"


def _rows(sources: tuple[SourceOutcome, ...]) -> list[tuple[str, ...]]:
    from unspun.reports.words import count

    counts = [(one.rows_read, one.new, one.changed, one.unchanged, one.rows_rejected) for one in sources]
    rows = [(one.name, one.table, *map(count, line)) for one, line in zip(sources, counts, strict=True)]
    totals = [("all", "", *(count(sum(column)) for column in zip(*counts, strict=True)))] if len(sources) > 1 else []
    return rows + totals


def _remarks(source: SourceOutcome, width: int) -> Iterator[Text]:
    """What a reader should not pass over: rejected rows, and columns that are not loaded."""
    from unspun.book.text import quoted
    from unspun.cli.layout import CAUTION, paragraph
    from unspun.reports.words import count, sentence

    for _, reason, rows in source.rejected:
        yield from paragraph(sentence(f"{source.name}: {count(rows)} rejected: {reason}"), width, CAUTION, first="! ")
    if source.unlisted_columns:
        unlisted = f"{source.name}: columns that book.yml does not name are not loaded: {quoted(list(source.unlisted_columns), 8)}"
        yield from paragraph(sentence(unlisted), width, CAUTION, first="! ")


def _drift(result: LoadResult, width: int) -> Iterator[Text]:
    """How the files differ from those that were loaded before of the same source: figures that are reached first."""
    from unspun.cli.book_text import capital
    from unspun.cli.layout import CAUTION, QUIET, heading, paragraph

    if result.drift:
        yield from heading("Changed since the last load of the same source", width)
    for finding in result.drift:
        style, mark = (QUIET, "\u00b7 ") if finding.severity == "note" else (CAUTION, "! ")
        reaches = f" It reaches {', '.join(finding.affects)}." if finding.affects and finding.severity != "note" else ""
        said = f"{finding.severity} in {finding.table}: {finding.message[:1].lower()}{finding.message[1:]}{reaches} {finding.mend}"
        yield from paragraph(capital(said), width, style, first=mark)


def _left_out(plan: LoadPlan, width: int) -> Iterator[Text]:
    """The files of a folder that are not loaded, and why."""
    from rich.text import Text

    from unspun.cli.layout import CAUTION, paragraph
    from unspun.reports.words import count, sentence

    if plan.left_out:
        yield Text()
    for fault in plan.left_out[:MOST_LEFT_OUT]:
        yield from paragraph(
            sentence(f"{fault.where} is left out: {fault.message[:1].lower()}{fault.message[1:]}"), width, CAUTION, first="! "
        )
    if (more := len(plan.left_out) - MOST_LEFT_OUT) > 0:
        yield from paragraph(f"{count(more)} more files of the folder are left out: --json lists them.", width, CAUTION, first="! ")


def _left_out_again(plan: LoadPlan, width: int) -> Iterator[Text]:
    from unspun.book.text import quoted
    from unspun.cli.layout import CAUTION, paragraph

    if plan.left_out:
        names = quoted([fault.where for fault in plan.left_out], 8)
        yield from paragraph(f"Left out, as said above: {names}.", width, CAUTION, first="! ")


def _notes(result: LoadResult, plan: LoadPlan) -> Iterator[str]:
    """Each note once, with the files that it is of."""
    from unspun.book.text import quoted

    having: dict[str, list[str]] = {}
    for source in result.sources:
        for note in source.notes:
            if note.endswith(TYPED):  # how a file without text stores its dates says nothing
                continue
            having.setdefault(note, []).append(source.name)
    for note, names in having.items():
        yield note if len(names) == len(result.sources) else f"{note} (in {quoted(names, 3)})"
    yield from plan.notes
    yield from (note for note in result.notes if not note.startswith("nothing new"))


def _next_steps(result: LoadResult, plan: LoadPlan) -> Iterator[str]:
    if result.dry_run:
        yield "Load without --dry-run to write it." + (" The proposed mappings are then added to book.yml." if plan.proposed else "")
        return
    if len(result.sources) > 1 and any(code == "conflict" for source in result.sources for code, _, _ in source.rejected):
        yield CONFLICT
    if any(source.rejected for source in result.sources):
        yield "To mend the rejected rows: unspun rejected --csv rejected.csv, correct them there, unspun load rejected.csv."
    if result.version is not None:
        yield "unspun status shows the book; unspun undo takes this load back."


def _document(result: LoadResult, plan: LoadPlan, accepted: tuple[ProposedSource, ...]) -> dict[str, Any]:
    """The result as JSON."""
    sources = [
        asdict(one) | {"rows_rejected": one.rows_rejected, "rejected": [_rejected(*line) for line in one.rejected]}
        for one in result.sources
    ]
    proposed = [
        {"file": one.path, "table": one.mapping.table, "columns": one.mapping.columns, "doubts": one.proposal.doubts} for one in accepted
    ]
    version = None if result.version is None else result.version.version
    notes = [*plan.notes, *result.notes]
    return {
        "dry_run": result.dry_run,
        "load": result.load,
        "version": version,
        "sources": sources,
        "proposed": proposed,
        "left_out": [{"file": fault.where, "code": fault.code, "reason": fault.message} for fault in plan.left_out],
        "notes": notes,
        "drift": [_changed(finding) for finding in result.drift],
    }


def _changed(finding: Finding) -> dict[str, Any]:
    names = ("id", "check", "table", "subject", "severity", "message", "mend", "affects", "facts")
    return {name: getattr(finding, name) for name in names}


def _rejected(code: str, reason: str, rows: int) -> dict[str, Any]:
    return {"code": code, "reason": reason, "rows": rows}
