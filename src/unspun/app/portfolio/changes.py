"""The operation "what changed at an account" between two refreshes. Out of scope is not there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from unspun.app.access import Actor
from unspun.app.figure_columns import FigureColumns
from unspun.app.portfolio.account import estimate_of, read_account
from unspun.app.portfolio.pages import read_body
from unspun.app.portfolio.run import FoundAccount, as_of, find_account
from unspun.app.portfolio.timeline import TimelineItem, merged
from unspun.app.publication import FigureSet, from_document
from unspun.app.risk.figures import RISK
from unspun.app.workspace import Workspace
from unspun.errors import BadInput
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import MaybeEstimate
from unspun.warehouse.read_model import ReadModel, kept_keys, open_read_model


@dataclass(frozen=True, slots=True)
class ThenAndNow:
    """The probability of churn of one renewal then and now; reasons by name that came and went. None: the renewal was not there."""

    due: date
    then: MaybeEstimate | None
    now: MaybeEstimate | None
    new_reasons: tuple[str, ...]
    gone_reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricMoved:
    """A metric that has another value than then; None: it had, or has, none. `direction` 1: higher is better, -1: lower is."""

    id: str
    label: str
    unit: str
    direction: int
    then: float | None
    now: float | None


@dataclass(frozen=True, slots=True)
class AccountChanges:
    """What changed since an earlier look. `source` says what it is compared with: the read model of then, or only the figures that the
    ledger holds. `stated` are (what, then, now) of what the book says; `metrics` are those that moved, the largest share first; `happened`
    is what the timeline has since that as-of day."""

    source: str
    as_of: date
    entry: int | None
    renewals: tuple[ThenAndNow, ...]
    stated: tuple[tuple[str, str | None, str | None], ...]
    metrics: tuple[MetricMoved, ...]
    happened: tuple[TimelineItem, ...]


def changed_since(
    workspace: Workspace, actor: Actor, account: str, earlier_key: str, earlier_entry: int | None = None
) -> AccountChanges | None:
    """What changed at an account since the refresh that somebody saw (its key and risk entry, as AccountDetail gives them).

    None where that was this refresh, or neither its read model nor its entry is there any more. Raises as `account_detail` does.
    """
    actor.require("account.see")
    model = open_read_model(workspace.warehouse)
    if earlier_key == model.key:
        return None
    found = find_account(model, actor.scope, account)
    body = read_account(model, account)
    if earlier_key in kept_keys(workspace.warehouse):
        return _since_model(model, open_read_model(workspace.warehouse, earlier_key), found, body)
    return None if earlier_entry is None else _since_entry(workspace, model, found, body, earlier_entry)


def _since_model(model: ReadModel, earlier: ReadModel, account: FoundAccount, body: Mapping[str, Any]) -> AccountChanges | None:
    held = earlier.rows("SELECT body FROM detail WHERE account_id = ?", (account.account_id,))
    rows = earlier.rows("SELECT account_id, name, segment, owner FROM accounts WHERE account_id = ?", (account.account_id,))
    if not held or not rows:
        return None
    before, was = read_body(held[0][0]), FoundAccount(*rows[0])
    then = {one["due"]: one for one in before["renewals"]}
    now = {one["due"]: one for one in body["renewals"]}
    renewals = tuple(_compared(due, then.get(due), now.get(due)) for due in sorted({*then, *now}))
    stated = [(what, getattr(was, what), getattr(account, what)) for what in ("name", "segment", "owner")]
    told = tuple(one for one in stated if one[1] != one[2])
    day = as_of(earlier)
    moved = _moved(model, _latest(before, day), _latest(body, as_of(model)))
    return AccountChanges("read model", day, earlier.meta["entries"]["risk"], renewals, told, moved, _since(model, body, day))


def _moved(model: ReadModel, then: Mapping[str, float | None], now: Mapping[str, float | None]) -> tuple[MetricMoved, ...]:
    """Metrics that both refreshes measured, on their as-of days."""
    told = {id: model.meta["metrics"][id] for id in now if id in then and then[id] != now[id]}
    moved = [MetricMoved(id, one["label"], one["unit"], one["direction"], then[id], now[id]) for id, one in told.items()]
    return tuple(sorted(moved, key=_by_how_much, reverse=True))


def _latest(body: Mapping[str, Any], day: date) -> dict[str, float | None]:
    """Values of the as-of day; none where the account was no longer measured then."""
    days = body["trends"]["days"]
    return {id: one["values"][-1] for id, one in body["trends"]["metrics"].items()} if days and days[-1] == day.isoformat() else {}


def _by_how_much(one: MetricMoved) -> float:
    """Of the larger of both values; what came or went moved by all of it."""
    if one.then is None or one.now is None:
        return 1.0
    return abs(one.now - one.then) / max(abs(one.now), abs(one.then))


def _since(model: ReadModel, body: Mapping[str, Any], day: date) -> tuple[TimelineItem, ...]:
    return tuple(one for one in merged(body, model.meta["outages"]) if one.day > day)


def _compared(due: str, then: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> ThenAndNow:
    before, after = _labels(then), _labels(now)
    came, went = (tuple(one for one in some if one not in others) for some, others in ((after, before), (before, after)))
    return ThenAndNow(date.fromisoformat(due), _churn(then), _churn(now), came, went)


def _labels(renewal: Mapping[str, Any] | None) -> tuple[str, ...]:
    return () if renewal is None else tuple(one["label"] for one in renewal["reasons"])


def _churn(renewal: Mapping[str, Any] | None) -> MaybeEstimate | None:
    return None if renewal is None else estimate_of(renewal["probabilities"][OUTCOMES4[0]])


def _since_entry(
    workspace: Workspace, model: ReadModel, account: FoundAccount, body: Mapping[str, Any], entry: int
) -> AccountChanges | None:
    figures = _risk_entry(workspace, entry)
    if figures is None or figures.columns is None:
        return None
    then = _of_account(figures.columns, account.account_id)
    now = {one["due"]: one for one in body["renewals"]}
    renewals = tuple(ThenAndNow(date.fromisoformat(due), then.get(due), _churn(now.get(due)), (), ()) for due in sorted({*then, *now}))
    return AccountChanges("ledger", figures.as_of, entry, renewals, (), (), _since(model, body, figures.as_of))


def _risk_entry(workspace: Workspace, entry: int) -> FigureSet | None:
    try:
        with workspace.catalog() as catalog:
            document = catalog.publication(entry).document
    except BadInput:
        return None
    figures = None if document is None else from_document(document)
    return figures if figures is not None and figures.kind == RISK else None


def _of_account(columns: FigureColumns, account: str) -> dict[str, MaybeEstimate]:
    churn = columns.figures[OUTCOMES4[0]]
    pairs = enumerate(zip(columns.account, columns.due, strict=True))
    return {due.isoformat(): churn.estimate(at) for at, (one, due) in pairs if one == account}
