"""The operation "measure performance": renewals of owners and other groups beside what was expected of them, recorded in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from time import monotonic
from typing import Any

from unspun._version import __version__
from unspun.app.checks import recorded_check
from unspun.app.evidence.inputs import OpenTrial
from unspun.app.performance.figures import KIND, figures_of
from unspun.app.performance.groups import GroupBy, attribute, cautions_of_grouping, groups_known, refuse_unknown
from unspun.app.publication import FigureSet, publish
from unspun.app.risk.basis import RiskBasis, RiskRequest, opened_risk
from unspun.app.risk.figures import day_of
from unspun.app.risk.inputs import RiskInputs, lay_out_risk
from unspun.app.risk.published import figures_on
from unspun.app.trial.subjects import workspace_definitions
from unspun.app.workspace import Workspace
from unspun.audit.known import to_days
from unspun.audit.result import Caution
from unspun.errors import BadInput, Fault
from unspun.ledger.chain import written_anchor
from unspun.progress import Progress, silent
from unspun.risk.candidates import CandidateName
from unspun.risk.choose import settle_days
from unspun.risk.performance.judge import Compared, JudgedRenewals, Renewals, compare_groups, judge_renewals, quarter_origins
from unspun.risk.performance.result import PerformanceResult
from unspun.risk.rolling import Rolling, RollingSettings, rolling

BY_BOOK: CandidateName = "baseline"
"""Expectations from what the book itself says of an account: size, tenure, segment, last outcome, term length. Out of time, at the start of
a term, they were better than those with metrics of that day, and no owner can move them within the term."""
BY_METRICS: CandidateName = "splines"
SEED = 0
UNBOUNDED = -(10**7)  # a day before all others


@dataclass(frozen=True, slots=True)
class PerformanceRequest:
    """What is asked: groups by "owner", "segment", "cohort" (the quarter in which an account's first term began) or a text column of
    accounts, of renewals due from `since` (None: all) to `as_of` (None: the last day on which the book knows anything of outcomes).

    Expectations are made from what the book says of an account when a term begins, and from these metrics of that day (ids or patterns;
    () is none).
    """

    by: tuple[str, ...] = ("owner",)
    as_of: date | None = None
    since: date | None = None
    version: int | None = None
    memory: str | None = None
    engine: str | None = None
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Measured:
    """A result with what it rests on, each comparison by what it groups by."""

    result: PerformanceResult
    compared: Mapping[str, Compared]
    inputs: RiskInputs


@dataclass(frozen=True, slots=True)
class PerformanceRun:
    """What came of a run, as measured and as published."""

    result: PerformanceResult
    measured: Measured
    figures: FigureSet
    entry: int
    anchor: str
    seconds: float


def measure_performance(workspace: Workspace, request: PerformanceRequest, at: datetime, progress: Progress = silent) -> PerformanceRun:
    """Compare groups of accounts by their renewals, and publish that.

    Raises BadInput: nothing loaded, no renewals that can be judged, nothing known to group by, faults of the definitions or the request.
    """
    began = monotonic()
    definition = workspace_definitions(workspace).metrics
    asked = RiskRequest(request.as_of, request.version, request.memory, request.engine, request.metrics)
    with opened_risk(workspace, asked, definition, at, progress) as (trial, found, _):
        basis = found if request.metrics else replace(found, panel=replace(found.panel, asked=()))
        _refuse_since(request.since, basis)
        inputs = lay_out_risk(trial, basis, definition, progress)
        refuse_unknown(request.by, inputs)
        measured = measure(inputs, request.by, request.since, progress)
        figures = _figure_set(measured, request, _book_check(trial, inputs, at.date()))
        entry = publish(workspace, figures, at)
    return PerformanceRun(measured.result, measured, figures, entry.seq, written_anchor(entry), monotonic() - began)


def measure(inputs: RiskInputs, by: tuple[GroupBy, ...], since: date | None, progress: Progress = silent) -> Measured:
    """The comparisons. The same inputs give the same. Raises BadInput where no renewal can be judged, or there is nothing to group by."""
    history = inputs.history
    origins = quarter_origins(history, inputs.cutoff)
    earlier = rolling(history, origins, RollingSettings(_candidate(inputs), seed=SEED), progress)
    between = (UNBOUNDED if since is None else _day(since), inputs.cutoff - 1)
    terms = inputs.terms
    settle = settle_days(history, inputs.cutoff)
    settled = inputs.cutoff - 1 - settle
    asked = Renewals(inputs.decisions.start, terms.due, terms.money.currency, inputs.decisions.settled_on)
    judged, left = judge_renewals(history, earlier, asked, between, settled)
    if not len(judged):
        raise BadInput(
            Fault("no_expectation", _nothing_judged(left), "unspun performance", "It takes renewals of 30 customers that churned.")
        )
    compared: dict[str, Compared] = {}
    for one in dict.fromkeys(by):
        progress("comparing", len(compared), len(by))
        attributed = attribute(one, judged, inputs)
        found = compare_groups(judged, attributed, one, groups_known(one), terms.money.currencies, SEED)
        cautions = (*found.comparison.cautions, *cautions_of_grouping(one, inputs))
        compared[one] = replace(found, comparison=replace(found.comparison, cautions=cautions))
    return Measured(_result(inputs, since, earlier, judged, (left, settle), compared), compared, inputs)


def _candidate(inputs: RiskInputs) -> CandidateName:
    return BY_METRICS if inputs.basis.metrics else BY_BOOK


def _nothing_judged(left: Mapping[Any, int]) -> str:
    why = "; ".join(f"{n:,}: {reason}" for reason, n in left.items() if n)
    return f"no renewal has an expectation made when its term began ({why or 'none was due'})"


def _day(day: date) -> int:
    return int(to_days(_as_days(day))[0])


def _as_days(day: date) -> Any:
    import numpy as np

    return np.array([day], "datetime64[D]")


def _refuse_since(since: date | None, basis: RiskBasis) -> None:
    if since is not None and since > basis.as_of:
        raise BadInput(Fault("since_after", f"{since} lies after the as-of day {basis.as_of}.", "--since", "Give an earlier day."))


def _result(
    inputs: RiskInputs,
    since: date | None,
    earlier: Rolling,
    judged: JudgedRenewals,
    aside: tuple[Mapping[Any, int], int],
    compared: Mapping[str, Compared],
) -> PerformanceResult:
    left, settle = aside
    renewed = int((~judged.churned).sum())
    return PerformanceResult(
        as_of=inputs.as_of,
        since=since,
        due=len(judged) + sum(left.values()),
        renewals=len(judged),
        accounts=len(set(judged.account.tolist())),
        renewed=renewed,
        expected_given=float((1 - judged.given).sum()),
        first_due=day_of(int(judged.due.min())),
        last_due=day_of(int(judged.due.max())),
        left_out=tuple((str(reason), n) for reason, n in left.items()),
        settle_days=settle,
        models=sum(name != "" for name in earlier.chosen),
        first_model=day_of(int(judged.model_day.min())),
        candidate=_candidate(inputs),
        comparisons=tuple(one.comparison for one in compared.values()),
        cautions=_CAUTIONS,
        seed=SEED,
        package_version=__version__,
    )


_CAUTIONS = (
    Caution(
        "known_only",
        "What was expected rests on what the book knew when each term began. What it did not know, such as a hard account given to a "
        "strong colleague, counts for or against the group.",
    ),
    Caution(
        "earlier_terms",
        "What a group achieved in earlier terms is part of what is expected of it in later ones: each term is judged from its own "
        "beginning.",
    ),
)


def _figure_set(measured: Measured, request: PerformanceRequest, book_check: Mapping[str, Any] | None) -> FigureSet:
    inputs = measured.inputs
    since = None if request.since is None else request.since.isoformat()
    return figures_on(
        inputs,
        kind=KIND,
        question={
            "basis": inputs.basis.to_json(),
            "by": list(dict.fromkeys(request.by)),
            "since": since,
            "seed": SEED,
            "model": _candidate(inputs),
        },
        figures=figures_of(measured.result),
        book_check=book_check,
    )


def _book_check(trial: OpenTrial, inputs: RiskInputs, today: date) -> Mapping[str, Any] | None:
    checked = recorded_check(trial.reader.catalog, today)
    return None if checked is None else checked.record(inputs.tables, date.min, inputs.as_of)
