"""Rules on keys: columns that are unique together, and values that must stand in another table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unspun.book.checks.contracts_words import breaks, broken, given_sql, kind_held, origins, row_columns
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, plural
from unspun.book.mapping.contract_definition import ColumnRule, UniqueRule
from unspun.book.sql_words import sql_name


def unique_sql(shape: BookShape, table: str, rule: UniqueRule) -> str:
    """Rows with all columns (`compared`), those that share them with another row (`repeated`), and how often there are such (`keys`)."""
    return (
        "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS compared, CAST(coalesce(sum(n) FILTER (n > 1), 0) AS BIGINT) AS repeated, "
        f"count(*) FILTER (n > 1) AS keys FROM (SELECT count(*) AS n FROM {sql_name(table)} "
        f"WHERE {_all_given(shape, table, rule)} GROUP BY {_names(rule)})"
    )


def unique_finding(shape: BookShape, table: str, rule: UniqueRule, found: Mapping[str, Any]) -> Finding | None:
    """None where the rule holds."""
    repeated, compared = int(found["repeated"]), int(found["compared"])
    if not breaks(repeated, compared, rule):
        return None
    names = ", ".join(rule.columns)
    share = "shares" if repeated == 1 else "share"
    return broken(
        table,
        rule,
        (repeated, compared, "rows"),
        f"{counted(repeated, compared, f'rows of {table}')} {share} their {names} with another: {plural(int(found['keys']), 'value')} "
        "stand more than once.",
        f"See which row of each is right in {origins(shape, table, *rule.columns)}, and remove the others.",
        f"SELECT {row_columns(shape, table, *rule.columns)} FROM {sql_name(table)} WHERE {_all_given(shape, table, rule)} "
        f"AND ({_names(rule)}) IN (SELECT ({_names(rule)}) FROM {sql_name(table)} WHERE {_all_given(shape, table, rule)} "
        f"GROUP BY {_names(rule)} HAVING count(*) > 1) ORDER BY {_names(rule)}, source_file, source_row",
        {"repeated_keys": int(found["keys"])},
    )


def _names(rule: UniqueRule) -> str:
    return ", ".join(map(sql_name, rule.columns))


def _all_given(shape: BookShape, table: str, rule: UniqueRule) -> str:
    return " AND ".join(given_sql(name, kind_held(shape, table, name)) for name in rule.columns)


def references_sql(shape: BookShape, table: str, rule: ColumnRule) -> str:
    """Rows that refer to anything (`given`), those that refer to what is not there (`missing`), and to how many values (`things`)."""
    name, given = sql_name(rule.column), given_sql(rule.column, kind_held(shape, table, rule.column))
    return (
        "SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS given, CAST(coalesce(sum(n) FILTER (lost), 0) AS BIGINT) AS missing, "
        f"count(*) FILTER (lost) AS things FROM (SELECT n, {_lost_sql(rule)} AS lost FROM ("
        f"SELECT {name}, count(*) AS n FROM {sql_name(table)} WHERE {given} GROUP BY {name}))"
    )


def _lost_sql(rule: ColumnRule) -> str:
    other, column = map(sql_name, rule.target)
    return f"{sql_name(rule.column)} NOT IN (SELECT {column} FROM {other} WHERE {column} IS NOT NULL)"


def references_finding(shape: BookShape, table: str, rule: ColumnRule, found: Mapping[str, Any]) -> Finding | None:
    """None where the rule holds."""
    missing, given = int(found["missing"]), int(found["given"])
    if not breaks(missing, given, rule):
        return None
    where = given_sql(rule.column, kind_held(shape, table, rule.column))
    return broken(
        table,
        rule,
        (missing, given, "rows"),
        f"{counted(missing, given, f'values of {table}.{rule.column}')} do not stand in {rule.wanted}: "
        f"{plural(int(found['things']), 'value')} that it lacks.",
        f"Load what {rule.target[0]} lacks, or correct {origins(shape, table, rule.column)} and load it again.",
        f"SELECT {row_columns(shape, table, rule.column)} FROM {sql_name(table)} WHERE {where} AND {_lost_sql(rule)} "
        "ORDER BY source_file, source_row",
        {"missing_values": int(found["things"])},
    )
