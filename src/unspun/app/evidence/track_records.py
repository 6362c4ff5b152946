"""Health scores on the units of a trial: their values, their track record by the audit protocol, and two of them set side by side."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unspun.app.evidence.inputs import TrialInputs
from unspun.audit.frame import ScoreIndex
from unspun.audit.leak import BY_CONSTRUCTION
from unspun.audit.result import HorizonResult, LeakCheck, Verdict
from unspun.audit.split import Parts
from unspun.audit.trial import Shared, try_score
from unspun.audit.verdict import rule
from unspun.book.tables import Codes, Floats, ScoreHistory, ScoreSeries, Source
from unspun.health.definition import HealthScore
from unspun.health.formula import as_series, compute
from unspun.stats.concordance import Clusters, Influence, count_clusters, influence, paired_difference
from unspun.stats.estimate import MaybeEstimate, NoEstimate

Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]
NOTHING = NoEstimate(BY_CONSTRUCTION)
NO_LEAK = LeakCheck(False, BY_CONSTRUCTION, 0, 0, 0, 0, None, NOTHING, NOTHING, NOTHING, False)


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """What a score foretold, at the primary horizon: the figures of the audit protocol, and its verdict as of a score tried alone."""

    result: HorizonResult
    verdict: Verdict
    why: str


def values_on(score: HealthScore, inputs: TrialInputs) -> Floats:
    """The published score of each unit as it was known then, NaN where there was none."""
    columns = {id: inputs.texts[id] if id in inputs.texts else inputs.columns[id] for id in score.metrics}
    return as_series(compute(score, columns, {id: inputs.missing[id] for id in score.metrics}))


def track_record(name: str, values: Floats, inputs: TrialInputs) -> TrackRecord:
    """The track record of values that each unit's account was known to have on its as-of day; higher is healthier."""
    units, terms = inputs.frame.units, inputs.terms
    dated = units.as_of.astype("datetime64[D]").astype("datetime64[us]")
    series = ScoreSeries(name, values, exact=True)
    source = Source("scores", name, inputs.book_digest, "book", len(values), {}, (), ())
    account = Codes(units.account.astype(np.int32), inputs.accounts)
    history = ScoreHistory(source, np.arange(len(values), dtype=np.int64), account, dated, (series,))
    index = ScoreIndex(history, inputs.accounts, terms.as_of, terms.seen)
    result = try_score(inputs.frame, series, index.lookup(series), -1.0, Shared()).result
    ruling = rule(result, NO_LEAK, None, units.words)
    return TrackRecord(result, ruling.verdict, ruling.why)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two scores on the test units that have both: how each ranks them. `reason` says why they cannot be compared ("" they can)."""

    n: int
    n_churned: int
    first: Influence | None
    second: Influence | None
    clusters: Clusters
    cluster: Ints
    reason: str = ""

    def difference(self, of: int, method: str = "") -> MaybeEstimate:
        """The AUC of the first less that of the second, where the interval is one of so many; `method` may say of which."""
        if self.first is None or self.second is None:
            return NoEstimate(self.reason, "more renewals that have both scores")
        found = paired_difference(self.first, self.second, self.clusters, self.cluster, of)[0]
        return replace(found, method=method) if method else found


def pair_on_test(first: Floats, second: Floats, inputs: TrialInputs) -> Pair:
    """Two scores, one value a unit, laid over the test units that have both."""
    units, parts = inputs.frame.units, inputs.frame.parts
    if not isinstance(parts, Parts):
        return Pair(0, 0, None, None, Clusters(0, 0, 0), units.cluster[:0], parts.reason)
    both = parts.test & np.isfinite(first) & np.isfinite(second)
    event, cluster = units.churned[both], units.cluster[both]
    n, lost = len(event), int(event.sum())
    clusters = count_clusters(event, cluster) if n else Clusters(0, 0, 0)
    if lost == n or clusters.with_event < 2:
        reason = (
            f"{clusters.with_event} churned cluster{'' if clusters.with_event == 1 else 's'} of the test have both scores; 2 are needed"
        )
        return Pair(
            n, lost, None, None, clusters, cluster, "every unit of the test that has both scores churned" if n and lost == n else reason
        )
    return Pair(n, lost, influence(-first[both], event), influence(-second[both], event), clusters, cluster)
