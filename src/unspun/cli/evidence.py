"""`unspun evidence`: every metric and score of the book put on trial."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from unspun.cli.asked import BookVersion, JsonFile, Memory, NoChanges, Outputs, faults_by_option, print_json, read_asked, read_outputs
from unspun.cli.book_text import EngineName, WorkspaceFolder

if TYPE_CHECKING:
    from unspun.app.evidence.changes import Cause, Changes, SubjectChange
    from unspun.app.evidence.inputs import EvidenceRequest
    from unspun.app.evidence.run import EvidenceRun
    from unspun.app.workspace import Workspace
    from unspun.cli.evidence_text import Shown
    from unspun.cli.options import OptionReader
    from unspun.reports.evidence_claims import Side, Since
    from unspun.reports.evidence_html import Proof

OPTIONS = {"horizons": "--horizon", "primary_horizon": "--primary-horizon", "as_of": "--as-of", "subjects": "SUBJECT"}


def evidence(
    subjects: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SUBJECT]...", help="Which to judge: keys (metric/logins_28d), ids or patterns. [all]"),
    ] = None,
    horizon: Annotated[list[str] | None, typer.Option(metavar="DAYS", help="Days before the due date to look at; repeat.")] = None,
    primary_horizon: Annotated[str | None, typer.Option(metavar="DAYS", help="The horizon that decides the verdict.")] = None,
    capacity: Annotated[str | None, typer.Option(metavar="N", help="Accounts the team can treat a month. [20]")] = None,
    fixed: Annotated[
        list[str] | None, typer.Option(metavar="ATTRIBUTE", help="An undated attribute that never changes, such as segment; repeat.")
    ] = None,
    detail: Annotated[
        str | None, typer.Option(metavar="auto|all|none", help="Work out and show bands, lead time and misses of each. [auto]")
    ] = None,
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Know nothing later than this day. [the last day on which an outcome was known]")
    ] = None,
    version: BookVersion = None,
    html: Annotated[str | None, typer.Option(metavar="FOLDER", help="Write an index and a page for each, as a folder.")] = None,
    json: JsonFile = None,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="Write the published figures as CSV, a manifest beside it.")] = None,
    no_changes: NoChanges = False,
    memory: Memory = None,
    engine: EngineName = None,
    workspace: WorkspaceFolder = None,
) -> int:
    """Put every metric, health score, imported score, survey and forecast on trial: does it foretell churn, and beyond the contract?

    Metrics are computed as of each day looked at, by what was known then. The figures are recorded in the ledger: each has an address
    that `unspun why` opens and `unspun recompute` computes again.

    \b
    Examples:
      unspun evidence
      unspun evidence --html evidence
      unspun evidence 'metric/*_28d' score/health --primary-horizon 60
      unspun evidence --as-of 2026-06-30 --json evidence.json --csv figures.csv
      unspun evidence --json - | jq '.subjects[] | [.key, .audit.verdict]'
    """
    from unspun.cli.book_text import workspace_at
    from unspun.cli.evidence_files import WHAT

    numbers = (primary_horizon, capacity, version)
    request = _request(tuple(subjects or ()), tuple(horizon or ()), numbers, tuple(fixed or ()), (detail, as_of, memory, engine))
    outputs = read_outputs(html, json, csv, WHAT)
    run, shown = _judged(workspace_at(workspace), request, outputs, not no_changes)
    _print(run, shown, outputs)
    return 0


def _request(
    subjects: tuple[str, ...],
    horizons: tuple[str, ...],
    numbers: tuple[str | None, str | None, str | None],
    fixed: tuple[str, ...],
    others: tuple[str | None, str | None, str | None, str | None],
) -> EvidenceRequest:
    """What was typed as a request. Raises BadInput with the faults of all options."""
    from unspun.app.evidence.inputs import EvidenceRequest
    from unspun.audit.protocol import AuditSettings
    from unspun.cli.options import DETAILS

    default, (primary, capacity, version), (detail, as_of, memory, engine) = AuditSettings(), numbers, others

    def read(reader: OptionReader) -> EvidenceRequest:
        settings = AuditSettings(
            horizons=reader.integers("--horizon", ",".join(horizons) if horizons else None, default.horizons, at_least=1),
            primary_horizon=reader.integer("--primary-horizon", primary, None, at_least=1),
            capacity=reader.integer("--capacity", capacity, default.capacity, at_least=1),
            fixed=fixed,
            detail=cast("Literal['auto', 'all', 'none']", reader.choice("--detail", detail, DETAILS, "auto")),
        )
        day = reader.day("--as-of", as_of)
        number = reader.integer("--version", version, None, at_least=1)
        return EvidenceRequest(subjects, settings, number, day, memory, engine)

    return read_asked(read)


def _judged(place: Workspace, request: EvidenceRequest, outputs: Outputs, changes: bool) -> tuple[EvidenceRun, Shown]:
    """Judge, and write what was asked for. Faults are named by their options."""
    from unspun.app.evidence.run import judge_evidence
    from unspun.cli.evidence_files import write_files
    from unspun.cli.evidence_text import Shown
    from unspun.cli.progress import show_progress

    with faults_by_option(_options()), show_progress() as report:
        run = judge_evidence(place, request, datetime.now(UTC), report, changes)
        proof, since = proof_of(place, run), None if run.changes is None else since_of(run.changes)
        written = write_files(outputs, run, proof, since, report)
    whole = request.settings.detail == "all"
    return run, Shown(run.result, proof, since, run.seconds, tuple(written), whole)


def _options() -> dict[str, str]:
    """The option that each setting is given by."""
    from dataclasses import fields

    from unspun.audit.protocol import AuditSettings

    return {**{one.name: f"--{one.name.replace('_', '-')}" for one in fields(AuditSettings)}, **OPTIONS}


def proof_of(place: Workspace, run: EvidenceRun) -> Proof:
    """What backs the pages of a run."""
    from unspun.app.published.backing import proof_of as backed

    return backed(place, run.figures, run.entry, run.anchor, run.set_aside)


def since_of(changes: Changes) -> Since:
    """The changes in the words of the reports, each cause with its part of the difference."""
    from unspun.reports import words
    from unspun.reports.evidence_claims import Change, Since

    told = tuple(
        Change(one.key, one.status, *_sides(one), because=tuple(_cause(cause) for cause in one.causes)) for one in changes.subjects
    )
    causes = "; ".join(cause.text for cause in changes.causes) or "nothing in the book, the definitions or the options"
    note = f". {changes.note[:1].upper()}{changes.note[1:]}" if changes.note else ""
    return Since(changes.entry, f"What differs from entry {changes.entry} of {words.day(changes.at.date())}: {causes}{note}", told)


def _sides(change: SubjectChange) -> tuple[Side | None, Side | None]:
    from unspun.reports.evidence_claims import Side

    then = None if change.verdict_then is None else Side(change.verdict_then, change.auc_then, change.gain_then)
    return then, None if change.verdict_now is None else Side(change.verdict_now, change.auc_now, change.gain_now)


def _cause(cause: Cause) -> str:
    """`AUC +0.090, gain +0.012: book version 6; then 4`."""
    from unspun.reports import words
    from unspun.reports.evidence_claims import LEAST_TOLD

    by = (("AUC", cause.auc), ("gain", cause.gain))
    parts = [f"{name} {words.number(part, 3, signed=True)}" for name, part in by if part is not None and abs(part) >= LEAST_TOLD]
    return f"{', '.join(parts)}{': ' if parts else ''}{cause.text}"


def _print(run: EvidenceRun, shown: Shown, outputs: Outputs) -> None:
    """To standard output: the JSON and nothing else, or the summary."""
    if outputs.json_to_stdout:
        from unspun.reports.evidence_json import to_json

        print_json(to_json(run.result))
        return
    from unspun.cli.book_text import print_made
    from unspun.cli.evidence_text import evidence_lines

    print_made(lambda width: evidence_lines(shown, width))
