"""What else one could have ranked by: ARR alone, usage, and people's own calls, each beside the score on the same units.

None of it enters the baseline or a verdict.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.audit.calls import ANYBODY, CallIndex
from unspun.audit.result import Beside
from unspun.audit.split import Parts
from unspun.audit.units import Units
from unspun.audit.usage import WINDOW_DAYS, UsageIndex
from unspun.stats.calibration import clustered_mean, expected_over_observed
from unspun.stats.concordance import Influence, auc_estimate, auc_interval, concordance, count_clusters, influence, paired_difference
from unspun.stats.estimate import MaybeEstimate, NoEstimate

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

Figures = tuple[MaybeEstimate, MaybeEstimate, MaybeEstimate, MaybeEstimate, MaybeEstimate, MaybeEstimate]
ONLY_RANKS = NoEstimate("it ranks, and states no probability")
NO_CALLS_AS_PROBABILITIES = NoEstimate("the calls are words, not probabilities", "calls given as probabilities")


@dataclass(frozen=True, slots=True)
class Rival:
    """Another way to rank the units of a frame. `risk` rises with the danger, NaN where not known; so does `probability`."""

    name: str
    rule: str
    risk: Floats
    stated: Floats | NoEstimate = ONLY_RANKS  # probability of churn


def find_rivals(
    units: Units, parts: Parts | NoEstimate, usage: UsageIndex | None, calls: CallIndex | None, *, one_currency: bool = True
) -> tuple[Rival, ...]:
    """ARR alone (where amounts are in one currency: others cannot be ranked), usage trend, usage level, and each forecaster."""
    if isinstance(parts, NoEstimate):
        return ()
    money = _money_alone(units, parts.train) if one_currency else []
    return (*money, *_usage(units, usage), *_forecasters(units, calls))


def set_beside(
    rival: Rival, rank: Ints, units: Units, test: Bools, judged: Bools, influence_of: Callable[[Rival, Bools], Influence]
) -> Beside:
    """A rival beside the score (given by dense ranks, the higher the worse) on the judged units that have both.

    `influence_of` answers the rival's concordance on some units, so that scores that are judged on the same ones share it.
    """
    known = np.isfinite(rival.risk)
    both = judged & known
    event, cluster = units.churned[both], units.cluster[both]
    refusal = _refuse(event, cluster, units.words.lost)
    figures = (refusal,) * 6 if refusal else _compare(rival, influence(rank[both], event), influence_of(rival, both), units, both)
    coverage = float(known[test].mean()) if test.any() else None
    return Beside(rival.name, rival.rule, int(both.sum()), int(event.sum()), coverage, *figures)


def _compare(rival: Rival, own: Influence, theirs: Influence, units: Units, both: Bools) -> Figures:
    """AUC, the score's, their difference, and the three figures of stated probabilities."""
    event, cluster = units.churned[both], units.cluster[both]
    counts = count_clusters(event, cluster)
    aucs = auc_estimate(theirs, counts, cluster), auc_estimate(own, counts, cluster)
    return *aucs, paired_difference(own, theirs, counts, cluster)[0], *_as_stated(rival.stated, both, event, cluster)


def _refuse(event: Bools, cluster: Ints, lost: str) -> NoEstimate | None:
    if not len(event):
        return NoEstimate("no test unit has both", "units with a score and this, both known in time")
    if not event.all() and event.any() and count_clusters(event, cluster).with_event >= 2:
        return None
    refused = auc_interval(np.zeros(len(event)), event, cluster)
    assert isinstance(refused, NoEstimate)
    return NoEstimate(refused.reason.replace("has the event", lost).replace("events", f"units that {lost}"), refused.what_it_would_take)


def _as_stated(
    probability: Floats | NoEstimate, both: Bools, event: Bools, cluster: Ints
) -> tuple[MaybeEstimate, MaybeEstimate, MaybeEstimate]:
    """Brier score, bias and expected over observed of the probabilities as they were stated."""
    if isinstance(probability, NoEstimate):
        return probability, probability, probability
    stated = probability[both]
    off = stated - event
    brier = clustered_mean(off**2, event, cluster, "mean squared error of the stated probability; clustered, t")
    bias = clustered_mean(off, event, cluster, "mean stated probability less the share seen; clustered, t")
    if not stated.any():
        return brier, bias, NoEstimate("no call expected any")
    return brier, bias, expected_over_observed(stated, event, cluster)


def _money_alone(units: Units, train: Bools) -> list[Rival]:
    """The amount, turned as training has it."""
    given = np.isfinite(units.amount)
    event = units.churned[train & given]
    if not event.any() or event.all():
        return []
    larger_is_worse = concordance(units.amount[train & given], event) >= 0.5
    rule = f"{'largest' if larger_is_worse else 'smallest'} amount first, as training has it"
    return [Rival(f"{units.words.money} alone", rule, units.amount if larger_is_worse else -units.amount)]


def _usage(units: Units, index: UsageIndex | None) -> list[Rival]:
    """Falling usage and little usage are the riskier, which is fixed in advance."""
    if index is None:
        return []
    usage = index.usage(units.account, units.as_of)
    days = f"{WINDOW_DAYS} days"
    trend = f"steepest fall first: log of (1 + {index.counted} in the last {days}) / (1 + those in the {days} before), as known then"
    return [
        Rival("usage trend", trend, -usage.trend),
        Rival("usage level", f"least used first: {index.counted} in the last {days}, as known then", -usage.level),
    ]


def _forecasters(units: Units, calls: CallIndex | None) -> list[Rival]:
    """Each forecaster's last call known on each unit."""
    rivals = []
    for name, theirs in calls.forecasters if calls is not None else ():
        assert calls is not None
        row = calls.latest(units, theirs)
        value = np.where(row >= 0, calls.forecasts.value[np.maximum(row, 0)], np.nan)
        rule = f"{_about(calls, units)}{'' if name != ANYBODY else ', whoever made it'}"
        stated = 1 - value if calls.forecasts.probability else NO_CALLS_AS_PROBABILITIES
        rivals.append(Rival(name, rule, -value, stated))
    return rivals


def _about(calls: CallIndex, units: Units) -> str:
    if calls.terms_row is not None:
        about = "renewal" if units.design == "renewal" else "renewal due in the window"
        return f"worst call first: the last one on the {about} that was made and recorded by then"
    about = "made in the term" if units.design == "renewal" else "on the account"
    return f"worst call first: the last one {about} that was made and recorded by then"
