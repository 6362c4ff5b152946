"""What renewal risk is: each open renewal's probabilities with reasons, and the record of the model that they come from.

Probabilities and points are shares of 1; money is in the renewal's currency. Nothing here is computed: judge.py makes it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from unspun.audit.result import Caution, ReliabilityBin
from unspun.stats.estimate import MaybeEstimate, NoEstimate

RenewalStatus = Literal["open", "overdue", "notice given"]
ModelVerdict = Literal["calibrated", "not calibrated", "cannot tell"]
MODEL_VERDICTS: tuple[ModelVerdict, ...] = ("calibrated", "not calibrated", "cannot tell")
CannotTell = Literal["", "model_cannot", "lead_not_calibrated", "beyond_leads", "too_wide", "nothing_known"]
CANNOT_TELL: dict[CannotTell, str] = {
    "model_cannot": "the model as a whole cannot tell",
    "lead_not_calibrated": "the model's probabilities of renewals this far ahead are too extreme, or too timid",
    "beyond_leads": "the model has seen no renewal this long before it was due, or of this term length",
    "too_wide": "the interval of the probability of churn is too wide to act on",
    "nothing_known": "no metric has a value and nothing else is known of the account",
}
"""Code and meaning. Where several hold, the first in this order is given."""

DUE_WITHIN_DAYS = (30, 90, 180, 365)
WIDEST_INTERVAL = 0.4


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that sets a renewal's probability of churn apart from a typical one's, and can be told from nothing.

    `points` (with its interval) is what it adds to the probability, `log_odds` what it adds to the churn hazard's log odds. `value`
    and `typical` are in `unit`; a category's are names, and None is a missing value. `stale_days` is the age of a value that was
    carried over a tracking outage. `sentence` says all of it in the customer's terms.
    """

    feature: str
    label: str
    value: float | str | None
    typical: float | str | None
    unit: str
    points: float
    low: float
    high: float
    log_odds: float
    sentence: str
    metric: bool  # a metric of metrics.yml, not an attribute of the account
    stale_days: int = 0


@dataclass(frozen=True, slots=True)
class PastRenewal:
    """A decided renewal that a similar-accounts figure rests on. `outcome` is one of OUTCOMES4."""

    account: str
    due: date
    as_of: date  # the month in which it was like the renewal asked about
    outcome: str


