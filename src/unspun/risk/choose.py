"""Which candidate is used: compared out of time on rolling origins, the simplest within one standard error of the best.

Source of the rule: Breiman, Friedman, Olshen and Stone, Classification and Regression Trees (1984), 3.4.3; here the error is that of the
paired difference, clustered by top parent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.audit.protocol import TEST_SHARE_OF_CHURNED
from unspun.audit.terms import UNKNOWN
from unspun.progress import Progress, silent
from unspun.risk.candidates import CANDIDATES, CandidateName, RiskModel, fit_candidate, in_order
from unspun.risk.recalibrate import NOTHING_LEARNT, Recalibration, StatedScores, learn_scale
from unspun.risk.result import CandidateRecord
from unspun.risk.rows import CHURN, UNDECIDED4, KnownRows, RiskRows, known_by
from unspun.stats.calibration import clustered_mean
from unspun.stats.concordance import clustered_standard_error, count_clusters, t_quantile
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

MIN_TRAIN_CLUSTERS, MIN_TEST_CLUSTERS = 30, 20  # with a churn
ORIGINS = 3
SETTLED = 0.95
FIRST_ORIGIN = 0.5  # of the churned renewals of training are known by the first origin
MOST_ROWS = 100_000  # of training, for the comparison; the model itself is fitted on all
LOG_LOSS = "mean of -log of the probability stated for what happened; clustered, t"
PAIRED_LOSS = "difference of mean log losses on the same account-months; clustered, t"
SMALLEST_PROBABILITY = 1e-12


@dataclass(frozen=True, slots=True)
class Choice:
    """The candidate chosen and why; every candidate's record; the origins' days; what was sampled ("" where nothing was); and how far a
    boosted one's log odds were off on the origins."""

    name: CandidateName
    why: str
    candidates: tuple[CandidateRecord, ...]
    origins: tuple[int, ...]
    sampled: str
    recalibration: Recalibration


@dataclass(frozen=True, slots=True)
class Losses:
    """Each candidate's losses on the same account-months, shape (n,): of the four outcomes, and of churn against all others."""

    of_outcome: Mapping[CandidateName, Floats]
    of_churn: Mapping[CandidateName, Floats]
    scores: Mapping[CandidateName, StatedScores]
    churned: Bools
    cluster: Ints
    train_clusters: tuple[int, ...]  # churned customers that the models of each origin rested on


def settle_days(rows: RiskRows, cutoff: int) -> int:
    """How long after its due date a renewal's outcome is nearly always known: the SETTLED quantile of those known before the cutoff, of
    churned ones and of all others, whichever is longer. A churn may be written down weeks after its due date, a renewal at once."""
    known = (rows.decided_on != UNKNOWN) & (rows.decided_on < cutoff) & (rows.outcome != UNDECIDED4) & (rows.as_of < cutoff)
    _, first = np.unique(rows.renewal[known], return_index=True)
    late = np.maximum(rows.decided_on[known][first] - rows.due[known][first], 0)
    churned = rows.outcome[known][first] == CHURN
    delays = (late[kind] for kind in (churned, ~churned) if kind.any())
    return max((int(np.quantile(each, SETTLED, method="higher")) for each in delays), default=0)


def due_for_judging(rows: RiskRows, cutoff: int) -> Bools:
    """Rows whose renewal fell due so long before the cutoff day that its outcome is known by then, whatever it is.

    Churn is known earlier than a renewal where notice is given: to judge whatever is decided would hold too much of it.
    """
    return (rows.due < cutoff - settle_days(rows, cutoff)) & (rows.as_of < cutoff)


def judged(rows: RiskRows, cutoff: int) -> Bools:
    """Rows whose outcome can be held against a forecast on the cutoff day: due for judging, and known."""
    known = (rows.decided_on != UNKNOWN) & (rows.decided_on < cutoff) & (rows.outcome != UNDECIDED4)
    return known & due_for_judging(rows, cutoff)


def find_cut(rows: RiskRows, cutoff: int) -> int | NoEstimate:
    """The first as-of day of the test part: the latest from which on 40 % of the churned account-months lie."""
    churned = judged(rows, cutoff) & (rows.outcome == CHURN)
    if not churned.any():
        return NoEstimate("no renewal has churned yet", f"{MIN_TRAIN_CLUSTERS + MIN_TEST_CLUSTERS} churned renewals or more")
    days, count = np.unique(rows.as_of[churned], return_counts=True)
    from_day_on = np.cumsum(count[::-1])[::-1]
    return int(days[np.flatnonzero(from_day_on >= TEST_SHARE_OF_CHURNED * from_day_on[0] - 1e-9)[-1]])


