"""Ids that stand for several rows: in columns that are meant to tell rows apart, and in keys whose second row a load turned away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from unspun.book.checks.check import Answers, Check, always
from unspun.book.checks.extracts import AskedBook
from unspun.book.checks.finding import Finding
from unspun.book.checks.reach import REACHED
from unspun.book.checks.repeated_codes import repeated_codes
from unspun.book.checks.repeats_sql import (
    codes_sql,
    data_columns,
    keyless_tables,
    no_keyless_table,
    repeating_rows_sql,
    rows_of_codes_sql,
)
from unspun.book.checks.shape import BookShape, TableShape
from unspun.book.checks.shares import counted, percent
from unspun.book.entities import TABLES
from unspun.book.sql_words import sql_name

STANDARD_IDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "events": (("event_id",),),
    "responses": (("response_id", "question"), ("response_id",)),  # a response answers several questions, a row each
    "touchpoints": (("touchpoint_id",),),
    "tickets": (("ticket_id",),),
    "subscriptions": (("subscription_id",),),
}
OWN_ID_ENDINGS = ("_id", "_uuid", "_guid")
UNIQUE_SHARE = 0.9  # of the rows: below it, the column does not tell rows apart at all (a session, an order)
WRONG_SHARE = 0.05
UNSETTLED = ("two_values", "conflict")


def _ids(table: TableShape) -> tuple[tuple[str, ...], ...]:
    """The columns (or several together) that may tell the rows of a table apart."""
    standard = next((ids for ids in STANDARD_IDS.get(table.name, ()) if table.has(*ids)), None)
    named = {column.name for entity in TABLES.values() for column in entity.columns}
    own = [
        (name,) for name, kind in table.columns.items() if name not in named and kind in ("text", "whole") and name.endswith(OWN_ID_ENDINGS)
    ]
    return (*((standard,) if standard else ()), *own)


def _ask(shape: BookShape) -> dict[str, str]:
    asked = {f"{table.name}.{ids[0]}": _counts_sql(table, ids) for table in keyless_tables(shape) for ids in _ids(table)}
    return asked | {f"{table.name}.filled": _filled_sql(table, _ids(table)) for table in keyless_tables(shape) if _ids(table)}


def _prepare(book: AskedBook) -> None:
    """The codes of ids that stand more than once."""
    for table in keyless_tables(book.shape):
        for ids in _ids(table):
            codes = codes_sql(f"SELECT * FROM {sql_name(table.name)}", ids)
            book.register(_codes(table, ids), repeated_codes(codes, table.rows, book.query))


def _codes(table: TableShape, ids: Sequence[str]) -> str:
    return f"{table.name}_{ids[0]}_codes"


def _filled_sql(table: TableShape, ids: Sequence[Sequence[str]]) -> str:
    counts = ", ".join(f"count({sql_name(one[0])}) AS {sql_name(one[0])}" for one in ids)
    return f"SELECT {counts} FROM {sql_name(table.name)}"


def _groups_sql(table: TableShape, ids: Sequence[str], rows: str) -> str:
    """Of these rows the ids that stand more than once: how often, and for how many different rows."""
    columns = ", ".join(map(sql_name, ids))
    row = f"row({', '.join(map(sql_name, data_columns(table)))})"
    return (
        f"SELECT {columns}, count(*) AS _n, count(DISTINCT {row}) AS _differing FROM ({rows}) "
        f"WHERE {sql_name(ids[0])} IS NOT NULL GROUP BY {columns} HAVING count(*) > 1"
    )


def _counts_sql(table: TableShape, ids: Sequence[str]) -> str:
    groups = _groups_sql(table, ids, rows_of_codes_sql(f"SELECT * FROM {sql_name(table.name)}", ids, _codes(table, ids)))
    return (
        "SELECT count(*) FILTER (_differing > 1) AS ids, coalesce(sum(_n) FILTER (_differing > 1), 0) AS rows, "
        f"coalesce(sum(_differing - 1), 0) AS beyond, coalesce(sum(_n - _differing), 0) AS copies FROM ({groups})"
    )


def _judge(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for table in keyless_tables(shape):
        for ids in _ids(table):
            counts = {name: int(value) for name, value in answers[f"{table.name}.{ids[0]}"].to_pylist()[0].items()}
            filled = int(answers[f"{table.name}.filled"].to_pylist()[0][ids[0]])
            different = filled - counts["copies"]  # rows that are not merely copies of another
            if counts["ids"] and different - counts["beyond"] >= UNIQUE_SHARE * different:
                yield _repeated(table, ids, counts["ids"], counts["rows"], filled)


def _repeated(table: TableShape, ids: Sequence[str], number: int, rows: int, filled: int) -> Finding:
    named = " and ".join(ids)
    return Finding(
        check="repeated_ids",
        table=table.name,
        subject=ids[0],
        severity="error" if rows >= WRONG_SHARE * filled else "warning",
        count=rows,
        of=filled,
        unit="rows",
        message=f"{number:,} values of {named} stand for several different rows each: "
        f"{counted(rows, filled, f'rows of {table.name}')} share theirs with another. Nearly all others are unique, so it should tell rows "
        "apart.",
        affects=REACHED.get(table.name, ()),
        mend=f"Find out from the source which row is right, or which column is missing from the id, and load a mended file. Then declare "
        f"`key: {ids[0]}` for the source in book.yml: a second row for an id is turned away from then on.",
        rows_sql=_rows_sql(table, ids),
        facts={"ids": number},
    )


def _rows_sql(table: TableShape, ids: Sequence[str]) -> str:
    columns, groups = list(map(sql_name, ids)), _groups_sql(table, ids, repeating_rows_sql(table.name, ids))
    same = " AND ".join(f"held.{column} IS NOT DISTINCT FROM found.{column}" for column in columns)  # only the first is filled in every row
    return (
        f"SELECT held.* FROM {sql_name(table.name)} held JOIN (SELECT {', '.join(columns)} FROM ({groups}) WHERE _differing > 1) found "
        f"ON {same} ORDER BY {', '.join(f'held.{column}' for column in columns)}, held.source_file, held.source_row"
    )


REPEATED_IDS = Check(
    "repeated_ids",
    "ids that stand for several rows",
    ("events", "purchases", "responses", "touchpoints"),
    no_keyless_table,
    _ask,
    _judge,
    prepare=_prepare,
)


# Rows that a load turned away for their key

_AGAIN = ", ".join(
    f"try_cast(json_extract_string(cells, '$.{cell}') AS BIGINT) AS {name}"
    for cell, name in (("unspun_load", "load"), ("unspun_file", "source_file"), ("unspun_row", "source_row"))
)
OPEN_SQL = (
    "SELECT * FROM rejected ANTI JOIN ("
    f"""SELECT {_AGAIN} FROM rejected WHERE cells LIKE '%"unspun_row"%' """
    "UNION ALL SELECT mended_load AS load, mended_file AS source_file, mended_row AS source_row FROM mended"
    f") USING (load, source_file, source_row) WHERE code IN ({', '.join(map(repr, UNSETTLED))})"
)
"""The rejected rows with another row's key whose place no later row has taken."""


