"""The order of day, month and year where all three are numbers: told by the words of the column, never guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unspun.book.date_layouts import NUMERIC, SHORT, days_of, integers, reads, whole, with_century, years_of
from unspun.book.months import MONTHS
from unspun.book.tables import Ints
from unspun.book.text import Complaint, Mask, Words, call, groups

DAY_FIRST = r"(?P<day>\d{1,2})[/-](?P<month>\d{1,2})[/-](?P<year>\d{4}|\d{2})"
MONTH_FIRST = r"(?P<month>\d{1,2})[/-](?P<day>\d{1,2})[/-](?P<year>\d{4}|\d{2})"
YEAR_FIRST = r"(?P<year>\d{2})[/.-](?P<month>\d{1,2})[/.-](?P<day>\d{1,2})"
CENTURY = ", 69-99 being 1969-1999 and 00-68 being 2000-2068"
Layouts = dict[str, str]  # how it is said to the reader, and the pattern


@dataclass(frozen=True, slots=True)
class _Parts:
    """Words of three numbers: which words, the numbers, and where the last one has two digits."""

    where: Ints
    first: Ints
    second: Ints
    last: Ints
    year: Ints  # the last number with its century
    short: Mask

    def year_first(self) -> Mask:
        """Which could be year, month and day."""
        return self.short & days_of(with_century(self.first), self.second, self.last)[1]

    def fewer_years_first(self, ties: bool) -> bool:
        """Whether all could be year first, and would then fall into fewer years than year last (or as few).

        17-01-17 is the same day either way.
        """
        if len(self.where) == 0 or not self.year_first().all() or (self.first == self.last).all():
            return False
        as_first, as_last = int(np.ptp(self.first)), int(np.ptp(self.year))
        return as_first < as_last or (ties and as_first == as_last)


def find_order(words: Words, unread: NDArray[np.int64], declared: bool | None) -> tuple[Layouts, Complaint | None]:
    """The layouts that read the words still unread, or why none may. `declared` is the caller's word on whether days come first.

    The words themselves must tell: a 13 is no month. Years of two digits stand last unless no word can be read so; where year
    first would put all of them into fewer years, nobody can tell.
    """
    slashed, dotted = _parts(words, unread, NUMERIC), _parts(words, unread, SHORT)
    layouts, complaint = _slashed(words, slashed, declared)
    more, other = _dotted(words, dotted)
    return layouts | more, complaint or other


def _parts(words: Words, unread: Ints, layout: str) -> _Parts:
    some = words.words.take(pa.array(unread))
    fits = reads(some, layout) & (words.counts()[unread] > 0)
    if not fits.any():
        none = np.zeros(0, np.int64)
        return _Parts(none, none, none, none, none, np.zeros(0, bool))
    parts = groups(some.filter(pa.array(fits)), whole(layout))
    first, second = (integers(parts[name], 0) for name in (("first", "second_part") if "first" in parts else ("day", "month")))
    short = call("equal", call("utf8_length", parts["year"]), pa.scalar(2, pa.int32())).to_numpy(zero_copy_only=False)
    return _Parts(unread[fits], first, second, integers(parts["year"], 0), years_of(parts["year"]), short)


def _slashed(words: Words, parts: _Parts, declared: bool | None) -> tuple[Layouts, Complaint | None]:
    if len(parts.where) == 0:
        return {}, None
    century = CENTURY if parts.short.any() else ""
    if declared is not None:
        return ({f"day/month/year{century}": DAY_FIRST} if declared else {f"month/day/year{century}": MONTH_FIRST}), None
    day_first, month_first = days_of(parts.year, parts.second, parts.first)[1], days_of(parts.year, parts.first, parts.second)[1]
    if not (day_first | month_first).all() and parts.year_first().all():
        return {f"year/month/day{century}": YEAR_FIRST}, None
    if parts.fewer_years_first(ties="-" in _word(words, parts, 0)):
        return {}, _ambiguous_year(words, parts)
    only_day, only_month = day_first & ~month_first, month_first & ~day_first
    if only_day.any() and only_month.any():
        return {}, _mixed(words, parts, only_day, only_month)
    differ = np.flatnonzero(day_first & month_first & (parts.first != parts.second))
    if not only_day.any() and not only_month.any() and len(differ):
        return {}, _ambiguous(words, parts, int(differ[0]))
    if only_month.any():
        return {f"month/day/year{century}": MONTH_FIRST}, None
    return {f"day/month/year{century}": DAY_FIRST}, None  # 05/05/2026 is the same day both ways


def _dotted(words: Words, parts: _Parts) -> tuple[Layouts, Complaint | None]:
    """31.12.25: days come first where points stand between, unless the year does."""
    if len(parts.where) == 0:
        return {}, None
    if not days_of(parts.year, parts.second, parts.first)[1].all() and parts.year_first().all():
        return {f"year.month.day{CENTURY}": YEAR_FIRST}, None
    if parts.fewer_years_first(ties=False):
        return {}, _ambiguous_year(words, parts)
    return {f"day.month.year{CENTURY}": SHORT}, None


def _word(words: Words, parts: _Parts, i: int) -> str:
    return words.words[int(parts.where[i])].as_py()


def _mixed(words: Words, parts: _Parts, only_day: Mask, only_month: Mask) -> Complaint:
    one, other = (_word(words, parts, int(np.argmax(only))) for only in (only_day, only_month))
    message = f"'{one}' can only be day first and '{other}' only month first: the column mixes two formats."
    row = words.first_row(int(parts.where[np.argmax(only_month)]))
    return Complaint("mixed_dates", message, "Write all dates one way, best as YYYY-MM-DD.", row)


def _ambiguous(words: Words, parts: _Parts, i: int) -> Complaint:
    example, first, second = _word(words, parts, i), int(parts.first[i]), int(parts.second[i])
    day_first, month_first = f"{first} {MONTHS[second - 1].title()}", f"{second} {MONTHS[first - 1].title()}"
    message = f"'{example}' could be {day_first} or {month_first}, and no date of the column tells which."
    separator = "-" if "-" in example.split()[0] else "/"
    year = "%y" if parts.short[i] else "%Y"
    forms = [separator.join(order) for order in (("%d", "%m", year), ("%m", "%d", year))]
    return Complaint("ambiguous_dates", message, f"Say --date-format '{forms[0]}' or '{forms[1]}'.", words.first_row(int(parts.where[i])))


def _ambiguous_year(words: Words, parts: _Parts) -> Complaint:
    """Year first against year last, the day or the month being beside it."""
    i = int(np.argmax(parts.first != parts.last))
    example = _word(words, parts, i)
    day, month = int(parts.first[i]), int(parts.second[i])
    day, month = (day, month) if days_of(parts.year, parts.second, parts.first)[1][i] else (month, day)
    as_last = f"{day} {MONTHS[month - 1].title()} {parts.year[i]}"
    as_first = f"{parts.last[i]} {MONTHS[int(parts.second[i]) - 1].title()} {with_century(parts.first)[i]}"
    message = f"'{example}' could be {as_last} or {as_first}, and no date of the column tells which."
    mark = next(mark for mark in "/.-" if mark in example)
    hint = f"Say --date-format '{mark.join(('%d', '%m', '%y'))}' or '{mark.join(('%y', '%m', '%d'))}'."
    return Complaint("ambiguous_dates", message, hint, words.first_row(int(parts.where[i])))
