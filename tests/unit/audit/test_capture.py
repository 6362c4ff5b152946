"""Churned ARR reached at a capacity, against a loop that takes one account after another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import special, stats

from unspun.audit.capture import Choices, captured_arr, chance_band, gather, reach, reach_band
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]


def loop(month: NDArray[np.int64], loss: Floats, rank: Floats, capacity: int) -> float:
    """Churned ARR reached: each month the best ranked first; where a tie doesn't fit, each of the tied has an equal chance."""
    reached = 0.0
    for one in np.unique(month):
        inside, room = (month == one) & np.isfinite(rank), float(capacity)
        for level in sorted(set(rank[inside].tolist()), reverse=True):
            tied = inside & (rank == level)
            share = min(1.0, room / tied.sum())
            reached += share * loss[tied].sum()
            room -= share * tied.sum()
    return reached


def chosen(
    month: list[int], amount: list[float], churned: list[bool], cluster: list[int] | None = None, capacity: int = 2, replicates: int = 20
) -> Choices:
    clusters = np.arange(len(month)) if cluster is None else np.array(cluster)
    found = gather(np.array(month), np.array(amount), np.array(churned), clusters, "EUR", capacity, replicates, 7)
    assert isinstance(found, Choices)
    return found


def told(found: MaybeEstimate) -> Estimate:
    assert isinstance(found, Estimate)
    return found


