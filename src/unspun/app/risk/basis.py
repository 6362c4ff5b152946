"""What is asked of renewal risk, and what that decides: the as-of day, the metrics, the rules; and the open book to read them from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Any

from unspun.app.evidence.inputs import EvidenceRequest, OpenTrial, opened_trial
from unspun.app.panel.basis import PanelBasis, basis_from_json, held_tables
from unspun.app.panel.request import MetricsDefinition, PanelRequest, metrics_needed
from unspun.app.panel.run import basis_for
from unspun.app.risk.tails import with_tails
from unspun.app.trial.book import TrialDay, last_known_day
from unspun.app.workspace import Workspace
from unspun.book.columns import did_you_mean
from unspun.errors import BadInput, Fault
from unspun.metrics.forms import printable
from unspun.metrics.kinds import Tables, check_against, kind_of
from unspun.metrics.nodes import Arr, DaysToEnd
from unspun.progress import Progress
from unspun.risk.judge import RiskSettings

LeftOut = tuple[tuple[str, str], ...]
"""Ids of metrics that are no features, and why."""


@dataclass(frozen=True, slots=True)
class RiskRequest:
    """What is asked: as of which day (None: the last one on which the book knows anything of outcomes), of which version of the book
    (None: the current one), by which metrics (ids or patterns; () is all that can be used). `fit` fits a new version of the model.

    `account` and `capacity` (how many renewals somebody can look after) say what is shown, and change no number. `settings` says how a
    model is chosen; one that was fitted with others is not in force.
    """

    as_of: date | None = None
    version: int | None = None
    memory: str | None = None
    engine: str | None = None
    metrics: tuple[str, ...] = ()
    account: str | None = None
    capacity: int = 20
    fit: bool = False
    settings: RiskSettings = field(default_factory=RiskSettings)


@dataclass(frozen=True, slots=True)
class RiskBasis:
    """All that decides the rows besides the definitions and the book: plain values, kept in the ledger.

    `panel` has the metrics, and the as-of day as the last that anything is known of; amounts are in `currency` where the book has several.
    """

    panel: PanelBasis
    currency: str | None = None
    as_of_why: str = "declared"

    @property
    def as_of(self) -> date:
        return self.panel.known_on

    @property
    def metrics(self) -> tuple[str, ...]:
        return self.panel.asked

    @property
    def day(self) -> TrialDay:
        return TrialDay(self.panel.known_on, self.panel.time_zone)

    def on(self, as_of: date) -> RiskBasis:
        """The same as of another day."""
        return replace(self, panel=replace(self.panel, known_on=as_of, last=as_of, dates=(as_of,)))

    def to_json(self) -> dict[str, Any]:
        """Plain values, from which `risk_basis_from_json` makes an equal basis."""
        return {"panel": self.panel.to_json(), "currency": self.currency, "as_of_why": self.as_of_why}


def risk_basis_from_json(document: Mapping[str, Any]) -> RiskBasis:
    """The basis that `to_json` wrote."""
    return RiskBasis(basis_from_json(document["panel"]), document["currency"], document["as_of_why"])


@contextmanager
def opened_risk(
    workspace: Workspace, request: RiskRequest, definition: MetricsDefinition, at: datetime, progress: Progress
) -> Iterator[tuple[OpenTrial, RiskBasis, LeftOut]]:
    """The open book that a request asks for, the basis of its rows, and the metrics that are no features.

    Raises BadInput: nothing loaded, no renewals, a metric pattern that fits none, an as-of day to come.
    """
    wanted = _asked_metrics(request.metrics, definition)
    needed = replace(definition, metrics=metrics_needed(definition.metrics, wanted))
    asked = EvidenceRequest(version=request.version, memory=request.memory, engine=request.engine)
    with opened_trial(workspace, asked, needed, at, progress) as trial:
        book = workspace.definition()
        as_of, why = (request.as_of, "declared") if request.as_of else last_known_day(trial.reader, book.time_zone, at)
        left_out = _unusable(definition, wanted, held_tables(trial.whole.version))
        usable = tuple(id for id in wanted if id not in left_out)
        panel = basis_for(workspace, PanelRequest(as_of=(as_of,)), usable, definition, trial.whole, trial.reader, at)
        panel = replace(panel, known_on=as_of, last=as_of)
        panel = replace(panel, outages=with_tails(trial, panel, needed.metrics))
        yield trial, RiskBasis(panel, book.currency, why), tuple(left_out.items())


def _asked_metrics(wanted: tuple[str, ...], definition: MetricsDefinition) -> tuple[str, ...]:
    """The metrics that patterns name, in the order of the file. Raises BadInput with every pattern that fits none."""
    known = [one.id for one in definition.metrics]
    faults = [
        Fault(
            "unknown_metric", f"there is no metric {printable(one)}.", "--metric", f"{did_you_mean(one, known)}See `unspun metrics list`."
        )
        for one in wanted
        if not any(fnmatchcase(id, one) for id in known)
    ]
    if faults:
        raise BadInput(faults)
    return tuple(id for id in known if not wanted or any(fnmatchcase(id, one) for one in wanted))


def _unusable(definition: MetricsDefinition, asked: tuple[str, ...], tables: Tables) -> dict[str, str]:
    """The metrics that are no features, and why."""
    found: dict[str, str] = {}
    for id in asked:
        series = definition.metrics.metric(id).series
        if faults := check_against(metrics_needed(definition.metrics, (id,)), tables, definition.places):
            found[id] = f"does not fit the book: {faults[0].message}"
        elif kind_of(series, definition.metrics, tables) == "text":
            found[id] = "is text"
        elif isinstance(series, Arr):
            found[id] = "is the renewal's own ARR, which is used already"
        elif isinstance(series, DaysToEnd):
            found[id] = "is the time until the renewal is due, which is used already"
    return found
