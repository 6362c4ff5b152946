"""`unspun metrics`: the metrics of metrics.yml listed, checked, explained, and one value opened to its rows."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.cli.book_text import AsJson, EngineName, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.metric.definitions import CheckedMetrics, Explained, ListedMetric

BAD_DEFINITION = 2
WIDE = 110  # cells from which on a list has room for more than what each metric measures
TITLES = {"unit": "Unit", "direction": "Healthier", "owner": "Owner"}
TOLD = ("name", "description", "unit", "direction", "reference", "owner")

metrics = typer.Typer(
    name="metrics",
    help="The metrics that metrics.yml declares: listed, checked, explained, and opened to their rows.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The id of a metric.")]


@metrics.command(name="list", short_help="List the metrics.")
def list_(json: AsJson = False, workspace: WorkspaceFolder = None) -> int:
    """List the metrics: what each measures, and on a wide terminal its unit, direction and owner.

    \b
    Examples:
      unspun metrics list
      unspun metrics list --json
    """
    from unspun.app.metric.definitions import list_metrics
    from unspun.cli.book_text import print_json, print_made, workspace_at

    found = list_metrics(workspace_at(workspace))
    if json:
        print_json([_record(one) for one in found])
    else:
        print_made(lambda width: _listed(found, width))
    return 0


@metrics.command(short_help="Suggest standard metrics that the book can bear.")
def suggest(
    theme: Annotated[list[str] | None, typer.Option("--theme", metavar="THEMES", help="Of these themes, with commas between.")] = None,
    choose: Annotated[
        list[str] | None, typer.Option("--choose", metavar="CHOICE=NAME", help="Answer a choice; may be repeated, also for one choice.")
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Add them to metrics.yml.")] = False,
    yaml: Annotated[bool, typer.Option("--yaml", help="Print metrics.yml with them, and nothing else.")] = False,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Suggest metrics of the field's catalogue for what the book holds: those that can be declared, those that wait for a choice which only
    you can make, and what the others would need. Nothing is written without --write.

    \b
    Examples:
      unspun metrics suggest
      unspun metrics suggest --theme activity,breadth
      unspun metrics suggest --choose key_actions=export --choose key_actions=share --write
    """
    from unspun.app.metric.suggest import suggest_metrics, write_suggested
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.metric_suggest import lines, read_request, record, written
    from unspun.cli.terminal import reader_may_leave

    place = workspace_at(workspace)
    found = suggest_metrics(place, read_request(theme or [], choose or []))
    if write:
        write_suggested(place, found)
    if json:
        print_json(record(found))
    elif yaml:
        with reader_may_leave():
            sys.stdout.buffer.write(found.text.encode())
    else:
        print_made(lambda width: lines(found, width, written(found, place.metrics_file) if write else ""))
    return 0


@metrics.command(short_help="Find the faults of metrics.yml.")
def check(engine: EngineName = None, json: AsJson = False, workspace: WorkspaceFolder = None) -> int:
    """Check metrics.yml, by itself, against the tables and columns of the book, and what the engine can compute. Ends with 2 where it has
    a fault.

    \b
    Examples:
      unspun metrics check
      unspun metrics check --json
    """
    from unspun.app.metric.definitions import check_metrics
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.errors import BadInput

    found = check_metrics(workspace_at(workspace), engine)
    if json:
        print_json(_checked(found))
        return BAD_DEFINITION if found.faults else 0
    if found.faults:
        raise BadInput(list(found.faults))
    print_made(lambda width: _fine(found, width))
    return 0


