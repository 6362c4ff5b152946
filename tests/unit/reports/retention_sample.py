"""An answer about retention as the reports' tests lay it out: two years, three segments, every kind of part."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.result import LeftOut, Part, Rate, RateName, RenewalRates, RetentionResult, Waterfall
from unspun.reports.retention_html import Proof
from unspun.stats.estimate import Estimate, MaybeEstimate, NoEstimate

MONTHS = tuple(f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13))
NOTHING = NoEstimate("fewer than 10 customers paid at the opening", "10 customers")
SEGMENTS = ("Enterprise", "Mid-market", "=<b>Small & very small customers with a long name</b>")


def waterfall(at: int, part: Part) -> Waterfall:
    opening, new, churn = Decimal(1_000_000 + 20_000 * at), Decimal(30_000 + 1000 * (at % 5)), Decimal("18000.55")
    closing = opening + new + Decimal(2000) + Decimal(15_000) - Decimal(8000) - churn
    counts = {"opening": 320, "new": 12, "reactivation": 1, "expansion": 40, "contraction": 9, "churn": 11, "closing": 322}
    amounts = (opening, new, Decimal(2000), Decimal(15_000), Decimal(8000), churn, closing)
    return Waterfall(MONTHS[at], part, *amounts, pending=Decimal(1200), accounts=counts)


def rate(name: RateName, month: str, part: Part, point: float | None) -> Rate:
    known: MaybeEstimate = NOTHING if point is None else Estimate(point, point - 0.02, point + 0.03, "ratio, clustered by top parent", 320)
    return Rate(name, month, 12, part, Decimal(900_000), Decimal(1_000_000), Decimal(0), 320, 300, known)


def renewals(month: str, part: Part) -> RenewalRates:
    share = Estimate(0.9, 0.8, 0.95, "Wilson", 41)
    return RenewalRates(month, part, 30, 2, 5, 4, 1, 0, Decimal(10), Decimal(9), 40, share, NOTHING)


def answer(currencies: tuple[str, ...] = ("USD",), estimated: bool = True) -> RetentionResult:
    """An answer in these currencies, with estimates or without any."""
    falls, rates, due = [], [], []
    for currency in currencies:
        whole = Part(currency=currency)
        falls += [waterfall(at, whole) for at in range(len(MONTHS))]
        due += [renewals(month, whole) for month in MONTHS]
        for at, month in enumerate(MONTHS[12:]):
            rates += [
                rate("grr", month, whole, 0.86 + 0.004 * at if estimated else None),
                rate("nrr", month, whole, 1.0 if estimated else None),
            ]
        for at, value in enumerate(SEGMENTS):
            part = Part("segment", value, currency)
            rates += [rate("grr", MONTHS[-1], part, 0.95 - 0.1 * at if estimated and at < 2 else None), rate("nrr", MONTHS[-1], part, 1.0)]
    rates += [rate("logo", month, Part(), 0.83 if estimated else None) for month in MONTHS[12:]]
    left = (LeftOut("no_amount", "term without an amount", "rows", 3, ("terms.csv row 7",)),)
    question = RetentionQuestion(date(2025, 12, 31), by=("segment",))
    return RetentionResult(question, MONTHS, currencies, tuple(falls), tuple(rates), tuple(due), 1000, 997, left, ("a note",))


def proof() -> Proof:
    sql = {"subscriptions": "SELECT *\nFROM subscriptions -- <script>"}
    return Proof(
        17, f"17:{'ab' * 32}", 3, "cd" * 32, "duckdb 2.0.0", "0.4.0", "retention.yml", "window_months: 12\n", "ef" * 32, sql, "Acme & Co"
    )
