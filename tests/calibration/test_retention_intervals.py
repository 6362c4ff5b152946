"""Coverage of the intervals of GRR, NRR and logo retention, on simulated books whose true rates are known.

Accounts come in families (one in five has two to five accounts) that leave alike; ARR is log-normal. Bounds are exact binomial
ones on the 93 to 99 % that docs/explanation/retention.md states: an interval that keeps it fails once in a thousand seeds or less.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from unspun.book.retention.money import UNITS
from unspun.book.retention.ratios import kept_logos, kept_share, net_ratio
from unspun.stats.estimate import Estimate

BOOKS = 300
CONTRACTS, KEEPS_OF_IT, EXPANDS, GROWS_BY = 0.06, 0.675, 0.25, 1.425


@dataclass(frozen=True)
class Kind:
    families: int
    spread: float  # standard deviation of log ARR
    churn: float
    large_leave: float = 0.0  # how much the log of the churn rate rises with a standard deviation of log ARR


def simulate(kind: Kind, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Opening and closing ARR of the accounts, in ten-thousandths, and their families."""
    size = np.where(rng.random(kind.families) < 0.8, 1, rng.integers(2, 6, kind.families))
    family = np.repeat(np.arange(kind.families), size)
    count = len(family)
    log_size = rng.normal(0, 1, count)
    opening = np.exp(8 + kind.spread * log_size)
    churn = rng.beta(kind.churn * 4, (1 - kind.churn) * 4, kind.families)[family] * np.exp(kind.large_leave * log_size)
    leaves = rng.random(count) < churn
    factor = np.where(rng.random(count) < CONTRACTS, rng.uniform(0.4, 0.95, count), 1.0)
    factor = np.where(rng.random(count) < EXPANDS, rng.uniform(1.05, 1.8, count), factor)
    closing = np.where(leaves, 0, opening * factor)
    return np.rint(opening * UNITS).astype(np.int64), np.rint(closing * UNITS).astype(np.int64), family


def true_rates(kind: Kind) -> dict[str, float]:
    stays, shrinks = 1 - kind.churn, (1 - EXPANDS) * CONTRACTS * (1 - KEEPS_OF_IT)
    return {"logo": stays, "grr": stays * (1 - shrinks), "nrr": stays * (1 - shrinks + EXPANDS * (GROWS_BY - 1))}


def estimates(kind: Kind, rng: np.random.Generator) -> dict[str, object]:
    opening, closing, family = simulate(kind, rng)
    kept = np.minimum(opening, closing)
    return {"logo": kept_logos(closing > 0, family), "grr": kept_share(kept, opening, family), "nrr": net_ratio(closing, opening, family)}


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
