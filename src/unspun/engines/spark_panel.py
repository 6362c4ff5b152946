"""Panels on Spark: the book's files are read where they lie, and each table of a plan is written as Parquet into a scratch folder.

Written tables outlive a lost executor, take no executor's memory, and say how large they are: small ones are sent to every executor.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from sqlglot import exp

from unspun.engines.panel import SLICE_ROWS
from unspun.engines.spark_sql import SCHEMA, quoted, spark_sql, view_sql
from unspun.errors import BadInput, Fault, UnspunError
from unspun.metrics.lower.plan import PanelPlan

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

KIND = "spark"
PANEL, SLICE = "panel_by_slice", "slice"
SENT_SHARE = 1 / 24
"""Of the memory of a process: so large may a table be that is sent to every executor."""
ROW_BYTES, CELL_BYTES, TEXT_BYTES = 40, 8, 40
"""About what a row, its cells and its texts take in a hashed table."""
EVERY_PLACE = (1 << 63) - 1
NO_MEMORY = ("OutOfMemory", "Not enough memory", "UNABLE_TO_ACQUIRE_MEMORY")
SAME_FOLDER = "The warehouse has to be one folder that all machines see under the same path."
NO_FILE = ("FileNotFound", "FILE_NOT_EXIST", "PATH_NOT_FOUND", "Mkdirs failed")


@dataclass(slots=True)
class SparkPanel:
    """A session that computes panels, with its files in `scratch` and so many megabytes for each of its processes. `views` are those of the
    book in DuckDB's SQL, as `BookReader` has them.

    A panel is computed once, by the executors, a folder for each slice; the slices are then read one after another.
    """

    session: SparkSession
    scratch: Path
    megabytes: int
    views: Mapping[str, str]
    known: set[str] = field(default_factory=set[str])
    columns: pa.Schema = field(default_factory=lambda: pa.schema([]))
    kind: str = KIND
    wide_integers: bool = False

    @property
    def version(self) -> str:
        return self.session.version

    def sql(self, query: exp.Query) -> str:
        return spark_sql(query)

    def hold(self, plan: PanelPlan) -> None:
        """Make the views known that the plan reads."""
        queries = (*(step.query for step in plan.steps), plan.slice)
        read = {table.name for query in queries for table in query.find_all(exp.Table)}
        for name in sorted(read & self.views.keys() - self.known):
            with explained():
                self.session.sql(view_sql(self.views[name], self._files)).createOrReplaceTempView(name)
            self.known.add(name)

    def _files(self, schema: SCHEMA, paths: Sequence[str]) -> str:
        name = f"files_{len(self.known)}"
        self.known.add(name)
        typed = ", ".join(f"{quoted(column)} {kind}" for column, kind in schema.items())
        self._parquet(typed, *paths).createOrReplaceTempView(name)
        return name

    def _parquet(self, schema: StructType | str, *paths: str | Path) -> DataFrame:
        """Files or folders of Parquet, whatever signs are in their names."""
        reader = self.session.read.schema(schema).option("__globPaths__", "false")
        return reader.parquet(*(f"file:{Path(path).absolute()}" for path in paths))

    def take(self, name: str, rows: pa.Table) -> None:
        from pyspark.sql.pandas.types import from_arrow_schema

        folder = self.scratch / name
        folder.mkdir()
        pq.write_table(rows, folder / "rows.parquet")
        with explained():
            self._know(name, from_arrow_schema(rows.schema))

    def make(self, name: str, query: exp.Query) -> None:
        with explained():
            made = self.session.sql(self.sql(query))
            self._write(made, self.scratch / name)
            self._know(name, made.schema)

    def _write(self, rows: DataFrame, folder: Path, *by: str) -> None:
        """Rows as files, apart `by` columns; every row that an executor says it wrote has to be seen from here."""
        from pyspark.sql import Observation
        from pyspark.sql.functions import expr

        written = Observation()
        counted = rows.observe(written, expr("COUNT(1) AS n"))
        counted.write.partitionBy(*by).mode("overwrite").parquet(f"file:{folder.absolute()}")
        if int(written.get["n"]) != size_of(folder)[0]:
            raise UnspunError(Fault("spark_file", "what workers of Spark wrote is not seen from here.", "--engine", SAME_FOLDER))

    def _know(self, name: str, schema: StructType) -> None:
        """A written table by its name."""
        from pyspark.sql.functions import broadcast

        rows = self._parquet(schema, self.scratch / name)
        sent = size_of(self.scratch / name)[1] <= self.megabytes * 1e6 * SENT_SHARE
        (broadcast(rows) if sent else rows).createOrReplaceTempView(name)

    def drop(self, name: str) -> None:
        shutil.rmtree(self.scratch / name, ignore_errors=True)
        with explained():
            self.session.catalog.dropTempView(name)

    def rows(self, query: exp.Query, *bounds: int) -> pa.Table:
        """Slices are asked for in their order: with the first the whole panel is computed."""
        with explained():
            if not bounds:
                return self.session.sql(self.sql(query)).toArrow()
            if bounds[0] == 0:
                self._compute(query)
            return self._slice(bounds[0] // SLICE_ROWS)

    def _compute(self, query: exp.Query) -> None:
        from pyspark.sql.functions import expr
        from pyspark.sql.pandas.types import to_arrow_schema

        rows = self.session.sql(self.sql(query), args={"p1": 0, "p2": EVERY_PLACE})
        self.columns = to_arrow_schema(rows.schema)
        sliced = rows.withColumn(SLICE, expr(f"CAST(place DIV {SLICE_ROWS} AS INT)")).repartition(SLICE)
        self._write(sliced, self.scratch / PANEL, SLICE)

    def _slice(self, number: int) -> pa.Table:
        files = sorted((self.scratch / PANEL / f"{SLICE}={number}").glob("*.parquet"))
        found = pa.concat_tables([self.columns.empty_table(), *(pq.ParquetFile(file).read() for file in files)])
        shutil.rmtree(self.scratch / PANEL / f"{SLICE}={number}", ignore_errors=True)
        return found


def refuse_zone(session: SparkSession, zone: str) -> None:
    """Raises BadInput where the Java of Spark does not know a time zone of the book: it has its own list."""
    from py4j.protocol import Py4JError

    java: Any = session._jvm
    try:
        java.java.time.ZoneId.of(zone)
    except Py4JError as error:
        hint = "Take a newer Java 17, or another engine."
        raise BadInput(Fault("time_zone", f"the Java of Spark knows no time zone {zone}.", "--engine", hint)) from error


def size_of(folder: Path) -> tuple[int, float]:
    """Of written rows, by what their files say of themselves: how many, and about how many bytes they take in memory."""
    rows, held = 0, 0.0
    for file in folder.rglob("*.parquet"):
        told = pq.read_metadata(file)
        texts = sum(told.schema.column(i).physical_type == "BYTE_ARRAY" for i in range(told.num_columns))
        rows += told.num_rows
        held += told.num_rows * (ROW_BYTES + CELL_BYTES * told.num_columns + TEXT_BYTES * texts)
    return rows, held


@contextmanager
def explained() -> Iterator[None]:
    """What Spark fails of, as a fault."""
    from py4j.protocol import Py4JError
    from pyspark.errors import PySparkException

    try:
        yield
    except (PySparkException, Py4JError, OSError, pa.ArrowException) as error:
        raise UnspunError(fault_of(error)) from error


def fault_of(error: Exception) -> Fault:
    """The fault of an exception of Spark: no memory, a file that a worker does not find, or what Spark says."""
    told = str(error)
    lines = [line.strip() for line in told.splitlines() if line.strip()] or [type(error).__name__]
    if any(sign in told for sign in NO_MEMORY):
        return Fault("memory", f"the memory allowed is not enough for Spark ({lines[0][:200]}).", "--memory", "Allow more.")
    if any(sign in told for sign in NO_FILE):
        return Fault("spark_file", f"a worker of Spark does not find a file ({_line_with(lines, NO_FILE)[:300]}).", "--engine", SAME_FOLDER)
    cause = _line_with(lines, ("Caused by:",)) or lines[0]
    return Fault("spark", f"Spark failed: {cause[:400]}", "--engine")


def _line_with(lines: Sequence[str], signs: Sequence[str]) -> str:
    return next((line for line in lines if any(sign in line for sign in signs)), "")
