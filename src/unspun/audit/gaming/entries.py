"""One score's history as entries: what each set, against what was known of the account when it was recorded, and who set it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.audit.frame import Lookup, value_at
from unspun.audit.known import to_days
from unspun.audit.protocol import BACK_DATED_DAYS
from unspun.book.tables import Codes, ScoreHistory, ScoreSeries
from unspun.stats.stratified import count_rows

Ints = NDArray[np.int32 | np.int64]
Days = NDArray[np.int32]  # since 1970-01-01
Times = NDArray[np.int64]  # numbers of weeks, months or quarters
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BLOCK = 1 << 18  # entries worked on together, which bounds memory
SYSTEM_TEXT = (
    "system model formula auto automatic automated automation rule rules engine batch job api import imported integration workflow "
    "calculated computed computation scheduler scheduled script ai ml algorithm default bot service sync etl process"
)
SYSTEM_WORDS = frozenset(SYSTEM_TEXT.split())


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries in order of account, date and recording; arrays run parallel.

    `row` indexes into the score history, whose rows of the file are `file_row`. `change` is of the value, turned so that higher is
    healthier, against the last value that was recorded in time for the same date or before; NaN where there is none. `late` is
    recorded more than BACK_DATED_DAYS after the date, all others are in time. `recorded` is None where the file does not say;
    `by_person` is None where it does not say who set a value.
    """

    row: Ints
    account: Ints
    cluster: Ints
    dated: Days
    recorded: Days | None
    late: Bools
    change: Floats
    by_person: Bools | None
    file_row: Ints

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

    def people_only(self, rows: Bools) -> tuple[Bools, str]:
        """Those of some entries that people set, and what to call them; all where the file does not tell people from systems."""
        if self.by_person is None or not (rows & self.by_person).any():
            return rows, ""
        return rows & self.by_person, " set by people"


@dataclass(frozen=True, slots=True)
class Changes:
    """Entries that changed a value, by kind: the day on which they were set, whether they raised it, whether they were recorded late.

    `used` says which entries these are; `kind` and `cluster` have one entry for each of them, in their order, the others one a kind.
    """

    used: Bools
    kind: Ints
    cluster: Ints
    day: Days
    raised: Bools
    late: Bools
    count: Ints

    def __len__(self) -> int:
        return len(self.kind)

    def places(self, group: Ints, groups: int) -> list[Ints]:
        """Places among the entries of the changes of each group. `group` is that of each kind, -1 where none; at most 127 groups."""
        of_entry = np.full(len(self.used), -1, dtype=np.int8)
        of_entry[self.used] = group.astype(np.int8)[self.kind]
        return [np.flatnonzero(of_entry == number) for number in range(groups)]


