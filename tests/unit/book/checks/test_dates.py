"""Dates that cannot be: outside subscriptions, before signup, in days to come, in the wrong order, standing for nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

import duckdb
import pyarrow as pa
import pytest

from tests.unit.book.checks.views import AT, findings, outcomes
from unspun.book.checks.dates import CHECKS
from unspun.book.checks.running import spans_sql

JAN = date(2026, 1, 1)


def day(number: int) -> date:
    return JAN + timedelta(days=number)


def noon(number: float) -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number)


def term(account: str, first: int, last: int | None, line: str = "") -> dict[str, object]:
    name = {"subscription_id": line} if line else {}
    return {"account_id": account, "started": day(first), "ended": None if last is None else day(last), **name}


def event(account: str, number: float, line: str = "") -> dict[str, object]:
    return {"account_id": account, "occurred": noon(number), **({"subscription_id": line} if line else {})}


def test_usage_is_held_against_the_subscription_that_it_names() -> None:
    book = {
        "subscriptions": [term("A", 0, 10, "s"), term("A", 10, 40, "t")],
        "events": [event("A", number, "s") for number in (-1, 0, 5, 10, 11, 30)],
    }
    one = findings(book, CHECKS)["usage_outside_subscription/events"]
    assert one.numbers == [2, 6, 7]  # the last day counts as inside
    assert one.finding.message == (
        "3 of 6 events (50.0 %) lie outside the subscription that they name: 1 before it starts, 2 after it has ended."
    )
    assert {row["last_term_ended"] for row in one.rows} == {day(10)}


def test_usage_that_names_no_subscription_is_held_against_all_terms_of_its_account() -> None:
    book = {
        "subscriptions": [term("A", 0, 10), term("A", 30, 40)],
        "events": [event("A", number) for number in (-1, 5, 17, 18, 35, 47, 48)],
    }
    one = findings(book, CHECKS)["usage_outside_subscription/events"]
    assert [row["occurred"] for row in one.rows] == [noon(-1), noon(18), noon(48)]  # 7 grace days after each end
    assert {name: one.finding.facts[name] for name in ("before", "between", "after")} == {"before": 1, "between": 1, "after": 1}


def test_usage_between_a_term_and_its_late_renewal_is_inside() -> None:
    book = {"subscriptions": [term("A", 0, 10), term("A", 13, None)], "events": [event("A", number) for number in (9, 11, 12, 500)]}
    assert findings(book, CHECKS, at=noon(600)) == {}


def test_terms_of_the_same_days_never_make_a_span_of_their_own() -> None:
    keys, connection = [f"A{n}" for n in range(200) for _ in range(8)], duckdb.connect()
    rows = {"source_file": [1] * len(keys), "source_row": list(range(len(keys))), "key": keys}
    connection.register("told", pa.table({**rows, "started": [day(0)] * len(keys), "ended": [day(30)] * len(keys)}))
    connection.execute("CREATE TABLE subscriptions AS FROM told")
    spans = connection.sql(f"SELECT count(*) AS spans, count(DISTINCT key) AS keys FROM ({spans_sql('key', 7)})").to_arrow_table()
    assert spans["spans"] == spans["keys"]


def test_usage_before_the_first_term_may_be_a_trial_and_is_no_error() -> None:
    book = {"subscriptions": [term("A", 10, None)], "events": [event("A", number) for number in range(20)]}
    assert findings(book, CHECKS)["usage_outside_subscription/events"].finding.severity == "warning"


def test_accounts_without_any_term_are_told_apart_and_not_counted_as_outside() -> None:
    book = {"subscriptions": [term("A", 0, None)], "events": [event("A", 1), event("P", 1), event("P", 2), event("Q", 2)]}
    found = findings(book, CHECKS)
    assert list(found) == ["usage_outside_subscription/events/no_term"]
    one = found["usage_outside_subscription/events/no_term"].finding
    assert (one.severity, one.message) == ("note", "3 of 4 events (75.0 %) are of 2 accounts without any subscription term.")


def test_usage_outside_is_what_comparing_every_event_with_every_term_finds() -> None:
    random = Random(3)
    firsts = [[random.randint(0, 60) for _ in range(random.randint(0, 4))] for _ in range(100)]
    spans = [[(first, None if random.random() < 0.1 else first + random.randint(0, 30)) for first in its] for its in firsts]
    days = [(random.randrange(100), random.randint(-10, 120)) for _ in range(2000)]
    book = {
        "subscriptions": [term(str(account), *span) for account, its in enumerate(spans) for span in its],
        "events": [event(str(account), number) for account, number in days],
    }
    one = findings(book, CHECKS, at=noon(300))["usage_outside_subscription/events"]

    def outside(account: int, number: int) -> bool:
        inside = (first <= number and (last is None or number <= last + 7) for first, last in spans[account])
        return bool(spans[account]) and not any(inside)

    expected = [n for n, (account, number) in enumerate(days, 2) if outside(account, number)]
    assert one.numbers == expected
    assert 500 < len(expected) < 1500


def test_tickets_before_signup_are_counted_and_the_day_of_signup_is_not_before() -> None:
    book = {
        "accounts": [{"account_id": "A", "created_on": day(10)}, {"account_id": "B", "created_on": None}],
        "tickets": [{"account_id": a, "ticket_id": str(n), "opened": noon(n)} for n, a in ((3, "A"), (9, "A"), (10, "A"), (1, "B"))],
    }
    one = findings(book, CHECKS)["before_signup/tickets"]
    assert one.finding.message == "2 of 3 tickets (66.7 %) are dated before their account's signup, by up to 7 days."
    assert (one.finding.severity, one.numbers) == ("error", [2, 3])


@pytest.mark.parametrize(("zone", "early"), [("UTC", 1), ("Asia/Tokyo", 0), ("America/Lima", 1)])
def test_days_are_those_of_the_books_zone(zone: str, early: int) -> None:
    evening = datetime(2026, 1, 9, 20, tzinfo=UTC)  # the tenth in Tokyo
    book = {"accounts": [{"account_id": "A", "created_on": day(9)}], "tickets": [{"account_id": "A", "ticket_id": "1", "opened": evening}]}
    assert len(findings(book, CHECKS, zone)) == early


def test_touchpoints_before_signup_are_the_sale_and_only_noted() -> None:
    book = {
        "accounts": [{"account_id": "A", "created_on": day(10)}],
        "touchpoints": [{"account_id": "A", "occurred": noon(number)} for number in range(12)],
    }
    assert findings(book, CHECKS)["before_signup/touchpoints"].finding.severity == "note"


def test_what_has_happened_cannot_lie_after_the_day_of_the_check() -> None:
    today = (AT - noon(0)).days
    events = [event("A", today), event("A", today + 1), event("A", today + 90)]
    one = findings({"events": events}, CHECKS)["future_dates/events/occurred"]
    assert one.numbers == [3, 4]
    assert one.finding.facts == {"last": str(day(today + 90)), "tomorrow": 1}
    assert f"lie after {AT.date()}, the day of the check" in one.finding.message


def test_ends_due_dates_notices_and_starts_may_lie_ahead() -> None:
    later = day(900)
    book = {
        "subscriptions": [{"account_id": "A", "started": later, "ended": day(1200), "notice": later, "cancelled_on": later}],
        "renewals": [{"account_id": "A", "due": later, "outcome": "undecided", "decided": None, "notice": later}],
    }
    assert findings(book, CHECKS) == {}


def test_a_ticket_closed_before_it_was_opened_is_found() -> None:
    rows = [(0, 1), (3, 2), (4, None), (5, 5)]
    tickets = [
        {"account_id": "A", "ticket_id": str(n), "opened": noon(a), "closed": None if b is None else noon(b)}
        for n, (a, b) in enumerate(rows)
    ]
    one = findings({"tickets": tickets}, CHECKS)["dates_in_wrong_order/tickets/closed_before_opened"]
    assert (one.numbers, one.finding.of) == ([3], 3)
    assert one.finding.message == "In 1 of 3 tickets (33.3 %) closed is before opened."


def test_a_day_without_a_time_is_not_before_an_hour_of_that_day() -> None:
    midnight = datetime(2026, 1, 5, tzinfo=UTC)
    tickets = [{"account_id": "A", "ticket_id": "1", "opened": midnight + timedelta(hours=9), "closed": midnight}]
    assert findings({"tickets": tickets}, CHECKS) == {}
    tickets[0]["closed"] = midnight + timedelta(hours=8)
    assert len(findings({"tickets": tickets}, CHECKS)) == 1


def test_a_survey_answered_before_it_was_sent_is_found() -> None:
    responses = [{"account_id": "A", "invited": noon(5), "answered": noon(4)}]
    assert list(findings({"responses": responses}, CHECKS)) == ["dates_in_wrong_order/responses/answered_before_invited"]


def test_days_that_stand_for_nothing_are_named() -> None:
    accounts = [{"account_id": str(n), "created_on": date(1970, 1, 1) if n < 2 else day(-n)} for n in range(8)]
    one = findings({"accounts": accounts}, CHECKS)["placeholder_dates/accounts/created_on"]
    assert one.finding.message == (
        "2 of 8 values of accounts.created_on (25.0 %) are 1970-01-01, which systems write where there is no date."
    )
    assert {row["account_id"] for row in one.rows} == {"0", "1"}


def test_one_birthday_at_the_start_of_unix_time_is_a_birthday() -> None:
    born = [date(1970, 1, 1), date(1970, 1, 1), date(1980, 5, 5), date(1980, 5, 5), date(1990, 2, 1)]
    accounts = [{"account_id": str(n), "born": on} for n, on in enumerate(born)]
    assert findings({"accounts": accounts}, CHECKS) == {}
    accounts += [{"account_id": "x", "born": date(1970, 1, 1)}]
    assert list(findings({"accounts": accounts}, CHECKS)) == ["placeholder_dates/accounts/born"]


def test_a_far_end_is_an_open_term_and_only_noted() -> None:
    book = {"subscriptions": [{"account_id": "A", "started": day(0), "ended": date(2099, 12, 31)}]}
    assert findings(book, CHECKS)["placeholder_dates/subscriptions/ended"].finding.severity == "note"


def test_what_cannot_be_asked_is_said() -> None:
    said = {one.check.code: one.hindrance for one in outcomes({"contacts": [{"contact_id": "c", "account_id": "A"}]}, CHECKS)}
    assert said["usage_outside_subscription"] == "the book holds no events and no subscriptions"
    assert said["before_signup"] == "the book holds no accounts"
    assert said["dates_in_wrong_order"] == "the book holds no two dates that follow each other"


def test_ravenstacks_usage_and_tickets_contradict_as_its_raw_files_say(shared_data: Path) -> None:
    folder = shared_data / "ravenstack"

    def raw(name: str, columns: str) -> list[dict[str, object]]:
        path = folder / f"ravenstack_{name}.csv"
        return duckdb.connect().sql(f"SELECT {columns} FROM read_csv('{path}', sample_size = -1)").to_arrow_table().to_pylist()

    instant = "CAST({} AS TIMESTAMP) AT TIME ZONE 'UTC' AS {}".format
    book = {
        "accounts": raw("accounts", "account_id, signup_date AS created_on"),
        "subscriptions": raw("subscriptions", "account_id, subscription_id, start_date AS started, end_date AS ended"),
        "events": raw("feature_usage", f"subscription_id, {instant('usage_date', 'occurred')}"),
        "tickets": raw("support_tickets", f"account_id, ticket_id, {instant('submitted_at', 'opened')}"),
    }
    found = findings(book, CHECKS)
    usage, tickets = found["usage_outside_subscription/events"].finding, found["before_signup/tickets"].finding
    assert (usage.count, usage.of, usage.facts["before"]) == (19_432, 25_000, 19_142)
    assert (tickets.count, tickets.of) == (1_077, 2_000)
    assert {one.finding.id for one in found.values() if one.finding.severity == "error"} == {usage.id, tickets.id}


def test_a_clean_company_gives_no_finding_of_dates() -> None:
    random = Random(7)
    accounts = [{"account_id": str(n), "created_on": day(-random.randint(100, 900))} for n in range(50)]
    book = {
        "accounts": accounts,
        "subscriptions": [{"account_id": a["account_id"], "started": a["created_on"], "ended": None} for a in accounts],
        "events": [event(str(random.randrange(50)), -random.random() * 99) for _ in range(800)],
    }
    assert findings(book, CHECKS) == {}
