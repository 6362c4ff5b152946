"""Customers without a contract: purchases in order, who was active when, and whether they bought again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from unspun.audit.known import to_days
from unspun.audit.terms import UNKNOWN, Money, Terms, find_clusters, find_first_seen, state_money
from unspun.audit.units import Units
from unspun.audit.vocabulary import REPURCHASE
from unspun.book.tables import CHURNED, RENEWED, UNDECIDED, Purchases, ScoreHistory

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
SPEND_DAYS = 365  # yearly spend is that of so many days up to the as-of date


@dataclass(frozen=True, slots=True)
class CustomerMonths:
    """Customers active on the first day of a month, whatever the horizon, by the end of that day.

    `terms_row` is the last purchase by then, `next_day` the day of the first one after it (UNKNOWN where there is none), and
    `amount` the spend of the SPEND_DAYS up to the day, NaN where none of it is known.
    """

    account: Ints
    day: Ints
    terms_row: Ints
    next_day: Ints
    amount: Floats


class PastWindows:
    """Whether a customer bought in the window of one horizon that ends on a day."""

    def __init__(self, terms: Terms, horizon_days: int) -> None:
        self._terms, self._horizon_days = terms, horizon_days

    def last(self, account: Ints, day: Ints) -> Ints:
        """RENEWED or CHURNED (bought in (day - horizon, day], or not); UNDECIDED for who was no customer when the window began."""
        terms, begin = self._terms, day - self._horizon_days
        bought = _rows_by(terms, account, day) > _rows_by(terms, account, begin)
        return np.where(terms.first_seen[account] > begin, UNDECIDED, np.where(bought, RENEWED, CHURNED))


def order_purchases(
    purchases: Purchases, scores: ScoreHistory, as_of: int, rates: dict[str, float], reporting_currency: str | None
) -> Terms:
    """Purchase occasions by account and day: all lines of an account on a day are one. Those after the as-of date are left out.

    An occasion is a row of Terms that came about on its `due` date; `order` is its first line in the table.
    """
    account, day = purchases.account.codes.astype(np.int64), to_days(purchases.date)
    lines = np.lexsort((purchases.row, day, account))
    lines = lines[day[lines] <= as_of]
    account, day = account[lines], day[lines]
    first = np.flatnonzero((np.diff(account, prepend=-1) != 0) | (np.diff(day, prepend=0) != 0))
    by_amount = lines if purchases.amount is None else lines[np.lexsort((purchases.amount[lines], day, account))]
    money = state_money(purchases.amount, None, purchases.currency, by_amount, rates, reporting_currency)
    cluster, by_parent = find_clusters(purchases, scores)
    account, day = account[first], day[first]
    unknown = np.full(len(first), UNKNOWN)
    return Terms(
        order=lines[first],
        account=account,
        due=day,
        start=unknown,
        decided_on=unknown,
        known_on=day,
        outcome=np.full(len(first), RENEWED, dtype=np.int8),
        money=_by_occasion(money, first),
        cluster=cluster,
        account_names=purchases.account.names,
        clustered_by_parent=by_parent,
        first_seen=find_first_seen(account, day, unknown, len(purchases.account.names)),
        as_of=as_of,
        words=REPURCHASE,
    )


def customer_months(terms: Terms, active_days: int) -> CustomerMonths:
    """Every (customer, first day of a month t) with a purchase in (t - active_days, t], up to the as-of date."""
    follows = np.append(terms.account[1:] == terms.account[:-1], False)
    next_day = np.where(follows, np.append(terms.due[1:], UNKNOWN), UNKNOWN)
    until = np.minimum(terms.due + active_days, terms.as_of + 1)
    until = np.where(follows, np.minimum(until, next_day), until)
    first_days = _month_starts(int(terms.due.min()), terms.as_of)
    begin, end = np.searchsorted(first_days, terms.due), np.searchsorted(first_days, until)
    count = np.maximum(end - begin, 0)
    row = np.repeat(np.arange(len(count)), count)
    day = first_days[np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count) + begin[row]]
    return CustomerMonths(terms.account[row], day, row, next_day[row], _spend(terms, terms.account[row], day))


def repurchase_units(terms: Terms, months: CustomerMonths, horizon_days: int) -> Units:
    """One unit an active customer-month; it lapsed where no purchase follows in the `horizon_days` after the month's first day."""
    observed = months.day + horizon_days <= terms.as_of
    kept = np.flatnonzero(observed)
    kept = kept[np.argsort(months.day[kept], kind="stable")]
    day, next_day = months.day[kept], months.next_day[kept]
    none = np.zeros(len(kept), dtype=bool)
    return Units(
        design="landmark",
        horizon_days=horizon_days,
        account=months.account[kept],
        as_of=day,
        terms_row=months.terms_row[kept],
        amount=months.amount[kept],
        churned=(next_day == UNKNOWN) | (next_day > day + horizon_days),
        contracted=none,
        expanded=none,
        known_on=day + horizon_days,
        cluster=terms.cluster[months.account[kept]],
        not_applicable=int((~observed).sum()),
        flow=(
            ("active customer-months", len(months.day)),
            ("window not yet over (censored)", -int((~observed).sum())),
            ("eligible", len(kept)),
        ),
        words=REPURCHASE,
    )


def _by_occasion(money: Money, first: Ints) -> Money:
    """Amounts of lines added up, smallest first, so that no total depends on the order of the file's rows.

    An occasion without any known amount has none. Unlike currencies are never added.
    """
    if not len(first):
        return money
    known = np.isfinite(money.before)
    total = np.add.reduceat(np.where(known, money.before, 0.0), first)
    any_known = np.logical_or.reduceat(known, first)
    code = money.currency
    if money.stated_in is None:
        any_known &= np.minimum.reduceat(code, first) == np.maximum.reduceat(code, first)
    return replace(money, before=np.where(any_known, total, np.nan), after=np.full(len(first), np.nan), currency=code[first])


def _spend(terms: Terms, account: Ints, day: Ints) -> Floats:
    """Spend in (day - SPEND_DAYS, day]; NaN where none is known, and everywhere where currencies are mixed."""
    if terms.money.stated_in is None or not len(day):
        return np.full(len(day), np.nan)
    first, end = _rows_by(terms, account, day - SPEND_DAYS), _rows_by(terms, account, day)
    known = np.append(np.isfinite(terms.money.before), False)
    ranges = np.column_stack([first, end]).ravel()
    spend = np.add.reduceat(np.where(known, np.append(terms.money.before, 0.0), 0.0), ranges)[::2]
    any_known = np.logical_or.reduceat(known, ranges)[::2] & (first < end)
    return np.where(any_known, spend, np.nan)


def _rows_by(terms: Terms, account: Ints, day: Ints) -> Ints:
    """How many rows of Terms come before or are an account's purchases by the end of a day."""
    if not len(terms.due):
        return np.zeros(len(account), dtype=np.int64)
    base = int(terms.due.min())
    span = int(terms.due.max()) - base + 2
    keys = terms.account * span + (terms.due - base)
    return np.searchsorted(keys, account * span + np.clip(day - base, -1, span - 2), side="right")


def _month_starts(first_day: int, last_day: int) -> Ints:
    """First days of the months from the one of `first_day` to the one of `last_day`."""
    first, last = (np.datetime64(day, "D").astype("datetime64[M]") for day in (first_day, last_day))
    return np.arange(first, last + 1).astype("datetime64[D]").astype(np.int64)
