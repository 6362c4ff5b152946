"""The sides of the benchmark of the panel that DuckDB runs beside Unspun: the bare scan, the floor, and the SQL of panel_sql.py."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from panel_cells import EVENT_NAMES, HORIZONS_DAYS, renewals
from panel_clock import Clock, accounts_files, event_files, number_of_accounts
from panel_sql import EVENT_TABLES, METRIC_TABLES, flatten_statement, insert_statements


def scan(warehouse: Path, clock: Clock) -> None:
    """Every value of the columns that the metrics read, hashed."""
    with connected() as connection, clock.timed("scan"):
        columns = ", ".join(f"bit_xor(hash({name}))" for name in ("account_id", "user_id", "event", "happened_at", "value"))
        connection.execute(f"SELECT {columns} FROM read_parquet({event_files(warehouse)})").fetchall()


def floor(warehouse: Path, clock: Clock) -> None:
    """One scan grouped by account, name and day; the groups are counted, not kept."""
    with connected() as connection, clock.timed("group"):
        day = "epoch_us(happened_at) // 86400000000"
        grouped = f"SELECT account_id, event, {day} AS day, count(*) AS rows FROM read_parquet({event_files(warehouse)}) GROUP BY ALL"
        connection.execute(f"SELECT count(*), max(rows) FROM ({grouped})").fetchall()


def make_database(warehouse: Path, path: Path) -> None:
    """The tables of panel_sql.py in a database of DuckDB, filled from the book's files."""
    with connected() as connection:
        connection.execute(f"ATTACH '{path}' AS usage")
        connection.execute("USE usage")
        for statement in EVENT_TABLES:
            connection.execute(statement)
        connection.execute(
            f"INSERT INTO account SELECT {NUMBER_OF}, account_id, created_on, seats FROM read_parquet({accounts_files(warehouse)})"
        )
        connection.executemany("INSERT INTO event_type VALUES (?, ?)", list(enumerate(EVENT_NAMES)))
        connection.execute(f"INSERT INTO event {event_rows(warehouse)}")


NUMBER_OF = "substr(account_id, 6)::integer"  # "acct-00042" is account 42


def event_rows(warehouse: Path) -> str:
    """The events of the book as rows of the table `event` of panel_sql.py."""
    kinds = " ".join(f"WHEN '{name}' THEN {number}" for number, name in enumerate(EVENT_NAMES))
    return f"""SELECT {NUMBER_OF} AS account_id, happened_at AT TIME ZONE 'UTC' AS event_time,
        (CASE event {kinds} END)::integer AS event_type_id, substr(user_id, 6)::integer AS user_id, value AS event_value
        FROM read_parquet({event_files(warehouse)})"""


def range_joins(warehouse: Path, database: Path, dates: str, out: Path, clock: Clock) -> None:
    """Every statement of panel_sql.py; the events are in the database already, the metrics are kept in memory."""
    with connected(spill=out.parent / "spill") as connection:
        connection.execute(f"ATTACH '{database}' AS usage (READ_ONLY)")
        connection.execute("SET search_path = 'memory.main,usage.main'")
        for statement in METRIC_TABLES:
            connection.execute(statement)
        if dates not in ("monthly", "weekly"):
            connection.register("units", observed_units(number_of_accounts(warehouse)))
            connection.execute(f"INSERT INTO observation SELECT {NUMBER_OF}, metric_date, due, horizon_days FROM units")
        for what, statement in insert_statements(dates):
            with clock.timed(what):
                connection.execute(statement)
        with clock.timed("wide table"):
            connection.execute(f"COPY ({flatten_statement()}) TO '{out}' (FORMAT parquet)")


def observed_units(accounts: int) -> pa.Table:
    """The units of the renewals: account, midnight after the as-of date, due day and horizon."""
    units = [(account, due, horizon) for account, due in renewals(accounts) for horizon in HORIZONS_DAYS]
    ids, dues, horizons = zip(*units, strict=True)
    midnights = [due - timedelta(days=horizon - 1) for _, due, horizon in units]
    columns = {"due": pa.array(dues, pa.date32()), "horizon_days": pa.array(horizons, pa.int32())}
    return pa.table({"account_id": pa.array(ids), "metric_date": pa.array(midnights, pa.date32()).cast(pa.timestamp("us")), **columns})


@contextmanager
def connected(spill: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB in memory with a thread for each processor and no limit but its own (four fifths of the machine's memory)."""
    with duckdb.connect(config={"threads": os.cpu_count() or 1, "temp_directory": str(spill or "")}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        yield connection