def _unsettled(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for row in answers["open"].to_pylist():
        table, count = str(row["table"]), int(row["rows"])
        held = shape.tables[table].rows if table in shape.tables else 0
        share = count / (held + count)
        yield Finding(
            check="unsettled_keys",
            table=table,
            severity="error" if share >= WRONG_SHARE else "warning",
            count=count,
            of=held + count,
            unit="rows",
            message=f"{count:,} rows of {table} were turned away because another row has the same key and other values, and are not mended "
            f"({percent(count, held + count)} of the rows read into it). Which row is right is not known.",
            affects=REACHED.get(table, ()),
            mend=f"unspun rejected --table {table} --csv rejected.csv, correct the rows, unspun load rejected.csv; or name the columns in "
            "`key` that tell such rows apart.",
            rows_sql=f'SELECT source_file, source_row, load, code, reason, "column", value, cells FROM ({OPEN_SQL}) '
            f"WHERE \"table\" = '{table}' ORDER BY source_file, source_row, load",
        )


UNSETTLED_KEYS = Check(
    "unsettled_keys",
    "rows turned away for their key and not mended",
    tuple(TABLES),
    always,
    lambda _shape: {"open": f'SELECT "table", count(*) AS rows FROM ({OPEN_SQL}) GROUP BY "table" ORDER BY "table"'},
    _unsettled,
)
