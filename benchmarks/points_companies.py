"""Companies made for scores to be fitted on: metrics, of which some drive churn, and renewals over some years."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from unspun.health.fit import FitUnits

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
DAYS, KNOWN_AFTER = 1200, 30


@dataclass(frozen=True)
class Company:
    """Units in order of their as-of days; `train` are those whose outcome was known before the last two fifths began."""

    units: FitUnits
    train: Bools
    test: Bools
    values: Floats  # one column a metric
    truth: Floats  # the probability of churn


@dataclass(frozen=True)
class Made:
    """What a company is made of: units, metrics that drive churn (each less than the one before) and metrics that do not."""

    n: int = 5_000
    drivers: int = 4
    noise: int = 20
    rate: float = 0.1
    slope: float = 0.6
    missing: float = 0.0
    directions: dict[str, int] = field(default_factory=dict)


def company(seed: int, made: Made | None = None) -> Company:
    """Metrics `d0`, `d1`, ... drive churn down; `n0`, `n1`, ... are noise."""
    made = made or Made()
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(made.n, made.drivers + made.noise))
    lean = -values[:, : made.drivers] @ np.array([made.slope / (1 + 0.3 * k) for k in range(made.drivers)])
    truth = 1 / (1 + np.exp(-(lean + _level(lean, made.rate))))
    churned = rng.random(made.n) < truth
    as_of = np.sort(rng.integers(0, DAYS, made.n))
    values[rng.random(values.shape) < made.missing] = np.nan
    names = [*(f"d{k}" for k in range(made.drivers)), *(f"n{k}" for k in range(made.noise))]
    columns = {name: values[:, at] for at, name in enumerate(names)}
    directions = dict.fromkeys(names, 1) | made.directions
    cut = int(np.quantile(as_of, 0.6))
    units = FitUnits(columns, directions, churned, np.arange(made.n), as_of, as_of + KNOWN_AFTER)
    return Company(units, as_of + KNOWN_AFTER < cut, as_of >= cut, values, truth)


def _level(lean: Floats, rate: float) -> float:
    low, high = -10.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if (1 / (1 + np.exp(-(lean + middle)))).mean() > rate else (middle, high)
    return (low + high) / 2
