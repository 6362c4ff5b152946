"""Checks of dates: before signup, in days to come, in the wrong order, and days that stand for nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from unspun.book.checks.check import Answers, Check
from unspun.book.checks.extracts import EVENT_DAYS
from unspun.book.checks.finding import Finding, Severity
from unspun.book.checks.reach import REACHED
from unspun.book.checks.running import today
from unspun.book.checks.shape import BookShape
from unspun.book.checks.shares import counted, gravity, is_stray, only_row, plural, row_columns
from unspun.book.checks.usage_outside import CHECK as USAGE_OUTSIDE
from unspun.book.entities import TABLES
from unspun.book.sql_words import local_day, sql_day, sql_name, sql_text

SIGNUP: dict[str, tuple[Severity, Severity]] = {
    "tickets": ("warning", "error"),
    "responses": ("warning", "error"),
    "churns": ("warning", "error"),
    "subscriptions": ("note", "error"),
    "purchases": ("note", "error"),
    "events": ("note", "warning"),
    "touchpoints": ("note", "note"),
}
"""How grave rows before signup are at least and at most: usage may be a trial, a touchpoint the sale."""
PAST: dict[str, tuple[str, ...]] = {
    "accounts": ("created_on",),
    "renewals": ("decided",),
    "purchases": ("purchased",),
    "events": ("occurred",),
    "tickets": ("opened", "first_answered", "closed"),
    "responses": ("answered", "invited"),
    "touchpoints": ("occurred",),
    "forecasts": ("made",),
    "scores": ("dated",),
    "churns": ("churned",),
    "rates": ("day",),
}
"""Columns of what has happened. Ends, due dates, notices and cancellations may name a day to come, and so may a start."""
IN_ORDER: dict[str, tuple[tuple[str, str], ...]] = {
    "tickets": (("opened", "first_answered"), ("opened", "closed"), ("first_answered", "closed")),
    "responses": (("invited", "answered"),),
    "renewals": (("term_start", "due"),),
}
"""Pairs of columns of which the second cannot come first. Starts and ends of terms are looked at with the terms."""
PLACEHOLDERS = tuple(
    date.fromisoformat(day)
    for day in ("1899-12-30", "1899-12-31", "1900-01-01", "1969-12-31", "1970-01-01", "2099-12-31", "2100-01-01", "9999-12-31")
)
"""Days that systems write for "none": the zero of spreadsheets and of Unix (west of Greenwich the day before), and far ends."""
FAR = date(2099, 12, 31)


def _day(shape: BookShape, table: str, column: str) -> str:
    """The calendar day of a column in the book's zone, as SQL."""
    kind = shape.tables[table].columns[column]
    return local_day(sql_name(column), shape.definition.time_zone) if kind == "instant" else sql_name(column)


def _days_sql(shape: BookShape, table: str, column: str) -> str:
    """Days and rows: those of events from the extract, so that no check goes over all of them."""
    if table == "events":
        return f"SELECT account_id, day, rows FROM {EVENT_DAYS}"
    account = "account_id" if _names_accounts(shape, table) else "NULL AS account_id"
    return f"SELECT {account}, {_day(shape, table, column)} AS day, count(*) AS rows FROM {table} GROUP BY ALL"


def _happened(table: str) -> str:
    return next(entity.happened for entity in TABLES.values() if entity.name == table)


def _names_accounts(shape: BookShape, table: str) -> bool:
    """Whether its rows belong to accounts; events may do so by their subscription."""
    return shape.has(table, "account_id") or (table == "events" and shape.has(table, "subscription_id"))


# Before signup

SIGNED_UP = "(SELECT account_id, created_on FROM accounts WHERE created_on IS NOT NULL)"


def _signup_tables(shape: BookShape) -> tuple[str, ...]:
    return tuple(table for table in SIGNUP if shape.has(table, _happened(table)) and _names_accounts(shape, table))


def _signup_hindrance(shape: BookShape) -> str:
    if lacking := shape.lacks("accounts", "accounts.created_on"):
        return lacking
    return "" if _signup_tables(shape) else "the book holds nothing that happened to an account"


def _ask_signup(shape: BookShape) -> Mapping[str, str]:
    return {
        table: "SELECT CAST(sum(rows) AS BIGINT) AS rows, CAST(sum(rows) FILTER (day < created_on) AS BIGINT) AS early, "
        "count(DISTINCT account_id) FILTER (day < created_on) AS accounts, max(created_on - day) AS most_days "
        f"FROM ({_days_sql(shape, table, _happened(table))}) JOIN {SIGNED_UP} USING (account_id)"
        for table in _signup_tables(shape)
    }


