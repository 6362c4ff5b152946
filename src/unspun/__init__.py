"""Unspun: customer success that refuses to state a number it cannot back.

result = unspun.audit_score("health_scores.csv", "renewals.csv")
result.scores[0].verdict
table = unspun.panel(workspace="acme", every="month", first="2025-01-01")
trial = unspun.judge_evidence(workspace="acme")
trial.of("metric/logins_28d")[0].verdict
risk = unspun.renewal_risk(workspace="acme")
risk.renewals[0].probabilities["churn"]
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

from unspun.errors import BadInput, Fault, UnspunError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import pyarrow as pa

    from unspun.app.workspace import Workspace
    from unspun.audit.evidence_result import EvidenceResult
    from unspun.audit.result import AuditResult
    from unspun.book.terms.rules import TermRules
    from unspun.metrics.asof import Step
    from unspun.metrics.metric import Metric, MetricSet
    from unspun.risk.forecast.result import Forecast, ForecastRecord
    from unspun.risk.performance.result import PerformanceResult
    from unspun.risk.result import RiskResult

__all__ = [
    "BadInput",
    "Fault",
    "UnspunError",
    "audit_score",
    "forecast_record",
    "forecast_renewals",
    "judge_evidence",
    "measure_performance",
    "panel",
    "renewal_risk",
]


def audit_score(
    scores: object,
    renewals: object | None = None,
    *,
    subscriptions: object | None = None,
    purchases: object | None = None,
    accounts: object | None = None,
    events: object | None = None,
    forecasts: object | None = None,
    design: Literal["auto", "renewal", "landmark"] = "auto",
    horizons: Sequence[int] = (),
    primary_horizon: int | None = None,
    capacity: int = 20,
    direction: str | dict[str, str] = "higher",
    thresholds: Sequence[float] = (),
    fixed: Sequence[str] = (),
    reviews: Sequence[date | str] | date = (),
    active_days: int = 365,
    as_of: date | str | None = None,
    columns: dict[str, str] | None = None,
    score_columns: Sequence[str] = (),
    outcomes: dict[str, str] | None = None,
    bands: Sequence[str] = (),
    calls: Sequence[str] = (),
    date_format: str | None = None,
    time_zone: str = "UTC",
    currency_rates: dict[str, float] | None = None,
    reporting_currency: str | None = None,
    rates_dated: date | str | None = None,
    seed: int = 20261031,
    detail: Literal["auto", "all", "none"] = "auto",
    term_rules: TermRules | None = None,
) -> AuditResult:
    """Audit one or several scores against what customers then did, and return the typed result.

    An input is a path (CSV, TSV, Excel, JSON lines, Parquet; a folder or a pattern for several), "-" for standard input, a
    pandas, Polars or Arrow table, or a list of such, read as one:

    - `scores`, and one source of outcomes: `renewals`, `subscriptions` (renewals are derived by `term_rules`, a
      `unspun.book.terms.rules.TermRules`) or `purchases` (who buys again? active is who bought in the last `active_days`);
    - optional: `accounts` (attributes; those in `fixed` join the baseline), `events` (usage), `forecasts` (the CSM's own
      calls on renewals; `calls` are their words from worst to best).

    `columns` maps roles to column names ("account", or "scores.account" for one input only), `outcomes` the data's words to
    renewed, churned, contracted, expanded or undecided; `score_columns` names the scores to audit. `direction` is "higher" or
    "lower" (which is healthier), for all scores or by name; `bands` go from worst to best, `thresholds` from low to high.
    Horizons and `active_days` are days, `capacity` accounts a month, `currency_rates` the worth of one unit in the
    `reporting_currency` on the day `rates_dated`. Days are dates or ISO text; where a sequence is asked for, one text alone is
    a sequence of one. The protocol is described in docs/audit-protocol.md, the result in docs/reference/result-schema.md.

    Raises BadInput with every fault of all inputs and of the options.
    """
    from unspun.app.audits import audit_scores
    from unspun.app.reading import AuditRequest
    from unspun.audit.protocol import AuditSettings
    from unspun.book.tables import ReadingOptions
    from unspun.book.terms.rules import TermRules

    reading = ReadingOptions(
        columns=dict(columns or {}),
        scores=_texts(score_columns),
        outcomes=dict(outcomes or {}),
        bands=_texts(bands),
        calls=_texts(calls),
        date_format=date_format,
        time_zone=time_zone,
    )
    settings = AuditSettings(
        design=design,
        horizons=tuple(horizons),
        primary_horizon=primary_horizon,
        capacity=capacity,
        direction=({} if direction == "higher" else {"*": direction}) if isinstance(direction, str) else dict(direction),
        thresholds=tuple(thresholds),
        fixed=_texts(fixed),
        reviews=tuple(
            day
            for day in (_day("reviews", given) for given in ([reviews] if isinstance(reviews, str | date) else reviews))
            if day is not None
        ),
        active_days=active_days,
        as_of=_day("as_of", as_of),
        currency_rates=dict(currency_rates or {}),
        reporting_currency=reporting_currency,
        rates_dated=_day("rates_dated", rates_dated),
        seed=seed,
        detail=detail,
    )
    files = (renewals, subscriptions, purchases, accounts, events, forecasts)
    return audit_scores(AuditRequest(scores, *files, reading, term_rules or TermRules(), settings)).result


def panel(
    workspace: str | PathLike[str] | None = None,
    metrics: MetricSet | Sequence[Metric] | Sequence[str] | str = (),
    *,
    as_of: Sequence[date | str] | date | str = (),
    every: Step | None = None,
    first: date | str | None = None,
    last: date | str | None = None,
    before_renewals: Sequence[int] = (),
    version: int | None = None,
    memory: str | None = None,
    engine: str | None = None,
) -> pa.Table:
    """Compute metrics as of dates for every account of a workspace's book, as `unspun panel` does, and record the run in its ledger.

    `metrics` are ids of metrics.yml (none: all of it), or metrics made in Python of the nodes in `unspun.metrics.nodes`, in the place of
    that file. Of `as_of` (days), `every` ("day", "week", "month", "quarter" or "year", from `first` to `last`) and `before_renewals` (days,
    of renewals due from `first` to `last`) one may be given; without any there is one as-of date, the last day of the rows read.
    `engine` computes it: "duckdb" or the URL of a Postgres (None: what unspun.toml says).

    The table has `account_id` and `as_of` (before renewals `due` and `horizon_days` too), and for each metric its values and, under
    `NAME__missing`, why there is none. Its schema tells where each column comes from, and `unspun.entry` the entry of the ledger.

    Raises BadInput with every fault of the definition and of the request.
    """
    from datetime import UTC
    from pathlib import Path

    from unspun.app.panel.request import PanelRequest
    from unspun.app.panel.run import panel_table, python_metrics
    from unspun.app.workspace import open_workspace

    made, ids = python_metrics(metrics)
    days = [_day("as_of", one) for one in ([as_of] if isinstance(as_of, date | str) else as_of)]
    request = PanelRequest(
        metrics=ids,
        as_of=tuple(day for day in days if day is not None),
        every=every,
        first=_day("first", first),
        last=_day("last", last),
        before_renewals=tuple(before_renewals),
        version=version,
        memory=memory,
        engine=engine,
    )
    place = open_workspace(None if workspace is None else Path(workspace))
    return panel_table(place, request, datetime.now(UTC), made)


def judge_evidence(
    workspace: str | PathLike[str] | None = None,
    subjects: Sequence[str] | str = (),
    *,
    horizons: Sequence[int] = (),
    primary_horizon: int | None = None,
    capacity: int = 20,
    fixed: Sequence[str] = (),
    as_of: date | str | None = None,
    detail: Literal["auto", "all", "none"] = "auto",
    version: int | None = None,
    memory: str | None = None,
    engine: str | None = None,
) -> EvidenceResult:
    """Put the metrics, health scores, imported scores, surveys and forecasts of a workspace on trial, as `unspun evidence` does, and record
    the figures in its ledger.

    `subjects` are keys ("metric/logins_28d"), ids or patterns (none: all). Horizons are days before a renewal is due, `capacity` accounts a
    month; undated attributes in `fixed` join the baseline. Nothing after `as_of` is known (None: the last day on which an outcome was).
    The protocol is described in docs/audit-protocol.md, what a verdict on a metric means in docs/explanation/metrics-on-trial.md.

    Raises BadInput with every fault of the definitions and of the request.
    """
    from datetime import UTC
    from pathlib import Path

    from unspun.app.evidence import run as evidence
    from unspun.app.evidence.inputs import EvidenceRequest
    from unspun.app.workspace import open_workspace
    from unspun.audit.protocol import AuditSettings

    day = _day("as_of", as_of)
    settings = AuditSettings(
        horizons=tuple(horizons), primary_horizon=primary_horizon, capacity=capacity, fixed=_texts(fixed), as_of=day, detail=detail
    )
    request = EvidenceRequest(_texts(subjects), settings, version, day, memory, engine)
    place = open_workspace(None if workspace is None else Path(workspace))
    return evidence.judge_evidence(place, request, datetime.now(UTC), compare=False).result


def renewal_risk(
    workspace: str | PathLike[str] | None = None,
    metrics: Sequence[str] | str = (),
    *,
    as_of: date | str | None = None,
    fit: bool = False,
    version: int | None = None,
    memory: str | None = None,
    engine: str | None = None,
) -> RiskResult:
    """Judge every renewal of a workspace that is not decided, as `unspun risk` does, and record the figures in its ledger.

    `metrics` are ids or patterns of what the model may use (none: all). The model in force judges; where there is none, or to `fit` a new
    one, a version is fitted and published first. Nothing after `as_of` is known (None: the last day on which an outcome was).
    The model is described in docs/explanation/renewal-risk.md.

    Raises BadInput with every fault of the definitions and of the request.
    """
    from datetime import UTC

    from unspun.app.risk.basis import RiskRequest
    from unspun.app.risk.run import judge_risk

    request = RiskRequest(_day("as_of", as_of), version, memory, engine, _texts(metrics), fit=fit)
    return judge_risk(_workspace(workspace), request, datetime.now(UTC), compare=False).result


def forecast_renewals(
    workspace: str | PathLike[str] | None = None,
    metrics: Sequence[str] | str = (),
    *,
    as_of: date | str | None = None,
    months: int = 12,
    fit: bool = False,
    version: int | None = None,
    memory: str | None = None,
    engine: str | None = None,
) -> Forecast:
    """Forecast the renewals of the coming `months` and the ARR of today's customers, as `unspun forecast` does, and record the snapshot in
    the workspace's ledger, so that it can be scored later.

    The probabilities are those of `renewal_risk`; how outcomes are simulated together is told in docs/explanation/forecast.md.

    Raises BadInput with every fault of the definitions and of the request.
    """
    from datetime import UTC

    from unspun.app.forecast.run import ForecastRequest, forecast

    request = ForecastRequest(_day("as_of", as_of), months, version, memory, engine, _texts(metrics), fit)
    return forecast(_workspace(workspace), request, datetime.now(UTC)).result


def forecast_record(
    workspace: str | PathLike[str] | None = None,
    metrics: Sequence[str] | str = (),
    *,
    as_of: date | str | None = None,
    replay: int = 0,
    version: int | None = None,
    memory: str | None = None,
    engine: str | None = None,
) -> ForecastRecord:
    """Score all who forecast renewals (the model, the CSMs, their manager, last year's rate) on what then happened, as
    `unspun forecast --record` does.

    `replay` first makes the forecasts of so many past month ends with what was known then; they are labelled as replayed.

    Raises BadInput with every fault of the definitions and of the request.
    """
    from datetime import UTC

    from unspun.app.forecast import record as records

    request = records.RecordRequest(_day("as_of", as_of), replay, version, memory, engine, _texts(metrics))
    return records.forecast_record(_workspace(workspace), request, datetime.now(UTC)).result


def measure_performance(
    workspace: str | PathLike[str] | None = None,
    by: Sequence[str] | str = "owner",
    *,
    as_of: date | str | None = None,
    since: date | str | None = None,
    metrics: Sequence[str] | str = (),
    version: int | None = None,
    memory: str | None = None,
    engine: str | None = None,
) -> PerformanceResult:
    """Set actual beside expected renewals and ARR of groups of accounts, as `unspun performance` does, and record the figures.

    `by` is "owner", "segment", "cohort" or a column of accounts, or several; renewals due from `since` count (None: all). Expectations are
    made when a term begins, from what was known of the account then and from `metrics` of that day (none unless named).

    Raises BadInput with every fault of the definitions and of the request.
    """
    from datetime import UTC

    from unspun.app.performance import run as performance

    days = _day("as_of", as_of), _day("since", since)
    request = performance.PerformanceRequest(_texts(by), *days, version, memory, engine, _texts(metrics))
    return performance.measure_performance(_workspace(workspace), request, datetime.now(UTC)).result


def _workspace(folder: str | PathLike[str] | None) -> Workspace:
    from pathlib import Path

    from unspun.app.workspace import open_workspace

    return open_workspace(None if folder is None else Path(folder))


def _texts(given: Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _day(name: str, given: date | str | None) -> date | None:
    """A date, also from ISO text."""
    if given is None or (isinstance(given, date) and not isinstance(given, datetime)):
        return given
    if isinstance(given, datetime):
        return given.date()
    try:
        return date.fromisoformat(given)
    except (TypeError, ValueError):
        raise BadInput(Fault("bad_option", f"{given!r} is not a day.", name, "Give a date, or text such as 2026-10-31.")) from None
