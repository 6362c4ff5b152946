"""What a metric is by plain pandas over the files themselves, by the rules in words: the independent truth of the tests beside it.

Everything here is of data in which a row is known on the day on which it happened, and in which no row has two versions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unspun.metrics.missing import REASONS

SILENT_DAYS = 7
FAR_BACK = date(1, 1, 1).toordinal()
Ints = NDArray[np.int64]
Value = int | float | str | date | None


class Missing(Exception):
    """There is no value, for this reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        assert reason in REASONS
        self.reason = reason


def day_numbers(times: pd.Series, zone: str) -> pd.Series:
    """The calendar day of UTC instants in a zone, as a count of days (`date.toordinal`)."""
    local = times.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
    return (local.dt.normalize() - pd.Timestamp(1970, 1, 1)).dt.days + date(1970, 1, 1).toordinal()


def month_back(day: date, months: int) -> date:
    return cast("pd.Timestamp", pd.Timestamp(day) - pd.DateOffset(months=months)).date()  # pyright: ignore[reportOperatorIssue]


def those(rows: pd.DataFrame, fit: object) -> pd.DataFrame:
    """The rows that fit."""
    return cast("pd.DataFrame", rows[cast("pd.Series", fit)])


def exact_sum(cells: pd.Series) -> float:
    """The sum of the cells, each rounded to nine decimals, in decimal arithmetic."""
    rounded = (Decimal(float(cell)).quantize(Decimal("1e-9"), ROUND_HALF_UP) for cell in cells.dropna())
    return float(sum(rounded, Decimal(0)))


@dataclass(frozen=True)
class Rows:
    """Rows of a table in the order of their days, those of one day as in the file; `days` are those days."""

    rows: pd.DataFrame
    days: Ints

    def between(self, first: int, last: int) -> pd.DataFrame:
        """The rows from a day to another, both included."""
        return self.rows.iloc[np.searchsorted(self.days, first) : np.searchsorted(self.days, last, "right")]


def in_order(rows: pd.DataFrame) -> Rows:
    """Rows as they are asked for, by their column `day`."""
    ordered = rows.sort_values(by="day", kind="stable")
    return Rows(ordered, ordered.day.to_numpy(np.int64))


@dataclass(frozen=True)
class Files:
    """The rows of a company's files: `tables` by name, each with `account`, `day` and its cells.

    `born`: the day of each account that was stated. A row of subscriptions has `ended` (a count of days, NaN: open) and `is_addon`.
    """

    tables: Mapping[str, Rows]
    born: Mapping[str, int]
    dense: frozenset[str] = frozenset({"events"})
    fiscal_year_starts: int = 1
    grace_days: int = 7
    left: dict[int, bool] = field(default_factory=dict[int, bool])
    """Of one account: whether it has left by a day, once that was asked."""

    def of_account(self, account: str) -> Files:
        """Those of one account."""
        return replace(
            self, left={}, tables={name: in_order(those(held.rows, held.rows.account == account)) for name, held in self.tables.items()}
        )


