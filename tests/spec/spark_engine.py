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

from tests.spec.duckdb_engine import ARR, Row
from tests.spec.postgres_engine import row_versions_table
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
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
}
"""For tables of a few rows: no code is made for a query, and the JVM compiles little."""
_held = ExitStack()


def spark_panel(question: PanelQuestion, rows: Mapping[str, Sequence[Row]]) -> pa.Table:
    """The panel of a question over these row versions, computed by Spark."""
    panel = spark()
    tables = {f"{name}_versions": row_versions_table(question, name, rows[name]) for name in question.tables}
    tables["arr_as_of"] = pa.Table.from_pylist([dict(row) for row in rows.get("arr_as_of", ())], schema=ARR)
    plan = lower_panel(unpacked(question))
    batches = list(run_panel(panel, replace(plan, inputs={**tables, **plan.inputs}), lambda _stage, _done, _total: None))
    return pa.Table.from_batches(batches)


@cache
def spark() -> SparkPanel:
    """One session for all specs of a process: starting it takes longer than a spec."""
    atexit.register(_held.close)
    scratch = Path(_held.enter_context(tempfile.TemporaryDirectory())) / "scratch"
    session = _held.enter_context(spark_session("spark:local[1]", MEGABYTES, scratch, SMALL))
    logging.getLogger("SQLQueryContextLogger").disabled = True
    return SparkPanel(session, scratch, MEGABYTES, {})
