"""A plausible forecast, for tests of what shows it: a made book of renewals, simulated plainly, so that its sums hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import numpy as np
from numpy.typing import NDArray

from unspun.audit.result import Caution
from unspun.risk.forecast.result import (
    FAN_QUANTILES,
    AmountRatios,
    ArrFan,
    FanPoint,
    Forecast,
    GroupForecast,
    GroupKind,
    MaybePredicted,
    MoneyForecast,
    Predicted,
    RenewalForecast,
    SharedShock,
)
from unspun.stats.estimate import Estimate, NoEstimate

Floats = NDArray[np.float64]
AS_OF, UNTIL = date(2025, 11, 30), date(2026, 11, 30)
SEGMENTS = ("Enterprise", "Mid-market", "=Small & <b>very</b> small customers", "")
OWNERS = ("Ana Lima", "Bo Chen", "Cleo Park", "Dov Katz", "Eve Ruiz")
PATHS = 300
FIRST_OPEN = 3  # renewals before it are decided or overdue
REFUSED = NoEstimate("the model is not calibrated: its slope is 0.41 (0.22 to 0.60)", "metrics that foretell, or more decided renewals")


@dataclass(frozen=True, slots=True)
class Book:
    """Renewals in the order of their due dates, and for each path what each becomes: churned, contracted, expanded, ARR after."""

    due: tuple[date, ...]
    arr: Floats
    currency: tuple[str, ...]
    segment: tuple[str, ...]
    owner: tuple[str, ...]
    probabilities: Floats
    outcome: NDArray[np.int64]
    after: Floats


def book(n: int, currencies: Sequence[str], seed: int = 5) -> Book:
    rng = np.random.default_rng(seed)
    due = sorted(AS_OF + timedelta(days=int(day)) for day in rng.integers(1, 365, n))
    arr = rng.lognormal(10.2, 0.9, n).round(2)
    churn = np.clip(rng.beta(1.2, 8, n), 0.01, 0.9)
    rest = np.column_stack([0.08 * (1 - churn), 0.7 * (1 - churn), 0.22 * (1 - churn)])
    probabilities = np.column_stack([churn, rest])
    probabilities[0] = (1.0, 0.0, 0.0, 0.0)  # notice was given
    shock = rng.normal(0, 0.4, (PATHS, 1))
    moved = np.clip(probabilities[:, 0] * np.exp(shock), 0, 1)
    drawn = rng.random((PATHS, n))
    churned, other = drawn < moved, rng.random((PATHS, n))
    outcome = np.where(churned, 0, np.where(other < 0.08, 1, np.where(other < 0.78, 2, 3)))
    ratio = np.choose(outcome, [0.0, 0.7, 1.0, 1.25])
    names = [SEGMENTS[int(at)] for at in rng.choice(4, n, p=[0.3, 0.4, 0.25, 0.05])]
    owners = [OWNERS[int(at)] for at in rng.integers(0, len(OWNERS), n)]
    owned = [currencies[i % len(currencies)] for i in range(n)]
    return Book(tuple(due), arr, tuple(owned), tuple(names), tuple(owners), probabilities, outcome, arr * ratio)


@cache
def forecast(currencies: tuple[str, ...] = ("USD",), n: int = 160, refused: bool = False, seed: int = 5) -> Forecast:
    """A year's forecast of `n` renewals; with `refused`, counts and ARR due alone."""
    held = book(n, currencies, seed)
    everything = np.ones(n, dtype=bool)
    groups = {kind: _groups(held, kind, refused) for kind in ("month", "quarter", "segment", "owner")}
    return Forecast(
        as_of=AS_OF,
        until=UNTIL,
        months=12,
        paths=PATHS,
        seed=seed,
        total=_group(held, "all", "", (AS_OF + timedelta(days=1), UNTIL), everything, refused),
        by_month=groups["month"],
        by_quarter=groups["quarter"],
        by_segment=groups["segment"],
        by_owner=groups["owner"],
        fans=tuple(_fan(held, currency, refused) for currency in currencies) if not refused else (),
        renewals=tuple(_renewal(held, i, refused) for i in range(n)),
        shocks=_shocks(),
        ratios=(AmountRatios("contraction", 41, 0.71, (0.6, 0.75, 0.85)), AmountRatios("expansion", 120, 1.24, (1.1, 1.2, 1.35))),
        model_version=None if refused else 14,
        model_words="" if refused else "splines fitted on 2,310 renewals, judged on 812 later ones: calibration slope 0.97 (0.81 to 1.13)",
        replayed=False,
        refused=REFUSED if refused else None,
        cautions=(
            Caution("no_new_business", "New customers are not forecast."),
            Caution("thin_owner", "One owner has only 3 renewals due.", True),
        ),
        package_version="0.9.0",
    )


def nothing_due() -> Forecast:
    """Customers whose terms all end after the horizon."""
    whole = forecast(n=40)
    empty = replace(whole.total, renewals=0, facts=0, overdue=0, n_without_amount=0, money=())
    none = {"by_month": (), "by_quarter": (), "by_segment": (), "by_owner": ()}
    return replace(whole, total=empty, renewals=(), **none)


