"""Since when an account is a customer, whether it has left, and when its term began, as it was known on each day."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import pytest

from tests.unit.metrics.lower.in_memory import Row, Rows, answers, held, memory_book, noon, question_of, row
from unspun.metrics.lower.life import life_steps
from unspun.metrics.lower.local_day import day_number
from unspun.metrics.lower.units import unit_inputs, unit_steps
from unspun.metrics.nodes import Count
from unspun.metrics.nodes import Rows as RowsOf
from unspun.metrics.question import PanelQuestion

FIRST = date(2024, 1, 1)
DATES = tuple(FIRST + timedelta(days=n) for n in range(0, 120, 7))
ACCOUNTS = ("a", "b", "c", "d")
GRACE_DAYS = 7
Life = tuple[date | None, bool, date | None]


def some_day(chance: random.Random, after: date = FIRST, days: int = 100) -> date:
    return after + timedelta(days=chance.randrange(days))


def known(chance: random.Random, day: date) -> date:
    """Mostly on the day itself; else earlier or later."""
    return day if chance.random() < 0.6 else day + timedelta(days=chance.randrange(-20, 30))


def term(chance: random.Random, number: int) -> Row:
    started = some_day(chance)
    ended = some_day(chance, started, 60) if chance.random() < 0.8 else None
    cells = {"account_id": chance.choice(ACCOUNTS[:3]), "subscription_id": f"s{number}", "started": started, "ended": ended}
    return {**row(started, known(chance, started), source_row=number), **cells, "is_addon": chance.choice([True, False, None])}


def churn(chance: random.Random, number: int) -> Row:
    day = some_day(chance)
    cells = {
        "account_id": chance.choice(ACCOUNTS),
        "churn_id": f"c{number}",
        "churned": day,
        "is_reactivation": chance.choice([True, None, False]),
    }
    return {**row(day, known(chance, day), source_row=number), **cells}


def purchase(chance: random.Random, number: int) -> Row:
    day = some_day(chance)
    return {**row(day, known(chance, day), source_row=number), "account_id": chance.choice(ACCOUNTS), "purchased": noon(day)}


def statement(chance: random.Random, number: int) -> Row:
    day = some_day(chance)
    created = some_day(chance) if chance.random() < 0.7 else None
    cells = {"account_id": chance.choice(ACCOUNTS[:2]), "created_on": created, "stated": "created_on,segment"}
    return {**row(day, known(chance, day), source_row=number), **cells}


def made_book(chance: random.Random) -> dict[str, list[Row]]:
    return {
        "subscriptions": [term(chance, number) for number in range(7)],
        "churns": [churn(chance, number) for number in range(8)],
        "purchases": [purchase(chance, number) for number in range(8)],
        "accounts": [statement(chance, number) for number in range(3)],
    }


def asked(ends_inclusive: bool = False) -> PanelQuestion:
    tables = {name: held(name) for name in ("accounts", "subscriptions", "churns", "purchases")}
    made = question_of({}, tables, DATES)
    return PanelQuestion(made.metrics, (), made.as_of, tables, ends_inclusive=ends_inclusive, grace_days=GRACE_DAYS)


def lives(question: PanelQuestion, rows: Rows) -> dict[tuple[str, date], Life]:
    """What the lowered steps give."""
    with memory_book(question, rows) as book:
        for name, table in unit_inputs(question).items():
            book.register(name, table)
        for step in (*unit_steps(question), *life_steps(question)):
            book.query(f"CREATE TEMP TABLE {step.name} AS {step.query.sql('duckdb')}")
        found = book.query("SELECT u.account_id, u.day, l.born, l.gone, l.contract FROM units u JOIN life l USING (unit)").to_pylist()
    return {(one["account_id"], day_of(one["day"])): (maybe(one["born"]), one["gone"], maybe(one["contract"])) for one in found}


def day_of(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def maybe(number: int | None) -> date | None:
    return None if number is None else day_of(number)


def life_by_hand(rows: Mapping[str, Sequence[Row]], account: str, as_of: date, ends_inclusive: bool) -> Life:
    """The rules, read one after another."""

    def seen(table: str, day: str, by: bool = True) -> Iterator[tuple[date, Row]]:
        for one in rows[table]:
            happened: date = one[day] if day in ("started", "churned") else one["happened_at"].date()
            late: date = one["known_at"].date()
            if one["account_id"] == account and late <= as_of and (not by or happened <= as_of):
                yield happened, one

    stated = [
        one["created_on"]
        for _, one in sorted(
            seen("accounts", "dated"), key=lambda found: (found[1]["happened_at"], found[1]["known_at"], found[1]["source_row"])
        )
    ]
    starts = [day for day, _ in seen("subscriptions", "started", by=False)]
    bought = [day for day, _ in seen("purchases", "purchased")]
    born = min([*starts, *bought, *(day for day in stated[-1:] if day is not None)], default=None)
    more = timedelta(days=1 if ends_inclusive else 0)
    base = [
        (day, None if one["ended"] is None else one["ended"] + more)
        for day, one in seen("subscriptions", "started")
        if one["is_addon"] is not True
    ]
    runs = [day for day, end in base if end is None or as_of < end]
    if base:
        gone = not runs and as_of >= max(end for _, end in base if end is not None) + timedelta(days=GRACE_DAYS)
    else:
        left = [day for day, _ in seen("churns", "churned")]
        gone = bool(left) and max([*bought, date.min]) <= max(left)
    return born, gone, max(runs, default=None)


@pytest.mark.parametrize("ends_inclusive", [False, True])
@pytest.mark.parametrize("seed", range(8))
def test_a_life_is_what_the_rules_say_read_one_after_another(seed: int, ends_inclusive: bool) -> None:
    rows, question = made_book(random.Random(seed)), asked(ends_inclusive)
    found = lives(question, rows)
    assert {day for _, day in found} == set(DATES)
    assert found == {(account, as_of): life_by_hand(rows, account, as_of, ends_inclusive) for account, as_of in found}


def test_an_account_is_no_customer_before_anything_was_known_of_it() -> None:
    day = date(2024, 2, 10)
    rows = {
        "events": [{**row(day), "account_id": "late"}],
        "tickets": [{**row(FIRST), "account_id": "late", "opened": noon(FIRST), "ticket_id": "t"}],
    }
    question = question_of(
        {"n": Count(RowsOf("tickets"))}, {"events": held("events"), "tickets": held("tickets")}, [day - timedelta(days=1), day]
    )
    # a ticket names no account of a panel: what is loaded later must not change what an earlier date shows
    assert answers(question, rows, "n") == {("late", day - timedelta(days=1)): "(before_birth)", ("late", day): 1}


def test_without_any_table_of_its_life_an_account_is_neither_born_nor_gone() -> None:
    question = question_of({}, {"events": held("events")}, DATES[:2])
    found = lives(question, {"events": [{**row(FIRST), "account_id": "a"}]})
    assert found == {("a", day): (None, False, None) for day in DATES[:2]}
    assert day_number(FIRST) == 19_723
