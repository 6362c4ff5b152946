"""Names, texts and days as SQL, for the questions that the pure parts ask of a book."""

from __future__ import annotations

from datetime import date


def sql_text(value: str) -> str:
    """A text as an SQL literal."""
    return "'" + value.replace("'", "''") + "'"


def sql_name(name: str) -> str:
    """A name (of a column, a table) as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def sql_day(day: date) -> str:
    """A day as an SQL literal."""
    return f"DATE '{day.isoformat()}'"


def local_day(instant: str, time_zone: str) -> str:
    """The calendar day of an SQL expression of an instant, in a time zone."""
    if time_zone == "UTC":  # much faster: no calendar is asked
        return f"CAST(make_timestamp(epoch_us({instant})) AS DATE)"
    return f"CAST({instant} AT TIME ZONE {sql_text(time_zone)} AS DATE)"
