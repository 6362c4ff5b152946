"""The parts behind a shape agree with what others compute, and clear shapes are told apart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import optimize, special

from unspun.stats.concordance import auc_interval, count_clusters, dense_ranks
from unspun.stats.estimate import Estimate, NoEstimate
from unspun.stats.proportion import clustered_share
from unspun.stats.shape import (
    MIN_CLUSTERS,
    MOST_BINS,
    BinRates,
    RateShape,
    _distance_to_rising,  # pyright: ignore[reportPrivateUsage]
    bin_rates,
    binned_auc,
    find_shape,
    place_in_bins,
)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
SEED = 3


def drawn(log_odds: NDArray[np.floating], accounts: int, seed: int, spread: float = 0.7) -> tuple[Bools, Ints]:
    """Events of three units an account, whose log-odds share the account's own level."""
    rng = np.random.default_rng(seed)
    cluster = np.arange(len(log_odds)) % accounts
    level = spread * rng.normal(size=accounts)
    return rng.random(len(log_odds)) < special.expit(log_odds + level[cluster]), cluster


def rates_of(value: Floats, event: Bools, cluster: Ints) -> tuple[BinRates, Ints]:
    position = place_in_bins(dense_ranks(value), clusters := count_clusters(event, cluster))
    return bin_rates(position, event, cluster, clusters), position


def shape_of(value: Floats, event: Bools, cluster: Ints) -> RateShape | NoEstimate:
    return find_shape(rates_of(value, event, cluster)[0], SEED)


def example(accounts: int = 700) -> tuple[Floats, Bools, Ints]:
    value = np.random.default_rng(5).normal(size=3 * accounts).round(2)
    return value, *drawn(-2 + 0.4 * value, accounts, 6)


def test_bins_are_of_about_equal_size_rise_with_the_value_and_never_part_ties() -> None:
    value, event, cluster = example()
    value = np.where(value < 0, 0.0, value)  # half of them tied
    _, position = rates_of(value, event, cluster)
    assert sorted(set(position.tolist())) == list(range(position.max() + 1))
    for low, high in zip(range(position.max()), range(1, position.max() + 1), strict=True):
        assert value[position == low].max() < value[position == high].min()
    assert (position == 0).sum() == (value == 0).sum()
    later = np.bincount(position)[1:]
    assert later.max() <= 1.3 * len(value) / MOST_BINS


def test_the_rate_of_a_bin_has_the_interval_of_a_clustered_share() -> None:
    value, event, cluster = example()
    rates, position = rates_of(value, event, cluster)
    for at in range(len(rates.n)):
        inside = position == at
        alone = clustered_share(event[inside], cluster[inside])
        found = rates.estimate(slice(at, at + 1))
        assert isinstance(alone, Estimate)
        assert (found.point, found.low, found.high) == pytest.approx((alone.point, alone.low, alone.high), abs=1e-12)
        assert (found.n, found.method) == (alone.n, alone.method)


