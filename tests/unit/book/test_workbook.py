"""Workbooks: the sheet and the header are found, cells read as CSV would have them, and what is not there is never a silent blank."""

from __future__ import annotations

import base64
import csv
import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import MAC_EPOCH
from openpyxl.workbook import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from unspun.book.renewals import read_renewals
from unspun.book.scores import read_scores
from unspun.book.tables import ReadingOptions, Renewals, ScoreHistory
from unspun.errors import BadInput

NOTHING = ReadingOptions()
HEADER = ("account", "date", "score")
DAY = date(2026, 1, 31)
# Written by xlwt 1.3.0: the sheet "Scores" with A0, A1, A2 on 1, 2 and 3 January 2026, scored 0, 1.5 and 3
OLD_EXCEL = (
    "H4sIAAAAAAACA+1YTWgTQRT+ZpNtk9Dmp6ZCK4QQMGptodWLl3atVHtKqXrwFzRNcpBKImk86MVqzVEQPCleCvXgperFH1TQmwchogdBEBI9ehIUPLRZ33vZ"
    "tWmN0IAWIvst8+bNm/lm3u7Mm9ndN6VQef5BbwVrMAIXqqYXbXU2RclrF4KgetNk1c49lEwHLQWvhyayTcfTztftPIc83xVouO9+SRL4ROkkzmEil81ENxD7"
    "xIekYh+GSSrcJosfPeJVl8iUyE0i70nLZyL3iuWayGFqW1bHUTIm+vZYq/ioFpM6P7jfR8L5IJYhdOMVr+JL11WtrY7R/Jnk2RariLg7sACa0PFMNpPncgB3"
    "4AOOEQYSiYGxsTLCNNkL+G5GgW92VL+IOvaNtSuQ/cdqe/sf7B6axLX2G5obmIV5WoKkyCHirgXy4VQun5lZwqAENSdaEMlUKnc+W6Am6WQhowMz3IrW/ugg"
    "iyEWu3y80cvGEFy1MXRKwHSQTCMgekjCJkieLd39+jYxNWmcEsusHAa1I2MrewgTl5lBZL/UiJN0yAB9wtgp8or0ukX0XpFhWtOUxye7LeXAnLS5KrVxGme3"
    "4J2xrU7fTnrxy8HHkeJnYwfpi+OVi+HF98Y8YnSEpYnP1xz6Vb+6dZPxxLBzZW0vH0X2/LbVeLSg5btpnYsBLHNwEUIiayV+OupXSbOeFbNVA7YSNj+P5zQ+"
    "e9eFSMlmacLTGvA04bktnia8mPBOaDbP1YDnEp5u8VzCiwvPL+ONaF14yJ3TdroCHxw4cODAgQMHDhy0NJS87NVexPklUl/5VJD/OsuUqs5vkv8Wh5Cjq0Af"
    "lfuRpTyPC02tn83Qld2XWifH/l/IOEKj5zGNKfFjuun1S588qv5+1k0M/r0Qanb8ajN+/uPxfwLNc4FYABYAAA=="
)
ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="Scores">{rows}</table:table></office:spreadsheet></office:body>
</office:document-content>"""


def saved(book: Workbook) -> bytes:
    sink = io.BytesIO()
    book.save(sink)
    return sink.getvalue()


def written(fill: Callable[[Worksheet], object], title: str = "Scores") -> bytes:
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    fill(sheet)
    return saved(book)


def of(*rows: tuple[Any, ...]) -> Callable[[Worksheet], None]:
    def fill(sheet: Worksheet) -> None:
        for row in rows:
            sheet.append(row)

    return fill


def sheets(**each: Callable[[Worksheet], object]) -> Workbook:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for title, fill in each.items():
        fill(book.create_sheet(title))
    return book


def content(history: ScoreHistory) -> list[tuple[int, str, str, float]]:
    names = [history.account.names[code] for code in history.account.codes]
    days = history.dated.astype("datetime64[s]").astype(str)
    return list(zip(history.row.tolist(), names, days.tolist(), history.series[0].values.tolist(), strict=True))


def reasons(table: ScoreHistory | Renewals) -> dict[str, list[int]]:
    return {rejection.reason: rejection.rows.tolist() for rejection in table.source.rejections}


NAMES = st.text("abcXYZ019 \u00e4\u00f6", min_size=1, max_size=6).map(str.strip).filter(lambda name: name != "")
CELLS = st.tuples(
    st.one_of(NAMES, st.integers(1, 10**9)),
    st.one_of(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1))),
    st.one_of(st.none(), st.integers(-99, 99), st.floats(-1e6, 1e6).map(lambda x: round(x, 4)), st.sampled_from(["n/a", "x"])),
)


@settings(max_examples=40)
@given(st.lists(CELLS, min_size=1, max_size=12))
def test_a_sheet_reads_like_the_same_cells_in_csv(rows: list[tuple[object, date, object]]) -> None:
    rows = [(name, day.replace(microsecond=0) if isinstance(day, datetime) else day, score) for name, day, score in rows]
    text = io.StringIO()
    csv.writer(text).writerows([HEADER, *rows])

    def outcome(source: bytes) -> object:
        try:
            history = read_scores(source, NOTHING, "x")
        except BadInput as error:
            return sorted(fault.code for fault in error.faults)
        return content(history), reasons(history)

    assert outcome(written(of(HEADER, *rows))) == outcome(text.getvalue().encode())


def test_renewals_of_a_workbook_are_those_of_the_csv() -> None:
    rows = [("account", "due", "outcome", "arr"), ("A", DAY, "renewed", 1200.5), (17, DAY, "churned", 900), ("C", DAY, "x", None)] + [
        (f"D{i}", DAY, "renewed", i) for i in range(9)
    ]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    options = ReadingOptions(outcomes={"x": "undecided"})
    mine, theirs = read_renewals(written(of(*rows)), options), read_renewals(text.getvalue().encode(), options)
    assert mine.account.names == theirs.account.names and mine.outcome.tolist() == theirs.outcome.tolist()
    assert mine.amount_before is not None and theirs.amount_before is not None
    np.testing.assert_array_equal(mine.amount_before, theirs.amount_before)
    np.testing.assert_array_equal(mine.due, theirs.due)


def test_the_header_is_found_below_titles_and_rows_keep_the_sheets_own_numbers() -> None:
    history = read_scores(
        written(of(("Health report",), ("generated", DAY), (), HEADER, ("A", DAY, 5), (), ("B", DAY, "x"), *TEN)), NOTHING, "b.xlsx"
    )
    assert history.row[0] == 5 and "lines above the header in row 4 not read: 2" in history.source.notes
    assert (history.source.name, reasons(history)) == ("b.xlsx[Scores]", {"blank line": [6], "unreadable score": [7]})
    with pytest.raises(BadInput) as caught:
        read_scores(written(of((), HEADER, ("A", DAY, "often"), ("B", DAY, "seldom"))), NOTHING, "b.xlsx")
    assert caught.value.faults[0].where == "b.xlsx[Scores]:3:score"


TEN = tuple((f"X{i}", DAY, i) for i in range(10))


def test_a_header_that_no_role_knows_is_found_by_its_shape_and_mapped() -> None:
    options = ReadingOptions(columns={"account": "Wer", "date": "Wann", "score": "Wie gut"})
    for rows in (((), ("Wer", "Wann", "Wie gut")), (("Bericht",), ("Wer", "Wann", "Wie gut"))):
        assert content(read_scores(written(of(*rows, ("A", DAY, 5))), options)) == [(3, "A", "2026-01-31T00:00:00", 5.0)]


def test_of_several_sheets_the_one_with_the_columns_is_read() -> None:
    book = sheets(
        About=of(("What this is",)), Data=of(HEADER, ("A", DAY, 5)), Renewals=of(("account", "due", "outcome"), ("A", DAY, "won"))
    )
    scores, renewals = read_scores(saved(book), NOTHING, "b.xlsx"), read_renewals(saved(book), NOTHING, "b.xlsx")
    assert (scores.source.name, renewals.source.name) == ("b.xlsx[Data]", "b.xlsx[Renewals]")
    assert "sheets not read: 'About', 'Renewals'" in scores.source.notes


def test_sheets_of_one_header_are_read_together_and_say_which_sheet() -> None:
    book = sheets(
        Jan=of(HEADER, ("A", DAY, 5), ("B", "soon", 6), *TEN),
        Feb=of(("score", "account", "date"), (7, "A", date(2026, 2, 28)), (8, "", DAY)),
    )
    history = read_scores(saved(book), NOTHING, "b.xlsx")
    assert [(file.name, file.rows_read) for file in history.source.files] == [("b.xlsx[Jan]", 12), ("b.xlsx[Feb]", 2)]
    assert history.source.name == "b.xlsx" and len({history.source.sha256, *(file.sha256 for file in history.source.files)}) == 1
    found = {
        r.code: [(history.source.files[f].name, row) for f, row in zip(r.file, r.rows, strict=True)]
        for r in history.source.rejections
        if r.file is not None
    }
    assert found == {"unreadable_date": [("b.xlsx[Jan]", 3)], "no_account": [("b.xlsx[Feb]", 3)]}
    assert history.file is not None and history.file.tolist() == [0] * 11 + [1]


def test_sheets_of_unlike_headers_are_a_fault_until_one_is_named() -> None:
    book = saved(sheets(Old=of(HEADER, ("A", DAY, 5)), New=of((*HEADER, "NPS"), ("A", DAY, 6, 7))))
    with pytest.raises(BadInput, match="under different headers") as caught:
        read_scores(book, NOTHING)
    assert '--map scores.sheet="Old"' in caught.value.faults[0].hint
    for key in ("sheet", "scores.sheet"):
        history = read_scores(book, ReadingOptions(columns={key: "new"}))
        assert [series.name for series in history.series] == ["score", "NPS"]
    with pytest.raises(BadInput, match="there is no sheet 'Q1'; the sheets are 'Old', 'New'"):
        read_scores(book, ReadingOptions(columns={"sheet": "Q1"}))


def test_a_hidden_sheet_is_read_only_where_it_is_named() -> None:
    book = sheets(Seen=of(HEADER, ("A", DAY, 5)), Unseen=of(HEADER, ("A", DAY, 6)))
    book["Unseen"].sheet_state = "veryHidden"
    seen, named = read_scores(saved(book), NOTHING), read_scores(saved(book), ReadingOptions(columns={"sheet": "Unseen"}))
    assert (seen.series[0].values.tolist(), named.series[0].values.tolist()) == ([5.0], [6.0])
    assert "hidden sheets not read: 'Unseen'" in seen.source.notes and "the sheet is a hidden one" in named.source.notes
    del book["Seen"]
    book.create_sheet("Other").append(("nothing",))
    with pytest.raises(BadInput, match="the only sheet with the columns of scores is hidden: 'Unseen'"):
        read_scores(saved(book), NOTHING)


def test_a_workbook_without_a_fitting_sheet_says_what_its_sheets_hold() -> None:
    with pytest.raises(BadInput, match=r"'One' has 'a', 'b'; 'Two' has 'c', 'd'"):
        read_scores(saved(sheets(One=of(("a", "b"), (1, 2)), Two=of(("c", "d"), (3, 4)))), NOTHING)
    with pytest.raises(BadInput, match="no filled cell"):
        read_scores(saved(openpyxl.Workbook()), NOTHING)


def test_a_merged_account_holds_for_all_of_its_rows() -> None:
    def fill(sheet: Worksheet) -> None:
        of(HEADER, ("A", DAY, 5), (None, date(2026, 2, 1), 6), (None, date(2026, 3, 1), 7), ("B", DAY, 8))(sheet)
        sheet.merge_cells("A2:A4")

    history = read_scores(written(fill), NOTHING)
    assert [name for _, name, _, _ in content(history)] == ["A", "A", "A", "B"]
    assert "cells under a merged cell that take its value: 2" in history.source.notes


@pytest.mark.parametrize("merged", [(), ("C1:D1",), ("A1:A2", "B1:B2", "C1:D1")])
def test_a_header_of_two_rows_is_read_with_and_without_merged_cells(merged: tuple[str, ...]) -> None:
    def fill(sheet: Worksheet) -> None:
        of(("account", "date", "Scores", None), (None, None, "Health score", "NPS"), ("A", DAY, 5, 9))(sheet)
        for area in merged:
            sheet.merge_cells(area)

    history = read_scores(written(fill), NOTHING)
    assert [(one.name, one.values.tolist()) for one in history.series] == [("Health score", [5.0]), ("NPS", [9.0])]
    assert history.row.tolist() == [3]


def test_plain_numbers_in_a_column_of_dates_are_days_by_the_workbooks_own_calendar() -> None:
    first = {False: date(1899, 12, 30), True: date(1904, 1, 1)}
    for from_1904, start in first.items():
        book = openpyxl.Workbook()
        if from_1904:
            book.epoch = MAC_EPOCH
        of(HEADER, ("A", (DAY - start).days, 5), ("B", DAY, 6), ("C", (DAY - start).days + 0.25, 7))(book.worksheets[0])
        days = [day for _, _, day, _ in content(read_scores(saved(book), NOTHING))]
        assert days == ["2026-01-31T00:00:00", "2026-01-31T00:00:00", "2026-01-31T06:00:00"]


def test_numbers_that_are_no_days_are_left_as_they_are() -> None:
    history = read_scores(written(of(HEADER, ("A", 20260131, 5))), NOTHING)
    assert content(history)[0][2] == "2026-01-31T00:00:00"


def test_error_cells_are_read_as_what_they_say_and_counted() -> None:
    history = read_scores(written(of(HEADER, ("A", DAY, "#REF!"), ("B", DAY, "#N/A"), *TEN)), NOTHING)
    assert reasons(history) == {"unreadable score": [2], "no score value": [3]}
    assert "error cells: 2 (first: #REF! in row 2, column 3)" in history.source.notes


def test_a_formula_without_its_result_is_a_fault_and_never_a_blank() -> None:
    with pytest.raises(BadInput, match="a formula has no stored result") as caught:
        read_scores(written(of(HEADER, ("A", DAY, "=1+2"), *TEN)), NOTHING, "b.xlsx")
    assert caught.value.faults[0].where == "b.xlsx[Scores]:2:score"
    total = read_scores(written(of(HEADER, *TEN, ("Total", None, "=SUM(C2:C11)"))), NOTHING)
    assert reasons(total) == {"totals row": [12]}


def with_results(book: bytes, result: str) -> bytes:
    """The workbook with a stored result in each of its formulas."""
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(sink, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(
                name,
                part.replace(b"</f><v />", b"</f><v>%b</v>" % result.encode()).replace(b"</f><v></v>", b"</f><v>%b</v>" % result.encode()),
            )
    return sink.getvalue()


def test_a_formula_is_read_by_its_stored_result_unless_that_is_the_nought_of_a_program() -> None:
    book = written(of(HEADER, ("A", DAY, "=1+2"), ("B", DAY, "=2+2")))
    history = read_scores(with_results(book, "3"), NOTHING)
    assert (
        history.series[0].values.tolist() == [3, 3] and "formulas read by the results that are stored with them: 2" in history.source.notes
    )
    with pytest.raises(BadInput, match="a formula has no stored result"):
        read_scores(with_results(book, "0"), NOTHING)


def test_a_stray_cell_in_the_last_corner_is_refused_before_memory_is() -> None:
    def fill(sheet: Worksheet) -> None:
        of(HEADER, ("A", DAY, 5))(sheet)
        sheet["XFD1048576"] = 1

    with pytest.raises(BadInput, match="reaches to row 1,048,576 and column 16,384"):
        read_scores(written(fill), NOTHING)


def test_whole_numbers_durations_and_booleans_read_as_csv_would_have_them() -> None:
    rows = (("account", "date", "score", "owner"), (1001, DAY, True, timedelta(hours=36)), ("B", DAY, False, 0.5))
    history = read_scores(written(of(*rows)), NOTHING)
    assert history.account.names == ("1001", "B") and history.series[0].values.tolist() == [1.0, 0.0]
    assert history.owner is not None and history.owner.names == ("1.5 days", "0.5")


def old_excel() -> bytes:
    return gzip.decompress(base64.b64decode(OLD_EXCEL))


def open_document() -> bytes:
    def cell(value: object) -> str:
        if isinstance(value, date):
            return f'<table:table-cell office:value-type="date" office:date-value="{value}"/>'
        if isinstance(value, float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    rows = [HEADER, *((f"A{i}", date(2026, 1, 1 + i), 1.5 * i) for i in range(3))]
    table = "".join(f"<table:table-row>{''.join(map(cell, row))}</table:table-row>" for row in rows)
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "META-INF/manifest.xml", '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
        )
        archive.writestr("content.xml", ODS.format(rows=table))
    return sink.getvalue()


@pytest.mark.parametrize(("made", "form"), [(old_excel, "XLS"), (open_document, "ODS")])
def test_old_excel_and_open_document_sheets_are_read_with_a_word_on_errors(made: Callable[[], bytes], form: str) -> None:
    history = read_scores(made(), NOTHING)
    assert [(name, day[:10], score) for _, name, day, score in content(history)] == [
        ("A0", "2026-01-01", 0.0), ("A1", "2026-01-02", 1.5), ("A2", "2026-01-03", 3.0),
    ]  # fmt: skip
    assert history.source.format == form and "errors such as #REF! are not told from blanks in this format" in history.source.notes


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 10**6), st.binary(min_size=1, max_size=8)), min_size=1, max_size=4), st.integers(0, 20))
def test_no_torn_workbook_ends_in_anything_but_a_table_or_a_clear_fault(cuts: list[tuple[int, bytes]], which: int) -> None:
    whole = written(of(HEADER, *TEN))
    sink = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(sink, "w") as new:
        names = old.namelist()
        for name in names:
            part = old.read(name)
            for at, put in cuts if name == names[which % len(names)] else ():
                part = part[: at % len(part)] + put + part[at % len(part) + len(put) :]
            new.writestr(name, part)
    for torn in (sink.getvalue(), whole[: cuts[0][0] % len(whole)] + cuts[0][1] + whole[cuts[0][0] % len(whole) + 3 :]):
        try:
            read_scores(torn, NOTHING)
        except BadInput as error:
            assert error.faults
