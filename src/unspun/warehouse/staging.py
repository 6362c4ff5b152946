"""Sources read into typed Parquet under `.staging`, each recorded once it is whole, so that a load that died can be taken up again."""

from __future__ import annotations

import hashlib
import json
import os
import queue
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from unspun.book.entities import ROW_COLUMNS, Kind
from unspun.book.mapping.definition import SourceMapping
from unspun.book.text import call
from unspun.book.typed import TypedPart, TypedSource
from unspun.book.typed_schema import PART_COLUMNS, REJECTED_COLUMNS
from unspun.errors import BadInput, Fault
from unspun.warehouse.delta import ParquetFile, parquet_file
from unspun.warehouse.load_rejected import FUTURE, MENDED_STORED, MENDS_COLUMNS, mended_rows, rejected_rows
from unspun.warehouse.versions import stored_columns

STAGING_FOLDER = ".staging"
RECORD = "staged.json"
ROWS, REJECTED, MENDED = "rows.parquet", "rejected.parquet", "mended.parquet"
PARTS_AHEAD = 2
INSTANT = pa.timestamp("us", "UTC")

ReasonCount = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """A source opened, with what the load decides of it before a row is read.

    `direct` sources are written as the table's data file at once: no row of theirs can be in the book. In a dry run
    `load` is 0 and `source_file` negative.
    """

    path: str
    mapping: SourceMapping
    mapping_sha256: str
    source: TypedSource
    stamp: tuple[int, int, int]
    source_file: int
    load: int
    receipt: datetime  # stands for the receipt of rows that do not say when they were known
    received_at: datetime
    direct: bool


@dataclass(frozen=True, slots=True)
class Staged:
    """A source as it was staged, whole. `rows` are those that were not rejected on reading."""

    key: str
    rows_read: int
    rows: int
    sha256: str  # of the staged rows
    size_bytes: int
    columns: tuple[tuple[str, Kind], ...]  # the data columns
    rejected: tuple[ReasonCount, ...]
    notes: tuple[str, ...]
    unlisted: tuple[str, ...]
    has_rejected: bool
    has_mends: bool
    taken_up: bool = False


@dataclass(slots=True)
class _Tally:
    """What is counted while a source is read. `data` are its data columns, `stored` all that are staged; known with the first part."""

    rows: int = 0
    rejected: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    data: tuple[tuple[str, Kind], ...] = ()
    stored: tuple[tuple[str, Kind], ...] = ()
    mends: bool = False
    needs_receipt: bool = False

    def see(self, rows: pa.Table, plan: SourcePlan) -> None:
        if self.stored:
            return
        lead = {name for name, _ in (*ROW_COLUMNS, *MENDS_COLUMNS)}
        self.mends = MENDS_COLUMNS[0][0] in rows.column_names
        self.data = tuple((name, plan.mapping.kind_of(name)) for name in rows.column_names if name not in lead)
        if plan.direct:
            self.stored = stored_columns(plan.mapping.table, (*ROW_COLUMNS, *self.data))
        else:  # all that the classification compares
            self.stored = (*PART_COLUMNS, *self.data, *(MENDS_COLUMNS if self.mends else ()))


def stage(folder: Path, plan: SourcePlan, progress: Callable[[int], None]) -> Staged:
    """Read a source into `folder`/.staging, or take up what an earlier run of the same load staged whole.

    `progress` is told the rows read so far. Raises BadInput where the source is gone or changed while it was read; OSError where
    the disk does not take it (then nothing of this source is left).
    """
    place = folder / STAGING_FOLDER
    for with_receipt in (False, True):
        if (found := _recorded(place / stage_key(plan, with_receipt))) is not None:
            return found
    place.mkdir(parents=True, exist_ok=True)
    return _read(place, plan, progress)


def stage_key(plan: SourcePlan, with_receipt: bool) -> str:
    """Names what a source comes out as: its bytes, its mapping, the load's number where it is in the rows, the receipt where it counts."""
    identity: list[object] = [plan.source.sha256, plan.mapping_sha256]
    if plan.direct:
        identity += [plan.source_file, plan.load]
    if with_receipt:
        identity += [plan.receipt.isoformat(), plan.received_at.isoformat()]
    return hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]


