"""Are events more frequent among exposed rows of the same stratum: counts, ratio, and errors that allow for clusters."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.stats.contingency_tables import StratifiedTable

from unspun.stats.estimate import NoEstimate
from unspun.stats.stratified import BLOCK, Excess, clustered_variance, count_rows, excess_events

Ints = NDArray[np.int64]


def rows(seed: int, n: int = 4000, effect: float = 0.0, strata: int = 8) -> tuple[Ints, NDArray[np.bool_], NDArray[np.bool_]]:
    rng = np.random.default_rng(seed)
    stratum = rng.integers(0, strata, n)
    exposed = rng.random(n) < 0.2
    event = rng.random(n) < 0.3 + 0.03 * stratum + effect * exposed
    return stratum, exposed, event


def found(event: NDArray[np.bool_], exposed: NDArray[np.bool_], stratum: Ints, cluster: Ints | None = None) -> Excess:
    alone = np.arange(len(event))
    answer = excess_events(event, exposed, stratum, (alone if cluster is None else cluster, alone))
    assert isinstance(answer, Excess)
    return answer


def test_the_ratio_is_the_mantel_haenszel_rate_ratio() -> None:
    stratum, exposed, event = rows(1, effect=0.1)
    tables = [[[(event & e & s).sum(), (~event & e & s).sum()] for e in (exposed, ~exposed)] for s in (stratum == i for i in range(8))]
    pooled = StratifiedTable(np.array(tables, dtype=float).transpose(1, 2, 0))
    excess = found(event, exposed, stratum)
    assert excess.ratio.point == pytest.approx(pooled.riskratio_pooled)
    assert excess.events == (event & exposed).sum()
    by_hand = sum(event[(stratum == i) & ~exposed].mean() * (exposed & (stratum == i)).sum() for i in range(8))
    assert excess.expected == pytest.approx(by_hand)


def test_strata_without_both_kinds_of_rows_say_nothing() -> None:
    stratum, exposed, event = rows(2)
    kept = found(event, exposed, stratum)
    more = 500
    event, exposed = np.concatenate([event, np.ones(more, bool)]), np.concatenate([exposed, np.ones(more, bool)])
    added = found(event, exposed, np.concatenate([stratum, np.full(more, 8)]))
    assert (added.events, added.expected, added.ratio.point) == pytest.approx((kept.events, kept.expected, kept.ratio.point))


def test_the_error_of_independent_rows_is_the_spread_of_the_ratio_over_samples() -> None:
    ratios, widths = [], []
    for seed in range(150):
        stratum, exposed, event = rows(seed, n=1500)
        excess = found(event, exposed, stratum)
        ratios.append(np.log(excess.ratio.point))
        widths.append(np.log(excess.ratio.high / excess.ratio.low) / 2 / 1.96)
    assert np.mean(widths) == pytest.approx(np.std(ratios), rel=0.15)


def test_weeks_that_share_their_news_widen_the_error() -> None:
    rng = np.random.default_rng(4)
    week = np.repeat(np.arange(104), 40)
    exposed = week % 4 == 3
    event = rng.random(len(week)) < 0.5 + 0.3 * np.sign(rng.standard_normal(104))[week]
    stratum = week // 13
    assert found(event, exposed, stratum, week).ratio.high > 1.15 * found(event, exposed, stratum).ratio.high


def test_no_effect_is_seldom_taken_for_one_though_weeks_share_their_news() -> None:
    p = []
    for seed in range(300):
        rng = np.random.default_rng(seed)
        week = np.repeat(np.arange(104), 10)
        event = rng.random(len(week)) < 0.5 + 0.2 * rng.standard_normal(104).clip(-2, 2)[week]
        p.append(found(event, week % 13 == 12, week // 13, week).p)
    assert np.mean(np.array(p) < 0.05) < 0.10
    assert np.mean(np.array(p) < 0.01) < 0.035


def test_an_effect_is_found() -> None:
    stratum, exposed, event = rows(5, effect=0.15)
    assert found(event, exposed, stratum).p < 0.005
    assert found(event, ~exposed, stratum).p > 0.99


def test_counts_by_day_are_taken_as_they_are() -> None:
    counts = np.array([0, 2, 1, 3, 0, 0, 1, 5, 4, 0, 1, 2] * 10, dtype=float)
    exposed = np.arange(120) % 12 == 7
    excess = excess_events(counts, exposed, np.zeros(120, dtype=np.int64), (np.arange(120), np.arange(120)))
    assert isinstance(excess, Excess)
    assert (excess.events, excess.expected) == (50, pytest.approx(10 * counts[~exposed].mean()))


def test_nobody_can_tell_from_few_weeks_or_where_nothing_happened() -> None:
    stratum, exposed, event = rows(6)
    alone = np.arange(len(event))
    few = excess_events(event, exposed, stratum, (alone % 4, alone))
    none = excess_events(np.zeros_like(event), exposed, stratum, (alone, alone))
    assert isinstance(few, NoEstimate) and "only 4" in few.reason
    assert isinstance(none, NoEstimate)
    assert isinstance(excess_events(event[:0], exposed[:0], stratum[:0], (alone[:0], alone[:0])), NoEstimate)


def test_rows_given_by_kind_say_what_they_say_one_by_one() -> None:
    stratum, exposed, event = rows(7, n=BLOCK + 5000, effect=0.02)  # more than are looked at together
    rng = np.random.default_rng(8)
    week, account = stratum * 6 + rng.integers(0, 6, len(event)), rng.integers(0, 900, len(event))
    one_by_one = excess_events(event, exposed, stratum, (week, account))
    present, kind = np.unique((week * 2 + exposed) * 2 + event, return_inverse=True)
    by_kind = excess_events(present % 2 > 0, present // 2 % 2 > 0, present // 24, (present // 4, account), kind=kind.astype(np.int32))
    assert isinstance(one_by_one, Excess)
    assert isinstance(by_kind, Excess)
    assert (by_kind.events, by_kind.ratio.n) == (one_by_one.events, one_by_one.ratio.n)
    assert (by_kind.expected, by_kind.p) == pytest.approx((one_by_one.expected, one_by_one.p), rel=1e-9)
    assert (by_kind.ratio.low, by_kind.ratio.high) == pytest.approx((one_by_one.ratio.low, one_by_one.ratio.high), rel=1e-9)


def test_rows_are_counted_by_kind() -> None:
    kind = np.random.default_rng(9).integers(0, 5, 2 * BLOCK + 1)
    assert count_rows(kind, 7).tolist() == [(kind == i).sum() for i in range(7)]


def test_a_clustered_variance_is_that_of_the_sums_of_clusters_over_all_rows() -> None:
    rng = np.random.default_rng(10)
    cluster, kind, weight = rng.integers(0, 40, 2 * BLOCK + 7), rng.integers(0, 9, 2 * BLOCK + 7), rng.standard_normal(9)
    sums = np.bincount(cluster, weights=weight[kind])
    assert clustered_variance(weight, kind, cluster) == pytest.approx(40 / 39 * (sums @ sums), rel=1e-9)
    assert clustered_variance(weight[kind], None, cluster) == pytest.approx(40 / 39 * (sums @ sums), rel=1e-9)
