"""Simulated companies with a known truth: renewals by parents, accounts and years, and scores that know or do not know.

Churn's log-odds are linear in the account's segment, log ARR, tenure and last outcome (what the baseline sees), a parent's
random effect, and a health that moves from month to month (what a useful score sees, through noise). All noise in scores is
clustered too: parents and accounts have their own lasting level, and the rest is autocorrelated in time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy import signal, special

from unspun.book.tables import CHURNED, CONTRACTED, EXPANDED, RENEWED, UNDECIDED, Codes, Renewals, ScoreHistory, ScoreSeries, Source

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

AS_OF = date(2025, 12, 31)
FIRST_DUE, LAST_DUE = np.datetime64("2022-01-01"), np.datetime64("2025-12-31")
TERM_DAYS, HORIZON_DAYS = 365, 90
MONTHS = np.arange("2021-09", "2026-01", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
START, END = int(FIRST_DUE.astype(np.int64)), int(LAST_DUE.astype(np.int64))

SEGMENT_SHARES = (0.5, 0.3, 0.2)
SEGMENT_EFFECT = np.array([0.6, 0.0, -0.6])
LAST_EFFECT = {UNDECIDED: 0.1, RENEWED: 0.0, CONTRACTED: 0.8, EXPANDED: -0.6}
ARR_EFFECT, TENURE_EFFECT, HEALTH_EFFECT = -0.45, -0.45, 1.6
CONTRACTED_SHARE, EXPANDED_SHARE = 0.10, 0.20  # of the renewals that did not churn
UNSCORED_SHARE = 0.05  # of accounts

# How much of each score is signal, and of its noise which shares are the parent's lasting level and the account's.
CLUSTERED, SHARED_BY_PARENTS = (0.35, 0.25), (0.85, 0.05)
MODEST_SIGNAL, STRONG_SIGNAL, REDUNDANT_NOISE_SD = 0.45, 0.83, 0.35


@dataclass(frozen=True, slots=True)
class Clustering:
    """How parents hold accounts: the shares of parents with so many accounts, and the spread of their effect on churn's log-odds.

    `churned_per_parent` is what comes of it over the four years, by which a wanted number of churned units is divided.
    """

    sizes: tuple[int, ...]
    size_shares: tuple[float, ...]
    parent_sd: float
    base_log_odds: float
    churned_per_parent: float


USUAL = Clustering((1, 2, 3, 4, 5, 6), (0.40, 0.25, 0.14, 0.09, 0.07, 0.05), 0.5, -2.8, 0.71)
HEAVY = Clustering((2, 4, 8, 16), (0.4, 0.3, 0.2, 0.1), 1.5, -3.4, 1.5)


@dataclass(frozen=True, slots=True)
class Company:
    """Both tables, the true churn probability of each renewal, and which history row holds an account's month (-1: none)."""

    renewals: Renewals
    scores: ScoreHistory
    probability: Floats
    row_of: Ints


@dataclass(frozen=True, slots=True)
class _Accounts:
    parent: Ints
    segment: Ints
    first_due: Ints
    log_arr: Floats
    parent_effect: Floats


@dataclass(frozen=True, slots=True)
class _Years:
    """One entry a renewal, in order of year; `baseline` is the log-odds the baseline's columns give each (account, year)."""

    account: Ints
    due: Ints
    outcome: NDArray[np.int8]
    before: Floats
    after: Floats
    probability: Floats
    baseline: Floats


def simulate_company(rng: np.random.Generator, churned: int, scores: tuple[str, ...], clustering: Clustering = USUAL) -> Company:
    """A company whose eligible churned renewals number about `churned`, with the scores named (see `_risk`)."""
    accounts = _accounts(rng, max(2, round(churned / clustering.churned_per_parent)), clustering)
    health = _clustered(rng, accounts.parent, (0.15, 0.15), moving_parent=0.2)
    years = _years(rng, accounts, health, clustering.base_log_odds)
    active, year = _active_months(accounts, years)
    active &= rng.random((len(active), 1)) >= UNSCORED_SHARE
    account, month = np.nonzero(active)
    row_of = np.full(active.shape, -1)
    row_of[account, month] = np.arange(len(account))
    expected = years.baseline[account, year[account, month]]
    series = tuple(ScoreSeries(name, _score(_risk(rng, name, accounts, health, account, month, expected))) for name in scores)
    codes = Codes(account.astype(np.int32), _names("a", len(active)))
    history = ScoreHistory(_source("scores", len(account)), np.arange(len(account)), codes, _times(MONTHS[month]), series)
    return Company(_renewals(rng, accounts, years), history, years.probability, row_of)


def with_one_score(history: ScoreHistory, name: str) -> ScoreHistory:
    """The same history with one of its scores."""
    return replace(history, series=tuple(series for series in history.series if series.name == name))


