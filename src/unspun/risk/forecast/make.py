"""From simulated paths to a forecast: what is due by month, quarter, segment and owner, what becomes of it, and the fan of ARR."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from unspun.audit.result import Caution
from unspun.risk.forecast.amounts import RatioTables
from unspun.risk.forecast.result import (
    FAN_QUANTILES,
    ArrFan,
    FanPoint,
    Forecast,
    GroupForecast,
    GroupKind,
    MaybePredicted,
    MoneyForecast,
    Predicted,
    RenewalForecast,
    RenewalStatus,
)
from unspun.risk.forecast.shocks import DeviationPosterior
from unspun.risk.forecast.simulate import NO_FACT, QUANTITIES, Chances, Horizon, OpenTerms, Paths, Shocks, add_months, simulate
from unspun.stats.estimate import NoEstimate

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CENTS = Decimal("0.01")
NOTHING_DUE = NoEstimate("no ARR is due", "renewals with an amount")
_PLACE = {name: i for i, name in enumerate(QUANTITIES)}


@dataclass(frozen=True, slots=True)
class OpenBook:
    """The terms that run on the as-of day, and what their codes stand for. Rows are by due date, then account."""

    as_of: date
    terms: OpenTerms
    accounts: tuple[str, ...]  # by row; so too the status
    status: tuple[RenewalStatus, ...]
    segments: tuple[str, ...]  # by code; so too the next two
    owners: tuple[str, ...]
    currencies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ForecastBasis:
    """What the paths are drawn from. `probabilities` (n, 4) are of the running terms.

    Where not `single` (by term), nothing is said of that renewal alone: only sums rest on the model.
    """

    probabilities: Floats
    chances: Chances
    shocks: Shocks
    ratios: RatioTables
    model_version: int | None
    model_words: str
    single: Bools


@dataclass(frozen=True, slots=True)
class ForecastSettings:
    """How far and how fine."""

    months: int
    paths: int
    seed: int
    package_version: str


def forecast_book(
    book: OpenBook, basis: ForecastBasis | NoEstimate, settings: ForecastSettings, cautions: tuple[Caution, ...], *, replayed: bool
) -> Forecast:
    """The forecast. Where there is no basis, what is due is counted and nothing is said of what becomes of it."""
    horizon = horizon_of(book.as_of, settings.months)
    groups = len(book.segments), len(book.owners), len(book.currencies)
    paths = (
        None
        if isinstance(basis, NoEstimate)
        else simulate(book.terms, basis.chances, basis.shocks, basis.ratios, horizon, groups, settings.seed, settings.paths)
    )
    said = _Said(book, horizon, paths, basis if isinstance(basis, NoEstimate) else None)
    known = basis if not isinstance(basis, NoEstimate) else None
    return Forecast(
        as_of=book.as_of,
        until=_date(horizon.until),
        months=settings.months,
        paths=settings.paths,
        seed=settings.seed,
        total=said.total(),
        by_month=said.by_month(),
        by_quarter=said.by_quarter(),
        by_segment=said.by_segment(),
        by_owner=said.by_owner(),
        fans=said.fans(),
        renewals=_renewals(book, horizon, known, paths),
        shocks=() if known is None else tuple(one.shock for one in _posteriors(known.shocks)),
        ratios=() if known is None else known.ratios.seen,
        model_version=None if known is None else known.model_version,
        model_words="" if known is None else known.model_words,
        replayed=replayed,
        refused=said.refused,
        cautions=cautions,
        package_version=settings.package_version,
    )


def horizon_of(as_of: date, months: int) -> Horizon:
    """From the day after the as-of date to the same day so many months later; a month's last day leads to a month's last day."""
    day = _number(as_of)
    after = add_months(np.array([day + 1]), np.array([months]))
    return Horizon(day, int(after[0]) - 1)


def predict(values: Floats, digits: int) -> Predicted:
    """What is said of a quantity from its paths."""
    low_95, low_80, median, high_80, high_95 = np.quantile(values, (0.025, 0.1, 0.5, 0.9, 0.975)).tolist()
    said = (float(values.mean()), median, low_80, high_80, low_95, high_95)
    return Predicted(*(round(one, digits) for one in said))


def money(amount: float) -> Decimal:
    """An amount of the book as it is printed."""
    return Decimal(repr(amount)).quantize(CENTS)


def _posteriors(shocks: Shocks) -> tuple[DeviationPosterior, ...]:
    return shocks.churn, shocks.contraction, shocks.expansion, shocks.family


class _Said:
    """One forecast's groups: static sums of what is due, and what the paths say of it."""

    def __init__(self, book: OpenBook, horizon: Horizon, paths: Paths | None, refused: NoEstimate | None) -> None:
        self.book, self.horizon, self.paths, self.refused = book, horizon, paths, refused
        self.due = book.terms.due <= horizon.until
        self.month = horizon.month(book.terms.due)

    def total(self) -> GroupForecast:
        months = None if self.paths is None else self.paths.month.sum(axis=0)
        return self._group("all", "", (self.horizon.as_of + 1, self.horizon.until), self.due, months)

    def by_month(self) -> tuple[GroupForecast, ...]:
        return tuple(
            self._group("month", f"{_month_start(first):%Y-%m}", self._span(first, first + 1), self.month == i, self._months([i]))
            for i, first in enumerate(range(self.horizon.first_month, self.horizon.first_month + self.horizon.months))
        )

    def by_quarter(self) -> tuple[GroupForecast, ...]:
        return tuple(self._quarter(i) for i in range(self.horizon.quarters))

    def _quarter(self, number: int) -> GroupForecast:
        months = np.arange(self.horizon.months)
        inside = months[self.horizon.quarter(months) == number]
        first = self.horizon.first_month + int(inside[0])
        name = f"{1970 + first // 12}-Q{first % 12 // 3 + 1}"
        span = self._span(first, self.horizon.first_month + int(inside[-1]) + 1)
        return self._group("quarter", name, span, np.isin(self.month, inside), self._months(inside.tolist()))

    def by_segment(self) -> tuple[GroupForecast, ...]:
        held = None if self.paths is None else self.paths.segment
        names = (*self.book.segments, "")
        code = np.where(self.book.terms.segment < 0, len(self.book.segments), self.book.terms.segment)
        return self._named("segment", names, code, held)

    def by_owner(self) -> tuple[GroupForecast, ...]:
        return self._named("owner", self.book.owners, self.book.terms.owner, None if self.paths is None else self.paths.owner)

    def fans(self) -> tuple[ArrFan, ...]:
        return tuple(fan for code, name in enumerate(self.book.currencies) if (fan := self._fan(code, name)) is not None)

    def _named(self, kind: GroupKind, names: Sequence[str], code: Ints, held: Floats | None) -> tuple[GroupForecast, ...]:
        """By name; groups with nothing due within the horizon are left out."""
        span = self.horizon.as_of + 1, self.horizon.until
        order = sorted(range(len(names)), key=lambda i: (not names[i], names[i]))
        present = [i for i in order if (self.due & (code == i)).any()]
        return tuple(self._group(kind, names[i], span, code == i, None if held is None else held[i]) for i in present)

    def _months(self, months: list[int]) -> Floats | None:
        return None if self.paths is None else self.paths.month[months].sum(axis=0)

    def _span(self, first_month: int, after_month: int) -> tuple[int, int]:
        first, after = _number(_month_start(first_month)), _number(_month_start(after_month))
        return max(first, self.horizon.as_of + 1), min(after - 1, self.horizon.until)

    def _group(self, kind: GroupKind, name: str, span: tuple[int, int], rows: Bools, sums: Floats | None) -> GroupForecast:
        terms, rows = self.book.terms, rows & self.due
        return GroupForecast(
            kind=kind,
            name=name,
            first=_date(span[0]),
            last=_date(span[1]),
            renewals=int(rows.sum()),
            facts=int((rows & (terms.fact != NO_FACT)).sum()),
            overdue=int((rows & (terms.due <= self.horizon.as_of)).sum()),
            n_without_amount=int((rows & np.isnan(terms.arr)).sum()),
            later=self._counted(sums, "later"),
            churned=self._counted(sums, "churned"),
            contracted=self._counted(sums, "contracted"),
            expanded=self._counted(sums, "expanded"),
            money=tuple(
                self._money(code, rows & (terms.currency == code), sums)
                for code in range(len(self.book.currencies))
                if (rows & (terms.currency == code) & np.isfinite(terms.arr)).any()
                or (sums is not None and sums[code, _PLACE["due_later"]].any())
            ),
        )

    def _counted(self, sums: Floats | None, quantity: str) -> MaybePredicted:
        return self._refusal if sums is None else predict(sums[:, _PLACE[quantity]].sum(axis=0), 4)

    @property
    def _refusal(self) -> NoEstimate:
        assert self.refused is not None
        return self.refused

    def _money(self, currency: int, rows: Bools, sums: Floats | None) -> MoneyForecast:
        amounts = self.book.terms.arr[rows & np.isfinite(self.book.terms.arr)]
        name, due = self.book.currencies[currency], money(math.fsum(amounts.tolist()))
        if sums is None:
            refusal = self._refusal
            return MoneyForecast(name, due, refusal, refusal, refusal, refusal, refusal, refusal, refusal)
        later, lost, down, up = (sums[currency, _PLACE[one]] for one in ("due_later", "lost", "down", "up"))
        whole = float(due) + later
        grr, nrr = _rate(whole - lost - down, whole), _rate(whole - lost - down + up, whole)
        renewed = predict(whole - lost - down + up, 2)
        return MoneyForecast(name, due, predict(later, 2), predict(lost, 2), predict(down, 2), predict(up, 2), renewed, grr, nrr)

    def _fan(self, currency: int, name: str) -> ArrFan | None:
        terms = self.book.terms
        amounts = terms.arr[(terms.currency == currency) & np.isfinite(terms.arr)]
        if not len(amounts):
            return None
        opening = money(math.fsum(amounts.tolist()))
        if self.paths is None:
            return ArrFan(name, opening, (), self._refusal, self._refusal)
        change = self.paths.month[:, currency]
        path = float(opening) + np.cumsum(change[:, _PLACE["up"]] - change[:, _PLACE["lost"]] - change[:, _PLACE["down"]], axis=0)
        whole = np.full(path.shape[1], float(opening))
        points = (_fan_point(self.book.as_of, whole), *(_fan_point(day, at) for day, at in zip(self._month_ends(), path, strict=True)))
        return ArrFan(name, opening, points, _rate(self.paths.kept[currency], whole), _rate(self.paths.final[currency], whole))

    def _month_ends(self) -> list[date]:
        firsts = range(self.horizon.first_month, self.horizon.first_month + self.horizon.months)
        return [_date(self._span(first, first + 1)[1]) for first in firsts]


