"""Settled cells: cells of a row that are filled in after the row happened, and from which day on they may be read.

An export of today holds how a ticket of last year ended. Loaded as history, the row is known from the day the ticket was opened; were
its `closed` or `status` read on that day, a figure of the past would know the future. So such a cell counts as empty until the day that
settles it.
"""

from __future__ import annotations

from datetime import date

from unspun.book.entities import TABLES

SETTLED_BY: dict[str, dict[str, str]] = {
    "tickets": {"first_answered": "first_answered", "closed": "closed", "status": "closed", "satisfaction": "closed"},
    "subscriptions": {"notice": "notice", "cancelled_on": "cancelled_on", "churned": "ended"},
}
"""By table: the standard columns that are written after the row happened, and the column whose day settles each."""
OWN_SETTLED_BY: dict[str, str] = {"tickets": "closed"}
"""By table: the column whose day settles a company's own columns, which may have been written at any time up to then."""


def settled_by(table: str, column: str) -> str | None:
    """The column of the same row whose day settles a column; None: the cell was there when the row happened."""
    standard = {one.name for entity in TABLES.values() if entity.name == table for one in entity.columns}
    found = SETTLED_BY.get(table, {}).get(column)
    return OWN_SETTLED_BY.get(table) if found is None and column not in standard else found


def readable_from(day: date, seen_from: date, settled: date | None, received: date | None) -> date | None:
    """The first as-of date on which a settled cell of a visible row version may be read; None: on none.

    `day` is when the row happened, `seen_from` when the version was known, `settled` the day that settles the cell (None: not filled),
    `received` when its load was received (None: not known, so that the load says nothing). A version known later than it happened was
    written by somebody who knew it as it stands.
    """
    if seen_from > day:
        return seen_from
    return min((one for one in (settled, received) if one is not None), default=None)
