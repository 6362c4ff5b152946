"""Rules on volume: how many rows each day, week, month or load has, beside bounds and beside what is usual."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from unspun.book.checks.contracts_words import broken, first_open_day, origins
from unspun.book.checks.extracts import EVENT_DAYS
from unspun.book.checks.finding import Finding
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted
from unspun.book.entities import TABLES
from unspun.book.mapping.contract_definition import LEAST_HISTORY, WEEKDAYS, VolumeRule
from unspun.book.sql_words import local_day, sql_day, sql_name


def volume_sql(shape: BookShape, table: str, rule: VolumeRule) -> str:
    """Periods judged and at fault, the fewest and most rows of those at fault, and the last of these."""
    days = f"SELECT day, sum(rows) AS n FROM {EVENT_DAYS} GROUP BY day" if table == "events" else _days_sql(shape, table)
    return (
        f"SELECT count(*) FILTER ({_judged(rule)}) AS judged, count(*) FILTER ({_fault(rule)}) AS wrong, "
        f"min(n) FILTER ({_fault(rule)}) AS fewest, max(n) FILTER ({_fault(rule)}) AS most, "
        f"max(period) FILTER ({_fault(rule)}) AS latest FROM ({_series_sql(shape, table, rule, days)})"
    )


def volume_finding(shape: BookShape, table: str, rule: VolumeRule, found: Mapping[str, Any]) -> Finding | None:
    """None where every period is within the bound."""
    wrong, judged = int(found["wrong"]), int(found["judged"])
    if not wrong:
        return None
    series = _series_sql(shape, table, rule, _days_sql(shape, table))
    columns = "period, n AS rows, usual" if rule.factor is not None else "period, n AS rows"
    return broken(
        table,
        rule,
        (wrong, judged, f"{rule.per}s"),
        f"{counted(wrong, judged, f'{rule.per}s')} have {_said(table, rule, found)}; the latest is "
        f"{_period_text(rule, found['latest'])}.{_left_out(shape, rule)}",
        f"See whether {origins(shape, table)} is whole for these {rule.per}s, and load what is missing or undo what is there twice.",
        f"SELECT {columns} FROM ({series}) WHERE {_fault(rule)} ORDER BY period",
        {"fewest_rows": int(found["fewest"]), "most_rows": int(found["most"])},
    )


def _said(table: str, rule: VolumeRule, found: Mapping[str, Any]) -> str:
    if rule.least is not None:
        return f"fewer than {rule.least:,} rows of {table} (the fewest {int(found['fewest']):,})"
    if rule.most is not None:
        return f"more than {rule.most:,} rows of {table} (the most {int(found['most']):,})"
    before = f"of the same weekday in the {rule.periods} weeks" if rule.per == "day" else f"of the {rule.periods} {rule.per}s"
    bounds = f"over {rule.factor:g} times or under 1/{rule.factor:g} of"
    return f"{bounds} the usual number of rows of {table} (the median {before} before)"


def _period_text(rule: VolumeRule, period: object) -> str:
    return f"load {period}" if rule.per == "load" else str(period) if rule.per == "day" else f"the {rule.per} from {period} on"


def _left_out(shape: BookShape, rule: VolumeRule) -> str:
    """What is not judged, as it is not over."""
    if rule.per == "load":
        return ""
    first = first_of_period(rule, first_open_day(shape))
    return (
        f" The {rule.per} {'of' if rule.per == 'day' else 'from'} {first}{'' if rule.per == 'day' else ' on'}, not over yet, is left out."
    )


def first_of_period(rule: VolumeRule, day: date) -> date:
    """The first day of the period in which a day lies."""
    if rule.per == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if rule.per == "month" else day


def _judged(rule: VolumeRule) -> str:
    return f"(history >= {min(rule.periods, LEAST_HISTORY)} AND usual > 0)" if rule.factor is not None else "true"


def _fault(rule: VolumeRule) -> str:
    if rule.least is not None:
        return f"n < {rule.least}"
    if rule.most is not None:
        return f"n > {rule.most}"
    return f"({_judged(rule)} AND (n > {rule.factor!r} * usual OR n * {rule.factor!r} < usual))"


def _series_sql(shape: BookShape, table: str, rule: VolumeRule, days: str) -> str:
    """The periods that are judged, each with its rows `n`, the median of those before it (`usual`) and how many these are (`history`)."""
    if rule.per == "load":
        counts = f"SELECT load AS period, count(*) AS n FROM {sql_name(f'{table}_versions')} GROUP BY load"
    else:
        counts = _periods_sql(rule, days, first_of_period(rule, first_open_day(shape)))
    alike = "PARTITION BY isodow(period) " if rule.per == "day" else ""
    last = f" QUALIFY row_number() OVER (ORDER BY period DESC) <= {rule.last}" if rule.last is not None else ""
    return (
        f"SELECT period, n, median(n) OVER before AS usual, count(*) OVER before AS history FROM ({counts}) "
        f"WINDOW before AS ({alike}ORDER BY period ROWS BETWEEN {rule.periods} PRECEDING AND 1 PRECEDING){last}"
    )


def _periods_sql(rule: VolumeRule, days: str, open_from: date) -> str:
    """Every period from the first whole one to the last that is over, those without rows too."""
    unit, step = f"'{rule.per}'", f"INTERVAL 1 {rule.per}"
    begins = f"CAST(date_trunc({unit}, min(day)) AS DATE)"
    first = f"CASE WHEN min(day) = {begins} THEN {begins} ELSE {begins} + {step} END"
    wanted = f"WHERE isodow(period) IN ({', '.join(str(WEEKDAYS.index(day) + 1) for day in rule.weekdays)}) " if rule.weekdays else ""
    until = f"CAST({sql_day(open_from)} AS TIMESTAMP)"
    return (
        f"WITH days AS ({days}) SELECT period, CAST(coalesce(sum(n), 0) AS BIGINT) AS n FROM ("
        f"SELECT CAST(unnest(range(CAST({first} AS TIMESTAMP), {until}, {step})) AS DATE) AS period FROM days) "
        f"LEFT JOIN days ON CAST(date_trunc({unit}, day) AS DATE) = period {wanted}GROUP BY period"
    )


def _days_sql(shape: BookShape, table: str) -> str:
    """The days on which rows happened, with their number; of a table of statements, all of these."""
    entity = next(entity for entity in TABLES.values() if entity.name == table)
    happened = entity.column(entity.happened)
    if happened is not None and happened.kind == "day" and shape.has(table, happened.name):
        day = sql_name(happened.name)
    else:
        day = local_day("happened_at", shape.definition.time_zone)
    source = sql_name(f"{table}_versions" if entity.state else table)
    return f"SELECT {day} AS day, count(*) AS n FROM {source} WHERE {day} IS NOT NULL GROUP BY 1"
