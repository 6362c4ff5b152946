"""`unspun risk`: what every open renewal is likely to come to, and why."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.cli.asked import BookVersion, JsonFile, Memory, NoChanges, Outputs, faults_by_option, print_json, read_asked, read_outputs
from unspun.cli.book_text import EngineName, WorkspaceFolder

if TYPE_CHECKING:
    from unspun.app.risk.basis import RiskRequest
    from unspun.app.risk.changes import RiskChanges
    from unspun.app.risk.run import RiskRun
    from unspun.app.workspace import Workspace
    from unspun.cli.risk_text import Shown
    from unspun.reports.evidence_html import Proof
    from unspun.reports.risk_claims import Earlier

OPTIONS = {"as_of": "--as-of", "metrics": "--metric", "capacity": "--capacity", "account": "--account"}


def risk(
    account: Annotated[str | None, typer.Option(metavar="ID", help="Tell the whole story of one account's renewals.")] = None,
    capacity: Annotated[str | None, typer.Option(metavar="N", help="How many renewals the list shows. [20]")] = None,
    metric: Annotated[
        list[str] | None, typer.Option(metavar="PATTERN", help="Metrics that the model may use: ids or patterns; repeat. [all]")
    ] = None,
    fit: Annotated[bool, typer.Option("--fit", help="Fit a new version of the model; past numbers stay as they were.")] = False,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Know nothing later than this day. [the last day on which an outcome was known]")
    ] = None,
    version: BookVersion = None,
    html: Annotated[str | None, typer.Option(metavar="FOLDER", help="Write the list, a page for each renewal and the model.")] = None,
    json: JsonFile = None,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="Write every renewal as CSV, a manifest beside it.")] = None,
    no_changes: NoChanges = False,
    memory: Memory = None,
    engine: EngineName = None,
    workspace: WorkspaceFolder = None,
) -> int:
    """Tell of each open renewal how likely it is to churn, contract, renew flat or expand, with intervals, reasons and what is not known.

    The first run fits a model and judges it on later renewals; the runs after it use that model until --fit asks for a new one. The
    figures are recorded in the ledger: each has an address that `unspun why` opens and `unspun recompute` computes again.

    \b
    Examples:
      unspun risk
      unspun risk --account A0042
      unspun risk --capacity 40 --html risk
      unspun risk --as-of 2026-06-30 --json risk.json --csv renewals.csv
      unspun risk --json - | jq '.renewals[] | select(.churn.low > .typical) | .account'
    """
    from unspun.cli.book_text import workspace_at
    from unspun.cli.risk_files import WHAT

    request = _request(account, tuple(metric or ()), (capacity, version), as_of, fit, (memory, engine))
    outputs = read_outputs(html, json, csv, WHAT)
    run, shown = _judged(workspace_at(workspace), request, outputs, not no_changes)
    _print(run, shown, outputs)
    return 0


def _request(
    account: str | None,
    metrics: tuple[str, ...],
    numbers: tuple[str | None, str | None],
    as_of: str | None,
    fit: bool,
    others: tuple[str | None, str | None],
) -> RiskRequest:
    """What was typed as a request. Raises BadInput with the faults of all options."""
    from unspun.app.risk.basis import RiskRequest

    return read_asked(
        lambda reader: RiskRequest(
            capacity=reader.integer("--capacity", numbers[0], RiskRequest().capacity, at_least=1),
            version=reader.integer("--version", numbers[1], None, at_least=1),
            as_of=reader.day("--as-of", as_of),
            memory=others[0],
            engine=others[1],
            metrics=metrics,
            account=account,
            fit=fit,
        )
    )


def _judged(place: Workspace, request: RiskRequest, outputs: Outputs, changes: bool) -> tuple[RiskRun, Shown]:
    """Judge, and write what was asked for. Faults are named by their options."""
    from unspun.app.published.pages import meanings_of
    from unspun.app.risk.run import judge_risk
    from unspun.cli.progress import show_progress
    from unspun.cli.risk_files import write_files
    from unspun.cli.risk_text import Shown

    with faults_by_option(OPTIONS), show_progress() as report:
        run = judge_risk(place, request, datetime.now(UTC), report, changes)
        proof, earlier = proof_of(place, run), None if run.changes is None else earlier_of(run.changes)
        written = write_files(outputs, run, proof, earlier, request, report)
    said = run.model_why, meanings_of(run.figures), run.seconds, tuple(written)
    return run, Shown(run.result, proof, earlier, *said, request.capacity, request.account)


def proof_of(place: Workspace, run: RiskRun) -> Proof:
    """What backs the pages of a run."""
    from unspun.app.published.backing import proof_of as backed
    from unspun.app.published.backing import unrecorded_remarks

    return backed(place, run.figures, run.entry, run.anchor, run.left_out, unrecorded_remarks(run.unrecorded))


def earlier_of(changes: RiskChanges) -> Earlier:
    """What the run before said, in the words of the reports."""
    from unspun.reports.risk_claims import Earlier

    parts = {(one.account, one.due): (one.data, one.time, one.model) for one in changes.renewals}
    decided = tuple((one.then, one.outcome) for one in changes.decided)
    return Earlier(changes.entry, changes.at, changes.as_of, changes.churn, changes.causes, parts, decided, changes.note)


def _print(run: RiskRun, shown: Shown, outputs: Outputs) -> None:
    """To standard output: the JSON and nothing else, or the summary."""
    if outputs.json_to_stdout:
        from unspun.cli.risk_files import told_of
        from unspun.reports.risk_json import to_json

        print_json(to_json(told_of(run.result, shown.account)))
        return
    from unspun.cli.book_text import print_made
    from unspun.cli.risk_text import risk_lines

    print_made(lambda width: risk_lines(shown, width))
