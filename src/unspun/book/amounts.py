"""Amounts of a role: read as one column, what cannot be used set aside, alike for every file that has money in it."""

from __future__ import annotations

from unspun.book.numbers import Numbers, read_numbers
from unspun.book.reading import Reading


def read_amounts(reading: Reading, role: str, negative: str = "negative amount") -> Numbers | None:
    """The amounts of a role, rows with a negative or unreadable one set aside; None where there is no column or it is a fault."""
    hint = f"Give amounts such as 1200.50 or $1,200.50.{reading.or_leave_out(role)}"
    numbers = read_quantities(reading, role, "an amount", "amount", hint)
    if numbers is not None:
        reading.set_aside(numbers.values < 0, "negative_amount", negative, reading.columns[role], show=True)
    return numbers


def read_quantities(reading: Reading, role: str, what: str, word: str, hint: str) -> Numbers | None:
    """The numbers of a role, rows with an unreadable one set aside as an unreadable `word`; `what` and `hint` say what is wanted."""
    if role not in reading.columns:
        return None
    column = reading.columns[role]
    numbers = read_numbers(reading.raw.columns[column], "amount")
    if numbers.complaint is not None:
        reading.fault(numbers.complaint, column)
        return None
    if reading.refuse_unreadable(numbers.unread, numbers.blank, column, what, hint):
        return None
    reading.notes += [f"column '{reading.title(column)}': {note}" for note in numbers.notes]
    reading.set_aside(numbers.unread, f"unreadable_{word.replace(' ', '_')}", f"unreadable {word}", column, show=True)
    return numbers
