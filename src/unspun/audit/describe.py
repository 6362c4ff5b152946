"""What describes a score and does not decide: bands, lead time, stability, missed churns, false alarms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.audit.frame import value_at
from unspun.audit.listed import baseline_risks, score_paths
from unspun.audit.protocol import LEAD_DAYS, LISTED_UNITS, MIN_GROUP_CHURNED_CLUSTERS, AuditSettings
from unspun.audit.result import (
    NOT_AVERAGED,
    NOT_ON_THESE_DAYS,
    BandRow,
    Bands,
    Description,
    Design,
    GroupRow,
    LeadPoint,
    LeadTime,
    ListedUnit,
    Listing,
    Stability,
)
from unspun.audit.split import Parts
from unspun.audit.terms import UNKNOWN, Terms
from unspun.audit.trial import Trial
from unspun.audit.units import Units, renewal_units
from unspun.audit.vocabulary import REPURCHASE
from unspun.book.tables import Purchases, Renewals, ScoreHistory, ScoreSeries
from unspun.stats.calibration import clustered_mean
from unspun.stats.concordance import auc_interval, count_clusters, t_quantile
from unspun.stats.estimate import LEVEL, Estimate, MaybeEstimate, NoEstimate
from unspun.stats.proportion import clustered_share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
THREE_BANDS = ("red", "yellow", "green")
NO_DUE_DATE = NoEstimate("a purchase has no due date to look ahead to; the horizons say how far ahead the score was tried")
THIRDS = ("worst third", "middle third", "best third")


@dataclass(frozen=True, slots=True)
class BandRule:
    """How a score falls into bands: `assign(value, history row)` gives ranks, 0 the worst, NaN where none."""

    names: tuple[str, ...]
    source: str
    assign: Callable[[Floats, Ints], Floats]


@dataclass(frozen=True, slots=True)
class Described:
    """All that the descriptions of one score need."""

    trial: Trial
    series: ScoreSeries
    sign: float
    leads: tuple[Units, ...]  # one for each of LEAD_DAYS
    lead_rows: tuple[Ints, ...]  # history row of each of their scores as known
    terms: Terms
    history: ScoreHistory
    renewals: Renewals | Purchases
    settings: AuditSettings


def lead_units(terms: Terms, design: Design) -> tuple[Units, ...]:
    """The same renewals looked at from ever further ahead; where terms are short, beyond the term's start. None for purchases."""
    if terms.words is REPURCHASE:
        return ()
    if design == "landmark":
        terms = replace(terms, start=terms.first_seen[terms.account])
    return tuple(renewal_units(terms, days) for days in LEAD_DAYS)


def describe(it: Described) -> Description:
    """The whole description, at the trial's horizon and on all its eligible units."""
    rule = band_rule(it)
    band = np.full(len(it.trial.value), np.nan) if isinstance(rule, NoEstimate) else rule.assign(it.trial.value, it.trial.row)
    names = () if isinstance(rule, NoEstimate) else rule.names
    churned, words = it.trial.frame.units.churned, it.terms.words
    best, worst = (band == len(names) - 1, band == 0) if names else (np.zeros(len(band), bool), np.zeros(len(band), bool))
    return Description(
        bands=rule if isinstance(rule, NoEstimate) else _bands(it.trial, rule, band),
        lead_time=rule if isinstance(rule, NoEstimate) else _lead_time(it, rule),
        stability=_stability(it.trial),
        missed=_listing(it, band, names, churned & best, f"{words.lost}, yet {names[-1] if names else 'unscored'} when looked at"),
        false_alarms=_listing(
            it, band, names, ~churned & worst, f"{names[0] if names else 'unscored'} when looked at, yet did not {words.loss}"
        ),
    )


def band_rule(it: Described) -> BandRule | NoEstimate:
    """The file's own bands, else declared thresholds, else thirds of the training scores."""
    if it.series.bands:
        names = it.series.bands if it.sign < 0 else it.series.bands[::-1]
        last = len(names) - 1
        return BandRule(names, "the score's own bands", (lambda v, _: v) if it.sign < 0 else (lambda v, _: last - v))
    if it.history.band is not None and (len(it.history.series) == 1 or it.series.rows is not None):
        own = it.history.band
        return BandRule(it.history.band_names, "the file's own bands", lambda _, row: np.where(row >= 0, own[np.maximum(row, 0)], np.nan))
    if it.settings.thresholds:
        cuts = np.sort(np.array(it.settings.thresholds))
        names = THREE_BANDS if len(cuts) == 2 else tuple(f"band {i + 1}" for i in range(len(cuts) + 1))
        return BandRule(names, "declared thresholds", _by_cuts(cuts, it.sign))
    parts = it.trial.frame.parts
    trained = it.trial.risk[parts.train & it.trial.scored] if isinstance(parts, Parts) else np.empty(0)
    if len(np.unique(trained)) < 3:
        return NoEstimate("the score has no bands, and too few training values to cut into thirds", "thresholds, declared")
    cuts = np.sort(-it.sign * _thirds(-trained))
    return BandRule(THIRDS, f"thirds of the training scores, cut at {cuts[0]:.4g} and {cuts[1]:.4g}", _by_cuts(cuts, it.sign))


