"""One score's history as entries: what each set, against what was known of the account when it was recorded, and who set it."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.audit.frame import Lookup, value_at
from unspun.audit.known import to_days
from unspun.audit.protocol import BACK_DATED_DAYS
from unspun.book.tables import Codes, ScoreHistory, ScoreSeries

Ints = NDArray[np.int64]
Days = NDArray[np.int32]  # since 1970-01-01
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

SYSTEM_TEXT = (
    "system model formula auto automatic automated automation rule rules engine batch job api import imported integration workflow "
    "calculated computed computation scheduler scheduled script ai ml algorithm default bot service sync etl process"
)
SYSTEM_WORDS = frozenset(SYSTEM_TEXT.split())


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries in order of account, date and recording; arrays run parallel.

    `row` indexes into the score history. `health` is the value turned so that higher is healthier. `change` is against the last
    value that was recorded in time (no more than BACK_DATED_DAYS after its date) for the same date or before; NaN where there
    is none. `recorded` is None where the file does not say; `by_person` is None where it does not say who set a value.
    """

    row: Ints
    account: Ints
    cluster: Ints
    dated: Days
    recorded: Days | None
    health: Floats
    change: Floats
    by_person: Bools | None

    def __len__(self) -> int:
        return len(self.row)

    @property
    def set_on(self) -> Days:
        """The day on which a value was set: its recording where that is known, else its date."""
        return self.dated if self.recorded is None else self.recorded

    @property
    def newly_set(self) -> Bools:
        """Entries that are the account's first, or changed its value; a value that stays is one piece of evidence."""
        return self.change != 0  # NaN is not 0

    @property
    def moved(self) -> Bools:
        """Entries that changed a value."""
        return self.newly_set & ~np.isnan(self.change)

    @property
    def late(self) -> Bools:
        """Entries recorded more than BACK_DATED_DAYS after their date."""
        return np.zeros(len(self), dtype=bool) if self.recorded is None else self.recorded - self.dated > BACK_DATED_DAYS

    def people_only(self, rows: Bools) -> tuple[Bools, str]:
        """Those of some entries that people set, and what to call them; all where the file does not tell people from systems."""
        if self.by_person is None or not (rows & self.by_person).any():
            return rows, ""
        return rows & self.by_person, " set by people"


def collect(lookup: Lookup, series: ScoreSeries, sign: float, history: ScoreHistory, account: Ints, cluster: Ints, as_of: int) -> Entries:
    """The entries of one score. `account` is per history row, `cluster` per account; `sign` is -1 where higher is healthier."""
    rows = lookup.rows
    recorded = None if history.recorded is None else _recorded(history, rows)
    if recorded is not None:
        known = recorded <= as_of
        rows, recorded = rows[known], recorded[known]
    dated = to_days(history.dated[rows]).astype(np.int32)
    order = _order(account[rows], dated, recorded, history, rows)
    rows, dated = rows[order], dated[order]
    recorded = None if recorded is None else recorded[order]
    health = -sign * value_at(series, rows)
    people = None if history.set_by is None else set_by_people(history.set_by)[history.set_by.codes[rows]]
    code = account[rows]
    return Entries(rows, code, cluster[code], dated, recorded, health, _changes(code, health, dated, recorded), people)


def set_by_people(set_by: Codes) -> Bools:
    """Of each name in a set_by column whether it is a person's (or "manual", "override"); False for what is empty, at the end."""
    words = [set(re.findall(r"[a-z]+", name.casefold())) for name in set_by.names]
    return np.array([bool(word) and not word & SYSTEM_WORDS for word in words] + [False])


def _recorded(history: ScoreHistory, rows: Ints) -> Days:
    """Days of recording; a row without one counts as recorded when dated."""
    assert history.recorded is not None
    times = history.recorded[rows]
    return to_days(np.where(np.isnat(times), history.dated[rows], times)).astype(np.int32)


def _order(account: Ints, dated: Days, recorded: Days | None, history: ScoreHistory, rows: Ints) -> Ints:
    if recorded is not None:
        return np.lexsort((recorded, dated, account))
    return np.lexsort((history.dated[rows], account))


def _changes(account: Ints, health: Floats, dated: Days, recorded: Days | None) -> Floats:
    """Against the last entry before it, of the same account, that was recorded in time."""
    n = len(account)
    place = np.arange(n)
    if recorded is not None:
        place = np.where(recorded - dated > BACK_DATED_DAYS, -1, place)
        place = np.maximum.accumulate(place) if n else place
    before = np.concatenate([[-1], place[:-1]]) if n else place
    known = (before >= 0) & (account[before] == account)
    return np.where(known, health - health[before], np.nan)


def week(day: Days) -> Ints:
    """Weeks from Monday to Sunday, counted from the first."""
    return _from_zero((day.astype(np.int64) + 3) // 7)


def calendar_month(day: Days) -> Ints:
    """Calendar months since 1970-01."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month(day: Days) -> Ints:
    """Calendar months, counted from the first."""
    return _from_zero(calendar_month(day))


def quarter(day: Days) -> Ints:
    """Calendar quarters, counted from the first."""
    return _from_zero(calendar_month(day) // 3)


def _from_zero(codes: Ints) -> Ints:
    return codes - codes.min() if len(codes) else codes
