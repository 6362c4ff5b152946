"""The pages that a refresh lays out once, as rows of the read model: evidence, the risk model, forecast, its record, performance.

Each is laid out twice: for those who see every account, and without lists and files of single accounts for those who do not.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from unspun.app.evidence.run import EvidenceRun
from unspun.app.performance.run import PerformanceRun
from unspun.app.publication import FigureSet
from unspun.app.published.backing import proof_of
from unspun.app.trial.subjects import definitions_of
from unspun.app.workspace import Workspace
from unspun.errors import BadInput
from unspun.ledger.chain import Entry, written_anchor
from unspun.reports import evidence_json, forecast_json, performance_json
from unspun.reports.evidence_html import render_evidence
from unspun.reports.forecast_html import render_forecast
from unspun.reports.forecast_record_html import render_record
from unspun.reports.performance_html import render_performance
from unspun.reports.proof import Proof
from unspun.reports.risk_html import render_model
from unspun.reports.within import CONSOLE, CONSOLE_LIMITED, Within, fragment_of
from unspun.risk.forecast.result import Forecast, ForecastRecord
from unspun.risk.result import RiskResult
from unspun.warehouse.read_model import Row, open_read_model

Section = Literal["evidence", "risk", "forecast", "record", "performance"]
PAGE: Final = "page"
"""The kind of a row that is a page; of a file it is its media type."""
MEDIA: Final = {".csv": "text/csv; charset=utf-8", ".zip": "application/zip", ".json": "application/json"}
DOCUMENT: Final = "document.json"
"""The file of a section that holds all of its result; for those who see every account, as it names some."""
ALL, LIMITED = "all", "limited"
SHELLS: Final = ((ALL, CONSOLE), (LIMITED, CONSOLE_LIMITED))
AROUND = "\n"
"""Parts the contents of a page from its links to the pages around it."""
COMPRESSION = 6
Files = Iterable[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Laid:
    """A result and the set of figures that was published of it, as its entry."""

    figures: FigureSet
    entry: Entry

    def proof(self, workspace: Workspace) -> Proof:
        return proof_of(workspace, self.figures, self.entry.seq, written_anchor(self.entry))


def evidence_pages(workspace: Workspace, run: EvidenceRun) -> Iterator[Row]:
    """The index, a page for each metric and score, and the files beside them."""
    proof = proof_of(workspace, run.figures, run.entry, run.anchor, run.set_aside)
    yield from section_rows("evidence", lambda within: render_evidence(run.result, proof, trace=run.trace, within=within))
    yield _document("evidence", evidence_json.to_document(run.result))


def model_pages(workspace: Workspace, result: RiskResult, laid: Laid) -> Iterator[Row]:
    """The page of the risk model."""
    proof, meanings = laid.proof(workspace), meanings_of(laid.figures)
    yield from section_rows("risk", lambda within: [("index.html", render_model(result, proof, meanings, within))])


def forecast_pages(workspace: Workspace, result: Forecast, laid: Laid) -> Iterator[Row]:
    """The forecast and its rows."""
    proof = laid.proof(workspace)
    yield from section_rows("forecast", lambda within: render_forecast(result, proof, within))
    yield _document("forecast", forecast_json.to_document(result))


def record_pages(workspace: Workspace, result: ForecastRecord, laid: Laid) -> Iterator[Row]:
    """The record of everybody who forecast, and its rows."""
    proof = laid.proof(workspace)
    yield from section_rows("record", lambda within: render_record(result, proof, within))
    yield _document("record", forecast_json.to_document(result))


def performance_pages(workspace: Workspace, run: PerformanceRun) -> Iterator[Row]:
    """Owners and segments beside what was expected of them, and the same as CSV. Nobody who is limited to accounts sees it."""
    proof = proof_of(workspace, run.figures, run.entry, run.anchor)
    page, groups = render_performance(run.result, proof, CONSOLE), performance_json.groups_csv(run.result)
    yield _row("performance", ALL, "index.html", page.encode())
    yield _row("performance", ALL, "groups.csv", groups.encode())
    yield _document("performance", performance_json.to_document(run.result))


def carried_pages(warehouse: Path, sections: Iterable[Section]) -> Iterator[Row]:
    """The pages of these sections as the read model in force has them; none where there is none."""
    try:
        model = open_read_model(warehouse)
    except BadInput:
        return
    for section in sections:
        yield from model.rows("SELECT section, scope, name, kind, title, toc, body FROM pages WHERE section = ?", (section,))


def meanings_of(figures: FigureSet) -> dict[str, str]:
    """What each metric is, by its id, as the definition in force described it."""
    return {one.id: one.description for one in definitions_of(figures.definition_text, "").metrics.metrics if one.description}


def section_rows(section: Section, laid_out: Callable[[Within], Files]) -> Iterator[Row]:
    """The files of a section as rows, for those who see every account and for those who do not."""
    for scope, within in SHELLS:
        yield from (_row(section, scope, name, content) for name, content in laid_out(within))


def _document(section: Section, document: dict[str, Any]) -> Row:
    return _row(section, ALL, DOCUMENT, json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode())


def _row(section: Section, scope: str, name: str, content: bytes) -> Row:
    if not name.endswith(".html"):
        return section, scope, name, MEDIA[Path(name).suffix], "", "", zlib.compress(content, COMPRESSION)
    part = fragment_of(content)
    return section, scope, name, PAGE, part.title, f"{part.toc}{AROUND}{part.around}", zlib.compress(part.body.encode(), COMPRESSION)
