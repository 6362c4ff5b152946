"""A session on Spark: in this machine's own JVM (`spark:local[2]`) or on a standalone cluster (`spark://host:port`).

Executors run no Python, and read and write files by path: on a cluster the folder of the warehouse is the same folder everywhere.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, BinaryIO

from unspun.errors import BadInput, Fault, UnspunError

if TYPE_CHECKING:
    from pyspark import SparkConf, SparkContext
    from pyspark.sql import SparkSession

LEAST_MEGABYTES = 512
PART_ROWS, MOST_PARTS = 500_000, 20_000
"""About so many rows are exchanged in one part: what is made of them fits the memory of a task."""
REACHED_IN_SECONDS, EXECUTORS_IN_SECONDS = 5, 120
LOCAL = re.compile(r"spark:(local(?:\[(?:\d{1,4}|\*)\])?)")
CLUSTER = re.compile(r"spark://([^\s/:,@]+:\d{1,5}(?:,[^\s/:,@]+:\d{1,5})*)")
FORMS = "Write spark:local[2] for two threads of this machine, or spark://host:7077 for a standalone cluster."
NEEDS_PYSPARK = "Install it: pip install 'unspun[spark]'."
NEEDS_JAVA = "Install Java 17 (Debian and Ubuntu: apt install openjdk-17-jre-headless), or set JAVA_HOME to it."
ANSWERS: Mapping[str, str] = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",  # what overflows is an error
    "spark.sql.caseSensitive": "true",
    "spark.sql.variable.substitute": "false",  # else ${...} in a text would be looked up
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "true",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
}
"""What answers depend on, whatever the settings of the installation."""
RUNNING: Mapping[str, str] = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.eventLog.enabled": "false",
    "spark.log.level": "ERROR",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.sql.parquet.compression.codec": "snappy",  # Spark's lz4 is Hadoop's own, which others do not always read
    "spark.sql.autoBroadcastJoinThreshold": "-1",  # a file tells little of how large its rows are in memory: the panel's tables say it
    "spark.sql.adaptive.autoBroadcastJoinThreshold": "-1",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.files.maxPartitionBytes": "32m",
}
"""No pages, no logs but errors, and how work is cut."""


@dataclass(frozen=True, slots=True)
class SparkAt:
    """Where Spark is: `master` as Spark names it, and the hosts of a cluster (none: this machine)."""

    master: str
    hosts: tuple[tuple[str, int], ...] = ()


def is_spark(url: str) -> bool:
    """Whether a URL means an engine of this kind."""
    return url.partition(":")[0].casefold() == "spark"


def spark_at(url: str) -> SparkAt:
    """Where a URL says that Spark is. Raises BadInput where it says nothing of the kind."""
    if found := LOCAL.fullmatch(url):
        return SparkAt(found[1])
    if found := CLUSTER.fullmatch(url):
        pairs = (one.rpartition(":") for one in found[1].split(","))
        return SparkAt(url, tuple((host, int(port)) for host, _, port in pairs))
    raise BadInput(Fault("engine_url", "this names no Spark.", "--engine", FORMS))


@contextmanager
def spark_session(url: str, megabytes: int, scratch: Path, settings: Mapping[str, str] | None = None) -> Iterator[SparkSession]:
    """A session of its own, each of whose processes may have a heap of so many megabytes; `scratch` is a folder for its files alone, made
    here and deleted after. `settings` are Spark's own, in the place of those chosen here.

    Raises BadInput: a wrong URL, too little memory, no pyspark, no Java, a session that runs already; UnspunError: no master, no worker.
    """
    at = spark_at(url)
    if megabytes < LEAST_MEGABYTES:
        raise BadInput(Fault("memory", f"Spark needs {LEAST_MEGABYTES}MB at least.", "--memory", "Allow more."))
    _refuse_missing()
    own_host = _own_host(at)
    scratch.mkdir(parents=True)
    try:
        chosen = {**RUNNING, **_of_place(at, own_host, megabytes, scratch), **(settings or {}), **ANSWERS}
        with (scratch / "spark.log").open("wb") as log, _context(chosen, log, scratch) as context:
            from pyspark.sql import SparkSession

            _await_executors(context, at)
            yield SparkSession(context)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def settings_of(rows: int) -> dict[str, str]:
    """Settings of a session that computes over so many rows: in how many parts rows are exchanged, and whether code is made for a query,
    which costs more than it saves where rows are few."""
    return {
        "spark.sql.shuffle.partitions": str(min(max(1, rows // PART_ROWS), MOST_PARTS)),
        "spark.sql.codegen.wholeStage": str(rows >= PART_ROWS).lower(),
    }


def scratch_folder(beside: Path) -> Path:
    """A new folder's path, named after this process, so that what a killed process leaves can be told."""
    return beside / f"{os.getpid()}-{secrets.token_hex(4)}"


