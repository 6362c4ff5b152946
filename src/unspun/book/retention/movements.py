"""What accounts did between two closings, and the sums over parts of the book."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.retention.balances import Balances
from unspun.book.retention.places import Grouping
from unspun.book.tables import Ints
from unspun.book.terms.lines import Bools

NONE, FLAT, NEW, REACTIVATION, EXPANSION, CONTRACTION, CHURN = range(7)
CLASSES = ("none", "flat", "new", "reactivation", "expansion", "contraction", "churn")


@dataclass(frozen=True, slots=True)
class Pair:
    """The accounts with something at one closing or the other, one entry each.

    `opening` and `closing` are ARR in ten-thousandths (0 where not in money), `movement` an index into CLASSES. `held`, `holds` say
    whether it was a customer at the opening and the close. `placed` is the index of the day whose groups count: the
    opening's, for those who came since the close's. `pending` and `pending_base` are as in Balances, at the close.
    """

    account: Ints
    opening: Ints
    closing: Ints
    movement: Ints
    held: Bools
    holds: Bools
    in_money: Bools
    placed: Ints
    pending: Ints
    pending_base: Bools

    def take(self, rows: Bools | Ints) -> Pair:
        return Pair(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def pair_up(balances: Balances, opening: int, closing: int) -> Pair:
    """What happened between two of the closing days, given by their index."""
    held, holds = balances.present[:, opening], balances.present[:, closing]
    account = np.flatnonzero(held | holds | (balances.pending[:, closing] > 0))
    held, holds = held[account], holds[account]
    before, after = balances.arr[account, opening], balances.arr[account, closing]
    had = balances.first_paid[account] <= balances.days[opening]
    movement = np.select(
        [held & holds & (after > before), held & holds & (after < before), held & holds, held, holds & had, holds],
        [EXPANSION, CONTRACTION, FLAT, CHURN, REACTIVATION, NEW],
        NONE,
    )
    return Pair(
        account=account,
        opening=before,
        closing=after,
        movement=movement,
        held=held,
        holds=holds,
        in_money=balances.in_money[account],
        placed=np.where(held, opening, closing),
        pending=balances.pending[account, closing],
        pending_base=balances.pending_base[account, closing],
    )


def codes_of_parts(pair: Pair, grouping: Grouping | None) -> Ints:
    """The part of each entry in one grouping; all 0 for the whole book."""
    return np.zeros(len(pair.account), np.int64) if grouping is None else grouping.on(pair.account, pair.placed)


def sums(values: Ints, code: Ints, size: int) -> Ints:
    """Exact sums of whole numbers by code."""
    total = np.zeros(size, np.int64)
    np.add.at(total, code, values)
    return total
