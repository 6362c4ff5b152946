"""The answers as arrays: daily counts of each series, and of each watched account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from unspun.book.tracking.level import Bools, Floats, Ints

WATCHED = "watched"
REGULAR_SHARE = 0.4  # an event is regular where it has rows on at least this share of the days from its first to its last
LEAST_REGULAR_DAYS = 28
LEAST_A_DAY = 3.0  # fewer than this on the median day cannot be judged
Where = tuple[str, str] | tuple[()]


@dataclass(frozen=True, slots=True)
class Key:
    """What a series counts: rows (`measure` "") or the sum of a measure, of an event ("" all regular ones), in a part of the book."""

    event: str
    measure: str = ""
    where: Where = ()


@dataclass(frozen=True, slots=True)
class Watched:
    """Single accounts: `counts` of a series by account and day, the order of `places`; `values` of a property, "" unknown."""

    places: Ints
    counts: Mapping[Key, Floats]
    values: Mapping[str, tuple[str, ...]]
    accounts: int  # that there are: at least as many as among the watched

    def of(self, key: Key) -> tuple[Floats, Bools]:
        """Daily counts of the whole-book series of a key, shape (accounts, days), and which accounts are in the key's part."""
        inside = np.ones(len(self.places), dtype=bool)
        if key.where:
            inside = np.array([value == key.where[1] for value in self.values.get(key.where[0], ())], dtype=bool)
        return self.counts[Key(key.event, key.measure)], inside


@dataclass(frozen=True, slots=True)
class DailyUsage:
    """Counts by day, shape (series, days); `days` are day numbers since 1970, on end. `keys[0]` is all that can be judged as one."""

    keys: tuple[Key, ...]
    days: Ints
    counts: Floats
    watched: Watched


def daily_usage(rows: pa.Table, measures: tuple[str, ...]) -> DailyUsage | None:
    """The arrays of the extract `tracking_days`; None where no event is regular."""
    columns = _Columns.of(rows, measures)
    if columns.length < LEAST_REGULAR_DAYS:
        return None
    whole = columns.by_event(columns.part(""))
    regular = [event for event, rows in zip(columns.events, whole, strict=True) if _is_regular(columns.matrix(rows, "")[0])]
    if not regular:
        return None
    keys, counts = columns.series(regular)
    return DailyUsage(keys, columns.first + np.arange(columns.length), counts, columns.watched(regular, keys))


