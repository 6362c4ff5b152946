"""Renewals of groups beside what was expected when each term began: counted, put right, shrunk, and told with what chance could do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.audit.result import Caution
from unspun.audit.terms import UNKNOWN
from unspun.risk.choose import MIN_TRAIN_CLUSTERS, churned_clusters
from unspun.risk.performance.attribution import Attributed
from unspun.risk.performance.result import (
    AtDue,
    ChanceLimits,
    Comparison,
    FunnelPoint,
    GroupMoney,
    GroupPerformance,
    GroupVerdict,
    plural_of,
)
from unspun.risk.rolling import Rolling
from unspun.risk.rows import CHURN, UNDECIDED4, RiskRows, known_by
from unspun.stats.chance_limits import FUNNEL_LEVELS, ChanceSum, chance_sum, even_chance
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.stats.multiplicity import benjamini_hochberg
from unspun.stats.one_thread import in_one_thread
from unspun.stats.shrinkage import METHOD, Membership, Shrunk, shrink

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

FALSE_DISCOVERIES = 0.05
IN_TIME = "cohort"  # groups that stand in the order of their names, not of their size
NULL_DRAWS = 999
FUNNEL_POINTS = 48
LEAST_EXPECTED = 0.5  # churned: a smaller group has no place in a funnel
WINSOR = 0.1  # of each tail, as Spiegelhalter 2005 takes
SURE = 1e-6  # no expectation is nearer to 0 or 1
POINTS_METHOD = f"difference in the renewal rate of the group's own accounts; {METHOD}"
ODDS_METHOD = f"ratio of the odds of churn; {METHOD}"


@dataclass(frozen=True, slots=True)
class JudgedRenewals:
    """Renewals that were due and decided, each with what was expected when its term began. Arrays have shape (renewals,).

    `renewal` indexes Terms; `looked_on` is the day of the expectation, `model_day` the day before which its model knew everything it knew;
    `given` is the probability of churn as the model gave it. Days are since 1970-01-01.
    """

    renewal: Ints
    account: Ints
    cluster: Ints
    start: Ints
    due: Ints
    looked_on: Ints
    model_day: Ints
    given: Floats
    churned: Bools
    arr: Floats
    currency: Ints

    def __len__(self) -> int:
        return len(self.renewal)

    def take(self, kept: Ints | Bools) -> JudgedRenewals:
        """Some of the renewals."""
        return JudgedRenewals(*(getattr(self, name)[kept] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Renewals:
    """By renewal: first day of its term (UNKNOWN: not given), due date, code of its currency, and the first day on which anything was known
    of its outcome (UNKNOWN: nothing is)."""

    start: Ints
    due: Ints
    currency: Ints
    settled_on: Ints


LeftOut = Literal[
    "it was due so lately that not every outcome is known",
    "no outcome is known",
    "its outcome was known before the first of a month came in its term",
    "its term began before the first earlier model, which takes 30 customers that churned",
    "no model could be fitted on what was known when its term began",
]


def judge_renewals(
    rows: RiskRows, rolling: Rolling, asked: Renewals, between: tuple[int, int], settled: int
) -> tuple[JudgedRenewals, dict[LeftOut, int]]:
    """The renewals due on the days `between` (both included) that were decided, at the first row of each; and how many are not judged, why.

    `rows` and `rolling` are the account-months and their out-of-time probabilities. Of those due after the day `settled` none is judged,
    decided or not: churn is often known earlier than a renewal is.
    """
    due = asked.due
    inside = (due >= between[0]) & (due <= between[1])
    wanted = inside & (due <= settled)
    first = _first_rows(rows, len(due))
    looked = first >= 0
    at = np.maximum(first, 0)
    has_rows = len(rows) > 0
    decided = looked & (rows.outcome[at] != UNDECIDED4) if has_rows else looked
    given = rolling.probabilities[at, CHURN] if has_rows else np.full(len(due), np.nan)
    early = (rolling.origin[at] == UNKNOWN) if has_rows else looked
    modelled = decided & np.isfinite(given)
    known = np.where(looked, decided, asked.settled_on != UNKNOWN)
    left: dict[LeftOut, int] = {
        "it was due so lately that not every outcome is known": int((inside & ~wanted).sum()),
        "no outcome is known": int((wanted & ~known).sum()),
        "its outcome was known before the first of a month came in its term": int((wanted & ~looked & known).sum()),
        "its term began before the first earlier model, which takes 30 customers that churned": int((wanted & decided & early).sum()),
        "no model could be fitted on what was known when its term began": int((wanted & decided & ~modelled & ~early).sum()),
    }
    renewal = np.flatnonzero(wanted & modelled & ~early)
    row = first[renewal]
    judged = JudgedRenewals(
        renewal=renewal,
        account=rows.account[row],
        cluster=rows.cluster[row],
        start=np.where(asked.start[renewal] == UNKNOWN, rows.as_of[row], asked.start[renewal]),
        due=due[renewal],
        looked_on=rows.as_of[row],
        model_day=rolling.origin[row],
        given=np.clip(given[renewal], SURE, 1 - SURE),
        churned=rows.outcome[row] == CHURN,
        arr=rows.arr[row],
        currency=asked.currency[renewal],
    )
    return judged, left


def quarter_origins(rows: RiskRows, cutoff: int) -> tuple[int, ...]:
    """First days of quarters before the cutoff day from the first on which enough had churned to fit a model on."""
    if not len(rows):
        return ()
    first, last = (np.datetime64(int(day), "D").astype("datetime64[M]").astype(np.int64) for day in (rows.as_of.min(), cutoff))
    quarters = np.arange(-(-first // 3) * 3, last + 1, 3).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    early = [day for day in quarters.tolist() if day < cutoff]
    enough = (place for place, day in enumerate(early) if churned_clusters(known_by(rows, day)) >= MIN_TRAIN_CLUSTERS)
    return tuple(early[next(enough, len(early)) :])


def _first_rows(rows: RiskRows, renewals: int) -> Ints:
    """The place of each renewal's earliest row, -1 where it has none."""
    order = np.lexsort((rows.as_of, rows.renewal))
    ordered = rows.renewal[order]
    begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)])
    first = np.full(renewals, -1)
    first[ordered[begins]] = order[begins]
    return first


