"""The rows that measures read: on which days each version of a row is seen, and with which cells."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from tests.unit.metrics.lower.in_memory import Row, held, memory_book, noon, question_of, row
from unspun.errors import BadInput
from unspun.metrics.lower.local_day import day_number
from unspun.metrics.lower.sources import source
from unspun.metrics.lower.units import unit_inputs
from unspun.metrics.question import PanelQuestion
from unspun.metrics.settled import readable_from

FIRST = date(2024, 1, 1)
DATES = tuple(FIRST + timedelta(days=n) for n in range(0, 60, 3))
COLUMNS = ("status", "first_answered", "subject", "own \"col'umn")
SETTLED_BY = {"status": "closed", "first_answered": "first_answered", COLUMNS[3]: "closed"}


def some_day(chance: random.Random, after: date, days: int = 25) -> date:
    return after + timedelta(days=chance.randrange(days))


def ticket(chance: random.Random, number: int, opened: date, known: date) -> Row:
    closed = some_day(chance, opened) if chance.random() < 0.6 else None
    answered = some_day(chance, opened, 6) if chance.random() < 0.7 else None
    cells = {
        "account_id": chance.choice(["a", "b", None]), "ticket_id": f"t{number}", "opened": noon(opened),
        "status": chance.choice(["new", "done"]), "closed": closed and noon(closed),
        "first_answered": answered and noon(answered), "subject": chance.choice(["x", None]),
        COLUMNS[3]: chance.choice([1.5, None]),
    }  # fmt: skip
    return {**row(opened, known, load=chance.randrange(1, 4), source_row=number), **cells}


def tickets(chance: random.Random, versions: bool) -> list[Row]:
    rows: list[Row] = []
    for number in range(40):
        opened = some_day(chance, FIRST, 40)
        known = opened if chance.random() < 0.6 else some_day(chance, opened)
        for _ in range(chance.randrange(1, 4) if versions else 1):
            rows.append(ticket(chance, number, opened, known))
            known = some_day(chance, known, 12)
    return rows


def asked(versions: bool) -> PanelQuestion:
    table = held("tickets", ("ticket_id",), versions, own={COLUMNS[3]: "number"})
    made = question_of({}, {"tickets": table}, DATES)
    received = {1: date(2024, 1, 20), 2: date(2024, 3, 1)}  # of load 3 nothing is known
    return PanelQuestion(made.metrics, (), made.as_of, made.tables, received=received)


def seen_by_hand(rows: Sequence[Row], question: PanelQuestion, as_of: date) -> Counter[tuple[object, ...]]:
    """Of each ticket the newest version known by a day, with the cells that could be read then."""
    newest: dict[object, Row] = {}
    for one in sorted(rows, key=lambda one: (one["known_at"], one["load"], one["source_row"])):
        if one["known_at"].date() <= as_of:
            newest[one["ticket_id"]] = one
    found: Counter[tuple[object, ...]] = Counter()
    for one in newest.values():
        if one["account_id"] is not None:
            found[(one["account_id"], *(cell_by_hand(one, name, question, as_of) for name in COLUMNS))] += 1
    return found


def cell_by_hand(one: Row, name: str, question: PanelQuestion, as_of: date) -> object:
    value = one[name]
    if name in SETTLED_BY:
        by = one[SETTLED_BY[name]]
        settled = None if by is None else by.date()
        days = [one[time].date() for time in ("happened_at", "known_at")]
        start = readable_from(days[0], days[1], settled, question.received.get(one["load"]))
        value = value if start is not None and start <= as_of else None
    return day_number(value.date()) if name == "first_answered" and value is not None else value


@pytest.mark.parametrize("versions", [False, True], ids=["one version", "several versions"])
@pytest.mark.parametrize("seed", range(3))
def test_a_row_is_seen_on_each_day_as_it_was_known_then(seed: int, versions: bool) -> None:
    rows, question = tickets(random.Random(seed), versions), asked(versions)
    made = source(question, "tickets", COLUMNS)
    with memory_book(question, {"tickets": rows}) as book:
        for name, table in unit_inputs(question).items():
            book.register(name, table)
        read = book.query(made.query.sql("duckdb")).to_pylist()
    assert made.superseded
    cells = [made.value(name).name for name in COLUMNS]
    for as_of in DATES:
        number = day_number(as_of)
        there = [one for one in read if one["seen_from"] <= number and (one["seen_until"] is None or number < one["seen_until"])]
        # a version that is known before it happened counts from its day on
        found = Counter((one["account_id"], *(one[cell] for cell in cells)) for one in there)
        assert found == seen_by_hand(rows, question, as_of), as_of


def test_rows_without_an_account_are_not_read() -> None:
    question = question_of({}, {"events": held("events")}, DATES)
    rows = [row(FIRST, account_id=None, event="login"), row(FIRST, account_id="a", event="login")]
    made = source(question, "events", ("event",))
    with memory_book(question, {"events": rows}) as book:
        assert book.query(made.query.sql("duckdb")).num_rows == 1
    assert not made.superseded


def test_a_column_that_is_not_there_is_named() -> None:
    question = question_of({}, {"events": held("events")}, DATES)
    with pytest.raises(BadInput, match="has no column `evnt`") as refused:
        source(question, "events", ("evnt",))
    assert "event" in refused.value.faults[0].hint
