"""Do values bunch just above a cut? A density test for scores, which are often whole numbers, heap, and repeat within accounts.

Values are counted in bins aligned to the cut. A log-linear (Poisson) density, polynomial in the distance from the cut, is fitted
around it together with one number: by what factor the bins just above are fuller, and those just below emptier, than the rest of
the curve says. The idea is McCrary's (Journal of Econometrics 142 (2008) 698-714); bins and a missing-mass contrast in place of kernels
are as in Chetty, Friedman, Olsen and Pistaferri (Quarterly Journal of Economics 126 (2011) 749-804). The variance is
clustered, and widened by what the same fit finds at cuts where nothing is at stake, since honest densities are lumpy too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from unspun.stats.estimate import LEVEL, Estimate, NoEstimate
from unspun.stats.stratified import BLOCK, clustered_variance

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bins = NDArray[np.int32]
METHOD = "local log-linear density on a grid, clustered, widened by placebo cuts"
STEPS = (100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
ON_STEP_SHARE = 0.995  # of values that lie on the grid of a step, for it to be the values' own
FINEST_PER_SD, NEAR_PER_SD = 25, 8  # bins are at least sd / 25 wide; just above is up to sd / 8
REACH, COARSE_REACH = 12, 6  # bins fitted to each side of the cut, where one or two bins count as near
MIN_BINS_A_SIDE = 3  # beside the near ones
MIN_NEAR_CLUSTERS = 20
MIN_PLACEBOS = 4
SMOOTH_WITHIN = 1.05  # an honest density may stray this far from the fitted curve; only more than that is tested for
HEAP_LOG_RATIO = 0.10  # of counts at round numbers to their neighbours', from which heaps are fitted
WIDEST_ERROR = 1.0  # of the log factor, above which nothing could be said
ITERATIONS = 30
FARTHEST = 1 << 30  # bins from a cut
RIDGE = 1e-6


@dataclass(frozen=True, slots=True)
class Bunching:
    """What lies within `near_width` above the cut, and what would if the density ran smoothly; the same below it.

    `ratio` is the factor by which the bins above are fuller (and those below emptier), `p` one-sided
    that it is not above SMOOTH_WITHIN.
    """

    cut: float
    near_width: float
    above: int
    above_expected: float
    below: int
    below_expected: float
    ratio: Estimate
    p: float


@dataclass(frozen=True, slots=True)
class Grid:
    """Bins aligned to a cut: `step` is the values' own grid, `width` a bin's, `near` how many bins count as just above."""

    step: float
    width: float
    near: int

    @property
    def reach(self) -> int:
        return COARSE_REACH if self.near == 1 else REACH

    @property
    def round_multiples(self) -> tuple[int, ...]:
        """Of how many bins the rounder numbers are multiples: 5 and 10 for ones, 2 (the tens) for fives."""
        if self.near > 1:
            return 5, 10
        return (2,) if f"{self.width:e}"[0] == "5" else (5,)


def own_step(values: Floats) -> float:
    """The largest usual step on whose multiples nearly all values lie; 0 where none fits."""
    for step in STEPS:
        if _lie_on(values, step):
            return step
    return 0.0


def _lie_on(values: Floats, step: float) -> bool:
    """Whether nearly all values lie on the grid of a step; stops as soon as too many do not."""
    off = 0
    for first in range(0, len(values), BLOCK):
        on_step = values[first : first + BLOCK] / step
        off += int((np.abs(on_step - np.rint(on_step)) >= 1e-6).sum())
        if (len(values) - off) / len(values) < ON_STEP_SHARE:
            return False
    return True


def choose_grid(values: Floats) -> Grid | None:
    """Bins for these values, None where they do not vary."""
    sd = float(values.std())
    if sd == 0.0 or not math.isfinite(sd):
        return None
    step = own_step(values)
    wide_enough = [width for width in reversed(STEPS) if width >= sd / FINEST_PER_SD and _is_multiple(width, step)]
    width = max(step, wide_enough[0]) if wide_enough else max(step, sd / FINEST_PER_SD)
    return Grid(step, width, 2 if sd / NEAR_PER_SD >= 1.5 * width else 1)


def find_bunching(
    values: Floats, cluster: NDArray[np.int32 | np.int64], cut: float, healthier: int, other_cuts: tuple[float, ...] = ()
) -> Bunching | NoEstimate:
    """Test whether values bunch on the healthier side of `cut`: at and above it (healthier = 1), or below it (-1).

    `values` and `cluster` have shape (n,); repeated values of one cluster count as one piece of evidence. `other_cuts` are
    left out where densities are fitted at cuts at which nothing is at stake.
    """
    grid = choose_grid(values)
    if grid is None:
        return NoEstimate("the score does not vary")
    edges = _turn([cut, *other_cuts], healthier, grid)
    bins = _bin(values, healthier, edges[0], grid.width)
    first, last = int(bins.min()) + 1, int(bins.max()) - 1  # values pile up at the ends of a scale
    if min(-first, last + 1) < grid.near + MIN_BINS_A_SIDE:
        return NoEstimate(
            f"fewer than {grid.near + MIN_BINS_A_SIDE} steps of the score lie on one side of {cut:g}", "a score with finer steps"
        )
    near = (bins >= -grid.near) & (bins < grid.near)
    near_clusters = len(np.unique(cluster[near]))
    if near_clusters < MIN_NEAR_CLUSTERS:
        return NoEstimate(f"values of only {near_clusters:,} accounts lie near {cut:g}", f"at least {MIN_NEAR_CLUSTERS}")
    counts = _count(bins, first, last)
    cuts = np.rint((np.array(edges) - edges[0]) / grid.width).astype(np.int64)
    return _measure(counts, first, bins, cluster, grid, cuts, _Place(cut, near_clusters - 1, edges[0] / grid.width))


@dataclass(frozen=True, slots=True)
class _Place:
    cut: float
    df: int
    cut_in_bins: float  # the cut, counted in bins from zero: which bins are round numbers


@dataclass(frozen=True, slots=True)
class _Fits:
    """One Poisson fit a row: the log factor, its model variance, the fitted counts and the inverse information."""

    log_factor: Floats
    variance: Floats
    fitted: Floats
    inverse: Floats


def _measure(
    counts: Ints, first: int, bins: Bins, cluster: NDArray[np.int32 | np.int64], grid: Grid, cuts: Ints, place: _Place
) -> Bunching | NoEstimate:
    at = _placebos(counts, first, grid, cuts)
    offsets = np.arange(-grid.reach, grid.reach)
    heaps = _heaps(counts, first, cuts, place.cut_in_bins, grid)
    design, n, used = _layout(counts, first, at, offsets, heaps, cuts, grid, place.cut_in_bins)
    fits = _fit(design, n, used)
    if not np.isfinite(fits.variance[0]) or fits.variance[0] <= 0:
        return NoEstimate(f"too few values lie around {place.cut:g} for a density to be fitted")
    robust = _robust_variance(design[0], fits, used[0], bins, cluster, grid.reach)
    design_effect = max(1.0, robust / float(fits.variance[0]))
    spread = max(
        _inflation(fits, design_effect, at, place.cut_in_bins, grid.round_multiples),
        _misfit(fits, n[0], used[0], design.shape[2], design_effect),
    )
    error = math.sqrt(robust) * spread
    factor = float(fits.log_factor[0])
    if not 0 < error < WIDEST_ERROR or abs(factor) > 3 * WIDEST_ERROR:
        return NoEstimate(f"too few values lie around {place.cut:g} for a density to be fitted")
    half = float(stats.t.ppf(0.5 + LEVEL / 2, place.df)) * error
    ratio = Estimate(math.exp(factor), math.exp(factor - half), math.exp(factor + half), METHOD, int(n[0] @ used[0]))
    contrast = design[0, :, -1]
    base = fits.fitted[0] / np.exp(contrast * factor)
    above, below = contrast > 0, contrast < 0
    return Bunching(
        place.cut,
        grid.near * grid.width,
        int(n[0][above].sum()),
        float(base[above].sum()),
        int(n[0][below].sum()),
        float(base[below].sum()),
        ratio,
        float(stats.t.sf((factor - math.log(SMOOTH_WITHIN)) / error, place.df)),
    )


def _is_multiple(width: float, step: float) -> bool:
    return step == 0.0 or abs(width / step - round(width / step)) < 1e-6


def _turn(cuts: list[float], healthier: int, grid: Grid) -> list[float]:
    """Cuts with the healthier side upwards; a turned cut belongs to the side below it."""
    return cuts if healthier > 0 else [grid.step - each for each in cuts]


def _bin(values: Floats, healthier: int, edge: float, width: float) -> Bins:
    """Bins of values turned so that the healthier side is upwards, counted from an edge; what is very far counts as FARTHEST."""
    bins = np.empty(len(values), dtype=np.int32)
    for first in range(0, len(values), BLOCK):
        part = slice(first, first + BLOCK)
        bins[part] = np.clip(np.floor((healthier * values[part] - edge) / width + 1e-6), -FARTHEST, FARTHEST)
    return bins


def _count(bins: Bins, first: int, last: int) -> Ints:
    """Values in each bin from the first to the last."""
    counts = np.zeros(last - first + 3, dtype=np.int64)
    for start in range(0, len(bins), BLOCK):
        counts += np.bincount(np.clip(bins[start : start + BLOCK] - first, -1, last - first + 1) + 1, minlength=len(counts))
    return counts[1:-1]


def _placebos(counts: Ints, first: int, grid: Grid, cuts: Ints) -> Ints:
    """The cut itself (0), and every bin edge with enough bins to each side whose near bins lie away from every cut's."""
    room = grid.near + MIN_BINS_A_SIDE
    edges = np.arange(first + room, first + len(counts) - room + 1)
    away = np.abs(edges[:, None] - cuts[None, :]).min(axis=1) >= 3 * grid.near
    full = _near_count(counts, first, edges, grid) >= 0.2 * _near_count(counts, first, np.zeros(1, dtype=np.int64), grid)
    return np.concatenate([[0], edges[away & full]])


