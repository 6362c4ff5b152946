"""Every forecaster held against what then happened: the last forecast known some days before the due date, on the same renewals."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from unspun.audit.calls import NOWHERE, CallIndex
from unspun.audit.result import ReliabilityBin
from unspun.audit.terms import UNKNOWN, Terms
from unspun.audit.units import Units, renewal_units
from unspun.book.tables import CHURNED
from unspun.risk.forecast.make import money
from unspun.risk.forecast.result import RECORD_LEADS, ForecasterKind, ForecasterRecord, ForecastMiss, LeadRecord, PairRecord
from unspun.risk.rows import class_of_term
from unspun.stats.calibration import calibration_slope, clustered_mean, expected_over_observed
from unspun.stats.concordance import auc_interval, clustered_standard_error, count_clusters, t_quantile
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.stats.proportion import clustered_share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SUREST = 0.001  # who states less than this for log loss and slope is taken to have stated this: certainty would be an infinite loss
FEWEST_FAMILIES = 10  # with a churn, and with a renewal kept: fewer give no interval
FEWEST_CHURNED = 20  # clusters with a churn: fewer decide nothing between two forecasters
YEAR_DAYS = 365
FEWEST_LAST_YEAR = 20  # decided renewals of the same class of term; of fewer the rate is that of all
LAST_YEAR = "last year's rate"
BINS = 5
MISSES = 25
ONLY_WORDS = NoEstimate("the calls are words, not probabilities", "calls given as probabilities")
THE_REFERENCE = NoEstimate("it is what the others are held against")
NO_RENEWALS = NoEstimate("no renewal has a forecast known in time", "forecasts of renewals that are decided since")


@dataclass(frozen=True, slots=True)
class Forecaster:
    """Somebody or something that forecasts. `risk` answers for units what it had last said by then: a probability of churn (of words, a
    rank that rises with risk), NaN where nothing."""

    name: str
    kind: ForecasterKind
    said: str
    n_forecasts: int
    words: tuple[str, ...]
    risk: Callable[[Units], Floats]


@dataclass(frozen=True, slots=True)
class _Scored:
    """The forecasters on the eligible units of one lead."""

    units: Units
    risk: Mapping[str, Floats]
    currency: Ints


def by_calls(name: str, kind: ForecasterKind, said: str, calls: CallIndex, theirs: Bools) -> Forecaster:
    """A forecaster whose forecasts are rows of calls."""

    def risk(units: Units) -> Floats:
        row = calls.latest(units, theirs)
        value = np.where(row == NOWHERE, np.nan, calls.forecasts.value[np.maximum(row, 0)])
        return 1 - value if calls.forecasts.probability else -value

    return Forecaster(name, kind, said, int(theirs.sum()), () if calls.forecasts.probability else calls.forecasts.calls, risk)


def where_silent(forecaster: Forecaster, other: Forecaster) -> Forecaster:
    """The forecaster on the units of which the other had said nothing."""

    def risk(units: Units) -> Floats:
        return np.where(np.isnan(other.risk(units)), forecaster.risk(units), np.nan)

    return Forecaster(forecaster.name, forecaster.kind, forecaster.said, forecaster.n_forecasts, forecaster.words, risk)


def last_years_rate(terms: Terms) -> Forecaster:
    """The share churned among the renewals due and known in the year before, of terms about as long."""
    decided = np.flatnonzero(terms.decided)
    known = np.maximum(terms.due, terms.known_on)[decided]
    order = np.argsort(known, kind="stable")
    known, churned = known[order], (terms.outcome[decided] == CHURNED)[order]
    length = np.where(terms.start == UNKNOWN, -1, terms.due - terms.start)
    of_term = np.where(length < 0, -1, class_of_term(length))
    of_known = of_term[decided][order]

    def risk(units: Units) -> Floats:
        rate = _rate_of_year(known, churned, units.as_of)
        for one in np.unique(of_known[of_known >= 0]).tolist():
            these = of_term[units.terms_row] == one
            own = _rate_of_year(known[of_known == one], churned[of_known == one], units.as_of)
            rate = np.where(these & np.isfinite(own), own, rate)
        return rate

    said = "the share churned of the renewals due and known in the 365 days before, of terms about as long (of all where those are few)"
    return Forecaster(LAST_YEAR, LAST_YEAR, said, len(known), (), risk)


def _rate_of_year(known: Ints, churned: Bools, day: Ints) -> Floats:
    total = np.concatenate([[0], np.cumsum(churned)])
    after, before = (np.searchsorted(known, one, side="right") for one in (day, day - YEAR_DAYS))
    n = after - before
    return np.where(n >= FEWEST_LAST_YEAR, (total[after] - total[before]) / np.maximum(n, 1), np.nan)


def record_leads(terms: Terms) -> tuple[int, ...]:
    """The leads to score at, longest first: those that apply to one renewal in twenty, else half the median term."""
    decided = max(int(terms.decided.sum()), 1)
    fitting = tuple(lead for lead in RECORD_LEADS if len(renewal_units(terms, lead)) >= 0.05 * decided)
    lengths = terms.length_days
    return fitting or (max(1, int(np.median(lengths)) // 2 if len(lengths) else min(RECORD_LEADS)),)


class Scoring:
    """All forecasters at all leads, on the renewals looked at since `since` (the first day on which anybody had spoken)."""

    def __init__(self, terms: Terms, forecasters: tuple[Forecaster, ...], since: int) -> None:
        self.terms, self.forecasters = terms, forecasters
        self.leads = {lead: self._scored(lead, since) for lead in record_leads(terms)}

    def _scored(self, lead: int, since: int) -> _Scored:
        units = renewal_units(self.terms, lead)
        units = _take(units, units.as_of >= since)
        return _Scored(units, {one.name: one.risk(units) for one in self.forecasters}, self.terms.money.currency[units.terms_row])

    def records(self) -> tuple[ForecasterRecord, ...]:
        """Each forecaster by lead."""
        return tuple(
            ForecasterRecord(
                one.name,
                one.kind,
                one.said,
                one.n_forecasts,
                one.words,
                tuple(_lead_record(lead, scored, one, self.terms) for lead, scored in self.leads.items()),
            )
            for one in self.forecasters
        )

    def pairs(self) -> tuple[PairRecord, ...]:
        """Every two forecasters of probabilities, on the renewals of which both spoke."""
        named = [one.name for one in self.forecasters if not one.words]
        return tuple(pair for lead, scored in self.leads.items() for pair in _pairs(lead, scored, named))

    def misses(self) -> tuple[ForecastMiss, ...]:
        """The renewals that surprised most, by the mean distance of what was said, at the longest lead with a forecast."""
        spoken = [one.name for one in self.forecasters if not one.words and one.kind != LAST_YEAR]
        for scored in self.leads.values():
            stated = np.array([scored.risk[name] for name in spoken]).reshape(len(spoken), len(scored.units))
            if np.isfinite(stated).any():
                return _misses(scored, spoken, stated, self.terms)
        return ()


def _take(units: Units, kept: Bools) -> Units:
    rows = np.flatnonzero(kept)
    parallel = ("account", "as_of", "terms_row", "amount", "churned", "contracted", "expanded", "known_on", "cluster")
    taken = {name: getattr(units, name)[rows] for name in parallel}
    return Units(**taken, design=units.design, horizon_days=units.horizon_days, not_applicable=units.not_applicable, flow=units.flow)


def _lead_record(lead: int, scored: _Scored, forecaster: Forecaster, terms: Terms) -> LeadRecord:
    risk = scored.risk[forecaster.name]
    known = np.isfinite(risk)
    p, churned, cluster = risk[known], scored.units.churned[known], scored.units.cluster[known]
    auc = auc_interval(p, churned, cluster) if len(p) else NO_RENEWALS
    counts = lead, len(known), int(known.sum()), int(churned.sum())
    refused = NO_RENEWALS if not len(p) else ONLY_WORDS if forecaster.words else _few(churned, cluster)
    if refused is not None:
        return LeadRecord(*counts, None, refused, refused, refused, refused, refused, auc, refused, ())
    sure = np.clip(p, SUREST, 1 - SUREST)
    squared = (p - churned) ** 2
    return LeadRecord(
        *counts,
        stated=float(p.mean()),
        brier=clustered_mean(squared, churned, cluster, "mean squared error of the probability of churn; clustered, t"),
        log_loss=clustered_mean(_log_loss(p, churned), churned, cluster, "mean negative log likelihood; clustered, t"),
        bias=clustered_mean(p - churned, churned, cluster, "mean stated probability less the share churned; clustered, t"),
        expected_over_observed=expected_over_observed(p, churned, cluster) if p.any() else NoEstimate("no churn was expected at all"),
        slope=calibration_slope(sure, churned, cluster),
        auc=auc,
        brier_skill=THE_REFERENCE if forecaster.kind == LAST_YEAR else _skill(squared, scored, known),
        arr_bias=_arr_bias(p, scored, known, terms),
        bins=_bins(p, churned, cluster),
    )


def _few(churned: Bools, cluster: Ints) -> NoEstimate | None:
    """Too few for an interval that holds: of a handful of families the squared errors are too skewed for a t."""
    found = count_clusters(churned, cluster)
    with_event, without = found.with_event, found.without_event
    if min(with_event, without) >= FEWEST_FAMILIES:
        return None
    told = f"{with_event} families with a churn and {without} with a renewal kept, among the renewals it spoke of"
    return NoEstimate(told, f"{FEWEST_FAMILIES} of each")


def _log_loss(p: Floats, churned: Bools) -> Floats:
    sure = np.clip(p, SUREST, 1 - SUREST)
    return -np.where(churned, np.log(sure), np.log1p(-sure))


def _skill(squared: Floats, scored: _Scored, known: Bools) -> MaybeEstimate:
    """1 - Brier / Brier of last year's rate, on renewals with both."""
    usual = scored.risk[LAST_YEAR][known]
    both = np.isfinite(usual)
    churned, cluster = scored.units.churned[known][both], scored.units.cluster[known][both]
    if not churned.any() or _few(churned, cluster) is not None:
        return NoEstimate("last year's rate is not known for these renewals" if not both.any() else "too few churned among them")
    usual_squared = (usual[both] - churned) ** 2
    return _ratio(usual_squared - squared[both], usual_squared, churned, cluster, "1 - Brier / Brier of last year's rate; clustered, t")


