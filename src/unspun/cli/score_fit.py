"""`unspun scores fit`, `what-if` and `import`: health scores that were fitted, changed on trial, or brought from another tool."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.cli.book_text import AsJson, EngineName, WorkspaceFolder

if TYPE_CHECKING:
    from unspun.app.evidence.inputs import EvidenceRequest
    from unspun.app.health.fit import FitRequest
    from unspun.app.health.scorecard import ImportRequest
    from unspun.app.what_if import WhatIfRequest
    from unspun.cli.options import OptionReader

NOT_THE_ANSWER = 3
AsOf = Annotated[
    str | None, typer.Option(metavar="DATE", help="Know nothing later than this day. [the last day on which an outcome was known]")
]
Horizon = Annotated[str | None, typer.Option(metavar="DAYS", help="Look at each renewal so many days ahead. [as `unspun evidence` does]")]
Version = Annotated[str | None, typer.Option("--version", metavar="N", help="The version of the book. [the current one]")]
AsYaml = Annotated[bool, typer.Option("--yaml", help="Print the score as it stands in scores.yml, and nothing else.")]
Trial = tuple[str | None, str | None, str | None, str | None]


def register(scores: typer.Typer) -> None:
    """Add the commands to `unspun scores`."""
    scores.command(short_help="Fit a points score on earlier renewals.")(fit)
    scores.command(name="what-if", short_help="Change a score, and see its track record change.")(what_if)
    scores.command(name="import", short_help="Bring a scorecard of another tool.")(import_)


def fit(
    like: Annotated[str | None, typer.Option(metavar="ID", help="Of the metrics of this score, and beside it alone. [all metrics]")] = None,
    metric: Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only of these metrics, or patterns of them; repeat.")] = None,
    most: Annotated[str | None, typer.Option(metavar="N", help="Inputs at most, 1 to 12. [12]")] = None,
    write: Annotated[str | None, typer.Option(metavar="ID", help="Add it to scores.yml under this id. None is replaced.")] = None,
    primary_horizon: Horizon = None,
    as_of: AsOf = None,
    version: Version = None,
    engine: EngineName = None,
    yaml: AsYaml = False,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Fit a points score: at most a dozen metrics in bands of whole points, the healthier never with fewer.

    Bands, inputs and weights come from renewals decided before the test begins. On the later ones its track record stands beside that of
    the declared scores. Nothing is written without --write. The fit is counted in the ledger as a try on this test period.

    \b
    Examples:
      unspun scores fit
      unspun scores fit --like health --most 6
      unspun scores fit --metric '*_28d' --metric tickets_90d --write fitted_usage
    """
    from unspun.app.health.fit import fit_health, write_fitted
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.progress import show_progress
    from unspun.cli.score_fit_text import fit_lines, fit_record, refusal_lines, refusal_record
    from unspun.stats.estimate import NoEstimate

    request = _fit_request(like, tuple(metric or ()), most, write, (primary_horizon, as_of, version, engine))
    place = workspace_at(workspace)
    with show_progress(not json) as progress:
        run = fit_health(place, request, datetime.now(UTC), progress)
    if isinstance(run, NoEstimate):
        if json:
            print_json(refusal_record(run))
        else:
            print_made(lambda width: refusal_lines("No score can be fitted", run, width))
        return NOT_THE_ANSWER
    if write is not None:
        write_fitted(place, run)
    if json:
        print_json(fit_record(run))
    elif yaml:
        _print_text(run.yaml)
    else:
        print_made(lambda width: fit_lines(run, write, width))
    return 0