def churned_clusters(known: KnownRows) -> int:
    """How many top parents have a churned renewal among the rows."""
    return len(np.unique(known.rows.cluster[known.outcome == CHURN]))


def choose(
    rows: RiskRows, cutoff: int, names: Sequence[CandidateName] = tuple(CANDIDATES), seed: int = 0, progress: Progress = silent
) -> Choice | NoEstimate:
    """Compare the candidates on what was known before the cutoff day, and choose.

    Each origin's models are fitted on what was known before it, and judged on the account-months from it to before the next one, as far
    as these were due by the cutoff.
    """
    known = known_by(rows, cutoff)
    if (clusters := churned_clusters(known)) < MIN_TRAIN_CLUSTERS:
        return too_few_in_training(clusters)
    rows, sampled = _sample(rows.take(rows.as_of < cutoff), seed)
    origins = _origins(rows, cutoff)
    losses = _losses(rows, origins, cutoff, in_order(names), seed, progress)
    if isinstance(losses, NoEstimate):
        return losses
    name, best = _simplest(losses)
    records = tuple(_record(one, best, name, losses) for one in losses.of_outcome)
    boosted = name == "boosting"  # additive models are calibrated as they are fitted
    learnt = learn_scale(losses.scores[name], losses.churned, losses.cluster, losses.train_clusters) if boosted else NOTHING_LEARNT
    return Choice(name, _why(name, best, records), records, origins, sampled, learnt)


def too_few_in_training(clusters: int) -> NoEstimate:
    """The refusal of a model that would rest on too few."""
    return NoEstimate(
        f"only {clusters} customers churned in the part that a model would be fitted on",
        f"churned renewals of {MIN_TRAIN_CLUSTERS} customers or more before the last part, on which it is judged",
    )


def outcome_loss(probability: Floats, outcome: NDArray[np.int8]) -> Floats:
    """-log of the probability stated for what happened, shape (n,)."""
    return -np.log(np.maximum(probability[np.arange(len(outcome)), outcome], SMALLEST_PROBABILITY))


def churn_loss(probability: Floats, outcome: NDArray[np.int8]) -> Floats:
    """The same of churn against all others."""
    churn = probability[:, CHURN]
    return -np.log(np.maximum(np.where(outcome == CHURN, churn, 1 - churn), SMALLEST_PROBABILITY))


def mean_loss(losses: Floats, churned: Bools, cluster: Ints) -> MaybeEstimate:
    """A mean loss with its clustered interval."""
    if len(losses) == 0 or count_clusters(churned, cluster).with_event < 2:
        return NoEstimate("fewer than two customers churned")
    return clustered_mean(losses, churned, cluster, LOG_LOSS)


def _origins(rows: RiskRows, cutoff: int) -> tuple[int, ...]:
    """Days by which equal shares of the churned renewals were known, from FIRST_ORIGIN of them on."""
    known = judged(rows, cutoff) & (rows.outcome == CHURN)
    _, first = np.unique(rows.renewal[known], return_index=True)
    days = np.sort(rows.decided_on[known][first])
    shares = FIRST_ORIGIN + (1 - FIRST_ORIGIN) * np.arange(ORIGINS) / ORIGINS
    return tuple(sorted({int(days[int(share * len(days))]) + 1 for share in shares}))


def _losses(
    rows: RiskRows, origins: Sequence[int], cutoff: int, names: tuple[CandidateName, ...], seed: int, progress: Progress
) -> Losses | NoEstimate:
    told = judged(rows, cutoff)
    said: dict[CandidateName, list[_Said]] = {name: [] for name in names}
    parts: list[RiskRows] = []
    clusters: list[int] = []
    for at, (origin, end) in enumerate(zip(origins, (*origins[1:], cutoff), strict=True)):
        part = rows.take(told & (rows.as_of >= origin) & (rows.as_of < end))
        known = known_by(rows, origin)
        parts.append(part)
        clusters.append(churned_clusters(known))
        for place, name in enumerate(names):
            progress("comparing models", at * len(names) + place, len(origins) * len(names))
            said[name].append(_say(fit_candidate(name, known, seed=seed, scoring=False), part))
    progress("comparing models", 1, 1)
    return _gather(parts, said, tuple(clusters))


