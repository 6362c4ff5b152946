"""The SQL of state tables: dated statements about things, each of some columns, merged column by column.

A row states the columns that its column `stated` names. As of an instant, a column of a thing has the value that was stated last among
the statements known by then: of the one that happened last, then was known last. An empty cell of a stated column clears it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from unspun.book.entities import STATED, TABLES, Table
from unspun.engines.embedded import sql_name, sql_text
from unspun.warehouse.read_sql import LATER, instant_sql, subject, versions_sql
from unspun.warehouse.versions import TableVersion

STATED_NAME = STATED[0]
IN_ORDER = ("happened_at", *LATER)  # statements in the order in which they count, the last one most


def stated_columns(table: TableVersion, columns: Iterable[str]) -> str:
    """What `stated` says of rows whose source has these data columns."""
    aside = {*table.key, _entity(table).happened}
    return ",".join(sorted(name for name in columns if name not in aside))


def states_sql(column: str, row: str = "") -> str:
    """An SQL condition, never NULL: whether a row (of that alias) states a column."""
    return f"contains(concat(',', {f'{row}.' if row else ''}{STATED_NAME}, ','), {sql_text(f',{column},')})"


def merged_columns(table: TableVersion) -> tuple[str, ...]:
    """The columns that statements may state: all data columns but the key and the statements' date."""
    aside = {name for name, _ in _entity(table).row_columns} | {*table.key, _entity(table).happened}
    return tuple(name for name, _ in table.columns if name not in aside)


def latest_sql(rows: str, groups: Sequence[str], columns: Iterable[str]) -> str:
    """What was stated last by the rows that agree in `groups`: each of these columns, when it happened and was known, and `stated`, all
    the columns that any of them states."""
    order = f"ROW({', '.join(map(sql_name, IN_ORDER))})"
    values = [f"arg_max_null({sql_name(name)}, {order}) FILTER ({states_sql(name)}) AS {sql_name(name)}" for name in columns]
    times = [f"arg_max({name}, {order}) AS {name}" for name in ("happened_at", "known_at") if name not in groups]
    stated = f"string_agg(DISTINCT {STATED_NAME}, ',') AS {STATED_NAME}"
    return f"SELECT {', '.join([*map(sql_name, groups), *times, stated, *values])} FROM ({rows}) GROUP BY ALL"


def history_sql(folder: Path, table: TableVersion, before: datetime | None) -> str:
    """The state of each thing from each instant on at which something is stated of it, by what was known before an instant (None: all).

    A row for each thing and instant: every column as it was stated last until then, the row columns and the date of the statement
    that counts most of those at the instant.
    """
    thing, merged = sql_name(subject(table)), set(merged_columns(table))
    columns = ", ".join(_running(name) if name in merged else sql_name(name) for name, _ in table.columns)
    order = ", ".join(map(sql_name, IN_ORDER))
    # An older version of a statement states what the newer one does at the same instant: it never counts.
    return (
        f"SELECT {columns} FROM ({versions_sql(folder, table, before)}) WINDOW sofar AS (PARTITION BY {thing} ORDER BY {order}) "
        f"QUALIFY lead(happened_at) OVER sofar IS DISTINCT FROM happened_at"
    )


def state_sql(folder: Path, table: TableVersion, before: datetime | None) -> str:
    """The state of each thing of a state table before an instant: each column as stated last, by the statements known then.

    Columns that the definition calls fixed have the value stated last at any time. A thing whose first statement came after the
    instant is there with its fixed columns only (and the row columns of its latest statement, which show that it came later).
    """
    known = history_sql(folder, table, before)
    if before is not None:
        known = f"SELECT * FROM ({known}) WHERE happened_at < {instant_sql(before)}"
    state = _last_of_each(known, table)
    there = {name for name, _ in table.columns}
    fixed = [name for name in table.fixed if name in there]
    return _with_fixed(folder, table, state, fixed) if fixed else state


def _entity(table: TableVersion) -> Table:
    return next(entity for entity in TABLES.values() if entity.name == table.name)


def _running(column: str) -> str:
    """A column as it was stated last until a row; an empty cell that is stated counts as one."""
    name = sql_name(column)
    said = f"CASE WHEN {states_sql(column)} THEN struct_pack(said := {name}) END"
    return f"struct_extract(last_value({said} IGNORE NULLS) OVER sofar, 'said') AS {name}"


def _last_of_each(history: str, table: TableVersion) -> str:
    thing = sql_name(subject(table))
    return f"SELECT * FROM ({history}) QUALIFY row_number() OVER (PARTITION BY {thing} ORDER BY happened_at DESC) = 1"


def _with_fixed(folder: Path, table: TableVersion, state: str, fixed: Sequence[str]) -> str:
    """`state`, its fixed columns as stated last; things not known yet are added with no other column."""
    thing = sql_name(subject(table))
    values = ", ".join(f"arg_max({sql_name(name)}, happened_at) AS {sql_name(name)}" for name in fixed)  # empty cells aside
    names = {subject(table), *_entity(table).key[:1]}
    chosen = ", ".join(_chosen(name, table, fixed, names) for name, _ in table.columns)
    return (
        f"WITH as_of AS ({state}), history AS MATERIALIZED ({history_sql(folder, table, None)}), "
        f"latest AS ({_last_of_each('FROM history', table)}), fixed AS (SELECT {thing}, {values} FROM history GROUP BY {thing}) "
        f"SELECT {chosen} FROM latest JOIN fixed USING ({thing}) LEFT JOIN as_of ON as_of.{thing} = latest.{thing}"
    )


def _chosen(column: str, table: TableVersion, fixed: Sequence[str], names_thing: Collection[str]) -> str:
    """Where a column of the state comes from: what was stated last, the thing's latest statement, or its state as of the instant."""
    name = sql_name(column)
    if column in fixed:
        return f"fixed.{name}"
    if column in names_thing:
        return f"latest.{name}"
    if column in dict(_entity(table).row_columns):
        return f"CASE WHEN as_of.known_at IS NULL THEN latest.{name} ELSE as_of.{name} END AS {name}"
    return f"as_of.{name}"
