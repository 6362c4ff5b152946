"""What is known of retention: waterfalls, rates with their intervals, renewals, and what was left out and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from unspun.book.retention.question import RetentionQuestion
from unspun.stats.estimate import MaybeEstimate

RateName = Literal["grr", "nrr", "logo"]
MOVEMENTS = ("new", "reactivation", "expansion", "contraction", "churn")
OUTCOME_COUNTS = ("renewed", "contracted", "expanded", "churned", "undecided")
AMOUNTS = ("opening", *MOVEMENTS, "closing", "pending")
FIGURES = frozenset(
    {
        "grr", "nrr", "logo",
        *(f"arr.{name}" for name in AMOUNTS), *(f"accounts.{name}" for name in AMOUNTS),
        *(f"renewals.{name}" for name in (*OUTCOME_COUNTS, "logo", "arr")),
    }
)  # fmt: skip
RATE_LABELS: dict[RateName, str] = {"grr": "GRR", "nrr": "NRR", "logo": "logo retention"}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the book. `by` and `value` are the grouping and its value, both "" for all of it; `currency` is "" where the
    amounts name none or the figure is not in money."""

    by: str = ""
    value: str = ""
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Waterfall:
    """ARR of one month and part: opening + new + reactivation + expansion - contraction - churn = closing, exactly.

    `accounts` counts the accounts behind each amount, by the same names. `pending` is the ARR whose term has ended by the close and may
    still be renewed within the grace days: it counts as gone, and would be in the closing ARR if all of it came back.
    """

    month: str
    part: Part
    opening: Decimal
    new: Decimal
    reactivation: Decimal
    expansion: Decimal
    contraction: Decimal
    churn: Decimal
    closing: Decimal
    pending: Decimal
    accounts: dict[str, int]


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate of one window, which closes at the end of `month`: `kept` of `base` (ARR, or accounts for logo retention).

    `estimate` has the interval; its point is kept / base. `accounts` with ARR at the opening belong to `clusters` top parents.
    `pending` is what would be kept besides if everything whose grace days are not over at the as-of date were renewed.
    """

    name: RateName
    month: str
    window_months: int
    part: Part
    kept: Decimal
    base: Decimal
    pending: Decimal
    accounts: int
    clusters: int
    estimate: MaybeEstimate


@dataclass(frozen=True, slots=True)
class RenewalRates:
    """The renewals due in one month: how many were decided, what became of them, and the shares renewed with their intervals.

    `renewed` are those at about the ARR before (within `flat_within`). `logos` is the share of the decided that did not churn; `arr`
    is the ARR renewed, of each renewal at most what it was before, / ARR before of the decided. Renewals whose amounts cannot be
    compared (`not_compared`) are not in `arr`.
    Where the book has several currencies, the part without one has counts and `logos` of all, and no amounts.
    """

    month: str
    part: Part
    renewed: int
    contracted: int
    expanded: int
    churned: int
    undecided: int
    not_compared: int
    arr_decided: Decimal | None
    arr_renewed: Decimal | None
    clusters: int
    logos: MaybeEstimate
    arr: MaybeEstimate


@dataclass(frozen=True, slots=True)
class LeftOut:
    """What does not count, and why: so many rows or accounts, with a few of their ids, or files and rows."""

    code: str
    reason: str
    what: Literal["rows", "accounts"]
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FigureValue:
    """A figure before it is published: what it is, its unit (a currency, "share", "accounts" or "renewals") and its value."""

    label: str
    unit: str
    value: Decimal | int | MaybeEstimate


@dataclass(frozen=True, slots=True)
class RetentionResult:
    """The answer to one question, in the order of month, grouping, value and currency. `rows_read` = `rows_used` + rows left out."""

    question: RetentionQuestion
    months: tuple[str, ...]
    currencies: tuple[str, ...]
    waterfalls: tuple[Waterfall, ...]
    rates: tuple[Rate, ...]
    renewals: tuple[RenewalRates, ...]
    rows_read: int
    rows_used: int
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]

    def figures(self) -> dict[str, FigureValue]:
        """Every figure by its name: `grr/2023-12`, `arr.churn/2023-12/segment=Enterprise`, `nrr/2023-12/currency=EUR`.

        In values "%", "/" and "=" are written as %25, %2F and %3D; the currency is named where the book has several.
        """
        found: dict[str, FigureValue] = {}
        for fall in self.waterfalls:
            found |= {self.name(name, fall.month, fall.part): value for name, value in _of_waterfall(fall)}
        for rate in self.rates:
            label = f"{RATE_LABELS[rate.name]}, {rate.window_months} months to {rate.month}{_of(rate.part)}"
            found[self.name(rate.name, rate.month, rate.part)] = FigureValue(label, "share", rate.estimate)
        for due in self.renewals:
            found |= {self.name(name, due.month, due.part): value for name, value in _of_renewals(due)}
        return found

    def name(self, name: str, month: str, part: Part) -> str:
        """The name of a figure of one month and part."""
        group = f"/{escaped(part.by)}={escaped(part.value)}" if part.by else ""
        several = len(self.currencies) > 1 and part.currency
        return f"{name}/{month}{group}" + (f"/currency={part.currency}" if several else "")


def escaped(text: str) -> str:
    """A grouping or value as it stands in a figure's name."""
    return text.replace("%", "%25").replace("/", "%2F").replace("=", "%3D")


def unescaped(text: str) -> str:
    """What `escaped` was given."""
    return text.replace("%3D", "=").replace("%2F", "/").replace("%25", "%")


def _of(part: Part) -> str:
    return (f", {part.by.replace('_', ' ')} {part.value}" if part.by else "") + (f", {part.currency}" if part.currency else "")


def _of_waterfall(fall: Waterfall) -> Iterator[tuple[str, FigureValue]]:
    unit, end = fall.part.currency or "currency not stated", f"{fall.month}{_of(fall.part)}"
    for name in AMOUNTS:
        yield f"arr.{name}", FigureValue(f"{name} ARR, {end}", unit, getattr(fall, name))
    for name, count in fall.accounts.items():
        yield f"accounts.{name}", FigureValue(f"accounts with {name} ARR, {end}", "accounts", count)


def _of_renewals(due: RenewalRates) -> Iterator[tuple[str, FigureValue]]:
    end = f"due in {due.month}{_of(due.part)}"
    for name in OUTCOME_COUNTS:
        yield f"renewals.{name}", FigureValue(f"renewals {name}, {end}", "renewals", getattr(due, name))
    yield "renewals.logo", FigureValue(f"share of renewals that did not churn, {end}", "share", due.logos)
    if due.arr_decided is not None:
        yield "renewals.arr", FigureValue(f"share of ARR renewed, {end}", "share", due.arr)