@dataclass(frozen=True, slots=True)
class SimilarAccounts:
    """What became of the past renewals most like this one in risk, at a like lead. `outcomes` holds shares by OUTCOMES4."""

    n: int
    n_accounts: int
    segment: str | None  # None: of all segments, as its own has too few
    lead_low_days: int
    lead_high_days: int
    outcomes: Mapping[str, MaybeEstimate]
    renewals: tuple[PastRenewal, ...]
    told: str


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Of the `of` metrics that the model knows, how many have a value; why the others have none, by label and reason.

    `stale` lists values carried over an outage, by label and age in days.
    """

    with_value: int
    of: int
    missing: tuple[tuple[str, str], ...]
    stale: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class RenewalRisk:
    """One renewal that is not decided yet.

    `probabilities` holds an estimate for each of OUTCOMES4, which add up to 1, or why there is none. `expected_lost` is ARR times the
    probability of churn, with the interval of the latter. typical + the points of all reasons + others = the probability of churn,
    exactly: `typical` is that of an account like the mean of those the model was fitted on, with the same lead and term length;
    `others` are the contributions that are each too small to tell. Where `cannot_tell` is not "", or notice was given, there is no
    probability and there are no reasons; `why` is the sentence that says so.
    """

    account: str
    name: str
    due: date
    lead_days: int
    arr: float | None
    currency: str | None
    segment: str | None
    owner: str | None
    term: str
    status: RenewalStatus
    probabilities: Mapping[str, MaybeEstimate]
    expected_lost: MaybeEstimate
    typical: float | None
    reasons: tuple[Reason, ...]  # the largest first
    others: float
    similar: SimilarAccounts | NoEstimate
    coverage: RiskCoverage
    cannot_tell: CannotTell = ""
    why: str = ""

    @property
    def churn(self) -> MaybeEstimate:
        """The probability of churn."""
        return self.probabilities["churn"]


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """One candidate model out of time. `difference` is its log loss less that of the best one, paired; a NoEstimate for the best itself.

    `log_loss` is of the four outcomes, `churn_log_loss` of churn against all others, both per account-month; smaller is better.
    """

    name: str
    told: str
    log_loss: MaybeEstimate
    difference: MaybeEstimate
    standard_error: float | None  # of the difference
    churn_log_loss: MaybeEstimate
    chosen: bool


NOT_BY_LEAD = NoEstimate("not judged by lead when it was fitted")


@dataclass(frozen=True, slots=True)
class LeadCheck:
    """The check at one span of lead: account-months from `low_days` to `high_days` before the due date, both seen.

    The interval of `slope` is one of those of all spans that can be judged, held at once; `verdict` goes by it as that of the whole model
    goes by its own. Where it is "not calibrated", no renewal at such a lead is given a probability.
    """

    low_days: int
    high_days: int
    n: int
    n_churned: int
    expected: float  # share foretold to churn
    observed: MaybeEstimate
    expected_over_observed: MaybeEstimate
    auc: MaybeEstimate
    slope: MaybeEstimate = NOT_BY_LEAD
    verdict: ModelVerdict = "cannot tell"


@dataclass(frozen=True, slots=True)
class ModelCheck:
    """The chosen model on later account-months that neither fitted nor chose it. Everything is of churn but `log_loss`, of 4 outcomes.

    A renewal is judged once it was due for `settle_days`, by when nearly all outcomes are known, whatever they are; `n_undecided` renewals
    were not decided by then and are left out. `base_log_loss` is that of the base rate, on the same rows. The interval of `slope` allows
    for the chance of what it is judged on and, but for boosted models, of what it was fitted on. `verdict` is "not calibrated" where that
    interval neither contains 1 nor lies within 0.8 to 1.25, "cannot tell" where too few churned for a slope; then no
    renewal is given a probability.
    """

    first_as_of: date | None
    last_as_of: date | None
    n: int
    n_renewals: int
    n_churned: int  # renewals
    n_churned_clusters: int
    n_train_churned: int
    settle_days: int
    n_undecided: int
    slope: MaybeEstimate
    intercept: MaybeEstimate
    expected_over_observed: MaybeEstimate
    auc: MaybeEstimate
    brier: MaybeEstimate
    log_loss: MaybeEstimate
    base_log_loss: MaybeEstimate
    churn_log_loss: MaybeEstimate
    by_lead: tuple[LeadCheck, ...]
    bins: tuple[ReliabilityBin, ...]
    verdict: ModelVerdict
    why: str


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """The term's contribution to the churn hazard's log odds at a value (a category's name), less that of the typical account."""

    at: float | str
    log_odds: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class TermRecord:
    """One term of the model. `p` is of its having no effect (Wald), `told` whether that is rejected among all terms (BH at .05).

    Of a boosted model `effective_df` and `p` are None, and `told` says whether an interval of the curve excludes 0.
    """

    feature: str
    label: str
    unit: str
    metric: bool
    effective_df: float | None
    p: float | None
    told: bool
    curve: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True)
class ModelRecord:
    """The model in force and how it came to be. `version` names its entry in the ledger, "" before it is written.

    `left_out` are metrics that the model could not use, with the reason. `sampled` says what was subsampled, "" where nothing was.
    `scale` is what a boosted model's log odds of churn are multiplied by, as the origins inside training taught, and `scale_why` says so;
    additive models are calibrated as they are fitted.
    """

    version: str
    fitted_as_of: date
    chosen: str
    why: str
    candidates: tuple[CandidateRecord, ...]
    origins: tuple[date, ...]
    check: ModelCheck
    terms: tuple[TermRecord, ...]
    left_out: tuple[tuple[str, str], ...]
    n: int  # account-months it was fitted on
    n_renewals: int
    n_churned: int
    sampled: str = ""
    scale: float = 1.0
    scale_why: str = ""


@dataclass(frozen=True, slots=True)
class DueTotal:
    """The renewals due within so many days, in one currency. The interval is of the expectation: what will happen varies more.

    `n_cannot_tell` of them, with ARR `arr_cannot_tell`, have no probability and are not in `expected_lost`.
    """

    within_days: int
    currency: str | None
    n: int
    n_without_arr: int
    arr: float
    expected_lost: MaybeEstimate
    n_cannot_tell: int
    arr_cannot_tell: float
    n_notice: int
    arr_notice: float


@dataclass(frozen=True, slots=True)
class RiskResult:
    """Every renewal not yet decided at the as-of day, those with the most ARR expected lost first, then the likeliest to churn."""

    as_of: date
    renewals: tuple[RenewalRisk, ...]
    model: ModelRecord | NoEstimate
    due: tuple[DueTotal, ...]
    cautions: tuple[Caution, ...]
    package_version: str

    def of(self, account: str) -> tuple[RenewalRisk, ...]:
        """The renewals of one account, the earliest due first."""
        return tuple(sorted((one for one in self.renewals if one.account == account), key=lambda one: one.due))
