"""How far past forecasts were off together: predictions made at the time, beside what came, and the shared shocks they show."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unspun.audit.terms import UNKNOWN
from unspun.risk.forecast.result import ShockName
from unspun.risk.forecast.shocks import DeviationPosterior, estimate_deviation
from unspun.risk.forecast.simulate import Shocks, month_of
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, UNDECIDED4, RiskRows

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

LONGEST_LEAD_DAYS = 366
SETTLING_DAYS = 31  # a renewal due later than this before the day may still be undecided, more often so if it stays
FEWEST_CHURNED = 20  # renewals known to have churned before an origin
MOST_ORIGINS = 4
HALF_YEAR = 6


def residual_origins(rows: RiskRows, day: int) -> tuple[int, ...]:
    """The first days of the latest half years before a day from which past predictions are made: those with churn enough to learn from."""
    churned = (rows.outcome == CHURN) & (rows.decided_on != UNKNOWN)
    decided = np.sort(rows.decided_on[churned][np.unique(rows.renewal[churned], return_index=True)[1]])
    month = int(month_of(np.array([day - 1]))[0])
    halves = [month - month % HALF_YEAR - HALF_YEAR * back for back in range(MOST_ORIGINS)]
    days = (int(np.datetime64(half, "M").astype("datetime64[D]").astype(np.int64)) for half in sorted(halves))
    return tuple(one for one in days if np.searchsorted(decided, one) >= FEWEST_CHURNED)


def estimate_shocks(rows: RiskRows, probabilities: Floats, day: int) -> Shocks:
    """The shared deviations that predictions made before a day show, by what was known at its end.

    `probabilities` (n, 4) are NaN where nothing was predicted. Each renewal counts once, as it was predicted the longest before.
    """
    picked = _furthest(rows, probabilities, day)
    p, outcome = probabilities[picked], rows.outcome[picked]
    quarter = month_of(rows.due[picked]) // 3
    own = np.unique(rows.account[picked], return_index=True)[1]  # one renewal an account: those after it hang on it having stayed
    stays = outcome != CHURN
    rest = stays & (outcome != CONTRACTION)
    return Shocks(
        churn=estimate_deviation("churn", p[:, CHURN], ~stays, quarter),
        contraction=_among("contraction", p[:, CONTRACTION] / (1 - p[:, CHURN]), outcome == CONTRACTION, quarter, stays),
        expansion=_among("expansion", p[:, EXPANSION] / (1 - p[:, CHURN] - p[:, CONTRACTION]), outcome == EXPANSION, quarter, rest),
        family=estimate_deviation("family", p[own, CHURN], ~stays[own], rows.cluster[picked][own]),
    )


def _among(name: ShockName, probability: Floats, event: Bools, quarter: Ints, rows: Bools) -> DeviationPosterior:
    return estimate_deviation(name, probability[rows], event[rows], quarter[rows])


def _furthest(rows: RiskRows, probabilities: Floats, day: int) -> Ints:
    """Of each renewal that was decided by the day, the predicted row with the longest lead."""
    decided = (rows.outcome != UNDECIDED4) & (rows.decided_on != UNKNOWN) & (rows.decided_on <= day) & (rows.due <= day - SETTLING_DAYS)
    usable = np.flatnonzero(decided & (rows.as_of < day) & (rows.lead <= LONGEST_LEAD_DAYS) & np.isfinite(probabilities[:, CHURN]))
    order = usable[np.lexsort((-rows.lead[usable], rows.renewal[usable]))]
    return order[np.append(True, np.diff(rows.renewal[order]) != 0)] if len(order) else order
