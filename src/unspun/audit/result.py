"""What an audit returns: typed, frozen, and the same whichever door asked. Money is in `currency`; rates are shares of 1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from unspun.audit.vocabulary import CHURN, Vocabulary
from unspun.book.tables import Role
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Verdict = Literal[
    "leaks",
    "cannot tell",
    "reversed",
    "foretells",
    "foretells, adds nothing",
    "foretells, gain unproven",
    "no evidence",
]
VERDICTS: tuple[Verdict, ...] = (
    "foretells",
    "foretells, gain unproven",
    "foretells, adds nothing",
    "no evidence",
    "reversed",
    "leaks",
    "cannot tell",
)
Design = Literal["renewal", "landmark"]
PROTOCOL_VERSION = "2"
NOT_AVERAGED = NoEstimate("the score is a band, which has no mean")
NO_BASELINE = NoEstimate("no baseline was fitted")
NOT_ON_THESE_DAYS = NoEstimate("not computed on these days")


@dataclass(frozen=True, slots=True)
class Caution:
    """Something a reader must know before relying on a figure. `code` is stable, `text` is a sentence."""

    code: str
    text: str
    loud: bool = False


@dataclass(frozen=True, slots=True)
class SetAside:
    reason: str
    n: int


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file, or one sheet of a workbook, of an input that was given as several."""

    name: str
    sha256: str
    format: str
    rows_read: int


@dataclass(frozen=True, slots=True)
class InputReport:
    """One input: rows_read = rows_used + the sum of set_aside. `files` are given where they are several."""

    role: Role
    name: str
    sha256: str
    format: str
    rows_read: int
    rows_used: int
    set_aside: tuple[SetAside, ...]
    columns: tuple[tuple[str, str], ...]
    unused_columns: tuple[str, ...]
    notes: tuple[str, ...]
    files: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class DesignReport:
    """Which design was used and why, on what period, and in whose clusters."""

    name: Design
    why: str
    as_of: date
    as_of_why: str
    primary_horizon_days: int
    primary_why: str
    n_renewals: int
    n_accounts: int
    n_clusters: int
    clustered_by: Literal["parent account", "account"]
    outcomes: tuple[tuple[str, int], ...]
    first_due: date
    last_due: date
    currency: str | None
    capacity: int
    cautions: tuple[Caution, ...]
    vocabulary: Vocabulary = CHURN


@dataclass(frozen=True, slots=True)
class Split:
    """The out-of-time split at one horizon. Counts are units; `left_out` were not yet known when the test began."""

    first_test_as_of: date
    n_train: int
    n_train_churned: int
    n_left_out: int
    n_test: int
    n_test_churned: int
    n_train_scored_churned: int
    n_test_churned_clusters: int  # with a score


@dataclass(frozen=True, slots=True)
class Beside:
    """Something else one could have ranked the test units by, beside the score on the same units. It decides nothing.

    n counts the test units that have both; `coverage` is the share of all test units that have this. `difference` is the score's
    AUC less this one's, with a paired interval. The last three are of probabilities as they were stated, on the same units:
    `bias` is their mean less the share that churned.
    """

    name: str
    rule: str  # how it ranks, and what counts as known
    n: int
    n_churned: int
    coverage: float | None
    auc: MaybeEstimate
    auc_score: MaybeEstimate
    difference: MaybeEstimate
    brier: MaybeEstimate
    bias: MaybeEstimate
    expected_over_observed: MaybeEstimate


@dataclass(frozen=True, slots=True)
class TestResult:
    """The score on units it had never seen. n counts eligible test units, scored or not; AUCs are of the scored ones.

    `auc_baseline` and `auc_both` are of the frozen models B and B + S; gain = auc_both - auc_baseline.
    `gain_log_loss` is positive where the score lowers the log loss. `others` decide nothing.
    """

    n: int
    n_churned: int
    n_scored: int
    n_scored_churned: int
    n_churned_clusters: int
    auc: MaybeEstimate
    auc_baseline: MaybeEstimate
    auc_both: MaybeEstimate
    gain: MaybeEstimate
    gain_p: float | None
    gain_log_loss: MaybeEstimate
    others: tuple[tuple[str, MaybeEstimate], ...]
    beside: tuple[Beside, ...] = ()


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    predicted: float
    observed: Estimate  # its n is the bin's


