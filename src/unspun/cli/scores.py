"""`unspun scores`: the health scores of scores.yml listed, checked, explained, computed, and opened for one account."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from unspun.cli.book_text import AsJson, EngineName, WorkspaceFolder
from unspun.cli.score_fit import register

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.text import Text

    from unspun.app.health.scores import CheckedScores, ListedScore
    from unspun.metrics.asof import Step

BAD_DEFINITION = 2
WIDE = 110  # cells from which on what a score is for is cut, and not left out

scores = typer.Typer(
    name="scores",
    help="The health scores that scores.yml declares: listed, checked, explained, computed, and opened for one account.",
    no_args_is_help=True,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The id of a health score.")]
Account = Annotated[str, typer.Option(metavar="ID", help="Whose score.")]
Version = Annotated[str | None, typer.Option("--version", metavar="N", help="The version of the book. [the current one]")]


@scores.command(name="list", short_help="List the health scores.")
def list_(json: AsJson = False, workspace: WorkspaceFolder = None) -> int:
    """List the health scores: what each is for, of how many metrics it is made, and whether it has a track record.

    \b
    Examples:
      unspun scores list
      unspun scores list --json
    """
    from unspun.app.health.scores import list_scores
    from unspun.cli.book_text import print_json, print_made, workspace_at

    found = list_scores(workspace_at(workspace))
    if json:
        print_json([_record(one) for one in found])
    else:
        print_made(lambda width: _listed(found, width))
    return 0


@scores.command(short_help="Find the faults of scores.yml.")
def check(json: AsJson = False, workspace: WorkspaceFolder = None) -> int:
    """Check scores.yml: by itself, against metrics.yml, and against what the book holds. Ends with 2 where it has a fault.

    \b
    Examples:
      unspun scores check
      unspun scores check --json
    """
    from unspun.app.health.scores import check_scores
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.errors import BadInput

    found = check_scores(workspace_at(workspace))
    if json:
        faults = [{"code": one.code, "message": one.message, "where": one.where, "hint": one.hint} for one in found.faults]
        print_json({"scores": found.scores, "book_version": found.book_version, "faults": faults})
        return BAD_DEFINITION if found.faults else 0
    if found.faults:
        raise BadInput(list(found.faults))
    print_made(lambda width: _fine(found, width))
    return 0


@scores.command(short_help="Say how a health score is computed.")
def explain(name: Name, json: AsJson = False, workspace: WorkspaceFolder = None) -> int:
    """Say how a health score is computed, in words and numbers: what each metric weighs and how its values become points, what is done
    where metrics are missing, its bands, and its versions in the ledger.

    \b
    Examples:
      unspun scores explain health
      unspun scores explain health --json
    """
    from unspun.app.health.scores import explain_score
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.score_formula import explained_lines, explained_record

    explained = explain_score(workspace_at(workspace), name)
    if json:
        print_json({**_record(explained.listed), **explained_record(explained)})
    else:
        print_made(lambda width: explained_lines(explained, width))
    return 0


@scores.command(short_help="Compute health scores as of dates, for every account.")
def compute(
    names: Annotated[
        str | None, typer.Option("--scores", metavar="NAMES", help="These scores, with commas between. [all of scores.yml]")
    ] = None,
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
    version: Version = None,
    engine: EngineName = None,
    no_state: Annotated[bool, typer.Option("--no-state", help="Read every row, and nothing that was kept of loaded files.")] = False,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Compute the health scores of scores.yml for every account, as of one date or many, each by what was known then.

    A row holds the score, its band, what each metric contributes (these add up to the score), and the values of the metrics. Where there is
    no score, the column NAME__missing says why. The run is recorded in the ledger: unspun recompute computes it again.

    \b
    Examples:
      unspun scores compute --out scores.csv
      unspun scores compute --every month --from 2025-01-01 --out scores.parquet
    """
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.panel import named_as_options, plan_panel
    from unspun.cli.score_run import computed, document, run_lines

    dates = (as_of, every, first, last, before_renewals)
    panel, output = plan_panel(None, dates, (memory, version, engine), out, from_state=not no_state)
    place, at = workspace_at(workspace), datetime.now(UTC)
    with named_as_options():
        run, badges, written = computed(place, _ids(names), panel, output, at)
    if json:
        print_json({**document(run, badges, output), "seconds": round(run.seconds, 3)})
    else:
        print_made(lambda width: run_lines(run, badges, written, width))
    return 0


