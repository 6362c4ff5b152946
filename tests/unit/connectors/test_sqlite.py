from __future__ import annotations

import sqlite3
from datetime import date, datetime
from pathlib import Path

import pytest

from tests.unit.connectors.reading import read, source
from unspun.book.mapping.definition import Cursor
from unspun.errors import BadInput, UnspunError

URL = "sqlite:///company.db"


def company(folder: Path, *statements: str) -> None:
    with sqlite3.connect(folder / "company.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def test_columns_are_what_their_values_are(tmp_path: Path) -> None:
    company(
        tmp_path,
        "CREATE TABLE t (account_id INTEGER PRIMARY KEY, yes BOOLEAN, no BOOLEAN, day DATE, at DATETIME, price DECIMAL(8, 2), word TEXT)",
        "INSERT INTO t VALUES (2, 1, 2, '2026-01-31', '2026-01-31 10:00:00', 10.5, 'a'), (1, 0, 0, NULL, '2026-02-01', 3, NULL)",
    )
    first, second = read(URL, source("t"), tmp_path)[1]
    assert first == {"account_id": 1, "yes": False, "no": 0, "day": None, "at": datetime(2026, 2, 1), "price": 3.0, "word": None}
    assert second["day"] == date(2026, 1, 31) and second["yes"] is True and second["no"] == 2 and second["price"] == 10.5


def test_values_of_several_kinds_in_one_column_are_text(tmp_path: Path) -> None:
    company(
        tmp_path,
        "CREATE TABLE t (account_id INTEGER PRIMARY KEY, mixed, day DATE, bytes BLOB)",
        "INSERT INTO t VALUES (1, 5, '2026-01-31', x'ff41'), (2, 'five', 'soon', NULL), (3, 2.5, '2026-02-30', x'42')",
    )
    rows = read(URL, source("t"), tmp_path)[1]
    assert [row["mixed"] for row in rows] == ["5", "five", "2.5"]
    assert [row["day"] for row in rows] == ["2026-01-31", "soon", "2026-02-30"]
    assert [row["bytes"] for row in rows] == ["\ufffdA", None, "B"]


def test_a_cursor_of_text_is_read_as_times(tmp_path: Path) -> None:
    company(
        tmp_path,
        "CREATE TABLE t (account_id INTEGER PRIMARY KEY, at TEXT)",
        "INSERT INTO t VALUES (1, '2026-01-01T10:00:00'), (2, '2026-01-01 11:00:00'), (3, '2026-01-01T12:00:00'), (4, 'never'), (5, NULL)",
    )
    mapping = source("t", cursor=Cursor("at", 1_800.0))
    whole, rows = read(URL, mapping, tmp_path)
    assert (len(rows), whole.last, whole.cursor_kind) == (5, "2026-01-01 12:00:00", "text")
    again, rows = read(URL, mapping, tmp_path, ("text", whole.last or ""))
    assert [row["account_id"] for row in rows] == [2, 3, 4, 5], "and those of the hour that a clock may repeat"
    assert again.notes == ("2 rows without a value in 'at' are read each time",)


def test_a_file_that_is_no_database_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(UnspunError, match="there is no such file"):
        read(URL, source("t"), tmp_path)
    assert not (tmp_path / "company.db").exists()
    (tmp_path / "company.db").write_text("This is text, and long enough to be looked at as a database would be." * 20)
    with pytest.raises(UnspunError, match="not a database"):
        read(URL, source("t"), tmp_path)


@pytest.mark.parametrize("query", ["SELECT 1) ; DELETE FROM t; --", "SELECT * FROM gone", "SELECT load_extension('x')"])
def test_a_query_can_change_nothing(tmp_path: Path, query: str) -> None:
    company(tmp_path, "CREATE TABLE t (account_id INTEGER)", "INSERT INTO t VALUES (1)")
    with pytest.raises(UnspunError):
        read(URL, source(query=query), tmp_path)
    assert read(URL, source("t"), tmp_path)[1] == [{"account_id": 1}]


def test_a_cursor_of_several_kinds_is_refused(tmp_path: Path) -> None:
    company(tmp_path, "CREATE TABLE t (account_id INTEGER, at)", "INSERT INTO t VALUES (1, 5), (2, '2026-01-01')")
    with pytest.raises(BadInput, match="cannot be ordered together"):
        read(URL, source("t", cursor=Cursor("at")), tmp_path)


def test_a_reading_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    company(tmp_path, "CREATE TABLE t (account_id INTEGER)")
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000000) SELECT sum(i) AS account_id FROM n"
    with pytest.raises(BadInput, match="longer than is allowed"):
        read(URL, source(query=endless), tmp_path, statement_seconds=1)
