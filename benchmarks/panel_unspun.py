"""Unspun's side of the benchmark of the panel: its engine over a real book."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
from panel_cells import DERIVED, HORIZONS_DAYS, IDS, MEASURES, Changed, Divided, Measured, monthly, renewals, weekly
from panel_clock import Clock, number_of_accounts

from unspun.app.panel.basis import held_tables
from unspun.engines.duckdb_panel import DuckDBPanel
from unspun.engines.panel import run_panel
from unspun.metrics.asof import AsOf, BeforeRenewals, Dates
from unspun.metrics.conditions import IsIn
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.nodes import (
    ActiveDays,
    Average,
    Change,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    Maximum,
    Ratio,
    Reference,
    Rows,
    Seats,
    Series,
    Sum,
)
from unspun.metrics.question import PanelQuestion
from unspun.metrics.windows import Days, Lifetime
from unspun.warehouse.catalog import open_catalog
from unspun.warehouse.read import BookReader, open_book
from unspun.warehouse.versions import BookVersion


def make_panel(warehouse: Path, dates: str, out: Path, memory: str, clock: Clock) -> None:
    """The book opened, the panel computed and written as Parquet, with the memory that DuckDB may use."""
    with open_catalog(warehouse) as catalog, clock.timed("panel"):
        book = catalog.current()
        assert book is not None
        with open_book(catalog, book, None, memory) as reader:
            write_panel_of(reader, question(book, dates, number_of_accounts(warehouse)), out)


def question(book: BookVersion, dates: str, accounts: int) -> PanelQuestion:
    """The thirty metrics on one as-of set; the loads were received long after the dates."""
    received = {load: datetime(2026, 1, 2, tzinfo=UTC).date() for table in book.tables for file in table.files for load in file.loads}
    return PanelQuestion(metric_set(), IDS, _as_of(dates, accounts), held_tables(book), received=received)


def _as_of(dates: str, accounts: int) -> AsOf:
    if dates == "renewals":
        return BeforeRenewals(tuple(renewals(accounts)), HORIZONS_DAYS)
    return Dates(tuple(monthly() if dates == "monthly" else weekly()))


def write_panel_of(reader: BookReader, asked: PanelQuestion, out: Path) -> None:
    """The panel computed of all rows (nothing that is kept of data files) and written as Parquet."""
    batches = run_panel(DuckDBPanel(reader), lower_panel(asked, by_place=True), lambda _stage, _done, _total: None)
    first = next(batches)
    with pq.ParquetWriter(out, first.schema) as writer:
        writer.write_batch(first)
        for batch in batches:
            writer.write_batch(batch)


def metric_set(of: Sequence[Measured | Divided | Changed] = (*MEASURES, *DERIVED)) -> MetricSet:
    """The thirty as the metric language has them; events as it usually reads them (an account that never appeared has no value)."""
    return MetricSet(tuple(Metric(one.id, _node(one)) for one in of))


def _node(one: Measured | Divided | Changed) -> Series:
    match one:
        case Divided():
            return Ratio(Reference(one.of), Reference(one.by) if one.by else Seats())
        case Changed():
            return Change(Reference(one.of), one.days)
        case Measured():
            return _measure_node(one)


def _measure_node(one: Measured) -> Series:
    window = Days(one.window_days) if one.window_days else Lifetime()
    rows = Rows("events", IsIn("event", (one.event,)) if one.event else None, window)
    match one.what:
        case "count":
            return Count(rows)
        case "sum":
            return Sum(rows, "value")
        case "average":
            return Average(rows, "value")
        case "largest":
            return Maximum(rows, "value")
        case "users":
            return Distinct(rows, "user_id")
        case "days":
            return ActiveDays(rows)
        case "since last":
            return DaysSinceLast(rows)
        case "since first":
            return DaysSinceFirst(rows)