def what_if(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The id of a health score.")],
    weight: Annotated[list[str] | None, typer.Option(metavar="NAME=N", help="Another weight of a group or a metric; repeat.")] = None,
    points: Annotated[
        list[str] | None, typer.Option(metavar="METRIC=VALUE:POINTS,...", help="Other points, straight lines between the values; repeat.")
    ] = None,
    steps: Annotated[
        list[str] | None, typer.Option(metavar="METRIC=VALUE:POINTS,...", help="Other points, each from its value on; repeat.")
    ] = None,
    values: Annotated[list[str] | None, typer.Option(metavar="METRIC=TEXT:POINTS,...", help="Other points of texts; repeat.")] = None,
    without: Annotated[list[str] | None, typer.Option(metavar="METRIC", help="Leave a metric out; repeat.")] = None,
    least_weight: Annotated[str | None, typer.Option(metavar="PERCENT", help="Under this share of the weight there is no score.")] = None,
    primary_horizon: Horizon = None,
    as_of: AsOf = None,
    version: Version = None,
    engine: EngineName = None,
    yaml: AsYaml = False,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Change weights or points of a declared score, and see its track record change. scores.yml stays as it is.

    Every try is counted in the ledger, and intervals get wider with each: trying many and keeping the best is fitting on the test.

    \b
    Examples:
      unspun scores what-if health --weight usage=40
      unspun scores what-if health --weight usage/logins_28d=3 --without last_nps
      unspun scores what-if health --steps 'tickets_90d=0:100,2:60,5:0' --yaml
    """
    from unspun.app.what_if import try_what_if
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.progress import show_progress
    from unspun.cli.score_fit_text import refusal_lines, refusal_record, what_if_lines, what_if_record
    from unspun.stats.estimate import NoEstimate

    scales = (tuple(points or ()), tuple(steps or ()), tuple(values or ()))
    trial = (primary_horizon, as_of, version, engine)
    request = _what_if_request(name, tuple(weight or ()), scales, tuple(without or ()), least_weight, trial)
    with show_progress(not json) as progress:
        run = try_what_if(workspace_at(workspace), request, datetime.now(UTC), progress)
    if isinstance(run, NoEstimate):
        if json:
            print_json(refusal_record(run))
        else:
            print_made(lambda width: refusal_lines("It cannot be told", run, width))
        return NOT_THE_ANSWER
    if json:
        print_json(what_if_record(run))
    elif yaml:
        _print_text(run.yaml)
    else:
        print_made(lambda width: what_if_lines(run, width))
    return 0


def import_(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The scorecard: CSV (or TSV) or YAML.")],
    map_: Annotated[
        list[str] | None, typer.Option("--map", metavar="MEASURE=METRIC", help="Which metric a measure of the file is; repeat.")
    ] = None,
    band: Annotated[list[str] | None, typer.Option(metavar="BAND=POINTS", help="What a band of the file is worth, red=0; repeat.")] = None,
    range_: Annotated[str | None, typer.Option("--range", metavar="LOW,HIGH", help="The range of the file's points. [0,100]")] = None,
    leave_out: Annotated[bool, typer.Option("--leave-out", help="Make the score without the measures that are set aside.")] = False,
    write: Annotated[str | None, typer.Option(metavar="ID", help="Add it to scores.yml under this id. None is replaced.")] = None,
    yaml: AsYaml = False,
    json: AsJson = False,
    workspace: WorkspaceFolder = None,
) -> int:
    """Bring a scorecard of another tool: groups, measures, weights, and thresholds with their points.

    Measures that are no metric are set aside with the reason, and nothing is guessed. Every row of the file is used or set aside.

    \b
    Examples:
      unspun scores import scorecard.csv
      unspun scores import scorecard.csv --map "Weekly logins=logins_7d" --band red=0 --band yellow=50 --band green=100
      unspun scores import scorecard.yml --write imported
    """
    from unspun.app.health.scorecard import import_scorecard, write_imported
    from unspun.cli.book_text import print_json, print_made, workspace_at
    from unspun.cli.scorecard_text import import_lines, import_record

    request = _import_request(file, tuple(map_ or ()), tuple(band or ()), range_, leave_out, write)
    place = workspace_at(workspace)
    found = import_scorecard(place, request)
    if write is not None and found.score is not None and found.may_be_written:
        write_imported(place, found, write)
    if json:
        print_json(import_record(found))
    elif yaml and found.score is not None:
        _print_text(found.yaml)
    else:
        print_made(lambda width: import_lines(found, write, place.scores_file, width))
    return 0 if found.score is not None and found.may_be_written else NOT_THE_ANSWER


def _print_text(text: str) -> None:
    from unspun.cli.terminal import reader_may_leave

    with reader_may_leave():
        sys.stdout.buffer.write(text.encode())


# What was typed


def _fit_request(like: str | None, metrics: tuple[str, ...], most: str | None, write: str | None, trial: Trial) -> FitRequest:
    """The request of the options. Raises BadInput with every fault of them."""
    from unspun.app.health.fit import FitRequest
    from unspun.cli.options import OptionReader
    from unspun.errors import BadInput
    from unspun.health.fit import FITTED, MOST_INPUTS

    reader = OptionReader()
    inputs = reader.integer("--most", most, MOST_INPUTS, at_least=1)
    request = FitRequest(like, metrics, inputs, FITTED if write is None else write, _evidence(reader, trial))
    if reader.faults:
        raise BadInput(reader.faults)
    return request


def _what_if_request(
    name: str,
    weights: tuple[str, ...],
    scales: tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]],
    without: tuple[str, ...],
    least_weight: str | None,
    trial: Trial,
) -> WhatIfRequest:
    """The request of the options. Raises BadInput with every fault of them."""
    from unspun.app.what_if import WhatIfRequest
    from unspun.cli.options import OptionReader
    from unspun.cli.score_options import read_scales, read_share, read_weights
    from unspun.errors import BadInput
    from unspun.health.what_if import WhatIf

    reader = OptionReader()
    what = WhatIf(
        weights=read_weights(reader, weights),
        scales=read_scales(reader, *scales),
        without=without,
        least_weight=read_share(reader, least_weight),
    )
    request = WhatIfRequest(name, what, _evidence(reader, trial))
    if not reader.faults and not (weights or any(scales) or without or least_weight):
        reader.refuse(
            "unspun scores what-if", "nothing is changed.", "Say what: --weight, --points, --steps, --values, --without.", "no_change"
        )
    if reader.faults:
        raise BadInput(reader.faults)
    return request


def _import_request(
    file: str, mapped: tuple[str, ...], bands: tuple[str, ...], range_: str | None, leave_out: bool, write: str | None
) -> ImportRequest:
    """The request of the options. Raises BadInput with every fault of them."""
    from pathlib import Path

    from unspun.app.health.scorecard import ImportRequest
    from unspun.cli.options import OptionReader
    from unspun.cli.score_options import read_names, read_range, read_weights
    from unspun.errors import BadInput
    from unspun.health.definition import id_faults

    reader = OptionReader()
    named, worth, low_high = read_names(reader, "--map", mapped), read_weights(reader, bands, "--band"), read_range(reader, range_)
    for fault in [] if write is None else id_faults(write):
        reader.refuse("--write", fault.message, fault.hint, fault.code)
    if reader.faults:
        raise BadInput(reader.faults)
    return ImportRequest(Path(file), named, worth, low_high, leave_out, *([] if write is None else [write]))


def _evidence(reader: OptionReader, trial: Trial) -> EvidenceRequest:
    from unspun.app.evidence.inputs import EvidenceRequest
    from unspun.audit.protocol import AuditSettings

    horizon, as_of, version, engine = trial
    return EvidenceRequest(
        settings=AuditSettings(primary_horizon=reader.integer("--primary-horizon", horizon, None, at_least=1)),
        as_of=reader.day("--as-of", as_of),
        version=reader.integer("--version", version, None, at_least=1),
        engine=engine,
    )