def _near_count(counts: Ints, first: int, edges: Ints, grid: Grid) -> Ints:
    total = np.concatenate([[0], np.cumsum(counts)])
    low, high = (np.clip(edges + shift - first, 0, len(counts)) for shift in (-grid.near, grid.near))
    return total[high] - total[low]


def _heaps(counts: Ints, first: int, cuts: Ints, cut_in_bins: float, grid: Grid) -> tuple[int, ...]:
    """The multiples (in bins) at which values heap more or less than at their neighbours, away from the cuts."""
    place = np.arange(len(counts)) + first
    away = np.abs(place[:, None] + 0.5 - cuts[None, :]).min(axis=1) > 2 * grid.near
    found = []
    multiples = grid.round_multiples
    for i, multiple in enumerate(multiples):
        heap = _is_round(place, cut_in_bins, multiple) & away & (counts > 0)
        heap[[0, -1]] = False
        for rounder in multiples[i + 1 :]:
            heap &= ~_is_round(place, cut_in_bins, rounder)
        at = np.flatnonzero(heap)
        on, beside = float(counts[at].sum()), float((counts[at - 1] + counts[at + 1]).sum()) / 2
        if min(on, beside) > 0 and abs(math.log(on / beside)) > HEAP_LOG_RATIO + 2 * math.sqrt(1 / on + 1 / (2 * beside)):
            found.append(multiple)
    return tuple(found)


