"""Usage events, reduced to counts by account and day while they are read: twelve million rows never stand in memory as such."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from unspun.book.columns import find_columns
from unspun.book.dates import is_date_type
from unspun.book.extras import Events
from unspun.book.files import damaged_parquet, open_table
from unspun.book.numbers import read_numbers
from unspun.book.periods import names_period
from unspun.book.raw import RawTable
from unspun.book.reading import Reading
from unspun.book.tables import Codes, Floats, Ints, ReadingOptions, Rejection, Source
from unspun.book.text import codes_of, squash
from unspun.errors import BadInput, Fault

BATCH_ROWS = 1 << 19
READ = frozenset({"account", "date", "recorded_at", "value"})  # roles whose cells are read
COUNT_NAMES = frozenset({"count", "eventcount", "numberofevents", "usagecount", "events"})  # columns that can only be counts
COUNTED = "events"
FINEST = 2.0**20  # values are rounded to this part of one, so that their sum does not depend on the order of rows


@dataclass(frozen=True, slots=True)
class _Batch:
    """Part of the file: its accepted rows, and the entry of each."""

    account: Codes
    day: Ints
    known: Ints | None
    amount: Floats
    row: Ints
    entry: NDArray[np.int32]
    file: NDArray[np.int32] | None
    source: Source


def read_events(source: object, options: ReadingOptions, name: str | None = None) -> Events:
    """Read events from a path ("-" is standard input), an open file, or a pandas, Polars or Arrow table.

    A row is one event; where the value column is named by the caller (or its name says that it holds counts), a row stands for
    that many. Raises BadInput with the faults of the file; rows that cannot be used are set aside in `source.rejections`.
    """
    batches = [_read(raw, options) for raw in _open(source, options, name)]
    if not any(len(batch.row) for batch in batches):
        why = "; ".join(f"{r.reason}: {len(r.rows):,}" for batch in batches for r in batch.source.rejections)
        raise BadInput(Fault("no_usable_rows", f"none of the rows can be used ({why}).", batches[0].source.name, "Check the export."))
    return _merge(batches)


def _open(source: object, options: ReadingOptions, name: str | None) -> Iterator[RawTable]:
    """In parts where it is Parquet on disk with typed dates, else whole: how text dates are written is told by the whole column."""
    path = os.fsdecode(source) if isinstance(source, str | os.PathLike) else None
    if path is None or not _is_parquet(path):
        yield open_table(source, "events", name, options)
        return
    try:
        file = pq.ParquetFile(path)
        kinds, names = file.schema_arrow.types, tuple(file.schema_arrow.names)
        empty = tuple(pa.chunked_array([pa.nulls(0, kind)]) for kind in kinds)
        head = RawTable("events", name or path, _sha256(path), "Parquet", names, empty, np.zeros(0, np.int64), 0)
        columns = find_columns(head, options).columns
        if _can_be_split(columns, kinds, names):
            yield from _batches(file, head, sorted(column for role, column in columns.items() if role in READ))
        else:
            yield open_table(source, "events", name, options)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(damaged_parquet(path)) from error


def _is_parquet(path: str) -> bool:
    if not Path(path).is_file():
        return False
    with open(path, "rb") as file:
        return file.read(4) == b"PAR1"


def _sha256(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _can_be_split(columns: dict[str, int], kinds: list[pa.DataType], names: tuple[str, ...]) -> bool:
    """Whether each part can be read by itself: dates are days by type and name, and accounts no floats (22.0 is 22 if all are whole)."""
    if "date" not in columns or "account" not in columns or pa.types.is_floating(kinds[columns["account"]]):
        return False
    dated = [columns[role] for role in ("date", "recorded_at") if role in columns]
    return all(is_date_type(kinds[column]) and not names_period(names[column]) for column in dated)


def _batches(file: pq.ParquetFile, head: RawTable, used: list[int]) -> Iterator[RawTable]:
    """Parts with the cells of the columns that are used; the others are empty. Row numbers run on."""
    start = 0
    for batch in file.iter_batches(BATCH_ROWS, columns=[head.names[column] for column in used]):
        empty = pa.chunked_array([pa.nulls(len(batch))])
        given = {head.names[column]: batch.column(head.names[column]) for column in used}
        columns = tuple(pa.chunked_array([given[title]]) if title in given else empty for title in head.names)
        rows = np.arange(start + 2, start + 2 + len(batch), dtype=np.int64)
        yield replace(head, columns=columns, row=rows, rows_read=len(batch))
        start += len(batch)
    if start == 0:
        raise BadInput(Fault("no_rows", "there is a header but no row.", head.name, "Check the export."))


def _read(raw: RawTable, options: ReadingOptions) -> _Batch:
    reading = Reading(raw, options)
    reading.columns.pop("event", None)  # events of every kind count
    reading.account()
    dated, recorded = reading.dates("date"), reading.dates("recorded_at")
    amount = _amounts(reading)
    reading.refuse_faults()
    assert dated is not None  # its absence is a fault
    kept = reading.kept
    account = codes_of(reading.words(reading.columns["account"]), kept)
    day = _days(dated[kept])
    known = None if recorded is None else np.maximum(day, _days(recorded[kept]))  # NaT is the smallest integer, so it never wins
    first, entry = _distinct(account.codes.astype(np.int64), day, known)
    summed = np.bincount(entry, weights=None if amount is None else amount[kept], minlength=len(first)).astype(np.float64)
    own = Codes(account.codes[first], account.names)
    known = None if known is None else known[first]
    return _Batch(own, day[first], known, summed, raw.row[kept], entry, raw.files_of(kept), reading.source({}))


def _amounts(reading: Reading) -> Floats | None:
    """How many events each row stands for; None where it stands for one."""
    if "value" not in reading.columns:
        return None
    column = reading.columns["value"]
    if "value" not in reading.mapped and squash(reading.title(column)) not in COUNT_NAMES:
        del reading.columns["value"]
        reading.notes.append(f"column '{reading.title(column)}' is not summed: events are counted (--map events.value=COLUMN sums it)")
        return None
    numbers = read_numbers(reading.raw.columns[column])
    if numbers.complaint is not None:
        reading.fault(numbers.complaint, column)
        return None
    if reading.refuse_unreadable(numbers.unread, numbers.blank, column, "a number", f"Give counts.{reading.or_leave_out('value')}"):
        return None
    reading.set_aside(numbers.unread, "unreadable_value", "unreadable value", column, show=True)
    reading.set_aside(numbers.blank, "no_value", "no value", column)
    reading.set_aside(numbers.values < 0, "negative_value", "negative value", column, show=True)
    return np.round(numbers.values * FINEST) / FINEST


def _days(times: NDArray[np.datetime64]) -> Ints:
    return times.astype("datetime64[D]").astype(np.int64)


def _distinct(account: Ints, day: Ints, known: Ints | None) -> tuple[Ints, NDArray[np.int32]]:
    """The first position of each distinct (account, day, day of recording) in their order, and each row's index among them."""
    key = account
    for days in (day, known):
        if days is not None and len(days):
            key = key * (int(np.ptp(days)) + 1) + (days - int(days.min()))
    _, first, entry = np.unique(key, return_index=True, return_inverse=True)
    return first.astype(np.int64), entry.astype(np.int32)