@dataclass(frozen=True, slots=True)
class Compared:
    """A comparison with what it rests on: the renewals that belong to a group, how, and each one's probability of churn put right."""

    comparison: Comparison
    renewals: JudgedRenewals
    attributed: Attributed
    expected: Floats


@in_one_thread
def compare_groups(judged: JudgedRenewals, attributed: Attributed, by: str, noun: str, currencies: tuple[str, ...], seed: int) -> Compared:
    """Compare the groups to which renewals are attributed. The same input and seed give the same."""
    without = len(judged) - len(attributed.kept)
    held = judged.take(attributed.kept)
    rng = np.random.default_rng(seed)
    shrunk = _shrunk(held, attributed.members, rng)
    expected = _expected(held, shrunk)
    tests = _tests(held, attributed.members, expected, shrunk, rng)
    rejected = benjamini_hochberg(tests.p, FALSE_DISCOVERIES)
    effects = _effects(attributed.members, expected, shrunk)
    groups = [
        _group(code, held, attributed, expected, effects, tests, bool(rejected[code]), currencies)
        for code in range(attributed.members.groups)
    ]
    pairs, apart, overlapping = _overlaps(effects)
    told = sum(one.verdict != "cannot tell" for one in groups)
    comparison = Comparison(
        by=by,
        noun=noun,
        groups=tuple(sorted(groups, key=lambda one: (0.0 if by == IN_TIME else -one.renewals, one.name))),
        renewals=len(held),
        shared=int((np.bincount(attributed.members.unit, minlength=len(held)) > 1).sum()),
        without_group=without,
        spread=shrunk if isinstance(shrunk, NoEstimate) else shrunk.spread,
        differ_p=None if isinstance(shrunk, NoEstimate) else tests.differ_p,
        overdispersion=None if isinstance(shrunk, NoEstimate) else tests.overdispersion,
        intercept=shrunk if isinstance(shrunk, NoEstimate) else shrunk.intercept,
        slope=shrunk if isinstance(shrunk, NoEstimate) else shrunk.slope,
        cluster_factor=None if isinstance(shrunk, NoEstimate) else shrunk.cluster_factor,
        pairs=pairs,
        pairs_apart=apart,
        overlapping=overlapping,
        funnel=_funnel(expected, groups),
        told=told,
        ranking=_ranking(noun, len(groups), pairs, apart, overlapping, shrunk),
        cautions=tuple(_cautions(noun, shrunk, held, attributed)),
    )
    return Compared(comparison, held, attributed, expected)


