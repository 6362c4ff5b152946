"""The operation "show a health score": that of one account as of a date, what each metric gives it, what is missing and why, and what
changed since some days before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

import pyarrow as pa
from pyarrow.compute import call_function

from unspun._version import __version__
from unspun.app.badges import Badge
from unspun.app.health.definition import ScoresDefinition, workspace_scores
from unspun.app.health.rows import score_rows
from unspun.app.health.run import refuse_kinds
from unspun.app.health.scores import ListedScore, badge_record, listed
from unspun.app.panel.request import PanelRequest
from unspun.app.panel.run import PreparedPanel, basis_for, opened_book, panel_parts, prepare_panel
from unspun.app.workspace import Workspace
from unspun.book.columns import did_you_mean
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.errors import BadInput, Fault
from unspun.health.definition import Group, HealthScore, Input
from unspun.health.formula import INPUT_REASONS, POINT_DIGITS, REASONS, Scored, decimal_of
from unspun.metrics.metric import Metric
from unspun.metrics.missing import REASONS as METRIC_REASONS
from unspun.progress import Progress

BEFORE_DAYS = 28
"""How many days earlier a score is compared with, where nothing else is asked."""


@dataclass(frozen=True, slots=True)
class ScoreRequest:
    """Which score: of which account, as of which day (None: the last day of the tables that its metrics read), in a version of the book;
    compared with that of `before_days` earlier (0: with none)."""

    score: str
    account: str
    as_of: date | None = None
    version: int | None = None
    before_days: int = BEFORE_DAYS


@dataclass(frozen=True, slots=True)
class InputValue:
    """What one input gives a score: the value of its metric, its points (millionths), what it weighs of this score, what it would weigh
    were all there, and what it contributes (units of the score's last digit). `reason` says why it has none."""

    input: Input
    group: Group
    metric: Metric
    value: object
    reason: str | None
    points: int
    weight: Fraction
    usual_weight: Fraction
    contribution: int


@dataclass(frozen=True, slots=True)
class ScoreValue:
    """A score of an account on a day: `value` in units of its last digit, which the contributions add up to; None: there is none, and
    `reason` says why. `weight_present` is the share of the declared weight that is there."""

    as_of: date
    value: int | None
    reason: str | None
    band: str | None
    weight_present: Fraction
    inputs: tuple[InputValue, ...]

    @property
    def is_complete(self) -> bool:
        """Whether every input has a value."""
        return all(one.reason is None for one in self.inputs)


@dataclass(frozen=True, slots=True)
class ShownScore:
    """A score of an account as it is shown, and that of some days before."""

    listed: ListedScore
    account: str
    now: ScoreValue
    before: ScoreValue | None
    zone: str
    book_version: int
    book_digest: str
    definition: ScoresDefinition

    @property
    def score(self) -> HealthScore:
        return self.listed.score

    @property
    def badge(self) -> Badge:
        return self.listed.badge


def show_score(workspace: Workspace, request: ScoreRequest, at: datetime, progress: Progress) -> ShownScore:
    """The score and what it is made of. Raises BadInput: no such score or account, faults of the files, nothing loaded."""
    declared = workspace_scores(workspace)
    score = declared.scores.score(request.score)
    asked = PanelRequest(score.metrics, () if request.as_of is None else (request.as_of,), version=request.version)
    with opened_book(workspace, asked, at, progress) as (whole, reader):
        basis = basis_for(workspace, asked, score.metrics, declared.metrics, whole, reader, at)
        (day,) = basis.dates
        days = (day - timedelta(days=request.before_days), day) if request.before_days else (day,)
        panel = prepare_panel(declared.metrics, replace(basis, dates=days), reader, DuckDBPanel(reader))
        refuse_kinds(declared, (score,), panel)
        rows = rows_of_account(panel, request.account, progress)
        values = values_of(score, rows, declared)
        return ShownScore(
            listed=listed(workspace, declared, score),
            account=request.account,
            now=values[-1],
            before=values[0] if len(values) > 1 else None,
            zone=basis.time_zone,
            book_version=whole.version.version,
            book_digest=whole.version.digest,
            definition=declared,
        )


def rows_of_account(panel: PreparedPanel, account: str, progress: Progress) -> pa.Table:
    """The rows of an account in a panel, by day. Raises BadInput where the book has no such account."""
    schema = panel.schema()
    found, names = [schema.empty_table()], set[str]()
    for part in panel_parts(panel, schema, progress):
        own = part.filter(call_function("equal", [part["account_id"], pa.scalar(account)]))
        found.append(own)
        names |= set(part["account_id"].to_pylist()) if not own.num_rows else set()
    rows = pa.concat_tables(found)
    if not rows.num_rows:
        hint = f"{did_you_mean(account, names)}See them with `unspun show accounts`."
        raise BadInput(Fault("no_account", f"the book has no account '{account}'.", "--account", hint))
    return rows.sort_by("as_of")


def values_of(score: HealthScore, rows: pa.Table, declared: ScoresDefinition) -> tuple[ScoreValue, ...]:
    """The score of each row of a panel, with what it is made of."""
    scored = score_rows(score, rows)
    groups = [group for group in score.groups for _ in group.inputs]
    metrics = [declared.metrics.metrics.metric(id) for id in score.metrics]
    return tuple(_value(scored, at, row, groups, metrics) for at, row in enumerate(rows.to_pylist()))


def _value(scored: Scored, at: int, row: Mapping[str, Any], groups: list[Group], metrics: list[Metric]) -> ScoreValue:
    score, pattern = scored.score, scored.patterns[scored.pattern[at]]
    has, band = bool(scored.has_value[at]), int(scored.band[at])
    inputs = [
        InputValue(
            input=one,
            group=groups[k],
            metric=metrics[k],
            value=row[one.metric],
            reason=_told(scored.missing[k].codes[at], scored.missing[k].names),
            points=int(scored.points[k, at]),
            weight=pattern.weights[k],
            usual_weight=share,
            contribution=int(scored.contributions[k, at]),
        )
        for k, (one, share) in enumerate(zip(score.inputs, score.shares, strict=True))
    ]
    return ScoreValue(
        as_of=row["as_of"],
        value=int(scored.values[at]) if has else None,
        reason=_told(scored.reason.codes[at], scored.reason.names),
        band=score.bands[band].name if band >= 0 else None,
        weight_present=pattern.weight_present,
        inputs=tuple(inputs),
    )


def _told(code: int, names: tuple[str, ...]) -> str | None:
    return names[code] if code >= 0 else None


def reason_text(reason: str) -> str:
    """What a reason means, of a score or of an input."""
    return {**METRIC_REASONS, **INPUT_REASONS, **REASONS}.get(reason, "")


def value_record(score: HealthScore, value: ScoreValue) -> dict[str, Any]:
    """A score on a day as plain values: numbers as exact decimal text, weights as percentages and as fractions."""
    return {
        "as_of": value.as_of.isoformat(),
        "score": None if value.value is None else str(decimal_of(value.value, score.digits)),
        "reason": value.reason,
        "band": value.band,
        "weight_present": str(value.weight_present),
        "inputs": [
            {
                "metric": one.metric.id,
                "group": one.group.name,
                "value": one.value.isoformat() if isinstance(one.value, date) else one.value,
                "reason": one.reason,
                "points": None if one.reason else str(decimal_of(one.points, POINT_DIGITS)),
                "weight": str(one.weight),
                "declared_weight": str(one.usual_weight),
                "contribution": None if one.reason or value.value is None else str(decimal_of(one.contribution, score.digits)),
            }
            for one in value.inputs
        ],
    }


def score_facts(shown: ShownScore) -> dict[str, Any]:
    """A score of an account and what backs it, as plain JSON."""
    metrics = shown.definition.metrics
    return {
        "what": "a health score of an account",
        "score_id": shown.score.id,
        "account": shown.account,
        "time_zone": shown.zone,
        "badge": badge_record(shown.badge),
        "now": value_record(shown.score, shown.now),
        "before": None if shown.before is None else value_record(shown.score, shown.before),
        "definition": {
            "name": shown.definition.name,
            "sha256": shown.definition.sha256,
            "metrics_sha256": metrics.sha256,
            "of_this_score": shown.listed.sha256,
        },
        "book": {"version": shown.book_version, "digest": shown.book_digest},
        "package_version": __version__,
    }
