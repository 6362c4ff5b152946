"""All groups judged at once get what each gets alone, and orders by counting are orders."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unspun.stats.concordance import ALL_TIED, PERFECT_SEPARATION, auc_interval, dense_ranks
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.stats.grouped_concordance import GroupedUnits, order_of

Ints = NDArray[np.int64]


def units(seed: int, n: int = 900, groups: int = 6) -> tuple[NDArray[np.float64], NDArray[np.bool_], Ints, Ints]:
    rng = np.random.default_rng(seed)
    event = rng.random(n) < 0.2
    risk = np.where(rng.random(n) < 0.1, np.nan, (rng.normal(size=n) + event).round(1))  # with ties, and some without a score
    return risk, event, rng.integers(0, 250, n), rng.integers(0, groups, n)


@pytest.mark.parametrize("seed", range(3))
def test_every_group_gets_the_interval_it_gets_alone(seed: int) -> None:
    risk, event, cluster, group = units(seed)
    for code, found in enumerate(GroupedUnits(event, cluster, group).judge(dense_ranks(risk))):
        own = (group == code) & np.isfinite(risk)
        alone = auc_interval(risk[own], event[own], cluster[own])
        assert isinstance(alone, Estimate) and isinstance(found.auc, Estimate)
        assert (found.n, found.events) == (own.sum(), event[own].sum())
        assert found.clusters_with_event == len(np.unique(cluster[own & event]))
        assert (found.auc.point, found.auc.low, found.auc.high) == pytest.approx((alone.point, alone.low, alone.high), abs=1e-12)
        assert (found.auc.n, found.auc.method) == (alone.n, alone.method)


def test_groups_without_an_interval_give_the_reason_they_give_alone() -> None:
    risk = np.array([1.0, 2, 3, 1, 2, 3, 1, 2, 3, np.nan, 1, 2, 5, 6])
    event = np.array([0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1], dtype=bool)
    cluster = np.array([1, 2, 3, 1, 2, 3, 7, 7, 8, 9, 1, 2, 3, 4])
    group = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 4, 4, 4, 4])
    found = [one.auc for one in GroupedUnits(event, cluster, group).judge(dense_ranks(risk))]
    reasons = [one.reason for one in found if isinstance(one, NoEstimate)]
    assert reasons == ["no unit has the event", "every unit has the event", "all events fall in one cluster", "no unit has a score"]
    separated, alone = found[4], auc_interval(risk[10:], event[10:], cluster[10:])
    assert separated == alone and isinstance(alone, Estimate) and alone.method == PERFECT_SEPARATION


def test_a_group_whose_units_are_all_tied_is_one_half_exactly() -> None:
    event, cluster = np.array([1, 0, 1, 0, 0], dtype=bool), np.arange(5)
    found = GroupedUnits(event, cluster, np.zeros(5, dtype=np.int64)).judge(np.zeros(5, dtype=np.int64))[0].auc
    assert isinstance(found, Estimate) and (found.low, found.high, found.method) == (0.5, 0.5, ALL_TIED)


@pytest.mark.parametrize("most", [3, 60_000, 200_000])
def test_counting_low_and_high_bits_sorts_as_a_stable_sort_does(most: int) -> None:
    rank = np.random.default_rng(1).integers(-1, most, 100_000).astype(np.int32)
    assert (order_of(rank) == np.argsort(rank, kind="stable")).all()
