"""Concordance, its clustered error, and paired differences, against loops, other libraries and resampling."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from numpy.typing import NDArray
from scipy import optimize, special, stats
from sklearn.metrics import roc_auc_score

from tests.unit.stats.samples import Sample, clustered_sample, tied_samples
from unspun.stats.bootstrap import cluster_draws
from unspun.stats.concordance import (
    ALL_TIED,
    PERFECT_SEPARATION,
    auc_interval,
    clustered_standard_error,
    concordance,
    count_clusters,
    influence,
    paired_difference,
    t_quantile,
)
from unspun.stats.estimate import Estimate, NoEstimate

Floats = NDArray[np.float64]


def loop_concordance(risk: Floats, event: NDArray[np.bool_]) -> float:
    """The definition: every pair of one unit with the event and one without, ties one half."""
    pairs = [(case, control) for case in risk[event].tolist() for control in risk[~event].tolist()]
    return sum(1.0 if case > control else 0.5 if case == control else 0.0 for case, control in pairs) / len(pairs)


def placements(sample: Sample) -> tuple[Floats, Floats]:
    """DeLong's V10 (one a case) and V01 (one a control), from the full matrix of comparisons."""
    case, control = sample.risk[sample.event][:, None], sample.risk[~sample.event][None, :]
    wins = (case > control) + 0.5 * (case == control)
    return wins.mean(axis=1), wins.mean(axis=0)


def interval(sample: Sample) -> Estimate:
    found = auc_interval(sample.risk, sample.event, sample.cluster)
    assert isinstance(found, Estimate)
    return found


@given(tied_samples())
def test_concordance_counts_every_pair_with_ties_as_one_half(sample: Sample) -> None:
    assert concordance(sample.risk, sample.event) == pytest.approx(loop_concordance(sample.risk, sample.event), abs=1e-12)


@given(tied_samples())
def test_concordance_is_the_area_that_scikit_learn_finds(sample: Sample) -> None:
    assert concordance(sample.risk, sample.event) == pytest.approx(float(roc_auc_score(sample.event, sample.risk)), abs=1e-12)


@given(tied_samples())
def test_influence_is_centred_within_the_units_with_the_event_and_within_those_without(sample: Sample) -> None:
    part = influence(sample.risk, sample.event)
    assert part.values[sample.event].sum() == pytest.approx(0, abs=1e-12)
    assert part.values[~sample.event].sum() == pytest.approx(0, abs=1e-12)


@given(tied_samples())
def test_influence_is_the_placement_value_less_the_concordance_shared_over_the_class(sample: Sample) -> None:
    part, (case, control) = influence(sample.risk, sample.event), placements(sample)
    assert part.values[sample.event] == pytest.approx((case - case.mean()) / len(case), abs=1e-12)
    assert part.values[~sample.event] == pytest.approx((control - control.mean()) / len(control), abs=1e-12)


@given(tied_samples())
def test_alone_in_its_cluster_each_unit_gives_delongs_variance_with_our_small_sample_factor(sample: Sample) -> None:
    case, control = placements(sample)
    m, n = len(case), len(control)
    # DeLong divides by m - 1 and n - 1; ours divides by m and n and multiplies by G/(G - 1), G = m + n.
    textbook_less_its_factors = case.var() / m + control.var() / n
    error = clustered_standard_error(influence(sample.risk, sample.event).values, np.arange(m + n))
    assert error**2 == pytest.approx((m + n) / (m + n - 1) * textbook_less_its_factors, abs=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_where_every_cluster_holds_both_outcomes_the_variance_is_obuchowskis(seed: int) -> None:
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(60), 5)
    event = np.tile([True, False, False, True, False], 60)
    risk = np.round(rng.normal(size=300) + event + rng.normal(size=60)[cluster], 1)
    case, control = placements(Sample(risk, event, cluster))
    auc, m, n, groups = case.mean(), event.sum(), (~event).sum(), 60
    case_sum = np.bincount(cluster[event], weights=case - auc)
    control_sum = np.bincount(cluster[~event], weights=control - auc)
    s10 = groups / ((groups - 1) * m) * (case_sum**2).sum()
    s01 = groups / ((groups - 1) * n) * (control_sum**2).sum()
    s11 = groups / (groups - 1) * (case_sum * control_sum).sum()
    assert clustered_standard_error(influence(risk, event).values, cluster) ** 2 == pytest.approx(
        s10 / m + s01 / n + 2 * s11 / (m * n), rel=1e-12
    )


