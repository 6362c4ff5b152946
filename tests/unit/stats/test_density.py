"""Bunching just above a cut: what is counted, on which scales, and when nobody can tell."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from unspun.stats.density import Bunching, choose_grid, find_bunching, own_step
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


def smooth(seed: int = 1, digits: int = 0, accounts: int = 200, each: int = 20) -> tuple[Floats, Ints]:
    """A normal density around 62 with a standard deviation of 15."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(accounts), each)
    z = 0.6 * rng.standard_normal(accounts)[account] + 0.8 * rng.standard_normal(len(account))
    return np.clip(62 + 15 * z, 0, 100).round(digits), account


def lift(value: Floats, account: Ints) -> Floats:
    """Two accounts in five have their values from 66 to 69 lifted to 70."""
    return np.where((account % 5 < 2) & (value >= 66) & (value < 70), 70, value)


@pytest.mark.parametrize(
    ("values", "step"),
    [([3, 7, 8, 10.0], 1.0), ([5, 15, 20, 25.0], 5.0), ([0.25, 0.5, 0.35], 0.05), ([10.1, 3.4, 7.0], 0.1), ([np.pi, np.e, 2**0.5], 0.0)],
)
def test_the_step_of_a_score_is_read_off_its_values(values: list[float], step: float) -> None:
    assert own_step(np.array(values)) == step


def test_bins_are_whole_steps_of_the_score() -> None:
    for digits, step in ((0, 1.0), (1, 0.1)):
        grid = choose_grid(smooth(digits=digits)[0])
        assert grid is not None
        assert (grid.step, grid.width, grid.near) == (step, 1.0, 2)
    fives = choose_grid(5 * (smooth()[0] / 5).round())
    assert fives is not None
    assert (fives.width, fives.near) == (5.0, 1)
    assert choose_grid(np.full(9, 50.0)) is None


def test_values_just_above_the_cut_are_counted_beside_what_the_curve_says() -> None:
    value, account = smooth()
    lifted = lift(value, account)
    found = find_bunching(lifted, account, 70, 1)
    assert isinstance(found, Bunching)
    assert found.above == ((lifted >= 70) & (lifted < 72)).sum()
    assert found.below == ((lifted >= 68) & (lifted < 70)).sum()
    truly = ((value >= 70) & (value < 72)).sum()
    assert abs(found.above_expected - truly) < 0.25 * truly  # the honest count, which the test never saw
    assert found.p < 1e-4
    assert found.ratio.low > 1.2


def test_a_smooth_density_shows_no_bunching_at_any_cut() -> None:
    value, account = smooth()
    for cut in range(45, 80, 5):
        found = find_bunching(value, account, cut, 1)
        assert isinstance(found, Bunching)
        assert found.p > 0.01
        assert found.ratio.low < 1.05


def test_scale_and_shift_change_nothing() -> None:
    value, account = smooth()
    lifted = lift(value, account)
    found, tenth, shifted = (
        find_bunching(values, account, cut, 1) for values, cut in ((lifted, 70), (lifted / 10, 7), (lifted + 100, 170))
    )
    assert isinstance(found, Bunching) and isinstance(tenth, Bunching) and isinstance(shifted, Bunching)
    assert tenth.ratio.point == pytest.approx(found.ratio.point)
    assert shifted.ratio.high == pytest.approx(found.ratio.high)


def test_where_lower_is_healthier_values_bunch_below_the_cut() -> None:
    value, account = smooth()
    lifted = lift(value, account)
    turned, cut = 100 - lifted, 31.0  # risk of 31 and more is the worse band; 30 is what was 70
    found, mirrored = find_bunching(turned, account, cut, -1), find_bunching(lifted, account, 70, 1)
    assert isinstance(found, Bunching) and isinstance(mirrored, Bunching)
    assert found.above == ((turned < 31) & (turned >= 29)).sum() == mirrored.above
    assert found.ratio.point == pytest.approx(mirrored.ratio.point)
    other_way = find_bunching(turned, account, cut, 1)
    assert isinstance(other_way, Bunching)
    assert other_way.p > 0.5


def test_values_repeated_within_accounts_are_not_taken_for_more_evidence() -> None:
    value, account = smooth(accounts=60, each=8)
    lifted = lift(value, account)
    once, often = find_bunching(lifted, account, 70, 1), find_bunching(np.repeat(lifted, 10), np.repeat(account, 10), 70, 1)
    assert isinstance(once, Bunching) and isinstance(often, Bunching)
    assert often.ratio.point == pytest.approx(once.ratio.point)
    assert often.ratio.low == pytest.approx(once.ratio.low, rel=0.05)


def test_heaps_at_round_numbers_are_not_bunching_at_one_of_them() -> None:
    value, account = smooth(each=40)
    rounded = np.random.default_rng(2).random(len(value)) < 0.3
    heaped = np.where(rounded, 10 * (value / 10).round(), value)
    found = find_bunching(heaped, account, 70, 1)
    assert isinstance(found, Bunching)
    assert found.above > 1.5 * ((value >= 70) & (value < 72)).sum()
    assert found.p > 0.01


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.full(500, 60.0), "does not vary"),
        (np.arange(500) % 3 + 69.0, "fewer than"),
        (np.where(np.arange(500) < 250, 10.0, 100.0) + np.arange(500) % 20, "only 0 accounts"),
    ],
)
def test_nobody_can_tell_without_steps_or_values_around_the_cut(values: Floats, why: str) -> None:
    found = find_bunching(values, np.arange(500), 70, 1)
    assert isinstance(found, NoEstimate)
    assert why in found.reason
