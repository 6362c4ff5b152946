"""How the rate of an event runs along a value: flat, rising, falling, in one step, or with a turn; and how sure that is.

Everything rests on the event rates of up to ten bins of equal size and their clustered covariance; critical values come from seeded
draws around equal rates, which is where each null is hardest to tell from its alternative.

Sources: Simonsohn, Advances in Methods and Practices in Psychological Science 1 (2018) 538-555 (a turn is two slopes of opposite sign, each
significant, not a quadratic term); Robertson, Wright and Dykstra, Order Restricted Statistical Inference (1988) (distance to the
monotone cone: a vector inside the cone brings no draw further away than equal rates do).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.stats.concordance import Clusters, auc_of_squares
from unspun.stats.estimate import LEVEL, Estimate, NoEstimate
from unspun.stats.proportion import CLUSTERED_WILSON, wilson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
ShapeKind = Literal["rising", "falling", "threshold", "U", "inverted U", "flat", "cannot tell"]
SHAPE_KINDS: tuple[ShapeKind, ...] = ("rising", "falling", "threshold", "U", "inverted U", "flat", "cannot tell")

MOST_BINS = 10
CLUSTERS_PER_BIN = 10  # with the event, and without
MIN_CLUSTERS = 20  # of each kind, for any shape at all
MIN_BINS_FOR_STEP = 4  # with fewer, a step and a line hardly differ
ALPHA = 1 - LEVEL
NULL_DRAWS, SUPPORT_DRAWS = 1000, 500
FLAT_WITHIN = (0.40, 0.60)  # both ways of ranking by the value stay inside, intervals and all
EQUAL, RISING, FALLING, STEP_UP, STEP_DOWN, BOWL, HILL, OTHER = range(8)
METHOD = (
    "event rates of up to ten bins of equal size with their clustered covariance; equality by Hotelling's T squared, turns by two slopes "
    "of opposite sign, monotony by the distance to the nearest monotone rates, a step against a line and a curve by generalised least "
    f"squares; critical values at {ALPHA:.2f} from {NULL_DRAWS:,} draws, support from {SUPPORT_DRAWS:,}"
)


@dataclass(frozen=True, slots=True)
class BinRates:
    """Units and events of each bin, with the clustered covariance of the event rates. Shapes (bins,) and (bins, bins).

    `null_covariance` is what it would be if all bins had the same rate. Everything clustered is a quadratic form of three products over
    clusters: `pairs` holds those of events with events, of events with units, and of units with units, each (bins, bins).
    """

    n: Floats
    events: Floats
    pairs: tuple[Floats, Floats, Floats]
    held_by: Ints  # clusters with a unit in the bin
    covariance: Floats
    null_covariance: Floats
    clusters: Clusters

    @property
    def rate(self) -> Floats:
        """The share of units with the event, shape (bins,)."""
        return self.events / self.n

    def estimate(self, bins: slice) -> Estimate:
        """The rate of some neighbouring bins together: Wilson on the effective sample size, as stats.proportion has it.

        Of several bins the clusters are taken to be as many as the bin with the most has, which is at most what there are.
        """
        n, groups = float(self.n[bins].sum()), int(self.held_by[bins].max())
        share = float(self.events[bins].sum()) / n
        both, mixed, units = (float(product[bins, bins].sum()) for product in self.pairs)
        variance = groups / max(groups - 1, 1) * max(both - 2 * share * mixed + share**2 * units, 0.0) / n**2
        independent = 0.0 < share < 1.0 and groups > 1 and variance > 0
        effective = min(n, max(1.0, share * (1 - share) / variance)) if independent else float(groups)
        return Estimate(share, *wilson(share, effective), CLUSTERED_WILSON, int(n))


@dataclass(frozen=True, slots=True)
class RateShape:
    """The shape of the rates along the bins. `cut` is the first bin above the step, `cuts` all those that the data allow."""

    kind: ShapeKind
    rises: bool | None
    support: float
    p_flat: float
    p_monotone: float | None
    p_turns: float | None
    cut: int | None
    cuts: tuple[int, ...]


def place_in_bins(rank: Ints, clusters: Clusters) -> Ints:
    """Bin of each unit by its dense rank, 0 the lowest, none empty; ties share a bin, so that there may be fewer than wanted."""
    wanted = int(np.clip(min(clusters.with_event, clusters.without_event) // CLUSTERS_PER_BIN, 2, MOST_BINS))
    own = np.bincount(rank)
    middle = (np.cumsum(own) - own / 2) / len(rank)
    bin_of_rank = np.floor(middle * wanted).astype(np.int64)
    held = own > 0
    bin_of_rank[held] = np.unique(bin_of_rank[held], return_inverse=True)[1]
    return bin_of_rank[rank]


def bin_rates(position: Ints, event: Bools, cluster: Ints, clusters: Clusters) -> BinRates:
    """Rates by bin; `position` is each unit's bin, as place_in_bins gives it, and `cluster` small non-negative integers."""
    bins, groups = int(position.max()) + 1, int(cluster.max()) + 1
    cell = cluster * bins + position
    units, events = (np.bincount(cells, minlength=groups * bins).reshape(groups, bins).astype(np.float64) for cells in (cell, cell[event]))
    n, happened = units.sum(axis=0), events.sum(axis=0)
    pairs = events.T @ events, events.T @ units, units.T @ units
    overall = np.full(bins, happened.sum() / n.sum())
    return BinRates(
        n=n,
        events=happened,
        pairs=pairs,
        held_by=(units > 0).sum(axis=0),
        covariance=_covariance(pairs, n, happened / n, (happened + 0.5) / (n + 1), clusters.total),
        null_covariance=_covariance(pairs, n, overall, overall, clusters.total),
        clusters=clusters,
    )


