"""The files of `unspun forecast`: a folder of pages, the result as JSON, its numbers as CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from unspun.cli.asked import Outputs
from unspun.cli.page_folder import count_pages, write_folder, write_with_manifest

if TYPE_CHECKING:
    from unspun.app.forecast.record import RecordRun
    from unspun.app.forecast.run import ForecastRun
    from unspun.progress import Progress
    from unspun.reports.forecast_html import Proof

PAGES_OF_FORECAST, PAGES_OF_RECORD = "pages of unspun forecast", "pages of unspun forecast-record"  # known by this, written again


@dataclass(frozen=True, slots=True)
class Made:
    """What is written of a run: the pages one after the other, and both texts."""

    pages: Iterator[tuple[str, bytes]]
    what: str
    json: str
    csv: str
    facts: Mapping[str, Any]


def made_of_forecast(run: ForecastRun, proof: Proof) -> Made:
    from unspun.reports.forecast_html import render_forecast
    from unspun.reports.forecast_json import to_json
    from unspun.reports.forecast_rows import groups_csv

    facts = {**_facts(run), "replayed": run.result.replayed, "model_entry": run.result.model_version, "model": run.model_why}
    return Made(render_forecast(run.result, proof), PAGES_OF_FORECAST, to_json(run.result), groups_csv(run.result, run.entry), facts)


def made_of_record(run: RecordRun, proof: Proof) -> Made:
    from unspun.reports.forecast_json import to_json
    from unspun.reports.forecast_record_html import render_record
    from unspun.reports.forecast_rows import record_csv

    facts = {**_facts(run), "replayed_entries": list(run.made)}
    return Made(render_record(run.result, proof), PAGES_OF_RECORD, to_json(run.result), record_csv(run.result, run.entry), facts)


def write_files(outputs: Outputs, made: Made, progress: Progress) -> list[str]:
    """Write what was asked for; what was written, in words. Raises BadInput where the system refuses."""
    written: list[str] = []
    if outputs.html is not None:
        write_folder(outputs.html, count_pages(made.pages, 1, progress), made.facts, made.what)
        written.append(f"Page: {outputs.html.path / 'index.html'}")
    if outputs.json is not None:
        written += write_with_manifest(outputs.json, made.json, made.facts, "Result")
    if outputs.csv is not None:
        written += write_with_manifest(outputs.csv, made.csv, made.facts, "Figures")
    return written


def _facts(run: ForecastRun | RecordRun) -> dict[str, Any]:
    """What a manifest says of a run: what differs from one run to the next, and what was asked of which book."""
    from unspun.app.publication import asked_of

    return {"entry": run.anchor, **asked_of(run.figures), "book_check": run.figures.book_check}