def _is_round(place: Ints, cut_in_bins: float, multiple: int) -> NDArray[np.bool_]:
    count = (place + cut_in_bins) / multiple
    return np.abs(count - np.rint(count)) < 1e-6


def _layout(
    counts: Ints, first: int, at: Ints, offsets: Ints, heaps: tuple[int, ...], cuts: Ints, grid: Grid, cut_in_bins: float
) -> tuple[Floats, Floats, Floats]:
    """Designs (fits, bins, columns) with the contrast last, counts (fits, bins), and which bins each fit uses (0 or 1).

    A fit elsewhere leaves out the bins near a cut, where values may bunch for cause.
    """
    place = at[:, None] + offsets[None, :]
    inside = (place >= first) & (place < first + len(counts))
    n = np.where(inside, counts[np.clip(place - first, 0, len(counts) - 1)], 0).astype(np.float64)
    elsewhere = at != 0
    near_cut = np.stack([np.abs(place + 0.5 - cut) < grid.near for cut in cuts[1:]] + [np.abs(place + 0.5) < grid.near], axis=2)
    near_cut[:, :, -1] &= elsewhere[:, None]
    x = (offsets + 0.5) / grid.reach
    contrast = np.where(np.abs(offsets + 0.5) < grid.near, np.sign(offsets + 0.5), 0.0)
    columns = [np.ones_like(x), x, x**2] + ([x**3, x**4, x**5] if grid.near == 1 else [x**3] if heaps else [])
    design = [np.broadcast_to(column, n.shape) for column in columns]
    design += [_is_round(place, cut_in_bins, multiple).astype(np.float64) for multiple in heaps]
    design.append(np.broadcast_to(contrast, n.shape))
    return np.stack(design, axis=2), n, (inside & ~near_cut.any(axis=2)).astype(np.float64)


