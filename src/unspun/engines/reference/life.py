"""When an account became a customer, whether it has left, and when its current term began: all as it was known at the end of a day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from unspun.engines.reference.rows import BookRows, RowVersion, day_after
from unspun.engines.reference.states import States
from unspun.metrics.question import PanelQuestion


def birth(accounts: States, book: BookRows, account: str, as_of: date) -> date | None:
    """The day on which an account became a customer: the first of what the book says of it, its first term and its first purchase."""
    stated = accounts.value(account, "created_on", as_of, as_of)
    started = _days(book.visible("subscriptions", account, as_of))
    bought = _days(row for row in book.visible("purchases", account, as_of) if row.happened_by(as_of))
    return min([*([stated] if isinstance(stated, date) else []), *started, *bought], default=None)


def has_left(question: PanelQuestion, book: BookRows, account: str, as_of: date) -> bool:
    """Whether an account is a customer no longer: by its terms; where it never had one, by the departures that the company records."""
    terms = base_terms(book, account, as_of)
    if not terms:
        return _has_departed(book, account, as_of)
    ends = [end_of(question, term) for term in terms]
    last = max((end for end in ends if end is not None), default=None)
    if last is None or any(runs(question, term, as_of) for term in terms):
        return False
    return as_of >= last + timedelta(days=question.grace_days)


def contract_start(question: PanelQuestion, book: BookRows, account: str, as_of: date) -> date | None:
    """The first day of the base term that runs on a day, of several the one that began last; None where none runs."""
    running = [term.day for term in base_terms(book, account, as_of) if runs(question, term, as_of) and term.day is not None]
    return max(running, default=None)


def runs(question: PanelQuestion, term: RowVersion, day: date) -> bool:
    """Whether a term runs on a day."""
    end = end_of(question, term)
    return term.happened_by(day) and (end is None or day < end)


def end_of(question: PanelQuestion, term: RowVersion) -> date | None:
    """The first day on which a term runs no longer; None: it is open."""
    ended = term.cells.get("ended")
    if not isinstance(ended, date):
        return None
    return day_after(ended) if question.ends_inclusive else ended


def base_terms(book: BookRows, account: str, as_of: date) -> list[RowVersion]:
    """The terms of an account, add-ons aside, that had begun by the end of a day and were known by then."""
    rows = book.visible("subscriptions", account, as_of)
    return [row for row in rows if row.happened_by(as_of) and row.cells.get("is_addon") is not True]


def _has_departed(book: BookRows, account: str, as_of: date) -> bool:
    """Whether the last that is known of an account is that it left: every row of churns is a departure, and it has bought nothing since."""
    left = _days(row for row in book.visible("churns", account, as_of) if row.happened_by(as_of))
    bought = _days(row for row in book.visible("purchases", account, as_of) if row.happened_by(as_of))
    return bool(left) and not any(day > max(left) for day in bought)


def _days(rows: Iterable[RowVersion]) -> list[date]:
    return [row.day for row in rows if row.day is not None]
