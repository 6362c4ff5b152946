"""The operation on one account: its page. Out of scope is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from unspun.app.access import Actor, Scope
from unspun.app.portfolio.conditions import Condition, within
from unspun.app.portfolio.notes import Note, StatedForecast, forecasts_of, notes_of
from unspun.app.portfolio.pages import read_body
from unspun.app.portfolio.run import FoundAccount, PortfolioRow, as_of, find_account, lines_of, no_account
from unspun.app.portfolio.standing import Standing, standing_of
from unspun.app.portfolio.timeline import TimelineItem, merged
from unspun.app.workspace import Workspace
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate
from unspun.warehouse.read_model import ReadModel, open_read_model


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

    `lines` are its lines of the portfolio; without one `standing` says why there is none. `renewals` are the same with all probabilities,
    reasons, similar past renewals (those within the scope by name) and coverage. `since` is the first day it is known to be a customer;
    `attributes` are what else the book says of it. `forecasts` are what people said of its renewals in the console, `calls` those of the
    book; `forecasters` the record of each.
    """

    account: FoundAccount
    as_of: date
    key: str
    book_version: int
    time_zone: str
    entries: Mapping[str, int | None]
    since: date | None
    lines: tuple[PortfolioRow, ...]
    standing: Standing | None
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
    body = read_account(model, account)
    notes, forecasts = notes_of(workspace, account), forecasts_of(workspace, account)
    lines = _lines(model, account)
    family = _relatives(model, actor.scope, account)
    return AccountDetail(
        account=found,
        as_of=as_of(model),
        key=model.key,
        book_version=model.meta["book_version"],
        time_zone=model.meta["time_zone"],
        entries=model.meta["entries"],
        since=None if body.get("since") is None else date.fromisoformat(body["since"]),
        lines=lines,
        standing=None if lines else standing_of(body, as_of(model)),
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


def read_account(model: ReadModel, account: str) -> dict[str, Any]:
    """What a read model holds of an account that the caller has found within the scope. Raises BadInput `no_account`."""
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


def estimate_of(record: Mapping[str, Any]) -> MaybeEstimate:
    """A published value as an estimate, or why there is none."""
    if "reason" in record:
        return NoEstimate(record["reason"], record["what_it_would_take"])
    return Estimate(**{**record, "caveats": tuple(record["caveats"])})
