"""A first metrics.yml, proposed by what the tables of a book hold: plain measures to look at, none of them said to foretell anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unspun.book.mapping.source_writer import written_scalar
from unspun.metrics.question import HeldTable

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

    `event_names`: names of events that occur, the most frequent first; one that tells of logins gives a metric of its own.
    It is valid against the book (see check_against): whatever it proposes reads columns that are there.
    """
    found = [entry for entry in ENTRIES if _fits(entry, tables)]
    if not found:
        return HEAD + SOURCES + EXAMPLE
    lines = [line for entry in found for line in _told(entry.id, entry.lines)]
    login = next((name for name in event_names if "login" in name.casefold().replace(" ", "").replace("_", "")), "")
    if login and "events" in tables:
        lines = [*_logins(login, any(entry.id == "seats" for entry in found)), *lines]
    return f"{HEAD}{SOURCES}\nmetrics:\n" + "\n".join(lines) + "\n"


def _fits(entry: _Entry, tables: Mapping[str, HeldTable]) -> bool:
    held = tables.get(entry.table)
    return held is not None and all(column in held.columns for column in entry.columns)


def _told(id: str, lines: Sequence[str]) -> list[str]:
    return [f"  {id}:", *(f"    {line}" for line in lines)]


def _logins(event: str, has_seats: bool) -> list[str]:
    """Logins, and logins per seat where the book tells seats."""
    where = f"where: {{event: {written_scalar(event)}}}"
    made = _told("logins_28d", ("description: Logins of the last 28 days.", "unit: logins", "count: events", where, "window: 28d"))
    per_seat = ("description: Logins of the last 28 days by the seats on the day.", "unit: logins a seat", "per_seat: logins_28d")
    return made + (_told("logins_per_seat", per_seat) if has_seats else [])
