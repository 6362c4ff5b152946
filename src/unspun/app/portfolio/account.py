"""The operations on one account: its page, and what changed there since somebody looked last. Out of scope is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from unspun.app.access import Actor, Scope
from unspun.app.figure_columns import FigureColumns
from unspun.app.portfolio.conditions import Condition, within
from unspun.app.portfolio.notes import Note, StatedForecast, forecasts_of, notes_of
from unspun.app.portfolio.pages import read_body
from unspun.app.portfolio.run import FoundAccount, PortfolioRow, as_of, find_account, lines_of, no_account
from unspun.app.portfolio.timeline import TimelineItem, merged
from unspun.app.publication import FigureSet, from_document
from unspun.app.risk.figures import RISK
from unspun.app.workspace import Workspace
from unspun.errors import BadInput
from unspun.risk.rows import OUTCOMES4
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.warehouse.read_model import ReadModel, kept_keys, open_read_model


@dataclass(frozen=True, slots=True)
class Trend:
    """A metric of the account on the first days of months and on the as-of day. None in `values`: missing, and by place in `missing` why;
    `carried` are values from before an outage, by place, with their age in days."""

    id: str
    label: str
    unit: str
    direction: int
    days: tuple[date, ...]
    values: tuple[float | None, ...]
    missing: Mapping[int, str]
    carried: Mapping[int, tuple[float, int]]


@dataclass(frozen=True, slots=True)
class AccountDetail:
    """The page of an account as of a refresh (`key`, `entries`), with the notes and forecasts that people wrote since.

    `lines` are its lines of the portfolio; `renewals` the same with all probabilities, reasons, similar past renewals (those within the
    scope by name) and coverage. `since` is the first day it is known to be a customer; `attributes` are what else the book says of it.
    `forecasts` are what people said of its renewals in the console, `calls` those of the book; `forecasters` the record of each.
    """

    account: FoundAccount
    as_of: date
    key: str
    book_version: int
    time_zone: str
    entries: Mapping[str, int | None]
    since: date | None
    lines: tuple[PortfolioRow, ...]
    renewals: tuple[Mapping[str, Any], ...]
    trends: tuple[Trend, ...]
    timeline: tuple[TimelineItem, ...]
    terms: tuple[Mapping[str, Any], ...]
    subscriptions: tuple[Mapping[str, Any], ...]
    people: tuple[Mapping[str, Any], ...]
    calls: tuple[Mapping[str, Any], ...]
    attributes: Mapping[str, str | None]
    parent: FoundAccount | None
    children: tuple[FoundAccount, ...]
    notes: tuple[Note, ...]
    forecasts: tuple[StatedForecast, ...]
    forecasters: tuple[Mapping[str, Any], ...]


def account_detail(workspace: Workspace, actor: Actor, account: str) -> AccountDetail:
    """The page of an account. Raises Forbidden; BadInput `no_account` where there is none, or none within the scope."""
    actor.require("account.see")
    model = open_read_model(workspace.warehouse)
    found = find_account(model, actor.scope, account)
    body = _body(model, account)
    notes, forecasts = notes_of(workspace, account), forecasts_of(workspace, account)
    family = _relatives(model, actor.scope, account)
    return AccountDetail(
        account=found,
        as_of=as_of(model),
        key=model.key,
        book_version=model.meta["book_version"],
        time_zone=model.meta["time_zone"],
        entries=model.meta["entries"],
        since=None if body.get("since") is None else date.fromisoformat(body["since"]),
        lines=_lines(model, account),
        renewals=tuple(_seen(one, _named_within(model, actor.scope, body)) for one in body["renewals"]),
        trends=tuple(_trends(model, body["trends"])),
        timeline=merged(body, model.meta["outages"], _said(notes, forecasts, model.meta["time_zone"])),
        terms=tuple(body["terms"]),
        subscriptions=tuple(body.get("subscriptions", ())),
        people=tuple(body.get("contacts", ())),
        calls=tuple(body.get("calls", ())),
        attributes=body.get("attributes", {}),
        parent=family[0],
        children=family[1],
        notes=notes,
        forecasts=forecasts,
        forecasters=tuple(model.meta["forecasters"]),
    )


def _body(model: ReadModel, account: str) -> dict[str, Any]:
    rows = model.rows("SELECT body FROM detail WHERE account_id = ?", (account,))
    if not rows:
        raise no_account(account)
    return read_body(rows[0][0])


def _lines(model: ReadModel, account: str) -> tuple[PortfolioRow, ...]:
    return lines_of(model, Condition("account_id = ?", (account,)), "due IS NULL, due, line")


def _relatives(model: ReadModel, scope: Scope, account: str) -> tuple[FoundAccount | None, tuple[FoundAccount, ...]]:
    """The parent and the children that are within the scope."""
    condition, read = within(scope), "SELECT account_id, name, segment, owner FROM accounts WHERE"
    above = f"{read} account_id = (SELECT parent_id FROM accounts WHERE account_id = ?) AND {condition.sql}"
    below = f"{read} parent_id = ? AND account_id <> parent_id AND {condition.sql} ORDER BY name, account_id"
    parent, children = (model.rows(sql, (account, *condition.parameters)) for sql in (above, below))
    return (FoundAccount(*parent[0]) if parent else None), tuple(FoundAccount(*one) for one in children)


def _named_within(model: ReadModel, scope: Scope, body: Mapping[str, Any]) -> frozenset[str] | None:
    """Of the accounts that past renewals are of, those within the scope; None: all of them."""
    if scope.everything:
        return None
    named = {past[0] for one in body["renewals"] for past in one["similar"].get("renewals", ())}
    condition = within(scope) & within(Scope(accounts=frozenset(named)))
    return frozenset(one for (one,) in model.rows(f"SELECT account_id FROM accounts WHERE {condition.sql}", condition.parameters))


def _seen(renewal: Mapping[str, Any], named: frozenset[str] | None) -> Mapping[str, Any]:
    """A renewal whose similar past renewals are named only where their accounts may be seen."""
    past = renewal["similar"].get("renewals")
    if named is None or past is None:
        return renewal
    return {**renewal, "similar": {**renewal["similar"], "renewals": [one for one in past if one[0] in named]}}


def _trends(model: ReadModel, held: Mapping[str, Any]) -> Iterator[Trend]:
    days = tuple(date.fromisoformat(one) for one in held["days"])
    for id, one in held["metrics"].items():
        told, missing = model.meta["metrics"][id], {int(place): why for place, why in one["missing"].items()}
        carried = {int(place): (value, age) for place, (value, age) in one.get("carried", {}).items()}
        yield Trend(id, told["label"], told["unit"], told["direction"], days, tuple(one["values"]), missing, carried)


def _said(notes: tuple[Note, ...], forecasts: tuple[StatedForecast, ...], zone: str) -> list[TimelineItem]:
    """What people wrote, as items of the timeline."""
    there = ZoneInfo(zone)
    written = [
        TimelineItem(one.at.astimezone(there).date(), "note", f"{one.author}: {one.text}", fields={"entry": one.entry}) for one in notes
    ]
    return written + [
        TimelineItem(
            one.at.astimezone(there).date(),
            "forecast",
            f"{one.author}: renews with {100 * one.probability:.0f} %, due on {one.due}",
            fields={"entry": one.entry, "reason": one.reason},
        )
        for one in forecasts
    ]


# What changed


@dataclass(frozen=True, slots=True)
class ThenAndNow:
    """The probability of churn of one renewal then and now; reasons by name that came and went. None: the renewal was not there."""

    due: date
    then: MaybeEstimate | None
    now: MaybeEstimate | None
    new_reasons: tuple[str, ...]
    gone_reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AccountChanges:
    """What changed since an earlier look. `source` says what it is compared with: the read model of then, or only the figures that the
    ledger holds. `stated` are (what, then, now) of what the book says; `happened` is what the timeline has since that as-of day."""

    source: str
    as_of: date
    entry: int | None
    renewals: tuple[ThenAndNow, ...]
    stated: tuple[tuple[str, str | None, str | None], ...]
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
    body = _body(model, account)
    if earlier_key in kept_keys(workspace.warehouse):
        return _since_model(model, open_read_model(workspace.warehouse, earlier_key), found, body)
    return None if earlier_entry is None else _since_entry(workspace, model, found, body, earlier_entry)


def _since_model(model: ReadModel, earlier: ReadModel, account: FoundAccount, body: Mapping[str, Any]) -> AccountChanges | None:
    held = earlier.rows("SELECT body FROM detail WHERE account_id = ?", (account.account_id,))
    rows = earlier.rows("SELECT account_id, name, segment, owner FROM accounts WHERE account_id = ?", (account.account_id,))
    if not held or not rows:
        return None
    then, was = {one["due"]: one for one in read_body(held[0][0])["renewals"]}, FoundAccount(*rows[0])
    now = {one["due"]: one for one in body["renewals"]}
    renewals = tuple(_compared(due, then.get(due), now.get(due)) for due in sorted({*then, *now}))
    stated = [(what, getattr(was, what), getattr(account, what)) for what in ("name", "segment", "owner")]
    told = tuple(one for one in stated if one[1] != one[2])
    day = as_of(earlier)
    return AccountChanges("read model", day, earlier.meta["entries"]["risk"], renewals, told, _since(model, body, day))


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


def estimate_of(record: Mapping[str, Any]) -> MaybeEstimate:
    """A published value as an estimate, or why there is none."""
    if "reason" in record:
        return NoEstimate(record["reason"], record["what_it_would_take"])
    return Estimate(**{**record, "caveats": tuple(record["caveats"])})


def _since_entry(
    workspace: Workspace, model: ReadModel, account: FoundAccount, body: Mapping[str, Any], entry: int
) -> AccountChanges | None:
    figures = _risk_entry(workspace, entry)
    if figures is None or figures.columns is None:
        return None
    then = _of_account(figures.columns, account.account_id)
    now = {one["due"]: one for one in body["renewals"]}
    renewals = tuple(ThenAndNow(date.fromisoformat(due), then.get(due), _churn(now.get(due)), (), ()) for due in sorted({*then, *now}))
    return AccountChanges("ledger", figures.as_of, entry, renewals, (), _since(model, body, figures.as_of))


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
