"""As-of sets: the dates on which a panel has rows. A date means the end of that day in the book's time zone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Step = Literal["day", "week", "month", "quarter", "year"]
STEPS: tuple[Step, ...] = ("day", "week", "month", "quarter", "year")
MOST_DATES = 36_600


@dataclass(frozen=True, slots=True)
class Dates:
    """The same dates for every account, in order, each once. `told` is how they were asked for ("every month from ... to ...")."""

    dates: tuple[date, ...]
    told: str = ""


@dataclass(frozen=True, slots=True)
class BeforeRenewals:
    """So many days before each renewal of each account: (account, due) of `dues`, at each of `horizons_days`, in descending order.

    A unit is an account, a due day and a horizon; its as-of date is `due` less the horizon.
    """

    dues: tuple[tuple[str, date], ...]
    horizons_days: tuple[int, ...]
    told: str = ""


AsOf = Dates | BeforeRenewals
