"""The additive hazard model of renewals: how likely each outcome is, in each period before the due date, given what is known on a day.

Sources: Tutz and Schmid, Modeling Discrete Time-to-Event Data (2016); Aumann and Shapley, Values of Non-Atomic Games (1974) (shares of a
difference in probability along the line from the typical account).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.risk.cause import FADING, CauseHazard, cause_from_json, cause_to_json, design_blocks, keep_cause
from unspun.risk.coding import TermCoding, TermsKind, code_features, coding_from_json, coding_to_json
from unspun.risk.outcomes import CAUSES, Hazards, hazards_of
from unspun.risk.rows import CHURN, FLAT, PERIODS, Feature, KnownRows, RiskRows
from unspun.stats.discrete_hazard import CodedTerm, Spells
from unspun.stats.estimate import NoEstimate
from unspun.stats.fading import fit_fading
from unspun.stats.multiplicity import benjamini_hochberg
from unspun.stats.one_thread import in_one_thread

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Steps = NDArray[np.integer]

FORMAT = 1  # of what to_json writes
MIN_CHURN_CLUSTERS = 5  # in training, for any model
MIN_CLUSTERS_FOR_TERMS = 10  # with the event; of a cause seen less often only the rates by period are fitted
FALSE_DISCOVERY_RATE = 0.05  # among the terms that are told from nothing
NODES, WEIGHTS = np.polynomial.legendre.leggauss(5)


@dataclass(frozen=True, slots=True)
class Contributions:
    """What each term adds to a row, beside the typical account: shape (n, terms).

    `log_odds` (with `standard_error`) is on the churn hazard; they add up to the model's log-odds. `points` is on P(churn), through all
    hazards; they add up to P(churn) less `reference`, that of the typical account at the same lead. `told` says of each term whether it
    can be told from nothing as a whole; `quantile` times the standard error is the half width of an interval.
    """

    terms: tuple[str, ...]
    log_odds: Floats
    points: Floats
    standard_error: Floats
    reference: Floats
    told: Bools
    quantile: float


@dataclass(frozen=True, slots=True)
class Curve:
    """What a feature's values add to the churn hazard's log-odds, beside a typical account, with intervals.

    What a metric adds is that at a middling lead; nearer to the due date it counts for more, or for less. Of a number `at` holds values,
    of a category (and of what is missing) `names` holds levels; the other is empty. `rows` are the rows of training at each.
    """

    feature: Feature
    at: Floats
    names: tuple[str, ...]
    effect: Floats
    low: Floats
    high: Floats
    rows: Ints
    effective: float
    p_value: float
    told: bool


@dataclass(frozen=True, slots=True)
class HazardModel:
    """A fitted model: the coding of its terms and the hazard of each cause (in the order of CAUSES)."""

    kind: TermsKind
    codings: tuple[TermCoding, ...]
    causes: tuple[CauseHazard, ...]
    left_out: tuple[tuple[str, str], ...]  # feature and why
    rows: int
    clusters: int

    @property
    def terms(self) -> tuple[str, ...]:
        """The ids of the features, in the order of their contributions."""
        return tuple(coding.feature.id for coding in self.codings)

    @property
    def told(self) -> Bools:
        """By term, whether it can be told from nothing: Wald tests on the churn hazard, false discovery rate 5 %."""
        return benjamini_hochberg(np.array(self.causes[0].p_values), FALSE_DISCOVERY_RATE)

    @in_one_thread
    def probabilities(self, rows: RiskRows) -> Floats:
        """Of each outcome, shape (n, 4) in the order of OUTCOMES4; they add up to 1."""
        return self._hazards(rows, self._linear(rows)).probabilities()

    @in_one_thread
    def log_odds(self, rows: RiskRows) -> Floats:
        """What the terms add to the churn hazard, beside a typical account. Shape (n,)."""
        return self._linear(rows)[0]

    @in_one_thread
    def intervals(self, rows: RiskRows) -> tuple[Floats, Floats]:
        """Low and high of each probability at the house level, shape (n, 4) each: the delta method on its log-odds, t.

        An outcome that was never seen in training has the highest rate at which that is as likely as 5 %.
        """
        tables, steps = self._tables(), self._steps(rows)
        linear = self._linear(rows)
        low, high = np.empty((len(rows), 4)), np.empty((len(rows), 4))
        for part, places, design in design_blocks(tables, steps, len(rows)):
            hazards = hazards_of(self._intercepts(), linear[:, places], rows.lead[places])
            variance = self._variance(hazards, design, rows.lead[places])
            bounds, held = self._bounds(hazards.probabilities(), variance), part.stop - part.start
            low[part], high[part] = (each[:held] for each in bounds)
        return low, high

    @in_one_thread
    def contributions(self, rows: RiskRows) -> Contributions:
        """How the terms share the difference to the typical account."""
        tables, steps = self._tables(), self._steps(rows)
        added = np.array([self._gather(cause, cause.by_step(tables), steps, rows) for cause in self.causes])  # (causes, n, terms)
        linear = added.sum(axis=2)
        reference = self._hazards(rows, np.zeros_like(linear)).probabilities()[:, CHURN]
        difference = self._hazards(rows, linear).probabilities()[:, CHURN] - reference
        points = np.einsum("cn,cnt->nt", self._slopes_along(rows, linear), added)
        return Contributions(
            terms=self.terms,
            log_odds=added[0],
            points=_made_to_add_up(points, difference),
            standard_error=self._gather(self.causes[0], self.causes[0].errors_by_step(tables), steps, rows),
            reference=reference,
            told=self.told,
            quantile=self.causes[0].quantile,
        )

    @in_one_thread
    def draws(self, rows: RiskRows, count: int, rng: np.random.Generator, shift: Floats | None = None) -> Floats:
        """Probabilities under `count` draws of the coefficients, shape (count, n, 4).

        The coefficients depend on `rng` and `count` alone, so that rows may be drawn in parts with generators of the same seed.
        `shift` (count, n) or (count, 1) is added to the churn hazard's log-odds: a shock that renewals share.
        """
        drawn = [cause.draw(count, rng) for cause in self.causes]
        intercepts = np.array([one for one, _ in drawn])  # (causes, count, periods)
        tables, steps = self._tables(), self._steps(rows)
        found = np.empty((count, len(rows), 4))
        for part, places, design in design_blocks(tables, steps, len(rows)):
            scaled = (self._scaled(cause, design, rows.lead[places]) for cause in self.causes)
            products = (coefficients @ own.T for (_, coefficients), own in zip(drawn, scaled, strict=True))
            linear = np.array([each[:, : part.stop - part.start] for each in products])  # (causes, count, n)
            if shift is not None:
                linear[0] += shift if shift.shape[1] == 1 else shift[:, part]
            for i in range(count):
                found[i, part] = hazards_of(intercepts[:, i], linear[:, i], rows.lead[part]).probabilities()
        return found

    @in_one_thread
    def curves(self) -> tuple[Curve, ...]:
        """Each term's effect on the churn hazard, for a plot."""
        tables, churn = self._tables(), self.causes[0]
        effects, errors = churn.by_step(tables), churn.errors_by_step(tables)
        effective = dict(churn.effective)
        return tuple(
            _curve(coding, effect, error * churn.quantile, sum(effective.get(name, 0.0) for name, _ in coding.groups), p, bool(told))
            for coding, effect, error, p, told in zip(self.codings, effects, errors, churn.p_values, self.told, strict=True)
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data, from which `from_json` makes the same model."""
        return {
            "format": FORMAT,
            "kind": self.kind,
            "terms": [coding_to_json(coding) for coding in self.codings],
            "causes": [cause_to_json(cause) for cause in self.causes],
            "left_out": [list(each) for each in self.left_out],
            "rows": self.rows,
            "clusters": self.clusters,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> HazardModel:
        """The model that was written. Raises ValueError where the data are of another format."""
        if data["format"] != FORMAT:
            raise ValueError(f"a hazard model of format {data['format']}, not {FORMAT}")
        return cls(
            kind=data["kind"],
            codings=tuple(coding_from_json(each) for each in data["terms"]),
            causes=tuple(cause_from_json(each) for each in data["causes"]),
            left_out=tuple((feature, why) for feature, why in data["left_out"]),
            rows=data["rows"],
            clusters=data["clusters"],
        )

    def _tables(self) -> list[Floats]:
        return [coding.table() for coding in self.codings]

    def _steps(self, rows: RiskRows) -> list[Steps]:
        return [coding.place(rows) for coding in self.codings]

    def _intercepts(self) -> Floats:
        return np.array([cause.intercepts for cause in self.causes])

    def _linear(self, rows: RiskRows) -> Floats:
        """What the terms add to each hazard, shape (causes, n)."""
        tables, steps = self._tables(), self._steps(rows)
        return np.array([self._gather(cause, cause.by_step(tables), steps, rows).sum(axis=1) for cause in self.causes])

    def _gather(self, cause: CauseHazard, by_step: list[Floats], steps: list[Steps], rows: RiskRows) -> Floats:
        """Each term's own by row, shape (n, terms)."""
        found, scale = np.zeros((len(rows), len(steps))), cause.scale(rows.lead)
        for i, (coding, own, at) in enumerate(zip(self.codings, by_step, steps, strict=True)):
            found[:, i] = own[at] * (cause.level if coding.feature.given else scale)
        return found

    def _scaled(self, cause: CauseHazard, design: Floats, lead: Ints) -> Floats:
        """The design as a cause's hazard has it."""
        metric = np.concatenate([[not coding.feature.given] * coding.columns for coding in self.codings] or [[]]).astype(bool)
        return design * np.where(metric, cause.scale(lead)[:, None], cause.level)

    def _hazards(self, rows: RiskRows, linear: Floats) -> Hazards:
        return hazards_of(self._intercepts(), linear, rows.lead)

    def _variance(self, hazards: Hazards, design: Floats, lead: Ints) -> Floats:
        """Of each outcome's probability, shape (n, 4). The causes' scores are uncorrelated, so their variances add up."""
        slopes, found = hazards.slopes(), np.zeros((4, len(design)))
        for at, cause in enumerate(self.causes):
            found += cause.spread(self._scaled(cause, design, lead), slopes[:, at])
        return found.T

    def _bounds(self, probability: Floats, variance: Floats) -> tuple[Floats, Floats]:
        inside = (probability > 0) & (probability < 1)
        held = np.where(inside, probability, 0.5)
        half = self.causes[0].quantile * np.sqrt(variance) / (held * (1 - held))
        centre = special.logit(held)
        never_seen = 1 - 0.05 ** (1 / max(self.clusters, 1))
        low = np.where(inside, special.expit(centre - half), np.where(probability >= 1, 1 - never_seen, 0.0))
        return low, np.where(inside, special.expit(centre + half), np.where(probability <= 0, never_seen, 1.0))

    def _slopes_along(self, rows: RiskRows, linear: Floats) -> Floats:
        """Of P(churn) by what the terms add to each hazard, averaged along the line from nothing to `linear`. Shape (causes, n)."""
        found = np.zeros_like(linear)
        for first in range(0, len(rows), 4096):
            part = slice(first, first + 4096)
            for node, weight in zip((NODES + 1) / 2, WEIGHTS / 2, strict=True):
                found[:, part] += weight * hazards_of(self._intercepts(), node * linear[:, part], rows.lead[part]).churn_slopes()
        return found


@in_one_thread
def fit_hazard(known: KnownRows, terms: TermsKind, *, seed: int = 0) -> HazardModel | NoEstimate:
    """Fit the hazards of all causes on rows as they were known. Nothing is drawn, so that `seed` changes nothing.

    `terms` says what goes in: "base rate" (periods, lead, class of the term), "baseline" (and what is given of the account, by straight
    lines and levels), "linear" (and the metrics, by straight lines), "splines" (every number by a smooth curve).
    """
    churned = known.outcome == CHURN
    clusters = len(np.unique(known.rows.cluster[churned]))
    if clusters < MIN_CHURN_CLUSTERS:
        return NoEstimate(
            f"{clusters} accounts are known to have churned, under {MIN_CHURN_CLUSTERS}", f"at least {MIN_CHURN_CLUSTERS} of them"
        )
    codings, left_out = code_features(known.rows, terms)
    coded = [_code_term(coding, known.rows) for coding in codings]
    lead = known.rows.lead.astype(np.float64)
    columns = sum(term.table.shape[1] for term in coded)
    causes = []
    for at in range(len(CAUSES)):
        spells = _spells(known, at)
        seen = len(np.unique(known.rows.cluster[spells.event]))
        own = coded if seen >= MIN_CLUSTERS_FOR_TERMS else []
        causes.append(keep_cause(fit_fading(spells, own, FADING, lead), columns, len(coded)))
    return HazardModel(terms, codings, tuple(causes), left_out, len(known), len(np.unique(known.rows.cluster)))


def _code_term(coding: TermCoding, rows: RiskRows) -> CodedTerm:
    """A term of the fit. What is given of an account holds until it is due; what the metrics say fades."""
    return CodedTerm(coding.feature.id, coding.place(rows), coding.table(), coding.groups, scaled=not coding.feature.given)


def _spells(known: KnownRows, at: int) -> Spells:
    """Who is asked for a cause, and when: in the exit period only those whom no earlier cause took. Flat is not asked in the last."""
    taken = np.isin(known.outcome, CAUSES[:at])
    event, exit = known.outcome == CAUSES[at], known.exit - taken
    if CAUSES[at] == FLAT:
        event, exit = event & (exit < PERIODS - 1), np.minimum(exit, PERIODS - 2)
    return Spells(known.entry, exit, event, np.log(known.share_left), known.rows.cluster, PERIODS)


def _made_to_add_up(points: Floats, difference: Floats) -> Floats:
    """What the quadrature leaves over goes to the terms by their size."""
    size = np.abs(points)
    total = size.sum(axis=1, keepdims=True)
    left = (difference - points.sum(axis=1))[:, None]
    return points + np.where(total > 0, left * size / np.where(total > 0, total, 1.0), 0.0)


def _curve(coding: TermCoding, effect: Floats, half: Floats, effective: float, p: float, told: bool) -> Curve:
    shown = slice(0, len(effect) - 1)  # the last step adds nothing
    names = coding.levels if coding.scale is None else coding.reasons
    return Curve(
        feature=coding.feature,
        at=np.zeros(0) if coding.scale is None else coding.scale.values(),
        names=names,
        effect=effect[shown],
        low=(effect - half)[shown],
        high=(effect + half)[shown],
        rows=np.array(coding.counts[:-1], dtype=np.int64),
        effective=round(effective, 4),
        p_value=p,
        told=told,
    )