@metrics.command(short_help="Say what a metric is.")
def explain(
    name: Name,
    sql: Annotated[bool, typer.Option("--sql", help="Print the SQL that computes it as of one date, and nothing else.")] = False,
    engine: EngineName = None,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Say what a metric is, in words and as it is declared: what it reads, when it has no value, its versions in the ledger.

    \b
    Examples:
      unspun metrics explain logins_28d
      unspun metrics explain logins_28d --sql
    """
    from unspun.app.metric.definitions import explain_metric, metric_sql
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.terminal import reader_may_leave

    place = workspace_at(workspace)
    explained = explain_metric(place, name)
    queries = metric_sql(place, name, engine=engine) if sql else {}
    if json:
        print_json({**_explained_record(explained), **({"queries": queries} if sql else {})})
    elif sql:
        with reader_may_leave():
            print("\n\n".join(f"-- {step}\n{text};" for step, text in queries.items()))
    else:
        print_made(lambda width: _explained(explained, width))
    return 0


@metrics.command(short_help="Show one value and the rows behind it.")
def show(
    name: Name,
    account: Annotated[str, typer.Option(metavar="ID", help="Whose value.")],
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="As known at the end of this day. [the last day of the tables read]")
    ] = None,
    rows: Annotated[str | None, typer.Option("--rows", metavar="FILE", help="Write all rows behind it as CSV, with a manifest.")] = None,
    version: Annotated[str | None, typer.Option(metavar="N", help="The version of the book. [the current one]")] = None,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Show the value of a metric for an account, or why there is none, what it is made of, and the rows that count.

    \b
    Examples:
      unspun metrics show logins_28d --account A-00017
      unspun metrics show logins_28d --account A-00017 --as-of 2026-06-30 --rows rows.csv
    """
    from unspun.cli.metric_value import print_value, read_request, read_value, write_rows

    request, output = read_request(name, account, (as_of, version), rows)
    shown, written = (read_value(workspace, request), []) if output is None else write_rows(workspace, request, output)
    print_value(shown, written, json)
    return 0


def _record(one: ListedMetric) -> dict[str, Any]:
    told = {name: getattr(one.metric, name) for name in TOLD}
    return {"id": one.metric.id, **told, "kind": one.kind, "sentence": one.sentence}


def _listed(found: tuple[ListedMetric, ...], width: int) -> Iterator[Text]:
    from unspun.cli.layout import QUIET, Column, heading, paragraph, table
    from unspun.cli.number_text import counted

    yield from heading(counted(len(found), "metric"), width)
    more = ("unit", "direction", "owner") if width >= WIDE else ()
    more = tuple(name for name in more if any(getattr(one.metric, name) for one in found))
    rows = [[one.metric.id, one.kind, *(getattr(one.metric, name) for name in more), one.metric.description] for one in found]
    columns = [Column("Metric"), Column("Kind"), *(Column(TITLES[name]) for name in more), Column("What it measures", flexible=True)]
    yield from table(columns, rows, width)
    yield from paragraph("What one is, and when it has no value: unspun metrics explain NAME", width, QUIET)


def _checked(found: CheckedMetrics) -> dict[str, Any]:
    faults = [{"code": one.code, "message": one.message, "where": one.where, "hint": one.hint} for one in found.faults]
    absent = [{**asdict(one), "metrics": list(one.metrics)} for one in found.absent]
    without = {"tables_without_rows": list(found.lacking), "texts_without_rows": absent}
    return {"metrics": found.metrics, "book_version": found.book_version, "faults": faults, **without}


def _fine(found: CheckedMetrics, width: int) -> Iterator[Text]:
    from unspun.cli.layout import paragraph
    from unspun.cli.number_text import counted

    against = "nothing is loaded yet" if found.book_version is None else f"checked against book version {found.book_version}"
    yield from paragraph(f"{counted(found.metrics, 'metric')}, no fault ({against}).", width, indent=0)
    if found.lacking:
        yield from paragraph(
            f"The book holds no rows of {', '.join(found.lacking)}: what reads them has no value (no_source).", width, indent=0
        )
    for one in found.absent:
        told = f"{', '.join(one.metrics)}: no row has '{one.text}' in {one.table}.{one.column}. {one.hint}"
        yield from paragraph(told.strip(), width, indent=0)


def _explained_record(explained: Explained) -> dict[str, Any]:
    versions = [{"entry": one.entry, "at": one.at.isoformat(), "yaml": one.yaml} for one in explained.versions]
    return {
        **_record(explained.listed),
        "yaml": explained.yaml,
        "reads": {"tables": list(explained.tables), "metrics": list(explained.metrics)},
        "no_value": dict(explained.reasons),
        "every_row_is_read": None if explained.rows_read is None else list(explained.rows_read),
        "versions": versions,
        "definition_sha256": explained.definition.sha256,
    }


def _explained(explained: Explained, width: int) -> Iterator[Text]:
    from rich.text import Text

    from unspun.cli.layout import Column, heading, paragraph, table
    from unspun.cli.terminal import clean

    metric = explained.listed.metric
    yield from heading(f"{metric.id}: {metric.label}" if metric.name else metric.id, width)
    yield from paragraph(metric.description, width)
    yield Text()
    yield from paragraph(explained.listed.sentence, width)
    reads = " and ".join(part for part in (_names("", explained.tables), _names("the metrics ", explained.metrics)) if part)
    kept = "rows of new files only: what others add up to is kept"
    again = None if explained.rows_read is None else f"every row: {'; '.join(explained.rows_read)}" if explained.rows_read else kept
    facts = [["reads", reads or "nothing of the book"], *([["read again", again]] if again else [])]
    facts += [[name, getattr(metric, name)] for name in TOLD[2:] if getattr(metric, name)]
    yield from table([Column(""), Column("", flexible=True)], facts, width)
    yield from heading("As it is declared", width)
    yield from (Text(f"  {clean(line)}") for line in explained.yaml.splitlines())
    yield from heading("When it has no value", width)
    for code, told in explained.reasons or (("never", "it always has one"),):
        yield from paragraph(f"{code}: {told}", width, first="· ")
    yield from _history(explained, width)


def _names(before: str, names: tuple[str, ...]) -> str:
    return f"{before}{', '.join(names)}" if names else ""


def _history(explained: Explained, width: int) -> Iterator[Text]:
    from unspun.cli.book_text import instant
    from unspun.cli.layout import QUIET, heading, paragraph

    yield from heading("In the ledger", width)
    if not explained.versions:
        yield from paragraph("Not recorded yet: the first panel records it.", width, QUIET)
    for one in explained.versions:
        same = "as above" if one.yaml == explained.yaml else "taken out" if not one.yaml else "otherwise than above"
        yield from paragraph(f"entry {one.entry}, {instant(one.at)} UTC: {same}", width, QUIET, first="· ")