@pytest.mark.parametrize("seed", range(4))
def test_the_clustered_error_is_that_of_leaving_out_one_cluster_at_a_time(seed: int) -> None:
    sample = clustered_sample(seed, clusters=200)
    groups = np.unique(sample.cluster)
    left = np.array([concordance(sample.risk[sample.cluster != g], sample.event[sample.cluster != g]) for g in groups])
    jackknife = math.sqrt((len(groups) - 1) / len(groups) * ((left - left.mean()) ** 2).sum())
    error = clustered_standard_error(influence(sample.risk, sample.event).values, sample.cluster)
    assert error == pytest.approx(jackknife, rel=0.03)


def test_the_clustered_error_is_that_of_drawing_clusters_again_within_simulation_error() -> None:
    sample = clustered_sample(11, clusters=200)
    drawn = cluster_draws(200, 1000, np.random.default_rng(5))
    aucs = []
    for times in drawn:
        repeated = np.repeat(np.arange(len(sample.risk)), times[sample.cluster])
        aucs.append(concordance(sample.risk[repeated], sample.event[repeated]))
    error = clustered_standard_error(influence(sample.risk, sample.event).values, sample.cluster)
    assert error == pytest.approx(np.std(aucs), rel=0.08)  # the standard deviation of 1,000 draws is itself off by about 2 %


def test_ignoring_the_clusters_would_make_the_error_too_small() -> None:
    sample = clustered_sample(3, spread=2.0)
    values = influence(sample.risk, sample.event).values
    assert clustered_standard_error(values, sample.cluster) > 1.2 * clustered_standard_error(values, np.arange(len(values)))


@pytest.mark.parametrize("seed", range(3))
def test_the_interval_is_the_error_on_the_logit_scale_with_t_on_the_clusters_with_an_event(seed: int) -> None:
    sample = clustered_sample(seed, clusters=40)
    found = interval(sample)
    with_event = len(set(sample.cluster[sample.event].tolist()))
    error = clustered_standard_error(influence(sample.risk, sample.event).values, sample.cluster)
    half = stats.t.ppf(0.975, with_event - 1) * error / (found.point * (1 - found.point))
    assert special.logit([found.low, found.high]) == pytest.approx(special.logit(found.point) + np.array([-half, half]), abs=1e-9)
    assert found.n == len(sample.risk)


def test_the_t_quantile_is_scipys_and_nears_the_normal() -> None:
    assert [t_quantile(g) for g in (2, 5, 21)] == pytest.approx([stats.t.ppf(0.975, df) for df in (1, 4, 20)], rel=1e-9)
    assert t_quantile(10**7) == pytest.approx(1.959964, abs=1e-5)


@given(tied_samples())
def test_the_order_of_the_rows_and_any_rising_rescaling_leave_the_interval_as_it_is(sample: Sample) -> None:
    moved = np.random.default_rng(len(sample.risk)).permutation(len(sample.risk))
    again = auc_interval(np.exp(sample.risk[moved]) * 3 - 7, sample.event[moved], sample.cluster[moved])
    first = auc_interval(sample.risk, sample.event, sample.cluster)
    if isinstance(first, NoEstimate) or isinstance(again, NoEstimate):
        assert first == again
        return
    assert (again.point, again.low, again.high) == pytest.approx((first.point, first.low, first.high), abs=1e-9)
    assert again.method == first.method


@given(tied_samples())
def test_turning_the_risk_round_turns_the_concordance_and_its_interval_round(sample: Sample) -> None:
    first, turned = (auc_interval(sign * sample.risk, sample.event, sample.cluster) for sign in (1, -1))
    if isinstance(first, NoEstimate) or isinstance(turned, NoEstimate):
        assert first == turned
        return
    assert (1 - turned.point, 1 - turned.high, 1 - turned.low) == pytest.approx((first.point, first.low, first.high), abs=1e-9)


