"""A stretch of a file as typed rows and rejected ones: each row in one of the two, with the first reason that is met."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from unspun.book.currencies import UNCLEAR
from unspun.book.entities import Kind
from unspun.book.mapping.definition import SourceMapping
from unspun.book.reading import MOST_UNREADABLE, limited
from unspun.book.tables import Codes, Ints, Rejection
from unspun.book.text import Complaint, call, shortened, spread
from unspun.book.typed_columns import Bad, Cells, ColumnPlan, read_column
from unspun.book.typed_schema import ARROW_TYPES, PART_COLUMNS, REJECTED_COLUMNS, arrow_schema
from unspun.book.typed_times import instants, local_to_utc
from unspun.errors import BadInput, Fault

DAY_COLUMNS = ("decided", "due")  # of renewals: when the outcome was known, else when it was due
MENDING = ("unspun_load", "unspun_file", "unspun_row")
MARKED = re.compile(r"\A'(?='*[=+\-@\t\r\n])")
MENDING_REASON = "unspun_reason"
DOLLARS = "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP UYU BSD BBD BMD BZD BND FJD GYD JMD KYD LRD NAD SBD SRD TTD XCD"
MAY_BE = {"$": DOLLARS.split(), "\u00a5": ["JPY", "CNY"], "KR": ["SEK", "NOK", "DKK", "ISK"], "RS": ["INR", "PKR", "LKR"]}
NO_VALUE = {"account_id": "no_account", "subscription_id": "no_account"}  # code of a row without it, beside no_date and no_value
TEXT = ARROW_TYPES["text"]


@dataclass(frozen=True, slots=True)
class TypedPart:
    """Some rows of a source.

    `rows`: happened_at, known_at, happened_zone, source_row, then the data columns in the order of the mapping. `rejected`:
    REJECTED_COLUMNS. `mends` is as long as `rows` and in its order where the file is made of rejected rows that were mended: the
    columns load, file and row (whole, null where the row is new) say which rejected row each takes the place of. Else None.
    """

    rows: pa.Table
    rejected: pa.Table
    mends: pa.Table | None = None


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of a file as they stand in it: the cells of the columns that are wanted, by their positions in the file.

    `place` is the `file:row:column` of a cell, and `as_text` whole rows, header to cell, of some of the rows. `rejections` are rows
    that the reading set aside before any column was typed, beside those of `row`.
    """

    row: Ints
    columns: dict[int, pa.ChunkedArray]
    place: Callable[[int, str], str]
    as_text: Callable[[Ints], Sequence[dict[str, str | None]]]
    rejections: tuple[Rejection, ...] = ()


@dataclass(frozen=True, slots=True)
class TablePlan:
    """How rows of a table are made: the columns read from the file, those that are constants, and where amounts' currencies come from."""

    mapping: SourceMapping
    zone: ZoneInfo
    columns: tuple[ColumnPlan, ...]  # known_at among them
    constants: dict[str, pa.Array]  # of one value each
    currency: str | None = None  # of amounts whose row names none
    mending: dict[str, int] = field(default_factory=dict)  # columns of mended rows, by position

    @property
    def data_columns(self) -> tuple[tuple[str, Kind], ...]:
        """Names and kinds of the data columns, in the order in which they come out."""
        kinds: dict[str, Kind] = {plan.name: plan.kind for plan in self.columns if plan.name != "known_at"}
        kinds |= {name: self.mapping.kind_of(name) for name in self.constants if name not in kinds and name != "known_at"}
        if self.names_currency and "currency" not in kinds:
            kinds["currency"] = "text"
        return tuple(kinds.items())

    @property
    def names_currency(self) -> bool:
        """Whether rows of the plan hold money, whose currency is then stated."""
        given = [*(plan.kind for plan in self.columns), *(self.mapping.kind_of(name) for name in self.constants)]
        return "money" in given

    def in_blocks(self) -> TablePlan:
        """The plan for a file of which a block is read at a time."""
        return replace(self, columns=tuple(replace(column, in_blocks=True) for column in self.columns))

    def settled(self, orders: dict[str, str]) -> TablePlan:
        """The plan for the rest of a file whose dates have told the order of day and month: `orders` by the file's columns."""
        if not any(column.date_format is None and column.title in orders for column in self.columns):
            return self
        columns = (replace(column, date_format=column.date_format or orders.get(column.title)) for column in self.columns)
        return replace(self, columns=tuple(columns))

    @property
    def schema(self) -> pa.Schema:
        return arrow_schema((*PART_COLUMNS, *self.data_columns))


