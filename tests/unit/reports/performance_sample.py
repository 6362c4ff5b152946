"""Results of comparisons for tests of pages and documents, from simulated companies."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache

import numpy as np

from benchmarks.performance_study import Setting, simulate
from unspun.audit.result import Caution
from unspun.risk.performance.attribution import count_whole
from unspun.risk.performance.judge import compare_groups
from unspun.risk.performance.result import Comparison, PerformanceResult

HOSTILE = "Kim <b>O'Hara</b> of the very long name that no table has room for, =2+2"


def comparison(one: Setting, seed: int, by: str = "owner", names: tuple[str, ...] = ()) -> Comparison:
    """Groups of one simulated company, by the names given, else numbered."""
    made = simulate(one, np.random.default_rng(seed))
    called = (*names, *made.attributed.names[len(names) :])
    arr = np.random.default_rng(seed).lognormal(9, 1, len(made.judged))
    judged, attributed = replace(made.judged, arr=arr), replace(made.attributed, names=called)
    if by != "owner":
        attributed = count_whole(attributed.at_due if attributed.at_due is not None else np.zeros(0, np.int64), called)
    return compare_groups(judged, attributed, by, by, ("USD", "EUR"), 0).comparison


def result(*comparisons: Comparison, left_out: int = 12) -> PerformanceResult:
    """What holds the comparisons."""
    first = comparisons[0]
    renewed = round(sum(one.renewed for one in first.groups))
    return PerformanceResult(
        as_of=date(2026, 10, 30),
        since=date(2024, 1, 1),
        due=first.renewals + left_out,
        renewals=first.renewals,
        accounts=first.renewals,
        renewed=renewed,
        expected_given=renewed + 7.2,
        first_due=date(2024, 1, 10),
        last_due=date(2026, 9, 1),
        left_out=(("no outcome is known", left_out), ("its outcome was known before the first of a month came in its term", 0)),
        settle_days=21,
        models=9,
        first_model=date(2023, 4, 1),
        candidate="baseline",
        comparisons=comparisons,
        cautions=(Caution("known_only", "What was expected rests on what the book knew."),),
        seed=0,
        package_version="1.0",
    )


@cache
def told() -> PerformanceResult:
    """Two ways of grouping; some owners can be told, one of them of a hostile name."""
    apart = Setting("apart", owners=14, renewals=90, spread=1.2, churn=0.15)
    return result(comparison(apart, 4, names=(HOSTILE,)), comparison(Setting("few", owners=4, renewals=200), 3, by="segment"))


@cache
def many() -> PerformanceResult:
    """Sixty owners, none of whom can be told."""
    return result(comparison(Setting("many", owners=60, renewals=12, spread=0.2, changed=0.4), 5))


@cache
def hollow() -> PerformanceResult:
    """Too few churned for any difference."""
    return result(comparison(Setting("hollow", owners=3, renewals=15, churn=0.05), 0), left_out=0)
