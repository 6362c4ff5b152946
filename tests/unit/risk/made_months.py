"""A made company of account-months whose true probability of churn is known: one metric tells it, the others tell nothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from unspun.audit.terms import UNKNOWN
from unspun.book.tables import Codes
from unspun.risk.rows import CHURN, CONTRACTION, EXPANSION, FLAT, OUTAGE, UNDECIDED4, Feature, RiskRows, class_of_term

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

FIRST_DAY = 18_000
YEAR = 365
SEGMENTS = ("Large", "Small")
FEATURES = (
    Feature("given/log_arr", "ARR", "log USD", "number", given=True),
    Feature("given/segment", "Segment", "", "category", given=True, names=SEGMENTS),
    Feature("usage", "Logins per seat", "logins per seat", "number", direction=1),
    Feature("contact", "Touchpoints", "touchpoints", "number", direction=1),
    Feature("pulse", "Pulse", "points", "number", direction=1),
)


@dataclass(frozen=True, slots=True)
class MadeCompany:
    """Rows as known at the end of the as-of day, which of them are of that day, and the true P(churn) at the due date of each."""

    rows: RiskRows
    today: Bools
    true_churn: Floats
    as_of: int
    accounts: tuple[str, ...]

    @property
    def cutoff(self) -> int:
        return self.as_of + 1


def make_company(seed: int, accounts: int = 1_000, terms: int = 4, effect: float = 1.3, base: float = -2.2) -> MadeCompany:
    """Yearly terms, looked at every 30 days. `effect` is what a standard deviation of lost use adds to the log odds of churn."""
    rng = np.random.default_rng(seed)
    account = np.repeat(np.arange(accounts), terms)
    due = FIRST_DAY + np.repeat(rng.integers(0, YEAR, accounts), terms) + YEAR * np.tile(np.arange(1, terms + 1), accounts)
    segment, log_arr = rng.integers(0, 2, accounts), rng.normal(9, 1, accounts)
    loss = rng.normal(size=len(due))
    chance = special.expit(base + 0.5 * segment[account] + effect * loss)
    left = rng.random(len(due)) < chance
    outcome = np.where(left, CHURN, rng.choice([CONTRACTION, FLAT, EXPANSION], len(due), p=[0.1, 0.7, 0.2]))
    known = np.where(left & (rng.random(len(due)) < 0.8), due - rng.integers(5, 60, len(due)), due + rng.integers(-25, 8, len(due)))
    stays = np.cumsum(left.reshape(accounts, terms), axis=1).ravel() - left == 0
    as_of = FIRST_DAY + YEAR * (terms - 1) + 200
    renewal, day = _months(due, known, stays, as_of)
    who = account[renewal]
    decided = known[renewal] <= as_of
    metrics = {
        "usage": -loss[renewal] + rng.normal(0, 0.3, len(renewal)),
        "contact": rng.poisson(3, len(renewal)).astype(float),
        "pulse": rng.normal(70, 10, len(renewal)),
    }
    reasons = {name: _lose(rng, metrics[name]) for name in metrics}
    rows = RiskRows(
        features=FEATURES,
        columns={"given/log_arr": log_arr[who], "given/segment": segment[who].astype(float), **metrics},
        reasons=reasons,
        stale_days={name: np.zeros(len(renewal), dtype=np.int64) for name in metrics},
        renewal=renewal,
        account=who,
        cluster=who,
        as_of=day,
        due=due[renewal],
        decided_on=np.where(decided, known[renewal], UNKNOWN),
        outcome=np.where(decided, outcome[renewal], UNDECIDED4).astype(np.int8),
        term_class=class_of_term(np.full(len(renewal), YEAR)),
        arr=np.exp(log_arr[who]),
    )
    return MadeCompany(rows, day == as_of, chance[renewal], as_of, tuple(f"A{i}" for i in range(accounts)))


def _months(due: Ints, known: Ints, stays: Bools, as_of: int) -> tuple[Ints, Ints]:
    """Renewals and the days on which they were looked at, undecided: every 30 days of their term, and the as-of day."""
    days = np.append(np.arange(FIRST_DAY, as_of, 30), as_of)
    seen = (due[:, None] - YEAR <= days) & (days < due[:, None]) & (days < known[:, None]) & stays[:, None]
    renewal, at = np.nonzero(seen)
    return renewal, days[at]


def _lose(rng: np.random.Generator, values: Floats) -> Codes:
    """Hide 3 % of the values behind an outage and 5 % for another reason."""
    drawn = rng.random(len(values))
    codes = np.where(drawn < 0.03, 0, np.where(drawn < 0.08, 1, -1)).astype(np.int32)
    values[codes >= 0] = np.nan
    return Codes(codes, (OUTAGE, "no_rows"))