def _ratio(part: Floats, whole: Floats, churned: Bools, cluster: Ints, method: str) -> Estimate:
    """Ratio of two sums by linearisation."""
    total = float(whole.sum())
    ratio = float(part.sum()) / total
    half = t_quantile(count_clusters(churned, cluster).with_event) * clustered_standard_error((part - ratio * whole) / total, cluster)
    return Estimate(ratio, ratio - half, ratio + half, method, len(part))


def _arr_bias(p: Floats, scored: _Scored, known: Bools, terms: Terms) -> tuple[tuple[str, MaybeEstimate], ...]:
    """By currency: ARR expected to churn less that churned, over ARR due."""
    said = []
    for code, name in enumerate(terms.money.currencies):
        amount = scored.units.amount[known]
        own = (scored.currency[known] == code) & (amount > 0)
        churned, cluster = scored.units.churned[known][own], scored.units.cluster[known][own]
        if not own.any():
            continue
        method = "ARR expected to churn less ARR churned, over ARR due; clustered, t"
        refused = _few(churned, cluster)
        said.append((name, refused or _ratio(amount[own] * (p[own] - churned), amount[own], churned, cluster, method)))
    return tuple(said)


def _bins(p: Floats, churned: Bools, cluster: Ints) -> tuple[ReliabilityBin, ...]:
    """Fifths by what was stated; ties stay together."""
    edges = np.unique(np.quantile(p, np.linspace(0, 1, BINS + 1)[1:-1]))
    code = np.searchsorted(edges, p, side="right")
    shares = ((code == one, clustered_share(churned[code == one], cluster[code == one])) for one in np.unique(code).tolist())
    return tuple(ReliabilityBin(float(p[inside].mean()), share) for inside, share in shares if isinstance(share, Estimate))


