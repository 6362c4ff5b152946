"""JSON lines, and JSON documents that hold one list of records: each record a row, objects within it flattened one level."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from unspun.book.cells import column_of
from unspun.book.raw import RawTable, joined
from unspun.book.tables import Rejection, Role
from unspun.book.text import quoted
from unspun.errors import BadInput, Fault

BLOCK_BYTES = 1 << 22
CHUNK_ROWS = 50_000
PROBED_LINES = 10
MOST_UNREADABLE = 0.2  # of the lines
MOST_FIELDS = 5_000
NESTED = (dict, list)
JSON_KINDS = ((bool, "true or false"), ((int, float), "a number"), (str, "a text"), (list, "a list without objects"), (dict, "an object"))
BLANKS = b" \t\r\n"
OPENING = re.compile(rb"\{\s*[\"}]|\[\s*[{\]]")
HINT = "Give JSON lines, a list of objects, or one object that holds one such list."


@dataclass(slots=True)
class _Records:
    """Records gathered so far, field by field, in chunks of rows that are columns already."""

    name: str
    waiting: list[dict[str, Any]] = field(default_factory=list)
    chunks: dict[str, list[pa.ChunkedArray]] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    deep: set[str] = field(default_factory=set)

    def add(self, row: int, record: dict[str, Any]) -> None:
        nested = any(type(value) in NESTED for value in record.values())
        self.waiting.append(dict(_flat(record, self.deep)) if nested else record)
        self.rows.append(row)
        if len(self.waiting) == CHUNK_ROWS:
            self.close_chunk()

    def close_chunk(self) -> None:
        before = pa.chunked_array([pa.nulls(len(self.rows) - len(self.waiting))])
        for title in dict.fromkeys(title for record in self.waiting for title in record):
            self.chunks.setdefault(title, [before])
        self._refuse_many()
        for title, chunks in self.chunks.items():
            chunks.append(column_of([record.get(title) for record in self.waiting]))
        self.waiting.clear()

    def _refuse_many(self) -> None:
        if len(self.chunks) > MOST_FIELDS:
            message = f"the records have more than {MOST_FIELDS:,} different fields."
            raise BadInput(Fault("too_many_fields", message, self.name, "Export the fields that are wanted."))


def looks_like_json(buffer: pa.Buffer) -> bool:
    return OPENING.match(_head(buffer)) is not None


def refuse_bare_json(buffer: pa.Buffer, name: str) -> None:
    """Raise BadInput for a small file that is JSON but no records: a number, a text, a list of numbers or of lists."""
    if buffer.size > BLOCK_BYTES or looks_like_json(buffer):
        return
    try:
        value = json.loads(_head(buffer).decode())
    except (ValueError, RecursionError):
        return
    kind = next((said for kinds, said in JSON_KINDS if isinstance(value, kinds)), "null")
    raise BadInput(Fault("not_a_table", f"the file is one JSON value ({kind}), not records.", name, HINT))


def read_json(buffer: pa.Buffer, role: Role, name: str, sha256: str) -> RawTable:
    """Read JSON lines (row numbers are line numbers) or a JSON document (row numbers count its records).

    Lines that are no object are set aside. Raises BadInput: a damaged document, none or several lists of records.
    """
    records = _Records(name)
    if _is_lines(buffer):
        form, bad, blank = "JSON lines", *_read_lines(buffer, records)
    else:
        form, bad, blank = "JSON", {}, []
        _read_document(buffer, records)
    records.close_chunk()
    total = len(records.rows) + len(bad) + len(blank)
    _refuse_mostly_unreadable(bad, total, name)
    if not records.rows or not records.chunks:
        raise BadInput(Fault("no_rows", "there is no record in it.", name, "Check the export."))
    titles = tuple(title for title in records.chunks if title not in records.deep or not _all_null(records.chunks[title]))
    notes = tuple(f"field '{title}' holds nested values and is not read" for title in sorted(records.deep))
    rejections = []
    if bad:
        reason = "unreadable line: not a JSON object"
        rejections.append(Rejection("unreadable_line", reason, np.array(list(bad), np.int64), "", tuple(bad.values())))
    if blank:
        rejections.append(Rejection("blank_line", "blank line", np.array(blank, np.int64)))
    columns = tuple(joined(records.chunks[title]) for title in titles)
    return RawTable(
        role, name, sha256, form, titles, columns, np.array(records.rows, np.int64), total, notes, tuple(rejections), header_row=1
    )


def _head(buffer: pa.Buffer) -> bytes:
    return buffer[:BLOCK_BYTES].to_pybytes().removeprefix(b"\xef\xbb\xbf").lstrip(BLANKS)


def _is_lines(buffer: pa.Buffer) -> bool:
    """Whether most of the first lines are objects by themselves; a single line that holds a list of records is a document."""
    head = _head(buffer)
    if head[:1] != b"{":
        return False
    lines = [line for line in head.split(b"\n", PROBED_LINES)[:PROBED_LINES] if line.strip()]
    parsed = [_object(line) for line in lines]
    if len(lines) == 1 and parsed[0] is not None:
        return not any(_is_records(value) for value in parsed[0].values())
    return 2 * sum(record is not None for record in parsed) >= len(lines)


def _is_records(value: object) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(entry, dict) for entry in value)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line.decode())
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _lines(buffer: pa.Buffer) -> Iterator[bytes]:
    rest = b""
    for start in range(0, buffer.size, BLOCK_BYTES):
        *lines, rest = (rest + buffer[start : start + BLOCK_BYTES].to_pybytes()).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _read_lines(buffer: pa.Buffer, records: _Records) -> tuple[dict[int, str], list[int]]:
    """Fill the records; the lines that are no object, and the blank ones."""
    bad: dict[int, str] = {}
    blank: list[int] = []
    for number, line in enumerate(_lines(buffer), 1):
        line = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if (record := _object(line)) is not None:
            records.add(number, record)
        elif line.strip():
            bad[number] = line.decode("utf-8", "replace").rstrip("\r")
        else:
            blank.append(number)
    return bad, blank


def _refuse_mostly_unreadable(bad: dict[int, str], total: int, name: str) -> None:
    if len(bad) > MOST_UNREADABLE * total:
        message = f"{len(bad):,} of {total:,} lines are no JSON object."
        raise BadInput(Fault("unreadable_lines", message, f"{name}:{next(iter(bad))}", HINT))


def _read_document(buffer: pa.Buffer, records: _Records) -> None:
    """A list of records, or an object that holds one list of them; parsed record by record, so that no tree of all is held."""
    try:
        text = buffer.to_pybytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"{records.name}:{_line_of(buffer, error.start)}"
        raise BadInput(Fault("not_text", "the JSON is not UTF-8.", where, "Save it as UTF-8.")) from error
    try:
        start = _list_start(text, records.name)
        for number, record in enumerate(_entries(text, start), 1):
            if not isinstance(record, dict):
                raise BadInput(Fault("not_a_table", "an entry of the list is no object.", f"{records.name}:{number}", HINT))
            records.add(number, record)
    except json.JSONDecodeError as error:
        where = f"{records.name}:{error.lineno}"
        message = f"the JSON is damaged or cut off from character {error.colno:,} of this line on."
        raise BadInput(Fault("damaged_json", message, where, "Export it again.")) from error
    except RecursionError as error:
        raise BadInput(Fault("damaged_json", "the JSON is nested too deeply.", records.name, HINT)) from error


def _line_of(buffer: pa.Buffer, at: int) -> int:
    return 1 + buffer[:at].to_pybytes().count(b"\n")


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _entries(text: str, start: int) -> Iterator[Any]:
    """The entries of the list that opens at `start`, one after the other."""
    decoder = json.JSONDecoder()
    at = _skip(text, start + 1)
    while at < len(text) and text[at] != "]":
        entry, at = decoder.raw_decode(text, at)
        yield entry
        at = _skip(text, at)
        if at < len(text) and text[at] == ",":
            at = _skip(text, at + 1)
        elif at >= len(text) or text[at] != "]":
            raise json.JSONDecodeError("Expecting ',' or ']' after an entry", text, min(at, len(text)))
    if at >= len(text):
        raise json.JSONDecodeError("The list is not closed", text, len(text))


def _list_start(text: str, name: str) -> int:
    """Where the list of records opens: the document itself, or the one list of objects among the fields of its object."""
    at = _skip(text, 0)
    if text[at] == "[":
        return at
    starts = {title: start for title, start, value in _fields(text, at) if _is_records(value)}
    if len(starts) == 1:
        return next(iter(starts.values()))
    what = f"holds several lists of records ({quoted(list(starts))})" if starts else "holds no list of records"
    raise BadInput(Fault("not_a_table", f"the JSON object {what}.", name, HINT))


def _fields(text: str, at: int) -> Iterator[tuple[str, int, Any]]:
    """Each field of the object that opens at `at`: its name, where its value starts, and the value."""
    decoder = json.JSONDecoder()
    at = _skip(text, at + 1)
    while at < len(text) and text[at] != "}":
        title, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        if text[at : at + 1] != ":" or not isinstance(title, str):
            raise json.JSONDecodeError("Expecting ':' after a name", text, at)
        start = _skip(text, at + 1)
        value, at = decoder.raw_decode(text, start)
        yield title, start, value
        at = _skip(text, at)
        at = _skip(text, at + 1) if text[at : at + 1] == "," else at
        if at < len(text) and text[at] not in '"}':
            raise json.JSONDecodeError("Expecting ',' between fields", text, at)


def _flat(record: dict[str, Any], deep: set[str]) -> Iterator[tuple[str, Any]]:
    """The fields of a record, those of an object within it as `name.field`; what lies deeper is no cell."""
    for title, value in record.items():
        if isinstance(value, dict):
            for inner, cell in value.items():
                yield _cell(f"{title}.{inner}", cell, deep)
        else:
            yield _cell(title, value, deep)


def _cell(title: str, value: Any, deep: set[str]) -> tuple[str, Any]:
    if isinstance(value, dict | list):
        deep.add(title)
        return title, None
    return title, value


def _all_null(chunks: list[pa.ChunkedArray]) -> bool:
    return all(chunk.null_count == len(chunk) for chunk in chunks)