def _thirds(health: Floats) -> Floats:
    """The two cuts, among the values seen (so that rescaling moves no unit), as near to thirds as leave none of the three empty."""
    values = np.unique(health)
    low, high = np.quantile(health, [1 / 3, 2 / 3], method="inverted_cdf")
    low = max(low, values[1])
    if high <= low:
        low, high = (low, values[values > low][0]) if low < values[-1] else (values[-2], values[-1])
    return np.array([low, high])


def _by_cuts(cuts: Floats, sign: float) -> Callable[[Floats, Ints], Floats]:
    """Bands by how many cuts a value reaches on its way to healthy; a value on a cut has reached it."""
    health_cuts = np.sort(-sign * cuts)

    def assign(value: Floats, _: Ints) -> Floats:
        level = np.searchsorted(health_cuts, -sign * value, side="right").astype(np.float64)
        return np.where(np.isfinite(value), level, np.nan)

    return assign


def _bands(trial: Trial, rule: BandRule, band: Floats) -> Bands:
    units = trial.frame.units
    held = np.isfinite(band)
    rows = []
    for rank, name in enumerate(rule.names):
        inside = held & (band == rank)
        gone = held & units.churned
        left = clustered_share(units.churned[inside], units.cluster[inside])
        share = clustered_share(inside[gone], units.cluster[gone])
        rows.append(BandRow(name, int(inside.sum()), int((inside & units.churned).sum()), left, share))
    return Bands(rule.source, tuple(rows))


def _lead_time(it: Described, rule: BandRule) -> LeadTime | NoEstimate:
    """Look at the same renewals from one day to a year ahead, each as the score then stood."""
    if it.series.exact:
        return NOT_ON_THESE_DAYS
    if not it.leads:
        return NO_DUE_DATE
    points = tuple(_lead_point(it, rule, units, row) for units, row in zip(it.leads, it.lead_rows, strict=True))
    told: int | None = None
    for point in points:
        if isinstance(point.auc, NoEstimate) and told is None:
            continue
        if not isinstance(point.auc, Estimate) or point.auc.low <= 0.5:
            break
        told = point.days_before
    nearest = next((point.days_before for point in points if isinstance(point.auc, Estimate)), 0)
    return LeadTime(f"{rule.names[0]} ({rule.source})", points, told, _told_text(told, nearest, points))


def _told_text(told: int | None, nearest: int, points: tuple[LeadPoint, ...]) -> str:
    since = "the due date" if nearest == 0 else f"{nearest} days before"
    if told is None:
        above = [point.days_before for point in points if isinstance(point.auc, Estimate) and point.auc.low > 0.5]
        return _told_further_ahead(above, points) if above else "At no lead is the interval of its AUC above 0.50."
    if told == nearest:
        return f"The interval of its AUC is above 0.50 at {since}, and not 30 days earlier."
    return f"Its AUC stays above 0.50, interval and all, from {since} back to {told} days before."


def _told_further_ahead(above: list[int], points: tuple[LeadPoint, ...]) -> str:
    """Where it ranks clear of a coin further ahead, and not at the nearest lead, where few are still to be decided."""
    at = min((point for point in points if isinstance(point.auc, Estimate)), key=lambda point: point.days_before)
    whole = [point.days_before for point in points if min(above) <= point.days_before <= max(above)] == sorted(above)
    where = f"from {min(above)} to {max(above)} days before" if whole and len(above) > 1 else f"{', '.join(map(str, above))} days before"
    still = f"{at.n:,} were still open, {at.n_churned:,} of which churned" if at.n_churned else f"{at.n:,} were still open"
    when = "On the due date" if at.days_before == 0 else f"{at.days_before} days before the due date"
    return f"The interval of its AUC is above 0.50 {where} the due date. {when} it is not: only {still}."