@given(tied_samples())
def test_an_interval_always_holds_its_point_and_stays_between_0_and_1(sample: Sample) -> None:
    found = auc_interval(sample.risk, sample.event, sample.cluster)
    if isinstance(found, Estimate):
        assert 0 <= found.low <= found.point <= found.high <= 1


def test_perfect_separation_still_has_width() -> None:
    event = np.arange(40) < 10
    found = auc_interval(event.astype(np.float64), event, np.arange(40))
    assert isinstance(found, Estimate)
    assert (found.point, found.high, found.method) == (1.0, 1.0, PERFECT_SEPARATION)
    assert 0.7 < found.low < 1.0
    turned = auc_interval(-event.astype(np.float64), event, np.arange(40))
    assert isinstance(turned, Estimate)
    assert (turned.point, turned.low, turned.high) == pytest.approx((0.0, 0.0, 1 - found.low))


def test_the_bound_under_perfect_separation_solves_newcombes_equation() -> None:
    # theta such that 1 - theta = t * sqrt(V(theta)), V as Hanley and McNeil with m* = n* = (m + n)/2 - 1
    m, n = 10, 30
    event = np.arange(m + n) < m
    found = auc_interval(event.astype(np.float64), event, np.arange(m + n))
    assert isinstance(found, Estimate)
    star, t = (m + n) / 2 - 1, stats.t.ppf(0.975, m - 1)

    def gap(theta: float) -> float:
        q1, q2 = theta / (2 - theta), 2 * theta**2 / (1 + theta)
        return (1 - theta) ** 2 - t**2 * (theta * (1 - theta) + star * (q1 - theta**2) + star * (q2 - theta**2)) / (m * n)

    assert found.low == pytest.approx(float(np.asarray(optimize.brentq(gap, 0.3, 1 - 1e-9))), abs=1e-6)