def _shrunk(held: JudgedRenewals, members: Membership, rng: np.random.Generator) -> Shrunk | NoEstimate:
    cluster = np.unique(held.cluster, return_inverse=True)[1].astype(np.int64)
    return shrink(held.given, held.churned, members, cluster, rng)


def _expected(held: JudgedRenewals, shrunk: Shrunk | NoEstimate) -> Floats:
    """The probability of churn of each renewal; as the models gave it where too few churned to put it right."""
    return held.given if isinstance(shrunk, NoEstimate) else shrunk.expected


# How far chance goes


@dataclass(frozen=True, slots=True)
class _Tests:
    """By group: the distribution of churned by chance alone, and the exact two-sided p. Of all together: the test that none differs."""

    chance: tuple[ChanceSum, ...]
    p: Floats
    differ_p: float
    overdispersion: float


def _tests(held: JudgedRenewals, members: Membership, expected: Floats, shrunk: Shrunk | NoEstimate, rng: np.random.Generator) -> _Tests:
    factor = 1.0 if isinstance(shrunk, NoEstimate) else shrunk.cluster_factor
    variance = expected * (1 - expected)
    own = _variance(members, variance)
    left = _variance_left(members, variance, own, held.given)
    parts = _by_group(members)
    chance = tuple(chance_sum(expected[unit], share) for unit, share in parts)
    seen = members.of_units(held.churned.astype(np.float64))
    p = np.array([one.two_sided_p(value) for one, value in zip(chance, seen.tolist(), strict=True)])
    wider = np.sqrt(own / (np.maximum(left, 1e-12) * factor))  # the group is part of the company that it is put beside
    adjusted = np.minimum(1.0, 2 * special.ndtr(special.ndtri(np.maximum(p, 1e-300) / 2) * wider))
    squares = (seen - members.of_units(expected)) ** 2 / np.maximum(left * factor, 1e-12)
    return _Tests(chance, adjusted, _differ_p(members, expected, held, factor, rng), _winsorised(squares))


def _variance(members: Membership, variance: Floats) -> Floats:
    """Of each group's weighted count."""
    return np.bincount(members.group, weights=members.share**2 * variance[members.unit], minlength=members.groups).astype(np.float64)


def _variance_left(members: Membership, variance: Floats, own: Floats, given: Floats) -> Floats:
    """Of each group's count less what was expected, when the expectation is put right (intercept and slope) on all groups together."""
    columns = _columns(given)
    information = (columns * variance) @ columns.T
    shared = np.stack([members.of_units(variance * column) for column in columns])
    return own - np.einsum("kg,kg->g", shared, np.linalg.pinv(information) @ shared)


def _columns(given: Floats) -> Floats:
    odds = special.logit(given)
    return np.stack([np.ones_like(odds), odds - odds.mean()])


def _differ_p(members: Membership, expected: Floats, held: JudgedRenewals, factor: float, rng: np.random.Generator) -> float:
    """How often chance alone sets groups as far apart as they are: a Monte Carlo test on the sum of squared standardised differences."""
    variance = expected * (1 - expected)
    own = np.maximum(_variance(members, variance), 1e-12)
    columns = _columns(held.given)
    project = np.linalg.pinv((columns * variance) @ columns.T)

    def distance(event: Bools) -> float:
        residual = event - expected
        residual = residual - variance * ((project @ (columns @ residual)) @ columns)
        return float((members.of_units(residual) ** 2 / own).sum())

    seen = distance(held.churned) / factor
    beyond = sum(distance(rng.random(len(expected)) < expected) >= seen - 1e-9 for _ in range(NULL_DRAWS))
    return (beyond + 1) / (NULL_DRAWS + 1)


def _winsorised(squares: Floats) -> float:
    z = np.sqrt(squares)
    low, high = np.quantile(z, [WINSOR, 1 - WINSOR])
    return float((np.clip(z, low, high) ** 2).mean())


