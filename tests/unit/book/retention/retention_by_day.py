"""Retention once more, slowly: plain Python and Decimal, one account, one day and one line at a time.

Which line takes over from which is told by `terms_by_day`, the slow reading of the rules for renewals.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from tests.unit.book import terms_by_day as slow

Amounts = dict[str, Decimal]


@dataclass(frozen=True)
class Day:
    """An account on a day: whether a base term runs, the ARR by currency, whether some of it is not known."""

    runs: bool
    arr: Amounts
    unknown: bool

    @property
    def customer(self) -> bool:
        return self.runs and (self.unknown or sum(self.arr.values()) > 0)


class Walked:
    """All accounts of the lines, as known on the as-of day; days are whole numbers."""

    def __init__(self, lines: list[slow.Line], rules: slow.Rules, as_of: int) -> None:
        self.spans: dict[str, list[tuple[slow.Line, int, float]]] = {}
        for account in sorted({line.account for line in lines}):
            mine = [slow._as_known(line, as_of) for line in lines if line.account == account and line.start <= as_of]
            mine = [line for line in mine if line.end is None or line.end > line.start]
            mine = [line for line in mine if not (line.end is None and line.cancelled is not None and line.cancelled <= line.start)]
            self.spans[account] = _spans(mine, rules) if any(not line.is_addon for line in mine) else []

    def day(self, account: str, day: int) -> Day:
        running = [line for line, start, stop in self.spans[account] if start <= day < stop]
        runs = any(not line.is_addon for line in running)
        arr: Amounts = {}
        for line in running:
            if runs and not math.isnan(line.arr) and line.arr > 0:
                arr[line.currency] = arr.get(line.currency, Decimal(0)) + Decimal(str(line.arr))
        return Day(runs, arr, any(math.isnan(line.arr) for line in running))

    def in_money(self, account: str, days: list[int]) -> bool:
        """Whether all that counts on these days has an amount, and is in one currency."""
        lines = [line for line, start, stop in self.spans[account] for day in days if start <= day < stop]
        return not any(math.isnan(line.arr) for line in lines) and len({line.currency for line in lines if line.arr > 0}) < 2


def _spans(lines: list[slow.Line], rules: slow.Rules) -> list[tuple[slow.Line, int, float]]:
    """Each line with the days [first, last) on which it counts."""
    lines = sorted(lines, key=lambda x: (x.start, math.inf if x.end is None else x.end, x.product, -1 if math.isnan(x.arr) else x.arr))
    lines = [slow.Line(**{**x.__dict__, "end": x.cancelled}) if x.end is None and x.cancelled is not None else x for x in lines]
    if rules.cut:
        lines = [slow.Line(**{**x.__dict__, "end": slow._cut_end(x, lines, rules)}) for x in lines]
        lines = [x for x in lines if x.end is None or x.end > x.start]
    spans = []
    for line in lines:
        follower, _ = slow._follower(line, lines, rules)
        stop = follower.start if follower is not None else math.inf if line.end is None else line.end
        spans.append((line, line.start, stop))
    return spans


def waterfalls(walked: Walked, closings: list[int], days: list[int]) -> dict[tuple[int, str, str], tuple[Decimal, int]]:
    """By (index of the closing, what, currency): the amount and the accounts. `days` are all closings that the question takes."""
    found: dict[tuple[int, str, str], Decimal] = {}
    accounts: Counter[tuple[int, str, str]] = Counter()

    def add(index: int, what: str, currency: str, amount: Decimal) -> None:
        found[index, what, currency] = found.get((index, what, currency), Decimal(0)) + amount
        accounts[index, what, currency] += 1

    for account in walked.spans:
        if not walked.in_money(account, days):
            continue
        for index in range(1, len(closings)):
            before, after = walked.day(account, closings[index - 1]), walked.day(account, closings[index])
            for currency in {*before.arr, *after.arr}:
                opening, closing = before.arr.get(currency, Decimal(0)), after.arr.get(currency, Decimal(0))
                for what, amount in (("opening", opening), ("closing", closing)):
                    if amount:
                        add(index, what, currency, amount)
                if what := _movement(walked, account, opening, closing, closings[index - 1]):
                    add(index, what, currency, abs(closing - opening))
    return {key: (amount, accounts[key]) for key, amount in found.items()}


def _movement(walked: Walked, account: str, opening: Decimal, closing: Decimal, day: int) -> str | None:
    if opening and closing:
        return None if opening == closing else "expansion" if closing > opening else "contraction"
    if opening:
        return "churn"
    earlier = any(walked.day(account, earlier).customer for earlier in range(day + 1))
    return "reactivation" if earlier else "new"
