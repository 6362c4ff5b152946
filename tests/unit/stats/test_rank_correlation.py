"""Rank correlations are what SciPy gives each pair alone, and the tree joins what is alike."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from unspun.stats.rank_correlation import join_alike, spearman

Floats = NDArray[np.float64]


def columns(seed: int, n: int = 400) -> list[Floats]:
    """Correlated columns with ties, and four patterns of missing values."""
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=n)
    made = [shared * weight + rng.normal(size=n) for weight in (0, 1, -2, 3, 0.5, 1.5)]
    made[1], made[4] = made[1].round(), np.maximum(made[4].round(), 0)
    early = np.arange(n) < n // 3
    for at in (2, 3):
        made[at][early] = np.nan
    made[4][rng.random(n) < 0.3] = np.nan
    made[5][rng.random(n) < 0.5] = np.nan
    return made


@pytest.mark.parametrize("seed", range(3))
def test_every_pair_has_the_rho_that_scipy_gives_it_on_the_rows_that_both_have(seed: int) -> None:
    made = columns(seed)
    rho, shared = spearman(made)
    for i, one in enumerate(made):
        for j, other in enumerate(made):
            both = np.isfinite(one) & np.isfinite(other)
            assert shared[i, j] == both.sum()
            assert rho[i, j] == pytest.approx(float(np.asarray(stats.spearmanr(one[both], other[both]).statistic)), abs=1e-12)


def test_no_rho_is_made_up_where_a_column_does_not_vary_or_too_few_rows_are_shared() -> None:
    varied, constant = np.arange(6.0), np.ones(6)
    late, soon = np.array([np.nan] * 4 + [1, 2.0]), np.array([1.0, 2, 3] + [np.nan] * 3)
    rho, shared = spearman([varied, constant, late, soon], fewest=3)
    assert np.isnan(rho[1]).all()
    assert np.isnan(rho[2]).all() and shared[2].tolist() == [2, 2, 2, 0]
    assert rho[0, 3] == pytest.approx(1.0)


def test_columns_that_rank_alike_or_the_other_way_round_form_a_group() -> None:
    rng = np.random.default_rng(1)
    signal = rng.normal(size=300)
    made = [rng.normal(size=300), signal, rng.normal(size=300), -np.exp(signal), signal + 0.1 * rng.normal(size=300)]
    tree = join_alike(spearman(made)[0], 0.2)
    assert [sorted(group) for group in tree.groups] == [[1, 3, 4]]
    assert sorted(tree.order) == [0, 1, 2, 3, 4]
    first = tree.order.index(tree.groups[0][0])
    assert tree.order[first : first + 3] == tree.groups[0]  # side by side in the tree


def test_a_join_is_as_high_as_the_mean_distance_between_what_it_joins() -> None:
    rho = np.array([[1.0, 0.9, 0.5, 0.1], [0.9, 1, 0.7, -0.2], [0.5, 0.7, 1, 0.3], [0.1, -0.2, 0.3, 1]])
    tree = join_alike(rho, 0.2)
    heights = [height for *_, height in tree.joins]
    assert heights == pytest.approx([0.1, 1 - 0.6, 1 - (0.1 + 0.2 + 0.3) / 3])
    assert [last - first + 1 for first, last, _ in tree.joins] == [2, 3, 4]
    assert tree.groups == (tuple(at for at in tree.order if at in (0, 1)),)


def test_a_pair_without_a_rho_counts_as_unlike() -> None:
    rho = np.array([[1.0, np.nan], [np.nan, 1.0]])
    assert join_alike(rho, 0.2).groups == () and join_alike(rho, 0.2).joins[0][2] == 1.0
