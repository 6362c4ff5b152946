"""What every account paid at the end of each month, exactly: the spans on which its terms count, added up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.retention.result import LeftOut
from unspun.book.retention.sold import EXAMPLES, Sold
from unspun.book.tables import Ints
from unspun.book.terms.derive import Followed
from unspun.book.terms.lines import NEVER, SPAN, Bools, Lines

NOT_STATED = -1


@dataclass(frozen=True, slots=True)
class Balances:
    """Accounts by closing days. Amounts are ten-thousandths of ARR; an array (accounts, days) unless said otherwise.

    `present`: a base term runs, and what the account pays is above zero or not known. `arr` is 0 where no base term runs.
    `in_money` (accounts): every term that counts on one of the days has an amount, and all are in one currency, `currency`
    (NOT_STATED: none). `first_paid` (accounts) is the first day on which it was present, NEVER if it never was. `pending` is the ARR of
    terms that have ended by the closing day, and may be renewed within grace days that are not over; `pending_base` says that
    a base term is among them. `alone` counts the cells with add-ons that do not count, as no base term runs.
    """

    days: Ints
    present: Bools
    arr: Ints
    in_money: Bools
    currency: Ints
    first_paid: Ints
    pending: Ints
    pending_base: Bools
    alone: int
    left_out: tuple[LeftOut, ...]


def take_balances(sold: Sold, followed: Followed, as_of: int, days: Ints) -> Balances:
    """The balances of all accounts of the terms at the end of each of the days, which are in order and not after the as-of day."""
    accounts, lines, succession = len(sold.terms.account.names), followed.lines, followed.succession
    arr, unknown = sold.arr[lines.position], sold.unknown[lines.position]
    until = succession.runs_until(lines)
    spans = _Spans(lines.account, lines.start, until)
    questions = (np.arange(accounts)[:, None] * SPAN + days[None, :]).ravel()
    found = spans.places(questions)
    shape = (accounts, len(days))
    base, amount, blank = (spans.running(values) for values in (lines.base.astype(np.int64), arr, unknown.astype(np.int64)))
    runs = (base[found] > 0).reshape(shape)
    paid = amount[found].reshape(shape)
    present = runs & ((paid > 0) | (blank[found] > 0).reshape(shape))
    in_money, currency, left_out = _in_money(sold, lines, until, days, unknown)
    pays = (base > 0) & ((amount > 0) | (blank > 0))
    pending, pending_base = _pending(lines, succession.successor < 0, arr, sold.rules.grace_days, as_of, days, accounts)
    return Balances(
        days=days,
        present=present,
        arr=np.where(runs & in_money[:, None], paid, 0),
        in_money=in_money,
        currency=currency,
        first_paid=spans.first(pays[1:], accounts),
        pending=np.where(in_money[:, None], pending, 0),
        pending_base=pending_base,
        alone=int((~runs & (paid > 0)).sum()),
        left_out=left_out,
    )


class _Spans:
    """Spans [start, until) of accounts as one sequence of changes, by account and day; `key` has one entry a day with a change."""

    def __init__(self, account: Ints, start: Ints, until: Ints) -> None:
        keys = np.concatenate([account * SPAN + start, account * SPAN + np.maximum(until, start)])
        self._order = np.argsort(keys, kind="stable")
        keys = keys[self._order]
        self._last = np.flatnonzero(np.append(keys[1:] != keys[:-1], True)) if len(keys) else keys
        self.key = keys[self._last]

    def running(self, values: Ints) -> Ints:
        """What the open spans add up to after each change; first 0, before any."""
        changes = np.concatenate([values, -values])[self._order]
        return np.concatenate([[0], np.cumsum(changes)[self._last]])

    def places(self, questions: Ints) -> Ints:
        """For each account * SPAN + day, the entry of `running` that holds then. Every account's spans add up to 0 at its end."""
        return np.searchsorted(self.key, questions, side="right")

    def first(self, which: Bools, accounts: int) -> Ints:
        """By account, the day of its first change among those; NEVER where there is none."""
        day = np.full(accounts, NEVER)
        np.minimum.at(day, self.key[which] // SPAN, self.key[which] % SPAN)
        return day


def _in_money(sold: Sold, lines: Lines, until: Ints, days: Ints, unknown: Bools) -> tuple[Bools, Ints, tuple[LeftOut, ...]]:
    """Which accounts have amounts in one currency on all days asked for, that currency, and what is left out."""
    names = sold.terms.account.names
    first = np.searchsorted(days, lines.start, side="left")
    counts = first < np.searchsorted(days, until, side="left")  # on some day
    blank = np.bincount(lines.account[counts & unknown], minlength=len(names)) > 0
    priced = counts & (sold.arr[lines.position] != 0)
    code = sold.currency[lines.position].astype(np.int64)
    low, high = np.full(len(names), np.iinfo(np.int64).max), np.full(len(names), NOT_STATED)
    np.minimum.at(low, lines.account[priced], code[priced])
    np.maximum.at(high, lines.account[priced], code[priced])
    mixed = (low != high) & (low != np.iinfo(np.int64).max) & ~blank
    several = "accounts whose amounts are in several currencies: they count in logos, not in money, unless `into` turns all into one"
    left_out = [
        LeftOut(code, reason, "accounts", int(mask.sum()), tuple(names[i] for i in np.flatnonzero(mask)[:EXAMPLES]))
        for code, reason, mask in (
            ("no_amount", "accounts with a term whose ARR is not known: they count in logos, not in money", blank),
            ("several_currencies", several, mixed),
        )
        if mask.any()
    ]
    return ~blank & ~mixed, high, tuple(left_out)


def _pending(lines: Lines, lapsed: Bools, arr: Ints, grace_days: int, as_of: int, days: Ints, accounts: int) -> tuple[Ints, Bools]:
    """By account and day: the ARR that had ended by then and may still be renewed, and whether a base term is among it."""
    pending, base = np.zeros((accounts, len(days)), np.int64), np.zeros((accounts, len(days)), bool)
    open_ = np.flatnonzero(lapsed & (lines.end <= as_of) & (lines.end + grace_days > as_of))
    for line in open_.tolist():
        pending[lines.account[line], days >= lines.end[line]] += arr[line]
        base[lines.account[line], days >= lines.end[line]] |= bool(lines.base[line])
    return pending, base
