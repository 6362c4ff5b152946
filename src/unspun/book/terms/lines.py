"""Subscription rows made comparable: half-open spans of days, ARR, and one order that no shuffling of rows changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unspun.book.tables import Codes, Floats, Ints, Rejection, Subscriptions
from unspun.book.terms.rules import MONTHS_COVERED, TermRules
from unspun.errors import BadInput, Fault

Bools = NDArray[np.bool_]
NEVER = 1 << 22  # a day after any other: the end of an open term, a cancellation that did not come
SPAN = 1 << 24  # days in one account's stretch of a key
DAYS_A_MONTH = 30.4375
END_MEANS = {
    True: "a term's last day, and the renewal is due the day after",
    False: "the day after a term's last, on which its renewal is due",
}


@dataclass(frozen=True, slots=True)
class Lines:
    """Terms as arrays, sorted by account, start and end. A term runs on the days in [start, end), counted from 1970-01-01.

    `end` is NEVER where it is open; `dated` says whether a renewal is due at the end. `family` numbers the products of an
    account, base and add-on apart. `told` is the earliest of notice and cancellation, NEVER where neither came by the as-of
    date. `position` is the row of the Subscriptions table.
    """

    account: Ints
    start: Ints
    end: Ints
    dated: Bools
    base: Bools
    family: Ints
    arr: Floats
    currency: Ints
    cancelled: Ints
    told: Ints
    position: Ints

    def take(self, rows: NDArray[Any]) -> Lines:
        return Lines(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))


@dataclass(slots=True)
class Accounting:
    """What became of the rows beside being used: set aside with a reason, or worth a note."""

    subscriptions: Subscriptions
    rejections: list[Rejection] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def set_aside(self, lines: Lines, mask: Bools, code: str, reason: str) -> Lines:
        """The other lines; those of the mask are set aside."""
        if mask.any():
            rows, file = np.unique(lines.position[mask]), self.subscriptions.file
            which = None if file is None else file[rows]
            self.rejections.append(Rejection(code, reason, self.subscriptions.row[rows], file=which))
        return lines.take(~mask)


def make_lines(subscriptions: Subscriptions, rules: TermRules, as_of: int, accounting: Accounting) -> Lines:
    """The terms begun by the as-of date, with what was known of them then. Raises BadInput where amounts cannot be read as ARR."""
    inclusive = _inclusive(subscriptions, rules, accounting)
    lines = _as_days(subscriptions, inclusive, as_of, _arr(subscriptions, rules, inclusive, accounting))
    later = lines.start > as_of
    lines = accounting.set_aside(lines, later, "starts_after_as_of", "term starts after the as-of date: not known to be taken up")
    lines = accounting.set_aside(lines, lines.end <= lines.start, "no_day", "term without a day: it ends on the day it starts")
    lines = _close_open(lines, rules, as_of, accounting)
    if not rules.add_ons_count:
        lines = accounting.set_aside(lines, ~lines.base, "add_on_left_out", "add-on: left out by the rules")
    has_base = np.bincount(lines.account, weights=lines.base)[lines.account] > 0 if len(lines.account) else lines.base
    lines = accounting.set_aside(lines, ~has_base, "add_on_alone", "add-on of an account without a base product: nothing to renew")
    return lines.take(np.lexsort((lines.position, *_order_keys(lines))))


def _order_keys(lines: Lines) -> tuple[NDArray[Any], ...]:
    """Least first: lines equal in all of these are the same to every rule."""
    arr = np.nan_to_num(lines.arr, nan=-1.0)
    return (lines.cancelled, lines.told, lines.currency, arr, lines.family, lines.end, lines.start, lines.account)


def ranked(codes: Codes) -> Ints:
    """Codes renumbered by their names in order, so that nothing depends on which name came first; -1 stays."""
    place = np.empty(len(codes.names) + 1, np.int64)
    place[sorted(range(len(codes.names)), key=codes.names.__getitem__)] = np.arange(len(codes.names))
    place[-1] = -1
    return place[codes.codes]


def is_among(values: Ints, others: Ints) -> Bools:
    """Which values occur among the others. np.isin hashes, which is slow on keys of this kind."""
    ordered = np.sort(others)
    place = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[place] == values if len(ordered) else np.zeros(len(values), bool)


def _as_days(subscriptions: Subscriptions, inclusive: bool, as_of: int, arr: Floats) -> Lines:
    n = len(subscriptions.row)
    account = ranked(subscriptions.account)
    product = np.full(n, -1, np.int64) if subscriptions.product is None else ranked(subscriptions.product)
    named = (account * 2 + ~subscriptions.is_addon) * (int(product.max(initial=-1)) + 2) + product + 1
    open_ended = np.isnat(subscriptions.end)
    cancelled, notice = _known_days(subscriptions.cancelled_on, n, as_of), _known_days(subscriptions.notice, n, as_of)
    return Lines(
        account=account,
        start=subscriptions.start.astype(np.int64),
        end=np.where(open_ended, NEVER, subscriptions.end.astype("datetime64[D]").astype(np.int64) + inclusive),
        dated=~open_ended,
        base=~subscriptions.is_addon,
        family=np.unique(named, return_inverse=True)[1].astype(np.int64),
        arr=arr,
        currency=np.zeros(n, np.int64) if subscriptions.currency is None else ranked(subscriptions.currency) + 1,
        cancelled=cancelled,
        told=np.minimum(cancelled, notice),
        position=np.arange(n),
    )


def _known_days(dates: NDArray[np.datetime64] | None, n: int, as_of: int) -> Ints:
    """Days that had come by the as-of date; NEVER for the others."""
    if dates is None:
        return np.full(n, NEVER)
    days = np.where(np.isnat(dates), NEVER, dates.astype("datetime64[D]").astype(np.int64))
    return np.where(days <= as_of, days, NEVER)


def settle_ends(subscriptions: Subscriptions, rules: TermRules) -> tuple[TermRules, str]:
    """The rules with `ends_inclusive` settled, by the terms themselves where it is not declared, and how in words."""
    accounting = Accounting(subscriptions)
    return replace(rules, ends_inclusive=_inclusive(subscriptions, rules, accounting)), accounting.notes[0]


def _inclusive(subscriptions: Subscriptions, rules: TermRules, accounting: Accounting) -> bool:
    """Whether an end is a term's last day: as declared, else as most terms of the file meet the next one of their account."""
    if rules.ends_inclusive is not None:
        accounting.notes.append(f"an end date is {END_MEANS[rules.ends_inclusive]} (declared)")
        return rules.ends_inclusive
    ended = np.flatnonzero(~np.isnat(subscriptions.end))
    account = subscriptions.account.codes.astype(np.int64)
    starts = account * SPAN + subscriptions.start.astype(np.int64)
    ends = (account * SPAN + np.where(np.isnat(subscriptions.end), 0, subscriptions.end.astype(np.int64)))[ended]
    same, next_day = (int(is_among(ends + gap, starts).sum()) for gap in (0, 1))
    how = f"{same:,} terms end on the day another of the account starts, {next_day:,} the day before"
    if same == next_day:
        same, next_day = (int(_same_day_of_month(subscriptions, ended, gap).sum()) for gap in (0, 1))
        how = f"{same:,} terms end on the day of the month they start on, {next_day:,} the day before"
    accounting.notes.append(f"an end date is {END_MEANS[next_day > same]} ({how})")
    return next_day > same


