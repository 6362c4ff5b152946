"""Amounts in several currencies, in none, in what is no currency, and in one that has no rate."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from tests.unit.book.checks.views import findings, outcomes
from unspun.book.checks.currencies import CHECKS

DAY = date(2025, 1, 1)


def term(account: str, currency: str | None, amount: int | None = 100) -> dict[str, Any]:
    return {"account_id": account, "started": DAY, "amount": None if amount is None else Decimal(amount), "currency": currency}


def rate(currency: str, into: str) -> dict[str, Any]:
    return {"currency": currency, "into": into, "day": DAY, "rate": 1.1}


def test_an_account_with_amounts_in_several_currencies_is_a_mix() -> None:
    terms = [term("A", "EUR"), term("A", "USD"), term("B", "EUR"), term("B", "EUR"), term("C", "EUR"), term("C", "USD", 0)]
    one = findings({"subscriptions": terms}, CHECKS)["currency_mixes/subscriptions"]
    assert one.finding.message == "1 of 3 accounts (33.3 %) have amounts in several currencies in subscriptions: EUR, USD."
    assert one.numbers == [2, 3]


def test_a_company_with_customers_in_several_currencies_is_clean() -> None:
    assert findings({"subscriptions": [term("A", "EUR"), term("B", "USD"), term("C", "JPY")]}, CHECKS) == {}


def test_codes_that_are_none_are_named_most_frequent_first() -> None:
    terms = [term("A", "$"), term("B", "EURO"), term("C", "EURO"), term("D", "EUR")]
    one = findings({"subscriptions": terms}, CHECKS)["currency_codes/subscriptions"]
    assert one.finding.message == "3 of 4 currencies of subscriptions (75.0 %) are no ISO 4217 code: EURO, $."
    assert one.numbers == [2, 3, 4]


def test_amounts_without_a_currency_are_found_where_others_have_one() -> None:
    one = findings({"subscriptions": [term("A", None), term("B", "EUR"), term("C", None, 0), term("D", None, None)]}, CHECKS)
    assert one["amounts_without_currency/subscriptions"].numbers == [2]
    assert findings({"subscriptions": [term("A", None), term("B", None)]}, CHECKS) == {}


def test_a_currency_without_a_rate_is_found_where_others_have_rates() -> None:
    book = {"subscriptions": [term("A", "EUR"), term("B", "USD"), term("C", "GBP")], "rates": [rate("USD", "EUR")]}
    one = findings(book, CHECKS)["currencies_without_rate/subscriptions"].finding
    assert one.message == "1 of 3 amounts of subscriptions (33.3 %) are in a currency of which no rate is loaded: GBP."
    assert one.mend == "Load rates of GBP into EUR."


def test_all_amounts_of_a_table_are_looked_at() -> None:
    renewals = [
        {"account_id": "A", "due": DAY, "currency": currency, "amount_before": Decimal(before), "amount_after": Decimal(after)}
        for currency, before, after in (("EUR", 0, 5), ("USD", 5, 0))
    ]
    assert list(findings({"renewals": renewals}, CHECKS)) == ["currency_mixes/renewals"]


def test_without_currencies_or_rates_the_checks_say_so() -> None:
    said = {one.check.code: one.hindrance for one in outcomes({"subscriptions": [term("A", "EUR")]}, CHECKS)}
    assert said == {
        "currency_mixes": "", "currency_codes": "", "amounts_without_currency": "", "currencies_without_rate": "the book holds no rates",
    }  # fmt: skip
    assert outcomes({"tickets": [{"account_id": "A", "ticket_id": "1"}]}, CHECKS)[0].hindrance == "no amount of the book has a currency"
