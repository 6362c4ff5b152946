"""Benjamini and Hochberg's own worked example.

Source: Benjamini and Hochberg, JRSS B 57 (1995) 289-300, section 4.1: fifteen comparisons of rt-PA with APSAC
thrombolysis after myocardial infarction (Neuhaus and others 1992).
"""

from __future__ import annotations

import numpy as np

from unspun.stats.multiplicity import benjamini_hochberg

P_VALUES = np.array(
    [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.0000]
)


def test_four_of_the_fifteen_thrombolysis_comparisons_are_rejected_at_5_percent() -> None:
    assert benjamini_hochberg(P_VALUES, 0.05).tolist() == [True] * 4 + [False] * 11


def test_bonferroni_would_have_rejected_three_of_them() -> None:
    assert int((P_VALUES <= 0.05 / 15).sum()) == 3
    assert benjamini_hochberg(P_VALUES, 0.05).sum() > 3


def test_the_order_in_which_the_comparisons_are_listed_does_not_matter() -> None:
    shuffled = np.random.default_rng(1).permutation(15)
    assert benjamini_hochberg(P_VALUES[shuffled], 0.05).tolist() == (P_VALUES[shuffled] <= 0.0095).tolist()