def _pairs(lead: int, scored: _Scored, names: list[str]) -> list[PairRecord]:
    pairs = list(combinations(names, 2))
    return [_pair(lead, scored, first, second, len(pairs)) for first, second in pairs]


def _pair(lead: int, scored: _Scored, first: str, second: str, of: int) -> PairRecord:
    both = np.isfinite(scored.risk[first]) & np.isfinite(scored.risk[second])
    churned, cluster = scored.units.churned[both], scored.units.cluster[both]
    counts = lead, int(both.sum()), int(churned.sum())
    refused = NoEstimate("no renewal has both") if not both.any() else _few(churned, cluster)
    if refused is not None:
        return PairRecord(first, second, *counts, refused, refused, "cannot tell: no renewal has both" if not both.any() else "cannot tell")
    p, q = scored.risk[first][both], scored.risk[second][both]
    off = (p - churned) ** 2 - (q - churned) ** 2
    brier = clustered_mean(off, churned, cluster, f"paired difference of Brier scores; clustered, t; {of} held at once in the words")
    log_loss = clustered_mean(
        _log_loss(p, churned) - _log_loss(q, churned), churned, cluster, "paired difference of log loss; clustered, t"
    )
    with_event = count_clusters(churned, cluster).with_event
    return PairRecord(first, second, *counts, brier, log_loss, _words(first, second, brier, with_event, of))


