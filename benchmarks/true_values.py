"""What a company's intervals should cover: the AUCs of its score and of its frozen models in the population they were drawn from.

The population is simulated by the same rules, with new parents and accounts. Each of its units counts as churned with its
true probability and as staying with the rest, so that the population's own luck is left out. Of the population, the units
looked at from the company's own first test day on are used, as the tenures and last outcomes of the test are those of its
period.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from simulate import AS_OF, HORIZON_DAYS, TERM_DAYS, USUAL, Clustering, Company, simulate_company

from unspun.audit.baseline import Baseline, BaselineFit, FrozenRisks, baseline_columns, fit_baseline, freeze_risks, percentile_in
from unspun.audit.frame import Frame, ScoreIndex, make_frame, rows_known, value_at
from unspun.audit.protocol import AuditSettings
from unspun.audit.split import Parts
from unspun.audit.terms import PastOutcomes, Terms, order_terms
from unspun.audit.units import Units
from unspun.book.tables import ScoreHistory
from unspun.stats.concordance import count_clusters, influence, paired_difference
from unspun.stats.estimate import MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SETTINGS = AuditSettings(
    design="renewal", horizons=(HORIZON_DAYS,), primary_horizon=HORIZON_DAYS, replicates=0, detail="none", fixed=("segment",), as_of=AS_OF
)
LEVELS = 20_000
WHOLE_POINTS = -np.arange(101.0)  # every risk that a simulated score can hold
EARLIEST_CUT = int(np.datetime64("2022-01-01").astype(np.int64)) + TERM_DAYS // 2  # a company's test never begins before


@dataclass(frozen=True, slots=True)
class Population:
    """Scored units of many companies (`part` numbers them) as parallel arrays; `probability` of churn is as it truly was."""

    part: Ints
    as_of: Ints
    amount: Floats
    first_seen: Ints
    segment: Ints
    last_outcome: Ints
    probability: Floats
    risk: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.as_of)


@dataclass(frozen=True, slots=True)
class Truth:
    """True values by what they are of, and the gain's interval as it would be were there no floor of churned training units."""

    value: dict[str, float]
    gain: MaybeEstimate


class KnownPast(PastOutcomes):
    """Last outcomes that are known already, one a unit."""

    def __init__(self, outcome: Ints) -> None:
        self._known = outcome

    def last(self, account: Ints, day: Ints) -> Ints:
        """As it was given, for all units in order."""
        return self._known


@dataclass(frozen=True, slots=True)
class _Laid:
    """A company's tables as the audit lays them out at the one horizon."""

    terms: Terms
    frame: Frame
    segment: Ints
    last_outcome: Ints
    risk: dict[str, Floats]


def build_population(seed: int, scores: tuple[str, ...], units: int, clustering: Clustering = USUAL) -> Population:
    """At least so many scored units from EARLIEST_CUT on, a thousand churned a company."""
    parts: list[Population] = []
    while sum(map(len, parts)) < units:
        rng = np.random.default_rng([seed, 0xB16, len(parts)])
        parts.append(_units_of(simulate_company(rng, 1000, scores, clustering), scores, len(parts)))
    columns = ("part", "as_of", "amount", "first_seen", "segment", "last_outcome", "probability")
    joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    return Population(**joined, risk={score: np.concatenate([part.risk[score] for part in parts]) for score in scores})


def true_values(population: Population, company: Company) -> dict[str, Truth]:
    """By score, what holds in the population for that score and for this company's B and B + S, frozen as the audit froze them."""
    laid = _lay_out(company, tuple(population.risk))
    parts, units = laid.frame.parts, laid.frame.units
    if not isinstance(parts, Parts) or parts.cut < EARLIEST_CUT:
        raise ValueError("the company's test begins before the population does")
    there = population.as_of >= parts.cut
    joint = _Joint(population, laid, parts)
    found, of_baseline = {}, np.nan
    for score, risk in laid.risk.items():
        scored = np.isfinite(risk)
        frozen = joint.freeze(risk, population.risk[score], scored)
        alone, both = (linear[len(units) :][there] for linear in (frozen.baseline, frozen.both))
        if np.isnan(of_baseline):  # all scores miss the same units, so B is the same for all
            of_baseline = expected_concordance(alone, population.probability[there])
        of_both = of_baseline if frozen.both is frozen.baseline else expected_concordance(both, population.probability[there])
        noise = score.endswith("noise")  # independent of churn, so one half exactly, whatever the population's luck
        of_score = 0.5 if noise else expected_concordance(population.risk[score][there], population.probability[there])
        value = {"auc": of_score, "auc baseline": of_baseline, "auc both": of_both, "gain": of_both - of_baseline}
        found[score] = Truth(value, _gain(units, frozen, parts.test & scored))
    return found