@dataclass(frozen=True, slots=True)
class _Said:
    """What a model fitted at an origin says of the account-months after it; NaN where there is no model."""

    probability: Floats
    score: Floats


def _say(model: RiskModel | NoEstimate, part: RiskRows) -> _Said:
    if isinstance(model, NoEstimate):
        return _Said(np.full((len(part), 4), np.nan), np.full(len(part), np.nan))
    return _Said(model.probabilities(part), model.log_odds(part))


def _gather(parts: list[RiskRows], said: Mapping[CandidateName, list[_Said]], clusters: tuple[int, ...]) -> Losses | NoEstimate:
    outcome = np.concatenate([part.outcome for part in parts])
    cluster = np.concatenate([part.cluster for part in parts])
    origin = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    churned = outcome == CHURN
    if not len(outcome) or count_clusters(churned, cluster).with_event < 2:
        return NoEstimate("too few renewals churned after the first origin to compare models", "a longer history")
    stated: dict[CandidateName, Floats] = {name: np.concatenate([one.probability for one in each]) for name, each in said.items()}
    usable: list[CandidateName] = [name for name, one in stated.items() if np.isfinite(one).all()]
    if not usable:
        return NoEstimate("no candidate could be fitted at every origin", "a longer history")
    scores: dict[CandidateName, Floats] = {name: np.concatenate([one.score for one in said[name]]) for name in usable}
    return Losses(
        {name: outcome_loss(stated[name], outcome) for name in usable},
        {name: churn_loss(stated[name], outcome) for name in usable},
        {name: StatedScores(stated[name][:, CHURN], scores[name], origin) for name in usable},
        churned,
        cluster,
        clusters,
    )


def _simplest(losses: Losses) -> tuple[CandidateName, CandidateName]:
    """The simplest candidate within one standard error of the best, and the best. Ties go to the simpler."""
    best: CandidateName = min(losses.of_outcome, key=lambda name: float(losses.of_outcome[name].mean()))
    within: list[CandidateName] = [
        name for name in losses.of_outcome if _difference(losses, name, best)[0] <= _difference(losses, name, best)[1]
    ]
    return within[0], best


def _difference(losses: Losses, name: CandidateName, best: CandidateName) -> tuple[float, float]:
    each = losses.of_outcome[name] - losses.of_outcome[best]
    mean = float(each.mean())
    return mean, clustered_standard_error((each - mean) / len(each), losses.cluster)


def _record(name: CandidateName, best: CandidateName, chosen: CandidateName, losses: Losses) -> CandidateRecord:
    difference, error = _difference(losses, name, best)
    half = t_quantile(count_clusters(losses.churned, losses.cluster).with_event) * error
    shown = Estimate(difference, difference - half, difference + half, PAIRED_LOSS, len(losses.churned))
    return CandidateRecord(
        name=name,
        told=CANDIDATES[name],
        log_loss=mean_loss(losses.of_outcome[name], losses.churned, losses.cluster),
        difference=NoEstimate("it is the best itself") if name == best else shown,
        standard_error=None if name == best or math.isnan(error) else error,
        churn_log_loss=mean_loss(losses.of_churn[name], losses.churned, losses.cluster),
        chosen=name == chosen,
    )


def _why(name: CandidateName, best: CandidateName, records: tuple[CandidateRecord, ...]) -> str:
    if name == best and records[0].name == name:
        return f"`{name}` has the least log loss out of time, and none is simpler"
    if name == best:
        return f"`{name}` has the least log loss out of time, and no simpler model is within one standard error of it"
    return f"`{name}` is the simplest model whose log loss out of time is within one standard error of the best one's (`{best}`)"


def _sample(rows: RiskRows, seed: int) -> tuple[RiskRows, str]:
    """Whole clusters, drawn until there are MOST_ROWS rows; and what to say of it."""
    if len(rows) <= MOST_ROWS:
        return rows, ""
    clusters, at, sizes = np.unique(rows.cluster, return_inverse=True, return_counts=True)
    order = np.random.default_rng([seed, len(clusters)]).permutation(len(clusters))
    count = int(np.searchsorted(np.cumsum(sizes[order]), MOST_ROWS)) + 1
    drawn = np.zeros(len(clusters), dtype=bool)
    drawn[order[:count]] = True
    kept = rows.take(drawn[at])
    told = (
        f"the models were compared on {len(kept):,} of {len(rows):,} account-months: all of {count:,} of {len(clusters):,} customers, "
        "drawn at random; the chosen one was fitted and judged on all"
    )
    return kept, told