def test_fewer_clusters_make_perfect_separation_less_sure() -> None:
    event = np.arange(40) < 10
    lows = []
    for size in (1, 2, 5):
        found = auc_interval(event.astype(np.float64), event, np.arange(40) // size)
        assert isinstance(found, Estimate)
        lows.append(found.low)
    assert lows[0] > lows[1] > lows[2]


def test_where_every_unit_has_the_same_value_the_concordance_is_one_half_exactly() -> None:
    found = auc_interval(np.full(30, 7.0), np.arange(30) % 3 == 0, np.arange(30))
    assert isinstance(found, Estimate)
    assert (found.point, found.low, found.high, found.method) == (0.5, 0.5, 0.5, ALL_TIED)


@pytest.mark.parametrize(
    ("event", "cluster", "said"),
    [
        ([False] * 4, [0, 1, 2, 3], "no unit has the event"),
        ([True] * 4, [0, 1, 2, 3], "every unit has the event"),
        ([True, True, False, False], [0, 0, 1, 2], "all events fall in one cluster"),
    ],
)
def test_without_two_outcomes_and_two_clusters_there_is_no_interval_and_the_reason_is_given(
    event: list[bool], cluster: list[int], said: str
) -> None:
    found = auc_interval(np.arange(4.0), np.array(event), np.array(cluster))
    assert isinstance(found, NoEstimate)
    assert found.reason == said


def test_concordance_without_both_outcomes_is_not_a_number_and_has_no_influence() -> None:
    assert math.isnan(concordance(np.arange(3.0), np.array([True] * 3)))
    with pytest.raises(ValueError, match="with and without the event"):
        influence(np.arange(3.0), np.array([False] * 3))


@given(tied_samples())
def test_clusters_are_counted_by_whether_they_hold_units_with_and_without_the_event(sample: Sample) -> None:
    found = count_clusters(sample.event, sample.cluster)
    assert found.total == len(set(sample.cluster.tolist()))
    assert found.with_event == len(set(sample.cluster[sample.event].tolist()))
    assert found.without_event == len(set(sample.cluster[~sample.event].tolist()))


@pytest.mark.parametrize("seed", range(3))
def test_a_paired_difference_agrees_with_delongs_covariance_of_two_concordances(seed: int) -> None:
    sample = clustered_sample(seed, clusters=150)
    other = Sample(sample.risk + np.random.default_rng(seed).normal(size=len(sample.risk)), sample.event, np.arange(len(sample.risk)))
    (case_a, control_a), (case_b, control_b) = placements(sample), placements(other)
    m, n = len(case_a), len(control_a)
    covariance = np.cov(case_a, case_b) / m + np.cov(control_a, control_b) / n
    textbook = math.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    parts = influence(sample.risk, sample.event), influence(other.risk, other.event)
    counts = count_clusters(sample.event, other.cluster)
    found, p = paired_difference(*parts, counts, other.cluster)
    assert found.point == pytest.approx(loop_concordance(sample.risk, sample.event) - loop_concordance(other.risk, other.event))
    ours = (found.high - found.point) / stats.t.ppf(0.975, m - 1)
    assert ours == pytest.approx(textbook, rel=0.01)  # (m - 1, n - 1) against G/(G - 1)
    assert p == pytest.approx(stats.t.sf(found.point / ours, m - 1))


def test_a_paired_difference_agrees_with_drawing_clusters_again() -> None:
    sample = clustered_sample(21, clusters=150)
    other = sample.risk + np.random.default_rng(2).normal(size=len(sample.risk))
    gaps = []
    for times in cluster_draws(150, 1000, np.random.default_rng(3)):
        repeated = np.repeat(np.arange(len(sample.risk)), times[sample.cluster])
        event = sample.event[repeated]
        gaps.append(concordance(sample.risk[repeated], event) - concordance(other[repeated], event))
    counts = count_clusters(sample.event, sample.cluster)
    found, _ = paired_difference(influence(sample.risk, sample.event), influence(other, sample.event), counts, sample.cluster)
    assert (found.high - found.low) / 2 / t_quantile(counts.with_event) == pytest.approx(np.std(gaps), rel=0.08)


def test_two_rankings_alike_differ_by_nothing_and_prove_nothing() -> None:
    sample = clustered_sample(1)
    part = influence(sample.risk, sample.event)
    again = influence(np.exp(sample.risk), sample.event)
    found, p = paired_difference(part, again, count_clusters(sample.event, sample.cluster), sample.cluster)
    assert (found.point, found.low, found.high, p) == (0.0, 0.0, 0.0, 1.0)


def test_swapping_the_two_sides_of_a_pair_turns_the_difference_round() -> None:
    sample = clustered_sample(2)
    first, second = influence(sample.risk, sample.event), influence(sample.risk**3 - 2 * sample.risk, sample.event)
    counts = count_clusters(sample.event, sample.cluster)
    (one, p), (other, q) = (paired_difference(*pair, counts, sample.cluster) for pair in ((first, second), (second, first)))
    assert (one.low, one.high, p) == pytest.approx((-other.high, -other.low, 1 - q))


def test_intervals_of_several_differences_hold_all_at_once_though_the_best_ranking_is_picked_by_the_same_data() -> None:
    """Four rankings alike in truth: the best is hardly ever told from another, where uncorrected intervals tell it in a fifth of runs."""
    pairs, told, told_one_by_one, runs = 6, 0, 0, 300
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        event, cluster = rng.random(160) < 0.25, np.arange(160) // 2
        health = event + rng.normal(size=160)
        parts = sorted((influence(health + rng.normal(size=160), event) for _ in range(4)), key=lambda part: -part.auc)
        counts = count_clusters(event, cluster)
        told += any(paired_difference(parts[0], other, counts, cluster, pairs)[0].low > 0 for other in parts[1:])
        told_one_by_one += any(paired_difference(parts[0], other, counts, cluster)[0].low > 0 for other in parts[1:])
    assert told / runs <= 0.07
    assert told_one_by_one / runs >= 0.12