def expected_concordance(risk: Floats, probability: Floats) -> float:
    """Chance that of two independent units, one that churns and one that stays, the first has the higher risk; ties one half.

    Risks are put into LEVELS equal steps, which moves the value by far less than the population's own sampling error.
    """
    low, high = float(risk.min()), float(risk.max())
    level = ((risk - low) * ((LEVELS - 1) / max(high - low, 1e-12))).astype(np.int64)
    churns = np.bincount(level, weights=probability, minlength=LEVELS)
    stays = np.bincount(level, minlength=LEVELS) - churns
    return float(churns @ (np.cumsum(stays) - stays / 2) / (churns.sum() * stays.sum()))


def standard_error(population: Population, score: str) -> float:
    """Of the population's value of a score's AUC, from how its companies differ."""
    parts = [population.part == part for part in np.unique(population.part)]
    values = [expected_concordance(population.risk[score][own], population.probability[own]) for own in parts]
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


class _Joint:
    """The company's units followed by the population's, through the audit's own baseline with the company's training units."""

    def __init__(self, population: Population, laid: _Laid, parts: Parts) -> None:
        self._own, self._train = len(laid.frame.units), np.concatenate([parts.train, np.zeros(len(population), dtype=bool)])
        units, terms = _append(laid, population)
        self._churned = units.churned
        past = KnownPast(np.concatenate([laid.last_outcome, population.last_outcome]))
        segment = np.concatenate([laid.segment, population.segment])
        self._baseline: Baseline = baseline_columns(units, terms, past, segment, self._train)
        self._fit: BaselineFit | None = None

    def freeze(self, own: Floats, others: Floats, scored: Bools) -> FrozenRisks:
        """B and B + S as linear predictors, of the company's units first."""
        fit_on = self._train.copy()
        fit_on[: self._own] &= scored
        if self._fit is None:
            self._fit = fit_baseline(self._baseline, self._churned, fit_on)
        reference = np.sort(own[fit_on[: self._own]])
        by_point = percentile_in(reference, WHOLE_POINTS)
        percentile = np.concatenate([percentile_in(reference, own), by_point[(-others).astype(np.int64)]])
        return freeze_risks(self._baseline, self._fit, percentile, self._churned, fit_on)


def _append(laid: _Laid, population: Population) -> tuple[Units, Terms]:
    """Each population unit becomes an account and a term of its own; only what the baseline reads is filled."""
    units, terms, n = laid.frame.units, laid.terms, len(population)
    joint_units = replace(
        units,
        account=np.concatenate([units.account, len(terms.first_seen) + np.arange(n)]),
        as_of=np.concatenate([units.as_of, population.as_of]),
        terms_row=np.concatenate([units.terms_row, len(terms.due) + np.arange(n)]),
        amount=np.concatenate([units.amount, population.amount]),
        churned=np.concatenate([units.churned, np.zeros(n, dtype=bool)]),
    )
    money = replace(terms.money, currency=np.concatenate([terms.money.currency, np.zeros(n, dtype=np.int64)]))
    return joint_units, replace(terms, money=money, first_seen=np.concatenate([terms.first_seen, population.first_seen]))


def _gain(units: Units, frozen: FrozenRisks, judged: Bools) -> MaybeEstimate:
    event, cluster = units.churned[judged], units.cluster[judged]
    counts = count_clusters(event, cluster)
    if counts.with_event < 2:
        return NoEstimate("fewer than two churned clusters")
    own = (linear[: len(units)][judged] for linear in (frozen.both, frozen.baseline))
    both, alone = (influence(linear, event) for linear in own)
    return paired_difference(both, alone, counts, cluster)[0]


def _lay_out(company: Company, scores: tuple[str, ...]) -> _Laid:
    renewals, history = company.renewals, company.scores
    as_of = int(np.datetime64(AS_OF).astype("datetime64[D]").astype(np.int64))
    terms = order_terms(renewals, history, as_of, {}, None)
    index = ScoreIndex(history, renewals.account.names, as_of)
    frame = make_frame(HORIZON_DAYS, terms, None, renewals, index, SETTINGS)
    units = frame.units
    if frame.segment is None:
        raise ValueError("simulated companies have segments")
    last = PastOutcomes(terms).last(units.account, units.as_of)
    return _Laid(terms, frame, frame.segment, last, {score: _risks(history, index, units, score) for score in scores})


def _risks(history: ScoreHistory, index: ScoreIndex, units: Units, score: str) -> Floats:
    series = next(one for one in history.series if one.name == score)
    return -value_at(series, rows_known(index.lookup(series), units.account, units.as_of))


def _units_of(company: Company, scores: tuple[str, ...], part: int) -> Population:
    laid = _lay_out(company, scores)
    units = laid.frame.units
    kept = (units.as_of >= EARLIEST_CUT) & np.isfinite(laid.risk[scores[0]])
    return Population(
        part=np.full(int(kept.sum()), part),
        as_of=units.as_of[kept],
        amount=units.amount[kept],
        first_seen=laid.terms.first_seen[units.account][kept],
        segment=laid.segment[kept],
        last_outcome=laid.last_outcome[kept],
        probability=company.probability[laid.terms.order[units.terms_row]][kept],
        risk={score: risk[kept] for score, risk in laid.risk.items()},
    )