def _judge_signup(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for table in _signup_tables(shape):
        found = only_row(answers, table)
        if found["early"]:
            yield _before_signup(shape, table, found)


def _before_signup(shape: BookShape, table: str, found: Mapping[str, int]) -> Finding:
    happened, (least, most) = _happened(table), SIGNUP[table]
    return Finding(
        check="before_signup",
        table=table,
        severity=gravity(found["early"], found["rows"], least, most),
        count=found["early"],
        of=found["rows"],
        unit="rows",
        message=f"{counted(found['early'], found['rows'], table)} are dated before their account's signup, by up to "
        f"{plural(found['most_days'], 'day')}.",
        affects=(*REACHED[table], "cohorts"),
        mend=_signup_mend(f"{table}.{happened}", is_stray(found["early"], found["rows"])),
        rows_sql=f"SELECT source_file, source_row, account_id, {happened}, created_on FROM (SELECT source_file, source_row, account_id, "
        f"{happened}, {_day(shape, table, happened)} AS its_day FROM {table}) JOIN {SIGNED_UP} USING (account_id) "
        "WHERE its_day < created_on ORDER BY source_file, source_row",
        facts={"accounts": found["accounts"], "most_days": found["most_days"]},
    )


def _signup_mend(happened: str, few: bool) -> str:
    if few:
        return f"Have {happened}, or the account's created_on, mended in these rows where they come from, and load them again."
    return (
        f"See which is wrong: accounts.created_on (is it the day of signup, or of a later import?) or {happened}. Map created_on to the "
        "column with the true first day, or to none."
    )


# Days to come

MAY_BE_PLANNED: dict[str, Severity] = {"touchpoints": "warning", "churns": "note"}
"""How grave days to come are at most where the thing may be arranged already: a meeting, a departure after notice."""


def _past_columns(shape: BookShape) -> tuple[tuple[str, str], ...]:
    return tuple((table, column) for table, columns in PAST.items() for column in columns if shape.has(table, column))


def _ask_future(shape: BookShape) -> Mapping[str, str]:
    day = today(shape)
    later, next_day = f"day > {sql_day(day)} AND day < {sql_day(FAR)}", sql_day(day + timedelta(days=1))
    return {
        f"{table}.{column}": "SELECT CAST(sum(rows) AS BIGINT) AS rows, "
        f"CAST(sum(rows) FILTER ({later}) AS BIGINT) AS future, CAST(sum(rows) FILTER (day = {next_day}) AS BIGINT) AS tomorrow, "
        f"max(day) FILTER ({later}) AS last FROM ({_days_sql(shape, table, column)}) WHERE day IS NOT NULL"
        for table, column in _past_columns(shape)
    }


def _judge_future(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for table, column in _past_columns(shape):
        found = only_row(answers, f"{table}.{column}")
        if found["future"]:
            yield _future(shape, table, column, found)


def _future(shape: BookShape, table: str, column: str, found: Mapping[str, int]) -> Finding:
    day, now = _day(shape, table, column), today(shape)
    return Finding(
        check="future_dates",
        table=table,
        subject=column,
        severity=gravity(
            found["future"], found["rows"], least=most if (most := MAY_BE_PLANNED.get(table, "error")) == "note" else "warning", most=most
        ),
        count=found["future"],
        of=found["rows"],
        unit="rows",
        message=f"{counted(found['future'], found['rows'], f'values of {table}.{column}')} lie after {now}, the day of the check; "
        f"the last is {found['last']}.",
        affects=REACHED[table],
        mend=f"What {column} says has happened cannot lie ahead. Look whether day and month are swapped (date_format in book.yml), "
        "whether the time zone is the right one, and whether the file holds what is only planned.",
        rows_sql=f"SELECT {row_columns(shape, table)} FROM {table} WHERE {day} > {sql_day(now)} "
        f"AND {day} < {sql_day(FAR)} ORDER BY source_file, source_row",
        facts={"last": str(found["last"]), "tomorrow": found["tomorrow"]},
    )


# In the wrong order


def _pairs(shape: BookShape) -> tuple[tuple[str, str, str], ...]:
    return tuple((t, first, second) for t, pairs in IN_ORDER.items() for first, second in pairs if shape.has(t, first, second))


def _inverted_sql(shape: BookShape, table: str, first: str, second: str) -> str:
    """The second before the first. A day without a time (midnight in a zone of its source) may be the day of the first."""
    one, other = sql_name(first), sql_name(second)
    if "day" in (shape.tables[table].columns[first], shape.tables[table].columns[second]):
        return f"{_day(shape, table, second)} < {_day(shape, table, first)}"
    zones = {shape.definition.time_zone, *(s.time_zone for s in shape.definition.sources if s.table == table and s.time_zone)}
    same_day = (
        f"({local_day(one, zone)} = {local_day(other, zone)} AND CAST({other} AT TIME ZONE {sql_text(zone)} AS TIME) = TIME '00:00')"
        for zone in sorted(zones)
    )
    return f"({other} < {one} AND NOT ({' OR '.join(same_day)}))"


def _ask_order(shape: BookShape) -> Mapping[str, str]:
    return {
        f"{table}.{second}.{first}": f"SELECT count(*) AS rows, count(*) FILTER ({_inverted_sql(shape, table, first, second)}) AS inverted "
        f"FROM {table} WHERE {sql_name(first)} IS NOT NULL AND {sql_name(second)} IS NOT NULL"
        for table, first, second in _pairs(shape)
    }


def _judge_order(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for table, first, second in _pairs(shape):
        found = only_row(answers, f"{table}.{second}.{first}")
        if found["inverted"]:
            yield Finding(
                check="dates_in_wrong_order",
                table=table,
                subject=f"{second}_before_{first}",
                severity=gravity(found["inverted"], found["rows"], least="warning"),
                count=found["inverted"],
                of=found["rows"],
                unit="rows",
                message=f"In {counted(found['inverted'], found['rows'], table)} {second} is before {first}.",
                affects=REACHED[table],
                mend=("" if is_stray(found["inverted"], found["rows"]) else _mapping_doubt(first, second))
                + "Have the rows mended where they come from, and load them again.",
                rows_sql=f"SELECT {row_columns(shape, table)} FROM {table} "
                f"WHERE {_inverted_sql(shape, table, first, second)} ORDER BY source_file, source_row",
            )


def _mapping_doubt(first: str, second: str) -> str:
    return (
        f"See in book.yml whether {first} and {second} are mapped to each other's columns or written in different time zones or date "
        "formats. "
    )


# Days that stand for nothing


def _dated_columns(shape: BookShape) -> tuple[tuple[str, str], ...]:
    """Columns of days and instants; of events only when they happened, as the extract has no other."""
    found = ((table, column) for table in shape.tables for kind in ("day", "instant") for column in shape.kinds(table, kind))
    return tuple((table, column) for table, column in found if table != "events" or column == "occurred")


def _ask_placeholders(shape: BookShape) -> Mapping[str, str]:
    return {
        f"{table}.{column}": f"WITH days AS (SELECT day, CAST(sum(rows) AS BIGINT) AS rows FROM ({_days_sql(shape, table, column)}) "
        "WHERE day IS NOT NULL GROUP BY day) SELECT day, rows, (SELECT CAST(sum(rows) AS BIGINT) FROM days) AS of, "
        f"(SELECT max(rows) FROM days WHERE day NOT IN ({_placeholders()})) AS most FROM days WHERE day IN ({_placeholders()}) ORDER BY day"
        for table, column in _dated_columns(shape)
    }


def _placeholders() -> str:
    return ", ".join(sql_day(day) for day in PLACEHOLDERS)


def _judge_placeholders(shape: BookShape, answers: Answers) -> Iterator[Finding]:
    for table, column in _dated_columns(shape):
        rows = answers[f"{table}.{column}"].to_pylist()
        if not _is_standard(table, column):  # a birthday may be 1970-01-01: there it must be the most common day
            rows = [row for row in rows if row["rows"] > max(1, row["most"] or 0)]
        if rows:
            yield _placeholder(shape, table, column, {row["day"]: row["rows"] for row in rows}, rows[0]["of"])


def _is_standard(table: str, column: str) -> bool:
    return any(entity.column(column) is not None for entity in TABLES.values() if entity.name == table)


def _placeholder(shape: BookShape, table: str, column: str, days: Mapping[date, int], of: int) -> Finding:
    count, written = sum(days.values()), " and ".join(map(str, days))
    ends_later = (table, column) in (("subscriptions", "ended"), ("renewals", "due")) and min(days) >= FAR
    return Finding(
        check="placeholder_dates",
        table=table,
        subject=column,
        severity="note" if ends_later else gravity(count, of, least="warning"),
        count=count,
        of=of,
        unit="rows",
        message=f"{counted(count, of, f'values of {table}.{column}')} are {written}, which systems write where there is no date.",
        affects=REACHED[table],
        mend=f"Leave {column} empty in these rows of the export, and load it again.",
        rows_sql=f"SELECT {row_columns(shape, table)} FROM {table} "
        f"WHERE {_day(shape, table, column)} IN ({', '.join(map(sql_day, days))}) ORDER BY source_file, source_row",
        facts={str(day): rows for day, rows in days.items()},
    )


def _hinder(found: object, what: str) -> str:
    return "" if found else f"the book holds {what}"


CHECKS: tuple[Check, ...] = (
    USAGE_OUTSIDE,
    Check(
        "before_signup", "tickets, usage and others before signup", (*SIGNUP, "accounts"),
        _signup_hindrance, _ask_signup, _judge_signup, (EVENT_DAYS,),
    ),
    Check(
        "future_dates", "days to come where something has happened", tuple(PAST),
        lambda shape: _hinder(_past_columns(shape), "no column of what has happened"), _ask_future, _judge_future, (EVENT_DAYS,),
    ),
    Check(
        "dates_in_wrong_order", "dates in the wrong order", tuple(IN_ORDER),
        lambda shape: _hinder(_pairs(shape), "no two dates that follow each other"), _ask_order, _judge_order,
    ),
    Check(
        "placeholder_dates", "days that stand for none", tuple(PAST),
        lambda shape: _hinder(_dated_columns(shape), "no dates"), _ask_placeholders, _judge_placeholders, (EVENT_DAYS,),
    ),
)  # fmt: skip
