"""The workbooks of the corpus, each made cell by cell: what people do to a sheet before they send it."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

HEADER = ("account", "date", "score")
JANUARY, FEBRUARY = date(2026, 1, 31), date(2026, 2, 28)


def _filled(*rows: tuple[Any, ...], title: str = "Scores") -> Workbook:
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(row)
    return book


def _plain(path: Path) -> None:
    _filled(HEADER, ("a", JANUARY, 71), ("b", JANUARY, 40.5)).save(path)


def _title_rows(path: Path) -> None:
    title, generated = ("Health scores of all accounts",), ("generated", datetime(2026, 2, 1, 8, 30))
    rows = (title, generated, (), HEADER, ("a", JANUARY, 71), ("b", JANUARY, 40))
    _filled(*rows).save(path)


def _cover_sheet(path: Path) -> None:
    book = _filled(("About this export",), ("Ask the CS operations team.",), title="Read me")
    sheet = book.create_sheet("Scores")
    for row in (HEADER, ("a", JANUARY, 71)):
        sheet.append(row)
    book.save(path)


def _sheet_a_month(path: Path) -> None:
    book = _filled(HEADER, ("a", JANUARY, 71), title="Jan")
    sheet = book.create_sheet("Feb")
    for row in (HEADER, ("a", FEBRUARY, 66)):
        sheet.append(row)
    book.save(path)


def _unlike_sheets(path: Path) -> None:
    book = _filled(HEADER, ("a", JANUARY, 71), title="Old score")
    sheet = book.create_sheet("New score")
    for row in (("customer", "as of", "health", "owner"), ("a", JANUARY, 66, "Ann")):
        sheet.append(row)
    book.save(path)


def _hidden_sheet(path: Path) -> None:
    book = _filled(HEADER, ("a", JANUARY, 71))
    sheet = book.create_sheet("Scores old")
    sheet.sheet_state = "hidden"
    for row in (HEADER, ("a", JANUARY, 12)):
        sheet.append(row)
    book.save(path)


def _merged_accounts(path: Path) -> None:
    book = _filled(HEADER, ("a", JANUARY, 71), (None, FEBRUARY, 66), ("b", JANUARY, 40), (None, FEBRUARY, 38))
    book.worksheets[0].merge_cells("A2:A3")
    book.worksheets[0].merge_cells("A4:A5")
    book.save(path)


def _serial_dates(path: Path) -> None:
    _filled(HEADER, ("a", 46053, 71), ("b", 46081, 40)).save(path)


def _epoch_of_1904(path: Path) -> None:
    book = _filled(HEADER, ("a", JANUARY, 71))
    book.epoch = CALENDAR_MAC_1904
    book.worksheets[0]["B2"].value = JANUARY
    book.save(path)


def _formulas(path: Path) -> None:
    """Formulas as a program writes them: without the value that a spreadsheet would have worked out."""
    _filled(HEADER, ("a", JANUARY, 71), ("b", JANUARY, "=C2-31")).save(path)


def _error_cells(path: Path) -> None:
    rows = [(f"a{i}", JANUARY, 50 + i) for i in range(6)]
    _filled(HEADER, *rows, ("b", JANUARY, "#REF!"), ("c", JANUARY, "#N/A")).save(path)


def _totals(path: Path) -> None:
    header = ("account", "due date", "outcome", "arr")
    rows = (header, ("a", JANUARY, "renewed", 1200), ("b", JANUARY, "churned", 2400), ("Total", None, None, 3600))
    _filled(*rows, title="Renewals").save(path)


def _two_headers(path: Path) -> None:
    book = _filled(("Customer", None, "Health", None), ("account", "segment", "date", "score"), ("a", "SMB", JANUARY, 71))
    book.worksheets[0].merge_cells("A1:B1")
    book.worksheets[0].merge_cells("C1:D1")
    book.save(path)


def _month_columns(path: Path) -> None:
    rows = (("account", date(2026, 1, 1), date(2026, 2, 1)), ("a", 71, 66), ("b", 40, None))
    _filled(*rows).save(path)


def _empty_book(path: Path) -> None:
    Workbook().save(path)


def _calculated(path: Path) -> None:
    """Formulas as a spreadsheet program saves them: with their results."""
    _filled(HEADER, ("a", JANUARY, 71), ("b", JANUARY, "=C2-31")).save(path)
    _rewrite(path, "<f>C2-31</f><v></v>", "<f>C2-31</f><v>40</v>")


def _rewrite(path: Path, old: str, new: str) -> None:
    """Change the text of the first sheet within its archive."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    text = parts[sheet].decode().replace("<v />", "<v></v>").replace("<v/>", "<v></v>")
    assert old in text
    parts[sheet] = text.replace(old, new).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _hidden_cells(path: Path) -> None:
    book = _filled((*HEADER, "comment"), ("a", JANUARY, 71, "x"), ("b", JANUARY, 40, "y"), ("c", JANUARY, 55, "z"))
    book.worksheets[0].row_dimensions[3].hidden = True
    book.worksheets[0].column_dimensions["D"].hidden = True
    book.save(path)


