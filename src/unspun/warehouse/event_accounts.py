"""The accounts of events that only name their subscription: the view that fills them in, and the events of an account's subscriptions.

An event keeps what its source says of it. Which account it belongs to follows from the subscriptions as they are known when the book
is read, so that it is right in whatever order events and subscriptions are loaded and corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import duckdb

from unspun.engines.embedded import sql_name, sql_text
from unspun.warehouse.read_sql import LATER, files_sql, known_rows_sql, stored_sql, versions_sql
from unspun.warehouse.versions import DataFile, TableVersion

EVENTS, SUBSCRIPTIONS = "events", "subscriptions"
ACCOUNT, SUBSCRIPTION = "account_id", "subscription_id"


def names_subscriptions_only(connection: duckdb.DuckDBPyConnection, folder: Path, events: TableVersion) -> bool:
    """Whether any event names a subscription and no account. Looks at rows only where files hold both columns, and at these two.

    Raises duckdb.Error where a file cannot be read.
    """
    if not events.files or SUBSCRIPTION not in dict(events.columns):
        return False
    if ACCOUNT not in dict(events.columns):
        return True
    found = f"SELECT 1 FROM ({stored_sql(folder, events)}) WHERE {ACCOUNT} IS NULL AND {SUBSCRIPTION} IS NOT NULL LIMIT 1"
    return connection.execute(found).fetchone() is not None


def accounts_sql(folder: Path, subscriptions: TableVersion | None, before: datetime | None) -> str:
    """`subscription_id`, its `account_id` by what was known before an instant (None: all), and since when it was known to be that one's.

    Where the lines of one subscription name several accounts, it is that of the line that was known last.
    """
    held = {} if subscriptions is None else dict(subscriptions.columns)
    if subscriptions is None or not {ACCOUNT, SUBSCRIPTION} <= held.keys():
        return f"SELECT NULL::VARCHAR AS {SUBSCRIPTION}, NULL::VARCHAR AS {ACCOUNT}, NULL::TIMESTAMPTZ AS known_at WHERE false"
    known = known_rows_sql(folder, subscriptions, before)
    account = f"arg_max({ACCOUNT}, ROW({', '.join(LATER)})) AS {ACCOUNT}"
    latest = f"SELECT {SUBSCRIPTION}, {account} FROM ({known}) WHERE {SUBSCRIPTION} IS NOT NULL GROUP BY {SUBSCRIPTION}"
    since = f"SELECT {SUBSCRIPTION}, {ACCOUNT}, min(known_at) AS known_at FROM ({versions_sql(folder, subscriptions, before)}) GROUP BY ALL"
    return f"SELECT * FROM ({latest}) JOIN ({since}) USING ({SUBSCRIPTION}, {ACCOUNT})"


def resolved_sql(events: str, accounts: str, dated: bool = False) -> str:
    """`events`, those without an account of their own under that of their subscription; one that is in no book stays without.

    `dated`: such an event counts as known no sooner than its subscription was known to be the account's.
    """
    known = ", greatest(e.known_at, s.known_at) AS known_at" if dated else ""  # DuckDB's greatest passes over what is NULL
    account = f"coalesce(e.{ACCOUNT}, s.{ACCOUNT}) AS {ACCOUNT}{known}"
    on = f"e.{ACCOUNT} IS NULL AND e.{SUBSCRIPTION} = s.{SUBSCRIPTION}"
    return f"SELECT e.* REPLACE ({account}) FROM ({events}) e LEFT JOIN ({accounts}) s ON {on}"


def subscriptions_of(
    connection: duckdb.DuckDBPyConnection,
    folder: Path,
    account: str,
    current: TableVersion | None,
    kept: Sequence[tuple[TableVersion, Sequence[DataFile]]],
) -> tuple[str, ...]:
    """The subscriptions whose events belong to an account: by the current version of the book (`current`), or, where it does not hold
    the subscription, by any row of a version that is kept.

    Raises duckdb.Error where a file cannot be read.
    """
    now = f"SELECT {SUBSCRIPTION}, {ACCOUNT} FROM ({accounts_sql(folder, current, None)})"
    said = [
        f"SELECT {SUBSCRIPTION}, {ACCOUNT} FROM ({files_sql(folder, [file.path for file in files])})"
        for table, files in kept
        if table.name == SUBSCRIPTIONS and files and {ACCOUNT, SUBSCRIPTION} <= dict(table.columns).keys()
    ]
    ever = " UNION ALL ".join(said) or f"SELECT NULL::VARCHAR AS {SUBSCRIPTION}, NULL::VARCHAR AS {ACCOUNT} WHERE false"
    wanted = f"{ACCOUNT} = {sql_text(account)}"
    found = connection.execute(
        f"WITH now AS MATERIALIZED ({now}) SELECT {SUBSCRIPTION} FROM now WHERE {wanted} UNION "
        f"SELECT {SUBSCRIPTION} FROM ({ever}) ever ANTI JOIN now USING ({SUBSCRIPTION}) WHERE {wanted} AND {SUBSCRIPTION} IS NOT NULL"
    ).fetchall()
    return tuple(sorted(str(row[0]) for row in found))


def of_subscriptions_sql(columns: Sequence[str], subscriptions: Sequence[str]) -> str:
    """An SQL condition, never NULL: an event of one of these subscriptions that names no account itself; `columns` are the files'."""
    if not subscriptions or SUBSCRIPTION not in columns:
        return "false"
    without = f"{sql_name(ACCOUNT)} IS NULL AND " if ACCOUNT in columns else ""
    listed = ", ".join(map(sql_text, subscriptions))
    return f"coalesce({without}CAST({sql_name(SUBSCRIPTION)} AS VARCHAR) IN ({listed}), false)"
