"""The sides that audit_speed.py times: the audit's own functions, and what an analyst writes instead (analyst.py)."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unspun import audit_score
from unspun.audit.baseline import freeze_risks, training_percentile
from unspun.audit.frame import Frame, Lookup, ScoreIndex, make_frame, value_at
from unspun.audit.inputs import observe_until
from unspun.audit.protocol import DEFAULT_HORIZONS, AuditSettings
from unspun.audit.result import HorizonResult
from unspun.audit.split import Parts
from unspun.audit.terms import order_terms
from unspun.audit.trial import Shared
from unspun.book.inputs import read_inputs
from unspun.book.tables import ReadingOptions, Renewals, ScoreHistory, ScoreSeries
from unspun.stats.concordance import auc_estimate, auc_interval, concordance, count_clusters, dense_ranks, influence, paired_difference
from unspun.stats.estimate import Estimate

BOOTSTRAP_REPLICATES = 2000
ANALYST_SCORES = 10  # timed of many; the rest is extrapolated
SETTINGS = AuditSettings(fixed=("segment",), replicates=0)  # of the points alone: no bootstrap
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]


@dataclass(slots=True)
class Run:
    """One run of one side: processor seconds by stage, figures by name, and what was run in part and extrapolated.

    Each side keeps to one thread, so that processor time is what the clock shows on a machine that does nothing else.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = time.process_time()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.process_time() - started


@dataclass(frozen=True, slots=True)
class Judged:
    """One score at one horizon, ready for its concordances: ranks of the score's risk, and linear predictors of B and B + S."""

    horizon_days: int
    score: str
    rank: Ints
    churned: Bools
    cluster: Ints
    test: Bools
    baseline: Floats
    both: Floats

    @property
    def name(self) -> str:
        """As figures are named by."""
        return f"{self.horizon_days} {self.score}"


def unspun_points(folder: Path) -> Run:
    """The audit's own functions, as far as point estimates need them."""
    run = Run()
    with run.timed("reading"):
        scores, renewals = _read(folder)
    alone_at: dict[int, float] = {}  # every score is known of every unit, so that B is the same for all
    with run.timed("points"):
        for one in _judged(scores, renewals):
            tested = one.churned[one.test]
            if one.horizon_days not in alone_at:
                alone_at[one.horizon_days] = concordance(one.baseline[one.test], tested)
            alone, both = alone_at[one.horizon_days], concordance(one.both[one.test], tested)
            auc, in_test = concordance(one.rank, one.churned), concordance(one.rank[one.test], tested)
            found = {"auc": auc, "auc in test": in_test, "auc of B": alone, "auc of B + S": both, "gain": both - alone}
            run.figures |= {f"{one.name}: {figure}": value for figure, value in found.items()}
    return run


def unspun_whole(folder: Path) -> Run:
    """The audit as it is called: points, intervals, calibration, captured ARR, and of a few scores the description."""
    run = Run()
    with run.timed("whole"):
        result = audit_score(_scores_file(folder), folder / "renewals.csv", fixed=("segment",))
    for score in result.scores:
        for horizon in score.horizons:
            run.figures |= _points_of(f"{horizon.horizon_days} {score.name}", horizon)
    return run


def unspun_intervals(folder: Path) -> Run:
    """The audit's intervals of four AUCs and a gain at each horizon. Reading and fitting are not timed."""
    run = Run()
    for one in list(_judged(*_read(folder))):
        risk = one.rank.astype(np.float64)  # sorted again, as the bootstraps do
        with run.timed("intervals"):
            tested, cluster = one.churned[one.test], one.cluster[one.test]
            counts = count_clusters(tested, cluster)
            raw, alone, both = (influence(values[one.test], tested) for values in (risk, one.baseline, one.both))
            found = {
                "auc": auc_interval(risk, one.churned, one.cluster),
                "auc in test": auc_estimate(raw, counts, cluster),
                "auc of B": auc_estimate(alone, counts, cluster),
                "auc of B + S": auc_estimate(both, counts, cluster),
                "gain": paired_difference(both, alone, counts, cluster)[0],
            }
        for figure, estimate in found.items():
            if isinstance(estimate, Estimate):
                run.figures |= {f"{one.name}: {figure}, low": estimate.low, f"{one.name}: {figure}, high": estimate.high}
    return run


