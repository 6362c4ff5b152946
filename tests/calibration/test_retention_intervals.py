"""Coverage of the intervals of GRR, NRR and logo retention, on simulated books whose true rates are known.

A part of benchmarks/retention_study.py. The least count of intervals that hold the truth is the exact binomial one for 93 %: an
interval that covers so much fails once in a thousand seeds or less.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from benchmarks.retention_study import Kind, estimates, simulate, true_rates
from unspun.book.retention.ratios import kept_share
from unspun.stats.estimate import Estimate

BOOKS = 300


@pytest.mark.parametrize("churn", [0.03, 0.12, 0.3])
@pytest.mark.parametrize(("families", "spread"), [(30, 0.8), (100, 0.8), (100, 1.3), (500, 1.3)])
def test_intervals_cover_the_true_rate_as_stated(families: int, spread: float, churn: float) -> None:
    kind, rng = Kind(families, spread, churn), np.random.default_rng(11)
    covered: dict[str, list[bool]] = {"logo": [], "grr": [], "nrr": []}
    for _ in range(BOOKS):
        for name, estimate in estimates(kind, rng).items():
            if isinstance(estimate, Estimate):
                covered[name].append(estimate.low <= true_rates(kind)[name] <= estimate.high)
    for name, hits in covered.items():
        least = stats.binom.ppf(0.001, len(hits), 0.93)
        assert sum(hits) >= least and len(hits) > BOOKS / 2, (name, kind, sum(hits) / len(hits))


def test_where_large_accounts_leave_far_more_often_the_intervals_cover_less_but_not_much() -> None:
    kind, rng = Kind(200, 0.8, 0.08, large_leave=0.5), np.random.default_rng(17)
    opening, closing, _ = simulate(Kind(400_000, 0.8, 0.08, large_leave=0.5), rng)
    true = np.minimum(opening, closing).sum() / opening.sum()
    assert true < true_rates(kind)["grr"] - 0.02
    found = [estimates(kind, rng)["grr"] for _ in range(BOOKS)]
    hits = [one.low <= true <= one.high for one in found if isinstance(one, Estimate)]
    assert sum(hits) >= stats.binom.ppf(0.001, len(hits), 0.90) and len(hits) == BOOKS


def test_a_book_is_estimated_alike_to_the_last_bit() -> None:
    one, other = (estimates(Kind(100, 0.8, 0.1), np.random.default_rng(3)) for _ in range(2))
    assert one == other and repr(one) == repr(other)


def test_accounts_of_one_family_tell_less_than_as_many_alone() -> None:
    opening, closing, family = simulate(Kind(100, 0.8, 0.2), np.random.default_rng(5))
    tripled = [np.repeat(values, 3) for values in (np.minimum(opening, closing), opening, family)]
    apart = [*tripled[:2], np.arange(len(tripled[0]))]
    together, alone = kept_share(*tripled), kept_share(*apart)
    assert isinstance(together, Estimate) and isinstance(alone, Estimate)
    assert together.high - together.low > 1.5 * (alone.high - alone.low)
