"""Files as stretches of rows: large Parquet files with typed columns batch by batch, every other file at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from unspun.book.archives import GZIP, ZIP
from unspun.book.dates import is_date_type
from unspun.book.drift.sample import PART_ROWS as SAMPLED_ROWS
from unspun.book.drift.sample import sample_rows
from unspun.book.entities import Kind, TableName
from unspun.book.files import damaged_parquet, is_plain, moved, open_table, plain
from unspun.book.json_records import looks_like_json
from unspun.book.mapping.contents_sample import Sample
from unspun.book.mapping.definition import SourceMapping
from unspun.book.numbers import is_number_type
from unspun.book.periods import names_period
from unspun.book.raw import RawTable, rows_as_text
from unspun.book.tables import Ints, ReadingOptions, Rejection, Role
from unspun.book.text import squash
from unspun.book.typed_columns import ColumnPlan
from unspun.book.typed_rows import Stretch, TablePlan
from unspun.errors import BadInput, Fault

PART_ROWS = 1 << 19
MOST_AT_ONCE = 1 << 28  # bytes of text
BLOCK_BYTES = 1 << 26  # of a longer text
SAMPLE_BYTES = 1 << 16
SAMPLED_BYTES = 1 << 21
# The audit's reading of each table, and its names for the columns that tell where the header is
ROLES_OF: dict[TableName, tuple[Role, dict[str, str]]] = {
    "accounts": ("accounts", {"account_id": "account"}),
    "contacts": ("accounts", {"account_id": "account"}),
    "subscriptions": (
        "subscriptions",
        {"account_id": "account", "started": "start", "ended": "end", "notice": "notice", "cancelled_on": "cancelled_on"},
    ),
    "renewals": (
        "renewals",
        {"account_id": "account", "due": "due", "outcome": "outcome", "term_start": "term_start", "notice": "notice"},
    ),
    "churns": ("events", {"account_id": "account", "churned": "date"}),
    "purchases": ("purchases", {"account_id": "account", "purchased": "date"}),
    "events": ("events", {"subscription_id": "account", "account_id": "account", "occurred": "date"}),  # the later goes first
    "tickets": ("events", {"account_id": "account", "opened": "date"}),
    "responses": ("events", {"account_id": "account", "answered": "date"}),
    "touchpoints": ("events", {"account_id": "account", "occurred": "date"}),
    "forecasts": ("forecasts", {"account_id": "account", "made": "made_at", "due": "due"}),
    "scores": ("scores", {"account_id": "account", "dated": "date"}),
    "rates": ("events", {"currency": "account", "day": "date"}),
}


class TypedFile(Protocol):
    """One file, opened. `notes` may grow while its stretches are read."""

    @property
    def label(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def format(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]: ...
    @property
    def header(self) -> str: ...
    @property
    def notes(self) -> tuple[str, ...]: ...
    @property
    def at_once(self) -> bool: ...
    def faults(self, mapping: SourceMapping) -> list[Fault]: ...
    def sample(self) -> Sample: ...
    def stretches(self, plan: TablePlan) -> Iterator[Stretch]: ...


def open_file(path: str, mapping: SourceMapping) -> TypedFile:
    """Open a file for a mapping. Raises BadInput: not there, not readable, empty, or in a format that is not a table."""
    streamed = _large_parquet(path, mapping) or large_text(path, mapping)
    return WholeFile(read_raw(path, mapping)) if streamed is None else streamed


def read_raw(source: object, mapping: SourceMapping, name: str | None = None) -> RawTable:
    """A path, or bytes under a name, as a raw table, its header found by the columns that the mapping names."""
    role, roles = ROLES_OF[mapping.table]
    named = {f"{role}.{part}": mapping.columns[name] for name, part in roles.items() if name in mapping.columns}
    if mapping.table == "scores" and squash(named.get("scores.date", "")) == "date":
        del named["scores.date"]  # so that a table with a column a month, whose rows get a column 'date', is told
    options = ReadingOptions(columns=named, date_format=mapping.date_format)
    try:
        return open_table(source, role, name, options)
    except BadInput as error:
        if (unnamed := _without_names(source, role, mapping, name)) is not None:
            return unnamed
        raise BadInput([_for_a_load(fault) for fault in error.faults]) from error


def _without_names(source: object, role: Role, mapping: SourceMapping, name: str | None) -> RawTable | None:
    """The file under the usual names, where the mapped ones are not in it: what is then wrong is the mapping."""
    try:
        raw = open_table(source, role, name, ReadingOptions(date_format=mapping.date_format))
    except BadInput:
        return None
    held = {squash(name) for name in raw.names}
    return None if {squash(title) for title in mapping.columns.values()} <= held else raw


def _for_a_load(fault: Fault) -> Fault:
    """The fault without the audit's options in its hint."""
    if "--map" not in fault.hint:
        return fault
    if "sheet" in fault.hint:
        return replace(fault, hint="Save the sheet that is meant as a file of its own, or correct the columns in book.yml.")
    return replace(
        fault, hint=f"{fault.hint.partition('To name')[0].partition('Name it')[0].strip()} Correct the columns in book.yml.".strip()
    )


