"""The days and counts at which a rule of retention begins or ends to hold."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import duckdb
import numpy as np
import pytest

from tests.unit.book.retention.views import Book, term, whole
from unspun.book.retention.ask import rows_sql
from unspun.book.retention.judge import account_months
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.ratios import net_ratio, told_apart
from unspun.book.retention.result import RenewalRates, RetentionResult, Waterfall
from unspun.book.retention.rules import RetentionRules
from unspun.book.terms.rules import TermRules
from unspun.stats.estimate import Estimate, NoEstimate

ENDS_ARE_THE_DAY_AFTER = RetentionRules(TermRules(ends_inclusive=False))
UNTIL_YEAR_END = term("other", "2023-01-01", "2024-12-31", "10")


@pytest.mark.parametrize(("ended", "as_of", "pending"), [("2024-03-25", 31, 1), ("2024-03-24", 31, 0), ("2024-03-31", 31, 1)])
def test_a_term_is_pending_from_the_day_of_its_end_while_a_successor_may_still_begin(ended: str, as_of: int, pending: int) -> None:
    book = Book([term("a", "2024-03-02", ended, "120"), UNTIL_YEAR_END])
    fall = whole(book.judge(RetentionQuestion(date(2024, 3, as_of), window_months=1, rules=ENDS_ARE_THE_DAY_AFTER)), "2024-03")
    assert (fall.pending, fall.accounts["pending"]) == (Decimal(120 * pending), pending)
    assert fall.closing == 10  # it began and ended within the month, so that it is at neither end of it


@pytest.mark.parametrize(("ended", "pending"), [("2024-03-31", 1), ("2024-03-24", 0)])
def test_what_is_pending_at_the_close_would_be_kept_besides(ended: str, pending: int) -> None:
    book = Book([term("a", "2023-01-01", ended, "120"), UNTIL_YEAR_END])
    question = RetentionQuestion(date(2024, 3, 31), first_month="2024-03", rules=ENDS_ARE_THE_DAY_AFTER)
    rates = {one.name: one for one in book.judge(question).rates}
    assert {name: one.pending for name, one in rates.items()} == {"grr": 120 * pending, "nrr": 120 * pending, "logo": pending}


def test_what_is_pending_beyond_the_opening_arr_would_add_to_nrr_and_not_to_grr() -> None:
    terms = [term("a", "2023-01-01", "2025-01-01", "100"), term("a", "2023-06-01", "2024-03-31", "50", product="second"), UNTIL_YEAR_END]
    question = RetentionQuestion(date(2024, 3, 31), first_month="2024-03", rules=ENDS_ARE_THE_DAY_AFTER)
    rates = {one.name: one.pending for one in Book(terms).judge(question).rates}
    assert rates == {"grr": 0, "nrr": 50, "logo": 0}


def test_an_account_left_out_for_two_reasons_is_left_out_once() -> None:
    terms = [
        term("a", "2023-01-01", "2024-01-01", "10", currency="EUR"),
        term("a", "2023-01-01", "2024-01-01", "10", currency="USD"),
        term("a", "2023-01-01", "2024-01-01", None),
        UNTIL_YEAR_END | {"currency": "USD"},
    ]
    left = Book(terms).judge(RetentionQuestion(date(2023, 12, 31))).left_out
    assert [(one.code, one.count, one.examples) for one in left] == [("no_amount", 1, ("a",))]


def test_a_product_stops_to_count_on_the_day_it_is_replaced_and_not_at_its_end() -> None:
    terms = [term("a", "2024-01-01", "2025-01-01", "10", product="basic"), term("a", "2024-11-15", "2025-11-15", "20", product="pro")]
    falls = Book(terms).judge(RetentionQuestion(date(2024, 12, 31), by=("product",))).waterfalls
    last = [one for one in falls if one.month == "2024-12" and one.part.by]
    assert [(one.part.value, one.closing) for one in last] == [("pro", 20)]


def renewed_by_segment() -> tuple[RetentionResult, list[RenewalRates]]:
    """`a` moves from S to M in the month it is due, `b` comes and is due in one month, `c` contracts, `d` is not decided."""
    terms = [
        term("a", "2023-03-15", "2024-03-15", "100"), term("a", "2024-03-15", "2025-03-15", "100"),
        term("b", "2024-03-02", "2024-03-09", "100"), term("b", "2024-03-09", "2025-03-09", "100"),
        term("c", "2023-03-15", "2024-03-15", "100"), term("c", "2024-03-15", "2025-03-15", "60"),
        term("d", "2023-03-30", "2024-03-30", "100"),
    ]  # fmt: skip
    said = [("a", 1, 1, "S"), ("a", 3, 10, "M"), ("b", 3, 2, "S"), ("b", 3, 8, "M"), ("c", 1, 1, "S"), ("d", 1, 1, "S")]
    accounts = [{"account_id": a, "segment": s, "happened_at": f"2024-{m:02d}-{day:02d}T00:00:00+00:00"} for a, m, day, s in said]
    question = RetentionQuestion(date(2024, 3, 31), first_month="2024-03", by=("segment",))
    book = Book(terms, accounts)
    tables = account_months(question, book.rows(question))
    connection = duckdb.connect()
    for name, table in tables.items():
        connection.register(name, table)
    kept = connection.sql(f"SELECT sum(kept), sum(base) FROM ({rows_sql(question, 'renewals.arr/2024-03')})").fetchall()
    assert kept == [(Decimal(260), Decimal(300))]  # the undecided one is not among the rows behind the share
    result = book.judge(question)
    return result, [one for one in result.renewals if one.part.by]


def test_a_renewal_counts_where_its_account_was_at_the_opening_and_one_that_came_since_where_it_is_at_the_close() -> None:
    _, parts = renewed_by_segment()
    counts = {one.part.value: (one.renewed, one.contracted, one.undecided) for one in parts}
    assert counts == {"S": (1, 1, 1), "M": (1, 0, 0)}


def test_a_contraction_is_a_logo_kept() -> None:
    terms = [one for i in range(6) for one in (
        term(f"a{i}", "2023-03-15", "2024-03-15", "100"), term(f"a{i}", "2024-03-15", "2025-03-15", "60" if i < 3 else "100"))]  # fmt: skip
    (due,) = Book(terms).judge(RetentionQuestion(date(2024, 3, 31), first_month="2024-03")).renewals
    assert isinstance(due.logos, Estimate) and due.logos.point == 1.0 and due.contracted == 3


@pytest.mark.parametrize(("changed", "told"), [(4, False), (5, True)])
def test_nrr_is_estimated_where_the_arr_of_five_families_changed(changed: int, told: bool) -> None:
    base = np.full(40, 100_000)
    kept = base - 10_000 * (np.arange(40) < changed)
    estimate = net_ratio(kept, base, np.arange(40))
    assert isinstance(estimate, Estimate) == told
    assert told or (isinstance(estimate, NoEstimate) and estimate.reason == f"the ARR of only {changed} families changed")


def test_the_best_and_the_worst_of_many_equal_parts_are_seldom_told_apart() -> None:
    """25 parts that keep alike: unadjusted intervals would name a best and a worst in every third book or more."""
    rng, named, overlap = np.random.default_rng(7), 0, 0
    books = 200
    for _ in range(books):
        kept = rng.binomial(200, 0.85, 25) / 200
        half = 1.96 * np.sqrt(kept * (1 - kept) / 200)
        parts = sorted((Estimate(p, p - h, p + h, "a share", 200) for p, h in zip(kept, half, strict=True)), key=lambda one: one.point)
        named += told_apart(parts[-1], parts[0], 25)
        overlap += parts[-1].low > parts[0].high
    assert named <= 0.05 * books + 8
    assert overlap > 2 * named


def test_two_parts_are_told_apart_where_their_difference_is() -> None:
    def part(point: float) -> Estimate:
        return Estimate(point, point - 0.05, point + 0.05, "a share", 200)

    assert told_apart(part(0.9), part(0.82), 2) and not told_apart(part(0.9), part(0.84), 2)
    assert not told_apart(part(0.9), part(0.82), 10)


def test_reactivation_is_of_who_had_paid_on_the_opening_day_or_before() -> None:
    """`a` pays for one day, the last of January; it is back in March. `b` comes for the first time in February and is back in it."""
    terms = [
        term("a", "2024-01-31", "2024-02-01", "100"), term("a", "2024-03-10", "2025-03-10", "100"),
        term("b", "2024-02-02", "2024-02-04", "50"), term("b", "2024-02-20", "2025-02-20", "50"),
    ]  # fmt: skip
    result = Book(terms).judge(RetentionQuestion(date(2024, 3, 31), first_month="2024-02"))
    falls: dict[str, Waterfall] = {month: whole(result, month) for month in ("2024-02", "2024-03")}
    assert (falls["2024-02"].churn, falls["2024-02"].new, falls["2024-02"].reactivation) == (100, 50, 0)
    assert (falls["2024-03"].reactivation, falls["2024-03"].new) == (100, 0)
