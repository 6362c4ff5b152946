"""Subscription terms: what is read from a row, and what becomes of rows that are no terms."""

from __future__ import annotations

import numpy as np
import pytest

from unspun.book.subscriptions import amount_months_by_name, read_subscriptions
from unspun.book.tables import ReadingOptions, Subscriptions
from unspun.errors import BadInput

HEAD = "customer_id,plan,start_date,end_date,mrr"


def read(*lines: str) -> Subscriptions:
    return read_subscriptions("\n".join(lines).encode(), ReadingOptions())


def set_aside(subscriptions: Subscriptions) -> dict[str, list[int]]:
    return {rejection.code: rejection.rows.tolist() for rejection in subscriptions.source.rejections}


def test_a_row_is_a_term_with_its_product_amount_and_flag() -> None:
    terms = read(f"{HEAD},is_addon,currency", "A,Pro,2025-01-01,2026-01-01,\u20ac100,no,", "A,Seats,2025-02-01,2026-01-01,\u20ac20,yes,EUR")
    assert terms.start.astype(str).tolist() == ["2025-01-01", "2025-02-01"] and terms.is_addon.tolist() == [False, True]
    assert terms.product is not None and terms.product.names == ("Pro", "Seats")
    assert terms.amount is not None and terms.amount.tolist() == [100, 20]
    assert terms.amount_months is not None and terms.amount_months.tolist() == [1, 1]


def test_an_empty_end_or_a_year_that_stands_for_none_is_an_open_term() -> None:
    terms = read(HEAD, "A,Pro,2025-01-01,,100", "B,Pro,2025-01-01,9999-12-31,100", "C,Pro,2025-01-01,2026-01-01,100")
    assert terms.end.astype(str).tolist() == ["NaT", "NaT", "2026-01-01"]


def test_rows_that_are_no_terms_are_set_aside_with_the_reason() -> None:
    good = [f"X{i},Pro,2025-01-01,2026-01-01,100" for i in range(20)]
    bad = ["A,Pro,2025-01-01,soon,100", "B,Pro,2025-01-01,1900-01-01,100", "C,Pro,2025-01-01,2024-01-01,100", "D,Pro,2025-01-01,,-5"]
    terms = read(HEAD, *good, *bad, ",Pro,2025-01-01,,5", "E,Pro,,2026-01-01,5", "X0,Pro,2025-01-01,2026-01-01,100.0")
    assert set_aside(terms) == {
        "no_account": [26], "no_date": [27], "unreadable_date": [22], "impossible_date": [23], "negative_amount": [25],
        "ends_before_start": [24], "duplicate": [28],
    }  # fmt: skip
    assert terms.source.rows_read == len(terms.row) + 7


def test_two_equal_lines_with_numbers_of_their_own_are_two_lines() -> None:
    lines = ("1,A,Pro,2025-01-01,2026-01-01,100", "2,A,Pro,2025-01-01,2026-01-01,100")
    assert len(read(f"subscription_id,{HEAD}", *lines).row) == 2
    assert set_aside(read(HEAD, lines[0][2:], lines[1][2:])) == {"duplicate": [3]}


def test_an_empty_flag_is_a_base_product_and_said_so() -> None:
    terms = read(f"{HEAD},addon", "A,Pro,2025-01-01,,100,", "A,Seats,2025-01-01,,20,TRUE")
    assert terms.is_addon.tolist() == [False, True] and any("empty in 1 rows, taken as base" in note for note in terms.source.notes)


def test_a_flag_that_says_neither_is_a_fault() -> None:
    with pytest.raises(BadInput, match="'maybe' does not say whether it is an add-on") as refusal:
        read(f"{HEAD},addon", "A,Pro,2025-01-01,,100,no", "A,Pro,2025-01-02,,100,maybe")
    assert refusal.value.faults[0].where.endswith(":3:addon")


@pytest.mark.parametrize(
    ("title", "months"),
    [("mrr", 1), ("MRR (EUR)", 1), ("Monthly amount", 1), ("ARR", 12), ("annual_contract_value", 12), ("ACV__c", 12), ("tcv", 0),
     ("amount", None), ("carrier fee", None), ("arr_from_mrr", None)],
)  # fmt: skip
def test_a_column_name_says_how_many_months_its_amounts_cover(title: str, months: int | None) -> None:
    assert amount_months_by_name(title) == months


def test_a_column_of_billing_periods_says_it_where_the_name_does_not() -> None:
    rows = [f"{i},Pro,2025-01-01,2026-01-01,100,{period}" for i, period in enumerate(("Monthly", "per year", "3", "term", ""))]
    terms = read("account,product,start,end,amount,billing_period", *rows)
    assert terms.amount_months is not None
    np.testing.assert_array_equal(terms.amount_months, [1, 12, 3, 0, np.nan])


def test_terms_without_a_start_are_refused_with_the_reason() -> None:
    with pytest.raises(BadInput, match="no column says when each term started"):
        read("account,end", "A,2025-01-01")