@dataclass(frozen=True, slots=True)
class Calibration:
    """Of the risk a mapping fitted in training reads into the score, on test units."""

    mapping: str
    n: int
    n_churned: int
    slope: MaybeEstimate
    intercept: MaybeEstimate
    expected_over_observed: MaybeEstimate
    brier: MaybeEstimate
    brier_base_rate: MaybeEstimate
    miscalibration: float
    discrimination: float
    uncertainty: float
    bins: tuple[ReliabilityBin, ...]


@dataclass(frozen=True, slots=True)
class CurveBand:
    """At one capacity, the ends of the pointwise 95 % bootstrap bands around the captured-ARR curves; None where there is no curve."""

    capacity: int
    score: tuple[float, float]
    score_times_arr: tuple[float, float] | None
    arr_alone: tuple[float, float]
    random: tuple[float, float]


@dataclass(frozen=True, slots=True)
class CapturedArr:
    """Share of churned ARR reached by a team that can treat `capacity` accounts a month, by how it chooses them."""

    capacity: int
    months: int
    n_candidates: int
    churned_arr: float
    currency: str | None
    score: MaybeEstimate
    score_times_arr: MaybeEstimate
    arr_alone: MaybeEstimate
    random: MaybeEstimate
    curve: tuple[tuple[int, float | None, float | None, float, float], ...]  # capacity, then the four shares
    bands: tuple[CurveBand, ...] = ()  # at the primary horizon, one for each capacity of the curve; else empty

    @property
    def reaches_everybody(self) -> bool:
        """Whether the team can treat every candidate of the largest month, where the curve ends."""
        return bool(self.curve) and self.capacity >= max(capacity for capacity, *_ in self.curve)


@dataclass(frozen=True, slots=True)
class HorizonResult:
    """One horizon. n, n_churned and auc are of all eligible units; test is out of time."""

    horizon_days: int
    n: int
    n_churned: int
    n_scored: int
    n_scored_churned: int
    coverage: float | None
    not_applicable: int
    auc: MaybeEstimate
    auc_contracted: MaybeEstimate  # contracted against flat and expanded, among the renewed
    auc_expanded: MaybeEstimate
    split: Split | NoEstimate
    test: TestResult
    calibration: Calibration | NoEstimate
    captured_arr: CapturedArr | NoEstimate
    flow: tuple[tuple[str, int], ...]  # from rows used to units judged, signed counts


@dataclass(frozen=True, slots=True)
class LeakCheck:
    """Was the score edited after the outcome was known? Counts are units at the primary horizon."""

    possible: bool
    why_not: str
    churned_edited: int
    churned: int
    renewed_edited: int
    renewed: int
    fisher_p: float | None
    auc_dated: MaybeEstimate
    auc_known: MaybeEstimate
    difference: MaybeEstimate
    leaks: bool


@dataclass(frozen=True, slots=True)
class BandRow:
    """One band: of its units how many left, and of those who left how many were in it."""

    band: str
    n: int
    n_churned: int
    left: MaybeEstimate
    share_of_churned: MaybeEstimate


@dataclass(frozen=True, slots=True)
class Bands:
    source: str  # "the file's own bands", "declared thresholds", "thirds of the training scores"
    rows: tuple[BandRow, ...]  # worst first


@dataclass(frozen=True, slots=True)
class LeadPoint:
    """At one lead: AUC, and the share of churned and of renewed units then in the worst band (or third)."""

    days_before: int
    n: int
    n_churned: int
    auc: MaybeEstimate
    churned_in_alarm: MaybeEstimate
    renewed_in_alarm: MaybeEstimate
    churned_score: MaybeEstimate = NOT_AVERAGED  # mean score
    renewed_score: MaybeEstimate = NOT_AVERAGED


@dataclass(frozen=True, slots=True)
class LeadTime:
    alarm: str
    points: tuple[LeadPoint, ...]
    first_told_days: int | None  # the longest lead from which the AUC interval stays above one half
    text: str


@dataclass(frozen=True, slots=True)
class GroupRow:
    group: str
    n: int
    n_churned: int
    auc: MaybeEstimate
    in_test: bool | None = None  # quarters only


@dataclass(frozen=True, slots=True)
class Stability:
    quarters: tuple[GroupRow, ...]
    segments: tuple[GroupRow, ...]
    owners: tuple[GroupRow, ...]
    trend_per_quarter: MaybeEstimate
    note: str


