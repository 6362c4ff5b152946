"""The read model made from one refresh: its lines, pages and draws, and the figures at the head of the portfolio."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from unspun._version import __version__
from unspun.app.checks import recorded_check, span_record
from unspun.app.evidence.figures import json_values
from unspun.app.evidence.inputs import OpenTrial
from unspun.app.forecast.figures import FAN, NO_CURRENCY
from unspun.app.portfolio.gather import account_facts
from unspun.app.portfolio.lines import AccountFacts, KnownAccount, draws_of, lines_of, searched
from unspun.app.portfolio.pages import details, features_of
from unspun.app.publication import canonical_json, value_record
from unspun.app.risk.inputs import RiskInputs
from unspun.app.workspace import Workspace
from unspun.book.retention.result import RetentionResult
from unspun.errors import Fault, UnspunError
from unspun.progress import Progress
from unspun.risk.fitted import FittedRisk
from unspun.risk.forecast.result import Forecast, ForecasterRecord, ForecastRecord
from unspun.risk.result import RiskResult
from unspun.stats.estimate import NoEstimate
from unspun.warehouse.catalog import Catalog
from unspun.warehouse.read_model import FORM, Contents, Row, install, kept_keys, write_read_model

BASE = "last year's rate"
NOTHING_DECIDED = "nothing that was forecast is decided yet"
LEADS = (90, 60, 180, 30)
"""Of the record the lead that the head of the portfolio tells: the first of these that there is."""


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh published, and what it was made from. Entries None: it could not be made; `why` says so by name. `pages`
    are laid out as they are read, once."""

    inputs: RiskInputs
    fitted: FittedRisk | NoEstimate
    risk: RiskResult
    forecast: Forecast
    record: ForecastRecord
    retention: RetentionResult | None
    entries: Mapping[str, int | None]
    why: Mapping[str, str]
    pages: Iterable[Row] = ()


def make_read_model(workspace: Workspace, trial: OpenTrial, made: Refreshed, progress: Progress) -> tuple[str, bool]:
    """Write the read model of a refresh and put it in force; its key, and whether it was written (a refresh that found nothing new has the
    one of before).

    Raises UnspunError where rows were erased from the book meanwhile, or the disk takes nothing.
    """
    key = _key(trial, made)
    fresh = key not in kept_keys(workspace.warehouse)
    if fresh:
        _write(workspace, trial, made, key, progress)
    with workspace.catalog() as catalog, catalog.writing():
        _refuse_erased(catalog, trial)
        install(workspace.warehouse, key)
    return key, fresh


def _write(workspace: Workspace, trial: OpenTrial, made: Refreshed, key: str, progress: Progress) -> None:
    inputs, day = made.inputs, made.inputs.basis.day
    with trial.known(day) as known:
        facts = account_facts(known, day)
        lines = tuple(lines_of(inputs, made.risk, facts))
        accounts = _accounts(facts, lines)
        contents = Contents(
            meta=_meta(trial, made),
            accounts=accounts,
            lines=lines,
            products=((account, one) for account, products in sorted(facts.products.items()) for one in products),
            details=details(known, day, inputs, made.risk, [one[0] for one in accounts], progress),
            draws=draws_of(inputs, made.risk, made.fitted),
            pages=made.pages,
        )
        write_read_model(workspace.warehouse, key, contents)


def _refuse_erased(catalog: Catalog, trial: OpenTrial) -> None:
    version = trial.whole.version
    newest = catalog.current()
    erased = catalog.version(version.version).erasures != version.erasures
    if erased or (newest is not None and newest.version != version.version and newest.kind == "erasure"):
        raise UnspunError(Fault("erased_meanwhile", "rows were erased from the book meanwhile.", "", "Run it again: unspun refresh."))


def _accounts(facts: AccountFacts, lines: tuple[Row, ...]) -> list[Row]:
    """All accounts that the book states or that have a line, by id."""
    held = {str(one[1]): KnownAccount(str(one[1]), str(one[2])) for one in lines} | dict(facts.known)
    return [_account(held[one], facts.products.get(one, ())) for one in sorted(held)]


def _account(one: KnownAccount, products: tuple[str, ...]) -> Row:
    return one.account_id, one.name or one.account_id, one.segment, one.owner, one.parent_id, searched(one, products)


def _key(trial: OpenTrial, made: Refreshed) -> str:
    """What decides the contents, as a short hash."""
    version = trial.whole.version
    decides = {
        "form": FORM,
        "package": __version__,
        "book": [version.version, version.digest, list(version.erasures)],
        "in_place": [dict(record) for record in trial.whole.records],
        "basis": made.inputs.basis.to_json(),
        "entries": dict(made.entries),
    }
    return hashlib.sha256(canonical_json(decides).encode()).hexdigest()[:16]


