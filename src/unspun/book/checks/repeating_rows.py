"""Rows that repeat another in every column, looked for in each data file, and across files only where two tell of the same."""

from __future__ import annotations

import pyarrow as pa

from unspun.book.checks.event_counts import EVENT_COUNTS
from unspun.book.checks.extracts import AskedBook, FileFacts
from unspun.book.checks.repeated_codes import PART_ROWS, repeated_codes, repeated_times
from unspun.book.checks.repeats_sql import codes_sql, data_columns, rows_of_codes_sql
from unspun.book.checks.shape import TableShape
from unspun.book.sql_words import local_day, sql_name

SHARED = "event_counts_shared"


def repeating_rows(book: AskedBook, table: TableShape, name: str) -> None:
    """Make a table of the rows that repeat another in every column, and of some that only seem to: the data columns, source_file and
    source_row.

    Rows of events that are equal are of one account, event and day, so that data files which have none of these in common are not compared.
    """
    columns = _told(table)
    if table.name != "events":
        rows = _repeating_sql(book, table, name, f"SELECT * FROM {sql_name(table.name)}")
        book.query(f"CREATE OR REPLACE TABLE {sql_name(name)} AS {rows}")
        return
    rows = book.of_files(repeating_facts(book, table, name))[name]
    book.query(f"CREATE OR REPLACE TABLE {sql_name(name)} AS SELECT {columns} FROM ({rows})")
    if shared := _shared_rows_sql(book):
        across = _repeating_sql(book, table, name, shared)
        book.query(f"INSERT INTO {sql_name(name)} {across} EXCEPT SELECT * FROM {sql_name(name)}")


def repeating_facts(book: AskedBook, table: TableShape, name: str) -> FileFacts:
    """What is kept of the rows of each file that repeat another of it."""
    definition = f"{_told(table)} of repeated {codes_sql('rows', data_columns(table))}"
    return FileFacts(table.name, {name: definition}, lambda rows: {name: _repeating_in_file_sql(book, table, name, rows)})


def _told(table: TableShape) -> str:
    return ", ".join(map(sql_name, [*data_columns(table), "source_file", "source_row"]))


def _repeating_in_file_sql(book: AskedBook, table: TableShape, name: str, rows: str) -> str:
    """The same of the events of one file, which mostly are in the order of their time, or of their accounts and time."""
    if table.rows <= PART_ROWS:
        owned = f"SELECT {{}} AS owner, epoch_us(occurred) AS time FROM ({rows})"
        for owner in ("CAST(hash(account_id) >> 32 AS UINTEGER)", "0::UINTEGER"):
            if (times := repeated_times(owned.format(owner), book.query)) is not None:
                found, by = f"{name}_times", ", ".join(map(sql_name, data_columns(table)))
                book.register(found, pa.table({"time": pa.array(times, pa.int64())}))
                looked_at = f"SELECT * FROM ({rows}) WHERE occurred IN (SELECT make_timestamptz(time) FROM {sql_name(found)})"
                return f"SELECT {_told(table)} FROM ({looked_at}) QUALIFY count(*) OVER (PARTITION BY {by}) > 1"
    return _repeating_sql(book, table, name, rows)


def _repeating_sql(book: AskedBook, table: TableShape, name: str, rows: str) -> str:
    """Those of some rows that repeat another of them."""
    by, codes = data_columns(table), f"{name}_codes"
    number = book.query(f"SELECT count(*) AS n FROM ({rows})").column("n")[0].as_py() if table.rows > PART_ROWS else table.rows
    book.register(codes, repeated_codes(codes_sql(rows, by), number, book.query))
    return f"SELECT {_told(table)} FROM ({rows_of_codes_sql(rows, by, codes)})"


def _shared_rows_sql(book: AskedBook) -> str:
    """The events whose account, name and day stand in several data files; "" there are none."""
    if book.units[EVENT_COUNTS] == 1:
        return ""
    book.query(
        f"CREATE OR REPLACE TEMP TABLE {SHARED} AS SELECT event, account_id, day FROM {EVENT_COUNTS} GROUP BY ALL "
        "HAVING min(unit) < max(unit)"
    )
    found = book.query(f"SELECT CAST(min(day) AS VARCHAR) AS first, CAST(max(day) AS VARCHAR) AS last FROM {SHARED}").to_pylist()[0]
    if found["first"] is None:
        return ""
    span = f"CAST(DATE '{found['first']}' - 2 AS TIMESTAMPTZ) AND CAST(DATE '{found['last']}' + 2 AS TIMESTAMPTZ)"  # in any time zone
    event = "events.event" if book.shape.has("events", "event") else "''"
    day = local_day("occurred", book.shape.definition.time_zone)
    return (
        f"SELECT events.* FROM events SEMI JOIN {SHARED} AS shared ON {event} IS NOT DISTINCT FROM shared.event "
        f"AND events.account_id IS NOT DISTINCT FROM shared.account_id AND {day} = shared.day "
        f"WHERE occurred BETWEEN {span}"
    )
