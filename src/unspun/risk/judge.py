"""Renewal risk from account-months: the model is chosen, checked and fitted, and every open renewal is told with its reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from unspun.audit.terms import UNKNOWN
from unspun.progress import Progress, silent
from unspun.risk.candidates import CANDIDATES, CandidateName, RiskModel, fit_candidate
from unspun.risk.caution import cautions_of
from unspun.risk.check import LEAD_BANDS, Stated, check_at, check_model, lead_band, slope_error, told_off
from unspun.risk.choose import Choice, choose, churned_clusters, due_for_judging, find_cut, judged, settle_days
from unspun.risk.fitted import FittedRisk, longest_leads
from unspun.risk.hazard import Curve, HazardModel
from unspun.risk.reasons import Reasons, coverage_of, typical_of
from unspun.risk.result import (
    CANNOT_TELL,
    WIDEST_INTERVAL,
    CannotTell,
    CurvePoint,
    ModelCheck,
    ModelRecord,
    Reason,
    RenewalRisk,
    RenewalStatus,
    RiskResult,
    SimilarAccounts,
    TermRecord,
)
from unspun.risk.rows import CHURN, OUTCOMES4, TERM_CLASSES, KnownRows, RiskRows, known_by
from unspun.risk.similar import SimilarPast
from unspun.risk.totals import due_totals
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
SEGMENT = "given/segment"
INTERVAL = "additive hazard model; delta method on the log odds, clustered, t"
BOOTSTRAP_INTERVAL = "boosted hazards; cluster bootstrap on the log odds, t"
NOTICE = NoEstimate("notice was given")
CURVE_POINTS = 41  # of a number, kept in the record
SLOPE_DRAWS, SLOPE_ROWS = 200, 3_000  # for the part of the slope's error that comes from the fit
SLACK_DAYS = 31  # a lead may be longer than any seen by the step of the as-of dates


@dataclass(frozen=True, slots=True)
class RiskSettings:
    """Which candidates are compared, and the seed of what is drawn."""

    candidates: tuple[CandidateName, ...] = tuple(CANDIDATES)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class RenewalNames:
    """What open renewals are called. `accounts` and `shown` (display names) are by account code; the others run parallel to the rows
    of the as-of day, in their order. `term` is in words ("12 months")."""

    as_of: date
    accounts: Sequence[str]
    shown: Sequence[str]
    segment: Sequence[str | None]
    owner: Sequence[str | None]
    term: Sequence[str]
    currency: Sequence[str | None]


def fit_risk(rows: RiskRows, cutoff: int, settings: RiskSettings = RiskSettings(), progress: Progress = silent) -> FittedRisk | NoEstimate:
    """Choose a model on earlier account-months, judge it once on the latest, and fit it on all that was known before the cutoff day.

    Refuses where under 30 customers churned before the part that it is judged on.
    """
    rows = rows.take(rows.as_of < cutoff)
    cut = find_cut(rows, cutoff)
    if isinstance(cut, NoEstimate):
        return cut
    choice = choose(rows, cut, settings.candidates, settings.seed, progress)
    if isinstance(choice, NoEstimate):
        return choice
    progress("checking the model", 0, 0)
    check = _check(rows, cut, cutoff, choice, settings.seed)
    if isinstance(check, NoEstimate):
        return check
    progress("fitting the model", 0, 0)
    known = known_by(rows, cutoff)
    clusters = churned_clusters(known)
    model = fit_candidate(choice.name, known, seed=settings.seed, scoring=True, scale=choice.recalibration.scale(clusters))
    if isinstance(model, NoEstimate):
        return model
    record = _record(model, choice, check, known, rows, cutoff)
    return FittedRisk(model, record, cutoff, settings.seed, longest_leads(known.rows), typical_of(known.rows))


def judge(
    rows: RiskRows, today: Bools, fitted: FittedRisk | NoEstimate, names: RenewalNames, package_version: str, progress: Progress = silent
) -> RiskResult:
    """Tell every renewal of the as-of day: `today` marks its rows. The other rows are the past that similar renewals are taken from."""
    progress("judging renewals", 0, 0)
    open_rows = rows.take(today)
    if isinstance(fitted, NoEstimate):
        renewals = [_untold(open_rows, at, names, fitted) for at in range(len(open_rows))]
        return _result(renewals, open_rows, None, names, package_version, fitted)
    told = _Told(rows, open_rows, fitted, names)
    renewals = [told.renewal(at) for at in range(len(open_rows))]
    return _result(renewals, open_rows, fitted, names, package_version, fitted.record)


# The model


def _check(rows: RiskRows, cut: int, cutoff: int, choice: Choice, seed: int) -> ModelCheck | NoEstimate:
    known = known_by(rows, cut)
    later = rows.take(judged(rows, cutoff) & (rows.as_of >= cut))
    scale = choice.recalibration.scale(churned_clusters(known))
    model = fit_candidate(choice.name, known, seed=seed, scoring=False, scale=scale)
    base = fit_candidate("base rate", known, seed=seed, scoring=False)
    if isinstance(model, NoEstimate):
        return model
    if isinstance(base, NoEstimate):
        return base
    churned = len(np.unique(known.rows.renewal[known.outcome == CHURN]))
    undecided = rows.renewal[due_for_judging(rows, cutoff) & ~judged(rows, cutoff) & (rows.as_of >= cut)]
    settle = settle_days(rows, cutoff)
    stated, (error, by_band) = model.probabilities(later), _slope_errors(model, later, seed)
    return check_model(later, Stated(stated, base.probabilities(later), churned, settle, len(np.unique(undecided)), error, by_band))


def _slope_errors(model: RiskModel, later: RiskRows, seed: int) -> tuple[float, tuple[float, ...]]:
    """From draws of the model, on rows spread evenly over those it is judged on: of all together, and within each band of leads.

    A boosted model has no draws where it is only judged.
    """
    if not isinstance(model, HazardModel) or not len(later):
        return 0.0, (0.0,) * LEAD_BANDS
    some = later.take(np.arange(0, len(later), -(-len(later) // SLOPE_ROWS)))
    drawn = model.draws(some, SLOPE_DRAWS, np.random.default_rng([seed, len(later)]))[:, :, CHURN]
    stated, band = model.probabilities(some)[:, CHURN], lead_band(some.lead)
    whole = slope_error(stated, drawn)
    parts = (band == one for one in range(LEAD_BANDS))
    return whole, tuple(slope_error(stated[part], drawn[:, part]) if part.sum() > 1 else whole for part in parts)


def _record(model: RiskModel, choice: Choice, check: ModelCheck, known: KnownRows, rows: RiskRows, cutoff: int) -> ModelRecord:
    labels, clusters = {one.id: one.label for one in rows.features}, churned_clusters(known)
    churned = (rows.outcome == CHURN) & (rows.decided_on != UNKNOWN) & (rows.decided_on < cutoff)
    return ModelRecord(
        version="",
        fitted_as_of=_day(cutoff - 1),
        chosen=choice.name,
        why=choice.why,
        candidates=choice.candidates,
        origins=tuple(_day(one) for one in choice.origins),
        check=check,
        terms=tuple(_term(curve) for curve in model.curves()),
        left_out=tuple((labels.get(id, id), why) for id, why in model.left_out),
        n=len(known),
        n_renewals=len(np.unique(known.rows.renewal)),
        n_churned=len(np.unique(rows.renewal[churned])),
        sampled=choice.sampled,
        scale=choice.recalibration.scale(clusters),
        scale_why=choice.recalibration.say(clusters),
    )


def _term(curve: Curve) -> TermRecord:
    feature = curve.feature
    places = (*curve.at.tolist(), *curve.names)
    shown = _thinned(len(curve.at), len(places))
    points = [CurvePoint(places[at], float(curve.effect[at]), float(curve.low[at]), float(curve.high[at])) for at in shown]
    effective, p = (None if np.isnan(one) else one for one in (curve.effective, curve.p_value))
    return TermRecord(feature.id, feature.label, feature.unit, not feature.given, effective, p, curve.told, tuple(points))


def _thinned(values: int, places: int) -> list[int]:
    """At most CURVE_POINTS of the values, evenly, and every level after them."""
    kept = np.unique(np.linspace(0, values - 1, CURVE_POINTS).round().astype(int)) if values > CURVE_POINTS else np.arange(values)
    return [*kept.tolist(), *range(values, places)]


# The renewals


class _Told:
    """The renewals of the as-of day by one model, worked out for all rows at once and told one by one."""

    def __init__(self, rows: RiskRows, open_rows: RiskRows, fitted: FittedRisk, names: RenewalNames) -> None:
        model = fitted.model
        self._rows, self._names, self._fitted = open_rows, names, fitted
        self._probability = model.probabilities(open_rows)
        self._low, self._high = model.intervals(open_rows)
        self._reasons = Reasons(open_rows, model.contributions(open_rows), fitted.typical)
        self._risk = model.log_odds(open_rows)
        past = rows.take(judged(rows, fitted.cutoff))
        self._similar = SimilarPast(past, model.log_odds(past), _segments(past), names.accounts)
        self._segments = _segments(open_rows)
        self._method = INTERVAL if isinstance(model, HazardModel) else BOOTSTRAP_INTERVAL

    def renewal(self, at: int) -> RenewalRisk:
        """One renewal. Its reasons and `others` add up to the difference to the typical one."""
        status, (code, why) = _status(self._rows, at), self._cannot_tell(at)
        similar = self._similar.of(int(self._rows.lead[at]), self._segments[at], float(self._risk[at]))
        if status == "notice given" or code:
            none = NOTICE if status == "notice given" else NoEstimate(why)
            return _renewal(self._rows, at, self._names, dict.fromkeys(OUTCOMES4, none), similar=similar, code=code, why=none.reason)
        probabilities: dict[str, MaybeEstimate] = {name: self._estimate(at, place) for place, name in enumerate(OUTCOMES4)}
        reasons, typical = self._reasons.of(at), float(self._reasons.typical_risk[at])
        others = float(self._probability[at, CHURN]) - typical - sum(one.points for one in reasons)
        return _renewal(self._rows, at, self._names, probabilities, similar=similar, typical=typical, reasons=reasons, others=others)

    def _estimate(self, at: int, place: int) -> Estimate:
        point, low, high = (float(one[at, place]) for one in (self._probability, self._low, self._high))
        return Estimate(point, min(low, point), max(high, point), self._method, self._fitted.record.n_renewals)

    def _cannot_tell(self, at: int) -> tuple[CannotTell, str]:
        rows, check = self._rows, self._fitted.record.check
        if check.verdict != "calibrated":
            return "model_cannot", f"the model is {check.verdict}: {check.why}" if check.verdict != "cannot tell" else check.why
        at_lead = check_at(check, int(rows.lead[at]))
        if at_lead is not None and at_lead.verdict == "not calibrated":
            return "lead_not_calibrated", told_off(at_lead)
        longest = self._fitted.longest_lead_days[int(rows.term_class[at]) + 1]
        if rows.lead[at] > longest + SLACK_DAYS:
            return "beyond_leads", _beyond(int(rows.term_class[at]), longest)
        if all(np.isnan(column[at]) for column in rows.columns.values()):
            return "nothing_known", CANNOT_TELL["nothing_known"]
        low, high = self._low[at, CHURN], self._high[at, CHURN]
        if high - low > WIDEST_INTERVAL:
            return "too_wide", f"the probability of churn may be anything from {100 * low:.0f} to {100 * high:.0f} %"
        return "", ""


def _renewal(
    rows: RiskRows,
    at: int,
    names: RenewalNames,
    probabilities: dict[str, MaybeEstimate],
    similar: SimilarAccounts | NoEstimate,
    typical: float | None = None,
    reasons: tuple[Reason, ...] = (),
    others: float = 0.0,
    code: CannotTell = "",
    why: str = "",
) -> RenewalRisk:
    account, arr, status = int(rows.account[at]), float(rows.arr[at]), _status(rows, at)
    return RenewalRisk(
        account=names.accounts[account],
        name=names.shown[account],
        due=_day(int(rows.due[at])),
        lead_days=int(rows.lead[at]),
        arr=None if np.isnan(arr) else arr,
        currency=names.currency[at],
        segment=names.segment[at],
        owner=names.owner[at],
        term=names.term[at],
        status=status,
        probabilities=probabilities,
        expected_lost=_expected_lost(arr, probabilities["churn"]),
        typical=typical,
        reasons=reasons,
        others=others,
        similar=similar,
        coverage=coverage_of(rows, at),
        cannot_tell="" if status == "notice given" else code,
        why=why,
    )


def _untold(rows: RiskRows, at: int, names: RenewalNames, why: NoEstimate) -> RenewalRisk:
    """A renewal without a model."""
    none = NOTICE if _status(rows, at) == "notice given" else why
    probabilities: dict[str, MaybeEstimate] = dict.fromkeys(OUTCOMES4, none)
    return _renewal(rows, at, names, probabilities, similar=why, code="model_cannot", why=none.reason)


def _expected_lost(arr: float, churn: MaybeEstimate) -> MaybeEstimate:
    if isinstance(churn, NoEstimate):
        return churn
    if np.isnan(arr):
        return NoEstimate("its ARR is not given")
    return Estimate(arr * churn.point, arr * churn.low, arr * churn.high, f"ARR times the probability of churn; {churn.method}", churn.n)


def _status(rows: RiskRows, at: int) -> RenewalStatus:
    if rows.decided_on[at] != UNKNOWN and rows.decided_on[at] <= rows.as_of[at]:
        return "notice given"
    return "overdue" if rows.due[at] <= rows.as_of[at] else "open"


def _beyond(term_class: int, longest: int) -> str:
    term = f"terms of the class `{TERM_CLASSES[term_class]}`" if term_class >= 0 else "terms of unknown length"
    return (
        f"the model has seen no {term}" if longest < 0 else f"the model has seen {term} no earlier than {longest} days before they were due"
    )


def _segments(rows: RiskRows) -> list[str | None]:
    feature = next((one for one in rows.features if one.id == SEGMENT), None)
    if feature is None:
        return [None] * len(rows)
    return [None if np.isnan(code) else feature.names[int(code)] for code in rows.columns[SEGMENT]]


# The result


def _result(
    renewals: list[RenewalRisk],
    rows: RiskRows,
    fitted: FittedRisk | None,
    names: RenewalNames,
    package_version: str,
    model: ModelRecord | NoEstimate,
) -> RiskResult:
    return RiskResult(
        as_of=names.as_of,
        renewals=tuple(sorted(renewals, key=_rank)),
        model=model,
        due=due_totals(renewals, rows, fitted.model if fitted else None, fitted.seed if fitted else 0),
        cautions=cautions_of(renewals, model),
        package_version=package_version,
    )


def _rank(one: RenewalRisk) -> tuple[int, float, float, date, str]:
    """The most ARR expected lost first, then the likeliest to churn without ARR, then those without a probability by ARR."""
    lost, churn = one.expected_lost, one.churn
    if isinstance(lost, Estimate) and isinstance(churn, Estimate):
        return 0, -lost.point, -churn.point, one.due, one.account
    if isinstance(churn, Estimate):
        return 1, -churn.point, 0.0, one.due, one.account
    return 2, -(one.arr or 0.0), 0.0, one.due, one.account


def _day(day: int) -> date:
    return np.datetime64(day, "D").astype(date)
