"""The operations on metrics.yml: list the metrics, check them against the book, explain one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from unspun.app.metric.conditions import AbsentText, absent_texts
from unspun.app.panel.basis import held_tables
from unspun.app.panel.request import MetricsDefinition, PanelRequest, definition_of, nodes_of, tables_read, workspace_metrics
from unspun.app.workspace import METRICS_FILE, Workspace
from unspun.errors import BadInput, Fault
from unspun.metrics.kinds import check_against, column_kind
from unspun.metrics.lower.served import rows_read_for
from unspun.metrics.measure_nodes import reason_without_rows
from unspun.metrics.metric import Metric, MetricSet
from unspun.metrics.missing import REASONS
from unspun.metrics.nodes import (
    Arr,
    Attribute,
    Average,
    Case,
    Change,
    Constant,
    DaysToEnd,
    DaysToFirst,
    Maximum,
    Measure,
    Minimum,
    Open,
    Quantile,
    Ratio,
    Reference,
    Seats,
    Series,
    Share,
    Sum,
    ZScore,
)
from unspun.metrics.read_file import MetricsFile, read_metrics
from unspun.metrics.windows import SinceContractStart
from unspun.metrics.words import sentence
from unspun.metrics.write_yaml import as_yaml, series_value, word_of
from unspun.warehouse.read import open_book
from unspun.warehouse.versions import BookVersion


@dataclass(frozen=True, slots=True)
class ListedMetric:
    """A metric as it is listed: itself, what kind it is in the words of metrics.yml, and what it is in a sentence."""

    metric: Metric
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class MetricVersion:
    """A definition of a metric as the ledger has it: from which entry on it was in force, since when, and its YAML; "" it was taken out."""

    entry: int
    at: datetime
    yaml: str


@dataclass(frozen=True, slots=True)
class Explained:
    """What one metric is: in words and as YAML, what it reads, when it has no value, and its versions in the ledger, oldest first.

    `rows_read` says why panels read every row for it; empty: they read what is kept of loaded files, and the rows of new ones;
    None: it measures no rows."""

    listed: ListedMetric
    yaml: str
    tables: tuple[str, ...]
    metrics: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]
    rows_read: tuple[str, ...] | None
    versions: tuple[MetricVersion, ...]
    definition: MetricsDefinition


@dataclass(frozen=True, slots=True)
class CheckedMetrics:
    """What checking metrics.yml found: how many metrics, the version of the book they were checked against (None: nothing is loaded
    yet), and the faults; tables that they read and the book does not hold, and texts that they look for and no row has."""

    metrics: int
    book_version: int | None
    faults: tuple[Fault, ...]
    lacking: tuple[str, ...]
    absent: tuple[AbsentText, ...] = ()


def list_metrics(workspace: Workspace) -> tuple[ListedMetric, ...]:
    """The metrics of metrics.yml, in its order. Raises BadInput with all its faults."""
    return tuple(listed(one) for one in workspace_metrics(workspace).metrics)


def existing_metrics(text: str) -> MetricSet:
    """The metrics of a metrics.yml; an empty one has none. Raises BadInput with all its faults."""
    return read_metrics(text, METRICS_FILE).metrics


def listed(metric: Metric) -> ListedMetric:
    """A metric with its kind and its sentence."""
    return ListedMetric(metric, _kind(metric.series), sentence(metric))


def check_metrics(workspace: Workspace, engine: str | None = None) -> CheckedMetrics:
    """Check metrics.yml by itself, against the current version of the book, and against what an engine can compute.

    Raises BadInput where there is no metrics.yml or no such engine; UnspunError where the engine does not answer.
    """
    text = workspace.metrics_text()
    try:
        file = definition_of(text)
    except BadInput as refusal:
        return CheckedMetrics(0, None, refusal.faults, ())
    version = _current(workspace)
    if version is None:
        return CheckedMetrics(len(file.metrics), None, (), ())
    tables = held_tables(version)
    faults = (*check_against(file.metrics, tables, file.places), *engine_faults(workspace, file.metrics, engine))
    read = tables_read(file.metrics, tuple(one.id for one in file.metrics))
    elsewhere = {source.table for source in workspace.definition().sources if source.in_place}
    lacking = tuple(one for one in read if one not in {*tables, *elsewhere})
    absent = () if faults else tuple(_absent(workspace, file, version))
    return CheckedMetrics(len(file.metrics), version.version, faults, lacking, absent)


def _absent(workspace: Workspace, file: MetricsFile, version: BookVersion) -> list[AbsentText]:
    with workspace.catalog() as catalog, open_book(catalog, version, None, workspace.settings.memory) as reader:
        return absent_texts(file.metrics, file.places, held_tables(version), reader)


def engine_faults(workspace: Workspace, metrics: MetricSet, engine: str | None) -> tuple[Fault, ...]:
    """What an engine cannot compute of all metrics."""
    from unspun.app.panel.engines import answering_engine

    asked = tuple(one.id for one in metrics)
    with answering_engine(workspace, engine, workspace.settings.memory) as answering:
        try:
            answering.place(metrics, asked, datetime.now(UTC))
        except BadInput as refusal:
            return refusal.faults
    return ()


def explain_metric(workspace: Workspace, id: str) -> Explained:
    """What a metric of metrics.yml is. Raises BadInput where there is none of that id."""
    definition = workspace_metrics(workspace)
    metric = definition.metrics.metric(id)
    nodes = tuple(nodes_of(definition.metrics, (id,)))
    read = tuple(dict.fromkeys(node.metric for node in nodes if isinstance(node, Reference)))
    return Explained(
        listed=listed(metric),
        yaml=as_yaml(metric),
        tables=tables_read(definition.metrics, (id,)),
        metrics=read,
        reasons=reasons_of(definition.metrics, id),
        rows_read=rows_read_for(nodes) if any(isinstance(node, Measure) for node in nodes) else None,
        versions=tuple(_versions(workspace, metric)),
        definition=definition,
    )


def metric_sql(workspace: Workspace, id: str, at: datetime | None = None, engine: str | None = None) -> dict[str, str]:
    """The SQL that computes a metric on an engine as of the last day of the book's rows, by step. Raises BadInput: nothing loaded,
    faults; UnspunError where the engine does not answer."""
    from unspun.app.panel.basis import basis_of
    from unspun.app.panel.engines import answering_engine
    from unspun.app.panel.run import opened_book, prepare_panel

    definition, now = workspace_metrics(workspace), at or datetime.now(UTC)
    definition.metrics.metric(id)
    book, request = workspace.definition(), PanelRequest()
    with (
        answering_engine(workspace, engine, workspace.settings.memory) as answering,
        opened_book(workspace, request, now, elsewhere=answering.place(definition.metrics, (id,), now)) as (whole, reader),
    ):
        rules = workspace.retention_rules()
        basis = basis_of(request, (id,), definition.metrics, reader, rules, book.time_zone, book.fiscal_year_starts, now, whole.elsewhere)
        return dict(prepare_panel(definition, basis, reader, answering.database(reader), whole.elsewhere).queries)


def reasons_of(metrics: MetricSet, id: str) -> tuple[tuple[str, str], ...]:
    """Why a metric may have no value: codes and meanings, in their order."""
    found = {code for node in nodes_of(metrics, (id,)) for code in _reasons(node, metrics)}
    return tuple((code, told) for code, told in REASONS.items() if code in found)


def _reasons(node: Series, metrics: MetricSet) -> Iterator[str]:
    if isinstance(node, Constant | Reference):
        return
    if isinstance(node, Measure):
        yield from _reasons_of_rows(node, metrics)
    elif isinstance(node, DaysToEnd):
        yield from ("before_birth", "after_churn", "no_source", "no_contract", "not_stated")
    elif isinstance(node, Open | Attribute | Arr | Seats):
        yield from ("before_birth", "after_churn")
        yield "no_source" if isinstance(node, Open) else "not_stated"
        if isinstance(node, Open) and node.column and column_kind(node.table, node.column, {}) == "money":
            yield "several_currencies"
    elif isinstance(node, Ratio | Share) or (isinstance(node, Change) and node.relative):
        yield "zero_denominator"
    elif isinstance(node, ZScore):
        yield from ("few_peers", *(("not_stated",) if node.within else ()))
    elif isinstance(node, Case) and node.otherwise is None:
        yield "no_case"


def _reasons_of_rows(measure: Measure, metrics: MetricSet) -> Iterator[str]:
    rules = metrics.source(measure.rows.table)
    yield from ("before_birth", "after_churn", "no_source", "outage")
    if rules.silent_days is not None:
        yield from ("source_silent", "before_source")
    if not rules.covers_every_account:
        yield "not_seen"
    if isinstance(measure.rows.window, SinceContractStart):
        yield "no_contract"
    if (reason := reason_without_rows(measure)) is not None:
        yield reason
    if isinstance(measure, DaysToFirst):
        yield "not_stated"
    if isinstance(measure, Sum | Average | Minimum | Maximum | Quantile) and column_kind(measure.rows.table, measure.column, {}) == "money":
        yield "several_currencies"


def _kind(series: Series) -> str:
    """What metrics.yml calls a series."""
    if isinstance(series, Measure):
        return word_of(series)
    value = series_value(series)
    if isinstance(value, dict):
        return str(next(iter(value)))
    return "value" if isinstance(series, Constant) else "metric"


def _current(workspace: Workspace) -> BookVersion | None:
    with workspace.catalog() as catalog:
        return catalog.current()


def _versions(workspace: Workspace, metric: Metric) -> Iterator[MetricVersion]:
    """The definitions of a metric in the ledger, where each differs from the one before; last, today's where it is in none."""
    with workspace.catalog() as catalog:
        recorded = catalog.definitions(METRICS_FILE)
    before = ""
    for one in recorded:
        text = _yaml_in(one.text, metric.id)
        if text is not None and text != before:
            yield MetricVersion(one.entry, one.at, text)
            before = text


def _yaml_in(text: str, id: str) -> str | None:
    """The metric of that id in an earlier metrics.yml; "" where it has none, None where this Unspun cannot read it."""
    try:
        metrics = read_metrics(text, METRICS_FILE).metrics
    except BadInput:
        return None
    found = next((one for one in metrics if one.id == id), None)
    return "" if found is None else as_yaml(found)
