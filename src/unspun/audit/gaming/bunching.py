"""Bunching just on the healthier side of a band's threshold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from unspun.audit.gaming.checks import Code, Finding, cannot_tell, first_rows
from unspun.audit.gaming.entries import Bools, Entries, Floats, Ints
from unspun.audit.result import GamingRow
from unspun.stats.density import Bunching, find_bunching
from unspun.stats.estimate import NoEstimate

CODE: Code = "bunching"
MEASURED = "by what factor the values just on the healthier side of the threshold are more than the curve around it says"
Found = tuple[float, Bunching | NoEstimate]


def check_bunching(entries: Entries, values: Floats, higher_is_healthier: bool, cuts: tuple[float, ...], why_no_cut: str = "") -> Finding:
    """Test each threshold. `values` are the score's own, parallel to `entries`; p is that of the clearest, times the thresholds."""
    if not cuts:
        why = NoEstimate(why_no_cut or "no band thresholds are known", "thresholds, declared, or a band beside the score")
        return cannot_tell(CODE, MEASURED, why, len(entries))
    used, whose = entries.people_only(entries.newly_set)
    values, cluster = values[used], entries.cluster[used]
    healthier = 1 if higher_is_healthier else -1
    found = [(cut, _test(values, cluster, cut, healthier, cuts)) for cut in cuts]
    tested = [each for _, each in found if isinstance(each, Bunching)]
    if not tested:
        return cannot_tell(CODE, MEASURED, next(each for _, each in found if isinstance(each, NoEstimate)), len(values))
    clearest = min(tested, key=lambda each: each.p)
    listed = tuple(_list(each, entries, used, values, healthier) for each in tested)
    return Finding(
        CODE,
        _say(clearest, len(values), whose, healthier),
        MEASURED,
        clearest.ratio,
        min(1.0, clearest.p * len(tested)),
        len(values),
        listed,
    )


def cuts_of_bands(values: Floats, band: Floats, higher_is_healthier: bool) -> tuple[tuple[float, ...], str]:
    """The thresholds between the file's own bands, read off the values in each; or why they cannot be.

    `band` is a rank, 0 the worst, NaN where not given. A threshold is the roundest number above all values of the band on its lower
    side and at or below all of the next.
    """
    given = np.isfinite(band) & np.isfinite(values)
    ranks = np.unique(band[given])
    if len(ranks) < 2:
        return (), "the bands beside the score are fewer than two"
    order = ranks if higher_is_healthier else ranks[::-1]
    ends = [(float(values[given & (band == rank)].min()), float(values[given & (band == rank)].max())) for rank in order]
    cuts = [_roundest(below[1], above[0]) for below, above in pairwise(ends) if below[1] < above[0]]
    return tuple(cuts), "" if cuts else "the bands beside the score overlap, so that no value of the score parts them"


def _roundest(below: float, at: float) -> float:
    """The number with the fewest digits in (below, at]."""
    for digits in range(-4, 12):
        scale = 10.0**digits
        cut = float(np.floor(at * scale + 1e-9) / scale)
        if cut > below:
            return cut
    return at


def _test(value: Floats, cluster: Ints, cut: float, healthier: int, cuts: tuple[float, ...]) -> Bunching | NoEstimate:
    return find_bunching(value, cluster, cut, healthier, tuple(other for other in cuts if other != cut))


def _near(found: Bunching, value: Floats, healthier: int) -> Bools:
    away = value - found.cut
    return (away >= -1e-9) & (away < found.near_width - 1e-9) if healthier > 0 else (away < -1e-9) & (away >= -found.near_width - 1e-9)


def _where(found: Bunching, healthier: int) -> str:
    other = found.cut + healthier * found.near_width
    low, high = min(found.cut, other), max(found.cut, other)
    return f"from {low:g} to under {high:g}"


def _list(found: Bunching, entries: Entries, used: Bools, value: Floats, healthier: int) -> GamingRow:
    listed = used.copy()
    listed[used] = _near(found, value, healthier)
    rows = first_rows(entries, np.flatnonzero(listed))
    return GamingRow(f"values {_where(found, healthier)}", found.above, found.above_expected, rows)


def _say(found: Bunching, n: int, whose: str, healthier: int) -> str:
    return (
        f"{found.above:,} of {n:,} values newly{whose or ' set'} lie {_where(found, healthier)}, on the "
        f"healthier side of {found.cut:g}; {found.above_expected:,.0f} would if the curve ran on through it. As far on the other "
        f"side lie {found.below:,}; {found.below_expected:,.0f} would."
    )