def _covariance(pairs: tuple[Floats, Floats, Floats], n: Floats, rate: Floats, at_least: Floats, groups: int) -> Floats:
    """Of the rates: G/(G - 1) times the sum over clusters of the products of (events - rate * units) / n.

    No variance is less than that of independent units at the rate `at_least`.
    """
    both, mixed, units = pairs
    centred = both - mixed * rate - (mixed * rate).T + units * np.outer(rate, rate)
    found = centred / np.outer(n, n) * (groups / max(groups - 1, 1))
    floor = at_least * (1 - at_least) / n
    found[np.diag_indices_from(found)] = np.maximum(found.diagonal(), floor)
    return found


def find_shape(rates: BinRates, seed: int) -> RateShape | NoEstimate:
    """The shape at the house level, or why there is none: too few clusters on either side, or one value all through."""
    fewest = min(rates.clusters.with_event, rates.clusters.without_event)
    if fewest < MIN_CLUSTERS:
        which = "with" if rates.clusters.with_event == fewest else "without"
        return NoEstimate(f"{fewest} clusters {which} the event have a value, under {MIN_CLUSTERS}", f"{MIN_CLUSTERS - fewest} more")
    if len(rates.n) < 2:
        return NoEstimate("every unit has the same value", "values that differ")
    rule = _Rule(rates, seed)
    rate = rates.rate[None, :]
    found = int(rule.choose(rate)[0])
    support = rule.support(rate, found)
    cut = rule.best_cut(rate) if found in (STEP_UP, STEP_DOWN) else None
    return RateShape(
        kind=_kind(found, rates),
        rises={RISING: True, STEP_UP: True, FALLING: False, STEP_DOWN: False}.get(found),
        support=support,
        p_flat=rule.p_flat(rate),
        p_monotone=rule.p_monotone(rate),
        p_turns=rule.p_turns(rate),
        cut=cut,
        cuts=() if cut is None else rule.allowed_cuts(rate, cut),
    )


def _kind(found: int, rates: BinRates) -> ShapeKind:
    named: dict[int, ShapeKind] = {RISING: "rising", FALLING: "falling", STEP_UP: "threshold", STEP_DOWN: "threshold"}
    named |= {BOWL: "U", HILL: "inverted U", OTHER: "cannot tell"}
    if found != EQUAL:
        return named[found]
    along = np.arange(len(rates.n))
    return "flat" if all(_within(binned_auc(rates, way)) for way in (along, np.abs(2 * along - along[-1]))) else "cannot tell"


def _within(auc: Estimate) -> bool:
    return auc.low > FLAT_WITHIN[0] and auc.high < FLAT_WITHIN[1]