@dataclass(frozen=True, slots=True)
class _Columns:
    """The extract's columns as arrays of codes."""

    measures: tuple[str, ...]
    parts: tuple[str, ...]
    part_code: Ints
    values: tuple[str, ...]
    value_code: Ints
    events: tuple[str, ...]
    event_code: Ints
    day: Ints  # from the first one; -1 where a row says what a watched account is
    place: Ints  # -1: none
    sums: Mapping[str, Floats]
    first: int
    length: int

    @classmethod
    def of(cls, rows: pa.Table, measures: tuple[str, ...]) -> _Columns:
        parts, values, events = (_coded(rows, name) for name in ("part", "value", "event"))
        dated = _whole(rows.column("day").cast(pa.int32()), np.iinfo(np.int32).min)
        known = dated[dated > np.iinfo(np.int32).min]
        first = int(known.min()) if len(known) else 0
        sums = {"": _number(rows, "rows")} | {name: _number(rows, f"m{i}") for i, name in enumerate(measures)}
        place = _whole(rows.column("place"), -1)
        length = int(known.max()) - first + 1 if len(known) else 0
        return cls(measures, *parts, *values, *events, np.maximum(dated - first, -1), place, sums, first, length)

    def part(self, name: str) -> Bools:
        code = self.parts.index(name) if name in self.parts else -1
        return (self.part_code == code) & (self.day >= 0)

    def by_event(self, which: Bools) -> list[Ints]:
        """The numbers of the rows chosen, in their order, for each of the events."""
        rows = np.flatnonzero(which)
        codes = self.event_code[rows]
        few = codes.astype(np.int16) if len(self.events) < np.iinfo(np.int16).max else codes  # NumPy sorts these by their digits
        order = np.argsort(few, kind="stable")
        return np.split(rows[order], np.searchsorted(codes[order], np.arange(1, len(self.events))))

    def matrix(self, rows: Ints, measure: str, by: Ints | None = None, size: int = 1) -> Floats:
        """Sums by day of the rows of these numbers, shape (size, days); `by` numbers the row of the result of each."""
        flat = self.day[rows] if by is None else by * self.length + self.day[rows]
        counted: Floats = np.bincount(flat, self.sums[measure][rows], minlength=size * self.length).astype(np.float64, copy=False)
        return counted.reshape(size, self.length)

    def series(self, regular: list[str]) -> tuple[tuple[Key, ...], Floats]:
        """Series of the whole book, then of its parts; those with too little to be judged are left out, but for the first."""
        found: dict[Key, Floats] = {}
        for part in ("", *(name for name in self.parts if name not in ("", WATCHED))):
            chosen = self.part(part)
            for value in sorted({self.values[code] for code in np.unique(self.value_code[chosen])}):
                inside = chosen & (self.value_code == self.values.index(value))
                found |= self._of_part(inside, regular, (part, value) if part else ())
        first, *others = found
        kept = [first, *(key for key in others if is_countable(found[key]))]
        return tuple(kept), np.array([found[key] for key in kept])

    def _of_part(self, inside: Bools, regular: list[str], where: Where) -> dict[Key, Floats]:
        rows = dict(zip(self.events, self.by_event(inside), strict=True))
        by_event = {event: self.matrix(rows[event], "")[0] for event in regular}
        one = regular[0] if len(regular) == 1 else ""
        found = {Key(one, "", where): np.sum(list(by_event.values()), axis=0)}
        if not one:
            found |= {Key(event, "", where): counts for event, counts in by_event.items()}
        for event in regular:
            for measure in self.measures:
                sums = self.matrix(rows[event], measure)[0]
                if sums.any():
                    found[Key(event, measure, where)] = sums
        return found

    def watched(self, regular: list[str], keys: tuple[Key, ...]) -> Watched:
        mine = self.part(WATCHED)
        places = np.unique(self.place[mine])
        rows = dict(zip(self.events, self.by_event(mine), strict=True))
        several = len(regular) > 1
        asked: dict[Key, tuple[str, ...]] = {key: (key.event,) for key in keys if not key.where and (key.event or not several)}
        if several:
            asked[Key("")] = tuple(regular)
        counts = _CountsWhenAsked(self, {event: rows[event] for event in regular}, asked, places, {})
        return Watched(places, counts, self._values_of(places), max(len(places), int(self.place.max(initial=-1)) + 1))

    def _values_of(self, places: Ints) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for code, part in enumerate(self.parts):
            which = (self.part_code == code) & (self.place >= 0) & (self.day < 0)
            if which.any():
                said = dict(zip(self.place[which].tolist(), self.value_code[which].tolist(), strict=True))
                found[part] = tuple(self.values[said[place]] if place in said else "" for place in places.tolist())
        return found


@dataclass(frozen=True, slots=True)
class _CountsWhenAsked(Mapping[Key, Floats]):
    """Counts of the watched accounts by account and day, made when they are asked for: of most series nobody does.

    `asked` gives the events whose counts are summed, `rows` the numbers of an event's rows.
    """

    columns: _Columns
    rows: Mapping[str, Ints]
    asked: Mapping[Key, tuple[str, ...]]
    places: Ints
    made: dict[Key, Floats]

    def __getitem__(self, key: Key) -> Floats:
        if key not in self.made:
            self.made[key] = np.sum([self._of(event, key.measure) for event in self.asked[key]], axis=0)
        return self.made[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.asked)

    def __len__(self) -> int:
        return len(self.asked)

    def _of(self, event: str, measure: str) -> Floats:
        rows = self.rows[event]
        return self.columns.matrix(rows, measure, np.searchsorted(self.places, self.columns.place[rows]), len(self.places))


def _is_regular(counts: Floats) -> bool:
    seen = np.flatnonzero(counts)
    return len(seen) >= LEAST_REGULAR_DAYS and len(seen) >= REGULAR_SHARE * (seen[-1] - seen[0] + 1)


def is_countable(counts: Floats) -> bool:
    """Whether a day of the series usually holds enough to be judged, and never less than nothing."""
    seen = np.flatnonzero(counts)
    if len(seen) < LEAST_REGULAR_DAYS or counts.min() < 0:
        return False
    return bool(np.sort(counts[seen[0] : seen[-1] + 1])[-max(1, len(seen) // 2)] >= LEAST_A_DAY)


def _coded(rows: pa.Table, name: str) -> tuple[tuple[str, ...], Ints]:
    column = rows.column(name).combine_chunks().dictionary_encode()
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    return tuple(column.dictionary.to_pylist()), column.indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _whole(column: pa.ChunkedArray, otherwise: int) -> Ints:
    return column.fill_null(otherwise).to_numpy().astype(np.int64)


def _number(rows: pa.Table, name: str) -> Floats:
    return np.nan_to_num(rows.column(name).cast(pa.float64()).fill_null(0.0).to_numpy().astype(np.float64))
