"""The figures at the head of the portfolio: what is due within so many days, the forecast of the year, and the record of forecasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from unspun.app.access import Actor
from unspun.app.portfolio.account import estimate_of
from unspun.app.portfolio.conditions import PortfolioFilter, fitting, within
from unspun.app.portfolio.run import as_of, in_words
from unspun.app.portfolio.sums import PortfolioSum, sums_of
from unspun.app.risk.figures import DUE
from unspun.app.workspace import Workspace
from unspun.risk.forecast.result import MaybePredicted, Predicted
from unspun.risk.result import DUE_WITHIN_DAYS
from unspun.stats.estimate import MaybeEstimate, NoEstimate
from unspun.warehouse.read_model import ReadModel, open_read_model

SPANS = (30, 90, 180)
LIMITED = NoEstimate("it is of all accounts, and you see some of them")


@dataclass(frozen=True, slots=True)
class DueWithin:
    """What is due within so many days, in one currency, of the accounts in scope. `address` of what is expected to be lost in the ledger;
    None where it is published nowhere (the scope is limited): `sums.figures` say where it comes from."""

    days: int
    until: date
    sums: PortfolioSum
    address: str | None


@dataclass(frozen=True, slots=True)
class RateAhead:
    """GRR or NRR of the ARR of today's customers by the end of the horizon, and that of the last twelve full months (`actual`, None where
    it was not measured). `address` is that of the figure in the ledger; `part` the field of it."""

    rate: str
    currency: str
    value: MaybePredicted
    until: date
    address: str | None
    part: str
    actual: MaybeEstimate | None
    actual_month: str
    actual_address: str | None


@dataclass(frozen=True, slots=True)
class RecordAhead:
    """Brier score of the model's forecasts less that of the base rate, on the same renewals: below 0 the model was closer."""

    value: MaybeEstimate
    forecaster: str
    lead_days: int | None
    n: int
    address: str | None


@dataclass(frozen=True, slots=True)
class PortfolioHead:
    """The head of the portfolio as of a refresh. `published` says when each step was entered in the ledger, `why` what could not."""

    as_of: date
    key: str
    book_version: int
    time_zone: str
    entries: Mapping[str, int | None]
    published: Mapping[str, str | None]
    due: tuple[DueWithin, ...]
    rates: tuple[RateAhead, ...]
    record: RecordAhead
    why: Mapping[str, str]


def portfolio_head(workspace: Workspace, actor: Actor) -> PortfolioHead:
    """The figures at the head of the portfolio. Raises Forbidden; BadInput where nothing was refreshed yet."""
    actor.require("portfolio.see")
    model = open_read_model(workspace.warehouse)
    meta = model.meta
    return PortfolioHead(
        as_of=as_of(model),
        key=model.key,
        book_version=meta["book_version"],
        time_zone=meta["time_zone"],
        entries=meta["entries"],
        published=meta["published"],
        due=tuple(one for days in SPANS for one in _due(model, actor, days)),
        rates=tuple(_rate(one, meta, actor) for one in meta["head"]["rates"]),
        record=_record(meta["head"]["record"]),
        why=meta["head"]["why"],
    )


def _due(model: ReadModel, actor: Actor, days: int) -> list[DueWithin]:
    asked = PortfolioFilter(due_within=days)
    sums = sums_of(model, within(actor.scope) & fitting(asked), in_words(asked, actor)).sums
    until, entry = as_of(model) + timedelta(days=days), model.meta["entries"]["risk"]
    whole = actor.scope.everything and days in DUE_WITHIN_DAYS
    return [DueWithin(days, until, one, f"{entry}/{DUE}/{days}/{one.currency or 'no currency'}" if whole else None) for one in sums]


def _rate(held: Mapping[str, Any], meta: Mapping[str, Any], actor: Actor) -> RateAhead:
    """Of a limited scope nothing is told: the figures are of accounts that are out of it."""
    told, actual = actor.scope.everything, held["actual"]
    value = held["value"]
    return RateAhead(
        rate=held["rate"],
        currency=held["currency"],
        value=LIMITED if not told else NoEstimate(**value) if "reason" in value else Predicted(**value),
        until=date.fromisoformat(meta["head"]["until"]),
        address=f"{held['entry']}/{held['figure']}" if told else None,
        part=held["field"],
        actual=(estimate_of(actual["value"]) if told else LIMITED) if actual else None,
        actual_month=actual["month"] if actual else "",
        actual_address=f"{actual['entry']}/{actual['figure']}" if actual and told else None,
    )


def _record(held: Mapping[str, Any]) -> RecordAhead:
    if "entry" not in held:
        return RecordAhead(estimate_of(held["value"]), "", None, 0, None)
    address = f"{held['entry']}/{held['figure']}"
    return RecordAhead(estimate_of(held["value"]), held["forecaster"], held["lead_days"], held["n"], address)
