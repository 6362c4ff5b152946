"""Shrinkage against integration by brute force, and what must hold of it whatever the data."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import special

from unspun.stats import shrinkage
from unspun.stats.estimate import NoEstimate
from unspun.stats.shrinkage import Membership, Shrunk, shrink

Floats = NDArray[np.float64]


def whole(group: NDArray[np.int64], groups: int) -> Membership:
    return Membership(np.arange(len(group)), group, np.ones(len(group)), groups)


def drawn(seed: int, groups: int = 8, each: int = 60, spread: float = 0.6) -> tuple[Floats, NDArray[np.bool_], Membership, Floats]:
    rng = np.random.default_rng(seed)
    group = np.repeat(np.arange(groups), each)
    odds = rng.normal(-1.8, 0.7, groups * each)
    effects = rng.normal(0, spread, groups)
    return special.expit(odds), rng.random(len(odds)) < special.expit(odds + effects[group]), whole(group, groups), effects


def shrunk(expected: Floats, event: NDArray[np.bool_], members: Membership, cluster: NDArray[np.int64] | None = None) -> Shrunk:
    found = shrink(expected, event, members, np.arange(len(event)) if cluster is None else cluster, np.random.default_rng(0))
    assert isinstance(found, Shrunk)
    return found


def brute_force(expected: Floats, event: NDArray[np.bool_], group: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Mean and standard deviation of (first effect - second) / 2 and of the spread, by summing over a grid of all four unknowns."""
    odds = special.logit(expected)
    level, step = np.linspace(-1.2, 1.2, 49), np.linspace(-3.5, 3.5, 71)
    spreads = np.linspace(0.01, 2.5, 60)
    told = []
    for one in (0, 1):
        mine, y = odds[group == one], event[group == one]
        shift = level[:, None, None] + step[None, :, None] + mine
        told.append((y * shift - np.logaddexp(0, shift)).sum(axis=2))
    joint = told[0][:, :, None] + told[1][:, None, :]
    likelihood = np.exp(joint - joint.max()).sum(axis=0)
    weight = np.zeros_like(likelihood)
    by_spread = []
    for spread in spreads:
        density = np.exp(-0.5 * (step / spread) ** 2) / spread
        part = likelihood * density[:, None] * density * spread * np.exp(-0.5 * (spread / shrinkage.SPREAD_SCALE) ** 2)
        by_spread.append(part.sum())
        weight += part
    half = (step[:, None] - step) / 2
    weight /= weight.sum()
    mean = float((weight * half).sum())
    spread_mean = float(np.average(spreads, weights=by_spread))
    return np.array([mean, np.sqrt((weight * (half - mean) ** 2).sum())]), np.array([spread_mean])


def test_two_groups_come_out_as_by_integration_over_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shrinkage, "SLOPE_PRIOR", 1e-4)  # the brute force has no slope
    rng = np.random.default_rng(3)
    group = np.repeat([0, 1], 120)
    expected = np.full(240, 0.2)
    event = rng.random(240) < np.where(group == 0, 0.3, 0.14)
    found = shrunk(expected, event, whole(group, 2))
    (mean, deviation), _ = brute_force(expected, event, group)
    weights = found.expected * (1 - found.expected)
    share = weights[group == 1].sum() / weights.sum()
    first = 2 * share * mean  # beside the weighted average of both
    assert found.center[0] == pytest.approx(first, abs=0.03)
    assert found.deviation[0] == pytest.approx(2 * share * deviation, rel=0.06)


def test_effects_are_drawn_towards_none_and_the_more_the_less_a_group_tells() -> None:
    sizes = np.array([400, 400, 25, 25, 25, 200])
    group = np.repeat(np.arange(6), sizes)
    rate = np.array([0.3, 0.1, 0.3, 0.1, 0.2, 0.2])[group]
    event = np.concatenate([np.arange(n) < round(n * r) for n, r in zip(sizes, [0.3, 0.1, 0.3, 0.1, 0.2, 0.2], strict=True)])
    found = shrunk(np.full(len(group), rate.mean()), event, whole(group, 6))
    raw = special.logit([0.3, 0.1]) - special.logit(rate.mean())
    assert 0 < found.center[2] < found.center[0] < raw[0] + 0.1
    assert raw[1] - 0.1 < found.center[1] < found.center[3] < 0
    assert found.high[2] - found.low[2] > found.high[0] - found.low[0]


