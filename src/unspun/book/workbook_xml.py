"""What a reader of values cannot see in an XLSX file: error cells, formulas without a stored result, and how far a sheet reaches."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass, field
from typing import IO
from xml.etree import ElementTree
from xml.parsers import expat

BLOCK_BYTES = 1 << 22
ROW = re.compile(rb"\br=[\"'][A-Za-z]*(\d+)[\"']")
WIDE_CELL = re.compile(rb"\br=[\"']([A-Za-z]{2,})\d+[\"']")
HIDDEN = ("1", "true")
MOST_COLUMNS = 16_384  # of a sheet
ODD = (b"<f>", b"<f ", b"<f/", b":f>", b":f ", b":f/", b't="e"', b"t='e'", b" hidden=")
OVERLAP = 64


@dataclass(slots=True)
class OddCells:
    """Cells by (row, column) counted from 0: the text of errors, formulas without a result, and formulas whose result is 0.

    Rows and columns that are hidden are counted from 0 too.
    """

    errors: dict[tuple[int, int], str] = field(default_factory=dict)
    without_result: set[tuple[int, int]] = field(default_factory=set)
    zero: set[tuple[int, int]] = field(default_factory=set)
    formulas: int = 0
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class BookParts:
    """Where a workbook keeps its sheets, in the archive; whether days count from 1904; whether it was never calculated."""

    sheets: dict[str, str]
    from_1904: bool
    to_be_calculated: bool


def read_parts(archive: zipfile.ZipFile) -> BookParts:
    """The parts of a workbook by its relationships. Raises KeyError or ElementTree.ParseError where it is no workbook."""
    book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
    links = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    targets = {link.get("Id", ""): link.get("Target", "") for link in links}
    sheets: dict[str, str] = {}
    flags: dict[str, str] = {}
    for element in book.iter():
        tag = element.tag.rpartition("}")[2]
        if tag == "sheet":
            reference = next((value for key, value in element.attrib.items() if key.rpartition("}")[2] == "id"), "")
            target = targets.get(reference, "")
            sheets[element.get("name", "")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
        elif tag in ("workbookPr", "calcPr"):
            flags |= element.attrib
    true = ("1", "true")
    return BookParts(sheets, flags.get("date1904") in true, flags.get("fullCalcOnLoad") in true)


def last_cell(stream: IO[bytes]) -> tuple[int, int]:
    """An upper bound of the rows and columns that a sheet reaches to, from the places that its cells name."""
    rows, columns, tail = 0, 26, b""
    while block := stream.read(BLOCK_BYTES):
        text = tail + block
        rows = max(rows, *map(int, {b"0", *ROW.findall(text)}))
        columns = max(columns, *map(column_number, {b"A", *WIDE_CELL.findall(text)}))
        tail = text[-OVERLAP:]
    return rows, columns


def column_number(letters: bytes) -> int:
    """A is 1, Z is 26, AA is 27."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def odd_cells(archive: zipfile.ZipFile, part: str) -> OddCells:
    """The cells of a sheet that are errors or formulas; the sheet is parsed only where a first look finds one."""
    with archive.open(part) as stream:
        if not _has_odd(stream):
            return OddCells()
    with archive.open(part) as stream:
        return _parse(stream)


def _has_odd(stream: IO[bytes]) -> bool:
    tail = b""
    while block := stream.read(BLOCK_BYTES):
        text = tail + block
        if any(mark in text for mark in ODD):
            return True
        tail = block[-OVERLAP:]
    return False


def _parse(stream: IO[bytes]) -> OddCells:
    found = OddCells()
    reader = _CellReader(found)
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.ParseFile(stream)
    return found


class _CellReader:
    """Follows the cells of a sheet; a place that is not named is the one after the last."""

    def __init__(self, found: OddCells) -> None:
        self.found = found
        self.row, self.column = -1, -1
        self.kind, self.value = "", ""
        self.has_formula = self.in_value = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        tag = name.rpartition(":")[2]
        if tag == "c":
            self._begin_cell(attributes)
        elif tag == "f":
            self.has_formula = True
        elif tag in ("v", "t"):
            self.in_value = True
        elif tag == "row":
            self.row, self.column = int(attributes.get("r", self.row + 2)) - 1, -1
            if attributes.get("hidden") in HIDDEN:
                self.found.hidden_rows.add(self.row)
        elif tag == "col" and attributes.get("hidden") in HIDDEN:
            first = int(attributes.get("min", "1"))
            last = min(int(attributes.get("max", "1")), first + MOST_COLUMNS)
            self.found.hidden_columns.update(range(first - 1, last))

    def _begin_cell(self, attributes: dict[str, str]) -> None:
        letters = attributes.get("r", "").rstrip("0123456789")
        self.column = column_number(letters.encode()) - 1 if letters else self.column + 1
        self.kind, self.value, self.has_formula = attributes.get("t", ""), "", False

    def text(self, data: str) -> None:
        if self.in_value:
            self.value += data

    def end(self, name: str) -> None:
        tag = name.rpartition(":")[2]
        if tag in ("v", "t"):
            self.in_value = False
        elif tag == "c":
            self._end_cell()

    def _end_cell(self) -> None:
        place = (self.row, self.column)
        if self.kind == "e":
            self.found.errors[place] = self.value or "#ERROR!"
        elif self.has_formula:
            self.found.formulas += 1
            if self.value == "" and self.kind != "str":
                self.found.without_result.add(place)
            elif self.value == "0" and self.kind in ("", "n"):
                self.found.zero.add(place)
