"""Worked examples of retention that others have published, given as terms and told again."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from tests.unit.book.retention.views import Book, term, whole
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.result import RetentionResult


def kept_shares(result: RetentionResult, month: str) -> tuple[Decimal, Decimal]:
    """GRR and NRR of the whole book over the window that closes in the month."""
    rates = {one.name: one for one in result.rates if one.month == month and not one.part.by}
    return rates["grr"].kept / rates["grr"].base, rates["nrr"].kept / rates["nrr"].base


def year_of(opening: list[tuple[str, int, int]]) -> Book:
    """Accounts with what they paid a year on 1 January 2024 and on 1 January 2025."""
    terms = []
    for account, before, after in opening:
        terms.append(term(account, "2024-01-01", "2025-01-01", str(before)))
        if after:
            terms.append(term(account, "2025-01-01", "2026-01-01", str(after)))
    return Book(terms)


def test_the_life_of_a_customer_as_chartmogul_tells_it() -> None:
    """ChartMogul Help Center, "Lifecycle of a customer" (article 201244842): Syncalytics, in MRR, which is a twelfth of ARR.

    Four Gold plans a year at 2,000 (MRR 166.67); two Silver plans a month at 60; Silver is cancelled, a contraction since Gold
    runs on; Gold is cancelled and churns at the end of the paid year; three Gold plans a month at 50 each reactivate.
    """
    gold, silver = {"product": "Gold"}, {"product": "Silver", "amount_months": 1.0}
    terms = [term("Syncalytics", "2022-01-10", "2023-01-10", "2000", **gold)]
    terms += [term("Syncalytics", f"2022-0{month}-14", f"2022-0{month + 1}-14", "60", **silver) for month in (2, 3)]
    terms += [term("Syncalytics", "2023-05-05", None, "150", product="Gold", amount_months=1.0)]
    result = Book(terms).judge(RetentionQuestion(date(2023, 5, 31), first_month="2022-01"))
    movements = {
        (one.month, name): (getattr(one, name) / 12).quantize(Decimal("0.01"))
        for one in result.waterfalls
        for name in ("new", "expansion", "contraction", "churn", "reactivation")
        if getattr(one, name)
    }
    assert movements == {
        ("2022-01", "new"): Decimal("166.67"),
        ("2022-02", "expansion"): 60,
        ("2022-04", "contraction"): 60,
        ("2023-01", "churn"): Decimal("166.67"),
        ("2023-05", "reactivation"): 150,
    }


def test_an_arr_waterfall_as_metrickit_tells_it() -> None:
    """MetricKit, glossary "ARR Waterfall" (2026): 2.0M + 300k new + 200k expansion - 80k contraction - 120k churn = 2.3M."""
    ends = {"grew": (800, 1000), "shrank": (700, 620), "left": (120, 0), "stayed": (380, 380), "came": (0, 300)}
    terms = [term(name, "2023-06-15", "2024-03-15", f"{before}000") for name, (before, _) in ends.items() if before]
    terms += [term(name, "2024-03-15", None, f"{after}000") for name, (_, after) in ends.items() if after]
    march = whole(Book(terms).judge(RetentionQuestion(date(2024, 3, 31))), "2024-03")
    told = (march.opening, march.new, march.expansion, march.contraction, march.churn, march.closing)
    assert told == (2_000_000, 300_000, 200_000, 80_000, 120_000, 2_300_000)


@pytest.mark.parametrize(
    ("accounts", "grr", "nrr"),
    [
        # Pulse RevOps, "How do I calculate true gross retention vs net retention?": 10.0M, 0.6M contracts, 0.9M churns, 1.8M expands
        ([("left", 900, 0), ("shrank", 2000, 1400), ("grew", 3000, 4800), ("stayed", 4100, 4100)], "0.85", "1.03"),
        # IgnyteIQ, glossary "Net Revenue Retention": 100k, 18k expansion, 6k contraction, 9k churn; NRR 103 %
        ([("left", 9, 0), ("shrank", 20, 14), ("grew", 50, 68), ("stayed", 21, 21)], "0.85", "1.03"),
        # MetricKit, "NRR guide": 100k, +15k expansion, -5k contraction, -8k churned; (100 + 15 - 5 - 8) / 100
        ([("left", 8, 0), ("shrank", 10, 5), ("grew", 60, 75), ("stayed", 22, 22)], "0.87", "1.02"),
    ],
)
def test_grr_and_nrr_of_a_year_as_others_work_them_out(accounts: list[tuple[str, int, int]], grr: str, nrr: str) -> None:
    result = year_of([(name, before * 1000, after * 1000) for name, before, after in accounts]).judge(RetentionQuestion(date(2025, 1, 31)))
    assert kept_shares(result, "2025-01") == (Decimal(grr), Decimal(nrr))


def test_customers_won_within_the_window_are_in_no_rate() -> None:
    """SaaS Metrics Standards Board: both rates look only at the customers of the opening."""
    accounts = [("stayed", 100_000, 100_000)]
    terms = [term("new", "2024-06-01", None, "900000")]
    book = year_of(accounts)
    both = Book([*terms, term("stayed", "2024-01-01", None, "100000")])
    question = RetentionQuestion(date(2025, 1, 31))
    assert kept_shares(book.judge(question), "2025-01") == kept_shares(both.judge(question), "2025-01") == (1, 1)