def _funnel(expected: Floats, groups: list[GroupPerformance]) -> tuple[FunnelPoint, ...]:
    """The limits of chance from the smallest group to the largest, for renewals of the company's mean risk."""
    rate = float(expected.mean())
    sizes = [one.expected_churned for one in groups]
    low, high = max(min(sizes), LEAST_EXPECTED) * 0.9, max(*sizes, LEAST_EXPECTED) * 1.08
    counts = np.unique(np.maximum(np.round(np.geomspace(low, high, FUNNEL_POINTS) / rate), 1)).astype(np.int64)
    found = []
    for n in counts.tolist():
        chance, mean = even_chance(rate, n), n * rate
        ends = (chance.limits(level) for level in FUNNEL_LEVELS)
        limits = tuple(ChanceLimits(level, one[0] / mean, one[1] / mean) for level, one in zip(FUNNEL_LEVELS, ends, strict=True))
        found.append(FunnelPoint(mean, limits))
    return tuple(found)


def _by_group(members: Membership) -> list[tuple[Ints, Floats]]:
    order = np.argsort(members.group, kind="stable")
    ends = np.cumsum(np.bincount(members.group, minlength=members.groups))[:-1]
    return list(zip(np.split(members.unit[order], ends), np.split(members.share[order], ends), strict=True))


# What sets groups apart


@dataclass(frozen=True, slots=True)
class _Effects:
    """By group: the difference in the renewal rate and the ratio of odds, with intervals and ranks; or why there are none."""

    points: tuple[MaybeEstimate, ...]
    odds: tuple[MaybeEstimate, ...]
    ranks: tuple[tuple[int, int] | None, ...]


def _effects(members: Membership, expected: Floats, shrunk: Shrunk | NoEstimate) -> _Effects:
    if isinstance(shrunk, NoEstimate):
        return _Effects((shrunk,) * members.groups, (shrunk,) * members.groups, (None,) * members.groups)
    ends = [_rate_difference(members, expected, effect) for effect in (shrunk.center, shrunk.high, shrunk.low)]
    units = [len(unit) for unit, _ in _by_group(members)]
    points = [
        Estimate(point, low, high, POINTS_METHOD, n) for point, low, high, n in zip(*(one.tolist() for one in ends), units, strict=True)
    ]
    ratios = [np.exp(effect).tolist() for effect in (shrunk.center, shrunk.low, shrunk.high)]
    odds = [Estimate(point, low, high, ODDS_METHOD, n) for point, low, high, n in zip(*ratios, units, strict=True)]
    ranks = zip(shrunk.rank_low.tolist(), shrunk.rank_high.tolist(), strict=True)
    return _Effects(tuple(points), tuple(odds), tuple(ranks))


def _rate_difference(members: Membership, expected: Floats, effect: Floats) -> Floats:
    """How much higher the renewal rate of each group's own renewals is than expected, if each were the group's alone."""
    odds = special.logit(expected)[members.unit]
    moved = special.expit(odds) - special.expit(odds + effect[members.group])
    weight = np.bincount(members.group, weights=members.share, minlength=members.groups)
    return np.bincount(members.group, weights=members.share * moved, minlength=members.groups) / weight


def _overlaps(effects: _Effects) -> tuple[int, int, int]:
    """Pairs of groups, those whose intervals do not overlap, and the groups whose interval overlaps some other's."""
    known = [one for one in effects.odds if isinstance(one, Estimate)]
    if not known:
        return 0, 0, 0
    low, high = np.array([one.low for one in known]), np.array([one.high for one in known])
    over = (low[:, None] <= high) & (low <= high[:, None])
    groups = len(known)
    touching = int((over.sum(axis=1) > 1).sum())
    return groups * (groups - 1) // 2, (groups * groups - int(over.sum())) // 2, touching


def _ranking(noun: str, groups: int, pairs: int, apart: int, overlapping: int, shrunk: Shrunk | NoEstimate) -> str:
    plural = plural_of(noun)
    if isinstance(shrunk, NoEstimate):
        return f"No ranking: {shrunk.reason}."
    if overlapping == 0:
        return f"The intervals of the {groups:,} {plural} do not overlap."
    of_pairs = (
        f"the intervals of {apart:,} of {pairs:,} pairs lie apart" if apart else f"none of the {pairs:,} pairs has intervals that lie apart"
    )
    none = "No full ranking" if apart else "No ranking"
    return f"{none}: the intervals of {overlapping:,} of {groups:,} {plural} overlap another's; {of_pairs}."


