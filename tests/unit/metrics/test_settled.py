"""Which cells are filled in after their row happened, and from when they may be read."""

from __future__ import annotations

from datetime import date

import pytest

from unspun.book.entities import TABLES
from unspun.metrics.settled import OWN_SETTLED_BY, SETTLED_BY, readable_from, settled_by

OPENED, CLOSED, EXPORTED = date(2024, 1, 5), date(2024, 2, 9), date(2024, 6, 1)


def test_how_a_ticket_ended_is_read_from_its_closing_on() -> None:
    assert settled_by("tickets", "status") == "closed"
    assert readable_from(OPENED, OPENED, CLOSED, None) == CLOSED


def test_a_companys_own_columns_of_tickets_may_have_been_written_until_the_closing() -> None:
    assert settled_by("tickets", "sprints needed") == "closed"
    assert settled_by("events", "sprints needed") is None


def test_what_was_there_from_the_start_is_not_settled_by_anything() -> None:
    assert settled_by("tickets", "priority") is None
    assert settled_by("subscriptions", "amount") is None


def test_a_ticket_that_is_still_open_is_read_from_when_its_load_was_received() -> None:
    assert readable_from(OPENED, OPENED, None, EXPORTED) == EXPORTED
    assert readable_from(OPENED, OPENED, CLOSED, EXPORTED) == CLOSED


def test_without_a_closing_and_a_known_load_nothing_tells_when_it_was_written() -> None:
    assert readable_from(OPENED, OPENED, None, None) is None


def test_a_version_known_later_than_it_happened_is_read_as_it_stands() -> None:
    assert readable_from(OPENED, date(2024, 1, 6), CLOSED, None) == date(2024, 1, 6)


@pytest.mark.parametrize("table", [*SETTLED_BY, *OWN_SETTLED_BY])
def test_settling_is_by_columns_that_the_table_has(table: str) -> None:
    columns = {column.name for entity in TABLES.values() if entity.name == table for column in entity.columns}
    assert {*SETTLED_BY.get(table, {}), *SETTLED_BY.get(table, {}).values(), *[OWN_SETTLED_BY.get(table, "status")]} - {"status"} <= columns
