"""What is shown of a listed unit beside its figures: its score's path to the due date, and what the baseline said of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.audit.protocol import RIDGE_PENALTY
from unspun.audit.split import Parts
from unspun.audit.trial import Trial
from unspun.book.tables import ScoreHistory, ScoreSeries
from unspun.stats.concordance import count_clusters, t_quantile
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.stats.logistic import cluster_sandwich, fit_logistic

Ints = NDArray[np.int64]
PATH_DAYS = 360
MOST_POINTS = 60
BASELINE_METHOD = "ridge logistic fitted in training; clustered sandwich on the log-odds, t"


def score_paths(
    history: ScoreHistory, series: ScoreSeries, accounts: list[str], looked_at: Ints, end: Ints
) -> list[tuple[tuple[int, float], ...]]:
    """For each account, (days before the end, score) over the year before it, oldest first.

    A value dated by the look counts if it was recorded by then, a later one if it was recorded before the end. Of several
    recordings of one day the latest counts; of more than 60 days with a score every k-th is kept, the last always.
    """
    code = {name: i for i, name in enumerate(history.account.names)}
    wanted = np.array([code.get(name, -2) for name in accounts])
    rows = np.arange(len(series.values)) if series.rows is None else series.rows
    near = np.isin(history.account.codes[rows], wanted) & np.isfinite(series.values)
    rows, values = rows[near], series.values[near]
    account, dated = history.account.codes[rows], history.dated[rows].astype("datetime64[us]")
    recorded = dated if history.recorded is None else np.where(np.isnat(history.recorded[rows]), dated, history.recorded[rows])
    order = np.lexsort((recorded, dated, account))
    account, values = account[order], values[order]
    days, recorded_days = (times[order].astype("datetime64[D]").astype(np.int64) for times in (dated, recorded))
    paths = []
    for one, look, last in zip(wanted.tolist(), looked_at.tolist(), end.tolist(), strict=True):
        known = np.where(days <= look, recorded_days <= look, recorded_days < last)
        own = np.flatnonzero((account == one) & known & (days >= last - PATH_DAYS) & (days <= last))
        paths.append(_path(last - days[own], values[own]))
    return paths


def _path(days_before: Ints, values: NDArray[np.float64]) -> tuple[tuple[int, float], ...]:
    points = list(dict(zip(days_before.tolist(), values.tolist(), strict=True)).items())  # the last recording of a day stays
    step = -(-len(points) // MOST_POINTS) or 1
    return tuple(points[::-1][::step][::-1])


def baseline_risks(trial: Trial, picked: Ints) -> list[MaybeEstimate]:
    """Risk by the frozen baseline of each picked unit with a clustered interval; none for units it was fitted on."""
    frame, parts = trial.frame, trial.frame.parts
    gain = trial.result.test.gain
    if isinstance(gain, NoEstimate):
        return [gain] * len(picked)
    if not isinstance(parts, Parts) or frame.baseline is None:
        return [NoEstimate("there is no test period")] * len(picked)
    fit_on, churned = parts.train & trial.scored, frame.units.churned
    design = frame.baseline.design[fit_on]
    fit = fit_logistic(design, churned[fit_on], np.append(0.0, np.full(design.shape[1] - 1, RIDGE_PENALTY)))
    residual = churned[fit_on] - special.expit(design @ fit.coefficients)
    covariance = cluster_sandwich(fit, design, residual, frame.units.cluster[fit_on])
    rows = frame.baseline.design[picked]
    linear = rows @ fit.coefficients
    half = t_quantile(count_clusters(churned[fit_on], frame.units.cluster[fit_on]).with_event) * np.sqrt(
        np.einsum("ij,jk,ik->i", rows, covariance, rows)
    )
    ends = (special.expit(linear + side * half).tolist() for side in (0, -1, 1))
    fitted_on = NoEstimate("the baseline was fitted on this unit")
    return [
        fitted_on if used else Estimate(point, low, high, BASELINE_METHOD, int(fit_on.sum()))
        for point, low, high, used in zip(*ends, fit_on[picked].tolist(), strict=True)
    ]
