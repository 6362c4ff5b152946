"""Whether intervals held: what past forecasts said of the renewals of a quarter that is over now, beside what came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from unspun.audit.terms import Terms
from unspun.book.tables import CHURNED, UNDECIDED
from unspun.risk.forecast.result import IntervalCoverage, PeriodOutcome, PeriodQuantity, Predicted, SnapshotRecord
from unspun.stats.estimate import MaybeEstimate, NoEstimate
from unspun.stats.proportion import clustered_share

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

OPEN_SHARE = 0.01  # of the renewals of a quarter, as many may still be without an outcome for it to count as over
QUANTITIES: tuple[PeriodQuantity, ...] = ("churned", "grr", "nrr", "arr")


@dataclass(frozen=True, slots=True)
class SaidOfPeriod:
    """What a forecast said of one quarter of due dates: `predicted` by quantity and currency ("" for counts)."""

    name: str
    first: date
    last: date
    predicted: Mapping[tuple[PeriodQuantity, str], Predicted]


@dataclass(frozen=True, slots=True)
class PastForecast:
    """A forecast of the ledger, as the record needs it.

    `running` gives its customers with a renewal within the horizon and the first due date of each; `opening` is the ARR of all customers,
    by currency.
    """

    entry: int
    as_of: date
    made_on: date
    replayed: bool
    model_version: int | None
    running: Mapping[str, date]
    opening: Mapping[str, float]
    periods: Sequence[SaidOfPeriod]


class Realised:
    """What came of the renewals of some accounts due in a span of days."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self._position = {name: code for code, name in enumerate(terms.account_names)}

    def rows(self, running: Mapping[str, date], first: date | None, last: date) -> Ints:
        """Rows of Terms of these accounts from the due date given for each on, due from a day (None: the first) to another."""
        terms = self.terms
        since = np.full(len(terms.account_names), np.iinfo(np.int64).max)
        for name, due in running.items():
            if name in self._position:
                since[self._position[name]] = _number(due)
        inside = (terms.due >= since[terms.account]) & (terms.due <= _number(last))
        return np.flatnonzero(inside if first is None else inside & (terms.due >= _number(first)))

    def outcome(self, rows: Ints, currency: str) -> dict[PeriodQuantity, float]:
        """Churned renewals, and for a currency GRR and NRR of what was due and the change of ARR (as "arr")."""
        terms = self.terms
        churned = terms.outcome[rows] == CHURNED
        own = (terms.money.currency[rows] == _code(terms, currency)) & np.isfinite(terms.money.before[rows])
        before = terms.money.before[rows][own]
        after = np.where(churned[own], 0.0, terms.money.after[rows][own])
        after = np.where(np.isfinite(after), after, before)
        due = float(before.sum())
        if due <= 0:
            return {"churned": float(churned.sum())}
        kept, total = float(np.minimum(before, after).sum()), float(after.sum())
        return {"churned": float(churned.sum()), "grr": kept / due, "nrr": total / due, "arr": total - due}

    def is_over(self, rows: Ints, last: date) -> bool:
        """Whether the span is past and its renewals have their outcomes."""
        undecided = int((self.terms.outcome[rows] == UNDECIDED).sum())
        return _number(last) <= self.terms.as_of and undecided <= OPEN_SHARE * len(rows)


def score_snapshot(past: PastForecast, realised: Realised) -> SnapshotRecord:
    """What the forecast said of each quarter that is over, and what came."""
    outcomes: list[PeriodOutcome] = []
    change = dict.fromkeys(past.opening, 0.0)
    for number, period in enumerate(past.periods):
        rows = realised.rows(past.running, period.first if number else None, period.last)
        if not realised.is_over(rows, period.last):
            break
        for (quantity, currency), predicted in period.predicted.items():
            came = realised.outcome(rows, currency)
            if quantity == "arr":
                change[currency] = change.get(currency, 0.0) + came.get("arr", 0.0)
                came["arr"] = past.opening.get(currency, 0.0) + change[currency]
            if quantity in came:
                outcomes.append(_compared(quantity, period, past.as_of, currency, predicted, came[quantity]))
    return SnapshotRecord(past.entry, past.as_of, past.made_on, past.replayed, past.model_version, tuple(outcomes))


def interval_coverage(snapshots: Sequence[SnapshotRecord]) -> tuple[IntervalCoverage, ...]:
    """By quantity, of forecasts made at the time and of replayed ones apart: the share of outcomes inside the intervals."""
    said = []
    for replayed in (False, True):
        for quantity in QUANTITIES:
            found = [one for snap in snapshots if snap.replayed == replayed for one in snap.outcomes if one.quantity == quantity]
            if found:
                said.append(_coverage(quantity, replayed, found))
    return tuple(said)


def _coverage(quantity: PeriodQuantity, replayed: bool, found: Sequence[PeriodOutcome]) -> IntervalCoverage:
    names = sorted({one.period for one in found})
    period = np.array([names.index(one.period) for one in found])
    inside = [_share(np.array([getattr(one, level) for one in found]), period) for level in ("in_80", "in_95")]
    return IntervalCoverage(quantity, replayed, len(found), len(names), inside[0], inside[1])


def _share(inside: Bools, period: Ints) -> MaybeEstimate:
    if len(np.unique(period)) < 2:
        return NoEstimate("outcomes of a single quarter", "two quarters or more that are over")
    return clustered_share(inside, period)


def _compared(
    quantity: PeriodQuantity, period: SaidOfPeriod, as_of: date, currency: str, predicted: Predicted, actual: float
) -> PeriodOutcome:
    slack = 1e-9 * max(1.0, abs(actual))  # the ends are rounded where they are printed
    tolerance = 0.005 + slack if quantity == "arr" else 1e-6 + slack
    return PeriodOutcome(
        quantity=quantity,
        period=period.name,
        lead_months=(period.last.year - as_of.year) * 12 + period.last.month - as_of.month,
        currency=currency,
        predicted=predicted,
        actual=actual,
        in_80=predicted.low_80 - tolerance <= actual <= predicted.high_80 + tolerance,
        in_95=predicted.low_95 - tolerance <= actual <= predicted.high_95 + tolerance,
    )


def _code(terms: Terms, currency: str) -> int:
    return terms.money.currencies.index(currency) if currency in terms.money.currencies else 0


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days
