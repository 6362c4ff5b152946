"""One file being read: its columns by role, its faults, and which of its rows are still in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from unspun.book.columns import LEFT_OUT, REQUIRED, check_roles, did_you_mean, find_columns
from unspun.book.date_layouts import PERIOD_DAYS_TAKEN
from unspun.book.dates import FIRST_YEAR, LAST_YEAR, Dates, check_date_format, read_dates
from unspun.book.duplicates import repeated_rows
from unspun.book.files import RawTable
from unspun.book.outcomes import check_outcomes
from unspun.book.periods import whole_periods
from unspun.book.roles import LAST_DAY_ROLES
from unspun.book.tables import Codes, Ints, ReadingOptions, Rejection, Source, Times
from unspun.book.text import Complaint, Mask, Words, as_text, call, codes_of, matches, shortened, words_of
from unspun.errors import BadInput, Fault

MOST_FAULTS = 20
ROUNDED_ID = r"\d(?:[.,]\d+)?E\+\d+"
MOST_ROWS_NAMED = 9  # beside the first, of the rows that cannot be read
MOST_UNREADABLE = 0.2  # of the cells of a column that are not blank


def check_options(options: ReadingOptions) -> list[Fault]:
    """What is wrong with the options themselves, whatever the files hold."""
    faults = check_roles(options) + check_outcomes(options.outcomes) + check_date_format(options.date_format)
    if find_zone(options.time_zone) is None:
        hint = f"{did_you_mean(options.time_zone, available_timezones())}Give a name such as Europe/Berlin or UTC."
        faults.append(Fault("unknown_time_zone", f"'{options.time_zone}' is not a time zone.", "--time-zone", hint))
    return faults


def find_zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


class Reading:
    """Collects faults and sets rows aside, each for the first reason that it meets.

    After all columns are read, `refuse_faults` raises what stands in the way, and the rows left are `kept`.
    """

    def __init__(self, raw: RawTable, options: ReadingOptions) -> None:
        self.raw = raw
        self.options = options
        self.faults = check_options(options)
        self.zone = find_zone(options.time_zone) or ZoneInfo("UTC")
        found = find_columns(raw, options)
        self.faults += found.faults
        self.columns, self.mapped = found.columns, found.mapped
        self.notes = [*raw.notes, *found.notes]
        self.rejections = list(raw.rejections)
        self.alive: Mask = np.ones(len(raw.row), bool)
        self._words: dict[int, Words] = {}

    @property
    def kept(self) -> Ints:
        """Positions of the rows still in."""
        return np.flatnonzero(self.alive).astype(np.int64)

    def of_kept(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Of an array with an entry a row of the file, those of the rows still in; the array itself where all are."""
        return rows if self.alive.all() else rows[self.alive]

    def words(self, column: int) -> Words:
        if column not in self._words:
            self._words[column] = words_of(self.raw.columns[column])
        return self._words[column]

    def title(self, column: int) -> str:
        return self.raw.names[column] or f"column {column + 1}"

    def place(self, row: int, column: int) -> str:
        return self.raw.place(row, self.title(column))

    def fault(self, complaint: Complaint, column: int) -> None:
        self.faults.append(Fault(complaint.code, complaint.message, self.place(complaint.row, column), complaint.hint))

    def set_aside(self, mask: Mask, code: str, reason: str, column: int | None = None, show: bool = False) -> None:
        """Take rows out for a reason; `show` keeps the offending cells."""
        rows = np.flatnonzero(mask & self.alive)
        if len(rows) == 0:
            return
        self.alive[rows] = False
        values = self.cells(column, rows) if column is not None and show else None
        title = "" if column is None else self.title(column)
        self.rejections.append(Rejection(code, reason, self.raw.row[rows], title, values, self.raw.files_of(rows)))

    def cells(self, column: int, rows: NDArray[Any]) -> tuple[str, ...]:
        """The cells as the file has them, an empty one as ''."""
        cells = self.raw.columns[column].take(pa.array(rows))
        return tuple(call("coalesce", as_text(cells), pa.scalar("")).to_pylist())

    def mostly_unreadable(self, unread: Mask, blank: Mask) -> bool:
        return int(unread.sum()) > MOST_UNREADABLE * (len(blank) - int(blank.sum()))

    def refuse_unreadable(self, unread: Mask, blank: Mask, column: int, what: str, hint: str) -> bool:
        """A fault where too many cells of a column cannot be read for setting them aside to be honest."""
        if not self.mostly_unreadable(unread, blank):
            return False
        first = int(np.argmax(unread))
        cell = shortened(self.cells(column, np.array([first]))[0])
        n, of = int(unread.sum()), len(blank) - int(blank.sum())
        alike = np.flatnonzero(unread if self.raw.file is None else unread & (self.raw.file == self.raw.file[first]))
        others = ", ".join(str(row) for row in self.raw.row[alike[1 : MOST_ROWS_NAMED + 1]])
        more = f"; also row{'s' if len(alike) > 2 else ''} {others}{' and more' if n > MOST_ROWS_NAMED + 1 else ''}" if others else ""
        message = f"'{cell}' is not {what} ({n:,} of the {of:,} cells that are not blank cannot be read{more})."
        self.faults.append(Fault("unreadable_column", message, self.place(first, column), hint))
        return True

    def account(self) -> None:
        """Set aside the rows that name no account."""
        if "account" in self.columns:
            column = self.columns["account"]
            words = self.words(column)
            self._note_rounded_ids(words)
            self.set_aside(words.without(words.blank()).codes < 0, "no_account", "no account", column, show=True)

    def _note_rounded_ids(self, words: Words) -> None:
        """Numbers of accounts that a spreadsheet has shortened to 1.23457E+11: two accounts may have become one."""
        rounded = matches(words.words, ROUNDED_ID)
        if rounded.any():
            n, example = int(words.counts()[rounded].sum()), words.words[int(np.argmax(rounded))].as_py()
            what = "accounts in scientific notation: a spreadsheet rounded their numbers, so that several may have become one"
            self.notes.append(f"{what}: {n:,} (first: {example})")

    def read_dates(self, role: str) -> Dates:
        """The dates of a role as they are written, a month as the day that LAST_DAY_ROLES says; how they were read is noted."""
        column = self.columns[role]
        last_day = (self.raw.role, role) in LAST_DAY_ROLES
        dates = read_dates(self.raw.columns[column], self.zone, self.options.date_format, last_day)
        if last_day and role != "end":
            dates = whole_periods(dates, self.title(column))
        if dates.formats:
            said = "; ".join(dates.formats)
            why = ", as nobody knows it earlier" if role != "end" and PERIOD_DAYS_TAKEN[True] in said else ""
            self.notes.append(f"dates in '{self.title(column)}': {said}{why}")
        return dates

    def dates(self, role: str) -> Times | None:
        """The times of a role, rows with an unreadable one set aside; of a required role, also the rows without one.

        A column in which too many cells are no dates is a fault, also where it was only found by its name: to go on without
        it could turn a check off unseen.
        """
        if role not in self.columns:
            return None
        column, required = self.columns[role], role in REQUIRED[self.raw.role]
        dates = self.read_dates(role)
        if dates.complaint is not None:
            self.fault(dates.complaint, column)
            return None
        remedy = dates.hint or "Say how the dates are written, such as --date-format '%d/%m/%y'."
        hint = f"{remedy}{'' if required else self.or_leave_out(role)}"
        if self.refuse_unreadable(dates.unread, dates.blank, column, "a date that can be read", hint):
            return None
        self.set_aside(dates.unread, "unreadable_date", "unreadable date", column, show=True)
        self.set_aside(dates.out_of_range, "impossible_date", f"date outside {FIRST_YEAR}-{LAST_YEAR}", column, show=True)
        if required:
            self.set_aside(dates.blank, "no_date", f"no {role} date" if role != "date" else "no date", column)
        return dates.times

    def or_leave_out(self, role: str) -> str:
        """What to do about an optional column that holds something else."""
        return f" If it holds something else, go on without it: --map {self.raw.role}.{role}={LEFT_OUT}."

    def codes(self, role: str) -> Codes | None:
        """The words of a role for the rows still in."""
        return self.codes_in(self.columns[role]) if role in self.columns else None

    def codes_in(self, column: int) -> Codes:
        """The words of a column for the rows still in."""
        return codes_of(self.words(column), None if self.alive.all() else self.kept)

    def set_duplicates_aside(self, keys: Sequence[NDArray[Any]], values: Sequence[NDArray[Any]], same: str, column: int | None) -> None:
        """Of rows with equal keys: the later copies where all values agree, every one of them where they do not.

        Keys and values have one entry a row of the file; NaN equals NaN, NaT equals NaT.
        """
        repeated = repeated_rows([self.of_kept(key) for key in keys])
        if len(repeated.rows) == 0:
            return
        rows = repeated.rows if self.alive.all() else self.kept[repeated.rows]
        agree = np.ones(len(rows), bool)
        first = rows[repeated.starts[repeated.group]]
        for array in values:
            mine, theirs = array[rows], array[first]
            agree &= (mine == theirs) | ((mine != mine) & (theirs != theirs))
        whole = np.logical_and.reduceat(agree, repeated.starts)[repeated.group]
        later = whole & (rows != first)
        self.set_aside(self._mask(rows[later]), "duplicate", "exact duplicate of an earlier row", column)
        reason = f"conflicting values for one {same}: which is right is not known"
        self.set_aside(self._mask(rows[~whole]), "conflict", reason, column, show=column is not None)

    def _mask(self, rows: NDArray[Any]) -> Mask:
        mask = np.zeros(len(self.alive), bool)
        mask[rows] = True
        return mask

    def refuse_faults(self) -> None:
        """Raise all faults found so far, at most MOST_FAULTS of them spelled out."""
        if self.faults:
            raise BadInput(limited(self.faults, self.raw.name))

    def refuse_nothing_left(self) -> None:
        if not self.alive.any():
            self._refuse_empty()

    def _refuse_empty(self) -> NoReturn:
        why = "; ".join(f"{r.reason}: {len(r.rows):,}" for r in self.rejections)
        message = f"none of the {self.raw.rows_read:,} rows can be used ({why})."
        raise BadInput(Fault("no_usable_rows", message, self.raw.name, "Check the export."))

    def source(self, used: dict[str, int]) -> Source:
        """What was read, `used` being the columns of scores beside those of roles."""
        columns = {role: self.title(column) for role, column in {**self.columns, **used}.items()}
        taken = {*self.columns.values(), *used.values()}
        unused = tuple(self.title(i) for i in range(len(self.raw.names)) if i not in taken)
        raw = self.raw
        zone = f"time zone {self.zone.key}: dates are days there, and times without an offset are taken as its own"
        notes = (*self.notes, zone)
        return Source(raw.role, raw.name, raw.sha256, raw.format, raw.rows_read, columns, unused, notes, tuple(self.rejections), raw.files)


def limited(faults: Sequence[Fault], name: str) -> list[Fault]:
    """At most MOST_FAULTS faults, and how many more there are."""
    distinct = list(dict.fromkeys(faults))
    if len(distinct) <= MOST_FAULTS:
        return distinct
    more = Fault("more_faults", f"and {len(distinct) - MOST_FAULTS:,} more faults.", name)
    return [*distinct[:MOST_FAULTS], more]