# One group


def _group(
    code: int,
    held: JudgedRenewals,
    attributed: Attributed,
    expected: Floats,
    effects: _Effects,
    tests: _Tests,
    rejected: bool,
    currencies: tuple[str, ...],
) -> GroupPerformance:
    members = attributed.members
    mine = members.group == code
    unit, share = members.unit[mine], members.share[mine]
    n, churned = float(share.sum()), float(share @ held.churned[unit])
    limits = tuple(ChanceLimits(level, *_kept(n, tests.chance[code].limits(level))) for level in FUNNEL_LEVELS)
    ranks = effects.ranks[code]
    return GroupPerformance(
        name=attributed.names[code],
        renewals=n,
        accounts=len(np.unique(held.account[unit])),
        shared=int((share < 1).sum()),
        renewed=n - churned,
        expected=n - float(share @ expected[unit]),
        expected_given=n - float(share @ held.given[unit]),
        limits=limits,
        p=float(tests.p[code]),
        effect=effects.points[code],
        odds_ratio=effects.odds[code],
        rank_low=None if ranks is None else ranks[0],
        rank_high=None if ranks is None else ranks[1],
        money=tuple(_money(held, unit, share, expected, currencies)),
        at_due=None if attributed.at_due is None else _at_due(held, attributed.at_due == code, expected),
        verdict=_verdict(effects.points[code], rejected),
    )


def _kept(n: float, churned: tuple[float, float]) -> tuple[float, float]:
    return n - churned[1], n - churned[0]


def _verdict(effect: MaybeEstimate, rejected: bool) -> GroupVerdict:
    if isinstance(effect, NoEstimate) or not rejected or effect.low <= 0 <= effect.high:
        return "cannot tell"
    return "renews more" if effect.low > 0 else "renews less"


def _at_due(held: JudgedRenewals, mine: Bools, expected: Floats) -> AtDue:
    return AtDue(int(mine.sum()), int((mine & ~held.churned).sum()), float((1 - expected[mine]).sum()))


def _money(held: JudgedRenewals, unit: Ints, share: Floats, expected: Floats, currencies: tuple[str, ...]) -> list[GroupMoney]:
    found = []
    for code in np.unique(held.currency[unit]).tolist():
        inside = held.currency[unit] == code
        stated = inside & np.isfinite(held.arr[unit])
        if not stated.any() or code < 0:
            continue
        amount, p = share[stated] * held.arr[unit[stated]], expected[unit[stated]]
        due, chance = float(amount.sum()), chance_sum(p, amount)
        lost = float(amount @ held.churned[unit[stated]])
        limits = tuple(ChanceLimits(level, *_kept(due, chance.limits(level))) for level in FUNNEL_LEVELS)
        missing = int((inside & ~stated).sum())
        found.append(GroupMoney(currencies[code], due, due - lost, due - float(amount @ p), limits, missing))
    return found


def _cautions(noun: str, shrunk: Shrunk | NoEstimate, held: JudgedRenewals, attributed: Attributed) -> list[Caution]:
    found = []
    if isinstance(shrunk, Shrunk):
        slope = shrunk.slope
        if not slope.low <= 1 <= slope.high:
            spread = "narrow" if slope.point > 1 else "wide"
            told = f"their slope is {slope.point:.2f} ({slope.low:.2f} to {slope.high:.2f})"
            text = f"The expectations were too {spread} and were put right on these renewals: {told}."
            found.append(Caution("expectation_put_right", text))
        if shrunk.cluster_factor > 1.2:
            times = f"variance times {shrunk.cluster_factor:.1f}"
            text = f"Outcomes within one customer or its parent go together: intervals and tests allow for it ({times})."
            found.append(Caution("families", text))
    units = np.bincount(attributed.members.group, minlength=attributed.members.groups)
    if len(units) and int((units == 1).sum()) > len(units) / 2:
        found.append(
            Caution("small_groups", f"More than half of the {plural_of(noun)} have a single renewal: hardly anything can be told of one.")
        )
    return found
