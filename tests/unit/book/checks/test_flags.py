"""What is said against what is recorded: flags, outcomes and words that contradict events, terms and dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.unit.book.checks.views import findings, outcomes
from unspun.book.checks.flags import CHECKS

JAN = date(2025, 1, 1)


def day(number: int) -> date:
    return JAN + timedelta(days=number)


def term(account: str, first: int, last: int | None, **more: Any) -> dict[str, Any]:
    return {"account_id": account, "started": day(first), "ended": None if last is None else day(last), **more}


def account(name: str, churned: bool | None) -> dict[str, Any]:
    return {"account_id": name, "churned": churned}


def test_the_four_cells_of_flag_and_churns_are_facts() -> None:
    book = {
        "accounts": [account("A", True), account("B", True), account("C", False), account("D", False), account("E", None)],
        "churns": [{"account_id": name, "churned": day(5)} for name in ("A", "C", "C", "E")],
    }
    one = findings(book, CHECKS)["churn_flag_against_churns/accounts"]
    assert [row["account_id"] for row in one.rows] == ["B", "C"]
    assert one.finding.facts == {
        "accounts": 4, "said_and_recorded": 1, "said_only": 1, "recorded_only": 1, "neither": 1, "came_back": 0, "agreeing_share": 0.5,
    }  # fmt: skip
    assert one.finding.message == (
        "The flag accounts.churned agrees with the table of churns for 2 of 4 accounts (50.0 %): "
        "1 are flagged and have no churn, 1 have a churn and are not flagged."
    )


def test_an_account_that_left_and_came_back_is_told_as_such() -> None:
    book = {
        "accounts": [account("A", False), account("B", False)],
        "churns": [{"account_id": "A", "churned": day(5)}],
        "subscriptions": [term("A", 0, 5), term("A", 50, None), term("B", 0, None)],
    }
    one = findings(book, CHECKS)["churn_flag_against_churns/accounts"].finding
    assert (one.severity, one.count) == ("note", 1)
    assert "(all of them with a term that runs, so they may have come back)" in one.message


def test_flags_that_agree_with_churns_and_terms_give_no_finding() -> None:
    book = {
        "accounts": [account("A", True), account("B", False)],
        "churns": [{"account_id": "A", "churned": day(30)}],
        "subscriptions": [term("A", 0, 30), term("B", 0, 365), term("B", 365, 900)],
    }
    assert findings(book, CHECKS) == {}


def test_a_flag_that_was_set_when_the_last_term_was_over_contradicts_nothing_though_no_other_term_began_since() -> None:
    book = {"subscriptions": [term("A", 0, 60), term("B", 0, 60)]}  # the terms tell of no day after the first
    set_on = {name: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=days) for name, days in (("A", 61), ("B", 30))}
    accounts = [{**account(name, True), "happened_at": at} for name, at in set_on.items()]
    found = findings({**book, "accounts": accounts}, CHECKS)["churn_flag_against_terms/accounts/flagged_but_run"]
    assert [row["account_id"] for row in found.rows] == ["B"]


def test_an_account_flagged_as_churned_whose_term_runs_is_found() -> None:
    book = {
        "accounts": [account("A", True), account("B", False), account("C", True), account("D", False)],
        "subscriptions": [term("A", 0, None), term("B", 0, 50), term("C", 0, 50), term("D", 100, 200)],
    }
    found = findings(book, CHECKS)
    assert {one.finding.subject: [row["account_id"] for row in one.rows] for one in found.values()} == {
        "flagged_but_run": ["A"],
        "over_but_not_flagged": ["B"],
    }
    assert (
        "on 2025-04-11, the last day that the terms tell of" in found["churn_flag_against_terms/accounts/flagged_but_run"].finding.message
    )


def test_old_terms_are_read_as_of_the_last_day_they_tell_of() -> None:
    """A book of which nothing new was loaded for years does not make every customer a churned one."""
    book = {"accounts": [account("A", False)], "subscriptions": [term("A", -900, -870), term("A", -870, -840)]}
    assert findings(book, CHECKS) == {}


def test_a_renewal_recorded_as_renewed_needs_a_term_that_goes_on() -> None:
    renewals = [
        {"account_id": name, "due": day(100), "outcome": word}
        for name, word in zip("ABCDEF", 3 * ["renewed"] + 3 * ["churned"], strict=True)
    ]
    book = {
        "renewals": renewals,
        "subscriptions": [
            *(term(name, 0, 100) for name in "ABCDEF"),
            term("A", 100, 200), term("B", 107, 200), term("C", 108, 200),  # on time, in the grace days, too late
            term("D", 60, 200), term("E", 5, 400), term("Z", 300, None),  # renewed early; another contract that ran all along
        ],
    }  # fmt: skip
    found = findings(book, CHECKS)
    assert {one.finding.subject: [row["account_id"] for row in one.rows] for one in found.values()} == {
        "nothing_follows": ["C"],
        "term_follows": ["D"],
    }
    assert found["renewals_against_terms/renewals/nothing_follows"].finding.of == 6


def test_renewals_whose_grace_days_the_terms_do_not_reach_are_not_judged() -> None:
    book = {
        "renewals": [
            {"account_id": "A", "due": day(100), "outcome": "renewed"},
            {"account_id": "B", "due": day(50), "outcome": "undecided"},
        ],
        "subscriptions": [term("A", 0, 100), term("B", 0, 50), term("C", 101, 130)],
    }
    assert findings(book, CHECKS) == {}


@pytest.mark.parametrize(
    ("flag", "value", "first", "last", "found"),
    [
        ("churned", True, 0, None, True),
        ("churned", True, 0, 30, False),
        ("churned", False, 0, 30, False),
        ("is_active", True, 0, 30, True),
        ("is_active", True, 0, 199, False),
        ("is_active", False, 0, None, True),
        ("is_active", False, 0, 30, False),
        ("inactive", True, 0, None, True),
        ("inactive", False, 0, 30, True),
        ("cancel_at_period_end", True, 0, None, False),
        ("churn_risk", True, 0, None, False),
        ("reactivated", False, 0, None, False),
        ("auto_renew_flag", False, 0, None, False),
    ],
)
def test_a_flag_of_terms_is_held_against_their_dates(flag: str, value: bool, first: int, last: int | None, found: bool) -> None:
    book = {"subscriptions": [term("A", first, last, **{flag: value}), term("Z", 200, 400)]}
    assert list(findings(book, CHECKS)) == ([f"term_flags_against_terms/subscriptions/{flag}_{str(value).lower()}"] if found else [])


def test_a_cancelled_open_term_is_gone() -> None:
    assert findings({"subscriptions": [term("A", 0, None, churned=True, cancelled_on=day(9))]}, CHECKS) == {}


def test_an_add_on_that_is_not_held_and_has_an_amount_is_found_with_its_arr() -> None:
    def addon(held: bool, amount: int) -> dict[str, Any]:
        return term("A", 0, None, addon_held=held, amount=Decimal(amount), amount_months=1.0)

    one = findings({"subscriptions": [addon(True, 5), addon(False, 7), addon(False, 0)]}, CHECKS)
    found = one["term_flags_against_terms/subscriptions/addon_held_false"]
    assert found.numbers == [3]
    assert found.finding.message == (
        "The flag addon_held says of 1 of 3 terms (33.3 %) that they are not held, yet they have an amount. They carry ARR of 84 "
        "(on 2025-01-01)."
    )


def test_the_status_of_a_ticket_is_held_against_its_closing() -> None:
    noon = datetime(2025, 1, 2, 12, tzinfo=UTC)
    words = [("Solved", None), ("closed", noon), (" Open ", noon), ("new", None), ("reopened", noon), (None, noon)]
    tickets = [{"account_id": "A", "ticket_id": str(n), "opened": noon, "status": s, "closed": c} for n, (s, c) in enumerate(words)]
    found = findings({"tickets": tickets}, CHECKS)
    assert {one.finding.subject: (one.numbers, one.finding.of) for one in found.values()} == {
        "closed_without_date": ([2], 4),
        "open_with_date": ([4], 4),
    }


def test_what_cannot_be_asked_is_said() -> None:
    said = {one.check.code: one.hindrance for one in outcomes({"subscriptions": [term("A", 0, None)]}, CHECKS)}
    assert said["churn_flag_against_churns"] == "the book holds no accounts and no churns"
    assert said["term_flags_against_terms"] == "no flag of subscriptions says whether a term is active, held or gone"


def test_ravenstacks_churn_flag_agrees_with_its_churns_as_its_raw_files_say(shared_data: Path) -> None:
    folder = shared_data / "ravenstack"

    def raw(name: str, columns: str) -> list[dict[str, Any]]:
        path = folder / f"ravenstack_{name}.csv"
        return duckdb.connect().sql(f"SELECT {columns} FROM read_csv('{path}', sample_size = -1)").to_arrow_table().to_pylist()

    terms = "account_id, subscription_id, start_date AS started, end_date AS ended, churn_flag AS churned"
    book = {
        "accounts": raw("accounts", "account_id, churn_flag AS churned"),
        "churns": raw("churn_events", "account_id, churn_event_id AS churn_id, churn_date AS churned"),
        "subscriptions": raw("subscriptions", terms),
    }
    found = findings(book, CHECKS)
    one = found["churn_flag_against_churns/accounts"].finding
    cells = ("said_and_recorded", "said_only", "recorded_only", "neither")
    assert [one.facts[cell] for cell in cells] == [75, 35, 277, 113]
    assert "188 of 500 accounts (37.6 %)" in one.message
    assert one.severity == "error"
    assert not [name for name in found if name.startswith("term_flags")]  # true for the 486 that have an end, and for no other
