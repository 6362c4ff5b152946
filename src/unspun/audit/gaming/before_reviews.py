"""Values raised by hand in the days before reviews."""

from __future__ import annotations

from datetime import date

import numpy as np

from unspun.audit.gaming.checks import SHOWN_ROWS, Code, Finding, cannot_tell, times
from unspun.audit.gaming.entries import Bools, Days, Entries, Ints, quarter, week
from unspun.audit.protocol import REVERT_DAYS, REVIEW_DAYS
from unspun.audit.result import GamingRow
from unspun.stats.estimate import NoEstimate
from unspun.stats.stratified import Excess, excess_events

CODE: Code = "before_reviews"
MEASURED = "how many times as frequent raising overrides are on a weekday before a review as on another weekday"
MIN_REVIEWS = 5
LISTED_REVIEWS = 8


def check_before_reviews(entries: Entries, reviews: tuple[date, ...], file_row: Ints) -> Finding:
    """Raising overrides must be more frequent before reviews, and overrides must go up more often there, for evidence.

    Overrides are changes set by people; where the file does not tell who set a value, changes undone within REVERT_DAYS.
    """
    overrides, what = _overrides(entries)
    day, raised, cluster = entries.set_on[overrides], (entries.change > 0)[overrides], entries.cluster[overrides]
    if not len(day):
        why = NoEstimate(f"the score holds no overrides ({what})", "a column that says who set each value (set_by)")
        return cannot_tell(CODE, MEASURED, why, len(entries))
    on, stand_in = _review_days(day, reviews)
    before = _precedes(day, on)
    frequency = _frequency(day, raised, on)
    direction = excess_events(raised, before, quarter(day), (week(day), cluster), MIN_REVIEWS)
    if not before.any():
        frequency = NoEstimate("none was set before a review")
    if isinstance(frequency, NoEstimate):
        reason = f"overrides ({what}) cannot be compared before reviews and at other times: {frequency.reason}"
        return cannot_tell(CODE, MEASURED, NoEstimate(reason, f"overrides around {MIN_REVIEWS} reviews or more"), len(day))
    said = (
        f"{frequency.events:,} raising overrides ({what}) fell in the {REVIEW_DAYS} days before {stand_in}, or on the day; "
        f"{frequency.expected:,.0f} would at the rate of other weekdays{times(frequency.ratio)}."
    )
    p = frequency.p
    if isinstance(direction, Excess):
        p = max(p, direction.p)
        said += (
            f" Of the {int(before.sum()):,} overrides then, {direction.expected:,.0f} would go up if they went up as often as others do."
        )
    return Finding(CODE, said, MEASURED, frequency.ratio, p, len(day), _list(day, before & raised, on, file_row[np.flatnonzero(overrides)]))


def _overrides(entries: Entries) -> tuple[Bools, str]:
    """Which entries are overrides, and what that means in this file."""
    if entries.by_person is not None and entries.by_person.any():
        return entries.moved & entries.by_person, "changes set by people"
    return _undone(entries), f"changes undone within {REVERT_DAYS} days"


def _undone(entries: Entries) -> Bools:
    """Changes of which at least half is taken back by the account's next change, within REVERT_DAYS."""
    moved = np.flatnonzero(entries.moved)
    found = np.zeros(len(entries), dtype=bool)
    now, later = moved[:-1], moved[1:]
    same = (entries.account[now] == entries.account[later]) & (entries.set_on[later] - entries.set_on[now] <= REVERT_DAYS)
    change, next_change = entries.change[now], entries.change[later]
    found[now] = same & (np.sign(change) == -np.sign(next_change)) & (np.abs(next_change) >= np.abs(change) / 2)
    return found


def _review_days(day: Days, reviews: tuple[date, ...]) -> tuple[Ints, str]:
    if reviews:
        return np.sort(np.array(reviews, dtype="datetime64[D]").astype(np.int64)), "the reviews declared"
    first = np.array([day.min(), day.max() + 92]).astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) // 3
    ends = (np.arange(first[0] + 1, first[1] + 1) * 3).astype("datetime64[M]").astype("datetime64[D]").astype(np.int64) - 1
    return ends, "the ends of quarters (no reviews were declared)"


def _precedes(day: Days | Ints, reviews: Ints) -> Bools:
    """Days on which a review is held, or will be within REVIEW_DAYS."""
    at = np.searchsorted(reviews, day)
    return (at < len(reviews)) & (reviews[np.minimum(at, len(reviews) - 1)] - day <= REVIEW_DAYS)


def _frequency(day: Days, raised: Bools, reviews: Ints) -> Excess | NoEstimate:
    """Raising overrides a weekday. What was set at a weekend counts for the Friday before."""
    weekday = (day.astype(np.int64) + 3) % 7
    moved_to = day - np.maximum(weekday - 4, 0)
    first = int(moved_to.min())
    counts = np.bincount(moved_to[raised] - first, minlength=int(moved_to.max()) - first + 1).astype(np.float64)
    days = first + np.arange(len(counts))
    worked = (days + 3) % 7 < 5
    days, counts = days[worked], counts[worked]
    each_day = np.arange(len(days))
    return excess_events(
        counts, _precedes(days, reviews), quarter(days.astype(np.int32)), (week(days.astype(np.int32)), each_day), MIN_REVIEWS
    )


def _list(day: Days, shown: Bools, reviews: Ints, file_row: Ints) -> tuple[GamingRow, ...]:
    """The reviews with the most raising overrides before them."""
    review = reviews[np.searchsorted(reviews, day[shown])] if shown.any() else np.empty(0, dtype=np.int64)
    rows = file_row[shown]
    days, counts = np.unique(review, return_counts=True)
    largest = np.argsort(-counts, kind="stable")[:LISTED_REVIEWS]
    return tuple(
        GamingRow(
            f"raised before {np.datetime64(int(days[i]), 'D')}",
            int(counts[i]),
            None,
            tuple(np.sort(rows[review == days[i]])[:SHOWN_ROWS].tolist()),
        )
        for i in largest
    )