def _header_in_the_second_sheet(path: Path) -> None:
    book = _filled(("a", JANUARY, 71), ("b", JANUARY, 40), title="Values")
    sheet = book.create_sheet("Table")
    for row in (HEADER, ("c", JANUARY, 66)):
        sheet.append(row)
    book.save(path)


def _pivot(path: Path) -> None:
    """What a pivot table shows: accounts merged, a subtotal under each group, a grand total at the bottom."""
    rows: list[tuple[Any, ...]] = [("segment", *HEADER)]
    for segment in ("SMB", "Enterprise"):
        rows += [(segment if i == 0 else None, f"{segment}{i}", JANUARY, 50 + i) for i in range(3)]
        rows.append((f"{segment} total", None, None, 153))
    _filled(*rows, ("Grand total", None, None, 306)).save(path)


def _times_of_month_end(path: Path) -> None:
    _filled(HEADER, ("a", datetime(2026, 1, 31, 23, 59, 59), 71), ("b", datetime(2026, 2, 1), 40)).save(path)


def _text_beside_numbers(path: Path) -> None:
    """Numbers that a spreadsheet keeps as text, in one column with numbers."""
    _filled(HEADER, ("a", JANUARY, "71 "), ("b", JANUARY, 40), (22, JANUARY, 55), ("22", FEBRUARY, 56)).save(path)


def _blank_top_left(path: Path) -> None:
    """A table that begins in column C, row 4."""
    book = Workbook()
    for row in ((), (), (), (None, None, *HEADER), (None, None, "a", JANUARY, 71)):
        book.worksheets[0].append(row)
    book.save(path)


def _only_a_header(path: Path) -> None:
    _filled(HEADER).save(path)


def _only_a_hidden_sheet_fits(path: Path) -> None:
    book = _filled(("Read me",), ("Ask Ann.",), title="Notes")
    sheet = book.create_sheet("Scores")
    for row in (HEADER, ("a", JANUARY, 71)):
        sheet.append(row)
    sheet.sheet_state = "hidden"
    book.save(path)


def _cut_off(path: Path) -> None:
    _plain(path)
    path.write_bytes(path.read_bytes()[:2000])


WORKBOOKS: dict[str, Callable[[Path], None]] = {
    "plain.xlsx": _plain,
    "title-rows.xlsx": _title_rows,
    "cover-sheet.xlsx": _cover_sheet,
    "sheet-a-month.xlsx": _sheet_a_month,
    "unlike-sheets.xlsx": _unlike_sheets,
    "hidden-sheet.xlsx": _hidden_sheet,
    "merged-accounts.xlsx": _merged_accounts,
    "serial-dates.xlsx": _serial_dates,
    "dates-since-1904.xlsx": _epoch_of_1904,
    "formulas-without-values.xlsx": _formulas,
    "error-cells.xlsx": _error_cells,
    "totals-row.xlsx": _totals,
    "two-header-rows.xlsx": _two_headers,
    "month-columns.xlsx": _month_columns,
    "empty.xlsx": _empty_book,
    "formulas-with-values.xlsx": _calculated,
    "hidden-rows-and-columns.xlsx": _hidden_cells,
    "header-only-in-the-second-sheet.xlsx": _header_in_the_second_sheet,
    "pivot.xlsx": _pivot,
    "times-of-month-end.xlsx": _times_of_month_end,
    "text-beside-numbers.xlsx": _text_beside_numbers,
    "table-begins-in-the-middle.xlsx": _blank_top_left,
    "only-a-header.xlsx": _only_a_header,
    "only-a-hidden-sheet-fits.xlsx": _only_a_hidden_sheet_fits,
    "cut-off.xlsx": _cut_off,
}