class Tally:
    """What was met over all stretches of a file: notes, cells that could not be read, faults."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.accepted = 0
        self.orders: dict[str, str] = {}
        self._commas: dict[str, bool] = {}
        self.reasons: Counter[str] = Counter()
        self._notes: dict[str, None] = {}
        self._counts: Counter[str] = Counter()
        self._filled: Counter[str] = Counter()
        self._unread: Counter[str] = Counter()
        self._first: dict[str, tuple[str, str, str, str]] = {}  # what stands in the first such cell, its place, what it is not, the hint

    def add(self, plan: ColumnPlan, cells: Cells, stretch: Stretch) -> None:
        """Take in what is to be said of a column."""
        self._notes |= dict.fromkeys(f"column '{plan.title}': {note}" for note in cells.notes)
        self._counts.update({f"column '{plan.title}': {note}": n for note, n in cells.counts.items()})
        if cells.complaint is not None:
            self.complain(cells.complaint, plan, stretch)
            return
        if cells.date_format is not None:
            self.orders[plan.title] = cells.date_format
        if cells.comma is not None and self._commas.setdefault(plan.title, cells.comma) != cells.comma:
            message = "some numbers of the column can only have a decimal point, others only a decimal comma."
            hint = "Write the column with a decimal point and no thousands separator."
            self.faults.append(Fault("mixed_numbers", message, stretch.place(0, plan.title), hint))
        self._filled[plan.title] += cells.filled
        for bad in cells.bad:
            if bad.unread:
                self._count_unread(bad, plan, cells, stretch)

    def _count_unread(self, bad: Bad, plan: ColumnPlan, cells: Cells, stretch: Stretch) -> None:
        self._unread[plan.title] += int(bad.mask.sum())
        if plan.title not in self._first:
            row = int(np.argmax(bad.mask))
            cell = next(iter(stretch.as_text(np.array([row]))), {}).get(plan.title) or ""
            self._first[plan.title] = shortened(cell), stretch.place(row, plan.title), cells.what, cells.hint

    def complain(self, complaint: Complaint, plan: ColumnPlan, stretch: Stretch) -> None:
        """A column that cannot be read at all is a fault."""
        hint = complaint.hint.replace("Say --date-format ", "Say in book.yml, for this source, date_format: ")
        self.faults.append(Fault(complaint.code, complaint.message, stretch.place(complaint.row, plan.title), hint))

    def note(self, note: str) -> None:
        self._notes[note] = None

    @property
    def notes(self) -> tuple[str, ...]:
        return (*self._notes, *(f"{note}: {n:,}" for note, n in self._counts.items()))

    def refuse_faults(self) -> None:
        """Raise what stands in the way of the whole file: complaints, and columns too much of which cannot be read."""
        faults = [*self.faults]
        for title, n in self._unread.items():
            if n > MOST_UNREADABLE * self._filled[title]:
                cell, where, what, hint = self._first[title]
                message = f"'{cell}' is not {what} ({n:,} of the {self._filled[title]:,} cells that are not blank cannot be read)."
                faults.append(Fault("unreadable_column", message, where, hint))
        if faults:
            raise BadInput(limited(faults, self.name))

    def refuse_nothing_left(self) -> None:
        """Raise where no row of the file can be used."""
        if not self.accepted:
            why = "; ".join(f"{reason}: {n:,}" for reason, n in self.reasons.items())
            message = f"none of the {self.reasons.total():,} rows can be used ({why})."
            raise BadInput(Fault("no_usable_rows", message, self.name, "Check the export, and what book.yml says of it."))


class _Rejections:
    """The first reason of each row of a stretch that cannot be used; nothing is kept while there is none."""

    def __init__(self, n: int) -> None:
        self.n = n
        self.reasons: list[tuple[str, str, str]] = []  # code, reason, the file's column
        self.index: NDArray[np.int16] | None = None

    def reject(self, mask: NDArray[np.bool_], code: str, reason: str, title: str = "") -> None:
        if not mask.any():
            return
        if self.index is None:
            self.index = np.full(self.n, -1, np.int16)
        self.index[mask & (self.index < 0)] = len(self.reasons)
        self.reasons.append((code, reason, title))

    @property
    def rows(self) -> Ints:
        return np.zeros(0, np.int64) if self.index is None else np.flatnonzero(self.index >= 0).astype(np.int64)

    def table(self, stretch: Stretch, table: str, tally: Tally) -> pa.Table:
        rows = self.rows
        if self.index is None:
            return empty_rejected()
        whole = stretch.as_text(rows)
        found = [self.reasons[i] for i in self.index[rows].tolist()]
        tally.reasons.update(reason for _, reason, _ in found)
        values = [cells.get(title) if title else None for (_, _, title), cells in zip(found, whole, strict=True)]
        codes, reasons, titles = (list(each) for each in zip(*found, strict=True))
        titles = [title or None for title in titles]
        return rejected_table(table, codes, reasons, titles, values, [_json(cells) for cells in whole], stretch.row[rows])


def rejected_table(
    table: str, codes: list[str], reasons: list[str], titles: list[str | None], values: list[str | None], cells: list[str], rows: Ints
) -> pa.Table:
    """Rejected rows, one entry each in every list."""
    texts = ([table] * len(codes), codes, reasons, titles, values, cells)
    arrays = [pa.array(each, pa.string()).dictionary_encode() for each in texts]
    return pa.Table.from_arrays([*arrays, pa.array(rows, pa.int64())], schema=arrow_schema(REJECTED_COLUMNS))


def rejected_before(rejections: Sequence[Rejection], table: str, tally: Tally) -> pa.Table:
    """Rows that the reading of the file set aside before any column was typed: blank and malformed lines, totals, notes."""
    parts = [empty_rejected()]
    for rejection in rejections:
        n = len(rejection.rows)
        tally.reasons[rejection.reason] += n
        lines = rejection.values or (None,) * n
        whole = rejection.cells or tuple({} if line is None else {"": line} for line in lines)
        titles, cells = [rejection.column or None] * n, [_json(row) for row in whole]
        codes, reasons = [rejection.code] * n, [rejection.reason] * n
        parts.append(rejected_table(table, codes, reasons, titles, list(lines), cells, rejection.rows))
    return pa.concat_tables(parts)


def empty_rejected() -> pa.Table:
    return arrow_schema(REJECTED_COLUMNS).empty_table()


def _json(cells: dict[str, str | None]) -> str:
    return json.dumps(cells, ensure_ascii=False)


def type_rows(stretch: Stretch, plan: TablePlan, tally: Tally) -> TypedPart:
    """Type the rows of a stretch. What speaks against the whole file goes to the tally."""
    stretch = _as_they_stood(stretch) if plan.mending else stretch
    n = len(stretch.row)
    rejections = _Rejections(n)
    cells: dict[str, Cells] = {}
    for column in plan.columns:
        if column.position is not None:
            found = read_column(stretch.columns[column.position], column)
            tally.add(column, found, stretch)
            cells[column.name] = found
            for bad in found.bad:
                rejections.reject(bad.mask, bad.code, bad.reason, column.title)
    values = {name: found.values for name, found in cells.items()}
    values |= {name: _repeated(value, n) for name, value in plan.constants.items()}
    if plan.names_currency:
        values["currency"] = _currency(plan, cells, values, n, tally)
    happened, zones = _happened(plan, cells, values, n)
    _reject_incomplete(plan, values, happened, rejections)
    known = values.pop("known_at", None)
    first = [happened, pa.nulls(n, ARROW_TYPES["instant"]) if known is None else known, zones, pa.array(stretch.row)]
    rows = pa.Table.from_arrays([*first, *(values[name] for name, _ in plan.data_columns)], schema=plan.schema)
    mends = _mends(stretch, plan)
    if rejections.index is not None:
        kept = pa.array(rejections.index < 0)
        rows, mends = rows.filter(kept), None if mends is None else mends.filter(kept)
    tally.accepted += len(rows)
    return TypedPart(rows, rejections.table(stretch, plan.mapping.table, tally), mends)


def _repeated(value: pa.Array, n: int) -> pa.Array:
    """A constant n times."""
    if pa.types.is_dictionary(value.type):
        index = value.indices[0].as_py()
        return pa.DictionaryArray.from_arrays(pa.array(np.full(n, index, np.int32)), value.dictionary)
    return pa.repeat(value[0], n)


def _words(codes: Codes) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(pa.array(codes.codes, mask=codes.codes < 0), pa.array(codes.names, pa.string()))


def _currency(plan: TablePlan, cells: dict[str, Cells], values: dict[str, pa.Array], n: int, tally: Tally) -> pa.Array:
    """The currency column of the file; else what its amounts name; and the mapping's, or the book's, where neither says."""
    named = values.get("currency")
    titles = {column.name: column.title for column in plan.columns}
    for name, codes in ((name, found.currency) for name, found in cells.items() if found.currency is not None):
        codes = _told(codes, plan.currency)
        for unclear in (mark for mark in codes.names if mark in UNCLEAR):
            tally.note(f"column '{titles[name]}': the currency is given only as '{unclear}' ({UNCLEAR[unclear]})")
        found = _words(codes)
        named = found if named is None else named if named.null_count == 0 else _coalesced(named, found)
    usual = pa.array([plan.currency], pa.string()).dictionary_encode()
    if named is None:
        return pa.nulls(n, TEXT) if plan.currency is None else _repeated(usual, n)
    return named if plan.currency is None or named.null_count == 0 else _coalesced(named, _repeated(usual, n))


def _told(codes: Codes, usual: str | None) -> Codes:
    """A sign that several countries write as the usual currency, where that is one of theirs."""
    return Codes(codes.codes, tuple(usual if usual is not None and usual in MAY_BE.get(name, ()) else name for name in codes.names))


def _coalesced(first: pa.Array, second: pa.Array) -> pa.Array:
    """The first where it says something, else the second; both dictionary-encoded."""
    words = [*dict.fromkeys([*first.dictionary.to_pylist(), *second.dictionary.to_pylist()])]
    place = {word: i for i, word in enumerate(words)}
    codes = [_renumbered(array, place) for array in (first, second)]
    both = np.where(codes[0] < 0, codes[1], codes[0])
    return _words(Codes(both, tuple(words)))


def _renumbered(array: pa.DictionaryArray, place: dict[str, int]) -> NDArray[np.int32]:
    own = array.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    return spread(own, np.array([place[word] for word in array.dictionary.to_pylist()], np.int32), -1)


def _happened(plan: TablePlan, cells: dict[str, Cells], values: dict[str, pa.Array], n: int) -> tuple[pa.Array, pa.Array]:
    """When each row happened, and the zone that its time was written in: the source's where the time names none itself."""
    zone = _repeated(pa.array([plan.zone.key]).dictionary_encode(), n)
    sources = DAY_COLUMNS if plan.mapping.table == "renewals" else (plan.mapping.entity.happened,)
    happened: pa.Array | None = None
    for name in (name for name in sources if name in values):
        mine = _as_instants(values[name], plan.zone)
        if name in cells and (codes := cells[name].zones) is not None:
            zone = _words(codes) if bool((codes.codes >= 0).all()) else _coalesced(_words(codes), zone)
        happened = mine if happened is None else call("coalesce", happened, mine)
    return (pa.nulls(n, ARROW_TYPES["instant"]) if happened is None else happened), zone


