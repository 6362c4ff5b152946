"""What risk-adjusted performance is: renewals of groups of accounts beside what was expected of them when each term began.

Rates and differences are shares of 1, positive where more renewed. Money is in the currency named beside it. Nothing here is computed:
performance.py makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from unspun.audit.result import Caution
from unspun.stats.estimate import Estimate, MaybeEstimate

GroupVerdict = Literal["renews more", "renews less", "cannot tell"]
GROUP_VERDICTS: dict[GroupVerdict, str] = {
    "renews more": "more renewed than in the company as a whole, put beside what was expected of them",
    "renews less": "fewer renewed than in the company as a whole, put beside what was expected of them",
    "cannot tell": "chance alone may explain what sets it apart",
}
"""Word and meaning. The first two stand where the shrunken interval leaves out zero and the exact test rejects, allowing for all."""


def plural_of(noun: str) -> str:
    """What several groups are called: owners, countries, branches."""
    if noun.endswith("y") and noun[-2:-1] not in "aeiou":
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(("s", "x", "z", "ch", "sh")) else f"{noun}s"


@dataclass(frozen=True, slots=True)
class ChanceLimits:
    """Between which ends chance alone keeps a count or an amount, at a level such as 0.95, if the group were like the company."""

    level: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class GroupMoney:
    """ARR due in a group, of renewals that state it: what was kept of it (not lost to churn), what was expected, and chance's reach."""

    currency: str
    due: float
    kept: float
    expected: float
    limits: tuple[ChanceLimits, ...]
    without_amount: int

    @property
    def difference(self) -> float:
        return self.kept - self.expected


@dataclass(frozen=True, slots=True)
class AtDue:
    """The same counted another way: each renewal whole with who held the account on the due date."""

    renewals: int
    renewed: int
    expected: float


@dataclass(frozen=True, slots=True)
class GroupPerformance:
    """One group. Renewals of several groups are shared by days held, so that counts may be fractions; `shared` counts those renewals.

    `expected` is how many would have renewed in a company in which all groups are alike, whose total is what did renew; `expected_given`
    is the same by the models as they were, before they were put right. `effect` is the shrunken difference in the renewal rate of its own
    accounts, `odds_ratio` the same as a ratio of the odds of churn (under 1 where more renew). `limits` are those of chance for `renewed`,
    `p` two-sided and exact, `rank_low` to `rank_high` the interval of its rank, 1 renewing most.
    """

    name: str
    renewals: float
    accounts: int
    shared: int
    renewed: float
    expected: float
    expected_given: float
    limits: tuple[ChanceLimits, ...]
    p: float
    effect: MaybeEstimate
    odds_ratio: MaybeEstimate
    rank_low: int | None
    rank_high: int | None
    money: tuple[GroupMoney, ...]
    at_due: AtDue | None
    verdict: GroupVerdict

    @property
    def difference(self) -> float:
        """Renewals beyond what was expected."""
        return self.renewed - self.expected

    @property
    def churned(self) -> float:
        return self.renewals - self.renewed

    @property
    def expected_churned(self) -> float:
        return self.renewals - self.expected


@dataclass(frozen=True, slots=True)
class FunnelPoint:
    """Where a group with so many expected churned would lie by chance alone, in multiples of that, if its risks were the company's mean."""

    expected_churned: float
    limits: tuple[ChanceLimits, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Groups of one kind beside each other, those with most renewals first, cohorts in order of time.

    `by` is "owner", "segment", "cohort" or a column of accounts.

    `spread` is the standard deviation between groups in log odds; `differ_p` tests that they do not differ at all; `overdispersion` is the
    mean squared standardised difference, winsorised, 1 where there is but chance. `pairs_apart` of `pairs` have intervals that do not
    overlap; `overlapping` groups have one that overlaps another's. `without_group` renewals belong to none and are left out.
    """

    by: str
    noun: str
    groups: tuple[GroupPerformance, ...]
    renewals: int
    shared: int
    without_group: int
    spread: MaybeEstimate
    differ_p: float | None
    overdispersion: float | None
    intercept: MaybeEstimate
    slope: MaybeEstimate
    cluster_factor: float | None
    pairs: int
    pairs_apart: int
    overlapping: int
    funnel: tuple[FunnelPoint, ...]
    told: int
    ranking: str
    cautions: tuple[Caution, ...]

    @property
    def estimated(self) -> bool:
        return isinstance(self.spread, Estimate)


@dataclass(frozen=True, slots=True)
class PerformanceResult:
    """All that was compared. `expected_given` is how many the models expected to renew of `renewals`, of which `renewed` did.

    `left_out` says how many of the `due` renewals are not judged, and why: due = renewals + those. A renewal is judged once it was due for
    `settle_days`, by when nearly all outcomes are known. `models` earlier models, fitted from
    `first_model` on, gave the expectations, each on what was known before it.
    """

    as_of: date
    since: date | None
    due: int
    renewals: int
    accounts: int
    renewed: int
    expected_given: float
    first_due: date | None
    last_due: date | None
    left_out: tuple[tuple[str, int], ...]
    settle_days: int
    models: int
    first_model: date | None
    candidate: str
    comparisons: tuple[Comparison, ...]
    cautions: tuple[Caution, ...]
    seed: int
    package_version: str
