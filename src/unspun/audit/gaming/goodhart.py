"""The Goodhart gap: the score rises while the outcome it stands for does not.

After Goodhart 1975 and Strathern 1997: a measure that becomes a target ceases to be a good measure.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from unspun.audit.gaming.checks import Code, Finding, cannot_tell
from unspun.audit.gaming.entries import quarter
from unspun.audit.result import GamingPoint
from unspun.audit.units import Units
from unspun.audit.vocabulary import Vocabulary
from unspun.stats.estimate import LEVEL, Estimate, NoEstimate
from unspun.stats.proportion import clustered_share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
CODE: Code = "goodhart_gap"
MEASURED = "by how much a year the share kept falls behind what the score's own relation to it, fitted in the early half, says"
METHOD = "trend of residuals, linear; t, clustered by account or parent and by quarter"
MIN_QUARTERS, MIN_EARLY_CHURNED = 6, 20
MIN_SLOPE_Z = 2.0  # of the score's relation to the outcome in the early half, for it to imply anything
QUARTERS_A_YEAR = 4.0


@dataclass(frozen=True, slots=True)
class _Trend:
    """A slope a quarter with its standard error."""

    slope: float
    error: float

    @property
    def z(self) -> float:
        return self.slope / self.error if self.error > 0 else 0.0


def check_goodhart(units: Units, health: Floats, words: Vocabulary) -> Finding:
    """Units in order of the day they are looked at, with their score as known then (higher is healthier, NaN where none).

    Evidence needs both: the score's trend is upward, and the trend of what became of the units, less what the score implied, is
    downward. The larger of the two one-sided p counts.
    """
    scored = np.isfinite(health)
    when = quarter(units.as_of[scored].astype(np.int32))
    kept = ~units.churned[scored]
    score = health[scored]
    cluster = np.unique(units.cluster[scored], return_inverse=True)[1] if scored.any() else when
    early = when < _middle(when, ~kept)
    quarters = len(np.unique(when))
    why = _why_not(quarters, int((early & ~kept).sum()), score, words)
    if why is not None:
        return cannot_tell(CODE, MEASURED, why, len(score))
    standard = (score - score[early].mean()) / (score[early].std() or 1.0)
    relation, gap = _fit_gap(standard, kept.astype(np.float64), when.astype(np.float64), early, cluster, when)
    series = _curves(units, scored, when, score, kept, cluster, relation[0] + relation[1] * standard)
    if relation[2] < MIN_SLOPE_Z:
        reason = f"in the early half the score had no clear relation to who {words.kept}, so that its rise implies nothing"
        return cannot_tell(CODE, MEASURED, NoEstimate(reason, "a score that foretells, or more early data"), len(score), series)
    rise = _slope(standard, when.astype(np.float64), cluster, when)
    df = quarters - 2
    p = max(float(stats.t.sf(rise.z, df)), float(stats.t.cdf(gap.z, df)))
    half = float(stats.t.ppf(0.5 + LEVEL / 2, df)) * gap.error
    low, high = ((gap.slope + shift) * QUARTERS_A_YEAR for shift in (-half, half))
    estimate = Estimate(gap.slope * QUARTERS_A_YEAR, low, high, METHOD, len(score))
    return Finding(CODE, _say(rise, estimate, quarters, words), MEASURED, estimate, p, len(score), (), series)


def _why_not(quarters: int, early_churned: int, score: Floats, words: Vocabulary) -> NoEstimate | None:
    if quarters < MIN_QUARTERS:
        return NoEstimate(f"units with a score fall in {quarters} quarters only", f"units in at least {MIN_QUARTERS} quarters")
    if early_churned < MIN_EARLY_CHURNED:
        return NoEstimate(
            f"only {early_churned:,} units with a score {words.lost} in the early half", f"at least {MIN_EARLY_CHURNED} of them"
        )
    if score.std() == 0:
        return NoEstimate("the score does not vary")
    return None


def _middle(when: Ints, churned: NDArray[np.bool_]) -> int:
    """The first quarter of the late half: the halves hold about as many churned units."""
    if not churned.any():
        return 0
    return int(np.median(when[churned])) or 1


def _fit_gap(
    x: Floats, y: Floats, t: Floats, early: NDArray[np.bool_], cluster: Ints, when: Ints
) -> tuple[tuple[float, float, float], _Trend]:
    """Intercept, slope and slope's z of y on x in the early half; and the trend of y less that line over all quarters.

    The trend's error carries that of the line: influence functions of both steps are added.
    """
    design = np.stack([np.ones_like(x), x], axis=1)
    inverse = np.linalg.inv(design[early].T @ design[early])
    line = inverse @ (design[early].T @ y[early])
    residual = y - design @ line
    line_influence = np.where(early[:, None], (design @ inverse) * residual[:, None], 0.0)
    slope_error = math.sqrt(_variance(line_influence[:, 1], cluster, when))
    centred = t - t.mean()
    spread = float(centred @ centred)
    trend = float(centred @ residual) / spread
    left = residual - residual.mean() - trend * centred
    influence = centred * left / spread - line_influence @ (centred @ design / spread)
    error = math.sqrt(_variance(influence, cluster, when))
    return (float(line[0]), float(line[1]), float(line[1]) / slope_error if slope_error > 0 else 0.0), _Trend(trend, error)


def _slope(x: Floats, t: Floats, cluster: Ints, when: Ints) -> _Trend:
    centred = t - t.mean()
    spread = float(centred @ centred)
    slope = float(centred @ x) / spread
    return _Trend(slope, math.sqrt(_variance(centred * (x - x.mean() - slope * centred) / spread, cluster, when)))


def _variance(influence: Floats, cluster: Ints, when: Ints) -> float:
    """Of a sum of influences: the larger of the variance clustered by account and that clustered by account and quarter."""
    of_cluster, of_quarter = (_one_way(influence, codes) for codes in (cluster, when))
    return max(of_cluster, of_quarter, of_cluster + of_quarter - float(influence @ influence))


def _one_way(influence: Floats, codes: Ints) -> float:
    groups = int((np.bincount(codes) > 0).sum())
    sums = np.bincount(codes, weights=influence)
    return groups / max(groups - 1, 1) * float(sums @ sums)


def _curves(
    units: Units, scored: NDArray[np.bool_], when: Ints, score: Floats, kept: NDArray[np.bool_], cluster: Ints, implied: Floats
) -> tuple[GamingPoint, ...]:
    """Per quarter in which units were looked at: their mean score, what became of them, and what the score implied."""
    first = units.as_of[scored].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3
    points = []
    for number in np.unique(when).tolist():
        here = when == number
        name = int(first[here][0])
        share = clustered_share(kept[here], np.unique(cluster[here], return_inverse=True)[1])
        mean = min(1.0, max(0.0, float(implied[here].mean())))
        points.append(GamingPoint(f"{1970 + name // 4}-Q{name % 4 + 1}", int(here.sum()), float(score[here].mean()), share, mean))
    return tuple(points)


def _say(rise: _Trend, gap: Estimate, quarters: int, words: Vocabulary) -> str:
    way = "rose" if rise.slope > 0 else "fell"
    return (
        f"Over {quarters} quarters the score of the units looked at {way} by {abs(rise.slope) * QUARTERS_A_YEAR:.2f} of its standard "
        f"deviation a year. Against what it implied, the share that {words.kept} changed by {gap.point * 100:+.1f} points a year "
        f"({gap.low * 100:+.1f} to {gap.high * 100:+.1f})."
    )
