"""Benjamini-Hochberg against two libraries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from unspun.stats.multiplicity import benjamini_hochberg

# Thousandths, so that no p-value lies within rounding of a threshold q * i / m without being equal to it.
families = st.lists(st.integers(0, 1000).map(lambda k: (k + 0.5) / 1001), min_size=1, max_size=60).map(np.array)


@given(families, st.sampled_from([0.025, 0.05, 0.2]))
def test_rejections_are_those_of_statsmodels(p_values: np.ndarray, q: float) -> None:
    assert benjamini_hochberg(p_values, q).tolist() == multipletests(p_values, alpha=q, method="fdr_bh")[0].tolist()


@given(families, st.sampled_from([0.025, 0.05, 0.2]))
def test_rejections_are_those_of_scipys_adjusted_p_values(p_values: np.ndarray, q: float) -> None:
    assert benjamini_hochberg(p_values, q).tolist() == (stats.false_discovery_control(p_values) <= q).tolist()


def test_one_hypothesis_is_rejected_at_q_itself_and_an_empty_family_rejects_nothing() -> None:
    assert benjamini_hochberg(np.array([0.025]), 0.025).tolist() == [True]
    assert benjamini_hochberg(np.array([0.0251]), 0.025).tolist() == [False]
    assert benjamini_hochberg(np.array([]), 0.025).tolist() == []


@pytest.mark.parametrize("noise", [1, 10, 100])
def test_a_family_with_more_noise_in_it_rejects_no_more(noise: int) -> None:
    found = np.array([0.001, 0.004, 0.02])
    alone = benjamini_hochberg(found, 0.025)
    among = benjamini_hochberg(np.append(found, np.linspace(0.3, 1, noise)), 0.025)
    assert not (among[:3] & ~alone).any()
    assert not among[3:].any()
