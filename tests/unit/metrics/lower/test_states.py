"""What is said of accounts as of a day, and how many tickets, terms and contacts there are, counted by hand."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from tests.unit.metrics.lower.in_memory import Row, answers, held, noon, question_of, row
from unspun.metrics.conditions import IsIn
from unspun.metrics.nodes import Attribute, Before, Open, Seats

FIRST = date(2024, 1, 1)
DATES = tuple(FIRST + timedelta(days=n) for n in range(0, 90, 6))
TABLES = {
    "accounts": held("accounts", ("account_id",), fixed=("country",)),
    "subscriptions": held("subscriptions"),
    "tickets": held("tickets"),
}
BEFORE_DAYS = 20


def some_day(chance: random.Random, after: date = FIRST, days: int = 70) -> date:
    return after + timedelta(days=chance.randrange(days))


def statements(chance: random.Random, key: str, names: Sequence[str], columns: dict[str, Sequence[object]]) -> list[Row]:
    """Statements of some of the columns each, some known late, some of one instant."""
    rows: list[Row] = []
    for number in range(14):
        day = some_day(chance)
        stated = sorted(name for name in columns if chance.random() < 0.6)
        cells = {name: chance.choice(columns[name]) for name in stated}
        known = day if chance.random() < 0.6 else day + timedelta(days=chance.randrange(-10, 40))
        rows.append({**row(day, known, source_row=number), key: chance.choice(names), "stated": ",".join(stated), **cells})
    return rows


def said(rows: Sequence[Row], key: str, thing: str, column: str, day: date, as_of: date) -> object:
    """The value stated last of those that happened by a day and were known by the as-of date."""
    there = [one for one in rows if one[key] == thing and column in str(one["stated"]).split(",")]
    there = [one for one in there if one["happened_at"].date() <= day and one["known_at"].date() <= as_of]
    there.sort(key=lambda one: (one["happened_at"], one["known_at"], one["source_row"]))
    return there[-1][column] if there else None


@pytest.mark.parametrize("shift_days", [0, BEFORE_DAYS])
@pytest.mark.parametrize("seed", range(5))
def test_an_attribute_is_what_was_stated_last_of_its_own_column(seed: int, shift_days: int) -> None:
    rows = statements(random.Random(seed), "account_id", "ab", {"plan": ("s", "m", None), "seats": (5, 9, None), "owner": ("kim", "lee")})
    series = {"plan": Attribute("plan"), "seats": Attribute("seats"), "owner": Attribute("owner")}
    metrics = {name: one if not shift_days else Before(one, shift_days) for name, one in series.items()}
    for name in metrics:
        found = answers(question_of(metrics, {"accounts": TABLES["accounts"]}, DATES), {"accounts": rows}, name)
        for (account, as_of), value in found.items():
            expected = said(rows, "account_id", account, name, as_of - timedelta(days=shift_days), as_of)
            assert value == ("(not_stated)" if expected is None else expected), (name, account, as_of)


def test_a_fixed_column_has_its_last_value_on_all_dates() -> None:
    rows = [
        {**row(date(2024, 2, 1)), "account_id": "a", "country": "CH", "stated": "country"},
        {**row(date(2024, 3, 1), date(2024, 6, 1)), "account_id": "a", "country": "AT", "stated": "country"},
        {**row(date(2024, 4, 1)), "account_id": "a", "country": None, "stated": "country"},
    ]
    found = answers(question_of({"c": Attribute("country")}, {"accounts": TABLES["accounts"]}, DATES[:2]), {"accounts": rows}, "c")
    assert set(found.values()) == {"AT"}


def test_a_fixed_value_that_was_taken_back_is_none() -> None:
    said_once = {**row(date(2024, 2, 1)), "account_id": "a", "country": "CH", "stated": "country"}
    taken_back = {**row(date(2024, 2, 1), date(2024, 5, 1), load=2), "account_id": "a", "country": None, "stated": "country"}
    question = question_of({"c": Attribute("country")}, {"accounts": TABLES["accounts"]}, DATES[:2])
    assert set(answers(question, {"accounts": [said_once]}, "c").values()) == {"CH"}
    assert set(answers(question, {"accounts": [said_once, taken_back]}, "c").values()) == {"(not_stated)"}


def ticket(chance: random.Random, number: int) -> Row:
    opened = some_day(chance)
    closed = some_day(chance, opened, 30) if chance.random() < 0.7 else None
    cells = {"account_id": chance.choice("ab"), "ticket_id": f"t{number}", "opened": noon(opened), "closed": closed and noon(closed)}
    return {**row(opened, source_row=number), **cells, "priority": chance.choice(["high", "low"])}


@pytest.mark.parametrize("shift_days", [0, BEFORE_DAYS])
@pytest.mark.parametrize("seed", range(3))
def test_a_ticket_is_open_until_the_day_on_which_it_is_closed(seed: int, shift_days: int) -> None:
    chance = random.Random(seed)
    rows = [{**row(FIRST), "account_id": name, "stated": "", "dated": noon(FIRST)} for name in "ab"]
    first = {**ticket(chance, 0), "opened": noon(FIRST), "happened_at": noon(FIRST), "known_at": noon(FIRST)}
    tickets = [first, *(ticket(chance, number) for number in range(1, 30))]
    series = Open("tickets", IsIn("priority", ("high",)))
    dates = [day for day in DATES if day >= FIRST + timedelta(days=BEFORE_DAYS)]
    question = question_of({"n": Before(series, shift_days) if shift_days else series}, TABLES, dates)
    for (account, as_of), value in answers(question, {"accounts": rows, "tickets": tickets}, "n").items():
        day = as_of - timedelta(days=shift_days)
        there = [one for one in tickets if one["account_id"] == account and one["priority"] == "high" and one["opened"].date() <= day]
        assert value == sum(one["closed"] is None or one["closed"].date() > day for one in there), (account, as_of)


@pytest.mark.parametrize("seed", range(3))
def test_a_contact_is_with_the_account_that_was_stated_last(seed: int) -> None:
    chance = random.Random(seed)
    contacts = statements(chance, "contact_id", ("x", "y", "z"), {"account_id": ("a", "b"), "role": ("admin", None)})
    accounts = [{**row(FIRST), "account_id": name, "stated": ""} for name in "ab"]
    question = question_of(
        {"n": Open("contacts", IsIn("role", ("admin",)))}, {"accounts": held("accounts"), "contacts": held("contacts")}, DATES
    )
    first = min(max(one["happened_at"].date(), one["known_at"].date()) for one in contacts)
    for (account, as_of), value in answers(question, {"accounts": accounts, "contacts": contacts}, "n").items():
        with_it = [one for one in "xyz" if said(contacts, "contact_id", one, "account_id", as_of, as_of) == account]
        expected = sum(said(contacts, "contact_id", one, "role", as_of, as_of) == "admin" for one in with_it)
        assert value == (expected if as_of >= first else "(no_source)"), (account, as_of)


def test_seats_of_terms_are_added_up_while_they_run() -> None:
    terms = [
        {**row(FIRST, source_row=1), "account_id": "a", "started": FIRST, "seats": 10.5},
        {**row(DATES[2], source_row=2), "account_id": "a", "started": DATES[2], "ended": DATES[4], "seats": 2.25, "is_addon": True},
        {**row(FIRST, source_row=3), "account_id": "b", "started": FIRST, "seats": None},
    ]
    question = question_of({"s": Seats()}, {"subscriptions": TABLES["subscriptions"]}, DATES[:6])
    found = answers(question, {"subscriptions": terms}, "s")
    assert [found["a", day] for day in DATES[:6]] == [10.5, 10.5, 12.75, 12.75, 10.5, 10.5]
    assert {found["b", day] for day in DATES[:6]} == {"(not_stated)"}