class WholeFile:
    """A file that is read at once."""

    def __init__(self, raw: RawTable) -> None:
        self._raw: RawTable | None = raw
        self.label, self.sha256, self.format, self.names = raw.name, raw.sha256, raw.format, raw.names
        self.header = f"{raw.name}:{raw.header_row}"
        self.at_once = True
        self._melted = raw.header is not None
        self._starts = _sheet_starts(raw)
        self.notes = raw.notes if self._starts is None else (*raw.notes, _numbering(raw, self._starts))

    def faults(self, mapping: SourceMapping) -> list[Fault]:
        """A cell of a row is not told from the others by the row's number."""
        if not self._melted or mapping.row_key:
            return []
        message = "the table has a column a month, so that a row number does not tell its rows apart."
        return [Fault("no_key", message, self.header, "Map account_id, score and dated, or declare a key.")]

    def sample(self) -> Sample:
        """Some of its rows; before its stretches."""
        if self._raw is None:
            raise ValueError("a file is sampled before it is read")
        return sample_rows(self._raw)

    def stretches(self, plan: TablePlan) -> Iterator[Stretch]:
        """The whole file as one; it is let go with it."""
        raw, self._raw = self._raw, None
        if raw is None:
            raise ValueError("the parts of a file can be had once")
        row, rejections = raw.row, raw.rejections
        if self._starts is not None and raw.file is not None:
            starts = self._starts
            row = raw.row + starts[raw.file]
            rejections = tuple(each if each.file is None else replace(each, rows=each.rows + starts[each.file]) for each in rejections)
        yield stretch_of(raw, plan, row, rejections, raw.place)


def stretch_of(raw: RawTable, plan: TablePlan, row: Ints, rejections: tuple[Rejection, ...], place: Callable[[int, str], str]) -> Stretch:
    """A table as it was read as a stretch, under the row numbers given."""
    columns = {position: raw.columns[position] for position in wanted_columns(plan)}
    return Stretch(row, columns, place, lambda rows: rows_as_text(raw.names, raw.columns, rows), rejections)


def _sheet_starts(raw: RawTable) -> Ints | None:
    """What is added to the row numbers of each sheet where there are several, so that no two rows have one number."""
    if raw.file is None:
        return None
    last = np.zeros(len(raw.files), np.int64)
    np.maximum.at(last, raw.file, raw.row)
    for rejection in raw.rejections:
        if rejection.file is not None:
            np.maximum.at(last, rejection.file, rejection.rows)
    return np.cumsum(last) - last


def _numbering(raw: RawTable, starts: Ints) -> str:
    said = ", ".join(f"{file.name} from {start + 1:,}" for file, start in zip(raw.files, starts.tolist(), strict=True))
    return f"rows are numbered through all sheets: {said}"


def wanted_columns(plan: TablePlan) -> list[int]:
    """Positions of the file's columns that the plan reads."""
    return sorted({*(column.position for column in plan.columns if column.position is not None), *plan.mending.values()})


def _large_parquet(path: str, mapping: SourceMapping) -> ParquetBatches | None:
    """A Parquet file of more rows than a part holds, every mapped column of which is typed; None where a file is no such."""
    try:
        with Path(path).open("rb") as stream:
            if stream.read(4) != b"PAR1":
                return None
    except OSError:
        return None  # open_table says why
    try:
        file = pq.ParquetFile(path, memory_map=True)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(damaged_parquet(path)) from error
    streams = file.metadata.num_rows > PART_ROWS and _is_typed(file.schema_arrow, mapping)
    return ParquetBatches(path, file) if streams else None