def binned_auc(rates: BinRates, risk: Ints) -> Estimate:
    """Concordance where every unit of a bin has the bin's risk, with its clustered interval."""
    score = np.greater.outer(risk, risk) + 0.5 * np.equal.outer(risk, risk)
    events, others = rates.events.sum(), rates.n.sum() - rates.events.sum()
    of_events, of_others = score @ (rates.n - rates.events) / others, score.T @ rates.events / events
    auc = float(rates.events @ of_events / events)
    of_unit = (of_others - auc) / others  # what each unit without the event adds, and how much more one with it does
    more = (of_events - auc) / events - of_unit
    both, mixed, units = rates.pairs
    squares = float(more @ both @ more + 2 * more @ mixed @ of_unit + of_unit @ units @ of_unit)
    return auc_of_squares(auc, max(squares, 0.0), rates.clusters, int(rates.n.sum()))


class _Rule:
    """The decision rule for one set of bins: fixed before any rates are looked at, so that draws can be judged by it as well."""

    def __init__(self, rates: BinRates, seed: int) -> None:
        self._bins = len(rates.n)
        self._freedom = min(rates.clusters.with_event, rates.clusters.without_event) - 1
        self._spread: Floats = np.asarray(np.linalg.cholesky(rates.covariance), dtype=np.float64)
        rng = np.random.default_rng(seed)
        normal = rng.standard_normal((NULL_DRAWS + SUPPORT_DRAWS, MOST_BINS))[:, : self._bins]
        heavy = np.sqrt(self._freedom / rng.chisquare(self._freedom, NULL_DRAWS + SUPPORT_DRAWS))
        draws = (normal * heavy[:, None]) @ self._spread.T
        self._null, self._support_draws = draws[:NULL_DRAWS], draws[NULL_DRAWS:]
        self._place: Floats = (np.cumsum(rates.n) - rates.n / 2) / rates.n.sum()
        self._weight: Floats = 1 / rates.covariance.diagonal()
        self._equal: Floats = _residual_form(rates.null_covariance, np.ones((self._bins, 1)))
        if self._bins > 2:
            self._lower, self._upper = _slopes(self._place, rates.n, rates.covariance)
        self._fits = _Fits(self._spread, self._place)
        self._set_limits()

    def _set_limits(self) -> None:
        """Critical values at the house level; the two kinds of turn share it."""
        self._null_rise, self._null_fall = _distance_to_rising(self._null, self._weight), _distance_to_rising(-self._null, self._weight)
        self._flat_limit = self._t_squared_limit()
        self._rise_limit, self._fall_limit = (float(np.quantile(null, 1 - ALPHA)) for null in (self._null_rise, self._null_fall))
        if self._bins > 2:
            self._set_turn_limits()
        if self._bins >= MIN_BINS_FOR_STEP:
            line, _, steps = self._fits(self._null)
            self._step_limit = float(np.quantile(line - steps.min(axis=1), 1 - ALPHA))
            self._poor_step = np.quantile(steps, 1 - ALPHA, axis=0)

    def _set_turn_limits(self) -> None:
        lower, upper = self._null @ self._lower, self._null @ self._upper
        self._null_slopes = tuple(side.max(axis=1) for side in (lower, -lower, upper, -upper))
        up_left, down_left, up_right, down_right = (float(np.quantile(side, 1 - ALPHA / 2)) for side in self._null_slopes)
        self._hill_limit, self._bowl_limit = max(up_left, down_right), max(down_left, up_right)

    def choose(self, rate: Floats) -> Ints:
        """The shape of each row of rates, by its code. Shape (rows,)."""
        unequal = self._t_squared(rate) > self._flat_limit
        rise, fall = _distance_to_rising(rate, self._weight), _distance_to_rising(-rate, self._weight)
        rises = rise <= fall
        monotone = np.where(rises, rise <= self._rise_limit, fall <= self._fall_limit)
        found = np.where(monotone, np.where(rises, RISING, FALLING), OTHER)
        found = np.where(self._steps(rate) & monotone, np.where(rises, STEP_UP, STEP_DOWN), found)
        if self._bins > 2:
            hill, bowl = self._turns(rate)
            for code, turns, turned in ((HILL, hill >= self._hill_limit, rate), (BOWL, bowl >= self._bowl_limit, -rate)):
                once = turns & unequal
                once[once] = self._turns_once(turned[once])
                found[turns] = OTHER
                found[once] = code
        found[~unequal] = EQUAL
        return found

    def support(self, rate: Floats, found: int) -> float:
        """The share of draws around the rates in which the same shape would be chosen."""
        drawn = rate + self._support_draws
        if found == EQUAL:
            return float((self._t_squared(drawn) <= self._flat_limit).mean())
        if found not in (HILL, BOWL, OTHER) and self._bins > 2:  # rates with a turn are then none of it, whichever they are
            hill, bowl = self._turns(drawn)
            straight = (hill < self._hill_limit) & (bowl < self._bowl_limit)
            return float((self.choose(drawn[straight]) == found).sum()) / len(drawn)
        return float((self.choose(drawn) == found).mean())

    def best_cut(self, rate: Floats) -> int:
        """The first bin above the step that fits best."""
        return int(self._fits(rate)[2][0].argmin()) + 1

    def allowed_cuts(self, rate: Floats, cut: int) -> tuple[int, ...]:
        """The cuts whose fit is no worse than the best one's than chance would make the true one's."""
        steps = self._fits(rate)[2][0]
        drawn = self._fits(self._null + self._fits.stepped(rate[0], cut))[2]
        limit = float(np.quantile(drawn[:, cut - 1] - drawn.min(axis=1), LEVEL))
        return tuple((np.flatnonzero(steps - steps.min() <= limit) + 1).tolist())

    def p_flat(self, rate: Floats) -> float:
        """Of all rates being equal."""
        terms, freedom = self._bins - 1, self._freedom
        return float(special.fdtrc(terms, freedom - terms + 1, self._t_squared(rate)[0] * (freedom - terms + 1) / (freedom * terms)))

    def p_monotone(self, rate: Floats) -> float | None:
        """Of rates that never turn, the better of the two directions."""
        if self._bins < 3:
            return None
        rise, fall = _distance_to_rising(rate, self._weight)[0], _distance_to_rising(-rate, self._weight)[0]
        return max(_share_beyond(self._null_rise, rise), _share_beyond(self._null_fall, fall))

    def p_turns(self, rate: Floats) -> float | None:
        """Of rates that never turn, against one turn of either kind."""
        if self._bins < 3:
            return None
        hill, bowl = (turn[0] for turn in self._turns(rate))
        up_left, down_left, up_right, down_right = self._null_slopes
        p_hill = max(_share_beyond(up_left, hill), _share_beyond(down_right, hill))
        p_bowl = max(_share_beyond(down_left, bowl), _share_beyond(up_right, bowl))
        return min(1.0, 2 * min(p_hill, p_bowl))

    def _t_squared(self, rate: Floats) -> Floats:
        return np.einsum("ij,jk,ik->i", rate, self._equal, rate)

    def _t_squared_limit(self) -> float:
        terms, freedom = self._bins - 1, self._freedom
        return float(special.fdtri(terms, freedom - terms + 1, 1 - ALPHA)) * freedom * terms / (freedom - terms + 1)

    def _turns(self, rate: Floats) -> tuple[Floats, Floats]:
        """How clearly the rates rise and then fall, and fall and then rise: the lesser of both slopes' z, at the best break."""
        lower, upper = rate @ self._lower, rate @ self._upper
        hill, bowl = np.minimum(lower, -upper), np.minimum(-lower, upper)
        return hill.max(axis=1), bowl.max(axis=1)

    def _turns_once(self, rate: Floats) -> Bools:
        """Whether rates that rise up to some bin and fall from then on are near enough, as they would be in truth at any one bin."""
        if not len(rate):
            return np.zeros(0, dtype=bool)
        limit = np.quantile(_distances_to_hills(self._null, self._weight), 1 - ALPHA, axis=0).max()
        return _distances_to_hills(rate, self._weight).min(axis=1) <= limit

    def _steps(self, rate: Floats) -> Bools:
        """Where one step fits better than a line, beyond what its one more parameter would do, better than a curve, and well enough."""
        if self._bins < MIN_BINS_FOR_STEP:
            return np.zeros(len(rate), dtype=bool)
        line, curve, steps = self._fits(rate)
        best = steps.argmin(axis=1)
        least = steps[np.arange(len(rate)), best]
        return (line - least > self._step_limit) & (least < curve) & (least <= self._poor_step[best])


