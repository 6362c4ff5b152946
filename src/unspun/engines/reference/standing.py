"""What stands on a day: rows that are open, attributes, seats and ARR."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from unspun.engines.reference.answers import Answer, Book, Missing, Moment, value_or
from unspun.engines.reference.fitting import fits
from unspun.engines.reference.life import end_of, runs
from unspun.engines.reference.measures import exact_sum, several_currencies
from unspun.engines.reference.rows import Cell
from unspun.metrics.nodes import Arr, Attribute, DaysToEnd, Open, Seats, Standing

CellOf = Callable[[str], Cell]


def standing_value(book: Book, standing: Standing, moment: Moment) -> Answer:
    """What stands for an account at a moment, or why it has no value."""
    outside = book.no_customer(moment, moment.day, counted=isinstance(standing, Open))
    if outside is not None:
        return outside
    match standing:
        case Attribute(column):
            return value_or(book.accounts.value(moment.account, column, moment.day, moment.as_of), "not_stated")
        case Arr():
            return book.arr.get((moment.account, moment.as_of), Missing("not_stated"))
        case Seats():
            return _seats(book, moment)
        case DaysToEnd():
            return _days_to_end(book, moment)
        case Open():
            return _open(book, standing, moment)


def _seats(book: Book, moment: Moment) -> Answer:
    """Seats of the running terms where any of them states some, else those stated of the account."""
    sold = [seats for cell in _open_rows(book, "subscriptions", moment) if (seats := cell("seats")) is not None]
    if sold:
        return exact_sum(sold)
    accounts = book.question.tables.get("accounts")
    if accounts is not None and "seats" in accounts.columns:
        return value_or(book.accounts.value(moment.account, "seats", moment.day, moment.as_of), "not_stated")
    return Missing("not_stated" if _is_held(book, "subscriptions", moment) else "no_source")


def _days_to_end(book: Book, moment: Moment) -> Answer:
    """To the earliest end of the base terms that run."""
    if not _is_held(book, "subscriptions", moment):
        return Missing("no_source")
    terms = book.rows.visible("subscriptions", moment.account, moment.as_of)
    running = [term for term in terms if term.cells.get("is_addon") is not True and runs(book.question, term, moment.day)]
    if not running:
        return Missing("no_contract")
    ends = [end for term in running if (end := end_of(book.question, term)) is not None]
    return (min(ends) - moment.day).days if ends else Missing("not_stated")


def _open(book: Book, standing: Open, moment: Moment) -> Answer:
    if not _is_held(book, standing.table, moment):
        return Missing("no_source")
    there = [cell for cell in _open_rows(book, standing.table, moment) if fits(standing.where, cell)]
    if not standing.column:
        return len(there)
    mixed = several_currencies(book, standing.table, standing.column, there)
    return mixed or exact_sum([cell(standing.column) for cell in there])


def _is_held(book: Book, table: str, moment: Moment) -> bool:
    """Whether the book held a row of the table by then, of any account."""
    if table == "contacts":
        return any(book.contacts.is_told_of(contact, moment.day, moment.as_of) for contact in book.contacts.statements)
    return bool(book.rows.days_held(table, moment.as_of, moment.day))


def _open_rows(book: Book, table: str, moment: Moment) -> list[CellOf]:
    """The rows of an account that are open on a day, each as what gives its cells."""
    if table == "contacts":
        return _contacts(book, moment)
    rows = [row for row in book.rows.visible(table, moment.account, moment.as_of) if row.happened_by(moment.day)]
    if table == "subscriptions":
        rows = [row for row in rows if runs(book.question, row, moment.day)]
    else:
        rows = [row for row in rows if not _is_over(row.cell("closed", moment.as_of), moment.day)]
    return [lambda column, row=row: row.cell(column, moment.as_of) for row in rows]


def _is_over(closed: Cell, day: date) -> bool:
    return isinstance(closed, date) and closed <= day


def _contacts(book: Book, moment: Moment) -> list[CellOf]:
    """The contacts that were last said to be with the account."""

    def cell_of(contact: str) -> CellOf:
        return lambda column: book.contacts.value(contact, column, moment.day, moment.as_of)

    told = [contact for contact in book.contacts.statements if book.contacts.is_told_of(contact, moment.day, moment.as_of)]
    return [cell_of(contact) for contact in told if cell_of(contact)("account_id") == moment.account]
