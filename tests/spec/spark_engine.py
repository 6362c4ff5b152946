"""Spark as an engine of specs: the rows of a spec as tables of one session of this process, and the panel computed on them."""

from __future__ import annotations

import atexit
import logging
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path

import pyarrow as pa
from sqlglot import exp

from tests.spec.duckdb_engine import ARR, ARROW, Row
from unspun.book.entities import TABLES, Kind
from unspun.engines.panel import run_panel
from unspun.engines.spark_panel import SparkPanel
from unspun.engines.spark_session import spark_session
from unspun.metrics.lower.packed import unpacked
from unspun.metrics.lower.panel import lower_panel
from unspun.metrics.question import PanelQuestion

MEGABYTES = 768
SMALL = {
    "spark.sql.shuffle.partitions": "1",
    "spark.default.parallelism": "1",
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.lightweightPlanChangeValidation": "false",
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
"""For tables of a few rows: no code is made for a query, and the JVM compiles little."""
_held = ExitStack()


class SmallPanel(SparkPanel):
    """The engine, but for where tables are: in the driver, since files cost more than all else where tables have a few rows."""

    def take(self, name: str, rows: pa.Table) -> None:
        self.session.createDataFrame(rows).createOrReplaceTempView(name)

    def make(self, name: str, query: exp.Query) -> None:
        self.take(name, self.rows(query))

    def rows(self, query: exp.Query, *bounds: int) -> pa.Table:
        return self.session.sql(self.sql(query), {f"p{i}": bound for i, bound in enumerate(bounds, start=1)} or None).toArrow()


def spark_panel(question: PanelQuestion, rows: Mapping[str, Sequence[Row]]) -> pa.Table:
    """The panel of a question over these row versions, computed by Spark."""
    panel = spark()
    tables = {f"{name}_versions": _versions(question, name, rows[name]) for name in question.tables}
    tables["arr_as_of"] = pa.Table.from_pylist([dict(row) for row in rows.get("arr_as_of", ())], schema=ARR)
    plan = lower_panel(unpacked(question))
    batches = list(run_panel(panel, replace(plan, inputs={**tables, **plan.inputs}), lambda _stage, _done, _total: None))
    return pa.Table.from_batches(batches)


@cache
def spark() -> SmallPanel:
    """One session for all specs of a process: starting it takes longer than a spec."""
    atexit.register(_held.close)
    scratch = Path(_held.enter_context(tempfile.TemporaryDirectory())) / "scratch"
    session = _held.enter_context(spark_session("spark:local[1]", MEGABYTES, scratch, SMALL))
    logging.getLogger("SQLQueryContextLogger").disabled = True
    return SmallPanel(session, scratch, MEGABYTES, {})


def _versions(question: PanelQuestion, table: str, rows: Sequence[Row]) -> pa.Table:
    entity = next(one for one in TABLES.values() if one.name == table)
    columns: dict[str, Kind] = {**dict(entity.row_columns), **{column.name: column.kind for column in entity.columns}}
    columns |= question.tables[table].columns
    return pa.Table.from_pylist([dict(row) for row in rows], schema=pa.schema([(name, ARROW[kind]) for name, kind in columns.items()]))
