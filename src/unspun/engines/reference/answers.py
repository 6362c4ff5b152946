"""What the reference engine reads, asks and answers: the book's rows, an account at a moment, a value or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from unspun.engines.reference.life import birth, has_left
from unspun.engines.reference.rows import BookRows, Cell, SourceRow, days_before, read_rows
from unspun.engines.reference.states import States, read_states
from unspun.metrics.question import PanelQuestion


@dataclass(frozen=True, slots=True)
class Missing:
    """No value, and why: a code of `metrics.missing.REASONS`."""

    reason: str


Value = str | int | float | bool | date
Answer = Value | Missing


@dataclass(frozen=True, slots=True)
class Moment:
    """An account at the end of a day, `as_of`, looking `shift_days` back: `day` is the day looked at, by what was known as of the other."""

    account: str
    as_of: date
    shift_days: int = 0

    @property
    def day(self) -> date:
        return days_before(self.as_of, self.shift_days)


@dataclass(frozen=True, slots=True)
class Book:
    """The question, and all rows that it is answered from. `arr`: ARR, or why it is not known, by account and as-of date."""

    question: PanelQuestion
    rows: BookRows
    accounts: States
    contacts: States
    arr: Mapping[tuple[str, date], Answer]

    def birth(self, moment: Moment) -> date | None:
        """The day on which the account became a customer, by what was known as of the date; None where that is not told."""
        return birth(self.accounts, self.rows, moment.account, moment.as_of)

    def no_customer(self, moment: Moment, day: date, counted: bool) -> Missing | None:
        """Why the account has no value for what ends on a day: it was no customer yet, or it has left; None: neither.

        `counted`: it is of rows, which would be 0 of an account that nobody knew yet.
        """
        born = self.birth(moment)
        if (born is not None and day < born) or (counted and born is None and not self._is_known(moment)):
            return Missing("before_birth")
        return Missing("after_churn") if has_left(self.question, self.rows, moment.account, moment.as_of) else None

    def _is_known(self, moment: Moment) -> bool:
        """Whether the book named the account by the as-of date, in a table that names accounts."""
        told = self.accounts.is_told_of(moment.account, moment.as_of, moment.as_of)
        return told or self.rows.has_appeared(moment.account, moment.as_of)


def read_book(question: PanelQuestion, rows: Mapping[str, Sequence[SourceRow]]) -> Book:
    """All that a question is answered from."""
    accounts, contacts = (read_states(question, table, rows) for table in ("accounts", "contacts"))
    arr = {(row["account_id"], row["as_of"]): _arr(row) for row in rows.get("arr_as_of", ())}
    return Book(question, read_rows(question, rows), accounts, contacts, arr)


def value_or(cell: Cell, reason: str) -> Answer:
    """A cell as a value, amounts as doubles; no value for that reason where it is empty."""
    if cell is None:
        return Missing(reason)
    return cell if isinstance(cell, str | int | float | date) else float(cell)


def _arr(row: SourceRow) -> Answer:
    return value_or(row["arr"], row["reason"] or "not_stated")