def _same_day_of_month(subscriptions: Subscriptions, rows: Ints, gap: int) -> Bools:
    return _day_of_month(subscriptions.start[rows]) == _day_of_month(subscriptions.end[rows] + gap)


def _day_of_month(dates: NDArray[np.datetime64]) -> Ints:
    return (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64)


def _arr(subscriptions: Subscriptions, rules: TermRules, inclusive: bool, accounting: Accounting) -> Floats:
    """The amount of each row for a year; NaN where it is not given."""
    if subscriptions.amount is None:
        return np.full(len(subscriptions.row), np.nan)
    months, how = _months_covered(subscriptions, rules)
    term = term_months(subscriptions.start, subscriptions.end + int(inclusive))
    if bool((open_total := (months == 0) & np.isnan(term) & ~np.isnan(subscriptions.amount)).any()):
        accounting.notes.append(f"open terms with an amount for the whole term, so that no ARR can be told: {int(open_total.sum()):,}")
    months = np.where(months == 0, term, months)
    accounting.notes.append(f"ARR = amount x 12 / months covered ({how})")
    return np.divide(subscriptions.amount * 12, months, out=np.full(len(months), np.nan), where=months > 0)


def _months_covered(subscriptions: Subscriptions, rules: TermRules) -> tuple[Floats, str]:
    assert subscriptions.amount is not None
    column = subscriptions.source.columns.get("amount", "amount")
    if rules.amount_covers is not None:
        months = np.full(len(subscriptions.row), MONTHS_COVERED[rules.amount_covers])
        return months, f"'{column}' is for a {'whole term' if rules.amount_covers == 'term' else rules.amount_covers}, as declared"
    months = subscriptions.amount_months
    unsaid = ~np.isnan(subscriptions.amount) & (True if months is None else np.isnan(months))
    if months is None or unsaid.any():
        message = f"nothing says whether '{column}' is for a month, a year or a whole term ({int(unsaid.sum()):,} rows)."
        where = f"{subscriptions.source.name}:{subscriptions.row[np.argmax(unsaid)]}:{column}"
        raise BadInput(Fault("amount_period_unknown", message, where, "Say --amount-covers month, year or term."))
    used = sorted(set(months[~np.isnan(subscriptions.amount)].tolist()))
    told = ", ".join("the whole term" if m == 0 else f"{m:g} month{'' if m == 1 else 's'}" for m in used)
    return months, f"'{column}' covers {told}"


