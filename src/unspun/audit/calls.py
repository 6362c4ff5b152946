"""Which call on a renewal was the last one known when a unit is looked at."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unspun.audit.known import NOWHERE, KnownHistory, to_days
from unspun.audit.terms import UNKNOWN, Terms, align
from unspun.audit.units import Units
from unspun.book.extras import Forecasts

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

NEAR_DAYS = 31  # a call's due date may be this far from the renewal's, as when it names the month
MAX_FORECASTERS = 4  # more who call are people of one kind, judged together
ANYBODY = "CSM forecast"


class CallIndex:
    """Calls by the renewal they are about.

    Renewal design: a call is about the account's renewal due nearest to the due date it names, at most NEAR_DAYS away; where
    calls name none, about the renewal that ends the term it was made in. Landmark design: about every window that holds the due
    date it names; where calls name none, about every window that begins after it. Of the calls made, and recorded, by the
    as-of date the last one made counts, and of several made and recorded at one time the worst.
    """

    def __init__(self, forecasts: Forecasts, terms: Terms) -> None:
        self.forecasts = forecasts
        self.account = align(forecasts.account, terms.account_names)
        self.made = to_days(forecasts.made)
        self._due = None if forecasts.due is None else to_days(forecasts.due)
        self._start = terms.start
        recorded = forecasts.recorded
        self._known_on = self.made if recorded is None else np.maximum(self.made, to_days(recorded))  # NaT is the smallest integer
        self._order = _order_of(forecasts)
        self.late = self.made > terms.as_of
        self.terms_row = None if self._due is None else _nearest(terms, self.account, self._due)

    @property
    def forecasters(self) -> tuple[tuple[str, Bools], ...]:
        """Who calls, and which rows are theirs: each by name where they are few, else all together."""
        by = self.forecasts.by
        if by is None or len(np.unique(by.codes)) > MAX_FORECASTERS:
            return ((ANYBODY, np.ones(len(self.made), dtype=bool)),)
        named = [(f"forecast by {by.names[code]}" if code >= 0 else "forecast, not said by whom", code) for code in np.unique(by.codes)]
        return tuple((name, by.codes == code) for name, code in sorted(named))

    def latest(self, units: Units, theirs: Bools) -> Ints:
        """Row of the last call known on each unit among some rows, NOWHERE where there is none."""
        usable = theirs & (self.account >= 0) & ~self.late
        if not usable.any():
            return np.full(len(units), NOWHERE)
        if units.design == "landmark" and self._due is not None:
            return self._in_window(units, self._order[usable[self._order]], self._due)
        if self.terms_row is not None:
            usable &= self.terms_row >= 0
            rows = self._order[usable[self._order]]
            return self._last(rows, self.terms_row[rows], units.terms_row, units.as_of)
        rows = self._order[usable[self._order]]
        found = self._last(rows, self.account[rows], units.account, units.as_of)
        if units.design == "landmark":
            return found
        start = self._start[units.terms_row]
        of_this_term = (start == UNKNOWN) | (self.made[np.maximum(found, 0)] >= start)
        return np.where(of_this_term, found, NOWHERE)

    def _last(self, rows: Ints, key: Ints, asked: Ints, as_of: Ints) -> Ints:
        recorded = self.forecasts.recorded
        history = KnownHistory(key, self.forecasts.made[rows], None if recorded is None else recorded[rows])
        found = history.last_known(asked, as_of)
        return np.where(found >= 0, rows[np.maximum(found, 0)], NOWHERE) if len(rows) else found

    def _in_window(self, units: Units, rows: Ints, due: Ints) -> Ints:
        """Landmark design: of the calls on a renewal due in (t, t + h] that were known at t, the last one made."""
        base, span = int(due[rows].min()), int(np.ptp(due[rows])) + 2
        key = self.account[rows] * span + (due[rows] - base)
        rows = rows[np.argsort(key, kind="stable")]
        key = np.sort(key)
        low, high = (
            np.searchsorted(key, units.account * span + np.clip(day - base, -1, span - 2), side="right") for day in (units.as_of, units.due)
        )
        count = high - low
        unit = np.repeat(np.arange(len(units)), count)
        call = rows[np.arange(len(unit)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(low, count)]
        known = self._known_on[call] <= units.as_of[unit]
        rank = np.empty(len(self._order), dtype=np.int64)
        rank[self._order] = np.arange(len(rank))
        best = np.full(len(units), NOWHERE)
        np.maximum.at(best, unit[known], rank[call[known]])
        return np.where(best >= 0, self._order[np.maximum(best, 0)], NOWHERE)


def _order_of(forecasts: Forecasts) -> Ints:
    """Rows by when they were made, of those made at one time by when they were recorded, and of those the worst call last."""
    made = forecasts.made.astype("datetime64[us]").astype(np.int64)
    recorded = made if forecasts.recorded is None else forecasts.recorded.astype("datetime64[us]").astype(np.int64)
    return np.lexsort((-forecasts.value, recorded, made))


def _nearest(terms: Terms, account: Ints, due: Ints) -> Ints:
    """Row of Terms of the account's renewal due nearest to a day (of two equally near the later), NOWHERE beyond NEAR_DAYS."""
    base = int(min(terms.due.min(initial=0), due.min(initial=0)))
    span = int(max(terms.due.max(initial=0), due.max(initial=0))) - base + 1
    key = terms.account * span + (terms.due - base)
    after = np.searchsorted(key, account * span + (due - base), side="left")
    found, distance = np.full(len(account), NOWHERE), np.full(len(account), NEAR_DAYS + 1)
    for row in (after, after - 1):
        inside = (row >= 0) & (row < len(key)) & (account >= 0)
        row = np.clip(row, 0, max(len(key) - 1, 0))
        away = np.abs(terms.due[row] - due)
        closer = inside & (terms.account[row] == account) & (away < distance)
        found, distance = np.where(closer, row, found), np.where(closer, away, distance)
    return found