def record_late(rng: np.random.Generator, company: Company, share: float, share_of_churned: float, mean_days: float = 90) -> Company:
    """Recording days: most on the day itself; the rest late by an exponential delay, for the churned with their own share.

    What was recorded is what was so on its date, however late: the history is honest.
    """
    history = company.scores
    late = rng.random(len(history.row)) < share
    looked_at = _rows_looked_at(company)
    late[looked_at] = rng.random(len(looked_at)) < share_of_churned
    delay = np.where(late, 1 + rng.exponential(mean_days, len(late)), 0)
    recorded = history.dated + delay.astype(np.int64).astype("timedelta64[D]")
    return replace(company, scores=replace(history, recorded=recorded))


def edit_churned(rng: np.random.Generator, company: Company, share: float) -> Company:
    """Overwrite a share of the churned units' scores, some days after the outcome was known, with values from the worst fifth."""
    company = record_late(rng, company, 0.0, 0.0)
    history, renewals = company.scores, company.renewals
    if history.recorded is None or renewals.outcome_known is None:
        raise ValueError("leaks need days of recording and of knowing")
    churned = np.flatnonzero(renewals.outcome == CHURNED)
    rows = _row_looked_at(company, churned)
    picked = (rows >= 0) & (rng.random(len(rows)) < share)
    rows, known = rows[picked], renewals.outcome_known[churned[picked]]
    recorded = history.recorded.copy()
    recorded[rows] = known + rng.integers(1, 30, len(rows)).astype("timedelta64[D]")
    series = []
    for one in history.series:
        values = one.values.copy()
        values[rows] = np.minimum(values[rows], np.quantile(values, rng.uniform(0.02, 0.2, len(rows))).round())
        series.append(replace(one, values=values))
    return replace(company, scores=replace(history, recorded=recorded, series=tuple(series)))


def _rows_looked_at(company: Company) -> Ints:
    rows = _row_looked_at(company, np.flatnonzero(company.renewals.outcome == CHURNED))
    return rows[rows >= 0]


def _row_looked_at(company: Company, renewal: Ints) -> Ints:
    """The history row whose value stood when a renewal was looked at."""
    looked_at = company.renewals.due[renewal].astype(np.int64) - HORIZON_DAYS
    month = np.searchsorted(MONTHS, looked_at, side="right") - 1
    return company.row_of[company.renewals.account.codes[renewal], month]


def _accounts(rng: np.random.Generator, parents: int, clustering: Clustering) -> _Accounts:
    """Somewhat over half are customers when the four years begin; the rest join over the next three years."""
    parent = np.repeat(np.arange(parents), rng.choice(clustering.sizes, size=parents, p=clustering.size_shares))
    n = len(parent)
    segment = rng.choice(3, size=parents, p=SEGMENT_SHARES)[parent]
    joined_year = np.where(rng.random(n) < 0.45, 0, rng.integers(0, 4, n))
    first_due = START + rng.integers(0, TERM_DAYS, n) + TERM_DAYS * joined_year
    log_arr = 9.0 + 0.9 * segment + 0.5 * rng.standard_normal(parents)[parent] + 0.6 * rng.standard_normal(n)
    return _Accounts(parent, segment, first_due, log_arr, clustering.parent_sd * rng.standard_normal(parents)[parent])


def _years(rng: np.random.Generator, accounts: _Accounts, health: Floats, base_log_odds: float) -> _Years:
    n = len(accounts.parent)
    log_arr, last, alive = accounts.log_arr.copy(), np.full(n, UNDECIDED), np.ones(n, dtype=bool)
    last_effect = np.array([LAST_EFFECT[code] for code in (RENEWED, UNDECIDED, CONTRACTED, EXPANDED, UNDECIDED)])
    baseline = np.zeros((n, 5))
    found = []
    for year in range(4):
        due = accounts.first_due + year * TERM_DAYS
        tenure = np.log1p((TERM_DAYS * (year + 1) - HORIZON_DAYS) / 30.4375)
        size_and_age = ARR_EFFECT * (log_arr - 9.5) + TENURE_EFFECT * (tenure - 3)
        baseline[:, year] = SEGMENT_EFFECT[accounts.segment] + size_and_age + last_effect[last]
        here = np.flatnonzero(alive & (due <= END))
        month = np.searchsorted(MONTHS, due[here], side="right") - 1
        unseen = accounts.parent_effect[here] + HEALTH_EFFECT * health[here, month]
        probability = special.expit(base_log_odds + baseline[here, year] + unseen)
        outcome = _outcomes(rng, probability)
        before = log_arr[here].copy()
        log_arr[here] += np.select([outcome == CONTRACTED, outcome == EXPANDED], [-0.25, 0.22], 0.03)
        last[here], alive[here] = outcome, outcome != CHURNED
        after = np.where(outcome == CHURNED, 0.0, np.exp(log_arr[here]))
        found.append((here, due[here], outcome, np.exp(before), after, probability))
    account, due, outcome, before, after, probability = (np.concatenate(column) for column in zip(*found, strict=True))
    return _Years(account, due, outcome.astype(np.int8), before.round(2), after.round(2), probability, baseline)