def changes_of(entries: Entries, used: Bools) -> Changes:
    """Some entries that changed a value, by kind."""
    code = entries.set_on[used]
    first = int(code.min(initial=np.iinfo(np.int32).max))
    code -= first
    for flag in (entries.change > 0, entries.late):
        code *= 2
        code += flag[used]
    present, kind = number_kinds(code)
    day = (present // 4 + first).astype(np.int32)
    count = count_rows(kind, len(present))
    return Changes(used, kind, entries.cluster[used], day, present // 2 % 2 > 0, present % 2 > 0, count)


def number_kinds(code: Ints) -> tuple[Ints, Ints]:
    """The codes that occur, in order, and for each row the number of its code among them, which takes the place of `code`."""
    seen = np.zeros(int(code.max(initial=-1)) + 1, dtype=bool)
    for part in blocks(len(code)):
        seen[code[part]] = True
    present = np.flatnonzero(seen)
    number = np.cumsum(seen, dtype=np.int32) - 1
    for part in blocks(len(code)):
        code[part] = number[code[part]]
    return present, code


def blocks(n: int) -> Iterator[slice]:
    """Slices that cover n entries in order."""
    return (slice(first, min(first + BLOCK, n)) for first in range(0, n, BLOCK))


def gather(n: int, kind: type[np.generic], piece: Callable[[slice], NDArray[np.generic]]) -> NDArray:
    """An array of n entries of a kind, made block by block, so that nothing else as long is held."""
    made = np.empty(n, dtype=kind)
    for part in blocks(n):
        made[part] = piece(part)
    return made


def collect(lookup: Lookup, series: ScoreSeries, sign: float, history: ScoreHistory, account: Ints, cluster: Ints, as_of: int) -> Entries:
    """The entries of one score. `account` is per history row, `cluster` per account; `sign` is -1 where higher is healthier."""
    place, small = lookup.as_dated.by_date, np.int32 if len(history.row) < 1 << 31 else np.int64
    rows: Ints = gather(len(place), small, lambda part: lookup.rows[place[part]])
    recorded: Days | None = None
    if history.recorded is not None:
        recorded = gather(len(rows), np.int32, lambda part: _recorded(history, rows[part]))
        known = recorded <= as_of
        if not known.all():
            rows, recorded = rows[known], recorded[known]
    n = len(rows)
    dated: Days = gather(n, np.int32, lambda part: to_days(history.dated[rows[part]]))
    code: Ints = gather(n, np.int32, lambda part: account[rows[part]])
    if recorded is not None:
        _order_within_days(rows, code, dated, recorded)
    late = np.zeros(n, dtype=bool) if recorded is None else recorded - dated > BACK_DATED_DAYS
    clusters: Ints = code if np.array_equal(cluster, np.arange(len(cluster))) else gather(n, np.int32, lambda part: cluster[code[part]])
    change = _changes(code, lambda places: -sign * value_at(series, rows[places]), late)
    by_person: Bools | None = None
    if history.set_by is not None:
        set_by, people = history.set_by.codes, set_by_people(history.set_by)
        by_person = gather(n, np.bool_, lambda part: people[set_by[rows[part]]])
    return Entries(rows, code, clusters, dated, recorded, late, change, by_person, history.row)


def set_by_people(set_by: Codes) -> Bools:
    """Of each name in a set_by column whether it is a person's (or "manual", "override"); False for what is empty, at the end."""
    words = [set(re.findall(r"[a-z]+", name.casefold())) for name in set_by.names]
    return np.array([bool(word) and not word & SYSTEM_WORDS for word in words] + [False])


def _recorded(history: ScoreHistory, rows: Ints) -> Days:
    """Days of recording; a row without one counts as recorded when dated."""
    assert history.recorded is not None
    times = history.recorded[rows]
    return to_days(np.where(np.isnat(times), history.dated[rows], times)).astype(np.int32)


def _order_within_days(rows: Ints, account: Ints, dated: Days, recorded: Days) -> None:
    """Put entries of one account and date in order of the day of recording, then of the file. Most dates have one entry."""
    same = (account[1:] == account[:-1]) & (dated[1:] == dated[:-1])
    if not same.any():
        return
    shared = np.flatnonzero(np.append(same, False) | np.append(False, same))
    order = shared[np.lexsort((rows[shared], recorded[shared], dated[shared], account[shared]))]
    rows[shared], recorded[shared] = rows[order], recorded[order]


def _changes(account: Ints, health: Callable[[Ints | slice], Floats], late: Bools) -> Floats:
    """Against the last entry before it, of the same account, that was recorded in time."""
    change = np.full(len(account), np.nan)
    in_time = np.arange(len(account), dtype=account.dtype)
    in_time[late] = -1
    np.maximum.accumulate(in_time, out=in_time)
    for part in blocks(len(account) - 1):
        before, now = in_time[part], slice(part.start + 1, part.stop + 1)
        known = (before >= 0) & (account[before] == account[now])
        change[now] = np.where(known, health(now) - health(before), np.nan)
    return change


def week(day: Days) -> Times:
    """Weeks from Monday to Sunday, counted from the first."""
    return _from_zero((day.astype(np.int64) + 3) // 7)


def calendar_month(day: Days) -> Times:
    """Calendar months since 1970-01."""
    return day.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month(day: Days) -> Times:
    """Calendar months, counted from the first."""
    return _from_zero(calendar_month(day))


def quarter(day: Days) -> Times:
    """Calendar quarters, counted from the first."""
    return _from_zero(calendar_month(day) // 3)


def _from_zero(codes: Times) -> Times:
    return codes - codes.min() if len(codes) else codes
