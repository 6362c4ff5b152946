"""What evidence on metrics and scores is: the audit of each of them, its coverage and shape, and which say the same thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from unspun.audit.result import AuditResult, ScoreResult, Stability
from unspun.book.tables import Codes
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.stats.shape import ShapeKind

SubjectKind = Literal["metric", "health score", "score", "survey", "forecast"]
SUBJECT_KINDS: tuple[SubjectKind, ...] = ("metric", "health score", "score", "survey", "forecast")


@dataclass(frozen=True, slots=True)
class Subject:
    """Whatever is put on trial. `key` is the name of its series, and the prefix of its figures' names ("metric/logins_28d").

    `definition` is its canonical text, "" where it was imported. Where no direction is declared it is read as higher is healthier.
    `missing` runs parallel to the values of its series and says why a row has none; a result holds None there.
    """

    key: str
    kind: SubjectKind
    label: str
    unit: str = ""
    definition: str = ""
    direction_declared: bool = True
    missing: Codes | None = None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Who has a value, of all units eligible at the primary horizon: n = with_value + the sum of `reasons`. Nothing is imputed."""

    n: int
    with_value: int
    churned_with_value: int
    churned_without_value: int
    reasons: tuple[tuple[str, int], ...]  # why there is no value, the commonest first


@dataclass(frozen=True, slots=True)
class ShapeBin:
    """Units whose value lies from `low` to `high`, both seen; `rate` is the share that churned."""

    low: float
    high: float
    n: int
    n_churned: int
    rate: Estimate


@dataclass(frozen=True, slots=True)
class ShapeCut:
    """Where churn steps: the cut that fits best lies between two neighbouring values; anywhere from `low` to `high` fits the data too."""

    below: float  # the largest value below the cut
    above: float  # the smallest value above it
    low: float
    high: float
    rate_below: Estimate
    rate_above: Estimate


@dataclass(frozen=True, slots=True)
class Shape:
    """How churn runs along the value, on all units eligible at the primary horizon that have one. It describes and decides nothing.

    `kind` is of the churn rate as the value rises; "rising" and "falling" say no more than that it never turns. A "threshold" falls
    or rises in one step (`rises`). `support` is the share of draws from the rates' sampling distribution in which the same kind was
    chosen. `p_flat` is of all rates being equal, `p_monotone` of their never turning, `p_turns` of there being no turn of either kind.
    """

    kind: ShapeKind
    rises: bool | None  # of "rising", "falling" and "threshold"
    sentence: str
    support: float
    bins: tuple[ShapeBin, ...]  # by value, lowest first
    cut: ShapeCut | None
    p_flat: float
    p_monotone: float | None  # None under three bins
    p_turns: float | None
    n: int
    n_churned: int
    method: str


@dataclass(frozen=True, slots=True)
class SubjectEvidence:
    """What the audit of a subject leaves out. `group` is its place in Redundancy.groups, None where it stands alone."""

    subject: Subject
    coverage: Coverage
    shape: Shape | NoEstimate
    stability: Stability | NoEstimate
    group: int | None


@dataclass(frozen=True, slots=True)
class RedundantGroup:
    """Subjects that rank units so alike that they say the same thing. `representative` is the one to keep, and `why`."""

    keys: tuple[str, ...]
    representative: str
    why: str
    lowest_rho: float  # the least |rho| between two of them


@dataclass(frozen=True, slots=True)
class Join:
    """One join of the tree, from the leaf at place `first` of Redundancy.order to the one at `last`, at a height of 1 - |rho|."""

    first: int
    last: int
    height: float


@dataclass(frozen=True, slots=True)
class Redundancy:
    """Spearman's rank correlation of all subjects, in pairs, on the units that have both.

    `rho` has a row and a column for each subject in the order of EvidenceResult.subjects; None where a pair has too few units in
    common or one does not vary. `order` are the subjects as the tree lays them out, likest side by side.
    """

    order: tuple[str, ...]
    groups: tuple[RedundantGroup, ...]
    rho: tuple[tuple[float | None, ...], ...]
    joins: tuple[Join, ...]
    n: int  # units looked at
    fewest_in_common: int  # of the pairs that have a rho
    method: str


@dataclass(frozen=True, slots=True)
class EvidenceResult:
    """Every subject judged in one run. `audit.scores` and `subjects` run parallel, in the order in which the subjects were given."""

    audit: AuditResult
    subjects: tuple[SubjectEvidence, ...]
    redundancy: Redundancy | NoEstimate

    @property
    def families(self) -> int:
        """How many subjects shared the false discovery rate."""
        return self.audit.n_tested

    def of(self, key: str) -> tuple[ScoreResult, SubjectEvidence]:
        """One subject's audit and the rest. Raises KeyError where there is none of that key."""
        for score, evidence in zip(self.audit.scores, self.subjects, strict=True):
            if evidence.subject.key == key:
                return score, evidence
        raise KeyError(key)
