"""`unspun forecast`: what becomes of the renewals to come, and how those who forecast did."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from unspun.cli.asked import BookVersion, JsonFile, Memory, Outputs, faults_by_option, print_json, read_asked, read_outputs
from unspun.cli.book_text import EngineName, WorkspaceFolder

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.text import Text

    from unspun.app.forecast.record import RecordRun
    from unspun.app.forecast.run import ForecastRun
    from unspun.app.workspace import Workspace
    from unspun.cli.forecast_files import Made
    from unspun.cli.options import OptionReader
    from unspun.progress import Progress
    from unspun.reports.forecast_html import Proof

GROUPINGS = ("segment", "owner")
MOST_MONTHS = 36
OPTIONS = {"as_of": "--as-of", "months": "--months", "replay": "--replay", "metrics": "--metric", "fit": "--fit"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, read. `replay`: how many past forecasts are made for the record."""

    as_of: date | None
    months: int
    by: tuple[str, ...]
    metrics: tuple[str, ...]
    fit: bool
    replay: int
    version: int | None
    memory: str | None
    engine: str | None


def forecast(
    as_of: Annotated[
        str | None, typer.Option(metavar="DATE", help="Know nothing later than this day. [the last day on which anything is known]")
    ] = None,
    months: Annotated[str | None, typer.Option(metavar="N", help="How far to look ahead, up to 36. [12]")] = None,
    by: Annotated[list[str] | None, typer.Option(metavar="segment|owner", help="Which groups to print; repeat. [segment]")] = None,
    record: Annotated[bool, typer.Option("--record", help="Score every forecaster on what then happened, instead of forecasting.")] = False,
    replay: Annotated[
        str | None, typer.Option(metavar="N", help="With --record: make the forecasts of the last N months as known then, labelled so. [0]")
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(metavar="PATTERN", help="Metrics that the model may use; repeat. [all]")] = None,
    fit: Annotated[bool, typer.Option("--fit", help="Fit the risk model anew, as a new version.")] = False,
    html: Annotated[str | None, typer.Option(metavar="FOLDER", help="Write the page, with its rows as CSV, as a folder.")] = None,
    json: JsonFile = None,
    csv: Annotated[str | None, typer.Option(metavar="FILE", help="Write the figures as CSV, a manifest beside it.")] = None,
    version: BookVersion = None,
    memory: Memory = None,
    engine: EngineName = None,
    workspace: WorkspaceFolder = None,
) -> int:
    """Forecast renewals due: GRR, NRR and the path of ARR with their intervals, by month, quarter, segment and owner; or score forecasters.

    Every run is an entry of the ledger, so that it can be held against what happens. --record sets the model, the owners of accounts,
    anybody else who called and last year's rate beside each other on the renewals decided since.

    \b
    Examples:
      unspun forecast
      unspun forecast --as-of 2026-06-30 --months 6 --by owner --html forecast
      unspun forecast --json - | jq '.total.money[0].grr'
      unspun forecast --record
      unspun forecast --record --replay 12 --html record --csv scores.csv
    """
    from unspun.cli.book_text import workspace_at
    from unspun.cli.forecast_files import PAGES_OF_FORECAST, PAGES_OF_RECORD

    numbers = (months, replay, version)
    asked = _asked(as_of, numbers, tuple(by or ()), tuple(metric or ()), (record, fit), (memory, engine))
    outputs = read_outputs(html, json, csv, PAGES_OF_RECORD if record else PAGES_OF_FORECAST)
    place = workspace_at(workspace)
    if record:
        _answer(outputs, lambda report: _record(place, asked, outputs, report))
    else:
        _answer(outputs, lambda report: _forecast(place, asked, outputs, report))
    return 0