class _Fits:
    """Generalised least squares distances of rates to a line, a quadratic curve, and a step at each cut."""

    def __init__(self, spread: Floats, place: Floats) -> None:
        bins = len(place)
        self._whiten: Floats = np.asarray(np.linalg.inv(spread), dtype=np.float64)
        ones = np.ones(bins)
        self._line, self._curve = (self._basis(np.stack(columns, axis=1)) for columns in ((ones, place), (ones, place, place**2)))
        self._above = [(np.arange(bins) >= cut).astype(np.float64) for cut in range(1, bins)]
        self._steps = [self._basis(np.stack((1 - above, above), axis=1)) for above in self._above]

    def __call__(self, rate: Floats) -> tuple[Floats, Floats, Floats]:
        """Distances to the line, the curve, and each step; the last has shape (rows, cuts)."""
        white = rate @ self._whiten.T
        total = np.square(white).sum(axis=1)

        def left(basis: Floats) -> Floats:
            return total - np.square(white @ basis).sum(axis=1)

        return left(self._line), left(self._curve), np.stack([left(basis) for basis in self._steps], axis=1)

    def stepped(self, rate: Floats, cut: int) -> Floats:
        """The rates as a step at a cut fits them."""
        above = self._above[cut - 1]
        columns = np.stack((1 - above, above), axis=1)
        levels = np.linalg.lstsq(self._whiten @ columns, self._whiten @ rate, rcond=None)[0]
        return columns @ levels

    def _basis(self, columns: Floats) -> Floats:
        return np.linalg.qr(self._whiten @ columns)[0]


