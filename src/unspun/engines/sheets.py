"""Sheets put together: the rows of tables at their places, windows and counts as arrays, for a slice of the units of a panel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.compute import call_function
from sqlglot import exp

from unspun.engines.window_arrays import Ints, PaneDates, PaneRows, bit_counts
from unspun.metrics.lower.sheet import Beside, MaskCounts, PaneWindows, Sheet, Window

CELLS = 1 << 24
"""About so many cells of a sheet are in memory at once."""
MOST_ROWS = 1 << 18


class RowsReader(Protocol):
    """What a sheet asks of a database."""

    def rows(self, query: exp.Query, *bounds: int) -> pa.Table: ...


@dataclass
class SheetMaker:
    """Makes the slices of a sheet, of a database in which its tables are there."""

    database: RowsReader
    sheet: Sheet
    _by_point: dict[int, dict[str, pa.ChunkedArray]] = field(default_factory=dict[int, "dict[str, pa.ChunkedArray]"])

    def slices(self, rows: int) -> Iterator[tuple[int, int]]:
        """The bounds of slices that make up so many rows; an account's are never apart."""
        each = max(1, min(MOST_ROWS, CELLS // self.sheet.width))
        dates = max(1, self.sheet.dates)
        each = max(1, each // dates) * dates
        for first in range(0, max(rows, 1), each):
            yield first, first + each

    def made(self, first: int, after: int) -> pa.Table:
        """The rows of the sheet from a place to before another, in their order."""
        units = in_place_order(self.database.rows(self.sheet.units, first, after))
        columns = {name: units.column(name) for name in units.column_names}
        unit, point = (columns[name].to_numpy() for name in ("unit", "point"))
        low, high = (int(unit.min()), int(unit.max()) + 1) if len(unit) else (0, 0)
        lies = Places(unit - low, high - low)
        parts = [columns]
        for one in self.sheet.beside:
            parts.append(self._point_columns(one, point) if one.key == "point" else self._unit_columns(one, lies, low, high))
        if self.sheet.dates:
            accounts = range(low // self.sheet.dates, high // self.sheet.dates)
            parts += [{name: pa.chunked_array([made]) for name, made in self._windows(one, accounts)} for one in self.sheet.windows]
            parts += [{name: pa.chunked_array([made]) for name, made in self._counts(one, accounts)} for one in self.sheet.counts]
        named = [(name, column) for part in parts for name, column in part.items()]
        assert len(dict(named)) == len(named), "two columns of a sheet have one name"
        return pa.table(dict(named))

    def _point_columns(self, beside: Beside, point: Ints) -> dict[str, pa.ChunkedArray]:
        key = id(beside)
        if key not in self._by_point:
            self._by_point[key] = _by_key(self.database.rows(beside.rows), "point")
        return {name: column.take(pa.array(point)) for name, column in self._by_point[key].items()}

    def _unit_columns(self, beside: Beside, lies: Places, low: int, high: int) -> dict[str, pa.ChunkedArray]:
        rows = self.database.rows(beside.rows, low, high)
        at = rows.column("unit").to_numpy() - low
        return {name: lies.taken(rows.column(name), at) for name in rows.column_names if name != "unit"}

    def _windows(self, table: PaneWindows, accounts: range) -> Iterator[tuple[str, pa.Array]]:
        """The windows of a table, an array each."""
        rows = self.database.rows(table.rows, accounts.start, accounts.stop).combine_chunks()
        keys = {name: rows.column(name).to_numpy().astype(np.int64) for name in ("account", "pane", "late")}
        until = rows.column("until").to_numpy().astype(np.int64) if table.superseded else None
        panes = len(table.frames[0])
        kept = PaneRows(keys["account"] - accounts.start, keys["pane"], keys["late"], until, len(accounts), panes, self.sheet.dates)
        dates = [_pane_dates(spans, self.sheet.dates) for spans in table.frames]
        cells = _Cells(rows)
        for window in table.windows:
            yield window.name, _window(kept, cells, window, dates[window.frame])

    def _counts(self, masks: MaskCounts, accounts: range) -> Iterator[tuple[str, pa.Array]]:
        """The counts of masks, an array each."""
        rows = self.database.rows(masks.rows, accounts.start, accounts.stop)
        account = rows.column("account").to_numpy().astype(np.int64) - accounts.start
        words = {name: _filled(rows.column(name), 0).to_numpy() for name in rows.column_names if name != "account"}
        bits = bit_counts(account, len(accounts), words)
        for name, places in masks.counts.items():
            picked = np.empty((len(accounts), len(places)), np.int64)
            for point, (word, bit) in enumerate(places):
                picked[:, point] = bits[word][:, bit]
            yield name, pa.array(picked.ravel())


@dataclass(frozen=True)
class Places:
    """Where the rows of a slice stand: each at one of so many places in a row."""

    place: Ints
    places: int

    @property
    def in_a_row(self) -> bool:
        return len(self.place) == self.places and bool((self.place == np.arange(self.places)).all())

    def taken(self, column: pa.ChunkedArray, at: Ints) -> pa.ChunkedArray:
        """A column whose rows are of the places `at`, each place at most once, for the rows of the slice."""
        if self.in_a_row and len(at) == self.places and bool((at == self.place).all()):
            return column
        where = np.full(self.places, -1, np.int64)
        where[at] = np.arange(len(at))
        found = where[self.place]
        return column.take(pa.array(found, mask=found < 0))


def in_place_order(rows: pa.Table) -> pa.Table:
    """Rows by their `place`. They mostly come so."""
    places = rows.column("place").to_numpy()
    return rows if bool((places[1:] > places[:-1]).all()) else rows.sort_by("place")


def _by_key(rows: pa.Table, key: str) -> dict[str, pa.ChunkedArray]:
    """Columns of a table whose keys are 0, 1, 2 and so on, in their order."""
    ordered = rows.sort_by(key)
    return {name: ordered.column(name) for name in ordered.column_names if name != key}


class _Cells:
    """The columns of what is kept of panes, as arrays, each made once."""

    def __init__(self, rows: pa.Table) -> None:
        self.rows = rows
        self.made: dict[str, NDArray[np.generic]] = {}

    def filled(self, name: str) -> Ints:
        """Whole numbers, nought in place of none."""
        if name not in self.made:
            self.made[name] = _filled(self.rows.column(name), 0).cast(pa.int64()).to_numpy()
        return self.made[name].view(np.int64)

    def words(self, name: str) -> NDArray[np.uint64]:
        """Decimals, nought in place of none: a row of two words each."""
        if name not in self.made:
            self.made[name] = _decimal_words(self.rows.column(name))
        return self.made[name].view(np.uint64)


def _filled(column: pa.ChunkedArray, value: float) -> pa.ChunkedArray:
    return column.fill_null(pa.scalar(value, column.type)) if column.null_count else column


def _decimal_words(column: pa.ChunkedArray) -> NDArray[np.uint64]:
    parts = [np.zeros((0, 2), np.uint64)]
    for chunk in column.chunks:
        words = np.frombuffer(chunk.buffers()[1], np.uint64).reshape(-1, 2)[chunk.offset : chunk.offset + len(chunk)]
        if chunk.null_count:
            words = words * chunk.is_valid().to_numpy(zero_copy_only=False)[:, None].astype(np.uint64)
        parts.append(words)
    return np.concatenate(parts) if len(parts) != 2 else parts[1]


def _pane_dates(spans: Sequence[tuple[int, int]], dates: int) -> PaneDates:
    starts, stops = zip(*spans, strict=True)
    return PaneDates(np.array(starts, np.int64), np.array(stops, np.int64), dates)


def _window(kept: PaneRows, cells: _Cells, window: Window, dates: PaneDates) -> pa.Array:
    if window.made == "sum":
        return pa.array(kept.sums(window.of, cells.filled(window.of), dates))
    if window.made == "amount":
        return pa.array(kept.amounts(window.of, cells.words(window.of), dates))
    return _extreme(kept, cells.rows.column(window.of), window.made == "least", dates)


def _extreme(kept: PaneRows, column: pa.ChunkedArray, least: bool, dates: PaneDates) -> pa.Array:
    """The least or the greatest; NULL where there is none."""
    whole = pa.types.is_integer(column.type)
    plain = column.cast(pa.int64() if whole else pa.float64())
    there = call_function("is_valid", [plain]).to_numpy().astype(np.int64)
    values = _filled(plain, 0).to_numpy()
    values = _turned(values) if least else values
    nothing = np.iinfo(np.int64).min if whole else -np.inf
    told = values.copy()
    told[there == 0] = nothing
    found = kept.greatest(told, nothing, dates)
    empty = found == nothing
    if bool((values[there == 1] == nothing).any()):  # a value looks like none
        empty = kept.sums(f"there {least} {id(column)}", there, dates) == 0
    return pa.array(_turned(found) if least else found, mask=empty).cast(column.type)


def _turned(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """The same with their order turned round."""
    return ~values.view(np.int64) if values.dtype == np.int64 else -values.view(np.float64)
