"""Purchases: accounts, days and amounts; returns, and what becomes of rows that cannot be used."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from unspun.book.purchases import read_purchases
from unspun.book.tables import Purchases, ReadingOptions
from unspun.errors import BadInput

NOTHING = ReadingOptions()


def read(*lines: str, options: ReadingOptions = NOTHING) -> Purchases:
    return read_purchases("\n".join(lines).encode(), options)


def set_aside(purchases: Purchases) -> dict[str, list[int]]:
    return {rejection.code: rejection.rows.tolist() for rejection in purchases.source.rejections}


def amounts(purchases: Purchases) -> list[float]:
    assert purchases.amount is not None
    return purchases.amount.tolist()


def test_an_account_and_a_date_are_enough() -> None:
    purchases = read("customer,order date", "A,2026-01-01", "B,2026-01-02")
    assert purchases.account.names == ("A", "B")
    assert purchases.date.astype(str).tolist() == ["2026-01-01", "2026-01-02"]
    assert purchases.amount is None
    assert "no amounts are given: returns, if the file holds any, count as purchases" in purchases.source.notes


def test_a_return_is_not_a_purchase_and_the_purchase_it_undoes_stays() -> None:
    purchases = read("account,date,amount", "A,2026-01-01,10", "A,2026-01-02,-10", "A,2026-01-03,(4.00)", "B,2026-01-03,0")
    assert amounts(purchases) == [10, 0]
    assert set_aside(purchases) == {"return": [3, 4]}


def test_quantity_times_unit_price_is_the_amount_and_is_noted() -> None:
    purchases = read("account,date,Quantity,UnitPrice", "A,2026-01-01,6,2.55", "A,2026-01-01,-1,2.55", "B,2026-01-02,1,")
    np.testing.assert_allclose(amounts(purchases), [15.30, np.nan])
    assert set_aside(purchases) == {"return": [3]}
    assert "amount = 'Quantity' x 'UnitPrice'" in purchases.source.notes


def test_an_amount_goes_before_quantity_and_unit_price() -> None:
    purchases = read("account,date,amount,quantity,unit_price", "A,2026-01-01,9,2,5", "B,2026-01-01,9,-2,5")
    assert amounts(purchases) == [9]
    assert set_aside(purchases) == {"return": [3]}


def test_a_negative_price_is_no_return() -> None:
    assert set_aside(read("account,date,quantity,unit_price", "A,2026-01-01,1,-9", "A,2026-01-01,1,9")) == {"negative_price": [2]}


def test_two_lines_alike_are_two_lines_and_no_duplicates() -> None:
    purchases = read("account,date,amount", "A,2026-01-01,5", "A,2026-01-01,5")
    assert amounts(purchases) == [5, 5]
    assert not purchases.source.rejections


def test_rows_read_are_the_rows_accepted_and_the_rows_set_aside() -> None:
    lines = ("A,2026-01-01,5", ",2026-01-01,5", "A,soon,5", "A,,5", "A,2026-01-02,many", "A,2026-01-03,-5", *["B,2026-01-04,1"] * 9)
    purchases = read("account,date,amount", *lines)
    rejected = set_aside(purchases)
    assert rejected == {"no_account": [3], "unreadable_date": [4], "no_date": [5], "unreadable_amount": [6], "return": [7]}
    assert purchases.source.rows_read == len(purchases.row) + sum(len(rows) for rows in rejected.values()) == len(lines)


def test_days_are_days_in_the_zone() -> None:
    lines = ("account,created_at,amount", "A,2026-03-01T02:00:00Z,5")
    assert read(*lines, options=ReadingOptions(time_zone="America/New_York")).date.astype(str).tolist() == ["2026-02-28"]


@pytest.mark.parametrize("amount", ["\u00a35.00,", "5,GBP"])
def test_the_currency_is_that_of_the_column_or_of_the_cells(amount: str) -> None:
    header = "account,date,amount,currency"
    columns = {"currency": "-"} if amount.endswith(",") else {}
    purchases = read(header, f"A,2026-01-01,{amount}", f"A,2026-01-02,-{amount}", options=ReadingOptions(columns=columns))
    assert purchases.currency is not None
    assert (purchases.currency.names, purchases.currency.codes.tolist()) == (("GBP",), [0])


def test_whole_numbers_that_a_missing_neighbour_made_floats_are_account_names() -> None:
    frame = pd.DataFrame({"CustomerID": [17850.0, None], "InvoiceDate": pd.to_datetime(["2026-01-01", "2026-01-02"])})
    purchases = read_purchases(frame, NOTHING)
    assert purchases.account.names == ("17850",)
    assert set_aside(purchases) == {"no_account": [3]}


def test_a_file_without_dates_or_accounts_is_refused_with_both_faults() -> None:
    with pytest.raises(BadInput) as refused:
        read("name of thing,amount", "A,5")
    assert [fault.code for fault in refused.value.faults] == ["no_account_column", "no_date_column"]


def test_a_column_of_amounts_that_holds_words_is_refused() -> None:
    with pytest.raises(BadInput, match="is not a number"):
        read("account,date,amount", "A,2026-01-01,lots", "B,2026-01-01,5")
