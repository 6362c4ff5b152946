"""Account-months: what was known of a renewal on a day before it was due, and how it ended, as the models of renewal risk read it.

A row is a renewal looked at on one as-of date (the end of that day). Time runs in periods of days before the due date, so that a row
enters in the period of the day after its as-of date and leaves in the period in which the renewal was decided.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unspun.audit.terms import UNKNOWN
from unspun.book.tables import Codes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
FeatureKind = Literal["number", "category"]

OUTCOMES4 = ("churn", "contraction", "flat", "expansion")
CHURN, CONTRACTION, FLAT, EXPANSION = range(4)
UNDECIDED4 = -1
PERIOD_EDGES = (math.inf, 180.0, 120.0, 90.0, 60.0, 45.0, 30.0, 20.0, 10.0, 0.0, -math.inf)
"""Days before the due date: period i holds the days from edge i + 1 to before edge i. The last one is after the renewal was due."""
PERIODS = len(PERIOD_EDGES) - 1
TERM_CLASSES = ("monthly", "up to half a year", "a year", "longer")
TERM_CLASS_DAYS = (45, 200, 400)  # a term this long or shorter is of the first, second, third class
OUTAGE, SILENT = "outage", "source_silent"
HIDDEN = frozenset({OUTAGE, SILENT})
"""Reasons of values that a tracking outage hides, recorded or plain to see as nobody has rows. They have no column of their own, so that an
outage raises nobody's risk."""
_LOWER, _UPPER = np.array(PERIOD_EDGES[1:]), np.array(PERIOD_EDGES[:-1])


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing known of an account on a day. `direction` is +1 where higher is healthier, -1 where lower is, 0 where not declared.

    `given` features come from the book of renewals (size, tenure, segment); the others are metrics. `names` are those of a category's
    codes. The lead and the class of the term are columns of the rows themselves, never features.
    """

    id: str
    label: str
    unit: str
    kind: FeatureKind
    direction: int = 0
    given: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RiskRows:
    """Rows as arrays of shape (n,). Days are since 1970-01-01, UNKNOWN where not known.

    `columns` has NaN where there is no value (a category's codes are floats). `reasons` says why: a code of -1 where there is a value or
    no reason; a feature may be absent from it. `stale_days` is the age of a value taken from before an outage, 0 elsewhere. `decided_on`
    is the day the outcome was known (of churn also its notice, where that came first), UNKNOWN while undecided.
    """

    features: tuple[Feature, ...]
    columns: Mapping[str, Floats]
    reasons: Mapping[str, Codes]
    stale_days: Mapping[str, Ints]
    renewal: Ints  # row of Terms
    account: Ints
    cluster: Ints  # small non-negative integers: the top parent
    as_of: Ints
    due: Ints
    decided_on: Ints
    outcome: NDArray[np.int8]  # index into OUTCOMES4, UNDECIDED4
    term_class: Ints  # index into TERM_CLASSES, -1 where the term's length is not known
    arr: Floats

    def __len__(self) -> int:
        return len(self.account)

    @property
    def lead(self) -> Ints:
        """Days from the as-of date to the due date; negative where the renewal is overdue."""
        return self.due - self.as_of

    def take(self, rows: Bools | Ints) -> RiskRows:
        """Some of the rows: a mask, or positions."""
        named = {
            "columns": {key: column[rows] for key, column in self.columns.items()},
            "reasons": {key: Codes(codes.codes[rows], codes.names) for key, codes in self.reasons.items()},
            "stale_days": {key: days[rows] for key, days in self.stale_days.items()},
        }
        arrays = {one.name: getattr(self, one.name)[rows] for one in fields(self) if one.name not in named and one.name != "features"}
        return replace(self, **named, **arrays)


@dataclass(frozen=True, slots=True)
class KnownRows:
    """Rows as they were known on a day: the periods in which each was at risk, from `entry` to `exit`, both included.

    `outcome` is what happened in the exit period, UNDECIDED4 where the row is censored at its end. `share_left` is the share of the
    entry period that was left on the as-of date, in (0, 1].
    """

    rows: RiskRows
    entry: Ints
    exit: Ints
    outcome: NDArray[np.int8]
    share_left: Floats

    def __len__(self) -> int:
        return len(self.entry)

    def take(self, rows: Bools | Ints) -> KnownRows:
        """Some of the rows: a mask, or positions."""
        return KnownRows(self.rows.take(rows), self.entry[rows], self.exit[rows], self.outcome[rows], self.share_left[rows])


def known_by(rows: RiskRows, cutoff: int) -> KnownRows:
    """The rows with an as-of date before the cutoff day, as they were known at the end of the day before it.

    A renewal decided later, or not at all, is seen undecided through its last complete period; a row that was not seen through one is
    left out.
    """
    rows = rows.take(rows.as_of < cutoff)
    decided = (rows.decided_on != UNKNOWN) & (rows.decided_on < cutoff) & (rows.outcome != UNDECIDED4)
    entry, share_left = enter(rows.lead)
    ended = np.where(decided, _period(rows.due - np.where(decided, rows.decided_on, 0)), _last_complete(rows.due - cutoff + 1))
    seen = ended >= entry
    outcome = np.where(decided, rows.outcome, UNDECIDED4).astype(np.int8)
    return KnownRows(rows.take(seen), entry[seen], ended[seen], outcome[seen], share_left[seen])


def enter(lead: Ints) -> tuple[Ints, Floats]:
    """The period that holds the day after the as-of date, and the share of its days that are left (1 in the open first and last)."""
    period = _period(lead - 1)
    lower, upper = _LOWER[period], _UPPER[period]
    open_ended = ~np.isfinite(upper) | ~np.isfinite(lower)
    width = np.where(open_ended, 1.0, upper - lower)
    return period, np.where(open_ended, 1.0, (lead - np.where(open_ended, 0.0, lower)) / width)


def class_of_term(length_days: Ints) -> Ints:
    """Index into TERM_CLASSES of terms of so many days."""
    return np.searchsorted(np.array(TERM_CLASS_DAYS), length_days, side="left").astype(np.int64)


def _period(days_before: Ints) -> Ints:
    """The period of a day, by its days before the due date."""
    return np.searchsorted(-_LOWER, -days_before.astype(np.float64), side="left").astype(np.int64)


def _last_complete(days_before: Ints) -> Ints:
    """The last period that has ended by a day, -1 where none has. The last of all never ends."""
    return np.searchsorted(-_LOWER, -days_before.astype(np.float64), side="right").astype(np.int64) - 1
