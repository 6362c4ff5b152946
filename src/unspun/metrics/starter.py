"""A first metrics.yml, proposed by what the tables of a book hold: plain measures to look at, none of them said to foretell anything."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unspun.book.mapping.source_writer import written_scalar
from unspun.metrics.question import HeldTable

MOST_PROPOSED = 5  # metrics of names of events, and as many of their numbers
LONGEST_ID, LONGEST_NAME = 50, 100
HEAD = """# The metrics: what is measured of each account, as of any date.
#
# Each metric has an id, a description, and one kind of measure with its table, conditions and window. None of them reads a row that
# was not known on the as-of date. Every word that can stand here: docs/reference/metrics-yml.md
# See what a metric means: unspun metrics explain ID. See the rows behind a value: unspun metrics show ID --account A
"""
SOURCES = """
# What may be said of accounts and days without rows. This is what holds where it is left out.
#sources:
#  events: {covers: seen accounts, silent_days: 7}    # an account that never sent an event is not connected: no value, and not 0
"""
EXAMPLE = """
# A worked example: take the # off the lines that you need, once tables are loaded.
metrics:
#  logins_28d:
#    name: Logins
#    description: How often anybody of the account logged in.
#    unit: logins
#    direction: higher
#    count: events
#    where: {event: login}
#    window: 28d
#  logins_per_seat:
#    description: Logins of the last 28 days by the seats that are paid for.
#    direction: higher
#    per_seat: logins_28d
#  logins_change:
#    description: Logins of the last 28 days, by those of the 28 days before.
#    change: {of: logins_28d, days: 28d, as: ratio}
#  open_tickets:
#    description: Tickets that are not closed.
#    direction: lower
#    open: tickets
"""


@dataclass(frozen=True, slots=True)
class _Entry:
    """A metric to propose where its table holds rows and has the columns."""

    id: str
    table: str
    lines: tuple[str, ...]
    columns: tuple[str, ...] = ()


ENTRIES = (
    _Entry("events_28d", "events", ("description: Events of the last 28 days.", "unit: events", "count: events", "window: 28d")),
    _Entry(
        "active_days_28d",
        "events",
        (
            "description: Days of the last 28 on which anybody of the account did something.",
            "unit: days",
            "active_days: events",
            "window: 28d",
        ),
    ),
    _Entry(
        "users_28d",
        "events",
        ("description: People who did something in the last 28 days.", "unit: people", "distinct: events.user_id", "window: 28d"),
        ("user_id",),
    ),
    _Entry(
        "days_since_event",
        "events",
        ("description: Days since anybody of the account did anything.", "unit: days", "days_since_last: events"),
    ),
    _Entry(
        "events_change",
        "events",
        (
            "description: Events of the last 28 days less those of the 28 days before.",
            "unit: events",
            "change: {of: events_28d, days: 28d}",
        ),
    ),
    _Entry(
        "events_z",
        "events",
        ("description: Events of the last 28 days beside those of all other accounts.", "unit: standard deviations", "z_score: events_28d"),
    ),
    _Entry(
        "tickets_90d", "tickets", ("description: Tickets opened in the last 90 days.", "unit: tickets", "count: tickets", "window: 90d")
    ),
    _Entry("open_tickets", "tickets", ("description: Tickets that are not closed.", "unit: tickets", "open: tickets")),
    _Entry(
        "satisfaction_180d",
        "tickets",
        ("description: Mean rating of the answers to tickets of the last 180 days.", "average: tickets.satisfaction", "window: 180d"),
        ("satisfaction",),
    ),
    _Entry("last_answer", "responses", ("description: The last answer to a survey.", "last: responses.answer"), ("answer",)),
    _Entry(
        "days_since_response",
        "responses",
        ("description: Days since the last answer to a survey.", "unit: days", "days_since_last: responses"),
    ),
    _Entry(
        "days_since_touchpoint",
        "touchpoints",
        ("description: Days since the team last met, wrote to or called the customer.", "unit: days", "days_since_last: touchpoints"),
    ),
    _Entry(
        "touchpoints_90d",
        "touchpoints",
        ("description: Touchpoints of the last 90 days.", "unit: touchpoints", "count: touchpoints", "window: 90d"),
    ),
    _Entry(
        "purchases_365d",
        "purchases",
        ("description: Lines bought in the last 365 days.", "unit: lines", "count: purchases", "window: 365d"),
    ),
    _Entry(
        "orders_365d",
        "purchases",
        ("description: Orders of the last 365 days.", "unit: orders", "distinct: purchases.purchase_id", "window: 365d"),
        ("purchase_id",),
    ),
    _Entry(
        "quantity_365d",
        "purchases",
        ("description: Pieces bought in the last 365 days, less returns.", "sum: purchases.quantity", "window: 365d"),
        ("quantity",),
    ),
    _Entry(
        "spend_365d",
        "purchases",
        ("description: What was bought in the last 365 days, less returns.", "sum: purchases.amount", "window: 365d"),
        ("amount",),
    ),
    _Entry("days_since_purchase", "purchases", ("description: Days since the last purchase.", "unit: days", "days_since_last: purchases")),
    _Entry("arr", "subscriptions", ("name: ARR", "description: Annual recurring revenue on the day.", "arr: true"), ("amount",)),
    _Entry("seats", "subscriptions", ("description: Seats on the day.", "unit: seats", "seats: true"), ("seats",)),
    _Entry(
        "days_as_customer",
        "subscriptions",
        ("description: Days since the first term began.", "unit: days", "days_since_first: subscriptions"),
    ),
    _Entry("contacts", "contacts", ("description: People known at the customer.", "unit: people", "open: contacts")),
    _Entry("segment", "accounts", ("description: The account's segment on the day.", "attribute: segment"), ("segment",)),
    _Entry("owner", "accounts", ("description: Who looked after the account on the day.", "attribute: owner"), ("owner",)),
)


def starter_text(tables: Mapping[str, HeldTable], event_names: Sequence[str] = ()) -> str:
    """A commented metrics.yml for a book that holds these tables; without tables a worked example, all of it comments.

    `event_names`: names of events that occur, the most frequent first. The first of them, and one that tells of logins, give metrics of
    their own, and so do numbers that the events have. It is valid against the book (see check_against): whatever it proposes reads
    columns that are there.
    """
    found = {entry.id: entry.lines for entry in ENTRIES if _fits(entry, tables)}
    if not found:
        return HEAD + SOURCES + EXAMPLE
    if "events" in tables:
        named = _of_names(event_names, "seats" in found)
        found = {**named, **_of_numbers(tables["events"]), **found, **{id: told for id, told in named.items() if id not in found}}
    lines = [line for id, told in found.items() for line in _told(id, told)]
    return f"{HEAD}{SOURCES}\nmetrics:\n" + "\n".join(lines) + "\n"


def _fits(entry: _Entry, tables: Mapping[str, HeldTable]) -> bool:
    held = tables.get(entry.table)
    return held is not None and all(column in held.columns for column in entry.columns)


def _told(id: str, lines: Sequence[str]) -> list[str]:
    return [f"  {id}:", *(f"    {line}" for line in lines)]


def _of_names(names: Sequence[str], has_seats: bool) -> dict[str, tuple[str, ...]]:
    """Logins, and logins per seat where the book tells seats; then the events that are there most, where there are several."""
    found: dict[str, tuple[str, ...]] = {}
    login = next((name for name in names if name.isprintable() and "login" in name.casefold().replace(" ", "").replace("_", "")), None)
    if login is not None:
        found["logins_28d"] = ("description: Logins of the last 28 days.", "unit: logins", *_counted(login))
        if has_seats:
            said = "description: Logins of the last 28 days by the seats on the day."
            found["logins_per_seat"] = (said, "unit: logins a seat", "per_seat: logins_28d")
    for name in [name for name in names[:MOST_PROPOSED] if name != login and len(names) > 1]:
        if id := _id(name):
            said = written_scalar(f"Events '{name}' of the last 28 days.")
            found.setdefault(id, (f"description: {said}", "unit: events", *_counted(name)))
    return found


def _counted(event: str) -> tuple[str, ...]:
    return ("count: events", f"where: {{event: {written_scalar(event)}}}", "window: 28d")


def _of_numbers(events: HeldTable) -> dict[str, tuple[str, ...]]:
    """The sums of the numbers that events have: how long, how many, how much."""
    numbers = [name for name, kind in events.columns.items() if kind in ("number", "whole")]
    found: dict[str, tuple[str, ...]] = {}
    for name in numbers[:MOST_PROPOSED]:
        if id := _id(name):
            said = written_scalar(f"Sum of '{name}' over the events of the last 28 days.")
            found[id] = (f"description: {said}", f"sum: {written_scalar(f'events.{name}')}", "window: 28d")
    return found


def _id(name: str) -> str:
    """An id that a metric of a name may have; "" where it has no letter to begin with, or cannot stand in a description."""
    if len(name) > LONGEST_NAME or not name.isprintable():
        return ""
    words = re.sub("[^a-z0-9]+", "_", name.casefold()).strip("_0123456789")[:LONGEST_ID].rstrip("_")
    return f"{words}_28d" if words else ""
