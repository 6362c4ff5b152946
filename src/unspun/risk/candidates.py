"""The candidate models, from simple to complex, behind one interface."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from unspun.risk.boosting import REPLICATES, BoostedModel, fit_boosting
from unspun.risk.hazard import Curve, HazardModel, fit_hazard
from unspun.risk.rows import KnownRows, RiskRows
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
CandidateName = Literal["base rate", "baseline", "linear", "splines", "boosting"]
CANDIDATES: dict[CandidateName, str] = {
    "base rate": "the rate of each outcome by time before the due date and term length",
    "baseline": "and what the contract says: size, tenure, segment, last outcome",
    "linear": "and every metric, by a straight line on the log odds",
    "splines": "and every metric, by a smooth curve on the log odds",
    "boosting": "boosted trees of all of it, monotone where a direction is declared",
}
"""Name and what goes into it, from the simplest to the most complex."""


class Contributed(Protocol):
    """What each term adds for each row, shape (n, terms): on the log odds of the churn hazard, and in points of P(churn).

    `standard_error` is that of the log odds, of which an interval takes `quantile` to each side; `reference` is P(churn) of the typical
    account (n,); `told` says by term whether it can be told from nothing as a whole.
    """

    @property
    def terms(self) -> tuple[str, ...]: ...
    @property
    def log_odds(self) -> Floats: ...
    @property
    def points(self) -> Floats: ...
    @property
    def standard_error(self) -> Floats: ...
    @property
    def reference(self) -> Floats: ...
    @property
    def told(self) -> Bools: ...
    @property
    def quantile(self) -> float: ...


class RiskModel(Protocol):
    """A fitted model. P of the four outcomes in the order of OUTCOMES4; `log_odds` is the row's z on the churn hazard."""

    def probabilities(self, rows: RiskRows) -> Floats: ...
    def log_odds(self, rows: RiskRows) -> Floats: ...
    def intervals(self, rows: RiskRows) -> tuple[Floats, Floats]: ...
    def contributions(self, rows: RiskRows) -> Contributed: ...
    def draws(self, rows: RiskRows, count: int, rng: np.random.Generator, shift: Floats | None = None) -> Floats: ...
    def curves(self) -> tuple[Curve, ...]: ...
    @property
    def left_out(self) -> tuple[tuple[str, str], ...]: ...


def fit_candidate(
    name: CandidateName, known: KnownRows, *, seed: int, scoring: bool, scale: float = 1.0
) -> HazardModel | BoostedModel | NoEstimate:
    """Fit one candidate; a boosted one's log odds of churn are multiplied by `scale`, additive ones are calibrated as they are fitted.

    Without `scoring` only its probabilities and scores will be asked for, which spares what intervals take.
    """
    if name == "boosting":
        return fit_boosting(known, seed=seed, replicates=REPLICATES if scoring else 0, scale=scale)
    return fit_hazard(known, name, seed=seed)


def in_order(names: Iterable[CandidateName]) -> tuple[CandidateName, ...]:
    """From the simplest to the most complex."""
    asked = set(names)
    return tuple(name for name in CANDIDATES if name in asked)