@dataclass(frozen=True, slots=True)
class ListedUnit:
    account: str
    due: date
    looked_at: date
    score: float
    band: str
    amount: float | None
    currency: str | None
    segment: str
    owner: str
    row: int  # of the renewals file
    history: tuple[tuple[int, float], ...] = ()  # (days before the due date, score) over the year before it, oldest first
    baseline_risk: MaybeEstimate = NO_BASELINE  # by the frozen baseline, where the unit is not one it was fitted on


@dataclass(frozen=True, slots=True)
class Listing:
    """The largest units of a kind, by amount; `total` and `total_amount` count all of them, listed or not."""

    rule: str
    total: int
    total_amount: float | None
    units: tuple[ListedUnit, ...]


@dataclass(frozen=True, slots=True)
class Needed:
    """What it would take to tell: more churned renewals (all of the data, not only the test), and months at the present rate."""

    question: str
    more_churned: int
    months: float | None
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One of the three facts the sentence rests on."""

    label: str
    value: MaybeEstimate
    unit: Literal["auc", "gain", "share"]
    reference: float | None  # the value to beat
    text: str


@dataclass(frozen=True, slots=True)
class GamingRow:
    """Where a check points: `what` names it, `rows` are rows of the scores file (the first of them), `expected` where one is known."""

    what: str
    n: int
    expected: float | None
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class GamingPoint:
    """One quarter of the Goodhart curves: mean score, the share that did not churn, and the share the score implied."""

    period: str
    n: int
    score: float
    renewed: MaybeEstimate
    implied: float | None


@dataclass(frozen=True, slots=True)
class GamingCheck:
    """One way a score may have been steered, and what is seen of it. Evidence, never an accusation.

    `false_alarm` is the share of simulated honest score histories in which the check saw evidence. `p` is one-sided.
    """

    code: Literal["bunching", "period_end", "back_dated", "before_reviews", "goodhart_gap"]
    question: str
    found: Literal["evidence", "none seen", "cannot tell"]
    evidence: str
    measured: str  # what `statistic` is, in words
    statistic: MaybeEstimate
    p: float | None
    n: int  # score rows, or units, the check rests on
    listed: tuple[GamingRow, ...]
    series: tuple[GamingPoint, ...]
    innocent: tuple[str, ...]  # explanations under which the same would be seen
    false_alarm: Estimate


@dataclass(frozen=True, slots=True)
class Description:
    """What describes and does not decide: bands, lead time, stability, misses. At the primary horizon, all eligible units."""

    bands: Bands | NoEstimate
    lead_time: LeadTime | NoEstimate
    stability: Stability
    missed: Listing
    false_alarms: Listing


@dataclass(frozen=True, slots=True)
class ScoreResult:
    name: str
    kind: Literal["number", "band"]
    higher_is_healthier: bool
    verdict: Verdict
    verdict_why: str
    sentence: str
    facts: tuple[Fact, ...]
    cautions: tuple[Caution, ...]
    primary_horizon_days: int
    horizons: tuple[HorizonResult, ...]
    leak: LeakCheck
    needed: Needed | None
    description: Description | NoEstimate
    rejected_at_fdr: bool | None  # None where one score was audited
    gaming: tuple[GamingCheck, ...] = ()  # empty where details were not asked for

    @property
    def primary(self) -> HorizonResult:
        """The horizon that decides."""
        return next(h for h in self.horizons if h.horizon_days == self.primary_horizon_days)


@dataclass(frozen=True, slots=True)
class ScorePair:
    """AUC of one score less that of another, on the `n` test units that have both."""

    first: str
    second: str
    n: int
    n_lost: int
    difference: MaybeEstimate


@dataclass(frozen=True, slots=True)
class AuditResult:
    """The whole audit. `n_tested` scores shared the false discovery rate `fdr_q`."""

    protocol_version: str
    package_version: str
    seed: int
    settings: tuple[tuple[str, str], ...]
    inputs: tuple[InputReport, ...]
    design: DesignReport
    scores: tuple[ScoreResult, ...]
    n_tested: int
    fdr_q: float
    pairs: tuple[ScorePair, ...] = ()  # the score that ranks best in the test against each of the next ones
