"""Made companies whose renewal risk is known: account-months drawn from hazards that are written here, and their true probabilities.

Of the metrics the first three drive outcomes (a straight line, a bend and a step), two are given of the account, the rest do nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from unspun.book.tables import Codes
from unspun.risk.outcomes import CAUSES, hazards_of
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT, PERIOD_EDGES, PERIODS, UNDECIDED4, Feature, RiskRows, class_of_term

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MONTH_DAYS = 30
FIRST_DAY = 18_000
SEGMENTS = ("enterprise", "midmarket", "small")
INTERCEPTS = np.full((4, PERIODS), -9.0)
INTERCEPTS[CAUSES.index(CHURN)] = [-5.2, -4.8, -4.2, -3.8, -3.6, -3.4, -3.2, -3.0, -2.4, -1.2]
INTERCEPTS[CAUSES.index(CONTRACTION)] = [-9.0, -9.0, -6.0, -5.0, -4.5, -4.5, -4.0, -4.0, -3.0, -2.0]
INTERCEPTS[CAUSES.index(EXPANSION)] = [-9.0, -6.0, -5.0, -4.5, -4.5, -4.0, -4.0, -3.5, -2.5, -1.5]
INTERCEPTS[CAUSES.index(FLAT)] = [-9.0, -6.0, -4.0, -3.0, -2.5, -2.0, -1.5, -1.0, 0.5, 0.0]


@dataclass(frozen=True, slots=True)
class MadeCompany:
    """Account-months, and what is true of each: what drives the hazards by cause (4, n), and P of each outcome (n, 4)."""

    rows: RiskRows
    linear: Floats
    probabilities: Floats
    today: int


def make_company(
    accounts: int, metrics: int, seed: int, terms: int = 2, missing_share: float = 0.0, level: float = 0.0, effect: float = 1.0
) -> MadeCompany:
    """Accounts with so many yearly (a quarter of them half-yearly) terms one after another, looked at every month.

    What drives a renewal stays as it is over its term, so that the truth at every lead is known. `level` shifts the churn hazard,
    `effect` scales all that drives it. An account that churned has no further term.
    """
    rng = np.random.default_rng(seed)
    renewals = accounts * terms
    account = np.repeat(np.arange(accounts), terms)
    length = np.where(rng.random(accounts) < 0.25, 180, 365)[account]
    start = FIRST_DAY + rng.integers(0, 365, accounts)[account] + length * np.tile(np.arange(terms), accounts)
    due = start + length
    values = rng.normal(size=(renewals, metrics))
    values[:, metrics // 2 :] = np.exp(values[:, metrics // 2 :])  # the later half runs as amounts do
    size, segment = rng.normal(9.0, 1.0, accounts)[account], rng.choice(3, accounts, p=[0.2, 0.3, 0.5])[account]
    linear = _drive(values, size, segment, level, effect)
    outcome, decided_on = _decide(rng, linear, start, due)
    alive = _alive(account, outcome, terms)
    renewal, as_of = _months(start, due, decided_on, alive)
    hidden = rng.random((len(renewal), metrics)) < missing_share
    names = tuple(f"metric {j:02d}" for j in range(metrics))
    features = (
        *(Feature(name, name.capitalize(), "", "number") for name in names),
        Feature("log arr", "Log ARR", "", "number", given=True),
        Feature("segment", "Segment", "", "category", given=True, names=SEGMENTS),
    )
    columns = {name: np.where(hidden[:, j], np.nan, values[renewal, j]) for j, name in enumerate(names)}
    columns |= {"log arr": size[renewal], "segment": segment[renewal].astype(np.float64)}
    rows = RiskRows(
        features=features,
        columns=columns,
        reasons={name: Codes(np.where(hidden[:, j], 0, -1).astype(np.int32), ("no_source",)) for j, name in enumerate(names)},
        stale_days={},
        renewal=renewal,
        account=account[renewal],
        cluster=account[renewal],
        as_of=as_of,
        due=due[renewal],
        decided_on=decided_on[renewal],
        outcome=outcome[renewal].astype(np.int8),
        term_class=class_of_term(length[renewal]),
        arr=np.exp(size[renewal]),
    )
    truth = hazards_of(INTERCEPTS, linear[:, renewal], rows.lead).probabilities()
    return MadeCompany(rows, linear[:, renewal], truth, int(due.max()) + 60)


def _drive(values: Floats, size: Floats, segment: Ints, level: float, effect: float) -> Floats:
    """What is added to each hazard's log-odds, (causes, renewals)."""
    found = np.zeros((4, len(values)))
    risk = (
        0.7 * values[:, 0]
        + 0.6 * np.abs(values[:, 1])
        - 0.5 * (values[:, 2] > 0.5)
        - 0.2 * (size - 9)
        + np.array([-0.4, 0.0, 0.3])[segment]
    )
    found[CAUSES.index(CHURN)] = level + effect * risk
    found[CAUSES.index(EXPANSION)] = -0.4 * values[:, 0]
    return found


def _decide(rng: np.random.Generator, linear: Floats, start: Ints, due: Ints) -> tuple[Ints, Ints]:
    """Outcome and the day it was decided of each renewal, drawn period by period from the start of its term."""
    n = linear.shape[1]
    hazards = hazards_of(INTERCEPTS, linear, due - start + 1).values
    outcome, period_of = np.full(n, UNDECIDED4), np.zeros(n, dtype=np.int64)
    for period in range(PERIODS):
        for at, cause in enumerate(CAUSES):
            happens = (outcome == UNDECIDED4) & (rng.random(n) < hazards[at, period])
            outcome[happens], period_of[happens] = cause, period
    upper = np.minimum(np.array(PERIOD_EDGES[:-1])[period_of], due - start + 1)
    lower = np.maximum(np.array(PERIOD_EDGES[1:])[period_of], -40)
    days_before = np.floor(lower + rng.random(n) * (upper - lower)).astype(np.int64)
    return outcome, due - days_before


def _alive(account: Ints, outcome: Ints, terms: int) -> NDArray[np.bool_]:
    churned = (outcome == CHURN).reshape(-1, terms)
    before = np.cumsum(churned, axis=1) - churned
    return (before == 0).ravel()


def _months(start: Ints, due: Ints, decided_on: Ints, alive: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Every month of each running term in which the renewal was undecided: the renewal, and the day."""
    longest = int((due - start).max()) // MONTH_DAYS + 1
    first = -(-start // MONTH_DAYS) * MONTH_DAYS
    days = first[:, None] + MONTH_DAYS * np.arange(longest)[None, :]
    kept = alive[:, None] & (days < due[:, None]) & (days < decided_on[:, None])
    renewal, month = np.nonzero(kept)
    return renewal, days[renewal, month]
