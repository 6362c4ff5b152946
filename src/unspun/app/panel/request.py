"""What is asked of a panel: which metrics, as of which dates, of which version of the book; and the metrics themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from unspun.app.workspace import METRICS_FILE, Workspace
from unspun.book.entities import TABLES
from unspun.errors import BadInput, Fault
from unspun.metrics.asof import STEPS, Step
from unspun.metrics.metric import MetricSet
from unspun.metrics.nodes import Arr, Attribute, DaysToEnd, Measure, Open, Reference, Seats, Series, ZScore, walk
from unspun.metrics.read_file import MetricsFile, read_metrics

LIFE_TABLES = ("accounts", "subscriptions", "churns", "purchases")
"""They say since when an account is a customer, and until when: every metric depends on them."""


@dataclass(frozen=True, slots=True)
class PanelRequest:
    """What a person asks for. `metrics` are ids (() is all of the file). Of `as_of`, `every` and `before_renewals` one may be given.

    `first` and `last` bound the dates of `every` and the due days of `before_renewals`; where they are None, the rows of the book do.
    Without any of them there is one as-of date, the last day on which a row of the tables read happened. `version` None is the current
    one, `memory` (as "2GB") the workspace's; so is `engine`, the URL of the database that computes.
    `from_state` False reads all rows, and nothing that is kept of data files.
    """

    metrics: tuple[str, ...] = ()
    as_of: tuple[date, ...] = ()
    every: Step | None = None
    first: date | None = None
    last: date | None = None
    before_renewals: tuple[int, ...] = ()
    version: int | None = None
    memory: str | None = None
    engine: str | None = None
    from_state: bool = True


@dataclass(frozen=True, slots=True)
class MetricsDefinition:
    """Metrics as they are declared, the text that the ledger keeps of them, under which name, and where each stands in it (by its id)."""

    metrics: MetricSet
    text: str
    name: str = METRICS_FILE
    places: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def definition_of(text: str) -> MetricsFile:
    """The metrics of a metrics.yml. Raises BadInput with all its faults."""
    return read_metrics(text, METRICS_FILE)


def workspace_metrics(workspace: Workspace) -> MetricsDefinition:
    """metrics.yml as it stands. Raises BadInput with all its faults, or where there is none, or it declares nothing."""
    text = workspace.metrics_text()
    found = definition_of(text)
    if len(found.metrics) == 0:
        raise BadInput(
            Fault("no_metrics", "it declares no metric.", METRICS_FILE, "`unspun metrics suggest --write` adds what the book can bear.")
        )
    return MetricsDefinition(found.metrics, text, places=found.places)


def check_request(request: PanelRequest) -> None:
    """Raises BadInput with everything in a request that does not go together."""
    given = [
        name
        for name, is_given in (
            ("as_of", bool(request.as_of)), ("every", request.every is not None), ("before_renewals", bool(request.before_renewals))
        )
        if is_given
    ]  # fmt: skip
    faults = []
    if len(given) > 1:
        faults.append(Fault("two_choices", f"{' and '.join(given)} are given.", given[1], "Give one of them: each makes as-of dates."))
    if request.every is not None and request.every not in STEPS:
        faults.append(Fault("bad_step", f"there is no step '{request.every}'.", "every", f"There are {', '.join(STEPS)}."))
    bounds = [name for name, day in (("from", request.first), ("to", request.last)) if day is not None]
    if bounds and request.every is None and not request.before_renewals:
        hint = "Say `every` (week, month, ...), or `before_renewals`."
        faults += [Fault("no_effect", "has no effect without a step.", name, hint) for name in bounds]
    if faults:
        raise BadInput(faults)


def asked_metrics(metrics: MetricSet, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """The ids asked for, in the order asked; all of them where none is. Raises BadInput with every one that is not there."""
    if not wanted:
        return tuple(one.id for one in metrics)
    faults = []
    for id in dict.fromkeys(wanted):
        try:
            metrics.metric(id)
        except BadInput as refusal:
            faults += refusal.faults
    if faults:
        raise BadInput(faults)
    return tuple(dict.fromkeys(wanted))


def nodes_of(metrics: MetricSet, asked: tuple[str, ...]) -> Iterator[Series]:
    """All nodes that the metrics asked for are made of, references followed, each metric once."""
    waiting, known = list(asked), set(asked)
    while waiting:
        for node in walk(metrics.metric(waiting.pop()).series):
            yield node
            if isinstance(node, Reference) and node.metric not in known:
                known.add(node.metric)
                waiting.append(node.metric)


def metrics_needed(metrics: MetricSet, asked: tuple[str, ...]) -> MetricSet:
    """The metrics asked for and those that they refer to."""
    needed = {*asked, *(node.metric for node in nodes_of(metrics, asked) if isinstance(node, Reference))}
    return MetricSet(tuple(one for one in metrics if one.id in needed), metrics.sources)


def needs_arr(metrics: MetricSet, asked: tuple[str, ...]) -> bool:
    """Whether any metric asked for reads ARR."""
    return any(isinstance(node, Arr) for node in nodes_of(metrics, asked))


def tables_read(metrics: MetricSet, asked: tuple[str, ...]) -> tuple[str, ...]:
    """The tables whose rows the metrics asked for are made of, in the order of the book's tables."""
    found = {table for node in nodes_of(metrics, asked) for table in _tables(node)}
    return tuple(name for name in TABLES if name in found)


def _tables(node: Series) -> tuple[str, ...]:
    if isinstance(node, Measure):
        return (node.rows.table,)
    match node:
        case Open(table=table):
            return (table,)
        case Attribute():
            return ("accounts",)
        case Seats():
            return ("accounts", "subscriptions")
        case Arr() | DaysToEnd():
            return ("subscriptions",)
        case ZScore(within=within):
            return ("accounts",) if within else ()
        case _:
            return ()
