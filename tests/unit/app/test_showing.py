"""COLUMN=VALUE as a condition: read by the kind of its column, and refused where it cannot be."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest

from unspun.app.row_filter import filter_sql
from unspun.app.showing import csv_rows
from unspun.book.entities import Kind
from unspun.errors import BadInput

COLUMNS: dict[str, Kind] = {"name": "text", "n": "whole", "x": "number", "mrr": "money", "due": "day", "at": "instant", "on": "flag"}
ROWS = """SELECT * FROM (VALUES
  ('it''s', 1, 0.5, 12.5::DECIMAL(18,4), DATE '2026-03-29', TIMESTAMPTZ '2026-03-29 21:59:59.5+00', true),
  (NULL, 2, 1.5, 12.51::DECIMAL(18,4),
   DATE '2026-03-30', TIMESTAMPTZ '2026-03-29 22:00:00+00', false)) t(name, n, x, mrr, due, "at", "on")"""


def found(*where: tuple[str, str]) -> list[int]:
    """Numbers of the rows that DuckDB finds by the condition, in a book of Berlin time."""
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        return [
            row[0] for row in connection.execute(f"SELECT n FROM ({ROWS}) WHERE {filter_sql(where, COLUMNS, 'Europe/Berlin')}").fetchall()
        ]


@pytest.mark.parametrize(
    ("column", "value", "rows"),
    [
        ("name", "it's", [1]),
        ("name", "", [2]),
        ("name", "' OR true --", []),
        ("n", "2", [2]),
        ("x", "0.5", [1]),
        ("mrr", "12.5", [1]),
        ("mrr", "12.5100", [2]),
        ("due", "2026-03-30", [2]),
        ("at", "2026-03-29", [1]),
        ("at", "2026-03-30", [2]),
        ("at", "2026-03-29T23:59", [1]),
        ("at", "2026-03-29T22:00:00+00:00", [2]),
        ("on", "yes", [1]),
        ("on", "False", [2]),
    ],
)
def test_a_value_finds_the_rows_that_have_it(column: str, value: str, rows: list[int]) -> None:
    assert found((column, value)) == rows


def test_several_conditions_hold_together_and_none_is_always_true() -> None:
    assert found() == [1, 2]
    assert found(("n", "1"), ("x", "1.5")) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [("n", "1.5"), ("x", "inf"), ("mrr", "12.34567"), ("mrr", "nan"), ("due", "30.3.2026"), ("at", "noon"), ("on", "perhaps")],
)
def test_a_value_of_another_kind_is_refused(column: str, value: str) -> None:
    with pytest.raises(BadInput) as refusal:
        filter_sql([(column, value)], COLUMNS, "UTC")
    assert [(fault.code, value in fault.message) for fault in refusal.value.faults] == [("bad_value", True)]


def test_all_conditions_that_cannot_be_are_told_together() -> None:
    with pytest.raises(BadInput) as refusal:
        filter_sql([("n", "x"), ("nobody", "1"), ("due", "x")], COLUMNS, "UTC")
    assert [fault.code for fault in refusal.value.faults] == ["bad_value", "no_column", "bad_value"]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\n=x"])
def test_a_text_that_a_spreadsheet_would_run_is_marked_and_no_other_is(text: str) -> None:
    table = pa.table({"name": [text, f"a{text}", None]})
    assert csv_rows(table, (("name", "text"),))["name"].to_pylist() == [f"'{text}", f"a{text}", None]


def test_numbers_stay_numbers_and_instants_are_utc() -> None:
    at = datetime(2026, 3, 29, 1, 2, 3, 456, UTC)
    table = pa.table({"mrr": [Decimal("-12.5000")], "at": pa.array([at], pa.timestamp("us", "Europe/Berlin")), "n": [-1]})
    shown = csv_rows(table, (("mrr", "money"), ("at", "instant"), ("n", "whole"))).to_pylist()[0]
    assert shown == {"mrr": "-12.5000", "at": "2026-03-29T01:02:03.000456Z", "n": -1}