def _fit(design: Floats, n: Floats, used: Floats) -> _Fits:
    """Poisson regressions by Newton's method, all at once; a slight ridge settles columns a fit has no bins for."""
    columns = design.shape[2]
    beta = np.zeros((len(n), columns))
    beta[:, 0] = np.log(np.maximum((n * used).sum(axis=1) / np.maximum(used.sum(axis=1), 1), 0.1))
    for _ in range(ITERATIONS):
        fitted, information = _expect(design, beta, used)
        step = np.linalg.solve(information, np.einsum("fbc,fb->fc", design, used * n - fitted)[:, :, None])[:, :, 0]
        beta += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    fitted, information = _expect(design, beta, used)
    inverse: Floats = np.asarray(np.linalg.inv(information), dtype=np.float64)
    return _Fits(beta[:, -1], inverse[:, -1, -1], fitted, inverse)


def _expect(design: Floats, beta: Floats, used: Floats) -> tuple[Floats, Floats]:
    """Fitted counts and information."""
    fitted = used * np.exp(np.clip(np.einsum("fbc,fc->fb", design, beta), -30, 30))
    return fitted, np.einsum("fbc,fb,fbd->fcd", design, fitted, design) + RIDGE * np.eye(design.shape[2])


def _robust_variance(design: Floats, fits: _Fits, used: Floats, bins: Bins, cluster: NDArray[np.int32 | np.int64], reach: int) -> float:
    """Clustered sandwich variance of the log factor at the cut, given how many values each cluster has around it."""
    inside = (bins >= -reach) & (bins < reach)
    expected = (fits.fitted[0] @ design) / fits.fitted[0].sum()
    influence = used * ((design - expected) @ fits.inverse[0, -1])
    return clustered_variance(influence, bins[inside] + reach, cluster[inside])


def _inflation(fits: _Fits, design_effect: float, at: Ints, cut_in_bins: float, multiples: tuple[int, ...]) -> float:
    """How much more the factor varies over placebo cuts than its standard error says; at least 1.

    Where the cut is a round number, the round placebo cuts are looked at by themselves too.
    """
    z = fits.log_factor[1:] / np.sqrt(np.maximum(fits.variance[1:], 1e-12) * design_effect)
    groups = [np.ones(len(z), dtype=bool)]
    groups += [_is_round(at[1:], cut_in_bins, multiple) for multiple in multiples if bool(_is_round(at[:1], cut_in_bins, multiple)[0])]
    spreads = [math.sqrt(float((z[group] ** 2).mean())) for group in groups if group.sum() >= MIN_PLACEBOS]
    return max([1.0, *spreads])


def _misfit(fits: _Fits, n: Floats, used: Floats, columns: int, design_effect: float) -> float:
    """How much more the bins around the cut stray from the fit than chance would have them: the root of Pearson's dispersion."""
    free = int(used.sum()) - columns
    if free < 1:
        return 1.0
    pearson = float((used * (n - fits.fitted[0]) ** 2 / np.maximum(fits.fitted[0], 0.5)).sum())
    return math.sqrt(max(1.0, pearson / free / design_effect))