def _outcomes(rng: np.random.Generator, probability: Floats) -> Ints:
    draw = rng.random(len(probability))
    stayed = (draw - probability) / (1 - probability)
    renewed = np.select([stayed < CONTRACTED_SHARE, stayed < CONTRACTED_SHARE + EXPANDED_SHARE], [CONTRACTED, EXPANDED], RENEWED)
    return np.where(draw < probability, CHURNED, renewed)


def _active_months(accounts: _Accounts, years: _Years) -> tuple[Bools, Ints]:
    """Months in which an account is a customer, and in which of its years each lies."""
    left = np.full(len(accounts.parent), END)
    churned = years.outcome == CHURNED
    left[years.account[churned]] = years.due[churned]
    started = accounts.first_due - TERM_DAYS
    active = (started[:, None] <= MONTHS) & (left[:, None] >= MONTHS)
    return active, np.clip((MONTHS - started[:, None]) // TERM_DAYS, 0, 3)


def _renewals(rng: np.random.Generator, accounts: _Accounts, years: _Years) -> Renewals:
    """When an outcome was known does not depend on it; one in thirteen was known before the day of the look."""
    n = len(years.due)
    known = years.due + rng.integers(-100, 31, n)
    return Renewals(
        source=_source("renewals", n),
        row=np.arange(n),
        account=Codes(years.account.astype(np.int32), _names("a", len(accounts.parent))),
        due=years.due.astype("datetime64[D]"),
        outcome=years.outcome,
        amount_before=years.before,
        amount_after=years.after,
        term_start=(years.due - TERM_DAYS).astype("datetime64[D]"),
        outcome_known=known.astype("datetime64[D]"),
        segment=Codes(accounts.segment[years.account].astype(np.int32), ("small", "middle", "large")),
        parent=Codes(accounts.parent[years.account].astype(np.int32), _names("p", int(accounts.parent.max()) + 1)),
    )


def _clustered(rng: np.random.Generator, parent: Ints, lasting: tuple[float, float], moving_parent: float = 0.0) -> Floats:
    """Unit variance, shape (accounts, months): lasting levels of parent and account, and AR(1) parts of each."""
    parents, n = int(parent.max()) + 1, len(parent)
    of_parent, of_account = lasting
    moving = 1 - of_parent - of_account - moving_parent
    level = np.sqrt(of_parent) * rng.standard_normal(parents)[parent] + np.sqrt(of_account) * rng.standard_normal(n)
    total = level[:, None] + np.sqrt(moving) * _autocorrelated(rng, n)
    return total + np.sqrt(moving_parent) * _autocorrelated(rng, parents)[parent] if moving_parent else total


def _autocorrelated(rng: np.random.Generator, n: int, carried: float = 0.93) -> Floats:
    """AR(1) by month with unit variance from the first month on, shape (n, months)."""
    shocks = rng.standard_normal((n, len(MONTHS)))
    shocks[:, 1:] *= np.sqrt(1 - carried**2)
    return np.asarray(signal.lfilter([1.0], [1.0, -carried], shocks, axis=1))


def _risk(rng: np.random.Generator, name: str, accounts: _Accounts, health: Floats, account: Ints, month: Ints, expected: Floats) -> Floats:
    """What the score of this name thinks of each row, in units of about one standard deviation; more is worse."""

    def noise(lasting: tuple[float, float] = CLUSTERED) -> Floats:
        return _clustered(rng, accounts.parent, lasting)[account, month]

    def mixed(share: float) -> Floats:
        return share * health[account, month] + np.sqrt(1 - share**2) * noise()

    risks: dict[str, Callable[[], Floats]] = {
        "noise": noise,
        "parent noise": lambda: noise(SHARED_BY_PARENTS),
        "redundant": lambda: expected + REDUNDANT_NOISE_SD * noise(),
        "modest": lambda: mixed(MODEST_SIGNAL),
        "strong": lambda: mixed(STRONG_SIGNAL),
        "reversed": lambda: -mixed(MODEST_SIGNAL),
    }
    return risks[name.rstrip(" 0123456789")]()


def _score(risk: Floats) -> Floats:
    """Whole points, higher is healthier, as such scores are."""
    return np.clip(np.round(60 - 16 * risk), 0, 100)


def _source(role: str, rows: int) -> Source:
    return Source("scores" if role == "scores" else "renewals", "simulated", "", "simulated", rows, {}, (), ())


def _times(days: Ints) -> NDArray[np.datetime64]:
    return days.astype("datetime64[D]").astype("datetime64[us]")


def _names(letter: str, n: int) -> tuple[str, ...]:
    return tuple(f"{letter}{i}" for i in range(n))