@dataclass(frozen=True)
class At:
    """An account as of the end of a day. `whole` are the files of all accounts, `own` those of this one; `shift` days are gone back."""

    whole: Files
    own: Files
    account: str
    as_of: int
    shift: int = 0

    @property
    def day(self) -> int:
        return self.as_of - self.shift

    @property
    def date(self) -> date:
        return date.fromordinal(self.day)

    def earlier(self, days: int) -> At:
        return replace(self, shift=self.shift + days)

    # Windows, as first and last day

    def days(self, number: int) -> tuple[int, int]:
        return self.day - number + 1, self.day

    def months(self, number: int) -> tuple[int, int]:
        return month_back(self.date, number).toordinal() + 1, self.day

    def lifetime(self) -> tuple[int, int]:
        return FAR_BACK, self.day

    def period(self, length_months: int, before: int = 0) -> tuple[int, int]:
        """The calendar month, fiscal quarter (3) or fiscal year (12) so far, or the whole one before."""
        into = (self.date.month - self.own.fiscal_year_starts) % length_months if length_months > 1 else 0
        first = month_back(self.date.replace(day=1), into)
        if not before:
            return first.toordinal(), self.day
        return month_back(first, length_months).toordinal(), first.toordinal() - 1

    def contract(self) -> tuple[int, int]:
        self.check_life(self.day)
        running = self.running_terms()
        if running.empty:
            raise Missing("no_contract")
        return int(running.day.max()), self.day

    # Life

    @property
    def born(self) -> int | None:
        stated = self.own.born.get(self.account)
        if stated is not None:
            return stated
        rows = self.visible("purchases")
        return None if rows.empty else int(rows.day.min())

    def visible(self, table: str) -> pd.DataFrame:
        return self.own.tables.get(table, EMPTY).between(FAR_BACK, self.as_of)

    def running_terms(self) -> pd.DataFrame:
        terms = self.visible("subscriptions")
        return those(terms, ~terms.is_addon & (terms.ended.isna() | (terms.ended > self.as_of)))

    def is_gone(self) -> bool:
        terms = self.visible("subscriptions")
        terms = terms[~terms.is_addon] if len(terms) else terms
        return len(terms) > 0 and self.running_terms().empty and self.as_of >= terms.ended.max() + self.own.grace_days

    def check_life(self, last: int) -> None:
        if self.born is None or last < self.born:  # of an account without a stated birth nothing is known before its first purchase
            raise Missing("before_birth")
        if self.as_of not in self.own.left:
            self.own.left[self.as_of] = self.is_gone()
        if self.own.left[self.as_of]:
            raise Missing("after_churn")

    # Rows

    def rows(
        self, table: str, window: tuple[int, int], where: Callable[[pd.DataFrame], pd.Series] | None = None, recency: str = ""
    ) -> pd.DataFrame:
        """The rows in a window that fit, or the reason why nothing can be said of them.

        `recency`: for a measure of the last row, the column that must not be empty in it ("any": none).
        """
        self.check_life(min(window[1], self.day))
        everybody = self.whole.tables[table].days
        seen = everybody[: np.searchsorted(everybody, self.day, "right")]
        if not len(seen):
            raise Missing("no_source")
        inside = self.own.tables[table].between(window[0], min(window[1], self.day))
        fitting = inside if where is None else those(inside, where(inside))
        if table in self.whole.dense:
            self._check_dense(
                seen, table, window[0], fitting if recency in ("", "any") else those(fitting, fitting[recency].notna()), recency
            )
        return fitting

    def _check_dense(self, seen: Ints, table: str, first: int, fitting: pd.DataFrame, recency: str) -> None:
        if self.day - seen[-1] > SILENT_DAYS:
            raise Missing("source_silent")
        begins = fitting.day.max() if recency and len(fitting) else max(first, self.born or first)
        if begins < seen[0]:
            raise Missing("before_source")
        if not (self.own.tables[table].days <= self.day).any():
            raise Missing("not_seen")


EMPTY = in_order(pd.DataFrame({"account": [], "day": [], "ended": [], "is_addon": pd.Series([], dtype=bool)}))
Metric = Callable[[At], Value]


def last_of(rows: pd.DataFrame, column: str) -> Value:
    """The cell of the last row in which it is not empty; rows of one instant in the order of the file."""
    filled = those(rows, rows[column].notna()).sort_values(by="at", kind="stable")
    return some(filled)[column].iloc[-1]


def some(rows: pd.DataFrame) -> pd.DataFrame:
    if rows.empty:
        raise Missing("no_rows")
    return rows


def ratio(one: float, other: float) -> float:
    if other == 0:
        raise Missing("zero_denominator")
    return one / other


def slope(values: list[float]) -> float:
    """Of the least-squares line, left to right."""
    number = len(values)
    middle = (number - 1) / 2
    return sum((i - middle) * value for i, value in enumerate(values)) / sum((i - middle) ** 2 for i in range(number))


def told(metric: Metric, at: At) -> tuple[Value, str | None]:
    """The value, or the reason why there is none."""
    try:
        value = metric(at)
    except Missing as missing:
        return None, missing.reason
    return plain(value), None


def plain(value: Any) -> Value:
    """A cell as Python has it."""
    return value.item() if hasattr(value, "item") else value
