"""Wilson's score interval against printed values.

Source: Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 3 (score without continuity correction).
"""

from __future__ import annotations

import pytest

from unspun.stats.proportion import wilson


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)]
)
def test_wilson_intervals_are_those_in_newcombes_table(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits / n, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("hits", "n", "low", "high"), [(182, 263, 0.6338, 0.7447), (20, 20, 0.8389, 1.0)])
def test_the_interval_of_the_other_outcome_is_the_mirror_image(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits / n, n) == pytest.approx((low, high), abs=5e-5)