def _lead_point(it: Described, rule: BandRule, units: Units, row: Ints) -> LeadPoint:
    value = value_at(it.series, row)
    scored = np.isfinite(value)
    event, cluster = units.churned[scored], units.cluster[scored]
    alarm = rule.assign(value, row)[scored] == 0
    auc = auc_interval(it.sign * value[scored], event, cluster) if scored.any() else NoEstimate("no renewal had a score then")
    return LeadPoint(
        days_before=units.horizon_days,
        n=int(scored.sum()),
        n_churned=int(event.sum()),
        auc=_enough(auc, value[scored], event, cluster, units.words.lost),
        churned_in_alarm=clustered_share(alarm[event], cluster[event]),
        renewed_in_alarm=clustered_share(alarm[~event], cluster[~event]),
        churned_score=_mean_score(it, value[scored][event], cluster[event]),
        renewed_score=_mean_score(it, value[scored][~event], cluster[~event]),
    )


def _mean_score(it: Described, value: Floats, cluster: Ints) -> MaybeEstimate:
    if it.series.bands:
        return NOT_AVERAGED
    if (clusters := len(np.unique(cluster))) < MIN_GROUP_CHURNED_CLUSTERS:
        return NoEstimate(f"only {clusters} clusters had a score then; under {MIN_GROUP_CHURNED_CLUSTERS} a mean gets no interval")
    return clustered_mean(value, np.ones(len(value), dtype=bool), cluster, "mean; clustered, t")


def _stability(trial: Trial) -> Stability:
    frame = trial.frame
    quarter = quarter_of(frame.units)
    quarters = tuple(_group(trial, quarter_name(q), quarter == q, _in_test(trial, quarter == q)) for q in np.unique(quarter).tolist())
    segments = _by_code(trial, frame.segment, frame.segment_names)
    owners = _by_code(trial, frame.owner, frame.owner_names)
    told = [group for group in (*segments, *owners) if isinstance(group.auc, Estimate)]
    return Stability(quarters, segments, owners, quarterly_trend(quarters), uncorrected(len(told)))


def quarter_of(units: Units) -> Ints:
    """The quarter that each unit falls in, counted from 1970: of its due date, or in the landmark design of the day it is looked at."""
    day = units.as_of if units.design == "landmark" else units.due
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3


def quarter_name(quarter: int) -> str:
    """As in "2026 Q1"."""
    return f"{1970 + quarter // 4} Q{quarter % 4 + 1}"


def uncorrected(told: int) -> str:
    """What to know of so many intervals of groups."""
    return f"{told} groups were looked at and not corrected for one another; none is claimed." if told else ""


def _in_test(trial: Trial, inside: Bools) -> bool | None:
    parts = trial.frame.parts
    return bool(parts.test[inside].mean() >= 0.5) if isinstance(parts, Parts) and inside.any() else None


def _by_code(trial: Trial, codes: Ints | None, names: tuple[str, ...]) -> tuple[GroupRow, ...]:
    if codes is None:
        return ()
    rows = [_group(trial, names[code] if code >= 0 else "(not given)", codes == code) for code in np.unique(codes).tolist()]
    return tuple(sorted(rows, key=lambda row: (-row.n, row.group)))


def _group(trial: Trial, name: str, inside: Bools, in_test: bool | None = None) -> GroupRow:
    units, judged = trial.frame.units, inside & trial.scored
    event, cluster = units.churned[judged], units.cluster[judged]
    auc = auc_interval(trial.risk[judged], event, cluster) if judged.any() else NoEstimate("no unit has a score")
    return GroupRow(name, int(judged.sum()), int(event.sum()), _enough(auc, trial.risk[judged], event, cluster, units.words.lost), in_test)


def _enough(auc: MaybeEstimate, value: Floats, event: Bools, cluster: Ints, lost: str) -> MaybeEstimate:
    """An interval on very few churned clusters is not worth the ink, and ties all through are no ranking."""
    held = count_clusters(event, cluster).with_event if event.any() else 0
    if isinstance(auc, Estimate) and np.ptp(value) == 0:
        return NoEstimate("all have the same score", "scores that differ")
    return auc if isinstance(auc, NoEstimate) else too_few(held, lost) or auc


def too_few(held: int, lost: str) -> NoEstimate | None:
    """Why so few churned clusters get no interval, None where they do."""
    if held >= MIN_GROUP_CHURNED_CLUSTERS:
        return None
    return NoEstimate(f"{held} {lost}, under {MIN_GROUP_CHURNED_CLUSTERS}", f"{MIN_GROUP_CHURNED_CLUSTERS - held} more")


