"""Rules on freshness: how old the newest row is at the check, of a table or of each value of a column."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from unspun.book.checks.contracts_words import broken, given_sql, kind_held, origins, row_columns, sql_instant
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted
from unspun.book.mapping.contract_definition import FreshnessRule
from unspun.book.sql_words import sql_name


def newest_sql(shape: BookShape, rule: FreshnessRule) -> str:
    """The aggregate of the newest row that is not dated after the check."""
    dated = _dated(rule)
    return f"max({dated}) FILTER ({dated} <= {sql_instant(shape.at)})"


def _dated(rule: FreshnessRule) -> str:
    return "happened_at" if rule.dated == "happened" else "known_at"


def values_sql(shape: BookShape, table: str, rule: FreshnessRule) -> str:
    """The values of the rule's column (`values`), those that are stale (`stale`), the newest row of all (`newest`) and of the stale."""
    by = str(rule.by)
    limit = sql_instant(_limit(shape, rule))
    return (
        f"SELECT count(*) AS values_there, count(*) FILTER ({_stale(limit)}) AS stale, max(newest) AS newest, "
        f"max(newest) FILTER ({_stale(limit)}) AS stale_newest FROM (SELECT {newest_sql(shape, rule)} AS newest FROM {sql_name(table)} "
        f"WHERE {given_sql(by, kind_held(shape, table, by))} GROUP BY {sql_name(by)})"
    )


def _stale(limit: str) -> str:
    return f"newest IS NULL OR newest < {limit}"


def _limit(shape: BookShape, rule: FreshnessRule) -> datetime:
    return shape.at - timedelta(hours=rule.within_hours)


def freshness_finding(shape: BookShape, table: str, rule: FreshnessRule, newest: datetime | None) -> Finding | None:
    """None where the newest row is young enough."""
    if newest is not None and newest >= _limit(shape, rule):
        return None
    rows = f"SELECT {row_columns(shape, table, _dated(rule))} FROM {sql_name(table)}"
    if newest is None:
        said, wanted = f"no row of {table} {_verb(rule)} up to the check", "LIMIT 0"
    else:
        said = f"the newest row of {table} {_verb(rule)} {instant_text(newest)}"
        wanted = f"WHERE {_dated(rule)} = {sql_instant(newest)} ORDER BY source_file, source_row"
    return broken(
        table,
        rule,
        (1, 1, "tables"),
        f"{said[:1].upper()}{said[1:]}; it should be no older than {age_text(rule.within_hours)}.",
        _mend(shape, table),
        f"{rows} {wanted}",
        {"newest": None if newest is None else newest.astimezone(UTC).isoformat(), "within_hours": rule.within_hours},
    )


def values_finding(shape: BookShape, table: str, rule: FreshnessRule, found: Mapping[str, Any]) -> Finding | None:
    """None where each value has a row that is young enough. Values are not named: they may be accounts or people."""
    stale, there = int(found["stale"]), int(found["values_there"])
    if not stale:
        return None
    by = str(rule.by)
    return broken(
        table,
        rule,
        (stale, there, "values"),
        f"{counted(stale, there, f'values of {table}.{by}')} have no row that {_verb(rule).replace(' on', '')} within "
        f"{age_text(rule.within_hours)} before the check.",
        _mend(shape, table),
        _stale_rows_sql(shape, table, rule, found),
        {"within_hours": rule.within_hours},
    )


def _stale_rows_sql(shape: BookShape, table: str, rule: FreshnessRule, found: Mapping[str, Any]) -> str:
    """The stale values with their newest row: by instants of rows, so that it is the same from one check to the next."""
    dated, by = _dated(rule), sql_name(str(rule.by))
    past = "false" if found["newest"] is None else f"{dated} <= {sql_instant(found['newest'])}"
    newest = f"max({dated}) FILTER ({past})"
    stale = "newest IS NULL" if found["stale_newest"] is None else f"newest IS NULL OR newest <= {sql_instant(found['stale_newest'])}"
    given = given_sql(str(rule.by), kind_held(shape, table, str(rule.by)))
    return (
        f"SELECT {by}, newest, n AS rows FROM (SELECT {by}, {newest} AS newest, count(*) AS n FROM {sql_name(table)} WHERE {given} "
        f"GROUP BY {by}) WHERE {stale} ORDER BY newest NULLS FIRST, {by}"
    )


def _verb(rule: FreshnessRule) -> str:
    return "happened on" if rule.dated == "happened" else "was known on"


def _mend(shape: BookShape, table: str) -> str:
    return f"Load the newest export ({origins(shape, table)}), or see why it stopped."


def instant_text(instant: datetime) -> str:
    """An instant to the minute, in UTC."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def age_text(hours: float) -> str:
    """Hours as one would say them: 2 days, 36 hours."""
    number, unit = (hours / 24, "day") if hours >= 48 and hours % 24 == 0 else (hours, "hour")
    return f"{number:g} {unit}{'' if number == 1 else 's'}"