def test_expectations_are_put_right_so_that_they_add_up_to_what_came() -> None:
    expected, event, members, _ = drawn(7)
    odds = special.logit(expected)
    off = special.expit(odds.mean() - 0.7 + 1.6 * (odds - odds.mean()))
    found, same = shrunk(off, event, members), shrunk(expected, event, members)
    assert found.expected.sum() == pytest.approx(event.sum(), abs=1e-3)
    assert found.intercept.low > 0 and found.slope.high < 1
    assert found.center == pytest.approx(same.center, abs=0.08)


def test_a_renewal_held_half_by_each_tells_of_both_alike() -> None:
    expected, event, members, _ = drawn(9, groups=4)
    extra = 80
    expected, event = np.append(expected, np.full(extra, 0.15)), np.append(event, np.ones(extra, bool))
    units = np.arange(len(event) - extra, len(event))
    held = Membership(
        np.append(members.unit, np.repeat(units, 2)),
        np.append(members.group, np.tile([2, 3], extra)),
        np.append(members.share, np.full(2 * extra, 0.5)),
        4,
    )
    before = shrunk(expected[:-extra], event[:-extra], members)
    after = shrunk(expected, event, held)
    moved = after.center - before.center
    assert min(moved[2:]) > max(moved[:2])
    assert moved[2] == pytest.approx(moved[3], abs=0.25)


def test_the_order_of_groups_and_units_changes_nothing() -> None:
    expected, event, members, _ = drawn(11)
    order, names = np.random.default_rng(1).permutation(len(event)), np.random.default_rng(2).permutation(members.groups)
    one = shrunk(expected, event, members)
    other = shrunk(expected[order], event[order], whole(names[members.group[order]], members.groups))
    assert other.center[names] == pytest.approx(one.center, abs=1e-6)
    assert other.low[names] == pytest.approx(one.low, abs=1e-6)


def test_events_that_go_together_in_families_widen_every_interval() -> None:
    expected, event, members, _ = drawn(13, groups=6, each=40)
    family = np.arange(240)
    alone = shrunk(expected, event, members, family)
    odds, happened = np.repeat(expected, 3), np.repeat(event, 3)
    thrice = whole(np.repeat(members.group, 3), 6)
    together, apart = shrunk(odds, happened, thrice, np.repeat(family, 3)), shrunk(odds, happened, thrice)
    assert alone.cluster_factor == 1.0 and apart.cluster_factor == 1.0
    assert together.cluster_factor == pytest.approx(3.0, abs=0.4)
    assert ((together.high - together.low) > 1.2 * (apart.high - apart.low)).all()


def test_ranks_of_groups_that_are_alike_span_nearly_all_and_of_far_apart_ones_few() -> None:
    expected, event, members, _ = drawn(15, groups=6, each=80, spread=0.0)
    alike = shrunk(expected, event, members)
    assert (alike.rank_high - alike.rank_low >= 3).sum() >= 5
    group = np.repeat([0, 1, 2], 500)
    rng = np.random.default_rng(6)
    far = shrunk(np.full(1500, 0.3), rng.random(1500) < np.array([0.1, 0.3, 0.6])[group], whole(group, 3))
    assert far.rank_low.tolist() == far.rank_high.tolist() == [1, 2, 3]


def test_too_little_to_tell_is_said_and_not_made_up() -> None:
    expected, event, members, _ = drawn(17)
    few = event & (np.cumsum(event) <= 9)
    refused = shrink(expected, few, members, np.arange(len(event)), np.random.default_rng(0))
    assert refused == NoEstimate("only 9 of 480 units ended otherwise than the rest", "at least 10")
    alone = shrink(
        expected, event, replace(members, group=np.zeros_like(members.group), groups=1), np.arange(480), np.random.default_rng(0)
    )
    assert isinstance(alone, NoEstimate) and "only one group" in alone.reason


def test_the_same_input_gives_the_same_numbers_to_the_last_bit() -> None:
    expected, event, members, _ = drawn(19)
    one, other = (shrunk(expected, event, members) for _ in range(2))
    assert one.center.tobytes() == other.center.tobytes() and one.rank_low.tolist() == other.rank_low.tolist()