@scores.command(short_help="Show why an account has its score.")
def show(
    name: Name,
    account: Account,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="As known at the end of this day. [the last day of the tables read]")
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", metavar="DAYS", help="Compare with so many days earlier; 0 compares with nothing. [28]")
    ] = None,
    version: Version = None,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Show the score of an account: what each metric gives, of how much it could give; what is missing and why; what changed.

    \b
    Examples:
      unspun scores show health --account A-00017
      unspun scores show health --account A-00017 --as-of 2026-06-30 --before 90
    """
    from unspun.app.health.value import BEFORE_DAYS, ScoreRequest, score_facts, show_score
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.options import OptionReader
    from unspun.cli.panel import named_as_options
    from unspun.cli.progress import show_progress
    from unspun.cli.score_text import shown_lines
    from unspun.errors import BadInput

    reader = OptionReader()
    day, number = reader.day("--as-of", as_of), reader.integer("--version", version, None, at_least=1)
    days = reader.integer("--before", before, BEFORE_DAYS, at_least=0)
    if reader.faults:
        raise BadInput(reader.faults)
    with show_progress() as report, named_as_options():
        shown = show_score(workspace_at(workspace), ScoreRequest(name, account, day, number, days), datetime.now(UTC), report)
    if json:
        print_json(score_facts(shown))
    else:
        print_made(lambda width: shown_lines(shown, width))
    return 0


@scores.command(short_help="Show the score of an account over time.")
def history(
    name: Name,
    account: Account,
    every: Annotated[
        str | None, typer.Option(metavar="STEP", help="At the end of every day, week, month, quarter or year. [month]")
    ] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="DATE", help="The first day. [the first row's]")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="DATE", help="The last day. [the last row's]")] = None,
    version: Version = None,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Show the score of an account at the end of every month, under today's definition and under each earlier one that the ledger has.

    \b
    Examples:
      unspun scores history health --account A-00017
      unspun scores history health --account A-00017 --every quarter --from 2025-01-01
    """
    from unspun.app.health.history import HistoryRequest, history_record, score_history
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.options import OptionReader
    from unspun.cli.panel import named_as_options
    from unspun.cli.progress import show_progress
    from unspun.cli.score_text import history_lines
    from unspun.errors import BadInput
    from unspun.metrics.asof import STEPS

    reader = OptionReader()
    begin, end = reader.day("--from", first), reader.day("--to", last)
    number = reader.integer("--version", version, None, at_least=1)
    step = cast("Step", reader.choice("--every", every, STEPS, "month"))
    if reader.faults:
        raise BadInput(reader.faults)
    request = HistoryRequest(name, account, step, begin, end, number)
    with show_progress() as report, named_as_options():
        found = score_history(workspace_at(workspace), request, datetime.now(UTC), report)
    if json:
        print_json(history_record(found))
    else:
        print_made(lambda width: history_lines(found, width))
    return 0


def _ids(names: str | None) -> tuple[str, ...]:
    from unspun.cli.options import OptionReader
    from unspun.errors import BadInput

    reader = OptionReader()
    found = reader.words("--scores", names)
    if reader.faults:
        raise BadInput(reader.faults)
    return found


def _record(one: ListedScore) -> dict[str, Any]:
    from unspun.app.health.scores import badge_record

    score = one.score
    return {
        "id": score.id,
        "name": score.name,
        "description": score.description,
        "owner": score.owner,
        "metrics": list(score.metrics),
        "definition_sha256": one.sha256,
        "badge": badge_record(one.badge),
    }


def _listed(found: tuple[ListedScore, ...], width: int) -> Iterator[Text]:
    from unspun.cli.layout import QUIET, Column, heading, paragraph, table
    from unspun.cli.number_text import counted

    yield from heading(counted(len(found), "health score"), width)
    told = Column("What it is for", flexible=width >= WIDE, spare=width < WIDE)
    columns = [Column("Score"), Column("Metrics", right=True), Column("Track record"), told]
    rows = [[one.score.id, f"{len(one.score.metrics)}", one.badge.text, one.score.description or one.score.label] for one in found]
    yield from table(columns, rows, width)
    yield from paragraph("How one is computed: unspun scores explain NAME", width, QUIET)
    yield from paragraph("Why an account has its score: unspun scores show NAME --account ID", width, QUIET)


def _fine(found: CheckedScores, width: int) -> Iterator[Text]:
    from unspun.cli.layout import paragraph
    from unspun.cli.number_text import counted

    against = (
        "nothing is loaded yet" if found.book_version is None else f"checked against metrics.yml and book version {found.book_version}"
    )
    yield from paragraph(f"{counted(found.scores, 'health score')}, no fault ({against}).", width, indent=0)


register(scores)
