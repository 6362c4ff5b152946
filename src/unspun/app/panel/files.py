"""A panel as a file: Parquet, CSV or CSV in gzip, written in batches, hashed as it is written, the same bytes for the same rows."""

from __future__ import annotations

import gzip
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv as arrow_csv
from pyarrow.compute import call_function

from unspun.app.showing import csv_rows
from unspun.book.entities import Kind
from unspun.errors import BadInput, Fault
from unspun.metrics.asof import BeforeRenewals
from unspun.metrics.kinds import SeriesKind, kind_of
from unspun.metrics.question import PanelQuestion

if TYPE_CHECKING:
    from typing_extensions import Buffer

Format = Literal["parquet", "csv", "csv.gz"]
FORMATS: tuple[Format, ...] = ("csv.gz", "csv", "parquet")
GROUP_ROWS = 1 << 16
"""Rows of a row group of Parquet: always so many, however the engine hands them out."""
MISSING = "__missing"
"""After a metric's id: the column that says why there is no value."""
TYPES: dict[SeriesKind, pa.DataType] = {
    "number": pa.float64(), "whole": pa.int64(), "text": pa.string(), "day": pa.date32(), "flag": pa.bool_(),
}  # fmt: skip
CSV_KINDS: dict[pa.DataType, Kind] = {
    pa.float64(): "number", pa.int64(): "whole", pa.int32(): "whole", pa.string(): "text", pa.date32(): "day", pa.bool_(): "flag",
}  # fmt: skip
"""How each type is written as CSV; decimals, of which there are many types, as money is."""


def format_of(path: Path) -> Format:
    """The format that a file's name asks for. Raises BadInput where it asks for none."""
    for one in FORMATS:
        if path.name.lower().endswith(f".{one}"):
            return one
    raise BadInput(Fault("unknown_format", f"{path.name} ends as no format of panels.", "--out", "Name it .parquet, .csv or .csv.gz."))


@dataclass(slots=True)
class Counted:
    """What was written so far: rows, and by metric how many values and how many of each reason for there being none."""

    metrics: tuple[str, ...]
    rows: int = 0
    missing: dict[str, dict[str, int]] = field(default_factory=dict[str, "dict[str, int]"])

    def take(self, rows: pa.Table) -> None:
        """Count the rows of a part of the panel."""
        self.rows += rows.num_rows
        found: dict[tuple[object, ...], dict[str, int]] = {}
        for id in self.metrics:
            why = rows[f"{id}{MISSING}"]
            lies = tuple(_where_it_lies(chunk) for chunk in why.chunks)
            if lies not in found:
                none = why.null_count == len(why)
                found[lies] = {} if none else {one["values"]: one["counts"] for one in why.drop_null().value_counts().to_pylist()}
            counts = self.missing.setdefault(id, {})
            for reason, count in found[lies].items():
                counts[reason] = counts.get(reason, 0) + count

    def values(self, id: str) -> int:
        """How many values a metric has."""
        return self.rows - sum(self.missing.get(id, {}).values())