def _meta(trial: OpenTrial, made: Refreshed) -> dict[str, Any]:
    inputs, catalog = made.inputs, trial.reader.catalog
    checked = recorded_check(catalog)
    spans = [] if checked is None else [(one, one.span) for one in checked.findings if one.span is not None and one.table == "events"]
    found: dict[str, Any] = {
        "as_of": inputs.as_of.isoformat(),
        "as_of_why": inputs.basis.as_of_why,
        "time_zone": inputs.basis.day.zone,
        "book_version": inputs.book_version,
        "book_digest": inputs.book_digest,
        "package_version": __version__,
        "entries": dict(made.entries),
        "published": {name: _at(catalog, seq) for name, seq in made.entries.items()},
        "head": json_values([_head(made)])[0],
        "metrics": dict(features_of(inputs)),
        "outages": [span_record(span) | {"id": one.id, "message": one.message, "severity": one.severity} for one, span in spans],
        "forecasters": json_values([one for forecaster in made.record.forecasters for one in _forecaster(forecaster)]),
    }
    return found


def _at(catalog: Catalog, seq: int | None) -> str | None:
    entry = None if seq is None else catalog.entry(seq)
    return None if entry is None else entry.at.isoformat()


# The head of the portfolio


def _head(made: Refreshed) -> dict[str, Any]:
    return {
        "rates": [one for fan in made.forecast.fans for one in _rates(fan.currency or NO_CURRENCY, {"grr": fan.grr, "nrr": fan.nrr}, made)],
        "until": made.forecast.until.isoformat(),
        "refused": None if made.forecast.refused is None else made.forecast.refused.reason,
        "record": _record(made),
        "why": dict(made.why),
    }


def _rates(currency: str, found: Mapping[str, Any], made: Refreshed) -> Iterator[dict[str, Any]]:
    """GRR and NRR of the ARR of today's customers at the end of the horizon, and those of the twelve months that are over."""
    for name, value in found.items():
        said = value_record(value) if isinstance(value, NoEstimate) else asdict(value)
        where = {"entry": made.entries["forecast"], "figure": f"{FAN}/{currency}", "field": name}
        yield {"rate": name, "currency": currency, "value": said, **where, "actual": _actual(made, name, currency)}


def _actual(made: Refreshed, name: str, currency: str) -> dict[str, Any] | None:
    result = made.retention
    if result is None:
        return None
    whole = [one for one in result.rates if one.name == name and not one.part.by and one.part.currency in (currency, "")]
    last = max((one for one in whole if one.window_months == 12), key=lambda one: one.month, default=None)
    if last is None:
        return None
    figure = result.name(last.name, last.month, last.part)
    return {"month": last.month, "value": value_record(last.estimate), "entry": made.entries["retention"], "figure": figure}


def _record(made: Refreshed) -> dict[str, Any]:
    """How much closer the model was than the base rate: the difference of their Brier scores, of forecasts of the time where there are
    any; else why there is none."""
    pairs = [one for one in made.record.pairs if one.second == BASE and one.first in ("model", "model, replayed")]
    ranked = sorted(pairs, key=lambda one: (one.first != "model", LEADS.index(one.lead_days) if one.lead_days in LEADS else len(LEADS)))
    if not ranked:
        said = next(
            (one.text for one in made.record.cautions if one.code in ("no_model", "few_churned")), "nothing forecast is decided yet"
        )
        return {"value": {"reason": said, "what_it_would_take": ""}}
    one = ranked[0]
    figure = f"difference/{one.first}/{one.second}/{one.lead_days}"
    told = {"forecaster": one.first, "lead_days": one.lead_days, "n": one.n, "churned": one.n_churned, "words": one.words}
    return {"value": value_record(one.brier), "entry": made.entries["record"], "figure": figure, **told}


def _forecaster(one: ForecasterRecord) -> Iterator[dict[str, Any]]:
    """How a forecaster did at the lead that is told; none where there is no lead."""
    leads = sorted(one.leads, key=lambda lead: LEADS.index(lead.lead_days) if lead.lead_days in LEADS else len(LEADS))
    for lead in leads[:1]:
        scores = {name: value_record(getattr(lead, name)) for name in ("brier", "bias")}
        yield {"name": one.name, "kind": one.kind, "lead_days": lead.lead_days, "n": lead.n, "churned": lead.n_churned, **scores}