def analyst_points(folder: Path) -> Run:
    """The same figures with pandas and scikit-learn. Of many scores a few are timed; all are read and laid over the units."""
    import analyst

    run, each = Run(), Run()
    with run.timed("reading"):
        scores, renewals = analyst.read_tables(folder)
    names = [name for name in scores.columns if name.startswith("score")]
    with run.timed("points"):
        scores, renewals = analyst.prepare(scores, renewals)
    for horizon_days in DEFAULT_HORIZONS:
        with run.timed("points"):
            laid = analyst.lay_out(scores, renewals, horizon_days)
        for name in names[:ANALYST_SCORES]:
            with each.timed("points"):
                found = analyst.score_points(laid, name)
            run.figures |= {f"{horizon_days} {name}: {figure}": value for figure, value in found.items()}
    run.parts = {"scores": len(names), "scores timed": min(len(names), ANALYST_SCORES)}
    run.seconds["points"] += each.seconds["points"] * run.parts["scores"] / run.parts["scores timed"]
    return run


def bootstrap_intervals(folder: Path, method: str, timed: int) -> Run:
    """A cluster bootstrap of the same figures. `timed` replicates are run; their time is extrapolated to all of them."""
    import analyst

    replicate_of = {"resampled": analyst.resampled_replicate, "weighted": analyst.weighted_replicate}[method]
    run = Run(parts={"replicates": BOOTSTRAP_REPLICATES, "replicates timed": timed})
    for one in list(_judged(*_read(folder))):
        rng, risk = np.random.default_rng(20261122), one.rank.astype(np.float64)
        in_test = np.unique(one.cluster[one.test], return_inverse=True)[1]
        on_all = [risk], one.churned, np.unique(one.cluster, return_inverse=True)[1]
        on_test = [values[one.test] for values in (risk, one.baseline, one.both)], one.churned[one.test], in_test
        with run.timed("indexing"):
            all_units, test_units = replicate_of(*on_all), replicate_of(*on_test)
        with run.timed("replicates"):
            drawn = np.array([all_units(rng) + test_units(rng) for _ in range(timed)])
        named: dict[str, Floats] = dict(zip(("auc", "auc in test", "auc of B", "auc of B + S"), drawn.T, strict=True))
        named["gain"] = named["auc of B + S"] - named["auc of B"]
        for figure, values in named.items():
            low, high = np.quantile(values, [0.025, 0.975]).tolist()
            run.figures |= {f"{one.name}: {figure}, low": low, f"{one.name}: {figure}, high": high}
    run.seconds = {"intervals": run.seconds["indexing"] + run.seconds["replicates"] * BOOTSTRAP_REPLICATES / timed}
    return run


SIDES: dict[str, Callable[[Path], Run]] = {
    "unspun points": unspun_points,
    "unspun whole": unspun_whole,
    "unspun intervals": unspun_intervals,
    "analyst points": analyst_points,
    "analyst bootstrap": partial(bootstrap_intervals, method="resampled", timed=12),
    "weighted bootstrap": partial(bootstrap_intervals, method="weighted", timed=100),
    "whole bootstrap": partial(bootstrap_intervals, method="weighted", timed=BOOTSTRAP_REPLICATES),
}


def _scores_file(folder: Path) -> Path:
    wide = folder / "scores.parquet"
    return wide if wide.exists() else folder / "scores.csv"


def _read(folder: Path) -> tuple[ScoreHistory, Renewals]:
    return read_inputs(_scores_file(folder), folder / "renewals.csv", ReadingOptions())


def _judged(scores: ScoreHistory, renewals: Renewals) -> Iterator[Judged]:
    as_of, _ = observe_until(scores, renewals, SETTINGS, None)
    terms = order_terms(renewals, scores, as_of, {}, None)
    index, shared = ScoreIndex(scores, renewals.account.names, as_of), Shared()
    frames = [make_frame(horizon_days, terms, None, renewals, index, SETTINGS) for horizon_days in DEFAULT_HORIZONS]
    for series in scores.series:
        lookup = index.lookup(series)
        for frame in frames:
            yield _judge(frame, series, lookup, shared)


def _judge(frame: Frame, series: ScoreSeries, lookup: Lookup, shared: Shared) -> Judged:
    units, parts = frame.units, frame.parts
    if not isinstance(parts, Parts) or frame.baseline is None:
        raise ValueError("the made inputs give no split")
    rank = dense_ranks(-value_at(series, shared.rows_known(lookup, units)))
    percentile = training_percentile(rank, parts.train)
    risks = freeze_risks(frame.baseline, shared.fit(frame, parts.train), percentile, units.churned, parts.train)
    return Judged(units.horizon_days, series.name, rank, units.churned, units.cluster, parts.test, risks.baseline, risks.both)


def _points_of(name: str, horizon: HorizonResult) -> dict[str, float]:
    test = horizon.test
    found = {"auc": horizon.auc, "auc in test": test.auc, "auc of B": test.auc_baseline, "auc of B + S": test.auc_both, "gain": test.gain}
    return {f"{name}: {figure}": value.point for figure, value in found.items() if isinstance(value, Estimate)}