def _merge(batches: list[_Batch]) -> Events:
    """One table of all parts; an account and day that two parts share becomes one entry."""
    names = sorted({name for batch in batches for name in batch.account.names})
    place = {name: code for code, name in enumerate(names)}
    account = np.concatenate([np.array([place[n] for n in b.account.names] or [0], np.int64)[b.account.codes] for b in batches])
    day, amount = np.concatenate([b.day for b in batches]), np.concatenate([b.amount for b in batches])
    known = np.concatenate([b.day if b.known is None else b.known for b in batches])
    first, entry = _distinct(account, day, known)
    offset = np.cumsum([0, *(len(batch.day) for batch in batches)])
    source = _merge_sources([batch.source for batch in batches])
    return Events(
        source=source,
        account=Codes(account[first].astype(np.int32), tuple(names)),
        day=day[first],
        amount=np.bincount(entry, weights=amount, minlength=len(first)).astype(np.float64),
        known=None if batches[0].known is None else known[first],
        counted=source.columns.get("value", COUNTED),
        row=np.concatenate([batch.row for batch in batches]),
        entry=np.concatenate([entry[start:][batch.entry] for batch, start in zip(batches, offset, strict=False)]),
        file=batches[0].file,  # several files are read whole
    )


def _merge_sources(sources: list[Source]) -> Source:
    """The first part's source with the rows of all: rejections of one reason are one."""
    found: dict[tuple[str, str, str], list[Rejection]] = {}
    for source in sources:
        for rejection in source.rejections:
            found.setdefault((rejection.code, rejection.reason, rejection.column), []).append(rejection)
    return replace(sources[0], rows_read=sum(source.rows_read for source in sources), rejections=tuple(map(_joined, found.values())))


def _joined(parts: list[Rejection]) -> Rejection:
    if len(parts) == 1:
        return parts[0]
    values = None if parts[0].values is None else tuple(value for part in parts for value in part.values or ())
    return replace(parts[0], rows=np.concatenate([part.rows for part in parts]), values=values)
