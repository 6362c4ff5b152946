"""Shares and their intervals, alone and in clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from tests.unit.stats.samples import clustered_sample
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.stats.proportion import clustered_share, effective_n, wilson


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_the_interval_of_statsmodels(counts: tuple[int, int]) -> None:
    hits, n = counts
    assert wilson(hits / n, n) == pytest.approx(proportion_confint(hits, n, method="wilson"), abs=1e-9)


def test_alone_in_its_cluster_each_unit_counts_nearly_as_one() -> None:
    hit = np.arange(200) % 5 == 0
    found = clustered_share(hit, np.arange(200))
    assert isinstance(found, Estimate)
    assert effective_n(hit, np.arange(200)) == pytest.approx(199)  # n - 1: the variance has G/(G - 1)
    assert (found.low, found.high) == pytest.approx(proportion_confint(40, 200, method="wilson"), abs=1e-3)
    assert (found.point, found.n) == (0.2, 200)


def test_copies_of_a_unit_in_its_cluster_add_no_information() -> None:
    hit, cluster = np.repeat(np.arange(50) % 5 == 0, 4), np.repeat(np.arange(50), 4)
    assert effective_n(hit, cluster) == pytest.approx(effective_n(hit[::4], np.arange(50)))


def test_units_that_offset_each_other_in_a_cluster_never_count_for_more_than_they_are() -> None:
    hit, cluster = np.tile([True, False], 30), np.repeat(np.arange(30), 2)
    assert effective_n(hit, cluster) <= 60
    hit[0] = False
    assert effective_n(hit, cluster) == 60


def test_the_effective_number_is_the_variance_of_one_unit_over_that_of_the_clustered_mean() -> None:
    sample = clustered_sample(7, spread=1.5)
    share, groups = sample.event.mean(), len(np.unique(sample.cluster))
    variance = sum((sample.event[sample.cluster == g] - share).sum() ** 2 for g in range(groups)) / len(sample.event) ** 2
    expected = share * (1 - share) / (variance * groups / (groups - 1))
    assert effective_n(sample.event, sample.cluster) == pytest.approx(expected)
    assert expected < 0.9 * len(sample.event)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_none_or_all_of_a_few_clusters_is_no_certainty(share: float) -> None:
    found = clustered_share(np.full(100, share == 1.0), np.arange(100) // 10)
    assert isinstance(found, Estimate)
    assert (found.low, found.high) == pytest.approx(proportion_confint(10 * share, 10, method="wilson"), abs=1e-9)


def test_a_share_of_nothing_is_no_estimate() -> None:
    assert isinstance(clustered_share(np.empty(0, dtype=bool), np.empty(0, dtype=np.int64)), NoEstimate)


def test_clustered_wilson_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    rng, held = np.random.default_rng(8), 0
    for _ in range(600):
        rate = rng.beta(2, 6, 60)
        cluster = np.repeat(np.arange(60), 4)
        found = clustered_share(rng.random(240) < rate[cluster], cluster)
        assert isinstance(found, Estimate)
        held += found.low <= 0.25 <= found.high
    assert abs(held / 600 - 0.95) < 3.5 * math.sqrt(0.95 * 0.05 / 600)
