"""Scores against one another: paired differences in AUC on the test units that have both."""

from __future__ import annotations

import numpy as np

from unspun.audit.evidence_rows import Trace, TracedScore
from unspun.audit.result import ScorePair
from unspun.stats.concordance import count_clusters, influence, paired_difference
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

MOST_COMPARED = 4  # the scores that rank best in the test, each against the best


def compare_best(trace: Trace) -> tuple[ScorePair, ...]:
    """The score that ranks best in the test against each of the next ones; empty where fewer than two have an AUC.

    Which one is best is told by the same data, so the intervals hold for all pairs of scores at once, shown or not.
    """
    told = [(one, auc.point) for one in trace.scores if isinstance(auc := one.described.trial.result.test.auc, Estimate)]
    ranked = [one for one, _ in sorted(told, key=lambda pair: -pair[1])]
    pairs = len(ranked) * (len(ranked) - 1) // 2
    return tuple(_compare(ranked[0], other, pairs) for other in ranked[1:MOST_COMPARED])


def _compare(one: TracedScore, other: TracedScore, pairs: int) -> ScorePair:
    trial, second = one.described.trial, other.described.trial
    units, parts = trial.frame.units, trial.frame.parts
    if isinstance(parts, NoEstimate):
        return ScorePair(one.series.name, other.series.name, 0, 0, parts)
    both = parts.test & trial.scored & second.scored
    event, cluster = units.churned[both], units.cluster[both]
    difference: MaybeEstimate
    if not event.any() or event.all() or count_clusters(event, cluster).with_event < 2:
        difference = NoEstimate("fewer than two clusters with the event have both scores")
    else:
        counts = count_clusters(event, cluster)
        first, last = influence(trial.risk[both], event), influence(second.risk[both], event)
        difference = paired_difference(first, last, counts, cluster, pairs)[0]
    return ScorePair(one.series.name, other.series.name, int(both.sum()), int(np.count_nonzero(event)), difference)
