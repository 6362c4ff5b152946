"""The optional files of an audit as typed tables: attributes of accounts, usage by the day, and people's own forecasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.book.tables import Codes, Floats, Ints, Source, Times


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute of accounts: words (`codes`) or numbers (`numbers`, NaN where not given; dates are days since 1970-01-01)."""

    name: str
    codes: Codes | None
    numbers: Floats | None


@dataclass(frozen=True, slots=True)
class Accounts:
    """Accounts, one row each. Nothing in them has a date: they are as on the day the file was made.

    `attributes` are the columns without a role, in the file's order. An account with conflicting rows is not among them.
    """

    source: Source
    row: Ints
    account: Codes
    attributes: tuple[Attribute, ...] = ()
    segment: Codes | None = None
    owner: Codes | None = None
    parent: Codes | None = None
    file: NDArray[np.int32] | None = None  # a row's file, by its place in source.files; None where there is one


@dataclass(frozen=True, slots=True)
class Events:
    """Usage reduced to one entry for each account, day, and day of recording. Days are since 1970-01-01.

    `amount` is the number of events, or the sum of the column `counted`. `known` is the day by which an entry was recorded,
    never before its own; None where the file does not say. `row` and `entry` have one element for each accepted row of the
    file: its row number, and the entry it is part of.
    """

    source: Source
    account: Codes
    day: Ints
    amount: Floats
    known: Ints | None
    counted: str  # "events", or the column that was summed
    row: Ints
    entry: NDArray[np.int32]
    file: NDArray[np.int32] | None = None  # a row's file, by its place in source.files; None where there is one


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Calls on renewals, one row each: who thought what, and when.

    `value` runs with health: the probability of renewal where `probability`, else the rank of the call, 0 the worst, its
    words in `calls`. `due` is the due date of the renewal meant, None where the file names none; `by` is who called.
    """

    source: Source
    row: Ints
    account: Codes
    made: Times
    value: Floats
    probability: bool
    calls: tuple[str, ...] = ()
    due: NDArray[np.datetime64] | None = None
    recorded: Times | None = None
    by: Codes | None = None
    file: NDArray[np.int32] | None = None  # a row's file, by its place in source.files; None where there is one


@dataclass(frozen=True, slots=True)
class Extras:
    """What an audit may be given beside scores and renewals. Each sharpens or describes; none is needed."""

    accounts: Accounts | None = None
    events: Events | None = None
    forecasts: Forecasts | None = None


NOTHING_ELSE = Extras()
