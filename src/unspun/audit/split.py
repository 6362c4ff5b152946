"""The out-of-time split: test on the latest units, train on what was known before the first of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.audit.protocol import TEST_SHARE_OF_CHURNED
from unspun.audit.units import Units
from unspun.stats.estimate import NoEstimate

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Parts:
    """Masks over units. Units in neither were before the cut, but their outcome was not known when the test began."""

    cut: int  # the first test as-of date, days since 1970-01-01
    train: Bools
    test: Bools


def split_units(units: Units) -> Parts | NoEstimate:
    """Cut at the latest as-of date from which on at least 40 % of the churned units lie."""
    churned_total = int(units.churned.sum())
    if not churned_total:
        return NoEstimate(f"no eligible unit {units.words.lost}", units.words.losses)
    days, churned_by_day = np.unique(units.as_of[units.churned], return_counts=True)
    from_day_on = np.cumsum(churned_by_day[::-1])[::-1]
    cut = int(days[np.flatnonzero(from_day_on >= TEST_SHARE_OF_CHURNED * churned_total - 1e-9)[-1]])
    test = units.as_of >= cut
    return Parts(cut, ~test & (units.known_on < cut), test)
