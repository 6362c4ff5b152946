"""Daily usage: what the product counted for each account, with seasons, outages of the tracking, and the declines."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from unspun.book.demo.calendar import Bools, Floats, Ints, weekday_of, within_groups
from unspun.book.demo.customers import Accounts, Window
from unspun.book.demo.parameters import FEATURES, REGIONS, Parameters
from unspun.book.demo.terms import Contracts, Terms
from unspun.book.tables import CHURNED

EVERYWHERE = -1
ALL_MEASURES = "all"


@dataclass(frozen=True, slots=True)
class Outages:
    """Spans in which events were lost before they were counted. Both days are included; `region` is EVERYWHERE or an index."""

    begins: Ints
    ends: Ints
    region: Ints
    measure: tuple[str, ...]  # a feature, or ALL_MEASURES
    lost_share: Floats


@dataclass(frozen=True, slots=True)
class Usage:
    """One row an account and day on which anything was counted, sorted by account and day."""

    account: Ints
    day: Ints
    term: Ints
    logins: Ints
    active_users: Ints
    features: Ints  # shape (rows, features)


@dataclass(frozen=True, slots=True)
class _Days:
    """Every day of every term inside the window, in order; `row` is the term."""

    row: Ints
    account: Ints
    day: Ints


def plan_outages(window: Window) -> Outages:
    """The same four spans before any as-of day: everything for four days, two features for weeks, one region in part."""
    begins = window.last - np.array([940, 610, 330, 125])
    return Outages(
        begins=begins,
        ends=begins + np.array([3, 20, 9, 12]),
        region=np.array([EVERYWHERE, EVERYWHERE, REGIONS.index("EMEA"), EVERYWHERE]),
        measure=(ALL_MEASURES, FEATURES[0], ALL_MEASURES, FEATURES[2]),
        lost_share=np.array([1.0, 1.0, 0.6, 1.0]),
    )


def simulate_usage(rng: np.random.Generator, c: Contracts, outages: Outages, p: Parameters) -> Usage:
    """Counts drawn around the expected active users of each day; days on which nothing was counted leave no row."""
    accounts, days = c.accounts, _days_in_window(c.terms, c.window)
    users = _expected_users(rng, c, days, p)
    overall = users * _kept(accounts, outages, days, ALL_MEASURES)
    active = np.minimum(rng.poisson(overall), c.terms.seats[days.row])
    logins = active + rng.poisson(active * (p.logins_per_active - 1))
    appetite = np.exp(rng.normal(0, p.feature_log_sd, (len(accounts), len(FEATURES))))
    features = np.column_stack(
        [
            rng.poisson(active * rate * appetite[days.account, f] * _kept(accounts, outages, days, name))
            for f, (name, rate) in enumerate(zip(FEATURES, p.feature_rates, strict=True))
        ]
    )
    seen = active > 0
    return Usage(days.account[seen], days.day[seen], days.row[seen], logins[seen], active[seen], features[seen])


def _days_in_window(terms: Terms, window: Window) -> _Days:
    first, after = np.maximum(terms.start, window.first), np.minimum(terms.due, window.last + 1)
    length = np.maximum(after - first, 0)
    row = np.repeat(np.arange(len(terms)), length)
    return _Days(row, terms.account[row], first[row] + within_groups(length))


def _expected_users(rng: np.random.Generator, c: Contracts, days: _Days, p: Parameters) -> Floats:
    """Expected active users a day."""
    accounts, terms, window, account = c.accounts, c.terms, c.window, days.account
    fit = accounts.fit
    adoption = p.mean_adoption * np.exp(p.adoption_fit_effect * fit + rng.normal(0, p.adoption_log_sd, len(fit)))
    level = terms.seats[days.row] * np.minimum(adoption, 0.95)[account] * p.active_a_day
    settled = 0.3 + 0.7 * ((days.day - accounts.signed[account]) / p.onboarding_days).clip(0, 1)
    noise = _week_noise(rng, len(accounts), window, p)[account, (days.day - window.first) // 7]
    return level * settled * season(days.day, p) * noise * (1 - lost_to_decline(terms, days.row, days.day, p))


def season(day: Ints, p: Parameters) -> Floats:
    """Weekly shape, yearly wave (highest in April and October, lowest in January and July), and the turn of the year."""
    date = day.astype("datetime64[D]")
    month_start = date.astype("datetime64[M]").astype("datetime64[D]")
    of_year = (date - date.astype("datetime64[Y]").astype("datetime64[D]")).astype(np.int64)
    of_month, month = (date - month_start).astype(np.int64) + 1, month_start.astype("datetime64[M]").astype(np.int64) % 12 + 1
    holidays = ((month == 12) & (of_month >= 22)) | ((month == 1) & (of_month <= 2))
    wave = 1 - p.year_amplitude * np.cos(4 * np.pi * (of_year - 15) / 365.25)
    return np.array(p.weekday_share)[weekday_of(day)] * wave * np.where(holidays, p.holiday_share, 1.0)


def lost_to_decline(terms: Terms, row: Ints, day: Ints, p: Parameters) -> Floats:
    """Share of usage lost on a day: by the term's own decline, or what is left of the previous term's."""
    at_due = terms.decline_at(np.arange(len(terms)), terms.due)
    carries = np.r_[False, (terms.account[1:] == terms.account[:-1]) & (terms.outcome[:-1] != CHURNED)]
    before = np.where(carries, np.r_[0.0, at_due[:-1]], 0.0)
    left = before[row] * (1 - (day - terms.start[row]) / p.recovery_days).clip(0, 1)
    return np.maximum(left, terms.decline_at(row, day))


def _week_noise(rng: np.random.Generator, accounts: int, window: Window, p: Parameters) -> Floats:
    """Log-normal and autocorrelated from week to week, shape (accounts, weeks), mean one."""
    weeks = (window.last - window.first) // 7 + 1
    shocks = rng.normal(0, p.week_noise_sd, (weeks, accounts))
    for week in range(1, weeks):
        shocks[week] = p.week_noise_memory * shocks[week - 1] + np.sqrt(1 - p.week_noise_memory**2) * shocks[week]
    return np.exp(shocks.T - p.week_noise_sd**2 / 2)


def _kept(accounts: Accounts, outages: Outages, days: _Days, measure: str) -> Floats:
    """Share of a measure's events that was not lost on the way."""
    kept = np.ones(len(days.day))
    for o in np.flatnonzero([m == measure for m in outages.measure]):
        kept[_hit(accounts, outages, days, o)] *= 1 - outages.lost_share[o]
    return kept


def _hit(accounts: Accounts, outages: Outages, days: _Days, o: np.int64) -> Bools:
    inside = (days.day >= outages.begins[o]) & (days.day <= outages.ends[o])
    return inside & ((outages.region[o] == EVERYWHERE) | (accounts.region[days.account] == outages.region[o]))