def term_months(start: NDArray[np.datetime64], end: NDArray[np.datetime64]) -> Floats:
    """Length of [start, end) in months, NaN where open: calendar months, and days beyond them as parts of an average month.

    A term from 31 January to 28 February is a month: where the month of the end is too short, its last day stands in.
    """
    whole = (end.astype("datetime64[M]") - start.astype("datetime64[M]")).astype(np.float64)
    first, last = _day_of_month(start), _day_of_month(end)
    at_month_end = (end + 1).astype("datetime64[M]") != end.astype("datetime64[M]")
    days = np.where(at_month_end & (first > last), 0, last - first)
    return np.where(np.isnat(end), np.nan, whole + days / DAYS_A_MONTH)


def _close_open(lines: Lines, rules: TermRules, as_of: int, accounting: Accounting) -> Lines:
    """Open terms end where they were cancelled; by rule they are cut into periods that renew."""
    is_open = lines.end == NEVER
    lines = accounting.set_aside(lines, is_open & (lines.cancelled <= lines.start), "no_day", "open term cancelled before it began")
    is_open = lines.end == NEVER
    if not is_open.any():
        return lines
    if rules.open_term_months is not None:
        return _cut_open(lines, is_open, rules.open_term_months, as_of, accounting)
    ended = is_open & (lines.cancelled < NEVER)
    text = f"open terms, without a renewal date and censored: {int(is_open.sum()):,}"
    if ended.any():
        text += f", of them cancelled: {int(ended.sum()):,} (a renewal shows that only if open terms renew every so many months)"
    accounting.notes.append(text)
    return replace(lines, end=np.where(ended, lines.cancelled, lines.end))


def _cut_open(lines: Lines, is_open: Bools, months: int, as_of: int, accounting: Accounting) -> Lines:
    """Each open term as periods of so many months; the period in which it was cancelled, else the one at the as-of date, is the last."""
    rows = np.flatnonzero(is_open)
    begin = lines.start[rows].astype("datetime64[D]")
    last = np.minimum(lines.cancelled[rows] - 1, as_of)  # cancelled on the day a period would start: it did not start
    upper = ((last.astype("datetime64[D]").astype("datetime64[M]") - begin.astype("datetime64[M]")).astype(np.int64)) // months + 1
    source = np.repeat(np.arange(len(rows)), upper)
    index = np.arange(len(source)) - np.repeat(np.cumsum(upper) - upper, upper)
    start, end = (_months_later(begin[source], (index + step) * months) for step in (0, 1))
    begun = start <= last[source]
    pieces = lines.take(rows[source[begun]])
    final = end[begun] > last[source[begun]]
    accounting.notes.append(f"open terms: {len(rows):,}, cut into periods of {months} month{'' if months == 1 else 's'}: {len(final):,}")
    pieces = replace(
        pieces, start=start[begun], end=end[begun], dated=np.ones(len(final), bool),
        cancelled=np.where(final, pieces.cancelled, NEVER), told=np.where(final, pieces.told, NEVER),
    )  # fmt: skip
    rest = lines.take(~is_open)
    return Lines(*(np.concatenate([getattr(rest, name), getattr(pieces, name)]) for name in lines.__dataclass_fields__))


def _months_later(dates: NDArray[np.datetime64], months: Ints) -> Ints:
    """The same day of a later month, or that month's last day."""
    month = dates.astype("datetime64[M]") + months
    first = month.astype("datetime64[D]")
    length = ((month + 1).astype("datetime64[D]") - first).astype(np.int64)
    return first.astype(np.int64) + np.minimum(_day_of_month(dates), length - 1)