def _as_instants(values: pa.Array, zone: ZoneInfo) -> pa.Array:
    """Instants as they are; days as their first instant in the zone."""
    if not pa.types.is_date(values.type):
        return values
    days = values.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
    return instants(local_to_utc(days, zone)[0])


def _reject_incomplete(plan: TablePlan, values: dict[str, Any], happened: pa.Array, rejections: _Rejections) -> None:
    """Rows without a value that the table needs, without a part of their key, or without a time that they happened."""
    titles = {column.name: column.title for column in plan.columns}
    entity = plan.mapping.entity
    for name in entity.required:
        kind = plan.mapping.kind_of(name)
        code = NO_VALUE.get(name, "no_date" if kind in ("day", "instant") else "no_value")
        _reject_empty(values[name], code, "no account" if name == "account_id" else f"no {name}", titles.get(name, ""), rejections)
    _reject_without_any(entity.one_of, values, titles, rejections)
    for name in plan.mapping.row_key:
        _reject_empty(values[name], "no_key", f"no {name}, which is part of the key", titles.get(name, ""), rejections)
    if entity.happened in values or not entity.state:
        _reject_empty(happened, "no_date", f"no {entity.happened}", titles.get(entity.happened, ""), rejections)


def _reject_without_any(names: Sequence[str], values: dict[str, Any], titles: dict[str, str], rejections: _Rejections) -> None:
    """Rows that have none of the columns of which the table needs one."""
    given = [name for name in names if name in values]
    if not given or any(values[name].null_count == 0 for name in given):
        return
    empty = np.logical_and.reduce([call("is_null", values[name]).to_numpy(zero_copy_only=False) for name in given])
    reason = " and ".join(f"no {'account' if name == 'account_id' else name}" for name in given)
    rejections.reject(empty, NO_VALUE.get(given[0], "no_value"), reason, titles.get(given[0], ""))


