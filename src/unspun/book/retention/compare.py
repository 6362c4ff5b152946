"""Two definitions side by side: the curves of both, and the months and accounts in which they differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np
import pyarrow as pa

from unspun.book.retention.judge import judge
from unspun.book.retention.measured import Measured, measure
from unspun.book.retention.money import as_decimal
from unspun.book.retention.movements import CLASSES, pair_up
from unspun.book.retention.question import RetentionQuestion
from unspun.book.retention.result import RetentionResult
from unspun.book.retention.rules import RetentionRules


@dataclass(frozen=True, slots=True)
class Difference:
    """An account that two definitions see differently in a month: its closing ARR and movement under each."""

    month: str
    account_id: str
    closing: Decimal
    other_closing: Decimal
    movement: str
    other_movement: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """The answers under both definitions, over the same months, and every difference in the order of month and account."""

    result: RetentionResult
    other: RetentionResult
    differences: tuple[Difference, ...]

    @property
    def months(self) -> tuple[str, ...]:
        """The months in which some account differs."""
        return tuple(dict.fromkeys(one.month for one in self.differences))


def compare(question: RetentionQuestion, other_rules: RetentionRules, rows: Mapping[str, pa.Table]) -> Comparison:
    """Judge the same rows under the question's rules and under others. Raises as `judge` does.

    A window that the question gives holds for both; else each has that of its rules.
    """
    result = judge(question, rows)
    months = {"first_month": result.months[0], "last_month": result.months[-1]}
    asked, other = replace(question, **months), replace(question, rules=other_rules, **months)
    differences = _differences(measure(asked, rows), measure(other, rows))
    return Comparison(result, judge(other, rows), tuple(differences))


def _differences(one: Measured, other: Measured) -> Iterator[Difference]:
    for month, name in enumerate(one.months):
        (closing, movement), (closing_2, movement_2) = _month(one, month), _month(other, month)
        for account in np.flatnonzero((closing != closing_2) | (movement != movement_2)).tolist():
            yield Difference(
                name, one.accounts[account], as_decimal(closing[account]), as_decimal(closing_2[account]),
                CLASSES[movement[account]], CLASSES[movement_2[account]],
            )  # fmt: skip


def _month(measured: Measured, month: int) -> tuple[np.ndarray, np.ndarray]:
    """By account: closing ARR and movement of the month."""
    close = measured.closes(month)
    pair = pair_up(measured.balances, close - 1, close)
    movement = np.zeros(len(measured.accounts), np.int64)
    movement[pair.account] = pair.movement
    return measured.balances.arr[:, close], movement
