"""Aggregates that several checks read, made once; those over all events of each data file for itself, so that they can be kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from unspun.book.checks.event_counts import (
    EVENT_COUNTS,
    event_cells_sql,
    event_counts_sql,
    few_valued_sql,
    state_of_counts_sql,
)
from unspun.book.checks.shape import BookShape
from unspun.book.sql_words import sql_name
from unspun.book.tracking.question import EVENT_CELLS, TRACKING_DAYS, tracking_days_sql

EVENT_DAYS, EVENT_STAYS = "event_days", "event_stays"
MADE_OF = {EVENT_DAYS: (EVENT_CELLS,), EVENT_CELLS: (EVENT_COUNTS,), TRACKING_DAYS: (EVENT_CELLS,)}
"""The extracts that an extract is made of."""

Aggregate = Callable[[str], str]
ByFile = Callable[[str, str, str, Aggregate], tuple[Sequence[str], str]]
"""An aggregate (its name, its table, its definition, its SQL by the SQL of the rows) of each data file for itself: the SQL of those that
are kept, and that of the rows of all other files ("" there are none)."""


def nothing_kept(_name: str, table: str, _definition: str, _aggregate: Aggregate) -> tuple[Sequence[str], str]:
    """Every row is read."""
    return (), f"SELECT * FROM {sql_name(table)}"


@dataclass(frozen=True, slots=True)
class AskedBook:
    """A book that is asked: its shape, what answers SQL over its views, what makes a table known to that SQL under a name, and the
    aggregates that are kept of its files. `made` are the extracts there are, `units` how many parts those of files were made in."""

    shape: BookShape
    query: Callable[[str], pa.Table]
    register: Callable[[str, pa.Table], None]
    by_file: ByFile = nothing_kept
    made: set[str] = field(default_factory=set[str])
    units: dict[str, int] = field(default_factory=dict[str, int])

    def make(self, name: str) -> None:
        """An extract and those that it is made of, as tables that the engine may spill. KeyError where there is none of that name.

        `event_counts` and `event_cells`: see `event_counts_sql`, `event_cells_sql`; the former with the number of the file or files that
        each row is of (`unit`). `event_days`: account_id, subscription_id (where a source maps it), day in the book's zone, rows; a row for
        each that has events. `event_stays`: user_id, account_id, the first and last instants of the one's events under the other (`began`,
        `ended`). `tracking_days`: see `tracking_days_sql`.
        """
        if name in self.made:
            return
        for part in MADE_OF.get(name, ()):
            self.make(part)
        sql = {
            EVENT_COUNTS: self._event_counts,
            EVENT_CELLS: self._event_cells,
            EVENT_DAYS: self._event_days,
            EVENT_STAYS: self._event_stays,
            TRACKING_DAYS: lambda: tracking_days_sql(self.shape),
        }[name]()
        self.query(f"CREATE OR REPLACE TEMP TABLE {name} AS {sql}")
        self.made.add(name)

    def of_files(self, name: str, table: str, aggregate: Aggregate, definition: str = "") -> str:
        """An aggregate of each data file for itself, one after the other: its rows, and the number of the file or files (`unit`).

        `definition` is all that it depends on besides the rows; its SQL, where it is left out.
        """
        kept, rest = self.by_file(name, table, definition or aggregate("rows"), aggregate)
        parts = [*kept, *([aggregate(rest)] if rest else [])]
        self.units[name] = len(parts)
        return " UNION ALL BY NAME ".join(f"SELECT {unit} AS unit, * FROM ({part})" for unit, part in enumerate(parts))

    def _few_valued(self) -> tuple[str, ...]:
        sql = few_valued_sql(self.shape)
        return tuple(name for name, few in self.query(sql).to_pylist()[0].items() if few) if sql else ()

    def _event_counts(self) -> str:
        few_valued = self._few_valued()
        return self.of_files(EVENT_COUNTS, "events", lambda rows: event_counts_sql(self.shape, few_valued, rows))

    def _event_cells(self) -> str:
        state = self.query(state_of_counts_sql(self.shape)).to_pylist()[0]
        several = self.units[EVENT_COUNTS] > 1 or state["source_files"] > 1
        return event_cells_sql(self.shape, self._few_valued() if state["future_day"] else (), state["future_day"], several)

    def _event_days(self) -> str:
        by = "account_id, subscription_id" if self.shape.has("events", "subscription_id") else "account_id"
        return f"SELECT {by}, day, sum(rows)::BIGINT AS rows FROM {EVENT_CELLS} GROUP BY ALL"

    def _event_stays(self) -> str:
        stays = "SELECT user_id, account_id, {} AS began, {} AS ended FROM ({}) WHERE user_id IS NOT NULL GROUP BY user_id, account_id"
        files = self.of_files(EVENT_STAYS, "events", lambda rows: stays.format("min(occurred)", "max(occurred)", rows))
        return stays.format("min(began)", "max(ended)", files)