def _is_typed(schema: pa.Schema, mapping: SourceMapping) -> bool:
    """Whether each batch can be read by itself: no column's text has to be looked through to tell how it is written."""
    if mapping.table == "forecasts" or any("." in name for name in schema.names) or len(set(schema.names)) < len(schema.names):
        return False
    kinds = {squash(name): schema.field(name).type for name in schema.names}
    for name, title in mapping.columns.items():
        kind = kinds.get(squash(title))
        if kind is not None and not _fits(mapping.kind_of(name), kind):
            return False
        if mapping.kind_of(name) in ("day", "instant") and names_period(title):
            return False
    return True


def _fits(kind: Kind, held: pa.DataType) -> bool:
    if kind == "text":
        return is_plain(held)
    if kind in ("day", "instant"):
        return is_date_type(held) or (kind == "instant" and pa.types.is_integer(held))
    return is_number_type(held)


class ParquetBatches:
    """A Parquet file of which a part is read at a time."""

    def __init__(self, path: str, file: pq.ParquetFile) -> None:
        self._file = file
        self._starts = np.cumsum([0, *(file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups))])
        self.label, self.format = path, "Parquet"
        self.sha256 = sha256_of(path)
        self.names: tuple[str, ...] = tuple(file.schema_arrow.names)
        self.header = f"{path}:1"
        self.at_once = False
        nested = [field for field in file.schema_arrow if not is_plain(field.type)]
        self.notes = tuple(f"column '{field.name}' holds {field.type} values and is not read" for field in nested)

    def faults(self, mapping: SourceMapping) -> list[Fault]:
        """None: what the columns hold, their types say."""
        return []

    def sample(self) -> Sample:
        """The first rows of the first, the middle and the last row group: no more of each than is looked at is decoded."""
        filled = [group for group in range(len(self._starts) - 1) if self._starts[group + 1] > self._starts[group]]
        places = dict.fromkeys((filled[0], filled[len(filled) // 2], filled[-1]))
        try:
            batches = [next(self._file.iter_batches(SAMPLED_ROWS, row_groups=[group])) for group in places]
            return Sample(open_table(pa.Table.from_batches(batches), "events", self.label), False)
        except (pa.ArrowException, OSError) as error:
            raise BadInput(damaged_parquet(self.label)) from error

    def stretches(self, plan: TablePlan) -> Iterator[Stretch]:
        """A part of the file after another, only the columns that are wanted."""
        wanted = wanted_columns(plan)
        titles = [self.names[position] for position in wanted]
        first = 0
        try:
            for batch in _reopened(self.label, plan, self._file).iter_batches(PART_ROWS, columns=titles):
                columns = {p: plain(pa.chunked_array([batch.column(t)])) for p, t in zip(wanted, titles, strict=True)}
                yield self._stretch(first, len(batch), columns)
                first += len(batch)
        except (pa.ArrowException, OSError) as error:
            raise BadInput(damaged_parquet(self.label)) from error

    def _stretch(self, first: int, n: int, columns: dict[int, pa.ChunkedArray]) -> Stretch:
        row = np.arange(first + 2, first + n + 2, dtype=np.int64)
        return Stretch(row, columns, lambda i, title: f"{self.label}:{row[i]}:{title}", lambda rows: self._as_text(rows + first))

    def _as_text(self, rows: Ints) -> Sequence[dict[str, str | None]]:
        """Whole rows, read again with all their columns: hardly ever asked for."""
        groups = np.searchsorted(self._starts, rows, side="right") - 1
        found: list[dict[str, str | None]] = []
        for group in np.unique(groups):
            table = self._file.read_row_group(int(group))
            mine = rows[groups == group] - self._starts[group]
            found += rows_as_text(table.column_names, [plain(column) for column in table.columns], mine)
        return found


def _reopened(path: str, plan: TablePlan, file: pq.ParquetFile) -> pq.ParquetFile:
    """The file with the columns that become text read in dictionary form."""
    texts = [column.title for column in plan.columns if column.kind == "text" and _is_string(file, column)]
    return pq.ParquetFile(path, memory_map=True, read_dictionary=texts)


def _is_string(file: pq.ParquetFile, column: ColumnPlan) -> bool:
    return pa.types.is_string(file.schema_arrow.field(column.title).type)


def sha256_of(path: str) -> str:
    """Of a file's bytes."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def large_text(path: str, mapping: SourceMapping) -> TextBlocks | None:
    """Separated text of more than MOST_AT_ONCE bytes whose blocks can be read one by one; None where a file is no such."""
    if mapping.table in ("scores", "forecasts") or not Path(path).is_file() or Path(path).stat().st_size <= MOST_AT_ONCE:
        return None
    content = FileBytes(path)
    head = content.read(0, SAMPLE_BYTES)
    strange = head[:4] == ZIP or head[:2] == GZIP or b"\0" in head or head[:4].lower() == b"sep=" or head[:1].isspace()
    if (
        strange
        or looks_like_json(pa.py_buffer(head))
        or b"\n" not in head
        or any(names_period(title) for title in mapping.columns.values())
    ):
        return None
    return TextBlocks(path, content, mapping)


class FileBytes:
    """A file of which some bytes at a time are in memory."""

    def __init__(self, path: str) -> None:
        self._path, self.size = Path(path), Path(path).stat().st_size

    def read(self, start: int, end: int) -> bytes:
        """The bytes from `start` up to `end`, or to the end of the file."""
        with self._path.open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)


class TextBlocks:
    """Separated text that is read a block of lines at a time, each block under the file's header."""

    def __init__(self, path: str, content: FileBytes, mapping: SourceMapping) -> None:
        self._content, self._mapping = content, mapping
        self.label, self.sha256, self.at_once = path, sha256_of(path), False
        self._first_end = line_end(content, 0, BLOCK_BYTES)
        raw = read_raw(content.read(0, self._first_end), mapping, path)
        self._prefix = _lines(content.read(0, SAMPLE_BYTES), raw.header_row)
        self.format, self.names, self.header = raw.format, raw.names, f"{path}:{raw.header_row}"
        self._notes = dict.fromkeys(raw.notes)

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def faults(self, mapping: SourceMapping) -> list[Fault]:
        """None that a file read at once would not have."""
        return []

    def sample(self) -> Sample:
        """Rows of a first block of lines."""
        return sample_rows(read_raw(self._content.read(0, line_end(self._content, 0, SAMPLED_BYTES)), self._mapping, self.label), False)

    def stretches(self, plan: TablePlan) -> Iterator[Stretch]:
        """Block after block; rows are numbered through the file."""
        start, end, above = 0, self._first_end, 0
        while start < self._content.size:
            raw = self._block(start, end, above)
            self._notes |= dict.fromkeys(note for note in raw.notes if not note.startswith("lines above"))
            rejections = tuple(replace(rejection, rows=rejection.rows + above) for rejection in raw.rejections)
            row = raw.row + above
            yield stretch_of(raw, plan, row, rejections, lambda i, title, row=row: f"{self.label}:{row[i]}:{title}")
            above += raw.rows_read
            start, end = end, line_end(self._content, end, BLOCK_BYTES)

    def _block(self, start: int, end: int, above: int) -> RawTable:
        text = self._content.read(start, end)
        try:
            raw = read_raw(text if start == 0 else self._prefix + text, self._mapping, self.label)
        except BadInput as error:
            raise BadInput([moved(fault, above) for fault in error.faults]) from error
        if raw.names != self.names:
            message = "the rows from here on cannot be read under the header of the file."
            raise BadInput(Fault("malformed_file", message, f"{self.label}:{above + 2}", "Look for a quote that is never closed."))
        return raw


def line_end(content: FileBytes, start: int, length: int) -> int:
    """Where the last line begins that lies behind no open quote, within so many bytes; where there is none, within more."""
    while start + length < content.size:
        text = content.read(start, start + length)
        if b'"' not in text and b"\n" in text:
            return start + text.rindex(b"\n") + 1
        window = np.frombuffer(text, np.uint8)
        quotes, lines = np.flatnonzero(window == ord('"')), np.flatnonzero(window == ord("\n"))
        closed = lines[np.searchsorted(quotes, lines) % 2 == 0]
        if len(closed):
            return start + int(closed[-1]) + 1
        length *= 2
    return content.size


def _lines(head: bytes, n: int) -> bytes:
    """The first lines of a text."""
    return b"".join(head.splitlines(keepends=True)[:n])
