"""The operation "history of a health score": that of one account at the ends of periods, under each definition that the ledger has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from unspun.app.health import ListedScore, badge_record, listed
from unspun.app.health_definition import ScoreVersion, score_versions, workspace_scores
from unspun.app.health_rows import score_rows
from unspun.app.health_value import rows_of_account
from unspun.app.opening import WholeBook
from unspun.app.panel_request import PanelRequest, check_request
from unspun.app.panels import basis_for, opened_book, prepare_panel
from unspun.app.workspace import Workspace
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.errors import BadInput
from unspun.health.formula import decimal_of
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
        shown = versions[-MOST_VERSIONS:]
        today = _curve(workspace, request, asked, shown[-1], whole, reader, at, progress)
        days = tuple(point.as_of for point in today.points)
        bounded = PanelRequest(as_of=days, version=request.version)
        earlier = [_earlier(workspace, request, bounded, one, whole, reader, at, progress) for one in shown[:-1]]
        zone = workspace.definition().time_zone
    return ScoreHistory(
        listed=listed(workspace, declared, score),
        account=request.account,
        days=days,
        curves=(*earlier, today),
        older=len(versions) - len(shown),
        zone=zone,
        book_version=whole.version.version,
        book_digest=whole.version.digest,
    )


def _earlier(
    workspace: Workspace,
    request: HistoryRequest,
    asked: PanelRequest,
    version: ScoreVersion,
    whole: WholeBook,
    reader: BookReader,
    at: datetime,
    progress: Progress,
) -> Curve:
    """The curve of an earlier definition; without points where its metrics do not fit the book any more."""
    try:
        return _curve(workspace, request, asked, version, whole, reader, at, progress)
    except BadInput as refusal:
        return Curve(version, (), "; ".join(fault.message.rstrip(".") for fault in refusal.faults))


def _curve(
    workspace: Workspace,
    request: HistoryRequest,
    asked: PanelRequest,
    version: ScoreVersion,
    whole: WholeBook,
    reader: BookReader,
    at: datetime,
    progress: Progress,
) -> Curve:
    score = version.score
    basis = basis_for(workspace, asked, score.metrics, version.metrics, whole, reader, at)
    panel = prepare_panel(version.metrics, basis, reader, DuckDBPanel(reader))
    rows = rows_of_account(panel, request.account, progress)
    scored = score_rows(score, rows)
    points = [
        HistoryPoint(
            as_of=day,
            value=int(scored.values[i]) if scored.has_value[i] else None,
            reason=None if scored.has_value[i] else scored.reason.names[scored.reason.codes[i]],
            band=score.bands[scored.band[i]].name if scored.band[i] >= 0 else None,
        )
        for i, day in enumerate(rows["as_of"].to_pylist())
    ]
    return Curve(version, tuple(points))


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
    from unspun.health.write_yaml import as_yaml

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