def _words(first: str, second: str, brier: Estimate, churned: int, of: int) -> str:
    """Who was closer, where the difference of Brier scores is told from none with all pairs of the lead held at once (Bonferroni)."""
    if churned < FEWEST_CHURNED:
        return f"cannot tell: {churned} families with a churn, {FEWEST_CHURNED} needed"
    half = (brier.high - brier.point) * t_quantile(churned, of) / t_quantile(churned)
    if abs(brier.point) <= half:
        return "no difference told"
    return f"{first if brier.point < 0 else second} was closer"


def _misses(scored: _Scored, names: list[str], stated: Floats, terms: Terms) -> tuple[ForecastMiss, ...]:
    units = scored.units
    spoken = np.isfinite(stated).any(axis=0)
    total = np.where(np.isfinite(stated), np.abs(stated - units.churned), 0.0).sum(axis=0)
    surprise = np.where(spoken, total / np.maximum(np.isfinite(stated).sum(axis=0), 1), -math.inf)
    worst = np.lexsort((units.account, -np.nan_to_num(units.amount), -surprise))[:MISSES]
    return tuple(_miss(int(row), scored, names, stated, terms) for row in worst.tolist() if surprise[row] > 0.5)


def _miss(row: int, scored: _Scored, names: list[str], stated: Floats, terms: Terms) -> ForecastMiss:
    amount, due = float(scored.units.amount[row]), int(terms.due[scored.units.terms_row[row]])
    return ForecastMiss(
        account=terms.account_names[scored.units.account[row]],
        due=date(1970, 1, 1) + timedelta(days=due),
        owner="",
        churned=bool(scored.units.churned[row]),
        currency=terms.money.currencies[max(int(scored.currency[row]), 0)],
        arr=money(amount) if math.isfinite(amount) else None,
        stated={name: float(stated[i, row]) for i, name in enumerate(names) if np.isfinite(stated[i, row])},
    )