def predicted(values: Floats) -> Predicted:
    low_95, low_80, median, high_80, high_95 = (float(v) for v in np.quantile(values, [0.025, 0.1, 0.5, 0.9, 0.975]))
    return Predicted(float(values.mean()), median, low_80, high_80, low_95, high_95)


def _maybe(values: Floats, refused: bool) -> MaybePredicted:
    return REFUSED if refused else predicted(values)


def _groups(held: Book, kind: GroupKind, refused: bool) -> tuple[GroupForecast, ...]:
    keys = {
        "month": [f"{day:%Y-%m}" for day in held.due],
        "quarter": [f"{day.year}-Q{(day.month + 2) // 3}" for day in held.due],
        "segment": list(held.segment),
        "owner": list(held.owner),
    }[kind]
    names = sorted(set(keys), key=lambda name: (name == "", name))
    made = []
    for name in names:
        own = np.array([key == name for key in keys])
        days = [day for day, mine in zip(held.due, own, strict=True) if mine]
        made.append(_group(held, kind, name, (days[0], days[-1]), own, refused))
    return tuple(made)


def _group(held: Book, kind: GroupKind, name: str, span: tuple[date, date], own: NDArray[np.bool_], refused: bool) -> GroupForecast:
    churned, contracted, expanded = (_maybe(_count(held.outcome[:, own] == code), refused) for code in (0, 1, 3))
    currencies = dict.fromkeys(currency for currency, mine in zip(held.currency, own, strict=True) if mine)
    money = [_money(held, currency, own & np.array([one == currency for one in held.currency]), refused) for currency in currencies]
    overdue = int(own[1 : FIRST_OPEN - 1].sum())
    known = int(own.sum()), int(own[0]), overdue, 0
    return GroupForecast(kind, name, *span, *known, predicted(np.zeros(2)), churned, contracted, expanded, tuple(money))


def _count(held: NDArray[np.bool_]) -> Floats:
    return held.sum(axis=1).astype(np.float64)


def _money(held: Book, currency: str, own: NDArray[np.bool_], refused: bool) -> MoneyForecast:
    before, after, outcome = held.arr[own], held.after[:, own], held.outcome[:, own]
    due = before.sum()
    churned = (before * (outcome == 0)).sum(axis=1)
    contraction = ((before - after) * (outcome == 1)).sum(axis=1)
    expansion = ((after - before) * (outcome == 3)).sum(axis=1)
    renewed, kept = after.sum(axis=1), np.minimum(after, before).sum(axis=1)
    amounts = [_maybe(one, refused) for one in (churned, contraction, expansion, renewed)]
    rates = [_maybe(one / due, refused) for one in (kept, renewed)]
    return MoneyForecast(currency, Decimal(f"{due:.2f}"), predicted(np.zeros(2)), *amounts, *rates)


def _fan(held: Book, currency: str, refused: bool) -> ArrFan:
    own = np.array([one == currency for one in held.currency])
    not_due = 400_000.0
    opening = not_due + held.arr[own].sum()
    ends = [date(2025, 12, 31), *(date(2026, month + 1, 1) - timedelta(days=1) for month in range(1, 11)), UNTIL]
    points = [FanPoint(AS_OF, opening, (opening,) * len(FAN_QUANTILES))]
    total, kept = np.full(PATHS, opening), np.full(PATHS, opening)
    for end in ends:
        over = own & np.array([day <= end for day in held.due])
        change = held.after[:, over] - held.arr[over]
        total, kept = opening + change.sum(axis=1), opening + np.minimum(change, 0).sum(axis=1)
        points.append(FanPoint(end, float(total.mean()), tuple(float(q) for q in np.quantile(total, FAN_QUANTILES))))
    return ArrFan(currency, Decimal(f"{opening:.2f}"), tuple(points), _maybe(kept / opening, refused), _maybe(total / opening, refused))


def _renewal(held: Book, i: int, refused: bool) -> RenewalForecast:
    p = held.probabilities[i]
    return RenewalForecast(
        account=f"acme-{i:03d}" if i else '=HYPERLINK("http://x")',
        due=held.due[i],
        lead_days=(held.due[i] - AS_OF).days,
        status="notice given" if i == 0 else "overdue" if i < FIRST_OPEN - 1 else "open",
        segment=held.segment[i],
        owner=held.owner[i],
        currency=held.currency[i],
        arr=Decimal(f"{held.arr[i]:.2f}"),
        probabilities=None if refused else (float(p[0]), float(p[1]), float(p[2]), float(p[3])),
        expected_arr=None if refused else float(held.arr[i] * (p[1] * 0.7 + p[2] + p[3] * 1.25)),
        expected_later=None if refused else 0.0,
    )


def _shocks() -> tuple[SharedShock, ...]:
    churn = Estimate(0.21, 0.0, 0.44, "profile likelihood on rolling residuals", 14)
    return (SharedShock("churn", churn, 14), SharedShock("family", NoEstimate("no family has two renewals", "families"), 0))
