"""A plausible record of forecasters, for tests of what shows it: made renewals whose true risk is known, and who said what of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from unspun.audit.result import Caution, ReliabilityBin
from unspun.risk.forecast.result import (
    RECORD_LEADS,
    ForecasterKind,
    ForecasterRecord,
    ForecastMiss,
    ForecastRecord,
    IntervalCoverage,
    LeadRecord,
    PairRecord,
    PeriodOutcome,
    Predicted,
    SnapshotRecord,
)
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

Floats = NDArray[np.float64]
AS_OF, FIRST_DUE = date(2025, 11, 30), date(2024, 1, 5)
FEW = NoEstimate("7 churned renewals, 20 are needed", "about 13 more churned renewals")
WORDS = NoEstimate("the calls are words, not probabilities", "calls given as probabilities")
LAST_YEAR, CSM, MANAGER = "last year's rate", "account owners", "Dana <b>Ruiz</b>"
WHO: tuple[tuple[str, ForecasterKind, str], ...] = (
    ("model", "model", "forecasts made at the time, by entry of the ledger"),
    ("model, replayed", "model, replayed", "made later, with what was known then"),
    (CSM, "CSM", "the last call by the account's owner of the day"),
    (MANAGER, "person", "calls by one person who owns no account"),
    (LAST_YEAR, "last year's rate", "the share that churned in the 12 months before"),
)


@cache
def record(few: bool = False, words: bool = False, currencies: tuple[str, ...] = ("USD",), seed: int = 11) -> ForecastRecord:
    """Five forecasters on the same renewals; with `few`, nothing can be told; with `words`, the owners call in words."""
    rng = np.random.default_rng(seed)
    n = 60 if few else 900
    risk = rng.beta(1.1, 8, n)
    churned = (rng.random(n) < risk).astype(float)
    said = {
        "model": np.clip(risk * np.exp(rng.normal(0, 0.3, n)), 0.005, 0.95),
        "model, replayed": np.clip(risk * np.exp(rng.normal(0, 0.35, n)), 0.005, 0.95),
        CSM: np.clip(0.35 * risk * np.exp(rng.normal(0, 0.6, n)), 0.005, 0.95),
        MANAGER: np.clip(1.7 * risk * np.exp(rng.normal(0, 0.5, n)) + 0.03, 0.005, 0.95),
        LAST_YEAR: np.full(n, 0.13),
    }
    forecasters = tuple(_forecaster(one, said[one[0]], churned, few, words, currencies) for one in WHO)
    pairs = tuple(_pair(a[0], b[0], lead, said, churned, few) for lead in RECORD_LEADS for i, a in enumerate(WHO) for b in WHO[i + 1 :])
    snapshots = () if few else tuple(_snapshot(entry, rng, currencies[0]) for entry in range(12))
    return ForecastRecord(
        as_of=AS_OF,
        first_due=FIRST_DUE,
        last_due=AS_OF,
        n_renewals=n,
        n_churned=int(churned.sum()),
        forecasters=forecasters,
        pairs=pairs,
        snapshots=snapshots,
        coverage=_coverage(few),
        misses=tuple(_miss(i, said, churned, risk, currencies) for i in np.argsort(-np.abs(churned - said["model"]))[:24]),
        cautions=(Caution("replayed", "Replayed forecasts are made with hindsight of the method, though not of the data."),),
        package_version="0.9.0",
    )


def nothing_said() -> ForecastRecord:
    """Renewals were decided, and nobody had said anything of them."""
    return ForecastRecord(AS_OF, FIRST_DUE, AS_OF, 60, 6, (), (), (), (), (), (), "0.9.0")


def estimate(values: Floats, shift: float = 0.0) -> Estimate:
    half = 1.96 * float(values.std()) / len(values) ** 0.5
    point = float(values.mean()) + shift
    return Estimate(point, point - half, point + half, "mean, clustered by top parent", len(values))


def _maybe(values: Floats, few: bool) -> MaybeEstimate:
    return FEW if few else estimate(values)


def _forecaster(
    who: tuple[str, ForecasterKind, str], p: Floats, churned: Floats, few: bool, words: bool, currencies: Sequence[str]
) -> ForecasterRecord:
    name, kind, said = who
    in_words = words and kind == "CSM"
    small = few or kind == "model"
    leads = tuple(_lead(lead, kind, p, churned, small, currencies) for lead in RECORD_LEADS)
    if in_words:
        leads = tuple(_in_words(one) for one in leads)
    return ForecasterRecord(name, kind, said, 3 * len(p), ("at risk", "likely renew", "will renew") if in_words else (), leads)


def _lead(days: int, kind: ForecasterKind, p: Floats, churned: Floats, few: bool, currencies: Sequence[str]) -> LeadRecord:
    spoken = slice(None, None, 20 if few else 1)
    noise = 1 + days / 900
    p, y = np.clip(p[spoken] * noise, 0.005, 0.97), churned[spoken]
    loss = -np.where(y > 0, np.log(p), np.log(1 - p))
    constant = kind == "last year's rate"
    flat = NoEstimate("it says the same of every renewal")
    return LeadRecord(
        lead_days=days,
        eligible=len(churned),
        n=len(y),
        n_churned=int(y.sum()),
        stated=float(p.mean()),
        brier=_maybe((p - y) ** 2, few),
        log_loss=_maybe(loss, few),
        bias=_maybe(p - y, few),
        expected_over_observed=FEW if few else _ratio(float(p.mean() / max(y.mean(), 0.01)), len(y)),
        slope=flat if constant else FEW if few else Estimate(0.96, 0.78, 1.14, "logistic", len(y)),
        auc=flat if constant else FEW if few else Estimate(0.74, 0.69, 0.79, "DeLong", len(y)),
        brier_skill=FEW if few else Estimate(0.05, 0.01, 0.09, "paired", len(y)),
        arr_bias=tuple((currency, _maybe((p - y) * 0.9, few)) for currency in currencies),
        bins=() if few or constant else _bins(p, y),
    )


def _ratio(point: float, n: int) -> Estimate:
    return Estimate(point, 0.85 * point, 1.18 * point, "delta", n)


def _in_words(lead: LeadRecord) -> LeadRecord:
    refused = dict.fromkeys(("brier", "log_loss", "bias", "expected_over_observed", "slope", "brier_skill"), WORDS)
    kept = {name: getattr(lead, name) for name in ("lead_days", "eligible", "n", "n_churned", "auc")}
    return LeadRecord(**kept, **refused, stated=None, arr_bias=(), bins=())


def _bins(p: Floats, y: Floats) -> tuple[ReliabilityBin, ...]:
    parts = np.array_split(np.argsort(p), 6)
    return tuple(ReliabilityBin(float(p[part].mean()), estimate(y[part])) for part in parts)


def _pair(a: str, b: str, lead: int, said: dict[str, Floats], churned: Floats, few: bool) -> PairRecord:
    small = few or a == "model"
    difference = (said[a] - churned) ** 2 - (said[b] - churned) ** 2
    brier, log_loss = _maybe(difference, small), _maybe(3 * difference, small)
    told = isinstance(brier, Estimate) and (brier.high < 0 or brier.low > 0)
    words = f"{a if isinstance(brier, Estimate) and brier.point < 0 else b} is better" if told else "cannot tell"
    return PairRecord(a, b, lead, 45 if small else len(churned), 7 if small else int(churned.sum()), brier, log_loss, words)


def _snapshot(at: int, rng: np.random.Generator, currency: str) -> SnapshotRecord:
    as_of = date(2024 + (at + 5) // 12, (at + 5) % 12 + 1, 1) - timedelta(days=1)
    replayed = at < 9
    held = [(quantity, q) for q in range(2, 6) for quantity in ("churned", "grr")]
    outcomes = [_outcome(quantity, f"{2024 + q // 4}-Q{q % 4 + 1}", 3 * q + 2 - at, rng, currency) for quantity, q in held]
    made = AS_OF if replayed else as_of + timedelta(days=2)
    return SnapshotRecord(30 + at, as_of, made, replayed, 12 + at, tuple(one for one in outcomes if one.lead_months > 0))


def _outcome(quantity: str, period: str, months: int, rng: np.random.Generator, currency: str) -> PeriodOutcome:
    middle, spread = (11.0, 3.0) if quantity == "churned" else (0.88, 0.03)
    mean = middle + spread * 0.3 * float(rng.normal())
    actual = round(middle + spread * float(rng.normal()), 0 if quantity == "churned" else 3)
    low_80, high_80, low_95, high_95 = (mean + spread * z for z in (-1.28, 1.28, -1.96, 1.96))
    said = Predicted(mean, mean, low_80, high_80, low_95, high_95)
    inside = low_80 <= actual <= high_80, low_95 <= actual <= high_95
    what: Literal["churned", "grr"] = "churned" if quantity == "churned" else "grr"
    return PeriodOutcome(what, period, months, "" if what == "churned" else currency, said, actual, *inside)


def _coverage(few: bool) -> tuple[IntervalCoverage, ...]:
    eighty, ninety_five = Estimate(0.78, 0.62, 0.89, "clustered by period", 40), Estimate(0.94, 0.83, 0.98, "clustered by period", 40)
    none = NoEstimate("2 periods are over, 8 are needed", "6 more quarters")
    made = []
    for replayed in (False, True):
        told = replayed and not few
        parts = (40, 8, eighty, ninety_five) if told else (5, 2, none, none)
        made += [IntervalCoverage("churned", replayed, *parts), IntervalCoverage("grr", replayed, *parts)]
    return tuple(made)


def _miss(i: int, said: dict[str, Floats], churned: Floats, risk: Floats, currencies: Sequence[str]) -> ForecastMiss:
    stated = {name: float(p[i]) for name, p in said.items() if name != "model" or i % 3 == 0}
    due = FIRST_DUE + timedelta(days=int(600 * risk[i]))
    arr = Decimal(12_000 + 37 * int(i)) if i % 5 else None
    return ForecastMiss(f"acme-{i:03d} & co", due, "Bo Chen" if i % 2 else "", bool(churned[i]), currencies[0], arr, stated)