def _recorded(place: Path) -> Staged | None:
    """What was staged whole there; None where nothing was, or its files are not what the record says."""
    try:
        record: dict[str, Any] = json.loads((place / RECORD).read_text(encoding="utf-8"))
        whole = not record["rows"] or (place / ROWS).stat().st_size == record["size_bytes"]
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    if not whole:
        return None
    columns = tuple((name, kind) for name, kind in record["columns"])
    rejected = tuple((code, reason, count) for code, reason, count in record["rejected"])
    notes, unlisted = tuple(record["notes"]), tuple(record["unlisted"])
    return Staged(**{**record, "columns": columns, "rejected": rejected, "notes": notes, "unlisted": unlisted, "taken_up": True})


def _read(place: Path, plan: SourcePlan, progress: Callable[[int], None]) -> Staged:
    making = place / f"reading-{os.getpid()}"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir()
    try:
        staged = _staged(making, plan, progress)
        _finish(making, place / staged.key, staged)
        return staged
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise


def _finish(making: Path, final: Path, staged: Staged) -> None:
    """The record is written last and durably: a folder with a record is whole."""
    record = making / RECORD
    with record.open("w", encoding="utf-8") as file:
        json.dump({key: value for key, value in asdict(staged).items() if key != "taken_up"}, file, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())
    shutil.rmtree(final, ignore_errors=True)
    making.replace(final)


def _staged(making: Path, plan: SourcePlan, progress: Callable[[int], None]) -> Staged:
    tally = _Tally()
    with ExitStack() as files:
        rows_file, refused_file, mended_file = (_BehindFile(files, making / name) for name in (ROWS, REJECTED, MENDED))
        for part in plan.source.parts():
            rows, rejected = _accepted(part, plan, tally)
            rows_file.write(rows, tally.stored)
            if rejected.num_rows:
                refused_file.write(rejected, REJECTED_COLUMNS)
            if tally.mends and plan.direct:  # of other sources, what is mended is known once they are classified
                mended_file.write(mended_rows(rows), MENDED_STORED)
            progress(tally.rows + tally.rejected.total())
    _refuse_changed(plan)
    return _record(plan, tally, rows_file.file, refused_file.file)


class _BehindFile:
    """A Parquet file made at the first write, by a thread of its own, so that reading and writing overlap."""

    def __init__(self, files: ExitStack, path: Path) -> None:
        self._files, self._path = files, path
        self._write: Callable[[pa.Table], None] | None = None
        self.file: ParquetFile | None = None

    def write(self, rows: pa.Table, columns: Sequence[tuple[str, Kind]]) -> None:
        if self._write is None:
            self.file = self._files.enter_context(parquet_file(self._path, columns))
            self._write = self._files.enter_context(_behind(self.file.write))
        self._write(rows)


@contextmanager
def _behind(write: Callable[[pa.Table], None]) -> Iterator[Callable[[pa.Table], None]]:
    """A way to hand tables to a thread that writes them; what it raises is raised to the one who hands, at the latest on leaving."""
    waiting: queue.Queue[pa.Table | None] = queue.Queue(PARTS_AHEAD)
    errors: list[BaseException] = []
    thread = threading.Thread(target=_write_all, args=(waiting, write, errors), daemon=True)

    def hand(rows: pa.Table) -> None:
        if errors:
            raise errors[0]
        waiting.put(rows)

    thread.start()
    try:
        yield hand
    finally:
        waiting.put(None)
        thread.join()
    if errors:
        raise errors[0]


def _write_all(waiting: queue.Queue[pa.Table | None], write: Callable[[pa.Table], None], errors: list[BaseException]) -> None:
    while (rows := waiting.get()) is not None:
        if errors:
            continue  # keep taking, so that the one who hands is never stuck
        try:
            write(rows)
        except Exception as error:
            errors.append(error)