def _reject_empty(values: pa.Array, code: str, reason: str, title: str, rejections: _Rejections) -> None:
    if values.null_count:
        rejections.reject(call("is_null", values).to_numpy(zero_copy_only=False), code, reason, title)


def _as_they_stood(stretch: Stretch) -> Stretch:
    """The cells of a file of rejected rows without the mark by which a spreadsheet takes them for text (see `app/mended.py`)."""

    def cell(text: str | None) -> str | None:
        return None if text is None else re.sub(MARKED, "", text)

    def bare(column: pa.ChunkedArray) -> pa.ChunkedArray:
        if not pa.types.is_string(column.type) and not pa.types.is_dictionary(column.type):
            return column
        return pa.chunked_array([[cell(text) for text in column.cast(pa.string()).to_pylist()]], pa.string())

    columns = {at: bare(column) for at, column in stretch.columns.items()}
    return replace(stretch, columns=columns, as_text=lambda rows: [{k: cell(v) for k, v in row.items()} for row in stretch.as_text(rows)])


def _mends(stretch: Stretch, plan: TablePlan) -> pa.Table | None:
    """Which rejected rows those of a file of mended ones take the place of."""
    if not plan.mending:
        return None
    columns = {name.removeprefix("unspun_"): _row_numbers(stretch.columns[plan.mending[name]]) for name in MENDING if name in plan.mending}
    return pa.table({name: columns.get(name, pa.nulls(len(stretch.row), pa.int64())) for name in ("load", "file", "row")})


def _row_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whole numbers, null where a cell is none: such a row is a new one."""
    text = column.cast(pa.string())
    digits = call("match_substring_regex", text, options=pc.MatchSubstringOptions(r"^\d{1,18}(\.0)?$"))
    bare = call("replace_substring_regex", text, options=pc.ReplaceSubstringOptions(r"\.0$", ""))
    return call("if_else", digits, bare, pa.scalar(None, pa.string())).cast(pa.int64())
