"""Renewals due by month: what became of them, and the shares renewed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from unspun.book.retention.measured import Measured
from unspun.book.retention.money import UNITS, as_decimal
from unspun.book.retention.ratios import count_families, kept_logos, kept_share
from unspun.book.retention.result import Part, RenewalRates
from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED, RENEWED, UNDECIDED, Codes, Floats, Ints, Renewals
from unspun.book.terms.derive import derive_followed
from unspun.book.terms.lines import Bools
from unspun.errors import BadInput
from unspun.stats.estimate import NoEstimate

NO_CURRENCY = -1
NOT_DERIVED = "no_renewals_due"


@dataclass(frozen=True, slots=True)
class Due:
    """Renewals of the months asked for, one entry each. `month` is the place of the month; `placed` the index of the day whose groups
    count; amounts are ten-thousandths; `compared` says whether both are known, in one of the currencies told (a churn's after is 0)."""

    account: Ints
    month: Ints
    outcome: Ints
    before: Ints
    after: Ints
    compared: Bools
    currency: Ints
    placed: Ints

    def take(self, rows: Bools | Ints) -> Due:
        return Due(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


def renewal_rates(measured: Measured) -> tuple[tuple[RenewalRates, ...], tuple[str, ...]]:
    """The renewals due in each month and part, and what deriving them counted. Nothing where no base term has an end."""
    renewals = derived(measured)
    if isinstance(renewals, tuple):
        return (), renewals
    due = renewals_due(measured, renewals)
    rates = [one for month in range(len(measured.months)) for one in _of_month(measured, month, due.take(due.month == month))]
    known = {*measured.followed.accounting.notes}
    dropped = ("rule:", "ARR =", "an end date", "renewals derived as of")
    return tuple(rates), tuple(note for note in renewals.source.notes if note not in known and not note.startswith(dropped))


def derived(measured: Measured) -> Renewals | tuple[str, ...]:
    """The renewals of the terms, by the audit's own derivation; why there are none where no base term has an end."""
    try:
        return derive_followed(measured.sold.terms, measured.sold.rules, measured.question.as_of, measured.followed)
    except BadInput as error:
        if error.faults[0].code != NOT_DERIVED:
            raise
        return tuple(fault.message for fault in error.faults)


def renewals_due(measured: Measured, renewals: Renewals) -> Due:
    """The renewals due in the months asked for, in the order of account and due date."""
    first = np.datetime64(measured.months[0], "M")
    month = (renewals.due.astype("datetime64[M]") - first).astype(np.int64)
    rows = np.flatnonzero((month >= 0) & (month < len(measured.months)))
    account = _account_codes(renewals.account, measured.accounts)[rows]
    opening = measured.closes(0) - 1 + month[rows]
    present = measured.balances.present
    nothing = np.full(len(renewals.due), np.nan)
    before = (nothing if renewals.amount_before is None else renewals.amount_before)[rows]
    after = (nothing if renewals.amount_after is None else renewals.amount_after)[rows]
    placed = np.where(~present[account, opening] & present[account, opening + 1], opening + 1, opening)
    outcome = renewals.outcome[rows].astype(np.int64)
    currency = _currency_codes(renewals.currency, measured.sold.currencies, len(renewals.due))[rows]
    compared = ~np.isnan(before) & ~np.isnan(after) & (outcome != UNDECIDED) & np.isin(currency, measured.currencies)
    return Due(account, month[rows], outcome, _units(before), _units(after), compared, currency, placed)


def _units(amounts: Floats) -> Ints:
    """Sums of amounts with four decimals, back as whole ten-thousandths."""
    return np.rint(np.nan_to_num(amounts) * UNITS).astype(np.int64)


def _account_codes(account: Codes, names: tuple[str, ...]) -> Ints:
    return np.searchsorted(np.array(names, dtype=object), np.array(account.names, dtype=object))[account.codes].astype(np.int64)


def _currency_codes(currency: Codes | None, names: tuple[str, ...], count: int) -> Ints:
    if currency is None:
        return np.full(count, NO_CURRENCY)
    place = np.array([*(names.index(name) for name in currency.names), NO_CURRENCY], np.int64)
    return place[currency.codes]


def _of_month(measured: Measured, month: int, due: Due) -> Iterator[RenewalRates]:
    for grouping, by, values in measured.parts():
        part = np.zeros(len(due.account), np.int64) if grouping is None else grouping.on(due.account, due.placed)
        for value in np.unique(part).tolist():
            own = due.take(part == value)
            if len(measured.currencies) == 1:
                name = measured.currency_name(measured.currencies[0])
                yield _rates(measured, measured.months[month], Part(by, values[value], name), own, in_money=True)
                continue
            yield _rates(measured, measured.months[month], Part(by, values[value]), own, in_money=False)
            for code in measured.currencies:
                in_one = own.take(own.currency == code)
                if len(in_one.account):
                    named = Part(by, values[value], measured.currency_name(code))
                    yield _rates(measured, measured.months[month], named, in_one, in_money=True)


def _rates(measured: Measured, month: str, part: Part, due: Due, in_money: bool) -> RenewalRates:
    decided = due.take(due.outcome != UNDECIDED)
    family = measured.top[decided.account]
    money = decided.take(decided.compared)
    renewed = np.minimum(money.before, money.after)
    count = {code: int((due.outcome == code).sum()) for code in (RENEWED, CONTRACTED, EXPANDED, CHURNED, UNDECIDED)}
    return RenewalRates(
        month=month,
        part=part,
        renewed=count[RENEWED],
        contracted=count[CONTRACTED],
        expanded=count[EXPANDED],
        churned=count[CHURNED],
        undecided=count[UNDECIDED],
        not_compared=len(decided.account) - len(money.account),
        arr_decided=as_decimal(money.before.sum()) if in_money else None,
        arr_renewed=as_decimal(renewed.sum()) if in_money else None,
        clusters=count_families(family),
        logos=kept_logos(decided.outcome != CHURNED, family),
        arr=kept_share(renewed, money.before, measured.top[money.account]) if in_money else _no_money(measured),
    )


def _no_money(measured: Measured) -> NoEstimate:
    if not measured.currencies:
        return NoEstimate("no term has an amount", "the amounts of the terms")
    return NoEstimate("the amounts are in several currencies", "a currency to turn all into, and dated rates")
