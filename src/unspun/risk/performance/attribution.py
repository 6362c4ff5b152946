"""To whom a renewal is counted: to each owner by the days the account was held within the term, or to what the account was at its start."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.stats.shrinkage import Membership

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spells:
    """Who held an account when: from `first` until before `until`, sorted by account and day. `holder` are codes into `names`."""

    account: Ints
    first: Ints
    until: Ints
    holder: Ints
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attributed:
    """Units counted to groups. `members.unit` indexes into `kept`, the units that belong to any group; `at_due` has the group on the due
    date by kept unit, -1 where nobody held the account then, and is None where groups do not change."""

    members: Membership
    kept: Ints
    names: tuple[str, ...]
    at_due: Ints | None


def share_by_days(account: Ints, start: Ints, due: Ints, spells: Spells) -> Attributed:
    """Each unit shared among the holders of its account by the days each held it from `start` to before `due`.

    The whole term counts however it ended: shares that stopped at a notice would give late holders fewer churns than renewals. Days on
    which nobody held the account count for nobody; a unit without a holder on any day is not kept. All arrays have shape (units,).
    """
    unit, spell = _meeting(account, spells)
    days = np.minimum(due[unit], spells.until[spell]) - np.maximum(start[unit], spells.first[spell])
    held = days > 0
    unit, holder, days = unit[held], spells.holder[spell[held]], days[held].astype(np.float64)
    cell, place = np.unique(unit * len(spells.names) + holder, return_inverse=True)  # a holder who came back counts once
    total = np.bincount(place, weights=days, minlength=len(cell))
    unit, holder = cell // max(len(spells.names), 1), cell % max(len(spells.names), 1)
    share = total / np.bincount(unit, weights=total, minlength=len(account))[unit]
    last = _holder_on(account, due - 1, spells)
    return _renamed(unit, holder, share, last, spells.names)


def count_whole(group: Ints, names: tuple[str, ...]) -> Attributed:
    """Each unit counted whole to its group; -1 belongs to none."""
    unit = np.flatnonzero(group >= 0)
    return _renamed(unit, group[unit], np.ones(len(unit)), None, names)


def _meeting(account: Ints, spells: Spells) -> tuple[Ints, Ints]:
    """Every unit with every spell of its account."""
    begin, end = (np.searchsorted(spells.account, account, side=side) for side in ("left", "right"))
    count = end - begin
    unit = np.repeat(np.arange(len(account)), count)
    return unit, np.arange(len(unit)) - np.repeat(np.cumsum(count) - count, count) + begin[unit]


def _holder_on(account: Ints, day: Ints, spells: Spells) -> Ints:
    """Who held each account on a day, -1 where nobody did."""
    unit, spell = _meeting(account, spells)
    holds = (spells.first[spell] <= day[unit]) & (day[unit] < spells.until[spell])
    found = np.full(len(account), -1)
    found[unit[holds]] = spells.holder[spell[holds]]
    return found


def _renamed(unit: Ints, group: Ints, share: Floats, at_due: Ints | None, names: tuple[str, ...]) -> Attributed:
    """Only the groups that have a unit, in the order of their names."""
    used = np.unique(group)
    order = np.array(sorted(used.tolist(), key=names.__getitem__), dtype=np.int64)
    code = np.full(len(names) + 1, -1)
    code[order] = np.arange(len(order))
    kept, place = np.unique(unit, return_inverse=True)
    sort = np.lexsort((code[group], place))
    members = Membership(place[sort].astype(np.int64), code[group][sort], share[sort], len(order))
    return Attributed(members, kept, tuple(names[i] for i in order.tolist()), None if at_due is None else code[at_due[kept]])
