"""The rows behind a value are as many as the value counts, and as they could be read then."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from tests.unit.metrics.lower.in_memory import Row, answers, held, memory_book, noon, question_of, row
from unspun.metrics.conditions import IsIn
from unspun.metrics.lower.plan import Leaf
from unspun.metrics.lower.rows import rows_query
from unspun.metrics.lower.units import unit_inputs
from unspun.metrics.nodes import Before, Count, Rows
from unspun.metrics.windows import Days

FIRST = date(2024, 1, 1)
DATES = tuple(FIRST + timedelta(days=n) for n in range(40, 80, 4))
SHIFT_DAYS = 9
TABLES = {"accounts": held("accounts", ("account_id",)), "tickets": held("tickets", ("ticket_id",), versions=True)}


def tickets(chance: random.Random) -> list[Row]:
    rows: list[Row] = []
    for number in range(60):
        opened = FIRST + timedelta(days=chance.randrange(60))
        closed = noon(opened + timedelta(days=chance.randrange(20))) if chance.random() < 0.7 else None
        cells = {"account_id": chance.choice("ab"), "ticket_id": f"t{number}", "opened": noon(opened), "closed": closed, "status": "done"}
        rows.append({**row(opened, source_row=number), **cells})
        if chance.random() < 0.4:
            later = row(opened, opened + timedelta(days=chance.randrange(1, 30)), load=2, source_row=number)
            rows.append({**later, **cells, "status": chance.choice(["new", "done"])})
    return rows


@pytest.mark.parametrize("where", [None, IsIn("status", ("done",))], ids=["all", "done"])
def test_there_are_as_many_rows_as_are_counted(where: IsIn | None) -> None:
    rows = {"accounts": [{**row(FIRST), "account_id": name, "stated": ""} for name in "ab"], "tickets": tickets(random.Random(5))}
    count = Count(Rows("tickets", where, Days(25)))
    question = question_of({"n": Before(count, SHIFT_DAYS)}, TABLES, DATES)
    counted = answers(question, rows, "n")
    with memory_book(question, rows) as book:
        for name, table in unit_inputs(question).items():
            book.register(name, table)
        for (account, as_of), value in counted.items():
            found = book.query(rows_query(question, Leaf(count, SHIFT_DAYS), account, as_of).sql("duckdb")).to_pylist()
            assert len(found) == value, (account, as_of)
            assert all(one["account_id"] == account and one["day"] <= as_of - timedelta(days=SHIFT_DAYS) for one in found)
            # how a ticket ended is not shown to somebody who asks as of a day before
            assert all(
                one["closed"] is None or one["known_late"] or one["closed"].date() <= as_of for one in known_late(found, rows["tickets"])
            )
    assert any(counted.values())


def known_late(found: list[Row], rows: list[Row]) -> list[Row]:
    """The rows with whether any version of their ticket was known later than it happened."""
    late = {one["ticket_id"] for one in rows if one["known_at"] > one["happened_at"]}
    return [{**one, "known_late": one["ticket_id"] in late} for one in found]
