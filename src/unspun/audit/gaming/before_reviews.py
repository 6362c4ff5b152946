"""Values raised by hand in the days before reviews."""

from __future__ import annotations

from datetime import date

import numpy as np

from unspun.audit.gaming.checks import Code, Finding, cannot_tell, list_times, times
from unspun.audit.gaming.entries import Bools, Changes, Days, Entries, Ints, blocks, changes_of, quarter, week
from unspun.audit.protocol import REVERT_DAYS, REVIEW_DAYS
from unspun.stats.estimate import NoEstimate
from unspun.stats.stratified import Excess, excess_events

CODE: Code = "before_reviews"
MEASURED = "how many times as frequent raising overrides are on a weekday before a review as on another weekday"
MIN_REVIEWS = 5


def check_before_reviews(entries: Entries, reviews: tuple[date, ...]) -> Finding:
    """Raising overrides must be more frequent before reviews, and overrides must go up more often there, for evidence.

    Overrides are changes set by people; where the file does not tell who set a value, changes undone within REVERT_DAYS.
    """
    overrides, what = _overrides(entries)
    changes = changes_of(entries, overrides)
    day, n = changes.day, len(changes)
    if not n:
        why = NoEstimate(f"the score holds no overrides ({what})", "a column that says who set each value (set_by)")
        return cannot_tell(CODE, MEASURED, why, len(entries))
    on, stand_in = _review_days(day, reviews)
    before = _precedes(day, on)
    frequency = _frequency(changes, on)
    direction = excess_events(changes.raised, before, quarter(day), (week(day), changes.cluster), MIN_REVIEWS, changes.kind)
    if not before.any():
        frequency = NoEstimate("none was set before a review")
    if isinstance(frequency, NoEstimate):
        reason = f"overrides ({what}) cannot be compared before reviews and at other times: {frequency.reason}"
        return cannot_tell(CODE, MEASURED, NoEstimate(reason, f"overrides around {MIN_REVIEWS} reviews or more"), n)
    said = (
        f"{frequency.events:,} raising overrides ({what}) fell in the {REVIEW_DAYS} days before {stand_in}, or on the day; "
        f"{frequency.expected:,.0f} would at the rate of other weekdays{times(frequency.ratio)}."
    )
    p = frequency.p
    if isinstance(direction, Excess):
        p = max(p, direction.p)
        then = int(changes.count[before].sum())
        said += f" Of the {then:,} overrides then, {direction.expected:,.0f} would go up if they went up as often as others do."
    shown = before & changes.raised
    review = np.where(shown, on[np.minimum(np.searchsorted(on, day), len(on) - 1)], 0)
    return Finding(CODE, said, MEASURED, frequency.ratio, p, n, list_times(entries, changes, shown, review, _say_review))


def _overrides(entries: Entries) -> tuple[Bools, str]:
    """Which entries are overrides, and what that means in this file."""
    if entries.by_person is not None and entries.by_person.any():
        return entries.moved & entries.by_person, "changes set by people"
    return _undone(entries), f"changes undone within {REVERT_DAYS} days"


def _undone(entries: Entries) -> Bools:
    """Changes of which at least half is taken back by the account's next change, within REVERT_DAYS."""
    moved = np.arange(len(entries), dtype=entries.row.dtype)[entries.moved]
    found = np.zeros(len(entries), dtype=bool)
    for part in blocks(len(moved) - 1):
        now, later = moved[part], moved[part.start + 1 : part.stop + 1]
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


def _frequency(changes: Changes, reviews: Ints) -> Excess | NoEstimate:
    """Raising overrides a weekday. What was set at a weekend counts for the Friday before."""
    weekday = (changes.day.astype(np.int64) + 3) % 7
    moved_to = changes.day - np.maximum(weekday - 4, 0)
    first = int(moved_to.min())
    raised, length = changes.raised, int(moved_to.max()) - first + 1
    counts = np.bincount(moved_to[raised] - first, weights=changes.count[raised], minlength=length).astype(np.float64)
    days = first + np.arange(len(counts))
    worked = (days + 3) % 7 < 5
    days, counts = days[worked], counts[worked]
    each_day = np.arange(len(days))
    return excess_events(
        counts, _precedes(days, reviews), quarter(days.astype(np.int32)), (week(days.astype(np.int32)), each_day), MIN_REVIEWS
    )


def _say_review(day: int) -> str:
    return f"raised before {np.datetime64(day, 'D')}"
