"""A small shop: purchases as lists, at random or written out by hand, and scores made from them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from unspun.book.tables import Codes, Purchases, ScoreHistory, ScoreSeries, Source

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an order; `amount` is NaN where not given."""

    account: str
    day: date
    amount: float
    currency: str = "GBP"


def purchases(lines: list[Line]) -> Purchases:
    """The lines as a table, in the order given."""
    names = tuple(dict.fromkeys(line.account for line in lines))
    currencies = tuple(sorted({line.currency for line in lines}))
    return Purchases(
        source=_source("purchases", len(lines)),
        row=np.arange(2, len(lines) + 2),
        account=Codes(np.array([names.index(line.account) for line in lines], dtype=np.int32), names),
        date=np.array([line.day for line in lines], dtype="datetime64[D]"),
        amount=np.array([line.amount for line in lines]),
        currency=Codes(np.array([currencies.index(line.currency) for line in lines], dtype=np.int32), currencies),
    )


def scores(rows: list[tuple[str, date, float]], recorded: list[date] | None = None) -> ScoreHistory:
    """A score history of (account, dated, value)."""
    names = tuple(dict.fromkeys(account for account, _, _ in rows))
    return ScoreHistory(
        source=_source("scores", len(rows)),
        row=np.arange(2, len(rows) + 2),
        account=Codes(np.array([names.index(account) for account, _, _ in rows], dtype=np.int32), names),
        dated=np.array([dated for _, dated, _ in rows], dtype="datetime64[us]"),
        series=(ScoreSeries("score", np.array([value for _, _, value in rows])),),
        recorded=None if recorded is None else np.array(recorded, dtype="datetime64[us]"),
    )


def random_lines(seed: int, customers: int, first: date, days: int) -> list[Line]:
    """Customers with a pace of their own that stop at random; several lines on some days, a few without an amount. Shuffled."""
    draw = np.random.default_rng(seed)
    lines = []
    for customer in range(customers):
        pace, at = draw.uniform(5, 80), draw.integers(0, days)
        until = draw.integers(at, days + 1)
        while at <= until:
            for _ in range(draw.integers(1, 4)):
                amount = float(np.nan if draw.random() < 0.1 else draw.integers(0, 9000) / 100)
                lines.append(Line(f"c{customer}", first + timedelta(days=int(at)), amount))
            at += int(draw.exponential(pace)) + 1
    return [lines[i] for i in draw.permutation(len(lines))]


def month_starts(first: date, last: date) -> list[date]:
    """First days of months from the month of one day to that of the other."""
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def _source(role: str, rows: int) -> Source:
    read_as = "scores" if role == "scores" else "purchases"
    return Source(read_as, f"{role}.csv", "0" * 64, "CSV", rows, {}, (), ())
