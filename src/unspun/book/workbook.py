"""Workbooks (XLSX, XLSM, XLS, ODS): the sheet that holds the table, found by its header, and its cells as columns."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import TypeVar, cast
from xml.etree import ElementTree
from xml.parsers import expat

import numpy as np
import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from unspun.book.archives import DAMAGED
from unspun.book.cells import cell_text, column_of
from unspun.book.header import LOOKED_AT_ROWS, find_header, find_header_by_shape, fits, is_total, recognised
from unspun.book.raw import RawTable
from unspun.book.roles import SHEET_ROLE
from unspun.book.tables import ReadingOptions, Rejection, Role
from unspun.book.text import quoted, squash
from unspun.book.workbook_xml import BookParts, OddCells, last_cell, odd_cells, read_parts
from unspun.errors import BadInput, Fault

SECTOR_BYTES = 4096  # of XLS, at most
MOST_CELLS = 200_000_000  # of one sheet, blank ones counted
FIRST_SERIAL, LAST_SERIAL = 25_569, 109_575  # 1970 and 2200 as days since 1899-12-30
DAYS_FROM_1900_TO_1904 = 1_462
DATE_ROLES = frozenset(
    ["date", "due", "recorded_at", "term_start", "notice", "outcome_known_at", "start", "end", "cancelled_on", "made_at"]
)

Row = list[object]
Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class _Sheet:
    """One sheet: its rows of cells from A1 on, merged cells filled downwards, and the row of its header."""

    name: str
    hidden: bool
    rows: list[Row]
    filled: bool
    header: int
    sub_header: bool
    names: tuple[str, ...]
    roles: dict[str, int]


class Workbook:
    """A workbook, its bounds checked before a sheet is read. Raises BadInput: damaged, protected, or out of all proportion."""

    def __init__(self, buffer: pa.Buffer, archive: zipfile.ZipFile | None, name: str) -> None:
        self.name, self.archive = name, archive
        self.parts = BookParts({}, False, False)
        try:
            if archive is not None and "xl/workbook.xml" in archive.namelist():
                self.parts = read_parts(archive)
                self._refuse_vast_sheets()
            self.book = _calmly(
                lambda: CalamineWorkbook.from_filelike(_whole_sectors(buffer) if archive is None else pa.BufferReader(buffer))
            )
        except PasswordError as error:
            raise BadInput(Fault("protected_file", "the workbook is protected by a password.", name, "Save it without one.")) from error
        except (CalamineError, KeyError, ElementTree.ParseError, *DAMAGED) as error:
            raise BadInput(damaged_workbook("workbook", name)) from error

    def _refuse_vast_sheets(self) -> None:
        """A stray cell in the last corner makes a sheet of billions of cells, all of which would be held in memory."""
        for sheet, part in self.parts.sheets.items():
            if self.archive is None or part not in self.archive.namelist():
                continue
            with self.archive.open(part) as stream:
                rows, columns = last_cell(stream)
            if rows * columns > MOST_CELLS:
                message = f"the sheet reaches to row {rows:,} and column {columns:,}, more cells than are read."
                hint = "Delete the stray cells below and beside the table, or save the sheet as CSV."
                raise BadInput(Fault("vast_sheet", message, f"{self.name}[{sheet}]", hint))

    def sheet(self, name: str, hidden: bool, role: Role, options: ReadingOptions) -> tuple[_Sheet, int]:
        """A sheet with its header found, and how many cells merging had left blank."""
        try:
            grid = _calmly(lambda: self.book.get_sheet_by_name(name))
        except (CalamineError, *DAMAGED) as error:
            raise BadInput(damaged_workbook("sheet", f"{self.name}[{name}]")) from error
        rows = cast(list[Row], grid.to_python(skip_empty_area=False))
        merged = _fill_merged(rows, grid)
        return _with_header(name, hidden, rows, role, options), merged

    def odd(self, name: str) -> OddCells:
        part = self.parts.sheets.get(name)
        if self.archive is None or part is None or part not in self.archive.namelist():
            return OddCells()
        try:
            return odd_cells(self.archive, part)
        except (expat.ExpatError, *DAMAGED) as error:
            raise BadInput(damaged_workbook("sheet", f"{self.name}[{name}]")) from error


def _calmly(read: Callable[[], Read]) -> Read:
    """What a call gives; a panic of the library on a damaged file, which is no Exception, as an error like any other."""
    try:
        return read()
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise CalamineError(str(error)) from error


def _whole_sectors(buffer: pa.Buffer) -> BytesIO:
    """An XLS file with its last sector filled up with zeros: one that is cut off within it is told so, and not by a panic."""
    return BytesIO(buffer.to_pybytes() + bytes(-buffer.size % SECTOR_BYTES))


def damaged_workbook(what: str, where: str) -> Fault:
    """That a workbook, or a sheet of one, cannot be read."""
    hint = "Open it in a spreadsheet program and save it again, or as CSV."
    return Fault("damaged_workbook", f"the {what} is damaged and cannot be read.", where, hint)


def _with_header(name: str, hidden: bool, rows: list[Row], role: Role, options: ReadingOptions) -> _Sheet:
    head = [[cell_text(cell) for cell in row] for row in rows[:LOOKED_AT_ROWS]]
    if not head:
        return _Sheet(name, hidden, [], False, 0, False, (), {})
    at = find_header(head, role, options)
    if at is None:
        at = find_header_by_shape(head, [_is_text(row) for row in rows[:LOOKED_AT_ROWS]])
    has_sub = _has_sub_header(rows, at, recognised(head[at], role, options))
    titles = [title.strip() for title in head[at]]
    names = _with_groups(titles, rows[at + 1]) if has_sub else _told_apart(titles, rows, at)
    return _Sheet(name, hidden, rows, any(map(_is_filled, rows)), at, has_sub, names, recognised(names, role, options))


def read_workbook(
    buffer: pa.Buffer, archive: zipfile.ZipFile | None, form: str, sha256: str, role: Role, name: str, options: ReadingOptions
) -> list[RawTable]:
    """The table of each sheet that was chosen: those with every column that the role needs, where their headers are the same.

    Raises BadInput where the choice is not clear, and says how to make it.
    """
    book = Workbook(buffer, archive, name)
    kinds = [data for data in book.book.sheets_metadata if data.typ == SheetTypeEnum.WorkSheet]
    hidden = {data.name: data.visible != SheetVisibleEnum.Visible for data in kinds}
    wanted = options.columns.get(f"{role}.{SHEET_ROLE}", options.columns.get(SHEET_ROLE))
    named = None if wanted is None else _sheet_named(list(hidden), wanted, role, name)
    read = [book.sheet(each, hidden[each], role, options) for each in ([named] if named else hidden)]
    chosen = _chosen([sheet for sheet, _ in read], role, name) if named is None else [read[0][0]]
    left = [each for each in hidden if each not in [sheet.name for sheet in chosen]]
    notes = _notes_on_sheets(left, hidden)
    return [
        _table(book, sheet, merged, form, sha256, role, notes if i == 0 else ())
        for i, (sheet, merged) in enumerate(pair for pair in read if pair[0] in chosen)
    ]


def _sheet_named(sheets: Sequence[str], wanted: str, role: Role, name: str) -> str:
    found = [sheet for sheet in sheets if sheet == wanted] or [sheet for sheet in sheets if squash(sheet) == squash(wanted)]
    if len(found) == 1:
        return found[0]
    hint = f'Name one of them: --map {role}.sheet="{sheets[0] if sheets else ""}".'
    raise BadInput(Fault("no_such_sheet", f"there is no sheet '{wanted}'; the sheets are {quoted(list(sheets), 30)}.", name, hint))


def _chosen(sheets: list[_Sheet], role: Role, name: str) -> list[_Sheet]:
    filled = [sheet for sheet in sheets if sheet.filled]
    fitting = [sheet for sheet in filled if fits(sheet.roles, role)]
    seen = [sheet for sheet in fitting if not sheet.hidden]
    if not seen:
        return [_only_sheet(filled, fitting, role, name)]
    if len({frozenset(map(squash, sheet.names)) for sheet in seen}) > 1:
        names = [sheet.name for sheet in seen]
        message = f"the sheets {quoted(names)} all hold what a table of {role} needs, under different headers."
        raise BadInput(Fault("several_sheets", message, name, f'Say which: --map {role}.sheet="{names[0]}".'))
    return seen


def _only_sheet(filled: list[_Sheet], fitting: list[_Sheet], role: Role, name: str) -> _Sheet:
    """The one sheet there is, whose missing columns are told later; a fault where there are several, or hidden ones only."""
    seen = [sheet for sheet in filled if not sheet.hidden]
    if len(seen) == 1 and not fitting:
        return seen[0]
    if fitting:
        message = f"the only sheet with the columns of {role} is hidden: {quoted([sheet.name for sheet in fitting])}."
        raise BadInput(Fault("hidden_sheet", message, name, f'If it is meant, name it: --map {role}.sheet="{fitting[0].name}".'))
    if not filled:
        raise BadInput(Fault("empty_file", "the workbook holds no filled cell.", name, "Check the export."))
    listed = "; ".join(f"'{sheet.name}' has {quoted([name for name in sheet.names if name])}" for sheet in filled[:8])
    message = f"no sheet has the columns that a table of {role} needs: {listed}."
    hint = f'Name the sheet and its columns: --map {role}.sheet="{filled[0].name}" --map {role}.account="...".'
    raise BadInput(Fault("no_fitting_sheet", message, name, hint))


def _notes_on_sheets(left: list[str], hidden: dict[str, bool]) -> tuple[str, ...]:
    seen, unseen = [name for name in left if not hidden[name]], [name for name in left if hidden[name]]
    notes = (("sheets not read", seen), ("hidden sheets not read", unseen))
    return tuple(f"{what}: {quoted(names)}" for what, names in notes if names)


def _table(book: Workbook, sheet: _Sheet, merged: int, form: str, sha256: str, role: Role, notes: tuple[str, ...]) -> RawTable:
    label = f"{book.name}[{sheet.name}]"
    odd = book.odd(sheet.name)
    first = sheet.header + 1 + sheet.sub_header
    rows, names = sheet.rows, sheet.names
    for (row, column), error in odd.errors.items():
        if row < len(rows) and column < len(rows[row]):
            rows[row][column] = error
    filled = np.array([_is_filled(row) for row in rows[first:]], bool)
    rows = rows[first : first + (int(np.flatnonzero(filled)[-1]) + 1 if filled.any() else 0)]
    filled = filled[: len(rows)]
    if not rows:
        raise BadInput(Fault("no_rows", "there is a header but no row.", label, "Check the export."))
    numbers = np.arange(len(rows), dtype=np.int64) + first + 1
    body = [row for row, kept in zip(rows, filled, strict=True) if kept]
    cells = [list(column) for column in zip(*body, strict=True)]
    used = [i for i, column in enumerate(cells) if names[i] or any(cell != "" for cell in column)]
    if odd.formulas:
        account = sheet.roles.get("account")
        counted = [row for row, line in zip(numbers[filled], body, strict=True) if account is None or not is_total(line[account])]
        _refuse_without_result(book, odd, counted, [i for i in used if names[i]], names, label)
    dates, serials = _with_serials(cells, sheet.roles, book.parts.from_1904, names)
    blank = numbers[~filled]
    return RawTable(
        role, label, sha256, form, tuple(names[i] for i in used), tuple(column_of(dates[i]) for i in used), numbers[filled], len(rows),
        (*notes, *_notes_on_cells(sheet, merged, odd, form), *serials),
        (Rejection("blank_line", "blank line", blank),) if len(blank) else (), header_row=sheet.header + 1,
    )  # fmt: skip


def _refuse_without_result(
    book: Workbook, odd: OddCells, numbers: Sequence[int], used: list[int], names: Sequence[str], label: str
) -> None:
    """Formulas of which the file does not hold the result are no blanks; nor are they the 0 that stands in for one."""
    rows = {int(number) - 1 for number in numbers}
    lacking = {place for place in odd.without_result if place[0] in rows and place[1] in used}
    zero = {place for place in odd.zero if place[0] in rows and place[1] in used}
    if book.parts.to_be_calculated and len(odd.zero) + len(odd.without_result) == odd.formulas:
        lacking |= zero
    if not lacking:
        return
    row, column = min(lacking)
    message = f"a formula has no stored result ({len(lacking):,} in all): the workbook was written by a program and never calculated."
    hint = "Open it in a spreadsheet program, save it, and give it again."
    raise BadInput(Fault("formula_without_result", message, f"{label}:{row + 1}:{names[column]}", hint))


def _notes_on_cells(sheet: _Sheet, merged: int, odd: OddCells, form: str) -> list[str]:
    notes = ["the sheet is a hidden one"] if sheet.hidden else []
    above = sum(_is_filled(row) for row in sheet.rows[: sheet.header])
    if above:
        notes.append(f"lines above the header in row {sheet.header + 1} not read: {above:,}")
    if merged:
        notes.append(f"cells under a merged cell that take its value: {merged:,}")
    if odd.errors:
        (row, column), error = min(odd.errors.items())
        notes.append(f"error cells: {len(odd.errors):,} (first: {error} in row {row + 1}, column {column + 1})")
    if n := sum(sheet.header < row < len(sheet.rows) for row in odd.hidden_rows):
        notes.append(f"hidden rows are read like any other: {n:,}")
    if hidden := [name for i, name in enumerate(sheet.names) if name and i in odd.hidden_columns]:
        notes.append(f"hidden columns are read like any other: {quoted(hidden)}")
    if n := odd.formulas - len(odd.without_result):
        notes.append(f"formulas read by the results that are stored with them: {n:,}")
    if not form.startswith("XLSX"):
        notes.append("errors such as #REF! are not told from blanks in this format")
    return notes


def _with_serials(cells: list[Row], roles: dict[str, int], from_1904: bool, names: Sequence[str]) -> tuple[list[Row], list[str]]:
    """Plain numbers in a column of dates are days since the workbook's first day, where all of them can be."""
    notes: list[str] = []
    for column in sorted({column for role, column in roles.items() if role in DATE_ROLES}):
        numbers = [cell for cell in cells[column] if isinstance(cell, float)]
        shift = DAYS_FROM_1900_TO_1904 if from_1904 else 0
        if not numbers or not all(FIRST_SERIAL <= number + shift <= LAST_SERIAL for number in numbers):
            continue
        cells[column] = [_day(cell + shift) if isinstance(cell, float) else cell for cell in cells[column]]
        since = "1904-01-01" if from_1904 else "1899-12-30"
        notes.append(f"numbers in '{names[column]}' read as days since {since}: {len(numbers):,}")
    return cells, notes


