"""Companies whose usage is simulated for the study of the tracking check, with outages and with customers who use less.

Written apart from the check and without a look at its rules. Counts have the shape (accounts, events, days).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

DAYS = 730
FIRST_DAY = 19_000  # 2022-01-08
EVENTS = ("login", "report", "export", "comment", "invoice")
POPULARITY = np.array([1.0, 0.5, 0.2, 0.35, 0.12])
INVOICE = 4  # peaks on the last two days of a month
REGIONS = ("North", "South", "East")
Scope = Literal["one event", "all events", "one region"]
THANKSGIVING = np.array(["2022-11-24", "2022-11-25", "2023-11-23", "2023-11-24"], dtype="datetime64[D]")
EASTER = np.array(["2022-04-15", "2022-04-18", "2023-04-07", "2023-04-10"], dtype="datetime64[D]")  # Friday and Monday
SCOPES: tuple[Scope, ...] = ("one event", "all events", "one region")
KEPT = (0.75, 0.5, 0.25, 0.0, 2.0)
LENGTHS = (1, 3, 7, 21)
Less = Literal["churn wave", "gradual decline", "largest account leaves", "contract year ends"]
LESS: tuple[Less, ...] = ("churn wave", "gradual decline", "largest account leaves", "contract year ends")


@dataclass(frozen=True, slots=True)
class Company:
    """`counts` by account, event and day; the region of each account; the event retired for good and its last day (-1: none)."""

    counts: Ints
    region: Ints
    retired: int
    retired_on: int
    size: Floats


@dataclass(frozen=True, slots=True)
class Outage:
    scope: Scope
    target: int  # an event or a region; 0 for all events
    kept: float
    first: int
    days: int

    @property
    def last(self) -> int:
        return self.first + self.days - 1


def simulate_company(rng: np.random.Generator, accounts: int) -> Company:
    """Two years of a company that grows and loses customers, with seasons, holidays, a new event and, in one of four, a retired one."""
    size = np.exp(rng.normal(0, 1.2, accounts))
    taste = np.exp(rng.normal(0, 0.6, (accounts, len(EVENTS))))
    busy = rng.uniform(2, 12)  # logins a working day of a typical account
    rate = busy * size[:, None] * taste * POPULARITY
    course = _alive(rng, accounts) * _week_noise(rng, accounts) * _company_days(rng)
    ours = np.exp(rng.normal(0, 0.04, (len(EVENTS), DAYS)))  # an event's own days
    ours[INVOICE] *= np.where(_to_month_end() <= 2, 3.0, 1.0)
    starts = int(rng.integers(60, 400))
    ours[3, :starts] = 0
    ours[3, starts : starts + 60] *= np.linspace(0.1, 1, 60)
    retired_on = int(rng.integers(500, 650)) if rng.random() < 0.25 else -1
    if retired_on >= 0:
        ours[2, retired_on + 1 :] = 0
    counts = np.empty((accounts, len(EVENTS), DAYS), dtype=np.int64)
    for event in range(len(EVENTS)):
        mean = rate[:, event, None] * course * ours[event]
        counts[:, event] = rng.poisson(mean * rng.gamma(3, 1 / 3, mean.shape))
    return Company(counts, rng.choice(3, accounts, p=[0.5, 0.3, 0.2]), 2 if retired_on >= 0 else -1, retired_on, size)


def plan_outages(rng: np.random.Generator, company: Company) -> list[Outage]:
    """Five outages of random scope, size and length, far from each other; none of the event that is retired or of the new one."""
    planned: list[Outage] = []
    for first in (rng.integers(0, 40, 5) + np.array([90, 205, 320, 435, 550])).tolist():
        scope = SCOPES[int(rng.integers(3))]
        target = 0 if scope == "all events" else int(rng.integers(2 if scope == "one event" else 3))
        planned.append(Outage(scope, target, float(rng.choice(KEPT)), first, int(rng.choice(LENGTHS))))
    return planned


def with_outages(rng: np.random.Generator, company: Company, outages: list[Outage]) -> Ints:
    counts = company.counts.copy()
    for one in outages:
        which = company.region == one.target if one.scope == "one region" else np.ones(len(counts), dtype=bool)
        events = slice(one.target, one.target + 1) if one.scope == "one event" else slice(None)
        hit = counts[which, events, one.first : one.first + one.days]
        counts[which, events, one.first : one.first + one.days] = 2 * hit if one.kept > 1 else rng.binomial(hit, one.kept)
    return counts


def with_less_use(rng: np.random.Generator, company: Company, less: Less, first: int) -> Ints:
    """Customers who use less from a day on."""
    counts = company.counts.copy()
    accounts = len(counts)
    if less == "largest account leaves":
        counts[np.argmax(counts[:, :, first - 28 : first].sum(axis=(1, 2))), :, first:] = 0
        return counts
    if less == "gradual decline":
        left = np.linspace(1, rng.uniform(0.4, 0.7), 60)
        kept = np.r_[np.ones(first), left, np.full(DAYS - first - 60, left[-1])]
        return rng.binomial(counts, kept)
    leaves = rng.random(accounts) < rng.uniform(0.2, 0.4)
    when = np.full(accounts, first) if less == "contract year ends" else first + rng.integers(0, 30, accounts)
    counts[(leaves[:, None] & (np.arange(DAYS) >= when[:, None]))[:, None, :].repeat(len(EVENTS), axis=1)] = 0
    return counts


def _alive(rng: np.random.Generator, accounts: int) -> Floats:
    """0 before an account signs and after it leaves; use builds up over six weeks."""
    signs = np.where(rng.random(accounts) < 0.6, -100, rng.integers(0, DAYS, accounts))
    leaves = signs + rng.exponential(1500, accounts)
    day = np.arange(DAYS)
    built = ((day - signs[:, None]) / 42).clip(0, 1)
    return built * (day < leaves[:, None])


def _week_noise(rng: np.random.Generator, accounts: int) -> Floats:
    weeks = DAYS // 7 + 1
    noise = rng.normal(0, 0.35, (accounts, weeks))
    for week in range(1, weeks):
        noise[:, week] = 0.7 * noise[:, week - 1] + np.sqrt(1 - 0.49) * noise[:, week]
    return np.exp(noise - 0.06)[:, np.arange(DAYS) // 7]


def _company_days(rng: np.random.Generator) -> Floats:
    """The week, the year, holidays, and how busy each day was for everybody."""
    days = (FIRST_DAY + np.arange(DAYS)).astype("datetime64[D]")
    weekday = (FIRST_DAY + np.arange(DAYS) + 3) % 7
    week = np.array([1.0, 1.08, 1.06, 1.02, 0.9, *([rng.uniform(0.03, 0.5)] * 2)])[weekday]
    of_year = (days - days.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    year = 1 - rng.uniform(0, 0.2) * np.cos(4 * np.pi * (of_year - 15) / 365.25)
    kept = np.ones(DAYS)
    kept[(of_year >= 355) | (of_year <= 1)] = rng.uniform(0.2, 0.6)
    for holiday in rng.choice(np.arange(20, 345), 8, replace=False).tolist():
        kept[of_year == holiday] = rng.uniform(0.1, 0.5)
    kept[np.isin(days, THANKSGIVING)] = rng.uniform(0.3, 0.6)
    kept[np.isin(days, EASTER)] = rng.uniform(0.2, 0.5)
    if rng.random() < 0.2:  # a country with a week of holidays in spring or autumn
        week_off = int(rng.choice([118, 273]))
        kept[(of_year >= week_off) & (of_year < week_off + 7)] = rng.uniform(0.2, 0.6)
    return week * year * kept * np.exp(rng.normal(0, 0.05, DAYS))


def _to_month_end() -> Ints:
    days = (FIRST_DAY + np.arange(DAYS)).astype("datetime64[D]")
    return ((days.astype("datetime64[M]") + 1).astype("datetime64[D]") - days).astype(np.int64)