def _residual_form(covariance: Floats, columns: Floats) -> Floats:
    """The quadratic form of the generalised least squares distance to the span of some columns."""
    inverse = np.linalg.inv(covariance)
    fitted = inverse @ columns
    return inverse - fitted @ np.linalg.solve(columns.T @ fitted, fitted.T)


def _slopes(place: Floats, n: Floats, covariance: Floats) -> tuple[Floats, Floats]:
    """For each inner bin as the break, which belongs to both sides: what to multiply rates by for the z of either side's slope."""

    def of(inside: Bools) -> Floats:
        weight = n * inside
        contrast = weight * (place - weight @ place / weight.sum())
        return contrast / np.sqrt(contrast @ covariance @ contrast)

    bins = np.arange(len(place))
    breaks = bins[1:-1]
    return np.stack([of(bins <= one) for one in breaks], axis=1), np.stack([of(bins >= one) for one in breaks], axis=1)


def _distance_to_rising(rate: Floats, weight: Floats) -> Floats:
    """Weighted squared distance of each row to the nearest rates that never fall, by the max-min formula. Shape (rows,)."""
    bins = len(weight)
    mass = np.cumsum(np.append(0.0, weight))
    sums = np.cumsum(np.concatenate([np.zeros((len(rate), 1)), rate * weight], axis=1), axis=1)
    fitted = np.full((bins, len(rate)), -np.inf)
    for first in range(bins):  # the mean of each run that begins here, then the least of those that reach at least so far
        means = (sums[:, first + 1 :] - sums[:, first, None]).T / (mass[first + 1 :] - mass[first])[:, None]
        least = np.minimum.accumulate(means[::-1], axis=0)[::-1]
        np.maximum(fitted[first:], least, out=fitted[first:])
    return weight @ np.square(rate.T - fitted)


def _distances_to_hills(rate: Floats, weight: Floats) -> Floats:
    """The same to rates that rise in the first so many bins and fall in the others. Shape (rows, bins - 1)."""
    tops = range(1, len(weight))
    return np.stack(
        [_distance_to_rising(rate[:, :top], weight[:top]) + _distance_to_rising(-rate[:, top:], weight[top:]) for top in tops], axis=1
    )


def _share_beyond(null: Floats, seen: float) -> float:
    """Monte Carlo p: never 0, as the seen one counts among the draws."""
    return (1 + float((null >= seen - 1e-12).sum())) / (1 + len(null))
