"""Who counts as an active customer, who bought again, and what was known by then; against a slow count over every line."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np
import pytest

from tests.unit.audit.shop import EPOCH, Line, month_starts, purchases, random_lines, scores
from unspun.audit.repurchase import CustomerMonths, PastWindows, customer_months, order_purchases, repurchase_units
from unspun.audit.terms import Terms, in_order
from unspun.book.tables import CHURNED, RENEWED, UNDECIDED

FIRST, AS_OF = date(2024, 1, 15), date(2025, 3, 10)
LINES = random_lines(7, customers=60, first=FIRST, days=430)
NOBODY = scores([("nobody", FIRST, 1.0)])


def order(lines: list[Line], as_of: date = AS_OF) -> Terms:
    return order_purchases(purchases(lines), NOBODY, (as_of - EPOCH).days, {}, None)


def within(account: str, after: date, until: date) -> list[Line]:
    """Lines of an account in (after, until]; nothing later than the as-of date exists."""
    return [line for line in LINES if line.account == account and after < line.day <= min(until, AS_OF)]


def active_customers(active_days: int) -> Iterator[tuple[str, date]]:
    for account in sorted({line.account for line in LINES}):
        for first_day in month_starts(FIRST, AS_OF):
            if within(account, first_day - timedelta(days=active_days), first_day):
                yield account, first_day


def spend(account: str, day: date) -> float:
    known = [line.amount for line in within(account, day - timedelta(days=365), day) if not math.isnan(line.amount)]
    return sum(known) if known else math.nan


@pytest.mark.parametrize("active_days", [30, 365, 500])
@pytest.mark.parametrize("horizon_days", [7, 90])
def test_units_are_the_customers_a_slow_count_finds_with_the_outcome_it_finds(active_days: int, horizon_days: int) -> None:
    terms = order(LINES)
    units = repurchase_units(terms, customer_months(terms, active_days), horizon_days)
    found = {
        (terms.account_names[account], EPOCH + timedelta(days=day)): (lapsed, amount)
        for account, day, lapsed, amount in zip(
            units.account.tolist(), units.as_of.tolist(), units.churned.tolist(), units.amount.tolist(), strict=True
        )
    }
    window = timedelta(days=horizon_days)
    expected = {
        (account, day): (not within(account, day, day + window), spend(account, day))
        for account, day in active_customers(active_days)
        if day + window <= AS_OF
    }
    assert set(found) == set(expected)
    assert len(found) == len(units)
    for key, (lapsed, amount) in expected.items():
        assert found[key][0] == lapsed
        assert found[key][1] == pytest.approx(amount, rel=1e-12, nan_ok=True)
    assert 0 < units.churned.sum() < len(units)


def test_every_active_customer_month_is_eligible_or_censored() -> None:
    terms = order(LINES)
    units = repurchase_units(terms, customer_months(terms, 365), 90)
    everyone = list(active_customers(365))
    censored = sum(day + timedelta(days=90) > AS_OF for _, day in everyone)
    assert [n for _, n in units.flow] == [len(everyone), -censored, len(units)]
    assert units.not_applicable == censored > 0


def test_the_last_outcome_is_that_of_the_window_that_ends_on_the_day() -> None:
    terms = order(LINES)
    units = repurchase_units(terms, customer_months(terms, 365), 60)
    last = PastWindows(terms, 60).last(units.account, units.as_of)
    for account, day, outcome in zip(units.account.tolist(), units.as_of.tolist(), last.tolist(), strict=True):
        name, on = terms.account_names[account], EPOCH + timedelta(days=day)
        begin = on - timedelta(days=60)
        customer_then = bool(within(name, date.min, begin))
        assert outcome == ((RENEWED if within(name, begin, on) else CHURNED) if customer_then else UNDECIDED)
    assert set(last.tolist()) == {RENEWED, CHURNED, UNDECIDED}


def months_of(*lines: Line, active_days: int = 365, as_of: date = date(2025, 1, 31)) -> tuple[Terms, CustomerMonths]:
    terms = order(list(lines), as_of)
    return terms, customer_months(terms, active_days)


def days(months: CustomerMonths) -> list[str]:
    return months.day.astype("datetime64[D]").astype(str).tolist()


def test_a_purchase_on_the_first_day_of_a_month_is_known_that_day_and_is_no_repurchase_of_it() -> None:
    terms, months = months_of(Line("A", date(2024, 11, 1), 10.0), as_of=date(2024, 12, 31))
    assert days(months) == ["2024-11-01", "2024-12-01"]
    units = repurchase_units(terms, months, 30)
    assert units.churned.tolist() == [True, True]
    assert units.amount.tolist() == [10.0, 10.0]


def test_a_purchase_on_the_last_day_of_the_window_counts_and_one_the_day_after_does_not() -> None:
    bought, late = (Line("A", date(2024, 5, 1) + timedelta(days=n), 1.0) for n in (30, 31))
    for line, lapsed in ((bought, False), (late, True)):
        terms, months = months_of(Line("A", date(2024, 4, 20), 1.0), line)
        assert repurchase_units(terms, months, 30).churned[0] == lapsed


def test_a_customer_is_active_until_the_days_declared_are_over() -> None:
    _, months = months_of(Line("A", date(2024, 1, 2), 1.0), active_days=30)
    assert days(months) == []
    _, months = months_of(Line("A", date(2024, 1, 3), 1.0), active_days=30)
    assert days(months) == ["2024-02-01"]


def test_the_as_of_date_itself_can_be_the_first_day_of_a_month() -> None:
    _, months = months_of(Line("A", date(2024, 2, 10), 1.0), as_of=date(2024, 3, 1))
    assert days(months) == ["2024-03-01"]


def test_lines_of_one_day_are_one_occasion_whose_amount_is_their_sum() -> None:
    terms = order([Line("A", date(2024, 2, 1), 2.0), Line("B", date(2024, 2, 1), 5.0), Line("A", date(2024, 2, 1), math.nan)])
    assert (terms.account.tolist(), terms.money.before.tolist()) == ([0, 1], [2.0, 5.0])
    assert terms.order.tolist() == [0, 1]


def test_purchases_after_the_as_of_date_are_not_known() -> None:
    terms, months = months_of(Line("A", date(2024, 2, 1), 2.0), Line("A", date(2024, 4, 2), 2.0), as_of=date(2024, 4, 1))
    assert len(terms.due) == 1
    assert repurchase_units(terms, months, 31).churned.tolist() == [True, True]


def test_unlike_currencies_are_never_added() -> None:
    lines = [Line("A", date(2024, 2, 1), 2.0, "GBP"), Line("A", date(2024, 2, 20), 3.0, "EUR")]
    _, months = months_of(*lines)
    assert np.isnan(months.amount).all()
    terms = order_purchases(purchases(lines), NOBODY, (date(2024, 3, 31) - EPOCH).days, {"EUR": 0.5}, "GBP")
    assert customer_months(terms, 365).amount.tolist() == [2.0, 3.5]


def test_the_order_of_the_lines_moves_no_unit() -> None:
    table = purchases(LINES)
    shuffled = purchases(LINES[::-1])
    found = []
    for one in (table, shuffled):
        named = order_purchases(
            type(one)(one.source, one.row, in_order(one.account), one.date, one.amount, one.currency),
            NOBODY,
            (AS_OF - EPOCH).days,
            {},
            None,
        )
        months = customer_months(named, 365)
        found.append((months.account.tolist(), months.day.tolist(), np.round(months.amount, 9).tolist()))
    assert repr(found[0]) == repr(found[1])