def _fan_point(day: date, values: Floats) -> FanPoint:
    quantiles = np.quantile(values, FAN_QUANTILES).tolist()
    return FanPoint(day, round(float(values.mean()), 2), tuple(round(one, 2) for one in quantiles))


def _rate(part: Floats, whole: Floats) -> MaybePredicted:
    """Of the paths in which anything is due."""
    due = whole > 0
    return predict(part[due] / whole[due], 6) if due.any() else NOTHING_DUE


def _renewals(book: OpenBook, horizon: Horizon, basis: ForecastBasis | None, paths: Paths | None) -> tuple[RenewalForecast, ...]:
    terms, due = book.terms, book.terms.due <= horizon.until
    single = np.zeros(len(terms), bool) if basis is None else basis.single
    stated = None if basis is None else _stated(terms, basis)
    expected = None if basis is None or stated is None else _expected_arr(terms, stated, basis.ratios)
    return tuple(
        RenewalForecast(
            account=book.accounts[row],
            due=_date(int(terms.due[row])),
            lead_days=int(terms.due[row]) - horizon.as_of,
            status=book.status[row],
            segment=book.segments[terms.segment[row]] if terms.segment[row] >= 0 else "",
            owner=book.owners[terms.owner[row]],
            currency=book.currencies[terms.currency[row]],
            arr=money(float(terms.arr[row])) if np.isfinite(terms.arr[row]) else None,
            probabilities=_four(stated[row]) if stated is not None and single[row] else None,
            expected_arr=round(float(expected[row]), 2) if expected is not None and single[row] and np.isfinite(expected[row]) else None,
            expected_later=round(float(paths.later[row]), 4) if paths is not None and single[row] else None,
        )
        for row in np.flatnonzero(due).tolist()
    )


def _four(probabilities: Floats) -> tuple[float, float, float, float]:
    churn, contraction, flat, expansion = (round(one, 8) for one in probabilities.tolist())
    return churn, contraction, flat, expansion


def _stated(terms: OpenTerms, basis: ForecastBasis) -> Floats:
    """Probabilities, of facts 0 and 1."""
    stated = basis.probabilities.copy()
    facts = np.flatnonzero(terms.fact != NO_FACT)
    stated[facts] = 0.0
    stated[facts, terms.fact[facts]] = 1.0
    return stated


def _expected_arr(terms: OpenTerms, stated: Floats, ratios: RatioTables) -> Floats:
    mean = terms.arr * (stated * ratios.means[:, terms.segment].T).sum(axis=1)  # segment -1 takes the last
    return np.where(np.isfinite(terms.arr_after), terms.arr_after, mean)


def _month_start(month: int) -> date:
    return date(1970 + month // 12, month % 12 + 1, 1)


def _number(day: date) -> int:
    return (day - date(1970, 1, 1)).days


def _date(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)
