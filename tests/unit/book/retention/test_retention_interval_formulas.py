"""The intervals of GRR and NRR are those of their formulas, worked out here account by account in plain Python."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from scipy import stats

from unspun.book.retention.ratios import kept_share, net_ratio
from unspun.stats.estimate import Estimate

Book = tuple[list[int], list[int], list[int]]


def book(seed: int, scale: float = 1.0) -> Book:
    """Kept, base and family of some accounts. Some keep all, some nothing, some a part, some (for NRR) more."""
    rng = np.random.default_rng(seed)
    family = np.sort(rng.integers(0, 40, 60))
    base = np.exp(rng.normal(8, scale, 60)).astype(int) * 10_000
    left = rng.random(40)[family] < 0.2  # families leave together
    kept = np.where(left, 0, (base * rng.choice([1.0, 1.0, 0.5], 60)).astype(int))
    return kept.tolist(), base.tolist(), family.tolist()


def parts(kept: Sequence[int], base: Sequence[int], family: Sequence[int]) -> tuple[float, float, float, float, int]:
    """Ratio, observed variance, modelled variance, sum of squared shares of families, number of families."""
    names, total, ratio = sorted(set(family)), sum(base), sum(kept) / sum(base)
    members = {name: [i for i, own in enumerate(family) if own == name] for name in names}
    count = len(names)
    small = count / (count - 1)
    observed = sum(sum(kept[i] - ratio * base[i] for i in own) ** 2 for own in members.values()) / total**2
    concentration = sum(sum(base[i] for i in own) ** 2 for own in members.values()) / total**2
    alone = sum(one**2 for one in base) / total**2
    rest = [k / b - ratio for k, b in zip(kept, base, strict=True)]
    spread = sum(one**2 for one in rest) / len(rest)
    products = [rest[i] * rest[j] for own in members.values() for i in own for j in own if i != j]
    alike = min(1.0, max(0.0, sum(products) / len(products) / spread)) if products else 0.0
    return ratio, small * observed, small * spread * ((1 - alike) * alone + alike * concentration), concentration, count


@pytest.mark.parametrize("seed", range(8))
def test_nrr_is_the_ratio_and_t_standard_errors_either_way(seed: int) -> None:
    kept, base, family = book(seed)
    kept = [one * (2 if at % 5 == 0 else 1) for at, one in enumerate(kept)]
    ratio, observed, modelled, _, count = parts(kept, base, family)
    half = stats.t.ppf(0.975, count - 1) * math.sqrt(max(observed, modelled))
    found = net_ratio(np.array(kept), np.array(base), np.array(family))
    assert isinstance(found, Estimate)
    assert (found.point, found.low, found.high) == pytest.approx((ratio, max(0.0, ratio - half), ratio + half), rel=1e-12)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["parts", "all or nothing"])
def test_grr_is_wilson_on_the_effective_number_of_accounts(seed: int, kind: str) -> None:
    kept, base, family = book(seed, 0.9)
    kept = kept if kind == "parts" else [b if k else 0 for k, b in zip(kept, base, strict=True)]
    ratio, observed, modelled, concentration, count = parts(kept, base, family)
    whole = ratio * (1 - ratio)
    variance = max(observed, min(max(observed, modelled), whole * concentration))
    n, t = min(len(base), whole / variance), stats.t.ppf(0.975, count - 1)
    ends = sorted(np.roots([1 + t**2 / n, -(2 * ratio + t**2 / n), ratio**2]).tolist())  # (p - ratio)^2 = t^2 p (1 - p) / n
    found = kept_share(np.array(kept), np.array(base), np.array(family))
    assert isinstance(found, Estimate)
    assert (found.point, found.low, found.high) == pytest.approx((ratio, *ends), rel=1e-9)


def test_nrr_is_never_below_nothing() -> None:
    base = np.full(30, 10_000)
    kept = np.where(np.arange(30) == 0, 30_000, 0)
    found = net_ratio(kept, base, np.arange(30))
    assert isinstance(found, Estimate) and found.low == 0.0 and found.high > found.point
