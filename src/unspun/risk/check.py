"""The chosen model held against what happened later: calibration, discrimination and error, as a whole and by lead."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.audit.result import ReliabilityBin
from unspun.risk.choose import MIN_TEST_CLUSTERS, churn_loss, mean_loss, outcome_loss
from unspun.risk.result import LeadCheck, ModelCheck, ModelVerdict
from unspun.risk.rows import CHURN, RiskRows
from unspun.stats.calibration import calibration_intercept, calibration_slope, clustered_mean, expected_over_observed
from unspun.stats.concordance import auc_interval, count_clusters, t_quantile
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.stats.proportion import clustered_share

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
LEAD_EDGES_DAYS = (-(10**6), 0, 30, 90, 180, 270, 365, 10**6)
LEAD_BANDS = len(LEAD_EDGES_DAYS) - 1
MOST_BINS = 10
FEWEST_IN_BIN = 20
BRIER = "mean squared error; clustered, t"
NEAR_ONE = (0.8, 1.25)  # a slope that lies within for certain misses 1 by too little to matter
NONE_IN_TEST = NoEstimate("the part it is judged on holds no account-month")


@dataclass(frozen=True, slots=True)
class Stated:
    """What was said of later account-months: P of each outcome (n, 4) by the model, and by the base rate.

    `n_train_churned` are the churned renewals that both were fitted on; a renewal is judged `settle_days` after it was due, and
    `n_undecided` were not decided by then. `slope_error` is that of the function of this name, 0 where the stated risks are held for exact,
    and `band_errors` the same within each band of leads.
    """

    model: Floats
    base_rate: Floats
    n_train_churned: int
    settle_days: int
    n_undecided: int
    slope_error: float = 0.0
    band_errors: tuple[float, ...] = (0.0,) * LEAD_BANDS


def lead_band(lead: Ints) -> Ints:
    """The band of each lead: band i holds those over edge i, up to edge i + 1."""
    return np.searchsorted(np.array(LEAD_EDGES_DAYS[1:-1]), lead, side="left").astype(np.int64)


def check_at(check: ModelCheck, lead_days: int) -> LeadCheck | None:
    """The check of the band that a lead lies in; None where the part that the model was judged on had none so far ahead."""
    band = int(lead_band(np.array([lead_days]))[0])
    return next((one for one in check.by_lead if int(lead_band(np.array([one.low_days]))[0]) == band), None)


def told_off(one: LeadCheck) -> str:
    """How a band is off, in words."""
    assert isinstance(one.slope, Estimate)
    side = "too extreme" if one.slope.point < 1 else "too timid"
    slope = f"calibration slope {one.slope.point:.2f} ({one.slope.low:.2f} to {one.slope.high:.2f}, all leads held at once)"
    return f"from {one.low_days:,} to {one.high_days:,} days before the due date its probabilities are {side}: {slope}"


def slope_error(stated: Floats, drawn: Floats) -> float:
    """How far a well-made model's calibration slope strays from 1 by the chance of what it was fitted on: a standard error.

    `stated` (n,) is P(churn) by the model, `drawn` (draws, n) by draws of its coefficients, each in turn taken for the truth: the spread of
    the slopes of the drawn risk on the stated log odds (one Newton step of the logistic regression, from a slope of 1).
    """
    risk = _inside(stated)
    log_odds = special.logit(risk)
    weight = risk * (1 - risk)
    centred = log_odds - np.average(log_odds, weights=weight)
    spread = float(weight @ centred**2)
    return float(np.std((drawn - risk) @ centred / spread, ddof=1)) if spread > 0 else 0.0


def check_model(rows: RiskRows, stated: Stated) -> ModelCheck:
    """Judge a frozen model on later rows, whose outcome is known."""
    if not len(rows):
        return _no_check(stated)
    churned, cluster, risk = rows.outcome == CHURN, rows.cluster, _inside(stated.model[:, CHURN])
    clusters = count_clusters(churned, cluster).with_event
    enough = clusters >= 2
    few = NoEstimate(f"renewals of only {clusters} customers churned in the part it is judged on", f"{MIN_TEST_CLUSTERS} or more")
    slope = _with_error(calibration_slope(risk, churned, cluster), stated.slope_error, clusters) if enough else few
    verdict, why = _verdict(slope, clusters)
    return ModelCheck(
        first_as_of=_day(int(rows.as_of.min())),
        last_as_of=_day(int(rows.as_of.max())),
        n=len(rows),
        n_renewals=len(np.unique(rows.renewal)),
        n_churned=len(np.unique(rows.renewal[churned])),
        n_churned_clusters=clusters,
        n_train_churned=stated.n_train_churned,
        settle_days=stated.settle_days,
        n_undecided=stated.n_undecided,
        slope=slope,
        intercept=calibration_intercept(risk, churned, cluster) if enough else few,
        expected_over_observed=expected_over_observed(risk, churned, cluster) if enough else few,
        auc=auc_interval(risk, churned, cluster),
        brier=clustered_mean((risk - churned) ** 2, churned, cluster, BRIER) if enough else few,
        log_loss=mean_loss(outcome_loss(stated.model, rows.outcome), churned, cluster),
        base_log_loss=mean_loss(outcome_loss(stated.base_rate, rows.outcome), churned, cluster),
        churn_log_loss=mean_loss(churn_loss(stated.model, rows.outcome), churned, cluster),
        by_lead=_by_lead(rows, risk, churned, stated.band_errors),
        bins=reliability(risk, churned, cluster),
        verdict=verdict,
        why=why,
    )


def reliability(risk: Floats, churned: Bools, cluster: NDArray[np.int64]) -> tuple[ReliabilityBin, ...]:
    """Up to ten bins of equal size by the stated risk; equal risks are never parted."""
    bins = int(np.clip(len(risk) // FEWEST_IN_BIN, 1, MOST_BINS))
    edges = np.unique(np.quantile(risk, np.arange(1, bins) / bins, method="higher"))
    place = np.searchsorted(edges, risk, side="right")
    parts = [place == at for at in np.unique(place)]
    shares = [(float(risk[part].mean()), clustered_share(churned[part], cluster[part])) for part in parts]
    return tuple(ReliabilityBin(stated, seen) for stated, seen in shares if isinstance(seen, Estimate))


def _with_error(slope: MaybeEstimate, error: float, clusters: int, of: int = 1) -> MaybeEstimate:
    """With the chance of what the model was fitted on in the interval, beside that of what it is judged on: the two share no outcome.
    The interval is one of so many that are held at once."""
    if isinstance(slope, NoEstimate) or (error == 0 and of == 1):
        return slope
    own = (slope.high - slope.low) / 2 / t_quantile(clusters)
    half = t_quantile(clusters, of) * math.hypot(own, error)
    method = f"{slope.method}; and the model's own error, by draws" if error else slope.method
    shared = f"; {of} intervals held at once" if of > 1 else ""
    return replace(slope, low=slope.point - half, high=slope.point + half, method=f"{method}{shared}")


def _verdict(slope: MaybeEstimate, clusters: int) -> tuple[ModelVerdict, str]:
    if clusters < MIN_TEST_CLUSTERS:
        return "cannot tell", f"renewals of {clusters} customers churned in the part it is judged on; {MIN_TEST_CLUSTERS} are needed"
    if isinstance(slope, NoEstimate):
        return "cannot tell", f"there is no calibration slope: {slope.reason}"
    told = f"calibration slope {slope.point:.2f} ({slope.low:.2f} to {slope.high:.2f})"
    if slope.low <= 1 <= slope.high:
        return "calibrated", f"{told}: the interval contains 1"
    if NEAR_ONE[0] <= slope.low and slope.high <= NEAR_ONE[1]:
        return "calibrated", f"{told}: not exactly 1, but between {NEAR_ONE[0]} and {NEAR_ONE[1]} for certain"
    side = "too extreme" if slope.high < 1 else "too timid"
    return "not calibrated", f"{told}: the interval does not contain 1, the probabilities are {side}"


def _by_lead(rows: RiskRows, risk: Floats, churned: Bools, errors: tuple[float, ...]) -> tuple[LeadCheck, ...]:
    """Every band with a row. Of the slopes that can be judged the intervals are held all at once: none is refused as one of many."""
    band = lead_band(rows.lead)
    parts = [(band == one, errors[one]) for one in np.unique(band).tolist()]
    judgeable = sum(_clusters(rows, churned, part) >= MIN_TEST_CLUSTERS for part, _ in parts)
    return tuple(_at_lead(rows, risk, churned, part, (error, max(judgeable, 1))) for part, error in parts)


def _clusters(rows: RiskRows, churned: Bools, part: Bools) -> int:
    return len(np.unique(rows.cluster[part & churned]))


def _at_lead(rows: RiskRows, risk: Floats, churned: Bools, part: Bools, held: tuple[float, int]) -> LeadCheck:
    """`held` is the model's own error of the slope, and of how many intervals this one is."""
    clusters = _clusters(rows, churned, part)
    risk, event, cluster, lead = risk[part], churned[part], rows.cluster[part], rows.lead[part]
    few = NoEstimate("fewer than two customers churned")
    slope = _with_error(calibration_slope(risk, event, cluster), held[0], clusters, held[1]) if clusters >= 2 else few
    return LeadCheck(
        low_days=int(lead.min()),
        high_days=int(lead.max()),
        n=len(risk),
        n_churned=len(np.unique(rows.renewal[part][event])),
        expected=float(risk.mean()),
        observed=clustered_share(event, cluster),
        expected_over_observed=expected_over_observed(risk, event, cluster) if clusters >= 2 else few,
        auc=auc_interval(risk, event, cluster),
        slope=slope,
        verdict=_verdict(slope, clusters)[0],
    )


def _no_check(stated: Stated) -> ModelCheck:
    none = NONE_IN_TEST
    figures = ("slope", "intercept", "expected_over_observed", "auc", "brier", "log_loss", "base_log_loss", "churn_log_loss")
    counts = dict.fromkeys(("n", "n_renewals", "n_churned", "n_churned_clusters"), 0)
    beside = {name: getattr(stated, name) for name in ("n_train_churned", "settle_days", "n_undecided")}
    return ModelCheck(
        None, None, **counts, **beside, **dict.fromkeys(figures, none), by_lead=(), bins=(), verdict="cannot tell", why=none.reason
    )


def _inside(probability: Floats) -> Floats:
    return np.clip(probability, 1e-9, 1 - 1e-9)


def _day(day: int) -> date:
    return np.datetime64(day, "D").astype(date)
