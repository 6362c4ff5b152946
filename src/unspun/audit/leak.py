"""Was the score edited after the outcome was known? The audit as dated against the audit as known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unspun.audit.frame import Lookup, rows_known, value_at
from unspun.audit.known import to_days
from unspun.audit.protocol import LEAK_FISHER_P, LEAK_MIN_EDITED
from unspun.audit.result import LeakCheck
from unspun.audit.terms import Terms
from unspun.audit.trial import Trial
from unspun.audit.units import Units
from unspun.book.tables import CHURNED, Purchases, Renewals, ScoreHistory, ScoreSeries
from unspun.stats.concordance import auc_estimate, count_clusters, influence, paired_difference
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.stats.proportion import fisher_more

Ints = NDArray[np.int64]
BY_CONSTRUCTION = "a metric reads only rows known by the date it is computed for"


def check_leak(
    trial: Trial, series: ScoreSeries, lookup: Lookup, sign: float, history: ScoreHistory, renewals: Renewals | Purchases, terms: Terms
) -> LeakCheck:
    """The protocol's leak rule on all eligible units of one horizon."""
    why_not = why_impossible(history, renewals, lookup)
    if why_not or history.recorded is None:
        nothing = NoEstimate(why_not)
        return LeakCheck(False, why_not, 0, 0, 0, 0, None, nothing, nothing, nothing, False)
    units = trial.frame.units
    row = rows_known(lookup, units.account, units.as_of, as_dated=True)
    dated = np.flatnonzero(row >= 0)
    recorded = to_days(history.recorded)[row[dated]]
    edited = recorded > outcome_known(units, terms)[dated]
    churned = units.churned[dated]
    counts = [int(x.sum()) for x in (edited & churned, churned, edited & ~churned, ~churned)]
    p = fisher_more(*counts)
    auc_dated, auc_known, difference = _compare(trial, units, sign * value_at(series, row))
    leaks = counts[0] >= LEAK_MIN_EDITED and p < LEAK_FISHER_P and isinstance(difference, Estimate) and difference.low > 0
    return LeakCheck(True, "", counts[0], counts[1], counts[2], counts[3], p, auc_dated, auc_known, difference, leaks)


def why_impossible(history: ScoreHistory, renewals: Renewals | Purchases, lookup: Lookup) -> str:
    """What is missing. Whether a customer bought again is known when the window is over, without any column.

    An exact series has nothing to check: each value was worked out from what was known on the day it is looked at.
    """
    if lookup.days is not None:
        return BY_CONSTRUCTION
    missing = []
    if history.recorded is None or np.isnat(history.recorded if lookup.shared else history.recorded[lookup.rows]).all():
        missing.append("the scores do not say when each was recorded (recorded_at)")
    if isinstance(renewals, Renewals) and (renewals.outcome_known is None or np.isnat(renewals.outcome_known).all()):
        missing.append("the renewals do not say when each outcome was known (outcome_known_at)")
    return "; ".join(missing)


def outcome_known(units: Units, terms: Terms) -> Ints:
    """When a unit's outcome was known: a churn when its renewal's outcome was, anything else at the unit's own end."""
    decided = units.churned & (terms.outcome[units.terms_row] == CHURNED)  # no single purchase is a lapse
    return np.where(decided, terms.known_on[units.terms_row], units.known_on)


def _compare(trial: Trial, units: Units, risk_dated: NDArray[np.float64]) -> tuple[MaybeEstimate, MaybeEstimate, MaybeEstimate]:
    """AUC as dated, as known, and their paired difference, on units that have both."""
    both = np.isfinite(risk_dated) & trial.scored
    event, cluster = units.churned[both], units.cluster[both]
    if not both.any() or not event.any() or event.all() or count_clusters(event, cluster).with_event < 2:
        reason = NoEstimate(f"fewer than two {units.words.lost} clusters have a score both as dated and as known")
        return reason, reason, reason
    counts = count_clusters(event, cluster)
    dated, known = influence(risk_dated[both], event), influence(trial.risk[both], event)
    return auc_estimate(dated, counts, cluster), auc_estimate(known, counts, cluster), paired_difference(dated, known, counts, cluster)[0]