def test_bins_together_are_judged_as_one_share_of_about_as_many_clusters() -> None:
    value, event, cluster = example()
    rates, position = rates_of(value, event, cluster)
    inside = position >= 4
    alone, found = clustered_share(event[inside], cluster[inside]), rates.estimate(slice(4, None))
    assert isinstance(alone, Estimate)
    assert found.point == pytest.approx(alone.point, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((alone.low, alone.high), abs=2e-4)


def test_the_covariance_of_the_rates_is_the_clustered_sandwich_summed_by_hand() -> None:
    value, event, cluster = example(300)
    rates, position = rates_of(value, event, cluster)
    by_cluster = np.zeros((300, len(rates.n)))
    for unit in range(len(value)):
        by_cluster[cluster[unit], position[unit]] += (event[unit] - rates.rate[position[unit]]) / rates.n[position[unit]]
    by_hand = by_cluster.T @ by_cluster * 300 / 299
    off_diagonal = ~np.eye(len(rates.n), dtype=bool)
    assert rates.covariance[off_diagonal] == pytest.approx(by_hand[off_diagonal], abs=1e-15)
    assert (rates.covariance.diagonal() >= by_hand.diagonal() - 1e-15).all()


@pytest.mark.parametrize("folded", [False, True])
def test_the_concordance_of_bins_is_that_of_units_ranked_by_their_bin(folded: bool) -> None:
    value, event, cluster = example()
    rates, position = rates_of(value, event, cluster)
    risk = np.arange(len(rates.n))
    risk = np.abs(2 * risk - risk[-1]) if folded else risk
    alone, found = auc_interval(risk[position], event, cluster), binned_auc(rates, risk)
    assert isinstance(alone, Estimate)
    assert (found.point, found.low, found.high) == pytest.approx((alone.point, alone.low, alone.high), abs=1e-12)
    assert found.n == alone.n


def test_the_distance_to_rates_that_never_fall_is_that_of_isotonic_regression() -> None:
    rng = np.random.default_rng(1)
    rate, weight = rng.normal(size=(50, 8)), rng.uniform(0.5, 3, 8)
    by_pooling = [weight @ (row - optimize.isotonic_regression(row, weights=weight).x) ** 2 for row in rate]
    assert _distance_to_rising(rate, weight) == pytest.approx(by_pooling)


def place(n: int, seed: int) -> Floats:
    return np.random.default_rng(seed).permutation(n) / n


@pytest.mark.parametrize(
    ("kind", "rises"),
    [("rising", True), ("falling", False), ("threshold", True), ("threshold", False), ("U", None), ("inverted U", None)],
)
def test_a_clear_shape_is_told(kind: str, rises: bool | None) -> None:
    value = place(9000, 2)
    curves = {
        ("rising", True): 3 * value,
        ("falling", False): -3 * value,
        ("threshold", True): 1.6 * (value > 0.6),
        ("threshold", False): -1.6 * (value > 0.3),
        ("U", None): 10 * (value - 0.5) ** 2,
        ("inverted U", None): -10 * (value - 0.5) ** 2,
    }
    found = shape_of(value, *drawn(-2 + curves[kind, rises], 3000, 8))
    assert isinstance(found, RateShape)
    assert (found.kind, found.rises) == (kind, rises)
    assert found.p_flat < 0.001 and found.support > 0.4
    assert found.p_monotone is not None and (found.p_monotone < 0.05) == (rises is None)
    assert found.p_turns is not None and (found.p_turns < 0.05) == (rises is None)


def test_the_allowed_cuts_of_a_step_hold_the_true_one_and_the_best() -> None:
    value = place(9000, 3)
    event, cluster = drawn(-2.2 + 1.2 * (value > 0.6), 3000, 9)
    found = shape_of(value, event, cluster)
    _, position = rates_of(value, event, cluster)
    assert isinstance(found, RateShape) and found.cut in found.cuts
    assert value[position == min(found.cuts) - 1].min() <= 0.6 <= value[position == max(found.cuts)].max()


def test_rates_that_do_not_differ_are_flat_only_where_the_data_can_tell() -> None:
    many, few = place(9000, 4), place(600, 4)
    told, untold = (shape_of(value, *drawn(0 * value - 2.5, len(value) // 3, 10)) for value in (many, few))
    assert isinstance(told, RateShape) and isinstance(untold, RateShape)
    assert (told.kind, untold.kind) == ("flat", "cannot tell")
    assert min(told.p_flat, untold.p_flat) > 0.05


def test_rates_that_turn_twice_are_of_no_simple_shape() -> None:
    value = place(9000, 5)
    found = shape_of(value, *drawn(-2 + 1.3 * np.sin(4 * np.pi * value), 3000, 11))
    assert isinstance(found, RateShape) and found.kind == "cannot tell" and found.p_flat < 0.001


def test_a_flag_can_only_rise_or_fall() -> None:
    flag = (place(3000, 6) > 0.8).astype(np.float64)
    found = shape_of(flag, *drawn(-2 + 1.0 * flag, 1000, 12))
    assert isinstance(found, RateShape)
    assert (found.kind, found.rises, found.cut, found.p_monotone, found.p_turns) == ("rising", True, None, None, None)


def test_no_shape_is_given_on_too_few_clusters_or_one_value() -> None:
    value, event, cluster = example(300)
    few = event & (np.cumsum(event) < MIN_CLUSTERS)
    reason = shape_of(value, few, cluster)
    assert isinstance(reason, NoEstimate) and f"under {MIN_CLUSTERS}" in reason.reason
    same = shape_of(np.ones(len(value)), event, cluster)
    assert isinstance(same, NoEstimate) and same.reason == "every unit has the same value"


def test_a_shape_is_the_same_upside_down_and_for_any_rescaling() -> None:
    value = place(6000, 7)
    event, cluster = drawn(-2 + 8 * (value - 0.5) ** 2, 2000, 13)
    upright, turned, scaled = (shape_of(one, event, cluster) for one in (value, -value, np.exp(3 * value)))
    assert isinstance(upright, RateShape) and isinstance(turned, RateShape)
    assert upright == scaled and turned.kind == upright.kind == "U"
    assert turned.p_flat == pytest.approx(upright.p_flat, rel=1e-6)
