"""The pages of one refresh: what it judged anew is laid out, what it did not is carried over from the refresh before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from unspun.app.evidence.inputs import EvidenceRequest
from unspun.app.evidence.run import EvidenceRun, judge_evidence
from unspun.app.performance.run import PerformanceRequest, PerformanceRun, measure_performance
from unspun.app.published.holding import data_pages
from unspun.app.published.pages import (
    Laid,
    Section,
    carried_pages,
    evidence_pages,
    forecast_pages,
    model_pages,
    performance_pages,
    record_pages,
)
from unspun.app.workspace import Workspace
from unspun.errors import BadInput
from unspun.progress import Progress
from unspun.risk.forecast.result import Forecast, ForecastRecord
from unspun.risk.result import RiskResult
from unspun.warehouse.read_model import Row, open_read_model

LOOKING_BACK: Final[tuple[Section, ...]] = ("evidence", "performance")
"""Sections that take long and change slowly: made where they are asked for, carried over otherwise."""
COMPARED: Final = (("owner", "segment"), ("owner",), ("segment",))
"""What is compared: the first of these that the book knows."""
UNJUDGED: Final = frozenset({"no_expectation", "no_groups", "unknown_group", "too_many_groups"})
"""Why performance cannot be measured of a book that is all right otherwise."""


@dataclass(frozen=True, slots=True)
class LookedBack:
    """Evidence and performance as they were judged, None: not in this refresh. `entries` are those that the pages are of: None, no refresh
    has made them yet. `why` says of a section that was asked for why it could not be made."""

    evidence: EvidenceRun | None
    performance: PerformanceRun | None
    entries: Mapping[str, int | None]
    why: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class LookedAhead:
    """What a refresh says of what is to come, each result with its published figures."""

    risk: tuple[RiskResult, Laid]
    forecast: tuple[Forecast, Laid]
    record: tuple[ForecastRecord, Laid]


def look_back(workspace: Workspace, is_asked: bool, as_of: date | None, at: datetime, progress: Progress) -> LookedBack:
    """Judge evidence and performance where that is asked for. Raises BadInput as `judge_evidence` does."""
    if not is_asked:
        return LookedBack(None, None, _carried_entries(workspace), {})
    evidence = judge_evidence(workspace, EvidenceRequest(as_of=as_of), at, progress, compare=False)
    performance, why = _performance(workspace, as_of, at, progress)
    entries = {"evidence": evidence.entry, "performance": None if performance is None else performance.entry}
    return LookedBack(evidence, performance, entries, {} if performance is not None else {"performance": why})


def pages_of(workspace: Workspace, back: LookedBack, ahead: LookedAhead) -> Iterator[Row]:
    """All pages, laid out one after the other as they are asked for."""
    if back.evidence is None:
        yield from carried_pages(workspace.warehouse, LOOKING_BACK)
    else:
        yield from evidence_pages(workspace, back.evidence)
    if back.performance is not None:
        yield from performance_pages(workspace, back.performance)
    yield from model_pages(workspace, *ahead.risk)
    yield from forecast_pages(workspace, *ahead.forecast)
    yield from record_pages(workspace, *ahead.record)
    yield from data_pages(workspace)


def _performance(workspace: Workspace, as_of: date | None, at: datetime, progress: Progress) -> tuple[PerformanceRun | None, str]:
    """By what the book knows; else why not."""
    why = ""
    for by in COMPARED:
        try:
            return measure_performance(workspace, PerformanceRequest(by=by, as_of=as_of), at, progress), ""
        except BadInput as refusal:
            if not {one.code for one in refusal.faults} <= UNJUDGED:
                raise
            why = why or refusal.faults[0].message
            if any(one.code == "no_expectation" for one in refusal.faults):
                break
    return None, why


def _carried_entries(workspace: Workspace) -> dict[str, int | None]:
    try:
        held = open_read_model(workspace.warehouse).meta["entries"]
    except BadInput:
        held = {}
    return {section: held.get(section) for section in LOOKING_BACK}
