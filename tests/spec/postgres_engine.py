"""Postgres as an engine of specs: the rows of a spec in temporary tables of a session, and the panel computed on them."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pyarrow as pa

from tests.spec.duckdb_engine import ARR, ARROW, Row
from tests.unit.connectors.servers import shared_server
from unspun.book.entities import TABLES, Kind
from unspun.connectors.sql.address import read_address
from unspun.connectors.sql.postgres import Limits
from unspun.connectors.sql.postgres_tables import TablesSession, open_tables
from unspun.engines.panel import run_panel
from unspun.engines.postgres_panel import PostgresPanel
from unspun.metrics.lower.packed import unpacked
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.question import PanelQuestion

_held = ExitStack()


@dataclass(frozen=True, slots=True)
class SpecRows:
    """The row versions of a spec, by `<table>_versions`."""

    tables: Mapping[str, pa.Table]

    def batches(self, table: str, columns: tuple[str, ...], /) -> pa.RecordBatchReader:
        return self.tables[table].select([name for name in columns if name in self.tables[table].column_names]).to_reader()


def postgres_panel(question: PanelQuestion, rows: Mapping[str, Sequence[Row]]) -> pa.Table:
    """The panel of a question over these row versions, computed by Postgres."""
    tables = {f"{name}_versions": _versions(question, name, rows[name]) for name in question.tables}
    plan = lower_panel(unpacked(question))
    arr = pa.Table.from_pylist([dict(row) for row in rows.get("arr_as_of", ())], schema=ARR)
    panel = _panel()
    panel.book, panel.held = SpecRows(tables), {}
    panel.session.run("SAVEPOINT spec")
    try:
        batches = list(run_panel(panel, replace(plan, inputs={**plan.inputs, "arr_as_of": arr}), lambda _stage, _done, _total: None))
    except BaseException:
        _panel.cache_clear()
        raise
    panel.session.run("ROLLBACK TO SAVEPOINT spec")  # with the tables their locks go, which a transaction else keeps
    return pa.Table.from_batches(batches)


@cache
def _panel() -> PostgresPanel:
    """One session for all specs: connecting takes longer than a spec."""
    atexit.register(_held.close)
    address = read_address(shared_server().url(), "server", Path(), may_hold_password=True)
    session: TablesSession = _held.enter_context(open_tables(address, "server", Limits()))
    return PostgresPanel(session, SpecRows({}))


def _versions(question: PanelQuestion, table: str, rows: Sequence[Row]) -> pa.Table:
    entity = next(one for one in TABLES.values() if one.name == table)
    columns: dict[str, Kind] = dict(entity.row_columns)
    columns |= {column.name: column.kind for column in entity.columns}
    columns |= question.tables[table].columns
    return pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema([(name, ARROW[kind]) for name, kind in columns.items()]))
