"""The SQL that finds rows that repeat, at little more than the cost of reading the columns once."""

from __future__ import annotations

from collections.abc import Sequence

from unspun.book.checks.shape import BookShape, TableShape
from unspun.book.entities import TABLES, Table, TableName
from unspun.book.sql_words import sql_name

FACTS_OF_TABLE: dict[str, str] = {
    "purchases": "purchases, cohorts and repurchase",
    "events": "usage trends, score audits with events",
    "responses": "survey figures",
    "touchpoints": "counts of touchpoints",
    "tickets": "counts of tickets",
    "subscriptions": "retention: GRR, NRR",
    "renewals": "renewals",
    "forecasts": "forecast accuracy",
    "scores": "score audits",
}


def keyless_tables(shape: BookShape) -> tuple[TableShape, ...]:
    """The tables whose rows are told apart by file and row number alone: nothing kept the same row from coming in twice."""
    return tuple(table for name, table in shape.tables.items() if not table.key and not entity_of(name).state)


def entity_of(name: str) -> Table:
    """The table of the book of that name. KeyError where there is none."""
    return next(entity for entity in TABLES.values() if entity.name == name)


def no_keyless_table(shape: BookShape) -> str:
    """Why nothing can repeat: every table has a key; "" where one has none."""
    return "" if keyless_tables(shape) else "every table of the book has a key, so that a row comes in once"


def affected(table: str) -> tuple[str, ...]:
    """The figures that count the rows of a table."""
    return (FACTS_OF_TABLE.get(table, f"figures of {table}"),)


def data_columns(table: TableShape) -> tuple[str, ...]:
    """The columns in which equal rows agree: all that a source fills."""
    return tuple(table.columns)


def repeating_rows_sql(table: TableName | str, by: Sequence[str], narrowed: str = "") -> str:
    """Rows of a table that agree in `by` with another row, and some more that only seem to: group them by `by` to be exact.

    Two passes: the first counts 32 bits of a hash of the columns (4 bytes a row, in place of the row), the second fetches the rows
    whose hash stands more than once. Rows with nothing in the only column of `by` are left out.
    """
    columns = ", ".join(map(sql_name, by))
    code = f"CAST(hash({columns}) >> 32 AS UINTEGER)"
    tests = [*([narrowed] if narrowed else []), *([f"{columns} IS NOT NULL"] if len(by) == 1 else [])]
    where = f"WHERE {' AND '.join(tests)}" if tests else ""
    codes = f"SELECT code FROM (SELECT {code} AS code FROM {sql_name(table)} {where}) GROUP BY code HAVING count(*) > 1"
    return f"SELECT * FROM {sql_name(table)} {where or 'WHERE true'} AND {code} IN ({codes})"
