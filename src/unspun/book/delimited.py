"""Separated text (CSV, TSV): encoding and separator detected, every cell kept as text, every row of the file accounted for."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from unspun.book.tables import Ints, Rejection
from unspun.book.text import Mask, call
from unspun.errors import BadInput, Fault

SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
SAMPLE_BYTES = 1 << 18
SAMPLE_ROWS = 100
MOST_MALFORMED = 0.2
BLOCK_BYTES = 1 << 24
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
LINE_END = re.compile(rb"\r\n|\r|\n")
BLANK_START = re.compile(rb"(?:[ ]*(?:\r\n|\r|\n))+|\s+\Z")
DECLARED_SEPARATOR = re.compile(rb"sep=(.)(?:\r\n|\r|\n)", re.IGNORECASE)


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

    Raises BadInput: empty, not text, a quote that is never closed, or more than a fifth of the rows malformed.
    """
    body, encoding = _decode(buffer.to_pybytes(), name)
    body, skipped, separator = _before_header(body)
    if not body:
        raise BadInput(Fault("empty_file", "the file is empty.", name, "Check the export."))
    sample = body[:SAMPLE_BYTES].decode("utf-8", "ignore")
    separator = separator or _separator(sample)
    names = tuple(cell.strip() for cell in _records(sample, separator, 1)[0])
    columns, malformed = _parse(body, separator, len(names), name)
    numbers = np.arange(1, len(columns[0]) + len(malformed) + 1, dtype=np.int64)
    _refuse_open_quote(columns, malformed, len(numbers), f"{name}:{len(numbers) + skipped}")
    _refuse_mostly_malformed(malformed, len(numbers) - 1, len(names), name, skipped)
    columns = tuple(column.slice(1) for column in columns)  # the header
    well_formed = np.ones(len(numbers), bool)
    well_formed[[(bad.number or 1) - 1 for bad in malformed]] = False
    row = numbers[well_formed][1:] + skipped
    blank = _blank_lines(columns)
    rejections = _rejections(malformed, row[blank], skipped, len(names))
    if blank.any():
        columns = tuple(column.filter(pa.array(~blank)) for column in columns)
    notes = (f"encoding {encoding}", f"separator {SEPARATORS.get(separator, separator)}")
    form = "TSV" if separator == "\t" else "CSV"
    return Delimited(form, names, columns, row[~blank], len(numbers) - 1, notes, rejections)


def _decode(content: bytes, name: str) -> tuple[bytes, str]:
    """The text as UTF-8, and the name of the encoding it was in."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return content.decode("utf-16").encode(), "UTF-16"
        except UnicodeError as error:
            raise BadInput(Fault("not_text", f"the file is marked as UTF-16 but is not: {error}.", name)) from error
    marked = content.startswith(b"\xef\xbb\xbf")
    content = content[3:] if marked else content
    if b"\x00" in content or CONTROL.search(content[:SAMPLE_BYTES]):
        raise BadInput(Fault("not_text", "the file holds bytes that no text has.", name, "Give CSV, TSV or Parquet, or gzip of them."))
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return _decode_western(content)
    return content, "UTF-8 with byte order mark" if marked else "UTF-8"


def _decode_western(content: bytes) -> tuple[bytes, str]:
    try:
        return content.decode("cp1252").encode(), "Windows-1252 (the bytes are not valid UTF-8)"
    except UnicodeDecodeError:
        return content.decode("latin-1").encode(), "Latin-1 (the bytes are not valid UTF-8)"


def _before_header(body: bytes) -> tuple[bytes, int, str | None]:
    """The text from its header on, the lines before it (blank ones, and the `sep=;` of a spreadsheet), and the separator so declared."""
    start = BLANK_START.match(body)
    skipped = len(LINE_END.findall(start.group())) if start else 0
    body = body[start.end() :] if start else body
    declared = DECLARED_SEPARATOR.match(body)
    if declared is None:
        return body, skipped, None
    return body[declared.end() :], skipped + 1, declared.group(1).decode()


def _records(sample: str, separator: str, most: int) -> list[list[str]]:
    try:
        found = [record for record, _ in zip(csv.reader(io.StringIO(sample, newline=""), delimiter=separator), range(most), strict=False)]
    except csv.Error:  # a cell longer than any header
        found = []
    return found or [[sample]]


def _separator(sample: str) -> str:
    """The separator under which most rows have as many cells as the header, and the most cells."""

    def agreement(separator: str) -> tuple[float, int]:
        records = [record for record in _records(sample, separator, SAMPLE_ROWS) if record]
        cells = len(records[0])
        return (sum(len(record) == cells for record in records) / len(records) if cells > 1 else 0.0, cells)

    return max(SEPARATORS, key=agreement)


def _parse(body: bytes, separator: str, width: int, name: str) -> tuple[tuple[pa.ChunkedArray, ...], list[pa_csv.InvalidRow]]:
    """All columns as text with the header as the first row, and the rows of another width."""
    malformed: list[pa_csv.InvalidRow] = []

    def set_aside(row: pa_csv.InvalidRow) -> str:
        malformed.append(row)
        return "skip"

    cells = {f"f{i}": pa.string() for i in range(width)}
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(body if body.endswith((b"\n", b"\r")) else body + b"\n"),
            # One thread gives row numbers; a block must hold the longest row
            read_options=pa_csv.ReadOptions(use_threads=False, autogenerate_column_names=True, block_size=BLOCK_BYTES),
            parse_options=pa_csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=set_aside
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=cells, strings_can_be_null=True, null_values=[""], quoted_strings_can_be_null=True
            ),
        )
    except pa.ArrowException as error:
        hint = "Look for a quote that is opened and never closed."
        raise BadInput(Fault("malformed_file", f"the rows cannot be told apart: {error}.", name, hint)) from error
    return tuple(table.columns), malformed


def _refuse_open_quote(columns: tuple[pa.ChunkedArray, ...], malformed: list[pa_csv.InvalidRow], last: int, where: str) -> None:
    """A quote that is never closed swallows the rest of the file: its last row runs on over the final line end."""
    if malformed and malformed[-1].number == last:
        text = malformed[-1].text
        open_quote = text.count('"') % 2 == 1 and "\n" in text
    else:
        final = columns[-1][-1].as_py() or ""
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
