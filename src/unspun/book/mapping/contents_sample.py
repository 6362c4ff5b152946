"""A bounded sample of a file, opened as reading would open it: head, middle and tail of a big one, all of any other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from unspun.book.files import damaged_parquet, open_table
from unspun.book.raw import RawTable
from unspun.book.tables import Role
from unspun.book.wide import FEWEST, periods_in
from unspun.errors import BadInput

WHOLE_BYTES = 16 << 20  # of separated text: up to here it is read whole
WHOLE_ROWS = 200_000  # of Parquet
PART_ROWS = 20_000
PART_BYTES = 1 << 21
NEVER_CUT = (b"\x1f\x8b", b"PK\x03\x04", b"\xff\xfe", b"\xfe\xff", b"\xd0\xcf\x11\xe0", b"[")
"""How archives, UTF-16, workbooks and JSON documents begin: these are read whole, whatever their size."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Rows of a file as they stand in it. `whole`: they are all of its rows."""

    raw: RawTable
    whole: bool


def open_sample(path: str, role: Role = "accounts") -> Sample:
    """Open a file, or head, middle and tail of a big one. `role` decides how a header below title lines is told.

    Raises BadInput as open_table does.
    """
    name = Path(path).name
    if not Path(path).is_file():
        return Sample(open_table(path, role, name), True)
    with open(path, "rb") as file:
        head = file.read(4)
    if head == b"PAR1":
        return _parquet(path, role, name)
    if Path(path).stat().st_size > WHOLE_BYTES and not head.startswith(NEVER_CUT):
        return _cut_text(path, role, name)
    return _by_months(path, Sample(open_table(path, role, name), True), name)


def _by_months(path: str, sample: Sample, name: str) -> Sample:
    """A table with a column a month is read as scores are: one row a month."""
    if len(periods_in(sample.raw.names)) < FEWEST:
        return sample
    try:
        melted = open_table(path, "scores", name)
    except BadInput:
        return sample
    return Sample(melted, sample.whole) if melted.melted else sample


def _parquet(path: str, role: Role, name: str) -> Sample:
    try:
        file = pq.ParquetFile(path)
        total = file.metadata.num_rows
        if total <= WHOLE_ROWS:
            return _by_months(path, Sample(open_table(path, role, name), True), name)
        parts = [_batch(file, group, at) for group, at in _places(file)]
        return Sample(open_table(pa.concat_tables(parts), role, name), False)
    except (pa.ArrowException, OSError) as error:
        raise BadInput(damaged_parquet(name)) from error


def _places(file: pq.ParquetFile) -> list[tuple[int, int]]:
    """The row group and the batch in it of head, middle and tail, each once."""
    groups = file.metadata.num_row_groups
    batches = [-(-file.metadata.row_group(group).num_rows // PART_ROWS) for group in range(groups)]
    filled = [group for group in range(groups) if batches[group]]
    middle = filled[len(filled) // 2]
    return list(dict.fromkeys([(filled[0], 0), (middle, batches[middle] // 2), (filled[-1], batches[filled[-1]] - 1)]))


def _batch(file: pq.ParquetFile, group: int, at: int) -> pa.Table:
    return pa.Table.from_batches([next(islice(file.iter_batches(PART_ROWS, row_groups=[group]), at, None))])


def _cut_text(path: str, role: Role, name: str) -> Sample:
    """Whole lines from the head, the middle and the tail; the head alone where a cut falls within quotes."""
    size = Path(path).stat().st_size
    with open(path, "rb") as file:
        parts = []
        for start in (0, size // 2, size - PART_BYTES):
            file.seek(start)
            part = file.read(PART_BYTES)
            parts.append(_whole_lines(part, start))
    try:
        return Sample(open_table(b"".join(parts), role, name), False)
    except BadInput:
        return Sample(open_table(parts[0], role, name), False)


def _whole_lines(part: bytes, start: int) -> bytes:
    first = 0 if start == 0 else part.find(b"\n") + 1
    return part[first : part.rfind(b"\n") + 1]