def quarterly_trend(quarters: tuple[GroupRow, ...]) -> MaybeEstimate:
    """Slope of the quarterly AUCs by inverse-variance weighted least squares."""
    told = [(i, row.auc, row.n_churned) for i, row in enumerate(quarters) if isinstance(row.auc, Estimate) and row.auc.high > row.auc.low]
    if len(told) < 3:
        return NoEstimate(f"{len(told)} quarters have an interval", "at least three")
    at = np.array([i for i, _, _ in told], dtype=np.float64)
    auc = np.array([estimate.point for _, estimate, _ in told])
    error = np.array([(estimate.high - estimate.low) / (2 * t_quantile(max(churned, 2))) for _, estimate, churned in told])
    weight = 1 / error**2
    centred = at - (weight @ at) / weight.sum()
    slope = float((weight * centred) @ auc / (weight @ centred**2))
    half = float(special.ndtri(0.5 + LEVEL / 2)) / float(np.sqrt(weight @ centred**2))
    return Estimate(slope, slope - half, slope + half, "inverse-variance weighted line through the quarterly AUCs, normal", len(told))


def _listing(it: Described, band: Floats, names: tuple[str, ...], chosen: Bools, rule: str) -> Listing:
    """The largest chosen units by amount, in each currency where they are mixed.

    In the landmark design a renewal (or account) is listed once, as last looked at.
    """
    units, money = it.trial.frame.units, it.terms.money
    picked = _once_each(units, np.flatnonzero(chosen & it.trial.scored))
    amount = units.amount[picked]
    currency = money.currency[units.terms_row[picked]]
    order = np.lexsort((units.account[picked], currency, _place_in_currency(amount, currency)))
    total = float(np.nansum(amount)) if money.given and money.stated_in is not None else None
    shown = picked[order[:LISTED_UNITS]]
    accounts = [it.terms.account_names[code] for code in units.account[shown].tolist()]
    end = units.due if units.design == "landmark" else it.terms.due[units.terms_row]
    paths = score_paths(it.history, it.series, accounts, units.as_of[shown], end[shown])
    listed = tuple(
        replace(_listed(it, unit, band, names), history=path, baseline_risk=risk)
        for unit, path, risk in zip(shown.tolist(), paths, baseline_risks(it.trial, shown), strict=True)
    )
    return Listing(rule, len(picked), total, listed)


def _place_in_currency(amount: Floats, currency: Ints) -> Ints:
    """How many units of the same currency have a larger amount: unlike currencies are not compared. The last, without one."""
    falling = np.where(np.isfinite(amount), -amount, np.inf)
    place = np.zeros(len(amount), dtype=np.int64)
    for code in np.unique(currency).tolist():
        own = currency == code
        place[own] = np.searchsorted(np.sort(falling[own]), falling[own])
    return np.where(np.isfinite(amount), place, len(amount))


def _once_each(units: Units, picked: Ints) -> Ints:
    """Units come in order of as-of date, so the last of each renewal that churned, or of each account, is kept."""
    key = np.where(units.churned[picked], units.terms_row[picked], -1 - units.account[picked])
    if units.design == "renewal":
        return picked
    _, last = np.unique(key[::-1], return_index=True)
    return np.sort(picked[len(picked) - 1 - last])


def _listed(it: Described, unit: int, band: Floats, names: tuple[str, ...]) -> ListedUnit:
    frame, terms = it.trial.frame, it.terms
    row = int(frame.units.terms_row[unit])
    amount = float(frame.units.amount[unit])
    code = int(terms.money.currency[row])
    return ListedUnit(
        account=terms.account_names[int(frame.units.account[unit])],
        due=_day(int(frame.units.due[unit] if isinstance(it.renewals, Purchases) else terms.due[row])),
        looked_at=_day(int(frame.units.as_of[unit])),
        score=float(it.trial.value[unit]),
        band=names[int(band[unit])] if names and np.isfinite(band[unit]) else "",
        amount=amount if np.isfinite(amount) else None,
        currency=(terms.money.currencies[code] if code >= 0 else "") or None,
        segment=_name(frame.segment, frame.segment_names, unit),
        owner=_name(frame.owner, frame.owner_names, unit),
        row=int(it.renewals.row[terms.order[row]]),
    )


def _name(codes: Ints | None, names: tuple[str, ...], unit: int) -> str:
    return "" if codes is None or codes[unit] < 0 else names[int(codes[unit])]


def _day(days: int) -> date:
    return date(1970, 1, 1) + timedelta(days=days) if days != UNKNOWN else date.min
