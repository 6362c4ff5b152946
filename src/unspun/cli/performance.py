"""`unspun performance`: renewals of owners and other groups beside what was expected of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from unspun.cli.asked import BookVersion, JsonFile, Memory, Outputs, faults_by_option, print_json, read_asked, read_outputs
from unspun.cli.book_text import EngineName, WorkspaceFolder

if TYPE_CHECKING:
    from unspun.app.performance.run import PerformanceRequest, PerformanceRun
    from unspun.app.workspace import Workspace
    from unspun.reports.performance_html import Proof


def performance(
    by: Annotated[
        list[str] | None, typer.Option(metavar="GROUP", help="owner, segment, cohort or a column of accounts; repeat. [owner]")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Know nothing later than this day. [the last day on which anything is known]")
    ] = None,
    since: Annotated[str | None, typer.Option(metavar="DATE", help="Renewals due from this day on. [all]")] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Metrics that expectations rest on too; repeat; patterns. [none]")
    ] = None,
    html: Annotated[str | None, typer.Option(metavar="FILE", help="Write the report, one page that holds everything.")] = None,
    json: JsonFile = None,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="Write a line for each group as CSV, a manifest beside it.")] = None,
    version: BookVersion = None,
    memory: Memory = None,
    engine: EngineName = None,
    workspace: WorkspaceFolder = None,
) -> int:
    """Compare owners, segments or cohorts by renewals beyond what was expected of their accounts when each term began.

    A hard book is not a bad owner: expectations come from what was known at the time. Differences are shrunk by how much groups differ at
    all; where intervals overlap it says that there is no ranking. Renewals of accounts that changed owner are shared by days.

    \b
    Examples:
      unspun performance
      unspun performance --by owner --by segment --since 2025-01-01 --html performance.html
      unspun performance --by region --csv regions.csv
      unspun performance --json - | jq '.comparisons[0].ranking'
    """
    from unspun.cli.book_text import print_made, workspace_at
    from unspun.cli.performance_text import Shown, performance_lines
    from unspun.cli.progress import show_progress

    request = _request(tuple(by or ()), (as_of, since), tuple(metric or ()), version, memory, engine)
    outputs = read_outputs(html, json, csv)
    place = workspace_at(workspace)
    run = _measured(place, request)
    proof = proof_of(place, run)
    with show_progress() as report:
        report("writing", 0, 0)
        written = _write(outputs, run, proof)
    if outputs.json_to_stdout:
        from unspun.reports.performance_json import to_json

        print_json(to_json(run.result))
        return 0
    print_made(lambda width: performance_lines(Shown(run.result, proof, run.seconds, tuple(written)), width))
    return 0


def _request(
    by: tuple[str, ...],
    days: tuple[str | None, str | None],
    metrics: tuple[str, ...],
    version: str | None,
    memory: str | None,
    engine: str | None,
) -> PerformanceRequest:
    """What was typed as a request. Raises BadInput with the faults of all options."""
    from unspun.app.performance.run import PerformanceRequest

    return read_asked(
        lambda reader: PerformanceRequest(
            by=by or ("owner",),
            as_of=reader.day("--as-of", days[0]),
            since=reader.day("--since", days[1]),
            version=reader.integer("--version", version, None, at_least=1),
            memory=memory,
            engine=engine,
            metrics=metrics,
        )
    )


def _measured(place: Workspace, request: PerformanceRequest) -> PerformanceRun:
    from unspun.app.performance.run import measure_performance
    from unspun.cli.progress import show_progress

    with faults_by_option({}), show_progress() as report:
        return measure_performance(place, request, datetime.now(UTC), report)


def proof_of(place: Workspace, run: PerformanceRun) -> Proof:
    """What backs the page of a run."""
    from unspun.app.published.backing import proof_of as backed

    return backed(place, run.figures, run.entry, run.anchor)


def _write(outputs: Outputs, run: PerformanceRun, proof: Proof) -> list[str]:
    """Write what was asked for; what was written, in words. Raises BadInput where the system refuses."""
    from unspun.cli.outputs import write_text
    from unspun.cli.page_folder import write_with_manifest
    from unspun.reports.performance_html import render_performance
    from unspun.reports.performance_json import groups_csv, to_json

    written: list[str] = []
    if outputs.html is not None:
        write_text(outputs.html, render_performance(run.result, proof))
        written.append(f"Page: {outputs.html.path}")
    if outputs.json is not None:
        written += write_with_manifest(outputs.json, to_json(run.result), _facts(run), "Result")
    if outputs.csv is not None:
        written += write_with_manifest(outputs.csv, groups_csv(run.result), _facts(run), "Groups")
    return written


def _facts(run: PerformanceRun) -> dict[str, Any]:
    """What a manifest says of a run."""
    from unspun.app.publication import asked_of

    return {"entry": run.anchor, **asked_of(run.figures), "book_check": run.figures.book_check}