def _day(serial: float) -> date:
    moment = datetime(1899, 12, 30) + timedelta(seconds=round(serial * 86_400))
    return moment.date() if serial == int(serial) else moment


def _fill_merged(rows: list[Row], grid: CalamineSheet) -> int:
    """Give every row of a merged area the value in its first cell; how many cells were filled."""
    n = 0
    for (top, left), (bottom, _) in grid.merged_cell_ranges or ():
        for row in range(top + 1, min(bottom, len(rows) - 1) + 1):
            if left < len(rows[row]) and rows[row][left] == "" and rows[top][left] != "":
                rows[row][left] = rows[top][left]
                n += 1
    return n


def _is_filled(row: Row) -> bool:
    return any(cell != "" and (not isinstance(cell, str) or cell.strip() != "") for cell in row)


def _is_text(row: Row) -> bool:
    return all(isinstance(cell, str | date | time) for cell in row)


def _has_sub_header(rows: list[Row], at: int, roles: dict[str, int]) -> bool:
    """A second row of the header: text under groups, and nothing under the columns that the first row names for good."""
    if at + 1 >= len(rows) or not roles:
        return False
    below = rows[at + 1]
    return _is_filled(below) and _is_text(below) and all(below[column] == "" for column in roles.values())


def _with_groups(names: list[str], below: Row) -> tuple[str, ...]:
    """Names of two rows: a group's name carries over to the right, and goes before a name that comes twice."""
    subs = [cell_text(cell).strip() for cell in below]
    group, whole = "", []
    for name, sub in zip(names, subs, strict=True):
        group = name or group
        whole.append((group, sub) if sub else (name, ""))
    return tuple(f"{first} {sub}".strip() if sub and (subs.count(sub) > 1 or _is_year(first)) else sub or first for first, sub in whole)


def _told_apart(names: list[str], rows: list[Row], at: int) -> tuple[str, ...]:
    """Names that come twice, or months under a year, with their group of the row above."""
    above = [cell_text(cell).strip() for cell in rows[at - 1]] if at else []
    repeated = {name for name in names if name and names.count(name) > 1}
    if not repeated and not any(_is_year(name) for name in above):
        return tuple(names)
    group, whole = "", []
    for name, top in zip(names, above or [""] * len(names), strict=True):
        group = top or group
        wanted = name in repeated or (name and _is_year(group))
        whole.append(f"{group} {name}".strip() if wanted and group != name and group else name)
    return tuple(whole)


def _is_year(name: str) -> bool:
    return len(name) == 4 and name.isdigit() and name[:2] in ("19", "20")
