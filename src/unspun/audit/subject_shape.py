"""The shape of churn along a subject's value, from the units of its trial, and in words."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from unspun.audit.evidence_result import Shape, ShapeBin, ShapeCut
from unspun.audit.trial import Trial
from unspun.audit.wording import percent
from unspun.book.tables import ScoreSeries
from unspun.stats.concordance import Clusters, count_clusters
from unspun.stats.estimate import NoEstimate
from unspun.stats.shape import FLAT_WITHIN, METHOD, BinRates, RateShape, bin_rates, find_shape, place_in_bins

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Say = Callable[[float], str]


def shape_of(trial: Trial, series: ScoreSeries, seed: int) -> Shape | NoEstimate:
    """The shape on all eligible units that have a value, training and test. `seed` is of the draws behind critical values."""
    scored, units = trial.scored, trial.frame.units
    event, cluster = units.churned[scored], units.cluster[scored]
    if not len(event):
        return NoEstimate("no eligible unit has a value", "values known on the days looked at")
    rank = trial.rank[scored].astype(np.int64)
    rank = rank if trial.sign > 0 else rank.max() - rank  # by value, not by risk
    clusters = count_clusters(event, cluster) if event.any() else Clusters(len(np.unique(cluster)), 0, len(np.unique(cluster)))
    position = place_in_bins(rank, clusters)
    rates = bin_rates(position, event, cluster, clusters)
    found = find_shape(rates, seed)
    if isinstance(found, NoEstimate):
        reason = found.reason.replace("with the event", f"that {units.words.lost}").replace("without the event", f"that {units.words.kept}")
        return NoEstimate(reason, found.what_it_would_take)
    bins = _bins(trial.value[scored], rank, position, rates)
    cut = _cut(found, bins, rates)
    return Shape(
        kind=found.kind,
        rises=found.rises,
        sentence=_sentence(found, bins, cut, _say_value(series), units.words.loss.capitalize()),
        support=found.support,
        bins=bins,
        cut=cut,
        p_flat=found.p_flat,
        p_monotone=found.p_monotone,
        p_turns=found.p_turns,
        n=len(event),
        n_churned=int(event.sum()),
        method=METHOD,
    )


def _bins(value: Floats, rank: Ints, position: Ints, rates: BinRates) -> tuple[ShapeBin, ...]:
    """Values and bins rise with the ranks, so that a bin's ends are the values of its first and its last rank."""
    ranks = int(rank.max()) + 1
    value_of, bin_of = np.empty(ranks), np.empty(ranks, dtype=np.int64)
    value_of[rank], bin_of[rank] = value, position
    first = np.flatnonzero(np.diff(bin_of, prepend=-1))
    last = np.append(first[1:], ranks) - 1
    ends = zip(value_of[first].tolist(), value_of[last].tolist(), rates.n.tolist(), rates.events.tolist(), strict=True)
    return tuple(ShapeBin(low, high, int(n), int(lost), rates.estimate(slice(at, at + 1))) for at, (low, high, n, lost) in enumerate(ends))


def _cut(found: RateShape, bins: tuple[ShapeBin, ...], rates: BinRates) -> ShapeCut | None:
    """The step may lie inside either bin beside an allowed cut, so the span reaches to their far ends."""
    if found.cut is None:
        return None
    return ShapeCut(
        below=bins[found.cut - 1].high,
        above=bins[found.cut].low,
        low=bins[min(found.cuts) - 1].low,
        high=bins[max(found.cuts)].high,
        rate_below=rates.estimate(slice(0, found.cut)),
        rate_above=rates.estimate(slice(found.cut, None)),
    )


def _sentence(found: RateShape, bins: tuple[ShapeBin, ...], cut: ShapeCut | None, say: Say, loss: str) -> str:
    """The shape in words, claiming no more than its kind does."""
    least, most = _at(bins[0], say), _at(bins[-1], say)
    if cut is not None:
        way = "up" if found.rises else "down"
        between = (
            f"between {say(cut.below)} and {say(cut.above)}: {percent(cut.rate_below.point)} below, {percent(cut.rate_above.point)} above"
        )
        return f"{loss} steps {way} {between}; the step may lie anywhere from {say(cut.low)} to {say(cut.high)}."
    if found.kind in ("rising", "falling"):
        ways = "rises" if found.kind == "rising" else "falls"
        return f"{loss} {ways} with the value: {least}, {most}."
    if found.kind in ("U", "inverted U"):
        pick, how = (min, "lowest") if found.kind == "U" else (max, "highest")
        middle = _at(pick(bins[1:-1], key=lambda one: one.rate.point), say)
        return f"{loss} is {how} between the ends: {least}, {middle}, {most}."
    if found.kind == "flat":
        return f"{loss} is about the same all along: from the low end or from the middle, it is ranked no better than {FLAT_WITHIN[1]:.2f}."
    if found.p_flat > 0.05:
        return (
            f"Whether {loss.lower()} runs along the value cannot be told: equal rates fit (p = {found.p_flat:.2f}), and so do unequal ones."
        )
    return f"{loss} is not the same all along (p {_p(found.p_flat)}), but neither runs one way nor turns just once."


def _at(one: ShapeBin, say: Say) -> str:
    where = say(one.low) if one.low == one.high else f"{say(one.low)} to {say(one.high)}"
    return f"{percent(one.rate.point)} at {where}"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"= {value:.3f}"


def _say_value(series: ScoreSeries) -> Say:
    """A band by its name, a number to three digits (whole from 1,000 on)."""
    if series.bands:
        return lambda value: series.bands[round(value)]
    return lambda value: f"{value:,.0f}" if abs(value) >= 1000 or value == round(value) else f"{value:.3g}"
