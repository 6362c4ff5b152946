"""What the benchmark of the panel asks, in words that belong to no engine: thirty metrics, and three sets of as-of dates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

import numpy as np

ACCOUNTS = 20_000
HORIZONS_DAYS = (90, 60, 30)
EVENT_NAMES = (
    "login", "view report", "edit", "search", "api call", "comment", "upload", "export", "share", "invite", "payment", "change plan",
)  # fmt: skip
AsOfName = Literal["monthly", "weekly", "renewals"]


What = Literal["count", "sum", "average", "largest", "users", "days", "since last", "since first"]
EMPTY_WITHOUT_ROWS: tuple[What, ...] = ("average", "largest", "since last", "since first")
"""Of these there is no value where no row fits; of the others it is 0."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure of events: of those of one name ("": all), over so many days that end with the as-of date (0: all days up to it)."""

    id: str
    what: What
    window_days: int = 0
    event: str = ""
    days_earlier: int = 0


@dataclass(frozen=True, slots=True)
class Divided:
    """One measure by another, or by the seats of the account where `by` is empty."""

    id: str
    of: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Changed:
    """A measure less what it was 28 days earlier."""

    id: str
    of: str
    days: int = 28


MEASURES = (
    Measured("logins_7d", "count", 7, "login"),
    Measured("logins_28d", "count", 28, "login"),
    Measured("logins_90d", "count", 90, "login"),
    Measured("reports_28d", "count", 28, "view report"),
    Measured("reports_90d", "count", 90, "view report"),
    Measured("exports_28d", "count", 28, "export"),
    Measured("exports_90d", "count", 90, "export"),
    Measured("edits_28d", "count", 28, "edit"),
    Measured("api_calls_28d", "count", 28, "api call"),
    Measured("events_7d", "count", 7),
    Measured("events_28d", "count", 28),
    Measured("events_90d", "count", 90),
    Measured("value_28d", "sum", 28),
    Measured("value_90d", "sum", 90),
    Measured("paid_90d", "sum", 90, "payment"),
    Measured("average_value_28d", "average", 28),
    Measured("average_value_90d", "average", 90),
    Measured("largest_value_90d", "largest", 90),
    Measured("users_28d", "users", 28),
    Measured("users_90d", "users", 90),
    Measured("login_users_28d", "users", 28, "login"),
    Measured("active_days_28d", "days", 28),
    Measured("active_days_90d", "days", 90),
    Measured("days_since_event", "since last"),
    Measured("days_since_login", "since last", 0, "login"),
    Measured("days_since_first_event", "since first"),
)
DERIVED = (
    Divided("reports_per_login_28d", "reports_28d", "logins_28d"),
    Changed("events_change_28d", "events_28d"),
    Changed("users_change_28d", "users_28d"),
    Divided("events_per_seat_28d", "events_28d"),
)
IDS = tuple(one.id for one in (*MEASURES, *DERIVED))
EMPTY_IDS = (*(one.id for one in MEASURES if one.what in EMPTY_WITHOUT_ROWS), "reports_per_login_28d")
"""Those that may have no value for an account that uses the product; the rest are 0 then."""


def measure(id: str) -> Measured:
    return next(one for one in MEASURES if one.id == id)


def account_id(number: int) -> str:
    return f"acct-{number:05d}"


def monthly() -> list[date]:
    """The ends of the 24 months of 2024 and 2025."""
    firsts = [date(2024 + month // 12, month % 12 + 1, 1) for month in range(1, 25)]
    return [first - timedelta(days=1) for first in firsts]


def weekly() -> list[date]:
    """101 Sundays, the last of them the last of 2025."""
    return [date(2025, 12, 28) - timedelta(weeks=week) for week in reversed(range(101))]


def renewals(accounts: int) -> list[tuple[str, date]]:
    """Two renewals of each account by account and due day, 365 days apart, the first on a day of 2024."""
    days = np.random.default_rng(7).integers(0, 365, accounts).tolist()
    first = date(2024, 1, 1)
    return [(account_id(number), first + timedelta(days=day + later)) for number, day in enumerate(days) for later in (0, 365)]