def _of_place(at: SparkAt, own_host: str, megabytes: int, scratch: Path) -> dict[str, str]:
    return {
        "spark.master": at.master,
        "spark.app.name": "unspun panel",
        "spark.driver.memory": f"{megabytes}m",
        "spark.executor.memory": f"{megabytes}m",
        "spark.driver.host": own_host,
        "spark.driver.bindAddress": own_host,
        "spark.local.dir": str(scratch / "local"),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
    }


def _refuse_missing() -> None:
    try:
        with warnings.catch_warnings(action="ignore", category=FutureWarning):  # about a pandas that nothing here uses
            import pyspark
            import pyspark.testing  # Spark imports it itself, later, which says this
    except ImportError as error:
        raise BadInput(Fault("no_pyspark", "pyspark is not installed.", "--engine", NEEDS_PYSPARK)) from error
    home = os.environ.get("JAVA_HOME")
    if shutil.which(str(Path(home) / "bin" / "java") if home else "java") is None:
        where = f" under JAVA_HOME ({home})" if home else " here"
        raise BadInput(Fault("no_java", f"there is no Java{where}.", "--engine", NEEDS_JAVA))
    if pyspark.SparkContext._active_spark_context is not None:
        raise BadInput(Fault("spark_runs", "a Spark session runs in this process already.", "--engine", "Stop it first: spark.stop()."))


def _own_host(at: SparkAt) -> str:
    """The address of this machine under which the cluster's machines reach it: that from which a master is reached."""
    if not at.hosts:
        return "127.0.0.1"
    reasons: list[str] = []
    for host, port in at.hosts:
        try:
            with socket.create_connection((host, port), REACHED_IN_SECONDS) as reached:
                return str(reached.getsockname()[0])
        except OSError as error:
            reasons.append(f"{host}:{port} ({error.strerror or error})")
    hint = "Start it (sbin/start-master.sh of Spark), or mend the address."
    raise UnspunError(Fault("no_master", f"no Spark master answers at {', '.join(reasons)}.", "--engine", hint))


@contextmanager
def _context(settings: Mapping[str, str], log: BinaryIO, scratch: Path) -> Iterator[SparkContext]:
    """A JVM of its own, which writes what it says into `log`, and the Spark in it."""
    from pyspark import SparkConf, SparkContext
    from pyspark.java_gateway import launch_gateway

    conf: SparkConf = SparkConf(loadDefaults=False).setAll(list(settings.items()))
    try:
        gateway = launch_gateway(conf, {"stdout": log, "stderr": log})
    except Exception as error:
        raise BadInput(Fault("java", f"Spark does not start: {_said(scratch)}", "--engine", NEEDS_JAVA)) from error
    try:
        try:
            context = SparkContext(conf=conf, gateway=gateway)
        except Exception as error:
            raise UnspunError(Fault("spark", f"Spark does not start: {_said(scratch) or error}", "--engine")) from error
        try:
            yield context
        finally:
            with suppress(Exception):  # where the JVM is gone there is nothing to stop
                context.stop()
    finally:
        _end(gateway)


def _end(gateway: Any) -> None:
    """End the JVM: it goes when its input is closed."""
    from pyspark import SparkContext

    SparkContext._gateway = SparkContext._jvm = None
    with suppress(Exception):
        gateway.shutdown()
    process = gateway.proc
    process.stdin.close()
    with suppress(Exception):
        process.wait(timeout=20)
    process.kill()


def _said(scratch: Path) -> str:
    """The line of the log that tells most: the first error."""
    with suppress(OSError):
        lines = (scratch / "spark.log").read_text(errors="replace").splitlines()
        told = [line.strip() for line in lines if re.search(r"ERROR|Exception|Error|java", line)]
        return (told or [line for line in lines if line.strip()] or [""])[0][:300]
    return ""


def _await_executors(context: SparkContext, at: SparkAt) -> None:
    """Wait until a worker takes part. Spark itself would wait for ever."""
    began, memory = monotonic(), context.getConf().get("spark.executor.memory")
    while at.hosts and (executors := _executors(context)) < 1:
        if executors < 0:
            hint = "The logs of its workers say why; its Spark and Java have to be those of pyspark here."
            raise UnspunError(Fault("no_worker", "the Spark cluster ended the application: no worker could run it.", "--engine", hint))
        if monotonic() - began > EXECUTORS_IN_SECONDS:
            hint = "Start workers, wait until one is free, or allow less memory: each worker has to have as much free."
            raise UnspunError(Fault("no_worker", f"no worker of the Spark cluster gives {memory} of memory.", "--engine", hint))
        sleep(0.2)


def _executors(context: SparkContext) -> int:
    """How many executors there are; -1: the session is at its end."""
    java: Any = context._jsc
    try:
        return int(java.sc().getExecutorMemoryStatus().size()) - 1  # the driver is one of them
    except Exception:
        return -1
