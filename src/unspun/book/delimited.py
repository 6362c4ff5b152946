"""Separated text (CSV, TSV): encoding and separator detected, every cell kept as text, every row of the file accounted for."""

from __future__ import annotations

import csv
import io
import re
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from unspun.book.tables import Ints, Rejection
from unspun.book.text import Mask, call
from unspun.book.utf8 import BLOCK_BYTES, LINE_END, SAMPLE_BYTES, Stream, Text, open_text
from unspun.errors import BadInput, Fault

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
SAMPLE_ROWS = 100
MOST_MALFORMED = 0.2
LONGEST_ROW_BYTES = 1 << 24
ENCODED_BLOCKS = 32  # looked at together
MOST_DISTINCT = 0.5  # of their cells, for a column to be kept by distinct words
BLANK_START = re.compile(rb"(?:[ ]*(?:\r\n|\r|\n))+|\s+\Z")
DECLARED_SEPARATOR = re.compile(rb"sep=(.)(?:\r\n|\r|\n)", re.IGNORECASE)
BLANKS_BETWEEN = re.compile(r"\S {2,}\S")
Columns = tuple[pa.ChunkedArray, ...]


@dataclass(frozen=True, slots=True)
class Delimited:
    format: str
    names: tuple[str, ...]
    columns: tuple[pa.ChunkedArray, ...]
    row: Ints
    rows_read: int
    notes: tuple[str, ...]
    rejections: tuple[Rejection, ...]


def parse_delimited(buffer: pa.Buffer, name: str) -> Delimited:
    """Parse separated text. Malformed rows (a wrong number of cells) and blank lines are set aside with their row numbers.

    A column of few distinct words comes in dictionary form, any other as plain text. The buffer is read in blocks and never copied
    whole. Raises BadInput: empty, not text, a quote that is never closed, or more than a fifth of the rows malformed.
    """
    text = open_text(buffer, name)
    head = next(text.blocks(), b"")
    start, skipped, separator = _before_header(head)
    if start == len(head) and len(head) < BLOCK_BYTES:
        raise BadInput(Fault("empty_file", "the file is empty.", name, "Check the export."))
    sample = head[start : start + SAMPLE_BYTES].decode("utf-8", "ignore")
    separator = separator or _separator(sample)
    names = tuple(cell.strip() for cell in _records(sample, separator, 1)[0])
    if len(names) == 1 and BLANKS_BETWEEN.search(names[0]):
        message = "the header is one cell: its names are separated by blanks, not by a comma, a semicolon, a tab or a vertical bar."
        raise BadInput(Fault("no_separator", message, f"{name}:{1 + skipped}", "Export the table as CSV."))
    columns, malformed = _parse(text, start, separator, len(names), name)
    last = len(columns[0]) + len(malformed) + 1
    _refuse_open_quote(columns, malformed, last, f"{name}:{last + skipped}")
    _refuse_mostly_malformed(malformed, last - 1, len(names), name, skipped)
    row = np.arange(2 + skipped, last + skipped + 1, dtype=np.int64)
    if malformed:
        row = np.delete(row, [(bad.number or 0) - 2 for bad in malformed])
    blank = _blank_lines(columns)
    rejections = _rejections(malformed, row[blank], skipped, len(names))
    if blank.any():
        columns = tuple(column.filter(pa.array(~blank)) for column in columns)
        row = row[~blank]
    notes = (f"encoding {text.encoding}", f"separator {SEPARATORS.get(separator, separator)}")
    form = "TSV" if separator == "\t" else "CSV"
    return Delimited(form, names, columns, row, last - 1, notes, rejections)


def _before_header(head: bytes) -> tuple[int, int, str | None]:
    """How many bytes and lines stand before the header (blank ones, and the `sep=;` of a spreadsheet), and the separator so declared."""
    blank = BLANK_START.match(head)
    start = blank.end() if blank else 0
    skipped = len(LINE_END.findall(head, 0, start))
    declared = DECLARED_SEPARATOR.match(head, start)
    if declared is None:
        return start, skipped, None
    return declared.end(), skipped + 1, declared.group(1).decode()


def _records(sample: str, separator: str, most: int) -> list[list[str]]:
    """The first rows of a sample, up to one with a cell that is longer than csv takes."""
    found: list[list[str]] = []
    with suppress(csv.Error):
        found += islice(csv.reader(io.StringIO(sample, newline=""), delimiter=separator), most)
    return found or [[sample]]


def _separator(sample: str) -> str:
    """The separator under which most rows have as many cells as the header, and the most cells."""

    def agreement(separator: str) -> tuple[float, int]:
        records = [record for record in _records(sample, separator, SAMPLE_ROWS) if record]
        cells = len(records[0])
        return (sum(len(record) == cells for record in records) / len(records) if cells > 1 else 0.0, cells)

    return max(SEPARATORS, key=agreement)


