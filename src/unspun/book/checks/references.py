"""Checks of references: rows of accounts, subscriptions and contacts that the book does not hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.extracts import EVENT_DAYS
from unspun.book.checks.finding import Finding
from unspun.book.checks.id_spelling import THINGS, misspelt_sql
from unspun.book.checks.reach import REACHED
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, gravity, plural, row_columns
from unspun.book.entities import TABLES
from unspun.book.sql_words import sql_name, sql_text

REFERRED = {"account_id": "accounts", "subscription_id": "subscriptions", "contact_id": "contacts"}
BY_ACCOUNT = {"subscriptions": ("retention by segment", "account counts")}
"""What rows reach that name an account of which nothing else is known, where that is less than all figures of the table."""


def _tables(shape: BookShape, column: str) -> tuple[str, ...]:
    """The tables that refer by the column. Contacts of events are an own column, which is not followed over all events."""
    apart = {REFERRED[column], *(("events",) if column == "contact_id" else ())}
    return tuple(name for name in TABLES if name not in apart and shape.has(name, column))


def _hindrance(column: str, shape: BookShape) -> str:
    if lacking := shape.lacks(REFERRED[column], f"{REFERRED[column]}.{column}"):
        return lacking
    return "" if _tables(shape, column) else f"no other table names {'an' if column == 'account_id' else 'a'} {THINGS[column]}"


def _ask(column: str, shape: BookShape) -> Mapping[str, str]:
    return {"tables": _counts_sql(column, _tables(shape, column))}


def _counts_sql(column: str, tables: Sequence[str]) -> str:
    """By table: rows that refer to anything, those that refer to what is not there in any spelling, and to how many such things."""
    by = sql_name(column)
    ids = " UNION ALL ".join(_ids_sql(table, by) for table in tables)
    return (
        f"WITH ids AS MATERIALIZED ({ids}), lost AS MATERIALIZED (SELECT DISTINCT {by} FROM ids WHERE {_missing_sql(column, 'ids')}) "
        f"SELECT source, CAST(sum(rows) AS BIGINT) AS rows, CAST(sum(rows) FILTER (lost.{by} IS NOT NULL) AS BIGINT) AS orphans, "
        f"count(lost.{by}) AS things FROM ids LEFT JOIN lost USING ({by}) GROUP BY source"
    )


def _ids_sql(table: str, by: str) -> str:
    """The ids that a table names, each with its rows; those of events by the days made once for all checks."""
    rows, held = ("sum(rows)", EVENT_DAYS) if table == "events" else ("count(*)", sql_name(table))
    return f"SELECT {sql_text(table)} AS source, {by}, {rows} AS rows FROM {held} WHERE {by} IS NOT NULL GROUP BY {by}"


def _missing_sql(column: str, source: str) -> str:
    """Whether an id stands in its home in no spelling; one that stands there in another is told by the check of spelling."""
    by, home = sql_name(column), REFERRED[column]
    return (
        f"{by} NOT IN (SELECT {by} FROM {home} WHERE {by} IS NOT NULL) "
        f"AND {by} NOT IN (SELECT id FROM ({misspelt_sql(f'(SELECT DISTINCT {by} FROM {source} WHERE {by} IS NOT NULL)', by, home)}))"
    )


def _judge(code: str, column: str, shape: BookShape, answers: Answers) -> Iterator[Finding]:
    by_table = {row["source"]: row for row in answers["tables"].to_pylist()}
    for table in _tables(shape, column):
        found = by_table.get(table)
        if found is not None and found["orphans"]:
            yield _finding(shape, code, column, table, found)


def _finding(shape: BookShape, code: str, column: str, table: str, found: Mapping[str, int]) -> Finding:
    held, thing = REFERRED[column], THINGS[column]
    names = "belong to" if column == "account_id" else "name"
    things = plural(found["things"], thing)
    return Finding(
        check=code,
        table=table,
        severity=gravity(found["orphans"], found["rows"], least="warning"),
        count=found["orphans"],
        of=found["rows"],
        unit="rows",
        message=f"{counted(found['orphans'], found['rows'], f'rows of {table}')} {names} {things} that the book does not hold.",
        affects=BY_ACCOUNT.get(table, REACHED[table]) if column == "account_id" else REACHED[table],
        mend=f"Load an export of {held} that holds them all. If it does already, the two tables name {thing}s by different ids: "
        f"see whether {table}.{column} in book.yml is mapped to the column whose values {held}.{column} holds.",
        rows_sql=f"SELECT {row_columns(shape, table)} FROM {sql_name(table)} "
        f"WHERE {sql_name(column)} IS NOT NULL AND {_missing_sql(column, sql_name(table))} ORDER BY source_file, source_row",
        facts={f"{thing}s": found["things"]},
    )


def _check(code: str, title: str, column: str) -> Check:
    return Check(
        code=code,
        title=title,
        tables=(REFERRED[column], *(table for table in TABLES if table != REFERRED[column])),
        hindrance=lambda shape: _hindrance(column, shape),
        ask=lambda shape: _ask(column, shape),
        judge=lambda shape, answers: _judge(code, column, shape, answers),
        extracts=(EVENT_DAYS,),
    )


CHECKS: tuple[Check, ...] = (
    _check("orphan_accounts", "rows of accounts that are not there", "account_id"),
    _check("orphan_subscriptions", "rows of subscriptions that are not there", "subscription_id"),
    _check("orphan_contacts", "rows of contacts that are not there", "contact_id"),
)
