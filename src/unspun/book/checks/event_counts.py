"""The one pass over the events that all that is counted of them is made of: one aggregate, of each data file for itself."""

from __future__ import annotations

from collections.abc import Sequence

from unspun.book.checks.shape import BookShape
from unspun.book.entities import TABLES
from unspun.book.sql_words import local_day, sql_name, sql_text
from unspun.book.tracking.question import event_properties, is_part_sql, measures

EVENT_COUNTS, EVENT_DAYS, EVENT_FILE_DAYS, EVENT_MONTHS = "event_counts", "event_days", "event_file_days", "event_months"
WIDE_COUNTS = "event_wide_counts"
SAMPLE_ROWS = 100_000


def followed_columns(shape: BookShape) -> tuple[str, ...]:
    """The columns of events whose means are followed from month to month: `value` and own columns of amounts and numbers."""
    standard = {column.name for column in TABLES["events"].columns} - {"value"}
    return tuple(name for kind in ("number", "money", "whole") for name in shape.kinds("events", kind) if name not in standard)


def few_valued_sql(shape: BookShape) -> str:
    """Which of the `event_properties` have few values among the first events: a column of each, true or false; "" there are none."""
    properties = ", ".join(map(sql_name, event_properties(shape)))
    asked = ", ".join(f"{is_part_sql(name)} AS {sql_name(name)}" for name in event_properties(shape))
    return f"SELECT {asked} FROM (SELECT {properties} FROM events LIMIT {SAMPLE_ROWS})" if properties else ""


def event_counts_sql(shape: BookShape, few_valued: Sequence[str], rows: str) -> str:
    """One pass over some rows of events, of which all that is counted of them is made.

    source_file, event (NULL: no name), account_id, subscription_id (where a source maps it), day in the book's zone, own properties `p0`,
    `p1` ... (NULL where they are not among `few_valued`), rows, the instant of the newest, the sums `m0`, `m1` ... of the `measures`, and
    of the `followed_columns` how many values above 0 there are, `n0`, `n1` ..., and their sums `s0`, `s1` ...; a row for each of the
    former that has events.
    """
    named = "".join(
        f", {sql_name(name) if name in few_valued else 'NULL::VARCHAR'} AS p{i}" for i, name in enumerate(event_properties(shape))
    )
    followed = "".join(
        f", count(*) FILTER ({name} > 0) AS n{i}, sum({name}) FILTER ({name} > 0)::DOUBLE AS s{i}"
        for i, name in enumerate(map(sql_name, followed_columns(shape)))
    )
    event = "event" if shape.has("events", "event") else "'' AS event"
    sums = "".join(f", sum({sql_name(name)})::DOUBLE AS m{i}" for i, name in enumerate(measures(shape)))
    day = local_day("occurred", shape.definition.time_zone)
    return (
        f"SELECT source_file, {event}, {_ids(shape)}, {day} AS day{named}, count(*) AS rows, max(occurred) AS newest{sums}{followed} "
        f"FROM ({rows}) GROUP BY ALL"
    )


def event_facts_sql(shape: BookShape) -> dict[str, str]:
    """What is made of the table `event_wide_counts` and kept, by name.

    `event_counts`: source_file, event, account_id, subscription_id (where a source maps it), day, `p0`, `p1` ..., rows, `m0`, `m1` ...
    `event_days`: account_id, subscription_id, day, rows. `event_file_days`: source_file, day, rows, the instant of the newest.
    `event_months` (where there are `followed_columns`): event, account_id, month (since the year 0), source_file, `n0`, `s0`, `n1` ...
    """
    properties = "".join(f", p{i}" for i in range(len(event_properties(shape))))
    sums = "".join(f", m{i}" for i in range(len(measures(shape))))
    rows, ids = "sum(rows)::BIGINT AS rows", _ids(shape)
    facts = {
        EVENT_COUNTS: f"SELECT source_file, event, {ids}, day{properties}, rows{sums} FROM {WIDE_COUNTS}",
        EVENT_DAYS: f"SELECT {ids}, day, {rows} FROM {WIDE_COUNTS} GROUP BY ALL",
        EVENT_FILE_DAYS: f"SELECT source_file, day, {rows}, max(newest) AS newest FROM {WIDE_COUNTS} GROUP BY ALL",
    }
    followed = range(len(followed_columns(shape)))
    if followed:
        counted = ", ".join(f"sum(n{i})::BIGINT AS n{i}, sum(s{i})::DOUBLE AS s{i}" for i in followed)
        held = " OR ".join(f"n{i} > 0" for i in followed)
        month = "CAST(year(day) * 12 + month(day) - 1 AS INTEGER) AS month"
        facts[EVENT_MONTHS] = f"SELECT event, account_id, {month}, source_file, {counted} FROM {WIDE_COUNTS} WHERE {held} GROUP BY ALL"
    return facts


def state_of_counts_sql(shape: BookShape) -> str:
    """`future_day`, the first on which something happened at the instant of the check or later, and how many `source_files` there are."""
    future = f"CAST(min(day) FILTER (newest >= {_instant(shape)}) AS VARCHAR)"
    return f"SELECT {future} AS future_day, count(DISTINCT source_file) AS source_files FROM {EVENT_FILE_DAYS}"


def event_cells_sql(shape: BookShape, few_valued: Sequence[str], future_day: str | None, several: bool) -> str:
    """The extract `event_cells`: `event_counts` of all files as one, told apart by whether they lie ahead of the instant of the check.

    event (NULL: no name), account_id, subscription_id (where a source maps it), day, `p0`, `p1` ..., ahead, rows, `m0`, `m1` ...; a row for
    each of these that has events. From `future_day` on the events themselves are looked at. `several`: the counts are of several files
    or source files.
    """
    if future_day is None:
        return _cells(shape, EVENT_COUNTS, "false") if several else _cells(shape, EVENT_COUNTS, "false", alone=True)
    first, day = f"DATE {sql_text(future_day)}", local_day("occurred", shape.definition.time_zone)
    since = f"CAST({first} - 2 AS TIMESTAMPTZ)"  # earlier than it in any time zone: by the instant alone files are passed over
    rows = f"SELECT * FROM events WHERE occurred >= {since} AND {day} >= {first}"
    past, ahead = (event_counts_sql(shape, few_valued, f"{rows} AND occurred {sign} {_instant(shape)}") for sign in ("<", ">="))
    before = f"(SELECT * FROM {EVENT_COUNTS} WHERE day < {first})"
    parts = (_cells(shape, before, "false"), _cells(shape, f"({past})", "false"), _cells(shape, f"({ahead})", "true"))
    return " UNION ALL ".join(parts)


def _cells(shape: BookShape, counts: str, ahead: str, alone: bool = False) -> str:
    """Counts without their source files; `alone`: there is only one."""
    places = "".join(f", p{i}" for i in range(len(event_properties(shape))))
    by = f"event, {_ids(shape)}, day{places}, {ahead} AS ahead"
    sums = [f"m{i}" for i in range(len(measures(shape)))]
    if alone:
        return f"SELECT {', '.join([by, 'rows', *sums])} FROM {counts}"
    summed = "".join(f", sum({name})::DOUBLE AS {name}" for name in sums)
    return f"SELECT {by}, sum(rows)::BIGINT AS rows{summed} FROM {counts} GROUP BY ALL"


def _ids(shape: BookShape) -> str:
    return "account_id, subscription_id" if shape.has("events", "subscription_id") else "account_id"


def _instant(shape: BookShape) -> str:
    return f"TIMESTAMPTZ {sql_text(shape.at.isoformat())}"
