"""The thirty metrics of panel_speed.py computed in Postgres by Unspun's plan: rows copied out of a book, and rows read where they lie.

    python benchmarks/panel_postgres_plan.py --book FOLDER --dates monthly --out benchmarks/results/panel-postgres-YYYY-MM-DD.json

FOLDER is a book as panel_speed.py makes it. Rows that lie in Postgres are put there before the clock runs. The panels have to be what
DuckDB gives of the same book, to the last cell.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
from panel_clock import LOADING, Clock, number_of_accounts
from panel_postgres import Server, running
from panel_unspun import question

from unspun.app.panel.engines import PostgresEngine, WarehouseRows
from unspun.book.mapping.definition import BookDefinition, SourceMapping
from unspun.connectors.sql.address import Address
from unspun.connectors.sql.postgres import Limits
from unspun.connectors.sql.postgres_tables import TablesSession, open_tables
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import PanelDatabase, run_panel
from unspun.engines.postgres_panel import PostgresPanel
from unspun.metrics.lower.packed import unpacked
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.question import PanelQuestion
from unspun.warehouse.catalog import open_catalog
from unspun.warehouse.read import BookReader, open_book

MEMORY_MB = 1100
DUCKDB, COPIED, IN_PLACE = "duckdb", "postgres, rows copied", "postgres, rows in place"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
SOURCES = (
    SourceMapping(
        ("bench:public.usage",), "events", {"account_id": "account", "occurred": "at", "event": "event", "user_id": "who", "value": "n"},
        database="bench", relation="public.usage", in_place=True,
    ),
    SourceMapping(
        ("bench:public.customers",), "accounts",
        {"account_id": "id", "dated": "as_of", "created_on": "created", "seats": "seats"}, fixed=("created_on",),
        database="bench", relation="public.customers", in_place=True,
    ),
)  # fmt: skip
TABLES = {
    "usage": (
        'CREATE TABLE usage (account text, at timestamptz, event text, who text, n double precision)',
        "SELECT account_id AS account, happened_at AS at, event, user_id AS who, value AS n FROM events",
    ),
    "customers": (
        "CREATE TABLE customers (id text, as_of timestamptz, created date, seats bigint)",
        "SELECT account_id AS id, happened_at AS as_of, created_on AS created, seats FROM accounts_versions",
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Timed:
    """A panel, and what it took on the clock and of processors, here and on the server."""

    panel: pa.Table
    seconds: float
    processor_seconds: float


def measure(book: Path, dates: str, sides: Sequence[str]) -> dict[str, Any]:
    """Seconds by side, the panels compared with DuckDB's."""
    warehouse = book / "warehouse"
    with open_catalog(warehouse) as catalog:
        version = catalog.current()
        assert version is not None
        asked = question(version, dates, number_of_accounts(warehouse))
        with open_book(catalog, version, None, f"{MEMORY_MB}MB") as reader:
            expected = _timed(DuckDBPanel(reader), asked, None)
            found = {DUCKDB: expected}
            for side in sides:
                found[side] = _on_postgres(reader, asked, side)
                assert found[side].panel.cast(expected.panel.schema).equals(expected.panel), f"{side} gives another panel"
    return {side: {"seconds": one.seconds, "processor_seconds": one.processor_seconds} for side, one in found.items()}


def _on_postgres(reader: BookReader, asked: PanelQuestion, side: str) -> Timed:
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder) / "postgres") as server:
        if side == IN_PLACE:
            with Clock().timed(LOADING):
                _load(reader, server)
        with open_tables(_address(server), "bench", Limits()) as session:
            session.use_memory(MEMORY_MB)
            if side == COPIED:
                return _timed(PostgresPanel(session, WarehouseRows(reader)), asked, server)
            return _timed_in_place(session, reader, asked, server)


@contextmanager
def _server(folder: Path) -> Iterator[Server]:
    folder.parent.chmod(0o755)
    with running(folder) as server:
        yield server


def _address(server: Server) -> Address:
    return Address("postgresql", f"postgresql://bench:{server.password}@127.0.0.1:{server.port}/postgres")


def _load(reader: BookReader, server: Server) -> None:
    with server.connect() as connection, connection.cursor() as cursor:
        for name, (create, rows) in TABLES.items():
            cursor.execute(create)
            schema = reader.query(f"{rows} LIMIT 0").schema
            cursor.adbc_ingest(name, pa.RecordBatchReader.from_batches(schema, reader.stream(rows)), mode="append")
        cursor.execute("VACUUM ANALYZE")


def _timed_in_place(session: TablesSession, reader: BookReader, asked: PanelQuestion, server: Server) -> Timed:
    """The survey of the tables counts."""
    engine = PostgresEngine(session, "bench", BookDefinition(SOURCES))
    started, used = time.perf_counter(), _used(server)
    engine.place(asked.metrics, asked.asked, NOW)
    surveyed, busy = time.perf_counter() - started, _used(server) - used
    panel = _timed(engine.database(reader), asked, server)
    return Timed(panel.panel, round(panel.seconds + surveyed, 2), round(panel.processor_seconds + busy, 2))


def _timed(database: PanelDatabase, asked: PanelQuestion, server: Server | None) -> Timed:
    started, used = time.perf_counter(), _used(server)
    plan = lower_panel(asked if database.wide_integers else unpacked(asked))
    panel = pa.Table.from_batches(run_panel(database, plan, lambda _stage, _done, _total: None))
    return Timed(panel, round(time.perf_counter() - started, 2), round(_used(server) - used, 2))


def _used(server: Server | None) -> float:
    """Processor seconds of this process and of the server's processes, those that run among them."""
    own = time.process_time()
    if server is None:
        return own
    ticks = 0
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == server.process.pid or status.parent.name == str(server.process.pid):
            ticks += sum(map(int, fields[11:15] if status.parent.name == str(server.process.pid) else fields[11:13]))
    return own + ticks / os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--book", type=Path, required=True)
    parser.add_argument("--dates", choices=("monthly", "weekly", "renewals"), default="monthly")
    parser.add_argument("--side", action="append", choices=(COPIED, IN_PLACE))
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = measure(given.book, given.dates, given.side or (COPIED, IN_PLACE))
    before = json.loads(given.out.read_text()) if given.out and given.out.exists() else {"runs": []}
    run = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"), "book": given.book.name, "dates": given.dates, "sides": found,
        "processors": os.cpu_count(), "python": platform.python_version(), "load": os.getloadavg()[0],
    }  # fmt: skip
    text = json.dumps({"runs": [*before["runs"], run]}, indent=1)
    print(json.dumps(run, indent=1))
    if given.out:
        given.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
