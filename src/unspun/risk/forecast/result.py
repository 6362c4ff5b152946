"""What a forecast of renewals is, and what the record of forecasters is: typed, frozen, the same whichever door asked.

Money is in the currency named beside it and is never added across currencies. Rates are shares of 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from unspun.audit.result import Caution, ReliabilityBin
from unspun.stats.estimate import MaybeEstimate, NoEstimate

RenewalStatus = Literal["open", "overdue", "notice given", "decided"]
GroupKind = Literal["all", "month", "quarter", "segment", "owner"]
ForecasterKind = Literal["model", "model, replayed", "CSM", "person", "last year's rate"]
ShockName = Literal["churn", "contraction", "expansion", "family"]
RatioOutcome = Literal["contraction", "flat", "expansion"]
PeriodQuantity = Literal["churned", "grr", "nrr", "arr"]
RECORD_LEADS = (180, 90, 60, 30)
FAN_QUANTILES = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)


@dataclass(frozen=True, slots=True)
class Predicted:
    """A quantity not yet known, as simulated: its mean and the ends of the intervals that hold it in 80 and in 95 of 100 paths."""

    mean: float
    median: float
    low_80: float
    high_80: float
    low_95: float
    high_95: float


MaybePredicted = Predicted | NoEstimate


@dataclass(frozen=True, slots=True)
class MoneyForecast:
    """What becomes of the ARR due in one group and one currency: arr_due - churned - contraction + expansion = renewed, in each path.

    `grr` and `nrr` are of what is due: each renewal's ARR after it (for GRR at most that before), over the ARR before. A monthly term
    falls due each month of the horizon and counts each time. `n_without_amount` renewals due now state no amount and are in no money.
    """

    currency: str
    arr_due: Decimal  # of the terms that run on the as-of date
    arr_due_later: MaybePredicted  # of the terms that follow them within the horizon; 0 where no term renews twice
    churned: MaybePredicted
    contraction: MaybePredicted
    expansion: MaybePredicted
    renewed: MaybePredicted
    grr: MaybePredicted
    nrr: MaybePredicted


@dataclass(frozen=True, slots=True)
class GroupForecast:
    """Renewals due within the horizon of one month, quarter, segment or owner, or of all.

    `renewals` counts the terms that run on the as-of date, of which `facts` are decided (notice given, or renewed early) and
    `overdue` are past their due date without an outcome (they count in the first month). `later` are the terms after them.
    """

    kind: GroupKind
    name: str  # "2024-03", "2024-Q1", a segment, an owner, "" where not known
    first: date  # of the due dates that belong here
    last: date
    renewals: int
    facts: int
    overdue: int
    n_without_amount: int
    later: MaybePredicted
    churned: MaybePredicted  # number of renewals, those of later terms included; so too the next two
    contracted: MaybePredicted
    expanded: MaybePredicted
    money: tuple[MoneyForecast, ...]  # by currency


@dataclass(frozen=True, slots=True)
class FanPoint:
    """Total ARR at the end of a day, by FAN_QUANTILES: opening customers alone, no new business."""

    day: date
    mean: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ArrFan:
    """The ARR of those who are customers on the as-of date, at each month's end of the horizon, in one currency.

    `grr` and `nrr` are of the whole opening ARR at the end of the horizon: each account's ARR then (for GRR at most its opening ARR)
    over the opening ARR. `opening` is exact.
    """

    currency: str
    opening: Decimal
    points: tuple[FanPoint, ...]  # the first is the as-of date
    grr: MaybePredicted
    nrr: MaybePredicted


@dataclass(frozen=True, slots=True)
class RenewalForecast:
    """One renewal of the running terms: its probabilities (churn, contraction, flat, expansion) and the ARR expected after it."""

    account: str
    due: date
    lead_days: int
    status: RenewalStatus
    segment: str
    owner: str
    currency: str
    arr: Decimal | None
    probabilities: tuple[float, float, float, float] | None
    expected_arr: float | None
    expected_later: float | None  # mean number, over the paths, of its further renewals within the horizon


@dataclass(frozen=True, slots=True)
class SharedShock:
    """How far outcomes of one quarter move together, beyond what was known of each: standard deviation on log odds, by cause.

    Of "family" the same of the accounts of one top parent. Estimated on past out-of-time predictions.
    """

    name: ShockName
    deviation: MaybeEstimate
    groups: int  # quarters, or families with two or more renewals


@dataclass(frozen=True, slots=True)
class AmountRatios:
    """ARR after over ARR before, of past renewals with that outcome: n of them, their mean and quartiles."""

    outcome: RatioOutcome
    n: int
    mean: float
    quartiles: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Forecast:
    """A forecast of the renewals due after `as_of` and until `until`. The tuples are in the order they are to be shown.

    `model_version` is the ledger entry of the risk model; `model_words` says what it is and how it was judged. Where no forecast can
    be made, `refused` says why: then `renewals` are without probabilities, and counts and ARR due alone are given.
    """

    as_of: date
    until: date
    months: int
    paths: int
    seed: int
    total: GroupForecast
    by_month: tuple[GroupForecast, ...]
    by_quarter: tuple[GroupForecast, ...]
    by_segment: tuple[GroupForecast, ...]
    by_owner: tuple[GroupForecast, ...]
    fans: tuple[ArrFan, ...]
    renewals: tuple[RenewalForecast, ...]  # by due date, then account
    shocks: tuple[SharedShock, ...]
    ratios: tuple[AmountRatios, ...]
    model_version: int | None
    model_words: str
    replayed: bool  # made later, with what was known on the as-of date
    refused: NoEstimate | None
    cautions: tuple[Caution, ...]
    package_version: str


# The record


@dataclass(frozen=True, slots=True)
class LeadRecord:
    """One forecaster at one lead: its last forecast made at least `lead_days` before the due date, on the renewals it spoke of.

    `eligible` renewals were open then; `n` of them it had spoken of. All probabilities are of churn. `bias` is the mean stated less
    the share that churned (below 0: too hopeful). `arr_bias` is ARR expected to be lost by churn less that lost, as a share of ARR due, by
    currency. `brier_skill` is 1 - Brier / Brier of last year's rate on the same renewals.
    """

    lead_days: int
    eligible: int
    n: int
    n_churned: int
    stated: float | None  # mean probability of churn
    brier: MaybeEstimate
    log_loss: MaybeEstimate
    bias: MaybeEstimate
    expected_over_observed: MaybeEstimate
    slope: MaybeEstimate
    auc: MaybeEstimate
    brier_skill: MaybeEstimate
    arr_bias: tuple[tuple[str, MaybeEstimate], ...]
    bins: tuple[ReliabilityBin, ...] = ()


@dataclass(frozen=True, slots=True)
class ForecasterRecord:
    """Who forecasts (`name`), of what kind, with `said` in one sentence on what counts, and the record by lead, longest first.

    `words` are given where calls are words and no probabilities: then all but n and auc are refused.
    """

    name: str
    kind: ForecasterKind
    said: str
    n_forecasts: int
    words: tuple[str, ...]
    leads: tuple[LeadRecord, ...]


@dataclass(frozen=True, slots=True)
class PairRecord:
    """Two forecasters on the renewals both spoke of, at one lead. Differences are first less second: below 0, the first is better."""

    first: str
    second: str
    lead_days: int
    n: int
    n_churned: int
    brier: MaybeEstimate
    log_loss: MaybeEstimate
    words: str  # "model is better", "cannot tell", ...


@dataclass(frozen=True, slots=True)
class PeriodOutcome:
    """What a past forecast said of one quantity of one quarter of due dates that is now over, and what came."""

    quantity: PeriodQuantity
    period: str
    lead_months: int  # from the forecast to the end of the period
    currency: str
    predicted: Predicted
    actual: float
    in_80: bool
    in_95: bool


@dataclass(frozen=True, slots=True)
class SnapshotRecord:
    """A past forecast in the ledger: `made_on` is the day it was entered; replayed where that is later than the month it speaks of."""

    entry: int
    as_of: date
    made_on: date
    replayed: bool
    model_version: int | None
    outcomes: tuple[PeriodOutcome, ...]


@dataclass(frozen=True, slots=True)
class IntervalCoverage:
    """Of one quantity, over all snapshots: how many outcomes came, and the share that lay within the 80 and the 95 % interval.

    Periods of overlapping forecasts share their outcomes, so the intervals are clustered by period.
    """

    quantity: PeriodQuantity
    replayed: bool
    n: int
    periods: int
    in_80: MaybeEstimate
    in_95: MaybeEstimate


@dataclass(frozen=True, slots=True)
class ForecastMiss:
    """A renewal that came otherwise than said; `stated` is the probability of churn by forecaster, at the longest lead with a forecast."""

    account: str
    due: date
    owner: str
    churned: bool
    currency: str
    arr: Decimal | None
    stated: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class ForecastRecord:
    """How every forecaster did, on renewals decided by `as_of`."""

    as_of: date
    first_due: date | None
    last_due: date | None
    n_renewals: int
    n_churned: int
    forecasters: tuple[ForecasterRecord, ...]
    pairs: tuple[PairRecord, ...]
    snapshots: tuple[SnapshotRecord, ...]
    coverage: tuple[IntervalCoverage, ...]
    misses: tuple[ForecastMiss, ...]
    cautions: tuple[Caution, ...]
    package_version: str
