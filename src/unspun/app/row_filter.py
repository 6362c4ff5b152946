"""COLUMN=VALUE as SQL: each value read by the kind of its column."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from unspun.book.entities import MONEY_SCALE, Kind
from unspun.engines.embedded import sql_name, sql_text
from unspun.errors import BadInput, Fault
from unspun.warehouse.read_sql import instant_sql

FLAGS = {"yes": "true", "true": "true", "1": "true", "no": "false", "false": "false", "0": "false"}
EXAMPLES: dict[Kind, str] = {
    "whole": "Write it as 12.",
    "number": "Write it as 12.5.",
    "money": "Write it as 1200.00, with at most four decimals.",
    "day": "Write it as 2026-10-31.",
    "instant": "Write it as 2026-10-31 (the whole day), or 2026-10-31T14:05.",
    "flag": "Write it as yes or no.",
}


def filter_sql(where: Sequence[tuple[str, str]], columns: Mapping[str, Kind], zone: str, option: str = "--where") -> str:
    """The condition that every pair of column and value holds; "true" where there is none. A value "" asks for empty cells.

    Days and times without an offset are those of `zone`. Raises BadInput with every column that is not there and every value that
    is none of its column's kind.
    """
    parts: list[str] = []
    faults: list[Fault] = []
    for name, text in where:
        kind = columns.get(name)
        try:
            parts.append(_comparison(name, kind, text, zone) if kind else "")
        except (ValueError, InvalidOperation, OverflowError):
            message = f"{text!r} is no value of {name}, which is of kind {kind}."
            faults.append(Fault("bad_value", message, option, EXAMPLES.get(kind, "") if kind else ""))
        if kind is None:
            hint = f"The columns are {', '.join(columns)}."
            faults.append(Fault("no_column", f"there is no column {name!r}.", option, hint))
    if faults:
        raise BadInput(faults)
    return " AND ".join(parts) or "true"


def _comparison(name: str, kind: Kind, text: str, zone: str) -> str:
    column = sql_name(name)
    if not text:
        return f"{column} IS NULL"
    if kind == "instant":
        first, last = _span(text, zone)
        return f"{column} >= {instant_sql(first)} AND {column} <= {instant_sql(last)}"
    return f"{column} = {LITERALS[kind](text.strip() if kind != 'text' else text)}"


def _span(text: str, zone: str) -> tuple[datetime, datetime]:
    """The first and last microsecond of what a text names: a day, a minute, or one instant."""
    written = datetime.fromisoformat(text.strip())
    first = written if written.tzinfo else written.replace(tzinfo=ZoneInfo(zone))
    if len(text.strip()) <= len("2026-10-31"):
        after = datetime.combine(first.date() + timedelta(days=1), time(), first.tzinfo)
        return first, after - timedelta(microseconds=1)
    whole_minute = written.second == written.microsecond == 0 and text.count(":") < 2
    return first, first + (timedelta(minutes=1, microseconds=-1) if whole_minute else timedelta())


def _number(text: str) -> str:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return f"{value!r}::DOUBLE"


def _money(text: str) -> str:
    value = Decimal(text)
    if not value.is_finite() or value != round(value, MONEY_SCALE):
        raise ValueError(text)
    return f"{value:f}::DECIMAL(18,{MONEY_SCALE})"


def _flag(text: str) -> str:
    if text.lower() not in FLAGS:
        raise ValueError(text)
    return FLAGS[text.lower()]


LITERALS: dict[Kind, Callable[[str], str]] = {
    "text": sql_text,
    "whole": lambda text: f"{int(text)}",
    "number": _number,
    "money": _money,
    "day": lambda text: f"DATE '{date.fromisoformat(text).isoformat()}'",
    "flag": _flag,
}
