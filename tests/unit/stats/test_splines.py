"""Grids and tables of additive terms."""

from __future__ import annotations

import numpy as np
import pytest

from unspun.stats.splines import BASES, STEPS, Scale, centred, choose_scale, curve_table, line_table


def _scale(values: np.ndarray) -> Scale:
    found = choose_scale(values)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def amounts() -> np.ndarray:
    return np.exp(np.random.default_rng(0).normal(8, 1.5, 5_000))


def test_a_value_and_the_middle_of_its_step_are_close_on_the_scale(amounts: np.ndarray) -> None:
    scale = _scale(amounts)
    inside = amounts[(amounts > scale.values()[0]) & (amounts < scale.values()[-1])]
    apart = np.arcsinh((scale.values()[scale.place(inside)] - scale.centre) / scale.spread) - np.arcsinh(
        (inside - scale.centre) / scale.spread
    )
    assert np.abs(apart).max() <= (scale.high - scale.low) / (STEPS - 1) / 2 + 1e-9


def test_values_beyond_the_ends_and_infinite_ones_have_the_outer_steps(amounts: np.ndarray) -> None:
    scale = _scale(amounts)
    assert scale.place(np.array([-1e12, 1e12, np.inf, -np.inf])).tolist() == [0, STEPS - 1, STEPS - 1, 0]


def test_a_flag_has_two_steps_and_a_constant_none() -> None:
    flag = _scale(np.array([0.0, 1.0, 1.0, np.nan]))
    assert flag.place(np.array([0.0, 1.0])).tolist() == [0, 1]
    assert choose_scale(np.array([3.0, 3.0, np.nan])) is None
    assert choose_scale(np.array([np.nan])) is None


def test_a_value_that_nearly_all_rows_share_leaves_the_others_apart() -> None:
    values = np.zeros(1_000)
    values[:3] = [5.0, 9.0, 2.0]
    assert len(set(_scale(values).place(values).tolist())) == 4


def test_the_line_has_mean_0_and_variance_1_and_the_curve_neither_constant_nor_line(amounts: np.ndarray) -> None:
    scale = _scale(amounts)
    counts = np.bincount(scale.place(amounts), minlength=STEPS).astype(np.float64)
    line, curve = line_table(scale, counts), curve_table(scale, counts)
    assert curve.shape == (STEPS, BASES - 2)
    share = counts / counts.sum()
    assert share @ line == pytest.approx(0.0, abs=1e-12)
    assert share @ line**2 == pytest.approx(1.0)
    assert share @ curve == pytest.approx(np.zeros(BASES - 2), abs=1e-10)
    assert (share * line[:, 0]) @ curve == pytest.approx(np.zeros(BASES - 2), abs=1e-10)
    assert (share @ curve**2).sum() == pytest.approx(1.0)


def test_line_and_curve_together_hold_every_parabola() -> None:
    scale = Scale(0.0, 1e6, -1e-6, 1e-6, STEPS)  # as good as a straight scale
    counts = np.ones(STEPS)
    design = np.hstack([np.ones((STEPS, 1)), line_table(scale, counts), curve_table(scale, counts)])
    wanted = np.linspace(-1, 1, STEPS) ** 2
    assert design @ np.linalg.lstsq(design, wanted, rcond=None)[0] == pytest.approx(wanted, abs=1e-9)


def test_a_centred_table_adds_nothing_on_average() -> None:
    counts = np.array([3.0, 1.0, 0.0])
    table = centred(np.array([[1.0], [5.0], [9.0]]), counts)
    assert counts @ table == pytest.approx(0.0)
    assert table[2, 0] == 7.0
