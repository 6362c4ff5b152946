"""Everything that figures are summed from: balances, groups and families of all accounts at the closings a question needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from unspun.book.retention.balances import NOT_STATED, Balances, take_balances
from unspun.book.retention.places import Grouping, find_groupings, find_tops
from unspun.book.retention.question import RetentionQuestion, check_question, last_ended_month
from unspun.book.retention.sold import Sold, read_sold
from unspun.book.tables import Ints
from unspun.book.terms.derive import EPOCH, Followed, follow_terms
from unspun.book.terms.lines import Lines
from unspun.errors import BadInput, Fault

ALL = ""


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that figures are summed from. `months` are those asked for; `top` is the top parent
    of each account, `currencies` the codes of those that ARR is in."""

    question: RetentionQuestion
    sold: Sold
    followed: Followed
    balances: Balances
    groupings: tuple[Grouping, ...]
    top: Ints
    top_names: tuple[str, ...]
    months: tuple[str, ...]
    currencies: tuple[int, ...]

    @property
    def accounts(self) -> tuple[str, ...]:
        return self.sold.terms.account.names

    def closes(self, month: int) -> int:
        """Index of the closing day of the month, given by its place among those asked for."""
        return month + len(self.balances.days) - len(self.months)

    def currency_name(self, code: int) -> str:
        return "" if code == NOT_STATED else self.sold.currencies[code]

    def parts(self) -> Iterator[tuple[Grouping | None, str, tuple[str, ...]]]:
        """The whole book, then each grouping: itself, its name and its values."""
        yield None, ALL, (ALL,)
        for grouping in self.groupings:
            yield grouping, grouping.by, grouping.values


def measure(question: RetentionQuestion, rows: Mapping[str, pa.Table]) -> Measured:
    """Balances, groups and families of all accounts at the closings that the question needs."""
    check_question(question)
    sold = read_sold(question, rows)
    today = (question.as_of - EPOCH).days
    followed = follow_terms(sold.terms, sold.rules, question.as_of)
    lines, accounting = followed.lines, followed.accounting
    if len(lines.start) == 0:
        why = "; ".join(f"{r.reason}: {len(r.rows):,}" for r in accounting.rejections)
        raise BadInput(Fault("no_terms", f"none of the {sold.rows_read:,} terms counts ({why}).", "subscriptions"))
    until = followed.succession.runs_until(lines)
    months = _months(question, lines)
    days = _closing_days(months, question.window)
    balances = take_balances(sold, followed, today, days)
    groupings = find_groupings(question, rows, sold, lines, until, balances.first_paid, days)
    top, names = find_tops(sold.terms.account, rows["parents"])
    paid = balances.in_money & (balances.arr > 0).any(axis=1)
    currencies = tuple(np.unique(balances.currency[paid]).tolist())
    return Measured(question, sold, followed, balances, groupings, top, names, months, currencies)


def _months(question: RetentionQuestion, lines: Lines) -> tuple[str, ...]:
    """The months asked for; the first full month of the terms where no first is given."""
    last = np.datetime64(question.last_month or last_ended_month(question.as_of), "M")
    day = int(lines.start.min())
    begun = np.datetime64(day, "D").astype("datetime64[M]")
    full = begun + int(begun.astype("datetime64[D]").astype(np.int64) != day)
    first = np.datetime64(question.first_month, "M") if question.first_month else full
    if first > last:
        message = f"the terms begin on {np.datetime64(day, 'D')}: no full month of them has ended by {last}."
        raise BadInput(Fault("no_months", message, "as_of", "Ask for a later as-of date, or give first_month."))
    return tuple(np.arange(first, last + 1).astype(str).tolist())


def _closing_days(months: tuple[str, ...], window: int) -> Ints:
    """The last day of each month, from the opening of the first window on."""
    first, last = np.datetime64(months[0], "M") - window, np.datetime64(months[-1], "M")
    return (np.arange(first, last + 1) + 1).astype("datetime64[D]").astype(np.int64) - 1