class _Cells:
    """The cells of one column as they come in: by their distinct words while these are few, else as they are."""

    def __init__(self) -> None:
        self._waiting: list[pa.Array] = []
        self._chunks: list[pa.Array] = []
        self._plain = False

    def add(self, cells: pa.Array) -> None:
        self._waiting.append(cells)
        if len(self._waiting) == ENCODED_BLOCKS:
            self._encode()

    def _encode(self) -> None:
        if not self._plain:
            encoded = pa.chunked_array(self._waiting, pa.string()).dictionary_encode().combine_chunks()
            self._plain = len(encoded.dictionary) > MOST_DISTINCT * len(encoded)
            if not self._plain:
                self._chunks.append(encoded)
            else:
                self._chunks = [chunk.cast(pa.string()) for chunk in self._chunks]
        if self._plain:
            self._chunks.append(pa.concat_arrays(self._waiting))
        self._waiting = []

    def whole(self) -> pa.ChunkedArray:
        if self._waiting:
            self._encode()
        chunks, self._chunks = pa.chunked_array(self._chunks, pa.string() if self._plain or not self._chunks else None), []
        return chunks if self._plain or not len(chunks) else pa.chunked_array([chunks.unify_dictionaries().combine_chunks()])


def _parse(text: Text, skipped: int, separator: str, width: int, name: str) -> tuple[Columns, list[pa_csv.InvalidRow]]:
    """All columns as text without the header, and the rows of another width. Blocks are small, but must hold the longest row."""
    try:
        try:
            return _parse_blocks(Stream(text, skipped), separator, width, BLOCK_BYTES)
        except pa.ArrowException:
            return _parse_blocks(Stream(text, skipped), separator, width, LONGEST_ROW_BYTES)
    except pa.ArrowException as error:
        message = f"the rows cannot be told apart: one would be longer than {LONGEST_ROW_BYTES >> 20} MB."
        hint = "Look for a quote that is opened and never closed."
        raise BadInput(Fault("malformed_file", message, name, hint)) from error


def _parse_blocks(stream: Stream, separator: str, width: int, block_bytes: int) -> tuple[Columns, list[pa_csv.InvalidRow]]:
    malformed: list[pa_csv.InvalidRow] = []

    def set_aside(row: pa_csv.InvalidRow) -> str:
        malformed.append(row)
        return "skip"

    batches = pa_csv.open_csv(
        pa.PythonFile(stream, mode="r"),
        # One thread gives row numbers
        read_options=pa_csv.ReadOptions(use_threads=False, autogenerate_column_names=True, block_size=block_bytes),
        parse_options=pa_csv.ParseOptions(
            delimiter=separator, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=set_aside
        ),
        convert_options=pa_csv.ConvertOptions(
            column_types={f"f{i}": pa.string() for i in range(width)},
            strings_can_be_null=True,
            null_values=[""],
            quoted_strings_can_be_null=True,
        ),
    )
    columns = [_Cells() for _ in batches.schema]
    for number, batch in enumerate(batches):
        for column, cells in zip(columns, batch.columns, strict=True):
            column.add(cells if number else cells.slice(1))  # the header
        if number % ENCODED_BLOCKS == 0:
            pa.default_memory_pool().release_unused()  # else the pool keeps what each block took
    return tuple(column.whole() for column in columns), malformed


def _refuse_open_quote(columns: tuple[pa.ChunkedArray, ...], malformed: list[pa_csv.InvalidRow], last: int, where: str) -> None:
    """A quote that is never closed swallows the rest of the file: its last row runs on over the final line end."""
    if malformed and malformed[-1].number == last:
        text = malformed[-1].text
        open_quote = text.count('"') % 2 == 1 and "\n" in text
    else:
        final = (columns[-1][-1].as_py() if len(columns[-1]) else None) or ""
        open_quote = final.endswith(("\n", "\r"))
    if open_quote:
        message = "a quote is opened in this row and never closed, so that it takes in the rest of the file."
        raise BadInput(Fault("open_quote", message, where, "Close the quote, or double it where it is meant as text."))


def _refuse_mostly_malformed(malformed: list[pa_csv.InvalidRow], rows: int, width: int, name: str, skipped: int) -> None:
    if len(malformed) <= MOST_MALFORMED * rows:
        return
    first = malformed[0]
    message = f"{len(malformed):,} of {rows:,} rows have another number of cells than the header; here {first.actual_columns}, not {width}."
    hint = "Check the separator, the quotes, and that the first row is the header."
    raise BadInput(Fault("malformed_rows", message, f"{name}:{(first.number or 0) + skipped}", hint))


def _blank_lines(columns: tuple[pa.ChunkedArray, ...]) -> Mask:
    """Rows in which every cell is empty."""
    blank = np.ones(len(columns[0]), bool)
    for column in columns:
        if column.null_count == 0 or not blank.any():
            return np.zeros(len(blank), bool)
        blank &= call("is_null", column).to_numpy()
    return blank


def _rejections(malformed: list[pa_csv.InvalidRow], blank: Ints, skipped: int, width: int) -> tuple[Rejection, ...]:
    found: list[Rejection] = []
    if malformed:
        rows = np.array([bad.number for bad in malformed], np.int64) + skipped
        reason = f"malformed row: not the {width} cells of the header"
        found.append(Rejection("malformed_row", reason, rows, "", tuple(bad.text for bad in malformed)))
    if len(blank):
        found.append(Rejection("blank_line", "blank line", blank))
    return tuple(found)
