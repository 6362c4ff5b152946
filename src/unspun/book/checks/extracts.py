"""Aggregates that several checks read, made once; those over all events of each data file for itself, so that they can be kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import RLock

import pyarrow as pa

from unspun.book.checks.event_counts import (
    EVENT_COUNTS,
    EVENT_DAYS,
    EVENT_FILE_DAYS,
    EVENT_MONTHS,
    WIDE_COUNTS,
    event_cells_sql,
    event_counts_sql,
    event_facts_sql,
    few_valued_sql,
    state_of_counts_sql,
)
from unspun.book.checks.shape import BookShape
from unspun.book.sql_words import sql_name
from unspun.book.tracking.question import EVENT_CELLS, TRACKING_DAYS, tracking_days_sql

__all__ = ["EVENT_CELLS", "EVENT_COUNTS", "EVENT_DAYS", "EVENT_FILE_DAYS", "EVENT_MONTHS", "EVENT_STAYS", "TRACKING_DAYS", "AskedBook"]

EVENT_STAYS = "event_stays"
OF_EVENTS = (EVENT_COUNTS, EVENT_DAYS, EVENT_FILE_DAYS, EVENT_MONTHS)
"""What is made of one pass over the events."""


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Aggregates of the rows of a table, made of each data file for itself and kept.

    `definitions` says by the name of each all that it depends on besides the rows. `sql` gives by name the SQL of those of some rows (given
    as SQL); it may ask other queries first, and is asked for one set of rows after the other.
    """

    table: str
    definitions: Mapping[str, str]
    sql: Callable[[str], Mapping[str, str]]


ByFile = Callable[[FileFacts], tuple[Sequence[Mapping[str, str]], str]]
"""For each data file of which they are kept the SQL that reads them, by name, and the SQL of the rows of all other files ("" there are
none)."""


def nothing_kept(facts: FileFacts) -> tuple[Sequence[Mapping[str, str]], str]:
    """Every row is read."""
    return (), f"SELECT * FROM {sql_name(facts.table)}"


def _locks() -> dict[str, RLock]:
    """A lock for each extract, one for those that are made together."""
    return dict.fromkeys(OF_EVENTS, RLock()) | {name: RLock() for name in (EVENT_CELLS, EVENT_STAYS, TRACKING_DAYS)}


@dataclass(frozen=True, slots=True)
class AskedBook:
    """A book that is asked: its shape, what answers SQL over its views, what makes a table known to that SQL under a name, and the
    aggregates that are kept of its files. `made` are the extracts there are, `units` how many parts those of files were made in.

    Two threads may ask one book, each with a `query` of its own (`dataclasses.replace`): they share the extracts.
    """

    shape: BookShape
    query: Callable[[str], pa.Table]
    register: Callable[[str, pa.Table], None]
    by_file: ByFile = nothing_kept
    made: set[str] = field(default_factory=set[str])
    units: dict[str, int] = field(default_factory=dict[str, int])
    making: Mapping[str, RLock] = field(default_factory=_locks)

    def make(self, name: str) -> None:
        """An extract and those that it is made of, as tables that the engine may spill. KeyError where there is none of that name.

        `event_counts`, `event_days`, `event_file_days`, `event_months`: see `event_facts_sql`; `event_cells`: see `event_cells_sql`.
        `event_stays`: user_id, account_id, the first and last instants of the one's events under the other (`began`, `ended`).
        `tracking_days`: see `tracking_days_sql`.
        """
        making = {
            **dict.fromkeys(OF_EVENTS, self._of_events),
            EVENT_CELLS: self._event_cells,
            EVENT_STAYS: self._event_stays,
            TRACKING_DAYS: self._tracking_days,
        }[name]
        if name in self.made:
            return
        with self.making[name]:
            if name not in self.made:
                making()
                self.made.add(name)

    def of_files(self, facts: FileFacts) -> dict[str, str]:
        """By name the aggregates of each data file for itself, one after the other: its rows, and the number of the file or files
        (`unit`)."""
        kept, rest = self.by_file(facts)
        parts = [*kept, *([facts.sql(rest)] if rest else [])]
        self.units.update(dict.fromkeys(facts.definitions, len(parts)))
        return {
            name: " UNION ALL BY NAME ".join(f"SELECT {unit} AS unit, * FROM ({part[name]})" for unit, part in enumerate(parts))
            for name in facts.definitions
        }

    def event_facts(self) -> FileFacts:
        """What is kept of the events of each file by `event_facts_sql`."""
        few_valued = self._few_valued()
        parts = event_facts_sql(self.shape)
        counts = event_counts_sql(self.shape, few_valued, "rows")

        def made(rows: str) -> Mapping[str, str]:
            self.query(f"CREATE OR REPLACE TABLE {WIDE_COUNTS} AS {event_counts_sql(self.shape, few_valued, rows)}")
            return parts

        return FileFacts("events", {name: f"{sql} of {counts}" for name, sql in parts.items()}, made)

    def stays_facts(self) -> FileFacts:
        """What is kept of the users of each file."""
        return FileFacts(
            "events",
            {EVENT_STAYS: _STAYS.format("occurred", "occurred", "rows")},
            lambda rows: {EVENT_STAYS: _STAYS.format("occurred", "occurred", rows)},
        )

    def _few_valued(self) -> tuple[str, ...]:
        sql = few_valued_sql(self.shape)
        return tuple(name for name, few in self.query(sql).to_pylist()[0].items() if few) if sql else ()

    def _of_events(self) -> None:
        """Those that one check reads are views, which look only at the columns that it asks for."""
        facts = self.of_files(self.event_facts())
        for name, sql in facts.items():
            self.query(f"CREATE OR REPLACE VIEW {name} AS {sql}" if name != EVENT_DAYS else self._days_table(sql))
        if WIDE_COUNTS not in facts[EVENT_COUNTS]:
            self.query(f"DROP TABLE IF EXISTS {WIDE_COUNTS}")
        self.made.update(facts)

    def _days_table(self, sql: str) -> str:
        by = "account_id, subscription_id" if self.shape.has("events", "subscription_id") else "account_id"
        rows = "sum(rows)::BIGINT AS rows" if self.units[EVENT_DAYS] > 1 else "rows"
        return f"CREATE OR REPLACE TABLE {EVENT_DAYS} AS SELECT {by}, day, {rows} FROM ({sql}){' GROUP BY ALL' if 'sum' in rows else ''}"

    def _event_cells(self) -> None:
        self.make(EVENT_COUNTS)
        state = self.query(state_of_counts_sql(self.shape)).to_pylist()[0]
        several = self.units[EVENT_COUNTS] > 1 or state["source_files"] > 1
        sql = event_cells_sql(self.shape, self._few_valued() if state["future_day"] else (), state["future_day"], several)
        kind = "TABLE" if several or state["future_day"] else "VIEW"
        self.query(f"CREATE OR REPLACE {kind} {EVENT_CELLS} AS {sql}")

    def _event_stays(self) -> None:
        files = self.of_files(self.stays_facts())[EVENT_STAYS]
        self.query(f"CREATE OR REPLACE TABLE {EVENT_STAYS} AS {_STAYS.format('began', 'ended', files)}")

    def _tracking_days(self) -> None:
        self.make(EVENT_CELLS)
        self.query(f"CREATE OR REPLACE TEMP VIEW {TRACKING_DAYS} AS {tracking_days_sql(self.shape)}")


_STAYS = "SELECT user_id, account_id, min({}) AS began, max({}) AS ended FROM ({}) WHERE user_id IS NOT NULL GROUP BY user_id, account_id"
