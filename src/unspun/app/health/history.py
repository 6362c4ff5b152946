"""The operation "history of a health score": that of one account at the ends of periods, under each definition that the ledger has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from unspun.app.health.definition import ScoreVersion, score_versions, workspace_scores
from unspun.app.health.rows import score_rows
from unspun.app.health.scores import ListedScore, badge_record, listed
from unspun.app.health.value import rows_of_account
from unspun.app.opening import WholeBook
from unspun.app.panel.request import PanelRequest, check_request
from unspun.app.panel.run import basis_for, opened_book, prepare_panel
from unspun.app.workspace import Workspace
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.errors import BadInput
from unspun.health.formula import Scored, decimal_of
from unspun.health.write_yaml import as_yaml
from unspun.metrics.asof import Step
from unspun.progress import Progress
from unspun.warehouse.read import BookReader

MOST_VERSIONS = 5
"""So many definitions are computed, the newest; how many are older is told."""


@dataclass(frozen=True, slots=True)
class HistoryRequest:
    """Which score of which account, at the end of every `every` from `first` to `last` (None: as far as the rows go)."""

    score: str
    account: str
    every: Step = "month"
    first: date | None = None
    last: date | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """A score on a day: in units of the last digit of its definition, None where there is none for `reason`; and its band."""

    as_of: date
    value: int | None
    reason: str | None
    band: str | None


@dataclass(frozen=True, slots=True)
class Curve:
    """A score under one definition, day by day; empty, with `why_not`, where that cannot be computed of today's book."""

    version: ScoreVersion
    points: tuple[HistoryPoint, ...]
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class ScoreHistory:
    """A score of an account over time, under each definition, oldest first: the last is today's. `older` were left out."""

    listed: ListedScore
    account: str
    days: tuple[date, ...]
    curves: tuple[Curve, ...]
    older: int
    zone: str
    book_version: int
    book_digest: str

    def in_force(self, day: date) -> int | None:
        """The curve whose definition was in force at the end of a day; None before any was recorded."""
        before = [at for at, one in enumerate(self.curves) if one.version.at is not None and self._day(one.version.at) <= day]
        return before[-1] if before else None

    def _day(self, at: datetime) -> date:
        return at.astimezone(ZoneInfo(self.zone)).date()


def score_history(workspace: Workspace, request: HistoryRequest, at: datetime, progress: Progress) -> ScoreHistory:
    """The history of a score. Raises BadInput: no such score or account, faults of the files, dates that cannot be, nothing loaded."""
    declared = workspace_scores(workspace)
    score = declared.scores.score(request.score)
    versions = score_versions(workspace, declared, score.id)
    asked = PanelRequest(score.metrics, every=request.every, first=request.first, last=request.last, version=request.version)
    check_request(asked)
    with opened_book(workspace, asked, at, progress) as (whole, reader):
        opened = _OpenBook(workspace, whole, reader, request.account, at, progress)
        shown = versions[-MOST_VERSIONS:]
        today = _curve(opened, shown[-1], asked)
        same_days = PanelRequest(as_of=tuple(point.as_of for point in today.points), version=request.version)
        earlier = [_earlier(opened, one, same_days) for one in shown[:-1]]
    return ScoreHistory(
        listed=listed(workspace, declared, score),
        account=request.account,
        days=same_days.as_of,
        curves=(*earlier, today),
        older=len(versions) - len(shown),
        zone=workspace.definition().time_zone,
        book_version=whole.version.version,
        book_digest=whole.version.digest,
    )


@dataclass(frozen=True, slots=True)
class _OpenBook:
    """An open book, and whose score is computed of it."""

    workspace: Workspace
    whole: WholeBook
    reader: BookReader
    account: str
    at: datetime
    progress: Progress


def _earlier(opened: _OpenBook, version: ScoreVersion, asked: PanelRequest) -> Curve:
    """The curve of an earlier definition; without points where its metrics do not fit the book any more."""
    try:
        return _curve(opened, version, asked)
    except BadInput as refusal:
        return Curve(version, (), "; ".join(fault.message.rstrip(".") for fault in refusal.faults))


def _curve(opened: _OpenBook, version: ScoreVersion, asked: PanelRequest) -> Curve:
    score, reader = version.score, opened.reader
    basis = basis_for(opened.workspace, asked, score.metrics, version.metrics, opened.whole, reader, opened.at)
    panel = prepare_panel(version.metrics, basis, reader, DuckDBPanel(reader))
    rows = rows_of_account(panel, opened.account, opened.progress)
    scored = score_rows(score, rows)
    return Curve(version, tuple(_point(scored, at, day) for at, day in enumerate(rows["as_of"].to_pylist())))


def _point(scored: Scored, at: int, day: date) -> HistoryPoint:
    band, code = int(scored.band[at]), int(scored.reason.codes[at])
    return HistoryPoint(
        as_of=day,
        value=int(scored.values[at]) if scored.has_value[at] else None,
        reason=scored.reason.names[code] if code >= 0 else None,
        band=scored.score.bands[band].name if band >= 0 else None,
    )


def history_record(history: ScoreHistory) -> dict[str, Any]:
    """A history as plain JSON: of each definition its text and its values, and of each day which was in force."""
    return {
        "what": "history of a health score of an account",
        "score_id": history.listed.score.id,
        "account": history.account,
        "badge": badge_record(history.listed.badge),
        "book": {"version": history.book_version, "digest": history.book_digest},
        "older_definitions": history.older,
        "in_force": {day.isoformat(): history.in_force(day) for day in history.days},
        "definitions": [_curve_record(curve) for curve in history.curves],
    }


def _curve_record(curve: Curve) -> Mapping[str, Any]:
    version = curve.version
    values = [
        {
            "as_of": one.as_of.isoformat(),
            "score": None if one.value is None else str(decimal_of(one.value, version.score.digits)),
            "reason": one.reason,
            "band": one.band,
        }
        for one in curve.points
    ]
    return {
        "entry": version.entry,
        "at": None if version.at is None else version.at.isoformat(),
        "sha256": version.sha256,
        "yaml": as_yaml(version.score),
        "why_not": curve.why_not,
        "values": values,
    }
