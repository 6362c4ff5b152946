"""Ratios of sums over accounts, with intervals that allow for accounts of one family and for a few large ones.

The variance is the larger of two: the linearised one of the ratio estimator summed by family (Cochran, Sampling Techniques, 1977,
ch. 6), and that of accounts which keep alike whatever their size, those of one family correlated: v ((1 - r) sum base_i^2 +
r sum base_g^2) / (sum base)^2, with v the mean square of kept_i / base_i - ratio and r its correlation within families (Kish, Survey
Sampling, 1965). The first misses the large account that did not leave but might have. Shares are Wilson intervals on the
effective number of accounts with t in place of z (Korn and Graubard, Survey Methodology 24 (1998) 193-201); NRR is t standard errors
either way, which missed less, and more evenly to both sides, than on the log scale. docs/explanation/retention.md has the numbers.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from unspun.book.tables import Floats, Ints
from unspun.book.terms.lines import Bools
from unspun.stats.estimate import LEVEL, Estimate, MaybeEstimate, NoEstimate
from unspun.stats.proportion import clustered_share

MIN_FAMILIES, MIN_LOGO_FAMILIES, MIN_EFFECTIVE, MIN_CHANGED = 20, 5, 5.0, 5
SHARE = "ratio of sums; Wilson on the effective number of accounts, families clustered, t"
NET = "ratio of sums; linearised, families clustered, t"


def kept_logos(kept: Bools, family: Ints) -> MaybeEstimate:
    """The share of accounts kept; one entry an account, `family` its top parent."""
    if len(kept) == 0:
        return NoEstimate("no customer at the opening", "a month in which there were customers so long before")
    count = count_families(family)
    return _too_few(count, MIN_LOGO_FAMILIES) if count < MIN_LOGO_FAMILIES else clustered_share(kept, family)


def told_apart(most: Estimate, least: Estimate, compared: int) -> bool:
    """Whether the best and the worst picked from `compared` shares differ beyond chance, at 5 % for all their pairs at once.

    The lower limit of a difference from the arms of two intervals (Zou and Donner, Statistics in Medicine 27 (2008) 1693-1702), the arms
    widened by Bonferroni over the pairs. Families with accounts in both parts are taken as apart, which errs to the careful side.
    """
    pairs = compared * (compared - 1) / 2
    wider = float(special.ndtri(1 - (1 - LEVEL) / 2 / pairs) / special.ndtri((1 + LEVEL) / 2))
    return most.point - least.point > wider * math.hypot(most.point - most.low, least.high - least.point)


def count_families(family: Ints) -> int:
    """How many top parents there are among these accounts."""
    return int((np.bincount(family) > 0).sum())


def kept_share(kept: Ints, base: Ints, family: Ints) -> MaybeEstimate:
    """sum kept / sum base, 0 <= kept <= base: GRR, or the ARR renewed of that due."""
    sums = _by_family(kept, base, family)
    if isinstance(sums, NoEstimate):
        return sums
    low, high = _wilson(sums.ratio, sums.effective(len(base)), sums.t)
    return Estimate(sums.ratio, low, high, SHARE, len(base))


def net_ratio(kept: Ints, base: Ints, family: Ints) -> MaybeEstimate:
    """sum kept / sum base, kept of any size: NRR."""
    sums = _by_family(kept, base, family)
    if isinstance(sums, NoEstimate):
        return sums
    changed = int((sums.kept != sums.base).sum())
    if changed < MIN_CHANGED or sums.ratio == 0:
        return NoEstimate(f"the ARR of only {changed} families changed", f"{MIN_CHANGED} that changed, and one that stayed")
    half = sums.t * math.sqrt(sums.variance)
    return Estimate(sums.ratio, max(0.0, sums.ratio - half), sums.ratio + half, NET, len(base))


class _Families:
    """Sums by family, in floats, their ratio and its variance. One entry an account, each with something in `base`."""

    def __init__(self, kept: Ints, base: Ints, family: Ints) -> None:
        held = np.bincount(family) > 0
        self.kept, self.base = (np.bincount(family, weights=values)[held].astype(np.float64) for values in (kept, base))
        self.ratio = int(kept.sum()) / int(base.sum())  # of exact sums, rounded once
        count, total = len(self.base), float(self.base.sum())
        rest = self.kept - self.ratio * self.base
        linear = _sum_of_squares(rest) / total**2
        self.concentration = _sum_of_squares(self.base) / total**2
        alone = _sum_of_squares(base.astype(np.float64)) / total**2
        spread, alike = _correlation(kept / base - self.ratio, family)
        modelled = spread * ((1 - alike) * alone + alike * self.concentration)
        small = count / max(count - 1, 1)
        self.linear, self.variance = small * linear, small * max(linear, modelled)
        self.t = float(special.stdtrit(max(count - 1, 1), 0.5 + LEVEL / 2))

    def effective(self, accounts: int) -> float:
        """How many accounts of one size would tell as much: at most all of them, at 0 and 1 what the sizes alone would give."""
        if self.ratio in (0.0, 1.0):
            return 1 / self.concentration
        whole = self.ratio * (1 - self.ratio)  # of an account that keeps all or nothing: none can vary more
        variance = max(self.linear, min(self.variance, whole * self.concentration))
        return float(accounts) if variance == 0 else min(float(accounts), whole / variance)


def _correlation(rest: Floats, family: Ints) -> tuple[float, float]:
    """The mean square of residuals, and how they correlate within families (0 to 1; 0 where no family has two accounts)."""
    squares = _sum_of_squares(rest)
    size = np.bincount(family).astype(np.float64)
    pairs = _sum_of_squares(size) - float(size.sum())
    sums = np.bincount(family, weights=rest).astype(np.float64)
    if pairs == 0 or squares == 0:
        return squares / len(rest), 0.0
    between = (_sum_of_squares(sums) - squares) / pairs
    return squares / len(rest), min(1.0, max(0.0, between / (squares / len(rest))))


def _sum_of_squares(values: Floats) -> float:
    """By addition in NumPy: a dot product is the linear algebra library's, whose last bits hang on its number of threads."""
    return float(np.square(values).sum())


def _by_family(kept: Ints, base: Ints, family: Ints) -> _Families | NoEstimate:
    paying = base > 0
    if not paying.any():
        return NoEstimate("no ARR at the opening", "a month in which accounts had ARR so long before")
    found = _Families(kept[paying], base[paying], family[paying])
    if len(found.base) < MIN_FAMILIES:
        return _too_few(len(found.base), MIN_FAMILIES)
    if 1 / found.concentration < MIN_EFFECTIVE:
        reason = f"a few accounts hold most of the ARR: it weighs as {1 / found.concentration:.1f} equal ones would"
        return NoEstimate(reason, f"ARR spread as over {MIN_EFFECTIVE:g} equal accounts at least")
    return found


def _too_few(count: int, least: int) -> NoEstimate:
    return NoEstimate(f"only {count} families of accounts (an account without a parent is one)", f"at least {least}")


def _wilson(share: float, n: float, t: float) -> tuple[float, float]:
    """Wilson's interval with t for z; n may be fractional."""
    t2 = t * t
    centre = (share + t2 / (2 * n)) / (1 + t2 / n)
    half = t * math.sqrt(share * (1 - share) / n + t2 / (4 * n * n)) / (1 + t2 / n)
    return max(0.0, centre - half), min(1.0, centre + half)