@st.composite
def companies(draw: st.DrawFn) -> tuple[Choices, Floats]:
    n = draw(st.integers(4, 30))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    month = np.sort(rng.integers(0, 3, n))
    churned = rng.random(n) < 0.4
    churned[0] = True
    rank = np.where(rng.random(n) < 0.2, np.nan, rng.integers(0, 5, n))
    cluster = rng.integers(0, max(2, n // 2), n)
    choices = chosen(month.tolist(), rng.integers(1, 9, n).tolist(), churned.tolist(), cluster.tolist(), draw(st.integers(1, 6)))
    return choices, rank.astype(np.float64)


@given(companies())
def test_the_share_reached_is_that_of_a_loop_over_months_and_ties(company: tuple[Choices, Floats]) -> None:
    choices, rank = company
    it = choices.candidates
    found = reach(it, rank)
    assert told(found.share).point == pytest.approx(loop(it.month, it.loss, rank, it.capacity) / it.loss.sum())
    expected = [loop(it.month, it.loss, rank, k) / it.loss.sum() for k in it.capacities.tolist()]
    assert found.curve == pytest.approx(expected)


def literal_replicates(choices: Choices, rank: Floats) -> list[float]:
    """Each replicate with its units truly copied as often as their cluster was drawn, and ranked again."""
    it, shares = choices.candidates, []
    for times in it.draws:
        copied = np.repeat(np.arange(len(it.month)), times[it.cluster])
        lost = it.loss[copied].sum()
        if lost > 0:
            shares.append(loop(it.month[copied], it.loss[copied], rank[copied], it.capacity) / lost)
    return shares


def clusters_reached(choices: Choices, rank: Floats) -> int:
    """Churned clusters of which a unit is chosen for sure or by the luck of a tie."""
    it, found = choices.candidates, set[int]()
    for unit in np.flatnonzero((it.loss > 0) & np.isfinite(rank)).tolist():
        ahead = (it.month == it.month[unit]) & (rank > rank[unit])
        if ahead.sum() < it.capacity:
            found.add(int(it.cluster[unit]))
    return len(found)


def interval(choices: Choices, rank: Floats, point: float) -> tuple[float, float]:
    """Percentiles of the literal replicates; where under five churned clusters are reached, their spread on the logit scale and t."""
    shares, held = np.array(literal_replicates(choices, rank)), clusters_reached(choices, rank)
    if held >= 5:
        low, high = np.quantile(shares, [0.025, 0.975])
        return min(float(low), point), max(float(high), point)
    odds = special.logit(np.clip([point, *shares], 0.001, 0.999))
    if np.ptp(odds[1:]) < 1e-9:
        return 0.0, 1.0
    half = stats.t.ppf(0.975, max(held - 1, 1)) * odds[1:].std()
    low, high = special.expit([odds[0] - half, odds[0] + half])
    return min(low, point), max(high, point)


@given(companies())
def test_the_interval_is_that_of_copying_whole_clusters_and_ranking_again(company: tuple[Choices, Floats]) -> None:
    choices, rank = company
    found, shares = reach(choices.candidates, rank).share, literal_replicates(choices, rank)
    if isinstance(found, NoEstimate):
        assert len(shares) < len(choices.candidates.draws) / 2
        return
    assert (found.low, found.high) == pytest.approx(interval(choices, rank, found.point))


@pytest.mark.parametrize("clusters", [300, 8, 3])
def test_months_far_larger_than_the_capacity_are_cut_without_changing_any_replicate(clusters: int) -> None:
    # With three clusters a replicate may lose most of a month's top, so that more of the month must be kept.
    rng = np.random.default_rng(clusters)
    n = 300
    month, cluster = np.sort(rng.integers(0, 2, n)), rng.integers(0, clusters, n)
    rank = rng.integers(0, 200, n) + 1000.0 * (cluster == 0)
    choices = chosen(month.tolist(), rng.lognormal(5, 1, n).tolist(), (rng.random(n) < 0.2).tolist(), cluster.tolist(), 3, 60)
    found = told(reach(choices.candidates, rank).share)
    assert (found.low, found.high) == pytest.approx(interval(choices, rank, found.point))


@given(companies())
def test_the_band_at_the_teams_capacity_is_the_interval_there(company: tuple[Choices, Floats]) -> None:
    choices, rank = company
    it = choices.candidates
    assume(it.capacity in it.capacities)  # it is not where every month has room for all
    at = it.capacities.tolist().index(it.capacity)
    for share, (low, high) in ((reach(it, rank).share, reach_band(it, rank)), (choices.random.share, chance_band(it))):
        assert (low[at], high[at]) == pytest.approx((share.low, share.high) if isinstance(share, Estimate) else (0, 1))


def test_bands_cover_the_true_share_also_where_few_churned_accounts_are_reached() -> None:
    # One and two places a month of eight months, amounts that differ a hundredfold: plain percentiles cover in 70 to 85 %.
    rng = np.random.default_rng(4)
    capacity, months, per = 2, 8, 30

    def company() -> tuple[Choices, Floats]:
        n = months * per
        health, amount = rng.normal(size=n), rng.lognormal(9, 1.2, n)
        churned = rng.random(n) < special.expit(-2.2 - health)
        cluster = rng.integers(0, 120, n)
        month = np.repeat(np.arange(months), per).tolist()
        return chosen(month, amount.tolist(), churned.tolist(), cluster.tolist(), capacity, 200), amount

    points = [company()[0] for _ in range(400)]
    lost = [one.candidates.loss.sum() for one in points]
    truth = float(np.average([told(one.arr_alone.share).point for one in points], weights=lost))
    found, widest = 0, 0.0
    for _ in range(300):
        choices, _ = company()
        share = told(choices.arr_alone.share)
        found += share.low <= truth <= share.high
        widest = max(widest, share.high - share.low)
    assert found / 300 >= 0.93
    assert widest > 0.5


@given(companies())
def test_by_chance_each_candidate_is_reached_with_the_share_of_its_month_that_fits(company: tuple[Choices, Floats]) -> None:
    choices, _ = company
    it = choices.candidates
    sizes = np.bincount(it.month)[it.month]
    expected = (np.minimum(1, it.capacity / sizes) * it.loss).sum() / it.loss.sum()
    assert told(choices.random.share).point == pytest.approx(expected)
    assert told(choices.random.share).point == pytest.approx(told(reach(it, np.zeros(len(it.month))).share).point)


def test_tied_accounts_share_the_room_that_is_left() -> None:
    choices = chosen([0, 0, 0, 0], [10, 10, 10, 10], [True, True, False, False], capacity=3)
    # one place goes to the best, the other two are shared by three that are tied: 10 * 2/3 + 10 * 2/3 of 20
    assert told(captured_arr(choices, np.array([1.0, 1, 1, 2]), None).score).point == pytest.approx(2 / 3)


def test_an_unscored_churn_is_missed_even_when_there_is_room_for_all() -> None:
    choices = chosen([0, 0], [10, 30], [True, True], capacity=20)
    assert told(captured_arr(choices, np.array([1.0, np.nan]), None).score).point == pytest.approx(0.25)
    assert told(captured_arr(choices, np.full(2, np.nan), None).score).point == 0


def test_room_for_everybody_reaches_everything() -> None:
    choices = chosen([0, 0, 1], [10, 30, 5], [True, False, True], capacity=20)
    found = captured_arr(choices, np.array([3.0, 2, 1]), np.array([0.1, 0.2, 0.3]))
    assert [told(e).point for e in (found.score, found.score_times_arr, found.arr_alone, found.random)] == [1, 1, 1, 1]
    assert (found.months, found.n_candidates, found.churned_arr, found.currency) == (2, 3, 15, "EUR")


def test_the_score_times_arr_chooses_by_what_is_at_stake() -> None:
    choices = chosen([0, 0, 0], [1, 100, 1], [False, True, False], capacity=1)
    risk = np.array([0.9, 0.5, 0.1])
    found = captured_arr(choices, risk, risk)
    assert told(found.score).point == 0
    assert told(found.score_times_arr).point == 1
    assert told(found.arr_alone).point == 1


def test_without_a_mapping_to_risk_the_product_is_no_estimate_and_its_curve_is_empty() -> None:
    found = captured_arr(chosen([0, 0], [1, 2], [True, False]), np.array([1.0, 2]), None)
    assert isinstance(found.score_times_arr, NoEstimate)
    assert {product for _, _, product, _, _ in found.curve} == {None}


def test_an_unknown_amount_counts_for_nothing_in_money_but_takes_a_place() -> None:
    choices = chosen([0, 0], [float("nan"), 10], [True, True], capacity=1)
    assert told(captured_arr(choices, np.array([2.0, 1]), None).score).point == 0
    assert choices.candidates.loss.tolist() == [0, 10]


def test_where_no_known_arr_churned_there_is_nothing_to_capture() -> None:
    found = gather(np.array([0, 0]), np.array([5.0, np.nan]), np.array([False, True]), np.arange(2), "EUR", 2, 20, 7)
    assert isinstance(found, NoEstimate)
