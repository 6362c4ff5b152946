"""Rows of accounts, subscriptions and contacts that the book does not hold."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

from tests.unit.book.checks.views import findings, outcomes
from unspun.book.checks.id_spelling import ID_SPELLING
from unspun.book.checks.references import CHECKS

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def event(account: str | None, **more: str) -> dict[str, object]:
    return {"account_id": account, "occurred": NOON, "event": "login", **more}


def test_rows_of_accounts_that_are_not_there_are_counted_with_their_accounts() -> None:
    tickets = [{"account_id": name, "ticket_id": str(n), "opened": NOON} for n, name in enumerate("AABXXY")]
    found = findings({"accounts": [{"account_id": "A"}, {"account_id": "B"}], "tickets": tickets}, CHECKS)

    assert list(found) == ["orphan_accounts/tickets"]
    one = found["orphan_accounts/tickets"]
    assert (one.finding.count, one.finding.of, one.finding.facts["accounts"]) == (3, 6, 2)
    assert one.finding.message == "3 of 6 rows of tickets (50.0 %) belong to 2 accounts that the book does not hold."
    assert one.numbers == [5, 6, 7]


def test_every_table_that_names_accounts_is_looked_at() -> None:
    book = {
        "accounts": [{"account_id": "A"}],
        "events": [event("X")],
        "contacts": [{"contact_id": "c", "account_id": "X"}],
        "scores": [{"account_id": "X", "dated": NOON, "value": 1.0}],
        "churns": [{"account_id": "X", "churned": NOON.date()}],
        "purchases": [{"account_id": "X", "purchased": NOON}],
    }
    assert set(findings(book, CHECKS)) == {f"orphan_accounts/{table}" for table in book if table != "accounts"}


def test_orphans_are_those_that_counting_one_by_one_finds() -> None:
    random = Random(1)
    events = [event(random.choice("ABCDEFGH"), subscription_id=random.choice("stuvw")) for _ in range(500)]
    book = {
        "accounts": [{"account_id": name} for name in "ABC"],
        "subscriptions": [{"account_id": "A", "subscription_id": name, "started": NOON.date()} for name in "stu"],
        "events": events,
    }
    found = findings(book, CHECKS)
    assert found["orphan_accounts/events"].numbers == [n for n, row in enumerate(events, 2) if row["account_id"] not in ("A", "B", "C")]
    assert found["orphan_subscriptions/events"].numbers == [n for n, row in enumerate(events, 2) if row["subscription_id"] in ("v", "w")]


def test_an_account_that_is_there_in_another_spelling_is_told_once_as_that() -> None:
    accounts = [{"account_id": f"A-0{n}"} for n in range(1, 9)]
    names = ("A-01", "a-02", "A-3", "A-O4", "B-05", "A-05")
    book = {
        "accounts": accounts,
        "events": [event(name) for name in names],
        "tickets": [{"account_id": name, "ticket_id": str(n), "opened": NOON} for n, name in enumerate(names)],
    }
    found = findings(book, (*CHECKS, ID_SPELLING))
    for table in ("events", "tickets"):
        assert found[f"orphan_accounts/{table}"].numbers == [6]  # B-05
        assert sorted(found[f"id_spelling/{table}/account_id"].numbers) == [3, 4, 5]


def test_a_row_that_names_nothing_is_no_orphan() -> None:
    book = {
        "accounts": [{"account_id": "A"}],
        "subscriptions": [{"account_id": "A", "subscription_id": "s", "started": NOON.date()}],
        "events": [event("A", subscription_id="s"), {"account_id": "A", "occurred": NOON}],
        "contacts": [{"contact_id": "c", "account_id": "A"}],
        "tickets": [{"account_id": "A", "ticket_id": "t", "opened": NOON, "contact_id": None}],
    }
    assert findings(book, CHECKS) == {}
    book["events"] = [*book["events"], event("A", subscription_id="x")]
    assert findings(book, CHECKS)["orphan_subscriptions/events"].finding.of == 2  # of those that name one


def test_contacts_that_are_not_there_are_named_by_table() -> None:
    book = {
        "contacts": [{"contact_id": "c", "account_id": "A"}],
        "tickets": [{"account_id": "A", "ticket_id": n, "opened": NOON, "contact_id": c} for n, c in (("1", "c"), ("2", "d"))],
    }
    one = findings(book, CHECKS)["orphan_contacts/tickets"]
    assert one.finding.message == "1 of 2 rows of tickets (50.0 %) name 1 contact that the book does not hold."
    assert one.numbers == [3]


def test_without_accounts_the_check_says_why_it_is_not_run() -> None:
    found = {one.check.code: one.hindrance for one in outcomes({"events": [event("A")]}, CHECKS)}
    assert found["orphan_accounts"] == "the book holds no accounts"
    assert found["orphan_subscriptions"] == "the book holds no subscriptions"


def test_a_few_orphans_are_a_warning_and_many_an_error() -> None:
    def severity(orphans: int) -> str:
        rows = [event("X" if n < orphans else "A") for n in range(1000)]
        return findings({"accounts": [{"account_id": "A"}], "events": rows}, CHECKS)["orphan_accounts/events"].finding.severity

    assert [severity(1), severity(49), severity(50)] == ["warning", "warning", "error"]
