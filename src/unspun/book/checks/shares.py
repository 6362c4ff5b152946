"""Rows at fault: their count in words, how grave their share is, and what they are shown with."""

from __future__ import annotations

from typing import Any

from unspun.book.checks.check import Answers
from unspun.book.checks.finding import SEVERITIES, Severity
from unspun.book.checks.shape import BookShape
from unspun.book.sql_words import sql_name

WRONG_SHARE = 0.05
"""From one row in twenty on, a fault moves most figures made of the rows by more than their intervals allow for."""
STRAY_SHARE = 0.005
"""Fewer than one row in two hundred: stragglers that every book has, such as usage on the evening after a contract's end."""


def counted(count: int, of: int, things: str) -> str:
    """ "19,432 of 25,000 events (77.7 %)"; a share is never rounded to none or all."""
    return f"{count:,} of {of:,} {things} ({percent(count, of)})"


def percent(count: int, of: int) -> str:
    """The share in per cent to one decimal: "under 0.1 %", "over 99.9 %" where rounding would say none or all."""
    if 0 < count < of / 2000:
        return "under 0.1 %"
    if of > count > of - of / 2000:
        return "over 99.9 %"
    return f"{100 * count / of:.1f} %" if 0 < count < of else f"{100 * count // of} %"


def gravity(count: int, of: int, least: Severity = "note", most: Severity = "error") -> Severity:
    """How grave it is that so many are at fault: by WRONG_SHARE and STRAY_SHARE, within bounds."""
    share = count / of
    by_share = 0 if share >= WRONG_SHARE else 1 if share >= STRAY_SHARE else 2
    return SEVERITIES[max(SEVERITIES.index(most), min(SEVERITIES.index(least), by_share))]


def is_stray(count: int, of: int) -> bool:
    """Whether so few are at fault that rows are, and not what their columns are mapped to."""
    return count < STRAY_SHARE * of


def plural(count: int, thing: str) -> str:
    """ "1 account", "1,204 accounts"."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def listed(names: list[str], most: int = 5) -> str:
    """The first names with commas, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def row_columns(shape: BookShape, table: str) -> str:
    """What a row at fault is shown with, as SQL: where it stands, and the columns that any source filled."""
    account = ["account_id"] if table == "events" else []  # of which the view knows by the subscription, if no source says it
    return ", ".join(dict.fromkeys(map(sql_name, ["source_file", "source_row", *account, *shape.tables[table].columns])))


def only_row(answers: Answers, name: str) -> dict[str, Any]:
    """The one row of an answer, by column; sums over nothing are 0."""
    row = answers[name].slice(0, 1).to_pylist()[0]
    return {column: 0 if value is None else value for column, value in row.items()}
