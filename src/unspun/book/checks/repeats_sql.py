"""The SQL that finds rows that repeat, at little more than the cost of reading the columns once.

What it makes beside a table's columns has names that begin with _, as no company's own column does (`NAME` of the mapping).
"""

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


def unused_name(table: TableShape, name: str) -> str:
    """The name, for a column that is shown beside the table's; with _ before it, as no own column begins, where one has it."""
    return f"_{name}" if table.has(name) else name


def codes_sql(rows: str, by: Sequence[str]) -> str:
    """Rows as 32 bits of a hash of `by`. Rows with nothing in the only column of `by` are left out."""
    return f"SELECT {_code(by)} AS code FROM ({rows}) WHERE {_filled(by)}"


def rows_of_codes_sql(rows: str, by: Sequence[str], codes: str) -> str:
    """The rows whose code stands in a table of codes: those that agree in `by` with another, and some that only seem to.

    Group them by `by` to be exact.
    """
    return f"SELECT * FROM ({rows}) WHERE {_filled(by)} AND {_code(by)} IN (SELECT code FROM {sql_name(codes)})"


def repeating_rows_sql(table: TableName | str, by: Sequence[str], narrowed: str = "true") -> str:
    """The same of the views alone, for rows that are shown: of those that a test lets through, which are kept until they are counted."""
    codes = f"SELECT {_code(by)} AS _code FROM looked_at GROUP BY _code HAVING count(*) > 1"
    rows = f"SELECT * FROM {sql_name(table)} WHERE {narrowed} AND {_filled(by)}"
    kept = "NOT " if narrowed == "true" else ""  # the rows of a whole table are read twice rather
    return f"WITH looked_at AS {kept}MATERIALIZED ({rows}) SELECT * FROM looked_at WHERE {_code(by)} IN ({codes})"


def _code(by: Sequence[str]) -> str:
    return f"CAST(hash({', '.join(map(sql_name, by))}) >> 32 AS UINTEGER)"


def _filled(by: Sequence[str]) -> str:
    return f"{sql_name(by[0])} IS NOT NULL" if len(by) == 1 else "true"
