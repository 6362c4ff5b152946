"""A company's own columns may have any name: also those that the checks' own SQL uses for what it makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.book.checks.views import findings
from unspun.book.checks.account_names import SHARED_EMAILS
from unspun.book.checks.check import Check
from unspun.book.checks.currencies import CHECKS as CURRENCIES
from unspun.book.checks.dates import CHECKS as DATES
from unspun.book.checks.flags import CHECKS as FLAGS
from unspun.book.checks.id_spelling import ID_SPELLING
from unspun.book.checks.references import CHECKS as REFERENCES
from unspun.book.checks.terms import CHECKS as TERMS

CHECKS: tuple[Check, ...] = (*TERMS, *DATES, *FLAGS, *REFERENCES, *CURRENCIES, SHARED_EMAILS, ID_SPELLING)
Book = Mapping[str, Sequence[Mapping[str, Any]]]


def _term(number: int, account: str, started: date, ended: date | None, addon: bool = False, **more: object) -> dict[str, Any]:
    row = {"subscription_id": f"S{number}", "account_id": account, "started": started, "ended": ended, "product": "base"}
    return {**row, "amount": Decimal(10), "amount_months": 1.0, "currency": "EUR", "is_addon": addon, **more}


def _book() -> dict[str, list[dict[str, Any]]]:
    """Two accounts in which something is found by most checks."""
    return {
        "accounts": [
            {"account_id": "a-1", "created_on": date(2025, 6, 1), "churned": True},
            {"account_id": "A-1", "created_on": date(2025, 6, 1), "churned": False},
        ],
        "contacts": [{"contact_id": f"C{i}", "account_id": ("a-1", "A-1")[i], "email": "kim@example.com"} for i in range(2)],
        "subscriptions": [
            _term(1, "A-1", date(2024, 1, 1), date(2024, 6, 1)),
            _term(2, "A-1", date(2024, 9, 1), date(2025, 1, 1), currency="USD"),
            _term(3, "A-1", date(2024, 6, 20), date(2024, 8, 1), addon=True),
            _term(4, "a-1", date(2024, 1, 1), None),
            _term(5, "a-1", date(2024, 2, 1), date(2024, 3, 1)),
        ],
        "churns": [{"account_id": "A-1", "churned": date(2024, 6, 1)}],
        "renewals": [{"account_id": "A-1", "due": date(2024, 6, 1), "outcome": "renewed"}],
        "events": [{"account_id": account, "occurred": datetime(2024, 7, 5, tzinfo=UTC), "event": "login"} for account in ("A-1", "X-9")],
        "tickets": [{"account_id": "A-1", "ticket_id": "T1", "opened": datetime(2024, 7, 5, tzinfo=UTC), "status": "open"}],
    }


def _counts(book: Book) -> dict[str, tuple[int, int]]:
    return {name: (one.finding.count, one.finding.of) for name, one in findings(book, CHECKS).items()}


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("accounts", "churns"), ("accounts", "day"), ("accounts", "family"), ("accounts", "last_churned"), ("accounts", "last_ended"),
        ("accounts", "occurred"), ("accounts", "opened"), ("accounts", "rows"), ("accounts", "spelt"), ("accounts", "contact_id"),
        ("contacts", "address"), ("contacts", "family"), ("events", "created_on"), ("events", "first_term_started"), ("events", "rows"),
        ("renewals", "begins"), ("renewals", "first_started"), ("renewals", "goes_on"), ("subscriptions", "before"),
        ("subscriptions", "beside"), ("subscriptions", "covered"), ("subscriptions", "first"), ("subscriptions", "key"),
        ("subscriptions", "last"), ("subscriptions", "span"), ("subscriptions", "touched"), ("subscriptions", "until"),
        ("tickets", "created_on"), ("churns", "created_on"),
    ],
)  # fmt: skip
def test_an_own_column_changes_nothing_that_is_found_whatever_its_name(table: str, column: str) -> None:
    book = _book()
    own = {**book, table: [{**row, column: date(2020, 2, 2)} for row in book[table]]}
    if column == "contact_id":  # which contact: one that is there, so that nothing else is at fault
        own[table] = [{**row, column: "C0"} for row in book[table]]
    assert _counts(own) == _counts(book)


def test_most_checks_find_something_in_the_book_that_is_compared() -> None:
    assert {name.partition("/")[0] for name in _counts(_book())} >= {
        "before_signup", "churn_flag_against_churns", "churn_flag_against_terms", "currency_mixes", "id_spelling", "orphan_accounts",
        "overlapping_terms", "phantom_addons", "renewals_against_terms", "shared_emails", "term_gaps", "usage_outside_subscription",
    }  # fmt: skip


def test_a_table_that_names_what_it_does_not_belong_to_by_itself_is_checked_too() -> None:
    book = _book()
    missing = {**book, "accounts": [{**row, "contact_id": "C9"} for row in book["accounts"]]}
    assert _counts(missing)["orphan_contacts/accounts"] == (2, 2)


def test_usage_of_an_account_whose_only_term_has_no_days_is_shown_as_it_is_counted() -> None:
    inverted = {"subscriptions": [_term(1, "A-1", date(2024, 6, 1), date(2024, 1, 1))], "events": _book()["events"][:1]}
    found = findings(inverted, DATES)["usage_outside_subscription/events/no_term"]
    assert (found.finding.count, len(found.rows)) == (1, 1)


def test_words_that_are_no_codes_are_counted_and_not_kept_as_they_may_be_names() -> None:
    rows = [_term(i, "A-1", date(2024, 1, 1), None, currency=code) for i, code in enumerate(("EUR", "eur", "Jane Roe of Acme", "X Ltd."))]
    found = findings({"subscriptions": rows}, CURRENCIES)
    kept = repr([one.finding for one in found.values()])
    assert "Jane" not in kept
    assert "X Ltd" not in kept
    assert "eur and 2 longer words" in found["currency_codes/subscriptions"].finding.message
    assert found["currency_codes/subscriptions"].finding.count == 3


def test_a_rate_without_a_currency_and_an_amount_without_one_hide_nothing() -> None:
    rows = [_term(i, "A-1", date(2024, 1, 1), None, currency=code) for i, code in enumerate(("EUR", "USD", None))]
    rates = [{"currency": None, "into": "EUR", "day": date(2024, 1, 1), "rate": 1.0}, {"currency": "GBP", "into": "EUR"}]
    found = findings({"subscriptions": rows, "rates": rates}, CURRENCIES)
    assert "in subscriptions: EUR, USD." in found["currency_mixes/subscriptions"].finding.message
    assert found["currencies_without_rate/subscriptions"].finding.count == 1