def _accepted(part: TypedPart, plan: SourcePlan, tally: _Tally) -> tuple[pa.Table, pa.Table]:
    """The rows to stage and the rejected ones of a part, counted."""
    rows, rejected = part.rows, part.rejected
    if part.mends is not None:
        for (name, _), column in zip(MENDS_COLUMNS, part.mends.columns, strict=True):
            rows = rows.append_column(name, column)
    tally.see(rows, plan)
    if plan.direct:
        rows, late = _completed(rows, plan, tally)
        rejected = pa.concat_tables([rejected, late]).unify_dictionaries() if late.num_rows else rejected
    tally.rows += rows.num_rows
    for row in rejected.group_by(["code", "reason"]).aggregate([([], "count_all")]).to_pylist():
        tally.rejected[row["code"], row["reason"]] += row["count_all"]
    return rows, rejected


def _completed(rows: pa.Table, plan: SourcePlan, tally: _Tally) -> tuple[pa.Table, pa.Table]:
    """Rows with all row columns, and those that say they were known after they were received, as rejected rows."""
    known = rows.column("known_at")
    late = rows.slice(0, 0)
    if known.null_count < rows.num_rows:
        future = call("coalesce", call("greater", known, pa.scalar(plan.received_at, INSTANT)), pa.scalar(False))
        if call("any", future).as_py():
            late, rows, tally.needs_receipt = rows.filter(future), rows.filter(call("invert", future)), True
            known = rows.column("known_at")
    if known.null_count:
        filled, on_receipt = _known_at(rows, plan)
        known = filled if known.null_count == rows.num_rows else call("coalesce", known, filled)
        tally.needs_receipt = tally.needs_receipt or on_receipt
    rows = rows.set_column(rows.column_names.index("known_at"), "known_at", known)
    for name, value in (("load", plan.load), ("source_file", plan.source_file)):
        rows = rows.append_column(name, pa.array(np.full(rows.num_rows, value, np.int64)))
    return rows, rejected_rows(late.to_pylist(), FUTURE, plan.mapping)


def _known_at(rows: pa.Table, plan: SourcePlan) -> tuple[pa.ChunkedArray, bool]:
    """When rows that do not say so were known, and whether that depends on the receipt: a history is known as it happens, but what
    is still to happen, or has no time, is known since its receipt."""
    receipt, happened = pa.scalar(plan.receipt, INSTANT), rows.column("happened_at")
    if plan.mapping.known == "happened":
        latest = call("max", happened)
        if not happened.null_count and (not latest.is_valid or latest.as_py() <= plan.receipt):
            return happened, False
        still_to_come = call("greater", happened, receipt)
        return call("coalesce", call("if_else", still_to_come, receipt, happened), receipt), True
    return pa.chunked_array([pa.repeat(receipt, rows.num_rows)]), True


def _refuse_changed(plan: SourcePlan) -> None:
    try:
        now = file_stamp(plan.path)
    except OSError as error:
        hint = "Nothing was loaded; put it back and load again."
        raise BadInput(Fault("source_gone", f"the file went away while it was read ({error.strerror})", plan.path, hint)) from error
    if now != plan.stamp:
        hint = "Nothing was loaded; load it again when nobody writes to it."
        raise BadInput(Fault("source_changed", "the file was changed while it was read", plan.path, hint))


def file_stamp(path: str) -> tuple[int, int, int]:
    """Size, time of the last change and number of a file: what changes when it is written to. Raises OSError where it is not there."""
    stat = os.stat(path)
    return stat.st_size, stat.st_mtime_ns, stat.st_ino


def _record(plan: SourcePlan, tally: _Tally, rows: ParquetFile | None, refused: ParquetFile | None) -> Staged:
    source = plan.source
    if tally.rows + tally.rejected.total() != source.rows_read:
        raise RuntimeError(f"{source.name}: {source.rows_read} rows were read, {tally.rows} accepted and {tally.rejected.total()} rejected")
    return Staged(
        key=stage_key(plan, tally.needs_receipt),
        rows_read=source.rows_read,
        rows=tally.rows,
        sha256=rows.sha256 if rows is not None else "",
        size_bytes=rows.size_bytes if rows is not None else 0,
        columns=tally.data,
        rejected=tuple((code, reason, count) for (code, reason), count in sorted(tally.rejected.items())),
        notes=tuple(source.notes),
        unlisted=tuple(source.unlisted),
        has_rejected=refused is not None,
        has_mends=tally.mends,
    )