def _asked(
    as_of: str | None,
    numbers: tuple[str | None, str | None, str | None],
    by: tuple[str, ...],
    metrics: tuple[str, ...],
    flags: tuple[bool, bool],
    others: tuple[str | None, str | None],
) -> Asked:
    """What was typed as a request. Raises BadInput with the faults of all options."""
    (months, replay, version), (record, fit) = numbers, flags

    def read(reader: OptionReader) -> Asked:
        asked = Asked(
            as_of=reader.day("--as-of", as_of),
            months=_at_most(reader, "--months", reader.integer("--months", months, 12, at_least=1)),
            by=tuple(dict.fromkeys(reader.choice("--by", one, GROUPINGS, "segment") for one in by)) or ("segment",),
            metrics=metrics,
            fit=fit,
            replay=reader.integer("--replay", replay, 0, at_least=1),
            version=reader.integer("--version", version, None, at_least=1),
            memory=others[0],
            engine=others[1],
        )
        _refuse_other(reader, record, {"--replay": replay is not None}, {"--months": months is not None, "--by": bool(by), "--fit": fit})
        return asked

    return read_asked(read)


def _at_most(reader: OptionReader, option: str, months: int) -> int:
    if months > MOST_MONTHS:
        reader.refuse(option, f"{months} months are too far ahead.", f"Give at most {MOST_MONTHS}.")
    return months


def _refuse_other(reader: OptionReader, record: bool, of_record: dict[str, bool], of_forecast: dict[str, bool]) -> None:
    """Options of the one that were given with the other are faults: they would do nothing."""
    for option in (name for name, given in of_record.items() if given and not record):
        reader.refuse(option, "it says which forecasts are made for the record.", "Give --record too.")
    for option in (name for name, given in of_forecast.items() if given and record):
        reader.refuse(option, "it is an option of a forecast, not of the record.", "Leave it out, or leave out --record.")


def _forecast(place: Workspace, asked: Asked, outputs: Outputs, report: Progress) -> tuple[Made, Callable[[int], Iterable[Text]]]:
    """Forecast, and write what was asked for; what was made, and what makes the lines of the terminal."""
    from unspun.app.forecast.run import ForecastRequest
    from unspun.app.forecast.run import forecast as forecast_renewals
    from unspun.cli.forecast_files import made_of_forecast, write_files
    from unspun.cli.forecast_text import Shown, forecast_lines

    request = ForecastRequest(
        as_of=asked.as_of,
        months=asked.months,
        version=asked.version,
        memory=asked.memory,
        engine=asked.engine,
        metrics=asked.metrics,
        fit=asked.fit,
    )
    run = forecast_renewals(place, request, datetime.now(UTC), report)
    proof = proof_of(place, run)
    made = made_of_forecast(run, proof)
    shown = Shown(run.result, proof, asked.by, run.model_why, run.seconds, tuple(write_files(outputs, made, report)))
    return made, lambda width: forecast_lines(shown, width)


def _record(place: Workspace, asked: Asked, outputs: Outputs, report: Progress) -> tuple[Made, Callable[[int], Iterable[Text]]]:
    """Score the forecasters, and write what was asked for."""
    from unspun.app.forecast.record import RecordRequest, forecast_record
    from unspun.cli.forecast_files import made_of_record, write_files
    from unspun.cli.forecast_record_text import Shown, record_lines

    request = RecordRequest(
        as_of=asked.as_of,
        replay=asked.replay,
        version=asked.version,
        memory=asked.memory,
        engine=asked.engine,
        metrics=asked.metrics,
    )
    run = forecast_record(place, request, datetime.now(UTC), report)
    proof = proof_of(place, run)
    made = made_of_record(run, proof)
    shown = Shown(run.result, proof, tuple(run.made), run.seconds, tuple(write_files(outputs, made, report)))
    return made, lambda width: record_lines(shown, width)


def _answer(outputs: Outputs, ask: Callable[[Progress], tuple[Made, Callable[[int], Iterable[Text]]]]) -> None:
    """Ask, and print what came of it: the JSON and nothing else, or the summary. Faults are named by their options."""
    from unspun.cli.book_text import print_made
    from unspun.cli.progress import show_progress

    with faults_by_option(OPTIONS), show_progress() as report:
        made, lines = ask(report)
    if outputs.json_to_stdout:
        print_json(made.json)
    else:
        print_made(lines)


def proof_of(place: Workspace, run: ForecastRun | RecordRun) -> Proof:
    """What backs the pages of a run."""
    from unspun.app.published.backing import proof_of as backed

    return backed(place, run.figures, run.entry, run.anchor)