class HashedRows:
    """The SHA-256 of the rows of a panel: of its columns' names, types and cells, however they come in parts.

    It is the same whatever wrote them down: a file names the software that made it, and another version of a writer packs it otherwise.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._columns = {column.name: (str(column.type), [hashlib.sha256() for _ in range(3)]) for column in schema}

    def take(self, rows: pa.Table) -> None:
        """Take in the next rows."""
        contents: dict[tuple[object, ...], tuple[Buffer, Buffer, Buffer]] = {}
        for name, (_, digests) in self._columns.items():
            for chunk in rows[name].chunks:
                lies = _where_it_lies(chunk)
                if lies not in contents:
                    contents[lies] = _contents(chunk)
                for digest, content in zip(digests, contents[lies], strict=True):
                    digest.update(content)

    @property
    def sha256(self) -> str:
        whole = hashlib.sha256()
        for name, (kind, digests) in self._columns.items():
            whole.update("\n".join([name, kind, *(digest.hexdigest() for digest in digests), ""]).encode())
        return whole.hexdigest()


def _where_it_lies(chunk: pa.Array) -> tuple[object, ...]:
    """What tells a column from others in memory: columns that are the same share it (many metrics lack a value for one reason)."""
    buffers = [None if one is None else one.address for one in chunk.buffers()]
    return (str(chunk.type), chunk.offset, len(chunk), *buffers)


def _contents(chunk: pa.Array) -> tuple[Buffer, Buffer, Buffer]:
    """Which cells of a column are filled, their bytes (an empty one is nought), and of texts how long each is. Decimals count as text."""
    chunk = chunk.cast(pa.string()) if pa.types.is_decimal(chunk.type) else chunk
    filled = call_function("is_valid", [chunk]).cast(pa.uint8()).to_numpy(zero_copy_only=False)
    if not pa.types.is_string(chunk.type):
        plain = chunk.view(pa.int32()) if pa.types.is_date32(chunk.type) else chunk
        plain = plain.cast(pa.uint8()) if pa.types.is_boolean(plain.type) else plain
        return filled, plain.fill_null(0).to_numpy(zero_copy_only=False), b""
    texts = chunk.fill_null("")
    _, places, letters = texts.buffers()
    ends = np.frombuffer(places, np.int32)[texts.offset : texts.offset + len(texts) + 1] if len(texts) else np.zeros(1, np.int32)
    return filled, memoryview(letters)[ends[0] : ends[-1]] if letters is not None else b"", np.diff(ends).data


class HashedFile(io.RawIOBase):
    """A file that is only written to: passes the bytes on, and knows their SHA-256 and number. Without a file it does only that."""

    def __init__(self, file: BinaryIO | None = None) -> None:
        super().__init__()
        self._file, self._digest, self.size_bytes = file, hashlib.sha256(), 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.size_bytes

    def write(self, content: Buffer, /) -> int:
        part = memoryview(content).cast("B")
        if self._file is not None:
            self._file.write(part)
        self._digest.update(part)
        self.size_bytes += len(part)
        return len(part)


def write_panel(parts: Iterable[pa.Table], schema: pa.Schema, format: Format, file: HashedFile) -> None:
    """Write a panel, of which `parts` follow each other in the order of its rows. Raises OSError of the file."""
    if format == "parquet":
        _write_parquet(parts, schema, file)
    elif format == "csv":
        _write_csv(parts, schema, file)
    else:
        with gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as packed:
            _write_csv(parts, schema, packed)


def _write_parquet(parts: Iterable[pa.Table], schema: pa.Schema, file: HashedFile) -> None:
    options = {"version": "2.6", "compression": "zstd", "compression_level": 3, "data_page_version": "1.0", "store_schema": True}
    with pq.ParquetWriter(pa.PythonFile(file, mode="w"), schema, **options) as writer:
        for group in in_groups(parts, schema):
            writer.write_table(group, row_group_size=GROUP_ROWS)


def in_groups(parts: Iterable[pa.Table], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows in tables of GROUP_ROWS, but for the last."""
    waiting: list[pa.Table] = []
    rows = 0
    for part in parts:
        waiting.append(part)
        rows += part.num_rows
        while rows >= GROUP_ROWS:
            held = pa.concat_tables(waiting)
            yield held.slice(0, GROUP_ROWS).combine_chunks()
            waiting, rows = [held.slice(GROUP_ROWS)], rows - GROUP_ROWS
    if rows:
        yield pa.concat_tables(waiting).combine_chunks()


def _write_csv(parts: Iterable[pa.Table], schema: pa.Schema, file: io.RawIOBase | gzip.GzipFile) -> None:
    kinds: tuple[tuple[str, Kind], ...] = tuple((column.name, CSV_KINDS.get(column.type, "money")) for column in schema)
    for number, part in enumerate(chain([schema.empty_table()], parts)):
        out = io.BytesIO()
        options = arrow_csv.WriteOptions(include_header=number == 0, quoting_style="needed", quoting_header="needed")
        arrow_csv.write_csv(csv_rows(part, kinds), out, options)
        file.write(out.getvalue())


def panel_schema(
    question: PanelQuestion, by_column: Mapping[str, Mapping[str, str]] | None = None, whole: Mapping[str, str] | None = None
) -> pa.Schema:
    """The columns of a panel. `by_column` is what is kept with the columns of each metric, by its id; `whole` with the panel."""
    fields = [pa.field("account_id", pa.string(), nullable=False), pa.field("as_of", pa.date32(), nullable=False)]
    if isinstance(question.as_of, BeforeRenewals):
        fields += [pa.field("due", pa.date32(), nullable=False), pa.field("horizon_days", pa.int32(), nullable=False)]
    for id in question.asked:
        kept = (by_column or {}).get(id, {})
        kind = kind_of(question.metrics.metric(id).series, question.metrics, question.tables)
        fields += [pa.field(id, TYPES[kind], metadata=dict(kept)), pa.field(f"{id}{MISSING}", pa.string(), metadata=dict(kept))]
    return pa.schema(fields, metadata=dict(whole or {}))


def shaped(batch: pa.RecordBatch, schema: pa.Schema) -> pa.Table:
    """What an engine gave, in the columns and types of the panel; columns that are the same stay so."""
    made: dict[tuple[object, ...], pa.Array] = {}
    columns: list[pa.Array] = []
    for column in schema:
        given = batch.column(column.name)
        key = (str(column.type), *_where_it_lies(given))
        if key not in made:
            made[key] = given.cast(column.type)
        columns.append(made[key])
    return pa.Table.from_arrays(columns, schema=schema)
